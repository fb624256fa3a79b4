/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that somebody made to get in.  Each is refused, with the status that says why, and twice,
 * so that the first look leaves nothing behind that helps the second. */
#include "fixture.h"

#include "identity/base64url.h"

#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <unistd.h>

#define EDDSA "{\"alg\":\"EdDSA\"}"
#define HEAD "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"alice\","
#define EXP "\"exp\":1700000600"

/* Signed rightly, and still to be refused for its header or claims. */
static const struct {
    const char *header, *claims;
    enum fb_token_status status;
} signed_cases[] = {
    /* The algorithm. */
    {"{\"alg\":\"none\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"None\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"HS256\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"HS512\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"RS384\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"ES256K\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"eddsa\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"EdDSA \"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"EdDSA\\u0000\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"Ed448\"}", CLAIMS, FB_TOKEN_ALGORITHM},
    {"{\"alg\":\"RS256\"}", CLAIMS, FB_TOKEN_BAD_SIGNATURE},
    {"{\"alg\":\"ES256\"}", CLAIMS, FB_TOKEN_BAD_SIGNATURE},
    {"{}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":null}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":[\"EdDSA\"]}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"alg\":\"none\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"Alg\":\"EdDSA\"}", CLAIMS, FB_TOKEN_MALFORMED},
    /* The header. */
    {"", CLAIMS, FB_TOKEN_MALFORMED},
    {"[]", CLAIMS, FB_TOKEN_MALFORMED},
    {"\"EdDSA\"", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\"", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\"}}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",}", CLAIMS, FB_TOKEN_MALFORMED},
    {"\xef\xbb\xbf{\"alg\":\"EdDSA\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"crit\":[]}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"b64\":false,\"crit\":[\"b64\"]}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"b64\":true}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"typ\":\"secevent+jwt\"}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"typ\":1}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"kid\":\"nobody\"}", CLAIMS, FB_TOKEN_UNKNOWN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", CLAIMS, FB_TOKEN_UNKNOWN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":\"../../etc/passwd\"}", CLAIMS, FB_TOKEN_UNKNOWN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":0}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"kid\":null}", CLAIMS, FB_TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"a\":[[[[[[[[[1]]]]]]]]]}", CLAIMS, FB_TOKEN_MALFORMED},
    /* The payload as JSON. */
    {EDDSA, "", FB_TOKEN_MALFORMED},
    {EDDSA, "[]", FB_TOKEN_MALFORMED},
    {EDDSA, "null", FB_TOKEN_MALFORMED},
    {EDDSA, "alice", FB_TOKEN_MALFORMED},
    {EDDSA, CLAIMS " x", FB_TOKEN_MALFORMED},
    {EDDSA, CLAIMS CLAIMS, FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP, FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"sub\":\"admin\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"\\u0073ub\":\"admin\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"roles\":[],\"roles\":[\"admin\"]}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"a\":{\"b\":1,\"b\":2}}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"a\":\"\xed\xa0\x80\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"a\":\"\\ud800\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", FB_TOKEN_MALFORMED},
    /* iss, aud, sub. */
    {EDDSA, "{\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_UNKNOWN_ISSUER},
    {EDDSA, "{\"iss\":\"" ISSUER "/\",\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_UNKNOWN_ISSUER},
    {EDDSA, "{\"iss\":\"HTTPS://issuer.example\",\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_UNKNOWN_ISSUER},
    {EDDSA, "{\"iss\":\"" ISSUER "\\u0000\",\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_UNKNOWN_ISSUER},
    {EDDSA, "{\"iss\":[\"" ISSUER "\"],\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":null,\"aud\":\"api\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"other\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"API\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api other\",\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":[],\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"y\"],\"sub\":\"alice\"," EXP "}", FB_TOKEN_AUDIENCE},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":[\"api\",1],\"sub\":\"alice\"," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":{\"api\":1},\"sub\":\"alice\"," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":true,\"sub\":\"alice\"," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\"," EXP "}", FB_TOKEN_MISSING_CLAIM},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"\"," EXP "}", FB_TOKEN_MISSING_CLAIM},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":123," EXP "}", FB_TOKEN_MALFORMED},
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":[\"alice\"]," EXP "}", FB_TOKEN_MALFORMED},
    /* Times. */
    {EDDSA, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"alice\"}", FB_TOKEN_MISSING_CLAIM},
    {EDDSA, HEAD "\"exp\":\"1700000600\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":null}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":true}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":[1700000600]}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":-1}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":1700000600000}", FB_TOKEN_MALFORMED},     /* milliseconds */
    {EDDSA, HEAD "\"exp\":9223372036854775807}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":9223372036854775808}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":99999999999999999999999999}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":1e300}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":1e99999999999999999999}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD "\"exp\":1.6e9}", FB_TOKEN_EXPIRED},
    {EDDSA, HEAD "\"exp\":1699999970}", FB_TOKEN_EXPIRED},
    {EDDSA, HEAD EXP ",\"nbf\":\"0\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"nbf\":{}}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"nbf\":1700000031}", FB_TOKEN_NOT_YET},
    {EDDSA, HEAD EXP ",\"iat\":\"now\"}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"auth_time\":\"x\"}", FB_TOKEN_MALFORMED},
    /* What a policy would read. */
    {EDDSA, HEAD EXP ",\"scope\":1}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"scope\":[\"a\",null]}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"scp\":{\"a\":true}}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"acr\":1}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"amr\":[1]}", FB_TOKEN_MALFORMED},
    {EDDSA, HEAD EXP ",\"cnf\":{\"jkt\":\"x\"}}", FB_TOKEN_BOUND},
    {EDDSA, HEAD EXP ",\"cnf\":null}", FB_TOKEN_BOUND},
};

