// SPDX-License-Identifier: Apache-2.0
// Instructions a decision, by callgrind, which counts inside bench_counted() alone: unlike a time, the same
// on a machine that others use too.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

// [case, requests of the peer]
const whole = [['github-50', 100], ['github-templates-50', 20], ['gdrive-50', 100], ['gdrive-templates-50', 50], ['tinytodo-50', 100],
  ['links-10', 100], ['links-100', 50], ['links-1000', 20], ['links-10000', 5], ['links-100000', 0]];
const few = [['github-50', 0], ['links-10', 0], ['links-1000', 0]];

// Instructions by function, the most first: [[name, share], …].
async function byFunction(out) {
  const { text } = await run('callgrind_annotate', [out]);
  return [...text.matchAll(/^ *[\d,]+ \( *([\d.]+)%\) +[^:]*:(\S+) \[/gm)].map(([, share, name]) => [name, Number(share)]).slice(0, 12);
}

function run(program, words) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 60000 });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
    child.on('error', () => resolve({ status: 127, text })).on('close', (status) => resolve({ status, text }));
  });
}

async function count(program, words, file) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-callgrind-')), out = path.join(dir, 'out');
  const done = await run('valgrind', ['--tool=callgrind', '--toggle-collect=bench_counted', `--callgrind-out-file=${out}`, program, ...words, file]);
  const total = done.status === 0 ? /^(?:totals|summary): (\d+)/m.exec(readFileSync(out, 'latin1')) : null;
  const counted = total ? { instructions: Number(total[1]) / Number(done.text.trim()), functions: await byFunction(out) } : null;
  rmSync(dir, { recursive: true, force: true });
  return counted;
}

// [{peer, mode, case, instructions, functions}], empty without valgrind.
export async function countInstructions(ours, peers, data, quick) {
  if (spawnSync('sh', ['-c', 'command -v valgrind']).status !== 0) return [];
  console.error('bench: counts instructions');
  const tasks = [], rust = peers.find(({ name }) => name === 'cedar-rust');
  for (const [name, requests] of quick ? few : whole) {
    for (const mode of quick ? ['handles', 'uids', 'text'] : ['handles', 'uids', 'text', 'library']) tasks.push({ peer: 'forbid', mode, case: name, program: ours, words: ['--count', mode] });
    if (rust && requests) tasks.push({ peer: 'cedar-rust', mode: 'parsed', case: name, program: rust.command[0], words: ['--count', String(requests)] });
  }
  // A count does not mind what runs beside it.
  const waiting = tasks.values();
  const lane = async () => {
    for (const task of waiting) Object.assign(task, await count(task.program, task.words, path.join(data, task.case)));
  };
  await Promise.all(os.cpus().map(lane));
  return tasks.filter(({ instructions }) => instructions !== undefined).map(({ program, words, ...counted }) => counted);
}
