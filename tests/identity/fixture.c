/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

void jwks_of(struct fb_dev_key *const keys[KEYS], unsigned mask, struct fb_buffer *out)
{
    const struct fb_span start = FB_SPAN("{\"keys\":["), end = FB_SPAN("]}\n");
    bool first = true;
    fb_buffer_add(out, start);
    for (unsigned i = 0; i < KEYS; i++) {
        if ((mask & 1u << i) != 0) {
            struct fb_buffer one;
            fb_buffer_init(&one, &fb_heap, 65536);
            assert_true(fb_dev_key_jwks(keys[i], &one));
            fb_buffer_add_z(out, first ? "" : ",");
            fb_buffer_add(out, fb_span(one.ptr + start.len, one.len - start.len - end.len));
            fb_buffer_release(&one);
            first = false;
        }
    }
    fb_buffer_add(out, end);
}

static const struct fb_span audiences[] = {{3, "api"}};

struct fb_issuer plain_issuer(void)
{
    return (struct fb_issuer){.url = FB_SPAN(ISSUER), .audiences = audiences, .audiences_count = 1,
                              .principal = FB_SPAN("User"), .claim = FB_SPAN("sub"), .leeway_s = 30};
}

struct fb_issuers *issuers_with(struct fixture *f, const struct fb_issuer *issuer, struct fb_span jwks)
{
    struct fb_source source = {FB_SPAN("jwks.json"), jwks};
    struct fb_issuers *issuers = fb_issuers_new(&fb_heap);
    struct fb_jwks *keys = fb_jwks_read(&source, &f->diags, &fb_heap);
    if (keys == NULL || !fb_issuers_add(issuers, issuer, keys, &f->diags)) {
        fail_msg("%.*s", (int)f->diags.list[0].message.len, f->diags.list[0].message.ptr);
    }
    return issuers;
}

struct fb_issuers *issuers_of(struct fixture *f, struct fb_span jwks)
{
    const struct fb_issuer issuer = plain_issuer();
    return issuers_with(f, &issuer, jwks);
}

int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fb_arena_init(&f->arena, &fb_heap, (size_t)256 << 20);
    fb_diags_init(&f->diags, &f->arena);
    for (unsigned i = 0; i < KEYS; i++) {
        f->keys[i] = fb_dev_key_new((enum fb_dev_algorithm)i, &fb_heap, NULL);
        assert_non_null(f->keys[i]);
    }
    fb_buffer_init(&f->jwks, &fb_heap, 65536);
    jwks_of(f->keys, 0xf, &f->jwks);
    f->issuers = issuers_of(f, fb_buffer_span(&f->jwks));
    f->tokens = fb_tokens_new(&fb_heap, 64, 0);
    assert_non_null(f->tokens);
    *state = f;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *f = *state;
    fb_tokens_free(f->tokens);
    fb_issuers_free(f->issuers);
    fb_buffer_release(&f->jwks);
    for (unsigned i = 0; i < KEYS; i++) {
        fb_dev_key_free(f->keys[i]);
    }
    fb_arena_release(&f->arena);
    free(f);
    return 0;
}

static struct fb_span taken(struct fixture *f, struct fb_buffer *out)
{
    struct fb_span token = fb_arena_copy(&f->arena, fb_buffer_span(out));
    fb_buffer_release(out);
    return token;
}

struct fb_span mint(struct fixture *f, enum fb_dev_algorithm algorithm, const char *claims)
{
    struct fb_buffer out;
    const char *error = NULL;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    if (!fb_token_mint(f->keys[algorithm], fb_span_z(claims), &out, &error)) {
        fail_msg("%s", error);
    }
    return taken(f, &out);
}

struct fb_span sign(struct fixture *f, enum fb_dev_algorithm algorithm, const char *header, const char *claims)
{
    struct fb_buffer out;
    const char *error = NULL;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    if (!fb_token_sign(f->keys[algorithm], fb_span_z(header), fb_span_z(claims), &out, &error)) {
        fail_msg("%s", error);
    }
    return taken(f, &out);
}

enum fb_token_status verify(struct fixture *f, struct fb_span token, int64_t now)
{
    return fb_tokens_verify(f->tokens, f->issuers, token, now, &f->bearer);
}

void expect_status(enum fb_token_status got, enum fb_token_status want, const char *what, const char *detail)
{
    if (got != want) {
        fail_msg("%s: %s (%s), not %s", what, fb_token_status_name(got), detail != NULL ? detail : "",
                 fb_token_status_name(want));
    }
}
