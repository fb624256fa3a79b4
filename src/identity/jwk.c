/* SPDX-License-Identifier: Apache-2.0 */
/* One public key between its three forms: the numbers of a JWK, OpenSSL's EVP_PKEY, and the
 * canonical text of RFC 7638.  jwks.c reads the JSON around it. */
#include "identity/jwk.h"

#include "identity/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static const struct {
    const char *name;
    unsigned algorithm;
} names[] = {
    {"RS256", FB_RS256}, {"PS256", FB_PS256}, {"ES256", FB_ES256}, {"EdDSA", FB_EDDSA}, {"Ed25519", FB_EDDSA},
};

unsigned fb_algorithm_named(struct fb_span name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (fb_span_is(name, names[i].name)) {
            return names[i].algorithm;
        }
    }
    return 0;
}

unsigned fb_key_algorithms(enum fb_key_type type)
{
    switch (type) {
    case FB_KEY_RSA: return FB_RS256 | FB_PS256;
    case FB_KEY_EC: return FB_ES256;
    case FB_KEY_OKP: return FB_EDDSA;
    }
    return 0;
}

bool fb_sha256(struct fb_span bytes, unsigned char out[32])
{
    unsigned len = 0;
    return EVP_Digest(bytes.ptr, bytes.len, out, &len, EVP_sha256(), NULL) == 1 && len == 32;
}

/* Frees `params`. */
static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context == NULL || params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static const char *rsa_fault(const BIGNUM *n, const BIGNUM *e)
{
    int bits = BN_num_bits(n);
    if (bits < FB_RSA_BITS_MIN) {
        return "its modulus has fewer than 2048 bits";
    }
    if (bits > FB_RSA_BITS_MAX) {
        return "its modulus has more than 8192 bits";
    }
    if (!BN_is_odd(n)) {
        return "its modulus is even";
    }
    /* e = 1 would make every message its own signature; beyond 64 bits OpenSSL refuses to verify. */
    if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64) {
        return "its exponent is not an odd number from 3 to 64 bits";
    }
    return NULL;
}

static EVP_PKEY *rsa_key(const struct fb_jwk *jwk, const char **error)
{
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn(jwk->main, (int)jwk->main_len, NULL);
    BIGNUM *e = BN_bin2bn(jwk->side, (int)jwk->side_len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n != NULL && e != NULL && builder != NULL) {
        const char *fault = rsa_fault(n, e);
        if (fault != NULL) {
            *error = fault;
        } else if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
                   OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
            key = key_from_params("RSA", OSSL_PARAM_BLD_to_param(builder));
        }
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *ec_key(const struct fb_jwk *jwk, const char **error)
{
    if (jwk->main_len != 32 || jwk->side_len != 32) {
        *error = "its coordinates are not 32 bytes each";
        return NULL;
    }
    unsigned char point[65] = {4};      /* uncompressed, SEC 1 section 2.3.3 */
    memcpy(point + 1, jwk->main, 32);
    memcpy(point + 33, jwk->side, 32);
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1) {
        *error = "its point is not on the curve P-256";
        key = key_from_params("EC", OSSL_PARAM_BLD_to_param(builder));
    }
    OSSL_PARAM_BLD_free(builder);
    return key;
}

EVP_PKEY *fb_jwk_to_key(const struct fb_jwk *jwk, const char **error)
{
    *error = "OpenSSL does not take it";
    ERR_set_mark();
    EVP_PKEY *key = NULL;
    switch (jwk->type) {
    case FB_KEY_RSA:
        key = rsa_key(jwk, error);
        break;
    case FB_KEY_EC:
        key = ec_key(jwk, error);
        break;
    case FB_KEY_OKP:
        if (jwk->main_len == 32) {
            key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, jwk->main, 32);
        } else {
            *error = "its x is not 32 bytes";
        }
        break;
    }
    ERR_pop_to_mark();
    return key;
}

static bool number_of(EVP_PKEY *key, const char *name, unsigned char *out, size_t room, size_t width, size_t *len)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
        return false;
    }
    size_t need = width != 0 ? width : (size_t)BN_num_bytes(number);
    bool fits = need <= room && BN_bn2binpad(number, out, (int)need) == (int)need;
    *len = need;
    BN_free(number);
    return fits;
}

bool fb_jwk_from_key(EVP_PKEY *key, struct fb_jwk *jwk)
{
    *jwk = (struct fb_jwk){.type = FB_KEY_RSA};
    if (EVP_PKEY_is_a(key, "RSA")) {
        return number_of(key, OSSL_PKEY_PARAM_RSA_N, jwk->main, sizeof jwk->main, 0, &jwk->main_len) &&
               number_of(key, OSSL_PKEY_PARAM_RSA_E, jwk->side, sizeof jwk->side, 0, &jwk->side_len);
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        char group[32] = "";
        jwk->type = FB_KEY_EC;
        return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 && strcmp(group, "prime256v1") == 0 &&
               number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, jwk->main, sizeof jwk->main, 32, &jwk->main_len) &&
               number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, jwk->side, sizeof jwk->side, 32, &jwk->side_len);
    }
    jwk->type = FB_KEY_OKP;
    jwk->main_len = sizeof jwk->main;
    return EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_public_key(key, jwk->main, &jwk->main_len) == 1;
}

size_t fb_jwk_signature_len(const struct fb_jwk *jwk)
{
    return jwk->type == FB_KEY_RSA ? jwk->main_len : 64;
}

static void add_member(struct fb_buffer *out, const char *start, const unsigned char *bytes, size_t len)
{
    fb_buffer_add_z(out, start);
    fb_base64url_add(out, bytes, len);
    fb_buffer_add_char(out, '"');
}

void fb_jwk_write(const struct fb_jwk *jwk, struct fb_buffer *out)
{
    switch (jwk->type) {
    case FB_KEY_RSA:
        add_member(out, "{\"e\":\"", jwk->side, jwk->side_len);
        add_member(out, ",\"kty\":\"RSA\",\"n\":\"", jwk->main, jwk->main_len);
        break;
    case FB_KEY_EC:
        add_member(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", jwk->main, jwk->main_len);
        add_member(out, ",\"y\":\"", jwk->side, jwk->side_len);
        break;
    case FB_KEY_OKP:
        add_member(out, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"", jwk->main, jwk->main_len);
        break;
    }
    fb_buffer_add_char(out, '}');
}

bool fb_jwk_thumbprint(const struct fb_jwk *jwk, unsigned char out[32])
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 4096);
    fb_jwk_write(jwk, &text);
    bool done = !text.failed && fb_sha256(fb_buffer_span(&text), out);
    fb_buffer_release(&text);
    return done;
}
