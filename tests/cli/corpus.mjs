// SPDX-License-Identifier: Apache-2.0
// Holds `forbid authorize --requests` against the requests of the conformance corpus: schema, entities,
// request validation, decision, reasons and errors, through the command.  Every so-manieth test is
// taken, so that the given number is spread over the whole.
//
//   node corpus.mjs FORBID corpus.tar.gz NUMBER
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [forbid, archive, number] = process.argv.slice(2);
const dir = mkdtempSync(path.join(tmpdir(), 'forbid-corpus-'));
let compared = 0, differ = 0, skipped = 0;

function ask(base, requests, validate) {
  if (requests.length === 0) return;
  writeFileSync(path.join(dir, 'r.jsonl'), requests.map(({ principal, action, resource, context }) => JSON.stringify({ principal, action, resource, context })).join('\n'));
  const done = spawnSync(forbid, ['authorize', '-p', `${base}.cedar`, '-s', `${base}.cedarschema`, '--entities', `${base}.entities.json`,
    '--policy-ids', 'position', '--request-validation', String(validate), '--requests', path.join(dir, 'r.jsonl')], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const lines = done.stdout.trim().split('\n').filter((l) => l !== '').map((l) => JSON.parse(l));
  for (const [i, request] of requests.entries()) {
    const list = (ids) => [...ids ?? []].sort().join();
    const want = [request.decision, list(request.reason), list(request.errors)].join(' | ');
    const got = lines[i]?.decision ? [lines[i].decision, list(lines[i].reason), list(lines[i].errors)].join(' | ') : JSON.stringify(lines[i] ?? done.stderr.slice(0, 300));
    compared++;
    if (want !== got && differ++ < 5) console.log(`${path.basename(base)} ${request.description ?? i}\n  wanted ${want}\n  got    ${got}`);
  }
}

try {
  const names = execFileSync('tar', ['tzf', archive], { encoding: 'utf8', maxBuffer: 64 << 20 }).split('\n').filter((n) => /^corpus-tests\/[0-9a-f]+\.json$/.test(n)).sort();
  const step = Math.max(1, Math.floor(names.length / Number(number)));
  const wanted = names.filter((_, i) => i % step === 0);
  const members = wanted.flatMap((n) => ['.json', '.cedar', '.cedarschema', '.entities.json'].map((end) => n.replace(/\.json$/, end)));
  writeFileSync(path.join(dir, 'members'), members.join('\n'));
  execFileSync('tar', ['xzf', archive, '-C', dir, '-T', path.join(dir, 'members')]);
  for (const name of wanted) {
    /* Integers that JavaScript cannot hold would not be what the test means. */
    const text = readFileSync(path.join(dir, name), 'utf8');
    if (/\b\d{16,}\b/.test(text)) { skipped++; continue; }
    const { requests } = JSON.parse(text);
    const base = path.join(dir, name.replace(/\.json$/, ''));
    ask(base, requests.filter((r) => r.validateRequest !== false), true);
    ask(base, requests.filter((r) => r.validateRequest === false), false);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
console.log(`${compared > 1000 ? 'over 1000' : compared} requests compared, ${differ} differ`);
process.exit(differ || compared < 1000 ? 1 : 0);
