// SPDX-License-Identifier: Apache-2.0
// Policies and schemas in their other forms, against the official engine: our command and
// @cedar-policy/cedar-wasm must say the same about policies made at random.
//
//   node forms.mjs COMMAND [--seed N] [--cases N] [--only policy|json|format|schema|fragment|corpus] [--corpus no]
//
// Prints the seed, a line a difference, and the counts; fails when there is a difference.  Integers
// stay below 2^53, since the oracle's interface is JavaScript.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Random, commented, mutated, policyText, schemaText} from './generate.mjs';

const args = process.argv.slice(2);
const command = args[0];
const option = (name, otherwise) => args.includes(name) ? args[args.indexOf(name) + 1] : otherwise;
const seed = Number(option('--seed', Date.now() % 1e9)), cases = Number(option('--cases', 1000));
const only = option('--only', null);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
let oracle;
try {
    oracle = createRequire(path.join(process.env.FB_NODE_MODULES ?? root, 'x.js'))('@cedar-policy/cedar-wasm/nodejs');
} catch {
    console.log('1..0 # SKIP @cedar-policy/cedar-wasm is not installed');
    process.exit(0);
}
console.log(`# seed ${seed}, ${cases} cases of each kind`);
const dir = mkdtempSync(path.join(tmpdir(), 'forbid-forms-'));
const skipped = Symbol('skipped');
let differences = 0;

const sorted = value => Array.isArray(value) ? value.map(sorted)
    : value !== null && typeof value === 'object'
        ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])])) : value;
const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function forbid(verb, file, ...more) {
    const run = spawnSync(command, [verb, ...more, file], {encoding: 'utf8', maxBuffer: 1 << 30});
    return {status: run.status, out: run.stdout, err: run.stderr};
}

function file(name, text) {
    const where = path.join(dir, name);
    writeFileSync(where, text);
    return where;
}

function differ(kind, input, theirs, ours) {
    if (differences++ < 20)
        console.log(`# ${kind}: ${typeof input === 'string' ? input : JSON.stringify(input)}\n#   official: ${theirs}\n#   ours:     ${ours}`);
}

const isTemplate = text => /[?](principal|resource)/.test(text);
const toJson = text => isTemplate(text) ? oracle.templateToJson(text) : oracle.policyToJson(text);
// A JSON policy is a template if it says so, whatever the scope has beside it.
function toText(json) {
    const policy = oracle.policyToText(json);
    return policy.type === 'success' ? policy : oracle.templateToText(json);
}

// Text to JSON, all in one run of ours; then JSON to text, judged by the oracle's reading of it.
function policies(random) {
    const texts = Array.from({length: cases}, () => policyText(random));
    const run = forbid('translate-policy', file('p.cedar', texts.join('\n')), '--direction', 'cedar-to-json', '-p');
    if (run.status !== 0)
        return differ('policy', 'the whole set', 'reads it', run.err.slice(0, 2000));
    const set = JSON.parse(run.out);
    const ours = texts.map((_, i) => set.staticPolicies[`policy${i}`] ?? set.templates[`policy${i}`]);
    texts.forEach((text, i) => {
        const theirs = toJson(text);
        if (theirs.type !== 'success')
            differ('policy', text, theirs.errors[0].message, 'reads it');
        else if (!same(theirs.json, ours[i]))
            differ('policy', text, JSON.stringify(sorted(theirs.json)), JSON.stringify(sorted(ours[i])));
    });
    const back = forbid('translate-policy', file('p.json', run.out), '--direction', 'json-to-cedar', '-p');
    const parts = back.out.split(/(?<=;)\n\n(?=[@pf])/);
    const inOrder = [...Object.values(set.templates), ...Object.values(set.staticPolicies)];
    if (back.status !== 0 || parts.length !== inOrder.length)
        return differ('policy to text', 'the whole set', inOrder.length, `${parts.length} ${back.err.slice(0, 2000)}`);
    parts.forEach((part, i) => {
        const again = toJson(part);
        if (again.type !== 'success' || !same(again.json, inOrder[i]))
            differ('policy to text', JSON.stringify(inOrder[i]), part, JSON.stringify(again));
    });
}

