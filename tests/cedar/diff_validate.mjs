// SPDX-License-Identifier: Apache-2.0
// Our validator against the official engine, on random schemas and policies, well-typed and not.
//
//   node tests/cedar/diff_validate.mjs DRIVER [--cases N] [--seed S] [--policies N] [--keep DIR]
//
// DRIVER is the built tests/cedar/cedar_validate_driver.  Compared are the verdict and the kinds of
// findings.  A case that differs is printed, shrunk to one policy, and written to DIR.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
let cedar;
try {
  cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');
} catch {
  console.log('the npm package @cedar-policy/cedar-wasm is not installed');
  process.exit(77);
}

const args = process.argv.slice(3);
const option = (name, fallback) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
const CASES = Number(option('--cases', process.env.FB_SLOW === '1' ? 10000 : 500));
const SEED = Number(option('--seed', Date.now() % 1000000007));
const POLICIES = Number(option('--policies', 3));
const KEEP = option('--keep', null);

// --- chance ---
let state = SEED >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
const some = (list, most) => list.filter(() => chance(0.5)).slice(0, most);

// --- schemas ---
// Types: {k:'Long'}, {k:'Set', of}, {k:'Record', fields:{name:{type, optional}}}, {k:'Entity', name}
const PRIMITIVES = ['Bool', 'Long', 'String', 'decimal', 'ipaddr', 'datetime', 'duration'];
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'if', 'with space'];
const quoted = (name) => (/^[a-z]+$/.test(name) && name !== 'if' ? name : JSON.stringify(name));

function randomType(world, depth) {
  const roll = random();
  if (depth > 0 && roll < 0.15) return { k: 'Set', of: randomType(world, depth - 1) };
  if (depth > 0 && roll < 0.35) return randomRecord(world, depth - 1);
  if (roll < 0.6) return { k: 'Entity', name: pick(world.entities).name };
  return { k: pick(PRIMITIVES) };
}

function randomRecord(world, depth) {
  const fields = {};
  for (const name of some(NAMES, 5)) fields[name] = { type: randomType(world, depth), optional: chance(0.4) };
  return { k: 'Record', fields };
}

function typeText(type) {
  if (type.k === 'Set') return `Set<${typeText(type.of)}>`;
  if (type.k === 'Entity') return type.name;
  if (type.k === 'Record') {
    return `{${Object.entries(type.fields).map(([n, f]) => `${quoted(n)}${f.optional ? '?' : ''}: ${typeText(f.type)}`).join(', ')}}`;
  }
  return type.k;
}

function randomWorld() {
  const world = { entities: [], actions: [] };
  const spaces = chance(0.3) ? ['', 'N'] : [''];
  for (let i = 0, n = 2 + below(4); i < n; i++) {
    const space = pick(spaces);
    world.entities.push({ name: (space ? space + '::' : '') + `T${i}`, space, base: `T${i}` });
  }
  for (const entity of world.entities) {
    entity.enum = chance(0.15) ? ['x', 'y'] : null;
    entity.parents = entity.enum ? [] : some(world.entities.map((e) => e.name), 2);
    entity.shape = entity.enum ? { k: 'Record', fields: {} } : randomRecord(world, 2);
    entity.tags = !entity.enum && chance(0.5) ? randomType(world, 1) : null;
  }
  const groups = [];
  for (let i = 0, n = 1 + below(4); i < n; i++) {
    const space = pick(spaces);
    const action = { id: `act${i}`, space, uid: `${space ? space + '::' : ''}Action::"act${i}"`, groups: some(groups, 2) };
    if (chance(0.75)) {
      const names = world.entities.map((e) => e.name);
      const listed = (list) => (list.length ? list : [pick(names)]);
      action.applies = { principals: listed(some(names, 3)), resources: listed(some(names, 3)), context: randomRecord(world, 2) };
    }
    groups.push(action);
    world.actions.push(action);
  }
  return world;
}

