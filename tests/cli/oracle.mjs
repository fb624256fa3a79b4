// SPDX-License-Identifier: Apache-2.0
// Holds `forbid authorize --requests` against the official engine (npm @cedar-policy/cedar-wasm):
// every combination of the principals, actions, resources and contexts below, by decision, reasons and
// errors.  Exit status 77 where the engine is not installed.
//
//   node oracle.mjs FORBID ROOT
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [forbid, root] = process.argv.slice(2);
const wasm = path.join(root, 'node_modules/@cedar-policy/cedar-wasm/nodejs');
if (!existsSync(wasm)) {
  console.log('npm @cedar-policy/cedar-wasm is not installed');
  process.exit(77);
}
const cedar = createRequire(import.meta.url)(wasm);
const uid = (type, id) => ({ type, id });
const entity = (type, id, attrs = {}, parents = [], tags = undefined) => ({ uid: uid(type, id), attrs, parents, ...(tags ? { tags } : {}) });
const ref = (type, id) => ({ __entity: uid(type, id) });
const extn = (fn, arg) => ({ __extn: { fn, arg } });

const people = [
  entity('User', 'alice', { age: 30, name: 'Alice', home: extn('ip', '10.0.0.7'), roles: ['a', 'b'], manager: ref('User', 'bob') }, [uid('Group', 'staff')]),
  entity('User', 'bob', { age: 17, name: 'B*b', roles: [] }, [uid('Group', 'all')], { tier: 'gold' }),
  entity('Group', 'staff', {}, [uid('Group', 'all')]),
  entity('Group', 'all'),
  entity('Doc', 'd1', { owner: ref('User', 'alice'), size: 5, meta: { deep: { flag: true } } }),
  entity('Doc', 'd2', { owner: ref('User', 'nobody'), size: -9, meta: {} }, [uid('Doc', 'd1')]),
];
const users = [uid('User', 'alice'), uid('User', 'bob'), uid('User', 'nobody'), uid('Group', 'staff')];
const docs = [uid('Doc', 'd1'), uid('Doc', 'd2'), uid('Doc', 'none'), uid('User', 'alice')];
const acts = [uid('Action', 'view'), uid('Action', 'edit')];
const contexts = [{}, { n: 3, ip: extn('ip', '10.1.2.3'), when: extn('datetime', '2024-02-29T12:00:00Z'), s: 'a*c' },
  { n: -4, ip: extn('ip', '::1'), when: extn('datetime', '1970-01-01'), list: [1, 2, [3]], amount: extn('decimal', '12.5') }];

const scopes = `
permit (principal, action, resource);
permit (principal == User::"alice", action == Action::"view", resource);
permit (principal in Group::"all", action in [Action::"view", Action::"edit"], resource is Doc);
permit (principal is User in Group::"staff", action, resource in Doc::"d1");
forbid (principal, action == Action::"edit", resource == Doc::"d2");
forbid (principal is Group, action, resource);`;
const operators = `
permit (principal, action, resource) when { resource.owner == principal };
permit (principal, action, resource) when { principal.age >= 18 && principal.age < 65 };
permit (principal, action, resource) unless { principal has age && principal.age < 18 };
permit (principal, action, resource) when { principal.name like "A*" || principal.name like "*\\*b" };
permit (principal, action, resource) when { resource has meta.deep.flag && resource.meta.deep.flag };
permit (principal, action, resource) when { principal.roles.containsAny(["b", "c"]) && !principal.roles.isEmpty() };
permit (principal, action, resource) when { if principal has manager then principal.manager in Group::"all" else resource.size + 4 > 0 };
permit (principal, action, resource) when { principal.hasTag("tier") && principal.getTag("tier") == "gold" };
permit (principal, action, resource) when { principal.getTag("tier") == "gold" };
forbid (principal, action, resource) when { resource.size * 9223372036854775807 > 0 };
forbid (principal, action, resource) when { principal in [Group::"staff", 1] };
permit (principal, action, resource) when { 1 };`;
const extensions = `
permit (principal, action, resource) when { context.ip.isInRange(ip("10.0.0.0/8")) };
permit (principal, action, resource) when { context.ip.isLoopback() || principal.home.isIpv4() };
permit (principal, action, resource) when { context.when > datetime("2000-01-01") && context.when.toTime() == duration("12h") };
permit (principal, action, resource) when { context.when.offset(duration("1d")).toDate() == datetime("2024-03-01") };
permit (principal, action, resource) when { context.amount.greaterThan(decimal("12.49")) };
permit (principal, action, resource) when { context.list.contains([3]) && context.list.containsAll([2, 1]) };
forbid (principal, action, resource) when { context.n < 0 };
permit (principal, action, resource) when { context.s like "a\\*c" && context has s };
permit (principal, action, resource) when { decimal("1.2").lessThan(context.n) };
permit (principal, action, resource) when { ip(context.s).isIpv4() };`;
const linked = `
@id("reader") permit (principal in ?principal, action == Action::"view", resource == ?resource);
@id("owner") permit (principal == ?principal, action, resource in ?resource) when { resource has size };
@id("plain") forbid (principal, action, resource) when { context has n && context.n > 2 };`;
const links = [['reader', 'l1', { '?principal': 'Group::"all"', '?resource': 'Doc::"d1"' }], ['owner', 'l2', { '?principal': 'User::"bob"', '?resource': 'Doc::"d1"' }],
  ['reader', 'l3', { '?principal': 'User::"nobody"', '?resource': 'Doc::"none"' }]];

