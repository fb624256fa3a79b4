// SPDX-License-Identifier: Apache-2.0
// The differential test: worlds made from a seed are decided by Forbid and by the official engine, and must
// get the same answers; what once differed stands in found/ and is asked again each time.
//
//   run BUILD [--cases N] [--seed S] [--minutes M] [--from WORLD] [--only WORLD] [--driver FILE] [--no-count]
//
// A case is one request.  Without --cases there are 2,000, or 100,000 when FB_SLOW is 1.  --minutes goes on
// until they are over.  --from starts at that world of the seed, --only takes it alone.  Its last line is
// `TOTALS passed failed skipped`.
//
// A long run is cut into slices, each a process of its own: one Node 20 that asks a WebAssembly module some
// ten thousand times may end in V8 itself.  A slice (--slice) says its figures in a line `SLICE json`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compare, compareAnswers } from './compare.mjs';
import { Counter } from './count.mjs';
import { openOracle, version } from './oracle.mjs';
import { Driver, askCommand } from './peer.mjs';
import { Rng } from './rng.mjs';
import { shrink } from './shrink.mjs';
import { CASES, isTemplate, makeWorld, render } from './world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const found = path.join(here, 'found');
const slow = process.env.FB_SLOW === '1';
const COMMAND_EVERY = 100;                  // worlds: those that the command is asked too
const SLICE = 4000;                         // cases of one process

function readOptions(words) {
  const options = { build: null, cases: null, seed: null, minutes: null, from: 0, only: null, driver: null, count: true, keep: 5, slice: false };
  while (words.length) {
    const word = words.shift();
    if (word === '--no-count') options.count = false;
    else if (word === '--slice') options.slice = true;
    else if (['--driver'].includes(word)) options.driver = words.shift();
    else if (['--cases', '--seed', '--minutes', '--from', '--only', '--keep'].includes(word)) options[word.slice(2)] = Number(words.shift());
    else options.build = word;
  }
  if (options.build === null) throw new Error('usage: run BUILD [--cases N] [--seed S] [--minutes M] [--from WORLD] [--only WORLD]');
  options.driver ??= path.join(options.build, 'tests/differential/differential_driver');
  options.seed ??= Number(process.env.FB_SEED ?? (Date.now() ^ (process.pid << 16)) >>> 0);
  options.cases ??= options.minutes !== null ? Infinity : slow ? 100000 : 2000;
  return options;
}

const totals = { passed: 0, failed: 0, skipped: 0 };

function test(name, fault) {
  if (fault) console.log(`FAILED ${name}: ${fault}`);
  totals[fault ? 'failed' : 'passed']++;
}

function skip(name, why) {
  console.log(`SKIPPED ${name}: ${why}`);
  totals.skipped++;
}

// What the oracle needs to know beside the texts.
const everyForm = slow || process.argv.includes('--only');

function rendered(world) {
  const even = world.number % 2 === 0;
  return { ...render(world), templates: world.policies.map(isTemplate), whole: even, forms: everyForm || even };
}

// --- What once differed ----------------------------------------------------------------------------------

async function replay(driver, oracle) {
  const files = existsSync(found) ? readdirSync(found).filter((name) => name.endsWith('.json')).sort() : [];
  for (const name of files) {
    const { world, expected } = JSON.parse(readFileSync(path.join(found, name), 'utf8'));
    test(`found/${name}`, compare(await driver.ask(world), expected));
    if (oracle) test(`found/${name}, the oracle`, JSON.stringify(oracle.answer(world)) === JSON.stringify(expected) ? '' : 'it answers otherwise than is stored');
  }
}

