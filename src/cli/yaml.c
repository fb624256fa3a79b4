/* SPDX-License-Identifier: Apache-2.0 */
/* YAML becomes JSON, token by token, with the place of each.  The only file that includes libyaml, which turns text
 * into events; what is refused is said here, what plain scalars mean in yaml_scalar.c.  Duplicate keys and the limits of what is
 * read are left to the reader of the JSON. */
#include "cli/yaml.h"

#include "cli/yaml_scalar.h"

#include <yaml.h>

#define DEPTH_MAX 128u

struct reading {
    struct fb_arena *arena;
    struct fb_yaml *yaml;
    struct fb_diags *diags;
    struct fb_buffer out;
    size_t index, byte;         /* libyaml counts characters: the last one asked for, and its byte */
    uint32_t last_end;          /* of the last token that has a width: where a block ends */
    uint32_t depth;
    bool in_mapping[DEPTH_MAX], at_key[DEPTH_MAX], first[DEPTH_MAX];
};

bool fb_yaml_is(struct fb_span name)
{
    static const char *const suffixes[] = {".yaml", ".yml"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t len = strlen(suffixes[i]);
        if (name.len > len && fb_span_is(fb_span_from(name, name.len - len), suffixes[i]))
            return true;
    }
    return false;
}

/* --- Places --------------------------------------------------------------------------------------- */

/* The byte of a mark.  Marks come nearly in order, so the way is short. */
static uint32_t byte_of(struct reading *r, yaml_mark_t mark)
{
    struct fb_span text = r->yaml->source->text;
    if (mark.index < r->index)
        r->index = r->byte = 0;
    while (r->index < mark.index && r->byte < text.len) {
        unsigned length;
        (void)fb_utf8_next(fb_span_from(text, r->byte), &length);
        r->byte += length != 0 ? length : 1;
        r->index++;
    }
    return (uint32_t)r->byte;
}

/* Of an event: at least one character, which a caret can point at; without the line ends behind block scalars. */
static struct fb_range range_of(struct reading *r, const yaml_event_t *event)
{
    struct fb_span text = r->yaml->source->text;
    struct fb_range range;
    range.start = byte_of(r, event->start_mark);
    range.end = byte_of(r, event->end_mark);
    while (range.end > range.start + 1 && (text.ptr[range.end - 1] == '\n' || text.ptr[range.end - 1] == '\r'))
        range.end--;
    return range;
}

static struct fb_diag *fault(struct reading *r, const char *code, struct fb_range range, const char *message)
{
    return fb_diag_add(r->diags, FB_ERROR, code, r->yaml->source, range, "%s", message);
}

static bool no_memory(struct reading *r)
{
    fault(r, "yaml.memory", (struct fb_range){0, 0}, "the text needs more memory than it may have");
    return false;
}

/* What is added next to the JSON stands there in the YAML. */
static bool place(struct reading *r, struct fb_range range)
{
    struct fb_yaml *yaml = r->yaml;
    struct fb_yaml_place *grown = fb_arena_grow(r->arena, yaml->places, yaml->count, &yaml->capacity, sizeof *grown);
    if (grown == NULL)
        return no_memory(r);
    yaml->places = grown;
    grown[yaml->count++] = (struct fb_yaml_place){(uint32_t)r->out.len, range};
    if (range.end > r->last_end)
        r->last_end = range.end;
    return true;
}

/* A token of JSON, with the comma or colon that goes before it. */
static bool token(struct reading *r, struct fb_range range)
{
    if (r->depth != 0) {
        uint32_t level = r->depth - 1;
        bool value = r->in_mapping[level] && !r->at_key[level];
        if (value)
            fb_buffer_add_char(&r->out, ':');
        else if (!r->first[level])
            fb_buffer_add_char(&r->out, ',');
        r->first[level] = false;
        if (r->in_mapping[level])
            r->at_key[level] = value;
    }
    return place(r, range);
}

struct fb_range fb_yaml_range(const struct fb_yaml *yaml, struct fb_range json)
{
    size_t low = 0, high = yaml->count;
    struct fb_range range = {0, 0};
    if (yaml->count == 0)
        return range;
    while (high - low > 1) { /* the token at or before the start */
        size_t middle = low + (high - low) / 2;
        if (yaml->places[middle].json <= json.start)
            low = middle;
        else
            high = middle;
    }
    range = yaml->places[low].yaml;
    while (low + 1 < yaml->count && yaml->places[low + 1].json < json.end)
        low++;
    if (yaml->places[low].yaml.end > range.end)
        range.end = yaml->places[low].yaml.end;
    return range;
}

void fb_yaml_place(const struct fb_yaml *yaml, struct fb_diags *diags, size_t first)
{
    for (size_t i = first; i < diags->count; i++) {
        struct fb_diag *diag = &diags->list[i];
        if (diag->source == &yaml->json) {
            diag->source = yaml->source;
            diag->range = fb_yaml_range(yaml, diag->range);
        }
        if (diag->other == &yaml->json) {
            diag->other = yaml->source;
            diag->other_range = fb_yaml_range(yaml, diag->other_range);
        }
    }
}

