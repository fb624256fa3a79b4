// SPDX-License-Identifier: Apache-2.0
// What Forbid costs an nginx: the same server with the module and without, in one run, interleaved.
//
//   node bench/nginx.mjs [BUILD] [--rounds N] [--seconds S] [--hot N,N…] [--instructions 0|1] [--json FILE]
//
// The case: 1,000 routes; an RS256 token seen before, of one of --hot principals in turn (a row for 16,
// whose data stay in the caches of a processor, and one for 1,000, whose data do not); an account row;
// three entities read (principal, resource, the resource's owner) and a group; 10,000 users and
// 10,000 projects in the store.  On a static file and proxied to a second nginx; and a refusal beside
// nginx's own `deny all`.
//
// Rows: CPU microseconds of the front's worker a request (its time on a processor, from
// /proc/PID/schedstat, over the requests that wrk completed), requests a second, instructions a request
// (callgrind, one worker in the foreground: 12,000 requests less 2,000).  Ratios are pair by pair,
// their median is shown.  Needs wrk; valgrind for the instructions.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const options = { rounds: 7, seconds: 2, hot: '16,1000', instructions: 1, json: null };
const words = process.argv.slice(2);
const build = path.resolve(words[0] && !words[0].startsWith('--') ? words.shift() : 'build');
for (let i = 0; i < words.length; i += 2) {
  const name = words[i].slice(2);
  options[name] = ['json', 'hot'].includes(name) ? words[i + 1] : Number(words[i + 1]);
}

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
if (!has('wrk')) { console.log('wrk is not installed'); process.exit(77); }

const ROUTES = 1000, USERS = 10000, HOTS = options.hot.split(',').map(Number), HOT = Math.max(...HOTS);
const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-bench-'));
chmodSync(dir, 0o755);
const children = [];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});

// --- The world -----------------------------------------------------------------------------------------
function writePolicies() {
  const policies = path.join(dir, 'policies');
  mkdirSync(policies);
  const actions = Array.from({ length: ROUTES }, (_, i) => `@route("GET /r${i}/items/{id}")\naction read${i} in [read] `
    + 'appliesTo { principal: User, resource: Project, context: { time: datetime } };').join('\n');
  writeFileSync(path.join(policies, 'schema.cedarschema'), `entity Team;\nentity User in [Team] = { level: Long, suspended: Bool };
entity Project = { owner: User, team: Team, open: Bool };\naction read;\n${actions}\n`);
  const others = Array.from({ length: 20 }, (_, i) => `permit (principal in Team::"special${i}", action == Action::"read${i}", resource);`);
  writeFileSync(path.join(policies, 'p.cedar'), `${others.join('\n')}
permit (principal is User, action in Action::"read", resource is Project)
when { principal.level > 1 && principal in resource.team && resource.owner.level >= 0 };
forbid (principal, action, resource) when { context.time < datetime("2020-01-01") };\n`);
  const entities = [];
  for (let i = 0; i < USERS; i++) {
    entities.push({ uid: { type: 'User', id: `u${i}` }, attrs: { level: 2 + (i % 5), suspended: false }, parents: [{ type: 'Team', id: `t${i % 100}` }] });
    entities.push({ uid: { type: 'Project', id: `p${i}` }, parents: [], attrs: { open: true,
      owner: { __entity: { type: 'User', id: `u${(i * 7) % USERS}` } }, team: { __entity: { type: 'Team', id: `t${i % 100}` } } } });
  }
  const file = path.join(dir, 'entities.json');
  writeFileSync(file, JSON.stringify(entities));
  const store = path.join(dir, 'store');
  const forbid = (...args) => execFileSync(path.join(build, 'forbid'), [...args, '--store', store], { stdio: ['ignore', 'ignore', 'inherit'] });
  forbid('entity', 'put', file);
  for (let i = 0; i < 20; i++) { forbid('account', 'suspend', `User::"u${i}"`); forbid('account', 'restore', `User::"u${i}"`); }
}

function mintTokens() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(path.join(dir, 'jwks.json'), JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] }));
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 86400;
  return Array.from({ length: HOT }, (_, i) => {
    const text = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'k' })}.${encode({ iss: 'https://login.example', aud: 'api', sub: `u${i}`, exp, scope: 'read write', client_id: 'bench', jti: `${i}-0123456789abcdef` })}`;
    return `${text}.${crypto.sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  });
}

