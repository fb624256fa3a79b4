// SPDX-License-Identifier: Apache-2.0
// Worlds written by hand (worlds/*.world), asked at every entry point: reading, validation, decisions, layout,
// translation of policies and schemas both ways.  worlds/NAME.official.json holds what the official engine
// answered, so that the test needs no engine but ours; where it is installed it is asked again.
//
//   node worlds.mjs COMMAND [--record]      --record asks the official engine and writes its answers
//
// A file is worlds under `#### TITLE`, each of sections under `== KIND`: schema, policy, template, entities, links,
// request, of which policy, template and request may come again.  {{CR}} and {{BOM}} are these characters.
import {mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Wasm} from './wasm_face.mjs';

const [command, mode] = process.argv.slice(2);
const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'worlds');

function readWorlds(text) {
    return text.split(/^#### /m).slice(1).map(part => {
        const [title, ...sections] = part.split(/^== (?=(?:schema|policy|template|entities|links|request)$)/m);
        const world = {title: title.trim(), policies: [], requests: [], entities: [], links: []};
        for (const section of sections) {
            const end = section.indexOf('\n'), kind = section.slice(0, end).trim();
            const body = section.slice(end + 1).replace(/\n+$/, '\n').replace(/\{\{CR\}\}/g, '\r').replace(/\{\{BOM\}\}/g, '\ufeff');
            if (kind === 'policy' || kind === 'template')
                world.policies.push({text: body, template: kind === 'template'});
            else if (kind === 'request')
                world.requests.push(JSON.parse(body));
            else
                world[kind] = kind === 'schema' ? body : JSON.parse(body);
        }
        return world;
    });
}

function sorted(value) {
    if (Array.isArray(value))
        return value.map(sorted);
    return value !== null && typeof value === 'object'
        ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])])) : value;
}

const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const good = answer => answer.type === 'success';

function policySet(world) {
    const set = {staticPolicies: {}, templates: {}, templateLinks: world.links};
    world.policies.forEach(({text, template}, i) => { set[template ? 'templates' : 'staticPolicies'][`policy${i}`] = text; });
    return set;
}

// Whom the findings are about: ids, each once.  What is found of a link is about its template, where its text stands.
function about(findings, links) {
    const templates = Object.fromEntries(links.map(({newId, templateId}) => [newId, templateId]));
    return [...new Set(findings.map(({policyId}) => templates[policyId] ?? policyId).filter(Boolean))].sort();
}

function decide(engine, world, set, request) {
    const answer = engine.isAuthorized({...request, policies: set, entities: world.entities, ...(world.schema ? {schema: world.schema, validateRequest: true} : {})});
    if (!good(answer))
        return 'refused';
    const {decision, diagnostics} = answer.response;
    return {decision, reason: [...diagnostics.reason].sort(), errors: diagnostics.errors.map(error => error.policyId).sort()};
}

// One policy through JSON and back: its JSON, and that of the text made of it.
function translated(engine, {text, template}) {
    const toJson = one => engine[template ? 'templateToJson' : 'policyToJson'](one);
    const there = toJson(text);
    if (!good(there))
        return 'refused';
    const back = engine[template ? 'templateToText' : 'policyToText'](there.json);
    const again = good(back) ? toJson(back.text) : back;
    return {json: there.json, again: good(again) && same(again.json, there.json)};
}

function schemaForms(engine, schema, out) {
    const there = engine.schemaToJson(schema);
    out.schema = good(there) ? there.json : 'refused';
    if (!good(there))
        return;
    out.schemaResolved = engine.schemaToJsonWithResolvedTypes(schema).json;
    const back = engine.schemaToText(there.json);
    out.schemaAgain = good(back) ? engine.schemaToJsonWithResolvedTypes(back.text).json : 'refused';
}

function ask(engine, world) {
    const out = {}, set = policySet(world), all = world.policies.map(policy => policy.text).join('\n');
    if (world.schema !== undefined)
        schemaForms(engine, world.schema, out);
    out.policies = good(engine.checkParsePolicySet(set)) ? 'read' : 'refused';
    out.translated = world.policies.map(policy => translated(engine, policy));
    const laid = engine.formatPolicies({policyText: all, lineWidth: 80, indentWidth: 2});
    out.formatted = good(laid) ? laid.formatted_policy : 'refused';
    out.entities = good(engine.checkParseEntities({entities: world.entities, schema: world.schema ?? null})) ? 'read' : 'refused';
    if (world.schema !== undefined) {
        const found = engine.validate({validationSettings: {mode: 'strict'}, schema: world.schema, policies: set});
        out.strict = good(found) ? {errors: about(found.validationErrors, world.links), warnings: about(found.validationWarnings, world.links)} : 'refused';
    }
    out.answers = world.requests.map(request => decide(engine, world, set, request));
    return out;
}

function officialEngine() {
    try {
        return createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');
    } catch {
        return null;
    }
}

function record(engine) {
    for (const name of readdirSync(folder).filter(file => file.endsWith('.world'))) {
        const worlds = readWorlds(readFileSync(path.join(folder, name), 'utf8'));
        const answers = Object.fromEntries(worlds.map(world => [world.title, sorted(ask(engine, world))]));
        writeFileSync(path.join(folder, name.replace('.world', '.official.json')), `${JSON.stringify(answers, null, 1)}\n`);
    }
}

// The members that differ, one a line.
function differences(official, ours) {
    return Object.keys(official).filter(key => !same(official[key], ours[key]))
        .map(key => `#   ${key}\n#     official ${JSON.stringify(sorted(official[key]))}\n#     ours     ${JSON.stringify(sorted(ours[key]))}`);
}

function check(directory, engine) {
    const face = new Wasm(command, directory), results = [];
    for (const name of readdirSync(folder).filter(file => file.endsWith('.world')).sort()) {
        const recorded = JSON.parse(readFileSync(path.join(folder, name.replace('.world', '.official.json')), 'utf8'));
        for (const world of readWorlds(readFileSync(path.join(folder, name), 'utf8'))) {
            const official = recorded[world.title] ?? {unrecorded: true}, wrong = differences(official, ask(face, world));
            if (engine && !same(official, ask(engine, world)))
                wrong.push('#   the official engine answers otherwise now: node worlds.mjs COMMAND --record');
            results.push({title: `${name.replace('.world', '')}: ${world.title}`, wrong});
        }
    }
    console.log(`1..${results.length}`);
    results.forEach(({title, wrong}, i) => console.log(`${wrong.length ? 'not ok' : 'ok'} ${i + 1} - ${title}${wrong.map(line => `\n${line}`).join('')}`));
    process.exitCode = results.some(({wrong}) => wrong.length) ? 1 : 0;
}

const engine = officialEngine();
if (mode === '--record') {
    record(engine);
} else {
    const directory = mkdtempSync(path.join(tmpdir(), 'forbid-worlds-'));
    try {
        check(directory, engine);
    } finally {
        rmSync(directory, {recursive: true, force: true});
    }
}