function schemaText(world) {
  const bySpace = new Map();
  const add = (space, line) => bySpace.set(space, [...(bySpace.get(space) ?? []), line]);
  for (const e of world.entities) {
    if (e.enum) add(e.space, `entity ${e.base} enum [${e.enum.map((x) => JSON.stringify(x)).join(', ')}];`);
    else {
      const parents = e.parents.length ? ` in [${e.parents.join(', ')}]` : '';
      add(e.space, `entity ${e.base}${parents} ${typeText(e.shape)}${e.tags ? ` tags ${typeText(e.tags)}` : ''};`);
    }
  }
  for (const a of world.actions) {
    const groups = a.groups.length ? ` in [${a.groups.map((g) => g.uid).join(', ')}]` : '';
    const applies = a.applies
      ? ` appliesTo {principal: [${a.applies.principals.join(', ')}], resource: [${a.applies.resources.join(', ')}], context: ${typeText(a.applies.context)}}` : '';
    add(a.space, `action ${a.id}${groups}${applies};`);
  }
  return [...bySpace].map(([space, lines]) => (space ? `namespace ${space} {\n${lines.join('\n')}\n}` : lines.join('\n'))).join('\n');
}

// --- expressions ---
// Made for one environment: { principal, resource: entity names; action; context: a record type }.
const LITERALS = {
  Bool: () => pick(['true', 'false']),
  Long: () => pick(['0', '1', '-3', '7']),
  String: () => pick(['"x"', '"y"', '"192.0.2.1"', '"say_\\u{4bb}ello"', '""']),
  decimal: () => pick(['decimal("1.5")', 'decimal("0.0")', 'decimal("x")', 'decimal("1.5", 2)', 'decimal()']),
  ipaddr: () => pick(['ip("192.0.2.1")', 'ip("10.0.0.0/8")', 'ip("::1")', 'ip("nope")']),
  datetime: () => pick(['datetime("2024-01-01")', 'datetime("2024-13-01")']),
  duration: () => pick(['duration("1h")', 'duration("-1d2ms")', 'duration("")']),
};
const wrongOften = { decimal: 0.15, ipaddr: 0.15, datetime: 0.15, duration: 0.15 };

class Maker {
  constructor(world, env, wrong) { Object.assign(this, { world, env, wrong, known: [] }); }

  entity(name) { return this.world.entities.find((e) => e.name === name); }
  shape(type) { return type.k === 'Entity' ? (this.entity(type.name)?.shape ?? { fields: {} }) : type; }

  anyType(depth) {
    return chance(0.5) ? pick(this.sources(2)).type : randomType(this.world, depth);
  }

  uid(name) {
    if (chance(0.02)) return `Nowhere::"x"`;
    const entity = this.entity(name);
    const id = entity?.enum && !chance(0.1) ? pick(entity.enum) : pick(['x', 'z', 'q r']);
    return `${name}::${JSON.stringify(id)}`;
  }

  actionUid() { return chance(0.03) ? 'Action::"nope"' : pick(this.world.actions).uid; }

  // Paths from the request's variables, with their types and what must be asked before.
  sources(depth) {
    if (this.cached) return this.cached;
    const found = [];
    const walk = (text, type, guards, left) => {
      found.push({ text, type, guards });
      if (left === 0 || (type.k !== 'Entity' && type.k !== 'Record')) return;
      for (const [name, field] of Object.entries(this.shape(type).fields)) {
        const plain = quoted(name) === name;
        const access = plain ? `${text}.${name}` : `${text}[${JSON.stringify(name)}]`;
        const guard = field.optional ? [...guards, `${text} has ${plain ? name : JSON.stringify(name)}`] : guards;
        walk(access, field.type, guard, left - 1);
      }
      const tags = type.k === 'Entity' ? this.entity(type.name)?.tags : null;
      if (tags) for (const key of ['"k"', '"j"']) walk(`${text}.getTag(${key})`, tags, [...guards, `${text}.hasTag(${key})`], left - 1);
    };
    walk('principal', { k: 'Entity', name: this.env.principal }, [], depth + 1);
    walk('resource', { k: 'Entity', name: this.env.resource }, [], depth);
    walk('context', this.env.context, [], depth);
    return (this.cached = found);
  }

