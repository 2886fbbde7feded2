// Unmodified SDKs make the same calls directly at the model servers and through the gateway.
//   node run.mjs TARGETS.json      (written by run.py, which starts everything)
// TARGETS.json: {"direct": target, "gateway": target + {forbidden, limited}}, where a target is
//   {openai, anthropic, ollama: base URLs; embed: base URL for embeddings; key; retries; chatModel, embedModel, ollamaModel}
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import './node18.mjs'; // before the SDKs
import cases from './cases/index.mjs';

const targets = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const only = process.argv[3];
const LIMIT_MS = 30000;
let passed = 0;
const failures = [];

async function bounded(work) {
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new Error(`no end after ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

for (const [where, target] of Object.entries(targets)) {
  for (const { name, run, gatewayOnly } of cases) {
    const title = `${where}: ${name}`;
    if ((gatewayOnly && where !== 'gateway') || (only && !title.includes(only))) continue;
    try {
      await bounded(run(target, assert));
      passed++;
      console.log(`ok     ${title}`);
    } catch (e) {
      failures.push(title);
      console.log(`FAILED ${title}\n       ${String(e?.stack ?? e).split('\n').slice(0, 6).join('\n       ')}`);
    }
  }
}
for (const f of failures) console.log(`failed: ${f}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length || !passed ? 1 : 0);
