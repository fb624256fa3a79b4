// SPDX-License-Identifier: Apache-2.0
// Runs the cases of one file against the command and prints TAP.
//
//   node run.mjs FORBID FILE.case [--write]      --write puts what came out into the file
//
// A file holds cases, each with a title and sections:
//
//   #### a title
//   == file policies/a.cedar       a file in the case's own directory
//   == run                         a shell script; `forbid` is the command
//   == stdout                      what must come out; absent: nothing
//   == stderr
//   == exit 3                      the status; absent: 0
//
// In an expectation `{{…}}` is a regular expression, and a line of `…` alone any number of lines.
// A case that ends with status 77 is skipped, and says why in its first line of output.
// Lines before the first title are remarks.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [forbid, file, flag] = process.argv.slice(2);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

function parse(text) {
  const cases = [];
  let section = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('#### ')) {
      cases.push({ title: line.slice(5), sections: [] });
      section = null;
    } else if (line.startsWith('== ') && cases.length > 0) {
      const [, kind, argument] = /^== (\S+) ?(.*)$/.exec(line);
      section = { kind, argument, lines: [] };
      cases.at(-1).sections.push(section);
    } else if (section) {
      section.lines.push(line);
    }
  }
  for (const { sections } of cases) for (const s of sections) s.text = s.lines.join('\n').replace(/\n+$/, '') + '\n';
  return cases;
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
function pattern(expected) {
  const lines = expected.replace(/\n$/, '').split('\n').map((line) => (line === '…' ? '(?:.*\n)*?'
    : line.split(/\{\{(.*?)\}\}/).map((part, i) => (i % 2 ? `(?:${part})` : escape(part))).join('') + '\n'));
  return new RegExp(`^${lines.join('')}$`);
}

const empty = (text) => text === undefined || text.trim() === '';
function fits(expected, actual) {
  return empty(expected) ? actual === '' : pattern(expected).test(actual.replace(/\n*$/, '\n'));
}

function run(test) {
  const dir = mkdtempSync(path.join(tmpdir(), 'forbid-case-'));
  try {
    const bin = path.join(dir, '.bin');
    mkdirSync(bin);
    symlinkSync(path.resolve(forbid), path.join(bin, 'forbid'));
    for (const s of test.sections.filter((s) => s.kind === 'file')) {
      mkdirSync(path.dirname(path.join(dir, s.argument)), { recursive: true });
      writeFileSync(path.join(dir, s.argument), s.text);
    }
    const script = test.sections.find((s) => s.kind === 'run');
    if (!script) return { status: -1, stdout: '', stderr: 'the case runs nothing\n' };
    const environment = { PATH: `${bin}:${process.env.PATH}`, HOME: dir, TMPDIR: dir, TZ: 'UTC', LC_ALL: 'C.UTF-8', ROOT: root,
      BUILD: path.dirname(path.resolve(forbid)), ...(process.env.FB_SHARED ? { FB_SHARED: process.env.FB_SHARED } : {}) };
    for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS']) {
      if (process.env[name]) environment[name] = process.env[name];
    }
    const done = spawnSync('bash', ['-c', script.text], { cwd: dir, env: environment, encoding: 'utf8', timeout: 120000,
      maxBuffer: 64 << 20, input: '' });
    return { status: done.status ?? -1, stdout: done.stdout ?? '', stderr: (done.stderr ?? '') + (done.error ? `${done.error}\n` : '') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const cases = parse(readFileSync(file, 'utf8'));
console.log(`TAP version 13\n1..${cases.length}`);
let failed = 0;
const section = (test, kind) => test.sections.find((s) => s.kind === kind);
for (const [index, test] of cases.entries()) {
  const got = run(test);
  if (got.status === 77) {
    console.log(`ok ${index + 1} - ${test.title} # SKIP ${got.stdout.split('\n')[0]}`);
    continue;
  }
  const wrong = [];
  const status = Number(section(test, 'exit')?.argument ?? 0);
  if (got.status !== status) wrong.push(`exit ${got.status}, not ${status}`);
  for (const kind of ['stdout', 'stderr']) {
    if (!fits(section(test, kind)?.text, got[kind])) wrong.push(`${kind} differs; it is:\n${got[kind]}`);
  }
  failed += wrong.length > 0;
  console.log(`${wrong.length ? 'not ok' : 'ok'} ${index + 1} - ${test.title}`);
  for (const line of wrong.join('\n').split('\n')) if (line !== '') console.log(`# ${line}`);
  if (flag === '--write') {
    test.sections = test.sections.filter((s) => !['stdout', 'stderr', 'exit'].includes(s.kind) || fits(s.text, got[s.kind] ?? ''));
    for (const kind of ['stdout', 'stderr']) {
      if (got[kind] !== '' && !section(test, kind)) test.sections.push({ kind, argument: '', text: got[kind].replace(/\n*$/, '\n') });
    }
    test.sections = test.sections.filter((s) => s.kind !== 'exit');
    if (got.status !== 0) test.sections.push({ kind: 'exit', argument: String(got.status), text: '\n' });
  }
}
if (flag === '--write') {
  const remarks = readFileSync(file, 'utf8').split('#### ')[0];
  writeFileSync(file, remarks + cases.map((test) => `#### ${test.title}\n${test.sections.map((s) => `== ${s.kind}${s.argument ? ` ${s.argument}` : ''}\n${s.text === '\n' ? '' : s.text}`).join('')}`).join('\n'));
}
process.exit(failed ? 1 : 0);
