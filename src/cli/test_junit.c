/* SPDX-License-Identifier: Apache-2.0 */
/* The results as the XML that JUnit made and CI servers read.  It has no standard; what is written is what all its readers
 * have in common: suites, cases with a class and a name, failures with a message and a text. */
#include "cli/test.h"

/* Text of an element or an attribute: XML 1.0 section 2.2 has no place for most controls, even as references. */
static void add_text(struct fb_buffer *out, struct fb_span text)
{
    struct fb_buffer safe;
    fb_buffer_init(&safe, &fb_heap, (size_t)16 << 20);
    fb_buffer_add_safe(&safe, text);
    for (size_t i = 0; i < safe.len; i++) {
        switch (safe.ptr[i]) {
        case '<': fb_buffer_add_z(out, "&lt;"); break;
        case '>': fb_buffer_add_z(out, "&gt;"); break;
        case '&': fb_buffer_add_z(out, "&amp;"); break;
        case '"': fb_buffer_add_z(out, "&quot;"); break;
        default: fb_buffer_add_char(out, safe.ptr[i]);
        }
    }
    fb_buffer_release(&safe);
}

static void add_attribute(struct fb_buffer *out, const char *name, struct fb_span value)
{
    fb_buffer_add_format(out, " %s=\"", name);
    add_text(out, value);
    fb_buffer_add_char(out, '"');
}

static void add_differences(struct fb_buffer *out, const struct fb_test_outcome *outcome)
{
    struct fb_buffer line;
    fb_buffer_init(&line, &fb_heap, (size_t)1 << 20);
    fb_test_difference(&line, &outcome->failures[0]);
    fb_buffer_add_z(out, "    <failure");
    add_attribute(out, "message", fb_buffer_span(&line));
    fb_buffer_add_char(out, '>');
    for (size_t i = 0; i < outcome->failures_count; i++) {
        struct fb_position at = fb_source_position(outcome->file->source, outcome->failures[i].expect->range.start);
        fb_buffer_clear(&line);
        fb_test_difference(&line, &outcome->failures[i]);
        add_text(out, outcome->file->source->name);
        fb_buffer_add_format(out, ":%u:%u: ", at.line, at.column);
        add_text(out, fb_buffer_span(&line));
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_add_z(out, "</failure>\n");
    fb_buffer_release(&line);
}

void fb_test_junit(struct fb_buffer *out, const struct fb_test_outcome *outcome)
{
    struct fb_span file = outcome->file->source->name;
    struct fb_position at = fb_source_position(outcome->file->source, outcome->test->range.start);
    fb_buffer_add_z(out, "  <testcase");
    add_attribute(out, "classname", file);
    add_attribute(out, "name", outcome->test->name);
    add_attribute(out, "file", file);
    fb_buffer_add_format(out, " line=\"%u\"", at.line);
    if (outcome->failures_count == 0) {
        fb_buffer_add_z(out, "/>\n");
        return;
    }
    fb_buffer_add_z(out, ">\n");
    add_differences(out, outcome);
    fb_buffer_add_z(out, "  </testcase>\n");
}

void fb_test_junit_whole(struct fb_buffer *out, const struct fb_test_run *run)
{
    struct fb_buffer whole;
    fb_buffer_init(&whole, &fb_heap, out->ceiling);
    fb_buffer_add_z(&whole, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite");
    add_attribute(&whole, "name", fb_span_z(run->dir));
    fb_buffer_add_format(&whole, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", run->done, run->failed);
    fb_buffer_add(&whole, fb_buffer_span(out));
    fb_buffer_add_z(&whole, " </testsuite>\n</testsuites>\n");
    fb_buffer_release(out);
    *out = whole;
}
