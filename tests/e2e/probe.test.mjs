// SPDX-License-Identifier: Apache-2.0
// `forbid probe` against our own gateway, where nothing is to be found, and against an API with planted faults, where
// each is found by name and its honest variant is not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findBrowser, startBrowser } from './lib/browser.mjs';
import { document, identities, startBroken } from './lib/broken.mjs';
import { build, decided, makeDirectory, root, startGateway } from './lib/gateway.mjs';
import { put } from './lib/store.mjs';
import { audience, issuer, token } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-probe-'));
const file = (name, value) => { const to = path.join(dir, name); writeFileSync(to, typeof value === 'string' ? value : JSON.stringify(value)); return to; };
after(() => rmSync(dir, { recursive: true, force: true }));

// {status, out, err}; not spawnSync, since the servers are in this process.
function forbid(args, { signal, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(path.join(build, 'forbid'), args, { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
    child.on('close', (status) => resolve({ status, out, err }));
    const kill = setTimeout(() => child.kill('SIGKILL'), 60000);
    child.on('close', () => clearTimeout(kill));
    signal?.(child);
  });
}

const probe = { built: true };
before(async () => {
  const { err } = await forbid(['probe', 'http://127.0.0.1:9', '--openapi', file('api.json', document), '--as', 'x=none']);
  probe.built = !err.includes('no libcurl');
});

async function against(faults, more = [], who = identities, port) {
  const api = await startBroken(faults);
  try {
    const result = await forbid(['probe', `http://127.0.0.1:${port ?? api.port}`, '--openapi', file('api.json', document), '--identities', file('who.json', who),
      '--rate', '0', '--format', 'json', '--max-requests', '200', ...more]);
    return { ...result, seen: api.seen, report: result.out.startsWith('{') ? JSON.parse(result.out) : undefined };
  } finally {
    await api.stop();
  }
}
const rules = (report) => [...new Set(report.findings.map((finding) => finding.rule))];
const places = (report, rule) => report.findings.filter((finding) => finding.rule === rule).map(({ cell }) => `${cell.method} ${cell.path} as ${cell.identity}`);

test('an API that guards itself: nothing is found, and nothing but GET was sent', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const { status, report, seen } = await against([]);
  assert.deepEqual(report.findings, []);
  assert.equal(status, 0);
  assert.ok(seen.length >= 32 && seen.every((line) => line.startsWith('GET ')), seen.join('\n'));
  assert.deepEqual(report.identities, ['nobody', 'alice', 'bob', 'root']);
  assert.equal(report.complete, true);
});

for (const [fault, rule, where] of [
  ['object', 'broken_object', ['GET /notes/7 as bob', 'GET /notes/8 as alice']],
  ['function', 'broken_function', ['GET /admin/users as alice', 'GET /admin/users as bob']],
  ['open', 'open_function', ['GET /reports as nobody']],
  ['status', 'existence_status', ['GET /notes/8 as alice', 'GET /notes/7 as bob']],
  ['bytes', 'existence_form', ['GET /notes/8 as alice', 'GET /notes/7 as bob']],
  ['stranger', 'existence_status', ['GET /notes/7 as nobody']],
  ['view', 'other_view', ['GET /notes/7 as bob', 'GET /notes/8 as alice']],
]) {
  test(`planted: ${fault} is found as ${rule}, and nothing else is`, async (t) => {
    if (!probe.built) return t.skip('the build has no libcurl');
    const { status, report } = await against([fault]);
    assert.deepEqual(rules(report), [rule]);
    assert.deepEqual(places(report, rule).sort(), [...where].sort());
    assert.equal(status, rule === 'other_view' ? 0 : 2);
  });
}

test('the same object with a time and an id in it is the same object', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  assert.deepEqual(rules((await against(['object', 'stamp'])).report), ['broken_object']);
  assert.deepEqual((await against(['stamp'])).report.findings, []);
});

test('what is answered 429 is asked again, and then means what it says', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const { status, report, seen } = await against(['limit']);
  assert.equal(status, 0);
  assert.deepEqual(report.findings, []);
  assert.ok(seen.length > 40 && report.matrix.every((cell) => cell.status !== 429));
});

