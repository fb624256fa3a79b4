// SPDX-License-Identifier: Apache-2.0
// Row 6 through a real nginx: the challenge says what cures the refusal, and obeying it does.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, makeDirectory, startGateway } from './lib/gateway.mjs';
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

test('RFC 9728: the challenge points at the metadata, which names the issuers and the policies’ scopes', async () => {
  const described = await startGateway({ server: decided(upstream, 'forbid_resource https://api.example/v1;') });
  try {
    const refused = await described.request('GET', '/reports/1', {});
    const uri = new URL(challenge(refused).resource_metadata);
    assert.equal(uri.href, 'https://api.example/.well-known/oauth-protected-resource/v1');
    const metadata = await described.request('GET', uri.pathname, {});
    assert.equal(metadata.status, 200);
    assert.equal(metadata.get('content-type'), 'application/json');
    const document = metadata.json();
    assert.equal(document.resource, 'https://api.example/v1', 'RFC 9728 section 3.3: a client compares it');
    assert.deepEqual(document.authorization_servers, ['https://issuer.example']);
    assert.deepEqual(document.scopes_supported, ['reports', 'offline']);
    assert.deepEqual(document.bearer_methods_supported, ['header']);
    assert.equal((await described.request('HEAD', uri.pathname, {})).get('content-length'), metadata.get('content-length'));
    const twice = await described.get('/reports/1', [['Authorization', 'Bearer a'], ['Authorization', 'Bearer b']]);
    assert.equal(twice.status, 400);
    assert.equal(challenge(twice).resource_metadata, uri.href, 'each challenge points there, that of nginx’s own 400 too');
    assert.equal((await described.request('POST', uri.pathname, {})).status, 404, 'another method is a request like any other');
    assert.equal((await described.request('GET', '/.well-known/oauth-protected-resource', {})).status, 404);
  } finally {
    await described.stop();
  }
});

test('a scope or an acr that no challenge can carry: the status stays, and the challenge goes without', async () => {
  const dir = makeDirectory();
  const policies = readFileSync(`${dir}/policies/docs.cedar`, 'utf8');
  writeFileSync(`${dir}/policies/docs.cedar`, policies.replace('["reports", "offline"]', '["lire données"]').replaceAll('"urn:example:mfa"', '"a\\r\\nX-Evil: 1"').replace('duration("5m")', 'duration("0s")'));
  const odd = await startGateway({ dir, server: decided(upstream, 'forbid_resource https://api.example;') });
  try {
    const scope = await odd.request('GET', '/reports/1', as({ scope: 'other' }));
    assert.equal(scope.status, 403);
    assert.deepEqual([challenge(scope).error, challenge(scope).scope], ['insufficient_scope', undefined]);
    const acr = await odd.request('POST', '/transfers', as({ acr: 'password', auth_time: now() - 4000 }));
    assert.equal(acr.status, 401);
    assert.deepEqual([challenge(acr).error, challenge(acr).acr_values], ['insufficient_user_authentication', undefined]);
    assert.equal(acr.get('x-evil'), undefined);
  } finally {
    await odd.stop();
  }
});