// A wrk script that walks through the hot principals; each reads a project of its own team.
function writeScript(tokens, hot) {
  const list = tokens.slice(0, hot).map((token, i) => `{"/r${(i * 37) % ROUTES}/items/p${(i + 100 * (i % 90)) % USERS}","Bearer ${token}"}`).join(',\n');
  writeFileSync(path.join(dir, `walk-${hot}.lua`), `local list = {${list}}\nlocal made = {}\nlocal n = 0
init = function(args) for i, r in ipairs(list) do made[i] = wrk.format("GET", r[1], {["Authorization"] = r[2], ["Host"] = "api"}) end end
request = function() n = n % #made + 1; return made[n] end\n`);
}

// --- Servers --------------------------------------------------------------------------------------------
function configure({ name, port, location, module = false, extra = '', foreground = false }) {
  const home = path.join(dir, name);
  mkdirSync(path.join(home, 'temp'), { recursive: true });
  writeFileSync(path.join(home, 'item.txt'), 'ok\n');
  chmodSync(home, 0o755);
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((t) => `${t}_temp_path ${home}/temp/${t};`).join(' ');
  writeFileSync(path.join(home, 'nginx.conf'), `${module ? `load_module ${build}/ngx_http_forbid_module.so;` : ''}
${process.getuid() === 0 ? 'user root;' : ''} worker_processes 1; daemon off; ${foreground ? 'master_process off;' : ''} pid ${home}/pid; error_log ${home}/error.log warn;
events { worker_connections 512; }
http { ${temps} access_log off; keepalive_requests 100000000; keepalive_timeout 600s; open_file_cache max=100;
  ${extra}
  server { listen 127.0.0.1:${port}; server_name api; root ${home};
    ${module ? `forbid on; forbid_policies ${dir}/policies; forbid_store ${dir}/store${foreground ? ' map=256m' : ''}; forbid_issuer https://login.example jwks=${dir}/jwks.json audience=api;` : ''}
    location / { ${location} } } }\n`);
  return home;
}

const nginxArguments = (home) => ['-p', `${home}/`, '-c', `${home}/nginx.conf`, '-e', `${home}/error.log`];
async function serve(server) {
  const home = configure(server);
  const child = spawn('taskset', ['-c', server.core ?? '0', 'nginx', ...nginxArguments(home)], { stdio: 'inherit' });
  children.push(child);
  for (let i = 0; i < 100; i++) {
    await pause(50);
    const workers = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.trim().split('\n').filter(Boolean);
    if (workers.length === 1 && await reachable(server.port)) return { ...server, worker: workers[0] };
  }
  throw new Error(`${server.name} did not start: ${readFileSync(path.join(home, 'error.log'), 'utf8')}`);
}
const reachable = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
});
const onProcessor = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);

function load(server, hot, seconds) {
  return new Promise((resolve, reject) => {
    const before = onProcessor(server.worker);
    const child = spawn('taskset', ['-c', '1', 'wrk', '-t1', '-c32', `-d${seconds}s`, '-s', path.join(dir, `walk-${hot}.lua`), `http://127.0.0.1:${server.port}`]);
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; });
    child.on('exit', () => {
      const used = onProcessor(server.worker) - before;
      const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
      const wrong = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
      const expected = server.refuses ? requests : 0;
      if (!requests || wrong !== expected) reject(new Error(`${server.name}: ${wrong} of ${requests} answers are not the expected ones\n${text}`));
      else resolve({ micros: used / 1000 / requests, rate: requests / seconds });
    });
  });
}

