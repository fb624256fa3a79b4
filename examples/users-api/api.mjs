// SPDX-License-Identifier: Apache-2.0
// The users API of the sample: it knows users and articles and no rule at all.  Who asks is in
// X-Forbid-Principal, which Forbid sets and no client can.  Prints its port when it listens.
import http from 'node:http';
import { readFileSync } from 'node:fs';

const entities = JSON.parse(readFileSync(new URL('users.json', import.meta.url)));
const users = new Map(entities.filter((e) => e.uid.type === 'User').map((e) => [e.uid.id, { id: e.uid.id, ...e.attrs }]));

const routes = [
  ['GET', /^\/api\/health$/, () => [200, { status: 'up' }]],
  ['GET', /^\/api\/articles\/([^/]+)$/, (slug) => [200, { slug, text: 'An article.' }]],
  ['GET', /^\/api\/me$/, (_, who) => [200, { principal: who }]],
  ['GET', /^\/api\/users$/, () => [200, [...users.values()]]],
  ['POST', /^\/api\/users$/, () => [201, { created: true }]],
  ['GET', /^\/api\/users\/([^/]+)$/, (id) => (users.has(id) ? [200, users.get(id)] : [404, { error: 'no such user' }])],
  ['PATCH', /^\/api\/users\/([^/]+)$/, (id) => [200, { updated: id }]],
  ['DELETE', /^\/api\/users\/([^/]+)$/, () => [204, null]],
  ['GET', /^\/api\/users\/([^/]+)\/private-data$/, (id) => [200, { id, birthday: '1990-01-01' }]],
  ['GET', /^\/api\/users\/([^/]+)\/invoices$/, (id) => [200, { id, due: 12.5 }]],
];

const server = http.createServer((request, response) => {
  request.resume();
  const path = new URL(request.url, 'http://upstream').pathname;
  for (const [method, pattern, answer] of routes) {
    const match = method === (request.method === 'HEAD' ? 'GET' : request.method) && pattern.exec(path);
    if (!match) continue;
    const [status, body] = answer(decodeURIComponent(match[1] ?? ''), request.headers['x-forbid-principal']);
    response.writeHead(status, body === null ? {} : { 'Content-Type': 'application/json' });
    response.end(body === null || request.method === 'HEAD' ? undefined : `${JSON.stringify(body)}\n`);
    return;
  }
  response.writeHead(404).end();
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(server.address().port));