test('a URL that is not the base of the paths is said', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const server = http.createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { err } = await forbid(['probe', `http://127.0.0.1:${server.address().port}/v2`, '--openapi', path.join(dir, 'api.json'), '--as', 'mia=alice-secret-token', '--owns', 'mia:note=7', '--only', 'notes', '--rate', '0']);
  server.close();
  assert.match(err, /every answer is 404: are the paths right below http:.*\/v2\? {2}The first was \/notes\/7\n$/);
});

test('planted: 403 without credentials, and what a refusal gives away, are found by the rules of lint', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  assert.ok(rules((await against(['missing'])).report).includes('curable_403'));
  assert.ok(rules((await against(['leak'])).report).includes('leak_sql'));
});

test('credentials stand in no report, even if the server repeats them', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  for (const format of ['text', 'json', 'svg', 'sarif']) {
    const { out, err } = await against(['echo'], ['--format', format]);
    assert.doesNotMatch(out + err, /secret-token/, format);
    if (format === 'text') assert.match(out, /leak_token/);
  }
  const bad = file('bad.json', '{"identities": [{"name": "alice", "token": "alice-secret-token\\n", "tokn": 1}]}');
  const { err } = await forbid(['probe', 'http://127.0.0.1:9', '--openapi', file('api.json', document), '--identities', bad]);
  assert.match(err, /bad\.json:1:\d+: an identity has name/);
  assert.doesNotMatch(err, /secret-token/);
});

test('planted: a millisecond tells what exists, by the clock; an honest server does not', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const slow = await against(['time'], ['--timing', '--timing-requests', '400']);
  assert.deepEqual(rules(slow.report), ['existence_timing']);
  assert.ok(slow.report.timing.every(({ auc, identity }) => auc > 0.8 || identity === 'nobody'), JSON.stringify(slow.report.timing));
  const honest = await against([], ['--timing', '--timing-requests', '400']);
  assert.deepEqual(honest.report.findings, []);
  assert.equal(honest.report.timing.length, 2, 'one who is signed in, one who is not');
});

test('--unsafe sends what it names, strangers first; a deletion that a stranger gets is found', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const honest = await against([], ['--unsafe', 'DELETE']);
  assert.deepEqual(honest.report.findings, []);
  assert.ok(honest.seen.some((line) => line.startsWith('DELETE')) && !honest.seen.some((line) => line.startsWith('POST')));
  const { report, seen } = await against(['object'], ['--unsafe', 'DELETE', '--only', 'DELETE']);
  assert.deepEqual(places(report, 'broken_object').sort(), ['DELETE /notes/7 as bob', 'DELETE /notes/8 as alice']);
  assert.ok(seen.every((line) => line.startsWith('DELETE')));
});

test('planted: a slash, HEAD get around a refusal; a page that is sent for everything does not', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  for (const [faults, found] of [[['slash'], /by a slash at the end/], [['head'], /by HEAD/]]) {
    const { status, report } = await against(faults, ['--ways-around', '--max-requests', '500']);
    assert.equal(status, 2);
    assert.deepEqual(rules(report), ['way_around']);
    assert.deepEqual(places(report, 'way_around'), ['GET /admin/users as nobody', 'GET /admin/users as alice']);
    assert.match(report.findings[0].found, found);
  }
  for (const faults of [[], ['page']]) assert.deepEqual((await against(faults, ['--ways-around', '--max-requests', '500'])).report.findings, []);
});

test('a baseline: what is known does not fail', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const first = await against(['object']);
  const again = await against(['object'], ['--baseline', file('known.json', first.out)]);
  assert.equal(again.status, 0);
  assert.equal(again.report.known, 2);
  const worse = await against(['object', 'function'], ['--baseline', path.join(dir, 'known.json')]);
  assert.equal(worse.status, 2);
  assert.equal(worse.report.errors, 2);
});

