// SPDX-License-Identifier: Apache-2.0
// The results as tables in Markdown.
import { peers } from './peers.mjs';

const scale = (ns) => (ns === undefined ? '–' : ns < 1000 ? `${Math.round(ns)} ns` : ns < 1e6 ? `${(ns / 1e3).toPrecision(3)} µs` : ns < 1e9 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e9).toPrecision(3)} s`);
const times = (ratio) => (!Number.isFinite(ratio) ? '' : ` (${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString('en')}×)`);
const number = (x) => Math.round(x).toLocaleString('en');

function table(head, rows) {
  const lines = [head, head.map((_, i) => (i ? '--:' : '---')), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

const sizeOf = (name) => Number(name.slice(name.lastIndexOf('-') + 1));
const kindOf = (name) => name.slice(0, name.lastIndexOf('-'));
const unique = (list) => [...new Set(list)];

function finder(results) {
  const map = new Map(results.map((result) => [`${result.peer} ${result.mode} ${result.case} ${result.series}`, result]));
  const byPeer = new Map(results.map((result) => [`${result.peer} ${result.case} ${result.series}`, result]));
  return { ours: (mode, name, series) => map.get(`forbid ${mode} ${name} ${series}`), peer: (peer, name, series) => byPeer.get(`${peer} ${name} ${series}`) };
}

// One row a case: ours, then each peer with how many times ours it takes: from uids, as no peer is given entities found.
function timeRows(results, cases, asked, label) {
  const find = finder(results);
  return cases.map(([name, series]) => {
    const [handles, uids, text] = ['handles', 'uids', 'text'].map((mode) => find.ours(mode, name, series));
    return [label(name, series), scale(handles?.median_ns), scale(handles?.mean_ns), scale(handles?.p99_ns), scale(uids?.median_ns), scale(text?.median_ns), scale(find.ours('library', name, series)?.median_ns),
      ...asked.map((peer) => { const it = find.peer(peer.name, name, series); return it?.median_ns === undefined ? '–' : scale(it.median_ns) + times(it.median_ns / uids?.median_ns); })];
  });
}

function memoryRows(results, cases) {
  const find = finder(results);
  return cases.map(([name, series]) => find.ours('handles', name, series)).filter(Boolean).map((r) => [r.case, number(r.policies), number(r.entities),
    number(r.policies_bytes / r.policies), number(r.entities_bytes / r.entities), `${(r.policies_bytes / 1e6).toPrecision(3)} MB`,
    scale((r.parse_ms + r.links_ms + r.compile_ms) * 1e6), scale(r.entities_ms * 1e6),
    r.add_us === undefined ? '–' : scale(r.add_us * 1e3)]);
}

function countRows(counts) {
  return unique(counts.map((c) => c.case)).map((name) => {
    const of = (mode) => counts.find((c) => c.case === name && c.mode === mode)?.instructions;
    const cell = (x) => (x === undefined ? '–' : number(x));
    return [name, cell(of('handles')), cell(of('uids')), cell(of('text')), cell(of('library')), of('parsed') === undefined ? '–' : cell(of('parsed')) + times(of('parsed') / of('uids'))];
  });
}

const profiled = (counts) => ['github-50', 'gdrive-templates-50', 'links-10000', 'links-1000'].filter((name) => counts.some((c) => c.case === name)).slice(0, 3);

// Where Forbid's instructions go, by function.
function functionRows(counts, names) {
  const lists = names.map((name) => counts.find((c) => c.case === name && c.mode === 'handles')?.functions ?? []);
  return Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, i) =>
    lists.map((list) => (list[i] ? `${list[i][0]} ${list[i][1].toFixed(0)} %` : '')));
}

// What the rest amounts to.
function inShort(find, counts) {
  const lines = [];
  const ratioOf = (name, series) => find.peer('cedar-rust', name, series)?.median_ns / find.ours('uids', name, series)?.median_ns;
  const ratios = [['github-50', 'all'], ['gdrive-50', 'all'], ['tinytodo-50', 'all'], ['github-templates-50', 'all'], ['gdrive-templates-50', 'all'], ['links-1000', 'hot'], ['links-10000', 'hot'], ['links-100000', 'hot']]
    .map(([name, series]) => [name, ratioOf(name, series)]).filter(([, ratio]) => Number.isFinite(ratio));
  if (ratios.length) lines.push(`- Of Forbid’s time, from uids, Cedar (Rust) takes ${ratios.map(([name, ratio]) => `${name} ${number(ratio)}×`).join(', ')}.`);
  const [few, many] = ['links-10', 'links-100000'].map((name) => counts.find((c) => c.case === name && c.mode === 'handles')?.instructions);
  if (few && many) lines.push(`- From 10 to 100,000 links a decision takes ${(many / few).toFixed(2)} times the instructions.`);
  const [small, hot, uniform] = [['links-10', 'hot'], ['links-100000', 'hot'], ['links-100000', 'uniform']].map(([name, series]) => find.ours('handles', name, series)?.mean_ns);
  if (small && hot) lines.push(`- It takes ${(hot / small).toFixed(1)} times the time with hot principals, ${(uniform / small).toFixed(1)} times with uniform ones (means).`);
  const million = find.ours('handles', 'links-1000000', 'hot');
  if (million) lines.push(`- A million links take ${number(million.policies_bytes / 1e6)} MB, ${number(million.policies_bytes / million.policies)} bytes each.`);
  return lines.length ? `${lines.join('\n')}\n` : '';
}

export function writeTables({ machine, results, counts, quick }) {
  const asked = peers.filter(({ name }) => results.some((r) => r.peer === name && r.median_ns !== undefined));
  const cases = unique(results.filter((r) => r.peer === 'forbid').map((r) => `${r.case} ${r.series}`)).map((key) => key.split(' '))
    .sort(([a], [b]) => (kindOf(a) < kindOf(b) ? -1 : kindOf(a) > kindOf(b) ? 1 : sizeOf(a) - sizeOf(b)));
  const applications = cases.filter(([name]) => !name.startsWith('links-')), links = cases.filter(([name]) => name.startsWith('links-'));
  const head = ['Forbid, handles', 'mean', 'p99', 'from uids', 'from text', 'C interface', ...asked.map(({ title }) => title)];
  const hot = links.filter(([, series]) => series === 'hot');
  return [`${machine.date}, ${machine.cpus} × ${machine.cpu}, ${machine.system}${quick ? ', a quick run' : ''}\n`,
    inShort(finder(results), counts),
    'Median over the requests of one decision; in brackets how many times Forbid’s, from uids.\n',
    table(['application, N', ...head], timeRows(results, applications, asked, (name) => `${kindOf(name)}, ${sizeOf(name)}`)),
    table(['links, principals', ...head], timeRows(results, links, asked, (name, series) => `${number(sizeOf(name))}, ${series}`)),
    table(['Forbid', 'policies', 'entities', 'bytes a policy', 'bytes an entity', 'in all', 'loading, CPU', 'entities’', 'one link added'],
      memoryRows(results, [...applications.filter(([name]) => sizeOf(name) === 50), ...hot])),
    counts.length ? table(['instructions a decision', 'handles', 'from uids', 'from text', 'C interface', 'Cedar (Rust)'], countRows(counts)) : '',
    counts.length ? table(profiled(counts).map((name) => `where they go: ${name}`), functionRows(counts, profiled(counts))) : ''].join('\n');
}
