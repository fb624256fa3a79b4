// SPDX-License-Identifier: Apache-2.0
// Cerbos' server, asked over HTTP on loopback, one request at a time on one connection.  It keeps no
// entities: each request brings the attributes that the policies read, gathered here beforehand.
//
//   node bench/peers/cerbos/run.mjs NODE_MODULES [--budget MS] CASE…
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, readArguments, readJson, readSeries, readUid, say } from '../measure.mjs';

const here = path.dirname(fileURLToPath(import.meta.url)), modules = process.argv[2];
const require = createRequire(path.join(modules, 'x.js'));
const { version } = require('cerbos/package.json');
const binary = path.join(modules, '@cerbos', `cerbos-${process.platform}-${process.arch}`, `cerbos-${process.platform}-${process.arch}`);

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function post(port, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/api/check/resources',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).end(body);
  });
}

async function start(port, grpc) {
  const settings = [`server.httpListenAddr=127.0.0.1:${port}`, `server.grpcListenAddr=127.0.0.1:${grpc}`, 'telemetry.disabled=true',
    'storage.driver=disk', `storage.disk.directory=${path.join(here, 'policies')}`];
  const child = spawn(binary, ['server', '--log-level=error', ...settings.map((setting) => `--set=${setting}`)], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let i = 0; i < 200; i++) {
    await new Promise((done) => setTimeout(done, 50));
    if (child.exitCode !== null) break;
    if (await post(port, '{}').then(() => true, () => false)) return child;
  }
  child.kill();
  throw new Error('cerbos does not start');
}

const text = ({ type, id }) => `${type}::"${id}"`;
const plain = (value) => (value?.__entity ? text(value.__entity) : Array.isArray(value) ? value.map(plain) : value);

// What an entity brings: its attributes, its groups, and those of the repository or the owner it belongs to.
function gather(dir) {
  const entities = new Map(readJson(dir, 'entities.json').map((entity) => [text(entity.uid), entity])), known = new Map();
  const above = (uid, into = new Set()) => {
    for (const parent of entities.get(uid)?.parents ?? []) if (!into.has(text(parent))) { into.add(text(parent)); above(text(parent), into); }
    return into;
  };
  const attrs = (uid) => Object.fromEntries(Object.entries(entities.get(uid).attrs).map(([name, value]) => [name, plain(value)]));
  return (uid) => {
    if (!known.has(uid)) {
      const own = attrs(uid), repo = own.repo ? attrs(own.repo) : own;
      delete own.tasks;
      known.set(uid, { ...repo, ...own, groups: [...above(uid)], ...(repo.org ? { owners: attrs(repo.org).owners } : {}),
        ...(own.owner ? { blocked: attrs(own.owner).blocked ?? [] } : {}) });
    }
    return known.get(uid);
  };
}

const { budget, cases } = readArguments(process.argv.slice(3));
const port = await freePort(), child = await start(port, await freePort());
try {
  for (const dir of cases) {
    const begin = process.hrtime.bigint(), brought = gather(dir);
    const load_ms = Number(process.hrtime.bigint() - begin) / 1e6;
    for (const { series, requests } of readSeries(dir)) {
      const bodies = requests.map(({ principal, action, resource }) => ({ action: readUid(action).id, body: JSON.stringify({
        principal: { id: principal, roles: ['user'], attr: brought(principal) },
        resources: [{ actions: [readUid(action).id], resource: { kind: readUid(resource).type, id: resource, attr: brought(resource) } }] }) }));
      const decide = async ({ action, body }) => {
        const answer = await post(port, body);
        if (answer.status !== 200) throw new Error(answer.text);
        return JSON.parse(answer.text).results[0].actions[action] === 'EFFECT_ALLOW';
      };
      say({ peer: 'cerbos', version, mode: 'http', case: path.basename(dir), series, load_ms, ...(await measure(decide, bodies, budget)) });
    }
  }
} finally {
  child.kill();
  agent.destroy();
}
