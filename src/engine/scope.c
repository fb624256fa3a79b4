/* SPDX-License-Identifier: Apache-2.0 */
/* Rows found by whom they name.
 *
 * The keys of a side of a request are: itself, each of its ancestors, its type, and anybody.  A row whose
 * scope holds names one of these keys on either side, so all rows that can match stand in the lists
 * of the principal's keys, and all of them in the lists of the resource's.  The lengths of lists are known
 * beforehand.  If both sides are known and have few keys, each pair of keys is asked for; else the side with
 * fewer rows is walked, and each row's other key is looked for among the other side's, by number, without
 * reading a uid.  That is the scope's whole test:
 *
 *      key found as       itself         ancestor       type     anybody
 *      op that holds      ==, in         in             is       (none)       `is T in`: as `in`, and the type
 *
 * An unknown side has no keys: what the known one finds is all that can match, whatever the unknown one is.
 * So it is where the ancestors of an entity cannot be counted up (they are open, and lead on too far): then
 * scopes are tested one by one, as ever. */

#include "engine/decide.h"

#define KEYS_AT_HAND 24u        /* keys of a side before the arena is asked */
#define FINDS_MAX 256u          /* entities that are looked up for the ancestors of one */
#define DEPTH_MAX 32u
#define HALVING 12u             /* keys from which a sorted search pays */
#define VERDICTS 8u

struct side {
    const struct fb_uid *uid;
    bool known;                 /* all its keys are here */
    bool anybody;               /* some row names nobody */
    uint32_t self, type;        /* 0: no row names it on this side */
    uint32_t *ancestors;        /* keys that some row names; sorted if more than HALVING */
    size_t count, capacity;
    uint32_t finds;
    uint64_t rows;              /* in the lists of all keys */
    uint32_t room[KEYS_AT_HAND];
};

struct gathering {
    struct fb_eval *e;
    const struct fb_program *program;
    const struct fb_rows *rows;
    uint32_t base;
    uint64_t left;              /* rows of pairs that may still be looked at */
    struct side sides[2];       /* by enum fb_side */
    struct fb_numbers *numbers;
    struct {
        uint32_t form;          /* number + 1 */
        bool holds;
    } verdicts[VERDICTS];       /* of forms' action scopes */
};

/* --- Numbers ------------------------------------------------------------------------------------- */

static void sift(uint32_t *list, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        child += child + 1 < count && list[child] < list[child + 1];
        if (list[root] >= list[child])
            return;
        uint32_t held = list[root];
        list[root] = list[child];
        list[child] = held;
    }
}

/* In place and without recursion; short lists, which most are, by insertion. */
void fb_numbers_sort(uint32_t *list, size_t count)
{
    if (count > 24) {
        for (size_t i = count / 2; i-- > 0;)
            sift(list, i, count);
        for (size_t end = count - 1; end > 0; end--) {
            uint32_t held = list[end];
            list[end] = list[0];
            list[0] = held;
            sift(list, 0, end);
        }
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t held = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1] > held; at--)
            list[at] = list[at - 1];
        list[at] = held;
    }
}

bool fb_numbers_add(struct fb_eval *e, struct fb_numbers *numbers, uint32_t number)
{
    uint32_t *list = fb_arena_grow(e->arena, numbers->list, numbers->count, &numbers->capacity, sizeof *list);
    if (list == NULL)
        return fb_eval_cannot(e);
    numbers->list = list;
    list[numbers->count++] = number;
    return true;
}

static bool add_number(struct gathering *g, uint32_t number)
{
    return fb_numbers_add(g->e, g->numbers, number);
}

/* --- Keys of a side ------------------------------------------------------------------------------ */

/* The key, and its rows counted; 0 if none names it on this side. */
static uint32_t count_key(const struct gathering *g, struct side *side, uint32_t key)
{
    uint32_t count = fb_key_at(g->rows, key)->count[side - g->sides];
    side->rows += count;
    return count != 0 ? key : 0;
}

