// SPDX-License-Identifier: Apache-2.0
// A real nginx with the module, in a directory of its own, on a free port.
//
// FB_BUILD names the build directory.  Under FB_SANITIZED the module was built with the address
// sanitizer: libasan is preloaded, and the whole nginx runs as `nobody`, for the leak checker cannot
// look into workers that changed their user.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { audience, issuer, writeKeys } from './tokens.mjs';
import { request } from './client.mjs';

export const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const root = path.resolve(here, '../..');
export const build = path.resolve(root, process.env.FB_BUILD ?? 'build');
export const sanitized = Boolean(process.env.FB_SANITIZED);
const asRoot = process.getuid() === 0;
const nobody = asRoot ? { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) } : {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function freePort() {
  const server = net.createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

function environment(dir) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  if (sanitized) {
    env.LD_PRELOAD = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
    env.ASAN_OPTIONS = `detect_leaks=1:log_path=${dir}/sanitizer:halt_on_error=1:abort_on_error=0:detect_odr_violation=0:quarantine_size_mb=2`;
    env.UBSAN_OPTIONS = `log_path=${dir}/sanitizer:print_stacktrace=1:halt_on_error=1`;
    env.LSAN_OPTIONS = `suppressions=${here}/lsan.supp:print_suppressions=0`;
  }
  return env;
}

// A temporary directory with policies (a copy that a test may change) and keys, which the workers
// can read.
export function makeDirectory() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-e2e-'));
  chmodSync(dir, 0o755);
  cpSync(path.join(here, 'policies'), path.join(dir, 'policies'), { recursive: true });
  mkdirSync(path.join(dir, 'logs'));
  mkdirSync(path.join(dir, 'temp'));
  writeKeys(path.join(dir, 'keys.json'));
  if (sanitized && asRoot) for (const sub of ['', 'logs', 'temp']) chownSync(path.join(dir, sub), nobody.uid, nobody.gid);
  return dir;
}

