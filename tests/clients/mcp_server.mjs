// A real MCP server of the official SDK: streamable HTTP with sessions, or without.
//   node mcp_server.mjs [stateless]     prints its port
import './node18.mjs';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const stateless = process.argv[2] === 'stateless';
const sessions = new Map();

function make() {
  const server = new McpServer({ name: 'demo', version: '1.0.0' }, { capabilities: { logging: {} } });
  server.registerTool('add', {
    description: 'Adds two numbers.',
    inputSchema: { a: z.number(), b: z.number() },
    outputSchema: { sum: z.number() },
  }, async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b } }));
  server.registerTool('slow', { description: 'Counts, and tells how far it is.', inputSchema: { to: z.number() } },
    async ({ to }, extra) => {
      for (let i = 1; i <= to; i++) {
        await extra.sendNotification({ method: 'notifications/progress',
          params: { progressToken: extra._meta?.progressToken ?? 0, progress: i, total: to } });
      }
      return { content: [{ type: 'text', text: `counted to ${to}` }] };
    });
  server.registerTool('hidden', { description: 'Never approved.', inputSchema: {} },
    async () => ({ content: [{ type: 'text', text: 'you should not see this' }] }));
  server.registerResource('page', 'demo://page', { title: 'A page' },
    async (uri) => ({ contents: [{ uri: uri.href, text: 'hello from a page' }] }));
  server.registerPrompt('greet', { description: 'Greets.', argsSchema: { name: z.string() } },
    ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${name}.` } }] }));
  return server;
}

async function transportFor(req) {
  const id = req.headers['mcp-session-id'];
  if (id && sessions.has(id)) return sessions.get(id);
  if (id && !stateless) return null;
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: stateless ? undefined : () => randomUUID(),
    onsessioninitialized: (s) => sessions.set(s, transport),
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await make().connect(transport);
  return transport;
}

const http = createServer(async (req, res) => {
  if (req.headers.authorization !== 'Bearer tool-secret') {
    res.writeHead(401).end();
    return;
  }
  const transport = await transportFor(req);
  if (transport) await transport.handleRequest(req, res);
  else res.writeHead(404, { 'Content-Type': 'application/json' }).end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"no session"}}');
});
http.listen(0, '127.0.0.1', () => console.log(http.address().port));
