/* SPDX-License-Identifier: Apache-2.0 */
/* The examples that the standards print: their keys, tokens and thumbprints. */
#include "fixture.h"

#include "identity/base64url.h"
#include "identity/jws.h"
#include "identity/verifier.h"

static const struct {
    const char *source, *jwk, *token, *payload;
} vectors[] = {
    {"RFC 7515 A.2",
     "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"
     "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQ"
     "OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9"
     "1kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}",
     "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
     "fQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr"
     "7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12"
     "jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
     "Ge77Rw",
     "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"},
    {"RFC 7515 A.3",
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
     "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
     "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
     "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"},
    {"RFC 8037 A.4",
     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4"
     "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
     "Example of Ed25519 signing"},
    {"RFC 7520 4.1",
     "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLw"
     "UBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQ"
     "LrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-t"
     "VTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\",\"e\":\"AQAB\"}",
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBG"
     "cm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgd"
     "GhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHo"
     "xnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYT"
     "h_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podG"
     "U0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
     "It\xe2\x80\x99s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't keep your "
     "feet, there\xe2\x80\x99s no knowing where you might be swept off to."},
};

static struct fb_jwks *one_key(struct fb_arena *arena, const char *jwk)
{
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    struct fb_source source = {FB_SPAN("vector"), fb_arena_format(arena, "{\"keys\":[%s]}", jwk)};
    struct fb_jwks *jwks = fb_jwks_read(&source, &diags, &fb_heap);
    assert_non_null(jwks);
    assert_int_equal(diags.count, 0);
    return jwks;
}

static void tokens(void **state)
{
    (void)state;
    struct fb_arena arena;
    struct fb_verifier verifier;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 20);
    assert_true(fb_verifier_init(&verifier));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct fb_jwks *jwks = one_key(&arena, vectors[i].jwk);
        struct fb_jws jws;
        const char *detail = NULL;
        expect_status(fb_jws_read(fb_span_z(vectors[i].token), &arena, &jws, &detail), FB_TOKEN_GOOD,
                      vectors[i].source, detail);
        assert_true(fb_span_is(jws.payload, vectors[i].payload));
        const struct fb_key *key = &jwks->keys[0];
        assert_true(fb_span_eq(key->kid, jws.kid));
        if (fb_verifier_check(&verifier, key, jws.algorithm, jws.signed_text, jws.signature, jws.signature_len) !=
            FB_SIGNATURE_GOOD) {
            fail_msg("%s", vectors[i].source);
        }
        /* One bit of the signed text turned over. */
        char *text = fb_arena_text(&arena, jws.signed_text);
        text[jws.signed_text.len - 1] ^= 1;
        assert_int_equal(fb_verifier_check(&verifier, key, jws.algorithm, fb_span(text, jws.signed_text.len),
                                           jws.signature, jws.signature_len),
                         FB_SIGNATURE_BAD);
        fb_jwks_free(jwks);
    }
    fb_verifier_release(&verifier);
    fb_arena_release(&arena);
}

static const struct {
    const char *jwk, *thumbprint;
} thumbprints[] = {
    /* RFC 7638 section 3.1 */
    {"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
     "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn"
     "Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
     "csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
     "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
    /* RFC 8037 A.3 */
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
};

static void thumbprint_of(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 20);
    for (size_t i = 0; i < sizeof thumbprints / sizeof thumbprints[0]; i++) {
        struct fb_jwks *jwks = one_key(&arena, thumbprints[i].jwk);
        unsigned char want[32];
        assert_true(fb_base64url_decode(fb_span_z(thumbprints[i].thumbprint), want));
        struct fb_jwks_key key = fb_jwks_at(jwks, 0);
        assert_memory_equal(key.thumbprint, want, 32);
        fb_jwks_free(jwks);
    }
    fb_arena_release(&arena);
}

static void der(void **state)
{
    (void)state;
    unsigned char pair[64] = {0}, out[FB_ECDSA_DER_MAX];
    /* Zeros are one byte each; OpenSSL refuses them as signatures. */
    assert_int_equal(fb_ecdsa_to_der(pair, out), 8);
    assert_memory_equal(out, "\x30\x06\x02\x01\x00\x02\x01\x00", 8);
    pair[31] = 0x7f;
    pair[62] = 0x80;
    assert_int_equal(fb_ecdsa_to_der(pair, out), 10);
    assert_memory_equal(out, "\x30\x08\x02\x01\x7f\x02\x03\x00\x80\x00", 10);
    memset(pair, 0xff, sizeof pair);
    assert_int_equal(fb_ecdsa_to_der(pair, out), FB_ECDSA_DER_MAX);
    assert_memory_equal(out, "\x30\x46\x02\x21\x00\xff", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tokens), cmocka_unit_test(thumbprint_of),
                                       cmocka_unit_test(der)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
