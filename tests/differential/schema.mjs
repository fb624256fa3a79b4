// SPDX-License-Identifier: Apache-2.0
// Schemas: a model of types and actions, and its text.
//
// A type is 'Bool' | 'Long' | 'String' | 'ipaddr' | 'decimal' | 'datetime' | 'duration' | {entity} | {set} |
// {record: {name: {type, required}}}, and may carry `common`: the name of a common type that stands for it.
import { strings } from './values.mjs';

const leaves = ['Bool', 'Long', 'String', 'ipaddr', 'decimal', 'datetime', 'duration'];
const attributeNames = ['a', 'b', 'c', 'name', 'owner', 'age', 'x1', 'type', 'when', 'has space', 'if', 'é', 'Set', 'principal'];

const full = (ns, name) => (ns ? `${ns}::${name}` : name);
export const actionType = (ns) => full(ns, 'Action');

function makeType(rng, model, depth) {
  const common = Object.values(model.common);
  if (common.length && rng.chance(0.15)) return rng.pick(common);
  const kind = rng.weighted([[14, 'leaf'], [5, 'entity'], [depth > 0 ? 6 : 0, 'set'], [depth > 0 ? 5 : 0, 'record']]);
  if (kind === 'leaf') return { leaf: rng.pick(leaves) };
  if (kind === 'entity') return { entity: rng.pick(model.types).full };
  if (kind === 'set') return { set: makeType(rng, model, depth - 1) };
  return makeRecord(rng, model, depth - 1, rng.between(0, 3));
}

function makeRecord(rng, model, depth, count) {
  const record = {};
  for (const name of rng.sample(attributeNames, count)) record[name] = { type: makeType(rng, model, depth), required: rng.chance(0.6) };
  return { record };
}

// Where every leaf type has an attribute, each operator finds operands.
function fillShape(rng, model, type) {
  type.attrs = makeRecord(rng, model, 2, rng.between(0, 6)).record;
  const wanted = rng.sample([...leaves, 'set', 'self'], rng.between(0, 5));
  for (const want of wanted) {
    const name = `${want}1`;
    const of = want === 'set' ? { set: { leaf: rng.pick(leaves) } } : want === 'self' ? { entity: rng.pick(model.types).full } : { leaf: want };
    type.attrs[name] = { type: of, required: rng.chance(0.6) };
  }
}

function makeActions(rng, model, spaces) {
  const plain = model.types.filter((type) => !type.enum);
  for (let i = 0, n = rng.between(1, 4); i < n; i++) {
    const ns = rng.pick(spaces);
    const action = { ns, id: rng.chance(0.1) ? `do "${i}"` : `act${i}`, type: actionType(ns), memberOf: [], appliesTo: null };
    if (i > 0 && rng.chance(0.6)) action.memberOf.push(...rng.sample(model.actions, rng.between(1, 2)).map(({ type, id }) => ({ type, id })));
    if (i === n - 1 || rng.chance(0.75))
      action.appliesTo = {
        principals: rng.sample(rng.chance(0.1) ? model.types : plain, rng.weighted([[4, 1], [2, 2]])).map((type) => type.full),
        resources: rng.sample(model.types, rng.weighted([[4, 1], [2, 2]])).map((type) => type.full),
        context: makeRecord(rng, model, 2, rng.between(0, 4)),
      };
    model.actions.push(action);
  }
}

export function makeSchema(rng) {
  const spaces = rng.weighted([[4, ['']], [2, ['', 'N']], [1, ['N']], [1, ['N', 'A::B']], [1, ['', 'A::B']]]);
  const model = { spaces, types: [], common: {}, actions: [] };
  const wanted = ['U', 'G', 'R', 'F', 'E'].slice(0, rng.between(2, 5));
  for (const name of wanted) {
    const ns = rng.pick(spaces);
    model.types.push({ ns, name, full: full(ns, name), parents: [], attrs: {}, tags: null, enum: null });
  }
  if (model.types.length > 2 && rng.chance(0.25)) model.types[model.types.length - 1].enum = rng.sample(['a', 'b', 'c', 'x y', ''], rng.between(1, 3));
  for (let i = 0, n = rng.below(4); i < n; i++) {
    const ns = rng.pick(spaces);
    const name = `C${i}`;
    model.common[full(ns, name)] = { ...makeType(rng, model, 2), ...{ common: full(ns, name), ns } };
  }
  for (const type of model.types) {
    if (type.enum) continue;
    type.parents = rng.sample(model.types, rng.between(0, 2)).map((parent) => parent.full);
    fillShape(rng, model, type);
    if (rng.chance(0.5)) type.tags = makeType(rng, model, 1);
  }
  makeActions(rng, model, spaces);
  return model;
}

export const typeOf = (model, name) => model.types.find((type) => type.full === name);

