// SPDX-License-Identifier: Apache-2.0
// nginx's own refusals, raised before or beside any decision, look like ours; an operator's own
// error pages and the upstream's answers stay what they are.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { freePort, makeDirectory, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { Connection, format, h2 } from './lib/client.mjs';
import { audience, bearer, issuer } from './lib/tokens.mjs';

let upstream, gateway, plainPort, pagePort, locationPort, h2port;
before(async () => {
  upstream = await startUpstream();
  [plainPort, pagePort, locationPort, h2port] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const dir = makeDirectory();
  writeFileSync(`${dir}/page.html`, '<html>\r\n<head><title>the operator says no</title></head></html>');
  const pass = `proxy_pass http://127.0.0.1:${upstream.port};`;
  const settings = `forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience};`;
  const limits = 'client_max_body_size 1k; client_header_buffer_size 1k; large_client_header_buffers 2 1k;';
  gateway = await startGateway({
    dir,
    servers: (port) => `
      server { listen 127.0.0.1:${port}; listen 127.0.0.1:${h2port} http2; ${limits} forbid on; ${settings} root ${dir};
        location / { ${pass} }
        location /files/static/ { alias ${dir}/; }
        location = /files/return { error_page 419 = @text; return 400 "said by hand"; }
        location = /files/page { return 400; } }
      server { listen 127.0.0.1:${plainPort}; ${limits} location / { ${pass} } }
      server { listen 127.0.0.1:${pagePort}; ${limits} forbid on; ${settings} error_page 400 413 414 494 /page.html; root ${dir};
        location = /page.html { internal; forbid off; }
        location / { ${pass} } }
      server { listen 127.0.0.1:${locationPort}; ${limits} location / { ${pass} }
        location /docs { forbid on; ${settings} forbid_disclose reason anonymous=reason; ${pass} } }`,
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

async function exchange(port, bytes, options) {
  const connection = new Connection(port);
  connection.send(bytes);
  try { return await connection.response(options); } finally { connection.close(); }
}

const long = 'x'.repeat(3000);
const early = [
  ['a malformed request line', 'GET / HTTP/1.1 x\r\nHost: h\r\n\r\n', 400, 'invalid_request'],
  ['no request at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 400, 'invalid_request'],
  ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
  ['two Hosts', 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'invalid_request'],
  ['a malformed Host', 'GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'invalid_request'],
  ['a path out of the root', 'GET /../x HTTP/1.1\r\nHost: h\r\n\r\n', 400, 'invalid_request'],
  ['a malformed length', 'POST /docs HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', 400, 'invalid_request'],
  ['length and chunks', 'POST /docs HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'invalid_request'],
  ['a target too long', `GET /${long} HTTP/1.1\r\nHost: h\r\n\r\n`, 414],
  ['a field too large', `GET /health HTTP/1.1\r\nHost: h\r\nX: ${long}\r\n\r\n`, 431],
  ['fields too large together', `GET /health HTTP/1.1\r\nHost: h\r\n${Array.from({ length: 20 }, (_, i) => `X${i}: ${'y'.repeat(300)}\r\n`).join('')}\r\n`, 431],
  ['a body too large', format('POST', '/docs', {}, long), 413],
  ['a body too large, told in chunks', format('POST', '/docs', { ...bearer('bob'), 'Transfer-Encoding': 'chunked' }, `bb8\r\n${long}\r\n0\r\n\r\n`), 413],
];
const names = { 414: 'URI Too Long', 431: 'Request Header Fields Too Large' };

for (const [name, bytes, status, error] of early) {
  test(`${name}: ${status}, dressed`, async () => {
    const before = upstream.seen.length;
    const answer = await exchange(gateway.port, bytes);
    assert.equal(answer.status, status, answer.body);
    assert.equal(answer.get('content-type'), 'application/json');
    assert.equal(answer.get('cache-control'), 'no-store');
    assert.match(answer.get('x-request-id'), /^[0-9a-f]{32}$/);
    assert.equal(Number(answer.get('content-length')), Buffer.byteLength(answer.body));
    const body = JSON.parse(answer.body);
    assert.equal(typeof body.error, 'string');
    if (error) assert.equal(body.error, error);
    if (status === 431) assert.equal(answer.line, `HTTP/1.1 431 ${names[431]}`);
    assert.equal(answer.get('www-authenticate'), undefined);
    assert.equal(upstream.seen.length, before);
  });
}

test('the same where nothing is decided: nginx’s own pages', async () => {
  for (const [name, bytes, status] of early) {
    const answer = await exchange(plainPort, bytes);
    assert.equal(answer.status, status === 431 ? 400 : status, name);
    assert.match(answer.body, /^<html>/, name);
  }
});

test('an operator’s error pages stay', async () => {
  for (const [name, bytes, status] of early.filter(([, , status]) => status !== 413)) {
    const answer = await exchange(pagePort, bytes);
    assert.equal(answer.status, status === 431 ? 400 : status, name);
    assert.match(answer.body, /the operator says no/, name);
  }
});

test('a server that decides only in a location: its settings dress early errors', async () => {
  const answer = await exchange(locationPort, early[0][1]);
  assert.deepEqual(JSON.parse(answer.body).error, 'invalid_request');
  assert.ok(JSON.parse(answer.body).reason);
  const undecided = await exchange(locationPort, format('POST', '/x', {}, long));
  assert.equal(undecided.status, 413);
  assert.match(undecided.body, /^<html>/, 'the location is chosen, and decides nothing');
  const decided = await exchange(locationPort, format('POST', '/docs', {}, long));
  assert.equal(decided.status, 413);
  assert.equal(decided.get('content-type'), 'application/json');
});

test('a method that nginx’s file handler lacks: 405 with Allow', async () => {
  const answer = await exchange(gateway.port, format('POST', '/files/static/page.html'));
  assert.equal(answer.status, 405);
  assert.equal(answer.get('allow'), 'GET, HEAD');
  assert.equal(JSON.parse(answer.body).error, 'method_not_allowed');
});

test('TRACE: 400 for a target that can be read in two ways, as with any method', async () => {
  const answer = await exchange(gateway.port, format('TRACE', '/docs/a%2fb'));
  assert.equal(answer.status, 400);
  assert.equal(answer.get('allow'), undefined);
});

test('TRACE: 405 with the route’s methods, 404 where there is none', async () => {
  const known = await exchange(gateway.port, format('TRACE', '/docs/1'));
  assert.equal(known.status, 405);
  assert.equal(known.get('allow'), 'DELETE, GET, HEAD, PUT');
  assert.equal(known.get('content-type'), 'application/json');
  const unknown = await exchange(gateway.port, format('TRACE', '/nothing'));
  assert.equal(unknown.status, 404);
  assert.equal(JSON.parse(unknown.body).error, 'not_found');
});

test('problem+json, and HEAD without a body', async () => {
  const problem = await exchange(gateway.port, format('POST', '/docs', { Accept: 'application/problem+json' }, long));
  assert.equal(problem.get('content-type'), 'application/problem+json');
  assert.equal(JSON.parse(problem.body).status, 413);
  const head = await exchange(gateway.port, `HEAD /health HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n`, { head: true });
  assert.equal(head.status, 400);
  assert.equal(head.get('content-type'), 'application/json');
  assert.ok(Number(head.get('content-length')) > 0);
});

test('a page that `return` writes by hand stays; one that it leaves to nginx is dressed', async () => {
  assert.equal((await exchange(gateway.port, format('GET', '/files/return'))).body, 'said by hand');
  const page = await exchange(gateway.port, format('GET', '/files/page'));
  assert.equal(JSON.parse(page.body).error, 'invalid_request');
});

test('the upstream’s own refusals pass as they are', async () => {
  for (const status of [400, 401, 403, 404, 405, 413, 414, 431, 451, 500]) {
    const answer = await exchange(gateway.port, format('GET', `/health?status=${status}`));
    assert.equal(answer.status, status);
    assert.equal(JSON.parse(answer.body).target, `/health?status=${status}`);
  }
});

test('two Authorization lines where nothing is decided: nginx’s own page', async () => {
  const answer = await exchange(plainPort, 'GET /docs/1 HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n');
  assert.equal(answer.status, 400);
  assert.match(answer.body, /^<html>/);
});

// Of fields that are too large nginx 1.22 says nothing in HTTP/2: it ends the connection.
test('HTTP/2: a body too large, told and untold', async () => {
  const session = await h2(h2port);
  const large = await session.request('POST', '/docs', { 'content-length': long.length }, { body: long });
  assert.equal(large.status, 413);
  assert.equal(large.headers['content-type'], 'application/json');
  const undecided = await session.request('POST', '/docs', bearer('bob'), { body: long });
  assert.equal(undecided.status, 413, 'allowed, and the body turns out too large');
  assert.equal(undecided.headers['content-type'], 'application/json');
  session.close();
});

test('the access log has the status that was sent', async () => {
  await exchange(gateway.port, `GET /health?logged HTTP/1.1\r\nHost: h\r\nX: ${long}\r\n\r\n`);
  assert.equal((await gateway.accessed((line) => line.request.includes('logged'))).http, '431');
});
