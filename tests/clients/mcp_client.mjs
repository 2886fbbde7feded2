// The official SDK's client through the gateway: nothing about it is special but its Authorization header.
//   node mcp_client.mjs URL KEY OTHER_KEY
import './node18.mjs';
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, key, other] = process.argv.slice(2);
const requestInit = { headers: { Authorization: `Bearer ${key}` } };

async function connect(init = requestInit, sessionId) {
  const client = new Client({ name: 'conformance', version: '1.0.0' }, { capabilities: { sampling: {} } });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: init, sessionId });
  await client.connect(transport);
  return { client, transport };
}

const { client, transport } = await connect();
assert.equal(client.getServerVersion().name, 'demo');
assert.deepEqual((await client.listTools()).tools.map((t) => t.name).sort(), ['add', 'slow']);
const sum = await client.callTool({ name: 'add', arguments: { a: 2, b: 40 } });
assert.deepEqual(sum.structuredContent, { sum: 42 });
assert.equal(sum.content[0].text, '42');
const seen = [];
const slow = await client.callTool({ name: 'slow', arguments: { to: 5 } }, undefined, { onprogress: (p) => seen.push(p.progress) });
assert.equal(slow.content[0].text, 'counted to 5');
assert.deepEqual(seen, [1, 2, 3, 4, 5]);
await assert.rejects(client.callTool({ name: 'hidden', arguments: {} }), (e) => e.code === -32602 && /not approved/.test(e.message));
await assert.rejects(client.callTool({ name: 'add', arguments: { a: 'x', b: 1 } }), (e) => e.code === -32602);
assert.equal((await client.readResource({ uri: 'demo://page' })).contents[0].text, 'hello from a page');
assert.equal((await client.getPrompt({ name: 'greet', arguments: { name: 'Ann' } })).messages[0].content.text, 'Say hello to Ann.');
assert.equal((await client.listResources()).resources.length, 1);
await client.ping();
await assert.rejects(client.subscribeResource({ uri: 'demo://page' }), (e) => e.code === -32601);
await Promise.all(Array.from({ length: 8 }, async (_, i) => {
  assert.equal((await client.callTool({ name: 'add', arguments: { a: i, b: 1 } })).structuredContent.sum, i + 1);
}));
// somebody else's key does not get into this session
await assert.rejects(async () => {
  const stolen = new Client({ name: 'thief', version: '1' });
  const t = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${other}` } }, sessionId: transport.sessionId });
  t.setProtocolVersion?.(client.transport?.protocolVersion ?? '2025-06-18');
  await stolen.connect(t);
  await stolen.ping();
});
await assert.rejects(connect({ headers: { Authorization: 'Bearer nonsense' } }));
await client.ping();
if (process.argv[5] !== 'stateless') await transport.terminateSession();
await client.close();
console.log('mcp: all well');
