// SPDX-License-Identifier: Apache-2.0
// Records refusals of real servers for tests/refusal/audit/recorded: starts each on a loopback port with a small
// configuration of the kind that people have, asks it by curl, and keeps what `curl -v` says, with the server's name
// and version in the first line.  The tests read the recordings; this is run by hand.
//
//   apt-get install nginx caddy haproxy apache2 libapache2-mod-auth-openidc lighttpd squid
//   npm install --prefix tests/refusal/record
//   node tests/refusal/record/record.mjs [NAME…]       default: all whose server is installed
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(here, '../audit/recorded');
const modules = process.env.FB_RECORD_MODULES ?? path.join(here, 'node_modules');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const only = process.argv.slice(2);

async function freePort() {
  const server = net.createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

function version(command, ...args) {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)*(?:[-+~][\w.~+]*)?/.exec(`${done.stdout}${done.stderr}`)?.[0] ?? '?';
}
const debian = (name) => execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
const npm = (name) => JSON.parse(execFileSync('cat', [path.join(modules, name, 'package.json')], { encoding: 'utf8' })).version;

// What curl says of one exchange.  The port is made 8080 and temporary directories /srv, so that a second
// recording differs in what the server does alone.
function curl(port, target, args, dir) {
  const done = spawnSync('curl', ['-sv', '--max-time', '10', '-w', '\n', ...args, `http://127.0.0.1:${port}${target}`], { encoding: 'utf8' });
  const body = done.stdout.replace(/\n$/, '');
  const lines = done.stderr.replace(/\r/g, '').split('\n').filter((line) => /^[<>*]/.test(line) && !/^\* +(Trying|Connection #|Mark|Closing|Connected)/.test(line));
  return `${lines.join('\n')}\n${body}`.replaceAll(`:${port}`, ':8080').replaceAll(dir, '/srv').trimEnd();
}

async function until(port) {
  for (let i = 0; i < 200; i++) {
    const up = await new Promise((done) => { const probe = net.connect(port, '127.0.0.1', () => { probe.destroy(); done(true); }).on('error', () => done(false)); });
    if (up) return;
    await pause(50);
  }
  throw new Error('the server does not listen');
}

// --- Servers: {name, what, start(dir, port) → {command, args, env}, ask: {recording: [[target, …curl arguments], …]}} ---

const nginx = (body) => (dir, port) => {
  writeFileSync(`${dir}/nginx.conf`, `daemon off; pid ${dir}/pid; error_log ${dir}/error.log; ${process.getuid() === 0 ? 'user nobody nogroup;' : ''} events {}
http { access_log off; client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
${typeof body === 'function' ? body(dir, port) : body.replaceAll('PORT', port).replaceAll('DIR', dir)} }`);
  return { command: 'nginx', args: ['-p', dir, '-c', `${dir}/nginx.conf`] };
};
const node = (text) => (dir, port) => {
  writeFileSync(`${dir}/server.cjs`, text.replaceAll('PORT', port));
  return { command: 'node', args: [`${dir}/server.cjs`], env: { NODE_PATH: modules } };
};
const json = ['-H', 'Accept: application/json'];
const bearer = (token) => ['-H', `Authorization: Bearer ${token}`];

const servers = [
  {
    name: 'nginx-auth_request', what: () => `nginx/${debian('nginx')}, auth_request`, needs: 'nginx',
    start: nginx(`server { listen 127.0.0.1:PORT; location / { auth_request /auth; root DIR; } location = /auth { internal; return 401; }
      location /broken { auth_request /auth-broken; root DIR; } location = /auth-broken { internal; return 302 /login; }
      location /denied { auth_request /auth-denied; root DIR; } location = /auth-denied { internal; return 403; } }`),
    ask: { 401: [['/users/1', ...json]], 500: [['/broken/1', ...bearer('abcdefgh')]], 403: [['/denied/1', ...json]],
      '403-cors': [['/denied/1', '-H', 'Origin: https://app.example', ...bearer('abcdefgh'), ...json]],
      preflight: [['/users/1', '-X', 'OPTIONS', '-H', 'Origin: https://app.example', '-H', 'Access-Control-Request-Method: GET']] },
  },
  {
    name: 'nginx-auth_basic', what: () => `nginx/${debian('nginx')}, auth_basic, limit_req, limit_except`, needs: 'nginx',
    start: (dir, port) => {
      writeFileSync(`${dir}/users`, 'alice:{PLAIN}secret\n');
      for (const name of ['docs', 'limited', 'limited429']) mkdirSync(`${dir}/docs/${name}`, { recursive: true });
      for (const name of ['limited', 'limited429']) writeFileSync(`${dir}/docs/${name}/index.html`, 'ok');
      writeFileSync(`${dir}/docs/docs/1`, 'one'); chmodSync(`${dir}/docs/docs/1`, 0o600);
      return nginx(`limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m; server { listen 127.0.0.1:PORT; root DIR/docs;
        location / { auth_basic "area"; auth_basic_user_file DIR/users; } location /docs/ { } location /limited/ { limit_req zone=z; }
        location /limited429/ { limit_req zone=z; limit_req_status 429; }
        location /cached { expires 1h; add_header Cache-Control "public" always; deny all; }
        location /read { limit_except GET { deny all; } return 200 ok; } location /legal { return 451; } location /method { return 405; }
        location /bad { return 407; } location /captive { default_type application/json; return 511 '{"error":"unauthorized"}'; } }`)(dir, port);
    },
    ask: { script: [['/area', '-H', 'X-Requested-With: XMLHttpRequest', ...json]], oracle: [['/docs/1', ...bearer('abcdefgh')], ['/docs/2', ...bearer('abcdefgh')]],
      503: [['/limited/', ...json], ['/limited/', ...json]], 429: [['/limited429/', ...json], ['/limited429/', ...json]], cached: [['/cached/1', ...bearer('abcdefgh')]],
      451: [['/legal', ...json]], 405: [['/method', ...json]], 407: [['/bad', ...json]], 511: [['/captive', ...json]] },
  },
  {
    name: 'caddy', what: () => `caddy/${debian('caddy')}, forward_auth, basicauth, respond`, needs: 'caddy',
    start: (dir, port) => {
      writeFileSync(`${dir}/Caddyfile`, `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  handle /auth {
    respond 401
  }
  handle /login* {
    header Content-Type text/html
    respond "<form method=post><input name=user><input type=password name=password></form>" 200
  }
  handle /users/* {
    forward_auth 127.0.0.1:${port} {
      uri /auth
    }
    respond "ok"
  }
  handle /app/* {
    redir * /login?next={uri} 302
  }
  handle /page/* {
    header Content-Type text/html
    respond "<h1>Sign in</h1><form method=post><input name=user><input type=password name=password></form>" 403
  }
  handle {
    respond 403
  }
}
`);
      return { command: 'caddy', args: ['run', '--config', `${dir}/Caddyfile`, '--adapter', 'caddyfile'], env: { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } };
    },
    ask: { 401: [['/users/1', ...json]], 302: [['/app/users', ...json]], login: [['/login', ...json]], 'login-403': [['/page/1', ...json]], 403: [['/x', ...json]] },
  },
  {
    name: 'haproxy', what: () => `haproxy/${debian('haproxy')}, http-request deny, auth`, needs: 'haproxy',
    start: (dir, port) => {
      writeFileSync(`${dir}/haproxy.cfg`, `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
userlist people
  user alice insecure-password secret
frontend f
  bind 127.0.0.1:${port}
  http-request auth realm area if { path_beg /area } !{ http_auth(people) }
  http-request deny deny_status 401 if { path_beg /token }
  http-request deny deny_status 429 if { path_beg /fast }
  http-request deny
`);
      return { command: 'haproxy', args: ['-f', `${dir}/haproxy.cfg`, '-db'] };
    },
    ask: { 401: [['/token', ...bearer('abcdefgh'), ...json]], 403: [['/x', ...json]], 429: [['/fast', ...json]],
      script: [['/area', '-H', 'Sec-Fetch-Mode: cors', ...json]], query: [['/x?access_token=eyJhbGciOiJub25lIn0.e30.', ...bearer('eyJhbGciOiJub25lIn0.e30.')]] },
  },
  {
    name: 'apache', what: () => `apache2/${debian('apache2')}, mod_auth_openidc/${debian('libapache2-mod-auth-openidc')}`, needs: 'apache2',
    start: (dir, port) => {
      mkdirSync(`${dir}/htdocs/docs`, { recursive: true });
      writeFileSync(`${dir}/htdocs/docs/1`, 'one');
      writeFileSync(`${dir}/httpd.conf`, `ServerRoot ${dir}
PidFile ${dir}/pid
ErrorLog ${dir}/error.log
Listen 127.0.0.1:${port}
ServerName 127.0.0.1
${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
${['mpm_event', 'authz_core', 'authn_core', 'authz_user', 'authz_host', 'auth_basic', 'authn_file', 'auth_openidc', 'alias', 'dir', 'headers'].map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join('\n')}
DocumentRoot ${dir}/htdocs
OIDCProviderIssuer https://idp.example
OIDCProviderAuthorizationEndpoint https://idp.example/authorize
OIDCProviderTokenEndpoint https://idp.example/token
OIDCProviderJwksUri https://idp.example/jwks
OIDCClientID forbid
OIDCClientSecret none
OIDCRedirectURI http://127.0.0.1:${port}/callback
OIDCCryptoPassphrase none
OIDCOAuthVerifySharedKeys plain##secretsecretsecretsecretsecret1
<Location />
  Require all granted
</Location>
<Location /app>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /api>
  AuthType oauth20
  Require valid-user
</Location>
<Location /mixed>
  AuthType auth-openidc
  OIDCUnAuthAction 401
  Require valid-user
</Location>
<Location /denied>
  Require all denied
</Location>
`);
      chmodSync(dir, 0o755);
      return { command: 'apache2', args: ['-f', `${dir}/httpd.conf`, '-DFOREGROUND'] };
    },
    ask: { 302: [['/app/users', ...json]], 'api-missing': [['/api/users', ...json]], 'api-invalid': [['/api/users', ...bearer('abcdefgh'), ...json]],
      mixed: [['/mixed/1', ...json]], denied: [['/denied/1', ...json]], method: [['/docs/1', '-X', 'DELETE', ...json]] },
  },
  {
    name: 'lighttpd', what: () => `lighttpd/${debian('lighttpd')}, url.access-deny`, needs: 'lighttpd',
    start: (dir, port) => {
      mkdirSync(`${dir}/www`); writeFileSync(`${dir}/www/1.secret`, 'x');
      writeFileSync(`${dir}/l.conf`, `server.modules = ("mod_access","mod_setenv")\nserver.document-root = "${dir}/www"\nserver.bind = "127.0.0.1"\nserver.port = ${port}\nurl.access-deny = (".secret")\nsetenv.set-response-header = ( "Cache-Control" => "max-age=600" )\n`);
      return { command: 'lighttpd', args: ['-D', '-f', `${dir}/l.conf`] };
    },
    ask: { 403: [['/1.secret', ...json]], 404: [['/2', ...json]] },
  },
  {
    name: 'express', what: () => `express/${npm('express')}, express-oauth2-jwt-bearer/${npm('express-oauth2-jwt-bearer')}, express-rate-limit/${npm('express-rate-limit')}, Node ${process.version}`, needs: path.join(modules, 'express'),
    start: node(`const express = require('express'); const { auth, requiredScopes } = require('express-oauth2-jwt-bearer'); const { rateLimit } = require('express-rate-limit');
const crypto = require('node:crypto'); const app = express();
const jwt = auth({ issuer: 'https://idp.example', audience: 'api', secret: 'secretsecretsecretsecretsecret12', tokenSigningAlg: 'HS256' });
app.get('/api/reports', jwt, requiredScopes('reports'), (q, r) => r.json({}));
app.get('/api/:id', jwt, (q, r) => r.json({}));
app.use('/fast', rateLimit({ windowMs: 60000, limit: 1, legacyHeaders: false, standardHeaders: false }), (q, r) => r.send('ok'));
// Error handling as it is by default: whatever was thrown, with its stack.
app.get('/users/:id', (q, r) => { if (!q.headers.authorization) throw Object.assign(new Error('No authorization token was found'), { status: 403 }); r.json({}); });
app.get('/me', (q, r) => { const e = new Error('jwt malformed'); e.name = 'JsonWebTokenError'; throw e; });
app.get('/role', (q, r) => r.status(401).json({ error: 'insufficient_role', message: 'requires role admin' }));
app.get('/expired', (q, r) => r.status(403).json({ message: 'jwt expired' }));
app.get('/text', (q, r) => r.status(403).send(JSON.stringify({ error: 'forbidden' })));
app.get('/sql/:id', (q, r) => r.status(403).json({ error: 'permission denied for table users', query: 'SELECT * FROM users WHERE id = ' + q.params.id }));
app.get('/policy/:id', (q, r) => r.status(403).json({ error: 'denied', policy: 'permit (principal in Role::"admin", action, resource);' }));
app.get('/echo', (q, r) => r.status(401).set('WWW-Authenticate', 'Bearer realm=api error="invalid_token", error_description=The token ' + q.headers.authorization).json({ token: q.headers.authorization }));
app.get('/soon', (q, r) => r.status(503).set('Retry-After', 'PT30S').json({}));
app.post('/things', express.json(), (q, r) => r.status(403).json({ error: 'Validation failed', message: 'name is required' }));
app.get('/problem', (q, r) => r.status(403).type('application/problem+json').send(JSON.stringify({ title: 'Forbidden', status: 401 })));
app.get('/docs/:id', (q, r) => { if (q.params.id === '1') return r.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'unauthorized' }); r.status(404).json({ error: 'not_found' }); });
app.get('/files/:id', (q, r) => r.status(404).json(q.params.id === '1' ? { error: 'not_found', owner: 'alice' } : { error: 'not_found' }));
app.get('/gone/:id', (q, r) => r.status(403).json({ message: 'The file ' + q.params.id + ' does not exist' }));
app.get('/open/:id', (q, r) => (q.headers.authorization ? r.json({}) : r.status(403).json({ error: 'Forbidden' })));
app.get('/slack', (q, r) => r.json({ ok: false, error: 'missing_scope', needed: 'chat:write' }));
app.listen(PORT, '127.0.0.1');`),
    ask: { missing: [['/api/1', ...json]], invalid: [['/api/1', ...bearer('abcdefgh'), ...json]], scope: [['/api/reports', ...bearer(hs256({ iss: 'https://idp.example', aud: 'api', sub: 'x', scope: 'other', iat: 1, exp: 4102444800 })), ...json]],
      'scope-missing': [['/api/reports', ...json]], limited: [['/fast', ...json], ['/fast', ...json]], thrown: [['/users/1', ...json]], 500: [['/me', ...bearer('abcdefgh'), ...json]],
      role: [['/role', ...bearer('abcdefgh'), ...json]], expired: [['/expired', ...bearer('abcdefgh'), ...json]], text: [['/text', ...bearer('abcdefgh'), ...json]],
      sql: [['/sql/1', ...bearer('abcdefgh'), ...json]], policy: [['/policy/1', ...bearer('abcdefgh'), ...json]], echo: [['/echo', ...bearer('abcdefgh'), ...json]],
      soon: [['/soon', ...json]], validation: [['/things', '-X', 'POST', '-H', 'Content-Type: application/json', '-d', '{}', ...bearer('abcdefgh'), ...json]],
      problem: [['/problem', ...bearer('abcdefgh'), ...json]], anonymous: [['/docs/1', ...json], ['/docs/2', ...json]], forms: [['/files/1', ...json], ['/files/2', ...json]],
      gone: [['/gone/1', ...bearer('abcdefgh'), ...json]], curable: [['/open/1', ...json], ['/open/1', ...bearer('abcdefgh'), ...json]], 200: [['/slack', ...bearer('abcdefgh'), ...json]] },
  },
  {
    name: 'oidc-provider', what: () => `oidc-provider/${npm('oidc-provider')}, Node ${process.version}`, needs: path.join(modules, 'oidc-provider'),
    start: (dir, port) => {
      writeFileSync(`${dir}/server.mjs`, `import { createRequire } from 'node:module'; const require = createRequire('${modules}/x.js');
const { default: Provider } = await import('file://' + require.resolve('oidc-provider'));
const provider = new Provider('http://127.0.0.1:${port}', { clients: [{ client_id: 'forbid', client_secret: 'none', redirect_uris: ['https://app.example/cb'] }], features: { dPoP: { enabled: true }, introspection: { enabled: true } } });
provider.listen(${port}, '127.0.0.1');`);
      return { command: 'node', args: [`${dir}/server.mjs`] };
    },
    ask: { userinfo: [['/me', ...json]], invalid: [['/me', ...bearer('abcdefgh'), ...json]], token: [['/token', '-d', 'grant_type=refresh_token&refresh_token=x', '-u', 'forbid:none']],
      client: [['/token', '-d', 'grant_type=refresh_token&refresh_token=x', '-u', 'forbid:wrong']], dpop: [['/me', '-H', 'Authorization: DPoP abcdefgh', ...json]] },
  },
  {
    name: 'cerbos', what: () => `cerbos/${npm('@cerbos/cerbos-linux-x64')}`, needs: path.join(modules, '@cerbos/cerbos-linux-x64'),
    start: async (dir, port) => {
      mkdirSync(`${dir}/policies`);
      writeFileSync(`${dir}/conf.yaml`, `server:\n  httpListenAddr: "127.0.0.1:${port}"\n  grpcListenAddr: "127.0.0.1:${await freePort()}"\n  adminAPI:\n    enabled: true\nstorage:\n  driver: disk\n  disk:\n    directory: ${dir}/policies\ntelemetry:\n  disabled: true\n`);
      return { command: cerbosBinary(), args: ['server', `--config=${dir}/conf.yaml`] };
    },
    ask: { admin: [['/admin/policies', ...json]], wrong: [['/admin/policies', '-u', 'x:y', ...json]], method: [['/api/check/resources', '-X', 'DELETE', ...json]], malformed: [['/api/check/resources', '-d', '{', '-H', 'Content-Type: application/json']] },
  },
  {
    name: 'squid', what: () => `squid/${debian('squid')}, http_access deny`, needs: 'squid',
    start: (dir, port) => {
      chmodSync(dir, 0o777);
      writeFileSync(`${dir}/squid.conf`, `http_port 127.0.0.1:${port}\nhttp_access deny all\ncache deny all\naccess_log none\ncache_log ${dir}/cache.log\npid_filename ${dir}/pid\ncoredump_dir ${dir}\nvisible_hostname proxy.internal\n`);
      return { command: 'squid', args: ['-N', '-f', `${dir}/squid.conf`] };
    },
    ask: { 403: [['/users/1', ...json, '-x', 'PROXY']] },
  },
];

import { createHmac } from 'node:crypto';
function hs256(claims) {
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', 'secretsecretsecretsecretsecret12').update(text).digest('base64url')}`;
}
function cerbosBinary() {
  const dir = path.join(modules, '@cerbos/cerbos-linux-x64');
  const file = ['cerbos-linux-x64', 'cerbos', 'bin/cerbos'].map((name) => path.join(dir, name)).find(existsSync);
  chmodSync(file, 0o755);
  return file;
}

const installed = (needs) => (needs.includes('/') ? existsSync(needs) : spawnSync('sh', ['-c', `command -v ${needs}`]).status === 0);

mkdirSync(out, { recursive: true });
for (const server of servers) {
  if (only.length > 0 && !only.includes(server.name)) continue;
  if (!installed(server.needs)) { console.log(`${server.name}: ${server.needs} is not installed`); continue; }
  const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-record-'));
  const port = await freePort();
  chmodSync(dir, 0o755);
  const { command, args, env } = await server.start(dir, port);
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  child.stderr.on('data', (text) => { said += text; });
  try {
    await until(port);
    await pause(300);
    for (const [name, exchanges] of Object.entries(server.ask)) {
      if (!exchanges) continue;
      const texts = exchanges.map(([target, ...more]) => curl(port, target, more.map((a) => (a === 'PROXY' ? `http://127.0.0.1:${port}` : a)), dir));
      writeFileSync(path.join(out, `${server.name}-${name}.txt`), `* recorded from ${server.what()}, by tests/refusal/record/record.mjs\n${texts.join('\n')}\n`);
      console.log(`${server.name}-${name}: ${texts.map((t) => /^< HTTP\/\S+ (\d+)/m.exec(t)?.[1]).join(' ')}`);
    }
  } catch (error) {
    console.log(`${server.name}: ${error.message}\n${said.slice(-2000)}${spawnSync('sh', ['-c', `tail -n 5 ${dir}/*.log`], { encoding: 'utf8' }).stdout}`);
  }
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await Promise.race([ended, pause(3000).then(() => child.kill('SIGKILL'))]);
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
