// SPDX-License-Identifier: Apache-2.0
// Reading and validating 10,000 policies, Forbid and the official engine (WebAssembly, from npm) in one run.
//
//   node bench/validation.mjs BUILD [--quick]
//
// Each round begins with texts and ends with findings; the figures are the processor's time, the median of the
// rounds after one that warms up.  Which policies are at fault must be the same.  Writes
// BUILD/report/validation.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Rng } from '../tests/differential/rng.mjs';

const build = path.resolve(process.argv[2]), quick = process.argv.includes('--quick');
const COUNT = quick ? 1000 : 10000, SEED = 2026, OURS = quick ? 5 : 15, THEIRS = 3, AIM = 20;

const schema = `entity Team in [Team]; entity Plan enum ["free", "pro", "trial"];
entity User in [Team] { name: String, mail?: String, age: Long, plan: Plan, manager?: User, roles: Set<String>,
  home: { country: String, city?: String }, joined: datetime } tags String;
entity Folder in [Folder] { owner: User, open: Bool };
entity File in [Folder] { owner: User, size: Long, labels: Set<String>, due?: datetime, readers: Set<User>, price?: decimal };
action browse; action change;
action view, download in [browse] appliesTo { principal: User, resource: File, context: { ip: ipaddr, mfa: Bool, reason?: String } };
action list in [browse] appliesTo { principal: User, resource: Folder, context: { ip: ipaddr, mfa: Bool } };
action edit, share, drop in [change] appliesTo { principal: User, resource: File, context: { ip: ipaddr, mfa: Bool, reason?: String } };
action create in [change] appliesTo { principal: User, resource: Folder, context: { ip: ipaddr, mfa: Bool } };
`;

// Each takes a random number generator and a number of its own, and gives one policy as people write them.
const forms = [
  (r, n) => `@id("owner-${n}")\npermit (principal, action in [Action::"view", Action::"edit"], resource is File)\nwhen { resource.owner == principal && resource.size < ${r.below(1000000)} };`,
  (r, n) => `permit (principal in Team::"team-${n}", action in Action::"browse", resource in Folder::"folder-${r.below(500)}")\nwhen { context.mfa };`,
  (r, n) => `// People of one country, from its network.\npermit (principal is User, action == Action::"download", resource)\nwhen { principal.home.country == "${r.pick(['DE', 'FR', 'JP', 'BR'])}" && context.ip.isInRange(ip("10.${n % 256}.0.0/16")) }\nunless { principal.plan == Plan::"trial" };`,
  (r, n) => `forbid (principal, action == Action::"drop", resource is File in Folder::"archive-${n}")\nunless { principal has manager && principal.manager.age > ${r.between(18, 60)} && principal.roles.contains("keeper") };`,
  (r, n) => `permit (principal == User::"user-${n}", action, resource is File)\nwhen { resource.readers.contains(principal) || (resource has due && resource.due > datetime("2026-0${r.between(1, 9)}-01")) };`,
  (r, n) => `@advice("mfa")\nforbid (principal, action in Action::"change", resource)\nwhen { !context.mfa && [1, 2, ${n}].contains(principal.age) };`,
  (r, n) => `permit (principal, action == Action::"share", resource)\nwhen { context has reason && context.reason like "ticket-${n}*" && (if resource.size > ${r.below(1000)} then principal.roles.containsAll(["staff", "sharer"]) else true) };`,
  (r, n) => `permit (principal in Team::"team-${n}", action == Action::"create", resource)\nwhen { resource.open && principal.hasTag("unit") && principal.getTag("unit") == "u${r.below(40)}" };`,
  (r, n) => `permit (principal, action == Action::"view", resource)\nwhen { resource has price && resource.price.lessThan(decimal("${n}.5")) && principal.joined.offset(duration("${r.between(1, 90)}d")) < datetime("2026-01-01") };`,
];
// One in ten has a fault of the kinds that people make.
const faulty = [
  (r, n) => `permit (principal, action == Action::"view", resource)\nwhen { principal.nmae == "user-${n}" };`,
  (r, n) => `permit (principal, action == Action::"edit", resource)\nwhen { principal.mail like "*@example.org" && resource.size > ${n} };`,
  (r, n) => `permit (principal, action == Action::"view", resource)\nwhen { resource.size == "${n}" };`,
  (r, n) => `permit (principal in Crew::"c${n}", action, resource);`,
  (r, n) => `forbid (principal, action == Action::"share", resource)\nunless { principal.getTag("t${n}") == "x" };`,
  (r) => `permit (principal, action in Action::"change", resource)\nwhen { context.reason == "r" && principal.age > ${r.below(99)} };`,
];

const rng = new Rng(SEED, COUNT);
const text = Array.from({ length: COUNT }, (_, n) => rng.pick(rng.chance(0.1) ? faulty : forms)(rng, n)).join('\n\n');
const folder = path.join(build, 'report');
mkdirSync(folder, { recursive: true });
const file = (name, content) => { writeFileSync(path.join(folder, name), content); return path.join(folder, name); };
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const ms = (ns) => `${(ns / 1e6).toFixed(1)} ms`;

const printed = execFileSync(path.join(build, 'bench', 'bench_validate'),
  [file('validation.cedarschema', schema), file('validation.cedar', text), String(OURS)], { encoding: 'utf8', maxBuffer: 1 << 28 });
const ours = JSON.parse(printed), read = median(ours.rounds.map(([ns]) => ns)), all = median(ours.rounds.map(([, ns]) => ns));
console.log(`${COUNT} policies, ${(text.length / 1024).toFixed(0)} KiB, ${ours.errors.length} at fault; processor time, read and validated in strict mode`);
console.log(`  forbid       ${ms(all).padStart(10)}   (reading ${ms(read)})`);

let engine;
try { engine = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs'); } catch { console.log('  cedar-wasm   is not installed'); process.exit(0); }

// In microseconds, of this process with the engine's threads.
function timed(call) {
  const start = process.cpuUsage(), value = call(), { user, system } = process.cpuUsage(start);
  return { value, ns: (user + system) * 1000 };
}
const parse = () => timed(() => engine.checkParsePolicySet({ staticPolicies: text }));
const validate = () => timed(() => engine.validate({ validationSettings: { mode: 'strict' }, schema, policies: { staticPolicies: text } }));
const first = validate().value;
if (first.type !== 'success') throw new Error(first.errors[0].message);
const theirRead = median(Array.from({ length: THEIRS }, () => parse().ns)), theirAll = median(Array.from({ length: THEIRS }, () => validate().ns));
const theirErrors = [...new Set(first.validationErrors.map(({ policyId }) => policyId))].sort(), ourErrors = [...ours.errors].sort();
console.log(`  cedar-wasm   ${ms(theirAll).padStart(10)}   (reading ${ms(theirRead)})`);
const ratio = theirAll / all, differ = ourErrors.filter((id) => !theirErrors.includes(id)).concat(theirErrors.filter((id) => !ourErrors.includes(id)));
console.log(`  ${ratio.toFixed(1)} times as fast (aim: ${AIM}); ${differ.length} verdicts differ${differ.length ? `: ${differ.slice(0, 5).join(', ')}` : ''}`);
file('validation.json', `${JSON.stringify({ policies: COUNT, bytes: text.length, faulty: ourErrors.length, forbid: { read, all }, wasm: { read: theirRead, all: theirAll }, ratio, differ }, null, 1)}\n`);
process.exitCode = differ.length ? 1 : 0;
