// What several clients are asked to do.
export const EXACT = 'My card is 4111 1111 1111 1111, café 東京 🙂 "quoted" \\ end.';
// llama-server's own `grammar` makes the real server say exactly this, truly tokenised and streamed.
export const grammarFor = (text) => `root ::= ${JSON.stringify(text)}`;

// An answer long enough to be stopped in the middle.
export const LONG = 'root ::= [a-z]{1900}';

// A card number of nobody: the gateway masks it on the way to the model and gives it back.
const luhn = (d) => [...d].reverse().reduce((sum, c, i) => sum + (i % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][c] : Number(c)), 0) % 10;
export const CARD = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'].map((c) => `492952601815908${c}`).find((n) => luhn(n) === 0);
export const choose = (...values) => ({
  type: 'object', properties: { value: { type: 'string', enum: values } }, required: ['value'], additionalProperties: false,
});

export const hello = [{ role: 'user', content: 'Who may copy this licence?' }];
export const citySchema = {
  type: 'object', properties: { city: { type: 'string', enum: ['Paris', 'Oslo'] } }, required: ['city'], additionalProperties: false,
};
export const weather = {
  type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: citySchema },
};
export const clock = {
  type: 'function',
  function: { name: 'get_time', description: 'Time in a city', parameters: citySchema },
};
export const personSchema = {
  type: 'object', additionalProperties: false, required: ['name', 'age'],
  properties: { name: { type: 'string', enum: ['Ada', 'Grace'] }, age: { type: 'integer', enum: [36, 85] } },
};
export const gatewayOnly = { gatewayOnly: true };

// The error that a call ends with, and an assertion that it does end with one.
export async function caught(assert, call) {
  let value;
  try {
    value = await call();
  } catch (e) {
    return e;
  }
  assert.fail(`no error, but ${JSON.stringify(value)?.slice(0, 200)}`);
  return undefined;
}

export function cosine(a, b) {
  const dot = (x, y) => x.reduce((s, v, i) => s + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
