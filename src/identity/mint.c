/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tokens for development: `forbid token`, the sample, the tests.  The one place that holds
 * private keys; nothing that serves requests comes here. */
#include "identity/mint.h"

#include "identity/base64url.h"
#include "identity/jwk.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX = 65536, KID_LEN = 43 };

struct fb_dev_key {
    const struct fb_allocator *allocator;
    EVP_PKEY *pkey;
    enum fb_dev_algorithm algorithm;
    struct fb_jwk jwk;
    char kid[KID_LEN];
};

static const char *const algorithm_names[] = {
    [FB_DEV_EDDSA] = "EdDSA", [FB_DEV_ES256] = "ES256", [FB_DEV_RS256] = "RS256", [FB_DEV_PS256] = "PS256"};

bool fb_dev_algorithm(struct fb_span name, enum fb_dev_algorithm *out)
{
    for (unsigned i = 0; i < sizeof algorithm_names / sizeof algorithm_names[0]; i++) {
        if (fb_span_is(name, algorithm_names[i])) {
            *out = (enum fb_dev_algorithm)i;
            return true;
        }
    }
    return false;
}

/* Always false and NULL-like, for `return`. */
static bool fault(const char **error, const char *text)
{
    if (error != NULL) {
        *error = text;
    }
    return false;
}

static bool set_kid(struct fb_dev_key *key)
{
    unsigned char thumbprint[32];
    struct fb_buffer text;
    fb_buffer_init(&text, key->allocator, 256);
    bool done = fb_jwk_thumbprint(&key->jwk, thumbprint);
    fb_base64url_add(&text, thumbprint, sizeof thumbprint);
    done = done && !text.failed && text.len == KID_LEN;
    if (done) {
        memcpy(key->kid, text.ptr, KID_LEN);
    }
    fb_buffer_release(&text);
    return done;
}

static enum fb_dev_algorithm algorithm_of(const struct fb_jwk *jwk, bool rsa_pss)
{
    switch (jwk->type) {
    case FB_KEY_RSA: return rsa_pss ? FB_DEV_PS256 : FB_DEV_RS256;
    case FB_KEY_EC: return FB_DEV_ES256;
    case FB_KEY_OKP: break;
    }
    return FB_DEV_EDDSA;
}

/* Takes `pkey`. */
static struct fb_dev_key *wrap(EVP_PKEY *pkey, bool rsa_pss, const struct fb_allocator *allocator, const char **error)
{
    struct fb_dev_key *key = fb_alloc(allocator, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        (void)fault(error, "there is no memory left");
        return NULL;
    }
    *key = (struct fb_dev_key){.allocator = allocator, .pkey = pkey};
    const char *unfit = "the key is none of Ed25519, EC on P-256, RSA of 2048 to 8192 bits";
    bool fits = fb_jwk_from_key(pkey, &key->jwk);
    if (fits && key->jwk.type == FB_KEY_RSA) {
        int bits = EVP_PKEY_get_bits(pkey);
        fits = bits >= FB_RSA_BITS_MIN && bits <= FB_RSA_BITS_MAX;
    }
    key->algorithm = algorithm_of(&key->jwk, rsa_pss);
    if (!fits || !set_kid(key)) {
        fb_dev_key_free(key);
        (void)fault(error, fits ? "there is no memory left" : unfit);
        return NULL;
    }
    return key;
}

struct fb_dev_key *fb_dev_key_new(enum fb_dev_algorithm algorithm, const struct fb_allocator *allocator,
                                  const char **error)
{
    EVP_PKEY *pkey = NULL;
    ERR_set_mark();
    switch (algorithm) {
    case FB_DEV_EDDSA: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    case FB_DEV_ES256: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); break;
    case FB_DEV_RS256:
    case FB_DEV_PS256: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048); break;
    }
    ERR_pop_to_mark();
    if (pkey == NULL) {
        (void)fault(error, "OpenSSL could not make a key");
        return NULL;
    }
    return wrap(pkey, algorithm == FB_DEV_PS256, allocator, error);
}

void fb_dev_key_free(struct fb_dev_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        fb_free(key->allocator, key, sizeof *key);
    }
}

/* PEM asks on the terminal for a password unless it is given a way to ask; ours has none to give. */
static int no_password(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

/* Up to PEM_MAX bytes of the open file into `bytes`; the count, or -1. */
static ssize_t read_all(int file, char *bytes)
{
    ssize_t len = 0, n;
    while ((n = read(file, bytes + len, (size_t)(PEM_MAX - len))) > 0) {
        len += n;
    }
    return n < 0 || len == PEM_MAX ? -1 : len;
}

static EVP_PKEY *read_pem(int file)
{
    char *bytes = OPENSSL_malloc(PEM_MAX);
    ssize_t len = bytes != NULL ? read_all(file, bytes) : -1;
    EVP_PKEY *pkey = NULL;
    if (len > 0) {
        ERR_set_mark();
        BIO *bio = BIO_new_mem_buf(bytes, (int)len);
        if (bio != NULL) {
            pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
        }
        BIO_free(bio);
        ERR_pop_to_mark();
    }
    OPENSSL_clear_free(bytes, PEM_MAX);
    return pkey;
}

struct fb_dev_key *fb_dev_key_load(const char *path, bool rsa_pss, const struct fb_allocator *allocator,
                                   const char **error)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)fault(error, "the key file cannot be opened");
    } else if ((info.st_mode & 077) != 0) {
        (void)fault(error, "others may read the key file; chmod 600 it");
    } else {
        EVP_PKEY *pkey = read_pem(file);
        close(file);
        if (pkey == NULL) {
            (void)fault(error, "the file holds no PEM private key without a password");
            return NULL;
        }
        return wrap(pkey, rsa_pss, allocator, error);
    }
    if (file >= 0) {
        close(file);
    }
    return NULL;
}