// The simple form of a type: 'Long', {entity}, {set}, {record}; without common names.
export function plain(type) {
  if (type.leaf) return type.leaf;
  if (type.set) return { set: plain(type.set) };
  if (type.record)
    return { record: Object.fromEntries(Object.entries(type.record).map(([k, v]) => [k, { type: plain(v.type), required: v.required }])) };
  return { entity: type.entity };
}

export const sameType = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// --- Text: token lists -------------------------------------------------------------------------------

const isIdent = (name) => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name);
const reserved = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar']);

const path = (name) => name.split('::').flatMap((part, i) => (i ? ['::', part] : [part]));
// A name as it may be written inside `ns`: short if it is of there.
const ref = (rng, name, ns) => path(ns && name.startsWith(`${ns}::`) && rng.chance(0.7) ? name.slice(ns.length + 2) : name);

function typeTokens(rng, type, ns, top = false) {
  if (type.common && !top) return ref(rng, type.common, ns);
  if (type.leaf) return rng.chance(0.1) ? ['__cedar', '::', type.leaf] : [type.leaf];
  if (type.entity) return ref(rng, type.entity, ns);
  if (type.set) return ['Set', '<', ...typeTokens(rng, type.set, ns), '>'];
  return recordTokens(rng, type.record, ns);
}

function annotationTokens(rng) {
  if (!rng.chance(0.06)) return [];
  return ['@', rng.pick(['doc', 'x', 'in', 'note']), ...(rng.chance(0.7) ? ['(', { string: rng.pick(strings) }, ')'] : [])];
}

function recordTokens(rng, record, ns) {
  const out = ['{'];
  const entries = Object.entries(record);
  entries.forEach(([name, { type, required }], i) => {
    out.push(...annotationTokens(rng));
    out.push(isIdent(name) && !reserved.has(name) && rng.chance(0.8) ? name : { string: name });
    if (!required) out.push('?');
    out.push(':', ...typeTokens(rng, type, ns));
    if (i < entries.length - 1 || rng.chance(0.3)) out.push(',');
  });
  return [...out, '}'];
}

const list = (parts, open = '[', close = ']') => [open, ...parts.flatMap((part, i) => (i ? [',', ...part] : part)), close];
const refs = (rng, names, ns) => {
  const parts = names.map((name) => ref(rng, name, ns));
  return parts.length === 1 && rng.chance(0.5) ? parts[0] : list(parts);
};

function entityTokens(rng, type) {
  const head = [...annotationTokens(rng), 'entity', type.name];
  if (type.enum) return [...head, 'enum', ...list(type.enum.map((id) => [{ string: id }])), ';'];
  if (type.parents.length) head.push('in', ...refs(rng, type.parents, type.ns));
  if (Object.keys(type.attrs).length || rng.chance(0.3)) {
    if (rng.chance(0.5)) head.push('=');
    head.push(...recordTokens(rng, type.attrs, type.ns));
  }
  if (type.tags) head.push('tags', ...typeTokens(rng, type.tags, type.ns));
  return [...head, ';'];
}

function actionTokens(rng, action) {
  const out = [...annotationTokens(rng), 'action', isIdent(action.id) && rng.chance(0.7) ? action.id : { string: action.id }];
  const groups = action.memberOf.map(({ type, id }) =>
    (type === action.type && rng.chance(0.6) ? [{ string: id }] : [...path(type), '::', { string: id }]));
  if (groups.length) out.push('in', ...(groups.length === 1 && rng.chance(0.5) ? groups[0] : list(groups)));
  if (action.appliesTo) {
    const { principals, resources, context } = action.appliesTo;
    const parts = [['principal', ':', ...refs(rng, principals, action.ns)], ['resource', ':', ...refs(rng, resources, action.ns)]];
    if (Object.keys(context.record).length || rng.chance(0.2)) parts.push(['context', ':', ...typeTokens(rng, context, action.ns)]);
    out.push('appliesTo', ...list(rng.sample(parts, 3), '{', '}'));
  }
  return [...out, ';'];
}

export function schemaTokens(rng, model) {
  const out = [];
  for (const ns of model.spaces) {
    const body = [];
    for (const type of Object.values(model.common))
      if (type.ns === ns) body.push([...annotationTokens(rng), 'type', type.common.split('::').pop(), '=', ...typeTokens(rng, type, ns, true), ';']);
    for (const type of model.types) if (type.ns === ns) body.push(entityTokens(rng, type));
    for (const action of model.actions) if (action.ns === ns) body.push(actionTokens(rng, action));
    const mixed = rng.sample(body, body.length).flat();
    out.push(...(ns ? ['namespace', ...path(ns), '{', ...mixed, '}'] : mixed));
  }
  return out;
}
