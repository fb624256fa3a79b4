// SPDX-License-Identifier: Apache-2.0
// What `forbid test` says is what the server does: the tests of policy directories (docs/testing.md) once more, asked of a
// real nginx, and each expectation compared with its answer and its log.
//
// Times.  nginx's clock is not set, so everything that a test dates is moved by the distance between its time and now.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { makeDirectory, startGateway } from './lib/gateway.mjs';
import { request } from './lib/client.mjs';
import { account, forbid, put } from './lib/store.mjs';
import { audience, issuer, token } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const directories = [path.join(here, 'rows'), path.join(here, '../../examples/users-api/policies')];
let upstream;
before(async () => { upstream = await startUpstream(); });
after(async () => upstream.stop());

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
// Every date within a value, moved by `ms`; dates of claims are seconds.
function moved(value, ms, key) {
  if (typeof value === 'string' && DATE.test(value)) return new Date(Date.parse(value) + ms).toISOString().replace(/\.\d+Z$/, 'Z');
  if (typeof value === 'number' && ['exp', 'nbf', 'iat', 'auth_time'].includes(key)) return value + Math.round(ms / 1000);
  if (Array.isArray(value)) return value.map((item) => moved(item, ms));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, moved(item, ms, name)]));
  return value;
}

const entitiesOf = (given, file) => (typeof given === 'string' ? JSON.parse(readFileSync(path.join(path.dirname(file), given), 'utf8')) : given ?? []);
const idOf = (uid) => JSON.parse(/^.*?::(".*")$/s.exec(uid)[1]);

function credentials(as, ms) {
  if (as === undefined || as === 'anonymous') return {};
  let claims;
  if (typeof as === 'string') claims = { sub: idOf(as) };
  else if (as.claims) claims = moved(as.claims, ms);
  else claims = { sub: idOf(as.principal), roles: (as.in ?? []).map(idOf), ...(as.scope ? { scope: as.scope.join(' ') } : {}) };
  return { authorization: `Bearer ${token(claims.sub, { claims })}` };
}

// The entities and accounts of a test lie in a store, made for it.
function makeStore(dir, file, given, own, ms) {
  if (![given.entities, given.accounts, own.entities, own.accounts].some((x) => x !== undefined)) return '';
  const store = `${dir}/store`;
  const entities = new Map();
  for (const entity of [...entitiesOf(given.entities, file), ...entitiesOf(own.entities, file)]) entities.set(JSON.stringify(entity.uid), moved(entity, ms));
  put(store, [...entities.values()], `${dir}/policies/schema.cedarschema`);
  const verbs = { suspended: 'suspend', disabled: 'disable', deleted: 'delete' };
  for (const [uid, state] of Object.entries({ ...given.accounts, ...own.accounts })) {
    if (state === 'active') account(store, 'add', uid); else account(store, verbs[state], uid);
  }
  return `forbid_store ${store};`;
}

async function startWorld(directory, file, given, own, ms) {
  const dir = makeDirectory();
  rmSync(`${dir}/policies`, { recursive: true });
  cpSync(directory, `${dir}/policies`, { recursive: true });
  const levels = { ...given, ...own };
  const disclose = levels.disclose || levels.disclose_anonymous
    ? `forbid_disclose ${levels.disclose ?? 'reason'} anonymous=${levels.disclose_anonymous ?? 'none'};` : '';
  const server = `forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience} ${(given.issuer ?? []).join(' ')};
    set_real_ip_from 127.0.0.1; real_ip_header X-Test-Ip;
    ${makeStore(dir, file, given, own, ms)} ${disclose}
    ${given.unmatched ? `forbid_unmatched ${given.unmatched};` : ''} ${given.cors ? `forbid_cors ${given.cors.join(' ')};` : ''}
    ${given.resource ? `forbid_resource ${given.resource};` : ''}
    location / { proxy_pass http://127.0.0.1:${upstream.port}; }`;
  return startGateway({ dir, server, workers: 1 });
}

