// SPDX-License-Identifier: Apache-2.0
// The same refusal for programs, people, scripts and gRPC, through a real nginx, with curl, Chromium and
// @grpc/grpc-js as its clients.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findBrowser, startBrowser } from './lib/browser.mjs';
import { decided, freePort, makeDirectory, startGateway } from './lib/gateway.mjs';
import { bearer } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

const run = promisify(execFile);
let upstream, gateway, pagePort, site, h2Port;
before(async () => {
  upstream = await startUpstream();
  // The page of another origin, whose scripts call the API.
  site = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end('<title>app</title>'));
  await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  pagePort = site.address().port;
  h2Port = await freePort();
  const dir = makeDirectory();
  mkdirSync(path.join(dir, 'pages'));
  writeFileSync(path.join(dir, 'pages/de.words'), 'title.401 = Bitte anmelden\ntitle.403 = Kein Zugang\n');
  writeFileSync(path.join(dir, 'pages/en.words'), 'label.status = Code\n');
  gateway = await startGateway({
    dir,
    listen: `listen 127.0.0.1:${h2Port} http2;`,
    server: decided(upstream, `forbid_pages pages;
    forbid_cors http://127.0.0.1:${pagePort} credentials max_age=60;
    forbid_disclose detail anonymous=none;`),
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
  site.close();
});

const curl = async (target, ...args) => {
  const { stdout } = await run('curl', ['-s', '-i', ...args, `http://127.0.0.1:${gateway.port}${target}`]);
  const [head, ...body] = stdout.split('\r\n\r\n');
  const [line, ...fields] = head.split('\r\n');
  return { status: Number(line.split(' ')[1]), fields: fields.map((f) => f.replace(/^(Date|X-Request-Id|X-Worker): .*/, '$1')), body: body.join('\r\n\r\n'),
    get: (name) => fields.find((f) => f.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2) };
};

const types = [
  ['nothing said', undefined, 'application/json'],
  ['curl, who takes anything', '*/*', 'application/json'],
  ['an axios', 'application/json, text/plain, */*', 'application/json'],
  ['problem details', 'application/problem+json', 'application/problem+json'],
  ['problem details preferred by q', 'application/json;q=0.5, application/problem+json', 'application/problem+json'],
  ['plain text', 'text/plain', 'text/plain; charset=utf-8'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'text/html; charset=utf-8'],
  ['text of any kind is no wish for HTML', 'text/*', 'text/plain; charset=utf-8'],
  ['nothing that there is: never a 406', 'image/png', 'application/json'],
  ['HTML refused', 'text/html;q=0, */*;q=0.1', 'application/json'],
];
for (const [name, accept, type] of types) {
  test(`${name}: ${type}`, async () => {
    const answer = await curl('/docs/1', '-H', accept === undefined ? 'Accept:' : `Accept: ${accept}`);
    assert.equal(answer.status, 401);
    assert.equal(answer.get('content-type'), type);
    assert.equal(answer.get('vary'), 'Accept, Accept-Language, Origin');
    assert.equal(answer.get('cache-control'), 'no-store');
    assert.equal(answer.get('www-authenticate'), 'Bearer realm="api"');
    const head = await curl('/docs/1', '-I', '-H', accept === undefined ? 'Accept:' : `Accept: ${accept}`);
    assert.deepEqual(head.fields, answer.fields, 'HEAD has the fields of GET');
    assert.equal(Number(answer.get('content-length')), Buffer.byteLength(answer.body));
  });
}

test('a page in the language of the reader', async () => {
  const german = await curl('/docs/1', '-H', 'Accept: text/html', '-H', 'Accept-Language: fr, de-AT;q=0.8, en;q=0.1');
  assert.match(german.body, /<html lang="de">[^]*<h1>Bitte anmelden<\/h1>/);
  const english = await curl('/docs/1', '-H', 'Accept: text/html', '-H', 'Accept-Language: fr');
  assert.match(english.body, /<html lang="en">[^]*<h1>Sign in to see this<\/h1>/);
});

test('a stranger’s page tells no more than the stranger’s JSON', async () => {
  const page = await curl('/docs/1', '-H', 'Accept: text/html');
  assert.doesNotMatch(page.body, /missing_credentials|Reason|Request<|rel="help"/);
});

const manners = [
  ['a browser that navigates', ['Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Mode: navigate'], 302],
  ['an older browser', ['Accept: text/html,*/*;q=0.8'], 302],
  ['curl', ['Accept: */*'], 401],
  ['a script that fetches HTML', ['Accept: text/html', 'Sec-Fetch-Mode: cors'], 401],
  ['an older script', ['Accept: text/html', 'X-Requested-With: XMLHttpRequest'], 401],
  ['a form', ['Accept: text/html', 'Sec-Fetch-Mode: navigate'], 401, '/docs', ['-X', 'POST']],
  ['a bad token', ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Authorization: Bearer x.y.z'], 401],
  ['where signing in does not help', ['Accept: text/html', 'Sec-Fetch-Mode: navigate'], 404, '/nowhere'],
];
test('forbid_login: people who navigate are sent to sign in, and nobody else', async () => {
  const login = await startGateway({ server: decided(upstream, 'forbid_login https://login.example/start?to=$forbid_return;') });
  try {
    for (const [name, fields, status, target = '/docs/1?a=b%20c&d=%C3%A9', more = []] of manners) {
      const { stdout } = await run('curl', ['-s', '-i', ...more, ...fields.flatMap((f) => ['-H', f]), `http://127.0.0.1:${login.port}${target}`]);
      assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `), name);
      assert.match(stdout, /\r\nVary: Accept, Sec-Fetch-Mode\r\n/, name);
      assert.match(stdout, /\r\nCache-Control: no-store\r\n/, name);
      const location = /\r\nLocation: (.*)\r\n/.exec(stdout)?.[1];
      if (status !== 302) {
        assert.equal(location, undefined, name);
        continue;
      }
      assert.equal(new URL(location).origin, 'https://login.example');
      assert.equal(new URL(location).searchParams.get('to'), target);
      assert.doesNotMatch(stdout, /WWW-Authenticate/, name);
    }
  } finally {
    await login.stop();
  }
});

test('forbid_login: not from a page to itself, and $forbid_return never names a host', async () => {
  const login = await startGateway({ server: decided(upstream, `forbid_login https://login.example/?to=$forbid_return;
    rewrite ^/evil.example/ /docs/1 last;
    location = /self { forbid_login /self?x=1; rewrite ^ /docs/1 break; proxy_pass http://127.0.0.1:${upstream.port}; }
    location /split { set $end "a
b"; forbid_login https://login.example/?to=$end; rewrite ^ /docs/1 break; proxy_pass http://127.0.0.1:${upstream.port}; }`) });
  try {
    const navigate = { 'sec-fetch-mode': 'navigate' };
    for (const target of ['//evil.example/', '////evil.example/', '/\\evil.example/']) {
      const answer = await login.get(target, navigate);
      const to = answer.status === 302 ? new URL(answer.get('location')).searchParams.get('to') : '/';
      assert.equal(new URL(to, 'https://api.example').origin, 'https://api.example', target);
    }
    assert.equal((await login.get('//evil.example/', navigate)).get('location'), 'https://login.example/?to=%2Fevil.example%2F');
    for (const target of ['/self', '/self?x=1', '/split']) {
      const answer = await login.get(target, navigate);
      assert.equal(answer.status, 401, target);
      assert.equal(answer.get('location'), undefined, target);
      assert.match(answer.get('www-authenticate'), /^Bearer /, target);
    }
  } finally {
    await login.stop();
  }
});

test('a template of 250 KiB, as long as one may be: people get it, with the status that it was', async () => {
  const dir = makeDirectory();
  mkdirSync(path.join(dir, 'pages'));
  writeFileSync(path.join(dir, 'pages/en.html'), `<!doctype html><style>/*${'x'.repeat(250 * 1024)}*/</style><h1>{{title}}</h1>`);
  const long = await startGateway({ dir, server: decided(upstream, 'forbid_pages pages;') });
  try {
    for (const [target, status] of [['/docs/1', 401], ['/nowhere', 404]]) {
      const answer = await long.get(target, { accept: 'text/html' });
      assert.equal(answer.status, status);
      assert.match(answer.body, /<h1>[^<]+<\/h1>$/);
    }
  } finally {
    await long.stop();
  }
});

const skip = findBrowser() ? false : 'chromium is not installed';
test('in Chromium: a page for people, readable in light and dark, without a script', { skip }, async () => {
  const browser = await startBrowser();
  try {
    const seen = await browser.open(`http://127.0.0.1:${gateway.port}/docs/1`);
    assert.equal(seen.status, 401);
    assert.equal(seen.type, 'text/html');
    assert.equal(await browser.run('document.scripts.length'), 0);
    assert.equal(await browser.run('document.querySelectorAll("main h1").length'), 1);
    // WCAG 2 contrast of what is written on what it stands on.
    const contrast = `(() => {
      const rgb = (c) => c.match(/[\\d.]+/g).slice(0, 3).map((v) => { const s = v / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; });
      const light = (c) => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = light(getComputedStyle(document.querySelector('main')).backgroundColor);
      return Math.min(...[...document.querySelectorAll('main *')].map((e) => { const ink = light(getComputedStyle(e).color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05); }));
    })()`;
    const grounds = [];
    for (const scheme of ['light', 'dark']) {
      await browser.colours(scheme);
      assert.ok(await browser.run(contrast) >= 4.5, `${scheme}: ${await browser.run(contrast)}`);
      grounds.push(await browser.run('getComputedStyle(document.querySelector("main")).backgroundColor'));
    }
    assert.notEqual(grounds[0], grounds[1]);
  } finally {
    await browser.stop();
  }
});

test('in Chromium: a script of an allowed origin reads what was refused, and why', { skip }, async () => {
  const browser = await startBrowser();
  try {
    await browser.open(`http://127.0.0.1:${pagePort}/`);
    const call = (target, options) => browser.run(`fetch(${JSON.stringify(`http://127.0.0.1:${gateway.port}${target}`)}, ${JSON.stringify(options)})
      .then(async (r) => ({ status: r.status, challenge: r.headers.get('www-authenticate'), body: await r.json() }), (e) => ({ failed: String(e) }))`);
    assert.deepEqual(await call('/docs/1', {}), { status: 401, challenge: 'Bearer realm="api"', body: { error: 'unauthorized' } });
    // Authorization and DELETE want a preflight, which has no credentials.
    const refused = await call('/docs/1', { method: 'DELETE', headers: bearer('bob') });
    assert.equal(refused.status, 403, JSON.stringify(refused));
    assert.equal(refused.body.reason, 'insufficient_role');
    assert.equal((await call('/nowhere', {})).status, 404);
    // Of an origin that is not allowed: the browser keeps it from the script.
    await browser.open(`http://localhost:${pagePort}/`);
    assert.match((await call('/docs/1', {})).failed, /Failed to fetch/);
  } finally {
    await browser.stop();
  }
});

const preflight = (target, origin, method = 'DELETE', ...more) => curl(target, '-X', 'OPTIONS', '-H', `Origin: ${origin}`,
  '-H', `Access-Control-Request-Method: ${method}`, '-H', 'Access-Control-Request-Headers: authorization', ...more);

test('a preflight of a known route is answered without credentials, the same for everybody', async () => {
  const before = upstream.seen.length, origin = `http://127.0.0.1:${pagePort}`;
  const answer = await preflight('/docs/1', origin);
  assert.equal(answer.status, 204);
  assert.equal(answer.body, '');
  assert.equal(answer.get('access-control-allow-origin'), origin);
  assert.equal(answer.get('access-control-allow-credentials'), 'true');
  assert.equal(answer.get('access-control-allow-headers'), 'authorization');
  assert.equal(answer.get('access-control-max-age'), '60');
  assert.equal(answer.get('content-length'), undefined, 'RFC 9110 8.6');
  assert.deepEqual(answer.get('access-control-allow-methods').split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'PUT']);
  const absent = await preflight('/docs/none', origin);
  assert.deepEqual(absent.fields, answer.fields, 'whether or not there is such a document');
  const signed = await preflight('/docs/1', origin, 'DELETE', '-H', `Authorization: ${bearer('bob').authorization}`);
  assert.deepEqual(signed.fields, answer.fields, 'whoever asks');
  assert.equal(upstream.seen.length, before, 'nothing reaches the upstream');
});

test('a preflight of another origin is told nothing', async () => {
  const answer = await preflight('/docs/1', 'https://evil.example');
  assert.equal(answer.status, 204);
  assert.ok(!answer.fields.some((f) => /^access-control/i.test(f)), answer.fields.join());
});

test('an OPTIONS that is no preflight is an ordinary method', async () => {
  const answer = await curl('/docs/1', '-X', 'OPTIONS');
  assert.equal(answer.status, 405);
  assert.ok(answer.get('allow'));
});

test('a preflight of a path that no route has: 404', async () => {
  assert.equal((await preflight('/nowhere', `http://127.0.0.1:${pagePort}`)).status, 404);
});

const upgrades = [
  ['a WebSocket', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']],
  ['an event stream', ['Accept: text/event-stream']],
];
for (const [name, fields] of upgrades) {
  test(`${name} is refused before it begins`, async () => {
    const before = upstream.seen.length;
    const answer = await curl('/docs/1', ...fields.flatMap((f) => ['-H', f]));
    assert.equal(answer.status, 401);
    assert.equal(upstream.seen.length, before);
  });
}

// A bare 404 would be UNIMPLEMENTED to a client of gRPC, and a 400 INTERNAL.
test('gRPC reads the status where it looks for it', async (t) => {
  let grpc;
  try {
    grpc = await import('@grpc/grpc-js');
  } catch {
    t.skip('@grpc/grpc-js is not installed');
    return;
  }
  const client = new grpc.Client(`127.0.0.1:${h2Port}`, grpc.credentials.createInsecure());
  const bytes = (b) => b;
  const call = (method, fields) => new Promise((resolve) => {
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
    client.makeUnaryRequest(method, bytes, bytes, Buffer.from(''), metadata, { deadline: Date.now() + 5000 }, (error) => resolve(error ?? { code: 0 }));
  });
  try {
    // gRPC's requests are POSTs.
    assert.equal((await call('/nowhere.Service/Call', {})).code, grpc.status.NOT_FOUND);
    const unauthenticated = await call('/docs', {});
    assert.equal(unauthenticated.code, grpc.status.UNAUTHENTICATED, unauthenticated.message);
    assert.equal(unauthenticated.details, 'unauthorized');
    assert.equal(unauthenticated.metadata.get('www-authenticate')[0], 'Bearer realm="api"');
    const denied = await call('/docs', bearer('nobody'));
    assert.equal(denied.code, grpc.status.PERMISSION_DENIED, denied.message);
    assert.match(denied.details, /^account_unknown: /);
    const method = await call('/docs/1', {});
    assert.equal(method.code, grpc.status.UNIMPLEMENTED, method.message);
  } finally {
    client.close();
  }
});
