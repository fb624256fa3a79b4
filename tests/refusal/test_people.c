/* SPDX-License-Identifier: Apache-2.0 */
/* Pages for people, their templates and languages; scripts of other origins; calls of gRPC. */
#include "refusal/cors.h"
#include "refusal/grpc.h"
#include "refusal/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Arena and diagnostics of one test. */
struct desk {
    struct fb_arena arena;
    struct fb_diags diags;
};

static int open_desk(void **state)
{
    struct desk *desk = malloc(sizeof *desk);
    fb_arena_init(&desk->arena, &fb_heap, 1 << 22);
    fb_diags_init(&desk->diags, &desk->arena);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    fb_arena_release(&desk->arena);
    free(desk);
    return 0;
}

/* --- Templates ----------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *code;    /* NULL: sound */
} templates[] = {
    {"<p>{{title}}</p>", NULL},
    {"{{ title }}{{#detail}}<p>{{detail}}</p>{{/detail}}", NULL},
    {"{{#detail}}{{#help}}x{{/help}}{{/detail}}", NULL},
    {"no tag, and { one } {brace}", NULL},
    {"{{titel}}", "page.unknown_name"},
    {"{{#titel}}{{/titel}}", "page.unknown_name"},
    {"{{title", "page.unclosed"},
    {"{{#detail}}", "page.unclosed"},
    {"{{/detail}}", "page.unopened"},
    {"{{#detail}}{{#help}}{{/detail}}{{/help}}", "page.unopened"},
    {"{{#detail}}{{#detail}}{{/detail}}{{/detail}}", "page.nested"},
};

static void test_templates(void **state)
{
    struct desk *desk = *state;
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        const struct fb_source source = {FB_SPAN("page.html"), fb_span_z(templates[i].text)};
        fb_diags_init(&desk->diags, &desk->arena);
        bool sound = fb_page_check(&source, &desk->diags);
        if (sound != (templates[i].code == NULL))
            print_message("# template: %s\n", templates[i].text);
        assert_int_equal(sound, templates[i].code == NULL);
        if (!sound)
            assert_string_equal(desk->diags.list[0].code, templates[i].code);
    }
}

static const char *fill(struct desk *desk, const char *template, const char *detail)
{
    static struct fb_allocator memory;
    struct fb_buffer *out = fb_arena_alloc(&desk->arena, sizeof *out);
    struct fb_span values[FB_PAGE_NAMES] = {[FB_PAGE_TITLE] = FB_SPAN("T"), [FB_PAGE_DETAIL] = fb_span_z(detail)};
    memory = fb_arena_allocator(&desk->arena);
    fb_buffer_init(out, &memory, 65536);
    fb_page_fill(fb_span_z(template), values, out);
    return out->len != 0 ? out->ptr : "";
}

static void test_filling(void **state)
{
    struct desk *desk = *state;
    assert_string_equal(fill(desk, "a{{title}}b", ""), "aTb");
    assert_string_equal(fill(desk, "{{#detail}}[{{detail}}]{{/detail}}.", ""), ".");
    assert_string_equal(fill(desk, "{{#detail}}[{{detail}}{{#help}}h{{/help}}]{{/detail}}.", "x"), "[x].");
    assert_string_equal(fill(desk, "{{#help}}{{#detail}}x{{/detail}}{{title}}{{/help}}.", "x"), ".");
    assert_string_equal(fill(desk, "\"{{detail}}\"", "<b a='1' c=\"2\">&\x01\xff"),
                        "\"&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\xef\xbf\xbd\"");
    /* What a value says is no template. */
    assert_string_equal(fill(desk, "{{detail}}", "{{title}}"), "{{title}}");
}

static void test_built_in(void **state)
{
    struct desk *desk = *state;
    const struct fb_source source = {FB_SPAN("page.html"), fb_page_built_in()};
    assert_true(fb_page_check(&source, &desk->diags));
    for (unsigned i = 0; i < FB_WORDS; i++)
        assert_true(fb_word_key((enum fb_word)i).len != 0 && fb_word_text((enum fb_word)i).len != 0);
}

/* --- Directories ---------------------------------------------------------------------------------------- */

