// SPDX-License-Identifier: Apache-2.0
// The probes of ../shared/cedar/probes: what the official engine said to some hundred questions, one a line.
// Their scripts ask as they asked it, only that the command answers; the verdicts must be the same.  Where
// the words differ, REPORT shows both, to be read by a person.
//
//   node probes.mjs COMMAND REPORT
//
// The directory is FB_SHARED/cedar/probes; without it the tests are skipped.
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Wasm} from './wasm_face.mjs';

const [command, reportFile] = process.argv.slice(2);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const probes = path.join(process.env.FB_SHARED ?? path.join(root, '../shared'), 'cedar/probes');
const names = ['probe', 'probe2', 'probe3', 'probe4'];

// What follows the label of a line, as far as it is a verdict: words of ours may differ from theirs.
function verdict(text) {
    const part = text.trim();
    const schema = /^\| no schema: (ok|FAIL)[^]*\| schema: (ok|FAIL)/.exec(part);
    if (schema)
        return `${schema[1]} without a schema, ${schema[2]} with it`;
    const valid = /^(valid|INVALID)/.exec(part);
    if (valid)
        return valid[1] + (/ WARN /.test(part) ? ', warned' : '');
    const kind = /^(PARSE\/FAIL|ERROR|FAIL|ok WARN|ok|allow|deny)(?![\w(])/.exec(part);
    if (kind)
        return kind[1];
    if (/^\[\s*['"{]/.test(part))
        return 'FAIL';    // messages alone
    try {
        return JSON.stringify(sorted(JSON.parse(part)));
    } catch {
        return part;
    }
}

function sorted(value) {
    if (Array.isArray(value))
        return value.map(sorted);
    if (value === null || typeof value !== 'object')
        return value;
    // The words and places of errors in policies are compared by eye.
    return Object.fromEntries(Object.keys(value).sort().map(key => [key, key === 'error' ? '' : sorted(value[key])]));
}

// Policies in two layouts are compared as JSON.  The official engine writes some that nobody can read
// (`context has a."b c"`): to have read them is then the verdict.
function sameText(wasm, theirs, ours) {
    if (!/^[@pf]/.test(theirs) || !/^[@pf]/.test(ours) || /<<<END/.test(ours))
        return false;
    const [a, b] = [theirs, ours].map(text => wasm.policyToJson(text));
    wasm.take();
    return b.type === 'success' && (a.type === 'failure' || JSON.stringify(sorted(a.json)) === JSON.stringify(sorted(b.json)));
}

// The same, or a warning of ours where they say nothing.
function agree(wasm, theirs, ours) {
    if (theirs === null)
        return false;
    const [a, b] = [verdict(theirs), verdict(ours)];
    return a === b || (a === 'ok' && b === 'ok WARN') || sameText(wasm, theirs.trim(), ours.trim());
}

// Runs a script; each line that it prints, with what the command said meanwhile.
function ask(wasm, script) {
    const lines = [];
    const log = (...parts) => {
        const said = wasm.take();
        const text = parts.map(part => Array.isArray(part) ? JSON.stringify(part) : String(part));
        // The padded label alone identifies a line; what has none is one by itself.
        const first = text.join(' ');
        const arrow = first.indexOf(' => ');
        const label = first.startsWith('--- ') ? first : arrow > 0 ? first.slice(0, arrow + 4) : text.length > 1 ? text[0] : labelOf(first);
        lines.push({label, text: first.slice(label.length), said});
    };
    new Function('require', 'console', script)(() => wasm, {log});
    return lines;
}

// probe4 pads its questions to 80; forms and texts stand alone.
const labelOf = text => /^"/.test(text) && text.length > 80 ? text.slice(0, 80) : '';

// The expected text, cut where the labels stand.  What has none begins the next line that begins as it does,
// and takes that line, or up to the mark that ends a formatted text.
function cut(expected, lines) {
    let at = 0;
    const places = lines.map(({label, text}) => {
        const fresh = at === 0 || expected[at - 1] === '\n';
        const start = label ? expected.indexOf(label, at)
            : fresh && expected.startsWith(text[0], at) ? at : expected.indexOf(`\n${text[0]}`, at) + 1 || -1;
        if (start < 0)
            return null;
        at = start + label.length;
        if (label)
            return {start, from: at};
        const end = /<<<END/.test(text) ? expected.indexOf('<<<END', at) + 6 : expected.indexOf('\n', at);
        at = end < at ? expected.length : end;
        return {start, from: start, end: at};
    });
    return places.map((place, i) => {
        const next = places.slice(i + 1).find(later => later !== null)?.start ?? expected.length;
        return place === null ? null : expected.slice(place.from, place.end ?? next);
    });
}

function compare(name, report) {
    const directory = mkdtempSync(path.join(tmpdir(), 'forbid-probes-'));
    try {
        return compareIn(new Wasm(command, directory), name, report);
    } finally {
        rmSync(directory, {recursive: true, force: true});
    }
}

function compareIn(wasm, name, report) {
    let differ = 0;
    const lines = ask(wasm, readFileSync(path.join(probes, `${name}.js`), 'utf8'));
    const expected = cut(readFileSync(path.join(probes, `${name}_expected_wasm413.txt`), 'utf8'), lines);
    lines.forEach(({label, text, said}, i) => {
        const theirs = expected[i], same = agree(wasm, theirs, text);
        const question = label.trim() || text.trim().slice(0, 100);
        if (!same && differ++ < 20)
            console.log(`# ${name}: ${question}\n#   official: ${verdict(theirs ?? 'says nothing')}\n#   ours:     ${verdict(text)}`);
        if (said.length || !same)
            report.push(`${same ? '' : 'DIFFERS '}${question}`, `  official  ${(theirs ?? '').trim()}`, ...said.map(line => `  forbid    ${line}`), '');
    });
    return {lines: lines.length, differ};
}

function main() {
    const report = [];
    const absent = name => {
        try {
            readFileSync(path.join(probes, `${name}.js`));
            return false;
        } catch {
            return true;
        }
    };
    console.log(`1..${names.length}`);
    for (const [i, name] of names.entries()) {
        if (absent(name)) {
            console.log(`ok ${i + 1} - ${name} # SKIP there is no ${path.join(probes, `${name}.js`)}`);
            continue;
        }
        report.push(`=== ${name}`, '');
        const {lines, differ} = compare(name, report);
        console.log(`${differ === 0 ? 'ok' : 'not ok'} ${i + 1} - ${name}: ${lines} lines, ${differ} with another verdict`);
        process.exitCode ||= differ === 0 ? 0 : 1;
    }
    writeFileSync(reportFile, `${report.join('\n')}\n`);
}

main();
