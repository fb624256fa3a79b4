/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdlib.h>
#include <unistd.h>

/* A line of words to the diagnostics' codes, in their order; "" for none. */
static const char *const lines[][2] = {
    {"https://i.example jwks=keys.json audience=api", ""},
    {"https://i.example jwks=k audience=a audience=b principal=App::User claim=uid parents=roles:Role "
     "parents=https://e.x/groups:App::Group prefix=i| leeway=0", ""},
    {"", "issuer.url"},
    {"https://i.example", "issuer.jwks issuer.audience"},
    {"https://i.example jwks=k", "issuer.audience"},
    {"https://i.example audience=api", "issuer.jwks"},
    {"https://i.example jwks=k audience=api jwks=l", "issuer.parameter"},
    {"https://i.example jwks=k audience=api claim=a claim=b", "issuer.parameter"},
    {"https://i.example jwks=k audience=api audiance=b", "issuer.parameter"},
    {"https://i.example jwks=k audience=api word", "issuer.parameter"},
    {"https://i.example jwks audience=api", "issuer.parameter"},
    {"https://i.example jwks= audience=api", "issuer.parameter"},
    {"https://i.example jwks=k audience=api leeway=601", "issuer.parameter"},
    {"https://i.example jwks=k audience=api leeway=-1", "issuer.parameter"},
    {"https://i.example jwks=k audience=api leeway=5s", "issuer.parameter"},
    {"https://i.example jwks=k audience=api dpop=accepted realm=staff", ""},
    {"https://i.example jwks=k audience=api dpop=required", ""},
    {"https://i.example jwks=k audience=api dpop=on", "issuer.parameter"},
    {"https://i.example jwks=k audience=api realm=a\"b", "issuer.parameter"},
    {"https://i.example jwks=k audience=api realm=", "issuer.parameter"},
    {"https://i.example jwks=k audience=api parents=roles", "issuer.parameter"},
    {"https://i.example jwks=k audience=api parents=:Role", "issuer.parameter"},
    {"https://i.example jwks=k audience=api parents=a::B", "issuer.parameter"},
    {"https://i.example jwks=k audience=api principal= claim= x=y", "issuer.parameter issuer.parameter issuer.parameter"},
};

static size_t split(const char *line, struct fb_span words[16])
{
    size_t count = 0;
    for (struct fb_span rest = fb_span_z(line); rest.len != 0; count++) {
        size_t space = fb_span_find(rest, ' ');
        words[count] = fb_span_head(rest, space);
        rest = fb_span_from(rest, space < rest.len ? space + 1 : space);
    }
    return count;
}

static const char *codes_of(const struct fb_diags *diags, struct fb_arena *arena)
{
    struct fb_span codes = FB_SPAN("");
    for (size_t i = 0; i < diags->count; i++) {
        codes = fb_arena_format(arena, "%.*s%s%s", (int)codes.len, codes.ptr, i == 0 ? "" : " ", diags->list[i].code);
    }
    return fb_arena_text(arena, codes);
}

static void words(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct fb_span list[16];
        struct fb_diags diags;
        struct fb_issuer issuer;
        fb_diags_init(&diags, &f->arena);
        size_t count = split(lines[i][0], list);
        assert_int_equal(fb_issuer_parse(list, count, &f->arena, &issuer, &diags), lines[i][1][0] == '\0');
        if (strcmp(codes_of(&diags, &f->arena), lines[i][1]) != 0) {
            fail_msg("%s: %s", lines[i][0], codes_of(&diags, &f->arena));
        }
    }
}

static void values(void **state)
{
    struct fixture *f = *state;
    struct fb_span list[16];
    struct fb_issuer issuer;
    size_t count = split(lines[1][0], list);
    assert_true(fb_issuer_parse(list, count, &f->arena, &issuer, &f->diags));
    assert_true(fb_span_is(issuer.url, "https://i.example") && fb_span_is(issuer.jwks, "k"));
    assert_int_equal(issuer.audiences_count, 2);
    assert_true(fb_span_is(issuer.audiences[1], "b"));
    assert_true(fb_span_is(issuer.principal, "App::User") && fb_span_is(issuer.claim, "uid"));
    assert_int_equal(issuer.parents_count, 2);
    assert_true(fb_span_is(issuer.parents[0].claim, "roles") && fb_span_is(issuer.parents[0].type, "Role"));
    assert_true(fb_span_is(issuer.parents[1].claim, "https://e.x/groups"));
    assert_true(fb_span_is(issuer.parents[1].type, "App::Group"));
    assert_true(fb_span_is(issuer.prefix, "i|"));
    assert_int_equal(issuer.leeway_s, 0);
    count = split(lines[0][0], list);
    assert_true(fb_issuer_parse(list, count, &f->arena, &issuer, &f->diags));
    assert_true(fb_span_is(issuer.principal, "User") && fb_span_is(issuer.claim, "sub"));
    assert_int_equal(issuer.leeway_s, FB_LEEWAY_DEFAULT);
    assert_int_equal(issuer.prefix.len + issuer.parents_count, 0);
}

static void hints(void **state)
{
    struct fixture *f = *state;
    struct fb_span list[16];
    struct fb_issuer issuer;
    struct fb_diags diags;
    fb_diags_init(&diags, &f->arena);
    size_t count = split("https://i.example jwks=k audience=api audiance=b", list);
    assert_false(fb_issuer_parse(list, count, &f->arena, &issuer, &diags));
    assert_true(fb_span_is(diags.list[0].hint, "did you mean audience=?"));
}

