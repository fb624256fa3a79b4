/* SPDX-License-Identifier: Apache-2.0 */
/* What reads entities: attributes, tags, membership.  Values are read where they lie.  The request's
 * own entities are looked up once a decision, any other at each use. */

#include "engine/eval.h"

/* Kept apart from its caller, which is on the path of every read. */
const struct fb_entity *fb_find_seen(struct fb_eval *e, struct fb_seen *seen)
{
    if (seen->absent)
        return NULL;
    enum fb_found found = e->request->entities->find(e->request->entities->self, seen->uid, &seen->room);
    seen->found = found == FB_FOUND ? &seen->room : NULL;
    seen->absent = found == FB_ABSENT;
    e->cannot = e->cannot || found == FB_BROKEN;
    return seen->found;
}

const struct fb_entity *fb_find(struct fb_eval *e, const struct fb_uid *uid, struct fb_entity *room)
{
    struct fb_seen *seen = e->seen;
    /* By address, which is how variables come; then by contents. */
    int i = uid == seen[0].uid ? 0 : uid == seen[1].uid ? 1 : uid == seen[2].uid ? 2 : -1;
    for (int j = 0; i < 0 && j < 3; j++)
        i = seen[j].uid->hash == uid->hash && fb_uid_eq(seen[j].uid, uid) ? j : -1;
    if (i >= 0)
        return seen[i].found != NULL ? seen[i].found : fb_find_seen(e, &seen[i]);
    enum fb_found found = e->request->entities->find(e->request->entities->self, uid, room);
    if (found == FB_BROKEN)
        e->cannot = true;
    return found == FB_FOUND ? room : NULL;
}

const struct fb_record *fb_find_attrs(struct fb_eval *e, const struct fb_uid *uid)
{
    const struct fb_entities *entities = e->request->entities;
    const struct fb_seen *seen = e->seen;
    bool foreign = uid->hash != seen[0].uid->hash && uid->hash != seen[1].uid->hash && uid->hash != seen[2].uid->hash;
    if (foreign && entities->find_attrs != NULL) {
        const struct fb_record *attrs = NULL;
        enum fb_found found = entities->find_attrs(entities->self, uid, &attrs);
        e->cannot = e->cannot || found == FB_BROKEN;
        return found == FB_FOUND ? attrs : NULL;
    }
    struct fb_entity room;
    const struct fb_entity *entity = fb_find(e, uid, &room);
    return entity != NULL ? entity->attrs : NULL;
}

/* --- Membership -------------------------------------------------------------------------------- */

/* The ancestors of an entity of the request that its source left open.  False: cannot. */
static bool open_up(struct fb_eval *e, struct fb_seen *seen)
{
    struct fb_refs open = seen->found->open;
    struct fb_entity *opened = fb_arena_array(e->arena, open.count, sizeof *opened);
    if (opened == NULL)
        return fb_eval_cannot(e);
    seen->opened_count = 0;
    for (uint32_t i = 0; i < open.count; i++) {
        const struct fb_uid *uid = fb_ref_uid(&open.refs[i]);
        enum fb_found found = e->request->entities->find(e->request->entities->self, uid,
                                                         &opened[seen->opened_count]);
        if (found == FB_BROKEN)
            return fb_eval_cannot(e);
        seen->opened_count += found == FB_FOUND;
    }
    seen->opened = opened;
    return true;
}

static enum fb_found ask_open(struct fb_eval *e, struct fb_refs open, const struct fb_uid *group)
{
    enum fb_found found = FB_ABSENT;
    for (uint32_t i = 0; i < open.count && found == FB_ABSENT; i++)
        found = fb_entity_in(e->request->entities, fb_ref_uid(&open.refs[i]), group);
    e->cannot = e->cannot || found == FB_BROKEN;
    return found;
}

static bool stands_in(const struct fb_entity *entity, const struct fb_uid *group)
{
    return fb_refs_contain(entity->ancestors, group)
           || (!entity->closed && fb_refs_contain(entity->parents, group));
}

/* Through what is open: of the request's own entities through what has been looked up already. */
static enum fb_found is_in_open(struct fb_eval *e, const struct fb_entity *entity, const struct fb_uid *group)
{
    struct fb_seen *seen = NULL;
    for (int i = 0; i < 3; i++)
        seen = entity == e->seen[i].found ? &e->seen[i] : seen;
    if (seen == NULL)
        return ask_open(e, entity->open, group);
    if (seen->opened == NULL && !open_up(e, seen))
        return FB_BROKEN;
    enum fb_found found = fb_refs_contain(entity->open, group) ? FB_FOUND : FB_ABSENT;
    for (uint32_t i = 0; i < seen->opened_count && found == FB_ABSENT; i++)
        found = stands_in(&seen->opened[i], group) ? FB_FOUND : ask_open(e, seen->opened[i].open, group);
    return found;
}

/* In a group that is not the entity itself; `entity` is NULL where there is none. */
static enum fb_found is_in(struct fb_eval *e, const struct fb_entity *entity, const struct fb_uid *group)
{
    if (entity == NULL)
        return FB_ABSENT;
    if (stands_in(entity, group))
        return FB_FOUND;
    return entity->closed ? FB_ABSENT : is_in_open(e, entity, group);
}

