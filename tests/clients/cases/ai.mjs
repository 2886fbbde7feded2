import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { LONG, caught, gatewayOnly } from './shared.mjs';

const provider = (t, key = t.key) => createOpenAICompatible({
  name: 'local', baseURL: t.openai, apiKey: key, supportsStructuredOutputs: true, includeUsage: true });
const model = (t, key) => provider(t, key)(t.chatModel);
const person = z.object({ name: z.enum(['Ada', 'Grace']), age: z.number().int().min(1).max(99) });
const tools = {
  get_weather: tool({
    description: 'Weather of a city', inputSchema: z.object({ city: z.enum(['Paris', 'Oslo']) }), execute: async () => 'sunny' }),
};
const ask = (t, more = {}, key = undefined) => ({
  model: model(t, key), prompt: 'Who may copy?', maxOutputTokens: 40, maxRetries: t.retries, ...more });
const status = async (assert, call) => {
  const e = await caught(assert, call);
  assert.ok(APICallError.isInstance(e), `${e.name} ${e.message}`);
  return e;
};

export default [
  ['generateText', async (t, a) => {
    const r = await generateText(ask(t));
    a.ok(r.text.length > 0 && r.usage.outputTokens > 0);
  }],
  ['streamText', async (t, a) => {
    const r = streamText(ask(t));
    let text = '';
    for await (const d of r.textStream) text += d;
    a.ok(text.length > 0);
    a.ok((await r.usage).outputTokens > 0);
  }],
  ['generateObject', async (t, a) => {
    const r = await generateObject(ask(t, { schema: person, maxOutputTokens: 200 }));
    a.ok(r.object.age >= 1);
  }],
  ['agent loop', async (t, a) => {
    const r = await generateText(ask(t, { tools, stopWhen: stepCountIs(2), maxOutputTokens: 300 }));
    a.equal(r.steps[0].toolResults[0].output, 'sunny');
    a.equal(r.steps.length, 2);
  }],
  ['agent loop, stream', async (t, a) => {
    const r = streamText(ask(t, { tools, stopWhen: stepCountIs(2), maxOutputTokens: 300 }));
    for await (const _ of r.fullStream) { /* to the end */ }
    a.equal((await r.steps).length, 2);
  }],
  ['embedMany', async (t, a) => {
    const m = createOpenAICompatible({ name: 'local', baseURL: t.embed, apiKey: t.key }).textEmbeddingModel(t.embedModel);
    const r = await embedMany({ model: m, values: ['one', 'two'], maxRetries: t.retries });
    a.equal(r.embeddings.length, 2);
  }],
  ['abort', async (t, a) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    const e = await caught(a, () => generateText(ask(t, { abortSignal: stop.signal, maxOutputTokens: 8000,
      providerOptions: { local: { grammar: LONG } } })));
    a.equal(e.name, 'AbortError');
  }],
  ['error: 400', async (t, a) => {
    const e = await status(a, () => generateText(ask(t, { providerOptions: { local: { grammar: 'broken ::=' } } })));
    a.equal(e.statusCode, 400);
  }],
  ['error: 401', async (t, a) => {
    const e = await status(a, () => generateText(ask(t, {}, 'wrong')));
    a.equal(e.statusCode, 401);
    a.ok(!e.isRetryable);
  }, gatewayOnly],
  ['error: 403', async (t, a) => a.equal((await status(a, () => generateText(ask(t, {}, t.forbidden)))).statusCode, 403), gatewayOnly],
  ['error: 429', async (t, a) => {
    const e = await status(a, async () => {
      for (let i = 0; i < 6; i++) await generateText(ask(t, { maxOutputTokens: 5 }, t.limited));
    });
    a.equal(e.statusCode, 429);
    a.ok(e.isRetryable);
  }, gatewayOnly],
];
