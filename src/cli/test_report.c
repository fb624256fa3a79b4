/* SPDX-License-Identifier: Apache-2.0 */
/* What `forbid test` says: for people the tests that do not hold, each with what was expected and where, what came, and
 * why; for programs TAP (version 14) or one JSON object. */
#include "cli/why.h"

#include "cli/test.h"

#define REPORT_CEILING ((size_t)256 << 20)
#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

static void add_aspect(struct fb_buffer *out, const struct fb_test_expect *expect)
{
    fb_buffer_add_z(out, fb_test_aspect_names[expect->aspect]);
    if (expect->name.len != 0) {
        fb_buffer_add_char(out, ' ');
        fb_buffer_add_safe(out, expect->name);
    }
}

void fb_test_difference(struct fb_buffer *out, const struct fb_test_failure *failure)
{
    add_aspect(out, failure->expect);
    fb_buffer_add_z(out, ": expected ");
    fb_buffer_add_safe(out, failure->expect->value);
    fb_buffer_add_z(out, ", got ");
    fb_excerpt_cut(out, failure->got, 200);
}

static struct fb_why_shown shown_of(const struct fb_test_run *run, const struct fb_test_outcome *outcome)
{
    return (struct fb_why_shown){.site = run->site,
                                 .http = outcome->http,
                                 .assumed = outcome->test->who == FB_TEST_ASSUMED ? &outcome->test->assumed : NULL,
                                 .has_token = outcome->test->who == FB_TEST_CLAIMS,
                                 .why = outcome->why,
                                 .all = run->all,
                                 .response = outcome->response};
}

/* --- Text ---------------------------------------------------------------------------------------- */

static void add_place(struct fb_buffer *out, const struct fb_test_outcome *outcome)
{
    struct fb_position at = fb_source_position(outcome->file->source, outcome->test->range.start);
    fb_buffer_add_safe(out, outcome->file->source->name);
    fb_buffer_add_format(out, ":%u:%u", at.line, at.column);
}

static void add_failures(struct fb_buffer *out, const struct fb_test_outcome *outcome, bool colour)
{
    struct fb_arena arena;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, (size_t)16 << 20);
    fb_diags_init(&diags, &arena);
    for (size_t i = 0; i < outcome->failures_count; i++) {
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
        fb_test_difference(&text, &outcome->failures[i]);
        fb_diag_add(&diags, FB_ERROR, "test.differs", outcome->file->source, outcome->failures[i].expect->range, "%.*s",
                    (int)text.len, text.ptr);
        fb_buffer_release(&text);
    }
    fb_diags_print(out, &diags, colour);
    fb_arena_release(&arena);
}

static void report_text(struct fb_test_run *run, const struct fb_test_outcome *outcome, struct fb_buffer *out)
{
    bool fine = outcome->failures_count == 0, colour = run->cli->colour_out;
    if (fine && !run->verbose)
        return;
    fb_buffer_add_format(out, "%s%s%s ", colour ? fine ? GREEN : RED : "", fine ? "holds" : "FAILS", colour ? PLAIN : "");
    fb_buffer_add_safe(out, outcome->test->name);
    if (fine) {
        fb_buffer_add_char(out, '\n');
        return;
    }
    fb_buffer_add_z(out, "  ");
    add_place(out, outcome);
    fb_buffer_add_z(out, "\n\n");
    add_failures(out, outcome, colour);
    fb_buffer_add_char(out, '\n');
    const struct fb_why_shown shown = shown_of(run, outcome);
    struct fb_buffer why;
    fb_buffer_init(&why, &fb_heap, REPORT_CEILING);
    fb_why_print(&why, &shown, colour);
    for (struct fb_span rest = fb_buffer_span(&why); rest.len != 0;) {
        size_t end = fb_span_find(rest, '\n');
        fb_buffer_add_z(out, end != 0 ? "  " : "");
        fb_buffer_add(out, fb_span_head(rest, end + 1));
        rest = fb_span_from(rest, end + 1);
    }
    fb_buffer_release(&why);
    fb_buffer_add_char(out, '\n');
}

/* --- TAP, JSON ------------------------------------------------------------------------------------ */

/* One line: `#` and `\` have a meaning there. */
static void add_tap_name(struct fb_buffer *out, struct fb_span name)
{
    struct fb_buffer safe;
    fb_buffer_init(&safe, &fb_heap, (size_t)1 << 20);
    fb_buffer_add_safe(&safe, name);
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.ptr[i] == '#' || safe.ptr[i] == '\\')
            fb_buffer_add_char(out, '\\');
        fb_buffer_add_char(out, safe.ptr[i]);
    }
    fb_buffer_release(&safe);
}