static void refuse_twice(struct fixture *f, struct fb_span token, enum fb_token_status status, const char *what)
{
    for (int round = 0; round < 2; round++) {
        expect_status(verify(f, token, NOW), status, what, f->bearer.detail);
        assert_non_null(f->bearer.detail);
    }
}

static void signed_but_wrong(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof signed_cases / sizeof signed_cases[0]; i++) {
        char what[400];
        snprintf(what, sizeof what, "%s . %s", signed_cases[i].header, signed_cases[i].claims);
        refuse_twice(f, sign(f, FB_DEV_EDDSA, signed_cases[i].header, signed_cases[i].claims), signed_cases[i].status,
                     what);
    }
}

static struct fb_span around(struct fixture *f, const char *before, struct fb_span text, const char *after)
{
    return fb_arena_format(&f->arena, "%s%.*s%s", before, (int)text.len, text.ptr, after);
}

/* Good tokens whose text was changed. */
static void changed_text(void **state)
{
    struct fixture *f = *state;
    for (unsigned k = 0; k < KEYS; k++) {
        struct fb_span good = mint(f, (enum fb_dev_algorithm)k, CLAIMS);
        size_t first = fb_span_find(good, '.'), second = first + 1 + fb_span_find(fb_span_from(good, first + 1), '.');
        struct fb_span head = fb_span_head(good, first), both = fb_span_head(good, second);
        struct fb_span payload = fb_span(good.ptr + first + 1, second - first - 1), tail = fb_span_from(good, second + 1);
        refuse_twice(f, around(f, "", good, "="), FB_TOKEN_MALFORMED, "padding");
        refuse_twice(f, around(f, "", good, "=="), FB_TOKEN_MALFORMED, "padding");
        refuse_twice(f, around(f, "", good, " "), FB_TOKEN_MALFORMED, "a blank behind");
        refuse_twice(f, around(f, "", good, "\n"), FB_TOKEN_MALFORMED, "a line end behind");
        refuse_twice(f, around(f, "", good, "."), FB_TOKEN_MALFORMED, "a fourth part");
        refuse_twice(f, around(f, "", good, "..x"), FB_TOKEN_MALFORMED, "JWE's five parts");
        refuse_twice(f, around(f, " ", good, ""), FB_TOKEN_MALFORMED, "a blank before");
        refuse_twice(f, around(f, ".", good, ""), FB_TOKEN_MALFORMED, "an empty part before");
        refuse_twice(f, around(f, "", good, "AA"), FB_TOKEN_BAD_SIGNATURE, "longer by bytes");
        refuse_twice(f, around(f, "", good, "AAAA"), FB_TOKEN_BAD_SIGNATURE, "longer by three bytes");
        refuse_twice(f, fb_span_head(good, good.len - 2), FB_TOKEN_BAD_SIGNATURE, "a byte shorter");
        refuse_twice(f, around(f, "", both, "."), FB_TOKEN_BAD_SIGNATURE, "no signature");
        refuse_twice(f, both, FB_TOKEN_MALFORMED, "two parts");
        refuse_twice(f, head, FB_TOKEN_MALFORMED, "one part");
        refuse_twice(f, fb_span("", 0), FB_TOKEN_MALFORMED, "nothing");
        refuse_twice(f, FB_SPAN(".."), FB_TOKEN_MALFORMED, "dots");
        refuse_twice(f, fb_arena_format(&f->arena, "%.*s..%.*s", (int)head.len, head.ptr, (int)tail.len, tail.ptr),
                     FB_TOKEN_MALFORMED, "no payload");
        refuse_twice(f, fb_arena_format(&f->arena, "%.*s.%.*s.%.*s", (int)payload.len, payload.ptr, (int)head.len,
                                        head.ptr, (int)tail.len, tail.ptr),
                     FB_TOKEN_MALFORMED, "parts exchanged");
        char *bytes = fb_arena_text(&f->arena, good);
        memset(bytes + second + 1, 'A', tail.len);
        refuse_twice(f, fb_span(bytes, good.len), FB_TOKEN_BAD_SIGNATURE, "zeros for a signature");
        memset(bytes + second + 1, '_', tail.len);
        bytes[good.len - 1] = 'w';
        refuse_twice(f, fb_span(bytes, good.len), FB_TOKEN_BAD_SIGNATURE, "ones for a signature");
        bytes = fb_arena_text(&f->arena, good);
        bytes[good.len - 1] = (char)(bytes[good.len - 1] + 1);   /* canonical last characters are even steps apart */
        refuse_twice(f, fb_span(bytes, good.len), FB_TOKEN_MALFORMED, "unused bits set");
    }
}

