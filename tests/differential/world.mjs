// SPDX-License-Identifier: Apache-2.0
// A world: a schema, entities, policies with links, requests.  It is a tree until render() makes texts of it, so
// that shrinking and mutation work on the tree.
import { Rng } from './rng.mjs';
import { constructors, extensions, ids, longs, oddIds, strings } from './values.mjs';
import { makeSchema, plain, schemaTokens, typeOf } from './schema.mjs';
import { Generator } from './expr.mjs';
import { join, printPolicies } from './print.mjs';

export const CASES = 4;                     // requests of one world

// --- Data --------------------------------------------------------------------------------------------

class Data {
  constructor(rng, model, options) {
    this.rng = rng;
    this.model = model;
    this.ill = options.illData;
    this.implicit = options.schema ? 0.4 : 0;
    this.uids = [];
  }

  uid(name) {
    const known = this.uids.filter((uid) => uid.type === name);
    if (known.length && this.rng.chance(0.9)) return this.rng.pick(known);
    const type = typeOf(this.model, name);
    return { type: name, id: type?.enum ? this.rng.pick(type.enum) : this.rng.pick(ids) };
  }

  value(type) {
    const { rng } = this;
    if (rng.chance(this.ill)) type = rng.pick(['Bool', 'Long', 'String', 'ipaddr', { set: 'Long' }, { record: {} }]);
    if (type === 'Bool') return rng.chance(0.6);
    if (type === 'Long') return Number(rng.pick(longs)) * (rng.chance(0.15) ? -1 : 1) + 0;
    if (type === 'String') return rng.chance(0.5) ? rng.pick(['a', 'b', 'ab']) : rng.pick(strings);
    if (constructors[type]) return this.extension(type);
    if (type.entity) {
      const uid = this.uid(type.entity);
      return rng.chance(this.implicit) ? uid : { __entity: uid };
    }
    if (type.set) return Array.from({ length: rng.weighted([[1, 0], [3, 1], [3, 2], [2, 3]]) }, () => this.value(type.set));
    return this.record(type.record);
  }

  extension(type) {
    const { rng } = this;
    const pool = extensions[type];
    const arg = rng.chance(this.ill * 0.3) ? rng.pick(pool.bad) : rng.chance(0.5) ? pool.good[rng.below(6)] : rng.pick(pool.good);
    return rng.chance(this.implicit) ? arg : { __extn: { fn: constructors[type], arg } };
  }

  record(fields) {
    const out = {};
    for (const [name, { type, required }] of Object.entries(fields)) {
      if (this.rng.chance(required ? this.ill : 0.3)) continue;
      out[name] = this.value(type);
    }
    if (this.rng.chance(this.ill)) out.zz = this.value('Long');
    return out;
  }

  entities() {
    const { rng, model } = this;
    for (const type of model.types) {
      const of = type.enum ? rng.sample(type.enum, 2) : rng.sample(ids, rng.between(1, 4));
      for (const id of of) this.uids.push({ type: type.full, id: rng.chance(0.03) && !type.enum ? rng.pick(oddIds) : id });
    }
    const seen = new Set(), list = [];
    for (const uid of rng.sample(this.uids, this.uids.length)) {
      const key = `${uid.type}::${uid.id}`;
      if (seen.has(key) || rng.chance(0.08)) continue;
      seen.add(key);
      list.push(this.one(uid, list));
    }
    return list;
  }

  one(uid, before) {
    const { rng } = this;
    const type = typeOf(this.model, uid.type);
    const entity = { uid: rng.chance(0.1) ? { __entity: uid } : uid, attrs: type.enum ? {} : this.record(plain({ record: type.attrs }).record), parents: [] };
    // Only to those listed before: no cycle, but for a rare one on purpose.
    const above = before.map((other) => other.uid.__entity ?? other.uid).filter((other) => type.parents.includes(other.type) || rng.chance(this.ill));
    entity.parents = rng.sample(above, rng.between(0, 3));
    if (rng.chance(0.02) && type.parents.length) entity.parents.push(this.uid(rng.pick(type.parents)));
    if (rng.chance(this.ill * 0.1)) entity.parents.push(uid);
    entity.parents = entity.parents.filter((parent, i, all) => all.findIndex((other) => other.type === parent.type && other.id === parent.id) === i);
    if (type.tags && rng.chance(0.85)) {
      entity.tags = {};
      for (const key of rng.sample(['a', 'b', 'c', 'é'], rng.between(0, 3))) entity.tags[key] = this.value(plain(type.tags));
    }
    return entity;
  }

  actions() {
    return this.model.actions.map(({ type, id, memberOf }) => ({ uid: { type, id }, attrs: {}, parents: memberOf }));
  }
}

// --- Policies ----------------------------------------------------------------------------------------