test('bounds: --max-requests refuses a longer plan, --plan sends nothing, a server that is not there is a failure', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const many = await against([], ['--max-requests', '10']);
  assert.equal(many.status, 1);
  assert.match(many.err, /that makes 32 requests, more than --max-requests 10/);
  assert.equal(many.seen.length, 0);
  const plan = await against([], ['--plan', '--format', 'text']);
  assert.equal(plan.status, 0);
  assert.equal(plan.seen.length, 0);
  assert.match(plan.out, /^GET http:.*\/api\/notes\/7 {2}as bob {2}\(alice's\)$/m);
  const gone = await against([], [], identities, 9);
  assert.equal(gone.status, 1);
  assert.match(gone.err, /does not answer/);
});

test('Ctrl-C: what was found until then is reported', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const api = await startBroken(['function']);
  const { status, out } = await forbid(['probe', `http://127.0.0.1:${api.port}`, '--openapi', path.join(dir, 'api.json'), '--identities', file('who.json', identities), '--rate', '20', '--format', 'json'],
    { signal: (child) => { const wait = setInterval(() => { if (api.seen.length >= 4) { clearInterval(wait); child.kill('SIGINT'); } }, 10); } });
  await api.stop();
  const report = JSON.parse(out);
  assert.equal(report.complete, false);
  assert.ok(report.requests < 20, `${report.requests}`);
  assert.ok(rules(report).includes('broken_function'));
  assert.equal(status, 2);
});

test('the picture: in Chromium, light and dark, with every status and no colour alone', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  if (!findBrowser()) return t.skip('there is no chromium');
  const picture = path.join(dir, 'matrix.svg');
  await against(['object', 'open'], ['--output', picture, '--header', 'X-Name: <&>'], { ...identities, identities: [...identities.identities, { name: '<b>"&eve', token: 'eve-secret-token' }] });
  const browser = await startBrowser();
  try {
    const seen = [];
    for (const scheme of ['light', 'dark']) {
      await browser.colours(scheme);
      await browser.open(pathToFileURL(picture).href);
      const page = await browser.run(`({ error: document.querySelector('parsererror') !== null, title: document.querySelector('title').textContent,
        names: [...document.querySelectorAll('text.n')].map((e) => e.firstChild.textContent), wrong: [...document.querySelectorAll('rect.error + path + text')].map((e) => e.textContent),
        paper: getComputedStyle(document.querySelector('rect')).fill, ink: getComputedStyle(document.querySelector('text.h')).fill,
        outside: [...document.querySelectorAll('text')].filter((e) => { const box = e.getBBox(); return box.x < 0 || box.x + box.width > document.documentElement.viewBox.baseVal.width || box.y + box.height > document.documentElement.viewBox.baseVal.height; }).length })`);
      assert.equal(page.error, false);
      assert.match(page.title, /^Who gets what of http:/);
      assert.deepEqual(page.names, ['nobody', 'alice', 'bob', 'root', '<b>"&eve']);
      assert.ok(page.wrong.length >= 4 && page.wrong.every((text) => /^200\+?$/.test(text)), `${page.wrong}`);
      assert.equal(page.outside, 0, 'text beyond the edge');
      seen.push(page.paper, page.ink);
    }
    assert.equal(new Set(seen).size, 4, `${seen}`);
  } finally {
    await browser.stop();
  }
});

// --- Our own gateway ---------------------------------------------------------------------------------------------

let gateway, upstream;
const people = { 123: 'mia', 456: 'otto', 900: 'ada', 700: 'sam' };
const members = { identities: [...Object.entries(people).map(([sub, name]) => ({ name, token: token(sub) })), { name: 'forged', token: 'not.a.token' }] };
const site = () => ['--issuer', issuer, '--jwks', path.join(gateway.dir, 'keys.json'), '--audience', audience, '--store', path.join(gateway.dir, 'store')];

