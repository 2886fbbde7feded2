import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { CARD, EXACT, LONG, caught, choose, citySchema, clock, cosine, gatewayOnly, grammarFor, hello, weather } from './shared.mjs';

const client = (t, more = {}) => new OpenAI({ baseURL: t.openai, apiKey: t.key, maxRetries: t.retries, ...more });
const embedder = (t) => client(t, { baseURL: t.embed });
const chat = (t, body, options) => client(t).chat.completions.create(
  { model: t.chatModel, messages: hello, max_tokens: 40, ...body }, options);
const long = { max_tokens: 4000, grammar: LONG };
const person = z.object({ name: z.enum(['Ada', 'Grace']), age: z.number().int().min(1).max(99) });

async function gather(stream) {
  const chunks = [];
  for await (const c of stream) chunks.push(c);
  return { chunks, text: chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('') };
}

const agentMessages = (call) => [
  { role: 'user', content: 'Weather in Paris?' },
  { role: 'assistant', content: null, tool_calls: [call] },
  { role: 'tool', tool_call_id: call.id, content: 'sunny' },
];

export default [
  ['models.list', async (t, a) => {
    const list = [];
    for await (const m of client(t).models.list()) list.push(m.id);
    a.ok(list.includes(t.chatModel), `got ${list}`);
  }],
  ['chat', async (t, a) => {
    const r = await chat(t);
    a.equal(r.choices[0].message.role, 'assistant');
    a.ok(r.choices[0].message.content.length > 0 && r.usage.total_tokens > 0);
  }],
  ['chat, exact text', async (t, a) => {
    const r = await chat(t, { grammar: grammarFor(EXACT), max_tokens: 200 });
    a.equal(r.choices[0].message.content, EXACT);
  }],
  ['stream, exact text', async (t, a) => {
    const { text, chunks } = await gather(await chat(t, { grammar: grammarFor(EXACT), max_tokens: 200, stream: true }));
    a.equal(text, EXACT);
    a.ok(chunks.length > 5, 'it came in pieces');
  }],
  ['a card number comes back', async (t, a) => {
    const say = { messages: [{ role: 'user', content: `My card is ${CARD}.` }], grammar: grammarFor(`Your card is ${CARD}!`), max_tokens: 200 };
    a.equal((await chat(t, say)).choices[0].message.content, `Your card is ${CARD}!`);
    a.equal((await gather(await chat(t, { ...say, stream: true }))).text, `Your card is ${CARD}!`);
  }],
  ['a card number in the arguments of a tool', async (t, a) => {
    const pay = { type: 'function', function: { name: 'pay', description: 'pays', parameters: choose(CARD) } };
    const s = client(t).chat.completions.stream({ model: t.chatModel, messages: hello, tools: [pay], tool_choice: 'required', max_tokens: 300 });
    const r = await s.finalChatCompletion();
    a.deepEqual(JSON.parse(r.choices[0].message.tool_calls[0].function.arguments), { value: CARD });
  }],
  ['stream with usage', async (t, a) => {
    const { chunks } = await gather(await chat(t, { stream: true, stream_options: { include_usage: true } }));
    a.ok(chunks.at(-1).usage.total_tokens > 0);
  }],
  ['stream without usage', async (t, a) => {
    const { chunks } = await gather(await chat(t, { stream: true }));
    a.ok(chunks.every((c) => !c.usage && c.choices.length === 1), 'no chunk that was not asked for');
  }],
  ['stream helper', async (t, a) => {
    const s = client(t).chat.completions.stream({ model: t.chatModel, messages: hello, max_tokens: 30 });
    let deltas = '';
    s.on('content', (d) => { deltas += d; });
    const r = await s.finalChatCompletion();
    a.equal(r.choices[0].message.content, deltas);
  }],
  ['stream abort', async (t, a) => {
    const stop = new AbortController();
    const s = await chat(t, { stream: true, ...long }, { signal: stop.signal });
    let n = 0;
    for await (const _ of s) if (++n === 3) stop.abort();
    a.ok(n >= 3 && n < 1500, `${n} chunks`);
  }],
  ['abort before the answer', async (t, a) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    const e = await caught(a, () => chat(t, long, { signal: stop.signal }));
    a.ok(e instanceof OpenAI.APIUserAbortError, e.constructor.name);
  }],
  ['logprobs', async (t, a) => {
    const r = await chat(t, { logprobs: true, top_logprobs: 3 });
    a.equal(r.choices[0].logprobs.content[0].top_logprobs.length, 3);
  }],
  ['n = 2', async (t, a) => a.equal((await chat(t, { n: 2 })).choices.length, 2)],
  ['stop', async (t, a) => {
    const r = await chat(t, { grammar: grammarFor('one two three'), stop: ['three'] });
    a.equal(r.choices[0].message.content, 'one two ');
  }],
  ['JSON schema', async (t, a) => {
    const r = await client(t).chat.completions.parse({
      model: t.chatModel, messages: hello, max_tokens: 200, response_format: zodResponseFormat(person, 'person') });
    a.ok(r.choices[0].message.parsed.age >= 1);
  }],
  ['JSON schema, stream', async (t, a) => {
    const s = client(t).chat.completions.stream({
      model: t.chatModel, messages: hello, max_tokens: 200, response_format: zodResponseFormat(person, 'person') });
    a.ok((await s.finalChatCompletion()).choices[0].message.parsed.name);
  }],
  ['tools required', async (t, a) => {
    const r = await chat(t, { tools: [weather], tool_choice: 'required', max_tokens: 300 });
    const f = r.choices[0].message.tool_calls[0].function;
    a.equal(f.name, 'get_weather');
    a.ok(citySchema.properties.city.enum.includes(JSON.parse(f.arguments).city));
  }],
  ['tools, stream', async (t, a) => {
    const s = client(t).chat.completions.stream({
      model: t.chatModel, messages: hello, tools: [weather], max_tokens: 300 });
    const r = await s.finalChatCompletion();
    a.ok(JSON.parse(r.choices[0].message.tool_calls[0].function.arguments).city);
  }],
  ['tools, parallel', async (t, a) => {
    const r = await chat(t, { tools: [weather, clock], parallel_tool_calls: true, max_tokens: 300 });
    a.ok(r.choices[0].message.tool_calls.length >= 1);
  }],
  ['tools, round trip', async (t, a) => {
    const first = await chat(t, { tools: [weather], max_tokens: 300 });
    const r = await chat(t, { messages: agentMessages(first.choices[0].message.tool_calls[0]), tools: [weather] });
    a.ok(r.choices[0].message.content.length > 0);
    a.ok(!r.choices[0].message.tool_calls?.length);
  }],
  ['completions', async (t, a) => {
    const r = await client(t).completions.create({ model: t.chatModel, prompt: 'The Program', max_tokens: 20 });
    a.ok(r.choices[0].text.length > 0);
  }],
  ['completions, stream', async (t, a) => {
    let text = '';
    const s = await client(t).completions.create({ model: t.chatModel, prompt: 'The Program', max_tokens: 20, stream: true });
    for await (const c of s) text += c.choices[0]?.text ?? '';
    a.ok(text.length > 0);
  }],
  ['embeddings, base64 (the SDK\'s default)', async (t, a) => {
    const input = ['a copy of this licence', 'a copy of the licence', 'zzz 123 !!!'];
    const r = await embedder(t).embeddings.create({ model: t.embedModel, input });
    const v = r.data.map((d) => d.embedding);
    a.ok(cosine(v[0], v[1]) > cosine(v[0], v[2]));
  }],
  ['embeddings, float', async (t, a) => {
    const r = await embedder(t).embeddings.create({ model: t.embedModel, input: 'hello', encoding_format: 'float' });
    a.equal(typeof r.data[0].embedding[0], 'number');
  }],
  ['responses', async (t, a) => {
    const r = await client(t).responses.create({ model: t.chatModel, input: 'Who may copy?', max_output_tokens: 40 });
    a.ok(r.output_text.length > 0);
  }],
  ['responses, stream', async (t, a) => {
    let text = '';
    let done;
    const s = await client(t).responses.create({ model: t.chatModel, input: 'Who?', max_output_tokens: 40, stream: true });
    for await (const e of s) {
      if (e.type === 'response.output_text.delta') text += e.delta;
      if (e.type === 'response.completed') done = e.response;
    }
    a.equal(done.output.find((o) => o.type === 'message').content[0].text, text);
  }],
  ['responses, tools', async (t, a) => {
    const r = await client(t).responses.create({ model: t.chatModel, input: 'Weather?', max_output_tokens: 300,
      tools: [{ type: 'function', name: 'get_weather', parameters: citySchema, strict: true }] });
    const call = r.output.find((o) => o.type === 'function_call');
    a.ok(JSON.parse(call.arguments).city);
  }],
  ['error: bad request', async (t, a) => {
    const e = await caught(a, () => chat(t, { messages: 'no list' }));
    a.ok(e instanceof OpenAI.BadRequestError, `${e.constructor.name} ${e.message}`);
    a.equal(e.status, 400);
  }],
  ['error: prompt too long', async (t, a) => {
    const e = await caught(a, () => chat(t, { messages: [{ role: 'user', content: 'word '.repeat(60000) }] }));
    a.ok(e instanceof OpenAI.BadRequestError, `${e.constructor.name} ${e.message}`);
    a.equal(e.type, 'exceed_context_size_error');
  }],
  ['error: unknown path', async (t, a) => {
    const e = await caught(a, () => client(t).get('/nowhere'));
    a.ok(e instanceof OpenAI.NotFoundError, e.constructor.name);
  }],
  ['error: 401, wrong key', async (t, a) => {
    const e = await caught(a, () => client(t, { apiKey: 'bz_wrong' }).models.list());
    a.ok(e instanceof OpenAI.AuthenticationError, e.constructor.name);
    a.equal(e.code, 'invalid_api_key');
    a.ok(e.requestID?.startsWith('req_'));
  }, gatewayOnly],
  ['error: 403, key without that scope', async (t, a) => {
    const e = await caught(a, () => chat({ ...t, key: t.forbidden }));
    a.ok(e instanceof OpenAI.PermissionDeniedError, `${e.constructor.name} ${e.message}`);
  }, gatewayOnly],
  ['error: 403, data that may not go to the model', async (t, a) => {
    for (const stream of [false, true]) {
      const e = await caught(a, () => chat(t, { stream, messages: [{ role: 'user', content: 'the Basilisk file' }] }));
      a.ok(e instanceof OpenAI.PermissionDeniedError, `${e.constructor.name} ${e.message}`);
      a.equal(e.code, 'data_blocked');
      a.ok(!e.message.includes('Basilisk'), e.message);
    }
  }, gatewayOnly],
  ['error: 403, a reply that may not pass', async (t, a) => {
    const say = { grammar: grammarFor('one two Quetzal three'), max_tokens: 100 };
    const whole = await caught(a, () => chat(t, say));
    a.ok(whole instanceof OpenAI.PermissionDeniedError, `${whole.constructor.name} ${whole.message}`);
    a.equal(whole.code, 'reply_blocked');
    let text = '';
    const cut = await caught(a, async () => {
      for await (const c of await chat(t, { ...say, stream: true })) text += c.choices[0]?.delta?.content ?? '';
    });
    a.ok(cut instanceof OpenAI.APIError, `${cut.constructor.name} ${cut.message}`);
    a.equal(cut.code, 'reply_blocked');
    a.equal(text, 'one two ');
  }, gatewayOnly],
  ['error: 404, unknown model', async (t, a) => {
    const e = await caught(a, () => chat(t, { model: 'no-such-model' }));
    a.ok(e instanceof OpenAI.NotFoundError, `${e.constructor.name} ${e.message}`);
    a.equal(e.code, 'model_not_found');
  }, gatewayOnly],
  ['error: 429 with headers', async (t, a) => {
    await chat({ ...t, key: t.limited }, { max_tokens: 5 }).catch(() => {});
    const e = await caught(a, async () => {
      for (let i = 0; i < 5; i++) await chat({ ...t, key: t.limited }, { max_tokens: 5 });
    });
    a.ok(e instanceof OpenAI.RateLimitError, `${e.constructor.name} ${e.message}`);
    a.ok(Number(e.headers.get('retry-after')) > 0);
    a.ok(e.headers.get('x-ratelimit-limit-requests'));
  }, gatewayOnly],
  ['error: a call that policy forbids', async (t, a) => {
    const e = await caught(a, () => chat(t, { n: 100000 }));
    a.ok(e instanceof OpenAI.BadRequestError || e instanceof OpenAI.PermissionDeniedError, e.constructor.name);
    a.equal(e.param, 'n');
  }, gatewayOnly],
];
