/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies a request has to look at: static ones by its action while those are few, else, and links
 * always, by whom their scopes name (scope.c).  Where neither principal nor resource is known, or nothing
 * finds few, all links are looked at, one by one and without a list of them. */

#include "engine/decide.h"

#define FEW 32u                 /* static policies of an action that are looked at without another thought */
#define WALKED 4u               /* … a row found by its scope, which may be of another action, costs as much as some */
#define FOUND_MAX 16384u        /* rules in a list of those that only may match */
#define LINKS_FEW 4096u         /* links of which fb_program_concerned() looks at each */
#define LINKS_LISTED 16u        /* links of an action: to find more by whom they name costs less than to look at each */

static void start(struct fb_candidates *candidates, const struct fb_program *program, const struct fb_index *index)
{
    candidates->program = program;
    candidates->index = index;
    candidates->now = candidates->found = (struct fb_run){NULL, NULL};
    candidates->runs_count = candidates->next = candidates->end = 0;
    candidates->proven = false;
}

static uint32_t add_run(struct fb_candidates *candidates, uint32_t first, uint32_t count)
{
    const uint32_t *entries = candidates->index->entries;
    if (count != 0)
        candidates->runs[candidates->runs_count++] = (struct fb_run){entries + first, entries + first + count};
    return count;
}

/* The lists of static policies that the action concerns; *sum is how long they are together. */
static bool find_runs(struct fb_candidates *candidates, struct fb_eval *e, uint64_t *sum)
{
    const struct fb_program *program = candidates->program;
    const struct fb_index *index = candidates->index;
    *sum = 0;
    if (program->statics.count == 0)
        return true;
    const struct fb_bucket *bucket = fb_index_find(index, e->request->action);
    if (bucket == NULL || !index->merged)
        *sum += add_run(candidates, 0, index->any_count);
    if (bucket != NULL)
        *sum += add_run(candidates, bucket->direct, bucket->direct_count);
    if (!index->groups)
        return true;
    struct fb_entity room;
    const struct fb_entity *action = fb_find(e, e->request->action, &room);
    if (e->cannot)
        return false;
    if (action == NULL)
        return true;
    if (!action->closed || action->ancestors.count > FB_CANDIDATE_LISTS - 2) {
        candidates->runs_count = 0;
        candidates->end = program->statics.count;
        *sum = candidates->end;
        return true;
    }
    for (uint32_t i = 0; i < action->ancestors.count; i++) {
        bucket = fb_index_find(index, fb_ref_uid(&action->ancestors.refs[i]));
        if (bucket != NULL)
            *sum += add_run(candidates, bucket->group, bucket->group_count);
    }
    return true;
}

/* By scopes; what that finds takes the place of the runs.  False: cannot. */
static bool find_by_scope(struct fb_candidates *candidates, struct fb_eval *e, uint8_t unknown, uint64_t sum)
{
    const struct fb_program *program = candidates->program;
    uint32_t statics = program->statics.count;
    struct fb_numbers numbers = {0};
    enum fb_gathered gathered = FB_GATHER_PROVEN;
    candidates->found_proven = true;
    if (sum > FEW)
        gathered = fb_gather(e, &(struct fb_sought){program, &program->statics, 0, unknown, sum, sum, sum / WALKED},
                             &numbers);
    if (sum > FEW && gathered > FB_GATHER_COSTLY) {
        candidates->runs_count = candidates->end = 0;
        candidates->found_proven = gathered == FB_GATHER_PROVEN;
    }
    if (gathered != FB_GATHER_CANNOT && program->links->live != 0) {
        size_t before = numbers.count;
        gathered = fb_gather(e, &(struct fb_sought){program, program->links, statics, unknown, UINT64_MAX, FOUND_MAX,
                                                  UINT64_MAX},
                             &numbers);
        if (gathered == FB_GATHER_COSTLY) {
            /* A range stands before what is found, so all that is found must lie behind it. */
            candidates->next = before != 0 || candidates->end != 0 ? 0 : statics;
            candidates->runs_count = candidates->next == 0 ? 0 : candidates->runs_count;
            candidates->end = statics + program->links->count;
            numbers.count = 0;
        }
        candidates->found_proven = candidates->found_proven && gathered == FB_GATHER_PROVEN;
    }
    if (numbers.count != 0)
        candidates->found = (struct fb_run){numbers.list, numbers.list + numbers.count};
    return gathered != FB_GATHER_CANNOT;
}

/* A single list needs no merging. */
static void settle(struct fb_candidates *candidates)
{
    if (candidates->runs_count != 1)
        return;
    candidates->now = candidates->runs[0];
    candidates->runs_count = 0;
}