  same(a, b) { return typeText(a) === typeText(b); }

  expr(type, depth) {
    if (chance(this.wrong)) type = this.anyType(1);
    const paths = this.sources(2).filter((s) => this.same(s.type, type));
    if (paths.length && chance(0.5)) {
      const path = pick(paths);
      const missing = path.guards.filter((g) => !this.known.includes(g));
      if (!missing.length || chance(this.wrong)) return path.text;
      if (type.k === 'Bool') return `(${[...missing, path.text].join(' && ')})`;
      if (depth > 0) return `(if ${missing.join(' && ')} then ${path.text} else ${this.expr(type, depth - 1)})`;
    }
    if (depth > 0 && chance(0.1)) return this.conditional(type, depth);
    if (depth > 0 && chance(0.05)) return `{x: ${this.expr(type, depth - 1)}, y: ${this.expr(this.anyType(1), 0)}}.x`;
    switch (type.k) {
      case 'Bool': return depth > 0 ? this.bool(depth) : LITERALS.Bool();
      case 'Long': return depth > 0 && chance(0.5) ? this.long(depth) : LITERALS.Long();
      case 'Set': return this.set(type, depth);
      case 'Record': return this.record(type, depth);
      case 'Entity': return this.uid(type.name);
      case 'datetime': if (depth > 0 && chance(0.3)) return pick([() => `${this.expr(type, depth - 1)}.offset(${this.expr({ k: 'duration' }, depth - 1)})`, () => `${this.expr(type, depth - 1)}.toDate()`])(); break;
      case 'duration': if (depth > 0 && chance(0.3)) return pick([() => `${this.expr({ k: 'datetime' }, depth - 1)}.durationSince(${this.expr({ k: 'datetime' }, depth - 1)})`, () => `${this.expr({ k: 'datetime' }, depth - 1)}.toTime()`])(); break;
      default:
    }
    const text = LITERALS[type.k]();
    if (wrongOften[type.k] && chance(0.03)) return text.replace(/\(.*\)/, `(${this.expr({ k: 'String' }, 0)})`);
    return wrongOften[type.k] && !chance(wrongOften[type.k] * this.wrong * 10) ? LITERALS_GOOD[type.k] : text;
  }

  conditional(type, depth) {
    const guard = this.bool(depth - 1);
    return `(if ${guard} then ${this.under([guard], () => this.expr(type, depth - 1))} else ${this.expr(type, depth - 1)})`;
  }

  under(guards, make) {
    const before = this.known;
    this.known = [...before, ...guards];
    const made = make();
    this.known = before;
    return made;
  }

  long(depth) {
    const d = depth - 1;
    return pick([
      () => `(${this.expr({ k: 'Long' }, d)} ${pick(['+', '-', '*'])} ${this.expr({ k: 'Long' }, d)})`,
      () => `-(${this.expr({ k: 'Long' }, d)})`,
      () => `${this.expr({ k: 'duration' }, d)}.${pick(['toDays', 'toHours', 'toMilliseconds'])}()`,
    ])();
  }

  set(type, depth) {
    if (chance(0.05)) return '[]';
    return `[${Array.from({ length: 1 + below(3) }, () => this.expr(type.of, depth - 1)).join(', ')}]`;
  }

  record(type, depth) {
    const parts = Object.entries(type.fields).filter(([, f]) => !f.optional || chance(0.5))
      .map(([n, f]) => `${quoted(n)}: ${this.expr(f.type, depth - 1)}`);
    return `{${parts.join(', ')}}`;
  }

  entityExpr(depth) {
    const roll = random();
    if (roll < 0.15) return 'action';
    if (roll < 0.2) return this.actionUid();
    const paths = this.sources(2).filter((s) => s.type.k === 'Entity' && s.guards.every((g) => this.known.includes(g)));
    return paths.length && roll < 0.8 ? pick(paths).text : this.expr({ k: 'Entity', name: pick(this.world.entities).name }, depth);
  }

