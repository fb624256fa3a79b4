// SPDX-License-Identifier: Apache-2.0
// What the peers that are asked from Node share: reading a case, timing, the line that is printed.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const now = () => Number(process.hrtime.bigint());
const ascending = (a, b) => a - b;
const median = (list) => list.sort(ascending)[Math.floor(list.length / 2)];

export function readArguments(words = process.argv.slice(2)) {
  const budget = words[0] === '--budget' ? Number(words[1]) : 500;
  return { budget, cases: words[0] === '--budget' ? words.slice(2) : words };
}

export const readJson = (dir, file) => JSON.parse(readFileSync(path.join(dir, file), 'utf8'));

export function readSeries(dir) {
  return ['all', 'hot', 'uniform'].flatMap((series) => {
    const file = path.join(dir, series === 'all' ? 'requests.jsonl' : `requests.${series}.jsonl`);
    if (!existsSync(file)) return [];
    return [{ series, requests: readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) }];
  });
}

// `User::"a"`; the generator's ids have nothing to escape.
export function readUid(text) {
  const at = text.indexOf('::"');
  return { type: text.slice(0, at), id: text.slice(at + 3, -1) };
}

function clockCost() {
  const list = [];
  for (let i = 0; i < 2000; i++) { const start = now(); list.push(now() - start); }
  return median(list);
}

// `decide(request)` gives true or false, or a promise of one.
export async function measure(decide, requests, budget) {
  const answers = [], first = [], deadline = now() + budget * 250000;
  for (const request of requests) {
    if (answers.length >= 10 && now() > deadline) break;
    const start = now();
    answers.push((await decide(request)) ? '1' : '0');
    first.push(now() - start);
  }
  const reached = requests.slice(0, answers.length), rounds = [], end = now() + budget * 1e6;
  const slow = median([...first]) > budget * 1e5;
  while (rounds.length < 101 && ((!slow && rounds.length < 3) || (slow && rounds.length < 1) || now() < end)) {
    const times = [];
    for (const request of reached) {
      const start = now(), made = decide(request);
      if (made instanceof Promise) await made;
      times.push(now() - start);
    }
    rounds.push(times);
  }
  const cost = clockCost(), medians = reached.map((_, i) => Math.max(0, median(rounds.map((times) => times[i])) - cost)).sort(ascending);
  return { requests: reached.length, rounds: rounds.length, median_ns: medians[Math.floor(medians.length / 2)],
    p99_ns: medians[Math.floor(medians.length * 0.99)], mean_ns: medians.reduce((sum, x) => sum + x, 0) / medians.length,
    answers: answers.join('') };
}

export const say = (result) => process.stdout.write(`${JSON.stringify(result)}\n`);