static bool add_key(struct gathering *g, struct side *side, const struct fb_uid *uid)
{
    uint32_t key = fb_rows_key(g->rows, uid);
    if (key == 0 || key == side->self || (key = count_key(g, side, key)) == 0)
        return true;
    if (side->count == side->capacity) {
        uint32_t *larger = fb_arena_array(g->e->arena, 2 * side->capacity, sizeof *larger);
        if (larger == NULL)
            return fb_eval_cannot(g->e);
        memcpy(larger, side->ancestors, side->count * sizeof *larger);
        side->ancestors = larger;
        side->capacity *= 2;
    }
    side->ancestors[side->count++] = key;
    return true;
}

static bool add_refs(struct gathering *g, struct side *side, struct fb_refs refs)
{
    for (uint32_t i = 0; i < refs.count; i++)
        if (!add_key(g, side, fb_ref_uid(&refs.refs[i])))
            return false;
    return true;
}

/* The keys above an entity.  Where that leads on too far side->known is cleared.  False: cannot. */
static bool add_ancestors(struct gathering *g, struct side *side, const struct fb_entity *entity, unsigned depth)
{
    if (!add_refs(g, side, entity->ancestors))
        return false;
    if (entity->closed)
        return true;
    if (!add_refs(g, side, entity->parents) || !add_refs(g, side, entity->open))
        return false;
    for (uint32_t i = 0; i < entity->open.count && side->known; i++) {
        struct fb_entity room;
        if (depth == DEPTH_MAX || ++side->finds > FINDS_MAX) {
            side->known = false;
            return true;
        }
        const struct fb_entity *opened = fb_find(g->e, fb_ref_uid(&entity->open.refs[i]), &room);
        if (g->e->cannot || (opened != NULL && !add_ancestors(g, side, opened, depth + 1)))
            return false;
    }
    return true;
}

/* Entities that lie open may lead to one ancestor by several ways. */
static void drop_repeated(struct side *side)
{
    size_t kept = 0;
    fb_numbers_sort(side->ancestors, side->count);
    for (size_t i = 0; i < side->count; i++)
        if (i == 0 || side->ancestors[i] != side->ancestors[kept - 1])
            side->ancestors[kept++] = side->ancestors[i];
    side->count = kept;
}

/* The keys that need no entity. */
static void find_own_keys(struct gathering *g, enum fb_side at)
{
    struct side *side = &g->sides[at];
    side->ancestors = side->room;
    side->capacity = KEYS_AT_HAND;
    side->count = side->finds = 0;
    side->rows = fb_key_at(g->rows, 0)->count[at];
    side->anybody = side->rows != 0;
    side->self = fb_rows_key(g->rows, side->uid);
    side->self = side->self != 0 ? count_key(g, side, side->self) : 0;
    side->type = fb_rows_type_key(g->rows, side->uid);
    side->type = side->type != 0 ? count_key(g, side, side->type) : 0;
}

static bool find_keys_above(struct gathering *g, enum fb_side at)
{
    struct side *side = &g->sides[at];
    struct fb_entity room;
    const struct fb_entity *entity = fb_find(g->e, side->uid, &room);
    if (g->e->cannot || (entity != NULL && !add_ancestors(g, side, entity, 0)))
        return false;
    if (entity != NULL && (!entity->closed || side->count > HALVING))
        drop_repeated(side);
    return true;
}

/* All own keys first: the reads of one side are under way while those of the other are. */
static bool find_keys(struct gathering *g)
{
    for (enum fb_side at = FB_SIDE_PRINCIPAL; at <= FB_SIDE_RESOURCE; at++)
        if (g->sides[at].known)
            find_own_keys(g, at);
    for (enum fb_side at = FB_SIDE_PRINCIPAL; at <= FB_SIDE_RESOURCE; at++)
        if (g->sides[at].known && g->rows->members[at] != 0 && !find_keys_above(g, at))
            return false;
    return true;
}

