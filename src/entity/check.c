/* SPDX-License-Identifier: Apache-2.0 */

/* Is this an entity's block?  Bytes from a file may be cut, flipped or forged; whoever passes the deep
 * check may be walked to its ends without a further look.
 *
 * The encoder writes each thing once and points to it from one place (parents may share the uids of
 * ancestors).  So a walk of a sound block reads no more bytes than twice its length; a forged one
 * that points to the same things over and over, or to itself, runs out of that budget. */

#include "entity/entity.h"
#include "entity/refs.h"

struct check {
    const char *start;
    uint64_t length;
    uint64_t budget;    /* bytes that may still be looked at */
};

/* The place of `size` bytes at `at`, or NULL if they are not all within the block. */
static const void *within(struct check *check, uint64_t at, uint64_t size, uint64_t alignment)
{
    if (at > check->length || size > check->length - at || at % alignment != 0 || size > check->budget)
        return NULL;
    check->budget -= size;
    return check->start + at;
}

/* The same for an offset that counts from `from`, which lies in the block.  The sum wraps to a place
 * outside of it, if at all. */
static const void *beside(struct check *check, const void *from, int64_t offset, uint64_t size, uint64_t alignment)
{
    return within(check, (uint64_t)((const char *)from - check->start) + (uint64_t)offset, size, alignment);
}

static bool check_uid(struct check *check, const void *from, int64_t offset, const struct fb_uid **out)
{
    const struct fb_uid *uid = beside(check, from, offset, sizeof *uid, 8);
    if (uid == NULL || uid->type_len > FB_UID_TYPE_MAX || uid->id_len > FB_UID_ID_MAX)
        return false;
    size_t size = fb_uid_size(uid->type_len, uid->id_len);
    if (beside(check, uid, 0, size, 8) == NULL)
        return false;
    for (const char *pad = uid->bytes + uid->type_len + uid->id_len; pad < (const char *)uid + size; pad++)
        if (*pad != '\0')
            return false;
    *out = uid;
    return uid->type_hash == fb_hash(fb_uid_type(uid))
        && uid->hash == fb_hash_join(uid->type_hash, fb_hash(fb_uid_id(uid))) && fb_type_name_valid(fb_uid_type(uid))
        && fb_utf8_valid(fb_uid_id(uid)) == uid->id_len;
}

static bool check_refs(struct check *check, struct fb_refs refs)
{
    const struct fb_uid *last = NULL;
    for (uint32_t i = 0; i < refs.count; i++) {
        const struct fb_uid *uid;
        if (!check_uid(check, &refs.refs[i], refs.refs[i].offset, &uid) || refs.refs[i].hash != uid->hash
            || (last != NULL && fb_uid_cmp(last, uid) >= 0))
            return false;
        last = uid;
    }
    return true;
}

static bool check_cell(struct check *check, const struct fb_cell *cell, unsigned depth);

static bool check_text(struct check *check, const struct fb_cell *cell)
{
    const char *text = beside(check, cell, cell->bits, cell->count, 1);
    return text != NULL && (cell->count != 0 || cell->bits == 0)
        && fb_utf8_valid(fb_span(text, cell->count)) == cell->count;
}

static bool check_set(struct check *check, const struct fb_cell *cell, unsigned depth)
{
    const struct fb_cell *cells = beside(check, cell, cell->bits, cell->count * (uint64_t)sizeof *cells, 8);
    if (cells == NULL || (cell->count == 0 && cell->bits != 0))
        return false;
    for (uint32_t i = 0; i < cell->count; i++)
        if (!check_cell(check, &cells[i], depth)
            || (i != 0 && fb_value_cmp(fb_cell_load(&cells[i - 1]), fb_cell_load(&cells[i])) >= 0))
            return false;
    return true;
}

static bool check_name(struct check *check, const struct fb_record *record, uint64_t i)
{
    const struct fb_cell *name = &fb_record_names(record)[i];
    if (name->kind != FB_STRING || name->reserved[0] != 0 || name->reserved[1] != 0 || name->reserved[2] != 0
        || !check_text(check, name) || record->symbols[i] != fb_hash(fb_value_text(fb_cell_load(name))))
        return false;
    if (i == 0 || record->symbols[i - 1] < record->symbols[i])
        return true;
    return record->symbols[i - 1] == record->symbols[i]
        && fb_span_cmp(fb_value_text(fb_cell_load(name - 1)), fb_value_text(fb_cell_load(name))) < 0;
}