function scopeOf(rng, data, name, fit, template) {
  const uid = () => (rng.chance(0.75) && fit.uids.length ? rng.pick(fit.uids) : data.uid(fit.type));
  const group = () => {
    const parents = typeOf(data.model, fit.type)?.parents ?? [];
    return rng.chance(0.35) || !parents.length ? uid() : data.uid(rng.pick(parents));
  };
  const slot = template && rng.chance(0.7);
  const op = rng.weighted(slot ? [[4, '=='], [4, 'in'], [2, 'isin']] : [[8, 'any'], [2, '=='], [2, 'in'], [8, 'is'], [2, 'isin']]);
  const entity = op === '==' || op === 'in' || op === 'isin' ? (slot ? { slot: true } : { uid: op === '==' ? uid() : group() }) : {};
  return { op, ...entity, ...(op.startsWith('is') ? { type: rng.chance(op === 'isin' ? 0.75 : 0.9) ? fit.type : rng.pick(data.model.types).full } : {}) };
}

function actionScope(rng, model, action) {
  const known = (a) => ({ type: a.type, id: a.id });
  const any = () => (rng.chance(0.7) ? known(action) : action.memberOf.length && rng.chance(0.7) ? rng.pick(action.memberOf) : known(rng.pick(model.actions)));
  const op = rng.weighted([[5, 'any'], [6, '=='], [4, 'in'], [3, 'list']]);
  if (op === 'list') return { op, uids: Array.from({ length: rng.weighted([[rng.chance(0.1) ? 1 : 0, 0], [3, 1], [3, 2], [1, 3]]) }, any) };
  return op === 'any' ? { op } : { op, uid: any() };
}

function makePolicy(rng, world, data, envs, options) {
  const env = rng.pick(envs);
  const template = rng.chance(options.templates);
  const generator = new Generator(rng, world.model, env, { ill: options.ill, bare: options.bare, loose: options.loose, values: data });
  const policy = {
    effect: rng.chance(options.forbids) ? 'forbid' : 'permit', annotations: [],
    principal: scopeOf(rng, data, 'principal', { type: env.principal, uids: data.uids.filter((uid) => uid.type === env.principal) }, template),
    action: actionScope(rng, world.model, env.actionModel),
    resource: scopeOf(rng, data, 'resource', { type: env.resource, uids: data.uids.filter((uid) => uid.type === env.resource) }, template),
    conditions: [],
  };
  // One form on its own, wherever it applies: nothing else hides what it says.
  if (!template && rng.chance(0.45)) {
    for (const name of ['principal', 'resource']) policy[name] = rng.chance(0.8) ? { op: 'any' } : { op: 'is', type: env[name] };
    policy.action = rng.chance(0.6) ? { op: 'any' } : { op: '==', uid: { type: env.action.type, id: env.action.id } };
    if (policy.effect === 'forbid' && rng.chance(0.6)) policy.effect = 'permit';
    policy.conditions.push({ unless: rng.chance(0.3), body: generator.guarded(() => generator.bool(rng.between(1, 2))) });
    return policy;
  }
  for (const key of rng.sample(['id', 'doc', 'in', '_x', 'permit'], rng.chance(0.1) ? rng.between(1, 2) : 0))
    policy.annotations.push([key, rng.chance(0.3) ? null : rng.pick(strings)]);
  for (let i = 0, n = rng.weighted([[1, 0], [7, 1], [2, 2], [1, 3]]); i < n; i++) {
    const depth = rng.weighted([[3, 1], [5, 2], [3, 3], [1, 5]]);
    policy.conditions.push({ unless: rng.chance(0.2), body: generator.guarded(() => generator.gen('Bool', depth)) });
  }
  if (rng.chance(0.002)) policy.conditions.push({ unless: false, body: nested(rng, generator) });
  return policy;
}

// Deep, but within what the oracle survives.
function nested(rng, generator) {
  let e = generator.gen('Bool', 1);
  for (let i = rng.between(10, 50); i > 0; i--)
    e = rng.chance(0.5) ? { k: 'not', a: e, t: 'Bool' } : { k: 'if', c: e, a: { k: 'bool', v: rng.chance(0.5), t: 'Bool' }, b: { k: 'bool', v: rng.chance(0.5), t: 'Bool' }, t: 'Bool' };
  return e;
}

export const isTemplate = (policy) => Boolean(policy.principal.slot || policy.resource.slot);

function makeLinks(rng, world, data, env) {
  const links = [];
  world.policies.forEach((policy, i) => {
    if (!isTemplate(policy)) return;
    for (let n = rng.weighted([[1, 0], [4, 1], [3, 2], [1, 4]]); n > 0; n--) {
      const values = {};
      for (const name of ['principal', 'resource'])
        if (policy[name].slot) values[`?${name}`] = rng.chance(0.6) ? data.uid(env[name]) : data.uid(rng.pick([env[name], ...(typeOf(world.model, env[name])?.parents ?? [])]));
      // Rarely one that must be refused: a slot too many, too few, an id that is taken.
      if (rng.chance(0.01)) values[rng.pick(['?principal', '?resource'])] = data.uid(env.principal);
      if (rng.chance(0.01)) delete values[rng.pick(Object.keys(values))];
      links.push({ templateId: rng.chance(0.005) ? 'policy999' : `policy${i}`, newId: rng.chance(0.005) ? 'policy0' : `link${links.length}`, values });
    }
  });
  return links;
}

