/* SPDX-License-Identifier: Apache-2.0 */
/* Which static policies an action may concern.
 *
 * A policy (here a rule, by its number) names its actions in its scope: any, one, a group, a list of groups.
 * Each action (or group) that some rule names has a bucket with two ascending lists of rules:
 *   direct   `action == a`, `action in a`, `action in [… a …]`   for a request with action a itself
 *   group    of those the ones with `in`                         for a request whose action is in a
 * The candidates for action x are: the rules with any action, x's direct list, and the group list
 * of each ancestor of x.  No rule outside of these can match, and each of these does.  Rules with any
 * action stand in every direct list as well while they are few, so that most requests have one list. */

#include "engine/program.h"

#define MERGED_MAX 32u  /* rules with any action that are repeated in each bucket */

static const struct fb_scope *action_of(const struct fb_program *program, uint32_t rule)
{
    return &fb_program_form(program, rule)->policy->action;
}

/* Calls visit for every action that the rule names. */
static bool each_action(const struct fb_scope *scope,
                        bool (*visit)(struct fb_index *index, const struct fb_uid *action, uint32_t rule, bool group),
                        struct fb_index *index, uint32_t number)
{
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

/* The next static policy from `rule` on; with `firsts` the next that is the first of its group. */
static uint32_t next_rule(const struct fb_program *program, uint32_t rule, bool firsts)
{
    while (firsts && rule < program->statics.count && fb_row_at(&program->statics, rule)->place != 0)
        rule++;
    return rule;
}

static size_t count_names(const struct fb_program *program, bool firsts, uint32_t *any)
{
    size_t names = 0;
    for (uint32_t i = 0; (i = next_rule(program, i, firsts)) < program->statics.count; i++) {
        const struct fb_scope *scope = action_of(program, i);
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

static bool make_buckets(const struct fb_program *program, struct fb_index *index, bool firsts, size_t names)
{
    uint32_t size = 4;
    while (size < 2 * names)
        size *= 2;
    index->mask = size - 1;
    index->buckets = fb_arena_array(program->arena, size, sizeof *index->buckets);
    if (index->buckets == NULL)
        return false;
    for (uint32_t i = 0; (i = next_rule(program, i, firsts)) < program->statics.count; i++)
        each_action(action_of(program, i), count_action, index, i);
    return true;
}

static bool make_entries(const struct fb_program *program, struct fb_index *index, size_t names)
{
    size_t repeated = 0;
    index->merged = index->any_count <= MERGED_MAX;
    for (uint32_t i = 0; index->merged && i <= index->mask; i++)
        repeated += index->buckets[i].action != NULL ? index->any_count : 0;
    size_t total = index->any_count + 2 * names + repeated;
    index->entries = fb_arena_array(program->arena, total, sizeof *index->entries);
    index->entries_count = total;
    return index->entries != NULL && total <= UINT32_MAX;
}

static bool build(const struct fb_program *program, struct fb_index *index, bool firsts)
{
    size_t names = count_names(program, firsts, &index->any_count);
    if (names > UINT32_MAX / 4 || !make_buckets(program, index, firsts, names) || !make_entries(program, index, names))
        return false;
    place_lists(index);
    uint32_t any = 0;
    for (uint32_t i = 0; (i = next_rule(program, i, firsts)) < program->statics.count; i++) {
        if (action_of(program, i)->op == FB_SCOPE_ANY) {
            index->entries[any++] = i;
            repeat_rule(index, i);
        }
        each_action(action_of(program, i), enter_action, index, i);
    }
    return true;
}

bool fb_index_build(struct fb_program *program)
{
    if (!build(program, &program->index, false))
        return false;
    if (program->statics.followers != 0)
        return build(program, &program->firsts, true);
    program->firsts = program->index;
    return true;
}

size_t fb_index_size(const struct fb_index *index)
{
    return (index->mask + (size_t)1) * sizeof *index->buckets + index->entries_count * sizeof *index->entries;
}
