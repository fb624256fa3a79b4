// SPDX-License-Identifier: Apache-2.0
// A small API that guards itself, well or with the faults that it is told: what `forbid probe` is for.
//
//   node broken.mjs [FAULT…]              serves until it is stopped, and prints its port
//
// object    anybody who is signed in reads the notes of others          function  … and lists all users
// open      reports are there for those who are not signed in           status    403 for others' notes, 404 for none
// bytes     the same 404 for both, with another body                    time      … a millisecond later
// leak      a refusal shows the database's error                        missing   403 without credentials
// echo      a refusal repeats the credentials                           view      others see the title of a note
// slash     a slash at the end gets around the check                   head      HEAD does
// stranger  404 for a note that is not there, before anybody is known
// page      one page for whatever is not known
// limit     every third request is answered 429                         stamp     answers carry a time and an id
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const tokens = { 'alice-secret-token': 'alice', 'bob-secret-token': 'bob', 'root-secret-token': 'root' };
const notes = { 7: { id: '7', owner: 'alice', title: 'A', text: 'alice was here' }, 8: { id: '8', owner: 'bob', title: 'B', text: 'bob was here' } };

export const document = {
  openapi: '3.0.3', info: { title: 'Notes', version: '1' }, servers: [{ url: 'https://notes.example/api' }], security: [{ bearer: [] }],
  paths: {
    '/health': { get: { security: [] } },
    '/articles/{slug}': { get: { security: [], parameters: [{ name: 'slug', in: 'path', schema: { type: 'string' } }] } },
    '/notes/{note}': {
      parameters: [{ name: 'note', in: 'path', schema: { type: 'string' } }],
      get: {}, delete: {},
    },
    '/reports': { get: {} },
    '/admin/users': { get: {}, post: {} },
  },
};

export const identities = {
  identities: [
    { name: 'alice', token: 'alice-secret-token', owns: { note: ['7'] } },
    { name: 'bob', token: 'bob-secret-token', owns: { note: '8' } },
    { name: 'root', token: 'root-secret-token', privileged: true },
  ],
  parameters: { slug: 'welcome' },
  absent: { note: '5' },
  privileged: ['* /admin/*'],
};

export function startBroken(faults = []) {
  const has = (fault) => faults.includes(fault);
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    const answer = (status, body, fields = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': randomUUID(), ...fields });
      response.end(request.method === 'HEAD' ? '' : JSON.stringify(body));
    };
    const refuse = (status) => {
      if (status === 401) return has('missing') ? answer(403, { error: 'forbidden' }) : answer(401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="notes"' });
      if (has('leak')) return answer(status, { error: 'SQLSTATE[42501]: insufficient privilege: permission denied for relation notes' });
      if (has('echo')) return answer(status, { error: `no rights for ${request.headers.authorization}` });
      return answer(status, { error: status === 404 ? 'not found' : 'forbidden', trace: randomUUID() });
    };
    if (has('limit') && seen.length % 3 === 0) return answer(429, { error: 'slow down' }, { 'retry-after': '0' });
    const who = tokens[(request.headers.authorization ?? '').replace(/^Bearer /, '')];
    const path = request.url.replace(/^\/api/, '');
    if (path === '/health') return answer(200, { up: true });
    if (path.startsWith('/articles/')) return path === '/articles/welcome' ? answer(200, { text: 'welcome' }) : answer(404, { error: 'not found' });
    if (path === '/reports' && has('open')) return answer(200, ['a report']);
    if ((path === '/admin/users/' && has('slash')) || (path === '/admin/users' && request.method === 'HEAD' && has('head'))) return answer(200, ['alice', 'bob']);
    if (has('page') && !/^\/(admin\/users|notes\/\d|reports)$/.test(path)) return answer(200, { app: 'notes' });
    if (has('stranger') && path.startsWith('/notes/') && !notes[path.slice('/notes/'.length)]) return refuse(404);
    if (!who) return refuse(401);
    if (path === '/reports') return answer(200, ['a report']);
    if (path === '/admin/users') return who === 'root' || has('function') ? answer(200, ['alice', 'bob']) : refuse(403);
    const note = path.startsWith('/notes/') ? notes[path.slice('/notes/'.length)] : undefined;
    if (note && (note.owner === who || who === 'root' || has('object'))) return request.method === 'DELETE' ? answer(200, { deleted: true }) : answer(200, has('stamp') ? { ...note, read: new Date().toISOString(), trace: randomUUID() } : note);
    if (note && has('view')) return answer(200, { title: note.title });
    if (note && has('status')) return refuse(403);
    if (note && has('bytes')) return answer(404, { error: 'not found here' });
    if (note && has('time')) return setTimeout(() => refuse(404), 1);
    return refuse(404);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    port: server.address().port, seen,
    stop: () => new Promise((done) => { server.closeAllConnections?.(); server.close(done); }),
  })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log((await startBroken(process.argv.slice(2))).port);
