/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules an action may concern.
 *
 * A rule names its actions in its scope: any, one, a group, a list of groups.  Each action (or
 * group) that some rule names has a bucket with two ascending lists of rules:
 *   direct   `action == a`, `action in a`, `action in [… a …]`   for a request with action a itself
 *   group    of those the ones with `in`                         for a request whose action is in a
 * The candidates for action x are: the rules with any action, x's direct list, and the group list
 * of each ancestor of x.  No rule outside of these can match, and each of these does.  Rules with any
 * action stand in every direct list as well while they are few, so that most requests have one list. */

#include "engine/decide.h"

#define MERGED_MAX 32u  /* rules with any action that are repeated in each bucket */

/* Calls visit for every action that the rule names. */
static bool each_action(const struct fb_rule *rule,
                        bool (*visit)(struct fb_index *index, const struct fb_uid *action, uint32_t rule, bool group),
                        struct fb_index *index, uint32_t number)
{
    const struct fb_scope *scope = &rule->policy->action;
    if (scope->op == FB_SCOPE_EQ || scope->op == FB_SCOPE_IN)
        return visit(index, scope->uid, number, scope->op == FB_SCOPE_IN);
    if (scope->op == FB_SCOPE_IN_LIST)
        for (uint32_t i = 0; i < scope->count; i++)
            if (!visit(index, scope->list[i], number, true))
                return false;
    return true;
}

static struct fb_bucket *bucket_of(const struct fb_index *index, const struct fb_uid *action)
{
    uint32_t i = (uint32_t)action->hash & index->mask;
    while (index->buckets[i].action != NULL && !fb_uid_eq(index->buckets[i].action, action))
        i = (i + 1) & index->mask;
    return &index->buckets[i];
}

const struct fb_bucket *fb_index_find(const struct fb_index *index, const struct fb_uid *action)
{
    const struct fb_bucket *bucket = bucket_of(index, action);
    return bucket->action != NULL ? bucket : NULL;
}

/* First pass: how long the lists are. */
static bool count_action(struct fb_index *index, const struct fb_uid *action, uint32_t rule, bool group)
{
    (void)rule;
    struct fb_bucket *bucket = bucket_of(index, action);
    bucket->action = action;
    bucket->direct_count++;
    bucket->group_count += group;
    index->groups = index->groups || group;
    return true;
}

/* Second pass, after direct and group have been set to where the lists start. */
static bool enter_action(struct fb_index *index, const struct fb_uid *action, uint32_t rule, bool group)
{
    struct fb_bucket *bucket = bucket_of(index, action);
    if (bucket->direct_count != 0 && index->entries[bucket->direct + bucket->direct_count - 1] == rule)
        return true;    /* action in [a, a] */
    index->entries[bucket->direct + bucket->direct_count++] = rule;
    if (group)
        index->entries[bucket->group + bucket->group_count++] = rule;
    return true;
}

static size_t count_names(const struct fb_program *program, uint32_t *any)
{
    size_t names = 0;
    for (uint32_t i = 0; i < program->rules_count; i++) {
        const struct fb_scope *scope = &program->rules[i].policy->action;
        names += scope->op == FB_SCOPE_IN_LIST ? scope->count : scope->op != FB_SCOPE_ANY;
        *any += scope->op == FB_SCOPE_ANY;
    }
    return names;
}

/* Gives each bucket its places in entries, and empties its counts for the second pass. */
static void place_lists(struct fb_index *index)
{
    uint32_t at = index->any_count;
    for (uint32_t i = 0; i <= index->mask; i++) {
        struct fb_bucket *bucket = &index->buckets[i];
        if (bucket->action == NULL)
            continue;
        bucket->direct = at;
        bucket->group = at + bucket->direct_count + (index->merged ? index->any_count : 0);
        at = bucket->group + bucket->group_count;
        bucket->direct_count = bucket->group_count = 0;
    }
}

/* A rule with any action, into every direct list. */
static void repeat_rule(struct fb_index *index, uint32_t rule)
{
    for (uint32_t i = 0; index->merged && i <= index->mask; i++) {
        struct fb_bucket *bucket = &index->buckets[i];
        if (bucket->action != NULL)
            index->entries[bucket->direct + bucket->direct_count++] = rule;
    }
}

static bool make_buckets(struct fb_program *program, size_t names)
{
    struct fb_index *index = &program->index;
    uint32_t size = 4;
    while (size < 2 * names)
        size *= 2;
    index->mask = size - 1;
    index->buckets = fb_arena_array(program->arena, size, sizeof *index->buckets);
    if (index->buckets == NULL)
        return false;
    for (uint32_t i = 0; i < program->rules_count; i++)
        each_action(&program->rules[i], count_action, index, i);
    return true;
}

static bool make_entries(struct fb_program *program, size_t names)
{
    struct fb_index *index = &program->index;
    size_t repeated = 0;
    index->merged = index->any_count <= MERGED_MAX;
    for (uint32_t i = 0; index->merged && i <= index->mask; i++)
        repeated += index->buckets[i].action != NULL ? index->any_count : 0;
    size_t total = index->any_count + 2 * names + repeated;
    index->entries = fb_arena_array(program->arena, total, sizeof *index->entries);
    return index->entries != NULL && total <= UINT32_MAX;
}

