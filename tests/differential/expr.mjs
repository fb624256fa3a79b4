// SPDX-License-Identifier: Apache-2.0
// Expressions of a wanted type over a request environment.  Every node carries its type in `t`, so that
// count.mjs can put another value of the type in its place.
import { constructors, edges, extensions, longs, names, nearEdges, oddIds, strings } from './values.mjs';
import { plain, sameType, typeOf } from './schema.mjs';

const kinds = ['Bool', 'Long', 'String', 'ipaddr', 'decimal', 'datetime', 'duration'];
const nodeOf = (t, fields) => ({ ...fields, t });
export const bool = (v) => nodeOf('Bool', { k: 'bool', v });
export const long = (v) => nodeOf('Long', { k: 'long', v: String(v) });
const str = (v) => nodeOf('String', { k: 'str', v });
const call = (t, m, a, ...args) => nodeOf(t, { k: 'call', m, a, args });
const bin = (t, op, a, b) => nodeOf(t, { k: 'bin', op, a, b });
const and = (a, b) => bin('Bool', '&&', a, b);

export class Generator {
  // env: {principal, resource, action: {type,id}, context} with types' names, and the context's type.
  constructor(rng, model, env, options) {
    this.rng = rng;
    this.model = model;
    this.env = env;
    this.ill = options.ill;             // how often an operand is of any type
    this.bare = options.bare;           // how often what may be missing is used without asking for it
    this.loose = options.loose;         // how often a form is tried that no validator lets pass
    this.values = options.values;       // literals that meet the data
    this.guards = [];
    this.paths = this.findPaths();
  }

  // --- What can be reached from the variables: {e, t, guards} ------------------------------------------
  findPaths() {
    const out = [];
    const walk = (e, t, guards, depth) => {
      out.push({ e, t, guards });
      if (depth === 0) return;
      const fields = t.record ?? (t.entity ? this.shape(t.entity) : {});
      for (const [name, { type, required }] of Object.entries(fields)) {
        const guard = required ? [] : [nodeOf('Bool', { k: 'has', a: e, path: [name] })];
        walk(nodeOf(type, { k: 'attr', a: e, n: name }), type, [...guards, ...guard], depth - 1);
      }
    };
    const { env } = this;
    walk(nodeOf({ entity: env.principal }, { k: 'var', v: 'principal' }), { entity: env.principal }, [], 3);
    walk(nodeOf({ entity: env.resource }, { k: 'var', v: 'resource' }), { entity: env.resource }, [], 3);
    walk(nodeOf({ entity: env.action.type }, { k: 'var', v: 'action' }), { entity: env.action.type }, [], 1);
    walk(nodeOf(env.context, { k: 'var', v: 'context' }), env.context, [], 3);
    return out.length > 400 ? this.rng.sample(out, 400) : out;
  }

  shape(name) {
    const type = typeOf(this.model, name);
    if (!type || type.enum) return {};
    return plain({ record: type.attrs }).record;
  }

  reach(fits) {
    const found = this.paths.filter(({ t }) => fits(t));
    if (!found.length) return null;
    const { e, guards } = this.rng.pick(found);
    for (const guard of guards) if (!this.rng.chance(this.bare)) this.guards.push(guard);
    return e;
  }

  // Runs `make`, and puts what it asks to be guarded in front.
  guarded(make) {
    const outer = this.guards;
    this.guards = [];
    let e = make();
    const seen = new Set();
    for (const guard of this.guards.reverse()) {
      const key = JSON.stringify(guard);
      if (seen.has(key)) continue;
      seen.add(key);
      e = and(this.rng.chance(0.06) ? this.either(guard) : guard, e);
    }
    this.guards = outer;
    return e;
  }

  // `guard || other`: a guard still if the other is the same, or cannot be true.
  either(guard) {
    const guards = this.paths.flatMap((path) => path.guards);
    const other = this.rng.weighted([[1, guard], [1, bool(false)], [1, this.literal('Bool')], [4, guards.length ? this.rng.pick(guards) : guard]]);
    return this.rng.chance(0.5) ? bin('Bool', '||', guard, other) : bin('Bool', '||', other, guard);
  }

