// SPDX-License-Identifier: Apache-2.0
// Are faults found?  Each of faults.mjs is put into a copy of its source file, a driver is built with it in a
// temporary directory, and the worlds of a seed must tell it from the official engine within 2,000 cases.
//
//   planted [BUILD] [--seed S] [--cases N] [--from N] [--to N]   those faults alone, of faults.mjs by position
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './compare.mjs';
import { faults } from './faults.mjs';
import { openOracle } from './oracle.mjs';
import { Driver } from './peer.mjs';
import { CASES, isTemplate, makeWorld, render } from './world.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const words = process.argv.slice(2);
const option = (name, otherwise) => (words.includes(name) ? Number(words[words.indexOf(name) + 1]) : otherwise);
const seed = option('--seed', 1);
const limit = option('--cases', 2000);
const from = option('--from', 0), to = option('--to', faults.length);

const oracle = openOracle();
if (!oracle) {
  console.log('SKIPPED planted faults: the npm package @cedar-policy/cedar-wasm is not installed\nTOTALS 0 0 1');
  process.exit(0);
}

const work = mkdtempSync(path.join(tmpdir(), 'forbid-planted-'));
const compiler = (process.env.CC ?? 'cc').split(' ');
const flags = ['-std=c17', '-D_GNU_SOURCE', '-O1', '-w', '-I', path.join(root, 'src'), '-I', path.join(root, 'include')];
const compile = (source, object) => execFileSync(compiler[0], [...compiler.slice(1), ...flags, '-c', source, '-o', object, '-iquote', path.join(root, 'src')]);

function sources() {
  const parts = ['base', 'entity', 'cedar', 'engine'];
  const files = parts.flatMap((part) => readdirSync(path.join(root, 'src', part)).filter((name) => name.endsWith('.c')).map((name) => `${part}/${name}`));
  return [...files, ...['context_form.c', 'links.c', 'request_json.c'].map((name) => `cli/${name}`)];
}

const objectOf = (file) => path.join(work, `${file.replace(/\//g, '_')}.o`);
const objects = new Map();
for (const file of sources()) {
  compile(path.join(root, 'src', file), objectOf(file));
  objects.set(file, objectOf(file));
}
const driver = ['driver', 'driver_forms'].map((name) => path.join(work, `${name}.o`));
for (const object of driver) compile(path.join(root, 'tests/differential', path.basename(object).replace('.o', '.c')), object);

// A driver with `file` replaced by that text, if any.
function build(name, file, text) {
  const list = new Map(objects);
  if (file) {
    const copy = path.join(work, `planted_${path.basename(file)}`);
    writeFileSync(copy, text);
    compile(copy, path.join(work, 'planted.o'));
    list.set(file, path.join(work, 'planted.o'));
  }
  const program = path.join(work, name);
  execFileSync(compiler[0], [...compiler.slice(1), '-o', program, ...driver, ...list.values(), '-lm']);
  return program;
}

// The worlds and what the official engine says are the same for all faults.
const worlds = [];
function worldAt(number) {
  if (!worlds[number]) {
    const world = makeWorld(seed, number);
    const texts = { ...render(world), templates: world.policies.map(isTemplate), whole: number % 2 === 0, forms: true };
    worlds[number] = { texts, theirs: oracle.answer(texts) };
  }
  return worlds[number];
}

// The cases until it was found, or 0.
async function search(program) {
  const driver = new Driver(program);
  let found = 0;
  for (let number = 0; number * CASES < limit && !found; number++) {
    const { texts, theirs } = worldAt(number);
    if (compare(await driver.ask(texts), theirs)) found = (number + 1) * CASES;
  }
  driver.close();
  return found;
}

let passed = 0, failed = 0;
function test(name, fault) {
  console.log(`${fault ? 'FAILED' : 'ok    '} ${name}${fault ? `: ${fault}` : ''}`);
  if (fault) failed++;
  else passed++;
}

mkdirSync(work, { recursive: true });
console.log(`seed ${seed}`);
const clean = await search(build('clean'));
test('without a fault nothing is found', clean ? `found after ${clean} cases` : '');
for (const [number, [file, there, instead]] of faults.entries()) {
  if (number < from || number >= to) continue;
  const text = readFileSync(path.join(root, 'src', file), 'utf8');
  const name = `${file}: ${instead.slice(0, 70).trim()}`;
  if (!text.includes(there)) {
    test(name, `what it should replace is not there: ${there}`);
    continue;
  }
  let program;
  try {
    program = build(`planted${number}`, file, text.replace(there, () => instead));
  } catch {
    test(name, 'with it the source does not compile');
    continue;
  }
  const cases = await search(program);
  test(`${name}${cases ? ` (after ${cases} cases)` : ''}`, cases ? '' : `not found within ${limit} cases`);
}
rmSync(work, { recursive: true, force: true });
console.log(`TOTALS ${passed} ${failed} 0`);
process.exitCode = failed ? 1 : 0;
