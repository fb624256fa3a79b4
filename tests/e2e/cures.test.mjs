// SPDX-License-Identifier: Apache-2.0
// Row 6 through a real nginx: the challenge says what cures the refusal, and obeying it does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decided, startGateway } from './lib/gateway.mjs';
import { bearer } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({ server: decided(upstream) });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const as = (claims) => bearer('bob', { claims });
// Parameters of a Bearer challenge: every value is quoted.
const challenge = (answer) => Object.fromEntries([...answer.get('www-authenticate').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

test('too small a scope: 403 insufficient_scope names what is needed, and a token with exactly that gets through', async () => {
  const refused = await gateway.request('GET', '/reports/1', as({ scope: 'offline other' }));
  assert.equal(refused.status, 403);
  assert.deepEqual(challenge(refused), { realm: 'api', error: 'insufficient_scope', scope: 'reports offline' });
  assert.deepEqual({ ...refused.json(), request_id: undefined }, { error: 'forbidden', reason: 'insufficient_scope', scope: 'reports offline', request_id: undefined });
  assert.equal((await gateway.request('GET', '/reports/1', as({ scope: challenge(refused).scope }))).status, 200);
});

test('too weak and too old a sign-in: 401 insufficient_user_authentication, RFC 9470, and obeying it gets through', async () => {
  const refused = await gateway.request('POST', '/transfers', as({ acr: 'urn:example:password', auth_time: now() - 4000 }));
  assert.equal(refused.status, 401);
  const asked = challenge(refused);
  assert.deepEqual(asked, { realm: 'api', error: 'insufficient_user_authentication', acr_values: 'urn:example:mfa', max_age: '300' });
  const obeyed = as({ acr: asked.acr_values, auth_time: now() - 10 });
  assert.equal((await gateway.request('POST', '/transfers', obeyed)).status, 200);
});

test('only what is lacking is asked for', async () => {
  const old = await gateway.request('POST', '/transfers', as({ acr: 'urn:example:mfa', auth_time: now() - 4000 }));
  assert.deepEqual(challenge(old), { realm: 'api', error: 'insufficient_user_authentication', max_age: '300' });
});

test('a missing role has no challenge: no other token of the account would do', async () => {
  const refused = await gateway.request('DELETE', '/docs/1', as({ scope: 'reports' }));
  assert.equal(refused.status, 403);
  assert.equal(refused.get('www-authenticate'), undefined);
});

test('a stranger is told nothing of scopes', async () => {
  const refused = await gateway.request('GET', '/reports/1', {});
  assert.equal(refused.status, 401);
  assert.deepEqual(challenge(refused), { realm: 'api' });
});

test('the challenge of a page for people says so in words', async () => {
  const refused = await gateway.request('GET', '/reports/1', { ...as({}), accept: 'text/html' });
  assert.match(refused.body, /The application that you use was not granted what this needs\./);
  assert.doesNotMatch(refused.body, /Signing in again with this account will not change that/);
});
