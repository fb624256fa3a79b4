// SPDX-License-Identifier: Apache-2.0
// A drive of n users, groups, folders and documents.  Each folder and document is shared, with the chance
// of an edge, with each user; one group may edit it.
import { Hierarchy, ref } from '../hierarchy.mjs';

const actions = {
  Document: ['readDocument', 'writeDocument', 'shareDocument', 'dropDocument'],
  Folder: ['listFolder', 'createDocument', 'shareFolder', 'dropFolder'],
};
const actionParents = {
  edit: [], view: [], readDocument: ['view', 'edit'], listFolder: ['view', 'edit'], writeDocument: ['edit'],
  createDocument: ['edit'], shareDocument: [], dropDocument: [], shareFolder: [], dropFolder: [],
};

function makeThings(world, type, attributes) {
  for (const thing of world.make(type)) {
    const team = world.rng.pick(world.all('Group'));
    thing.attrs = { owner: ref(world.rng.pick(world.all('User'))), team: ref(team), ...attributes() };
    world.link('editor', team, thing);
  }
}

function shareWith(world, user) {
  const group = world.add('Share', user.id);
  user.attrs = { shared: ref(group), blocked: world.some(world.all('User')).map(ref) };
  for (const thing of world.some([...world.all('Folder'), ...world.all('Document')])) {
    thing.parents.push(group);
    world.link('viewer', user, thing);
  }
}

export function gdrive(n, rng) {
  const world = new Hierarchy(n, rng);
  world.make('User');
  world.make('Group');
  world.nest('Group');
  world.join('User', 'Group');
  makeThings(world, 'Folder', () => ({}));
  makeThings(world, 'Document', () => ({ public: rng.chance(0.1) }));
  world.nest('Folder');
  world.join('Document', 'Folder');
  for (const user of world.all('User')) shareWith(world, user);
  world.addActions(actionParents);
  return { entities: world.entities, links: world.links, questions: world.questions('User', actions) };
}
