// SPDX-License-Identifier: Apache-2.0
// How much a refusal tells, and in which form.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { audience, bearer, issuer } from './lib/tokens.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  const pass = `proxy_pass http://127.0.0.1:${upstream.port};`;
  // The level is taken from a header so that one configuration has them all, by server name.
  const levels = ['', 'none', 'reason', 'detail', 'policy', 'none anonymous=detail'];
  gateway = await startGateway({
    http: `forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience};`,
    servers: (port) => levels.map((level, i) => `server {
      listen 127.0.0.1:${port};
      server_name level${i};
      ${level === '' ? '' : `forbid_disclose ${level};`}
      location / { ${pass} }
    }`).join('\n'),
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const refused = (level, headers = {}) => gateway.request('DELETE', '/docs/1', { Host: `level${level}`, ...headers });

test('none: exactly the error', async () => {
  const answer = await refused(1, bearer('bob'));
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.json(), { error: 'forbidden' });
});

test('reason: the code and the request’s id', async () => {
  const answer = await refused(2, bearer('bob'));
  assert.deepEqual(answer.json(), { error: 'forbidden', reason: 'insufficient_role', request_id: answer.get('x-request-id') });
});

test('detail: a sentence and where to ask', async () => {
  const body = (await refused(3, bearer('bob'))).json();
  assert.equal(body.reason, 'insufficient_role');
  assert.equal(body.detail, 'Only administrators change documents.');
  assert.ok(JSON.stringify(body).includes('https://help.example/roles'));
});

test('policy: the policy’s id', async () => {
  assert.ok((await refused(4, bearer('bob'))).body.includes('administrators'));
});

test('by default: reason to those who are signed in, none to others', async () => {
  assert.equal((await refused(0, bearer('bob'))).json().reason, 'insufficient_role');
  assert.deepEqual((await refused(0)).json(), { error: 'unauthorized' });
});

test('anonymous= speaks of clients who are not signed in', async () => {
  assert.deepEqual((await refused(5, bearer('bob'))).json(), { error: 'forbidden' });
  assert.ok((await refused(5)).json().detail);
});

test('application/problem+json by Accept', async () => {
  for (const accept of ['application/problem+json', 'text/html;q=0.1, application/problem+json', 'application/json;q=0.5, application/problem+json']) {
    const answer = await refused(2, { ...bearer('bob'), Accept: accept });
    assert.equal(answer.get('content-type'), 'application/problem+json', accept);
    assert.equal(answer.json().status, 403);
    assert.equal(answer.json().error, 'forbidden');
    assert.match(answer.get('vary') ?? '', /accept/i);
  }
});

test('two Accept lines are one list', async () => {
  const headers = [['Host', 'level2'], ['Authorization', bearer('bob').authorization], ['Accept', 'text/csv'], ['Accept', 'application/problem+json']];
  const answer = await gateway.request('DELETE', '/docs/1', headers);
  assert.equal(answer.get('content-type'), 'application/problem+json');
});

test('JSON where nothing is preferred', async () => {
  for (const accept of ['*/*', 'application/json', '']) {
    const answer = await refused(2, { ...bearer('bob'), ...(accept ? { Accept: accept } : {}) });
    assert.equal(answer.get('content-type'), 'application/json', accept);
  }
});
