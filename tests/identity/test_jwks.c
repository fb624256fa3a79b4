/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets: what is taken, what is passed over, what refuses the file. */
#include "fixture.h"

#include "identity/base64url.h"

#include <stdio.h>

#define RSA_N "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC" \
    "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6" \
    "65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW" \
    "yuXpoQ\""
#define EC_XY "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ED_X "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

/* `keys`: "kid:algorithms;" of each that is usable, or NULL if the set is refused.  `codes`: those of
 * the diagnostics. */
static const struct {
    const char *text, *keys, *codes;
} table[] = {
    {"{\"keys\":[{" RSA_N "}]}", ":RS256 PS256;", ""},
    {"{\"keys\":[{" RSA_N ",\"alg\":\"RS256\",\"kid\":\"a\"}]}", "a:RS256;", ""},
    {"{\"keys\":[{" RSA_N ",\"alg\":\"PS256\",\"kid\":\"a\"}]}", "a:PS256;", ""},
    {"{\"keys\":[{" EC_XY "},{" ED_X "}]}", ":ES256;:EdDSA;", ""},
    {"{\"keys\":[{" EC_XY ",\"alg\":\"ES256\"},{" ED_X ",\"alg\":\"EdDSA\"}]}", ":ES256;:EdDSA;", ""},
    {"{\"keys\":[{" ED_X ",\"alg\":\"Ed25519\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}]}", ":EdDSA;", ""},
    {" {\"x\":[1,{}],\"keys\":[{\"z\":null," ED_X ",\"x5c\":[\"a\"],\"ext\":true}]} \n", ":EdDSA;", ""},
    /* Keys for other purposes are passed over. */
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"use\":\"enc\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"key_ops\":[\"encrypt\"]}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"key_ops\":[]}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"key_ops\":\"verify\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":\"RS384\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":\"RSA-OAEP\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":\"ES256\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":\"HS256\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":\"none\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"alg\":7}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"kid\":7}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{" EC_XY ",\"use\":\"\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}]}", ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
     ":EdDSA;", "jwks.unusable"},
    {"{\"keys\":[{" ED_X "},{\"kty\":\"PQC\"},{}]}", ":EdDSA;", "jwks.unusable jwks.unusable"},
    /* Keys that are none. */
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]}", NULL, "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}", NULL, "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}]}", NULL,
     "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}]}", NULL,
     "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}]}", NULL, "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}", NULL, "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}", NULL,
     "jwks.unusable jwks.no_usable_key"},
    {"{\"keys\":[]}", NULL, "jwks.no_usable_key"},
    /* Secrets. */
    {"{\"keys\":[{" ED_X "},{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", NULL, "jwks.symmetric"},
    {"{\"keys\":[{" ED_X "},{" RSA_N ",\"k\":\"AAAA\"}]}", NULL, "jwks.symmetric"},
    {"{\"keys\":[{" ED_X ",\"d\":\"AAAA\"}]}", ":EdDSA;", "jwks.private"},
    {"{\"keys\":[{" RSA_N ",\"p\":\"AAAA\",\"oth\":[]}]}", ":RS256 PS256;", "jwks.private"},
    /* The same kid, and the same key. */
    {"{\"keys\":[{" ED_X ",\"kid\":\"a\"},{" EC_XY ",\"kid\":\"a\"}]}", "a:EdDSA;a:ES256;", ""},
    {"{\"keys\":[{" ED_X ",\"kid\":\"a\"},{" ED_X ",\"kid\":\"a\"}]}", "a:EdDSA;", ""},
    {"{\"keys\":[{" ED_X ",\"kid\":\"a\"},{" ED_X ",\"kid\":\"b\"}]}", "a:EdDSA;b:EdDSA;", ""},
    {"{\"keys\":[{" ED_X ",\"kid\":\"a\"},{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"x\":\"l8tGrhB2kT0kQ2RTqbR1bLT5ENzXkhUdbAfnEY0kBMg\"}]}", "a:EdDSA;a:EdDSA;", "jwks.duplicate_kid"},
    /* JSON. */
    {"", NULL, "json.unfinished"},
    {"[]", NULL, "jwks.shape"},
    {"{}", NULL, "jwks.shape"},
    {"{\"keys\":{}}", NULL, "jwks.shape"},
    {"{" ED_X "}", NULL, "jwks.shape"},
    {"{\"keys\":[1]}", NULL, "jwks.key"},
    {"{\"keys\":[{" ED_X "}]} x", NULL, "json.unexpected"},
    {"{\"keys\":[{" ED_X "}", NULL, "json.unfinished"},
    {"{\"keys\":[{" ED_X ",\"kid\":\"a\",\"kid\":\"b\"}]}", NULL, "json.duplicate_key"},
    {"{\"keys\":[{" ED_X "}],\"keys\":[{" EC_XY "}]}", NULL, "json.duplicate_key"},
    {"{\"keys\":[{\"a\":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}]}", NULL, "json.too_deep"},
};

