// SPDX-License-Identifier: Apache-2.0
// Decisions in process, Forbid's and its peers' in one run.
//
//   node bench/decisions.mjs BUILD [--quick] [--peers all|none|NAME,…] [--parts decisions,instructions]
//
// Writes BUILD/report/decisions.json, decisions.md and decisions.svg and prints the tables.  Fails if an
// answer is not what it must be.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareAnswers } from './compare.mjs';
import { countInstructions } from './instructions.mjs';
import { preparePeers } from './peers.mjs';
import { drawPlot } from './plot.mjs';
import { writeTables } from './tables.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2), quick = words.includes('--quick');
const build = path.resolve(words[0] && !words[0].startsWith('--') ? words[0] : 'build-bench');
const option = (name, fallback) => (words.includes(name) ? words[words.indexOf(name) + 1] : fallback);
const data = path.join(build, quick ? 'bench-data-quick' : 'bench-data'), report = path.join(build, 'report');
const budget = quick ? 60 : 250;

// The cases are written anew when what writes them has changed.
function generate() {
  const stamp = path.join(data, '.made');
  const sources = ['generate.mjs', 'scenarios', ...readdirSync(path.join(here, 'scenarios'), { recursive: true }).map((file) => path.join('scenarios', String(file)))];
  if (existsSync(stamp) && sources.every((file) => statSync(path.join(here, file)).mtimeMs < statSync(stamp).mtimeMs)) return;
  console.error('bench: writes the cases');
  execFileSync('node', [path.join(here, 'generate.mjs'), data, ...(quick ? ['--quick'] : [])], { stdio: 'inherit' });
  writeFileSync(stamp, '');
}

const kindOf = (name) => name.slice(0, name.lastIndexOf('-'));
// SCENARIO-N, the small ones first.
function listCases(most = Infinity) {
  const size = (name) => Number(name.slice(name.lastIndexOf('-') + 1));
  return readdirSync(data).filter((name) => /-\d+$/.test(name) && (!name.startsWith('links-') || size(name) <= most))
    .sort((a, b) => size(a) - size(b) || (a < b ? -1 : 1));
}

// One process a peer.  What it printed before it failed counts, and its failure is reported.
function ask(name, command, cases, failures) {
  console.error(`bench: asks ${name}`);
  const start = Date.now(), [program, ...before] = command;
  const done = spawnSync(program, [...before, '--budget', String(budget), ...cases.map((file) => path.join(data, file))],
    { encoding: 'utf8', maxBuffer: 1 << 30, timeout: (quick ? 30 : name === 'forbid' ? 180 : 80) * 1000, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = done.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  if (done.error?.code === 'ETIMEDOUT') (name === 'forbid' ? failures : missing).push(`${name}: took too long after ${lines.length} results`);
  else if (done.status !== 0) failures.push(`${name} ended with ${done.status ?? done.signal} after ${lines.length} results`);
  console.error(`bench: ${name} took ${((Date.now() - start) / 1000).toFixed(0)} s`);
  return lines;
}

generate();
const ours = path.join(build, 'bench', 'bench_decide'), failures = [];
const { ready, missing } = preparePeers(build, option('--peers', 'all'));
const parts = option('--parts', 'decisions,instructions').split(',');
const results = [];
if (parts.includes('decisions')) results.push(...ask('forbid', [ours], listCases(), failures));
for (const peer of parts.includes('decisions') ? ready : []) {
  const cases = listCases(peer.links[quick ? 'quick' : 'whole']).filter((name) => !peer.without?.includes(kindOf(name)));
  results.push(...ask(peer.name, peer.command, cases, failures));
}
const counts = parts.includes('instructions') ? await countInstructions(ours, ready, data, quick) : [];
const { compared, differences } = compareAnswers(results, data);
for (const result of results) delete result.answers;

const machine = { date: new Date().toISOString().slice(0, 10), cpu: os.cpus()[0]?.model, cpus: os.cpus().length,
  system: `${os.type()} ${os.machine?.() ?? os.arch()}`, load: os.loadavg()[0] };
const all = { machine, quick, results, counts, compared, differences, missing, failures };
mkdirSync(report, { recursive: true });
writeFileSync(path.join(report, 'decisions.json'), `${JSON.stringify(all, null, 1)}\n`);
if (results.length) writeFileSync(path.join(report, 'decisions.svg'), drawPlot(all));
const tables = writeTables(all);
writeFileSync(path.join(report, 'decisions.md'), tables);
console.log(tables);
for (const line of [...missing.map((text) => `left out: ${text}`), ...failures, ...differences]) console.log(line);
console.log(`${compared} answers compared, ${differences.length} wrong.  Report: ${path.relative(process.cwd(), report)}/decisions.{md,json,svg}`);
process.exit(differences.length || failures.length || !(compared || counts.length) ? 1 : 0);