  // --- Values ----------------------------------------------------------------------------------------
  literal(t) {
    const { rng } = this;
    if (t === 'Bool') return bool(rng.chance(0.6));
    if (t === 'Long') return rng.chance(0.06) ? long(rng.pick(edges)) : long(rng.chance(0.15) ? `-${rng.pick(longs)}`.replace(/^-0$/, '0') : rng.pick(longs));
    if (t === 'String') return str(rng.chance(0.5) ? rng.pick(['a', 'b', 'ab']) : rng.pick(strings));
    if (constructors[t]) return this.constructed(t);
    if (t.entity) return this.entity(t.entity);
    if (t.set) return this.set(t, 0);
    return this.record(t, 0);
  }

  constructed(t) {
    const { rng } = this;
    const pool = extensions[t];
    let arg = str(rng.chance(this.ill * 1.5) ? rng.pick(pool.bad) : rng.chance(0.5) ? pool.good[rng.below(6)] : rng.pick(pool.good));
    if (rng.chance(this.ill)) arg = this.gen('String', 1);
    const args = rng.chance(this.ill * 0.2) ? rng.pick([[], [arg, arg]]) : [arg];
    return nodeOf(t, { k: 'fn', f: constructors[t], args });
  }

  entity(name) {
    const { rng } = this;
    const t = { entity: name };
    if (rng.chance(0.02)) return nodeOf(t, { k: 'uid', type: name, id: rng.pick(oddIds) });
    const known = this.values.uids.filter((uid) => uid.type === name);
    if (known.length) return nodeOf(t, { k: 'uid', ...rng.pick(known) });
    return nodeOf(t, { k: 'uid', type: name, id: 'a' });
  }

  set(t, depth) {
    const { rng } = this;
    const count = rng.weighted([[rng.chance(this.ill) ? 4 : 0, 0], [3, 1], [3, 2], [2, 3]]);
    return nodeOf(t, { k: 'set', items: Array.from({ length: count }, () => this.gen(t.set, depth)) });
  }

  record(t, depth) {
    const fields = [];
    for (const [name, { type, required }] of Object.entries(t.record))
      if (required || this.rng.chance(0.7)) fields.push([name, this.gen(type, depth)]);
    if (this.rng.chance(this.ill)) fields.push(...(fields.some(([name]) => name === 'zz') ? [] : [['zz', this.gen('Long', 0)]]));
    return nodeOf(t, { k: 'rec', fields });
  }

  anyType(depth = 1) {
    const { rng } = this;
    if (rng.chance(0.5)) return rng.pick(kinds);
    if (rng.chance(0.5)) return rng.pick(this.paths).t;
    if (rng.chance(0.4)) return { entity: rng.pick(this.model.types).full };
    if (depth > 0 && rng.chance(0.5)) return { set: this.anyType(depth - 1) };
    return depth > 0 ? { record: { a: { type: this.anyType(depth - 1), required: true }, b: { type: this.anyType(depth - 1), required: true } } } : 'Long';
  }

  // --- The wanted type --------------------------------------------------------------------------------
  gen(t, depth) {
    const { rng } = this;
    if (rng.chance(this.ill)) t = this.anyType();
    if (depth <= 0 || rng.chance(0.12)) return this.leaf(t);
    if (t !== 'Bool' && rng.chance(0.07)) return this.choice(t, depth);
    if (rng.chance(0.08)) return this.tag(t, depth) ?? this.leaf(t);
    if (rng.chance(0.05)) return this.field(t, depth);
    switch (t) {
      case 'Bool': return this.bool(depth);
      case 'Long': return this.long(depth);
      case 'datetime': return this.datetime(depth);
      case 'duration': return this.duration(depth);
      case 'String': case 'ipaddr': case 'decimal': return this.leaf(t);
      default: return t.set ? (rng.chance(0.4) ? this.leaf(t) : this.set(t, depth - 1)) : t.record ? (rng.chance(0.4) ? this.leaf(t) : this.record(t, depth - 1)) : this.leaf(t);
    }
  }

  leaf(t) {
    const reached = this.rng.chance(0.65) ? this.reach((other) => sameType(other, t)) : null;
    return reached ?? this.literal(t);
  }

