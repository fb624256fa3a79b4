// SPDX-License-Identifier: Apache-2.0
// The fetch against a server that plays what it is told: what is sent, how often each cure is asked for, what
// comes back.
import test from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { adviceOf, createFetch } from '../index.js';

// `answer(request, n)` gives {status, headers, body} for the nth request.
async function serve(t, answer) {
  const requests = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; }).on('end', () => {
      requests.push({ method: request.method, url: request.url, headers: request.headers, body });
      const { status = 200, headers = {}, body: text = '' } = answer(requests.at(-1), requests.length);
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => { server.closeAllConnections?.(); server.close(); });
  return { requests, origin: `http://127.0.0.1:${server.address().port}` };
}

const invalid = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };

test('an expired token is refreshed once, for all requests that have it', async (t) => {
  const { requests, origin } = await serve(t, ({ headers }) => (headers.authorization === 'Bearer new' ? { body: 'ok' } : invalid));
  let refreshed = 0;
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'old' }), refresh: async () => { refreshed++; await new Promise((r) => setTimeout(r, 30)); return { token: 'new' }; } });
  const texts = await Promise.all([1, 2, 3, 4, 5].map(async (n) => (await call(`${origin}/${n}`)).text()));
  assert.deepEqual(texts, ['ok', 'ok', 'ok', 'ok', 'ok']);
  assert.equal(refreshed, 1);
  assert.equal(requests.length, 10);
  assert.equal(await (await call(`${origin}/6`)).text(), 'ok');
  assert.equal(requests.length, 11);
});

test('refresh, then sign-in, then the answer as it is', async (t) => {
  const { requests, origin } = await serve(t, () => ({ ...invalid, body: 'no' }));
  const seen = [];
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'a' }), refresh: () => ({ token: 'b' }), authenticate: () => ({ token: 'c' }), onAdvice: ({ cure }) => seen.push(cure) });
  const response = await call(origin);
  assert.equal(response.status, 401);
  assert.equal(await response.text(), 'no');
  assert.deepEqual(seen, ['refresh', 'authenticate', 'give_up']);
  assert.deepEqual(requests.map((r) => r.headers.authorization), ['Bearer a', 'Bearer b', 'Bearer c']);
  assert.equal(adviceOf(response).why, 'new_refused');
});

test('a refresh that fails leads to a sign-in', async (t) => {
  const { origin } = await serve(t, ({ headers }) => (headers.authorization === 'Bearer c' ? {} : invalid));
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'a' }), refresh: () => null, authenticate: () => ({ token: 'c' }) });
  assert.equal((await call(origin)).status, 200);
});

test('a true 403 costs one request and no sign-in', async (t) => {
  const { requests, origin } = await serve(t, () => ({ status: 403, headers: { 'content-type': 'application/json' }, body: '{"error":"forbidden","reason":"insufficient_role"}' }));
  const never = () => assert.fail('asked for credentials');
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'a' }), refresh: never, authenticate: never, requestScope: never, stepUp: never });
  const response = await call(origin);
  assert.deepEqual(await response.json(), { error: 'forbidden', reason: 'insufficient_role' });
  assert.equal(adviceOf(response).reason, 'insufficient_role');
  assert.equal(requests.length, 1);
});

test('more scope is asked for with what is held', async (t) => {
  const { origin } = await serve(t, ({ headers }) => (headers.authorization === 'Bearer rw' ? {}
    : { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' } }));
  const asked = [];
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'r', scopes: ['read'] }), requestScope: ({ scope }) => { asked.push(scope); return { token: 'rw', scopes: scope.split(' ') }; } });
  assert.equal((await call(origin)).status, 200);
  assert.deepEqual(asked, ['write read']);
});

test('step-up carries acr_values and max_age', async (t) => {
  const { origin } = await serve(t, ({ headers }) => (headers.authorization === 'Bearer strong' ? {}
    : { status: 401, headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="phr", max_age="60"' } }));
  const asked = [];
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'weak' }), stepUp: ({ acrValues, maxAge }) => { asked.push([acrValues, maxAge]); return { token: 'strong' }; } });
  assert.equal((await call(origin)).status, 200);
  assert.deepEqual(asked, [['phr', 60]]);
});

test('a DPoP nonce is used at once, and kept', async (t) => {
  const { requests, origin } = await serve(t, ({ headers }) => (headers.dpop?.endsWith(' n1') ? {}
    : { status: 401, headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n1' } }));
  const call = createFetch({ origins: [origin], credentials: () => ({ scheme: 'DPoP', token: 'a' }), proof: ({ method, url, nonce }) => `${method} ${url} ${nonce}` });
  assert.equal((await call(`${origin}/x?y=1`)).status, 200);
  assert.deepEqual(requests.map((r) => r.headers.dpop), [`GET ${origin}/x undefined`, `GET ${origin}/x n1`]);
  assert.equal((await call(`${origin}/z`)).status, 200);
  assert.equal(requests.length, 3);
});

test('a body is sent again as it was', async (t) => {
  const { requests, origin } = await serve(t, ({ headers }) => (headers.authorization === 'Bearer b' ? {} : invalid));
  const call = createFetch({ origins: [origin], credentials: () => ({ token: 'a' }), refresh: () => ({ token: 'b' }) });
  assert.equal((await call(origin, { method: 'POST', body: 'data', headers: { 'content-type': 'text/plain' } })).status, 200);
  assert.deepEqual(requests.map((r) => [r.method, r.body]), [['POST', 'data'], ['POST', 'data']]);
});

test('waits end', async (t) => {
  const { requests, origin } = await serve(t, () => ({ status: 429, headers: { 'retry-after': '0' } }));
  const response = await createFetch({ origins: [origin] })(origin);
  assert.equal(response.status, 429);
  assert.equal(requests.length, 5);
  const long = await serve(t, () => ({ status: 503, headers: { 'retry-after': '3600' } }));
  const late = await createFetch({ origins: [long.origin] })(long.origin);
  assert.equal(adviceOf(late).wait, 3600);
  assert.equal(long.requests.length, 1);
});

test('an abort ends a wait', async (t) => {
  const { origin } = await serve(t, () => ({ status: 503, headers: { 'retry-after': '20' } }));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(createFetch({ origins: [origin] })(origin, { signal: stop.signal }), { name: 'AbortError' });
});

test('credentials go to the named origins alone', async (t) => {
  const other = await serve(t, () => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }));
  const call = createFetch({ origins: ['https://api.example'], credentials: () => ({ token: 'secret' }), authenticate: () => assert.fail('asked') });
  assert.equal((await call(other.origin)).status, 401);
  assert.equal(other.requests[0].headers.authorization, undefined);
  assert.throws(() => createFetch({}), /origins/);
});

test('a redirect to a sign-in page that fetch has followed', async (t) => {
  const { origin } = await serve(t, ({ url, headers }) => (url === '/login?next=/a' ? { headers: { 'content-type': 'text/html' }, body: '<h1>Sign in</h1>' }
    : headers.authorization ? { body: 'ok' } : { status: 302, headers: { location: '/login?next=/a' } }));
  const call = createFetch({ origins: [origin], authenticate: () => ({ token: 'a' }) });
  assert.equal(await (await call(`${origin}/a`)).text(), 'ok');
});
