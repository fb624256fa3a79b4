/* SPDX-License-Identifier: Apache-2.0 */
/* Path templates: reading them, and how two of them overlap.  The table over them is routes.c's. */
#include "request/template.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_name(char c, bool first)
{
    return is_lower(c) || is_upper(c) || c == '_' || (!first && is_digit(c));
}

/* --- spellings ------------------------------------------------------------------------------------ */

static bool spelled_int(struct fb_span s)
{
    if (s.len == 0 || s.len > 19 || (s.ptr[0] == '0' && s.len > 1))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]))
            return false;
    return true;
}

static bool spelled_uuid(struct fb_span s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.ptr[i];
        if (dash ? c != '-' : !is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

static bool spelled_slug(struct fb_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool dash = s.ptr[i] == '-';
        if (!dash && !is_lower(s.ptr[i]) && !is_digit(s.ptr[i]))
            return false;
        if (dash && (i == 0 || i + 1 == s.len || s.ptr[i - 1] == '-'))
            return false;
    }
    return s.len != 0;
}

bool fb_segment_spelled(enum fb_segment_kind kind, struct fb_span segment)
{
    switch (kind) {
    case FB_SEGMENT_INT: return spelled_int(segment);
    case FB_SEGMENT_UUID: return spelled_uuid(segment);
    case FB_SEGMENT_SLUG: return spelled_slug(segment);
    case FB_SEGMENT_LITERAL:
    case FB_SEGMENT_ANY:
    case FB_SEGMENT_REST: break;
    }
    return segment.len != 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

struct reader {
    const struct fb_annotated *at;
    struct fb_arena *arena;
    struct fb_route *route;
    struct fb_path_segment segments[FB_SEGMENTS_MAX];
    size_t count;
};

static bool bad(const struct reader *r, struct fb_span part, const char *message, const char *hint)
{
    struct fb_diag *diag = fb_annotated_fault(r->at, part, "route.syntax", "%s", message);
    diag->hint = fb_span_z(hint);
    return false;
}

/* Any method is one (RFC 9110 section 9.1), but a slip of the pen in a usual one makes a route that nobody asks for. */
static void warn_of_method(const struct reader *r, struct fb_span method)
{
    static const struct fb_span usual[] = {FB_SPAN_INIT("GET"),   FB_SPAN_INIT("HEAD"),   FB_SPAN_INIT("POST"),
                                           FB_SPAN_INIT("PUT"),   FB_SPAN_INIT("PATCH"),  FB_SPAN_INIT("DELETE"),
                                           FB_SPAN_INIT("QUERY"), FB_SPAN_INIT("OPTIONS")};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (fb_span_eq(method, usual[i]))
            return;
    struct fb_span near = fb_did_you_mean(method, usual, sizeof usual / sizeof usual[0]);
    if (near.len == 0)
        return;
    size_t at = (size_t)(method.ptr - r->at->annotation->value.ptr);
    struct fb_diag *diag = fb_diag_add(r->at->diags, FB_WARNING, "route.method", r->at->source,
                                       fb_annotated_range(r->at, at, method.len), "an unusual method");
    fb_diag_hint(r->at->diags, diag, "did you mean %.*s?", (int)near.len, near.ptr);
}

static bool read_method(struct reader *r, struct fb_span *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '/')
        len++;
    struct fb_span method = fb_span_head(*rest, len);
    if (len == 0)
        return bad(r, fb_span_head(*rest, 1), "a route begins with a method", "for instance \"GET /users/{id}\"");
    for (size_t i = 0; i < len; i++) {
        char c = method.ptr[i];
        if (is_lower(c))
            return bad(r, method, "methods are written in capitals", "HTTP's methods are case-sensitive");
        if (!is_upper(c) && !is_digit(c) && c != '-' && c != '_')
            return bad(r, method, "this is not a method", "for instance \"GET /users/{id}\"");
    }
    if (len > 32)
        return bad(r, method, "a method has at most 32 characters", NULL);
    warn_of_method(r, method);
    *rest = fb_span_from(*rest, len);
    while (rest->len != 0 && rest->ptr[0] == ' ')
        *rest = fb_span_from(*rest, 1);
    r->route->method = method;
    if (rest->len == 0 || rest->ptr[0] != '/')
        return bad(r, fb_span_head(*rest, 1), "a path that begins with / is expected here",
                   "for instance \"GET /users/{id}\"");
    return true;
}

static bool read_spelling(struct reader *r, struct fb_span word, enum fb_segment_kind *kind)
{
    static const struct fb_span words[] = {{3, "int"}, {4, "uuid"}, {4, "slug"}};
    int which = fb_annotated_word(r->at, word, words, 3);
    if (which < 0)
        return false;
    *kind = (enum fb_segment_kind)(FB_SEGMENT_INT + which);
    return true;
}

/* `inside`: what stands between the braces. */
static bool read_param(struct reader *r, struct fb_span inside, struct fb_path_segment *segment)
{
    size_t len = 0;
    while (len < inside.len && is_name(inside.ptr[len], len == 0))
        len++;
    struct fb_span name = fb_span_head(inside, len), rest = fb_span_from(inside, len);
    if (len == 0)
        return bad(r, inside, "a parameter has a name of letters, digits and _", "for instance {id} or {id:int}");
    *segment = (struct fb_path_segment){FB_SEGMENT_ANY, name};
    for (size_t i = 0; i < r->count; i++)
        if (r->segments[i].kind != FB_SEGMENT_LITERAL && fb_span_eq(r->segments[i].text, name))
            return bad(r, name, "this route has a parameter of that name already", NULL);
    if (r->route->params_count == FB_PARAMS_MAX)
        return bad(r, name, "a route has at most 16 parameters", NULL);
    r->route->params_count++;
    if (rest.len == 0)
        return true;
    if (fb_span_is(rest, "...")) {
        segment->kind = FB_SEGMENT_REST;
        return true;
    }
    if (rest.ptr[0] != ':')
        return bad(r, rest, "this cannot follow a parameter's name",
                   "{name}, {name:int}, {name:uuid}, {name:slug} or {name...}");
    return read_spelling(r, fb_span_from(rest, 1), &segment->kind);
}

/* Literals are written as they read, not as they are encoded: the match compares decoded bytes.  What no
 * sound target can hold would make a route that never matches. */
static bool check_literal(struct reader *r, struct fb_span text)
{
    if (fb_span_is(text, ".") || fb_span_is(text, ".."))
        return bad(r, text, "a dot segment never reaches a route", NULL);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        struct fb_span part = fb_span_head(fb_span_from(text, i), 1);
        if (c == '{' || c == '}')
            return bad(r, part, "a parameter takes a whole segment", "write /{name}/");
        if (c == '%')
            return bad(r, part, "paths are matched decoded", "write the character itself instead of its encoding");
        if ((unsigned char)c <= 0x20 || c == 0x7f || c == '\\' || c == ';' || c == '#' || c == '"')
            return bad(r, part, "this character cannot stand in a path", NULL);
    }
    size_t good = fb_utf8_valid(text);
    return good == text.len || bad(r, fb_span_from(text, good), "this is not UTF-8", NULL);
}

