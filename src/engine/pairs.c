/* SPDX-License-Identifier: Apache-2.0 */
/* Rows found by the pair of whom they name, where a request has few such pairs, as most have: a principal and
 * its groups, a resource and its folders.  No key is read: a pair is found by the hashes of its uids, which
 * stand beside the request and in the lists of ancestors, so all places in the table are known and on their
 * way to the cache before the first is looked at.  What is found is confirmed by the uids themselves.
 * Requests with many pairs, open ancestors or an unknown side are left to scope.c. */

#include "engine/decide.h"

#define ENDS 24u        /* of a side */
#define PAIRS 64u

enum kind { ITSELF, ABOVE, TYPE, ANYBODY };

/* Whom a row may name on a side. */
struct end {
    const struct fb_uid *uid;
    uint64_t hash;
    enum kind kind;
};

struct meeting {
    struct fb_eval *e;
    const struct fb_sought *sought;
    const struct fb_uid *uids[2];       /* by enum fb_side */
    struct end ends[2][ENDS];
    uint32_t count[2];
    uint64_t left;                      /* rows that may still be looked at */
};

static void add(struct meeting *m, enum fb_side at, const struct fb_uid *uid, uint64_t hash, enum kind kind)
{
    m->ends[at][m->count[at]++] = (struct end){uid, hash, kind};
}

static void add_own(struct meeting *m, enum fb_side at)
{
    const struct fb_rows *rows = m->sought->rows;
    const struct fb_uid *uid = m->uids[at];
    m->count[at] = 0;
    add(m, at, uid, fb_uid_side_hash(uid), ITSELF);
    if (rows->types != 0)
        add(m, at, uid, fb_type_side_hash(uid->type_hash), TYPE);
    if (fb_key_at(rows, 0)->count[at] != 0)
        add(m, at, NULL, FB_ANYBODY_HASH, ANYBODY);
}

/* False: more than can be counted up here. */
static bool add_above(struct meeting *m, enum fb_side at)
{
    struct fb_entity room;
    if (m->sought->rows->members[at] == 0)
        return true;
    const struct fb_entity *entity = fb_find(m->e, m->uids[at], &room);
    if (entity == NULL)
        return true;
    if (!entity->closed || entity->ancestors.count > ENDS - m->count[at])
        return false;
    for (uint32_t i = 0; i < entity->ancestors.count; i++) {
        const struct fb_ref *ref = &entity->ancestors.refs[i];
        /* Nobody is above itself; who says so all the same is not listed twice. */
        if (ref->hash != m->uids[at]->hash || !fb_uid_eq(fb_ref_uid(ref), m->uids[at]))
            add(m, at, fb_ref_uid(ref), ref->hash & ~UINT64_C(1), ABOVE);
    }
    return true;
}

static bool names(const struct end *end, const struct fb_uid *uid)
{
    if (uid == NULL || end->uid == NULL)
        return uid == end->uid;
    return end->kind == TYPE ? fb_uid_is(uid, end->uid->type_hash, fb_uid_type(end->uid)) : fb_uid_eq(uid, end->uid);
}

/* Does the operator of a row that names that end hold?  One of another kind of end does not. */
static bool holds(const struct meeting *m, const struct fb_form *form, enum fb_side at, enum kind kind)
{
    switch ((unsigned)form->op[at]) {
    case FB_SCOPE_ANY:
        return kind == ANYBODY;
    case FB_SCOPE_IS:
        return kind == TYPE;
    case FB_SCOPE_EQ:
        return kind == ITSELF;
    case FB_SCOPE_IN:
        return kind == ITSELF || kind == ABOVE;
    case FB_SCOPE_IS_IN: {
        const struct fb_scope *scope = at == FB_SIDE_PRINCIPAL ? &form->policy->principal : &form->policy->resource;
        return (kind == ITSELF || kind == ABOVE) && fb_uid_is(m->uids[at], form->type[at], scope->type);
    }
    default:
        return false;   /* IN_LIST: of actions only */
    }
}