static char dir[64];

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static const char *page(struct desk *desk, const struct fb_pages *pages, const char *languages)
{
    const struct fb_refusal refusal = {.status = 403, .level = FB_LEVEL_DETAIL, .reason = FB_SPAN("account_suspended")};
    const struct fb_audience audience = {.accept = FB_SPAN("text/html"), .accept_language = fb_span_z(languages), .pages = pages};
    struct fb_response response;
    assert_true(fb_refusal_render(&refusal, &audience, &desk->arena, &response));
    assert_true(fb_span_eq(response.lines[1].name, FB_SPAN("Vary")));
    assert_true(fb_span_eq(response.lines[1].value, pages != NULL ? FB_SPAN("Accept, Accept-Language") : FB_SPAN("Accept")));
    return fb_arena_text(&desk->arena, response.body);
}

static void test_languages(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *languages, *tag;
    } rows[] = {
        {"", "en"}, {"de", "de"}, {"de-AT", "de"}, {"fr", "en"}, {"fr, de;q=0.5", "de"}, {"en, de", "en"},
        {"en;q=0.5, de;q=0.6", "de"}, {"pt", "pt-BR"}, {"PT-br", "pt-BR"}, {"deu", "en"}, {"de;q=0", "en"},
        {"de;q=x", "en"}, {",,;;q", "en"},
    };
    snprintf(dir, sizeof dir, "/tmp/forbid-pages-XXXXXX");
    assert_non_null(mkdtemp(dir));
    put_file("de.words", "# Deutsch\ntitle.403 = Kein Zugang & Schluss\nreason.account_suspended = Dieses Konto ruht.\r\n");
    put_file("pt-BR.html", "{{lang}}|{{title}}|{{detail}}");
    put_file("README.md", "nobody reads this {{");
    const struct fb_pages *pages = fb_pages_load(dir, &desk->diags);
    assert_non_null(pages);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_span tag = fb_pages_choose(pages, fb_span_z(rows[i].languages))->tag;
        if (!fb_span_is(tag, rows[i].tag))
            print_message("# %s\n", rows[i].languages);
        assert_true(fb_span_is(tag, rows[i].tag));
    }
    assert_non_null(strstr(page(desk, pages, "de"), "<h1>Kein Zugang &amp; Schluss</h1>"));
    assert_non_null(strstr(page(desk, pages, "de"), "<p>Dieses Konto ruht.</p>"));
    assert_non_null(strstr(page(desk, pages, "de"), "<html lang=\"de\">"));
    assert_string_equal(page(desk, pages, "pt"), "pt-BR|You do not have access to this|This account is suspended.");
    assert_non_null(strstr(page(desk, NULL, "de"), "<html lang=\"en\">"));
    remove_file("pt-BR.html");
    pages = fb_pages_load(dir, &desk->diags);
    assert_non_null(pages);
    assert_true(fb_span_is(fb_pages_choose(pages, FB_SPAN("fr"))->tag, "de"));  /* the only language there is */
    remove_file("de.words");
    remove_file("README.md");
    rmdir(dir);
}

static void test_bad_directories(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *name, *text, *code;
    } rows[] = {
        {"de.html", "{{titel}}", "page.unknown_name"},
        {"de.words", "title.999 = x", "page.unknown_word"},
        {"de.words", "reason. = x", "page.unknown_word"},
        {"de.words", "title.403", "page.no_text"},
        {"de.words", "title.403 = \xff", "page.not_utf8"},
        {"other.txt", "", "page.none"},
    };
    snprintf(dir, sizeof dir, "/tmp/forbid-pages-XXXXXX");
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fb_diags_init(&desk->diags, &desk->arena);
        put_file(rows[i].name, rows[i].text);
        assert_null(fb_pages_load(dir, &desk->diags));
        assert_string_equal(desk->diags.list[0].code, rows[i].code);
        remove_file(rows[i].name);
    }
    rmdir(dir);
    fb_diags_init(&desk->diags, &desk->arena);
    assert_null(fb_pages_load(dir, &desk->diags));
    assert_string_equal(desk->diags.list[0].code, "page.unreadable");
}

