/* SPDX-License-Identifier: Apache-2.0 */

/* Findings: once for each place, however many environments share them, and in the order of the text. */

#include "cedar/validate_check.h"

#include <stdlib.h>

struct key {
    const struct fb_checker *c;
    const char *code;
    struct fb_range range;
};

/* Codes are compared by contents: one may be written in two files. */
static uint64_t hash_finding(const char *code, struct fb_range range)
{
    return fb_hash_join(fb_hash(fb_span_z(code)), (uint64_t)range.start << 32 | range.end);
}

static uint64_t hash_of(const void *context, uint32_t index)
{
    const struct fb_finding *finding = &((const struct key *)context)->c->findings[index];
    return hash_finding(finding->code, finding->range);
}

static bool same(const void *context, uint32_t index)
{
    const struct key *key = context;
    const struct fb_finding *finding = &key->c->findings[index];
    return finding->range.start == key->range.start && finding->range.end == key->range.end
           && strcmp(finding->code, key->code) == 0;
}

bool fb_report_new(struct fb_checker *c, const char *code, struct fb_range range)
{
    const struct key key = {c, code, range};
    uint32_t *slot = fb_vtable_slot(&c->findings_table, c->arena, hash_finding(code, range), same, &key, hash_of);
    if (slot == NULL)
        return false;
    if (*slot != 0) {
        struct fb_finding *finding = &c->findings[*slot - 1];
        finding->environments += finding->stamp != c->stamp;
        finding->stamp = c->stamp;
        return false;
    }
    struct fb_finding *findings = fb_arena_grow(c->arena, c->findings, c->findings_count, &c->findings_capacity,
                                                sizeof *findings);
    if (findings == NULL)
        return false;
    c->findings = findings;
    findings[c->findings_count++] = (struct fb_finding){
        .code = code, .range = range, .environments = 1, .stamp = c->stamp, .action = c->action,
        .principal = c->vars[FB_PRINCIPAL], .resource = c->vars[FB_RESOURCE], .diag = SIZE_MAX};
    *slot = (uint32_t)c->findings_count;
    c->findings_table.count++;
    return true;
}

struct fb_diag *fb_report(struct fb_checker *c, enum fb_severity severity, const char *code, struct fb_range range,
                          const char *format, ...)
{
    size_t before = c->diags->count;
    if (severity != FB_ERROR && c->options.errors_only)
        return &c->diags->scratch;
    va_list args;
    va_start(args, format);
    struct fb_span text = fb_arena_vformat(c->arena, format, args);
    va_end(args);
    struct fb_diag *diag = fb_diag_add(c->diags, severity, code, c->source, range, "%.*s", (int)text.len,
                                       text.ptr != NULL ? text.ptr : "");
    if (severity == FB_ERROR) {
        c->policy_errors++;
        c->errors++;
    }
    if (c->diags->count > before && c->findings_count > 0)
        c->findings[c->findings_count - 1].diag = before;
    return diag;
}

/* --- texts, in the diagnostics' arena --- */

struct fb_span fb_report_text(struct fb_checker *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fb_span text = fb_arena_vformat(c->diags->arena, format, args);
    va_end(args);
    return text;
}

static struct fb_span kept(struct fb_checker *c, struct fb_buffer *buffer)
{
    struct fb_span text = fb_arena_copy(c->diags->arena, fb_buffer_span(buffer));
    fb_buffer_release(buffer);
    return text;
}

struct fb_span fb_report_type(struct fb_checker *c, const struct fb_vtype *type)
{
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, c->diags->arena->allocator, 64u << 10);
    fb_vtype_print(&c->types, &buffer, type);
    return kept(c, &buffer);
}

struct fb_span fb_report_uid(struct fb_checker *c, const struct fb_uid *uid)
{
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, c->diags->arena->allocator, 64u << 10);
    fb_uid_print(&buffer, uid);
    return kept(c, &buffer);
}

#define EXPR_BYTES 60u

/* As it was written, if that is one short line. */
struct fb_span fb_report_expr(struct fb_checker *c, const struct fb_expr *expr)
{
    struct fb_range range = expr->range;
    if (c->source == NULL || range.end > c->source->text.len || range.end - range.start > EXPR_BYTES)
        return FB_SPAN("…");
    struct fb_span text = fb_span(c->source->text.ptr + range.start, range.end - range.start);
    return fb_span_find(text, '\n') == text.len ? text : FB_SPAN("…");
}

/* --- a policy --- */

void fb_report_begin(struct fb_checker *c, const struct fb_policy *policy)
{
    c->policy = policy;
    c->source = policy->source;
    c->policy_errors = c->findings_count = 0;
    if (c->findings_table.count != 0)
        memset(c->findings_table.slots, 0, ((size_t)c->findings_table.mask + 1) * sizeof(uint32_t));
    c->findings_table.count = 0;
}

/* At the action in the schema, if the schema has places. */
static void say_where(struct fb_checker *c, const struct fb_finding *finding, uint32_t environments)
{
    if (finding->diag == SIZE_MAX || finding->action == NULL || finding->environments >= environments)
        return;
    struct fb_diag *diag = &c->diags->list[finding->diag];
    if (finding->action->source == NULL || diag->other != NULL)
        return;
    struct fb_span principal = fb_report_type(c, finding->principal), resource = fb_report_type(c, finding->resource);
    diag->other = finding->action->source;
    diag->other_range = finding->action->range;
    diag->other_message = fb_report_text(c, "for this action with principal %.*s and resource %.*s%s",
                                         (int)principal.len, principal.ptr, (int)resource.len, resource.ptr,
                                         finding->environments > 1 ? ", and others" : "");
}

static int by_place(const void *a, const void *b)
{
    const struct fb_diag *x = a, *y = b;
    if (x->range.start != y->range.start)
        return x->range.start < y->range.start ? -1 : 1;
    if (x->range.end != y->range.end)
        return x->range.end < y->range.end ? -1 : 1;
    return strcmp(x->code, y->code);
}

void fb_report_end(struct fb_checker *c, uint32_t environments, size_t first_diag)
{
    for (size_t i = 0; i < c->findings_count; i++)
        say_where(c, &c->findings[i], environments);
    size_t count = c->diags->count - first_diag;
    if (count > 1)
        qsort(c->diags->list + first_diag, count, sizeof *c->diags->list, by_place);
}
