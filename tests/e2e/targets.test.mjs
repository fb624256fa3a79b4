// SPDX-License-Identifier: Apache-2.0
// The path decided is the path forwarded: the tables of tests/targets through a real nginx, by
// several forms of proxy_pass.  The upstream says which target it got, and a matcher of this file's
// own, which shares nothing with Forbid's, says which action that is.
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { freePort, makeDirectory, root, startGateway } from './lib/gateway.mjs';
import { startUpstream, values } from './lib/upstream.mjs';
import { Connection, format } from './lib/client.mjs';

const table = (name) => JSON.parse(readFileSync(`${root}/tests/targets/${name}.json`, 'utf8'));
const forms = [
  ['without a URI', (up) => `location / { proxy_pass http://127.0.0.1:${up}; }`],
  ['with a URI', (up) => `location / { proxy_pass http://127.0.0.1:${up}/; }`],
  ['with $request_uri', (up) => `location / { proxy_pass http://127.0.0.1:${up}$request_uri; }`],
  ['without a URI, slashes not merged', (up) => `merge_slashes off; location / { proxy_pass http://127.0.0.1:${up}; }`],
  ['with a URI, slashes not merged', (up) => `merge_slashes off; location / { proxy_pass http://127.0.0.1:${up}/; }`],
];

let upstream, gateway, ports;
before(async () => {
  upstream = await startUpstream();
  const dir = makeDirectory();
  cpSync(`${root}/tests/targets/schema.cedarschema`, `${dir}/targets/schema.cedarschema`, { recursive: true });
  cpSync(`${root}/tests/targets/policies.cedar`, `${dir}/targets/policies.cedar`);
  ports = [];
  for (const _ of forms) ports.push(await freePort());
  gateway = await startGateway({
    dir,
    http: 'forbid on; forbid_policies targets; underscores_in_headers on;',
    servers: (port) => `server { listen 127.0.0.1:${port}; forbid off; }`
      + forms.map(([, location], i) => `server { listen 127.0.0.1:${ports[i]}; ${location(upstream.port)} }`).join('\n'),
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

// What an upstream makes of a target: split at the first `?`, segments split at `/`, each decoded
// once.  Deliberately naive: if two readings of a target were possible, this one would be another
// than Forbid's sooner or later.
function read(method, target) {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const names = at < 0 ? [] : target.slice(at + 1).split('&').map((pair) => decodeURIComponent(pair.split('=')[0].replaceAll('+', ' ')));
  const segments = path.split('/').slice(1).map((one) => decodeURIComponent(one));
  const get = method === 'GET' || method === 'HEAD';
  const [a, b, c, d] = segments;
  const all = segments.length;
  if (get && all === 1 && a === '') return ['home', 'Service', 'home'];
  if (a === 'api' && b === 'users') {
    if (all === 2 && get && names.includes('export')) return ['exportUsers', 'Service', 'users'];
    if (all === 2 && (get || method === 'POST')) return ['listUsers', 'Service', 'users'];
    if (all === 3 && get && c === 'me') return ['viewMe', 'Service', 'me'];
    if (all === 3 && c !== '' && (get || method === 'PUT')) return ['viewUser', 'User', c];
    if (all === 3 && c !== '' && method === 'DELETE') return ['deleteUser', 'User', c];
  }
  if (get && a === 'orgs' && all === 4 && c === 'docs') return ['viewDoc', 'Doc', `${b}/${d}`];
  if (get && a === 'items' && all === 2) return ['viewItem', 'Item', b];
  if (get && a === 'orders' && all === 2) return ['viewOrder', 'Order', b];
  if (get && a === 'files' && all > 1) return [segments.at(-1) === '' ? 'listFolder' : 'readFile', 'File', segments.slice(1).join('/')];
  if (get && a === 'admin') return all === 1 ? ['admin', 'Service', 'admin'] : ['adminPage', 'Page', segments.slice(1).join('/')];
  if (get && all === 2 && a === 'café' && b === 'menü') return ['menu', 'Service', 'cafe'];
  if (get && all === 2 && a === '.well-known' && b === 'security.txt') return ['securityText', 'Service', 'security'];
  if (get && all === 1 && a === 'search') return ['search', 'Service', 'search'];
  return null;
}

const cedar = (text) => `"${[...text].map((c) => (c === '"' || c === '\\' ? `\\${c}` : c >= ' ' && c <= '~' ? c : `\\u{${c.codePointAt(0).toString(16)}}`)).join('')}"`;

async function play(port, { method, target }) {
  const connection = new Connection(port);
  try {
    connection.send(format(method, Buffer.from(target, 'utf8').toString('latin1')));
    return await connection.response({ head: method === 'HEAD' });
  } finally { connection.close(); }
}

// The line of the access log with this id: what was decided.
async function decision(id) {
  const line = await gateway.accessed((one) => one.id === id);
  return [line?.action, line?.resource];
}

for (const [i, [name]] of forms.entries()) {
  test(`bypasses, proxy_pass ${name}: none reaches the upstream`, async () => {
    const rows = table('bypass');
    assert.ok(rows.length >= 60);
    for (const row of rows) {
      const before = upstream.seen.length;
      const answer = await play(ports[i], row);
      assert.equal(upstream.seen.length, before, `${row.method} ${row.target}: reached as ${JSON.stringify(upstream.seen.at(-1))}`);
      assert.equal(answer.status, row.expect, `${row.method} ${row.target}: ${row.why}`);
      if (row.method !== 'HEAD') assert.ok(JSON.parse(answer.body).error, `${row.target}: dressed`);
      if (row.expect_action) {
        const decided = await decision(answer.get('x-request-id'));
        assert.deepEqual(decided, [`Action::${cedar(row.expect_action)}`, `${row.expect_resource.type}::${cedar(row.expect_resource.id)}`], row.target);
      }
    }
    console.log(`# shows: ${rows.length} bypass attempts refused, proxy_pass ${name}`);
  });

  test(`odd but legal targets, proxy_pass ${name}: each arrives as what was decided`, async () => {
    const rows = table('legal');
    assert.ok(rows.length >= 40);
    for (const row of rows) {
      const before = upstream.seen.length;
      const answer = await play(ports[i], row);
      assert.equal(answer.status, 200, `${row.method} ${row.target}: ${row.why} ${answer.body}`);
      assert.equal(upstream.seen.length, before + 1);
      const seen = upstream.seen.at(-1);
      const [action, type, id] = read(seen.method, seen.target) ?? [];
      const decided = await decision(values(seen, 'X-Forbid-Id')[0]);
      assert.deepEqual(decided, [`Action::${cedar(action ?? '')}`, `${type}::${cedar(id ?? '')}`], `${row.target} arrived as ${seen.target}`);
      assert.equal(action, row.expect_action, row.target);
      assert.deepEqual({ type, id }, row.expect_resource, row.target);
    }
    console.log(`# shows: ${rows.length} odd but legal targets arrived, proxy_pass ${name}`);
  });
}
