// SPDX-License-Identifier: Apache-2.0
// The client gives the advice that the C library gives.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { advise } from '../advise.js';
import { readChallenges, readDate } from '../fields.js';
import { signalOfWord } from '../signals.js';
import { readCases, root, show } from './cases.mjs';

for (const file of ['standard.case', 'servers.case']) {
  test(`the cases of ${file}`, () => {
    const cases = readCases(file);
    assert.ok(cases.length > 40);
    for (const { title, client, answer, advice } of cases) assert.equal(show(advise(answer, client)), advice, title);
  });
}

test('the words are those of the C library', () => {
  const rows = [...readFileSync(path.join(root, 'src/refusal/signals.def'), 'utf8').matchAll(/^FB_SIGNAL_WORD\("([^"]+)", (\w+)\)$/gm)];
  assert.deepEqual(new Map(rows.map(([, word, signal]) => [word, signal.toLowerCase()])), signalOfWord);
});

test('the reasons are those of the C library', () => {
  const rows = [...readFileSync(path.join(root, 'src/refusal/grounds.def'), 'utf8').matchAll(/^FB_GROUND\(\w+, "(\w+)"/gm)].map(([, code]) => code);
  const source = readFileSync(path.join(root, 'clients/javascript/advise.js'), 'utf8');
  for (const code of rows) assert.ok(source.includes(`'${code}'`), code);
});

test('challenges', () => {
  const read = (value) => readChallenges(value).map(({ scheme, params }) => `${scheme}(${[...params].map(([n, v]) => `${n}=${v}`).join(' ')})`).join(' ');
  assert.equal(read('Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'), 'Basic(realm=simple) Newauth(realm=apps type=1 title=Login to \\"apps\\")');
  assert.equal(read('Negotiate, NTLM TlRM==, Bearer'), 'Negotiate() NTLM() Bearer()');
  assert.equal(read('Bearer a="x, Basic y=\\"z\\""'), 'Bearer(a=x, Basic y=\\"z\\")');
  assert.equal(read('Bearer error="x", error_description=The token'), 'Bearer(error=x)');
  assert.equal(read(''), '');
});

test('dates', () => {
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) assert.equal(readDate(text, 1795000000), 784111777);
  for (const text of ['', 'soon', 'Sun, 06 Nov 1994 24:49:37 GMT', '1994-11-06T08:49:37Z']) assert.equal(readDate(text, 0), undefined);
});
