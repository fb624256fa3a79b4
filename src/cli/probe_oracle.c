/* SPDX-License-Identifier: Apache-2.0 */
/* What exists, told by the difference of two refusals: for an object that is there but not for this client, and for one
 * that is not there.  The two may repeat the object's name, and some of each answer is another every time (dates, ids of
 * requests), so what differs is asked for again, and counts only if it stays. */
#include "cli/probe.h"

/* Fields whose value says something about this answer and nothing about the object. */
static bool varies(struct fb_span name)
{
    static const char *const names[] = {"date", "age", "expires", "content-length", "set-cookie", "etag", "last-modified", "connection", "keep-alive",
                                        "server-timing", "x-runtime", "x-response-time", "traceparent", "cf-ray", "x-amzn-trace-id", "x-worker"};
    static const char *const starts[] = {"x-ratelimit", "ratelimit", "x-rate-limit"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (fb_span_eq_nocase(name, fb_span_z(names[i])))
            return true;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (name.len >= strlen(starts[i]) && fb_span_eq_nocase(fb_span_head(name, strlen(starts[i])), fb_span_z(starts[i])))
            return true;
    for (size_t i = 0; i + 2 <= name.len; i++)      /* x-request-id, x-correlation-id */
        if (i + 3 == name.len && fb_span_eq_nocase(fb_span_from(name, i), FB_SPAN("-id")))
            return true;
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Text with the target's own values replaced, where each stands as a word. */
static void add_without_values(struct fb_buffer *out, struct fb_span text, const struct fb_probe_target *target)
{
    for (size_t i = 0; i < text.len;) {
        size_t taken = 0;
        for (size_t p = 0; p < target->route->params_count && taken == 0; p++) {
            struct fb_span value = target->values[p];
            size_t end = i + value.len;
            if (value.len != 0 && fb_span_starts(fb_span_from(text, i), value) && (i == 0 || !is_word(text.ptr[i - 1])) &&
                (end == text.len || !is_word(text.ptr[end])))
                taken = value.len;
        }
        if (taken != 0)
            fb_buffer_add_z(out, "{}");
        else
            fb_buffer_add_char(out, text.ptr[i]);
        i += taken != 0 ? taken : 1;
    }
}

/* What two answers must share: fields in their order, and the body. */
static struct fb_span form_of(struct fb_arena *arena, const struct fb_exchange *x, const struct fb_probe_target *target)
{
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&out, &memory, (size_t)1 << 20);
    for (size_t i = 0; i < x->response_count; i++) {
        fb_buffer_add(&out, x->response[i].name);
        fb_buffer_add_z(&out, ": ");
        if (!varies(x->response[i].name))
            add_without_values(&out, x->response[i].value, target);
        fb_buffer_add_char(&out, '\n');
    }
    fb_buffer_add_char(&out, '\n');
    add_without_values(&out, x->body, target);
    return fb_buffer_span(&out);
}

/* The same without what looks like an id or a time: words of eight characters and more with digits, numbers of five. */
struct fb_span fb_probe_masked(struct fb_arena *arena, struct fb_span text)
{
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&out, &memory, (size_t)1 << 20);
    for (size_t i = 0; i < text.len;) {
        size_t len = 0, digits = 0;
        for (; i + len < text.len && (is_word(text.ptr[i + len]) || strchr("-_:.", text.ptr[i + len]) != NULL); len++)
            digits += text.ptr[i + len] >= '0' && text.ptr[i + len] <= '9';
        if (digits >= 2 && (len >= 8 || (digits == len && digits >= 5)))
            fb_buffer_add_char(&out, '#');
        else
            fb_buffer_add(&out, fb_span_head(fb_span_from(text, i), len != 0 ? len : 1));
        i += len != 0 ? len : 1;
    }
    return fb_buffer_span(&out);
}

/* Where two texts begin to differ, from the line's start; for people. */
static struct fb_span first_difference(struct fb_span a, struct fb_span b)
{
    size_t at = 0, from = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at]) {
        from = a.ptr[at] == '\n' ? at + 1 : from;
        at++;
    }
    if (at > from + 40)
        from = at - 40;
    struct fb_span line = fb_span_from(a, from);
    line = fb_span_head(line, fb_span_find(line, '\n'));
    return fb_span_head(line, 80);
}

struct pair {
    struct fb_probe_cell *hidden;
    const struct fb_probe_cell *absent;
};

static const struct fb_exchange *again(struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    struct fb_live_answer answer;
    const char *why;
    if (!fb_probe_ask(probe, cell->target, cell->identity, true, &answer, &why))
        return NULL;
    return &probe->exchanges.list[probe->exchanges.count - 1];
}

