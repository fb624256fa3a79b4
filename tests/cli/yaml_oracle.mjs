// SPDX-License-Identifier: Apache-2.0
// Holds our reading of YAML against the npm package `yaml` (YAML 1.2): random values that it writes in every style
// it has, and scalars of all kinds.  What we refuse must be of the kinds that yaml.h names.  Exit status 77 where the
// package is not installed.
//
//   node yaml_oracle.mjs DRIVER ROOT [ROUNDS]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const [driver, root, rounds = 400] = process.argv.slice(2);
const module = path.join(root, 'node_modules/yaml');
if (!existsSync(module)) {
  console.log('npm yaml is not installed');
  process.exit(77);
}
const yaml = createRequire(import.meta.url)(module);

let seed = 7;
const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n; };
const pick = (list) => list[random(list.length)];
const words = ['NO', 'yes', 'on', 'Off', 'y', 'true', 'False', 'null', '~', '', ' ', 'a', 'User::"a b"', "it's", 'a: b', 'a #b', '# c',
  '- x', '-', '?', ':', '[x', '{y', '&z', '*q', '!t', '%p', '@r', '`s', '|', '>', '007', '0x1F', '0o17', '1_000', '12:30', '1.5', '.5', '5.', '+1', '-0',
  '1e3', '1.2.3', '.inf', '-.INF', '.nan', '2026-12-24', '2026-12-24T12:00:00Z', 'two\nlines', 'trailing\n', '\n\nleading', 'tab\there', 'æ', '中文', '😀',
  'é'.normalize('NFD'), '\u00a0', '\u2028', 'x'.repeat(100), 'many words that are folded when a line is too long for them, as some writers of YAML do', '<<', '---', '...', '"', '\\', '\u0007'];
function value(depth) {
  const kind = random(depth > 3 ? 5 : 8);
  if (kind === 0) return pick([true, false, null]);
  if (kind === 1) return pick([0, 1, -1, 42, 1.5, -0.25, 1e21, 123456789]);
  if (kind < 5) return pick(words);
  if (kind === 5) return Array.from({ length: random(4) }, () => value(depth + 1));
  return Object.fromEntries(Array.from({ length: random(4) }, () => [pick(words.filter((w) => w !== '<<')), value(depth + 1)]));
}
const styles = () => ({ defaultStringType: pick(['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED']),
  defaultKeyType: pick(['PLAIN', 'QUOTE_DOUBLE']), collectionStyle: pick(['any', 'block', 'flow']), indent: pick([2, 4]), lineWidth: pick([0, 40, 80]),
  directives: random(5) === 0, aliasDuplicateObjects: false, version: '1.2' });

const dir = mkdtempSync(path.join(tmpdir(), 'forbid-yaml-'));
const cases = [];
function add(text, expected) {
  const file = path.join(dir, `${cases.length}.yaml`);
  writeFileSync(file, text);
  cases.push({ file, text, expected });
}
for (let i = 0; i < rounds; i++) {
  const wanted = { it: value(0), then: value(2) }; // a file of ours is a mapping
  const text = yaml.stringify(wanted, styles());
  // Some of what it writes, it reads otherwise: blank text as a block.
  if (isDeepStrictEqual(yaml.parse(text), wanted)) add(text, wanted);
}
const written = cases.length;
// Each word as a plain scalar: the same as the oracle reads, or refused.
for (const word of words.filter((w) => !/[\n\t#\u0007\u2028]/.test(w))) {
  const text = `a: ${word}\n`;
  let expected;
  try {
    expected = yaml.parse(text, { version: '1.2', merge: false });
  } catch {
    expected = undefined;
  }
  add(text, expected);
}

let failed = 0, refused = 0;
const fail = ({ text, expected }, got) => {
  if (failed++ < 10) console.log(`${JSON.stringify(text)}\n  wanted ${JSON.stringify(expected)}\n  got    ${got}`);
};
const lines = execFileSync(driver, cases.map(({ file }) => file), { encoding: 'utf8', maxBuffer: 64 << 20 }).split('\n');
for (const [i, one] of cases.entries()) {
  const got = lines[i];
  if (!got.startsWith('!')) {
    if (one.expected === undefined || JSON.stringify(JSON.parse(got)) !== JSON.stringify(one.expected)) fail(one, got);
  } else {
    refused++;
    const odd = /^! yaml\.line_end/.test(got) && /\u2028/.test(one.text) || /^! yaml\.(number|anchor|tag|merge)/.test(got) && i >= written;
    if (one.expected !== undefined && !odd) fail(one, got);
  }
}
rmSync(dir, { recursive: true });
console.log(`${written > rounds / 2 && refused < cases.length / 4 ? 'the oracle was asked' : 'too little was compared'}, ${failed} differ`);
process.exit(failed ? 1 : 0);