bool fb_candidates_init(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e,
                        uint8_t unknown)
{
    const struct fb_concerned *concerned = e->request->concerned;
    start(candidates, program, &program->index);
    if (concerned != NULL) {
        candidates->now = (struct fb_run){concerned->list, concerned->list + concerned->count};
        return true;
    }
    uint64_t sum;
    if (!find_runs(candidates, e, &sum))
        return false;
    if ((sum > FEW || program->links->live != 0) && !find_by_scope(candidates, e, unknown, sum))
        return false;
    settle(candidates);
    return true;
}

bool fb_candidates_static(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e,
                          bool firsts)
{
    uint64_t sum;
    start(candidates, program, firsts ? &program->firsts : &program->index);
    if (!find_runs(candidates, e, &sum))
        return false;
    settle(candidates);
    return true;
}

bool fb_candidates_by_action(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e)
{
    if (!fb_candidates_static(candidates, program, e, false))
        return false;
    if (program->links->live != 0) {
        candidates->next = candidates->end != 0 ? 0 : program->statics.count;
        candidates->end = program->statics.count + program->links->count;
    }
    return true;
}

enum fb_found fb_action_matches(struct fb_eval *e, const struct fb_scope *scope)
{
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

static uint32_t next_of_range(struct fb_candidates *candidates, struct fb_eval *e)
{
    while (candidates->next < candidates->end) {
        uint32_t rule = candidates->next++, form = fb_program_row(candidates->program, rule)->form;
        if (form == FB_ROW_FREE)
            continue;
        enum fb_found found = fb_action_matches(e, &candidates->program->forms[form].policy->action);
        if (found == FB_BROKEN)
            return UINT32_MAX;
        if (found == FB_FOUND)
            return rule;
    }
    return UINT32_MAX;
}

/* The least head of the runs; every run that starts with it moves on, which drops repetitions. */
static uint32_t next_of_runs(struct fb_candidates *candidates)
{
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

uint32_t fb_candidates_more(struct fb_candidates *candidates, struct fb_eval *e)
{
    uint32_t rule = candidates->runs_count != 0 ? next_of_runs(candidates) : UINT32_MAX;
    if (rule == UINT32_MAX && candidates->next < candidates->end)
        rule = next_of_range(candidates, e);
    if (rule != UINT32_MAX || e->cannot || candidates->found.at == candidates->found.end)
        return rule;
    candidates->now = candidates->found;
    candidates->found = (struct fb_run){NULL, NULL};
    candidates->proven = candidates->found_proven;
    return *candidates->now.at++;
}

/* The variables whose entities the rule asks for: in its scope, in its conditions. */
static uint8_t looked_of(const struct fb_program *program, const struct fb_form *form)
{
    uint8_t looked = 0;
    for (int side = 0; side < 2; side++)
        if (form->op[side] == FB_SCOPE_IN || form->op[side] == FB_SCOPE_IS_IN)
            looked |= (uint8_t)(1u << (side == FB_SIDE_PRINCIPAL ? FB_PRINCIPAL : FB_RESOURCE));
    for (uint32_t i = 0; i < form->conjuncts_count; i++)
        looked |= program->code.nodes[program->conjuncts[form->conjuncts + i].node].vars >> 4;
    return looked;
}

bool fb_concern(const struct fb_program *program, const uint32_t *rules, uint32_t count, struct fb_arena *arena,
                struct fb_concerned *concerned)
{
    uint32_t *list = fb_arena_array(arena, count + (size_t)1, sizeof *list);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    const struct fb_form **forms = fb_arena_array(arena, count + (size_t)1, sizeof *forms);
    uint8_t looked = 0;
    if (list == NULL || forms == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        list[i] = rules[i];
        forms[i] = fb_program_form(program, rules[i]);
        looked |= looked_of(program, forms[i]);
    }
    *concerned = (struct fb_concerned){.list = list, .forms = forms, .count = count, .looked = looked};
    return true;
}

const struct fb_concerned *fb_program_concerned(const struct fb_program *program, const struct fb_uid *action,
                                                const struct fb_entities *entities, struct fb_arena *arena)
{
    /* Candidates depend on the action alone; the others only have to be some uid. */
    const struct fb_request request = {.principal = action, .action = action, .resource = action, .entities = entities};
    struct fb_concerned *concerned = fb_arena_alloc(arena, sizeof *concerned);
    uint32_t found[FB_CONCERNED_MAX] = {0}, links = 0, rule;
    struct fb_candidates candidates;
    struct fb_eval e;
    fb_eval_init(&e, &program->code, &request, arena);
    if (concerned == NULL || program->links->live > LINKS_FEW || !fb_candidates_by_action(&candidates, program, &e))
        return NULL;
    while ((rule = fb_candidates_next(&candidates, &e)) != UINT32_MAX) {
        links += rule >= program->statics.count;
        if (concerned->count == FB_CONCERNED_MAX || links > LINKS_LISTED)
            return NULL;
        found[concerned->count++] = rule;
    }
    return !e.cannot && fb_concern(program, found, concerned->count, arena, concerned) ? concerned : NULL;
}
