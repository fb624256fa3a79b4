/* SPDX-License-Identifier: Apache-2.0 */
/* Uid templates: `@resource("Repo::{owner}/{name}")` and `@within`, from text to uids.
 *
 * Different parameters must give different uids, or a client could be decided on one resource and
 * act on another: with `{a}-{b}` both `/1-2/3` and `/1/2-3` would be `1-2-3`.  So the pieces must be
 * such that the result can be taken apart again; that is checked when a template meets a route. */
#include "request/template.h"

#define TEMPLATE_HINT "for instance \"User::{id}\""

static bool bad(const struct fb_annotated *at, struct fb_span part, const char *message, const char *hint)
{
    struct fb_diag *diag = fb_annotated_fault(at, part, "resource.syntax", "%s", message);
    diag->hint = fb_span_z(hint);
    return false;
}

static void hint_type(const struct fb_annotated *at, struct fb_diag *diag, struct fb_span name,
                      const struct fb_schema *schema)
{
    if (!fb_diag_kept(at->diags, diag))
        return;
    struct fb_span *names = fb_arena_array(at->diags->arena, schema->types_count, sizeof *names);
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < schema->types_count; i++)
        names[i] = schema->types[i]->name;
    struct fb_span meant = fb_did_you_mean(name, names, schema->types_count);
    if (meant.len != 0)
        fb_diag_hint(at->diags, diag, "did you mean %.*s?", (int)meant.len, meant.ptr);
}

/* The longest declared type that the text begins with; *id is what follows its `::`. */
static const struct fb_entity_type *read_type(const struct fb_annotated *at, const struct fb_schema *schema,
                                              struct fb_span *id)
{
    struct fb_span text = at->annotation->value;
    size_t limit = fb_span_find(text, '{'), named = 0;
    const struct fb_entity_type *type = NULL;
    for (size_t i = 0; i + 1 < limit; i++) {
        if (text.ptr[i] != ':' || text.ptr[i + 1] != ':')
            continue;
        const struct fb_entity_type *found = fb_schema_type(schema, fb_span_head(text, i));
        named = i;
        if (found != NULL) {
            type = found;
            *id = fb_span_from(text, i + 2);
        }
        i++;
    }
    if (type != NULL)
        return type;
    if (named == 0) {
        (void)bad(at, text, "a type and an id with :: between are expected here", TEMPLATE_HINT);
        return NULL;
    }
    struct fb_span name = fb_span_head(text, named);
    struct fb_diag *diag =
        fb_annotated_fault(at, name, "resource.type", "the schema has no entity type %.*s", (int)name.len, name.ptr);
    hint_type(at, diag, name, schema);
    return NULL;
}

static bool is_name(struct fb_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i != 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.len != 0;
}

/* The piece at the start of *rest. */
static bool read_piece(const struct fb_annotated *at, struct fb_span *rest, struct fb_uid_piece *piece)
{
    if (rest->ptr[0] != '{') {
        struct fb_span text = fb_span_head(*rest, fb_span_find(*rest, '{'));
        size_t stray = fb_span_find(text, '}');
        if (stray < text.len)
            return bad(at, fb_span_head(fb_span_from(text, stray), 1), "this } closes nothing", TEMPLATE_HINT);
        *piece = (struct fb_uid_piece){text, -1};
        *rest = fb_span_from(*rest, text.len);
        return true;
    }
    size_t close = fb_span_find(*rest, '}');
    if (close == rest->len)
        return bad(at, *rest, "this { is not closed", TEMPLATE_HINT);
    struct fb_span name = fb_span_head(fb_span_from(*rest, 1), close - 1);
    if (!is_name(name))
        return bad(at, fb_span_head(*rest, close + 1), "the name of a route's parameter is expected in braces",
                   TEMPLATE_HINT);
    *piece = (struct fb_uid_piece){name, 0};
    *rest = fb_span_from(*rest, close + 1);
    return true;
}