  choice(t, depth) {
    return this.guarded(() => nodeOf(t, { k: 'if', c: this.bool(depth - 1), a: this.gen(t, depth - 1), b: this.gen(t, depth - 1) }));
  }

  // A tag of an entity whose tags are of that type.
  tag(t, depth) {
    const { rng } = this;
    const found = this.paths.filter(({ t: of }) => {
      const type = of.entity && typeOf(this.model, of.entity);
      return type && type.tags && (rng.chance(this.ill) || sameType(plain(type.tags), t));
    });
    if (!found.length) return null;
    const { e, guards } = rng.pick(found);
    const key = rng.chance(0.8) ? str(rng.pick(['a', 'b', 'c'])) : this.gen('String', depth - 1);
    this.guards.push(...guards.filter(() => !rng.chance(this.bare)));
    if (!rng.chance(this.bare)) this.guards.push(call('Bool', 'hasTag', e, key));
    return call(t, 'getTag', e, key);
  }

  // {a: …, b: …}.a
  field(t, depth) {
    const name = this.rng.pick(names);
    const other = this.anyType(0);
    const fields = this.rng.sample([[name, this.gen(t, depth - 1)], [`${name}2`, this.gen(other, 0)]], 2);
    const of = { record: Object.fromEntries(fields.map(([k, e]) => [k, { type: e.t, required: true }])) };
    return nodeOf(t, { k: 'attr', a: nodeOf(of, { k: 'rec', fields }), n: name });
  }

