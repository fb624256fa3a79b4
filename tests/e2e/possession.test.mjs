// SPDX-License-Identifier: Apache-2.0
// Tokens that are bound to a key (DPoP, RFC 9449) or to a client certificate (RFC 8705): challenges for several schemes,
// each on a line of its own, proofs and what is wrong with them, made here with node:crypto.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { freePort, makeDirectory, startGateway } from './lib/gateway.mjs';
import { h2, request } from './lib/client.mjs';
import { audience, issuer, token } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

let h2Port, upstream, gateway, requiredPort, tlsPort, bearerPort, realmsPort, shadowPort, dir;
before(async () => {
  upstream = await startUpstream();
  dir = makeDirectory();
  for (const name of ['server', 'client', 'other']) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
      '-keyout', `${dir}/${name}.key`, '-out', `${dir}/${name}.pem`], { stdio: 'ignore' });
    // Under the sanitizer nginx runs as nobody.
    chmodSync(`${dir}/${name}.key`, 0o644);
  }
  h2Port = await freePort();
  [requiredPort, tlsPort, bearerPort, realmsPort, shadowPort] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
  const server = (words, more = '', mode = 'on') => `forbid ${mode}; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience} ${words};
    ${more} location / { proxy_pass http://127.0.0.1:${upstream.port}; } location /limited/ { limit_req zone=p; limit_req_status 429; proxy_pass http://127.0.0.1:${upstream.port}/; }`;
  gateway = await startGateway({
    dir,
    http: 'limit_req_zone $forbid_principal zone=p:1m rate=100r/s;',
    servers: (port) => `
      server { listen 127.0.0.1:${port} reuseport; listen 127.0.0.1:${h2Port} http2; ${server('dpop=accepted', 'rewrite ^/old/(.*)$ /docs/$1;')} }
      server { listen 127.0.0.1:${requiredPort}; ${server('dpop=required', 'forbid_resource https://api.example/v1;')} }
      server { listen 127.0.0.1:${bearerPort}; ${server('')} }
      server { listen 127.0.0.1:${shadowPort}; ${server('dpop=accepted', 'location /docs/1 { try_files /none /docs/2; } location /docs/2 { forbid on; proxy_pass http://127.0.0.1:' + upstream.port + '; }', 'shadow')} }
      server { listen 127.0.0.1:${realmsPort}; ${server('realm=staff dpop=accepted', `forbid_issuer https://other.example jwks=keys.json audience=${audience} prefix=o- "realm=other people"; forbid_issuer https://third.example jwks=keys.json audience=${audience} prefix=t- realm=staff;`).replace('realm=staff dpop', 'prefix=s- realm=staff dpop')} }
      server { listen 127.0.0.1:${tlsPort} ssl; ssl_certificate ${dir}/server.pem; ssl_certificate_key ${dir}/server.key; ssl_verify_client optional_no_ca; ${server('dpop=accepted')} }`,
  });
});
after(async () => {
  await gateway?.stop();
  await upstream.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const digest = (text) => createHash('sha256').update(text).digest('base64url');
const ALGS = 'ES256 EdDSA PS256 RS256';

function makeKey(alg) {
  const { publicKey, privateKey } = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  // RFC 7638: the members that the type needs, in the order of their names.
  const thumbprint = digest(JSON.stringify(Object.fromEntries(Object.keys(jwk).sort().map((name) => [name, jwk[name]]))));
  const signer = (text) => sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), {
    key: privateKey, ...(alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}),
  }).toString('base64url');
  return { alg, jwk, thumbprint, privateJwk: privateKey.export({ format: 'jwk' }), signer };
}
const keys = Object.fromEntries(ALGS.split(' ').map((alg) => [alg, makeKey(alg)]));
const key = keys.ES256, stranger = makeKey('ES256');

function proof({ of = key, header = {}, claims = {}, accessToken, method = 'GET', url = 'http://api.example/docs/1', signer = of.signer } = {}) {
  const text = `${encode({ typ: 'dpop+jwt', alg: of.alg, jwk: of.jwk, ...header })}.${encode({ jti: randomUUID(), htm: method, htu: url, iat: now(), ath: digest(accessToken), ...claims })}`;
  return `${text}.${signer(text)}`;
}
const bound = (thumbprint = key.thumbprint, claims = {}) => token('bob', { claims: { cnf: { jkt: thumbprint }, ...claims } });
const fields = (accessToken, options = {}) => ({ authorization: `DPoP ${accessToken}`, dpop: proof({ accessToken, ...options }) });

const bearerLine = (more = '') => `Bearer realm="api"${more}`;
const dpopLine = (more = '') => `DPoP realm="api"${more}, algs="${ALGS}"`;
const INVALID_PROOF = [bearerLine(), dpopLine(', error="invalid_dpop_proof"')];
const INVALID_TOKEN = [bearerLine(), dpopLine(', error="invalid_token"')];

async function answers(status, challenges, headers, { port = gateway.port, target = '/docs/1', method = 'GET' } = {}) {
  const before = upstream.seen.length;
  const answer = await request(port, method, target, headers);
  assert.equal(answer.status, status, answer.body);
  assert.deepEqual(answer.all('www-authenticate'), challenges);
  assert.equal(upstream.seen.length, before + (status === 200 ? 1 : 0));
  return answer;
}

test('row 1: several schemes, each challenge on a line of its own', () => answers(401, [bearerLine(), dpopLine()], {}));

test('several issuers: a line for each scheme and realm, and what is wrong told to its own', async () => {
  const lines = (errors = ['', '', '']) => [`Bearer realm="staff"${errors[0]}`, `DPoP realm="staff"${errors[1]}, algs="${ALGS}"`, `Bearer realm="other people"${errors[2]}`];
  await answers(401, lines(), {}, { port: realmsPort });
  const expired = { exp: now() - 3600 };
  const error = ', error="invalid_token", error_description="The access token has expired"';
  await answers(401, lines(['', '', error]), { authorization: `Bearer ${token('bob', { claims: { ...expired, iss: 'https://other.example' } })}` }, { port: realmsPort });
  await answers(401, lines([error, '', '']), { authorization: `Bearer ${token('bob', { claims: { ...expired, iss: 'https://third.example' } })}` }, { port: realmsPort });
  // Nobody knows whose it is: told to all of its scheme.
  await answers(401, lines([', error="invalid_token"', '', ', error="invalid_token"']), { authorization: 'Bearer x.y.z' }, { port: realmsPort });
});

for (const [alg, of] of Object.entries(keys)) {
  test(`row 18: a good proof by ${alg}`, async () => {
    const accessToken = bound(of.thumbprint);
    await answers(200, [], fields(accessToken, { of }));
    await answers(200, [], fields(accessToken, { of, url: 'HTTP://API.example:80/docs/1?x#y' }), { target: '/docs/1?a=b' });
  });
}

test('row 18: a proof that is missing or wrong', async () => {
  const accessToken = bound();
  const wrong = {
    'none': { authorization: `DPoP ${accessToken}` },
    'another method': fields(accessToken, { method: 'POST' }),
    'another path': fields(accessToken, { url: 'http://api.example/docs/2' }),
    'another host': fields(accessToken, { url: 'http://evil.example/docs/1' }),
    'another port': fields(accessToken, { url: 'http://api.example:81/docs/1' }),
    'another scheme': fields(accessToken, { url: 'https://api.example/docs/1' }),
    'a user in the URI': fields(accessToken, { url: 'http://x@api.example/docs/1' }),
    'no URI': fields(accessToken, { url: '/docs/1' }),
    'too old': fields(accessToken, { claims: { iat: now() - 120 } }),
    'of the future': fields(accessToken, { claims: { iat: now() + 120 } }),
    'no time': fields(accessToken, { claims: { iat: undefined } }),
    'no id': fields(accessToken, { claims: { jti: undefined } }),
    'a long id': fields(accessToken, { claims: { jti: 'x'.repeat(300) } }),
    'for another token': fields(accessToken, { claims: { ath: digest('other') } }),
    'for no token': fields(accessToken, { claims: { ath: undefined } }),
    'no proof by its type': fields(accessToken, { header: { typ: 'JWT' } }),
    'without a signature': fields(accessToken, { header: { alg: 'none' }, signer: () => '' }),
    'of another algorithm': fields(accessToken, { header: { alg: 'HS256' } }),
    'an algorithm that is not the key’s': fields(accessToken, { header: { alg: 'EdDSA' } }),
    'signed by another key': fields(accessToken, { signer: stranger.signer }),
    'with the private key': fields(accessToken, { header: { jwk: key.privateJwk } }),
    'without a key': fields(accessToken, { header: { jwk: undefined } }),
    'with critical extensions': fields(accessToken, { header: { crit: ['x'] } }),
    'no JWT': { authorization: `DPoP ${accessToken}`, dpop: 'x.y.z' },
    'two': [['Authorization', `DPoP ${accessToken}`], ['DPoP', proof({ accessToken })], ['DPoP', proof({ accessToken })]],
  };
  for (const [name, headers] of Object.entries(wrong)) {
    await assert.doesNotReject(answers(401, INVALID_PROOF, headers), name);
  }
});

test('row 18: a proof is used once, by whichever worker', async () => {
  const accessToken = bound();
  for (let i = 0; i < 20; i++) {
    const same = fields(accessToken);
    const got = await Promise.all(Array.from({ length: 6 }, () => gateway.get('/docs/1', same)));
    assert.ok(got.filter((a) => a.status === 200).length <= 1, got.map((a) => a.status).join());
    await answers(401, INVALID_PROOF, same);
  }
  const statuses = [];
  for (let i = 0; i < 50; i++) statuses.push((await gateway.get('/docs/1', fields(accessToken))).status);
  assert.ok(statuses.every((status) => status === 200), 'fresh ones are all taken');
});

test('row 18: over HTTP/2', async () => {
  const session = await h2(h2Port);
  try {
    const accessToken = bound();
    assert.equal((await session.request('GET', '/docs/1', fields(accessToken))).status, 200);
    assert.equal((await session.request('GET', '/docs/1', fields(accessToken, { url: 'http://other.example/docs/1' }))).status, 401);
  } finally {
    session.close();
  }
});

test('row 18b: nonces are not asked for', async () => {
  const answer = await answers(401, [bearerLine(), dpopLine()], {});
  assert.equal(answer.get('dpop-nonce'), undefined);
});

test('row 18c: a token bound to a key, sent as Bearer', async () => {
  await answers(401, INVALID_TOKEN, { authorization: `Bearer ${bound()}` });
  await answers(401, INVALID_TOKEN, { authorization: `Bearer ${bound()}`, dpop: proof({ accessToken: bound() }) });
});

test('row 18: a token that is not bound to the proof’s key', async () => {
  await answers(401, INVALID_TOKEN, fields(bound(stranger.thumbprint)));
  await answers(401, INVALID_TOKEN, fields(token('bob')));
  await answers(401, INVALID_TOKEN, fields(token('bob', { claims: { cnf: {} } })));
  // Bearer tokens stay good where both are accepted.
  await answers(200, [], { authorization: `Bearer ${token('bob')}` });
});

test('a cure is named in the challenge of the scheme that was used, alone', async () => {
  const accessToken = bound(key.thumbprint, { scope: 'offline' });
  await answers(403, [dpopLine(', error="insufficient_scope", scope="reports offline"')],
    fields(accessToken, { url: 'http://api.example/reports/1' }), { target: '/reports/1' });
  await answers(403, [bearerLine(', error="insufficient_scope", scope="reports offline"')],
    { authorization: `Bearer ${token('bob', { claims: { scope: 'offline' } })}` }, { target: '/reports/1' });
});

test('dpop=required: no other token, no other challenge, and the metadata says so', async () => {
  const metadata = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"';
  const line = (error) => [`DPoP realm="api"${error}, algs="${ALGS}", ${metadata}`];
  await answers(401, line(''), {}, { port: requiredPort });
  await answers(401, line(', error="invalid_token"'), { authorization: `Bearer ${token('bob')}` }, { port: requiredPort });
  const accessToken = bound();
  // The location says by which URI it is known, whatever Host and connection say.
  await answers(200, [], fields(accessToken, { url: 'https://api.example/docs/1' }), { port: requiredPort });
  const document = await request(requiredPort, 'GET', '/.well-known/oauth-protected-resource/v1');
  assert.deepEqual(document.json().dpop_signing_alg_values_supported, ALGS.split(' '));
  assert.equal(document.json().dpop_bound_access_tokens_required, true);
});

test('where no issuer takes proofs, DPoP is a scheme like any other that is not accepted', async () => {
  await answers(401, [bearerLine()], fields(bound()), { port: bearerPort });
  await answers(401, [bearerLine(', error="invalid_token"')], { authorization: `Bearer ${bound()}` }, { port: bearerPort });
});

test('a proof names what the client sent, whatever the server rewrites', async () => {
  const accessToken = bound();
  await answers(200, [], fields(accessToken, { url: 'http://api.example/old/1' }), { target: '/old/1' });
  await answers(401, INVALID_PROOF, fields(accessToken, { url: 'http://api.example/docs/1' }), { target: '/old/1' });
});

test('a proof names the host of the target, where that has one, not that of another Host', async () => {
  const accessToken = bound();
  const ask = (target, host, url) => request(gateway.port, 'GET', target, [['Host', host], ...Object.entries(fields(accessToken, { url }))]);
  for (const [target, host, url, status] of [
    ['http://api.example/docs/1', 'api.example', 'http://api.example/docs/1', 200],
    ['http://api.example/docs/1', 'evil.example', 'http://evil.example/docs/1', 401],
    ['http://api.example/docs/1', 'evil.example', 'http://api.example/docs/1', 200],
    ['/docs/1', 'API.example:8080', 'http://api.example:8080/docs/1', 200],
    ['/docs/1', 'api.example.', 'http://api.example./docs/1', 200],
    ['/docs/1', '[::1]:81', 'http://[::1]:81/docs/1', 200],
    ['/docs/1', '[::1]', 'http://[::1]/docs/1', 200],
    ['/docs/1', '[::1]', 'http://[::2]/docs/1', 401],
  ]) {
    const answer = await ask(target, host, url);
    assert.equal(answer.status, status, `${target} ${host} ${url}: ${answer.body}`);
  }
});

test('looking who it is does not use up the proof; one request may be decided twice', async () => {
  const limited = await gateway.get('/limited/docs/1', fields(bound(), { url: 'http://api.example/limited/docs/1' }));
  assert.equal(limited.status, 404, 'decided, not 401');
  const same = fields(bound());
  await answers(200, [], same, { port: shadowPort });
  // In shadow a used proof is spared; the location that enforces refuses it.
  await answers(401, INVALID_PROOF, same, { port: shadowPort });
});

// --- Certificates --------------------------------------------------------------------------------------------------

const overTls = (headers, name) => new Promise((resolve, reject) => {
  const certificate = name ? { cert: readFileSync(`${dir}/${name}.pem`), key: readFileSync(`${dir}/${name}.key`) } : {};
  https.get({ host: '127.0.0.1', port: tlsPort, path: '/docs/1', rejectUnauthorized: false, agent: false, headers: { host: 'api.example', ...headers }, ...certificate }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve({ status: answer.statusCode, challenge: answer.headers['www-authenticate'] }));
  }).on('error', reject);
});
const thumbprintOf = (name) => createHash('sha256').update(Buffer.from(readFileSync(`${dir}/${name}.pem`, 'utf8').replace(/-----[^-]+-----|\s/g, ''), 'base64')).digest('base64url');

test('row 19: a token bound to a certificate', async () => {
  const held = { authorization: `Bearer ${token('bob', { claims: { cnf: { 'x5t#S256': thumbprintOf('client') } } })}` };
  assert.equal((await overTls(held, 'client')).status, 200);
  for (const name of [undefined, 'other']) {
    const refused = await overTls(held, name);
    assert.equal(refused.status, 401);
    assert.match(refused.challenge, /^Bearer realm="api", error="invalid_token", DPoP/);
  }
  await answers(401, [bearerLine(', error="invalid_token"'), dpopLine()], held);
});

test('row 19: bound to a certificate and a key, both are wanted', async () => {
  const accessToken = token('bob', { claims: { cnf: { 'x5t#S256': thumbprintOf('client'), jkt: key.thumbprint } } });
  const proved = () => fields(accessToken, { url: 'https://api.example/docs/1' });
  assert.equal((await overTls(proved(), 'client')).status, 200);
  assert.equal((await overTls(proved(), 'other')).status, 401);
  assert.equal((await overTls({ authorization: `Bearer ${accessToken}` }, 'client')).status, 401);
});

test('row 19: bound to anything else is bound to what nobody can show', async () => {
  for (const cnf of [null, {}, 'x', { kid: 'k' }, { jkt: 'short' }, { 'x5t#S256': 1 }, { jkt: key.thumbprint, jwk: {} }]) {
    const refused = await overTls({ authorization: `Bearer ${token('bob', { claims: { cnf } })}` }, 'client');
    assert.equal(refused.status, 401, JSON.stringify(cnf));
  }
});
