// SPDX-License-Identifier: Apache-2.0
// Asks the oracle (the official engine, from npm) every request of the applications' cases and writes its
// answers to scenarios/expected.json, which is committed: minutes that not every run has to take.
//
//   node bench/generate.mjs DATA && node bench/expect.mjs DATA
//
// To be run again after a change of the scenarios or of the generator; some minutes.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from './peers/cedar-wasm/engine.mjs';
import { readSeries } from './peers/measure.mjs';

const data = process.argv[2];
if (!data) { console.error('usage: node bench/expect.mjs DATA'); process.exit(2); }
const expected = {};
for (const name of readdirSync(data).filter((entry) => !entry.startsWith('links-')).sort()) {
  const { prepare, decide } = open(path.join(data, name)), [{ requests }] = readSeries(path.join(data, name));
  expected[name] = requests.map((request) => (decide(prepare(request)) ? '1' : '0')).join('');
  console.error(name);
}
writeFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), 'scenarios', 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);