/* The signature of one token under the text of another, and what an attacker may turn of it. */
static void signature_arithmetic(void **state)
{
    struct fixture *f = *state;
    struct fb_span good = mint(f, FB_DEV_ES256, CLAIMS);
    size_t second = good.len - 87;
    assert_int_equal(good.ptr[second], '.');
    struct fb_span both = fb_span_head(good, second);
    unsigned char pair[64], changed[64], der[80];
    assert_true(fb_base64url_decode(fb_span_from(good, second + 1), pair));
    for (int part = 0; part < 4; part++) {
        static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2,
                                                0xfc, 0x63, 0x25, 0x51};
        memcpy(changed, pair, 64);
        if (part < 2) {
            memset(changed + 32 * part, 0, 32);                 /* r = 0, s = 0 */
        } else {
            memcpy(changed + 32 * (part - 2), order, 32);       /* r = n, s = n */
        }
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, 4096);
        fb_buffer_add(&text, both);
        fb_buffer_add_char(&text, '.');
        fb_base64url_add(&text, changed, 64);
        refuse_twice(f, fb_buffer_span(&text), FB_TOKEN_BAD_SIGNATURE, "r or s out of range");
        fb_buffer_release(&text);
    }
    /* The same signature in DER, as other software writes it. */
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 4096);
    fb_buffer_add(&text, both);
    fb_buffer_add_char(&text, '.');
    memcpy(der, "\x30\x44\x02\x20", 4);
    memcpy(der + 4, pair, 32);
    memcpy(der + 36, "\x02\x20", 2);
    memcpy(der + 38, pair + 32, 32);
    fb_base64url_add(&text, der, 70);
    refuse_twice(f, fb_buffer_span(&text), FB_TOKEN_BAD_SIGNATURE, "DER");
    fb_buffer_release(&text);
    expect_status(verify(f, good, NOW), FB_TOKEN_GOOD, "the token itself", f->bearer.detail);
}

