// SPDX-License-Identifier: Apache-2.0
// A fetch that follows the advice: each cure once, waits within a limit, then the answer as it is.  The application
// says how its credentials are had and renewed; what to do about an answer is advise.js's.
import { advise, isLoginTarget } from './advise.js';

export { advise };

const BODY_MAX = 256 * 1024;
const CURES = { authenticate: 'authenticate', refresh: 'refresh', request_scope: 'requestScope', step_up: 'stepUp' };
const advices = new WeakMap();

// The last advice about a response that came from such a fetch: {cure, why, …}.
export const adviceOf = (response) => advices.get(response);

// As much of the body as advice may need, of a copy, so that the application reads the whole itself.
async function peek(response) {
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || (response.ok && !/^text\/html/i.test(type))) return '';
  const reader = response.clone().body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let size = 0; size <= BODY_MAX;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      size += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return '';      // a body that breaks off says nothing
  }
  reader.cancel().catch(() => {});
  return text;
}

async function answerOf(response, wantsHtml) {
  // fetch has followed a redirect to a sign-in page already: what came first is what counts.
  if (response.redirected && !wantsHtml && isLoginTarget(response.url)) return { status: 302, fields: [['location', response.url]], body: '' };
  return { status: response.status, fields: response.headers, body: await peek(response) };
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

// One holder of credentials for all requests: a cure that is under way serves every request that needs it, and
// credentials that somebody else has renewed meanwhile are used before anything is renewed again.
class Holder {
  constructor(options) {
    this.options = options;
    this.current = undefined;
    this.known = false;
    this.pending = new Map();
  }

  async get() {
    if (!this.known) {
      this.current = (await this.once('credentials', () => this.options.credentials?.())) ?? undefined;
      this.known = true;
    }
    return this.current;
  }

  once(key, make) {
    if (!this.pending.has(key)) this.pending.set(key, Promise.resolve().then(make).finally(() => this.pending.delete(key)));
    return this.pending.get(key);
  }

  // Credentials other than `used`, or undefined where the application has none to give.
  async cure(advice, used) {
    const make = this.options[CURES[advice.cure]];
    const renews = advice.cure === 'refresh' || advice.cure === 'authenticate';
    if (renews && this.current !== used) return this.current;
    if (!make) return undefined;
    const key = renews ? advice.cure : `${advice.cure} ${advice.scope ?? ''} ${advice.acrValues ?? ''} ${advice.maxAge ?? ''}`;
    const made = await this.once(key, async () => {
      const credentials = (await make(advice, used)) ?? undefined;
      if (credentials !== undefined) this.current = credentials;
      return credentials;
    });
    return made;
  }
}

// A body is held in memory, so that it can be sent again: streams are spent after one request, and browsers do
// not send a copy of one over HTTP/1.1.
async function repeatable(request) {
  const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.arrayBuffer();
  const { url, method, headers, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal } = request;
  const init = { method, headers, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal };
  return { url, method, signal, make: () => new Request(url, body?.byteLength ? { ...init, body } : init) };
}

class Call {
  constructor(options, holder, request) {
    Object.assign(this, { options, holder, request, nonce: holder.nonce });
    this.state = { tried: [], waits: 0, waited: 0 };
  }

  async send(credentials) {
    const request = this.request.make();
    this.credentials = credentials;
    if (credentials?.token !== undefined) {
      const scheme = credentials.scheme ?? 'Bearer';
      request.headers.set('authorization', `${scheme} ${credentials.token}`);
      if (scheme.toLowerCase() === 'dpop' && this.options.proof) {
        const url = new URL(request.url);
        request.headers.set('dpop', await this.options.proof({ method: request.method, url: url.origin + url.pathname, nonce: this.nonce, token: credentials.token }));
      }
    }
    return (this.options.fetch ?? globalThis.fetch)(request);
  }

  client() {
    const { options, credentials, state, request } = this;
    const scheme = (credentials?.scheme ?? 'Bearer').toLowerCase();
    return {
      ...state,
      credentials: credentials === undefined ? (options.session ? 'session' : 'none') : ['bearer', 'dpop', 'basic'].includes(scheme) ? scheme : 'other',
      canRefresh: Boolean(options.refresh) && credentials !== undefined && credentials.canRefresh !== false,
      strict: options.strict, wantsHtml: options.wantsHtml, waitMax: options.waitMax, method: request.method,
      scopes: credentials?.scopes?.join(' '), acr: credentials?.acr, authTime: credentials?.authTime,
    };
  }

  // Does what is advised; false where nothing can be done.
  async follow(advice) {
    if (advice.cure === 'wait') {
      this.state.waits++;
      this.state.waited += advice.wait;
      // Jitter, so that many clients do not come back at the same instant.
      await pause(advice.wait * 1000 + Math.random() * Math.min(1000, advice.wait * 100 + 50), this.request.signal);
      return true;
    }
    if (advice.cure === 'retry_nonce') {
      this.state.tried.push(advice.cure);
      this.nonce = this.holder.nonce = advice.nonce;
      return Boolean(this.options.proof);
    }
    if (!(advice.cure in CURES) || advice.why === 'proxy') return false;
    this.state.tried.push(advice.cure);
    const credentials = await this.holder.cure(advice, this.credentials);
    if (credentials === undefined && advice.cure === 'refresh') return this.follow({ ...advice, cure: 'authenticate' });
    return credentials !== undefined;
  }

  async run() {
    let credentials = await this.holder.get();
    for (;;) {
      const response = await this.send(credentials);
      const nonce = response.headers.get('dpop-nonce');
      if (nonce) this.holder.nonce = nonce;
      const advice = advise(await answerOf(response, this.options.wantsHtml), this.client());
      advices.set(response, advice);
      this.options.onAdvice?.(advice, response);
      if (advice.cure === 'proceed' || advice.cure === 'give_up' || advice.cure === 'fix_request') return response;
      if (!(await this.follow(advice))) return response;
      // The connection is free again once nothing reads from it.
      response.body?.cancel().catch(() => {});
      credentials = advice.cure === 'wait' || advice.cure === 'retry_nonce' ? this.credentials : await this.holder.get();
      this.nonce = this.holder.nonce;
    }
  }
}

export function createFetch(options) {
  const origins = (options.origins ?? []).map((origin) => new URL(origin).origin);
  if (origins.length === 0) throw new TypeError('createFetch: say whose requests carry the credentials: origins: ["https://api.example"]');
  const holder = new Holder(options);
  return async (input, init) => {
    const request = new Request(input, init);
    // Credentials go to nobody else, and a request that has its own is the application's business.
    if (!origins.includes(new URL(request.url).origin) || request.headers.has('authorization')) return (options.fetch ?? globalThis.fetch)(request);
    return new Call(options, holder, await repeatable(request)).run();
  };
}