/* Reads, and compares what came out. */
static void expect(struct fixture *f, struct fb_span text, const char *keys, const char *codes)
{
    char got_codes[400] = "", got_keys[400] = "";
    struct fb_diags diags;
    fb_diags_init(&diags, &f->arena);
    struct fb_source source = {FB_SPAN("jwks.json"), text};
    struct fb_jwks *jwks = fb_jwks_read(&source, &diags, &fb_heap);
    for (size_t i = 0; i < diags.count; i++) {
        size_t len = strlen(got_codes);
        snprintf(got_codes + len, sizeof got_codes - len, "%s%s", i == 0 ? "" : " ", diags.list[i].code);
        assert_true(diags.list[i].range.start <= diags.list[i].range.end && diags.list[i].range.end <= text.len);
    }
    for (size_t i = 0; jwks != NULL && i < fb_jwks_count(jwks); i++) {
        struct fb_jwks_key key = fb_jwks_at(jwks, i);
        size_t len = strlen(got_keys);
        snprintf(got_keys + len, sizeof got_keys - len, "%.*s:%s;", (int)key.kid.len, key.kid.ptr, key.algorithms);
    }
    if (strcmp(got_codes, codes) != 0 || strcmp(got_keys, keys != NULL ? keys : "") != 0 ||
        (jwks != NULL) != (keys != NULL)) {
        fail_msg("%.*s: %s, %s", (int)text.len, text.ptr, got_keys, got_codes);
    }
    fb_jwks_free(jwks);
}

static void sets(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        expect(f, fb_span_z(table[i].text), table[i].keys, table[i].codes);
    }
}

/* RSA keys by their numbers: `bytes` of 0xff with `first` and `last` set, behind `zeros`. */
static const struct {
    size_t bytes, zeros;
    unsigned char first, last;
    const char *e;
    bool usable;
} rsa_table[] = {
    {256, 0, 0xff, 0xff, "AQAB", true},  {256, 0, 0x80, 0x01, "AQAB", true},   {256, 0, 0x7f, 0xff, "AQAB", false},
    {255, 0, 0xff, 0xff, "AQAB", false}, {128, 0, 0xff, 0xff, "AQAB", false},  {1, 0, 0xff, 0xff, "AQAB", false},
    {1024, 0, 0xff, 0xff, "AQAB", true}, {1025, 0, 0x01, 0xff, "AQAB", false}, {2048, 0, 0xff, 0xff, "AQAB", false},
    {256, 0, 0xff, 0xfe, "AQAB", false}, {256, 1, 0xff, 0xff, "AQAB", true},   {255, 1, 0xff, 0xff, "AQAB", false},
    {256, 0, 0xff, 0xff, "Aw", true},    {256, 0, 0xff, 0xff, "AQ", false},    {256, 0, 0xff, 0xff, "AA", false},
    {256, 0, 0xff, 0xff, "", false},     {256, 0, 0xff, 0xff, "BA", false},    {256, 0, 0xff, 0xff, "AAEAAQ", true},
    {256, 0, 0xff, 0xff, "_________-8", true}, {256, 0, 0xff, 0xff, "Af________-8", false},
};

