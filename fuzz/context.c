/* SPDX-License-Identifier: Apache-2.0 */
/* A request's context: the first byte chooses the action, then come a line of the query, one of the host, and
 * header fields, a line each. */
#include "fuzz.h"

#include "request/request.h"

static const char schema_text[] =
    "entity User; entity Doc;\n"
    "action plain appliesTo {principal: User, resource: Doc,\n"
    "  context: {method: String, host: String, path: String, ip: ipaddr, time: datetime}};\n"
    "action query appliesTo {principal: User, resource: Doc,\n"
    "  context: {query: {q: String, page?: String, tag: Set<String>, more?: Set<String>}}};\n"
    "action headers appliesTo {principal: User, resource: Doc,\n"
    "  context: {headers: {x_tenant: String, \"User-Agent\"?: String, \"X-List\"?: Set<String>}}};\n"
    "action all appliesTo {principal: User, resource: Doc, context: {time: datetime, query: {q?: String},\n"
    "  headers: {\"X-Id\"?: String}, token?: {scope: Set<String>, tenant?: String}, tls?: {version: String, cipher: String}}};\n";

static const char *const actions[] = {"plain", "query", "headers", "all"};

static bool claim(const void *self, struct fb_span name, struct fb_arena *arena, struct fb_value *value)
{
    (void)arena;
    *value = fb_value_string(*(const struct fb_span *)self);
    return fb_span_is(name, "tenant");
}

static const struct fb_action *action_of(struct fb_arena *arena, uint8_t which)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("schema"), FB_SPAN(schema_text)};
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema = fb_schema_read(arena, source, &diags);
    struct fb_routes *routes = schema != NULL ? fb_routes_new(arena, schema, &diags) : NULL;
    if (routes == NULL)
        fuzz_show_diags(&diags);
    fuzz_must(routes != NULL, "the schema is good");
    return fb_routes_action(routes, fb_uid_new(arena, FB_SPAN("Action"), fb_span_z(actions[which % 4])));
}

/* Strings are UTF-8 and everything is in the order of records: the value can be copied, printed, compared. */
static void check_value(struct fb_arena *arena, struct fb_value context)
{
    struct fb_buffer out;
    struct fb_value copy;
    fb_buffer_init(&out, &fb_heap, (size_t)16 << 20);
    fb_value_print_json(&out, context);
    fuzz_must_show(fuzz_is_json(fb_buffer_span(&out), arena), "a context prints as JSON", fb_buffer_span(&out));
    fuzz_must_show(fb_span_find(fb_buffer_span(&out), '\0') == out.len, "without a NUL", fb_buffer_span(&out));
    struct fb_json json;
    fb_json_init(&json, fb_buffer_span(&out), arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    fuzz_must(fb_value_read_json(&json, arena, NULL, (struct fb_type_hint){.hint = FB_HINT_NONE}, &copy)
                  && fb_value_eq(copy, context), "which is the same value");
    fb_buffer_release(&out);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_http_field fields[16];
    struct fb_http_field_list list = {fields, 0};
    const struct fb_action *action = action_of(arena, fuzz_byte(&input));
    struct fb_http_request request = {.method = FB_SPAN("GET"), .path = FB_SPAN("/x"), .now_ms = INT64_C(1700000000123),
                                      .tls = true, .tls_version = FB_SPAN("TLSv1.3"), .tls_cipher = FB_SPAN("c")};
    request.query = fuzz_line(&input);
    request.host = fuzz_line(&input);
    (void)fb_ip_parse(FB_SPAN("192.0.2.7"), &request.peer);
    while (input.len != 0 && list.count < 16) {
        struct fb_span line = fuzz_line(&input);
        size_t colon = fb_span_find(line, ':');
        fields[list.count++] = (struct fb_http_field){fb_span_head(line, colon), fb_span_trim(fb_span_from(line, colon + 1))};
    }
    request.fields = fb_http_fields_of(&list);
    const struct fb_span scope = FB_SPAN("read");
    struct fb_token_facts token = {.issuer = FB_SPAN("i"), .scopes = &scope, .scopes_count = 1, .claim = claim,
                                   .self = &request.method};
    struct fb_value context;
    struct fb_span why = {0, NULL};
    enum fb_contexted built = fb_context_build(action, &request, &token, NULL, arena, &context, &why);
    if (built == FB_CONTEXT_OK)
        check_value(arena, context);
    else
        fuzz_must(built == FB_CONTEXT_BAD && why.len != 0, "a bad request says why");
}