// `main`, `http`, `server`: directives put into these blocks.  ${…} of the text is up to the caller.
export function configuration({ dir, port, workers = 2, main = '', http = '', server = '', servers = '', level = 'info', listen = '', module = `${build}/ngx_http_forbid_module.so` }) {
  const user = asRoot && !sanitized ? 'user nobody nogroup;' : '';
  return `${user}
load_module ${module};
worker_processes ${workers};
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/logs/error.log ${level};
worker_shutdown_timeout 2s;
${main}
events { worker_connections 512; accept_mutex off; }
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/temp/${name};`).join('\n  ')}
  log_format decisions escape=json '{"request":"$request","http":"$status","decision":"$forbid_decision","status":"$forbid_status","reason":"$forbid_reason","policies":"$forbid_policies","principal":"$forbid_principal","action":"$forbid_action","resource":"$forbid_resource","id":"$forbid_id","ns":"$forbid_time_ns","pid":"$pid"}';
  access_log ${dir}/logs/access.log decisions;
  default_type application/octet-stream;
  ${http}
  ${servers || `server {
    listen 127.0.0.1:${port} reuseport;
    ${listen}
    server_name api.example;
    ${server}
  }`}
}
`;
}

// What most tests want: everything decided, everything forwarded.  `settings` come before.
export const decided = (upstream, settings = '') => `
    forbid on;
    forbid_policies policies;
    forbid_issuer ${issuer} jwks=keys.json audience=${audience};
    ${settings}
    add_header X-Worker $pid always;
    location / { proxy_pass http://127.0.0.1:${upstream.port}; }`;

// `nginx -t` on a configuration: {ok, text}.
export function test(options) {
  const dir = options.dir ?? makeDirectory();
  const result = configurationTest(options, dir);
  const report = sanitizerReport(dir);
  if (!options.dir) rmSync(dir, { recursive: true, force: true });
  if (report !== '') throw new Error(`the sanitizer reports:\n${report.slice(0, 6000)}`);
  return result;
}

const sanitizerReport = (dir) => readdirSync(dir).filter((name) => name.startsWith('sanitizer')).map((name) => readFileSync(path.join(dir, name), 'utf8')).join('\n');

function configurationTest(options, dir) {
  writeFileSync(path.join(dir, 'nginx.conf'), configuration({ port: 20000 + Math.floor(Math.random() * 10000), ...options, dir }));
  try {
    const text = execFileSync('nginx', ['-t', '-p', `${dir}/`, '-c', `${dir}/nginx.conf`, '-e', `${dir}/logs/error.log`],
      { env: environment(dir), ...(sanitized ? nobody : {}), stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    return { ok: true, text };
  } catch (error) {
    return { ok: false, text: `${error.stdout}${error.stderr}` };
  }
}

// `text`: the whole configuration instead, which listens on `port`.
export async function startGateway(options) {
  const dir = options.dir ?? makeDirectory();
  const port = options.port ?? await freePort();
  const file = path.join(dir, 'nginx.conf');
  const write = (changes) => {
    const all = { ...options, ...changes, dir, port };
    if (typeof all.servers === 'function') all.servers = all.servers(port);
    writeFileSync(file, all.text ?? configuration(all));
  };
  write({});
  const command = ['-p', `${dir}/`, '-c', file, '-e', `${dir}/logs/error.log`];
  const child = spawn('nginx', command, { env: environment(dir), ...(sanitized ? nobody : {}), stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  let exited = false;
  ended.then(() => { exited = true; });
  const log = (name) => (existsSync(`${dir}/logs/${name}.log`) ? readFileSync(`${dir}/logs/${name}.log`, 'utf8') : '');
  // The access log as far as it was read; it only grows.
  const lines = [];
  let read = 0;
  const access = () => {
    const whole = log('access');
    const end = whole.lastIndexOf('\n') + 1;
    for (const line of whole.slice(read, end).split('\n')) if (line) lines.push(JSON.parse(line));
    read = Math.max(read, end);
    return lines;
  };
  const gateway = {
    dir, port, child,
    errors: () => log('error'),
    access,
    // The line of a request by its target, once it is written.
    async accessed(find, timeout = 3000) {
      for (const until = Date.now() + timeout; ; await pause(20)) {
        const line = gateway.access().find(find);
        if (line || Date.now() > until) return line;
      }
    },
    sanitizer: () => sanitizerReport(dir),
    // Sends HUP, perhaps after rewriting the configuration, and waits until `done()`.
    async reload(changes, done) {
      if (changes) write(changes);
      child.kill('SIGHUP');
      for (const until = Date.now() + 10000; !(await done()); await pause(50)) {
        if (Date.now() > until) throw new Error(`reload: not done\n${gateway.errors().split('\n').slice(-20).join('\n')}`);
      }
    },
    async stop({ keep = false } = {}) {
      if (!exited) child.kill('SIGQUIT');
      const timer = setTimeout(() => child.kill('SIGTERM'), 4000);
      const result = await ended;
      clearTimeout(timer);
      const report = gateway.sanitizer();
      // A worker that died, or that ended with a request it had lost count of.
      const crashed = gateway.errors().match(/\[alert\].*(exited on signal (?!9\b)|open socket #\d+ left).*/g);
      if (!keep && !process.env.FB_KEEP) rmSync(dir, { recursive: true, force: true });
      if (report !== '') throw new Error(`the sanitizer reports:\n${report.slice(0, 6000)}`);
      if (crashed && !keep) throw new Error(`workers died:\n${crashed.join('\n')}`);
      return result;
    },
    get: (target, headers, more) => request(port, 'GET', target, headers, more),
    request: (method, target, headers, more) => request(port, method, target, headers, more),
  };
  for (const until = Date.now() + 15000; ; await pause(20)) {
    if (exited) throw new Error(`nginx did not start:\n${gateway.errors()}`);
    const up = await new Promise((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => { probe.destroy(); resolve(true); });
      probe.on('error', () => resolve(false));
    });
    if (up) return gateway;
    if (Date.now() > until) throw new Error(`nginx does not listen:\n${gateway.errors()}`);
  }
}