enum fb_found fb_in(struct fb_eval *e, const struct fb_uid *uid, const struct fb_uid *group)
{
    if (fb_uid_eq(uid, group))
        return FB_FOUND;
    struct fb_entity room;
    const struct fb_entity *entity = fb_find(e, uid, &room);
    return e->cannot ? FB_BROKEN : is_in(e, entity, group);
}

/* Every element must be an entity before membership in any of them counts. */
static bool in_set(struct fb_eval *e, uint32_t operand, const struct fb_uid *uid, struct fb_value set,
                   struct fb_value *out)
{
    for (uint32_t i = 0; i < set.count; i++)
        if (set.cells[i].kind != FB_ENTITY)
            return fb_fault_type(e, operand, "entities in the set", fb_cell_load(&set.cells[i]));
    *out = fb_value_bool(false);
    if (set.count == 0)
        return true;
    struct fb_entity room;
    const struct fb_entity *entity = fb_find(e, uid, &room);
    if (e->cannot)
        return false;
    for (uint32_t i = 0; i < set.count; i++) {
        const struct fb_uid *group = fb_cell_load(&set.cells[i]).uid;
        enum fb_found found = fb_uid_eq(uid, group) ? FB_FOUND : is_in(e, entity, group);
        if (found == FB_BROKEN)
            return fb_eval_cannot(e);
        if (found == FB_FOUND) {
            *out = fb_value_bool(true);
            return true;
        }
    }
    return true;
}

bool fb_leaf_in(struct fb_eval *e, uint32_t index, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    if (a.kind != FB_ENTITY)
        return fb_fault_type(e, node->left, "an entity", a);
    if (b.kind == FB_SET)
        return in_set(e, node->right, a.uid, b, out);
    if (b.kind != FB_ENTITY)
        return fb_fault_type(e, node->right, "an entity or a set of entities", b);
    enum fb_found found = fb_in(e, a.uid, b.uid);
    *out = fb_value_bool(found == FB_FOUND);
    return found != FB_BROKEN;
}

/* --- Attributes and tags ------------------------------------------------------------------------ */

bool fb_read_field(struct fb_eval *e, uint32_t operand, struct fb_value from, uint64_t symbol, struct fb_span name,
                   struct fb_value *out, bool *present)
{
    const struct fb_record *record = NULL;
    struct fb_entity room;
    if (from.kind == FB_RECORD) {
        record = from.record;
    } else if (from.kind == FB_ENTITY) {
        const struct fb_entity *entity = fb_find(e, from.uid, &room);
        if (e->cannot)
            return false;
        record = entity != NULL ? entity->attrs : NULL;
    } else {
        return fb_fault_type(e, operand, "an entity or a record", from);
    }
    const struct fb_cell *cell = record != NULL ? fb_record_find(record, symbol, name) : NULL;
    *present = cell != NULL;
    if (cell != NULL)
        *out = fb_cell_load(cell);
    return true;
}

/* A missing entity and a missing attribute are told apart only now that it matters. */
static bool missing(struct fb_eval *e, uint32_t node, struct fb_value from, enum fb_fault_code code,
                    struct fb_span name)
{
    struct fb_entity room;
    if (from.kind == FB_ENTITY && fb_find(e, from.uid, &room) == NULL)
        return fb_fault(e, node, FB_FAULT_NO_ENTITY, from);
    e->fault.name = name;
    return fb_fault(e, node, code, from);
}

bool fb_leaf_attr(struct fb_eval *e, uint32_t index, struct fb_value from, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    bool present = false;
    if (!fb_read_field(e, node->left, from, node->symbol, fb_node_name(node), out, &present))
        return false;
    return present || missing(e, index, from, FB_FAULT_NO_ATTRIBUTE, fb_node_name(node));
}

bool fb_leaf_has(struct fb_eval *e, uint32_t index, struct fb_value in, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    bool present = false;
    if (!fb_read_field(e, node->left, in, node->symbol, fb_node_name(node), out, &present))
        return false;
    *out = fb_value_bool(present);
    return true;
}

bool fb_leaf_path(struct fb_eval *e, uint32_t index, struct fb_value in, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    bool present = true;
    for (uint32_t i = 0; i < node->third && present; i++) {
        const struct fb_name *name = &e->code->names[node->right + i];
        struct fb_value next = {0};
        if (!fb_read_field(e, i == 0 ? node->left : index, in, name->symbol, name->text, &next, &present))
            return false;
        if (present)
            in = next;
    }
    *out = fb_value_bool(present);
    return true;
}

/* hasTag and getTag: a is the entity, b the key. */
bool fb_leaf_tag(struct fb_eval *e, uint32_t index, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    if (a.kind != FB_ENTITY)
        return fb_fault_type(e, node->left, "an entity", a);
    if (b.kind != FB_STRING)
        return fb_fault_type(e, node->right, "a string", b);
    struct fb_entity room;
    const struct fb_entity *entity = fb_find(e, a.uid, &room);
    if (e->cannot)
        return false;
    struct fb_span key = fb_value_text(b);
    const struct fb_cell *cell = entity != NULL ? fb_record_find(entity->tags, fb_hash(key), key) : NULL;
    if (node->op == FB_OP_HAS_TAG) {
        *out = fb_value_bool(cell != NULL);
        return true;
    }
    if (cell == NULL)
        return missing(e, index, a, FB_FAULT_NO_TAG, key);
    *out = fb_cell_load(cell);
    return true;
}
