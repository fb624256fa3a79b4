// SPDX-License-Identifier: Apache-2.0
// Entities with random edges, after the parameters that the paper on Cedar published for its three
// applications: n entities of each type, each possible edge with a chance of 0.05.

export const EDGE = 0.05;
export const text = ({ type, id }) => `${type}::"${id}"`;
export const ref = ({ type, id }) => ({ __entity: { type, id } });

export class Hierarchy {
  constructor(n, rng) {
    Object.assign(this, { n, rng, entities: [], links: [], types: new Map() });
  }

  add(type, id) {
    const entity = { type, id, attrs: {}, parents: [] };
    this.entities.push(entity);
    if (!this.types.has(type)) this.types.set(type, []);
    this.types.get(type).push(entity);
    return entity;
  }

  make(type) { return Array.from({ length: this.n }, (_, i) => this.add(type, `${type.toLowerCase()}${i}`)); }
  all(type) { return this.types.get(type); }
  some(list) { return list.filter(() => this.rng.chance(EDGE)); }

  // Each of a type in some of another.
  join(type, group) { for (const entity of this.all(type)) entity.parents.push(...this.some(this.all(group))); }

  // Each of a type in some of those before it, so that no cycle comes about.
  nest(type) { this.all(type).forEach((entity, i, all) => entity.parents.push(...this.some(all.slice(0, i)))); }

  // Some of the members get something: as members of a group, and as links of a template.
  give(members, group, template, resource) {
    for (const member of this.some(members)) {
      if (group) member.parents.push(group);
      this.link(template, member, resource);
    }
  }

  link(template, principal, resource) { this.links.push({ template, principal, resource }); }

  addActions(parents) {
    for (const id of Object.keys(parents)) this.add('Action', id);
    for (const action of this.all('Action')) action.parents = parents[action.id].map((id) => ({ type: 'Action', id }));
  }

  // Everything that may be asked, by numbers, so that a million of them cost nothing.
  questions(type, actions) {
    const principals = this.all(type);
    const pairs = Object.entries(actions).flatMap(([kind, names]) => names.flatMap((action) => this.all(kind).map((resource) => ({ action, resource }))));
    return {
      count: principals.length * pairs.length,
      at: (i) => ({ principal: text(principals[Math.floor(i / pairs.length)]), action: text({ type: 'Action', id: pairs[i % pairs.length].action }), resource: text(pairs[i % pairs.length].resource) }),
    };
  }
}
