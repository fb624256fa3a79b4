/* SPDX-License-Identifier: Apache-2.0 */
/* One expression: read, printed, read again, evaluated by itself. */
#include "fuzz.h"

#include "engine/engine.h"

static enum fb_found find_nothing(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    (void)self;
    (void)uid;
    (void)entity;
    return FB_ABSENT;
}

static void print_and_read(struct fb_arena *arena, const struct fb_expr *expr)
{
    struct fb_buffer text;
    struct fb_diags diags;
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    fb_expr_print(&text, expr);
    fuzz_must(!text.failed, "an expression's text is bounded");
    struct fb_source source = {FB_SPAN("printed"), fb_arena_copy(arena, fb_buffer_span(&text))};
    fb_buffer_release(&text);
    fb_diags_init(&diags, arena);
    const struct fb_expr *again = fb_expr_read(arena, &source, &diags);
    fuzz_must_show(again != NULL && diags.errors == 0, "a printed expression can be read", source.text);
    fuzz_must_show(fb_expr_eq(again, expr), "… and is the same", source.text);
}

/* A value prints as an expression that has this value.  Beyond the years that have a text, a datetime's is
 * for people. */
static void evaluate(struct fb_arena *arena, const struct fb_expr *expr)
{
    struct fb_entities entities = {.find = find_nothing};
    const struct fb_uid *uid = fb_uid_new(arena, FB_SPAN("U"), FB_SPAN("a"));
    struct fb_request request = {.principal = uid, .action = uid, .resource = uid,
                                 .context = fb_value_of_record(&fb_record_empty), .entities = &entities};
    struct fb_policy_error error;
    struct fb_value value, same;
    bool erred;
    fuzz_must(fb_evaluate(expr, &request, arena, &value, &error, &erred) == FB_OK, "an expression has an outcome");
    if (erred) {
        fuzz_must(error.message.len != 0, "an error says what it is");
        return;
    }
    struct fb_buffer text;
    struct fb_diags diags;
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    fb_value_print_json(&text, value);
    fuzz_must_show(fuzz_is_json(fb_buffer_span(&text), arena), "a value as JSON is JSON", fb_buffer_span(&text));
    fb_buffer_clear(&text);
    fb_value_print(&text, value);
    struct fb_source source = {FB_SPAN("value"), fb_arena_copy(arena, fb_buffer_span(&text))};
    fb_buffer_release(&text);
    fb_diags_init(&diags, arena);
    const struct fb_expr *literal = fb_expr_read(arena, &source, &diags);
    if (literal == NULL)
        return;
    fuzz_must(fb_evaluate(literal, &request, arena, &same, &error, &erred) == FB_OK, "a literal has an outcome");
    fuzz_must_show(erred || fb_value_eq(value, same), "a printed value is the same value", source.text);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("expression"), input};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    const struct fb_expr *expr = fb_expr_read(arena, &source, &diags);
    fuzz_show_diags(&diags);
    if (expr == NULL || diags.errors != 0) {
        fuzz_must(diags.errors != 0, "what is refused has a diagnostic");
        return;
    }
    print_and_read(arena, expr);
    evaluate(arena, expr);
}
