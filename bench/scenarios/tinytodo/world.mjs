// SPDX-License-Identifier: Apache-2.0
// n users, teams and lists.  Each list has two of the teams; one user in ten is an intern.
import { Hierarchy, ref } from '../hierarchy.mjs';

const actions = {
  Application: ['createList', 'getLists'],
  List: ['getList', 'updateList', 'deleteList', 'createTask', 'updateTask', 'deleteTask'],
};

export function tinytodo(n, rng) {
  const world = new Hierarchy(n, rng);
  const users = world.make('User'), teams = world.make('Team'), application = world.add('Application', 'TinyTodo');
  world.nest('Team');
  world.join('User', 'Team');
  const interns = world.add('Team', 'interns');
  for (const user of users) if (rng.chance(0.1)) user.parents.push(interns);
  for (const list of world.make('List')) {
    list.parents.push(application);
    list.attrs = { owner: ref(rng.pick(users)), readers: ref(rng.pick(teams)), editors: ref(rng.pick(teams)),
      tasks: Array.from({ length: 3 }, (_, id) => ({ id, name: `task ${rng.below(1000)}`, done: rng.chance(0.5) })) };
  }
  world.addActions(Object.fromEntries(Object.values(actions).flat().map((name) => [name, []])));
  return { entities: world.entities, links: [], questions: world.questions('User', actions) };
}
