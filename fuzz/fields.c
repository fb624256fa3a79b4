/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields.  The same input is read as each of them, whole and by its lines; what is written from it can
 * be read back and cannot end a field. */
#include "fuzz.h"

#include "http/http.h"

static void check_credentials(struct fb_span input)
{
    struct fb_http_credentials c;
    enum fb_http_credentials_kind kind = fb_http_read_credentials(input, &c);
    if (kind == FB_CREDENTIALS_BEARER)
        fuzz_must(fb_span_eq_nocase(c.scheme, FB_SPAN("bearer")) && fb_http_is_b64token(c.rest), "a bearer has a token");
    else if (kind == FB_CREDENTIALS_OTHER)
        fuzz_must(fb_http_is_token(c.scheme) && !fb_span_eq_nocase(c.scheme, FB_SPAN("bearer")), "a scheme is a token");
}

/* The value of a parameter with its escapes removed. */
static struct fb_span plain(struct fb_arena *arena, struct fb_span value, bool quoted)
{
    struct fb_span copy = fb_arena_copy(arena, value);
    char *out = fb_arena_alloc(arena, value.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < copy.len; i++) {
        if (quoted && copy.ptr[i] == '\\' && i + 1 < copy.len)
            i++;
        out[n++] = copy.ptr[i];
    }
    return fb_span(out, n);
}

/* Reads all parameters; how many, or -1 where the list is malformed. */
static int read_params(struct fb_arena *arena, struct fb_span list, struct fb_http_param *params, int room)
{
    struct fb_http_param param;
    enum fb_http_next next;
    bool quoted;
    int count = 0;
    while ((next = fb_http_next_param(&list, &param, &quoted)) == FB_HTTP_PARAM) {
        fuzz_must(fb_http_is_token(param.name), "a parameter's name is a token");
        if (count < room)
            params[count] = (struct fb_http_param){param.name, plain(arena, param.value, quoted)};
        count++;
    }
    return next == FB_HTTP_OVER ? count : -1;
}

/* What was read is written as a challenge, and read again. */
static void check_challenge(struct fb_arena *arena, struct fb_span input)
{
    struct fb_http_param params[FB_HTTP_PARAMS_MAX], again[FB_HTTP_PARAMS_MAX];
    int count = read_params(arena, input, params, FB_HTTP_PARAMS_MAX);
    struct fb_buffer out;
    if (count <= 0 || count > FB_HTTP_PARAMS_MAX)
        return;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    if (!fb_http_write_challenge(&out, FB_SPAN("Bearer"), params, (size_t)count)) {
        fuzz_must(out.len == 0, "what cannot be written leaves nothing");
    } else {
        struct fb_span text = fb_buffer_span(&out);
        fuzz_must_show(fb_http_is_field_value(text) && fb_span_starts(text, FB_SPAN("Bearer ")), "a challenge is a field", text);
        fuzz_must_show(read_params(arena, fb_span_from(text, 7), again, FB_HTTP_PARAMS_MAX) == count, "it reads back", text);
        for (int i = 0; i < count; i++)
            fuzz_must_show(fb_span_eq(params[i].name, again[i].name) && fb_span_eq(params[i].value, again[i].value),
                           "… as the same", text);
    }
    fb_buffer_release(&out);
}

static void check_link(struct fb_span input)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fuzz_must(!fb_http_is_uri(input) || input.len <= FB_HTTP_URI_MAX, "a URI has a limit");
    if (fb_http_write_link(&out, input, FB_SPAN("help")) || fb_http_write_link(&out, FB_SPAN("https://a/"), input))
        fuzz_must_show(fb_http_is_field_value(fb_buffer_span(&out)), "a link is a field", fb_buffer_span(&out));
    else
        fuzz_must(out.len == 0, "what cannot be written leaves nothing");
    fb_buffer_release(&out);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_span lines[8], rest = input;
    size_t count = 0;
    fuzz_must(!fb_http_is_method(input) || fb_http_is_token(input), "a method is a token");
    fuzz_must(!fb_http_is_field_name(input) || fb_http_is_token(input), "a field's name is a token");
    (void)fb_http_media_is(input, FB_SPAN("application/json"));
    check_credentials(input);
    check_challenge(arena, input);
    check_link(input);
    while (rest.len != 0 && count < 8)
        lines[count++] = fuzz_line(&rest);
    fuzz_must(fb_http_media_name(fb_http_negotiate(lines, count), true).len != 0, "some body is sent");
    for (size_t i = 0; i < count; i++)
        check_challenge(arena, lines[i]);
}
