// SPDX-License-Identifier: Apache-2.0
// $forbid_… in the access log, in fields, and before the decision; shadow; unmatched paths.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './lib/gateway.mjs';
import { startUpstream, values } from './lib/upstream.mjs';
import { audience, bearer, expired, issuer } from './lib/tokens.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  const pass = `proxy_pass http://127.0.0.1:${upstream.port};`;
  gateway = await startGateway({
    http: 'limit_req_zone $forbid_principal zone=each:1m rate=1r/m; map $uri $x { default ""; }',
    server: `
    forbid on;
    forbid_policies policies;
    forbid_issuer ${issuer} jwks=keys.json audience=${audience};
    location / { ${pass} }
    location /members { limit_req zone=each burst=1 nodelay; limit_req_status 429; ${pass} }
    location /docs { add_header X-Decision "$forbid_decision $forbid_status $forbid_principal" always; ${pass} }
    location /shadow { forbid shadow; rewrite ^/shadow(/.*)$ $1 break; ${pass} proxy_set_header X-Told $forbid_decision; }
    location /articles { forbid shadow; ${pass} }
    location /nowhere/ { forbid_unmatched 403; ${pass} }
    location /open/ { forbid_unmatched pass; ${pass} }
    location /off { forbid off; ${pass} }
    location /raw/ { proxy_pass http://127.0.0.1:${upstream.port}$request_uri; }
    location ~ ^/files/decoded/(.*) { proxy_pass http://127.0.0.1:${upstream.port}/files/decoded/$1; }
    location /files/uri/ { proxy_pass http://127.0.0.1:${upstream.port}$uri$is_args$args; }
    location /files/moved/ { rewrite ^/files/moved/ /files/other/ break; proxy_pass http://127.0.0.1:${upstream.port}$request_uri; }
    `,
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const logged = (what) => gateway.accessed((line) => line.request.includes(what));

test('an allowed request in the access log', async () => {
  assert.equal((await gateway.get('/docs/1?allowed', bearer('bob'))).status, 200);
  const line = await logged('/docs/1?allowed');
  const { ns, pid, id, ...rest } = line;
  assert.deepEqual(rest, { request: 'GET /docs/1?allowed HTTP/1.1', http: '200', decision: 'allow', status: '', reason: '', policies: 'users-read', principal: 'User::"bob"', action: 'Action::"readDoc"', resource: 'Doc::"1"' });
  assert.ok(Number(ns) > 100 && Number(ns) < 1e9, ns);
  assert.equal(id, values(upstream.seen.at(-1), 'X-Forbid-Id')[0]);
});

test('a refused one', async () => {
  const answer = await gateway.request('DELETE', '/docs/1?refused', bearer('bob'));
  assert.equal(answer.get('x-decision'), 'deny 403 User::"bob"');
  const line = await logged('/docs/1?refused');
  assert.deepEqual([Number(line.http), line.decision, line.status, line.reason, line.principal, line.action, line.resource], [403, 'deny', '403', 'insufficient_role', 'User::"bob"', 'Action::"deleteDoc"', 'Doc::"1"']);
  assert.ok(line.policies.includes('administrators'), line.policies);
  assert.equal(line.id, answer.get('x-request-id'));
  assert.match(gateway.errors(), new RegExp(`\\[info\\].*forbid: refused 403 insufficient_role, principal \\[User::"bob"\\], action \\[Action::"deleteDoc"\\], resource \\[Doc::"1"\\], id ${line.id}`));
});

test('one without credentials, one with an expired token, one for no route', async () => {
  await gateway.get('/docs/1?nobody');
  let line = await logged('/docs/1?nobody');
  assert.deepEqual([line.decision, line.status, line.principal], ['deny', '401', '']);
  await gateway.get('/docs/1?late', expired('bob'));
  line = await logged('/docs/1?late');
  assert.deepEqual([line.decision, line.status, line.principal], ['deny', '401', '']);
  assert.equal(line.reason, 'token_expired');
  await gateway.get('/none?such');
  line = await logged('/none?such');
  assert.deepEqual([line.decision, line.status, line.action], ['deny', '404', '']);
});

test('where nothing is decided: an id, and nothing else', async () => {
  await gateway.get('/off?x', bearer('bob'));
  const { id, ...line } = await logged('/off?x');
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.deepEqual([line.decision, line.status, line.reason, line.policies, line.principal, line.action, line.resource, line.ns], ['', '', '', '', '', '', '', '']);
});

test('limit_req counts by $forbid_principal, which is known before the decision', async () => {
  const status = async (sub) => (await gateway.get('/members', sub ? bearer(sub) : {})).status;
  assert.deepEqual([await status('bob'), await status('bob'), await status('bob')], [200, 200, 429]);
  assert.equal(await status('alice'), 200, 'another principal has a count of its own');
  assert.equal(await status(''), 401, 'nobody has none');
});

test('shadow: decides, tells, refuses nothing but ambiguous targets', async () => {
  const answer = await gateway.request('DELETE', '/shadow/docs/1', bearer('bob'));
  assert.equal(answer.status, 200);
  const record = upstream.seen.at(-1);
  assert.equal(record.target, '/docs/1');
  assert.deepEqual(values(record, 'X-Forbid-Shadow'), ['deny 403']);
  assert.deepEqual(values(record, 'X-Forbid-Principal'), ['User::"bob"']);
  assert.deepEqual(values(record, 'X-Told'), ['shadow-deny']);
  const line = await logged('DELETE /shadow/docs/1');
  assert.deepEqual([Number(line.http), line.decision, line.status, line.reason], [200, 'shadow-deny', '403', 'insufficient_role']);
  assert.match(gateway.errors(), /forbid: would refuse 403 insufficient_role/);
  assert.equal((await gateway.get('/articles/gone')).status, 200);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Forbid-Shadow'), ['deny 451']);
  assert.equal((await gateway.get('/articles/1')).status, 200);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Forbid-Shadow'), []);
  assert.equal((await gateway.request('PUT', '/articles/1')).status, 200);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Forbid-Shadow'), ['deny 405']);
  const before = upstream.seen.length;
  assert.equal((await gateway.get('/articles/%2e%2e/articles/1')).status, 400);
  assert.equal((await gateway.get('/articles//1')).status, 400);
  assert.equal((await gateway.get('/articles/a%2fb')).status, 400);
  assert.equal(upstream.seen.length, before);
});

test('forbid_unmatched', async () => {
  const before = upstream.seen.length;
  assert.equal((await gateway.get('/none')).status, 404);
  assert.equal((await gateway.get('/nowhere/x')).status, 403);
  assert.equal(upstream.seen.length, before);
  assert.equal((await gateway.get('/open/x')).status, 200);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Forbid-Principal'), ['']);
  assert.equal((await gateway.get('/open//x')).status, 400);
  const line = await logged('/open/x ');
  assert.deepEqual([line.decision, line.action], ['allow', '']);
});

test('proxy_pass with variables forwards nothing else than what was decided', async () => {
  for (const [target, status] of [
    ['/files/decoded/a', 200], ['/files/decoded/a%20b', 400], ['/files/decoded/a%3fx=1', 400], ['/files/decoded/a%23', 400], ['/files/decoded/a%25', 400],
    ['/files/decoded/%c3%a9', 400],
    ['/files/uri/a?x=1', 200], ['/files/uri/a%3fx', 400], ['/files/uri/a%0d%0aX:y', 400],
    ['/files/moved/a', 400],
  ]) {
    const before = upstream.seen.length;
    const answer = await gateway.get(target);
    assert.equal(answer.status, status, `${target} ${answer.body}`);
    assert.equal(upstream.seen.length, before + (status === 200 ? 1 : 0), target);
    if (status === 200 && !target.includes('%')) assert.equal(upstream.seen.at(-1).target, target);
  }
});
