/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_DIFFERENTIAL_DRIVER_H
#define FB_TESTS_DIFFERENTIAL_DRIVER_H

#include "cli/inputs.h"

/* One line of the driver: what came, what was made of it, and the answer so far. */
struct world {
    struct fb_arena arena;
    struct fb_diags diags;
    struct fb_buffer out;
    struct fb_source *policies, *schema_text, *links, *entities_text; /* NULL: not given */
    struct fb_span *requests;                                         /* JSON text */
    size_t requests_count;
    bool forms;    /* asked for driver_forms() */
    bool validate; /* requests, by the schema */
    struct fb_policy_set set;
    const struct fb_schema *schema;
    struct fb_entity_set *entities;
    struct fb_program *program;
};

/* Adds the members about other forms and validation; the world was read. */
void driver_forms(struct world *world);

#endif
