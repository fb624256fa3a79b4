// SPDX-License-Identifier: Apache-2.0
// Another implementation to compare with: node:crypto.
//   node peer.mjs mint CLAIMS    a JWK Set, then lines `alg token` of good tokens under its keys
//   node peer.mjs check FILE     FILE: a JWK Set, then a token a line; answers `good` or `bad` a line
import crypto from 'node:crypto';
import fs from 'node:fs';

const options = {
  RS256: {},
  PS256: { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  ES256: { dsaEncoding: 'ieee-p1363' },
  EdDSA: {},
};
const digest = (alg) => (alg === 'EdDSA' ? null : 'sha256');
const base64url = (text) => Buffer.from(text).toString('base64url');

function mint(claims) {
  const rsa = () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pairs = {
    RS256: rsa(),
    PS256: rsa(),
    ES256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: crypto.generateKeyPairSync('ed25519'),
  };
  const keys = Object.entries(pairs).map(([alg, pair]) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid: alg, alg }));
  console.log(JSON.stringify({ keys }));
  for (const [alg, pair] of Object.entries(pairs)) {
    for (let i = 0; i < 20; i++) {
      const text = `${base64url(JSON.stringify({ alg, kid: alg }))}.${base64url(claims.replace('alice', `alice-${i}`))}`;
      const signature = crypto.sign(digest(alg), Buffer.from(text), { key: pair.privateKey, ...options[alg] });
      console.log(alg, `${text}.${signature.toString('base64url')}`);
    }
  }
}

function check(file) {
  const [set, ...tokens] = fs.readFileSync(file, 'utf8').trim().split('\n');
  const { keys } = JSON.parse(set);
  for (const token of tokens) {
    const [header, payload, signature] = token.split('.');
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url'));
    const key = crypto.createPublicKey({ key: keys.find((k) => k.kid === kid && k.alg === alg), format: 'jwk' });
    const good = crypto.verify(digest(alg), Buffer.from(`${header}.${payload}`), { key, ...options[alg] },
      Buffer.from(signature, 'base64url'));
    console.log(good ? 'good' : 'bad');
  }
}

if (process.argv[2] === 'mint') mint(process.argv[3]);
else check(process.argv[3]);