/* An RSA key of the test's own, so that it can sign in ways that minting does not. */
struct rsa {
    EVP_PKEY *pkey;
    struct fb_dev_key *key;
    struct fb_issuers *any, *pinned;    /* without alg: RS256 and PS256; with alg RS256 */
};

static void rsa_make(struct fixture *f, struct rsa *rsa)
{
    char path[] = "/tmp/forbid-test-key-XXXXXX";
    rsa->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    FILE *file = fdopen(mkstemp(path), "w");
    assert_int_equal(PEM_write_PrivateKey(file, rsa->pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    rsa->key = fb_dev_key_load(path, false, &fb_heap, NULL);
    assert_non_null(rsa->key);
    unlink(path);
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 65536);
    assert_true(fb_dev_key_jwks(rsa->key, &text));
    rsa->pinned = issuers_of(f, fb_buffer_span(&text));
    char *alg = strstr(text.ptr, ",\"alg\":\"RS256\"");
    assert_non_null(alg);
    memset(alg, ' ', strlen(",\"alg\":\"RS256\""));
    rsa->any = issuers_of(f, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

static void rsa_drop(struct rsa *rsa)
{
    fb_issuers_free(rsa->any);
    fb_issuers_free(rsa->pinned);
    fb_dev_key_free(rsa->key);
    EVP_PKEY_free(rsa->pkey);
}

/* Salt -2: PKCS #1 v1.5. */
static void rsa_sign(struct rsa *rsa, const char *header, const char *digest, int salt, struct fb_buffer *out)
{
    unsigned char signature[256];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    fb_buffer_clear(out);
    fb_base64url_add(out, header, strlen(header));
    fb_buffer_add_char(out, '.');
    fb_base64url_add(out, CLAIMS, strlen(CLAIMS));
    assert_int_equal(EVP_DigestSignInit_ex(context, &options, digest, NULL, NULL, rsa->pkey, NULL), 1);
    if (salt != -2) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &len, (unsigned char *)out->ptr, out->len), 1);
    EVP_MD_CTX_free(context);
    fb_buffer_add_char(out, '.');
    fb_base64url_add(out, signature, len);
}

static void rsa_schemes(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *header, *digest;
        int salt;
        enum fb_token_status any, pinned;
    } table[] = {
        {"{\"alg\":\"RS256\"}", "SHA256", -2, FB_TOKEN_GOOD, FB_TOKEN_GOOD},
        {"{\"alg\":\"PS256\"}", "SHA256", 32, FB_TOKEN_GOOD, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA256", 0, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA256", 20, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA256", 31, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA256", 33, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA256", 222, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"PS256\"}", "SHA1", 32, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"RS256\"}", "SHA1", -2, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_BAD_SIGNATURE},
        {"{\"alg\":\"RS256\"}", "SHA512", -2, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_BAD_SIGNATURE},
        {"{\"alg\":\"RS256\"}", "SHA256", 32, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_BAD_SIGNATURE},
        {"{\"alg\":\"PS256\"}", "SHA256", -2, FB_TOKEN_BAD_SIGNATURE, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"ES256\"}", "SHA256", -2, FB_TOKEN_ALGORITHM, FB_TOKEN_ALGORITHM},
        {"{\"alg\":\"HS256\"}", "SHA256", -2, FB_TOKEN_ALGORITHM, FB_TOKEN_ALGORITHM},
    };
    struct rsa rsa;
    struct fb_buffer text;
    rsa_make(f, &rsa);
    fb_buffer_init(&text, &fb_heap, 65536);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        rsa_sign(&rsa, table[i].header, table[i].digest, table[i].salt, &text);
        expect_status(fb_tokens_verify(f->tokens, rsa.any, fb_buffer_span(&text), NOW, &f->bearer), table[i].any,
                      table[i].header, f->bearer.detail);
        expect_status(fb_tokens_verify(f->tokens, rsa.pinned, fb_buffer_span(&text), NOW, &f->bearer), table[i].pinned,
                      table[i].header, f->bearer.detail);
    }
    fb_buffer_release(&text);
    rsa_drop(&rsa);
}

