import openai from './openai.mjs';
import anthropic from './anthropic.mjs';
import ai from './ai.mjs';
import langchain from './langchain.mjs';
import ollama from './ollama.mjs';

const all = { openai, '@anthropic-ai/sdk': anthropic, ai, '@langchain/openai': langchain, ollama };
export default Object.entries(all).flatMap(([sdk, list]) =>
  list.map(([name, run, options]) => ({ name: `${sdk}: ${name}`, run, ...options })));
