/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_JSON_KEYS_H
#define FB_BASE_JSON_KEYS_H

#include "base/json.h"

/* The keys of one open object, to find a duplicate as soon as it is read.  Private to the JSON
 * reader.  Memory is kept from one object to the next. */
struct fb_json_keys {
    struct fb_json_key *list;
    size_t capacity;
    uint32_t count;
    uint32_t *table;            /* indices into the list, plus 1; used above FEW keys */
    uint32_t table_size, mask;  /* what the table could hold; the part in use less 1, or 0 */
};

enum fb_json_key_status { FB_JSON_KEY_NEW, FB_JSON_KEY_DUPLICATE, FB_JSON_KEY_NO_MEMORY };

/* Forgets the keys. */
void fb_json_keys_clear(struct fb_json_keys *keys);
enum fb_json_key_status fb_json_keys_add(struct fb_json_keys *keys, struct fb_json *json,
                                         struct fb_span name);

#endif
