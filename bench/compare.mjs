// SPDX-License-Identifier: Apache-2.0
// Every answer of everybody is held against what is expected: what the oracle said (scenarios/expected.json),
// or what the generator knows.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const recorded = JSON.parse(readFileSync(new URL('./scenarios/expected.json', import.meta.url), 'utf8'));

function expected(data, name, series) {
  if (series === 'all') return recorded[name];
  const file = path.join(data, name, `expected.${series}.jsonl`);
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\n', '') : undefined;
}

// Differences as sentences; `compared` counts answers.
export function compareAnswers(results, data) {
  const differences = [];
  let compared = 0;
  for (const { peer, mode, case: name, series, answers } of results) {
    if (answers === undefined) continue;
    const want = expected(data, name, series);
    if (want === undefined) { differences.push(`${name}: nothing is known of its answers`); continue; }
    if (answers.length > want.length) differences.push(`${peer} gave ${answers.length} answers to ${want.length} requests of ${name}`);
    for (let i = 0; i < answers.length; i++)
      if (answers[i] !== want[i]) { differences.push(`${peer} (${mode}) says ${answers[i]} to request ${i + 1} of ${name} ${series}, where ${want[i]} is right`); break; }
    compared += answers.length;
  }
  return { compared, differences };
}
