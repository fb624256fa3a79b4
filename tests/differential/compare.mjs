// SPDX-License-Identifier: Apache-2.0
// Two answers to one world: '' if they agree, else what differs first.

const show = (answer) => (answer === undefined ? 'nothing' : JSON.stringify(answer, (_, v) => (typeof v === 'bigint' ? String(v) : v)));

export function compare(ours, theirs) {
  if (ours.crashed !== undefined) return `our driver ended with ${ours.crashed}`;
  if (ours.broken) return 'our driver could not read the line';
  if (theirs.trap) return '';
  for (const what of ['schema', 'policies'])
    if (theirs[what] !== undefined && ours[what] !== undefined && theirs[what] !== ours[what])
      return `${what}: ${ours[what] ? 'we read what they refuse' : `we refuse what they read: ${ours.diags?.[0]}`}`;
  if (theirs.policiesAndLinks !== undefined && theirs.policiesAndLinks !== (ours.policies && ours.links))
    return `policies and links: ${theirs.policiesAndLinks ? `we refuse what they read: ${ours.diags?.[0]}` : 'we read what they refuse'}`;
  if (theirs.undecided) return '';
  if (theirs.entities !== undefined && theirs.entities !== ours.entities)
    return `entities: ${ours.entities ? 'we read what they refuse' : `we refuse what they read: ${ours.diags?.[0]}`}`;
  return compareAnswers(ours.answers ?? [], theirs.answers ?? []) || compareForms(ours, theirs);
}

// The first place where two JSON values differ, numbers beyond what JavaScript holds aside.
function apart(a, b, place = '') {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b || (typeof a === 'bigint' && Number(a) === b) || (typeof b === 'bigint' && Number(b) === a) ? '' : `${place}: ours ${show(a)}, theirs ${show(b)}`;
  if (Array.isArray(a) !== Array.isArray(b)) return `${place}: a list is none`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = apart(a[key], b[key], `${place}/${key}`);
    if (found) return found;
  }
  return '';
}

function compareForms(ours, theirs) {
  for (const again of ['policyJsonAgain', 'policyTextAgain', 'formattedAgain', 'schemaAgain']) if (ours[again] === false) return `${again}: it does not read back`;
  if (theirs.policyJson && ours.policyJson) {
    const mine = { ...ours.policyJson.staticPolicies, ...ours.policyJson.templates };
    for (const id of Object.keys(theirs.policyJson)) {
      const found = apart(mine[id], theirs.policyJson[id], id);
      if (found) return `policy JSON: ${found}`;
    }
  }
  for (const what of ['schemaJson', 'schemaResolved']) {
    const found = theirs[what] && ours[what] !== undefined ? apart(ours[what], theirs[what]) : '';
    if (found) return `${what}: ${found}`;
  }
  const said = (of, what) => JSON.stringify(Array.isArray(of[what]) ? [...of[what]].sort() : of[what]);
  for (const what of ['strictErrors', 'strict', 'impossible'])
    if (theirs[what] !== undefined && ours[what] !== undefined && said(ours, what) !== said(theirs, what))
      return `validation: ${what}: ours ${show(ours[what])}, theirs ${show(theirs[what])}`;
  // What passes strictly passes permissively.
  const lax = (ours.permissiveErrors ?? []).find((id) => !ours.strictErrors.includes(id));
  if (lax) return `permissive: ${lax} passes in strict mode only`;
  return compareLevels(ours, theirs.literals);
}

// The official engine has levels in its command only, so what must hold without it is asked: a higher level
// allows no less, and what none allows starts from a literal entity.
function compareLevels(ours, literals) {
  const members = ['level0', 'level1', 'level2', 'level3', 'levelMost'];
  for (const [i, member] of members.entries()) {
    const more = i > 0 ? ours[member]?.find((id) => !ours[members[i - 1]].includes(id)) : undefined;
    if (more) return `levels: ${more} passes in ${members[i - 1]} but not in ${member}`;
  }
  const never = literals && ours.levelMost?.find((id) => id.startsWith('policy') && !literals.includes(id));
  return never ? `levels: ${never} is beyond every level` : '';
}

export function compareAnswers(ours, theirs) {
  if (ours.length !== theirs.length) return `${ours.length} answers, not ${theirs.length}`;
  for (let i = 0; i < theirs.length; i++) {
    if (theirs[i].error === 'trap') continue;
    for (const part of ['error', 'decision', 'reason', 'errors'])
      if (JSON.stringify(ours[i][part]) !== JSON.stringify(theirs[i][part]))
        return `request ${i}: ${part}: ours ${show(ours[i][part])}, theirs ${show(theirs[i][part])}`;
  }
  return '';
}
