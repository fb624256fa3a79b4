// SPDX-License-Identifier: Apache-2.0
// Policies and schemas made at random, and JSON with faults; each from a seed.

export class Random {
    constructor(seed) {
        this.state = (seed ^ 0x9e3779b9) >>> 0;
        this.next();
    }
    next() {    // mulberry32
        this.state = (this.state + 0x6d2b79f5) >>> 0;
        let t = this.state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return (t ^ (t >>> 14)) >>> 0;
    }
    below(n) { return this.next() % n; }
    pick(list) { return list[this.below(list.length)]; }
    chance(percent) { return this.below(100) < percent; }
    some(most, make) { return Array.from({length: this.below(most + 1)}, () => make()); }
}

const names = ['a', 'b', 'owner', 'is_admin', '_x', 'someLongAttributeName', 'permit', 'principal', 'Action', 'type', 'id', 'when'];
const oddNames = ['if', 'has', 'a b', '', 'é', '1x', '__cedar', 'a"b', 'a\\b', '\n'];
const types = ['User', 'App::User', 'Photo', 'N::M::Thing', 'A'];
const texts = ['', 'a', 'hello world', 'é', '*', '"', '\\', '\n', '\t', '\u0007', '😀', 'a*b', "'", '\0', 'ä*', '192.0.2.1'];

export function quoted(text) {
    return '"' + [...text].map(c => c === '"' ? '\\"' : c === '\\' ? '\\\\' : c === '\n' ? '\\n' : c === '\0' ? '\\0'
        : c < ' ' ? `\\u{${c.codePointAt(0).toString(16)}}` : c).join('') + '"';
}

const string = r => quoted(r.pick(texts));
const uid = r => `${r.pick(types)}::${string(r)}`;
const action = r => `${r.pick(['Action', 'N::Action'])}::${string(r)}`;
const pattern = r => '"' + r.some(4, () => r.pick(['*', '\\*', 'a', 'bc', '\\"', 'é', '\\n', '**'])).join('') + '"';
const number = r => r.pick(['0', '1', '2', '42', '007', '1234567890', '9007199254740991']);

const binary = ['==', '!=', '<', '<=', '>', '>=', 'in'];
const methods = ['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag'];
const calls = ['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual', 'isInRange', 'offset', 'durationSince'];
const bare = ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'toDate', 'toTime', 'toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'];

function leaf(r) {
    return r.pick([() => number(r), () => '-' + number(r), () => string(r), () => 'true', () => 'false', () => uid(r),
        () => 'principal', () => 'resource', () => 'context', () => 'action', () => '[]', () => '{}'])();
}

function expression(r, depth) {
    if (depth === 0)
        return leaf(r);
    const e = () => expression(r, depth - 1), member = () => r.chance(50) ? `(${e()})` : r.pick(['principal', 'resource', 'context', 'context.a', 'principal.owner']);
    return r.pick([
        () => leaf(r),
        () => `(${e()})`,
        () => `${'!'.repeat(1 + r.below(3))}${member()}`,
        () => `${'-'.repeat(1 + r.below(3))}${r.chance(50) ? number(r) : member()}`,
        () => `(${e()}) ${r.pick(['&&', '||', '+', '-', '*'])} (${e()})`,
        () => Array.from({length: 2 + r.below(4)}, () => `(${e()})`).join(r.pick([' && ', ' || ', ' + '])),
        () => `${member()} && ${member()} || ${member()} && ${member()}`,
        () => `${member()} + ${member()} * ${member()} - ${number(r)}`,
        () => `(${e()}) ${r.pick(binary)} (${e()})`,
        () => `${member()} ${r.pick(binary)} ${leaf(r)}`,
        () => `(if ${e()} then ${e()} else ${e()})`,
        () => `${member()}.${r.pick(names)}`,
        () => `${member()}[${quoted(r.pick([...names, ...oddNames]))}]`,
        () => `(${member()} has ${r.pick(names)}${r.some(3, () => '.' + r.pick(names)).join('')})`,
        () => `(${member()} has ${quoted(r.pick([...names, ...oddNames]))})`,
        () => `(${member()} like ${pattern(r)})`,
        () => `(${member()} is ${r.pick(types)}${r.chance(50) ? ' in ' + member() : ''})`,
        () => `[${r.some(4, e).join(', ')}]`,
        () => {
            const keys = [...new Set(r.some(4, () => r.pick([...names, ...oddNames])))];
            return `{${keys.map(key => (r.chance(50) && names.includes(key) ? key : quoted(key)) + ': ' + e()).join(', ')}}`;
        },
        () => `${member()}.${r.pick(methods)}(${e()})`,
        () => `${member()}.isEmpty()`,
        () => `${r.pick(['ip', 'decimal', 'datetime', 'duration'])}(${r.pick([() => string(r), e, () => '', () => e() + ', ' + e()])()})`,
        () => `${member()}.${r.pick(calls)}(${e()})`,
        () => `${member()}.${r.pick(bare)}()`,
    ])();
}