static void report_tap(struct fb_test_run *run, const struct fb_test_outcome *outcome, struct fb_buffer *out)
{
    fb_buffer_add_format(out, "%sok %zu - ", outcome->failures_count == 0 ? "" : "not ", run->done);
    add_tap_name(out, outcome->test->name);
    fb_buffer_add_char(out, '\n');
    if (outcome->failures_count == 0)
        return;
    fb_buffer_add_z(out, "  ---\n  at: ");
    struct fb_buffer place;
    fb_buffer_init(&place, &fb_heap, (size_t)1 << 20);
    add_place(&place, outcome);
    fb_buffer_add_json(out, fb_buffer_span(&place));
    fb_buffer_add_z(out, "\n  differences:\n");
    for (size_t i = 0; i < outcome->failures_count; i++) {
        fb_buffer_clear(&place);
        fb_test_difference(&place, &outcome->failures[i]);
        fb_buffer_add_z(out, "    - ");
        fb_buffer_add_json(out, fb_buffer_span(&place));
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_add_z(out, "  ...\n");
    fb_buffer_release(&place);
}

static void add_failure_json(struct fb_buffer *out, const struct fb_test_outcome *outcome,
                             const struct fb_test_failure *failure)
{
    struct fb_position at = fb_source_position(outcome->file->source, failure->expect->range.start);
    fb_buffer_add_z(out, "{\"aspect\":");
    fb_buffer_add_json(out, fb_span_z(fb_test_aspect_names[failure->expect->aspect]));
    if (failure->expect->name.len != 0) {
        fb_buffer_add_z(out, ",\"name\":");
        fb_buffer_add_json(out, failure->expect->name);
    }
    fb_buffer_add_format(out, ",\"line\":%u,\"column\":%u,\"expected\":", at.line, at.column);
    fb_buffer_add(out, failure->expect->value);
    fb_buffer_add_z(out, ",\"got\":");
    fb_buffer_add(out, failure->got);
    fb_buffer_add_char(out, '}');
}

static void report_json(struct fb_test_run *run, const struct fb_test_outcome *outcome)
{
    struct fb_buffer *out = &run->json;
    struct fb_position at = fb_source_position(outcome->file->source, outcome->test->range.start);
    fb_buffer_add_z(out, run->done > 1 ? ",{\"file\":" : "{\"file\":");
    fb_buffer_add_json(out, outcome->file->source->name);
    fb_buffer_add_format(out, ",\"line\":%u,\"name\":", at.line);
    fb_buffer_add_json(out, outcome->test->name);
    fb_buffer_add_format(out, ",\"holds\":%s", outcome->failures_count == 0 ? "true" : "false");
    if (outcome->failures_count != 0) {
        fb_buffer_add_z(out, ",\"differences\":[");
        for (size_t i = 0; i < outcome->failures_count; i++) {
            fb_buffer_add_z(out, i != 0 ? "," : "");
            add_failure_json(out, outcome, &outcome->failures[i]);
        }
        fb_buffer_add_z(out, "],\"why\":");
        const struct fb_why_shown shown = shown_of(run, outcome);
        fb_why_print_json(out, &shown);
        while (out->len != 0 && out->ptr[out->len - 1] == '\n')
            out->len--;
    }
    fb_buffer_add_char(out, '}');
}

/* --- The whole ------------------------------------------------------------------------------------ */

void fb_test_report_begin(struct fb_test_run *run, size_t wanted)
{
    run->wanted = wanted;
    if (run->form == FB_TEST_TAP)
        fprintf(run->cli->out, "TAP version 14\n1..%zu\n", wanted);
}

/* A line on a terminal that the next words take the place of. */
static void clear_progress(const struct fb_test_run *run)
{
    if (run->cli->progress)
        fputs("\r\033[K", run->cli->err);
}

void fb_test_report(struct fb_test_run *run, const struct fb_test_outcome *outcome)
{
    struct fb_buffer out;
    if (run->wants_junit)
        fb_test_junit(&run->junit, outcome);
    if (outcome->failures_count != 0 || run->done == run->wanted)
        clear_progress(run);
    else
        fb_cli_progress(run->cli, "tests:", run->done, run->wanted);
    fb_buffer_init(&out, &fb_heap, REPORT_CEILING);
    switch (run->form) {
    case FB_TEST_TEXT: report_text(run, outcome, &out); break;
    case FB_TEST_TAP: report_tap(run, outcome, &out); break;
    case FB_TEST_JSON: report_json(run, outcome); break;
    }
    fb_cli_write(run->cli, &out);
    fb_buffer_release(&out);
}

static void end_text(struct fb_test_run *run, struct fb_buffer *out)
{
    bool colour = run->cli->colour_out;
    size_t hold = run->done - run->failed;
    fb_buffer_add_z(out, run->dir);
    fb_buffer_add_format(out, ": %s%zu %s%s", colour ? run->failed == 0 ? GREEN : RED : "", hold,
                         hold == 1 ? "test holds" : "tests hold", colour && run->failed == 0 ? PLAIN : "");
    if (run->failed != 0)
        fb_buffer_add_format(out, ", %zu %s%s", run->failed, run->failed == 1 ? "fails" : "fail", colour ? PLAIN : "");
    fb_buffer_add_char(out, '\n');
}

void fb_test_report_end(struct fb_test_run *run)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, REPORT_CEILING);
    if (run->wants_junit)
        fb_test_junit_whole(&run->junit, run);
    if (run->form == FB_TEST_JSON) {
        fb_buffer_add_format(&out, "{\"hold\":%zu,\"fail\":%zu,\"tests\":[", run->done - run->failed, run->failed);
        fb_buffer_add(&out, fb_buffer_span(&run->json));
        fb_buffer_add_z(&out, "],\"coverage\":");
        fb_cover_print_json(&out, run->cover);
        fb_buffer_add_z(&out, "}\n");
    } else if (run->form == FB_TEST_TEXT) {
        end_text(run, &out);
        fb_cover_print(&out, run->cover, run->verbose);
    }
    if (out.failed || run->json.failed)
        fb_cli_fail(run->cli, "test: the report is too large");
    fb_cli_write(run->cli, &out);
    fb_buffer_release(&out);
}
