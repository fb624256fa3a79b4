// SPDX-License-Identifier: Apache-2.0
// The examples of a page, which tests carry out from top to bottom in one directory.  Nothing is hidden: what they
// need stands in the page.
//
//   ```cedar policies/a.cedar      a block with a path is a file, made before what follows
//   ```console                     lines that begin with `$ ` are commands, those with `> ` behind one its standard
//                                  input, the rest what it prints
//
// In what is printed a line of `…` stands for any number of lines, `…` within a line for any text.  An answer of HTTP
// (the first line begins with `HTTP/`) must have the fields that are shown, in their order, and may have others.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// [{file, text} | {steps: [{command, input, output: [line…], line}]}], in order.
export function examples(page) {
  const found = [];
  let block = null;
  for (const [index, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    const fence = /^```(\w*) ?(\S*)/.exec(line);
    if (!block && fence) {
      block = fence[1] === 'console' ? { steps: [] } : fence[2] ? { file: fence[2], text: '' } : {};
    } else if (block && fence) {
      if (block.steps || block.file) found.push(block);
      block = null;
    } else if (block?.file) {
      block.text += `${line}\n`;
    } else if (block?.steps) {
      if (line.startsWith('$ ')) block.steps.push({ command: line.slice(2), input: '', output: [], line: index + 1 });
      else if (line.startsWith('> ') || line === '>') block.steps.at(-1).input += `${line.slice(2)}\n`;
      else block.steps.at(-1).output.push(line);
    }
  }
  return found;
}

const escape = (line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
const lines = (list) => list.map((line) => (line === '…' ? '(?:.*\n)*?' : `${escape(line)}\n`)).join('');

// Did this come out?  Blank lines at the end of a block are for the eye.
export function fits(output, text) {
  let wanted = output;
  while (wanted.at(-1) === '') wanted = wanted.slice(0, -1);
  const got = text.replaceAll('\r\n', '\n').replace(/\n*$/, wanted.length ? '\n' : '');
  if (!wanted[0]?.startsWith('HTTP/')) return new RegExp(`^${lines(wanted)}$`).test(got) || new RegExp(`^${lines(output)}$`).test(text);
  const end = wanted.includes('') ? wanted.indexOf('') : wanted.length;
  const fields = wanted.slice(0, end).map((line) => lines([line])).join('(?:.+\n)*');
  // A body that is not shown may be any.
  const body = end < wanted.length ? `\n${lines(wanted.slice(end + 1))}` : '(?:\n(?:.*\n)*)?';
  return new RegExp(`^${fields}(?:.+\n)*${body}$`).test(got);
}

// Carries the examples out in `dir`.  `rewrite(text)` changes what depends on the machine; `made(file)` is called for
// each file.  → [{line, command, wanted, got}] of those that came out otherwise, and how many were run.
export async function carryOut(page, dir, { env = process.env, rewrite = (text) => text, made = () => {} } = {}) {
  const differ = [];
  let ran = 0;
  for (const one of examples(page)) {
    if (one.file) {
      mkdirSync(path.dirname(path.join(dir, one.file)), { recursive: true });
      writeFileSync(path.join(dir, one.file), rewrite(one.text));
      await made(one.file);
    }
    for (const { command, input, output, line } of one.steps ?? []) {
      const got = await run(rewrite(command), input, dir, env);
      ran++;
      if (!fits(output, got.stdout)) differ.push({ line, command, wanted: output.join('\n'), got: got.stdout + got.stderr });
    }
  }
  return { ran, differ };
}

// (Not spawnSync: servers of the test itself may have to answer meanwhile.)
function run(command, input, cwd, env) {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', command], { cwd, env, timeout: 60000 });
    const result = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (chunk) => { result[name] += chunk; });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', () => resolve(result));
  });
}