function scope(r, name) {
    const target = () => r.chance(20) ? '?' + name : uid(r);
    return r.pick([() => name, () => `${name} == ${target()}`, () => `${name} in ${target()}`, () => `${name} is ${r.pick(types)}`,
        () => `${name} is ${r.pick(types)} in ${target()}`])();
}

const noComment = () => '';
const spaces = r => r.pick([' ', ' ', '  ', '\n', '\n  ']);

// A policy; with `comments`, some stand between its tokens.
export function policyText(r, {comments = false} = {}) {
    const c = comments ? () => r.chance(12) ? ` // ${r.pick(['one', 'a longer comment about this', 'x'])}\n` : '' : noComment;
    const annotations = [...new Set(r.some(3, () => r.pick(['id', 'advice', 'a', 'if', 'permit'])))]
        .map(key => `@${key}${r.chance(70) ? `(${string(r)})` : ''}${c()}${spaces(r)}`).join('');
    const actions = r.pick([() => 'action', () => `action == ${action(r)}`, () => `action in ${action(r)}`,
        () => `action in [${r.some(4, () => action(r)).join(', ')}]`])();
    const conditions = r.some(3, () => `${spaces(r)}${r.pick(['when', 'unless'])}${c()} {${c()}${spaces(r)}${expression(r, 1 + r.below(4))}${c()}${spaces(r)}}`).join(c());
    return `${c().trimStart()}${annotations}${r.pick(['permit', 'forbid'])}${r.pick(['', ' '])}(${c()}${scope(r, 'principal')},${c()} ${actions}, ${c()}${scope(r, 'resource')}${c()})${c()}${conditions}${c()};`;
}

// The same policies with comments between any two tokens.
export function commented(r, text, percent = 10) {
    const tokens = text.match(/"(?:\\.|[^"\\])*"|\?\w+|\w+|::|&&|\|\||[=!<>]=|\S/gs);
    const comment = () => `// ${r.pick(['one', 'a longer comment about this', 'x "y', '// z'])}\n`;
    return tokens.map(token => {
        if (!r.chance(percent))
            return token + r.pick([' ', ' ', '\n', '\n\n']);
        return token + r.pick([() => ' ' + comment(), () => '\n' + comment(), () => ' ' + comment() + '\n' + comment() + comment()])();
    }).join('');
}

// --- schemas ---

const primitives = ['Long', 'String', 'Bool', 'ipaddr', 'decimal', 'datetime', 'duration', '__cedar::Long', '__cedar::ipaddr'];

function schemaType(r, known, depth) {
    if (depth === 0 || r.chance(40))
        return r.chance(50) ? r.pick(primitives) : r.pick(known);
    return r.pick([() => `Set<${schemaType(r, known, depth - 1)}>`, () => record(r, known, depth - 1)])();
}

function annotations(r) {
    return [...new Set(r.some(2, () => r.pick(['doc', 'a', 'if'])))].map(key => `@${key}${r.chance(60) ? `(${string(r)})` : ''} `).filter(() => r.chance(30)).join('');
}

function record(r, known, depth) {
    const keys = [...new Set(r.some(4, () => r.pick([...names, 'if', 'a b', 'é'])))];
    const attribute = key => `${annotations(r)}${/^[A-Za-z_]\w*$/.test(key) && key !== 'if' && r.chance(70) ? key : quoted(key)}${r.chance(30) ? '?' : ''}: ${schemaType(r, known, depth)}`;
    return `{${keys.map(attribute).join(', ')}}`;
}

