// SPDX-License-Identifier: Apache-2.0
// The `forbid` command at work on a store, as an administrator would use it.
import { execFileSync } from 'node:child_process';
import { build } from './gateway.mjs';

const asRoot = process.getuid() === 0;

export function forbid(args, input) {
  // A command built with sanitizers looks for leaks when it ends, which is not asked here.
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
  return execFileSync(`${build}/forbid`, args, { input, env, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

const group = () => (asRoot ? ['--group', 'nogroup'] : []);
export const account = (store, verb, uid) => forbid(['account', verb, '--store', store, uid, '--reason', 'a test']);
// With a schema the entities may have its short forms.
export const put = (store, entities, schema) => forbid(['entity', 'put', '--store', store, ...group(), ...(schema ? ['--schema', schema] : [])], JSON.stringify(entities));
export const remove = (store, uid) => forbid(['entity', 'delete', '--store', store, uid]);
export const doc = (id) => ({ uid: { type: 'Doc', id }, attrs: { title: id }, parents: [] });
export const user = (id, parents = []) => ({ uid: { type: 'User', id }, attrs: { name: id }, parents });
