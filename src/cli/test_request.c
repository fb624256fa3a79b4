/* SPDX-License-Identifier: Apache-2.0 */
/* The request of a test, and who asks: nobody, somebody whose token is imagined as `why --as` does it, or whoever a token
 * with the claims given names. */
#include "cli/http_line.h"
#include "http/http.h"
#include "cli/test_reader.h"

/* --- The request --------------------------------------------------------------------------------- */

static bool set_line(struct fb_test_reader *r, struct fb_test *test, struct fb_span line, struct fb_range range)
{
    const char *fault = fb_http_line_read(line, &r->tests->arena, &test->http);
    if (fault != NULL)
        fb_test_fault(r, "test.request", range, "%s", fault);
    return true;
}

static bool read_method(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    if (!fb_test_text(r, &test->http.method, "a method: \"GET\""))
        return false;
    for (size_t i = 0; i < test->http.method.len; i++)
        if (test->http.method.ptr[i] <= ' ') {
            fb_test_fault(r, "test.request", r->json.range, "a method has no spaces");
            break;
        }
    return true;
}

static bool read_target(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    struct fb_span method = test->http.method, target;
    if (!fb_test_text(r, &target, "a target: \"/users/1\""))
        return false;
    if (target.len != 0)
        set_line(r, test, fb_arena_format(&r->tests->arena, "GET %.*s", (int)target.len, target.ptr), r->json.range);
    test->http.method = method;
    return true;
}

static bool read_field(struct fb_test_reader *r, struct fb_test *test, struct fb_span name)
{
    struct fb_span values[FB_TEST_FIELDS_MAX];
    size_t count = 0;
    if (!fb_test_texts(r, values, FB_TEST_FIELDS_MAX, &count, "the field's value, or a list of values for several lines"))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (test->fields_count == FB_TEST_FIELDS_MAX) {
            fb_test_fault(r, "test.request", r->json.range, "more than %u fields", FB_TEST_FIELDS_MAX);
            break;
        }
        test->fields[test->fields_count++] = (struct fb_http_field){name, fb_span_trim(values[i])};
        if (fb_span_eq_nocase(name, FB_SPAN("host")))
            test->http.host = values[i];
    }
    return true;
}

static bool read_fields(struct fb_test_reader *r, void *into)
{
    if (fb_json_next(&r->json) != FB_JSON_OBJECT)
        return fb_test_wrong(r, "an object of header fields: { \"Accept\": \"text/html\" }");
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        if (!fb_http_is_field_name(r->json.string))
            fb_test_fault(r, "test.request", r->json.range, "this is no field's name");
        if (!read_field(r, into, r->json.string))
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_ip(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    struct fb_span text;
    if (!fb_test_text(r, &text, "the client's address: \"192.0.2.1\""))
        return false;
    if (text.len != 0 && (fb_ip_parse(text, &test->http.peer) != NULL || fb_span_find(text, '/') != text.len))
        fb_test_fault(r, "test.request", r->json.range, "this is not the address of a client")->hint =
            FB_SPAN("write an IP address: 192.0.2.1, 2001:db8::1");
    return true;
}

static bool read_country(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    if (!fb_test_text(r, &test->http.country, "a country, two capital letters"))
        return false;
    struct fb_span code = test->http.country;
    bool two = code.len == 2;
    for (size_t i = 0; i < code.len; i++)
        two = two && code.ptr[i] >= 'A' && code.ptr[i] <= 'Z';
    return two || code.len == 0 || fb_test_wrong(r, "a country, two capital letters");
}

static bool read_tls(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    if (!fb_test_truth(r, &test->http.tls))
        return false;
    test->http.tls_version = test->http.tls ? FB_SPAN("TLSv1.3") : FB_SPAN("");
    test->http.tls_cipher = test->http.tls ? FB_SPAN("TLS_AES_128_GCM_SHA256") : FB_SPAN("");
    return true;
}

static const struct fb_test_member request_members[] = {
    {"method", read_method}, {"target", read_target}, {"fields", read_fields},
    {"ip", read_ip}, {"country", read_country}, {"tls", read_tls},
};

bool fb_test_read_request(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    enum fb_json_event event = fb_json_next(&r->json);
    struct fb_range range = r->json.range;
    test->has_request = true;
    test->http.method = FB_SPAN("GET");
    test->http.host = FB_SPAN("localhost");
    (void)fb_ip_parse(FB_SPAN("127.0.0.1"), &test->http.peer);
    test->fields = fb_arena_array(&r->tests->arena, FB_TEST_FIELDS_MAX + 1, sizeof *test->fields);
    if (test->fields == NULL)
        return false;
    if (event == FB_JSON_STRING)
        return set_line(r, test, r->json.string, range);
    if (event != FB_JSON_OBJECT)
        return fb_test_wrong(r, "a request: \"GET /users/1\", or an object with method and target");
    if (!fb_test_object(r, "a request", request_members, sizeof request_members / sizeof request_members[0], test))
        return false;
    if (test->http.raw_target.len == 0)
        fb_test_fault(r, "test.request", range, "this request has no target")->hint = FB_SPAN("\"target\": \"/users/1\"");
    return true;
}

/* --- Who asks ------------------------------------------------------------------------------------ */

/* One who asks, or a group of theirs: NULL, or a uid of a type that there is. */
static const struct fb_uid *asking(struct fb_test_reader *r, const struct fb_uid *uid)
{
    if (uid == NULL || fb_schema_type(r->tests->schema, fb_uid_type(uid)) != NULL)
        return uid;
    struct fb_span type = fb_uid_type(uid), near = fb_cli_near_type(r->tests->schema, type);
    struct fb_diag *fault = fb_test_fault(r, "test.uid", r->json.range, "the schema has no entity type %.*s",
                                          (int)type.len, type.ptr);
    if (near.len != 0)
        fault->hint = fb_arena_format(&r->tests->arena, "did you mean %.*s?", (int)near.len, near.ptr);
    return uid;
}

static bool read_principal(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    struct fb_span text;
    if (!fb_test_text(r, &text, "an entity uid: \"User::\\\"alice\\\"\""))
        return false;
    test->who = FB_TEST_ASSUMED;
    if (text.len != 0)
        test->assumed.principal = asking(r, fb_test_uid(r));
    return true;
}

static bool read_scope(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    struct fb_span *list = fb_arena_array(&r->tests->arena, FB_TEST_FIELDS_MAX, sizeof *list);
    test->assumed.scopes = list;
    return list != NULL && fb_test_texts(r, list, FB_TEST_FIELDS_MAX, &test->assumed.scopes_count,
                                         "the token's scopes, a list of strings");
}

static bool read_in(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    struct fb_span names[FB_TEST_FIELDS_MAX];
    size_t count = 0;
    const struct fb_uid **list = fb_arena_array(&r->tests->arena, FB_TEST_FIELDS_MAX, sizeof *list);
    if (list == NULL
        || !fb_test_texts(r, names, FB_TEST_FIELDS_MAX, &count, "the groups that a token would name, a list of uids"))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct fb_uid *uid = fb_uid_parse(&r->tests->arena, names[i]);
        if (uid == NULL)
            fb_test_fault(r, "test.uid", r->json.range, "'%.*s' is no entity uid", (int)names[i].len, names[i].ptr);
        else
            list[test->assumed.parents_count++] = asking(r, uid);
    }
    test->assumed.parents = list;
    return true;
}

