// semver.cjs compare|range: lines "A<TAB>B" of standard input; <, =, > or in, out; a dash where npm takes it for nothing.
const semver = require("semver");
const out = [];
for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
  if (line === "") continue;
  const [a, b] = line.split("\t");
  if (process.argv[2] === "compare") {
    const x = semver.parse(a), y = semver.parse(b);
    out.push(x && y ? ["<", "=", ">"][semver.compare(x, y) + 1] : "-");
  } else {
    out.push(semver.validRange(a) === null || !semver.parse(b) ? "-" : semver.satisfies(b, a) ? "in" : "out");
  }
}
console.log(out.join("\n"));