static bool write_all(int file, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t n = write(file, bytes, len);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return fsync(file) == 0;
}

bool fb_dev_key_save(const struct fb_dev_key *key, const char *path, const char **error)
{
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    long len = 0;
    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        len = BIO_get_mem_data(bio, &bytes);
    }
    bool done = false;
    int file = len > 0 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (len <= 0) {
        (void)fault(error, "OpenSSL could not write the key");
    } else if (file < 0) {
        (void)fault(error, "the key file cannot be made, or is there already");
    } else {
        done = write_all(file, bytes, (size_t)len);
        done = close(file) == 0 && done;
        if (!done) {
            (void)unlink(path);
            (void)fault(error, "the key file could not be written");
        }
    }
    BIO_free(bio);
    return done;
}

bool fb_dev_key_jwks(const struct fb_dev_key *key, struct fb_buffer *out)
{
    fb_buffer_add_z(out, "{\"keys\":[");
    fb_jwk_write(&key->jwk, out);
    if (!out->failed) {
        out->len--;     /* its closing brace: more members follow */
    }
    fb_buffer_add_format(out, ",\"kid\":\"%.*s\",\"alg\":\"%s\",\"use\":\"sig\"}]}\n", KID_LEN, key->kid,
                         algorithm_names[key->algorithm]);
    return !out->failed;
}

/* ES256's DER as r and s in 32 bytes each. */
static bool ecdsa_from_der(const unsigned char *der, size_t len, unsigned char out[64])
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool done = signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    return done;
}

static bool sign(const struct fb_dev_key *key, struct fb_span text, unsigned char *out, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const char *digest = key->algorithm == FB_DEV_EDDSA ? NULL : "SHA256";
    bool done = context != NULL &&
                EVP_DigestSignInit_ex(context, &options, digest, NULL, NULL, key->pkey, NULL) == 1;
    if (done && key->algorithm == FB_DEV_PS256) {
        done = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    done = done && EVP_DigestSign(context, out, len, (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(context);
    if (done && key->algorithm == FB_DEV_ES256) {
        unsigned char pair[64];
        done = ecdsa_from_der(out, *len, pair);
        memcpy(out, pair, sizeof pair);
        *len = sizeof pair;
    }
    return done;
}

bool fb_token_sign(const struct fb_dev_key *key, struct fb_span header, struct fb_span payload,
                   struct fb_buffer *out, const char **error)
{
    unsigned char signature[FB_JWK_MAIN_MAX];
    size_t len = sizeof signature, start = out->len;
    fb_base64url_add(out, header.ptr, header.len);
    fb_buffer_add_char(out, '.');
    fb_base64url_add(out, payload.ptr, payload.len);
    if (out->failed) {
        return fault(error, "the token is too large");
    }
    ERR_set_mark();
    bool done = sign(key, fb_span_from(fb_buffer_span(out), start), signature, &len);
    ERR_pop_to_mark();
    if (!done) {
        return fault(error, "OpenSSL could not sign");
    }
    fb_buffer_add_char(out, '.');
    fb_base64url_add(out, signature, len);
    return !out->failed || fault(error, "the token is too large");
}

static bool is_object(struct fb_span text, const struct fb_allocator *allocator)
{
    struct fb_arena arena;
    struct fb_json json;
    fb_arena_init(&arena, allocator, (size_t)1 << 20);
    fb_json_init(&json, text, &arena, (struct fb_json_limits){.depth = 16, .bytes = PEM_MAX, .keys = 256});
    bool object = fb_json_next(&json) == FB_JSON_OBJECT && fb_json_skip(&json) && fb_json_next(&json) == FB_JSON_END;
    fb_arena_release(&arena);
    return object;
}

bool fb_token_mint(const struct fb_dev_key *key, struct fb_span claims, struct fb_buffer *out, const char **error)
{
    if (!is_object(claims, key->allocator)) {
        return fault(error, "the claims are not a JSON object");
    }
    struct fb_buffer header;
    fb_buffer_init(&header, key->allocator, 256);
    fb_buffer_add_format(&header, "{\"alg\":\"%s\",\"kid\":\"%.*s\",\"typ\":\"at+jwt\"}", algorithm_names[key->algorithm],
                         KID_LEN, key->kid);
    bool done = header.failed ? fault(error, "there is no memory left")
                              : fb_token_sign(key, fb_buffer_span(&header), claims, out, error);
    fb_buffer_release(&header);
    return done;
}
