// SPDX-License-Identifier: Apache-2.0
// Writes what is measured into a directory, so that every peer reads the same:
//
//   node bench/generate.mjs OUT [--quick]
//
// A case is a folder SCENARIO-N with
//   policies.cedar      static policies and templates, each with its @id
//   schema.cedarschema
//   entities.json       actions included
//   links.json          {template_id, link_id, args}, one a line
//   requests.jsonl      {principal, action, resource, context}, distinct and in random order; requests.hot.jsonl
//                       and requests.uniform.jsonl where there are two series
//   expected.jsonl      where the generator knows the answers: one 0 or 1 a request (expected.hot.jsonl, …)
// The same options give the same bytes, on any machine.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync, openSync, writeSync, closeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Rng } from '../tests/differential/rng.mjs';
import { text } from './scenarios/hierarchy.mjs';
import { github } from './scenarios/github/world.mjs';
import { gdrive } from './scenarios/gdrive/world.mjs';
import { tinytodo } from './scenarios/tinytodo/world.mjs';
import { links } from './scenarios/links/world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const shareTypes = ['Level', 'Share'];
const SEED = 2026, REQUESTS = 500;
const out = process.argv[2], quick = process.argv.includes('--quick');
if (!out || out.startsWith('--')) { console.error('usage: node bench/generate.mjs OUT [--quick]'); process.exit(2); }
const sizes = quick ? [5, 50] : [5, 10, 15, 20, 30, 40, 50];
const counts = quick ? [10, 1000, 100000] : [10, 100, 1000, 10000, 100000, 1000000];
const most = { hot: 2000, uniform: 40000 };

// Lists of a million are written piece by piece.
function writeLines(file, open, items, line, separator, close) {
  const fd = openSync(file, 'w');
  let piece = open;
  items.forEach((item, i) => {
    piece += (i ? separator : '') + line(item);
    if (piece.length > 1 << 20) { writeSync(fd, piece); piece = ''; }
  });
  writeSync(fd, piece + close);
  closeSync(fd);
}

function write(name, scenario, form, { entities, links: given, requests }) {
  const dir = path.join(out, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  copyFileSync(path.join(here, 'scenarios', scenario, 'schema.cedarschema'), path.join(dir, 'schema.cedarschema'));
  copyFileSync(path.join(here, 'scenarios', scenario, `${form}.cedar`), path.join(dir, 'policies.cedar'));
  const uid = ({ type, id }) => ({ type, id });
  // Who was given what stands in groups for the static policies, in links for the templates.
  const parents = (entity) => [...new Set(entity.parents)].filter(({ type }) => form !== 'templates' || !shareTypes.includes(type));
  writeLines(path.join(dir, 'entities.json'), '[\n', entities,
    (entity) => JSON.stringify({ uid: uid(entity), attrs: entity.attrs, parents: parents(entity).map(uid) }), ',\n', '\n]\n');
  const slots = ({ principal, resource }) => ({ '?principal': text(principal), '?resource': text(resource) });
  let next = 0;
  writeLines(path.join(dir, 'links.json'), '[\n', form === 'templates' ? given : [],
    (link) => JSON.stringify({ template_id: link.template, link_id: `link${next++}`, args: slots(link) }), ',\n', '\n]\n');
  for (const [series, list] of Object.entries(requests)) {
    const dot = series === 'all' ? '' : `.${series}`;
    writeLines(path.join(dir, `requests${dot}.jsonl`), '', list,
      ({ principal, action, resource }) => `${JSON.stringify({ principal, action, resource, context: {} })}\n`, '', '');
    if (list[0].allow !== undefined) writeLines(path.join(dir, `expected${dot}.jsonl`), '', list, ({ allow }) => `${allow ? 1 : 0}\n`, '', '');
  }
}

// Distinct ones, drawn in random order; all of them where there are no more.
function draw(questions, rng, wanted) {
  const numbers = new Set();
  while (numbers.size < Math.min(wanted, questions.count)) numbers.add(rng.below(questions.count));
  return [...numbers].map(questions.at);
}

const scenarios = { github, gdrive, tinytodo };
Object.entries(scenarios).forEach(([scenario, make], stream) => {
  for (const n of sizes) {
    const rng = new Rng(SEED, 100 * stream + n);
    const world = make(n, rng);
    world.requests = { all: draw(world.questions, rng, REQUESTS) };
    write(`${scenario}-${n}`, scenario, 'policies', world);
    if (existsSync(path.join(here, 'scenarios', scenario, 'templates.cedar'))) write(`${scenario}-templates-${n}`, scenario, 'templates', world);
  }
});
for (const count of counts) write(`links-${count}`, 'links', 'templates', links(count, new Rng(SEED, count), most));