static bool read_segment(struct reader *r, struct fb_span text, bool last)
{
    if (r->count == FB_SEGMENTS_MAX)
        return bad(r, text, "a path has at most 64 segments", NULL);
    struct fb_path_segment segment = {FB_SEGMENT_LITERAL, text};
    if (r->count != 0 && r->segments[r->count - 1].kind == FB_SEGMENT_REST && !(last && text.len == 0))
        return bad(r, text, "nothing can follow {name...} but a final /", NULL);
    if (text.len == 0 && !last)
        return bad(r, text, "an empty segment never reaches a route", "write one / only");
    if (text.len > 1 && text.ptr[0] == '{' && fb_span_find(text, '}') == text.len - 1) {
        if (!read_param(r, fb_span_head(fb_span_from(text, 1), text.len - 2), &segment))
            return false;
    } else if (!check_literal(r, text)) {
        return false;
    }
    r->segments[r->count++] = segment;
    return true;
}

static bool read_path(struct reader *r, struct fb_span path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == ' ' || path.ptr[i] == '\n' || path.ptr[i] == '\t' || path.ptr[i] == '\r')
            return bad(r, fb_span_head(fb_span_from(path, i), 1), "a path has no blanks in it",
                       "routes are separated by commas");
    struct fb_span rest = fb_span_from(path, 1);
    for (;;) {
        size_t len = fb_span_find(rest, '/');
        if (!read_segment(r, fb_span_head(rest, len), len == rest.len))
            return false;
        if (len == rest.len)
            return true;
        rest = fb_span_from(rest, len + 1);
    }
}

static bool read_query(struct reader *r, struct fb_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_name(name.ptr[i], i == 0) && name.ptr[i] != '-')
            return bad(r, name, "one parameter's name is expected after ?", "for instance \"GET /users?export\"");
    if (name.len == 0 || name.len > 64)
        return bad(r, name, "a parameter's name of 1 to 64 characters is expected after ?",
                   "for instance \"GET /users?export\"");
    r->route->query = name;
    return true;
}