/* Algorithm confusion: an HMAC whose secret is the public key that everybody can read, in each form
 * that a verifier might take it for one. */
static void public_key_as_secret(void **state)
{
    struct fixture *f = *state;
    struct rsa rsa;
    rsa_make(f, &rsa);
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, rsa.pkey), 1);
    long pem_len = BIO_get_mem_data(bio, &pem);
    const struct fb_span secrets[] = {fb_span(pem, (size_t)pem_len), fb_buffer_span(&f->jwks), FB_SPAN("")};
    static const char *const alg_headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"none\"}",
                                              "{\"alg\":\"hs256\",\"typ\":\"JWT\"}"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        for (size_t j = 0; j < sizeof alg_headers / sizeof alg_headers[0]; j++) {
            struct fb_buffer text;
            unsigned char mac[32];
            unsigned len = 0;
            fb_buffer_init(&text, &fb_heap, 65536);
            fb_base64url_add(&text, alg_headers[j], strlen(alg_headers[j]));
            fb_buffer_add_char(&text, '.');
            fb_base64url_add(&text, CLAIMS, strlen(CLAIMS));
            assert_non_null(HMAC(EVP_sha256(), secrets[i].ptr, (int)secrets[i].len, (unsigned char *)text.ptr, text.len,
                                 mac, &len));
            fb_buffer_add_char(&text, '.');
            fb_base64url_add(&text, mac, len);
            enum fb_token_status want = j == 1 ? FB_TOKEN_BAD_SIGNATURE : FB_TOKEN_ALGORITHM;
            expect_status(fb_tokens_verify(f->tokens, rsa.any, fb_buffer_span(&text), NOW, &f->bearer), want,
                          alg_headers[j], f->bearer.detail);
            fb_buffer_release(&text);
        }
    }
    BIO_free(bio);
    rsa_drop(&rsa);
}

static void sizes(void **state)
{
    struct fixture *f = *state;
    static char big[40000], claims[41000];
    static const size_t fits = 11700;       /* the token is then just below the limit */
    memset(big, 'x', sizeof big - 1);
    snprintf(claims, sizeof claims, HEAD EXP ",\"x\":\"%.*s\"}", (int)fits, big);
    struct fb_span token = mint(f, FB_DEV_EDDSA, claims);
    assert_true(token.len > FB_TOKEN_MAX - 1000 && token.len <= FB_TOKEN_MAX);
    expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "large", f->bearer.detail);
    snprintf(claims, sizeof claims, HEAD EXP ",\"x\":\"%.*s\"}", 13000, big);
    refuse_twice(f, mint(f, FB_DEV_EDDSA, claims), FB_TOKEN_TOO_LARGE, "too large");
    refuse_twice(f, fb_span(big, FB_TOKEN_MAX), FB_TOKEN_MALFORMED, "no dots");
    refuse_twice(f, fb_span(big, FB_TOKEN_MAX + 1), FB_TOKEN_TOO_LARGE, "no dots");
    memset(big, '.', sizeof big - 1);
    refuse_twice(f, fb_span(big, FB_TOKEN_MAX), FB_TOKEN_MALFORMED, "all dots");
    size_t len = 0;
    for (int i = 0; i <= FB_TOKEN_CLAIMS_MAX; i++) {
        len += (size_t)snprintf(claims + len, sizeof claims - len, "%s\"c%d\":%d", i == 0 ? "{" : ",", i, i);
    }
    snprintf(claims + len, sizeof claims - len, "}");
    refuse_twice(f, sign(f, FB_DEV_EDDSA, EDDSA, claims), FB_TOKEN_MALFORMED, "257 claims");
    /* Strings, the smallest there are, as many as fit. */
    len = (size_t)snprintf(claims, sizeof claims, HEAD EXP ",\"roles\":[\"\"");
    while (len < fits) {
        len += (size_t)snprintf(claims + len, sizeof claims - len, ",\"\"");
    }
    snprintf(claims + len, sizeof claims - len, "]}");
    expect_status(verify(f, mint(f, FB_DEV_EDDSA, claims), NOW), FB_TOKEN_GOOD, "many strings", f->bearer.detail);
}

