// SPDX-License-Identifier: Apache-2.0
// Two answers to one world: '' if they agree, else what differs first.

const show = (answer) => (answer === undefined ? 'nothing' : JSON.stringify(answer));

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
  return compareAnswers(ours.answers ?? [], theirs.answers ?? []);
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