function declarations(r, space, others) {
    const entities = ['U', 'G', 'Doc', 'E'].map(name => space ? name + space : name), commons = ['T', 'Ctx'].map(name => space ? name + space : name);
    const known = [...entities, ...commons, ...others];
    const paths = list => r.chance(50) ? r.pick(list) : `[${Array.from({length: 1 + r.below(3)}, () => r.pick(list)).join(', ')}]`;
    const entityRefs = [...entities.slice(0, 3), ...others.filter(name => !/T|Ctx/.test(name))];
    const parts = [];
    for (const name of entities.slice(0, 3))
        parts.push(`${annotations(r)}entity ${name}${r.chance(40) ? ' in ' + paths(entityRefs) : ''}${r.chance(60) ? (r.chance(50) ? ' = ' : ' ') + record(r, known, 2) : ''}${r.chance(30) ? ' tags ' + schemaType(r, known, 2) : ''};`);
    parts.push(`${annotations(r)}entity ${entities[3]} enum [${Array.from({length: 1 + r.below(3)}, () => string(r)).join(', ')}];`);
    parts.push(`${annotations(r)}type ${commons[0]} = ${schemaType(r, [...entities, ...primitives], 2)};`);
    parts.push(`type ${commons[1]} = ${record(r, [...entities, commons[0]], 1)};`);
    const suffix = space || '';
    parts.push(`action group${suffix};`, `action "group 2${suffix}" in ${r.pick([`group${suffix}`, `[group${suffix}]`, `[${space ? space + '::' : ''}Action::"group${suffix}"]`])};`);
    for (const name of ['view', '"edit it"'])
        parts.push(`${annotations(r)}action ${name.replace(/(\w)("?)$/, `$1${suffix}$2`)}${r.chance(40) ? ` in [group${suffix}, "group 2${suffix}"]` : ''}${r.chance(80) ? ` appliesTo { principal: ${paths(entityRefs)}, resource: ${paths(entityRefs)}${r.chance(60) ? ', context: ' + (r.chance(40) ? commons[1] : record(r, known, 2)) : ''} }` : ''};`);
    return parts.sort(() => 0).join('\n');
}

export function schemaText(r) {
    const spaces = r.pick([[''], ['', 'N'], ['N'], ['', 'N::M'], ['N', 'K']]);
    return spaces.map((space, i) => {
        const others = spaces.slice(0, i).flatMap(other => ['U', 'G', 'T'].map(name => other ? `${other}::${name}${other.replace(/::/g, '_')}` : name));
        const body = declarations(r, space.replace(/::/g, '_'), others).replaceAll(`${space.replace(/::/g, '_')}::Action`, `${space ? space + '::' : ''}Action`);
        return space ? `${annotations(r)}namespace ${space} {\n${body}\n}` : body;
    }).join('\n');
}

// --- JSON with faults ---

const junk = [null, true, 5, 'x', '?principal', 'permit', [], {}, {Value: 1}, {Var: 'principal'}, {type: 'U', id: 'a'},
    {__entity: {type: 'U', id: 'a'}}, {__entity: 5}, ['a', 'b'], 'All', 'is', 'Long', {type: 'Long'}, {type: 'Set', element: {type: 'String'}},
    {type: 'EntityOrCommon', name: 'U'}, {type: 'Entity', name: 'U'}, {type: 'Extension', name: 'ipaddr'}, {type: 'T'}, {type: 'Record', attributes: {}}];
const keys = ['Value', 'Var', 'left', 'right', 'op', 'entity', 'slot', 'in', 'entity_type', 'arg', 'attr', 'x', 'kind', 'body', '&&', '==', 'ip', 'Set', 'has', '.',
    'type', 'element', 'name', 'attributes', 'required', 'memberOf', 'memberOfTypes', 'shape', 'tags', 'annotations', 'enum', 'appliesTo', 'context', 'principalTypes', 'additionalAttributes', 'commonTypes'];

function places(value, at = [], list = []) {
    if (value !== null && typeof value === 'object')
        for (const key of Object.keys(value)) {
            list.push([value, key]);
            places(value[key], [...at, key], list);
        }
    return list;
}

// A copy with a change or two.
export function mutated(r, json) {
    const copy = structuredClone(json);
    for (let i = 0; i <= (r.chance(25) ? 1 : 0); i++) {
        const all = places(copy);
        if (all.length === 0)
            return copy;
        const [holder, key] = r.pick(all);
        const change = r.below(5);
        if (change === 0 && !Array.isArray(holder))
            delete holder[key];
        else if (change === 1 && !Array.isArray(holder))
            holder[r.pick(keys)] = structuredClone(r.pick(junk));
        else if (change === 2 && !Array.isArray(holder)) {
            const value = holder[key];
            delete holder[key];
            holder[r.pick(keys)] = value;
        } else if (change === 3)
            holder[key] = structuredClone(r.pick(all)[0]);
        else
            holder[key] = structuredClone(r.pick(junk));
    }
    return copy;
}