  group(depth) {
    if (chance(0.25)) return `[${Array.from({ length: below(3) + (chance(0.9) ? 1 : 0) }, () => this.entityExpr(0)).join(', ')}]`;
    return this.entityExpr(depth);
  }

  has() {
    const path = pick(this.sources(2).filter((s) => s.type.k === 'Entity' || s.type.k === 'Record' || chance(0.03)));
    const names = Object.keys(path.type.k === 'Entity' || path.type.k === 'Record' ? this.shape(path.type).fields : {});
    const name = names.length && !chance(0.1) ? pick(names) : pick(NAMES);
    if (quoted(name) !== name) return `${path.text} has ${JSON.stringify(name)}`;
    const next = names.includes(name) ? this.shape(path.type).fields[name].type : null;
    const deeper = next && (next.k === 'Entity' || next.k === 'Record') ? Object.keys(this.shape(next).fields).filter((n) => quoted(n) === n) : [];
    return deeper.length && chance(0.4) ? `${path.text} has ${name}.${pick(deeper)}` : `${path.text} has ${name}`;
  }

  guards() {
    const path = pick(this.sources(2).filter((s) => s.guards.length) .concat([{ guards: [this.has()] }]));
    return path.guards;
  }

  bool(depth) {
    const d = depth - 1;
    if (depth <= 0) return chance(0.5) ? this.has() : LITERALS.Bool();
    return pick([
      () => { const left = this.bool(d); return `(${left} && ${this.under([left], () => this.bool(d))})`; },
      () => { const g = this.guards(); return `(${g.join(' && ')} && ${this.under(g, () => this.bool(d))})`; },
      () => { const g = this.guards(); return `(${g.join(' && ')} && ${this.under(g, () => this.bool(d))})`; },
      () => `(${this.bool(d)} || ${this.bool(d)})`,
      () => `!(${this.bool(d)})`,
      () => { const t = this.anyType(1); return `(${this.expr(t, d)} ${pick(['==', '!='])} ${this.expr(t, d)})`; },
      () => { const t = { k: pick(['Long', 'datetime', 'duration', 'Long', 'decimal']) }; return `(${this.expr(t, d)} ${pick(['<', '<=', '>', '>='])} ${this.expr(t, d)})`; },
      () => `(${this.entityExpr(d)} in ${this.group(d)})`,
      () => `(${this.entityExpr(d)} == ${this.entityExpr(d)})`,
      () => `(${this.entityExpr(d)} is ${chance(0.03) ? 'Nowhere' : pick([...this.world.entities.map((e) => e.name), 'Action'])}${chance(0.3) ? ` in ${this.group(d)}` : ''})`,
      () => this.has(),
      () => { const t = this.anyType(0); return `${this.expr({ k: 'Set', of: t }, d)}.contains(${this.expr(t, d)})`; },
      () => { const t = { k: 'Set', of: this.anyType(0) }; return `${this.expr(t, d)}.${pick(['containsAll', 'containsAny'])}(${this.expr(t, d)})`; },
      () => `${this.expr({ k: 'Set', of: this.anyType(0) }, d)}.isEmpty()`,
      () => `(${this.expr({ k: 'String' }, d)} like "a*b")`,
      () => `${this.entityExpr(d)}.hasTag(${pick(['"k"', '"j"', this.expr({ k: 'String' }, 0)])})`,
      () => { const e = this.entityExpr(0); const k = pick(['"k"', this.expr({ k: 'String' }, 0)]); return `(${e}.hasTag(${k}) && ${e}.getTag(${k}) == ${this.expr(this.anyType(0), d)})`; },
      () => `${this.expr({ k: 'ipaddr' }, d)}.${pick(['isIpv4()', 'isLoopback()', `isInRange(${this.expr({ k: 'ipaddr' }, d)})`])}`,
      () => `${this.expr({ k: 'decimal' }, d)}.lessThan(${this.expr({ k: 'decimal' }, d)})`,
      () => this.conditional({ k: 'Bool' }, depth),
      () => this.expr({ k: 'Bool' }, d),
    ])();
  }
}
const LITERALS_GOOD = { decimal: 'decimal("1.5")', ipaddr: 'ip("10.0.0.0/8")', datetime: 'datetime("2024-01-01")', duration: 'duration("1h")' };

