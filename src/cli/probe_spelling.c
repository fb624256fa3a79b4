/* SPDX-License-Identifier: Apache-2.0 */
/* Ways around a refusal: the same thing asked for by another spelling of its path, by HEAD, or by a field that some
 * servers take for the path.  What checks and what answers may read them differently; RFC 3986 section 6 has what is
 * equivalent, RFC 9110 section 9.3.2 says that HEAD is as GET.  A way counts if it gets, to the byte or but for ids
 * and times, what somebody who may gets by the plain path: a page that is sent for everything is none. */
#include "cli/probe.h"

struct spelling {
    const char *name;
    const char *before, *after;                                     /* the path as it is stands between them, … */
    void (*write)(struct fb_buffer *out, struct fb_span path);     /* … unless this writes it in another way */
    const char *method, *field;                                     /* NULL: GET, none */
};

/* The first letter of the path, which needs no encoding and may have one. */
static void encoded(struct fb_buffer *out, struct fb_span path)
{
    fb_buffer_add_format(out, "/%%%02X", path.len > 1 ? (unsigned)(unsigned char)path.ptr[1] : 0x2fu);
    fb_buffer_add(out, fb_span_from(path, 2));
}

static void in_capitals(struct fb_buffer *out, struct fb_span path)
{
    for (size_t i = 0; i < path.len; i++)
        fb_buffer_add_char(out, path.ptr[i] >= 'a' && path.ptr[i] <= 'z' ? (char)(path.ptr[i] - 'a' + 'A') : path.ptr[i]);
}

static void root(struct fb_buffer *out, struct fb_span path)
{
    (void)path;
    fb_buffer_add_char(out, '/');
}

static const struct spelling spellings[] = {
    {"a slash at the end", "", "/", NULL, NULL, NULL},
    {"two slashes", "/", "", NULL, NULL, NULL},
    {"a dot segment", "/.", "", NULL, NULL, NULL},
    {"two dots", "/x/..", "", NULL, NULL, NULL},
    {"two dots, encoded", "/x/%2e%2e", "", NULL, NULL, NULL},
    {"an encoded letter", "", "", encoded, NULL, NULL},
    {"capitals", "", "", in_capitals, NULL, NULL},
    {"a path parameter", "", ";x=1", NULL, NULL, NULL},
    {"a suffix", "", ".json", NULL, NULL, NULL},
    {"HEAD", "", "", NULL, "HEAD", NULL},
    {"X-Original-URL", "", "", root, NULL, "X-Original-URL"},
    {"X-Rewrite-URL", "", "", root, NULL, "X-Rewrite-URL"},
};

/* Paths are the query's too: that stays behind what is changed. */
static struct fb_span spell(struct fb_arena *arena, const struct spelling *spelling, struct fb_span path)
{
    size_t mark = fb_span_find(path, '?');
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&out, &memory, 65536);
    fb_buffer_add_z(&out, spelling->before);
    if (spelling->write != NULL)
        spelling->write(&out, fb_span_head(path, mark));
    else
        fb_buffer_add(&out, fb_span_head(path, mark));
    fb_buffer_add_z(&out, spelling->after);
    fb_buffer_add(&out, fb_span_from(path, mark));
    return out.failed ? fb_span(NULL, 0) : fb_buffer_span(&out);
}

static bool is_same(struct fb_arena *arena, const struct fb_exchange *got, const struct fb_exchange *allowed)
{
    return !got->body_known || fb_span_eq(got->body, allowed->body) ||
           fb_span_eq(fb_probe_masked(arena, got->body), fb_probe_masked(arena, allowed->body));
}

static void try_all(struct fb_probe *probe, struct fb_probe_cell *refused, const struct fb_probe_cell *allowed)
{
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0] && !probe->stopped; i++) {
        const struct spelling *spelling = &spellings[i];
        struct fb_span path = refused->target->path;
        struct fb_probe_way way = {.method = spelling->method, .path = spell(probe->arena, spelling, path)};
        struct fb_live_answer answer;
        const char *why;
        if (spelling->field != NULL)
            way.field = fb_arena_text(probe->arena, fb_arena_format(probe->arena, "%s: %.*s", spelling->field, (int)path.len, path.ptr));
        if (fb_span_eq(way.path, path) && way.method == NULL)
            continue;
        if (!fb_probe_ask_by(probe, refused->target, refused->identity, &way, true, &answer, &why) || !fb_probe_is_success(answer.status) ||
            !is_same(probe->arena, &probe->exchanges.list[probe->exchanges.count - 1], fb_probe_answer(probe, allowed)))
            continue;
        fb_probe_found(probe, FB_PROBE_WAY_AROUND, refused, allowed, "%u by %s (%s %.*s), %u by the plain path", answer.status, spelling->name,
                       way.method != NULL ? way.method : "GET", (int)way.path.len, way.path.ptr, refused->status);
    }
}

/* Whoever gets it. */
static const struct fb_probe_cell *allowed_cell(const struct fb_probe *probe, size_t target)
{
    for (size_t i = 0; i < probe->world.count; i++)
        if (fb_probe_is_success(fb_probe_cell_at(probe, target, i)->status))
            return fb_probe_cell_at(probe, target, i);
    return NULL;
}

void fb_probe_ways_around(struct fb_probe *probe)
{
    const struct fb_probe_route *done[2] = {NULL, NULL};
    for (size_t t = 0; t < probe->targets_count; t++) {
        const struct fb_probe_target *target = &probe->targets[t];
        const struct fb_probe_cell *allowed = target->kind != FB_PROBE_ABSENT ? allowed_cell(probe, t) : NULL;
        if (allowed == NULL || !fb_span_is(target->route->method, "GET"))
            continue;
        for (size_t i = 0; i < probe->world.count && !probe->stopped; i++) {
            /* Of each route one identity that is signed in, and one that is not. */
            bool nobody = probe->world.list[i].fields_count == 0;
            struct fb_probe_cell *cell = fb_probe_cell_at(probe, t, i);
            if (done[nobody] == target->route || !fb_probe_is_refusal(cell->status))
                continue;
            done[nobody] = target->route;
            try_all(probe, cell, allowed);
        }
    }
}