// --- Instructions --------------------------------------------------------------------------------------
function send(port, count, next) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  let left = count, statuses = {};
  const one = () => new Promise((resolve, reject) => {
    const { target, token } = next();
    http.get({ host: '127.0.0.1', port, path: target, agent, headers: { Authorization: `Bearer ${token}`, Host: 'api' } }, (response) => {
      statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
  const lane = async () => { while (left-- > 0) await one(); };
  return Promise.all([lane(), lane(), lane(), lane()]).then(() => { agent.destroy(); return statuses; });
}

async function countOnce(server, requests, tokens) {
  const name = `count-${server.name}-${requests}`;
  const port = await freePort();
  const home = configure({ ...server, name, port, foreground: true });
  const out = path.join(home, 'callgrind');
  const child = spawn('valgrind', ['--tool=callgrind', `--callgrind-out-file=${out}`, 'nginx', ...nginxArguments(home)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk) => { text += chunk; });
  children.push(child);
  for (let i = 0; i < 400 && !(await reachable(port)); i++) await pause(50);
  let n = 0;
  const statuses = await send(port, requests, () => { const i = n++ % HOT; return { target: `/r${(i * 37) % ROUTES}/items/p${(i + 100 * (i % 90)) % USERS}`, token: tokens[i] }; });
  await new Promise((done) => { child.once('exit', done); child.kill('SIGQUIT'); });
  const wanted = server.refuses ? '403' : '200';
  if (Object.keys(statuses).join() !== wanted) throw new Error(`callgrind: answers ${JSON.stringify(statuses)}, not ${wanted} alone`);
  const total = /Collected : (\d+)/.exec(text);
  if (!total) throw new Error(`callgrind: ${text.slice(-600)}`);
  return Number(total[1]);
}
const instructions = async (server, tokens) => (await countOnce(server, 12000, tokens) - await countOnce(server, 2000, tokens)) / 10000;

// --- The table -------------------------------------------------------------------------------------------
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function main() {
  writePolicies();
  const tokens = mintTokens();
  for (const hot of HOTS) writeScript(tokens, hot);
  const backendPort = await freePort();
  await serve({ name: 'backend', port: backendPort, core: '1', location: 'return 200 "ok\\n";' });
  const upstream = `upstream backend { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 100000000; }`;
  const file = 'try_files /item.txt =404;';
  const proxy = 'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";';
  const servers = {};
  for (const [name, server] of Object.entries({
    file: { location: file }, 'file+forbid': { location: file, module: true },
    proxy: { location: proxy, extra: upstream }, 'proxy+forbid': { location: proxy, extra: upstream, module: true },
    deny: { location: `deny all; ${file}`, refuses: true },
    'refuse+forbid': { location: `forbid_store off; ${file}`, module: true, refuses: true },
  })) servers[name] = await serve({ name, port: await freePort(), ...server });
  const results = {};
  const cases = Object.keys(servers).flatMap((name) => (servers[name].refuses ? [HOT] : HOTS).map((hot) => ({ name, hot, key: `${name} ${hot}` })));
  for (const { name, hot } of cases) await load(servers[name], hot, 1);
  for (let round = 0; round < options.rounds; round++) {
    for (const { name, hot, key } of cases) (results[key] ??= []).push(await load(servers[name], hot, options.seconds));
    if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1} of ${options.rounds}`);
  }
  const counts = {};
  if (options.instructions && has('valgrind')) for (const name of Object.keys(servers)) if (!name.startsWith('proxy')) {
    try { counts[name] = await instructions(servers[name], tokens); } catch (error) { counts[name] = NaN; console.error(`${name}: ${error.message}`); }
  }
  const rows = [];
  for (const [base, with_] of [['file', 'file+forbid'], ['proxy', 'proxy+forbid'], ['deny', 'refuse+forbid']]) for (const hot of servers[base].refuses ? [HOT] : HOTS) {
    const without = results[`${base} ${hot}`], withIt = results[`${with_} ${hot}`];
    const pairs = without.map((b, i) => ({ micros: withIt[i].micros - b.micros, rate: withIt[i].rate / b.rate }));
    rows.push({ case: base, hot, without: median(without.map((r) => r.micros)), with: median(withIt.map((r) => r.micros)),
      more: median(pairs.map((p) => p.micros)), rate: median(pairs.map((p) => p.rate)),
      rateMin: Math.min(...pairs.map((p) => p.rate)), rateMax: Math.max(...pairs.map((p) => p.rate)),
      instructions: counts[base] && counts[with_] ? counts[with_] - counts[base] : null,
      instructionsWithout: counts[base] ?? null });
  }
  console.log('| case | hot principals | without, CPU µs/request | with | more, µs | requests/s, ratio (min–max) | instructions more (of) |');
  console.log('|---|---|---|---|---|---|---|');
  for (const r of rows) console.log(`| ${r.case} | ${r.hot} | ${r.without.toFixed(2)} | ${r.with.toFixed(2)} | ${r.more.toFixed(2)} | ${r.rate.toFixed(3)} (${r.rateMin.toFixed(2)}–${r.rateMax.toFixed(2)}) | ${r.instructions ? `${Math.round(r.instructions)} (${Math.round(r.instructionsWithout)})` : '–'} |`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ when: new Date().toISOString(), cpus: os.cpus().map((c) => c.model), rounds: options.rounds, seconds: options.seconds, rows }, null, 2)}\n`);
}

let status = 1;
try { await main(); status = 0; } catch (error) { console.error(error.message); } finally {
  await Promise.all(children.map((child) => (child.exitCode !== null || child.signalCode ? null : new Promise((done) => { child.once('exit', done); child.kill('SIGQUIT'); setTimeout(() => child.kill('SIGKILL'), 3000).unref(); }))));
  rmSync(dir, { recursive: true, force: true });
}
process.exit(status);
