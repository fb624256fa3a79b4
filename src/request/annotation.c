/* SPDX-License-Identifier: Apache-2.0 */
/* Schema annotations: their vocabulary and their places.
 *
 * A misspelt `@route` would leave an action without a route, and a misspelt `@conceal` would tell what
 * should be hidden; so what looks like one of ours and is not is an error.  Other annotations are
 * the user's own.  The contents are read by action.c, template.c and resource.c. */
#include "request/annotation.h"

#include <stdarg.h>

enum place { ON_ACTION, ON_TYPE };
enum value { VALUE_REQUIRED, VALUE_NONE };

static const struct {
    const char *key;
    enum place on;
    enum value value;
} vocabulary[] = {
#define FB_ANNOTATION(symbol, key, on, value) {key, ON_##on, VALUE_##value},
#include "request/annotations.def"
#undef FB_ANNOTATION
};
#define WORDS (sizeof vocabulary / sizeof vocabulary[0])

static const char *const place_names[] = {[ON_ACTION] = "actions", [ON_TYPE] = "entity types"};

/* Bytes of the literal that stand for the next bytes of the value, of which *made are made. */
static size_t literal_step(struct fb_span literal, size_t *made)
{
    *made = 1;
    if (literal.len < 2 || literal.ptr[0] != '\\')
        return 1;
    if (literal.ptr[1] == 'x')
        return 4;
    if (literal.ptr[1] != 'u')
        return 2;
    uint32_t scalar = 0;
    size_t i = 3;
    for (; i < literal.len && literal.ptr[i] != '}'; i++) {
        char c = literal.ptr[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        scalar = scalar << 4 | digit;
    }
    char bytes[4];
    *made = fb_utf8_put(scalar, bytes);
    return i + 1;
}

struct fb_range fb_annotated_range(const struct fb_annotated *at, size_t offset, size_t len)
{
    struct fb_range range = at->annotation->value_range;
    struct fb_span literal = fb_span_head(fb_span_from(at->source->text, range.start), range.end - range.start);
    size_t quote = literal.len != 0 && literal.ptr[0] == '"';
    if (literal.len == at->annotation->value.len + 2 * quote)
        return (struct fb_range){range.start + (uint32_t)(quote + offset),
                                 range.start + (uint32_t)(quote + offset + len)};
    size_t i = quote, value = 0, start = literal.len, made = 0;
    while (i < literal.len && value < offset + len) {
        if (value >= offset && start == literal.len)
            start = i;
        i += literal_step(fb_span_from(literal, i), &made);
        value += made;
    }
    if (start == literal.len)
        start = i;
    return (struct fb_range){range.start + (uint32_t)start, range.start + (uint32_t)i};
}

struct fb_diag *fb_annotated_fault(const struct fb_annotated *at, struct fb_span part, const char *code,
                                   const char *format, ...)
{
    struct fb_span value = at->annotation->value;
    size_t offset = part.ptr != NULL && value.ptr != NULL ? (size_t)(part.ptr - value.ptr) : 0;
    va_list args;
    va_start(args, format);
    struct fb_span message = fb_arena_vformat(at->diags->arena, format, args);
    va_end(args);
    return fb_diag_add(at->diags, FB_ERROR, code, at->source, fb_annotated_range(at, offset, part.len), "%.*s",
                       (int)message.len, message.len != 0 ? message.ptr : "");
}

void fb_diag_hint(struct fb_diags *diags, struct fb_diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag->hint = fb_arena_vformat(diags->arena, format, args);
    va_end(args);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct fb_span trim(struct fb_span s)
{
    while (s.len != 0 && is_blank(s.ptr[0]))
        s = fb_span_from(s, 1);
    while (s.len != 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool fb_next_piece(struct fb_span *rest, bool *begun, struct fb_span *piece)
{
    if (*begun) {
        if (rest->len == 0 || rest->ptr[0] != ',')
            return false;
        *rest = fb_span_from(*rest, 1);
    }
    *begun = true;
    size_t end = fb_span_find(*rest, ',');
    *piece = trim(fb_span_head(*rest, end));
    *rest = fb_span_from(*rest, end);
    return true;
}

int fb_annotated_word(const struct fb_annotated *at, struct fb_span word, const struct fb_span *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fb_span_eq(word, words[i]))
            return (int)i;
    struct fb_diag *diag =
        fb_annotated_fault(at, word, "annotation.word", "\"%.*s\" is not known here", (int)word.len, word.ptr);
    struct fb_span meant = fb_did_you_mean(word, words, count);
    if (meant.len != 0) {
        fb_diag_hint(at->diags, diag, "did you mean \"%.*s\"?", (int)meant.len, meant.ptr);
        return -1;
    }
    struct fb_buffer list;
    fb_buffer_init(&list, at->diags->arena->allocator, 1024);
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_format(&list, "%s\"%.*s\"", i == 0 ? "" : ", ", (int)words[i].len, words[i].ptr);
    fb_diag_hint(at->diags, diag, "one of %.*s", (int)list.len, list.len != 0 ? list.ptr : "");
    fb_buffer_release(&list);
    return -1;
}

/* --- the vocabulary ------------------------------------------------------------------------------- */

static void check_known(const struct fb_annotation *a, size_t word, enum place on, const struct fb_source *source,
                        struct fb_diags *diags)
{
    if (vocabulary[word].on != on) {
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "annotation.place", source, a->key_range,
                                           "@%s has no meaning here", vocabulary[word].key);
        fb_diag_hint(diags, diag, "it belongs on %s", place_names[vocabulary[word].on]);
        return;
    }
    if (vocabulary[word].value == VALUE_REQUIRED && a->value.len == 0)
        (void)fb_diag_add(diags, FB_ERROR, "annotation.value", source, a->key_range, "@%s needs a value",
                          vocabulary[word].key);
    if (vocabulary[word].value == VALUE_NONE && a->has_value)
        (void)fb_diag_add(diags, FB_ERROR, "annotation.value", source, a->value_range, "@%s takes no value",
                          vocabulary[word].key);
}

static void check_unknown(const struct fb_annotation *a, enum place on, const struct fb_source *source,
                          struct fb_diags *diags)
{
    struct fb_span words[WORDS];
    size_t count = 0;
    for (size_t i = 0; i < WORDS; i++)
        if (vocabulary[i].on == on)
            words[count++] = fb_span_z(vocabulary[i].key);
    struct fb_span meant = fb_did_you_mean(a->key, words, count);
    if (meant.len == 0)
        return;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "annotation.misspelt", source, a->key_range,
                                       "@%.*s is not known", (int)a->key.len, a->key.ptr);
    fb_diag_hint(diags, diag, "did you mean @%.*s?", (int)meant.len, meant.ptr);
}

static void check_list(const struct fb_annotation *list, uint32_t count, enum place on, const struct fb_source *source,
                       struct fb_diags *diags)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t word = 0;
        while (word < WORDS && !fb_span_is(list[i].key, vocabulary[word].key))
            word++;
        if (word < WORDS)
            check_known(&list[i], word, on, source, diags);
        else
            check_unknown(&list[i], on, source, diags);
    }
}

/* Ignoring these would open what they close. */
static void check_unsupported(const struct fb_schema_action *action, struct fb_diags *diags)
{
    static const char *const keys[] = {"also"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct fb_annotation *a = fb_annotation_find(action->annotations, action->annotations_count, keys[i]);
        if (a == NULL)
            continue;
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "annotation.unsupported", action->source, a->key_range,
                                           "@%s is not supported yet", keys[i]);
        fb_diag_hint(diags, diag, "this version would not enforce it, so it does not load it");
    }
}

void fb_annotations_check(const struct fb_schema *schema, struct fb_diags *diags)
{
    for (uint32_t i = 0; i < schema->types_count; i++) {
        const struct fb_entity_type *type = schema->types[i];
        check_list(type->annotations, type->annotations_count, ON_TYPE, type->source, diags);
    }
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        const struct fb_schema_action *action = schema->actions[i];
        check_list(action->annotations, action->annotations_count, ON_ACTION, action->source, diags);
        check_unsupported(action, diags);
    }
}
