// SPDX-License-Identifier: Apache-2.0
// The official engine, asked the questions that the driver is asked, with its answers in the driver's form.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const name = '@cedar-policy/cedar-wasm/nodejs';

// NULL where the package is not installed.
export function openOracle() {
  try {
    require.resolve(name);
  } catch {
    return null;
  }
  return new Oracle();
}

const isTemplateText = (text) => /\?(principal|resource)/.test(text);

class Oracle {
  constructor() { this.start(); }

  // A trap leaves an instance unusable, so that a new one is made.
  start() {
    for (const key of Object.keys(require.cache)) if (key.includes('cedar-wasm')) delete require.cache[key];
    this.engine = require(name);
    this.traps = (this.traps ?? -1) + 1;
  }

  call(method, ...args) {
    try {
      return this.engine[method](...args);
    } catch (error) {
      this.start();
      return { type: 'trap', error: String(error) };
    }
  }

  // Each policy by itself, since a text cannot hold templates; the text as a whole if none is one.
  policySet(texts, world) {
    const sets = { staticPolicies: {}, templates: {}, templateLinks: world.links };
    texts.forEach((text, i) => { sets[isTemplateText(text) && this.slots(world, i) ? 'templates' : 'staticPolicies'][`policy${i}`] = text; });
    if (!Object.keys(sets.templates).length && world.whole) sets.staticPolicies = world.text;
    return sets;
  }

  slots(world, i) { return world.templates ? world.templates[i] : true; }

  answer(world) {
    const out = {};
    if (world.schema !== undefined) {
      const read = this.call('preparseSchema', 'schema', world.schema);
      out.schema = read.type === 'success';
      if (read.type === 'trap') out.trap = true;
    }
    let sets;
    if (world.garbled === 'policies') {
      const parts = this.call('policySetTextToParts', world.text);
      out.policies = parts.type === 'success';
      if (parts.type === 'trap') out.trap = true;
      if (!out.policies) return out;
      // With templates among them the positions are not known here.
      if (parts.policy_templates.length) { out.undecided = true; return out; }
      sets = { staticPolicies: world.text, templates: {}, templateLinks: [] };
      if (world.links.length) { out.undecided = true; return out; }
    } else {
      sets = this.policySet(world.policies, world);
    }
    const read = this.call('preparsePolicySet', 'set', sets);
    if (read.type === 'trap') out.trap = true;
    if (world.links.length) out.policiesAndLinks = read.type === 'success';
    else out.policies = read.type === 'success';
    if (world.schema !== undefined && !out.schema) return out;
    out.answers = read.type === 'success' ? world.requests.map((request) => this.decide(world, request)) : [];
    // To load the entities by themselves is dear, so only where they may be what fails.
    out.entities = out.answers.some((answer) => !answer.error)
      || this.call('checkParseEntities', { entities: world.entities, schema: world.schema ?? null }).type === 'success';
    if (!out.entities) out.answers = [];
    if (world.forms && world.garbled !== 'policies' && out.entities && read.type === 'success') this.forms(world, sets, out);
    return out;
  }

  // As policyJson, schemaJson, schemaResolved, strict, strictErrors and impossible; absent where it cannot say.
  forms(world, sets, out) {
    out.policyJson = {};
    for (const [id, text] of Object.entries(typeof sets.staticPolicies === 'string' ? Object.fromEntries(world.policies.map((text, i) => [`policy${i}`, text]))
      : { ...sets.staticPolicies, ...sets.templates })) {
      const { json } = this.call(id in sets.templates ? 'templateToJson' : 'policyToJson', text);
      if (json) out.policyJson[id] = json;
    }
    if (world.schema === undefined) return;
    const { json } = this.call('schemaToJson', world.schema);
    if (json) out.schemaJson = json;
    const resolved = this.call('schemaToJsonWithResolvedTypes', world.schema);
    if (resolved.json) out.schemaResolved = resolved.json;
    const { type, validationErrors, validationWarnings } = this.call('validate', { validationSettings: { mode: 'strict' }, schema: world.schema, policies: sets });
    if (type !== 'success') return;
    const ids = (list) => [...new Set(list.map((found) => found.policyId))].sort();
    out.literals = world.policies.map((text, i) => (/::\s*(\/\/[^\n]*\n\s*)*"/.test(text) ? `policy${i}` : '')).filter(Boolean);
    out.strict = validationErrors.length === 0;
    out.strictErrors = ids(validationErrors).filter((id) => id.startsWith('policy'));
    out.impossible = ids(validationWarnings.filter(({ error }) => /impossible/.test(error.message))).filter((id) => id.startsWith('policy'));
  }

  decide(world, request) {
    const call = { ...request, preparsedPolicySetId: 'set', entities: world.entities, validateRequest: world.validate };
    if (world.schema !== undefined) call.preparsedSchemaName = 'schema';
    const { type, response } = this.call('statefulIsAuthorized', call);
    if (type !== 'success') return { error: type === 'trap' ? 'trap' : 'request' };
    return { decision: response.decision, reason: [...response.diagnostics.reason].sort(), errors: response.diagnostics.errors.map((error) => error.policyId).sort() };
  }
}

export const version = () => require(fileURLToPath(new URL('../../node_modules/@cedar-policy/cedar-wasm/package.json', import.meta.url))).version;
