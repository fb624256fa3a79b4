// SPDX-License-Identifier: Apache-2.0
// Holds a SARIF log against what the standard requires (SARIF 2.1.0, OASIS 2020; section numbers below), and
// against the texts that it speaks of: every region must lie in its file, counted in Unicode scalars.
//
//   node sarif.mjs LOG.sarif [DIR]     prints each result on a line, or what is wrong (status 1)
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const [file, root = '.'] = process.argv.slice(2);
const wrong = [];
const need = (fine, what) => { if (!fine) wrong.push(what); return fine; };
const text = (value, where) => need(typeof value?.text === 'string' && value.text !== '', `${where}.text (3.11.8) is missing`);
const known = (object, names, where) => Object.keys(object).forEach((key) => need(names.includes(key), `${where}.${key} is no property of the standard`));

function region(r, uri, where) {                    // 3.30
  known(r, ['startLine', 'startColumn', 'endLine', 'endColumn'], where);
  for (const key of ['startLine', 'startColumn', 'endLine', 'endColumn']) need(Number.isInteger(r[key]) && r[key] > 0, `${where}.${key} counts from 1`);
  need(r.endLine > r.startLine || (r.endLine === r.startLine && r.endColumn >= r.startColumn), `${where} ends before it starts`);
  const name = path.join(root, decodeURIComponent(uri));
  if (!need(existsSync(name), `${uri} is not there`)) return '';
  const lines = readFileSync(name, 'utf8').split('\n').map((line) => [...line]);
  need(r.endLine <= lines.length && r.endColumn <= lines[r.endLine - 1].length + 1, `${where} is behind the text`);
  return r.startLine === r.endLine ? lines[r.startLine - 1].slice(r.startColumn - 1, r.endColumn - 1).join('') : '…';
}

function place(location, where) {                   // 3.28, 3.29, 3.4
  known(location, ['physicalLocation', 'message'], where);
  const physical = location.physicalLocation ?? {};
  known(physical, ['artifactLocation', 'region'], where);
  const uri = physical.artifactLocation?.uri;
  if (!need(typeof uri === 'string' && uri !== '' && !/[ "<>\\^`{|}]|%(?![0-9A-F]{2})/.test(uri), `${where} has no URI`)) return '';
  if (physical.region) return `${uri}:${physical.region.startLine}:${physical.region.startColumn} "${region(physical.region, uri, `${where}.region`)}"`;
  need(!existsSync(path.join(root, uri)) || statSync(path.join(root, uri)), uri);
  return uri;
}

const log = JSON.parse(readFileSync(file, 'utf8'));
known(log, ['$schema', 'version', 'runs'], 'log');  // 3.13
need(log.version === '2.1.0', 'log.version (3.13.2) is "2.1.0"');
need(/sarif-schema-2\.1\.0\.json$/.test(log.$schema), 'log.$schema (3.13.3)');
need(Array.isArray(log.runs) && log.runs.length === 1, 'log.runs (3.13.4)');
for (const run of log.runs) {
  known(run, ['tool', 'columnKind', 'invocations', 'results'], 'run');          // 3.14
  need(run.columnKind === 'unicodeCodePoints', 'run.columnKind (3.14.17)');
  need(run.invocations.every((i) => typeof i.executionSuccessful === 'boolean'), 'invocation.executionSuccessful (3.20.14)');
  const { driver } = run.tool;                                                  // 3.18, 3.19
  need(typeof driver.name === 'string' && /^\d+\.\d+\.\d+/.test(driver.semanticVersion), 'driver.name, semanticVersion');
  const ids = driver.rules.map((rule) => rule.id);
  need(new Set(ids).size === ids.length, 'rule ids are distinct (3.19.23)');
  for (const rule of driver.rules) {                                            // 3.49
    known(rule, ['id', 'shortDescription', 'help', 'defaultConfiguration'], 'rule');
    text(rule.shortDescription, 'rule.shortDescription');
    text(rule.help, 'rule.help');
    need(['error', 'warning', 'note', 'none'].includes(rule.defaultConfiguration.level), 'level (3.50.3)');
  }
  for (const [i, result] of run.results.entries()) {                            // 3.27
    const where = `results[${i}]`;
    known(result, ['ruleId', 'ruleIndex', 'level', 'message', 'locations', 'relatedLocations', 'properties'], where);
    need(ids[result.ruleIndex] === result.ruleId, `${where}.ruleIndex (3.27.6) is another rule`);
    need(['error', 'warning', 'note'].includes(result.level), `${where}.level (3.27.10)`);
    text(result.message, `${where}.message`);
    need(result.locations?.length === 1, `${where}.locations (3.27.12)`);
    console.log(result.level, result.ruleId, place(result.locations[0], `${where}.locations[0]`));
    for (const related of result.relatedLocations ?? []) {
      text(related.message, `${where}.relatedLocations`);
      place(related, `${where}.relatedLocations`);
    }
  }
}
for (const line of wrong) console.log(`WRONG ${line}`);
process.exit(wrong.length ? 1 : 0);
