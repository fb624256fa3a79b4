/* SPDX-License-Identifier: Apache-2.0 */

/* Entity uids: how they are laid down, ordered and shown, and which names a type may have.
 * Their Cedar text is read in uid_parse.c, their JSON in uid_json.c. */

#include "entity/uid.h"

size_t fb_uid_size(size_t type_len, size_t id_len)
{
    return (sizeof(struct fb_uid) + type_len + id_len + 7) & ~(size_t)7;
}

static const struct fb_uid *write(struct fb_uid *uid, struct fb_span type, uint64_t type_hash, struct fb_span id)
{
    size_t len = type.len + id.len;
    uid->type_hash = type_hash;
    uid->hash = fb_hash_join(type_hash, fb_hash(id));
    uid->type_len = (uint32_t)type.len;
    uid->id_len = (uint32_t)id.len;
    if (len != 0)   /* the zeroes first */
        memset(uid->bytes + ((len - 1) & ~(size_t)7), 0, 8);
    fb_bytes_copy(uid->bytes, type.ptr, type.len);
    fb_bytes_copy(uid->bytes + type.len, id.ptr, id.len);
    return uid;
}

const struct fb_uid *fb_uid_write(void *block, struct fb_span type, struct fb_span id)
{
    return write(block, type, fb_hash(type), id);
}

const struct fb_uid *fb_uid_of_type(struct fb_arena *arena, struct fb_span type, uint64_t type_hash, struct fb_span id)
{
    if (type.len > FB_UID_TYPE_MAX || id.len > FB_UID_ID_MAX)
        return NULL;
    void *block = fb_arena_room(arena, fb_uid_size(type.len, id.len));
    return block != NULL ? write(block, type, type_hash, id) : NULL;
}

const struct fb_uid *fb_uid_new(struct fb_arena *arena, struct fb_span type, struct fb_span id)
{
    return fb_uid_of_type(arena, type, fb_hash(type), id);
}

int fb_uid_cmp(const struct fb_uid *a, const struct fb_uid *b)
{
    if (a == b)
        return 0;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int c = fb_span_cmp(fb_uid_type(a), fb_uid_type(b));
    return c != 0 ? c : fb_span_cmp(fb_uid_id(a), fb_uid_id(b));
}

static bool starts_identifier(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool fb_identifier_valid(struct fb_span name)
{
    if (name.len == 0 || !starts_identifier(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!starts_identifier(name.ptr[i]) && !(name.ptr[i] >= '0' && name.ptr[i] <= '9'))
            return false;
    static const struct fb_span reserved[] = {FB_SPAN_INIT("true"), FB_SPAN_INIT("false"), FB_SPAN_INIT("if"),
                                              FB_SPAN_INIT("then"), FB_SPAN_INIT("else"), FB_SPAN_INIT("in"),
                                              FB_SPAN_INIT("is"), FB_SPAN_INIT("like"), FB_SPAN_INIT("has"),
                                              FB_SPAN_INIT("__cedar")};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (fb_span_eq(name, reserved[i]))
            return false;
    return true;
}

bool fb_type_name_valid(struct fb_span name)
{
    for (;;) {
        size_t len = fb_span_find(name, ':');
        if (!fb_identifier_valid(fb_span_head(name, len)))
            return false;
        if (len == name.len)
            return true;
        if (len + 1 >= name.len || name.ptr[len + 1] != ':')
            return false;
        name = fb_span_from(name, len + 2);
    }
}

void fb_uid_print(struct fb_buffer *out, const struct fb_uid *uid)
{
    fb_buffer_add(out, fb_uid_type(uid));
    fb_buffer_add_z(out, "::");
    fb_buffer_add_cedar(out, fb_uid_id(uid));
}
