// SPDX-License-Identifier: Apache-2.0
// Forms of proxy_pass whose text does not tell what they forward: a decoded path goes out as it is,
// so that `/files/5%3Fx`, decided as the file `5?x`, would reach the upstream as the file `5`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { audience, issuer } from './lib/tokens.mjs';

const at = (port) => `127.0.0.1:${port}`;
const forms = [
  ['capture behind the host', (up) => `location ~ ^(/files/.*)$ { proxy_pass http://${at(up)}$1; }`],
  ['named capture behind the host', (up) => `location ~ ^(?<found>/files/.*)$ { proxy_pass http://${at(up)}$found; }`],
  ['map behind the host', (up) => `location / { proxy_pass http://${at(up)}$mapped; }`],
  ['variable with the whole URL', (up) => `location / { set $all http://${at(up)}$uri; proxy_pass $all; }`],
  ['$uri, inherited by an if', (up) => `location / { if ($is_args = "") { set $seen 1; } proxy_pass http://${at(up)}$uri; }`],
  ['$uri, inherited by limit_except', (up) => `location / { limit_except POST { allow all; } proxy_pass http://${at(up)}$uri; }`],
  ['$uri, in a named location behind try_files', (up) => `location / { try_files /none @up; } location @up { proxy_pass http://${at(up)}$uri; }`],
  ['$uri, in a named location that does not decide', (up) => `location / { try_files /none @up; } location @up { forbid off; proxy_pass http://${at(up)}$uri; }`],
];
// Forms that forward the client's own target.
const faithful = [
  ['host in a variable', (up) => `set $host_of 127.0.0.1; location / { proxy_pass http://$host_of:${up}; }`],
  ['URL without a path in a variable', (up) => `set $host_of http://${at(up)}; location / { proxy_pass $host_of; }`],
  ['an if without a proxy_pass', (up) => `location / { if ($is_args = "") { set $seen 1; } proxy_pass http://${at(up)}; }`],
];
const strays = [
  ['try_files into another location', (up) => `location / { try_files /none /files/below$uri; } location /files/below/ { proxy_pass http://${at(up)}; }`],
];

let upstream, gateway;
const all = [...forms, ...faithful, ...strays];
before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({
    http: `map $uri $mapped { default $uri; } forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience};`,
    servers: (port) => all.map(([, server], i) => `server { listen 127.0.0.1:${port}; server_name s${i}; ${server(upstream.port)} }`).join('\n'),
  });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

async function ask(index, target) {
  const before = upstream.seen.length;
  const answer = await gateway.get(target, { Host: `s${index}` });
  return { status: answer.status, target: upstream.seen[before]?.target };
}

for (const [index, [name]] of all.entries()) {
  test(`plain targets pass: ${name}`, async () => {
    const { status, target } = await ask(index, '/files/5');
    assert.equal(status, 200);
    assert.match(target, /\/files\/5$/);
  });
  test(`an encoded question mark never ends the path: ${name}`, async () => {
    const { status, target } = await ask(index, '/files/5%3Fx');
    if (index >= forms.length && index < forms.length + faithful.length) assert.deepEqual({ status, target }, { status: 200, target: '/files/5%3Fx' });
    else assert.deepEqual({ status, target }, { status: 400, target: undefined });
  });
}
for (const [index, [name]] of forms.entries()) {
  for (const target of ['/files/a%20b', '/files/a%23b', '/files/a%25b', '/files/caf%C3%A9']) {
    test(`${target} does not go out decoded: ${name}`, async () => assert.deepEqual(await ask(index, target), { status: 400, target: undefined }));
  }
}

test('a rewritten target is not forwarded as the client wrote it', async () => {
  const other = await startGateway({
    server: `forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience};
      location / { rewrite ^/old/(.*)$ /files/$1 last; }
      location /files/ { try_files /none @up; }
      location @up { proxy_pass http://${at(upstream.port)}$request_uri; }`,
  });
  try {
    const before = upstream.seen.length;
    assert.equal((await other.get('/old/5')).status, 400);
    assert.equal(upstream.seen.length, before);
    assert.equal((await other.get('/files/5')).status, 200);
  } finally { await other.stop(); }
});