/* The code of the fault when `issuer` is added behind one that is there, or "". */
static const char *added(struct fixture *f, const struct fb_issuer *there, const struct fb_issuer *issuer)
{
    struct fb_diags diags;
    fb_diags_init(&diags, &f->arena);
    struct fb_issuers *issuers = issuers_with(f, there, fb_buffer_span(&f->jwks));
    struct fb_source source = {FB_SPAN("b"), fb_buffer_span(&f->jwks)};
    bool fine = fb_issuers_add(issuers, issuer, fb_jwks_read(&source, &diags, &fb_heap), &diags);
    assert_int_equal(fine, diags.errors == 0);
    assert_int_equal(fb_issuers_count(issuers), fine ? 2 : 1);
    fb_issuers_free(issuers);
    return codes_of(&diags, &f->arena);
}

static void faults(void **state)
{
    struct fixture *f = *state;
    const struct fb_issuer there = plain_issuer();
    struct fb_issuer ok = plain_issuer();
    ok.url = FB_SPAN("https://b.example");
    ok.principal = FB_SPAN("Service");
    assert_string_equal(added(f, &there, &ok), "");
    struct fb_issuer bad = ok;
    bad.url = there.url;
    assert_string_equal(added(f, &there, &bad), "issuer.twice");
    const struct fb_span urls[] = {FB_SPAN(""), FB_SPAN("b.example"), FB_SPAN("https://b .example"), FB_SPAN("https:")};
    for (size_t i = 0; i < 4; i++) {
        bad = ok;
        bad.url = urls[i];
        assert_string_equal(added(f, &there, &bad), "issuer.url");
    }
    const struct fb_span types[] = {FB_SPAN(""), FB_SPAN("1"), FB_SPAN("A:B"), FB_SPAN("A::"), FB_SPAN("::A"),
                                    FB_SPAN("A b"), FB_SPAN("A-b"), FB_SPAN("A:::B")};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bad = ok;
        bad.principal = types[i];
        assert_string_equal(added(f, &there, &bad), "issuer.principal");
        const struct fb_issuer_parent parent = {FB_SPAN("roles"), types[i]};
        bad = ok;
        bad.parents = &parent;
        bad.parents_count = 1;
        assert_string_equal(added(f, &there, &bad), "issuer.parents");
    }
    bad = ok;
    bad.audiences_count = 0;
    assert_string_equal(added(f, &there, &bad), "issuer.audience");
    const struct fb_span empty = FB_SPAN("");
    bad.audiences = &empty;
    bad.audiences_count = 1;
    assert_string_equal(added(f, &there, &bad), "issuer.audience");
    bad = ok;
    bad.claim = empty;
    assert_string_equal(added(f, &there, &bad), "issuer.claim");
    bad = ok;
    bad.leeway_s = 601;
    assert_string_equal(added(f, &there, &bad), "issuer.leeway");
}

static void prefixes_keep_principals_apart(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *a, *b, *code;
    } table[] = {
        {"", "", "issuer.prefix"},      {"a|", "", "issuer.prefix"},   {"", "b|", "issuer.prefix"},
        {"a|", "a|", "issuer.prefix"},  {"a", "a|", "issuer.prefix"},  {"a|b", "a|", "issuer.prefix"},
        {"a|", "b|", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fb_issuer a = plain_issuer(), b = plain_issuer();
        a.prefix = fb_span_z(table[i].a);
        b.prefix = fb_span_z(table[i].b);
        b.url = FB_SPAN("https://b.example");
        assert_string_equal(added(f, &a, &b), table[i].code);
    }
}

static void too_many(void **state)
{
    struct fixture *f = *state;
    struct fb_issuers *issuers = fb_issuers_new(&fb_heap);
    struct fb_diags diags;
    fb_diags_init(&diags, &f->arena);
    for (int i = 0; i <= FB_ISSUERS_MAX; i++) {
        struct fb_issuer issuer = plain_issuer();
        struct fb_source source = {FB_SPAN("b"), fb_buffer_span(&f->jwks)};
        issuer.url = fb_arena_format(&f->arena, "https://i%d.example", i);
        issuer.principal = fb_arena_format(&f->arena, "T%d", i);
        bool fine = fb_issuers_add(issuers, &issuer, fb_jwks_read(&source, &diags, &fb_heap), &diags);
        assert_int_equal(fine, i < FB_ISSUERS_MAX);
    }
    assert_string_equal(codes_of(&diags, &f->arena), "issuer.too_many");
    fb_issuers_free(issuers);
}

static void from_a_file(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/forbid-test-jwks-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, f->jwks.ptr, f->jwks.len), (ssize_t)f->jwks.len);
    close(file);
    struct fb_issuers *issuers = fb_issuers_new(&fb_heap);
    struct fb_issuer issuer = plain_issuer();
    struct fb_diags diags;
    fb_diags_init(&diags, &f->arena);
    issuer.jwks = fb_span_z(path);
    assert_true(fb_issuers_add_file(issuers, &issuer, &diags));
    assert_int_equal(fb_jwks_count(fb_issuers_keys(issuers, 0)), KEYS);
    assert_true(fb_span_is(fb_issuers_at(issuers, 0)->jwks, path));
    unlink(path);
    issuer.url = FB_SPAN("https://b.example");
    assert_false(fb_issuers_add_file(issuers, &issuer, &diags));
    issuer.jwks = FB_SPAN("/");
    assert_false(fb_issuers_add_file(issuers, &issuer, &diags));
    assert_string_equal(codes_of(&diags, &f->arena), "issuer.jwks issuer.jwks");
    fb_issuers_free(issuers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words), cmocka_unit_test(values), cmocka_unit_test(hints), cmocka_unit_test(faults),
        cmocka_unit_test(prefixes_keep_principals_apart), cmocka_unit_test(too_many), cmocka_unit_test(from_a_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