/* --- Events ---------------------------------------------------------------------------------------- */

/* Anchors, aliases and tags. */
static bool refuse_extras(struct reading *r, struct fb_range range, bool anchored, bool tagged)
{
    if (anchored)
        fault(r, "yaml.anchor", range, "anchors and aliases are not read")->hint = FB_SPAN("write the value where it is meant");
    else if (tagged)
        fault(r, "yaml.tag", range, "tags are not read")->hint = FB_SPAN("what should be text is put in quotes");
    return !anchored && !tagged;
}

static bool at_key(const struct reading *r)
{
    return r->depth != 0 && r->in_mapping[r->depth - 1] && r->at_key[r->depth - 1];
}

static bool scalar(struct reading *r, const yaml_event_t *event, struct fb_range range)
{
    struct fb_span text = fb_span((const char *)event->data.scalar.value, event->data.scalar.length);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, key = at_key(r);
    if (!refuse_extras(r, range, event->data.scalar.anchor != NULL, event->data.scalar.tag != NULL))
        return false;
    if (key && plain && fb_span_is(text, "<<")) {
        fault(r, "yaml.merge", range, "mappings are not merged into others")->hint = FB_SPAN("write out the members");
        return false;
    }
    enum fb_yaml_plain kind = plain && !key ? fb_yaml_plain(text) : FB_YAML_TEXT;
    if (kind == FB_YAML_ODD_NUMBER) {
        fault(r, "yaml.number", range, "readers of YAML differ on what this number is")->hint =
            FB_SPAN("put text in quotes; write a number as JSON has it: 7, -1, 0.5");
        return false;
    }
    if (!token(r, range))
        return false;
    if (kind == FB_YAML_TEXT)
        fb_buffer_add_json(&r->out, text);
    else if (kind == FB_YAML_NUMBER)
        fb_buffer_add(&r->out, text);
    else
        fb_buffer_add_z(&r->out, kind == FB_YAML_NULL ? "null" : kind == FB_YAML_TRUE ? "true" : "false");
    return true;
}

static bool open_list(struct reading *r, struct fb_range range, bool mapping)
{
    if (at_key(r)) {
        fault(r, "yaml.key", range, "a key is a word or a text in quotes, not a list or a mapping");
        return false;
    }
    if (r->depth == DEPTH_MAX) {
        fault(r, "yaml.too_deep", range, "more than 128 lists and mappings within one another");
        return false;
    }
    if (!token(r, range))
        return false;
    fb_buffer_add_char(&r->out, mapping ? '{' : '[');
    r->in_mapping[r->depth] = r->at_key[r->depth] = mapping;
    r->first[r->depth++] = true;
    return true;
}

/* A block ends where its last token does, not at the next line that has something. */
static bool close_list(struct reading *r, struct fb_range range, bool mapping)
{
    struct fb_span text = r->yaml->source->text;
    if (range.start >= text.len || text.ptr[range.start] != (mapping ? '}' : ']') || range.end != range.start + 1)
        range = (struct fb_range){r->last_end, r->last_end};
    r->depth--;
    if (!place(r, range))
        return false;
    fb_buffer_add_char(&r->out, mapping ? '}' : ']');
    return true;
}

/* --- Faults of libyaml ------------------------------------------------------------------------------ */

/* Its messages in words for those who write tests, and what to write instead; others stand as they are. */
static const struct {
    const char *theirs, *ours, *hint;
} faults[] = {
    {"mapping values are not allowed in this context", "a `: ` where no member can begin",
     "put text that holds `: ` in quotes; members of one mapping begin in the same column"},
    {"found character that cannot start any token", "nothing can begin with this character",
     "put text that begins with it in quotes"},
    {"could not find expected ':'", "a member lacks its `:`", "a member is `name: value`, with a space behind the colon"},
    {"did not find expected key", "neither a member of this mapping nor its end",
     "members begin in one column; put a value in quotes as a whole, or not at all"},
    {"did not find expected '-' indicator", "neither an element of this list nor its end",
     "elements begin with `- `, all in one column"},
    {"block sequence entries are not allowed in this context", "a list cannot begin here",
     "begin it on a line of its own"},
    {"did not find expected ',' or ']'", "the list in brackets is not closed", "a `,` or a `]` is missing"},
    {"did not find expected ',' or '}'", "the mapping in braces is not closed", "a `,` or a `}` is missing"},
    {"found unexpected end of stream", "the text ends within quotes", "close the quotes"},
    {"found unknown escape character", "an escape that YAML does not have",
     "write `\\\\` for a backslash, or take single quotes, in which it is one"},
    {"did not find expected node content", "a value is missing here", ""},
};

