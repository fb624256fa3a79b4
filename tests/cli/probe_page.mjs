// SPDX-License-Identifier: Apache-2.0
// The servers of docs/probe.md: the notes API, honest, broken and slow, and a users API that has forgotten one check.
// Writes the page's files, and `env` with the addresses when they listen.
import http from 'node:http';
import { writeFileSync } from 'node:fs';
import { document, startBroken } from './broken.mjs';

writeFileSync('notes.json', JSON.stringify(document));
writeFileSync('who.json', `{
  "identities": [
    { "name": "alice", "token": "alice-secret-token", "owns": { "note": ["7"] } },
    { "name": "bob", "token": "bob-secret-token", "owns": { "note": ["8"] } },
    { "name": "root", "token": "root-secret-token", "privileged": true }
  ],
  "parameters": { "slug": ["welcome"] },
  "privileged": ["* /admin/*"]
}
`);
writeFileSync('members.json', JSON.stringify({ identities: [
  { name: 'mia', token: 'mia-secret', principal: 'User::"123"' },
  { name: 'ada', token: 'ada-secret', principal: 'User::"900"', groups: 'Role::"admin"' },
] }));

const answer = (response, status, body, fields = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...fields });
  response.end(JSON.stringify(body));
};
const users = http.createServer((request, response) => {
  const who = { 'Bearer mia-secret': '123', 'Bearer ada-secret': '900' }[request.headers.authorization];
  const [, , , id, part] = request.url.split('/');
  if (!who) return answer(response, 401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="api"' });
  if (!id) return who === '900' ? answer(response, 200, []) : answer(response, 403, { error: 'forbidden' });
  if (!['123', '900'].includes(id)) return answer(response, 404, { error: 'no such user' });
  if (part) return who === id ? answer(response, 200, { id }) : answer(response, 403, { error: 'forbidden' });
  return answer(response, 200, { id });
}).listen(0, '127.0.0.1', async () => {
  const [honest, broken, slow, slash] = await Promise.all([[], ['object', 'function'], ['time'], ['slash']].map((faults) => startBroken(faults)));
  writeFileSync('env', Object.entries({ API: honest.port, BROKEN: broken.port, SLOW: slow.port, SLASH: slash.port, GATE: users.address().port })
    .map(([name, port]) => `export ${name}=http://127.0.0.1:${port}\n`).join(''));
});
setTimeout(() => process.exit(), 60000);
