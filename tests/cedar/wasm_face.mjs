// SPDX-License-Identifier: Apache-2.0
// The command behind the functions of @cedar-policy/cedar-wasm, as far as scripts of ours use them: what asked
// the official engine can ask this one.  take() gives what the command said about what was wrong.
import {spawnSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import path from 'node:path';

const cedarString = text => `"${[...text].map(c => (/[ !#-[\]-~]/.test(c) ? c : `\\u{${c.codePointAt(0).toString(16)}}`)).join('')}"`;
const failure = errors => ({type: 'failure', errors: errors.map(({message, hint}) => ({message, help: hint ?? null}))});

export class Wasm {
    constructor(command, directory) {
        this.command = command;
        this.directory = directory;
        this.said = [];
    }

    take() { return this.said.splice(0); }

    file(name, content) {
        const where = path.join(this.directory, name);
        writeFileSync(where, typeof content === 'string' ? content : JSON.stringify(content));
        return where;
    }

    // {status, out, errors, warnings}: the findings as objects.
    run(verb, ...args) {
        const run = spawnSync(this.command, [verb, '-f', 'json', ...args], {encoding: 'utf8', maxBuffer: 1 << 28});
        if (run.status === null)
            throw new Error(`${verb} ended by ${run.signal}`);
        const found = run.stderr.trim().startsWith('[') ? JSON.parse(run.stderr) : [];
        if (!found.length && run.stderr.trim())
            throw new Error(`${verb}: ${run.stderr}`);
        for (const one of found)
            this.said.push(`${one.severity} ${one.start ? `${one.start.line}:${one.start.column}` : '-'} ${one.message}${one.hint ? `; ${one.hint}` : ''} [${one.code}]`);
        const of = severity => found.filter(one => one.severity === severity);
        return {status: run.status, out: run.stdout, errors: of('error'), warnings: of('warning')};
    }

    // The arguments of a policy set: texts of their own are named by position, as they must be in the set.
    policies({staticPolicies, templates = {}, templateLinks = []}) {
        if (typeof staticPolicies === 'string')
            return ['-p', this.file('p.cedar', staticPolicies)];
        const texts = {...staticPolicies, ...templates}, count = Object.keys(texts).length;
        const text = Array.from({length: count}, (_, i) => texts[`policy${i}`]).join('\n');
        const uid = ({type, id}) => `${type}::${cedarString(id)}`;
        const links = templateLinks.map(({templateId, newId, values}) => ({template_id: templateId, link_id: newId,
            args: Object.fromEntries(Object.entries(values).map(([slot, value]) => [slot, uid(value)]))}));
        return ['-p', this.file('p.cedar', text), ...(links.length ? ['-k', this.file('k.json', links)] : [])];
    }

    isAuthorized({principal, action, resource, context, policies, entities, schema, validateRequest}) {
        const args = [...this.policies(policies), '--entities', this.file('e.json', entities), '--json',
            '--policy-ids', 'position', '--request-json', this.file('r.json', {principal, action, resource, context})];
        if (schema)
            args.push('-s', this.file('s.cedarschema', schema), '--request-validation', String(validateRequest ?? false));
        const run = this.run('authorize', ...args);
        if (run.status === 1)
            return failure(run.errors);
        const {decision, reason, errors} = JSON.parse(run.out);
        for (const {message, text, start} of errors)
            this.said.push(`error ${start ? `${start.line}:${start.column}` : '-'} ${message}${text ? ` (in ${text})` : ''}`);
        return {type: 'success', response: {decision, diagnostics: {reason, errors: errors.map(error => ({policyId: error.policy, error: {message: error.message}}))}}};
    }

    // A static policy set may have no templates; ours may, so that it is told from the JSON.
    parts(text) {
        const run = this.run('translate-policy', '--direction', 'cedar-to-json', '-p', this.file('p.cedar', text));
        return run.status === 0 ? JSON.parse(run.out) : failure(run.errors);
    }

    checkParsePolicySet({staticPolicies, templates, templateLinks}) {
        if (templates !== undefined) {
            const run = this.run('check-parse', ...this.policies({staticPolicies, templates, templateLinks}));
            return run.status === 0 ? {type: 'success'} : failure(run.errors);
        }
        const parts = this.parts(staticPolicies);
        if (parts.type === 'failure')
            return parts;
        return Object.keys(parts.templates).length ? failure([{message: 'there is a template'}]) : {type: 'success'};
    }

    policyToJson(text) {
        const parts = this.parts(text);
        return parts.type === 'failure' ? parts : {type: 'success', json: parts.staticPolicies.policy0 ?? parts.staticPolicies[Object.keys(parts.staticPolicies)[0]]};
    }

    templateToJson(text) {
        const parts = this.parts(text);
        return parts.type === 'failure' ? parts : {type: 'success', json: Object.values(parts.templates)[0]};
    }

    policyToText(json) { return this.setToText({templates: {}, staticPolicies: {policy0: json}, templateLinks: []}); }

    templateToText(json) { return this.setToText({templates: {policy0: json}, staticPolicies: {}, templateLinks: []}); }

    setToText(set) {
        const run = this.run('translate-policy', '--direction', 'json-to-cedar', '-p', this.file('p.json', set));
        return run.status === 0 ? {type: 'success', text: run.out.trim()} : failure(run.errors);
    }

    // The command translates a schema whose names do not resolve, as the official command does; the functions do not.
    schemaToJson(text) {
        const file = this.file('s.cedarschema', text), read = this.run('check-parse', '-s', file);
        if (read.status !== 0)
            return failure(read.errors);
        const kept = this.said.length, run = this.run('translate-schema', '--direction', 'cedar-to-json', '-s', file);
        this.said.length = kept;    // the same warnings again
        return {type: 'success', json: JSON.parse(run.out), warnings: read.warnings};
    }

    schemaToJsonWithResolvedTypes(text) {
        const run = this.run('translate-schema', '--direction', 'cedar-to-json-with-resolved-types', '-s', this.file('s.cedarschema', text));
        return run.status === 0 ? {type: 'success', json: JSON.parse(run.out)} : failure(run.errors);
    }

    schemaToText(json) {
        const run = this.run('translate-schema', '--direction', 'json-to-cedar', '-s', this.file('s.json', json));
        return run.status === 0 ? {type: 'success', text: run.out} : failure(run.errors);
    }

    // Findings name a place: the policy is the one whose text is there.
    validate({schema, policies, validationSettings}) {
        const run = this.run('validate', '--validation-mode', validationSettings.mode, '-s', this.file('s.cedarschema', schema),
            ...this.policies(policies));
        const texts = typeof policies.staticPolicies === 'string' ? {} : {...policies.staticPolicies, ...policies.templates ?? {}};
        const ends = [];
        for (let i = 0; texts[`policy${i}`] !== undefined; i++)
            ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(texts[`policy${i}`]) + 1);
        const idOf = ({file, start}) => (file?.endsWith('p.cedar') ? `policy${Math.max(0, ends.findIndex(end => start.offset < end))}` : null);
        const found = list => list.map(one => ({policyId: idOf(one), error: {message: one.message}}));
        return run.status === 1 ? failure(run.errors)
            : {type: 'success', validationErrors: found(run.errors), validationWarnings: found(run.warnings)};
    }

    formatPolicies({policyText, lineWidth, indentWidth}) {
        const run = this.run('format', '-l', String(lineWidth), '-i', String(indentWidth), '-p', this.file('p.cedar', policyText));
        return run.status === 0 ? {type: 'success', formatted_policy: run.out} : failure(run.errors);
    }

    checkParseEntities({entities, schema}) {
        const args = schema ? ['-s', this.file('s.cedarschema', schema)] : [];
        const run = this.run('check-parse', '--entities', this.file('e.json', entities), ...args);
        return run.status === 0 ? {type: 'success'} : failure(run.errors);
    }
}
