// SPDX-License-Identifier: Apache-2.0
// Policies change by a reload, and bad ones do not.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { Connection, format } from './lib/client.mjs';
import { bearer } from './lib/tokens.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({ server: decided(upstream) });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const count = (pattern) => gateway.errors().match(pattern)?.length ?? 0;
const extra = () => `${gateway.dir}/policies/extra.cedar`;
const health = async () => (await gateway.get('/health')).status;
// The pids that the error log names: every worker ever started, and those told to go, which close
// their listening sockets with that line.
const pids = (pattern) => [...gateway.errors().matchAll(pattern)].map((match) => match[1]);
// A reload that nginx has dealt with, for better (no old worker takes a connection any more) or worse.
// To see only new workers answer is not enough: an old one may still get the next connection.
async function reload(changes) {
  const reloads = count(/reconfiguring/g), emergencies = count(/\[emerg\]/g);
  const old = pids(/start worker process (\d+)/g);
  await gateway.reload(changes, async () => {
    if (count(/reconfiguring/g) === reloads) return false;
    if (count(/\[emerg\]/g) > emergencies) return true;
    const gone = new Set(pids(/\] (\d+)#\d+: gracefully shutting down/g));
    return old.every((pid) => gone.has(pid));
  });
}
async function probe(times) {
  const pids = new Set();
  for (let i = 0; i < times; i++) pids.add((await gateway.get('/health')).get('x-worker'));
  return pids;
}

test('new policies hold after a reload', async () => {
  assert.equal(await health(), 200);
  writeFileSync(extra(), '@id("shut") @reason("shut") forbid (principal, action == Action::"health", resource);\n');
  await reload();
  assert.equal(await health(), 403);
  writeFileSync(extra(), '');
  await reload();
  assert.equal(await health(), 200);
});

test('bad policies: the reload is refused, with the place in the log, and the old ones hold', async () => {
  const workers = await probe(20);
  writeFileSync(extra(), 'permit (principal, action, resource) when { };\n');
  await reload();
  assert.match(gateway.errors(), /extra\.cedar:1:\d+: error/);
  assert.equal(await health(), 200);
  assert.equal((await gateway.get('/docs/1')).status, 401);
  assert.ok([...(await probe(20))].every((pid) => workers.has(pid)), 'the workers are the same');
  writeFileSync(extra(), '');
  await reload();
  assert.equal(await health(), 200);
});

test('a connection that was open before a reload is answered', async () => {
  const connection = new Connection(gateway.port);
  connection.send(format('GET', '/docs/1', bearer('bob')));
  assert.equal((await connection.response()).status, 200);
  connection.send('GET /docs/1 HTTP/1.1\r\n');
  await reload();
  connection.send(`Host: x\r\nAuthorization: ${bearer('bob').authorization}\r\n\r\n`);
  assert.equal((await connection.response()).status, 200);
  connection.close();
});

test('a configuration without the module, and with it again', async () => {
  const server = decided(upstream);
  const file = `${gateway.dir}/nginx.conf`;
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.replace(/load_module .*;/, '').replace(/log_format decisions .*\n/, 'log_format decisions plain;\n').replace(server, `proxy_cache_key $request_uri; add_header X-Worker $pid; location / { proxy_pass http://127.0.0.1:${upstream.port}; }`));
  await reload();
  assert.equal((await gateway.get('/docs/1')).status, 200, 'nothing decides');
  // An emergency between two configurations with the module: the watch on nginx's directives ends.
  writeFileSync(file, whole.replace('forbid on;', 'forbid on; forbid_unmatched 500;'));
  await reload();
  writeFileSync(file, whole.replace(/load_module .*;/, '').replace(/log_format decisions .*\n/, 'log_format decisions plain;\n').replace(server, `proxy_cache_key $request_uri; add_header X-Worker $pid; location / { proxy_pass http://127.0.0.1:${upstream.port}; }`));
  await reload();
  assert.equal((await gateway.get('/docs/1')).status, 200);
  writeFileSync(file, whole);
  await reload();
  assert.equal((await gateway.get('/docs/1')).status, 401);
});

test('many reloads: the master does not grow', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8'))[1]);
  for (let i = 0; i < 5; i++) await reload();
  const before = rss();
  for (let i = 0; i < 15; i++) await reload();
  const grown = rss() - before;
  console.log(`# shows: ${grown} kB more after 15 reloads`);
  assert.ok(grown < (process.env.FB_SANITIZED ? 40000 : 1500), `${grown} kB`);
});

test('shadow says so at each start and reload', async () => {
  const notices = () => count(/forbid: 2 locations are in shadow/g);
  await reload({ server: decided(upstream, 'forbid_unmatched pass;').replace('forbid on;', 'forbid shadow;') });
  assert.equal(notices(), 1);
  await reload();
  assert.equal(notices(), 2);
});