/* The rows of a pair, from the first.  False: cannot, or none is left. */
static bool take_rows(struct meeting *m, uint32_t number, const struct end *principal, const struct end *resource,
                      struct fb_numbers *numbers)
{
    const struct fb_rows *rows = m->sought->rows;
    uint32_t known = UINT32_MAX;        /* the form whose action has been asked for last */
    enum fb_found found = FB_ABSENT;
    while (number != 0) {
        if (m->left == 0)
            return false;
        m->left--;
        const struct fb_row *row = fb_row_at(rows, number - 1);
        const struct fb_form *form = &m->sought->program->forms[row->form];
        if (holds(m, form, FB_SIDE_PRINCIPAL, principal->kind) && holds(m, form, FB_SIDE_RESOURCE, resource->kind)) {
            if (row->form != known)
                found = fb_action_matches(m->e, &form->policy->action);
            known = row->form;
            if (found == FB_BROKEN
                || (found == FB_FOUND && !fb_numbers_add(m->e, numbers, m->sought->base + number - 1)))
                return false;
        }
        number = row->next_pair;
    }
    return true;
}

static bool look(struct meeting *m, const struct fb_tag_line *line, uint16_t tag, const struct end *principal,
                 const struct end *resource, struct fb_numbers *numbers)
{
    const struct fb_rows *rows = m->sought->rows;
    for (; line != NULL; line = fb_tag_line_more(&rows->by_pair, line)) {
        for (uint32_t found = fb_tag_line_match(line, tag); found != 0; found &= found - 1) {
            uint32_t number = line->entry[__builtin_ctz(found)];
            const struct fb_row *row = fb_row_at(rows, number - 1);
            if (names(principal, row->uid[0]) && names(resource, row->uid[1])
                && !take_rows(m, number, principal, resource, numbers))
                return false;
        }
    }
    return true;
}

/* All pairs, each on its way before the first is looked at. */
static bool look_at_all(struct meeting *m, struct fb_numbers *numbers)
{
    const struct fb_tag_line *lines[PAIRS];
    uint16_t tags[PAIRS];
    uint32_t count = 0;
    for (uint32_t p = 0; p < m->count[0]; p++)
        for (uint32_t r = 0; r < m->count[1]; r++, count++) {
            uint64_t hash = fb_pair_hash(m->ends[0][p].hash, m->ends[1][r].hash);
            lines[count] = fb_tag_line_at(&m->sought->rows->by_pair, hash);
            tags[count] = fb_tag_of(hash);
            __builtin_prefetch(lines[count]);
        }
    count = 0;
    for (uint32_t p = 0; p < m->count[0]; p++)
        for (uint32_t r = 0; r < m->count[1]; r++, count++)
            if (!look(m, lines[count], tags[count], &m->ends[0][p], &m->ends[1][r], numbers))
                return false;
    return true;
}

enum fb_gathered fb_gather_pairs(struct fb_eval *e, const struct fb_sought *sought, struct fb_numbers *numbers,
                                 bool *many)
{
    struct meeting m;
    m.e = e;
    m.sought = sought;
    m.left = sought->enough_walked;
    *many = false;
    m.uids[FB_SIDE_PRINCIPAL] = e->request->principal;
    m.uids[FB_SIDE_RESOURCE] = e->request->resource;
    add_own(&m, FB_SIDE_PRINCIPAL);
    add_own(&m, FB_SIDE_RESOURCE);
    bool few = add_above(&m, FB_SIDE_PRINCIPAL) && add_above(&m, FB_SIDE_RESOURCE);
    if (e->cannot)
        return FB_GATHER_CANNOT;
    uint32_t pairs = m.count[0] * m.count[1];
    if (!few || pairs > PAIRS || pairs > sought->enough_proven)
        return FB_GATHER_COSTLY;
    size_t before = numbers->count;
    if (!look_at_all(&m, numbers)) {
        *many = !e->cannot;
        numbers->count = before;
        return e->cannot ? FB_GATHER_CANNOT : FB_GATHER_COSTLY;
    }
    if (numbers->count > before)
        fb_numbers_sort(numbers->list + before, numbers->count - before);
    return FB_GATHER_PROVEN;
}
