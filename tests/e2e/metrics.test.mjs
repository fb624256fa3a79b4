// SPDX-License-Identifier: Apache-2.0
// forbid_metrics: what was decided and refused, counted over all workers, in the formats that monitors read; shown to
// stated callers alone.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, freePort, makeDirectory, startGateway, test as check } from './lib/gateway.mjs';
import { request } from './lib/client.mjs';
import { bearer, forged } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

let upstream, gateway, doors, shadowPort;
const settings = 'forbid_cors https://app.example; client_max_body_size 1k;';
before(async () => {
  upstream = await startUpstream();
  [doors, shadowPort] = [await freePort(), await freePort()];
  gateway = await startGateway({
    servers: (port) => `
      server { listen 127.0.0.1:${port} reuseport; ${decided(upstream, settings)} }
      server { listen 127.0.0.1:${shadowPort}; ${decided(upstream, settings).replace('forbid on', 'forbid shadow')} }
      server { listen 127.0.0.1:${doors}; forbid_disclose detail anonymous=detail;
        location /metrics { forbid_metrics; }
        location /others { forbid_metrics 192.0.2.0/24 2001:db8::/32 unix:; }
        location /mine { forbid_metrics 127.0.0.0/8; }
        location /if { forbid_metrics 192.0.2.0/24; if ($arg_x) { set $y 1; } }
        location /except { forbid_metrics 192.0.2.0/24; limit_except POST { allow all; } } }`,
  });
});
after(async () => {
  await gateway?.stop();
  await upstream.stop();
});

const scrape = async (headers = {}) => request(doors, 'GET', '/metrics', headers);
// {sample: count} of those that are not nought.
async function counts() {
  const page = await scrape();
  assert.equal(page.status, 200, page.body);
  const found = {};
  for (const line of page.body.split('\n').filter((l) => l && !l.startsWith('#'))) {
    const [, sample, count] = /^(\S+) (\d+)$/.exec(line);
    assert.ok(!(sample in found), `${sample} is there twice`);
    if (count !== '0') found[sample] = Number(count);
  }
  return found;
}
async function change(work) {
  const before = await counts();
  await work();
  const later = await counts();
  return Object.fromEntries(Object.entries(later).map(([key, n]) => [key, n - (before[key] ?? 0)]).filter(([, n]) => n !== 0));
}

test('decisions by outcome, status and reason', async () => {
  const bob = bearer('bob');
  assert.deepEqual(await change(async () => {
    for (let i = 0; i < 3; i++) await gateway.get('/docs/1', bob);
    await gateway.get('/docs/1');
    await gateway.get('/docs/1', forged('bob'));
    for (let i = 0; i < 2; i++) await gateway.request('DELETE', '/docs/1', bob);
    await gateway.request('PATCH', '/docs/1');
    await gateway.get('/nowhere');
    await gateway.get('/articles/gone');
    await gateway.request('OPTIONS', '/docs/1', { origin: 'https://app.example', 'access-control-request-method': 'GET' });
  }), {
    'forbid_decisions_total{decision="allow"}': 3,
    'forbid_decisions_total{decision="preflight"}': 1,
    'forbid_decisions_total{decision="deny",status="401",reason="missing_credentials"}': 1,
    'forbid_decisions_total{decision="deny",status="401",reason="invalid_token"}': 1,
    'forbid_decisions_total{decision="deny",status="403",reason="insufficient_role"}': 2,
    'forbid_decisions_total{decision="deny",status="405",reason="method_not_allowed"}': 1,
    'forbid_decisions_total{decision="deny",status="404",reason="no_route"}': 1,
    'forbid_decisions_total{decision="deny",status="451",reason="legal_restriction"}': 1,
  });
});

test('shadow, nginx’s own refusals, the upstream’s by kind', async () => {
  const bob = bearer('bob');
  assert.deepEqual(await change(async () => {
    await request(shadowPort, 'GET', '/docs/1', bob);
    await request(shadowPort, 'DELETE', '/docs/1', bob);
    await gateway.request('POST', '/docs', bob, { body: 'x'.repeat(2000) });
    await gateway.get('/health?status=401');
    await gateway.get('/health?status=403');
    await gateway.get('/health?status=403', bob);
    await gateway.get('/health?status=401&field=www-authenticate:Basic');
    await gateway.get('/health?status=500');
  }), {
    'forbid_decisions_total{decision="shadow-allow"}': 1,
    'forbid_decisions_total{decision="shadow-deny",status="403",reason="insufficient_role"}': 1,
    'forbid_decisions_total{decision="allow"}': 5,
    'forbid_nginx_refusals_total{status="413",reason="content_too_large"}': 1,
    'forbid_upstream_refusals_total{kind="401"}': 1,
    'forbid_upstream_refusals_total{kind="401-without-challenge"}': 1,
    'forbid_upstream_refusals_total{kind="403"}': 1,
    'forbid_upstream_refusals_total{kind="403-without-credentials"}': 1,
  });
});