function challengeOf(answer) {
  const text = answer.get('www-authenticate');
  return text && Object.fromEntries([...text.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]));
}
function memberwise(expected, got, what) {
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) assert.ok(got[name] === undefined, `${what} ${name}: ${got[name]}`);
    else assert.deepEqual(typeof got[name] === 'number' ? Number(value) : got[name], typeof got[name] === 'number' ? got[name] : value, `${what} ${name}`);
  }
}

// Each aspect of src/cli/aspects.def; one that is not here fails the test that names it.
const compare = {
  forward: (want, { reached }) => assert.equal(reached, want),
  status: (want, { answer }) => assert.equal(answer.status, want, answer.body),
  reason: (want, { log }) => assert.equal(log.reason || null, want),
  detail: (want, { answer }) => { const said = json(answer).detail; if (said !== undefined) assert.equal(said, want); },
  challenge(want, { answer }) {
    const got = challengeOf(answer);
    if (want === null) assert.equal(got, undefined); else memberwise(want, got ?? {}, 'challenge');
  },
  fields: (want, { answer }) => memberwise(want, Object.fromEntries(Object.keys(want).map((name) => [name, answer.get(name.toLowerCase())])), 'field'),
  body(want, { answer }) { if (typeof want === 'string') assert.ok(answer.body.includes(want), answer.body); else memberwise(want, json(answer), 'body'); },
  // A test's request has no id, a server's has.
  disclosed: (want, { answer }) => assert.deepEqual(Object.keys(json(answer)).filter((name) => name !== 'request_id').sort(), [...want].sort()),
  principal: (want, { log }) => { if (!/^Guest::/.test(want)) assert.equal(log.principal || null, want); },
  action: (want, { log }) => assert.equal(log.action || null, want),
  resource: (want, { log }) => assert.equal(log.resource || null, want),
  policies: (want, { log }) => assert.deepEqual(log.policies.split(',').sort(), [...want].sort()),
};
const json = (answer) => JSON.parse(answer.body);

async function replay(gateway, one, ms) {
  const asked = typeof one.request === 'string' ? { method: one.request.split(' ')[0], target: one.request.split(' ')[1] } : one.request;
  const expect = typeof one.expect === 'object' ? one.expect : one.expect === 'forward' ? { forward: true } : { status: one.expect };
  const before = upstream.seen.length, lines = gateway.access().length;
  const answer = await request(gateway.port, asked.method ?? 'GET', asked.target, { ...credentials(one.as, ms), ...asked.fields, ...(asked.ip ? { 'X-Test-Ip': asked.ip } : {}) });
  await gateway.accessed((line) => gateway.access().indexOf(line) >= lines);
  const log = gateway.access()[lines];
  const reached = upstream.seen.length > before;
  if (expect.forward === undefined) assert.ok(!reached, 'nothing reaches the upstream');
  for (const [name, want] of Object.entries(expect)) compare[name](want, { answer, reached, log });
}

for (const directory of directories) {
  const short = path.relative(path.join(here, '../..'), directory);
  test(`${short}: forbid test holds`, () => assert.equal(JSON.parse(forbid(['test', directory, '--json'])).fail, 0));
  for (const name of readdirSync(path.join(directory, 'tests')).filter((n) => n.endsWith('.json')).sort()) {
    const file = path.join(directory, 'tests', name);
    const given = JSON.parse(readFileSync(file, 'utf8'));
    test(`${short}/tests/${name}: nginx agrees`, async (t) => {
      const worlds = new Map();
      try {
        for (const one of given.tests) {
          const asked = typeof one.request === 'object' ? one.request : {};
          const at = one.time ?? given.time;
          const ms = at ? Date.now() - Date.parse(at) : 0;
          const own = Object.fromEntries(['entities', 'accounts', 'disclose', 'disclose_anonymous', 'time'].filter((k) => k in one).map((k) => [k, one[k]]));
          const skip = asked.country ? 'a country wants location data' : asked.tls ? 'TLS wants a certificate' : false;
          await t.test(one.name ?? String(one.request), { skip }, async () => {
            const key = JSON.stringify(own);
            if (!worlds.has(key)) worlds.set(key, await startWorld(directory, file, given, own, ms));
            await replay(worlds.get(key), one, ms);
          });
        }
      } finally {
        for (const gateway of worlds.values()) await gateway.stop();
      }
    });
  }
}
