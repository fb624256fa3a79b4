// SPDX-License-Identifier: Apache-2.0
// The cases that the C library is held to (tests/refusal/advise), as the client takes them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

function readAnswer(text) {
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\n\n');
    const [line, ...lines] = (end < 0 ? rest : rest.slice(0, end)).trimEnd().split('\n');
    const status = Number(line.split(' ')[1]);
    const answer = { status, fields: lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]), body: end < 0 ? '' : rest.slice(end + 2) };
    if (status >= 200) return answer;
    rest = rest.slice(end + 2);
  }
}

const NUMBERS = { now: 'now', waits: 'waits', waited: 'waited', wait_max: 'waitMax', auth_time: 'authTime' };
function readClient(text) {
  const client = { now: 0 };
  for (const [, key, value] of text.matchAll(/^(\w+): ?(.*)$/gm)) {
    if (key in NUMBERS) client[NUMBERS[key]] = Number(value);
    else if (key === 'refresh') client.canRefresh = value === 'yes';
    else if (key === 'strict') client.strict = value === 'yes';
    else if (key === 'html') client.wantsHtml = value === 'yes';
    else if (key === 'tried') client.tried = value.split(' ');
    else client[key] = value;
  }
  return client;
}

const NAMES = { acrValues: 'acr_values', maxAge: 'max_age', resourceMetadata: 'resource_metadata' };
// In the order and the words of the case files.
export function show(advice) {
  const order = ['cure', 'why', 'sure', 'scheme', 'realm', 'scope', 'acrValues', 'maxAge', 'nonce', 'wait', 'allow', 'reason', 'detail', 'link', 'resourceMetadata'];
  return order.flatMap((key) => {
    const value = advice[key];
    if (key === 'sure') return value ? [] : ['sure: no'];
    return value === undefined || (key === 'wait' && value === 0) ? [] : [`${NAMES[key] ?? key}: ${value}`];
  }).join('\n');
}

export function readCases(file) {
  const text = readFileSync(path.join(root, 'tests/refusal/advise', file), 'utf8');
  return text.split('\n#### ').slice(1).map((one) => {
    const title = one.slice(0, one.indexOf('\n'));
    const section = (name) => one.split(`== ${name}\n`)[1].split('\n== ')[0];
    return { title, client: readClient(section('client')), answer: readAnswer(section('answer')), advice: section('advice').trimEnd() };
  });
}