/* Does the difference stay, when both are asked for once more? */
static bool stays(struct fb_probe *probe, const struct pair *pair, struct fb_span hidden, struct fb_span absent)
{
    struct fb_arena *arena = probe->arena;
    const struct fb_exchange *x = again(probe, pair->hidden);
    struct fb_span second = x != NULL ? form_of(arena, x, pair->hidden->target) : fb_span(NULL, 0);
    const struct fb_exchange *y = x != NULL ? again(probe, pair->absent) : NULL;
    if (y == NULL)
        return false;
    struct fb_span third = form_of(arena, y, pair->absent->target);
    if (fb_span_eq(hidden, second) && fb_span_eq(absent, third))
        return true;
    hidden = fb_probe_masked(arena, hidden);
    absent = fb_probe_masked(arena, absent);
    return !fb_span_eq(hidden, absent) && fb_span_eq(hidden, fb_probe_masked(arena, second)) && fb_span_eq(absent, fb_probe_masked(arena, third));
}

static void compare_forms(struct fb_probe *probe, const struct pair *pair)
{
    struct fb_span hidden = form_of(probe->arena, fb_probe_answer(probe, pair->hidden), pair->hidden->target);
    struct fb_span absent = form_of(probe->arena, fb_probe_answer(probe, pair->absent), pair->absent->target);
    /* Without asking twice where it changes something. */
    if (fb_span_eq(hidden, absent) || !fb_span_is(pair->hidden->target->route->method, "GET") || !stays(probe, pair, hidden, absent))
        return;
    struct fb_span there = first_difference(hidden, absent), not_there = first_difference(absent, hidden);
    fb_probe_found(probe, FB_PROBE_EXISTENCE_FORM, pair->hidden, pair->absent, "there: %.*s; not there: %.*s", (int)there.len, there.ptr, (int)not_there.len,
                   not_there.ptr);
}

/* The policies themselves want two answers. */
static bool is_policy(const struct pair *pair)
{
    const struct fb_probe_expected *hidden = &pair->hidden->expected, *absent = &pair->absent->expected;
    return hidden->known && absent->known && !hidden->forward && !absent->forward && hidden->status != absent->status &&
           hidden->status == pair->hidden->status && absent->status == pair->absent->status;
}

static void compare(struct fb_probe *probe, const struct pair *pair)
{
    unsigned hidden = pair->hidden->status, absent = pair->absent->status;
    if (hidden != absent && !is_policy(pair))
        fb_probe_found(probe, FB_PROBE_EXISTENCE_STATUS, pair->hidden, pair->absent, "%u where it is there, %u where it is not", hidden, absent);
    else if (hidden == absent)
        compare_forms(probe, pair);
}

static bool somebody_gets(const struct fb_probe *probe, size_t target)
{
    for (size_t i = 0; i < probe->world.count; i++)
        if (fb_probe_is_success(fb_probe_cell_at(probe, target, i)->status))
            return true;
    return false;
}

static size_t absent_of(const struct fb_probe *probe, const struct fb_probe_route *route)
{
    for (size_t t = route->from; t < route->end; t++)
        if (probe->targets[t].kind == FB_PROBE_ABSENT)
            return t;
    return SIZE_MAX;
}

bool fb_probe_pair(const struct fb_probe *probe, size_t target, size_t identity, struct fb_probe_cell **hidden, const struct fb_probe_cell **absent)
{
    const struct fb_probe_target *object = &probe->targets[target];
    if ((object->kind != FB_PROBE_OWNED && object->kind != FB_PROBE_SHARED) || object->route->open || !somebody_gets(probe, target))
        return false;
    size_t none = absent_of(probe, object->route);
    if (none == SIZE_MAX)
        return false;
    *hidden = fb_probe_cell_at(probe, target, identity);
    *absent = fb_probe_cell_at(probe, none, identity);
    return fb_probe_is_refusal((*hidden)->status) && fb_probe_is_refusal((*absent)->status);
}

void fb_probe_oracles(struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->world.count; i++) {
        const struct fb_probe_route *said = NULL;
        for (size_t t = 0; t < probe->targets_count && !probe->stopped; t++) {
            struct pair pair;
            size_t before = probe->findings_count;
            /* One of a route's objects is enough. */
            if (probe->targets[t].route == said || !fb_probe_pair(probe, t, i, &pair.hidden, &pair.absent))
                continue;
            compare(probe, &pair);
            if (probe->findings_count != before)
                said = probe->targets[t].route;
        }
    }
}