test('the sum of both workers, and none is lost', async () => {
  const pids = new Set();
  const changed = await change(async () => {
    await Promise.all(Array.from({ length: 400 }, async (_, i) => pids.add((await gateway.request(i % 2 ? 'GET' : 'DELETE', '/docs/1', bearer('bob'))).get('x-worker'))));
  });
  assert.deepEqual(changed, {
    'forbid_decisions_total{decision="allow"}': 200,
    'forbid_decisions_total{decision="deny",status="403",reason="insufficient_role"}': 200,
  });
  assert.equal(pids.size, 2, 'both workers had a part in it');
});

test('a reload keeps the counts', async () => {
  const before = await counts();
  const pids = async () => (await gateway.get('/health')).get('x-worker');
  const old = await pids();
  let asked = 0;
  await gateway.reload({}, async () => { asked++; const now = await pids(); return now !== old && /exited with code 0/.test(gateway.errors()); });
  const later = await counts();
  const allow = 'forbid_decisions_total{decision="allow"}';
  assert.deepEqual({ ...later, [allow]: 0 }, { ...before, [allow]: 0 });
  assert.equal(later[allow], before[allow] + asked + 1);
});

test('as Prometheus reads it, and as OpenMetrics where that is asked for', async () => {
  const plain = await scrape();
  assert.equal(plain.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(plain.get('cache-control'), 'no-store');
  assert.match(plain.body, /^# HELP forbid_decisions_total .*\n# TYPE forbid_decisions_total counter\nforbid_decisions_total\{/);
  assert.ok(plain.body.endsWith('\n') && !plain.body.includes('EOF'));
  const open = await scrape({ accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' });
  assert.equal(open.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.match(open.body, /^# HELP forbid_decisions .*\n# TYPE forbid_decisions counter\nforbid_decisions_total\{/);
  assert.ok(open.body.endsWith('# EOF\n'));
  const head = await request(doors, 'HEAD', '/metrics');
  assert.deepEqual([head.status, head.body, Number(head.get('content-length')) > 0], [200, '', true]);
});

test('callers: those that are stated, no others; GET alone', async () => {
  assert.equal((await request(doors, 'GET', '/mine')).status, 200);
  const other = await request(doors, 'GET', '/others');
  assert.equal(other.status, 403);
  assert.equal(other.json().error, 'forbidden');
  assert.equal(other.get('cache-control'), 'no-store');
  assert.ok(!other.body.includes('forbid_decisions'));
  const post = await request(doors, 'POST', '/metrics', {}, { body: 'x'.repeat(100) });
  assert.deepEqual([post.status, post.get('allow')], [405, 'GET, HEAD']);
});

test('callers: an `if` or limit_except block lets nobody else in', async () => {
  for (const target of ['/if', '/if?x=1', '/except']) {
    const answer = await request(doors, 'GET', target);
    assert.ok([403, 404].includes(answer.status), `${target}: ${answer.status}`);
    assert.ok(!answer.body.includes('forbid_decisions'), target);
  }
});

const door = (listen, location, server = '') => ({ servers: `server { listen ${listen}; ${server} location /metrics { ${location} } }` });
for (const [name, options, pattern] of [
  ['an address that others reach', door('0.0.0.0:8080', 'forbid_metrics;'), /would answer anybody who reaches 0\.0\.0\.0:8080: say who may read it/],
  ['every address', door('8080', 'forbid_metrics;'), /would answer anybody/],
  ['one address of several', door('127.0.0.1:8080; listen [::]:8081', 'forbid_metrics;'), /would answer anybody who reaches \[::\]:8081/],
  ['what is no address', door('127.0.0.1:8080', 'forbid_metrics me;'), /"me" is no address/],
  ['twice', door('127.0.0.1:8080', 'forbid_metrics; forbid_metrics;'), /is duplicate/],
  ['a server', door('127.0.0.1:8080', '', 'forbid_metrics;'), /stands in a location/],
]) {
  test(`refused by nginx -t: ${name}`, () => {
    const result = check(options);
    assert.ok(!result.ok, result.text);
    assert.match(result.text, pattern);
  });
}
for (const [name, options] of [
  ['a loopback address', door('127.0.0.1:8080', 'forbid_metrics;')],
  ['the other loopback address', door('[::1]:8080', 'forbid_metrics;')],
  ['a socket of the file system', () => { const dir = makeDirectory(); return { ...door(`unix:${dir}/metrics`, 'forbid_metrics;'), dir }; }],
  ['stated callers', door('0.0.0.0:8080', 'forbid_metrics 10.0.0.0/8;')],
  ['a location that decides', door('0.0.0.0:8080', 'forbid_metrics;', 'forbid on; forbid_policies policies;')],
]) {
  test(`accepted by nginx -t: ${name}`, () => {
    const given = typeof options === 'function' ? options() : options;
    const result = check(given);
    if (given.dir) rmSync(given.dir, { recursive: true });
    assert.ok(result.ok, result.text);
  });
}
