/* SPDX-License-Identifier: Apache-2.0 */
/* Findings in the form that code hosts and editors take from checkers: SARIF 2.1.0.  Sections below
 * are those of the standard.  Columns count Unicode scalars, as everywhere in Forbid, and `columnKind`
 * says so (3.14.17); a region's end column is behind its last character (3.30.8). */
#include "cli/sarif.h"

#include "refusal/refusal.h"

#define SCHEMA_URI "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

struct finding {
    const char *code, *text, *help;
};

static const struct finding findings[] = {
#define FB_FINDING(code, text, help) {code, text, help},
#include "cli/findings.def"
#undef FB_FINDING
};
enum { FINDINGS = sizeof findings / sizeof findings[0] };

/* The rules of `lint` have their texts in src/refusal/rules.def. */
static struct finding lint_rule(const char *code, struct finding other)
{
    for (unsigned i = 0; i < FB_RULES; i++) {
        const struct fb_audit_text *rule = fb_audit_text((enum fb_audit_rule)i);
        if (strcmp(rule->code, code) == 0)
            return (struct finding){rule->code, rule->what, rule->change};
    }
    return other;
}

/* Those of `probe` in probe_rules.def, beside those of `lint`. */
static struct finding probe_rule(const char *code, struct finding other)
{
    static const struct finding own[] = {
#define FB_RULE(symbol, code, severity, what, change, source) {code, what, change},
#include "cli/probe_rules.def"
#undef FB_RULE
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(own[i].code, code) == 0)
            return own[i];
    return lint_rule(code, other);
}

static struct finding finding_of(const char *code)
{
    static const struct finding other = {"", "A fault", "Correct it at the place shown."};
    struct fb_span whole = fb_span_z(code), part = fb_span_head(whole, fb_span_find(whole, '.'));
    struct finding found = other;
    if (fb_span_is(part, "lint"))
        return lint_rule(code + strlen("lint."), other);
    if (fb_span_is(part, "probe"))
        return probe_rule(code + strlen("probe."), other);
    for (size_t i = 0; i < FINDINGS; i++) {
        if (fb_span_is(whole, findings[i].code))
            return findings[i];
        if (fb_span_is(part, findings[i].code))
            found = findings[i];
    }
    return found;
}

static void add_member(struct fb_buffer *out, const char *before, struct fb_span text)
{
    fb_buffer_add_z(out, before);
    fb_buffer_add_json(out, text);
}

/* --- rules: one for each code that occurs, in the order of their first findings (3.19.23) ------------- */

struct log {
    const struct fb_diags *diags;
    const char **codes;             /* those that occur, in that order */
    size_t codes_count;
    /* The last line that was counted to: findings mostly come in the order of their text, which may be long. */
    const struct fb_source *source;
    uint32_t at, line;
};

static size_t rule_index(const struct log *log, const char *code)
{
    size_t index = 0;
    while (index < log->codes_count && strcmp(log->codes[index], code) != 0)
        index++;
    return index;
}

static const char *level_of(enum fb_severity severity)
{
    return severity == FB_ERROR ? "error" : severity == FB_WARNING ? "warning" : "note";
}

static void add_rules(struct fb_buffer *out, struct log *log)
{
    const char *comma = "";
    fb_buffer_add_z(out, ",\"rules\":[");
    for (size_t i = 0; i < log->diags->count; i++) {
        const struct fb_diag *diag = &log->diags->list[i];
        if (rule_index(log, diag->code) < log->codes_count)
            continue;
        log->codes[log->codes_count++] = diag->code;
        struct finding finding = finding_of(diag->code);
        fb_buffer_add_z(out, comma);
        add_member(out, "{\"id\":", fb_span_z(diag->code));
        add_member(out, ",\"shortDescription\":{\"text\":", fb_span_z(finding.text));
        add_member(out, "},\"help\":{\"text\":", fb_span_z(finding.help));
        fb_buffer_add_format(out, "},\"defaultConfiguration\":{\"level\":\"%s\"}}", level_of(diag->severity));
        comma = ",";
    }
    fb_buffer_add_char(out, ']');
}

/* --- places ---------------------------------------------------------------------------------------------- */

static bool stands_in_uri(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c) != NULL;
}