/* --- Scripts ------------------------------------------------------------------------------------------- */

static bool parse_cors(struct desk *desk, const char *text, struct fb_cors *cors)
{
    struct fb_span *words = fb_arena_array(&desk->arena, 8, sizeof *words), rest = fb_span_z(text);
    size_t count = 0;
    while (rest.len != 0) {
        size_t end = fb_span_find(rest, ' ');
        words[count++] = fb_span_head(rest, end);
        rest = fb_span_from(rest, end + 1);
    }
    fb_diags_init(&desk->diags, &desk->arena);
    bool good = fb_cors_parse(words, count, &desk->arena, cors, &desk->diags);
    assert_int_equal(good, desk->diags.errors == 0);
    return good;
}

static void test_cors_words(void **state)
{
    struct desk *desk = *state;
    struct fb_cors cors;
    assert_true(parse_cors(desk, "https://app.example", &cors));
    assert_true(parse_cors(desk, "https://app.example http://localhost:8080 credentials max_age=60", &cors));
    assert_true(cors.origins_count == 2 && cors.credentials && cors.max_age == 60 && !cors.any);
    assert_true(parse_cors(desk, "*", &cors) && cors.any);
    static const char *const bad[] = {
        "null", "https://app.example/", "https://App.example", "app.example", "https://", "https://a@b", "https://a?b", "://a",
        "* credentials", "* https://app.example", "max_age=60", "https://app.example max_age=x", "https://app.example max_age=86401",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse_cors(desk, bad[i], &cors))
            fail_msg("%s was taken", bad[i]);
    }
}

/* The fields of an answer, those that begin with Access-Control alone. */
static const char *cors_fields(struct desk *desk, const struct fb_response *response)
{
    struct fb_span all = FB_SPAN("");
    for (size_t i = 0; i < response->lines_count; i++)
        if (fb_span_starts(response->lines[i].name, FB_SPAN("Access-Control-")))
            all = fb_arena_format(&desk->arena, "%.*s%.*s: %.*s\n", (int)all.len, all.ptr, (int)response->lines[i].name.len - 15,
                                  response->lines[i].name.ptr + 15, (int)response->lines[i].value.len, response->lines[i].value.ptr);
    return fb_arena_text(&desk->arena, all);
}

static void test_cors_fields(void **state)
{
    struct desk *desk = *state;
    const struct fb_refusal refusal = {.status = 401, .challenge = true};
    struct fb_response response;
    struct fb_cors cors;
    struct fb_audience audience = {.cors = &cors, .origin = FB_SPAN("https://app.example")};
    static const char exposed[] = "Expose-Headers: WWW-Authenticate, Retry-After, Link, Allow, X-Request-Id, DPoP-Nonce, grpc-status, grpc-message\n";
    char expected[256];

    assert_true(parse_cors(desk, "https://app.example credentials", &cors));
    assert_true(fb_refusal_render(&refusal, &audience, &desk->arena, &response));
    snprintf(expected, sizeof expected, "Allow-Origin: https://app.example\nAllow-Credentials: true\n%s", exposed);
    assert_string_equal(cors_fields(desk, &response), expected);
    assert_true(fb_span_is(response.lines[1].value, "Accept, Origin"));

    audience.origin = FB_SPAN("https://evil.example");
    assert_true(fb_refusal_render(&refusal, &audience, &desk->arena, &response));
    assert_string_equal(cors_fields(desk, &response), "");
    assert_true(fb_span_is(response.lines[1].value, "Accept, Origin"));     /* the same for all */

    assert_true(parse_cors(desk, "*", &cors));
    assert_true(fb_refusal_render(&refusal, &audience, &desk->arena, &response));
    snprintf(expected, sizeof expected, "Allow-Origin: *\n%s", exposed);
    assert_string_equal(cors_fields(desk, &response), expected);
}