const sample = path.join(root, 'examples/users-api');
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const sampleText = ['limits.cedar', 'users.cedar'].map((f) => readFileSync(path.join(sample, 'policies', f), 'utf8')).join('\n');
const sampleEntities = [...json(path.join(sample, 'policies/entities.json')), ...json(path.join(sample, 'users.json'))];
const sampleUsers = sampleEntities.filter((e) => e.uid.type === 'User').map((e) => e.uid);
const sampleActions = ['health', 'readArticle', 'viewSelf', 'listUsers', 'createUser', 'viewUser', 'updateUser', 'deleteUser', 'viewPrivateData', 'viewInvoices'];

const cases = [
  { name: 'scopes', policies: scopes, entities: people, users, acts, docs, contexts: [{}] },
  { name: 'operators', policies: operators, entities: people, users, acts, docs, contexts: [{}] },
  { name: 'extensions', policies: extensions, entities: people, users, acts, docs, contexts },
  { name: 'links', policies: linked, links, entities: people, users, acts, docs, contexts },
  { name: 'sample', policies: sampleText, named: true, entities: sampleEntities, users: [...sampleUsers, uid('User', 'ghost'), uid('Guest', 'guest')],
    acts: sampleActions.map((id) => uid('Action', id)), docs: [...sampleUsers, uid('Article', 'the-leaked-memo'), uid('Service', 'users-api')],
    contexts: [{}, { country: 'DE', time: extn('datetime', '2024-01-01') }, { country: 'KP' }] },
];

const parseUid = (text) => { const [, type, id] = /^(.*)::"(.*)"$/.exec(text); return uid(type, id); };
/* The engine names the policies of a text by position; those with an @id get it here. */
function official(test) {
  if (!test.links && !test.named) return { staticPolicies: test.policies };
  const staticPolicies = {}, templates = {};
  for (const text of cedar.policySetTextToParts(test.policies).policies) staticPolicies[/@id\("(.*?)"\)/.exec(text)[1]] = text;
  for (const text of cedar.policySetTextToParts(test.policies).policy_templates) templates[/@id\("(.*?)"\)/.exec(text)[1]] = text;
  return { staticPolicies, templates, templateLinks: (test.links ?? []).map(([templateId, newId, values]) => (
    { templateId, newId, values: Object.fromEntries(Object.entries(values).map(([slot, text]) => [slot, parseUid(text)])) })) };
}

let compared = 0, differ = 0;
const dir = mkdtempSync(path.join(tmpdir(), 'forbid-oracle-'));
try {
  for (const test of cases) {
    const file = (name, text) => { writeFileSync(path.join(dir, name), text); return path.join(dir, name); };
    const requests = [];
    for (const principal of test.users) for (const action of test.acts) for (const resource of test.docs) {
      for (const context of test.contexts) requests.push({ principal, action, resource, context });
    }
    const args = ['authorize', '-p', file('p.cedar', test.policies), '--entities', file('e.json', JSON.stringify(test.entities)),
      '--requests', file('r.jsonl', requests.map((r) => JSON.stringify(r)).join('\n'))];
    if (test.links) args.push('-k', file('k.json', JSON.stringify(test.links.map(([template_id, link_id, a]) => ({ template_id, link_id, args: a })))));
    const lines = execFileSync(forbid, args, { encoding: 'utf8', maxBuffer: 64 << 20 }).trim().split('\n').map((l) => JSON.parse(l));
    const policies = official(test);
    for (const [i, request] of requests.entries()) {
      const answer = cedar.isAuthorized({ ...request, policies, entities: test.entities });
      if (answer.type !== 'success') throw new Error(`${test.name}: ${JSON.stringify(answer.errors)}`);
      const { decision, diagnostics } = answer.response;
      const want = JSON.stringify([decision, [...diagnostics.reason].sort(), diagnostics.errors.map((e) => e.policyId).sort()]);
      const got = JSON.stringify([lines[i].decision, [...lines[i].reason ?? []].sort(), [...lines[i].errors ?? []].sort()]);
      compared++;
      if (want !== got && differ++ < 5) console.log(`${test.name}: ${JSON.stringify(request)}\n  official ${want}\n  forbid   ${got}`);
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
console.log(`${compared} requests compared, ${differ} differ`);
process.exit(differ ? 1 : 0);
