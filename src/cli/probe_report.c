/* SPDX-License-Identifier: Apache-2.0 */
/* Which reports are written, and where; and that no credentials stand in any of them, whatever a server repeats. */
#include "cli/inputs.h"
#include "cli/probe_report.h"

#define REPORT_MAX ((size_t)256 << 20)
#define SECRET_LEAST 6u     /* bytes: a shorter one would be found in half the words of a report */

enum form { FORM_TEXT, FORM_JSON, FORM_SVG, FORM_SARIF, FORM_UNKNOWN };

static enum form form_of(const char *word)
{
    static const char *const words[] = {"text", "json", "svg", "sarif"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum form)i;
    return FORM_UNKNOWN;
}

/* By the end of its name. */
static enum form form_of_file(const char *path, const char *format)
{
    const char *dot = strrchr(path, '.');
    enum form form = dot == NULL ? FORM_UNKNOWN : strcmp(dot, ".txt") == 0 ? FORM_TEXT : form_of(dot + 1);
    return form != FORM_UNKNOWN || format == NULL ? form : form_of(format);
}

bool fb_probe_report_is_good(struct fb_cli *cli, const struct fb_probe_report *report)
{
    if (report->format != NULL && form_of(report->format) == FORM_UNKNOWN)
        return fb_cli_wrong(cli, "probe", "--format is 'text', 'json', 'svg' or 'sarif', not '%s'", report->format);
    for (size_t i = 0; i < report->files.count; i++)
        if (form_of_file(report->files.list[i], report->format) == FORM_UNKNOWN)
            return fb_cli_wrong(cli, "probe", "--output %s: its name ends in none of .json, .svg, .sarif, .txt; say its --format", report->files.list[i]);
    return true;
}

/* The secret of "Authorization: Bearer …", "Cookie: …": what stands behind the name, and behind the scheme. */
static struct fb_span secret_of(const char *field)
{
    struct fb_span line = fb_span_z(field), value = fb_span_trim(fb_span_from(line, fb_span_find(line, ':') + 1));
    bool scheme = line.len >= 14 && fb_span_eq_nocase(fb_span_head(line, 14), FB_SPAN("authorization:")) && fb_span_find(value, ' ') < value.len;
    return scheme ? fb_span_trim(fb_span_from(value, fb_span_find(value, ' '))) : value;
}

static void scrub(struct fb_buffer *out, struct fb_span secret, struct fb_span name)
{
    struct fb_span all = fb_buffer_span(out);
    bool found = false;
    for (size_t i = 0; !found && i + secret.len <= all.len; i++)
        found = all.ptr[i] == secret.ptr[0] && memcmp(all.ptr + i, secret.ptr, secret.len) == 0;
    if (!found)
        return;
    struct fb_buffer clean;
    fb_buffer_init(&clean, &fb_heap, REPORT_MAX);
    for (size_t i = 0; i < all.len;) {
        if (fb_span_starts(fb_span_from(all, i), secret)) {
            fb_buffer_add_format(&clean, "[credentials of %.*s]", (int)name.len, name.ptr);
            i += secret.len;
        } else {
            fb_buffer_add_char(&clean, all.ptr[i++]);
        }
    }
    fb_buffer_clear(out);
    fb_buffer_add(out, fb_buffer_span(&clean));
    out->failed |= clean.failed;
    fb_buffer_release(&clean);
}

void fb_probe_scrub(struct fb_buffer *out, const struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->world.count; i++)
        for (size_t f = 0; f < probe->world.list[i].fields_count; f++) {
            struct fb_span secret = secret_of(probe->world.list[i].fields[f]);
            if (secret.len >= SECRET_LEAST)
                scrub(out, secret, probe->world.list[i].name);
        }
}

static bool render(struct fb_buffer *out, const struct fb_probe *probe, enum form form, const char *about, bool colour)
{
    switch (form) {
    case FORM_JSON:
        fb_probe_print_json(out, probe);
        break;
    case FORM_SVG:
        fb_probe_print_svg(out, probe);
        break;
    case FORM_SARIF:
        fb_probe_print_sarif(out, probe, about);
        break;
    case FORM_TEXT:
    case FORM_UNKNOWN:
        fb_probe_print_text(out, probe, colour);
        break;
    }
    fb_probe_scrub(out, probe);
    return (!out->failed && !probe->arena->failed) || fb_cli_wrong(probe->cli, "probe", "out of memory");
}

static bool write_files(const struct fb_probe *probe, const struct fb_probe_report *report, const char *about, struct fb_buffer *out)
{
    struct fb_inputs inputs;
    const struct fb_inputs_options none = {.policies = NULL};
    bool good = fb_inputs_init(&inputs, probe->cli, &none);
    for (size_t i = 0; i < report->files.count; i++) {
        const char *path = report->files.list[i];
        fb_buffer_clear(out);
        if (!render(out, probe, form_of_file(path, report->format), about, false) || !fb_inputs_write(&inputs, path, fb_buffer_span(out)))
            good = false;
    }
    fb_inputs_report(probe->cli, &inputs);
    fb_inputs_release(&inputs);
    return good;
}

bool fb_probe_report(const struct fb_probe *probe, const struct fb_probe_report *report, const char *about)
{
    struct fb_buffer out;
    enum form form = report->files.count != 0 || report->format == NULL ? FORM_TEXT : form_of(report->format);
    fb_buffer_init(&out, &fb_heap, REPORT_MAX);
    bool good = render(&out, probe, form, about, probe->cli->colour_out);
    if (good)
        fb_cli_write(probe->cli, &out);
    good = good && write_files(probe, report, about, &out);
    fb_buffer_release(&out);
    return good;
}