static void test_preflights(void **state)
{
    struct desk *desk = *state;
    struct fb_response response;
    struct fb_cors cors;
    struct fb_audience audience = {.cors = &cors, .origin = FB_SPAN("https://app.example")};
    struct fb_preflight preflight = {FB_SPAN("GET, HEAD"), FB_SPAN("authorization, x-a")};
    assert_true(parse_cors(desk, "https://app.example max_age=60", &cors));
    assert_true(fb_preflight_render(&preflight, &audience, &desk->arena, &response));
    assert_int_equal(response.status, 204);
    assert_string_equal(cors_fields(desk, &response), "Allow-Origin: https://app.example\nAllow-Methods: GET, HEAD\n"
                                                      "Allow-Headers: authorization, x-a\nMax-Age: 60\n");
    preflight.fields = FB_SPAN("a b\r\nc");
    assert_true(fb_preflight_render(&preflight, &audience, &desk->arena, &response));
    assert_string_equal(cors_fields(desk, &response), "Allow-Origin: https://app.example\nAllow-Methods: GET, HEAD\nMax-Age: 60\n");
    audience.origin = FB_SPAN("https://evil.example");
    assert_true(fb_preflight_render(&preflight, &audience, &desk->arena, &response));
    assert_string_equal(cors_fields(desk, &response), "");
}

/* --- gRPC ---------------------------------------------------------------------------------------------- */

static void test_grpc(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *asked;
        enum fb_grpc_form form;
    } types[] = {
        {"application/grpc", FB_GRPC}, {"application/grpc+proto", FB_GRPC},
        {"Application/GRPC+json; x=y", FB_GRPC}, {"application/grpc-web+proto", FB_GRPC_WEB},
        {"application/grpc-web-text", FB_GRPC_WEB_TEXT}, {"application/grpcx", FB_GRPC_NONE},
        {"application/json", FB_GRPC_NONE}, {"", FB_GRPC_NONE},
    };
    static const struct {
        unsigned status;
        const char *code;
    } codes[] = {{400, "3"}, {401, "16"}, {403, "7"}, {404, "5"}, {405, "12"}, {429, "8"}, {451, "7"}, {503, "14"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_int_equal(fb_grpc_asked(fb_span_z(types[i].asked)), types[i].form);
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const struct fb_refusal refusal = {.status = codes[i].status, .level = FB_LEVEL_DETAIL, .reason = FB_SPAN("some_reason"),
                                           .detail = FB_SPAN("100% \xc3\xa9")};
        struct fb_response response;
        assert_true(fb_refusal_render(&refusal, &(struct fb_audience){.content_type = FB_SPAN("application/grpc")}, &desk->arena,
                                      &response));
        assert_int_equal(response.status, 200);
        assert_int_equal(response.body.len, 0);
        const struct fb_line *last = &response.lines[response.lines_count - 1];
        assert_true(fb_span_is(last[-1].name, "grpc-status") && fb_span_is(last[-1].value, codes[i].code));
        assert_true(fb_span_is(last->name, "grpc-message") && fb_span_is(last->value, "some_reason: 100%25 %C3%A9"));
    }
}

/* A frame of trailers alone: bytes of gRPC's PROTOCOL-WEB. */
static void test_grpc_web(void **state)
{
    struct desk *desk = *state;
    static const char lines[] = "grpc-status: 16\r\ngrpc-message: unauthorized\r\n";
    const struct fb_refusal refusal = {.status = 401, .challenge = true};
    struct fb_response response;
    assert_true(fb_refusal_render(&refusal, &(struct fb_audience){.content_type = FB_SPAN("application/grpc-web+proto")},
                                  &desk->arena, &response));
    assert_int_equal(response.status, 200);
    assert_true(fb_span_is(response.content_type, "application/grpc-web"));
    assert_int_equal(response.body.len, 5 + sizeof lines - 1);
    assert_memory_equal(response.body.ptr, "\x80\0\0\0\x2d", 5);
    assert_memory_equal(response.body.ptr + 5, lines, sizeof lines - 1);
    for (size_t i = 0; i < response.lines_count; i++)
        assert_false(fb_span_is(response.lines[i].name, "grpc-status"));
    assert_true(fb_refusal_render(&refusal, &(struct fb_audience){.content_type = FB_SPAN("application/grpc-web-text")},
                                  &desk->arena, &response));
    assert_true(fb_span_is(response.content_type, "application/grpc-web-text"));
    assert_true(fb_span_is(response.body, "gAAAAC1ncnBjLXN0YXR1czogMTYNCmdycGMtbWVzc2FnZTogdW5hdXRob3JpemVkDQo="));
}

