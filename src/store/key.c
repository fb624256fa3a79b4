/* SPDX-License-Identifier: Apache-2.0 */
/* Uids as keys of tables.  layout.h draws the form; the aim is that a key is exact wherever it can
 * be, sorts as people expect, and keeps the rows behind it aligned. */
#include "store/layout.h"

/* For the second hash of long keys; any constant does, it is no secret. */
static const struct fb_hash_key long_key = {UINT64_C(0x666f726269642121), UINT64_C(0x6c6f6e672d6b6579)};

static void put_big_endian(char *at, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        at[i] = (char)(unsigned char)(number >> (56 - 8 * i));
}

static void make_long(struct fb_key *key, const struct fb_uid *uid)
{
    memset(key->bytes, 0xff, 8);
    put_big_endian(key->bytes + 8, uid->hash);
    put_big_endian(key->bytes + 16, fb_hash_keyed(&long_key, fb_span(uid->bytes, (size_t)uid->type_len + uid->id_len)));
    key->len = 24;
}

void fb_key_make(struct fb_key *key, const struct fb_uid *uid)
{
    size_t len = (size_t)uid->type_len + 1 + uid->id_len;
    if (len + 1 > FB_KEY_MAX) {
        make_long(key, uid);
        return;
    }
    size_t padding = 8 - len % 8;
    memcpy(key->bytes, uid->bytes, uid->type_len);
    key->bytes[uid->type_len] = '\0';
    memcpy(key->bytes + uid->type_len + 1, uid->bytes + uid->type_len, uid->id_len);
    memset(key->bytes + len, (int)padding, padding);
    key->len = len + padding;
}

bool fb_key_is_long(struct fb_span key)
{
    return key.len == 24 && (unsigned char)key.ptr[0] == 0xff;
}
