// Debian 12's Node.js 18 does not show WebCrypto as a global; langsmith, below @langchain, takes it for granted.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