// Under the next number; another slice may take one at the same time.
function storeNew(text) {
  for (let number = 1; ; number++) {
    const file = path.join(found, `${String(number).padStart(3, '0')}.json`);
    if (existsSync(file)) continue;
    try {
      writeFileSync(file, text, { flag: 'wx' });
      return file;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

async function keep(run, world, what) {
  const kind = what.replace(/\d+/g, '').split(':').slice(0, 2).join(':').slice(0, 40);
  const differs = async (next) => {
    const texts = rendered(next);
    const again = compare(await run.driver.ask(texts), run.oracle.answer(texts));
    return again.replace(/\d+/g, '').split(':').slice(0, 2).join(':').slice(0, 40) === kind;
  };
  const least = rendered(await shrink(world, differs));
  const expected = run.oracle.answer(least);
  const again = compare(await run.driver.ask(least), expected);
  const text = `${JSON.stringify({ what: again, seed: run.options.seed, number: world.number, world: least, expected }, null, 1)}\n`;
  const file = storeNew(text);
  console.log(`shrunk to ${path.relative(process.cwd(), file)}: ${again}\n${least.schema ?? ''}\n${least.text}\n${JSON.stringify(least.entities)}\n${JSON.stringify(least.requests)}`);
}

// --- The worlds ------------------------------------------------------------------------------------------

function tally(run, theirs) {
  const { stats } = run;
  stats.cases += CASES;
  stats.worlds++;
  if (theirs.trap) stats.traps++;
  if (theirs.schema === false || theirs.policies === false || theirs.policiesAndLinks === false || theirs.entities === false) stats.refused += CASES;
  for (const answer of theirs.answers ?? []) {
    if (answer.error) stats.refused++;
    else {
      stats[answer.decision]++;
      if (answer.errors.length) stats.errors++;
      if (answer.reason.length + answer.errors.length) stats.determined++;
    }
  }
}

async function oneWorld(run, number) {
  const world = makeWorld(run.options.seed, number);
  const texts = rendered(world);
  const asked = run.driver.ask(texts);
  const theirs = run.oracle.answer(texts);
  const ours = await asked;
  tally(run, theirs);
  const what = compare(ours, theirs);
  if (what) {
    run.stats.differ++;
    console.log(`world ${number} (--seed ${run.options.seed} --only ${number}): ${what}`);
    if (run.stats.differ <= run.options.keep) await keep(run, world, what);
  }
  if (number % COMMAND_EVERY === 0 && run.forbid) {
    const command = askCommand(run.forbid, texts);
    const fault = ours.answers.length ? compareAnswers(command.answers, ours.answers) : command.answers.length ? 'the command decides what the driver refuses' : '';
    run.stats.commands++;
    if (fault) run.commandFaults.push(`world ${number}: ${fault}`);
  }
  if (run.options.count && !texts.garbled && ours.answers?.length)
    await run.counter.count(world, ours.answers, run.driver, new Rng(run.options.seed, number));
}

async function worlds(run) {
  const { options, stats } = run;
  if (options.only !== null) return oneWorld(run, options.only);
  for (let number = options.from; stats.cases < options.cases; number++) await oneWorld(run, number);
  return undefined;
}

// --- Slices ----------------------------------------------------------------------------------------------

// One slice in a process of its own; null if it ended without its figures.
async function oneSlice(run, from, cases) {
  const { options, stats } = run;
  const args = [fileURLToPath(import.meta.url), options.build, '--slice', '--seed', options.seed, '--from', from, '--cases', cases,
    '--driver', options.driver, '--keep', Math.max(0, options.keep - stats.differ), ...(options.count ? [] : ['--no-count'])];
  const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  let figures = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('SLICE ')) figures = JSON.parse(line.slice(6));
    else console.log(line);
  }
  return figures;
}

function add(run, { stats, decided, commandFaults }) {
  for (const [name, n] of Object.entries(stats)) run.stats[name] += n;
  for (const [name, n] of Object.entries(decided)) run.counter.decided.set(name, run.counter.decided.get(name) + n);
  run.commandFaults.push(...commandFaults);
}

// The slices one after the other, as many at a time as there are processors.
async function slices(run) {
  const { options, stats } = run;
  const end = options.minutes !== null ? Date.now() + options.minutes * 60000 : Infinity;
  let taken = 0, broken = 0;
  const worker = async () => {
    while (taken < options.cases && Date.now() < end && !broken) {
      const from = options.from + taken / CASES, cases = Math.min(SLICE, options.cases - taken);
      taken += SLICE;
      let figures = await oneSlice(run, from, cases);
      if (!figures) {
        console.log(`the process for the worlds from ${from} on ended without its figures; once more`);
        figures = await oneSlice(run, from, cases);
      }
      if (!figures) {
        broken++;
        test(`the worlds from ${from} on`, 'their process ended without its figures twice');
        return;
      }
      add(run, figures);
      console.log(`… ${stats.cases} cases, ${stats.differ} worlds differ`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, cpus().length) }, worker));
}

function report(run) {
  const { stats, options, counter } = run;
  const share = (n) => `${(100 * n / stats.cases).toFixed(1)} %`;
  console.log(`${stats.cases} cases in ${stats.worlds} worlds: ${share(stats.allow)} allow, ${share(stats.deny)} deny, ${share(stats.errors)} with errors, ` +
    `${share(stats.refused)} refused by the oracle, ${share(stats.determined)} with a reason or an error; the oracle trapped ${stats.traps} times; ` +
    `${stats.commands} worlds through the command`);
  test(`${stats.cases} cases agree`, stats.differ ? `${stats.differ} worlds differ` : '');
  if (run.forbid) test('the command answers as the driver', run.commandFaults.slice(0, 3).join('; '));
  if (options.only !== null || stats.cases < 1000) return;
  test('a quarter of the cases allow', stats.allow * 4 >= stats.cases ? '' : share(stats.allow));
  test('a tenth of the cases have errors', stats.errors * 10 >= stats.cases ? '' : share(stats.errors));
  if (!options.count) return;
  console.log(`cases that an operator decides, by other values in the operator's place:\n${counter.table()}`);
  // A short run can only show that the share is not far from enough.
  const [name, count] = counter.least();
  const least = stats.cases >= 100000 ? 500 : Math.floor(stats.cases / 1000);
  test(`each operator decides ${least} cases`, count >= least ? '' : `${name}: ${count}`);
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  const driver = new Driver(options.driver);
  const oracle = openOracle();
  const command = path.join(options.build, 'forbid');
  const run = {
    options, driver, oracle, counter: new Counter(), forbid: existsSync(command) ? command : null, commandFaults: [],
    stats: { cases: 0, worlds: 0, allow: 0, deny: 0, errors: 0, refused: 0, determined: 0, differ: 0, traps: 0, commands: 0 },
  };
  if (options.slice) {
    await worlds(run);
    driver.close();
    console.log(`SLICE ${JSON.stringify({ stats: run.stats, decided: Object.fromEntries(run.counter.decided), commandFaults: run.commandFaults })}`);
    return;
  }
  console.log(`seed ${options.seed}, ${oracle ? `cedar-wasm ${version()}` : 'no oracle'}`);
  await replay(driver, oracle);
  if (oracle) {
    if (options.only === null && options.cases > SLICE) await slices(run);
    else await worlds(run);
    report(run);
  } else {
    skip('differential', 'the npm package @cedar-policy/cedar-wasm is not installed');
  }
  driver.close();
  console.log(`TOTALS ${totals.passed} ${totals.failed} ${totals.skipped}`);
  process.exitCode = totals.failed ? 1 : 0;
}

await main();
