// validate.cjs SCHEMA-FOLDER VERSION FILE...: CycloneDX documents against the official schemas of that version.
const fs = require("fs"), path = require("path");
const Ajv = require("ajv"), formats = require("ajv-formats"), idn = require("ajv-formats-draft2019");
const [folder, version, ...files] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
idn(ajv);
for (const name of ["spdx.schema.json", "jsf-0.82.schema.json"]) ajv.addSchema(read(name), "http://cyclonedx.org/schema/" + name);
// 1.7 takes lists of cryptographic algorithms from a further file; our documents have nothing of the kind.
ajv.addSchema({ definitions: { algorithmFamiliesEnum: {}, ellipticCurvesEnum: {} } }, "http://cyclonedx.org/schema/cryptography-defs.schema.json");
const check = ajv.compile(read(`bom-${version}.schema.json`));
let bad = 0;
for (const f of files) {
  if (check(JSON.parse(fs.readFileSync(f, "utf8")))) continue;
  bad++;
  console.log(f + ": " + ajv.errorsText(check.errors.slice(0, 5), { separator: "\n" }));
}
process.exit(bad ? 1 : 0);
