/* SPDX-License-Identifier: Apache-2.0 */
/* Links that come and go beside a program: rows of their own over its forms (rows.h). */

#include "engine/program.h"

struct fb_link_table {
    struct fb_program program;  /* a copy, with these links */
    struct fb_rows rows;
};

struct fb_link_table *fb_link_table_new(const struct fb_allocator *allocator, const struct fb_program *program)
{
    struct fb_link_table *table = fb_alloc(allocator, sizeof *table);
    if (table == NULL)
        return NULL;
    table->program = *program;
    table->program.links = &table->rows;
    if (fb_rows_init(&table->rows, allocator, true))
        return table;
    fb_free(allocator, table, sizeof *table);
    return NULL;
}

void fb_link_table_free(struct fb_link_table *table)
{
    if (table == NULL)
        return;
    const struct fb_allocator allocator = table->rows.allocator;
    fb_rows_release(&table->rows);
    fb_free(&allocator, table, sizeof *table);
}

void fb_link_table_expect(struct fb_link_table *table, size_t more)
{
    fb_rows_expect(&table->rows, more);
}

static const char *refusal(const struct fb_link_table *table, uint32_t form, const struct fb_policy *template_,
                           struct fb_span id, const struct fb_uid *principal, const struct fb_uid *resource)
{
    if (form == UINT32_MAX)
        return "there is no template of that id";
    const char *error = fb_policy_slots_check(template_, principal, resource);
    if (error != NULL)
        return error;
    if (fb_policy_set_find(table->program.set, id) != NULL || fb_rows_find(&table->rows, id) != UINT32_MAX)
        return "the id of the link is taken";
    return NULL;
}

const char *fb_link_table_add(struct fb_link_table *table, const struct fb_policy *template_, struct fb_span id,
                              const struct fb_uid *principal, const struct fb_uid *resource)
{
    uint32_t form = fb_program_template(&table->program, template_), number;
    const char *error = refusal(table, form, template_, id, principal, resource);
    if (error != NULL)
        return error;
    const struct fb_form *compiled = &table->program.forms[form];
    const struct fb_named names[2] = {
        fb_form_named(compiled, FB_SIDE_PRINCIPAL, principal != NULL ? principal : template_->principal.uid),
        fb_form_named(compiled, FB_SIDE_RESOURCE, resource != NULL ? resource : template_->resource.uid)};
    if (table->rows.count >= UINT32_MAX / 2 - table->program.statics.count
        || !fb_rows_add(&table->rows, form, true, names, id, NULL, &number))
        return "not enough memory for the link";
    return NULL;
}

bool fb_link_table_remove(struct fb_link_table *table, struct fb_span id)
{
    uint32_t number = fb_rows_find(&table->rows, id);
    if (number == UINT32_MAX)
        return false;
    const struct fb_form *form = &table->program.forms[fb_row_at(&table->rows, number)->form];
    bool member[2];
    for (int side = 0; side < 2; side++)
        member[side] = form->op[side] == FB_SCOPE_IN || form->op[side] == FB_SCOPE_IS_IN;
    fb_rows_remove(&table->rows, number, member);
    return true;
}

size_t fb_link_table_count(const struct fb_link_table *table)
{
    return table->rows.live;
}

size_t fb_link_table_places(const struct fb_link_table *table)
{
    return table->rows.count;
}

bool fb_link_table_at(const struct fb_link_table *table, size_t place, struct fb_link *link)
{
    if (place >= table->rows.count)
        return false;
    const struct fb_row *row = fb_row_at(&table->rows, (uint32_t)place);
    if (row->form == FB_ROW_FREE)
        return false;
    const struct fb_policy *policy = table->program.forms[row->form].policy;
    *link = (struct fb_link){
        .id = fb_program_id(&table->program, table->program.statics.count + (uint32_t)place), .template_ = policy,
        .principal = policy->principal.slot ? fb_key_at(&table->rows, row->key[0])->uid : NULL,
        .resource = policy->resource.slot ? fb_key_at(&table->rows, row->key[1])->uid : NULL};
    return true;
}

size_t fb_link_table_find(const struct fb_link_table *table, struct fb_span id)
{
    uint32_t number = fb_rows_find(&table->rows, id);
    return number != UINT32_MAX ? number : table->rows.count;
}

const struct fb_program *fb_link_table_program(const struct fb_link_table *table)
{
    return &table->program;
}