/* A tab at the mark, or before it on its line where nothing but blanks goes before. */
static bool tab_at(struct fb_span text, uint32_t at)
{
    if (at < text.len && text.ptr[at] == '\t')
        return true;
    while (at != 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t'))
        if (text.ptr[--at] == '\t')
            return true;
    return false;
}

static bool report(struct reading *r, const yaml_parser_t *parser)
{
    struct fb_span text = r->yaml->source->text;
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory(r);
    const char *problem = parser->problem != NULL ? parser->problem : "it cannot be read";
    uint32_t at = parser->error == YAML_READER_ERROR ? (uint32_t)(parser->problem_offset < text.len ? parser->problem_offset : text.len)
                                                     : byte_of(r, parser->problem_mark);
    unsigned length = 0;
    if (at < text.len)
        (void)fb_utf8_next(fb_span_from(text, at), &length);
    struct fb_range range = {at, at + length};
    if (tab_at(text, at)) {
        fault(r, "yaml.tab", range, "a tab where YAML wants spaces")->hint = FB_SPAN("indent with spaces");
        return false;
    }
    size_t i = 0, known = sizeof faults / sizeof faults[0];
    while (i < known && strcmp(problem, faults[i].theirs) != 0)
        i++;
    struct fb_diag *diag = fault(r, "yaml.syntax", range, i < known ? faults[i].ours : problem);
    if (i < known)
        diag->hint = fb_span_z(faults[i].hint);
    if (parser->context != NULL && parser->context_mark.line < parser->problem_mark.line) {
        uint32_t start = byte_of(r, parser->context_mark);
        diag->other = r->yaml->source;
        diag->other_range = (struct fb_range){start, start < text.len ? start + 1 : start};
        diag->other_message = FB_SPAN("which begins here");
    }
    return false;
}

/* One event; false after a fault. */
static bool take(struct reading *r, const yaml_event_t *event, unsigned *documents)
{
    struct fb_range range = range_of(r, event);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            fault(r, "yaml.documents", range, "a second document: a file is one");
        return *documents == 1;
    case YAML_ALIAS_EVENT:
        return refuse_extras(r, range, true, false);
    case YAML_SCALAR_EVENT:
        return scalar(r, event, range);
    case YAML_SEQUENCE_START_EVENT:
        return refuse_extras(r, range, event->data.sequence_start.anchor != NULL, event->data.sequence_start.tag != NULL)
               && open_list(r, range, false);
    case YAML_MAPPING_START_EVENT:
        return refuse_extras(r, range, event->data.mapping_start.anchor != NULL, event->data.mapping_start.tag != NULL)
               && open_list(r, range, true);
    case YAML_SEQUENCE_END_EVENT:
        return close_list(r, range, false);
    case YAML_MAPPING_END_EVENT:
        return close_list(r, range, true);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return true;
}

static bool read_events(struct reading *r, yaml_parser_t *parser)
{
    unsigned documents = 0;
    for (bool fine = true, over = false; !over; ) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return report(r, parser);
        fine = take(r, &event, &documents);
        over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!fine)
            return false;
    }
    if (documents == 0) { /* nothing but comments */
        if (!token(r, (struct fb_range){0, 0}))
            return false;
        fb_buffer_add_z(&r->out, "null");
    }
    return true;
}

/* Before libyaml looks at it: UTF-8, and no line ends of YAML 1.1 alone (NEL, LS, PS), which would be text in 1.2. */
static bool look_at_text(struct reading *r)
{
    static const char *const separators[] = {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    struct fb_span text = r->yaml->source->text;
    size_t valid = fb_utf8_valid(text);
    if (valid != text.len || valid > UINT32_MAX) {
        fault(r, "yaml.utf8", (struct fb_range){(uint32_t)valid, (uint32_t)valid + 1}, "the text is not UTF-8 here");
        return false;
    }
    for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++) {
        const struct fb_span separator = fb_span_z(separators[i]);
        const char *found = text.len != 0 ? memmem(text.ptr, text.len, separator.ptr, separator.len) : NULL;
        if (found == NULL)
            continue;
        const uint32_t at = (uint32_t)(found - text.ptr);
        fault(r, "yaml.line_end", (struct fb_range){at, at + (uint32_t)separator.len},
              "readers of YAML differ on whether a line ends with this character")
            ->hint = FB_SPAN("in double quotes it is written \\N, \\L or \\P");
        return false;
    }
    return true;
}

const struct fb_yaml *fb_yaml_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags)
{
    struct reading r = {.arena = arena, .diags = diags, .yaml = fb_arena_alloc(arena, sizeof *r.yaml)};
    yaml_parser_t parser;
    if (r.yaml == NULL)
        return NULL;
    *r.yaml = (struct fb_yaml){.source = source};
    if (!look_at_text(&r))
        return NULL;
    if (!yaml_parser_initialize(&parser)) {
        no_memory(&r);
        return NULL;
    }
    fb_buffer_init(&r.out, &fb_heap, (size_t)1 << 30);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->text.ptr, source->text.len);
    bool fine = read_events(&r, &parser);
    yaml_parser_delete(&parser);
    if (fine && r.out.failed)
        fine = no_memory(&r);
    if (fine) {
        r.yaml->json = (struct fb_source){source->name, fb_arena_copy(arena, fb_buffer_span(&r.out))};
        fine = !arena->failed || no_memory(&r);
    }
    fb_buffer_release(&r.out);
    return fine ? r.yaml : NULL;
}
