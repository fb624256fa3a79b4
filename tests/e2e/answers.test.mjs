// SPDX-License-Identifier: Apache-2.0
// Which answer a request gets: the statuses, challenges and bodies that the issue of the main job
// lists, through a real nginx.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decided, startGateway } from './lib/gateway.mjs';
import { startUpstream, values } from './lib/upstream.mjs';
import { bearer, expired, forged, token } from './lib/tokens.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({ server: decided(upstream) });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const alice = () => bearer('alice');
const bob = () => bearer('bob');

const cases = [
  ['no token on a protected route', 'GET', '/docs/1', {}, 401, { error: 'unauthorized' }],
  ['an expired token', 'GET', '/docs/1', expired('bob'), 401, { error: 'unauthorized' }],
  ['a token of a stranger’s key', 'GET', '/docs/1', forged('bob'), 401, { error: 'unauthorized' }],
  ['a token for another audience', 'GET', '/docs/1', bearer('bob', { claims: { aud: 'other' } }), 401],
  ['a token without a signature', 'GET', '/docs/1', bearer('bob', { header: { alg: 'none' } }), 401],
  ['an unknown path', 'GET', '/nothing/here', {}, 404, { error: 'not_found' }],
  ['an unknown path, signed in', 'GET', '/nothing/here', bob(), 404],
  ['another method', 'PATCH', '/docs/1', {}, 405, { error: 'method_not_allowed' }],
  ['another method, signed in', 'PATCH', '/docs/1', bob(), 405],
  ['a member deletes', 'DELETE', '/docs/1', bob(), 403, { error: 'forbidden', reason: 'insufficient_role' }],
  ['another user’s private data', 'GET', '/users/alice/private', bob(), 403, { error: 'forbidden', reason: 'not_owner' }],
  ['a document that does not exist, signed in', 'GET', '/docs/none', bob(), 404, { error: 'not_found' }],
  ['a document that does not exist, without a token', 'GET', '/docs/none', {}, 401, { error: 'unauthorized' }],
  ['a document taken down', 'GET', '/articles/gone', {}, 451, { error: 'unavailable_for_legal_reasons' }],
  ['a forbid that errs', 'GET', '/counters/full', bob(), 403, { error: 'forbidden', reason: 'policy_error' }],
  ['a guest on an action for users, under a permit for all', 'GET', '/members', {}, 401, { error: 'unauthorized' }],
  ['an ambiguous path', 'GET', '/docs//1', bob(), 400, { error: 'invalid_request' }],
  ['a dot segment', 'GET', '/docs/../docs/1', bob(), 400, { error: 'invalid_request' }],
  ['an encoded slash', 'GET', '/docs/a%2fb', bob(), 400, { error: 'invalid_request' }],
];

for (const [name, method, target, headers, status, body] of cases) {
  test(`${name}: ${status}`, async () => {
    const before = upstream.seen.length;
    const answer = await gateway.request(method, target, headers);
    assert.equal(answer.status, status, answer.body);
    assert.equal(upstream.seen.length, before, 'nothing reaches the upstream');
    assert.equal(answer.get('content-type'), 'application/json');
    assert.equal(answer.get('cache-control'), 'no-store');
    assert.match(answer.get('x-request-id'), /^[0-9a-f]{32}$/);
    assert.ok(answer.get('date') && answer.get('server')?.startsWith('nginx'));
    assert.equal(Number(answer.get('content-length')), Buffer.byteLength(answer.body));
    for (const [key, value] of Object.entries(body ?? {})) assert.equal(answer.json()[key], value, answer.body);
    assert.equal(answer.get('www-authenticate') !== undefined, status === 401, 'a challenge where signing in could help, and only there');
  });
}

const allowed = [
  ['a guest where everybody may', 'GET', '/health', {}],
  ['a user where everybody may', 'GET', '/health', bob()],
  ['a user reads', 'GET', '/docs/1', bob()],
  ['HEAD goes with GET', 'HEAD', '/docs/1', bob()],
  ['an administrator deletes', 'DELETE', '/docs/1', alice()],
  ['one’s own private data', 'GET', '/users/bob/private', bob()],
  ['a counter that does not overflow', 'GET', '/counters/2', bob()],
];
for (const [name, method, target, headers] of allowed) {
  test(`${name}: the upstream’s answer`, async () => {
    const before = upstream.seen.length;
    const answer = await gateway.request(method, target, headers);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(upstream.seen.length, before + 1);
    assert.equal(upstream.seen.at(-1).method, method);
    assert.equal(upstream.seen.at(-1).target, target);
  });
}

test('no token: a Bearer challenge without an error code', async () => {
  const answer = await gateway.get('/docs/1');
  assert.match(answer.get('www-authenticate'), /^Bearer(?!.*error)/);
});

test('an expired token: a Bearer challenge with invalid_token', async () => {
  const answer = await gateway.get('/docs/1', expired('bob'));
  assert.match(answer.get('www-authenticate'), /^Bearer .*error="invalid_token"/);
});

test('two tokens: 400 invalid_request, dressed, with a challenge that says so', async () => {
  for (const pair of [[bob(), alice()], [bob(), bob()]]) {
    const answer = await gateway.get('/docs/1', pair.map((one) => ['Authorization', one.authorization]));
    assert.equal(answer.status, 400);
    assert.equal(answer.json().error, 'invalid_request');
    assert.match(answer.get('www-authenticate'), /^Bearer .*error="invalid_request"/);
    assert.equal(answer.get('cache-control'), 'no-store');
  }
});

test('a token in the query beside one in the field is not read', async () => {
  const answer = await gateway.get(`/docs/1?access_token=${token('alice')}`, {});
  assert.equal(answer.status, 401);
});

test('405 names the methods, the same for everybody', async () => {
  const lists = [];
  for (const headers of [{}, bob(), alice(), expired('bob')]) {
    const answer = await gateway.request('PATCH', '/docs/1', headers);
    lists.push(answer.get('allow'));
  }
  assert.deepEqual([...new Set(lists)], ['DELETE, GET, HEAD, PUT']);
});

test('451 names who blocks', async () => {
  const answer = await gateway.get('/articles/gone', bob());
  assert.equal(answer.status, 451);
  assert.equal(answer.line, 'HTTP/1.1 451 Unavailable For Legal Reasons');
  assert.equal(answer.get('link'), '<https://blocked.example/by>; rel="blocked-by"');
});

test('what does not exist looks to strangers like what does', async () => {
  const shape = (answer) => [answer.status, answer.body, answer.fields.filter(([name]) => !['date', 'x-request-id', 'x-worker'].includes(name))];
  assert.deepEqual(shape(await gateway.get('/docs/none')), shape(await gateway.get('/docs/1')));
});

test('the request id is the upstream’s too, and another one each time', async () => {
  await gateway.get('/health');
  const [id] = values(upstream.seen.at(-1), 'x-forbid-id');
  assert.match(id, /^[0-9a-f]{32}$/);
  const ids = new Set([id]);
  for (let i = 0; i < 50; i++) ids.add((await gateway.get('/nothing')).get('x-request-id'));
  assert.equal(ids.size, 51);
});