  long(depth) {
    const { rng } = this;
    const d = depth - 1;
    switch (rng.below(9)) {
      case 0: case 1: return bin('Long', '+', this.gen('Long', d), this.gen('Long', d));
      case 2: case 3: return bin('Long', '-', this.gen('Long', d), this.gen('Long', d));
      case 4: case 5: return bin('Long', '*', this.gen('Long', d), this.gen('Long', d));
      case 6: return nodeOf('Long', { k: 'neg', a: this.gen('Long', d) });
      default: return call('Long', rng.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']), this.gen('duration', d), ...this.stray());
    }
  }

  datetime(depth) {
    const { rng } = this;
    const d = depth - 1;
    if (rng.chance(0.4)) return this.leaf('datetime');
    if (rng.chance(0.5)) return call('datetime', 'toDate', this.gen('datetime', d), ...this.stray());
    return call('datetime', 'offset', this.gen('datetime', d), this.gen('duration', d), ...this.stray());
  }

  duration(depth) {
    const { rng } = this;
    const d = depth - 1;
    if (rng.chance(0.4)) return this.leaf('duration');
    if (rng.chance(0.5)) return call('duration', 'toTime', this.gen('datetime', d), ...this.stray());
    return call('duration', 'durationSince', this.gen('datetime', d), this.gen('datetime', d), ...this.stray());
  }

  // An argument too many: no fault of syntax for an extension's method.
  stray() { return this.rng.chance(this.ill * 0.1) ? [this.gen('Long', 0)] : []; }

  // --- Bool -------------------------------------------------------------------------------------------
  bool(depth) {
    if (depth <= 0) return this.leaf('Bool');
    const { rng } = this;
    const forms = ['logic', 'logic', 'not', 'if', 'equal', 'equal', 'less', 'less', 'in', 'in', 'is', 'like', 'has', 'hasTag', 'set', 'set', 'ip', 'ip', 'decimal',
      'leaf', 'compare', 'measure', 'measure', 'measure', 'date', 'date', 'arithmetic', 'arithmetic', 'tag'];
    return this.guarded(() => this[`bool_${rng.pick(forms)}`](depth - 1));
  }

  bool_leaf() { return this.leaf('Bool'); }
  bool_not(d) { return nodeOf('Bool', { k: 'not', a: this.gen('Bool', d) }); }
  bool_if(d) { return nodeOf('Bool', { k: 'if', c: this.gen('Bool', d), a: this.gen('Bool', d), b: this.gen('Bool', d) }); }
  bool_logic(d) {
    // The operands guard for themselves, so that `||` does not need what the other side asked for.
    const side = () => this.guarded(() => this.gen('Bool', d));
    return bin('Bool', this.rng.chance(0.5) ? '&&' : '||', side(), side());
  }
  bool_equal(d) {
    const t = this.anyType();
    const other = this.rng.chance(this.ill) ? this.anyType() : t;
    return bin('Bool', this.rng.chance(0.6) ? '==' : '!=', this.gen(t, d), this.gen(other, d));
  }
  order(t, d) { return bin('Bool', this.rng.pick(['<', '<=', '>', '>=']), this.gen(t, d), this.gen(t, d)); }
  bool_less(d) { return this.order(this.rng.chance(this.loose) ? this.rng.pick(['decimal', 'String', 'ipaddr', 'Bool']) : 'Long', d); }
  bool_compare(d) { return this.order(this.rng.pick(['datetime', 'duration']), d); }
  // What only shows in the numbers behind a method.
  bool_measure(d) {
    if (this.rng.chance(0.4)) return this.exact();
    const m = this.rng.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']);
    return bin('Bool', this.rng.pick(['<', '>=', '==', '!=']), call('Long', m, this.gen('duration', Math.min(d, 1)), ...this.stray()), this.literal('Long'));
  }
  bool_tag(d) {
    const found = this.paths.filter(({ t }) => t.entity && typeOf(this.model, t.entity)?.tags).map(({ t }) => plain(typeOf(this.model, t.entity).tags));
    if (!found.length) return this.bool_arithmetic(d);
    const t = this.rng.pick(found);
    const e = this.tag(t, d) ?? this.leaf(t);
    return t === 'Bool' && this.rng.chance(0.7) ? e : bin('Bool', this.rng.pick(['==', '!=']), e, this.gen(t, 0));
  }
  exact() {
    const { rng } = this;
    const [m, unit] = rng.pick([['toMilliseconds', 'ms'], ['toSeconds', 's'], ['toMinutes', 'm'], ['toHours', 'h'], ['toDays', 'd']]);
    const n = rng.pick([0, 1, 2, 23, 100]), minus = n && rng.chance(0.3) ? '-' : '';
    const of = nodeOf('duration', { k: 'fn', f: 'duration', args: [str(`${minus}${n}${unit}`)] });
    return bin('Bool', rng.pick(['==', '<=', '>=', '!=']), call('Long', m, of), long(`${minus}${n}`));
  }
  bool_arithmetic(d) {
    const operand = () => (this.rng.chance(0.15) ? long(this.rng.pick(edges)) : this.gen('Long', d > 1 ? 1 : 0));
    const e = this.rng.chance(0.3) ? nodeOf('Long', { k: 'neg', a: this.rng.chance(0.4) ? long(this.rng.pick(edges.slice(0, 4))) : operand() }) : bin('Long', this.rng.pick(['+', '-', '*', '*']), operand(), operand());
    return bin('Bool', this.rng.pick(['<', '>=', '==', '!=']), e, operand());
  }
  bool_date(d) {
    const op = this.rng.pick(['==', '!=', '<', '>=']);
    const m = this.rng.pick(['toDate', 'toDate', 'toTime', 'offset', 'durationSince']);
    const t = m === 'toTime' || m === 'durationSince' ? 'duration' : 'datetime';
    const args = m === 'offset' ? [this.gen('duration', 0)] : m === 'durationSince' ? [this.gen('datetime', 0)] : [];
    const e = call(t, m, this.gen('datetime', Math.min(d, 1)), ...args, ...this.stray());
    // Against another, or against what it is when nothing else was done.
    return bin('Bool', op, e, m === 'toDate' && this.rng.chance(0.5) ? e.a : this.gen(t, 0));
  }
  bool_in(d) {
    const { rng } = this;
    const left = this.reach((t) => t.entity) ?? this.entity(rng.pick(this.model.types).full);
    // Mostly of a type that can hold it.
    const type = typeOf(this.model, left.t.entity);
    const groups = [left.t.entity, ...(type?.parents ?? [])];
    const pick = () => {
      if (!type && rng.chance(0.8)) { const known = rng.pick(this.model.actions); return nodeOf({ entity: known.type }, { k: 'uid', type: known.type, id: known.id }); }
      return this.gen({ entity: rng.chance(0.85) ? rng.pick(groups) : rng.pick(this.model.types).full }, d > 1 ? 1 : 0);
    };
    if (rng.chance(0.5)) return bin('Bool', 'in', left, pick());
    const first = pick();
    const items = [first, ...Array.from({ length: rng.below(3) }, () => (rng.chance(0.8) && first.t.entity && typeOf(this.model, first.t.entity) ? this.entity(first.t.entity) : pick()))];
    if (rng.chance(this.loose)) items.splice(rng.below(items.length + 1), 0, this.literal(rng.pick(['Long', 'String', 'Bool'])));
    return bin('Bool', 'in', left, nodeOf({ set: first.t }, { k: 'set', items }));
  }
  bool_is(d) {
    const { rng } = this;
    const left = rng.chance(this.ill) ? this.gen(this.anyType(), d) : this.reach((t) => t.entity);
    const type = rng.chance(0.6) && left.t.entity ? left.t.entity : rng.pick(this.model.types).full;
    const e = nodeOf('Bool', { k: 'is', a: left, type });
    if (rng.chance(0.4)) {
      const groups = [type, ...(typeOf(this.model, type)?.parents ?? [])].filter((name) => typeOf(this.model, name));
      const group = rng.pick(groups.length ? groups : [this.model.types[0].full]);
      e.in = rng.chance(0.6) ? this.entity(group) : this.set({ set: { entity: group } }, 0);
    }
    return e;
  }
  bool_like() {
    const { rng } = this;
    if (rng.chance(0.3)) {
      const word = () => rng.pick(rng.chance(0.7) ? ['a', 'b', 'ab', 'aa', ''] : strings);
      return nodeOf('Bool', { k: 'like', a: this.gen('String', 1), p: Array.from({ length: rng.between(0, 4) }, () => (rng.chance(0.5) ? null : word())) });
    }
    if (rng.chance(0.35)) {
      // A piece that the text has once, twice or thrice, asked for as often or once more.
      const piece = rng.pick(['a', 'ab', 'é']), times = rng.between(1, 3);
      const p = Array.from({ length: times + rng.below(2) }, () => [piece, null]).flat();
      if (rng.chance(0.5)) p.unshift(null);
      if (rng.chance(0.5)) p.pop();
      return nodeOf('Bool', { k: 'like', a: str(piece.repeat(times)), p });
    }
    // A pattern made of its text, with pieces left out for `*`, and sometimes one letter too many.
    const text = Array.from({ length: rng.between(1, 6) }, () => rng.pick(['a', 'a', 'b', 'é', '*']));
    const p = text.map((c) => (rng.chance(0.35) ? null : c));
    for (let n = rng.below(3); n > 0; n--) p.splice(rng.below(p.length + 1), 0, rng.pick([null, 'a', 'b', text[text.length - 1]]));
    return nodeOf('Bool', { k: 'like', a: str(text.join('')), p });
  }
  bool_has(d) {
    const { rng } = this;
    const left = rng.chance(this.ill) ? this.gen(this.anyType(), d) : rng.chance(0.1) ? this.record({ record: { a: { type: 'Long', required: rng.chance(0.5) } } }, 0)
      : this.reach((t) => t.entity || t.record);
    const path = [];
    for (let t = left.t, n = rng.weighted([[6, 1], [2, 2], [1, 3]]); n > 0; n--) {
      const fields = t?.record ?? (t?.entity ? this.shape(t.entity) : {});
      const known = Object.keys(fields);
      const name = known.length && rng.chance(0.85) ? rng.pick(known) : rng.pick(names);
      path.push(name);
      t = fields[name]?.type;
    }
    const fits = path.length === 1 || path.every((name) => /^[a-zA-Z_]\w*$/.test(name) && !['if', 'in', 'has', 'is', 'like', 'then', 'else', 'true', 'false', '__cedar'].includes(name));
    return nodeOf('Bool', { k: 'has', a: left, path: fits ? path : path.slice(0, 1) });
  }
  bool_hasTag(d) {
    const { rng } = this;
    const left = rng.chance(this.ill) ? this.gen(this.anyType(), d)
      : this.reach((t) => t.entity && typeOf(this.model, t.entity)?.tags) ?? this.reach((t) => t.entity);
    return call('Bool', 'hasTag', left, rng.chance(0.8) ? str(rng.pick(['a', 'b', 'c'])) : this.gen('String', d));
  }
  bool_set(d) {
    const { rng } = this;
    const reached = rng.chance(0.5) ? this.reach((t) => t.set) : null;
    const t = reached?.t ?? { set: rng.chance(0.7) ? rng.pick(kinds) : this.anyType(0) };
    const left = reached ?? this.gen(t, Math.min(d, 1));
    const m = rng.pick(['contains', 'contains', 'containsAll', 'containsAny', 'isEmpty']);
    if (rng.chance(this.loose)) return this.mixed(m === 'isEmpty' ? 'contains' : m);
    if (m === 'isEmpty') return call('Bool', m, left);
    return call('Bool', m, left, this.gen(m === 'contains' ? t.set : t, Math.min(d, 1)));
  }
  // Values of many types in one set.
  mixed(m) {
    const { rng } = this;
    const pool = Array.from({ length: rng.between(3, 6) }, () => this.literal(rng.pick(kinds)));
    const whole = () => nodeOf({ set: 'Long' }, { k: 'set', items: [...rng.sample(pool, pool.length), ...rng.sample(pool, rng.below(2))] });
    if (rng.chance(0.4)) return bin('Bool', rng.pick(['==', '!=']), whole(), whole());
    const some = () => nodeOf({ set: 'Long' }, { k: 'set', items: rng.sample(pool, rng.between(1, pool.length)) });
    return call('Bool', m, some(), m === 'contains' ? rng.pick(pool) : some());
  }
  bool_ip(d) {
    const m = this.rng.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange', 'isInRange']);
    const near = () => nodeOf('ipaddr', { k: 'fn', f: 'ip', args: [str(this.rng.pick(nearEdges[m]))] });
    if (nearEdges[m] && this.rng.chance(0.5)) return call('Bool', m, near(), ...(m === 'isInRange' ? [near()] : []));
    const args = m === 'isInRange' ? [this.gen('ipaddr', d)] : [];
    return call('Bool', m, this.gen('ipaddr', d), ...args, ...this.stray());
  }
  bool_decimal(d) {
    const m = this.rng.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']);
    const near = () => nodeOf('decimal', { k: 'fn', f: 'decimal', args: [str(this.rng.pick(nearEdges.decimal))] });
    if (this.rng.chance(0.4)) return this.rng.chance(0.3) ? bin('Bool', this.rng.pick(['==', '!=']), near(), near()) : call('Bool', m, near(), near());
    return call('Bool', m, this.gen('decimal', d), this.gen('decimal', d), ...this.stray());
  }
}

// --- Walking trees ------------------------------------------------------------------------------------

// The places of the direct operands: [container, key].
export function places(e) {
  switch (e.k) {
    case 'not': case 'neg': case 'attr': case 'has': case 'like': return [[e, 'a']];
    case 'bin': return [[e, 'a'], [e, 'b']];
    case 'if': return [[e, 'c'], [e, 'a'], [e, 'b']];
    case 'is': return e.in ? [[e, 'a'], [e, 'in']] : [[e, 'a']];
    case 'call': return [[e, 'a'], ...e.args.map((_, i) => [e.args, i])];
    case 'fn': return e.args.map((_, i) => [e.args, i]);
    case 'set': return e.items.map((_, i) => [e.items, i]);
    case 'rec': return e.fields.map((field) => [field, 1]);
    default: return [];
  }
}

export function allPlaces(container, key, out = []) {
  out.push([container, key]);
  for (const [inner, at] of places(container[key])) allPlaces(inner, at, out);
  return out;
}

// What the table of operators calls a node; null for leaves.
export function operator(e) {
  switch (e.k) {
    case 'bin': return e.op;
    case 'not': return '!';
    case 'neg': return 'neg';
    case 'call': return `.${e.m}`;
    case 'fn': return e.f;
    case 'is': return e.in ? 'is in' : 'is';
    case 'if': case 'attr': case 'has': case 'like': case 'set': case 'rec': return e.k;
    default: return null;
  }
}
