// SPDX-License-Identifier: Apache-2.0
// clients/javascript against the real gateway, in Node and in Chromium: an application whose credentials are each
// time the wrong ones gets through where something cures it, and stops where nothing does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { adviceOf, createFetch } from '../../clients/javascript/index.js';
import { findBrowser, startBrowser } from './lib/browser.mjs';
import { build, decided, root, sanitized, startGateway } from './lib/gateway.mjs';
import { token } from './lib/tokens.mjs';

const run = promisify(execFile);
let api, gateway, site, pagePort, origin;
const now = () => Math.floor(Date.now() / 1000);
const made = (claims) => ({ token: token('bob', { claims }) });

before(async () => {
  // The API; what it answers itself is readable to scripts where it says so.
  api = http.createServer(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': `http://127.0.0.1:${pagePort}` }).end(JSON.stringify({ length }));
  });
  await new Promise((ready) => api.listen(0, '127.0.0.1', ready));
  // The application: its page, the client's modules, and tokens as an authorization server would make them.
  site = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    if (url.pathname.startsWith('/client/')) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(path.join(root, 'clients/javascript', path.basename(url.pathname))));
    } else if (url.pathname === '/token') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(made(JSON.parse(url.searchParams.get('claims')))));
    } else {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>app</title>');
    }
  });
  await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  pagePort = site.address().port;
  gateway = await startGateway({ server: decided({ port: api.address().port }, `forbid_cors http://127.0.0.1:${pagePort} max_age=60;`) });
  origin = `http://127.0.0.1:${gateway.port}`;
});
after(async () => {
  await gateway.stop();
  api.closeAllConnections?.();
  api.close();
  site.closeAllConnections?.();
  site.close();
});

// An application whose callbacks are counted.
function application(first) {
  const cures = [];
  const note = (make) => (advice) => { cures.push(advice.cure); return make(advice); };
  const call = createFetch({
    origins: [origin], strict: true, credentials: () => first,
    authenticate: note(() => made({ scope: 'offline' })),
    refresh: note(() => made({ scope: 'offline' })),
    requestScope: note(({ scope }) => made({ scope })),
    stepUp: note(({ acrValues, maxAge }) => made({ acr: acrValues, auth_time: now() - Math.min(10, maxAge ?? 0) })),
  });
  return { call, cures };
}

test('in Node: nobody is signed in', async () => {
  const { call, cures } = application(undefined);
  assert.equal((await call(`${origin}/docs`)).status, 200);
  assert.deepEqual(cures, ['authenticate']);
});

test('in Node: an expired token is refreshed', async () => {
  const { call, cures } = application(made({ exp: now() - 3600 }));
  assert.equal((await call(`${origin}/docs`)).status, 200);
  assert.deepEqual(cures, ['refresh']);
});

test('in Node: an expired token, and then too small a scope', async () => {
  const { call, cures } = application(made({ exp: now() - 3600 }));
  assert.equal((await call(`${origin}/reports/1`)).status, 200);
  assert.deepEqual(cures, ['refresh', 'request_scope']);
});

test('in Node: too weak a sign-in, for a POST with a body', async () => {
  const { call, cures } = application(made({ acr: 'urn:example:password', auth_time: now() - 4000 }));
  const response = await call(`${origin}/transfers`, { method: 'POST', body: '{"to":"x"}', headers: { 'content-type': 'application/json' } });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).length, 10);
  assert.deepEqual(cures, ['step_up']);
});

test('in Node: a role is missing, and nothing is asked for', async () => {
  const { call, cures } = application(made({}));
  const response = await call(`${origin}/docs/1`, { method: 'DELETE' });
  assert.equal(response.status, 403);
  assert.deepEqual(cures, []);
  assert.equal(adviceOf(response).cure, 'give_up');
  assert.equal((await response.json()).reason, adviceOf(response).reason);
});

test('in Node: neither 404, 405 nor 400 is a matter of credentials', async () => {
  const { call, cures } = application(made({}));
  assert.equal(adviceOf(await call(`${origin}/nowhere`)).why, 'not_found');
  const wrong = await call(`${origin}/transfers`, { method: 'PUT' });
  assert.deepEqual([wrong.status, adviceOf(wrong).cure, adviceOf(wrong).allow], [405, 'fix_request', wrong.headers.get('allow')]);
  assert.deepEqual(cures, []);
});

test('forbid lint finds no fault with what the gateway answers', { skip: sanitized ? 'the command is not run under the sanitizer here' : false }, async (t) => {
  const urls = ['/docs', '/docs/1', '/docs/2', '/nowhere', '/reports/1', '/members'].flatMap((target) => ['--url', origin + target]);
  const args = ['lint', ...urls, '--token', made({}).token, '--token', made({ exp: now() - 60 }).token, '--origin', `http://127.0.0.1:${pagePort}`, '--json'];
  // (nginx says its version unless `server_tokens off`, and a GET of what is not there tells a member so.)
  const done = await run(path.join(build, 'forbid'), [...args, '--ignore', 'leak_version']).catch((error) => error);
  if (done.stderr?.includes('no libcurl')) return t.skip('the build has no libcurl');
  const { exchanges, findings } = JSON.parse(done.stdout);
  assert.equal(exchanges, 30);
  assert.deepEqual(findings.map(({ rule, exchange }) => `${rule} ${exchange.method} ${exchange.url.slice(origin.length)} ${exchange.status}`), []);
});

test('in Chromium: the same, across origins', { skip: findBrowser() ? false : 'chromium is not installed' }, async () => {
  const browser = await startBrowser();
  try {
    await browser.open(`http://127.0.0.1:${pagePort}/`);
    await browser.run(`import('/client/index.js').then(({ createFetch, adviceOf }) => {
      const made = (claims) => fetch('/token?claims=' + encodeURIComponent(JSON.stringify(claims))).then((r) => r.json());
      globalThis.play = async (first, target, init) => {
        const cures = [];
        const note = (make) => (advice) => { cures.push(advice.cure); return make(advice); };
        const now = Math.floor(Date.now() / 1000);
        const call = createFetch({ origins: [${JSON.stringify(origin)}], strict: true, credentials: () => first && made(first),
          authenticate: note(() => made({})), refresh: note(() => made({})), requestScope: note(({ scope }) => made({ scope })),
          stepUp: note(({ acrValues }) => made({ acr: acrValues, auth_time: now })) });
        const response = await call(${JSON.stringify(origin)} + target, init);
        return { status: response.status, cures, why: adviceOf(response).why };
      };
    })`);
    const play = (...args) => browser.run(`play(${args.map((a) => JSON.stringify(a) ?? 'undefined').join(', ')})`);
    assert.deepEqual(await play(null, '/docs'), { status: 200, cures: ['authenticate'], why: 'accepted' });
    assert.deepEqual(await play({ exp: now() - 3600 }, '/reports/1'), { status: 200, cures: ['refresh', 'request_scope'], why: 'accepted' });
    assert.deepEqual(await play({ acr: 'urn:example:password', auth_time: now() - 4000 }, '/transfers', { method: 'POST', body: 'x' }),
      { status: 200, cures: ['step_up'], why: 'accepted' });
    const refused = await play({}, '/docs/1', { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.cures], [403, []]);
  } finally {
    await browser.stop();
  }
});
