import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { tool } from '@langchain/core/tools';
import { z } from 'zod';
import { LONG, caught, gatewayOnly } from './shared.mjs';

const chat = (t, more = {}) => new ChatOpenAI({
  model: t.chatModel, apiKey: t.key, maxRetries: t.retries, maxTokens: 60, configuration: { baseURL: t.openai }, ...more });
const person = z.object({ name: z.enum(['Ada', 'Grace']), age: z.number().int().min(1).max(99) });
const weather = tool(async () => 'sunny', {
  name: 'get_weather', description: 'Weather of a city', schema: z.object({ city: z.enum(['Paris', 'Oslo']) }) });

export default [
  ['invoke', async (t, a) => {
    const r = await chat(t).invoke('Who may copy?');
    a.ok(r.content.length > 0 && r.usage_metadata.output_tokens > 0);
  }],
  ['stream', async (t, a) => {
    let text = '';
    for await (const c of await chat(t).stream('Who may copy?')) text += c.content;
    a.ok(text.length > 0);
  }],
  ['bindTools', async (t, a) => {
    const r = await chat(t, { maxTokens: 300 }).bindTools([weather]).invoke('Weather in Paris?');
    a.equal(r.tool_calls[0].name, 'get_weather');
  }],
  ['structured output, schema', async (t, a) => {
    const r = await chat(t, { maxTokens: 200 }).withStructuredOutput(person, { method: 'jsonSchema' }).invoke('Who?');
    a.ok(r.age >= 1);
  }],
  ['structured output, function calling', async (t, a) => {
    const r = await chat(t, { maxTokens: 300 }).withStructuredOutput(person, { method: 'functionCalling' }).invoke('Who?');
    a.ok(r.age >= 1);
  }],
  ['responses API', async (t, a) => {
    const r = await chat(t, { useResponsesApi: true }).invoke('Who may copy?');
    a.ok(r.text.length > 0);
  }],
  ['embeddings', async (t, a) => {
    const e = new OpenAIEmbeddings({ model: t.embedModel, apiKey: t.key, maxRetries: t.retries, configuration: { baseURL: t.embed } });
    a.equal((await e.embedDocuments(['one', 'two'])).length, 2);
  }],
  ['abort', async (t, a) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    const e = await caught(a, () => chat(t, { maxTokens: 8000, modelKwargs: { grammar: LONG } })
      .invoke('Who?', { signal: stop.signal }));
    a.match(`${e.name} ${e.message}`, /abort/i);
  }],
  ['error: 400', async (t, a) => {
    const e = await caught(a, () => chat(t, { modelKwargs: { grammar: 'broken ::=' } }).invoke('Who?'));
    a.equal(e.status, 400);
  }],
  ['error: 401', async (t, a) => {
    const e = await caught(a, () => chat(t, { apiKey: 'wrong' }).invoke('Who?'));
    a.equal(e.status, 401);
    a.equal(e.lc_error_code, 'MODEL_AUTHENTICATION');
  }, gatewayOnly],
  ['error: 403', async (t, a) => a.equal((await caught(a, () => chat(t, { apiKey: t.forbidden }).invoke('x'))).status, 403), gatewayOnly],
  ['error: 404', async (t, a) => {
    const e = await caught(a, () => chat(t, { model: 'no-such-model' }).invoke('Who?'));
    a.equal(e.lc_error_code, 'MODEL_NOT_FOUND');
  }, gatewayOnly],
  ['error: 429', async (t, a) => {
    const e = await caught(a, async () => {
      for (let i = 0; i < 6; i++) await chat(t, { apiKey: t.limited, maxTokens: 5 }).invoke('Who?');
    });
    a.equal(e.status, 429);
    a.equal(e.lc_error_code, 'MODEL_RATE_LIMIT');
  }, gatewayOnly],
];