bool fb_index_build(struct fb_program *program)
{
    struct fb_index *index = &program->index;
    size_t names = count_names(program, &index->any_count);
    if (names > UINT32_MAX / 4 || !make_buckets(program, names) || !make_entries(program, names))
        return false;
    place_lists(index);
    uint32_t any = 0;
    for (uint32_t i = 0; i < program->rules_count; i++) {
        if (program->rules[i].policy->action.op == FB_SCOPE_ANY) {
            index->entries[any++] = i;
            repeat_rule(index, i);
        }
        each_action(&program->rules[i], enter_action, index, i);
    }
    return true;
}

/* --- Candidates -------------------------------------------------------------------------------- */

static void add_run(struct fb_candidates *candidates, uint32_t first, uint32_t count)
{
    const uint32_t *entries = candidates->program->index.entries;
    if (count != 0)
        candidates->runs[candidates->runs_count++] = (struct fb_run){entries + first, entries + first + count};
}

bool fb_candidates_init(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e)
{
    const struct fb_index *index = &program->index;
    candidates->program = program;
    candidates->runs_count = 0;
    candidates->all = false;
    candidates->next = 0;
    const struct fb_concerned *concerned = e->request->concerned;
    if (concerned != NULL) {
        candidates->runs[candidates->runs_count++] = (struct fb_run){concerned->list, concerned->list + concerned->count};
        return true;
    }
    const struct fb_bucket *bucket = fb_index_find(index, e->request->action);
    if (bucket == NULL || !index->merged)
        add_run(candidates, 0, index->any_count);
    if (bucket != NULL)
        add_run(candidates, bucket->direct, bucket->direct_count);
    if (!index->groups)
        return true;
    struct fb_entity room;
    const struct fb_entity *action = fb_find(e, e->request->action, &room);
    if (e->cannot)
        return false;
    if (action == NULL)
        return true;
    candidates->all = !action->closed || action->ancestors.count > FB_CANDIDATE_LISTS - 2;
    for (uint32_t i = 0; i < action->ancestors.count && !candidates->all; i++) {
        bucket = fb_index_find(index, fb_ref_uid(&action->ancestors.refs[i]));
        if (bucket != NULL)
            add_run(candidates, bucket->group, bucket->group_count);
    }
    return true;
}

enum fb_found fb_action_matches(struct fb_eval *e, const struct fb_rule *rule)
{
    const struct fb_scope *scope = &rule->policy->action;
    const struct fb_uid *action = e->request->action;
    switch (scope->op) {
    case FB_SCOPE_ANY:
        return FB_FOUND;
    case FB_SCOPE_EQ:
        return fb_uid_eq(action, scope->uid) ? FB_FOUND : FB_ABSENT;
    case FB_SCOPE_IN:
        return fb_in(e, action, scope->uid);
    case FB_SCOPE_IN_LIST:
        for (uint32_t i = 0; i < scope->count; i++) {
            enum fb_found found = fb_in(e, action, scope->list[i]);
            if (found != FB_ABSENT)
                return found;
        }
        return FB_ABSENT;
    case FB_SCOPE_IS: case FB_SCOPE_IS_IN:
        break;      /* the grammar has no such action */
    }
    return FB_ABSENT;
}

static uint32_t next_of_all(struct fb_candidates *candidates, struct fb_eval *e)
{
    while (candidates->next < candidates->program->rules_count) {
        uint32_t rule = candidates->next++;
        enum fb_found found = fb_action_matches(e, &candidates->program->rules[rule]);
        if (found == FB_BROKEN)
            return UINT32_MAX;
        if (found == FB_FOUND)
            return rule;
    }
    return UINT32_MAX;
}

/* The least head of the runs; every run that starts with it moves on, which drops repetitions. */
uint32_t fb_candidates_merge(struct fb_candidates *candidates, struct fb_eval *e)
{
    if (candidates->all)
        return next_of_all(candidates, e);
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < candidates->runs_count; i++)
        if (candidates->runs[i].at < candidates->runs[i].end && *candidates->runs[i].at < least)
            least = *candidates->runs[i].at;
    for (uint32_t i = 0; i < candidates->runs_count; i++) {
        struct fb_run *run = &candidates->runs[i];
        run->at += run->at < run->end && *run->at == least;
    }
    return least;
}

const struct fb_concerned *fb_program_concerned(const struct fb_program *program, const struct fb_uid *action,
                                                const struct fb_entities *entities, struct fb_arena *arena)
{
    /* Candidates depend on the action alone; the others only have to be some uid. */
    const struct fb_request request = {.principal = action, .action = action, .resource = action, .entities = entities};
    struct fb_concerned *concerned = fb_arena_alloc(arena, sizeof *concerned);
    uint32_t found[FB_CONCERNED_MAX], rule;
    struct fb_candidates candidates;
    struct fb_eval e;
    fb_eval_init(&e, &program->code, &request, arena);
    if (concerned == NULL || !fb_candidates_init(&candidates, program, &e))
        return NULL;
    while ((rule = fb_candidates_next(&candidates, &e)) != UINT32_MAX) {
        if (concerned->count == FB_CONCERNED_MAX)
            return NULL;
        found[concerned->count++] = rule;
    }
    uint32_t *list = fb_arena_array(arena, concerned->count + (size_t)1, sizeof *list);
    if (e.cannot || list == NULL)
        return NULL;
    if (concerned->count != 0)
        memcpy(list, found, concerned->count * sizeof *list);
    concerned->list = list;
    return concerned;
}