static bool check_record(struct check *check, const void *from, int64_t offset, unsigned depth)
{
    const struct fb_record *record = beside(check, from, offset, sizeof *record, 8);
    if (record == NULL || record->count > check->length / sizeof(struct fb_cell)
        || beside(check, record, 0, fb_record_size((size_t)record->count), 8) == NULL)
        return false;
    for (uint64_t i = 0; i < record->count; i++)
        if (!check_name(check, record, i) || !check_cell(check, &fb_record_values(record)[i], depth))
            return false;
    return true;
}

static bool check_ip(struct check *check, const struct fb_cell *cell)
{
    static const uint8_t zero[16];
    const struct fb_ip *ip = beside(check, cell, cell->bits, sizeof *ip, 8);
    if (ip == NULL || memcmp(ip->reserved, zero, sizeof ip->reserved) != 0)
        return false;
    if (ip->family == 4)
        return ip->prefix <= 32 && memcmp(ip->address + 4, zero, 12) == 0;
    return ip->family == 6 && ip->prefix <= 128;
}

/* `depth`: how many sets and records may still be entered. */
static bool check_cell(struct check *check, const struct fb_cell *cell, unsigned depth)
{
    const struct fb_uid *uid;
    if (cell->kind > FB_IP || cell->reserved[0] != 0 || cell->reserved[1] != 0 || cell->reserved[2] != 0)
        return false;
    if (cell->count != 0 && cell->kind != FB_STRING && cell->kind != FB_SET)
        return false;
    switch ((enum fb_kind)cell->kind) {
    case FB_BOOL:
        return cell->bits == 0 || cell->bits == 1;
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        return true;
    case FB_STRING:
        return check_text(check, cell);
    case FB_ENTITY:
        return check_uid(check, cell, cell->bits, &uid);
    case FB_SET:
        return depth != 0 && check_set(check, cell, depth - 1);
    case FB_RECORD:
        return depth != 0 && check_record(check, cell, cell->bits, depth - 1);
    case FB_IP:
        return check_ip(check, cell);
    }
    return false;
}

/* The header's own fields: whatever fb_entity_open() touches. */
static bool check_header(struct check *check, const struct fb_entity_block *block)
{
    return block->closed <= 1 && block->reserved == 0 && (block->closed == 1 || block->ancestors_count == 0)
        && beside(check, block, block->uid, sizeof(struct fb_uid), 8) != NULL
        && beside(check, block, block->attrs, sizeof(struct fb_record), 8) != NULL
        && beside(check, block, block->tags, sizeof(struct fb_record), 8) != NULL
        && beside(check, block, block->parents, block->parents_count * (uint64_t)sizeof(struct fb_ref), 8) != NULL
        && beside(check, block, block->ancestors, block->ancestors_count * (uint64_t)sizeof(struct fb_ref), 8) != NULL;
}

static bool check_deep(struct check *check, const struct fb_entity_block *block, const struct fb_entity *entity)
{
    const struct fb_uid *uid;
    check->budget = check->length * 2;
    if (!check_uid(check, block, block->uid, &uid) || !check_refs(check, entity->parents)
        || !check_refs(check, entity->ancestors)
        || !check_record(check, block, block->attrs, FB_VALUE_DEPTH - 1)
        || !check_record(check, block, block->tags, FB_VALUE_DEPTH - 1))
        return false;
    for (uint32_t i = 0; entity->closed && i < entity->parents.count; i++)
        if (!fb_refs_contain(entity->ancestors, fb_ref_uid(&entity->parents.refs[i])))
            return false;
    return true;
}

bool fb_entity_check(struct fb_span bytes, bool deep, struct fb_entity *entity)
{
    const struct fb_entity_block *block = (const struct fb_entity_block *)(const void *)bytes.ptr;
    if (bytes.len < sizeof *block || bytes.len > FB_ENTITY_MAX || (uintptr_t)bytes.ptr % 8 != 0
        || block->magic != FB_ENTITY_MAGIC || block->length != bytes.len || block->length % 8 != 0
        || block->checksum != fb_entity_checksum(block))
        return false;
    struct check check = {bytes.ptr, bytes.len, bytes.len};
    if (!check_header(&check, block))
        return false;
    fb_entity_open(block, entity);
    return !deep || check_deep(&check, block, entity);
}