/* What is said in a frame is understood by `advise`, in either form. */
static void test_grpc_web_advised(void **state)
{
    struct desk *desk = *state;
    static const struct {
        unsigned status;
        enum fb_cure cure;
    } rows[] = {{401, FB_CURE_AUTHENTICATE}, {403, FB_CURE_GIVE_UP}, {503, FB_CURE_WAIT}};
    static const char *const types[] = {"application/grpc-web", "application/grpc-web-text"};
    for (size_t i = 0; i < 6; i++) {
        const struct fb_refusal refusal = {.status = rows[i / 2].status, .challenge = rows[i / 2].status == 401};
        struct fb_response response;
        struct fb_line fields[25];
        struct fb_advice advice;
        assert_true(fb_refusal_render(&refusal, &(struct fb_audience){.content_type = fb_span_z(types[i % 2])}, &desk->arena, &response));
        memcpy(fields, response.lines, response.lines_count * sizeof fields[0]);
        fields[response.lines_count] = (struct fb_line){FB_SPAN("Content-Type"), response.content_type};
        const struct fb_received seen = {.status = 200, .fields = fields, .fields_count = response.lines_count + 1, .body = response.body};
        const struct fb_client client = {.presented = refusal.status == 401 ? FB_PRESENTED_NONE : FB_PRESENTED_BEARER};
        fb_advise(&seen, &client, &desk->arena, &advice);
        if (advice.cure != rows[i / 2].cure)
            fail_msg("%s, %u: %d", types[i % 2], refusal.status, advice.cure);
    }
}

/* --- Metadata ------------------------------------------------------------------------------------------- */

static void test_metadata(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *resource, *uri, *path;  /* NULL: no identifier */
    } rows[] = {
        {"https://api.example", "https://api.example/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
        {"https://api.example/", "https://api.example/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
        {"https://api.example:8443/a/b", "https://api.example:8443/.well-known/oauth-protected-resource/a/b",
         "/.well-known/oauth-protected-resource/a/b"},
        {"http://127.0.0.1:8403", "http://127.0.0.1:8403/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
        {"api.example", NULL, NULL}, {"https://", NULL, NULL}, {"https:///x", NULL, NULL}, {"ftp://a", NULL, NULL},
        {"https://a?b", NULL, NULL}, {"https://a#b", NULL, NULL}, {"https://a\r\nb", NULL, NULL}, {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_span resource = fb_span_z(rows[i].resource);
        assert_int_equal(fb_resource_check(resource) == NULL, rows[i].uri != NULL);
        if (rows[i].uri == NULL)
            continue;
        struct fb_span uri = fb_metadata_uri(resource, &desk->arena);
        assert_true(fb_span_is(uri, rows[i].uri));
        assert_true(fb_span_is(fb_metadata_path(uri), rows[i].path));
    }
    const struct fb_metadata metadata = {.resource = FB_SPAN("https://a"), .issuers = (const struct fb_span[]){FB_SPAN("https://i")},
                                         .issuers_count = 1, .scopes = (const struct fb_span[]){FB_SPAN("a"), FB_SPAN("b\"")}, .scopes_count = 2};
    struct fb_response response;
    assert_true(fb_metadata_render(&metadata, &desk->arena, &response));
    assert_string_equal(fb_arena_text(&desk->arena, response.body),
                        "{\"resource\":\"https://a\",\"authorization_servers\":[\"https://i\"],\"scopes_supported\":[\"a\",\"b\\\"\"],"
                        "\"bearer_methods_supported\":[\"header\"]}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
    const struct CMUnitTest tests[] = {TEST(test_templates), TEST(test_filling), TEST(test_built_in), TEST(test_languages),
                                       TEST(test_bad_directories), TEST(test_cors_words), TEST(test_cors_fields),
                                       TEST(test_preflights), TEST(test_grpc), TEST(test_grpc_web), TEST(test_grpc_web_advised), TEST(test_metadata)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