static bool is_ancestor(const struct side *side, uint32_t key)
{
    size_t low = 0, high = side->count;
    if (high <= HALVING) {
        for (size_t i = 0; i < high; i++)
            if (side->ancestors[i] == key)
                return true;
        return false;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (side->ancestors[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < side->count && side->ancestors[low] == key;
}

/* --- Rows ---------------------------------------------------------------------------------------- */

static bool type_holds(const struct gathering *g, const struct fb_form *form, enum fb_side at)
{
    const struct fb_scope *scope = at == FB_SIDE_PRINCIPAL ? &form->policy->principal : &form->policy->resource;
    return fb_uid_is(g->sides[at].uid, form->type[at], scope->type);
}

/* The table above, for one side of a row. */
static bool side_holds(const struct gathering *g, const struct fb_row *row, const struct fb_form *form, enum fb_side at)
{
    const struct side *side = &g->sides[at];
    uint32_t key = row->key[at];
    switch ((unsigned)form->op[at]) {
    case FB_SCOPE_ANY:
        return true;
    case FB_SCOPE_IS:
        return key == side->type;
    case FB_SCOPE_EQ:
        return key == side->self;
    case FB_SCOPE_IN:
        return key == side->self || is_ancestor(side, key);
    case FB_SCOPE_IS_IN:
        return (key == side->self || is_ancestor(side, key)) && type_holds(g, form, at);
    default:
        return false;   /* IN_LIST: of actions only */
    }
}

/* Remembered, as the rows of a list share few forms.  FB_BROKEN: e->cannot. */
static enum fb_found action_holds(struct gathering *g, uint32_t number, const struct fb_form *form)
{
    uint32_t at = number % VERDICTS;
    if (g->verdicts[at].form == number + 1)
        return g->verdicts[at].holds ? FB_FOUND : FB_ABSENT;
    enum fb_found found = fb_action_matches(g->e, &form->policy->action);
    g->verdicts[at].form = number + 1;
    g->verdicts[at].holds = found == FB_FOUND;
    return found;
}

static bool gather_list(struct gathering *g, uint32_t key, enum fb_side at)
{
    enum fb_side other = at == FB_SIDE_PRINCIPAL ? FB_SIDE_RESOURCE : FB_SIDE_PRINCIPAL;
    bool both = g->sides[other].known;
    for (uint32_t number = fb_key_at(g->rows, key)->first[at]; number != 0;) {
        const struct fb_row *row = fb_row_at(g->rows, number - 1);
        const struct fb_form *form = &g->program->forms[row->form];
        if ((!both || side_holds(g, row, form, other)) && side_holds(g, row, form, at)) {
            enum fb_found found = action_holds(g, row->form, form);
            if (found == FB_BROKEN || (found == FB_FOUND && !add_number(g, g->base + number - 1)))
                return false;
        }
        number = row->next[at];
    }
    return true;
}

/* Rows that name this pair.  The key of anybody is 0.  False: cannot, or no row is left to be looked at. */
static bool gather_pair(struct gathering *g, uint32_t principal, uint32_t resource)
{
    const uint32_t keys[2] = {principal, resource};
    for (uint32_t number = fb_rows_pair(g->rows, keys); number != 0;) {
        if (g->left == 0)
            return false;
        g->left--;
        const struct fb_row *row = fb_row_at(g->rows, number - 1);
        const struct fb_form *form = &g->program->forms[row->form];
        if (side_holds(g, row, form, FB_SIDE_PRINCIPAL) && side_holds(g, row, form, FB_SIDE_RESOURCE)) {
            enum fb_found found = action_holds(g, row->form, form);
            if (found == FB_BROKEN || (found == FB_FOUND && !add_number(g, g->base + number - 1)))
                return false;
        }
        number = row->next_pair;
    }
    return true;
}

static bool pairs_with(struct gathering *g, uint32_t principal)
{
    const struct side *side = &g->sides[FB_SIDE_RESOURCE];
    if ((side->anybody && !gather_pair(g, principal, 0)) || (side->self != 0 && !gather_pair(g, principal, side->self))
        || (side->type != 0 && !gather_pair(g, principal, side->type)))
        return false;
    for (size_t i = 0; i < side->count; i++)
        if (!gather_pair(g, principal, side->ancestors[i]))
            return false;
    return true;
}

static bool gather_pairs(struct gathering *g)
{
    const struct side *side = &g->sides[FB_SIDE_PRINCIPAL];
    if ((side->anybody && !pairs_with(g, 0)) || (side->self != 0 && !pairs_with(g, side->self))
        || (side->type != 0 && !pairs_with(g, side->type)))
        return false;
    for (size_t i = 0; i < side->count; i++)
        if (!pairs_with(g, side->ancestors[i]))
            return false;
    return true;
}

static uint64_t keys_of(const struct side *side)
{
    return (uint64_t)side->count + side->anybody + (side->self != 0) + (side->type != 0);
}

static bool gather_side(struct gathering *g, enum fb_side at)
{
    const struct side *side = &g->sides[at];
    if (!gather_list(g, 0, at) || (side->self != 0 && !gather_list(g, side->self, at))
        || (side->type != 0 && !gather_list(g, side->type, at)))
        return false;
    for (size_t i = 0; i < side->count; i++)
        if (!gather_list(g, side->ancestors[i], at))
            return false;
    return true;
}

static void gathering_init(struct gathering *g, struct fb_eval *e, const struct fb_sought *sought,
                           struct fb_numbers *numbers)
{
    g->e = e;
    g->program = sought->program;
    g->rows = sought->rows;
    g->base = sought->base;
    g->left = sought->enough_walked;
    g->numbers = numbers;
    g->sides[FB_SIDE_PRINCIPAL].uid = e->request->principal;
    g->sides[FB_SIDE_PRINCIPAL].known = (sought->unknown & (1u << FB_PRINCIPAL)) == 0;
    g->sides[FB_SIDE_RESOURCE].uid = e->request->resource;
    g->sides[FB_SIDE_RESOURCE].known = (sought->unknown & (1u << FB_RESOURCE)) == 0;
    for (uint32_t i = 0; i < VERDICTS; i++)
        g->verdicts[i].form = 0;
}

enum fb_gathered fb_gather(struct fb_eval *e, const struct fb_sought *sought, struct fb_numbers *numbers)
{
    struct gathering g;
    size_t before = numbers->count;
    bool many = false;
    enum fb_gathered gathered = sought->unknown == 0 ? fb_gather_pairs(e, sought, numbers, &many) : FB_GATHER_COSTLY;
    if (gathered != FB_GATHER_COSTLY || many)
        return gathered;
    gathering_init(&g, e, sought, numbers);
    if (!find_keys(&g))
        return FB_GATHER_CANNOT;
    const struct side *principal = &g.sides[FB_SIDE_PRINCIPAL], *resource = &g.sides[FB_SIDE_RESOURCE];
    bool both = principal->known && resource->known;
    if (!principal->known && !resource->known)
        return FB_GATHER_COSTLY;
    enum fb_side at = !principal->known || (both && resource->rows < principal->rows) ? FB_SIDE_RESOURCE
                                                                                      : FB_SIDE_PRINCIPAL;
    uint64_t rows = g.sides[at].rows, pairs = both ? keys_of(principal) * keys_of(resource) : UINT64_MAX;
    if ((rows < pairs ? rows : pairs) > (both ? sought->enough_proven : sought->enough_some))
        return FB_GATHER_COSTLY;
    if (!(pairs < rows ? gather_pairs(&g) : gather_side(&g, at))) {
        numbers->count = before;
        return e->cannot ? FB_GATHER_CANNOT : FB_GATHER_COSTLY;
    }
    if (numbers->count > before)
        fb_numbers_sort(numbers->list + before, numbers->count - before);
    return both ? FB_GATHER_PROVEN : FB_GATHER_SOME;
}

/* --- Rows that name a side ----------------------------------------------------------------------- */

#define UNFIT 3u

/* Sides of a row that cannot hold; UNFIT where a type rules the row out.  An unknown side may hold. */
static uint32_t unmet_sides(const struct gathering *g, const struct fb_row *row, const struct fb_form *form)
{
    uint32_t unmet = 0;
    for (enum fb_side at = FB_SIDE_PRINCIPAL; at <= FB_SIDE_RESOURCE; at++) {
        const struct side *side = &g->sides[at];
        uint64_t type = form->op[at] == FB_SCOPE_EQ ? fb_key_at(g->rows, row->key[at])->uid->type_hash : form->type[at];
        if (type != 0 && type != side->uid->type_hash)
            return UNFIT;
        unmet += side->known && !side_holds(g, row, form, at);
    }
    return unmet;
}

static bool meet_row(const struct gathering *g, uint32_t number, fb_meet *meet, void *self)
{
    const struct fb_row *row = fb_row_at(g->rows, number);
    uint32_t unmet = unmet_sides(g, row, &g->program->forms[row->form]);
    return unmet == UNFIT || meet(self, g->base + number, row->form, unmet);
}

/* Of a busy key the least of those that are alike, but for an other side that the request has: these are in that
 * one's list, or where it is busy too, have both as a pair. */
static bool meet_busy(const struct gathering *g, uint32_t entry, fb_meet *meet, void *self)
{
    for (; entry != 0; entry = fb_busy_next(g->rows, entry))
        if (!meet_row(g, fb_busy_least(fb_busy_at(g->rows, entry - 1)), meet, self))
            return false;
    return true;
}

static bool meet_list(const struct gathering *g, uint32_t key, enum fb_side at, fb_meet *meet, void *self)
{
    uint32_t busy = fb_key_at(g->rows, key)->count[at] != 0 ? fb_busy_first(g->rows, key, at) : 0;
    if (busy != 0)
        return meet_busy(g, busy, meet, self);
    for (uint32_t number = fb_key_at(g->rows, key)->first[at]; number != 0;) {
        const struct fb_row *row = fb_row_at(g->rows, number - 1);
        uint32_t unmet = row->place != 0 ? unmet_sides(g, row, &g->program->forms[row->form]) : UNFIT;
        if (unmet != UNFIT && !meet(self, g->base + number - 1, row->form, unmet))
            return false;
        number = row->next[at];
    }
    return true;
}

/* The i-th of a side's own keys, itself last. */
static uint32_t own_key(const struct side *side, size_t i)
{
    return i < side->count ? side->ancestors[i] : side->self;
}

static bool meet_busy_pairs(const struct gathering *g, fb_meet *meet, void *self)
{
    const struct side *principal = &g->sides[FB_SIDE_PRINCIPAL], *resource = &g->sides[FB_SIDE_RESOURCE];
    for (size_t i = 0; i <= principal->count && principal->known && resource->known; i++) {
        uint32_t keys[2] = {own_key(principal, i), 0};
        if (keys[0] == 0 || fb_busy_first(g->rows, keys[0], FB_SIDE_PRINCIPAL) == 0)
            continue;
        for (size_t j = 0; j <= resource->count; j++) {
            keys[1] = own_key(resource, j);
            if (keys[1] == 0 || fb_busy_first(g->rows, keys[1], FB_SIDE_RESOURCE) == 0)
                continue;
            for (uint32_t at = fb_rows_pair(g->rows, keys); at != 0; at = fb_row_at(g->rows, at - 1)->next_pair)
                if (!meet_row(g, at - 1, meet, self))
                    return false;
        }
    }
    return true;
}

enum fb_gathered fb_meet_named(struct fb_eval *e, const struct fb_sought *sought, fb_meet *meet, void *self)
{
    struct gathering g;
    gathering_init(&g, e, sought, NULL);
    const bool known[2] = {g.sides[0].known, g.sides[1].known};
    if (!find_keys(&g))
        return FB_GATHER_CANNOT;
    if (known[0] != g.sides[0].known || known[1] != g.sides[1].known)
        return FB_GATHER_COSTLY;
    for (enum fb_side at = FB_SIDE_PRINCIPAL; at <= FB_SIDE_RESOURCE; at++) {
        const struct side *side = &g.sides[at];
        if (!side->known)
            continue;
        if (side->self != 0 && !meet_list(&g, side->self, at, meet, self))
            return FB_GATHER_CANNOT;
        for (size_t i = 0; i < side->count; i++)
            if (!meet_list(&g, side->ancestors[i], at, meet, self))
                return FB_GATHER_CANNOT;
    }
    if (g.rows->busy_live != 0 && !meet_busy_pairs(&g, meet, self))
        return FB_GATHER_CANNOT;
    return known[0] && known[1] ? FB_GATHER_PROVEN : FB_GATHER_SOME;
}
