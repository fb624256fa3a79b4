/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of tests says of the server's location, in the words of its directives: whose tokens, what
 * happens to paths without a route, which scripts may call. */
#include "cli/test_reader.h"

/* Faults of words have no place of their own: it is the value that they stand in. */
static void place(struct fb_test_reader *r, size_t before, struct fb_range range)
{
    for (size_t i = before; i < r->tests->diags.count; i++)
        if (r->tests->diags.list[i].source == NULL) {
            r->tests->diags.list[i].source = r->file->source;
            r->tests->diags.list[i].range = range;
        }
}

bool fb_test_read_issuer(struct fb_test_reader *r, void *into)
{
    struct fb_test_file *file = into;
    struct fb_span words[FB_TEST_WORDS_MAX + 3] = {FB_SPAN(FB_TEST_ISSUER), FB_SPAN("jwks=made for the tests"),
                                                   FB_SPAN("audience=" FB_TEST_AUDIENCE)};
    struct fb_issuer issuer;
    size_t before = r->tests->diags.count;
    if (!fb_test_texts(r, file->issuer, FB_TEST_WORDS_MAX, &file->issuer_count,
                       "words as an issuer has them: \"parents=roles:Role\""))
        return false;
    memcpy(words + 3, file->issuer, file->issuer_count * sizeof *words);
    (void)fb_issuer_parse(words, 3 + file->issuer_count, &r->tests->arena, &issuer, &r->tests->diags);
    place(r, before, r->json.range);
    return true;
}

bool fb_test_read_unmatched(struct fb_test_reader *r, void *into)
{
    struct fb_test_file *file = into;
    const char *should = "\"404\", \"403\" or \"pass\"";
    struct fb_span text;
    if (!fb_test_text(r, &text, should))
        return false;
    if (fb_span_is(text, "403"))
        file->unmatched = FB_UNMATCHED_403;
    else if (fb_span_is(text, "pass"))
        file->unmatched = FB_UNMATCHED_PASS;
    else if (text.len != 0 && !fb_span_is(text, "404"))
        return fb_test_wrong(r, should);
    return true;
}

bool fb_test_read_cors(struct fb_test_reader *r, void *into)
{
    struct fb_test_file *file = into;
    struct fb_span words[FB_TEST_WORDS_MAX];
    size_t count = 0, before = r->tests->diags.count;
    if (!fb_test_texts(r, words, FB_TEST_WORDS_MAX, &count, "origins whose scripts may call, as forbid_cors has them"))
        return false;
    struct fb_cors *cors = fb_arena_alloc(&r->tests->arena, sizeof *cors);
    if (cors == NULL)
        return false;
    if (fb_cors_parse(words, count, &r->tests->arena, cors, &r->tests->diags))
        file->cors = cors;
    place(r, before, r->json.range);
    return true;
}

bool fb_test_read_resource(struct fb_test_reader *r, void *into)
{
    struct fb_test_file *file = into;
    if (!fb_test_text(r, &file->resource, "the API's identifier as a protected resource: \"https://api.example\""))
        return false;
    const char *wrong = file->resource.len != 0 ? fb_resource_check(file->resource) : NULL;
    if (wrong != NULL)
        fb_test_fault(r, "test.resource", r->json.range, "this %s", wrong);
    return true;
}
