// SPDX-License-Identifier: Apache-2.0
// Keys and tokens, made with node:crypto: a second implementation, so that ours is not checked
// against itself.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// One key for all tests of a run: making it takes longer than using it.
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').privateKey;

export const issuer = 'https://issuer.example';
export const audience = 'docs';

export function writeKeys(file) {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'EdDSA' };
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
}

// A token for `sub`; `claims` and `header` replace what is there by default, `key` signs.
export function token(sub, { claims = {}, header = {}, key = privateKey } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: issuer, aud: audience, sub, iat: now, exp: now + 3600, ...claims };
  const text = `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k1', ...header })}.${encode(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' }))).toString('base64url')}`;
}

export const bearer = (sub, options) => ({ authorization: `Bearer ${token(sub, options)}` });
export const expired = (sub) => bearer(sub, { claims: { exp: Math.floor(Date.now() / 1000) - 3600 } });
export const forged = (sub) => bearer(sub, { key: stranger });