// What our reader does on purpose: a path of attributes that are no identifiers, a method without its receiver, and functions that do not exist, are
// refused when they are read.
function refusedOnPurpose(json) {
    const text = JSON.stringify(json);
    const paths = text.match(/"attr":\["[^\]]*\]/g) ?? [];
    return paths.some(path => /"(?![A-Za-z_]\w*")|"(if|then|else|true|false|in|is|has|like|__cedar)"/.test(path.slice(7)))
        || /"(lessThan|lessThanOrEqual|greaterThan|greaterThanOrEqual|is(Ipv[46]|Loopback|Multicast|InRange)|offset|durationSince|to(Date|Time|Milliseconds|Seconds|Minutes|Hours|Days))":\[\]/.test(text)
        || /"__extn":/.test(text) || /"op":"[aA]ll","?[^}]/.test(text) || /"unknown":\[/.test(text);
}

// JSON with faults: the same verdict, and where both read it, the same meaning.
function faulty(random) {
    let accepted = 0;
    for (let i = 0; i < cases; i++) {
        const base = toJson(policyText(random));
        if (base.type !== 'success')
            continue;
        const json = mutated(random, base.json);
        let theirs;
        try {
            theirs = toText(json);
        } catch {
            continue;       // what JavaScript cannot hand over
        }
        const run = forbid('translate-policy', file('m.json', JSON.stringify(json)), '--direction', 'json-to-cedar', '-p');
        if ((theirs.type === 'success') !== (run.status === 0)) {
            if (!refusedOnPurpose(json))
                differ('json', json, theirs.text ?? theirs.errors[0].message, run.out + run.err);
            continue;
        }
        if (run.status !== 0)
            continue;
        accepted++;
        const mine = toJson(run.out), other = toJson(theirs.text);
        if (other.type === 'success' && !same(mine.json, other.json))
            differ('json', json, JSON.stringify(other), JSON.stringify(mine));
    }
    console.log(`# json: ${accepted} of ${cases} mutated policies are read by both`);
}

// The formatter: byte for byte, and once more for idempotence.
function formats(random) {
    let equal = 0, unstable = 0, run;
    const widths = [80, 80, 80, 40, 120, 20];
    for (let i = 0; i < cases; i++) {
        const plain = Array.from({length: 1 + random.below(3)}, () => policyText(random, {comments: i % 3 === 1})).join(random.pick(['\n', '\n\n', ' ']));
        const text = i % 3 === 2 ? commented(random, plain, random.pick([3, 10, 40])) : plain;
        const width = random.pick(widths), indent = random.pick([2, 2, 2, 4]);
        const theirs = oracle.formatPolicies({policyText: text, lineWidth: width, indentWidth: indent});
        run = forbid('format', file('f.cedar', text), '-l', String(width), '-i', String(indent), '-p');
        if (theirs.type !== 'success') {
            if (run.status === 0 && process.env.FB_VERBOSE)
                console.log(`# only ours formats: ${text}\n#  ${theirs.errors[0].message}`);
            continue;
        }
        if (run.status !== 0)
            differ('format', text, theirs.formatted_policy, run.err);
        else if (run.out === theirs.formatted_policy)
            equal++;
        else if (oracle.formatPolicies({policyText: theirs.formatted_policy, lineWidth: width, indentWidth: indent}).formatted_policy
            !== theirs.formatted_policy)
            unstable++;     // what the official one writes it would write otherwise the next time; ours stays
        else
            differ(`format ${width} ${indent}`, text, '\n' + theirs.formatted_policy, '\n' + run.out);
        const again = forbid('format', file('g.cedar', run.out), '-l', String(width), '-i', String(indent), '-p');
        if (run.status === 0 && again.out !== run.out)
            differ('format twice', text, run.out, again.out);
    }
    console.log(`# format: ${equal} of ${cases} byte for byte, ${unstable} where the official one does not settle`);
}

// The command translates fragments: what they name may be declared elsewhere, which the oracle looks for.
const isFragment = answer => answer.type === 'success'
    || /^(failed to resolve type|undeclared action|cycle in|Context for action|definition of .* illegally shadows)/.test(answer.errors[0].message);

// A schema that lacks one of its entity types: as JSON what the oracle makes of it with that type put back.
function fragments(random) {
    let compared = 0, lacking = 0;
    for (let i = 0; i < cases; i++) {
        const {json} = oracle.schemaToJson(schemaText(random));
        const names = Object.keys(json?.['']?.entityTypes ?? {});
        if (names.length === 0)
            continue;
        const name = random.pick(names);
        delete json[''].entityTypes[name];
        const text = forbid('translate-schema', file('f.json', JSON.stringify(json)), '--direction', 'json-to-cedar', '-s');
        const run = forbid('translate-schema', file('f.cedarschema', text.out), '--direction', 'cedar-to-json', '-s');
        const whole = oracle.schemaToJson(`${text.out}\nentity ${name};`);
        if (text.status !== 0 || run.status !== 0 || whole.type !== 'success') {
            differ('fragment', json, whole.errors?.[0].message ?? 'ok', text.err + run.err);
            continue;
        }
        delete whole.json[''].entityTypes[name];
        const mine = JSON.parse(run.out);
        mine[''] ??= {entityTypes: {}, actions: {}};
        if (!same(whole.json, mine))
            differ('fragment', text.out, JSON.stringify(sorted(whole.json)), run.out);
        compared++;
        lacking += oracle.schemaToJson(text.out).type !== 'success';
    }
    console.log(`# fragment: ${compared} compared, ${lacking} of them name what they do not declare`);
    if (lacking === 0)
        differ('fragment', 'none lacks a name', '', '');
}

// Schemas: text to JSON, JSON to text and back.
function schemas(random) {
    for (let i = 0; i < cases; i++) {
        const text = schemaText(random);
        const theirs = oracle.schemaToJson(text), resolved = oracle.schemaToJsonWithResolvedTypes(text);
        const where = file('s.cedarschema', text);
        for (const [direction, answer] of [['cedar-to-json', theirs], ['cedar-to-json-with-resolved-types', resolved]]) {
            const run = forbid('translate-schema', where, '--direction', direction, '-s');
            const expected = direction === 'cedar-to-json' ? isFragment(answer) : answer.type === 'success';
            if (expected !== (run.status === 0))
                differ(direction, text, answer.errors?.[0].message ?? 'ok', run.err);
            else if (answer.type === 'success' && !same(answer.json, JSON.parse(run.out)))
                differ(direction, text, JSON.stringify(sorted(answer.json)), JSON.stringify(sorted(JSON.parse(run.out))));
        }
        if (theirs.type !== 'success')
            continue;
        const json = random.below(2) === 0 ? theirs.json : mutated(random, theirs.json);
        let other;
        try {
            other = oracle.schemaToText(json);
        } catch {
            continue;
        }
        const run = forbid('translate-schema', file('s.json', JSON.stringify(json)), '--direction', 'json-to-cedar', '-s');
        // An array may stand for a struct there, its members in order: an accident that is not copied.
        if (other.type === 'success' && /an object \[json.type\]/.test(run.err))
            continue;
        if (isFragment(other) !== (run.status === 0)) {
            differ('schema json', json, other.errors?.[0].message ?? 'ok ' + other.text, run.err || 'ok ' + run.out);
        } else if (other.type === 'success') {
            const mine = oracle.schemaToJsonWithResolvedTypes(run.out), both = oracle.schemaToJsonWithResolvedTypes(other.text);
            if (both.type === 'success' && (mine.type !== 'success' || !same(mine.json, both.json)))
                differ('schema json', json, other.text, run.out + JSON.stringify(mine.errors?.[0].message));
        }
    }
}

// Where the corpus lies unpacked: FB_CORPUS, or unpacked from FB_SHARED into the temporary directory.
function corpusFolder() {
    if (process.env.FB_CORPUS !== undefined)
        return process.env.FB_CORPUS;
    const archive = path.join(process.env.FB_SHARED ?? '', 'cedar/corpus-dev.tar.gz');
    if (process.env.FB_SHARED === undefined || !existsSync(archive))
        return null;
    const folder = path.join(dir, 'corpus');
    mkdirSync(folder);
    return spawnSync('tar', ['-xzf', archive, '-C', folder]).status === 0 ? folder : null;
}

// The corpus: what schemas are as JSON, and what policies are formatted, of every file.
function corpus() {
    const root = option('--corpus', 'yes') === 'yes' ? corpusFolder() : null;
    if (root === null)
        return skipped;
    const folder = path.join(root, 'corpus-tests-json-schemas');
    const files = readdirSync(folder);
    for (const name of files) {
        const schema = path.join(root, 'corpus-tests', name.replace(/[.]json$/, ''));
        const run = forbid('translate-schema', schema, '--direction', 'cedar-to-json', '-s');
        const expected = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
        if (run.status !== 0 || !same(JSON.parse(run.out), expected))
            differ('corpus', name, JSON.stringify(sorted(expected)), run.err || run.out);
    }
    const texts = readdirSync(path.join(root, 'corpus-tests')).filter(name => name.endsWith('.cedar'));
    for (const name of texts) {
        const where = path.join(root, 'corpus-tests', name);
        const theirs = oracle.formatPolicies({policyText: readFileSync(where, 'utf8'), lineWidth: 80, indentWidth: 2});
        const run = forbid('format', where, '-p');
        if (theirs.type === 'success' && run.out !== theirs.formatted_policy)
            differ('corpus', name, '\n' + theirs.formatted_policy, '\n' + (run.err || run.out));
    }
    console.log(`# corpus: ${files.length} schemas, ${texts.length} policies`);
}

const kinds = {policy: policies, json: faulty, format: formats, schema: schemas, fragment: fragments, corpus};
const asked = Object.entries(kinds).filter(([name]) => only === null || only === name);
console.log(`1..${asked.length}`);
asked.forEach(([name, run], i) => {
    const before = differences;
    if (run(new Random(seed + i)) === skipped)
        return console.log(`ok ${i + 1} - ${name} # SKIP not at hand`);
    console.log(`${differences === before ? 'ok' : 'not ok'} ${i + 1} - ${name}: ${cases} cases, ${differences - before} differences`);
});
rmSync(dir, {recursive: true});
process.exit(differences === 0 ? 0 : 1);
