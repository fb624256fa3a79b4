// SPDX-License-Identifier: Apache-2.0
// The results as one SVG: a panel for each application, time against N, and one for the series of links;
// both axes logarithmic, the same times in all panels.  It brings its own background, dark where the
// reader prefers that.
import { peers } from './peers.mjs';

const WIDTH = 1120, LEFT = 64, TOP = 96, GAP = 26, PANEL = { width: 330, height: 236 }, ROW = PANEL.height + 84;
const HEIGHT = TOP + 2 * ROW - 28;

// Ours first; colours that stay apart for most eyes, in light and in dark.
const looks = {
  forbid: ['Forbid', '#0b6bcb', '#5ab0ff'], 'cedar-rust': ['', '#d1495b', '#ff7b8a'], 'cedar-wasm': ['', '#b5651d', '#e0a05c'],
  'cedar-go': ['', '#8e44ad', '#c792ea'], opa: ['', '#1f8a70', '#4fd1a5'], casbin: ['', '#7a7a00', '#d4d44a'], cerbos: ['', '#5c6770', '#a9b4bd'],
};
const titleOf = (name) => looks[name][0] || peers.find((peer) => peer.name === name).title;
const panels = [['github', 'github', 'all'], ['gdrive', 'gdrive', 'all'], ['tinytodo', 'tinytodo', 'all'],
  ['github-templates', 'github, as template links', 'all'], ['gdrive-templates', 'gdrive, as template links', 'all'], ['links', 'links of two templates', 'hot']];

const log = Math.log10, fixed = (x) => x.toFixed(1);
const unit = (ns) => (ns >= 1e9 ? `${ns / 1e9} s` : ns >= 1e6 ? `${ns / 1e6} ms` : ns >= 1e3 ? `${ns / 1e3} µs` : `${ns} ns`);
const count = (x) => (x >= 1e6 ? `${x / 1e6} M` : x >= 1000 ? `${x / 1000} k` : String(x));
const sizeOf = (name) => Number(name.slice(name.lastIndexOf('-') + 1));
const kindOf = (name) => name.slice(0, name.lastIndexOf('-'));

function style() {
  const rules = (i) => `.card{fill:${['#ffffff', '#0f1620'][i]};stroke:${['#d5dbe1', '#2a3542'][i]}}.grid{stroke:${['#e7ebef', '#223040'][i]}}`
    + `text{fill:${['#24303c', '#d7e0ea'][i]}}.quiet{fill:${['#66727e', '#8c9bab'][i]}}`
    + Object.entries(looks).map(([name, look]) => `.${name}{stroke:${look[i + 1]}}.dot.${name}{fill:${look[i + 1]}}`).join('');
  return `<style>text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}.title{font-size:17px;font-weight:600}.panel{font-weight:600;font-size:13px}`
    + `.line{fill:none;stroke-width:1.8}.line.forbid{stroke-width:3.4}.dot{stroke:none}${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}</style>`;
}

function panel([kind, title, series], index, results, range) {
  const x0 = LEFT + (index % 3) * (PANEL.width + GAP), y0 = TOP + Math.floor(index / 3) * ROW;
  const mine = results.filter((r) => kindOf(r.case) === kind && r.series === series && (r.peer !== 'forbid' || r.mode === 'uids') && r.median_ns > 0);
  const sizes = [...new Set(mine.map((r) => sizeOf(r.case)))].sort((a, b) => a - b);
  const spread = log(sizes.at(-1)) - log(sizes[0]) || 1;
  const x = (size) => x0 + 10 + ((log(size) - log(sizes[0])) / spread) * (PANEL.width - 20);
  const y = (ns) => y0 + PANEL.height - ((log(ns) - range[0]) / (range[1] - range[0])) * PANEL.height;
  const out = [`<text class="panel" x="${x0}" y="${y0 - 10}">${title}</text>`];
  for (let decade = range[0]; decade <= range[1]; decade++) {
    out.push(`<line class="grid" x1="${x0}" x2="${x0 + PANEL.width}" y1="${fixed(y(10 ** decade))}" y2="${fixed(y(10 ** decade))}"/>`);
    if (index % 3 === 0) out.push(`<text class="quiet" text-anchor="end" x="${x0 - 8}" y="${fixed(y(10 ** decade) + 4)}">${unit(10 ** decade)}</text>`);
  }
  for (const size of sizes) out.push(`<text class="quiet" text-anchor="middle" x="${fixed(x(size))}" y="${y0 + PANEL.height + 18}">${count(size)}</text>`);
  out.push(`<text class="quiet" text-anchor="middle" x="${x0 + PANEL.width / 2}" y="${y0 + PANEL.height + 36}">${kind === 'links' ? 'links' : 'entities of each type'}</text>`);
  for (const name of Object.keys(looks).reverse()) {
    const points = mine.filter((r) => r.peer === name).sort((a, b) => sizeOf(a.case) - sizeOf(b.case)).map((r) => [fixed(x(sizeOf(r.case))), fixed(y(r.median_ns))]);
    if (!points.length) continue;
    out.push(`<polyline class="line ${name}" points="${points.map((p) => p.join(',')).join(' ')}"/>`,
      ...points.map(([cx, cy]) => `<circle class="dot ${name}" cx="${cx}" cy="${cy}" r="${name === 'forbid' ? 4 : 2.8}"/>`));
  }
  return sizes.length ? out.join('\n') : '';
}

function legend(names) {
  let x = LEFT;
  return names.map((name) => {
    const entry = `<line class="line ${name}" x1="${x}" x2="${x + 22}" y1="58" y2="58"/><circle class="dot ${name}" cx="${x + 11}" cy="58" r="${name === 'forbid' ? 4 : 3}"/>`
      + `<text x="${x + 29}" y="62"${name === 'forbid' ? ' font-weight="600"' : ''}>${titleOf(name)}</text>`;
    x += 48 + titleOf(name).length * 7;
    return entry;
  }).join('\n');
}

export function drawPlot({ results, machine }) {
  const timed = results.filter((r) => r.median_ns > 0 && (r.peer !== 'forbid' || r.mode === 'uids'));
  const range = [Math.floor(log(Math.min(...timed.map((r) => r.median_ns)))), Math.ceil(log(Math.max(...timed.map((r) => r.median_ns))))];
  const names = Object.keys(looks).filter((name) => timed.some((r) => r.peer === name));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Time of one decision, Forbid and others">
${style()}
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>
<text class="title" x="${LEFT}" y="32">One decision, median over the requests; both axes logarithmic</text>
<text class="quiet" text-anchor="end" x="${WIDTH - 24}" y="32">${machine.date}, ${machine.cpu}</text>
${legend(names)}
${panels.map((it, index) => panel(it, index, results, range)).join('\n')}
</svg>
`;
}
