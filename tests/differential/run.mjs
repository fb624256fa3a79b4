// SPDX-License-Identifier: Apache-2.0
// The differential test: worlds made from a seed are decided by Forbid and by the official engine, and must
// get the same answers; what once differed stands in found/ and is asked again each time.
//
//   run BUILD [--cases N] [--seed S] [--minutes M] [--from WORLD] [--only WORLD] [--driver FILE] [--no-count]
//
// A case is one request.  Without --cases there are 2,000, or 100,000 when FB_SLOW is 1.  --minutes goes on
// until they are over.  --from starts at that world of the seed, --only takes it alone.  Its last line is
// `TOTALS passed failed skipped`.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
const COUNT_EVERY = 1;                      // worlds: those whose operators are counted

function readOptions(words) {
  const options = { build: null, cases: null, seed: null, minutes: null, from: 0, only: null, driver: null, count: true, keep: 5 };
  while (words.length) {
    const word = words.shift();
    if (word === '--no-count') options.count = false;
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
function rendered(world) {
  return { ...render(world), templates: world.policies.map(isTemplate), whole: world.number % 2 === 0, forms: world.number % 2 === 0 };
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

async function keep(run, world, what) {
  const kind = what.replace(/\d+/g, '').split(':').slice(0, 2).join(':').slice(0, 40);
  const differs = async (next) => {
    const texts = rendered(next);
    const again = compare(await run.driver.ask(texts), run.oracle.answer(texts));
    return again.replace(/\d+/g, '').split(':').slice(0, 2).join(':').slice(0, 40) === kind;
  };
  const least = rendered(await shrink(world, differs));
  const expected = run.oracle.answer(least);
  const number = readdirSync(found).filter((name) => /^\d+\.json$/.test(name)).length + 1;
  const file = path.join(found, `${String(number).padStart(3, '0')}.json`);
  const again = compare(await run.driver.ask(least), expected);
  writeFileSync(file, `${JSON.stringify({ what: again, seed: run.options.seed, number: world.number, world: least, expected }, null, 1)}\n`);
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
  if (run.options.count && number % COUNT_EVERY === 0 && !texts.garbled && ours.answers?.length)
    await run.counter.count(world, ours.answers, run.driver, new Rng(run.options.seed, number));
}

async function worlds(run) {
  const { options, stats } = run;
  const end = options.minutes !== null ? Date.now() + options.minutes * 60000 : Infinity;
  let shown = Date.now();
  if (options.only !== null) return oneWorld(run, options.only);
  for (let number = options.from; stats.cases < options.cases && Date.now() < end; number++) {
    await oneWorld(run, number);
    if (Date.now() - shown > 60000) {
      shown = Date.now();
      console.log(`… ${stats.cases} cases, ${stats.differ} worlds differ`);
    }
  }
  return undefined;
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
  console.log(`cases that an operator decides, counted in one world of ${COUNT_EVERY}:\n${counter.table()}`);
  const [name, count] = counter.least();
  if (stats.cases >= 100000) test('each operator decides 500 cases', count >= 500 ? '' : `${name}: ${count}`);
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
  console.log(`seed ${options.seed}, ${oracle ? `cedar-wasm ${version()}` : 'no oracle'}`);
  await replay(driver, oracle);
  if (oracle) {
    await worlds(run);
    report(run);
  } else {
    skip('differential', 'the npm package @cedar-policy/cedar-wasm is not installed');
  }
  driver.close();
  console.log(`TOTALS ${totals.passed} ${totals.failed} ${totals.skipped}`);
  process.exitCode = totals.failed ? 1 : 0;
}

await main();
