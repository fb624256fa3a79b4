// SPDX-License-Identifier: Apache-2.0
// Is coverage right?  Each clause in turn is put out of the policies (`true` in its place, `false` in an `unless`, a scope
// that takes anybody), and the tests run again: where no test decides by the clause all must still hold; where one does,
// some test must fail, unless another policy gives the same answer.  Prints how many were noticed and lists surprises.
//
//   node mutants.mjs DIR          (DIR is changed meanwhile; `forbid` is in PATH)
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const dir = process.argv[2];
const test = (...more) => spawnSync('forbid', ['test', dir, ...more], { encoding: 'utf8' });
if (test('--coverage', 'mutants.json').status !== 0) throw new Error('the tests do not hold to begin with');
const cover = JSON.parse(readFileSync('mutants.json', 'utf8'));

// Columns count Unicode scalars.
const offset = (text, { line, column }) => {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  return before + [...lines[line - 1]].slice(0, column - 1).join('').length;
};
const instead = { when: 'true', unless: 'false', principal: 'principal', resource: 'resource' };
let noticed = 0, unnoticed = 0, refused = 0;
for (const policy of cover.by_policy) {
  const text = readFileSync(policy.file, 'utf8');
  for (const clause of policy.clauses) {
    const start = offset(text, clause.start), end = offset(text, clause.end);
    if (text.slice(start, end) !== clause.text) console.log(`${policy.policy}: ${clause.text} is not where it is said to be`);
    writeFileSync(policy.file, text.slice(0, start) + instead[clause.part] + text.slice(end));
    const { status } = test();
    writeFileSync(policy.file, text);
    const whole = clause.decided > 0;
    if (status === 1) refused++;            // no longer valid: a guard that the validator needs
    else if (status === 3) noticed++;
    else unnoticed++;
    if (status === 3 && !whole) console.log(`${policy.policy}: ${clause.text}: no test decides by it, and one fails without it`);
    if (status === 0 && whole) console.log(`${policy.policy}: ${clause.text}: a test decides by it, and none fails without it`);
  }
}
console.log(`${noticed} noticed, ${unnoticed} not, ${refused} no longer valid`);
