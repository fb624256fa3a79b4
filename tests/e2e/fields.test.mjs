// SPDX-License-Identifier: Apache-2.0
// What the upstream is told about the client: only what Forbid says, whatever the client sends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freePort, startGateway } from './lib/gateway.mjs';
import { startUpstream, values } from './lib/upstream.mjs';
import { format, h2, raw, request } from './lib/client.mjs';
import { audience, bearer, issuer } from './lib/tokens.mjs';

let upstream, gateway, h2port;
before(async () => {
  upstream = await startUpstream();
  h2port = await freePort();
  const pass = `proxy_pass http://127.0.0.1:${upstream.port};`;
  gateway = await startGateway({
    server: `
    underscores_in_headers on;
    ignore_invalid_headers off;
    forbid_policies policies;
    forbid_issuer ${issuer} jwks=keys.json audience=${audience};
    location / { forbid on; ${pass} }
    location /docs { forbid shadow; ${pass} }
    location /off/ { forbid off; ${pass} }
    location /health { forbid on; ${pass}
      # Settings of one's own must not bring anything back.
      proxy_http_version 1.1; proxy_set_header Connection $http_connection; proxy_set_header Upgrade $http_upgrade; proxy_set_header X-Mine $http_x_forbid_principal; }
    location /files/set/ { forbid on; set $seen $http_upgrade; set $method $http_x_http_method_override; ${pass} proxy_set_header X-Seen "$seen/$method"; }
    `,
    listen: `listen 127.0.0.1:${h2port} http2;`,
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const spellings = ['X-Forbid-Principal', 'x-forbid-principal', 'X_Forbid_Principal', 'X-FORBID_PRINCIPAL', 'X-Forbid.Principal', 'X-Forbid-Id', 'X_FORBID_ID', 'X-Forbid-Shadow', 'X-Forbid-Anything', 'x_forbid_roles'];
const lies = spellings.map((name) => [name, 'User::"root"']);

for (const [mode, target, headers, principal] of [
  ['on, nobody', '/files/a', {}, ''],
  ['on, signed in', '/files/a', bearer('bob'), 'User::"bob"'],
  ['shadow, nobody', '/docs/1', {}, ''],
  ['shadow, signed in', '/docs/1', bearer('bob'), 'User::"bob"'],
  ['off', '/off/a', {}, ''],
]) {
  test(`no lie passes, in any spelling: ${mode}`, async () => {
    const list = [['Host', 'api.example'], ...lies.slice(0, 5), ...Object.entries(headers).map(([name, value]) => [name, value]), ...lies.slice(5)];
    const answer = await gateway.get(target, list);
    assert.equal(answer.status, 200, answer.body);
    const record = upstream.seen.at(-1);
    assert.deepEqual(values(record, 'X-Forbid-Principal'), [principal]);
    const ids = values(record, 'X-Forbid-Id');
    assert.equal(ids.length, 1);
    assert.match(ids[0], /^[0-9a-f]{32}$/);
    assert.equal(JSON.stringify(record).includes('root'), false, JSON.stringify(record));
    assert.deepEqual(values(record, 'X-Forbid-Shadow'), mode.startsWith('shadow, nobody') ? ['deny 401'] : []);
    assert.equal(values(record, 'Host').length, 1);
  });
}

test('every place of a lie in a list of fields, and every number of them', async () => {
  const harmless = (i) => [`X-Harmless-${i}`, `value ${i}`];
  for (const count of [1, 2, 19, 20, 21, 39, 40, 41, 60]) {
    for (const at of [0, 1, Math.floor(count / 2), count - 1]) {
      const list = Array.from({ length: count }, (_, i) => (i === at ? ['X-Forbid-Principal', 'root'] : harmless(i)));
      const answer = await gateway.get('/files/list', [...list.slice(0, at), ...list.slice(at), ['Host', 'h']]);
      assert.equal(answer.status, 200);
      const record = upstream.seen.at(-1);
      assert.deepEqual(values(record, 'X-Forbid-Principal'), [''], `${at} of ${count}`);
      for (let i = 0; i < count; i++) {
        if (i !== at) assert.deepEqual(values(record, `X-Harmless-${i}`), [`value ${i}`], `${at} of ${count}`);
      }
    }
  }
  // Nothing but lies, alone in a part of nginx's list, several parts long.
  for (const count of [5, 20, 40, 45]) {
    const answer = await gateway.get('/files/list', [['Host', 'h'], ...Array.from({ length: count }, () => ['X-Forbid-Id', 'root'])]);
    assert.equal(answer.status, 200);
    assert.equal(values(upstream.seen.at(-1), 'X-Forbid-Id').length, 1);
    assert.equal(JSON.stringify(upstream.seen.at(-1)).includes('root'), false);
  }
});

test('a principal is printable ASCII with Cedar’s escapes', async () => {
  const sub = 'carol "the" café';
  const answer = await gateway.get('/files/a', bearer(sub));
  assert.equal(answer.status, 200);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Forbid-Principal'), ['User::"carol \\"the\\" caf\\u{e9}"']);
});

test('`Connection: X-Forbid-Principal` does not ask the next proxy to take it out', async () => {
  const answer = await gateway.get('/health', [['Host', 'h'], ['Connection', 'X-Forbid-Principal, keep-alive'], ['Connection', 'x_forbid_id']]);
  assert.equal(answer.status, 200);
  const record = upstream.seen.at(-1);
  assert.equal(values(record, 'Connection').join().toLowerCase().includes('forbid'), false);
  assert.deepEqual(values(record, 'X-Forbid-Principal'), ['']);
});

test('method overrides and rewritten targets are not forwarded', async () => {
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Original-URL', 'X-Rewrite-URL', 'x_http_method_override', 'X_ORIGINAL_URL', 'X-Http_Method']) {
    const answer = await gateway.get('/files/a', [['Host', 'h'], [name, 'DELETE'], ['X-Kept', 'yes']]);
    assert.equal(answer.status, 200);
    const record = upstream.seen.at(-1);
    assert.deepEqual(values(record, name), [], name);
    assert.deepEqual(values(record, 'X-Kept'), ['yes']);
  }
});

test('Upgrade: websocket passes, anything else does not, not by a variable either', async () => {
  await gateway.get('/health', [['Host', 'h'], ['Upgrade', 'h2c'], ['Connection', 'close']]);
  assert.deepEqual(values(upstream.seen.at(-1), 'Upgrade'), []);
  const socket = format('GET', '/health', { Upgrade: 'WebSocket', Connection: 'close' });
  await raw(gateway.port, socket);
  assert.deepEqual(values(upstream.seen.at(-1), 'Upgrade'), ['WebSocket']);
  await gateway.get('/files/set/x', [['Host', 'h'], ['Upgrade', 'h2c'], ['X-HTTP-Method-Override', 'DELETE']]);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Seen'), ['/']);
});

test('overrides pass where nothing is decided', async () => {
  await gateway.get('/off/a', [['Host', 'h'], ['X-HTTP-Method-Override', 'DELETE']]);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-HTTP-Method-Override'), ['DELETE']);
});

test('$http_x_forbid_principal is Forbid’s own', async () => {
  await gateway.get('/health', [['Host', 'h'], ['X-Forbid-Principal', 'root'], ...Object.entries(bearer('bob'))]);
  assert.deepEqual(values(upstream.seen.at(-1), 'X-Mine'), ['User::"bob"']);
});

test('HTTP/2: no lie passes', async () => {
  const session = await h2(h2port);
  const answer = await session.request('GET', '/files/a', { 'x-forbid-principal': 'root', 'x_forbid_principal': 'root', 'x-forbid-id': 'root', 'x-http-method-override': 'DELETE', ...bearer('bob') });
  assert.equal(answer.status, 200);
  const record = upstream.seen.at(-1);
  assert.deepEqual(values(record, 'X-Forbid-Principal'), ['User::"bob"']);
  assert.deepEqual(values(record, 'x-http-method-override'), []);
  assert.equal(JSON.stringify(record).includes('root'), false);
  session.close();
});

test('a client’s own fields arrive as they were, in their order', async () => {
  const list = [['Host', 'h'], ['A', '1'], ['X-Forbid-Id', 'x'], ['B', '2'], ['b', '3'], ['Cookie', 'a=1'], ['X-Forbid-Id', 'y'], ['C', '4']];
  const answer = await request(gateway.port, 'GET', '/files/a', list);
  assert.equal(answer.status, 200);
  const own = upstream.seen.at(-1).fields.filter(([name]) => ['a', 'b', 'c', 'cookie'].includes(name.toLowerCase()));
  assert.deepEqual(own, [['A', '1'], ['B', '2'], ['b', '3'], ['Cookie', 'a=1'], ['C', '4']]);
});