// --- policies ---
function scopePart(world, maker, name, type, template) {
  const uid = () => (template && chance(0.5) ? `?${name}` : maker.uid(chance(0.7) ? type : pick(world.entities).name));
  const up = () => {
    const parents = maker.entity(type)?.parents ?? [];
    return template && chance(0.5) ? `?${name}` : maker.uid(parents.length && chance(0.7) ? pick(parents) : pick(world.entities).name);
  };
  const named = chance(0.8) ? type : pick([...world.entities.map((e) => e.name), 'Nowhere']);
  return pick([() => name, () => name, () => `${name} == ${uid()}`, () => `${name} in ${up()}`, () => `${name} is ${named}`,
    () => `${name} is ${named} in ${up()}`])();
}

function actionPart(world, env) {
  const other = () => (chance(0.04) ? 'Action::"nope"' : pick(world.actions).uid);
  return pick([() => 'action', () => `action == ${env.action.uid}`, () => `action == ${env.action.uid}`, () => `action in ${other()}`,
    () => `action in [${Array.from({ length: chance(0.03) ? 0 : 1 + below(3) }, other).join(', ')}]`, () => `action == ${other()}`])();
}

function randomPolicy(world) {
  const usable = world.actions.filter((a) => a.applies);
  const action = usable.length ? pick(usable) : { ...pick(world.actions), applies: { principals: [world.entities[0].name], resources: [world.entities[0].name], context: { k: 'Record', fields: {} } } };
  const env = { action, principal: pick(action.applies.principals), resource: pick(action.applies.resources), context: action.applies.context };
  const maker = new Maker(world, env, pick([0, 0, 0.005, 0.02, 0.06]));
  const template = chance(0.1);
  const conditions = Array.from({ length: below(3) }, () => `${pick(['when', 'when', 'unless'])} { ${maker.bool(1 + below(3))} }`);
  return `${pick(['permit', 'forbid'])}(${scopePart(world, maker, 'principal', env.principal, template)}, ${actionPart(world, env)}, `
    + `${scopePart(world, maker, 'resource', env.resource, template)}) ${conditions.join(' ')};`;
}

// --- both answers ---
const KINDS = [
  [/unrecognized entity type/, 'unknown_entity_type'], [/unrecognized action/, 'unknown_action'], [/enumerated entity type/, 'enum_id'],
  [/unexpected type/, 'type'], [/are not compatible/, 'incompatible_types'], [/safety of access to optional attribute/, 'unsafe_optional_attribute'],
  [/safety of access to tag/, 'unsafe_tag'], [/attribute .* not found/s, 'unknown_attribute'], [/tags/, 'no_tags'],
  [/wrong number of arguments/, 'arguments'], [/argument validation/, 'literal'], [/non-literal/, 'constructor'], [/empty set/, 'empty_set'],
  [/policy is impossible/, 'impossible'], [/applicable action/, 'no_applicable_action'], [/mixed scripts/, 'mixed_script'],
  [/BIDI/, 'bidirectional'], [/General Security/, 'confusable'],
];
const kindOf = (message) => KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? `? ${message}`;
const sorted = (set) => [...new Set(set)].sort();