/* More keys without a kid than are tried, each a candidate. */
static void tries_are_limited(void **state)
{
    struct fixture *f = *state;
    struct fb_buffer text;
    struct fb_dev_key *keys[FB_TOKEN_TRIES + 1];
    fb_buffer_init(&text, &fb_heap, 65536);
    fb_buffer_add_z(&text, "{\"keys\":[");
    for (int i = 0; i <= FB_TOKEN_TRIES; i++) {
        struct fb_buffer one;
        keys[i] = fb_dev_key_new(FB_DEV_EDDSA, &fb_heap, NULL);
        fb_buffer_init(&one, &fb_heap, 4096);
        assert_true(fb_dev_key_jwks(keys[i], &one));
        fb_buffer_add_format(&text, "%s%.*s", i == 0 ? "" : ",", (int)(one.len - 12), one.ptr + 9);
        fb_buffer_release(&one);
    }
    fb_buffer_add_z(&text, "]}");
    struct fb_issuers *issuers = issuers_of(f, fb_buffer_span(&text));
    for (int i = 0; i <= FB_TOKEN_TRIES; i++) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 4096);
        assert_true(fb_token_sign(keys[i], FB_SPAN(EDDSA), FB_SPAN(CLAIMS), &out, NULL));
        expect_status(fb_tokens_verify(f->tokens, issuers, fb_buffer_span(&out), NOW, &f->bearer),
                      i < FB_TOKEN_TRIES ? FB_TOKEN_GOOD : FB_TOKEN_BAD_SIGNATURE, "no kid", f->bearer.detail);
        fb_buffer_clear(&out);
        assert_true(fb_token_mint(keys[i], FB_SPAN(CLAIMS), &out, NULL));
        expect_status(fb_tokens_verify(f->tokens, issuers, fb_buffer_span(&out), NOW, &f->bearer), FB_TOKEN_GOOD, "kid",
                      f->bearer.detail);
        fb_buffer_release(&out);
        fb_dev_key_free(keys[i]);
    }
    fb_issuers_free(issuers);
    fb_buffer_release(&text);
}

/* Bytes of good tokens replaced at random: none but the token itself is ever good. */
static void random_changes(void **state)
{
    struct fixture *f = *state;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\"";
    uint64_t random = 88172645463325252u;
    for (unsigned k = 0; k < KEYS; k++) {
        struct fb_span good = mint(f, (enum fb_dev_algorithm)k, CLAIMS);
        char *text = fb_arena_text(&f->arena, good);
        for (int i = 0; i < 3000; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t at = (size_t)(random >> 8) % good.len;
            char byte = alphabet[(random >> 40) % (sizeof alphabet - 1)];
            size_t len = (random & 15) == 0 ? at : good.len;
            text[at] = byte;
            bool same = len == good.len && byte == good.ptr[at];
            assert_int_equal(verify(f, fb_span(text, len), NOW) == FB_TOKEN_GOOD, same);
            text[at] = good.ptr[at];
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_but_wrong), cmocka_unit_test(changed_text), cmocka_unit_test(signature_arithmetic),
        cmocka_unit_test(rsa_schemes), cmocka_unit_test(public_key_as_secret), cmocka_unit_test(sizes),
        cmocka_unit_test(tries_are_limited), cmocka_unit_test(random_changes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