static bool read_pieces(const struct fb_annotated *at, struct fb_span id, struct fb_uid_piece *pieces, size_t *count)
{
    if (id.len == 0)
        return bad(at, at->annotation->value, "an id is expected after ::", TEMPLATE_HINT);
    if (id.ptr[0] == '"')
        return bad(at, id, "the id is written without quotes", TEMPLATE_HINT);
    for (*count = 0; id.len != 0; (*count)++) {
        if (*count == FB_UID_PIECES_MAX)
            return bad(at, id, "an id has at most 33 pieces", NULL);
        if (!read_piece(at, &id, &pieces[*count]))
            return false;
    }
    return true;
}

/* An id without parameters of a type that lists its ids. */
static bool check_enum(const struct fb_annotated *at, const struct fb_entity_type *type,
                       const struct fb_uid_piece *pieces, size_t count)
{
    if (type->enum_ids == NULL || count != 1 || pieces[0].param >= 0)
        return true;
    return fb_annotated_word(at, pieces[0].text, type->enum_ids, type->enum_count) >= 0;
}

static const struct fb_uid_template *template_new(struct fb_arena *arena, const struct fb_entity_type *type,
                                                  const struct fb_uid_piece *pieces, size_t count)
{
    struct fb_uid_template *t = fb_arena_alloc(arena, sizeof *t);
    struct fb_uid_piece *copy = fb_arena_array(arena, count, sizeof *copy);
    if (t == NULL || copy == NULL)
        return NULL;
    if (count != 0)
        memcpy(copy, pieces, count * sizeof *copy);
    *t = (struct fb_uid_template){.principal = type == NULL, .type = type, .pieces = copy, .count = count};
    return t;
}

const struct fb_uid_template *fb_uid_template_read(const struct fb_annotated *at, const struct fb_schema *schema,
                                                   struct fb_arena *arena)
{
    if (fb_span_is(at->annotation->value, "principal"))
        return template_new(arena, NULL, NULL, 0);
    struct fb_span id = {0};
    struct fb_uid_piece pieces[FB_UID_PIECES_MAX];
    size_t count = 0;
    const struct fb_entity_type *type = read_type(at, schema, &id);
    if (type == NULL || !read_pieces(at, id, pieces, &count) || !check_enum(at, type, pieces, count))
        return NULL;
    return template_new(arena, type, pieces, count);
}

const struct fb_uid_template *fb_uid_template_default(const struct fb_entity_type *type, const struct fb_route *route,
                                                      struct fb_arena *arena)
{
    struct fb_uid_piece piece = {fb_route_param(route, 0)->text, 0};
    return template_new(arena, type, &piece, 1);
}

/* --- taking ids apart again ------------------------------------------------------------------------ */

/* Can a value of this kind never hold the character? */
static bool excludes(enum fb_segment_kind kind, char c)
{
    if (c == ';' || c == '\\')
        return true;
    switch (kind) {
    case FB_SEGMENT_INT: return c < '0' || c > '9';
    case FB_SEGMENT_SLUG: return !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-';
    case FB_SEGMENT_ANY: return c == '/';
    case FB_SEGMENT_REST:
    case FB_SEGMENT_LITERAL:
    case FB_SEGMENT_UUID: break;
    }
    return false;
}

/* Is the end of pieces[i] plain, seen from the neighbour on one side? */
static bool delimited(const struct fb_uid_template *t, const struct fb_route *route, size_t i, bool before)
{
    enum fb_segment_kind kind = fb_route_param(route, (size_t)t->pieces[i].param)->kind;
    if (kind == FB_SEGMENT_UUID)
        return true;
    if (before ? i == 0 : i + 1 == t->count)
        return false;
    const struct fb_uid_piece *neighbour = &t->pieces[before ? i - 1 : i + 1];
    if (neighbour->param >= 0)
        return false;
    return excludes(kind, neighbour->text.ptr[before ? neighbour->text.len - 1 : 0]);
}

