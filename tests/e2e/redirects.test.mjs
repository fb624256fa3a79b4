// SPDX-License-Identifier: Apache-2.0
// One decision per client request, whatever nginx makes of the request afterwards; and what was
// rewritten before is what is decided.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeDirectory, startGateway } from './lib/gateway.mjs';
import { startUpstream, values } from './lib/upstream.mjs';
import { audience, bearer, issuer } from './lib/tokens.mjs';

let upstream, gateway;
before(async () => {
  upstream = await startUpstream();
  const dir = makeDirectory();
  mkdirSync(`${dir}/www/files`, { recursive: true });
  mkdirSync(`${dir}/www/site`);
  writeFileSync(`${dir}/www/site/index.html`, 'the index');
  writeFileSync(`${dir}/www/files/there`, 'a file');
  const pass = `proxy_pass http://127.0.0.1:${upstream.port};`;
  gateway = await startGateway({
    dir,
    http: `map $uri $limited { default ""; /files/limited $binary_remote_addr; } limit_req_zone $limited zone=few:1m rate=1r/m;`,
    server: `
    forbid on;
    forbid_policies policies;
    forbid_issuer ${issuer} jwks=keys.json audience=${audience};
    root ${dir}/www;
    location /files/ { try_files $uri @elsewhere; }
    location /site/ { index index.html; }
    location @elsewhere { ${pass} }
    location = /files/accel { ${pass} }
    location /internal/ { internal; ${pass} }
    location = /files/missing { error_page 404 = /docs/1; }
    location = /files/named { error_page 404 = @elsewhere; root /nowhere; }
    location = /files/trick { error_page 418 = @elsewhere; return 418; }
    location = /files/page { error_page 418 = /docs/1; return 418; }
    location = /files/limited { limit_req zone=few; error_page 503 = @elsewhere; ${pass} }
    location = /files/rewritten { rewrite ^ /docs/1 last; }
    location = /files/broken { rewrite ^ /secret/x break; ${pass} }
    location = /files/dots { rewrite ^ /files/../secret/x break; ${pass} }
    location = /files/args { set $args "x=1"; ${pass} }
    location /docs { ${pass} }
    location /secret { ${pass} }
    location /files/shadowed { forbid shadow; try_files /none /secret/x; }
    location /files/off { forbid off; try_files /none /secret/x; }
    `,
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const lines = async (target) => { await gateway.accessed((line) => line.request.includes(` ${target} `)); return gateway.access().filter((line) => line.request.includes(` ${target} `)); };

test('try_files: a file, an index, a named location', async () => {
  assert.equal((await gateway.get('/files/there')).body, 'a file');
  assert.equal((await gateway.get('/site/')).body, 'the index');
  assert.equal((await gateway.get('/site/index.html')).status, 404, 'which nobody may ask for by its name');
  const answer = await gateway.get('/files/else');
  assert.equal(answer.status, 200);
  assert.equal(upstream.seen.at(-1).target, '/files/else');
  assert.equal((await lines('/files/else'))[0].action, 'Action::"readFile"');
});

test('X-Accel-Redirect inherits the decision', async () => {
  const answer = await gateway.get('/files/accel?accel=/internal/x');
  assert.equal(answer.status, 200, answer.body);
  assert.equal(upstream.seen.at(-1).target, '/internal/x');
  const [line] = await lines('/files/accel?accel=/internal/x');
  assert.equal(line.decision, 'allow');
  assert.equal(line.action, 'Action::"readFile"');
  assert.equal(values(upstream.seen.at(-1), 'x-forbid-id')[0], line.id);
});

test('error_page after the decision inherits it, as a path and as a named location', async () => {
  const path = await gateway.get('/files/missing');
  assert.equal(path.status, 200, path.body);
  assert.equal(upstream.seen.at(-1).target, '/docs/1');
  const named = await gateway.get('/files/named');
  assert.equal(named.status, 200, named.body);
  assert.equal((await lines('/files/missing')).length, 1);
});

test('an error_page before the decision is decided where it lands', async () => {
  const before = upstream.seen.length;
  assert.equal((await gateway.get('/files/trick')).status, 200);
  assert.equal(upstream.seen.at(-1).target, '/files/trick');
  const page = await gateway.get('/files/page');
  assert.equal(page.status, 401, 'a document, and nobody is signed in');
  assert.equal(upstream.seen.length, before + 1);
  assert.equal((await gateway.get('/files/page', bearer('bob'))).status, 200);
  await gateway.get('/files/limited');
  const limited = await gateway.get('/files/limited');
  assert.equal(limited.status, 200);
  assert.equal((await lines('/files/limited'))[1].decision, 'allow');
});

test('a rewritten target is the one decided and forwarded', async () => {
  assert.equal((await gateway.get('/files/rewritten')).status, 401);
  const answer = await gateway.get('/files/rewritten', bearer('bob'));
  assert.equal(answer.status, 200);
  assert.equal(upstream.seen.at(-1).target, '/docs/1');
  const before = upstream.seen.length;
  assert.equal((await gateway.get('/files/broken')).status, 401);
  assert.equal((await gateway.get('/files/broken', bearer('bob'))).status, 403);
  assert.equal((await gateway.get('/files/dots', bearer('alice'))).status, 400);
  assert.equal(upstream.seen.length, before);
  assert.equal((await gateway.get('/files/broken', bearer('alice'))).status, 200);
  assert.equal(upstream.seen.at(-1).target, '/secret/x');
});

test('arguments that were set are the ones forwarded', async () => {
  assert.equal((await gateway.get('/files/args?a=b')).status, 200);
  assert.equal(upstream.seen.at(-1).target, '/files/args?x=1');
});

test('what shadow spared is decided again by a location that enforces', async () => {
  const before = upstream.seen.length;
  assert.equal((await gateway.get('/files/shadowed/x')).status, 401);
  assert.equal((await gateway.get('/files/off/x')).status, 401);
  assert.equal(upstream.seen.length, before);
});