static void rsa_numbers(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rsa_table / sizeof rsa_table[0]; i++) {
        unsigned char n[2100];
        struct fb_buffer text;
        memset(n, 0xff, sizeof n);
        memset(n, 0, rsa_table[i].zeros);
        n[rsa_table[i].zeros] = rsa_table[i].first;
        n[rsa_table[i].zeros + rsa_table[i].bytes - 1] = rsa_table[i].last;
        fb_buffer_init(&text, &fb_heap, 65536);
        fb_buffer_add_format(&text, "{\"keys\":[{" ED_X "},{\"kid\":\"%zu\",\"kty\":\"RSA\",\"e\":\"%s\",\"n\":\"", i,
                             rsa_table[i].e);
        fb_base64url_add(&text, n, rsa_table[i].zeros + rsa_table[i].bytes);
        fb_buffer_add_z(&text, "\"}]}");
        char keys[64];
        snprintf(keys, sizeof keys, ":EdDSA;%zu:RS256 PS256;", i);
        expect(f, fb_buffer_span(&text), rsa_table[i].usable ? keys : ":EdDSA;",
               rsa_table[i].usable ? "" : "jwks.unusable");
        fb_buffer_release(&text);
    }
}

static void limits(void **state)
{
    struct fixture *f = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)4 << 20);
    for (int count = 255; count <= 256; count++) {
        fb_buffer_clear(&text);
        fb_buffer_add_z(&text, "{\"keys\":[{" ED_X "}");
        for (int i = 0; i < count; i++) {
            fb_buffer_add_z(&text, ",{" ED_X "}");
        }
        fb_buffer_add_z(&text, "]}");
        expect(f, fb_buffer_span(&text), count == 255 ? ":EdDSA;" : NULL, count == 255 ? "" : "jwks.too_many");
    }
    fb_buffer_clear(&text);
    fb_buffer_add_z(&text, "{\"keys\":[{" ED_X "}]}");
    while (text.len < FB_JWKS_BYTES_MAX) {
        fb_buffer_add_char(&text, ' ');
    }
    expect(f, fb_buffer_span(&text), ":EdDSA;", "");
    fb_buffer_add_char(&text, ' ');
    expect(f, fb_span(text.ptr, FB_JWKS_BYTES_MAX + 1), NULL, "json.too_long");
    for (int len = FB_KID_MAX; len <= FB_KID_MAX + 1; len++) {
        char keys[400];
        fb_buffer_clear(&text);
        fb_buffer_add_format(&text, "{\"keys\":[{" EC_XY "},{" ED_X ",\"kid\":\"%0*d\"}]}", len, 0);
        snprintf(keys, sizeof keys, ":ES256;%0*d:EdDSA;", len, 0);
        expect(f, fb_buffer_span(&text), len == FB_KID_MAX ? keys : ":ES256;", len == FB_KID_MAX ? "" : "jwks.unusable");
    }
    fb_buffer_release(&text);
}

static void messages(void **state)
{
    struct fixture *f = *state;
    struct fb_diags diags;
    struct fb_source source = {FB_SPAN("k"), FB_SPAN("{\"keys\":[{" ED_X "},{" RSA_N ",\"use\":\"enc\",\"kid\":\"a\"}]}")};
    fb_diags_init(&diags, &f->arena);
    struct fb_jwks *jwks = fb_jwks_read(&source, &diags, &fb_heap);
    assert_true(fb_span_is(diags.list[0].message, "this key is passed over: its use is not \"sig\" (kid \"a\")"));
    assert_int_equal(diags.list[0].severity, FB_WARNING);
    fb_jwks_free(jwks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets), cmocka_unit_test(rsa_numbers), cmocka_unit_test(limits),
                                       cmocka_unit_test(messages)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
