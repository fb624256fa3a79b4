// SPDX-License-Identifier: Apache-2.0
// Runs the console blocks of a page, in one directory from top to bottom, and compares what they print.
// Lines that begin with `$ ` are commands, those with `> ` behind one its standard input; the rest is
// what comes out, where a line of `…` stands for any number of lines.
//
//   node page.mjs PAGE.md          (in a directory of its own; `forbid` is in PATH)
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
const escape = (line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
let ran = 0, differ = 0;
for (const [, block] of text.matchAll(/^```console\n(.*?)^```$/gms)) {
  const steps = [];
  for (const line of block.split('\n').slice(0, -1)) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), input: '', output: [] });
    else if (line.startsWith('> ')) steps.at(-1).input += `${line.slice(2)}\n`;
    else steps.at(-1).output.push(line);
  }
  for (const { command, input, output } of steps) {
    const done = spawnSync('bash', ['-c', command], { input, encoding: 'utf8' });
    const pattern = output.map((line) => (line === '…' ? '(?:.*\n)*?' : `${escape(line)}\n`)).join('');
    ran++;
    if (new RegExp(`^${pattern}$`).test(done.stdout)) continue;
    differ++;
    console.log(`$ ${command}\n${done.stdout}${done.stderr}`);
  }
}
console.log(`${ran > 8 ? 'the commands of the page ran' : `only ${ran} commands`}, ${differ} differ`);
process.exit(differ || ran <= 8 ? 1 : 0);
