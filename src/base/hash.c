/* SPDX-License-Identifier: Apache-2.0 */
/* Two hashes: a fast one with a fixed seed for names, SipHash-2-4 under a key for the rest.
 *
 * The fast one folds 64 x 64 -> 128 bit products: the high half of a product depends on all bits
 * below, the low half on all bits above, and their exclusive or on nearly everything.  Inputs are
 * names of 4 to 40 bytes, so there is one product for 16 bytes and one to finish.  Its values are
 * in files: no change without a new version of the store's format. */
#include "base/hash.h"

__extension__ typedef unsigned __int128 wide;

/* The fractions of the square roots of 2, 3, 5 and 7, made odd. */
static const uint64_t salt[4] = {
    UINT64_C(0x6a09e667f3bcc909), UINT64_C(0xbb67ae8584caa73b),
    UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
};

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Little-endian on every machine; compilers make one load of it where they can. */
static inline uint64_t read_64(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24
         | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t read_32(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

/* The last up to 16 bytes are read as two words that overlap; together with the length that loses
 * nothing, and needs no loop. */
uint64_t fb_hash(struct fb_span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    uint64_t state = (uint64_t)bytes.len * salt[3] ^ salt[0];
    for (; left > 16; left -= 16, p += 16)
        state = fold(read_64(p) ^ salt[1], read_64(p + 8) ^ state);
    uint64_t first = 0, second = 0;
    if (left >= 8) {
        first = read_64(p);
        second = read_64(p + left - 8);
    } else if (left >= 4) {
        first = read_32(p);
        second = read_32(p + left - 4);
    } else if (left > 0) {
        first = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    return fold(fold(first ^ salt[1], second ^ state) ^ salt[2], state ^ salt[3]);
}

uint64_t fb_hash_join(uint64_t first, uint64_t second)
{
    return fold(fold(first ^ salt[0], second ^ salt[1]) ^ salt[2], first ^ salt[3]);
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* The paper's v0 to v3. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* All but the finish; `variant` goes into v1: 0xee where 128 bits are wanted. */
static inline struct sip sip_take(const struct fb_hash_key *key, struct fb_span bytes, uint64_t variant)
{
    struct sip s = {     /* "somepseudorandomlygeneratedbytes" */
        key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573),
    };
    s.v1 ^= variant;
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, p += 8)
        sip_word(&s, read_64(p));
    uint64_t last = (uint64_t)bytes.len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)p[i] << (8 * i);
    sip_word(&s, last);
    return s;
}

static inline uint64_t sip_finish(struct sip *s)
{
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t fb_hash_keyed(const struct fb_hash_key *key, struct fb_span bytes)
{
    struct sip s = sip_take(key, bytes, 0);
    s.v2 ^= 0xff;
    return sip_finish(&s);
}

uint64_t fb_hash_keyed_16(const struct fb_hash_key *key, const char bytes[16])
{
    const unsigned char *p = (const unsigned char *)bytes;
    uint64_t first = read_64(p) ^ key->k0, second = read_64(p + 8) ^ key->k1;
    return fold(fold(first, second ^ salt[1]) ^ key->k1, first ^ second ^ salt[2]);
}

void fb_hash_keyed_wide(const struct fb_hash_key *key, struct fb_span bytes, uint64_t hash[2])
{
    struct sip s = sip_take(key, bytes, 0xee);
    s.v2 ^= 0xee;
    hash[0] = sip_finish(&s);
    s.v1 ^= 0xdd;
    hash[1] = sip_finish(&s);
}
