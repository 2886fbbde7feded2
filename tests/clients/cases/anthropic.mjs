import Anthropic from '@anthropic-ai/sdk';
import { CARD, caught, choose, citySchema, gatewayOnly, hello } from './shared.mjs';

const client = (t, more = {}) => new Anthropic({ baseURL: t.anthropic, apiKey: t.key, maxRetries: t.retries, ...more });
const body = (t, more = {}) => ({ model: t.chatModel, max_tokens: 40, messages: hello, ...more });
const tool = { name: 'get_weather', description: 'Weather of a city', input_schema: citySchema };
const pay = (value) => ({ name: 'pay', description: 'pays', input_schema: choose(value) });

export default [
  ['messages', async (t, a) => {
    const r = await client(t).messages.create(body(t, { system: 'Be brief.' }));
    a.equal(r.content[0].type, 'text');
    a.ok(r.usage.output_tokens > 0);
  }],
  ['messages with the key as a bearer token', async (t, a) => {
    const r = await client(t, { apiKey: null, authToken: t.key }).messages.create(body(t));
    a.equal(r.role, 'assistant');
  }],
  ['stream', async (t, a) => {
    const kinds = new Set();
    for await (const e of await client(t).messages.create(body(t, { stream: true }))) kinds.add(e.type);
    for (const k of ['message_start', 'content_block_delta', 'message_delta', 'message_stop']) a.ok(kinds.has(k), k);
  }],
  ['stream helper', async (t, a) => {
    let text = '';
    const s = client(t).messages.stream(body(t)).on('text', (d) => { text += d; });
    const m = await s.finalMessage();
    a.equal(m.content.map((c) => c.text ?? '').join(''), text);
  }],
  ['stream abort', async (t, a) => {
    const s = client(t).messages.stream(body(t, { max_tokens: 4000 }));
    s.on('text', () => s.abort());
    const e = await caught(a, () => s.finalMessage());
    a.ok(e instanceof Anthropic.APIUserAbortError, e.constructor.name);
  }],
  ['tools', async (t, a) => {
    const r = await client(t).messages.create(body(t, { tools: [tool], max_tokens: 300 }));
    const use = r.content.find((c) => c.type === 'tool_use');
    a.ok(use.input.city);
  }],
  ['tools, stream', async (t, a) => {
    const m = await client(t).messages.stream(body(t, { tools: [tool], max_tokens: 300 })).finalMessage();
    a.ok(m.content.find((c) => c.type === 'tool_use').input.city);
  }],
  ['a card number in the arguments of a tool', async (t, a) => {
    const more = { tools: [pay(CARD)], tool_choice: { type: 'any' }, max_tokens: 300 };
    for (const m of [await client(t).messages.create(body(t, more)), await client(t).messages.stream(body(t, more)).finalMessage()])
      a.deepEqual(m.content.find((c) => c.type === 'tool_use').input, { value: CARD });
  }],
  ['tools, round trip', async (t, a) => {
    const r = await client(t).messages.create(body(t, { tools: [tool], max_tokens: 300 }));
    const use = r.content.find((c) => c.type === 'tool_use');
    const next = await client(t).messages.create(body(t, { tools: [tool], messages: [...hello,
      { role: 'assistant', content: [use] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] }] }));
    a.equal(next.role, 'assistant');
  }],
  ['count_tokens', async (t, a) => {
    const r = await client(t).messages.countTokens({ model: t.chatModel, messages: hello });
    a.ok(r.input_tokens > 0);
  }],
  ['models', async (t, a) => {
    const r = await client(t).models.list();
    a.ok(r.data.some((m) => m.id === t.chatModel));
  }],
  ['error: 400', async (t, a) => {
    const e = await caught(a, () => client(t).messages.create(body(t, { max_tokens: 'many' })));
    a.ok(e instanceof Anthropic.BadRequestError || e instanceof Anthropic.InternalServerError, e.constructor.name);
  }],
  ['error: 400, typed', async (t, a) => {
    const e = await caught(a, () => client(t).messages.create(body(t, { messages: undefined })));
    a.ok(e instanceof Anthropic.BadRequestError, `${e.constructor.name} ${e.message}`);
    a.equal(e.error.type, 'error');
    a.equal(e.error.error.type, 'invalid_request_error');
  }, gatewayOnly],
  ['error: 401', async (t, a) => {
    const e = await caught(a, () => client(t, { apiKey: 'wrong' }).messages.create(body(t)));
    a.ok(e instanceof Anthropic.AuthenticationError, e.constructor.name);
    a.equal(e.error.error.type, 'authentication_error');
  }, gatewayOnly],
  ['error: 403', async (t, a) => {
    const e = await caught(a, () => client(t, { apiKey: t.forbidden }).messages.create(body(t)));
    a.ok(e instanceof Anthropic.PermissionDeniedError, e.constructor.name);
  }, gatewayOnly],
  ['error: 403, data that may not go to the model', async (t, a) => {
    for (const stream of [false, true]) {
      const e = await caught(a, () => client(t).messages.create(body(t, { stream, messages: [{ role: 'user', content: 'a Basilisk' }] })));
      a.ok(e instanceof Anthropic.PermissionDeniedError, `${e.constructor.name} ${e.message}`);
      a.equal(e.error.error.type, 'permission_error');
      a.ok(!e.message.includes('Basilisk') && e.message.includes('STOP_WORD'), e.message);
    }
  }, gatewayOnly],
  ['error: 403, a reply that may not pass', async (t, a) => {
    const more = { tools: [pay('one Quetzal two')], tool_choice: { type: 'any' }, max_tokens: 300 };
    const whole = await caught(a, () => client(t).messages.create(body(t, more)));
    a.ok(whole instanceof Anthropic.PermissionDeniedError, `${whole.constructor.name} ${whole.message}`);
    let text = '';
    const cut = await caught(a, async () => {
      for await (const e of await client(t).messages.create(body(t, { ...more, stream: true }))) text += e.delta?.partial_json ?? '';
    });
    a.ok(cut instanceof Anthropic.APIError, `${cut.constructor.name} ${cut.message}`);
    a.equal(cut.error.error.type, 'permission_error');
    a.ok(text.endsWith('"one '), text);
  }, gatewayOnly],
  ['error: 404', async (t, a) => {
    const e = await caught(a, () => client(t).messages.create(body(t, { model: 'no-such-model' })));
    a.ok(e instanceof Anthropic.NotFoundError, e.constructor.name);
  }, gatewayOnly],
  ['error: 429', async (t, a) => {
    const e = await caught(a, async () => {
      for (let i = 0; i < 6; i++) await client(t, { apiKey: t.limited }).messages.create(body(t, { max_tokens: 5 }));
    });
    a.ok(e instanceof Anthropic.RateLimitError, `${e.constructor.name} ${e.message}`);
    a.equal(e.error.error.type, 'rate_limit_error');
    a.ok(Number(e.headers.get('retry-after')) > 0);
  }, gatewayOnly],
];