/* Parameters are peeled off from the left, then from the right; one may remain, and is the rest. */
static bool reversible(const struct fb_uid_template *t, const struct fb_route *route, size_t *stuck)
{
    size_t from = 0, to = t->count;
    while (from < to && (t->pieces[from].param < 0 || delimited(t, route, from, false)))
        from++;
    while (to > from && (t->pieces[to - 1].param < 0 || delimited(t, route, to - 1, true)))
        to--;
    *stuck = from;
    return to - from <= 1;
}

static int param_index(const struct fb_route *route, struct fb_span name)
{
    for (size_t i = 0; i < route->params_count; i++)
        if (fb_span_eq(fb_route_param(route, i)->text, name))
            return (int)i;
    return -1;
}

static void report_unknown(const struct fb_annotated *at, const struct fb_route *route, struct fb_span name)
{
    struct fb_diag *diag = fb_annotated_fault(
        at, name, "resource.parameter", "the route \"%.*s %.*s\" has no parameter {%.*s}", (int)route->method.len,
        route->method.ptr, (int)route->path.len, route->path.ptr, (int)name.len, name.ptr);
    diag->other = at->source;
    diag->other_range = route->range;
    diag->other_message = FB_SPAN("the route is here");
    struct fb_span names[FB_PARAMS_MAX];
    for (size_t i = 0; i < route->params_count; i++)
        names[i] = fb_route_param(route, i)->text;
    struct fb_span meant = fb_did_you_mean(name, names, route->params_count);
    if (meant.len != 0)
        fb_diag_hint(at->diags, diag, "did you mean {%.*s}?", (int)meant.len, meant.ptr);
}

const struct fb_uid_template *fb_uid_template_bind(const struct fb_uid_template *read, const struct fb_annotated *at,
                                                   const struct fb_route *route, bool used[FB_PARAMS_MAX],
                                                   struct fb_arena *arena)
{
    if (read->principal)
        return read;
    struct fb_uid_piece pieces[FB_UID_PIECES_MAX];
    bool good = true;
    for (size_t i = 0; i < read->count; i++) {
        pieces[i] = read->pieces[i];
        if (pieces[i].param < 0)
            continue;
        pieces[i].param = param_index(route, pieces[i].text);
        if (pieces[i].param >= 0) {
            used[pieces[i].param] = true;
        } else {
            report_unknown(at, route, pieces[i].text);
            good = false;
        }
    }
    if (!good)
        return NULL;
    const struct fb_uid_template *t = template_new(arena, read->type, pieces, read->count);
    size_t stuck = 0;
    if (t == NULL || reversible(t, route, &stuck))
        return t;
    (void)bad(at, pieces[stuck].text,
              "different requests could name the same resource: where this parameter ends cannot be told",
              "put a / between parameters, or give them a spelling such as {id:int}");
    return NULL;
}

bool fb_uid_template_eq(const struct fb_uid_template *a, const struct fb_uid_template *b)
{
    if (a->principal != b->principal || a->type != b->type || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->pieces[i].param != b->pieces[i].param || !fb_span_eq(a->pieces[i].text, b->pieces[i].text))
            return false;
    return true;
}

/* --- making uids --------------------------------------------------------------------------------- */

const struct fb_uid *fb_uid_template_make(const struct fb_uid_template *bound, const struct fb_match *match,
                                          struct fb_arena *arena)
{
    struct fb_span parts[FB_UID_PIECES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < bound->count; i++) {
        parts[i] = bound->pieces[i].param < 0 ? bound->pieces[i].text : match->params[bound->pieces[i].param];
        len += parts[i].len;
    }
    if (bound->count == 1)
        return fb_uid_of_type(arena, bound->type->name, bound->type->name_hash, parts[0]);
    char *id = fb_arena_alloc(arena, len);
    if (id == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < bound->count; i++) {
        memcpy(id + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return fb_uid_of_type(arena, bound->type->name, bound->type->name_hash, fb_span(id, len));
}
