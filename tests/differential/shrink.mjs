// SPDX-License-Identifier: Apache-2.0
// Makes a world smaller for as long as the engines differ about it: greedily, the large pieces first.
import { allPlaces, places } from './expr.mjs';

const copy = (world) => JSON.parse(JSON.stringify(world));

// Without policy `index`: later ones are renumbered, and so are the links' templates.
function withoutPolicy(world, index) {
  world.policies.splice(index, 1);
  world.links = world.links.filter((link) => link.templateId !== `policy${index}`);
  for (const link of world.links) {
    const at = Number(link.templateId.slice(6));
    if (at > index) link.templateId = `policy${at - 1}`;
  }
}

const dropEach = (list, of) => list.map((_, i) => (world) => { of(world).splice(i, 1); });
const dropKeys = (object, of) => Object.keys(object).map((key) => (world) => { delete of(world)[key]; });

function* large(world) {
  yield (w) => { w.garble = null; };
  yield (w) => { w.style.fancy = 0; };
  yield (w) => { w.options.schema = false; };
  if (world.requests.length > 1) for (const i of world.requests.keys()) yield (w) => { w.requests = [w.requests[i]]; };
  for (let size = world.policies.length >> 1; size >= 1; size >>= 1)
    for (let i = 0; i + size <= world.policies.length; i += size)
      yield (w) => { for (let n = 0; n < size; n++) withoutPolicy(w, i); };
  yield* dropEach(world.links, (w) => w.links);
  yield* dropEach(world.entities, (w) => w.entities);
}

function* conditionSteps(condition, at) {
  const count = allPlaces(condition, 'body').length;
  for (let n = 0; n < count; n++) {
    const here = (w) => allPlaces(at(w), 'body')[n];
    const [container, key] = allPlaces(condition, 'body')[n];
    const e = container[key];
    for (const c of places(e).keys()) yield (w) => { const [into, k] = here(w); const [from, j] = places(into[k])[c]; into[k] = from[j]; };
    for (const v of [true, false]) if (e.k !== 'bool') yield (w) => { const [into, k] = here(w); into[k] = { k: 'bool', v, t: 'Bool' }; };
    if (e.k !== 'long' && e.k !== 'bool') yield (w) => { const [into, k] = here(w); into[k] = { k: 'long', v: '1', t: 'Long' }; };
    for (const list of ['items', 'fields', 'path', 'p', 'args'])
      for (const i of (e[list] ?? []).keys())
        if (e[list].length > 1 || list === 'items' || list === 'fields') yield (w) => { const [into, k] = here(w); into[k][list].splice(i, 1); };
  }
}

function* small(world) {
  for (const [p, policy] of world.policies.entries()) {
    yield (w) => { w.policies[p].annotations = []; };
    for (const name of ['principal', 'action', 'resource'])
      if (policy[name].op !== 'any' && !policy[name].slot) yield (w) => { w.policies[p][name] = { op: 'any' }; };
    yield* dropEach(policy.conditions, (w) => w.policies[p].conditions);
    for (const [c, condition] of policy.conditions.entries()) yield* conditionSteps(condition, (w) => w.policies[p].conditions[c]);
  }
  for (const [i, entity] of world.entities.entries()) {
    yield* dropKeys(entity.attrs, (w) => w.entities[i].attrs);
    yield* dropEach(entity.parents, (w) => w.entities[i].parents);
    if (entity.tags) yield* dropKeys(entity.tags, (w) => w.entities[i].tags);
  }
  for (const [i, request] of world.requests.entries()) yield* dropKeys(request.context, (w) => w.requests[i].context);
}

function* schemaSteps({ model, options }) {
  if (!options.schema) return;
  yield* dropEach(model.actions, (w) => w.model.actions);
  yield* dropEach(model.types, (w) => w.model.types);
  yield* dropKeys(model.common, (w) => w.model.common);
  for (const [i, type] of model.types.entries()) {
    yield* dropKeys(type.attrs, (w) => w.model.types[i].attrs);
    yield (w) => { w.model.types[i].tags = null; };
    yield* dropEach(type.parents, (w) => w.model.types[i].parents);
  }
  for (const [i, action] of model.actions.entries()) {
    yield* dropEach(action.memberOf, (w) => w.model.actions[i].memberOf);
    if (action.appliesTo) yield* dropKeys(action.appliesTo.context.record ?? {}, (w) => w.model.actions[i].appliesTo.context.record);
  }
}

// `differs(world)` resolves to whether it still shows the fault.
export async function shrink(world, differs, tries = 4000) {
  let best = copy(world);
  for (let moved = true; moved && tries > 0;) {
    moved = false;
    for (const steps of [large, small, schemaSteps]) {
      let at = 0;
      // After a step that held, the list is made anew and taken up at the same place.
      for (let list = [...steps(best)]; at < list.length && tries > 0; tries--) {
        const next = copy(best);
        list[at](next);
        let holds = false;
        if (JSON.stringify(next) !== JSON.stringify(best)) {
          try { holds = await differs(next); } catch { holds = false; }
        }
        if (holds) {
          best = next;
          moved = true;
          list = [...steps(best)];
        } else {
          at++;
        }
      }
    }
  }
  return best;
}
