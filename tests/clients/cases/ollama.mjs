// The backend is tests/standins/ollama_standin.py: no package ships the real server.
import { Ollama } from 'ollama';
import { caught, citySchema, cosine, gatewayOnly, hello, personSchema, weather } from './shared.mjs';

const client = (t, key = t.key) => new Ollama({ host: t.ollama, headers: { Authorization: `Bearer ${key}` } });
const chat = (t, more = {}, key = undefined) => client(t, key).chat({
  model: t.ollamaModel, messages: hello, options: { num_predict: 10 }, ...more });

export default [
  ['list', async (t, a) => {
    const r = await client(t).list();
    a.ok(r.models.some((m) => m.name === t.ollamaModel));
  }],
  ['version', async (t, a) => a.match((await client(t).version()).version, /^\d+\./)],
  ['ps', async (t, a) => a.ok(Array.isArray((await client(t).ps()).models))],
  // it tells templates and system prompts: for administrators behind the gateway
  ['show', async (t, a) => a.ok((await client(t, t.admin ?? t.key).show({ model: t.ollamaModel })).details)],
  ['chat', async (t, a) => {
    const r = await chat(t, { stream: false });
    a.ok(r.message.content.length > 0 && r.done && r.eval_count === 10);
  }],
  ['chat, stream', async (t, a) => {
    let text = '';
    let last;
    for await (const part of await chat(t, { stream: true })) {
      text += part.message.content;
      last = part;
    }
    a.ok(text.length > 0 && last.done && last.eval_count === 10);
  }],
  ['tools', async (t, a) => {
    const r = await chat(t, { tools: [weather] });
    a.equal(r.message.tool_calls[0].function.name, 'get_weather');
    a.ok(citySchema.properties.city.enum.includes(r.message.tool_calls[0].function.arguments.city));
  }],
  ['tools, stream and round trip', async (t, a) => {
    let call;
    for await (const p of await chat(t, { tools: [weather], stream: true })) call ??= p.message.tool_calls?.[0];
    const r = await chat(t, { tools: [weather], messages: [...hello,
      { role: 'assistant', content: '', tool_calls: [call] }, { role: 'tool', content: 'sunny', tool_name: 'get_weather' }] });
    a.ok(r.message.content.length > 0);
  }],
  ['JSON schema', async (t, a) => a.equal(JSON.parse((await chat(t, { format: personSchema })).message.content).name, 'Ada')],
  ['generate', async (t, a) => {
    const r = await client(t).generate({ model: t.ollamaModel, prompt: 'Who?', stream: false });
    a.ok(r.response.length > 0);
  }],
  ['generate, stream', async (t, a) => {
    let text = '';
    for await (const p of await client(t).generate({ model: t.ollamaModel, prompt: 'Who?', stream: true })) text += p.response;
    a.ok(text.length > 0);
  }],
  ['embed', async (t, a) => {
    const r = await client(t).embed({ model: t.ollamaModel, input: ['one gate', 'one gate', 'lantern'] });
    a.ok(cosine(r.embeddings[0], r.embeddings[1]) > 0.99);
  }],
  ['embeddings', async (t, a) => a.ok((await client(t).embeddings({ model: t.ollamaModel, prompt: 'x' })).embedding.length > 8)],
  ['abort', async (t, a) => {
    const c = client(t);
    const messages = [{ role: 'user', content: 'Tell me about the gate at length.' }];
    const s = await c.chat({ model: t.ollamaModel, messages, stream: true });
    const e = await caught(a, async () => {
      for await (const _ of s) s.abort();
    });
    a.equal(e.name, 'AbortError');
  }],
  ['error: 404, unknown model', async (t, a) => {
    const e = await caught(a, () => chat(t, { model: 'no-such-model' }));
    a.equal(e.name, 'ResponseError');
    a.equal(e.status_code, 404);
  }],
  ['error: 400', async (t, a) => {
    const e = await caught(a, () => client(t).embed({ model: t.ollamaModel, input: 5 }));
    a.equal(e.status_code, 400);
    a.ok(e.message.length > 0);
  }],
  ['error: 401', async (t, a) => {
    const e = await caught(a, () => chat(t, {}, 'wrong'));
    a.equal(e.status_code, 401);
    a.match(e.message, /key/i);
  }, gatewayOnly],
  ['error: 403', async (t, a) => a.equal((await caught(a, () => chat(t, {}, t.forbidden))).status_code, 403), gatewayOnly],
  ['error: 429', async (t, a) => {
    const e = await caught(a, async () => {
      for (let i = 0; i < 6; i++) await chat(t, {}, t.limited);
    });
    a.equal(e.status_code, 429);
  }, gatewayOnly],
];
