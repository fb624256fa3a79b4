/* SPDX-License-Identifier: Apache-2.0 */
/* One signature against one key.  Which key, and what the token says, is token.c's business.
 * Read RFC 7518 sections 3.3 to 3.5 and RFC 8037 section 3.1.
 *
 * OpenSSL keeps its errors in a queue of the thread, in which nginx's TLS looks for its own: so
 * each call here takes back what it left there. */
#include "identity/verifier.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <assert.h>

bool fb_verifier_init(struct fb_verifier *verifier)
{
    *verifier = (struct fb_verifier){.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL), .context = EVP_MD_CTX_new()};
    return verifier->sha256 != NULL && verifier->context != NULL;
}

void fb_verifier_release(struct fb_verifier *verifier)
{
    for (size_t i = 0; i < FB_VERIFIER_SLOTS; i++) {
        EVP_PKEY_CTX_free(verifier->slots[i].context);
    }
    EVP_MD_CTX_free(verifier->context);
    EVP_MD_free(verifier->sha256);
    *verifier = (struct fb_verifier){.sha256 = NULL};
}

static EVP_PKEY_CTX *new_context(const struct fb_verifier *verifier, const struct fb_key *key, unsigned algorithm)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ready = context != NULL && EVP_PKEY_verify_init(context) == 1;
    if (ready && key->type == FB_KEY_RSA) {
        bool pss = algorithm == FB_PS256;
        ready = EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, verifier->sha256) == 1;
        /* The salt is as long as the hash, no other length: RFC 7518 section 3.5. */
        ready = ready && (!pss || (EVP_PKEY_CTX_set_rsa_mgf1_md(context, verifier->sha256) == 1 &&
                                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1));
    }
    if (!ready) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    return context;
}

/* Keys are told apart by their material: a freed key's address may come back as another key. */
static EVP_PKEY_CTX *context_of(struct fb_verifier *verifier, const struct fb_key *key, unsigned algorithm)
{
    for (size_t i = 0; i < FB_VERIFIER_SLOTS; i++) {
        if (verifier->slots[i].context != NULL && verifier->slots[i].algorithm == algorithm &&
            memcmp(verifier->slots[i].thumbprint, key->thumbprint, sizeof key->thumbprint) == 0) {
            return verifier->slots[i].context;
        }
    }
    EVP_PKEY_CTX *context = new_context(verifier, key, algorithm);
    if (context != NULL) {
        unsigned slot = verifier->next++ % FB_VERIFIER_SLOTS;
        EVP_PKEY_CTX_free(verifier->slots[slot].context);
        verifier->slots[slot].context = context;
        verifier->slots[slot].algorithm = algorithm;
        memcpy(verifier->slots[slot].thumbprint, key->thumbprint, sizeof key->thumbprint);
    }
    return context;
}

/* A DER INTEGER: no leading zeros, but one before a set high bit. */
static size_t put_integer(const unsigned char *number, unsigned char *out)
{
    size_t skip = 0;
    while (skip < 31 && number[skip] == 0) {
        skip++;
    }
    size_t pad = number[skip] >> 7, len = 32 - skip;
    out[0] = 0x02;
    out[1] = (unsigned char)(len + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, number + skip, len);
    return 2 + pad + len;
}

size_t fb_ecdsa_to_der(const unsigned char signature[64], unsigned char out[FB_ECDSA_DER_MAX])
{
    size_t len = put_integer(signature, out + 2);
    len += put_integer(signature + 32, out + 2 + len);
    assert(len < 128);      /* so that one byte holds the length */
    out[0] = 0x30;
    out[1] = (unsigned char)len;
    return len + 2;
}

static enum fb_signature check_eddsa(struct fb_verifier *verifier, const struct fb_key *key,
                                     struct fb_span text, const unsigned char *signature, size_t len)
{
    (void)EVP_MD_CTX_reset(verifier->context);
    if (EVP_DigestVerifyInit_ex(verifier->context, NULL, NULL, NULL, NULL, key->pkey, NULL) != 1) {
        return FB_SIGNATURE_FAILED;
    }
    return EVP_DigestVerify(verifier->context, signature, len, (const unsigned char *)text.ptr, text.len) == 1
               ? FB_SIGNATURE_GOOD
               : FB_SIGNATURE_BAD;
}

static enum fb_signature check_digest(struct fb_verifier *verifier, const struct fb_key *key, unsigned algorithm,
                                      struct fb_span text, const unsigned char *signature, size_t len)
{
    unsigned char digest[32], der[FB_ECDSA_DER_MAX];
    unsigned digest_len = 0;
    EVP_PKEY_CTX *context = context_of(verifier, key, algorithm);
    if (context == NULL || EVP_Digest(text.ptr, text.len, digest, &digest_len, verifier->sha256, NULL) != 1) {
        return FB_SIGNATURE_FAILED;
    }
    if (algorithm == FB_ES256) {
        len = fb_ecdsa_to_der(signature, der);
        signature = der;
    }
    /* Whatever is not 1 is a bad signature: 0 for a wrong one, less for one that cannot be one. */
    return EVP_PKEY_verify(context, signature, len, digest, digest_len) == 1 ? FB_SIGNATURE_GOOD : FB_SIGNATURE_BAD;
}

enum fb_signature fb_verifier_check(struct fb_verifier *verifier, const struct fb_key *key, unsigned algorithm,
                                    struct fb_span signed_text, const unsigned char *signature, size_t len)
{
    assert((key->algorithms & algorithm) != 0);
    if ((key->algorithms & algorithm) == 0 || len != key->signature_len) {
        return FB_SIGNATURE_BAD;
    }
    ERR_set_mark();
    enum fb_signature result = algorithm == FB_EDDSA
                                   ? check_eddsa(verifier, key, signed_text, signature, len)
                                   : check_digest(verifier, key, algorithm, signed_text, signature, len);
    ERR_pop_to_mark();
    return result;
}
