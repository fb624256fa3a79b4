// SPDX-License-Identifier: Apache-2.0
// Every kind of refusal at every level, in every form, to strangers and to clients who are signed in: nothing is
// told that belongs to a higher level.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { decided, here, startGateway } from './lib/gateway.mjs';
import { bearer, expired } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

const levels = ['none', 'reason', 'detail', 'policy'];
const policies = readFileSync(path.join(here, 'policies/docs.cedar'), 'utf8');
const ids = [...policies.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id);
const sentences = [...policies.matchAll(/@detail\("([^"]+)"\)/g)].map(([, text]) => text);

// What may be told from which level on.
const secrets = [
  ...ids.map((id) => [id, 'policy']),
  [/\b(User|Role|Doc|Guest|Action)::/, 'policy'],
  [/(resource|principal|context)\.\w|\b(takedown|counter|owner)\b/, 'policy'],
  [/\.cedar\b/, 'never'],
  ...sentences.map((text) => [text, 'detail']),
  ['https://help.example/', 'detail'],
  [/insufficient_role|not_owner|location_not_allowed|account_unknown|policy_error|missing_credentials|token_expired|resource_not_found|no_route|ambiguous_target|legal_restriction/, 'reason'],
];
const requests = [
  ['GET', '/docs/1', {}], ['GET', '/docs/1', expired('bob')], ['DELETE', '/docs/1', bearer('bob')],
  ['GET', '/users/alice/private', bearer('bob')], ['GET', '/docs/none', bearer('bob')], ['GET', '/docs/1', bearer('ghost')],
  ['GET', '/articles/gone', {}], ['GET', '/counters/full', bearer('bob')], ['GET', '/secret/x', bearer('bob')],
  ['GET', '/nothing', {}], ['PATCH', '/docs/1', {}], ['GET', '/docs//1', bearer('bob')], ['GET', '/secret/x', {}],
];
const accepts = ['application/json', 'application/problem+json', 'text/plain', 'text/html'];

let upstream;
before(async () => { upstream = await startUpstream(); });
after(() => upstream.stop());

for (const level of levels) {
  test(`level ${level}: nothing above it`, async () => {
    const gateway = await startGateway({ server: decided(upstream, `forbid_disclose ${level} anonymous=${level};`) });
    const seen = new Set();
    try {
      for (const [method, target, headers] of requests) {
        for (const accept of accepts) {
          const answer = await gateway.request(method, target, { ...headers, accept });
          assert.ok(answer.status >= 400, `${method} ${target}`);
          // The reason stands in an RFC 6750 challenge by its own names, which belong there.
          const told = answer.fields.filter(([name]) => name !== 'www-authenticate').map((field) => field.join(': ')).join('\n') + answer.body;
          for (const [secret, from] of secrets) {
            // A policy may be called by a word of a sentence that may be told.
            const text = from === 'policy' ? sentences.reduce((rest, sentence) => rest.replaceAll(sentence, ''), told) : told;
            const found = typeof secret === 'string' ? text.includes(secret) : secret.test(text);
            if (found) seen.add(from);
            assert.ok(!found || levels.indexOf(level) >= (levels.indexOf(from) < 0 ? 9 : levels.indexOf(from)),
              `${method} ${target} as ${accept} tells ${secret}: ${told}`);
          }
        }
      }
    } finally {
      await gateway.stop();
    }
    // What a level does tell was told: else this would prove nothing.
    assert.deepEqual([...seen].sort(), levels.slice(1, levels.indexOf(level) + 1).sort());
  });
}
