/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables whose absent names cost one cache line each (rows.h).  They grow by a line at a time: what its
 * elder half held for it moves over.  What a tag's entry is, is left to who looks it up. */

#include "engine/rows.h"

#include <assert.h>

#define LOAD 16u    /* entries a line, on the average: up to twice that in lines not yet halved, of 30 */

static struct fb_tag_line *home(const struct fb_tags *tags, uint64_t hash)
{
    return fb_tag_line_at(tags, hash);
}

static struct fb_tag_line *spilled_at(const struct fb_tags *tags, uint32_t number)
{
    return fb_segments_at(&tags->spilled, number - 1, sizeof(struct fb_tag_line));
}

static uint32_t length(const struct fb_tag_line *line)
{
    uint32_t count = 0;
    while (count < FB_TAGS && line->tag[count] != 0)
        count++;
    return count;
}

/* Into the line itself, or into the newest one behind it, so that a long chain is not walked. */
static void put(struct fb_tags *tags, struct fb_tag_line *line, uint16_t tag, uint32_t entry)
{
    uint32_t count = length(line);
    struct fb_tag_line *to = line;
    if (count == FB_TAGS && line->more != 0) {
        to = spilled_at(tags, line->more);
        count = length(to);
    }
    if (count == FB_TAGS) {
        uint32_t taken = tags->free_spilled;
        assert(taken != 0);
        to = spilled_at(tags, taken);
        tags->free_spilled = to->more;
        to->more = line->more;
        line->more = taken;
        count = 0;
    }
    to->tag[count] = tag;
    to->entry[count] = entry;
}

/* The last line: what stood in `from`, some of it now belongs elsewhere.  Lines behind it are free again before
 * their entries are put, so that there always are enough. */
static void halve(const struct fb_rows *rows, struct fb_tags *tags, struct fb_tag_line *from, fb_hash_of *hash_of)
{
    struct fb_tag_line held = *from;
    *from = (struct fb_tag_line){.more = 0};
    for (;;) {
        for (uint32_t i = 0; i < FB_TAGS && held.tag[i] != 0; i++)
            put(tags, home(tags, hash_of(rows, held.entry[i])), held.tag[i], held.entry[i]);
        uint32_t next = held.more;
        if (next == 0)
            return;
        struct fb_tag_line *line = spilled_at(tags, next);
        held = *line;
        *line = (struct fb_tag_line){.more = tags->free_spilled};
        tags->free_spilled = next;
    }
}

static bool add_line(struct fb_rows *rows, struct fb_tags *tags, fb_hash_of *hash_of)
{
    struct fb_tag_line *made = fb_segments_reach(&tags->lines, rows, tags->count, sizeof *made);
    if (made == NULL)
        return false;
    *made = (struct fb_tag_line){.more = 0};
    if (tags->count != 0 && tags->count > tags->mask)
        tags->mask = 2 * tags->mask + 1;
    uint32_t added = tags->count++;
    if (added != 0)
        halve(rows, tags, fb_segments_at(&tags->lines, added & (tags->mask >> 1), sizeof(struct fb_tag_line)), hash_of);
    return true;
}

bool fb_tags_reserve(struct fb_rows *rows, struct fb_tags *tags, fb_hash_of *hash_of)
{
    /* Fewer than fill a line never spill. */
    if (tags->free_spilled == 0 && tags->entries >= FB_TAGS) {
        struct fb_tag_line *made = fb_segments_reach(&tags->spilled, rows, tags->spilled_count, sizeof *made);
        if (made == NULL)
            return false;
        *made = (struct fb_tag_line){.more = 0};
        tags->free_spilled = ++tags->spilled_count;
    }
    while (tags->count == 0 || tags->entries + 1 > LOAD * tags->count)
        if (!add_line(rows, tags, hash_of))
            return false;
    return true;
}

void fb_tags_enter(struct fb_tags *tags, uint64_t hash, uint32_t entry)
{
    put(tags, home(tags, hash), fb_tag_of(hash), entry);
    tags->entries++;
}

/* Where the entry stands; *before is the number that leads to its line. */
static uint32_t find(const struct fb_tags *tags, uint64_t hash, uint32_t entry, struct fb_tag_line **line,
                     uint32_t **before)
{
    *line = home(tags, hash);
    *before = NULL;
    for (;;) {
        for (uint32_t i = 0; i < FB_TAGS && (*line)->tag[i] != 0; i++)
            if ((*line)->entry[i] == entry)
                return i;
        assert((*line)->more != 0);
        *before = &(*line)->more;
        *line = spilled_at(tags, (*line)->more);
    }
}

void fb_tags_leave(struct fb_tags *tags, uint64_t hash, uint32_t entry)
{
    struct fb_tag_line *line;
    uint32_t *before, at = find(tags, hash, entry, &line, &before), last = length(line) - 1;
    line->tag[at] = line->tag[last];
    line->entry[at] = line->entry[last];
    line->tag[last] = 0;
    line->entry[last] = 0;
    tags->entries--;
    if (last != 0 || before == NULL)
        return;
    uint32_t number = *before;
    *before = line->more;
    line->more = tags->free_spilled;
    tags->free_spilled = number;
}

void fb_tags_replace(struct fb_tags *tags, uint64_t hash, uint32_t entry, uint32_t by)
{
    struct fb_tag_line *line;
    uint32_t *before, at = find(tags, hash, entry, &line, &before);
    line->entry[at] = by;
}

void fb_tags_release(struct fb_tags *tags, const struct fb_rows *rows)
{
    fb_segments_release(&tags->lines, rows, sizeof(struct fb_tag_line));
    fb_segments_release(&tags->spilled, rows, sizeof(struct fb_tag_line));
}
