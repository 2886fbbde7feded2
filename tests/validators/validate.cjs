// validate.cjs SCHEMA-FOLDER STANDARD FILE...: bills of materials against the official schema of their standard. Exit 1: one is not valid.
const fs = require("fs"), path = require("path");
const formats = require("ajv-formats"), idn = require("ajv-formats-draft2019");
const [folder, standard, ...files] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));

function cyclonedx(version) { // JSON Schema draft 7
  const Ajv = require("ajv");
  const ajv = new Ajv({ strict: false });
  formats(ajv);
  idn(ajv);
  for (const name of ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"]) {
    if (version !== "1.6" || !name.startsWith("crypto")) ajv.addSchema(read(name), "http://cyclonedx.org/schema/" + name);
  }
  return [ajv, ajv.compile(read(`bom-${version}.schema.json`))];
}

function spdx() { // JSON Schema 2020-12
  const Ajv = require("ajv/dist/2020");
  const ajv = new Ajv({ strict: false });
  formats(ajv);
  return [ajv, ajv.compile(read("spdx-3.0.1.schema.json"))];
}

const [ajv, check] = standard === "spdx-3" ? spdx() : cyclonedx(standard.replace("cyclonedx-", ""));
let bad = 0;
for (const f of files) {
  if (check(JSON.parse(fs.readFileSync(f, "utf8")))) continue;
  bad++;
  console.log(f + ": " + ajv.errorsText(check.errors.slice(0, 20), { separator: "\n" }));
}
process.exit(bad ? 1 : 0);
