// SPDX-License-Identifier: Apache-2.0
// The body of a refused request: no byte of it is taken for the next request, none is asked for,
// and the connection stays where it safely can.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decided, freePort, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { Connection, format, h2, raw } from './lib/client.mjs';
import { bearer } from './lib/tokens.mjs';

let upstream, gateway, h2port;
before(async () => {
  upstream = await startUpstream();
  h2port = await freePort();
  gateway = await startGateway({ server: decided(upstream, 'client_max_body_size 64m; lingering_timeout 2s;'), listen: `listen 127.0.0.1:${h2port} http2;` });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const chunked = (text) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
// A body that is a request which the upstream would be shocked to see.
const smuggled = format('DELETE', '/docs/1', bearer('alice'));

for (const [name, headers, body] of [
  ['a body with a length', {}, smuggled],
  ['a chunked body', { 'Transfer-Encoding': 'chunked' }, chunked(smuggled)],
  ['no body', {}, ''],
]) {
  test(`a refused POST with ${name}, and a second request right behind it`, async () => {
    const before = upstream.seen.length;
    const connection = new Connection(gateway.port);
    connection.send(format('POST', '/docs', headers, body) + format('GET', '/health?second'));
    const first = await connection.response();
    assert.equal(first.status, 401);
    const second = await connection.response();
    assert.equal(second.status, 200, second.body);
    assert.equal(JSON.parse(second.body).target, '/health?second');
    assert.deepEqual(upstream.seen.slice(before).map((one) => one.target), ['/health?second']);
    connection.close();
  });
}

test('the body arrives after the refusal, then a second request', async () => {
  const before = upstream.seen.length;
  const connection = new Connection(gateway.port);
  connection.send(format('POST', '/docs', { 'Content-Length': smuggled.length }));
  const first = await connection.response();
  assert.equal(first.status, 401);
  for (const at of [0, 50, 90]) {
    connection.send(smuggled.slice(at, at === 0 ? 50 : at === 50 ? 90 : undefined));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  connection.send(format('GET', '/health?third'));
  const second = await connection.response();
  assert.equal(second.status, 200);
  assert.deepEqual(upstream.seen.slice(before).map((one) => one.target), ['/health?third']);
  connection.close();
});

test('a chunked body that is no chunked body: refused, and the connection ends', async () => {
  const before = upstream.seen.length;
  const connection = new Connection(gateway.port);
  connection.send(format('POST', '/docs', { 'Transfer-Encoding': 'chunked' }, `zz\r\n${smuggled}`));
  const first = await connection.response();
  assert.ok([400, 401].includes(first.status), String(first.status));
  assert.equal(JSON.parse(first.body).error !== undefined, true);
  assert.ok(await connection.closed());
  assert.equal(upstream.seen.length, before);
});

test('Expect: 100-continue on a refused request: no 100, and the connection ends', async () => {
  const connection = new Connection(gateway.port);
  connection.send(format('POST', '/docs', { Expect: '100-continue', 'Content-Length': smuggled.length }));
  const answer = await connection.response();
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.informational, []);
  assert.equal(answer.get('connection'), 'close');
  // The client goes on all the same: not a request.
  const before = upstream.seen.length;
  connection.send(smuggled);
  assert.ok(await connection.closed());
  assert.equal(upstream.seen.length, before);
});

test('Expect: 100-continue on an allowed request: 100, then the answer', async () => {
  const connection = new Connection(gateway.port);
  connection.send(format('POST', '/docs', { ...bearer('bob'), Expect: '100-continue', 'Content-Length': 5 }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  connection.send('hello');
  const answer = await connection.response();
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.informational, [100]);
  assert.equal(JSON.parse(answer.body).length, 5);
  connection.close();
});

test('a refused body of 10 MB is read and thrown away; the connection serves on', async () => {
  const before = upstream.seen.length;
  const connection = new Connection(gateway.port);
  const body = 'x'.repeat(10 * 1024 * 1024);
  connection.send(format('POST', '/docs', {}, body));
  connection.send(format('GET', '/health?after'));
  const first = await connection.response();
  assert.equal(first.status, 401);
  const second = await connection.response();
  assert.equal(second.status, 200);
  assert.deepEqual(upstream.seen.slice(before).map((one) => one.target), ['/health?after']);
  connection.close();
});

test('an allowed body of 10 MB arrives whole', async () => {
  const answer = await gateway.request('POST', '/docs', bearer('bob'), { body: 'x'.repeat(10 * 1024 * 1024) });
  assert.equal(answer.status, 200);
  assert.equal(answer.json().length, 10 * 1024 * 1024);
});

test('HTTP/1.0: a whole refusal, and the connection ends', async () => {
  const connection = new Connection(gateway.port);
  connection.send(format('GET', '/docs/1', { Host: 'api.example' }, '', '1.0'));
  const answer = await connection.response();
  assert.equal(answer.status, 401);
  assert.deepEqual(JSON.parse(answer.body), { error: 'unauthorized' });
  assert.ok(await connection.closed());
});

test('HTTP/1.0 with keep-alive: the connection stays', async () => {
  const connection = new Connection(gateway.port);
  const bytes = format('GET', '/docs/1', { Host: 'api.example', Connection: 'keep-alive' }, '', '1.0');
  connection.send(bytes);
  assert.equal((await connection.response()).status, 401);
  connection.send(bytes);
  assert.equal((await connection.response()).status, 401);
  connection.close();
});

test('HEAD has the fields of GET and no body, and the connection stays in step', async () => {
  const connection = new Connection(gateway.port);
  connection.send(format('GET', '/docs/1') + format('HEAD', '/docs/1') + format('GET', '/docs/1'));
  const get = await connection.response();
  const head = await connection.response({ head: true });
  const again = await connection.response();
  const fields = (answer) => answer.fields.filter(([name]) => !['date', 'x-request-id', 'x-worker'].includes(name));
  assert.deepEqual(fields(head), fields(get));
  assert.equal(again.body, get.body);
  connection.close();
});

test('many refusals and answers, alternating on one connection', async () => {
  const connection = new Connection(gateway.port);
  for (let i = 0; i < 200; i++) {
    connection.send(i % 2 ? format('POST', '/docs', {}, 'x'.repeat(i)) : format('GET', `/health?${i}`));
    assert.equal((await connection.response()).status, i % 2 ? 401 : 200);
  }
  connection.close();
});

test('HTTP/2: refusals, with bodies and with Expect', async () => {
  const session = await h2(h2port);
  const before = upstream.seen.length;
  const plain = await session.request('GET', '/docs/1');
  assert.equal(plain.status, 401);
  assert.match(plain.headers['www-authenticate'], /^Bearer/);
  assert.equal(plain.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(plain.body), { error: 'unauthorized' });
  const post = await session.request('POST', '/docs', {}, { body: smuggled });
  assert.equal(post.status, 401);
  const large = await session.request('POST', '/docs', {}, { body: 'x'.repeat(1024 * 1024) });
  assert.equal(large.status, 401);
  const expecting = await session.request('POST', '/docs', { expect: '100-continue' }, { body: '', expect: true });
  assert.equal(expecting.status, 401);
  assert.equal(expecting.continued, false);
  const legal = await session.request('GET', '/articles/gone');
  assert.equal(legal.status, 451);
  assert.equal(upstream.seen.length, before);
  const allowed = await session.request('POST', '/docs', bearer('bob'), { body: 'hello' });
  assert.equal(allowed.status, 200);
  assert.equal(JSON.parse(allowed.body).length, 5);
  session.close();
});

test('HTTP/2: many refusals on one connection at once', async () => {
  const session = await h2(h2port);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => session.request(i % 3 ? 'POST' : 'GET', i % 3 ? '/docs' : '/docs/1', {}, i % 3 ? { body: 'x'.repeat(i * 100) } : {})));
  assert.ok(answers.every((answer) => answer.status === 401));
  session.close();
});

test('HTTP/0.9: a body alone, for it has no fields', async () => {
  assert.equal(await raw(gateway.port, 'GET /docs/1\r\n'), '{"error":"unauthorized"}');
});

test('a worker that was killed is replaced by one that decides', async () => {
  const worker = async () => {
    const answer = await gateway.get('/docs/1').catch(() => undefined);
    if (answer) assert.equal(answer.status, 401);
    return answer?.get('x-worker');
  };
  const first = new Set();
  for (let i = 0; i < 100 && first.size < 2; i++) first.add(await worker());
  process.kill(Number([...first][0]), 'SIGKILL');
  let pid;
  for (const until = Date.now() + 5000; Date.now() < until && (pid === undefined || first.has(pid));) pid = await worker();
  assert.ok(pid && !first.has(pid), 'a third one');
});