function official(schema, policies, links) {
  const templates = {}, statics = {};
  policies.forEach((text, i) => { (/\?(principal|resource)/.test(text.replace(/"[^"]*"/g, '')) ? templates : statics)[`policy${i}`] = text; });
  const templateLinks = links.map((l) => ({ templateId: l.template, newId: l.id, values: l.values }));
  const answer = cedar.validate({ schema, policies: { staticPolicies: statics, templates, templateLinks }, validationSettings: { mode: 'strict' } });
  if (answer.type !== 'success') return { fault: answer.errors.map((e) => e.message).join(' | ') };
  return { ok: answer.validationErrors.length === 0,
    kinds: sorted([...answer.validationErrors, ...answer.validationWarnings].map((e) => kindOf(e.error.message))) };
}

const driver = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
let pending = '';
const waiting = [];
driver.stdout.on('data', (data) => {
  pending += data;
  for (let end; (end = pending.indexOf('\n')) >= 0; pending = pending.slice(end + 1)) waiting.shift()(JSON.parse(pending.slice(0, end)));
});
driver.on('exit', (code) => { if (waiting.length) { console.error(`the driver ended with ${code}`); process.exit(1); } });

function ours(schema, policies, links, mode = 'strict') {
  const text = policies.join('\n');
  const linkText = links.map((l) => `${l.id} ${l.template} ${uidText(l.values['?principal'])} ${uidText(l.values['?resource'])}\n`).join('');
  const bytes = [schema, text, linkText].map((s) => Buffer.from(s));
  driver.stdin.write(`${mode} -1 ${bytes.map((b) => b.length).join(' ')}\n`);
  for (const b of bytes) driver.stdin.write(b);
  return new Promise((resolve) => waiting.push((answer) => resolve({ ...answer,
    kinds: sorted(answer.findings.map((f) => f[0].replace('validate.', ''))) })));
}
const uidText = (uid) => (uid ? `${uid.type}::${JSON.stringify(uid.id)}` : '-');

const differ = (a, b) => a.fault !== undefined || !b.schema || !b.policies || a.ok !== b.ok || a.kinds.join() !== b.kinds.join();

async function compare(schema, policies, links) {
  const mine = ours(schema, policies, links);
  return { theirs: official(schema, policies, links), mine: await mine };
}

// --- the run ---
const counts = { cases: 0, policies: 0, valid: 0, unparsed: 0, different: 0 };
const seen = Object.create(null);
console.log(`seed ${SEED}`);
for (let n = 0; n < CASES; n++) {
  const world = randomWorld();
  const schema = schemaText(world);
  const policies = Array.from({ length: 1 + below(POLICIES) }, () => randomPolicy(world));
  const links = [];
  policies.forEach((text, i) => {
    const bare = text.replace(/"[^"]*"/g, '');
    const values = {};
    for (const name of ['?principal', '?resource']) {
      if (bare.includes(name)) values[name] = chance(0.05) ? { type: 'Nowhere', id: 'x' } : { type: pick(world.entities).name, id: pick(['x', 'nox']) };
    }
    if (Object.keys(values).length && chance(0.7)) links.push({ template: `policy${i}`, id: `link${i}`, values });
  });
  const { theirs, mine } = await compare(schema, policies, links);
  counts.cases++;
  counts.policies += policies.length;
  if (theirs.fault !== undefined && (!mine.schema || !mine.policies)) { counts.unparsed++; continue; }
  if (theirs.ok) counts.valid++;
  for (const kind of theirs.kinds ?? []) seen[kind] = (seen[kind] ?? 0) + 1;
  if (!differ(theirs, mine)) continue;
  counts.different++;
  let culprit = { schema, policies, links, theirs, mine };
  for (let i = 0; i < policies.length && !links.length; i++) {
    const alone = await compare(schema, [policies[i]], []);
    if (differ(alone.theirs, alone.mine)) culprit = { schema, policies: [policies[i]], links: [], ...alone };
  }
  console.log(`--- case ${n}\n${culprit.schema}\n${culprit.policies.join('\n')}\n${JSON.stringify(culprit.links)}`
    + `\nofficial ${JSON.stringify(culprit.theirs)}\nours     ${JSON.stringify(culprit.mine)}`);
  if (KEEP) {
    mkdirSync(KEEP, { recursive: true });
    writeFileSync(`${KEEP}/seed${SEED}-case${n}.txt`, `${culprit.schema}\n---\n${culprit.policies.join('\n')}\n`);
  }
  if (counts.different >= 20) break;
}
driver.stdin.end();
console.log(JSON.stringify(counts), JSON.stringify(seen));
process.exitCode = counts.different > 0 ? 1 : 0;
