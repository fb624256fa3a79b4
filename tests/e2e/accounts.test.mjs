// SPDX-License-Identifier: Apache-2.0
// Account states and entities of the store: a change holds at the next request, in every worker, on
// connections that were open before it.
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decided, makeDirectory, startGateway } from './lib/gateway.mjs';
import { startUpstream } from './lib/upstream.mjs';
import { Connection, format } from './lib/client.mjs';
import { account, doc, put, remove, user } from './lib/store.mjs';
import { bearer } from './lib/tokens.mjs';

let upstream, gateway, store, connections;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

before(async () => {
  upstream = await startUpstream();
  const dir = makeDirectory();
  store = `${dir}/store`;
  // A type that has an entity in entities.json is owned there; the store owns the others.
  rmSync(`${dir}/policies/entities.json`);
  put(store, [{ uid: { type: 'Role', id: 'admin' }, attrs: {}, parents: [] }, user('alice', [{ type: 'Role', id: 'admin' }]), user('bob'), doc('1')]);
  gateway = await startGateway({ dir, server: decided(upstream, `forbid_store ${store};`) });
  connections = await inEachWorker();
});
after(async () => {
  for (const one of Object.values(connections ?? {})) one.close();
  await gateway.stop();
  await upstream.stop();
});

// One open connection to each of the two workers, by the pid that it says.
async function inEachWorker() {
  const found = {};
  for (let i = 0; i < 200 && Object.keys(found).length < 2; i++) {
    const connection = new Connection(gateway.port);
    connection.send(format('GET', '/health'));
    const pid = (await connection.response()).get('x-worker');
    if (found[pid]) connection.close(); else found[pid] = connection;
  }
  assert.equal(Object.keys(found).length, 2, 'both workers serve');
  console.log(`# shows: open connections to workers ${Object.keys(found).join(' and ')}`);
  return found;
}

async function onEach(method, target, headers) {
  const answers = [];
  for (const [pid, connection] of Object.entries(connections)) {
    connection.send(format(method, target, headers));
    const answer = await connection.response({ head: method === 'HEAD' });
    assert.equal(answer.get('x-worker'), pid, 'the same connection, the same worker');
    answers.push(answer);
  }
  return answers;
}
async function expectEach(sub, target, status, reason) {
  for (const answer of await onEach('GET', target, bearer(sub))) {
    assert.equal(answer.status, status, answer.body);
    if (reason) assert.equal(JSON.parse(answer.body).reason, reason);
  }
}

const bob = 'User::"bob"';

test('suspend: at the next request, in each worker, even for what does not exist', async () => {
  await expectEach('bob', '/docs/1', 200);
  account(store, 'suspend', bob);
  await expectEach('bob', '/docs/1', 403, 'account_suspended');
  await expectEach('bob', '/docs/none', 403, 'account_suspended');
  await expectEach('bob', '/users/bob/invoices', 200);
  await expectEach('alice', '/docs/1', 200);
});

test('restore', async () => {
  account(store, 'restore', bob);
  await expectEach('bob', '/docs/1', 200);
});

test('disable, restore', async () => {
  account(store, 'disable', bob);
  await expectEach('bob', '/docs/1', 403, 'account_disabled');
  await expectEach('bob', '/users/bob/invoices', 403, 'account_disabled');
  account(store, 'restore', bob);
  await expectEach('bob', '/docs/1', 200);
});

test('delete leaves a tombstone that adding the entity does not lift; adding the account does', async () => {
  account(store, 'delete', bob);
  await expectEach('bob', '/docs/1', 403, 'account_deleted');
  remove(store, bob);
  put(store, [user('bob')]);
  await expectEach('bob', '/docs/1', 403, 'account_deleted');
  account(store, 'add', bob);
  await expectEach('bob', '/docs/1', 200);
});

test('an account that nothing holds', async () => {
  await expectEach('stranger', '/docs/1', 403, 'account_unknown');
  put(store, [user('stranger')]);
  await expectEach('stranger', '/docs/1', 200);
  remove(store, 'User::"stranger"');
  await expectEach('stranger', '/docs/1', 403, 'account_unknown');
});