bool fb_route_read(const struct fb_annotated *at, struct fb_span piece, struct fb_arena *arena, struct fb_route *route)
{
    struct reader r = {.at = at, .arena = arena, .route = route};
    *route = (struct fb_route){0};
    size_t offset = piece.ptr != NULL ? (size_t)(piece.ptr - at->annotation->value.ptr) : 0;
    route->range = fb_annotated_range(at, offset, piece.len);
    if (piece.len == 0)
        return bad(&r, piece, "a route is expected here", "for instance \"GET /users/{id}\"");
    struct fb_span rest = piece;
    if (!read_method(&r, &rest))
        return false;
    size_t mark = fb_span_find(rest, '?');
    route->path = fb_span_head(rest, mark);
    if (!read_path(&r, route->path) || (mark < rest.len && !read_query(&r, fb_span_from(rest, mark + 1))))
        return false;
    struct fb_path_segment *segments = fb_arena_array(arena, r.count, sizeof *segments);
    if (segments == NULL)
        return false;
    memcpy(segments, r.segments, r.count * sizeof *segments);
    route->segments = segments;
    route->segments_count = (uint8_t)r.count;
    return true;
}

const struct fb_path_segment *fb_route_param(const struct fb_route *route, size_t index)
{
    for (size_t i = 0; i < route->segments_count; i++)
        if (route->segments[i].kind != FB_SEGMENT_LITERAL && index-- == 0)
            return &route->segments[i];
    return NULL;
}

/* --- overlap --------------------------------------------------------------------------------------- */

/* int and uuid are slugs, slugs are segments: of two kinds one holds the other, or they are disjoint. */
static enum fb_relation segment_relation(const struct fb_path_segment *a, const struct fb_path_segment *b)
{
    if (a->kind == b->kind)
        return a->kind != FB_SEGMENT_LITERAL || fb_span_eq(a->text, b->text) ? FB_EQUAL : FB_DISJOINT;
    if (a->kind == FB_SEGMENT_LITERAL)
        return fb_segment_spelled(b->kind, a->text) ? FB_NARROWER : FB_DISJOINT;
    if (b->kind == FB_SEGMENT_LITERAL)
        return fb_segment_spelled(a->kind, b->text) ? FB_WIDER : FB_DISJOINT;
    if (a->kind + b->kind == FB_SEGMENT_INT + FB_SEGMENT_UUID)
        return FB_DISJOINT;
    return a->kind < b->kind ? FB_NARROWER : FB_WIDER;
}

static enum fb_relation both(enum fb_relation a, enum fb_relation b)
{
    if (a == FB_DISJOINT || b == FB_DISJOINT)
        return FB_DISJOINT;
    if (a == FB_EQUAL || a == b)
        return b;
    return b == FB_EQUAL ? a : FB_CROSSING;
}

static bool ends_with_slash(const struct fb_route *route)
{
    const struct fb_path_segment *last = &route->segments[route->segments_count - 1];
    return last->kind == FB_SEGMENT_LITERAL && last->text.len == 0;
}

static enum fb_relation path_relation(const struct fb_route *a, const struct fb_route *b)
{
    enum fb_relation relation = FB_EQUAL;
    for (size_t i = 0;; i++) {
        bool rest_a = i < a->segments_count && a->segments[i].kind == FB_SEGMENT_REST;
        bool rest_b = i < b->segments_count && b->segments[i].kind == FB_SEGMENT_REST;
        if (rest_a || rest_b) {
            /* `{x...}` takes at least one segment that is not the empty last one */
            size_t slashes = ends_with_slash(a) ? 1 : 0;
            if (ends_with_slash(a) != ends_with_slash(b) || i + slashes >= a->segments_count
                || i + slashes >= b->segments_count)
                return FB_DISJOINT;
            return both(relation, rest_a && rest_b ? FB_EQUAL : rest_a ? FB_WIDER : FB_NARROWER);
        }
        if (i == a->segments_count || i == b->segments_count)
            return a->segments_count == b->segments_count ? relation : FB_DISJOINT;
        relation = both(relation, segment_relation(&a->segments[i], &b->segments[i]));
        if (relation == FB_DISJOINT)
            return FB_DISJOINT;
    }
}

enum fb_relation fb_routes_relation(const struct fb_route *a, const struct fb_route *b)
{
    enum fb_relation path = path_relation(a, b);
    if (fb_span_eq(a->query, b->query))
        return path;
    if (a->query.len != 0 && b->query.len != 0)
        return path == FB_DISJOINT ? FB_DISJOINT : FB_CROSSING;
    return both(path, a->query.len != 0 ? FB_NARROWER : FB_WIDER);
}