before(async () => {
  const place = makeDirectory();
  rmSync(path.join(place, 'policies'), { recursive: true });
  cpSync(path.join(root, 'examples/users-api/policies'), path.join(place, 'policies'), { recursive: true });
  put(path.join(place, 'store'), JSON.parse(readFileSync(path.join(root, 'examples/users-api/users.json'), 'utf8')));
  upstream = spawn(process.execPath, [path.join(root, 'examples/users-api/api.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve) => upstream.stdout.setEncoding('utf8').once('data', (text) => resolve(text.trim())));
  gateway = await startGateway({ dir: place, http: 'server_tokens off;', server: `
    forbid on;
    forbid_policies policies;
    forbid_store store;
    forbid_issuer ${issuer} jwks=keys.json audience=${audience};
    location / { proxy_pass http://127.0.0.1:${port}; }
    location /api/me { forbid off; proxy_pass http://127.0.0.1:${port}; }` });
});
after(async () => { upstream?.kill(); await gateway?.stop(); });

const ours = async (more) => {
  const result = await forbid(['probe', `http://127.0.0.1:${gateway.port}`, '--policies', path.join(gateway.dir, 'policies'), '--identities', file('members.json', members),
    '--rate', '0', '--format', 'json', ...site(), ...more]);
  return { ...result, report: result.out.startsWith('{') ? JSON.parse(result.out) : undefined };
};

test('our own gateway with the policies of the sample: no findings, by each method', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const { status, report, err } = await ours(['--skip', '/api/me', '--unsafe', 'POST,PATCH,DELETE', '--ways-around']);
  assert.equal(err, '');
  assert.deepEqual(report.findings, []);
  assert.equal(status, 0);
  assert.ok(report.matrix.every((cell) => cell.expected), 'each answer was held against the policies');
  assert.ok(report.matrix.some((cell) => cell.object === 'owned' && cell.path === '/api/users/123' && cell.owner === 'mia'), 'a principal owns what is its own');
  assert.deepEqual(report.not_asked.map(({ route }) => route), ['GET /api/me']);
});

test('a location that Forbid does not guard: reachable though the policies refuse it', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const { status, report } = await ours(['--only', '/api/me']);
  assert.deepEqual(places(report, 'open_function'), ['GET /api/me as nobody']);
  assert.deepEqual(places(report, 'broken_function'), ['GET /api/me as forged']);
  assert.equal(status, 2);
});

test('each difference from the policies, by name', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const mia = 'mia-secret-token';
  const server = http.createServer((request, response) => {
    const is = (who, target) => who === (request.headers.authorization === `Bearer ${mia}`) && target === request.url;
    const answer = (status, fields = {}) => response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...fields }).end('{}');
    const bearer = 'Bearer realm="api"';
    if (is(true, '/api/users/123')) return answer(403);                                 // allowed
    if (is(true, '/api/users')) return answer(404);                                     // 403 it should be
    if (is(false, '/api/me')) return answer(401, { 'www-authenticate': `${bearer}, error="invalid_token"` });
    if (is(true, '/api/health')) return answer(500);
    if (is(false, '/api/health')) return request.socket.destroy();
    if (is(true, '/api/users/2071804163/invoices')) return answer(200);                 // nobody's: 404 it should be
    if (is(true, '/api/users/123/private-data')) return answer(200);
    if (is(true, '/api/me') || request.url.startsWith('/api/articles/')) return answer(request.url.endsWith('memo') ? 451 : request.url.endsWith('welcome') ? 200 : 404, { link: '<https://api.example/legal>; rel="blocked-by"' });
    return request.headers.authorization ? answer(request.url.includes('2071804163') ? 404 : 200) : answer(401, { 'www-authenticate': bearer });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const who = { identities: [{ name: 'mia', token: mia, principal: 'User::"123"' }] };
  const { out, status } = await forbid(['probe', `http://127.0.0.1:${server.address().port}`, '--policies', path.join(gateway.dir, 'policies'), '--store', path.join(gateway.dir, 'store'),
    '--identities', file('mia.json', who), '--rate', '0', '--format', 'json']);
  server.closeAllConnections?.();
  server.close();
  const { findings } = JSON.parse(out);
  assert.deepEqual(findings.filter(({ rule }) => !/^(refused_200|curable|error_unasked|problem)/.test(rule)).map(({ rule, cell, found }) => `${rule}: ${cell.path} as ${cell.identity}: ${found}`), [
    'reachable: /api/users/2071804163/invoices as mia: 200; the policies say 404 (resource_not_found)',
    'refused: /api/users/123 as mia: 403',
    'other_status: /api/users as mia: 404; the policies call for 403 (insufficient_role)',
    'other_challenge: /api/me as nobody: Bearer realm="api", error="invalid_token"; the policies call for one without error',
    'fault: /api/health as mia: 500',
    'unanswered: /api/health as nobody: Server returned nothing (no headers, no data)',
  ]);
  assert.equal(status, 2);
});