/* A path as a URI reference (RFC 3986): relative ones stay relative, to wherever the command was run. */
static void add_uri(struct fb_buffer *out, struct fb_span path)
{
    while (fb_span_starts(path, FB_SPAN("./")))
        path = fb_span_from(path, 2);
    fb_buffer_add_z(out, fb_span_starts(path, FB_SPAN("/")) ? "{\"uri\":\"file://" : "{\"uri\":\"");
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '\0' && stands_in_uri(path.ptr[i]))
            fb_buffer_add_char(out, path.ptr[i]);
        else
            fb_buffer_add_format(out, "%%%02X", (unsigned)(unsigned char)path.ptr[i]);
    }
    fb_buffer_add_z(out, "\"}");
}

static struct fb_position position_of(struct log *log, const struct fb_source *source, uint32_t offset)
{
    uint32_t len = source->text.len < UINT32_MAX ? (uint32_t)source->text.len : UINT32_MAX, end = offset < len ? offset : len;
    if (log->source != source || log->at > end) {
        log->source = source;
        log->at = 0;
        log->line = 1;
    }
    /* log->at is where a line starts. */
    struct fb_span ahead = fb_span(source->text.ptr + log->at, end - log->at);
    for (size_t next; (next = fb_span_find(ahead, '\n')) < ahead.len; ahead = fb_span_from(ahead, next + 1)) {
        log->at += (uint32_t)next + 1;
        log->line++;
    }
    struct fb_span rest = fb_span_from(source->text, log->at);
    const struct fb_source line = {source->name, fb_span_head(rest, fb_span_find(rest, '\n'))};
    return (struct fb_position){log->line, fb_source_position(&line, end - log->at).column};
}

static void add_location(struct fb_buffer *out, struct log *log, const struct fb_source *source, struct fb_range range, const char *about)
{
    fb_buffer_add_z(out, "{\"physicalLocation\":{\"artifactLocation\":");
    add_uri(out, source != NULL ? source->name : fb_span_z(about));
    if (source != NULL) {
        struct fb_position start = position_of(log, source, range.start), end = position_of(log, source, range.end);
        fb_buffer_add_format(out, ",\"region\":{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u}",
                             start.line, start.column, end.line, end.column);
    }
    fb_buffer_add_char(out, '}');
}

static void add_result(struct fb_buffer *out, struct log *log, const struct fb_diag *diag, const char *about)
{
    add_member(out, "{\"ruleId\":", fb_span_z(diag->code));
    fb_buffer_add_format(out, ",\"ruleIndex\":%zu,\"level\":\"%s\",\"message\":{\"text\":",
                         rule_index(log, diag->code), level_of(diag->severity));
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    fb_buffer_add(&text, diag->message);
    if (diag->hint.len != 0) {
        fb_buffer_add_char(&text, '\n');
        fb_buffer_add(&text, diag->hint);
    }
    fb_buffer_add_json(out, fb_buffer_span(&text));
    fb_buffer_release(&text);
    fb_buffer_add_z(out, "},\"locations\":[");
    add_location(out, log, diag->source, diag->range, about);
    fb_buffer_add_z(out, "}]");
    if (diag->other != NULL) {
        fb_buffer_add_z(out, ",\"relatedLocations\":[");
        add_location(out, log, diag->other, diag->other_range, about);
        add_member(out, ",\"message\":{\"text\":", diag->other_message);
        fb_buffer_add_z(out, "}}]");
    }
    if (diag->hint.len != 0) {
        add_member(out, ",\"properties\":{\"hint\":", diag->hint);
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_char(out, '}');
}

void fb_sarif_print(struct fb_buffer *out, const struct fb_diags *diags, const char *about)
{
    struct log log = {.diags = diags, .codes = fb_arena_array(diags->arena, diags->count, sizeof *log.codes)};
    if (log.codes == NULL) {
        out->failed = true;
        return;
    }
    fb_buffer_add_z(out, "{\"$schema\":\"" SCHEMA_URI "\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{"
                         "\"name\":\"forbid\",\"version\":\"" FB_VERSION "\",\"semanticVersion\":\"" FB_VERSION "\"");
    add_rules(out, &log);
    fb_buffer_add_z(out, "}},\"columnKind\":\"unicodeCodePoints\",\"invocations\":[{\"executionSuccessful\":true}],"
                         "\"results\":[");
    for (size_t i = 0; i < diags->count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        add_result(out, &log, &diags->list[i], about);
    }
    fb_buffer_add_z(out, "]}]}\n");
}
