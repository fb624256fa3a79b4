// SPDX-License-Identifier: Apache-2.0
// A given number of links: ten to a user, users in groups of a hundred, documents in folders of ten.  Of
// ten links six give a user a document, two a folder, one gives a user a document to edit, one a group a
// folder.  Most requests are drawn from the links, so that about a third is allowed.
//
// What the answer must be is worked out here too, since no oracle reads a million policies.
import { Hierarchy, text } from '../hierarchy.mjs';

const wanted = { readDocument: ['viewer', 'editor'], writeDocument: ['editor'] };
const actionParents = { edit: [], view: [], readDocument: ['view', 'edit'], writeDocument: ['edit'] };

function makeLinks(world, count) {
  const { rng } = world;
  const [users, groups, folders, documents] = ['User', 'Group', 'Folder', 'Document'].map((type) => world.all(type));
  const taken = new Set();
  while (world.links.length < count) {
    const kind = rng.below(10);
    const user = users[Math.floor(world.links.length / 10) % users.length];
    const [template, principal, resource] = kind < 6 ? ['viewer', user, rng.pick(documents)]
      : kind < 8 ? ['viewer', user, rng.pick(folders)] : kind < 9 ? ['editor', user, rng.pick(documents)]
        : ['viewer', rng.pick(groups), rng.pick(folders)];
    const key = `${template} ${principal.id} ${resource.id}`;
    if (taken.has(key)) continue;
    taken.add(key);
    world.link(template, principal, resource);
  }
  return taken;
}

// Requests for `principals` of the users, each as often as any other.
function drawRequests(world, taken, principals, count) {
  const { rng } = world;
  const documents = world.all('Document'), inFolder = new Map();
  for (const document of documents) inFolder.set(document.parents[0], [...(inFolder.get(document.parents[0]) ?? []), document]);
  const byUser = new Map();
  for (const link of world.links)
    if (link.principal.type === 'User') byUser.set(link.principal, [...(byUser.get(link.principal) ?? []), link]);
  const names = Object.keys(wanted), seen = new Set(), requests = [];
  for (let tries = 0; requests.length < count && tries < 20 * count; tries++) {
    const user = principals[tries % principals.length], own = byUser.get(user) ?? [], action = rng.pick(names);
    let document = rng.pick(documents);
    if (own.length && rng.chance(0.75)) {
      const { resource } = rng.pick(own);
      document = resource.type === 'Document' ? resource : rng.pick(inFolder.get(resource) ?? documents);
    }
    const key = `${user.id} ${action} ${document.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const may = wanted[action].some((template) => [user, user.parents[0]].some((principal) =>
      [document, document.parents[0]].some((resource) => taken.has(`${template} ${principal.id} ${resource.id}`))));
    requests.push({ principal: text(user), action: `Action::"${action}"`, resource: text(document), allow: may });
  }
  return requests;
}

export function links(count, rng, most) {
  const n = Math.max(10, Math.ceil(count / 10));
  const world = new Hierarchy(n, rng);
  const users = world.make('User'), documents = world.make('Document');
  const groups = Array.from({ length: Math.ceil(n / 100) }, (_, i) => world.add('Group', `group${i}`));
  const folders = Array.from({ length: Math.ceil(n / 10) }, (_, i) => world.add('Folder', `folder${i}`));
  for (const user of users) user.parents.push(rng.pick(groups));
  for (const document of documents) document.parents.push(rng.pick(folders));
  world.addActions(actionParents);
  const taken = makeLinks(world, count);
  const hot = rng.sample(users, 1000);
  return { entities: world.entities, links: world.links,
    requests: { hot: drawRequests(world, taken, hot, most.hot), uniform: drawRequests(world, taken, rng.sample(users, most.uniform), most.uniform) } };
}
