// SPDX-License-Identifier: Apache-2.0
// Instructions a decision, by callgrind, which counts inside bench_counted() alone: unlike a time, the same
// on a machine that others use too.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

// [case, requests of the peer]
const whole = [['github-50', 100], ['github-templates-50', 20], ['gdrive-50', 100], ['gdrive-templates-50', 50], ['tinytodo-50', 100],
  ['links-10', 100], ['links-100', 50], ['links-1000', 20], ['links-10000', 5], ['links-100000', 0]];
const few = [['github-50', 0], ['links-10', 0], ['links-1000', 0]];

// Instructions by function, the most first: [[name, share], …].
function byFunction(out) {
  const text = spawnSync('callgrind_annotate', [out], { encoding: 'utf8' }).stdout ?? '';
  return [...text.matchAll(/^ *[\d,]+ \( *([\d.]+)%\) +[^:]*:(\S+) \[/gm)].map(([, share, name]) => [name, Number(share)]).slice(0, 12);
}

function count(program, words, file) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'forbid-callgrind-')), out = path.join(dir, 'out');
  const done = spawnSync('valgrind', ['--tool=callgrind', '--toggle-collect=bench_counted', `--callgrind-out-file=${out}`, program, ...words, file],
    { encoding: 'utf8', timeout: 40000 });
  const total = done.status === 0 ? /^(?:totals|summary): (\d+)/m.exec(readFileSync(out, 'latin1')) : null;
  const counted = total ? { instructions: Number(total[1]) / Number(done.stdout.trim()), functions: byFunction(out) } : null;
  rmSync(dir, { recursive: true, force: true });
  return counted;
}

// [{peer, mode, case, instructions, functions}], empty without valgrind.
export function countInstructions(ours, peers, data, quick) {
  if (spawnSync('sh', ['-c', 'command -v valgrind']).status !== 0) return [];
  console.error('bench: counts instructions');
  const counts = [], rust = peers.find(({ name }) => name === 'cedar-rust');
  for (const [name, requests] of quick ? few : whole) {
    const file = path.join(data, name);
    for (const mode of ['handles', 'text', 'library'])
      counts.push({ peer: 'forbid', mode, case: name, ...count(ours, ['--count', mode], file) });
    if (rust && requests) counts.push({ peer: 'cedar-rust', mode: 'parsed', case: name, ...count(rust.command[0], ['--count', String(requests)], file) });
  }
  return counts.filter(({ instructions }) => instructions !== undefined);
}