test('entities and roles', async () => {
  await expectEach('bob', '/docs/new', 404);
  put(store, [doc('new')]);
  await expectEach('bob', '/docs/new', 200);
  remove(store, 'Doc::"new"');
  await expectEach('bob', '/docs/new', 404);
  for (const answer of await onEach('DELETE', '/docs/1', bearer('bob'))) assert.equal(answer.status, 403);
  put(store, [user('bob', [{ type: 'Role', id: 'admin' }])]);
  for (const answer of await onEach('DELETE', '/docs/1', bearer('bob'))) assert.equal(answer.status, 200);
  put(store, [user('bob')]);
  for (const answer of await onEach('DELETE', '/docs/1', bearer('bob'))) assert.equal(answer.status, 403);
});

test('a hundred changes, each seen by the request after it', async () => {
  for (let i = 0; i < 50; i++) {
    account(store, 'suspend', bob);
    await expectEach('bob', '/docs/1', 403, 'account_suspended');
    account(store, 'restore', bob);
    await expectEach('bob', '/docs/1', 200);
  }
});

// Asks until all workers answer with `status`; then nothing else may come for a while.
async function settles(status, limit) {
  const since = Date.now();
  let first;
  while (Date.now() - since < limit) {
    const answers = await onEach('GET', '/docs/1', bearer('bob'));
    if (answers.every((answer) => answer.status === status)) { first ??= Date.now() - since; if (Date.now() - since > first + 200) return first; }
    else first = undefined;
    await pause(5);
  }
  assert.fail(`not ${status} within ${limit} ms`);
}

test('the store removed: 503 within 100 ms, nothing forwarded; served again once it is sound', async () => {
  await expectEach('bob', '/docs/1', 200);
  renameSync(store, `${store}.kept`);
  await pause(100);
  const before = upstream.seen.length;
  for (let i = 0; i < 20; i++) {
    for (const answer of await onEach('GET', '/docs/1', bearer('bob'))) {
      assert.equal(answer.status, 503);
      assert.equal(JSON.parse(answer.body).error, 'authorization_unavailable');
    }
    await pause(10);
  }
  assert.equal(upstream.seen.length, before, 'nothing was forwarded');
  assert.match(gateway.errors(), /\[error\].*forbid: cannot decide/);
  renameSync(`${store}.kept`, store);
  console.log(`# shows: served again after ${await settles(200, 5000)} ms`);
});

test('the store deleted and made anew: its new state counts', async () => {
  rmSync(store, { recursive: true });
  await pause(100);
  const before = upstream.seen.length;
  for (const answer of await onEach('GET', '/docs/1', bearer('bob'))) assert.equal(answer.status, 503);
  assert.equal(upstream.seen.length, before);
  put(store, [user('bob'), doc('1')]);
  account(store, 'suspend', bob);
  await settles(403, 5000);
  account(store, 'restore', bob);
  await expectEach('bob', '/docs/1', 200);
});

test('the store replaced by another: within 100 ms nobody is decided by the old one', async () => {
  put(`${store}.next`, [user('bob'), doc('1')]);
  account(`${store}.next`, 'suspend', bob);
  await expectEach('bob', '/docs/1', 200);
  renameSync(store, `${store}.old`);
  renameSync(`${store}.next`, store);
  await pause(100);
  const before = upstream.seen.length;
  const statuses = new Set();
  for (let i = 0; i < 30; i++) {
    for (const answer of await onEach('GET', '/docs/1', bearer('bob'))) statuses.add(answer.status);
    await pause(10);
  }
  assert.equal(upstream.seen.length, before, 'nothing was forwarded');
  assert.ok(!statuses.has(200));
  await settles(403, 5000);
});

test('faults are logged at most once a second and worker', async () => {
  renameSync(store, `${store}.kept`);
  await pause(100);
  const count = () => gateway.errors().match(/forbid: cannot decide/g)?.length ?? 0;
  const before = count(), since = Date.now();
  for (let i = 0; i < 200; i++) await onEach('GET', '/docs/1', bearer('bob'));
  const seconds = Math.ceil((Date.now() - since) / 1000) + 1;
  assert.ok(count() - before <= 2 * seconds, `${count() - before} lines in ${seconds} s`);
  renameSync(`${store}.kept`, store);
  await settles(403, 5000);
});
