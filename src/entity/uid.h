/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_UID_H
#define FB_ENTITY_UID_H

#include "base/base.h"

/* An entity uid: `Type::"id"`, as one block of bytes that stands alike in an arena, in a program,
 * and in a store's memory map.
 *
 * A uid is known by its contents: there is no dictionary of ids, so a uid from a request, from a
 * policy and from a row compare without a lookup (docs/decisions/0001).  `hash` joins the hashes of
 * type and id and is compared first; a match is confirmed by the bytes.  8-aligned, little-endian,
 * immutable. */
struct fb_uid {
    uint64_t hash;          /* fb_hash_join(type_hash, fb_hash(id)) */
    uint64_t type_hash;     /* fb_hash(type) */
    uint32_t type_len, id_len;
    char bytes[];           /* the type's name (`NS::Type`, normalised), then the id, then zeroes to 8 */
};

#define FB_UID_TYPE_MAX 1024u
#define FB_UID_ID_MAX 65535u

/* Bytes that such a uid takes, a multiple of 8. */
size_t fb_uid_size(size_t type_len, size_t id_len);
/* Written at `block` (8-aligned, fb_uid_size bytes). */
const struct fb_uid *fb_uid_write(void *block, struct fb_span type, struct fb_span id);
/* In an arena; NULL without memory or beyond the limits above. */
const struct fb_uid *fb_uid_new(struct fb_arena *arena, struct fb_span type, struct fb_span id);
/* The same where fb_hash(type) is known already. */
const struct fb_uid *fb_uid_of_type(struct fb_arena *arena, struct fb_span type, uint64_t type_hash, struct fb_span id);

static inline struct fb_span fb_uid_type(const struct fb_uid *uid)
{
    return fb_span(uid->bytes, uid->type_len);
}

static inline struct fb_span fb_uid_id(const struct fb_uid *uid)
{
    return fb_span(uid->bytes + uid->type_len, uid->id_len);
}

static inline bool fb_uid_eq(const struct fb_uid *a, const struct fb_uid *b)
{
    return a == b || (a->hash == b->hash && a->type_len == b->type_len && a->id_len == b->id_len
                      && fb_bytes_eq(a->bytes, b->bytes, (size_t)a->type_len + a->id_len));
}

/* A total order: by hash, then by type and id. */
int fb_uid_cmp(const struct fb_uid *a, const struct fb_uid *b);
static inline bool fb_uid_is(const struct fb_uid *uid, uint64_t type_hash, struct fb_span type)
{
    return uid->type_hash == type_hash && fb_span_eq(fb_uid_type(uid), type);
}

/* A type's name as JSON and rows write it: identifiers joined by `::` without white space, none
 * reserved. */
bool fb_type_name_valid(struct fb_span name);
/* A Cedar identifier that is not reserved. */
bool fb_identifier_valid(struct fb_span name);

/* As Cedar text, `User::"alice"`, the id escaped. */
void fb_uid_print(struct fb_buffer *out, const struct fb_uid *uid);
/* From Cedar text (the whole span); NULL when it is not a uid, or without memory. */
const struct fb_uid *fb_uid_parse(struct fb_arena *arena, struct fb_span text);

#endif
