// SPDX-License-Identifier: Apache-2.0
// The official engine as WebAssembly.  Its policy sets can be kept, its entities cannot: they are read in
// each call.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readJson, readUid } from '../measure.mjs';

const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');

function need(answer) {
  if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors));
  return answer;
}

// The parts of a text come without names; ours stand in @id.
function named(texts) {
  return Object.fromEntries(texts.map((text) => [/@id\("([^"]+)"\)/.exec(text)[1], text]));
}

function load(dir) {
  const parts = need(cedar.policySetTextToParts(readFileSync(path.join(dir, 'policies.cedar'), 'utf8')));
  const templateLinks = readJson(dir, 'links.json').map((link) => ({ templateId: link.template_id, newId: link.link_id,
    values: Object.fromEntries(Object.entries(link.args).map(([slot, uid]) => [slot, readUid(uid)])) }));
  need(cedar.preparsePolicySet(dir, { staticPolicies: named(parts.policies), templates: named(parts.policy_templates), templateLinks }));
  return readJson(dir, 'entities.json');
}

// Loads a case.  `prepare` makes a call of a request, `decide` makes the call.
export function open(dir) {
  const entities = load(dir);
  const prepare = ({ principal, action, resource, context }) => ({ principal: readUid(principal), action: readUid(action),
    resource: readUid(resource), context, preparsedPolicySetId: dir, entities });
  return { prepare, decide: (call) => need(cedar.statefulIsAuthorized(call)).response.decision === 'allow' };
}

export const version = cedar.getCedarSDKVersion();