function makeRequest(rng, world, data, env, options) {
  const context = data.record(plain(env.contextType).record);
  const uid = (type) => {
    const known = data.uids.filter((other) => other.type === type);
    if (rng.chance(0.04)) return { type: rng.chance(0.7) ? type : rng.pick(world.model.types).full, id: rng.pick([...ids, ...oddIds]) };
    return known.length ? rng.pick(known) : { type, id: 'a' };
  };
  const action = rng.chance(options.illData) ? rng.pick(world.model.actions) : env.actionModel;
  return { principal: uid(env.principal), action: { type: action.type, id: action.id }, resource: uid(env.resource), context };
}

function environments(model) {
  const out = [];
  for (const action of model.actions)
    for (const principal of action.appliesTo?.principals ?? [])
      for (const resource of action.appliesTo?.resources ?? [])
        out.push({ principal, resource, action: { type: action.type, id: action.id }, actionModel: action, contextType: action.appliesTo.context,
          context: plain(action.appliesTo.context) });
  return out;
}

export function makeWorld(seed, number) {
  const rng = new Rng(seed, number);
  const options = {
    schema: rng.chance(0.45),
    ill: rng.weighted([[5, 0], [4, 0.02], [2, 0.08]]),
    illData: rng.weighted([[14, 0], [3, 0.005], [1, 0.05]]),
    bare: rng.weighted([[4, 0], [3, 0.15], [1, 0.6]]),
    loose: rng.weighted([[1, 0], [1, 0.12]]),
    templates: rng.weighted([[5, 0], [3, 0.25]]),
    forbids: rng.weighted([[4, 0.08], [2, 0.2], [1, 0.4]]),
  };
  const world = { number, options, style: { seed: rng.u32(), fancy: rng.weighted([[3, 0], [1, 0.5]]) }, model: makeSchema(rng), validate: rng.chance(0.7) };
  const envs = environments(world.model);
  const main = rng.pick(envs);
  const data = new Data(rng, world.model, options);
  world.entities = data.entities();
  if (!options.schema && rng.chance(0.85)) world.entities.push(...data.actions().filter(() => !rng.chance(0.07)));
  const count = rng.weighted([[3, rng.between(1, 3)], [4, rng.between(4, 10)], [4, rng.between(10, 20)], [1, rng.between(20, 50)]]);
  const mostly = rng.chance(0.8) ? [main, main, main, rng.pick(envs)] : envs;
  world.policies = Array.from({ length: count }, () => makePolicy(rng, world, data, mostly, options));
  world.links = makeLinks(rng, world, data, main);
  world.requests = Array.from({ length: CASES }, () => makeRequest(rng, world, data, rng.chance(0.75) ? main : rng.pick(envs), options));
  world.garble = rng.chance(0.06) ? rng.u32() : null;
  return world;
}

// --- Texts -------------------------------------------------------------------------------------------

const strays = ['(', ')', '{', '}', '[', ']', ',', ';', ':', '::', '.', '==', '=', '!', '-', '<', '&&', '&', 'in', 'is', 'if', 'has', 'like', 'true', 'principal', 'U', 'permit', '1', '9223372036854775808',
  { string: 'x' }, '@', '?principal', '?resource', '?x', '/', '%', '//', 'entity', 'action', 'type', 'Set', '?', '__cedar', 'when', 'unless', '\\', '"', "'", '#', 'Action', 'namespace', 'tags', 'enum', '>', '*', '+'];

// One or two tokens dropped, doubled, swapped, replaced or put in.
function garble(tokens, rng) {
  const out = [...tokens];
  for (let n = rng.between(1, 2); n > 0; n--) {
    const at = rng.below(out.length);
    switch (rng.below(5)) {
      case 0: out.splice(at, 1); break;
      case 1: out.splice(at, 0, out[at]); break;
      case 2: if (at + 1 < out.length) [out[at], out[at + 1]] = [out[at + 1], out[at]]; break;
      case 3: out[at] = rng.pick(strays); break;
      default: out.splice(at, 0, rng.pick(strays));
    }
  }
  return out;
}

// What both engines are given.  `garbled`: the text of the policies or of the schema was damaged.
export function render(world) {
  const rng = new Rng(world.style.seed, 0xfffff);
  let tokens = schemaTokens(rng, world.model);
  const policies = printPolicies(world.policies, world.style);
  const which = world.garble === null ? null : world.garble % 2 === 0 || !world.options.schema ? 'policies' : 'schema';
  const out = { policies, links: world.links, entities: world.entities, requests: world.requests, validate: world.validate, garbled: which };
  if (which === 'schema') tokens = garble(tokens, new Rng(world.garble));
  if (world.options.schema) out.schema = join(tokens, rng, world.style.fancy);
  out.text = policies.join('\n');
  if (which === 'policies') {
    const parts = out.text.match(/"(\\.|[^"\\])*"|\/\/[^\n]*|\w+|::|&&|\|\||[<>=!]=|\s+|./gsu) ?? [];
    out.text = garble(parts.filter((part) => !/^\s+$/.test(part) && !part.startsWith('//')), new Rng(world.garble))
      .map((token) => (typeof token === 'string' ? token : `"${token.string}"`)).join(' ');
  }
  return out;
}