static bool note_claim(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    test->has_iss |= fb_span_is(r->json.string, "iss");
    test->has_aud |= fb_span_is(r->json.string, "aud");
    test->has_exp |= fb_span_is(r->json.string, "exp");
    return fb_json_skip(&r->json);
}

static bool read_claims(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    test->who = FB_TEST_CLAIMS;
    if (fb_json_next(&r->json) != FB_JSON_OBJECT)
        return fb_test_wrong(r, "an object, the claims of a token: { \"sub\": \"123\" }");
    size_t start = r->json.range.end;
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!note_claim(r, test))
            return false;
    if (r->json.event != FB_JSON_OBJECT_END)
        return false;
    struct fb_span members = fb_span(r->file->source->text.ptr + start, r->json.range.start - start);
    while (members.len != 0 && strchr(" \t\r\n", members.ptr[members.len - 1]) != NULL)
        members.len--;
    while (members.len != 0 && strchr(" \t\r\n", members.ptr[0]) != NULL)
        members = fb_span_from(members, 1);
    test->claims = members;
    return true;
}

static const struct fb_test_member as_members[] = {
    {"principal", read_principal}, {"in", read_in}, {"scope", read_scope}, {"claims", read_claims},
};

bool fb_test_read_as(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    enum fb_json_event event = fb_json_next(&r->json);
    struct fb_range range = r->json.range;
    if (event == FB_JSON_STRING && fb_span_is(r->json.string, "anonymous"))
        return true;
    if (event == FB_JSON_STRING) {
        test->who = FB_TEST_ASSUMED;
        test->assumed.principal = asking(r, fb_test_uid(r));
        return true;
    }
    if (event != FB_JSON_OBJECT)
        return fb_test_wrong(r, "\"anonymous\", an entity uid, or an object with principal or claims");
    if (!fb_test_object(r, "who asks", as_members, sizeof as_members / sizeof as_members[0], test))
        return false;
    bool assumed = test->assumed.principal != NULL;
    if (assumed && test->claims.len != 0)
        fb_test_fault(r, "test.as", range, "principal and claims are two ways to say who asks; give one");
    else if (!assumed && test->who != FB_TEST_CLAIMS && r->tests->diags.errors == 0)
        fb_test_fault(r, "test.as", range, "who asks is a principal, perhaps with in and scope, or claims of a token");
    else if (test->who == FB_TEST_CLAIMS && (test->assumed.scopes_count != 0 || test->assumed.parents_count != 0))
        fb_test_fault(r, "test.as", range, "in and scope go with a principal; a token brings its own");
    return true;
}
