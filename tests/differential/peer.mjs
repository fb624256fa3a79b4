// SPDX-License-Identifier: Apache-2.0
// The driver at the other end of two pipes, and the command `forbid authorize`, in one form of answers.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const uidText = ({ type, id }) => `${type}::"${[...id].map((c) => (/[ !#-[\]-~]/.test(c) ? c : `\\u{${c.codePointAt(0).toString(16)}}`)).join('')}"`;

// The command's form of template links.
export const commandLinks = (links) => links.map(({ templateId, newId, values }) =>
  ({ template_id: templateId, link_id: newId, args: Object.fromEntries(Object.entries(values).map(([slot, uid]) => [slot, uidText(uid)])) }));

export function question(world) {
  const line = { policies: world.text, entities: world.entities, requests: world.requests, validate: world.validate };
  if (world.links.length) line.links = commandLinks(world.links);
  if (world.schema !== undefined) line.schema = world.schema;
  if (world.forms) line.forms = true;
  return line;
}

function sorted(answers) {
  for (const answer of answers ?? []) {
    answer.reason?.sort();
    answer.errors?.sort();
  }
  return answers;
}

export class Driver {
  constructor(file) {
    this.file = file;
    this.start();
  }

  start() {
    this.waiting = [];
    this.pieces = [];
    this.child = spawn(this.file, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout.setEncoding('utf8').on('data', (text) => this.arrived(text));
    this.child.stdin.on('error', () => {});
    // A driver that ends has crashed: every question that waits gets that for an answer.
    this.child.on('exit', (status, signal) => {
      const waiting = this.waiting.splice(0);
      this.gone = true;
      for (const answer of waiting) answer({ crashed: signal ?? status });
    });
  }

  arrived(text) {
    const parts = text.split('\n');
    this.pieces.push(parts.shift());
    for (const part of parts) {
      const line = this.pieces.join('');
      this.pieces = [part];
      let answer;
      try { answer = JSON.parse(line); } catch { answer = { crashed: 'what is no JSON' }; }
      sorted(answer.answers);
      this.waiting.shift()(answer);
    }
  }

  ask(world) {
    if (this.gone) {
      this.gone = false;
      this.start();
    }
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(question(world))}\n`);
    });
  }

  close() { this.child.stdin.end(); }
}

// The same world through `forbid authorize --requests -`, as people would run it.
export function askCommand(forbid, world) {
  const directory = mkdtempSync(path.join(tmpdir(), 'forbid-differential-'));
  const file = (name, text) => {
    const full = path.join(directory, name);
    writeFileSync(full, text);
    return full;
  };
  try {
    const args = ['authorize', '--policy-ids', 'position', '-p', file('policies.cedar', world.text), '--entities', file('entities.json', JSON.stringify(world.entities)),
      '--request-validation', String(world.validate), '--requests', '-'];
    if (world.links.length) args.push('-k', file('links.json', JSON.stringify(commandLinks(world.links))));
    if (world.schema !== undefined) args.push('-s', file('schema.cedarschema', world.schema));
    const { stdout, status } = spawnSync(forbid, args, { input: world.requests.map((request) => JSON.stringify(request)).join('\n'), encoding: 'utf8' });
    const answers = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)).map((answer) => (answer.error ? { error: 'request' } : answer));
    return { loaded: answers.length === world.requests.length, answers: sorted(answers), status };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
