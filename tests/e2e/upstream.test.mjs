// SPDX-License-Identifier: Apache-2.0
// What the upstream refuses by itself: passed as it is, or put right.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Connection } from './lib/client.mjs';
import { decided, makeDirectory, startGateway } from './lib/gateway.mjs';
import { bearer } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

let upstream, passing, normalizing;
const logged = 'log_format refusals "$status $forbid_upstream_refusal"; access_log logs/refusals.log refusals;';
before(async () => {
  upstream = await startUpstream();
  passing = await startGateway({ http: logged.replace('access_log logs/refusals.log refusals;', ''), server: `${decided(upstream)} access_log logs/refusals.log refusals;` });
  normalizing = await startGateway({ http: logged.replace('access_log logs/refusals.log refusals;', ''), server: `${decided(upstream, 'forbid_upstream_refusals normalize; forbid_disclose reason;')} access_log logs/refusals.log refusals;` });
});
after(async () => {
  await passing?.stop();
  await normalizing?.stop();
  await upstream.stop();
});

const bob = () => bearer('bob');
const basic = 'Basic realm="app"';
const kinds = [
  // what, target, fields, status and challenge put right, kind
  ['401 without a challenge, no credentials', '/health?status=401', {}, 401, 'Bearer realm="api"', '401-without-challenge'],
  ['401 without a challenge, a token', '/health?status=401', bob(), 401, 'Bearer realm="api", error="invalid_token"', '401-without-challenge'],
  ['401 with the application’s own challenge', `/health?status=401&field=${encodeURIComponent(`www-authenticate:${basic}`)}`, {}, 401, basic, '401'],
  ['403 to a client without credentials', '/health?status=403', {}, 401, 'Bearer realm="api"', '403-without-credentials'],
  ['403 to a client with a token', '/health?status=403', bob(), 403, undefined, '403'],
];
for (const [name, target, fields, status, challenge, kind] of kinds) {
  test(`${name}: normalized`, async () => {
    const more = '&field=cache-control:max-age%3D600&field=etag:%22a%22&field=content-language:de&field=x-app:kept&field=set-cookie:a%3Db';
    const answer = await normalizing.request('GET', target + more, fields);
    assert.equal(answer.status, status);
    assert.deepEqual(answer.all('www-authenticate'), challenge === undefined ? [] : [challenge]);
    assert.equal(answer.get('cache-control'), 'no-store');
    assert.deepEqual(answer.all('cache-control').length, 1);
    assert.equal(answer.get('etag'), undefined);
    assert.equal(answer.get('content-language'), undefined);
    assert.equal(answer.get('x-app'), 'kept');
    assert.equal(answer.get('set-cookie'), 'a=b');
    assert.equal(answer.get('content-type'), 'application/json');
    assert.equal(Number(answer.get('content-length')), Buffer.byteLength(answer.body));
    assert.equal(answer.json().error, status === 401 ? 'unauthorized' : 'forbidden');
    assert.equal(answer.json().method, undefined, 'nothing of what the upstream said');
    const page = await normalizing.request('GET', target, { ...fields, accept: 'text/html' });
    assert.match(page.body, /^<!doctype html>/);
  });
  test(`${name}: passed, and counted`, async () => {
    const answer = await passing.request('GET', target, fields);
    assert.equal(answer.status, Number(/status=(\d+)/.exec(target)[1]));
    assert.equal(answer.json().method, 'GET', 'the upstream’s own body');
    for (const gateway of [passing, normalizing]) {
      let log = '';
      const counted = () => log.split('\n').some((line) => line.endsWith(` ${kind}`));
      for (let i = 0; i < 400 && !counted(); i++) {
        log = readFileSync(path.join(gateway.dir, 'logs/refusals.log'), 'utf8');
        await new Promise((done) => setTimeout(done, 20));
      }
      assert.ok(counted(), log);
    }
  });
}

test('a long body of the upstream’s goes, and the connection stays in step', async () => {
  const connection = new Connection(normalizing.port);
  const send = async (target, method = 'GET') => {
    connection.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: ${bob().authorization}\r\n\r\n`);
    return connection.response({ head: method === 'HEAD' });
  };
  for (const size of [0, 1, 5000, 300000]) {
    const answer = await send(`/health?status=403&size=${size}`);
    assert.equal(answer.status, 403);
    assert.equal(JSON.parse(answer.body).error, 'forbidden');
  }
  assert.equal((await send('/health?status=403', 'HEAD')).status, 403);
  const plain = await send('/health');
  assert.equal(plain.status, 200);
  assert.equal(JSON.parse(plain.body).method, 'GET');
  connection.close?.();
});

test('anything else of the upstream’s passes: 200, 404, 500, 451', async () => {
  for (const status of [200, 404, 500, 451]) {
    const answer = await normalizing.request('GET', `/health?status=${status}`, bob());
    assert.equal(answer.status, status);
    assert.equal(answer.json().method, 'GET');
  }
});

test('an application that has fields for scripts: the answer put right has one of each', async () => {
  const shared = await startGateway({ server: decided(upstream, 'forbid_upstream_refusals normalize; forbid_cors https://app.example credentials;') });
  try {
    const target = '/health?status=401&field=access-control-allow-origin:*&field=access-control-expose-headers:X-App';
    const answer = await shared.get(target, { origin: 'https://app.example' });
    assert.deepEqual(answer.all('access-control-allow-origin'), ['https://app.example']);
    assert.equal(answer.all('access-control-expose-headers').length, 1);
    assert.match(answer.get('access-control-expose-headers'), /WWW-Authenticate/);
    assert.deepEqual((await shared.get(target)).all('access-control-allow-origin'), ['*'], 'nothing of ours, so it stays');
  } finally {
    await shared.stop();
  }
});

test('a page of the operator’s for what the upstream refuses stays', async () => {
  const dir = makeDirectory();
  writeFileSync(path.join(dir, 'own.html'), 'the operator’s page');
  const own = await startGateway({ dir, server: `${decided(upstream, 'forbid_upstream_refusals normalize; proxy_intercept_errors on; error_page 401 403 /own.html;')}
    location = /own.html { root ${dir}; }` });
  try {
    for (const status of [401, 403]) {
      const answer = await own.get(`/health?status=${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.body, 'the operator’s page');
    }
  } finally {
    await own.stop();
  }
});
