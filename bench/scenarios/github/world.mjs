// SPDX-License-Identifier: Apache-2.0
// A code host of n users, teams, repositories, issues and organisations.  Each user and team stands by
// itself, with the chance of an edge, in each level of each repository.
import { Hierarchy, ref } from '../hierarchy.mjs';

const levels = ['reader', 'triager', 'writer', 'maintainer', 'admin'];
const actions = {
  Repo: ['pull', 'fork', 'push', 'configure', 'addWriter', 'dropRepo'],
  Issue: ['closeIssue', 'labelIssue', 'assignIssue', 'dropIssue'],
  Org: ['inviteMember', 'renameOrg'],
};
const actionParents = {
  asOwner: [], asAdmin: ['asOwner'], asMaintainer: ['asAdmin'], asWriter: ['asMaintainer'], asTriager: ['asWriter'],
  asReader: ['asTriager'], change: [], pull: ['asReader'], fork: ['asReader'], push: ['asWriter', 'change'],
  configure: ['asMaintainer', 'change'], addWriter: ['asAdmin', 'change'], dropRepo: ['asAdmin', 'change'],
  closeIssue: ['asTriager', 'change'], labelIssue: ['asTriager', 'change'], assignIssue: ['asTriager', 'change'],
  dropIssue: ['asMaintainer', 'change'], inviteMember: ['asOwner'], renameOrg: ['asOwner'],
};

export function github(n, rng) {
  const world = new Hierarchy(n, rng);
  const members = [...world.make('User'), ...world.make('Team')];
  world.nest('Team');
  world.join('User', 'Team');
  for (const org of world.make('Org')) {
    const owners = world.add('Level', `${org.id}-owners`);
    org.attrs.owners = ref(owners);
    world.give(world.all('User'), owners, 'owner', org);
  }
  for (const repo of world.make('Repo')) {
    const org = rng.pick(world.all('Org'));
    Object.assign(repo.attrs, { archived: rng.chance(0.1), org: ref(org) });
    repo.parents.push(org);
    let below = null;
    for (const level of levels) {
      const group = world.add('Level', `${repo.id}-${level}s`);
      if (below) group.parents.push(below);     // who may do more may do less
      below = group;
      repo.attrs[`${level}s`] = ref(group);
      world.give(members, group, level, repo);
    }
  }
  for (const issue of world.make('Issue')) {
    const repo = rng.pick(world.all('Repo'));
    Object.assign(issue.attrs, { repo: ref(repo), reporter: ref(rng.pick(world.all('User'))) });
    issue.parents.push(repo);
  }
  world.addActions(actionParents);
  return { entities: world.entities, links: world.links, questions: world.questions('User', actions) };
}