test('who is not known to the policies is said', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const args = ['probe', `http://127.0.0.1:${gateway.port}`, '--policies', path.join(gateway.dir, 'policies'), '--rate', '0', '--only', 'GET /api/users', '--as', `mia=${token('123')}`];
  assert.match((await forbid(args)).err, /not held against the policies, .*: mia;/);
  assert.match((await forbid([...args, ...site().slice(0, 6)])).err, /the policies know no account of mia/);
  assert.match((await forbid(['probe', `http://127.0.0.1:${gateway.port}`, ...args.slice(2, -1), 'old=not.a.token'])).err, /old: 401 from every route/);
});

test('a secret action of our own gateway: what is hidden is as what is not there, by the clock as well', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const place = makeDirectory();
  for (const [name, text] of Object.entries({
    'schema.cedarschema': 'entity User = { name: String }; entity Note = { owner: User }; @route("GET /notes/{id}") @conceal("read") action read appliesTo { principal: User, resource: Note };',
    'docs.cedar': 'permit (principal, action, resource) when { resource.owner == principal };', 'entities.json': '[]',
  })) writeFileSync(path.join(place, 'policies', name), text);
  const owner = (id) => ({ uid: { type: 'Note', id: `${id}s` }, attrs: { owner: { __entity: { type: 'User', id } } }, parents: [] });
  const user = (id) => ({ uid: { type: 'User', id }, attrs: { name: id }, parents: [] });
  put(path.join(place, 'store'), [user('alice'), user('bob'), owner('alice'), owner('bob')]);
  const api = await startUpstream();
  const hiding = await startGateway({ dir: place, http: 'server_tokens off;', server: decided(api, 'forbid_store store;') });
  const { out, err } = await forbid(['probe', `http://127.0.0.1:${hiding.port}`, '--policies', path.join(place, 'policies'), '--store', path.join(place, 'store'), '--rate', '0', '--format', 'json',
    '--issuer', issuer, '--jwks', path.join(place, 'keys.json'), '--audience', audience, '--as', `alice=${token('alice')}`, '--as', `bob=${token('bob')}`,
    '--owns', 'alice:id=alices', '--owns', 'bob:id=bobs', '--timing', '--timing-requests', '200']);
  await hiding.stop();
  await api.stop();
  assert.equal(err, '');
  const { findings, matrix, timing } = JSON.parse(out);
  assert.deepEqual(findings, []);
  const statuses = (find, who) => matrix.filter((cell) => find(cell) && cell.identity === who).map(({ status }) => status).join();
  const alices = (cell) => cell.path === '/notes/alices';
  assert.deepEqual([statuses(alices, 'alice'), statuses(alices, 'bob'), statuses((cell) => cell.object === 'absent', 'bob')], ['200', '404', '404']);
  assert.match(matrix.find((cell) => cell.object === 'absent').path, /^\/notes\/[b-z]{6}$/, 'of the same length');
  assert.equal(timing.length, 2);
});

test('SARIF names the route in the schema', async (t) => {
  if (!probe.built) return t.skip('the build has no libcurl');
  const { out } = await ours(['--only', '/api/me', '--format', 'sarif']);
  const [first] = JSON.parse(out).runs[0].results;
  assert.equal(first.ruleId, 'probe.broken_function');
  assert.match(first.locations[0].physicalLocation.artifactLocation.uri, /schema\.cedarschema$/);
  assert.ok(first.locations[0].physicalLocation.region.startLine > 1);
});
