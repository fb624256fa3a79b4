// SPDX-License-Identifier: Apache-2.0
// 20,000 requests of mixed outcomes through two workers: the right answers, no report of the
// sanitizer, and no memory that grows with requests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, makeDirectory, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { Connection, format } from './lib/client.mjs';
import { account, put, user } from './lib/store.mjs';
import { bearer, expired, forged } from './lib/tokens.mjs';

const connections = 16, total = 20000;
let upstream, gateway, store;
before(async () => {
  upstream = await startUpstream();
  const dir = makeDirectory();
  store = `${dir}/store`;
  put(store, [{ uid: { type: 'Robot', id: 'r2' }, attrs: {}, parents: [] }]);
  gateway = await startGateway({ dir, level: 'warn', server: decided(upstream, `forbid_store ${store}; keepalive_requests 100000; client_max_body_size 8k;`) });
});
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const alice = bearer('alice'), bob = bearer('bob');
const many = Array.from({ length: 300 }, (_, i) => bearer('bob', { claims: { jti: `t${i}` } }));
const large = 'x'.repeat(9000);
// [expected status, bytes of the request, is it HEAD, does the connection end]
const kinds = [
  [200, (i) => format('GET', `/health?${i}`)],
  [200, (i) => format('GET', `/docs/1?${i}`, bob)],
  [200, (i) => format('GET', '/docs/1', many[i % many.length])],
  [200, (i) => format('POST', '/docs', bob, 'y'.repeat(i % 2000))],
  [200, () => format('DELETE', '/docs/1', alice)],
  [401, () => format('GET', '/docs/1')],
  [401, () => format('HEAD', '/docs/1'), true],
  [401, (i) => format('POST', '/docs', {}, 'z'.repeat(i % 5000))],
  [401, () => format('GET', '/docs/1', expired('bob'))],
  [401, () => format('GET', '/docs/1', forged('bob'))],
  [403, () => format('DELETE', '/docs/1', { ...bob, Accept: 'application/problem+json' })],
  [403, () => format('GET', '/counters/full', bob)],
  [403, () => format('GET', '/users/alice/private', bob)],
  [403, () => format('GET', '/docs/1', bearer('nobody'))],
  [404, (i) => format('GET', `/none/${i}`)],
  [404, (i) => format('GET', `/docs/none${i}`, bob)],
  [405, () => format('PATCH', '/docs/1', [['X-Forbid-Id', 'a'], ['X_Forbid_Id', 'b']])],
  [451, () => format('GET', '/articles/gone')],
  [400, () => format('GET', '/docs//1', bob)],
  [400, () => format('GET', '/docs/1', [['Authorization', 'a'], ['Authorization', 'b']]), false, true],
  [413, () => format('POST', '/docs', {}, large), false, true],
  [405, () => format('TRACE', '/docs/1')],
  [200, (i) => format('GET', '/files/a', [['X-Forbid-Principal', `p${i}`], ['Upgrade', 'h2c'], ['X-Original-URL', '/secret/x']])],
];

function workers() {
  const pids = readFileSync(`/proc/${gateway.child.pid}/task/${gateway.child.pid}/children`, 'utf8').trim().split(/\s+/);
  return pids.map((pid) => [pid, Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])]);
}

async function play(count, offset, pids) {
  const connect = () => new Connection(gateway.port);
  let next = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    let connection = connect();
    while (next < count) {
      const i = offset + next++;
      const [status, bytes, head, ends] = kinds[i % kinds.length];
      connection.send(bytes(i));
      const answer = await connection.response({ head, timeout: 30000 });
      assert.equal(answer.status, status, `request ${i}: ${answer.body}`);
      if (answer.get('x-worker')) pids.add(answer.get('x-worker'));
      if (ends || answer.get('connection') === 'close') { connection.close(); connection = connect(); }
    }
    connection.close();
  }));
}

test('20,000 mixed requests through two workers', { timeout: 280000 }, async () => {
  const pids = new Set();
  await play(total / 4, 0, pids);
  const before = workers();
  account(store, 'suspend', 'User::"mallory"');
  await play(total / 4, total / 4, pids);
  const middle = workers();
  await play(total / 2, total / 2, pids);
  const after = workers();
  assert.equal(pids.size, 2, 'both workers served');
  assert.deepEqual(after.map(([pid]) => pid), before.map(([pid]) => pid), 'the same workers throughout');
  for (const [i, [pid, rss]] of after.entries()) {
    const grown = rss - middle[i][1];
    console.log(`# shows: worker ${pid}: ${before[i][1]} kB after 5,000 requests, ${middle[i][1]} after 10,000, ${rss} after 20,000`);
    assert.ok(grown < (process.env.FB_SANITIZED ? 4096 : 512), `worker ${pid} grew by ${grown} kB in 10,000 requests`);
  }
  assert.doesNotMatch(gateway.errors(), /\[(alert|emerg|crit)\]/);
});
