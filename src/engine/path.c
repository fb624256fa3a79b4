/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: attributes read one after another from a variable.  Policies of one schema read the same few paths again
 * and again, so each has one number in a program, and a decision remembers which record the last ones led to.
 * What is out of the ordinary (no such attribute, no such entity, a value without fields) is not for this file: it
 * answers NULL, and eval.c goes the long way, which knows what to say. */

#include "engine/eval.h"

/* --- While they are compiled -------------------------------------------------------------------- */

static bool is_path(const struct fb_path *path, uint32_t parent, uint64_t symbol, struct fb_span name)
{
    return path->symbol == symbol && path->parent == parent && fb_span_eq(fb_span(path->name, path->name_len), name);
}

static uint32_t hash_of(uint32_t parent, uint64_t symbol)
{
    return (uint32_t)(fb_hash_join(symbol, parent) >> 32);
}

/* The slots are never more than half full. */
static bool make_slots(struct fb_compiler *compiler)
{
    struct fb_code *code = compiler->code;
    if (2 * (code->paths_count + 1) <= code->path_slots_count)
        return true;
    size_t count = code->path_slots_count != 0 ? 2 * code->path_slots_count : 32;
    uint32_t *slots = fb_arena_array(compiler->arena, count, sizeof *slots);
    if (slots == NULL || count > UINT32_MAX)
        return false;
    for (uint32_t i = 0; i < code->paths_count; i++) {
        const struct fb_path *path = &code->paths[i];
        size_t at = hash_of(path->parent, path->symbol) & (count - 1);
        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = FB_PATH_FIRST + i;
    }
    code->path_slots = slots;
    code->path_slots_count = count;
    return true;
}

bool fb_path_of(struct fb_compiler *compiler, uint32_t parent, uint64_t symbol, struct fb_span name, uint32_t *path)
{
    struct fb_code *code = compiler->code;
    if (!make_slots(compiler))
        return false;
    size_t mask = code->path_slots_count - 1, at = hash_of(parent, symbol) & mask;
    for (; code->path_slots[at] != 0; at = (at + 1) & mask)
        if (is_path(&code->paths[code->path_slots[at] - FB_PATH_FIRST], parent, symbol, name)) {
            *path = code->path_slots[at];
            return true;
        }
    struct fb_path *paths = fb_arena_grow(compiler->arena, code->paths, code->paths_count, &code->paths_capacity,
                                          sizeof *paths);
    if (paths == NULL)
        return false;
    code->paths = paths;
    *path = code->path_slots[at] = FB_PATH_FIRST + (uint32_t)code->paths_count;
    paths[code->paths_count++] = (struct fb_path){.symbol = symbol, .name = name.ptr, .name_len = (uint32_t)name.len,
                                                  .parent = parent, .slot = fb_known_slot(parent)};
    return true;
}

void fb_program_expect(struct fb_program *program, const uint64_t *symbols, uint32_t count)
{
    for (size_t i = 0; i < program->code.paths_count; i++) {
        struct fb_path *path = &program->code.paths[i];
        for (uint32_t at = 0; at < count && symbols[at] <= path->symbol; at++)
            if (symbols[at] == path->symbol)
                path->place = at;
    }
}

/* --- While they are read ------------------------------------------------------------------------ */

/* The entity of a variable that has not been looked up. */
static const struct fb_record *fields_of_variable(struct fb_eval *e, uint32_t var)
{
    const struct fb_entity *entity = var != FB_CONTEXT ? fb_find_own(e, var) : NULL;
    return entity != NULL ? entity->attrs : NULL;
}

const struct fb_record *fb_path_fields(struct fb_eval *e, uint32_t path)
{
    const struct fb_record *fields;
    if (path < FB_PATH_FIRST) {
        fields = fields_of_variable(e, path - FB_PATH_VAR);
    } else {
        const struct fb_cell *cell = fb_path_cell(e, path);
        if (cell == NULL || (cell->kind != FB_ENTITY && cell->kind != FB_RECORD))
            return NULL;
        struct fb_value value = fb_cell_load(cell);
        fields = cell->kind == FB_RECORD ? value.record : fb_attrs(e, value.uid);
    }
    e->known_path[fb_known_slot(path)] = path;
    e->known_fields[fb_known_slot(path)] = fields;
    return fields;
}
