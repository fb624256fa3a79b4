/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix as a picture for a report: a row a route, a column an identity, and in each cell what it gets of its own
 * objects, of others', and of what is not there.  Colours follow the reader's light or dark scheme; nothing is said by
 * colour alone: the status stands in each cell, and a finding has a frame and a corner as well.  No script, no font of
 * its own, nothing from elsewhere. */
#include "cli/probe.h"

enum {
    MARGIN = 28, ROW = 22, BOX = 18,        /* pixels */
    SUB = 34, GAP = 2, BETWEEN = 14,        /* a part of a cell; between parts; between cells */
    SINGLE = 44,                            /* a cell where no route has objects */
    TOP = 100, NAMES = 46, METHOD = 62
};
#define CHARACTER 7.3                       /* of the monospaced text at 12 px */
#define TITLE_LEAST 24u
#define TITLE_MAX 56u
#define RULES_SHOWN 16u

struct drawing {
    struct fb_buffer *out;
    const struct fb_probe *probe;
    bool objects;
    size_t rows;
    unsigned label, cell, width, height;
};

static const char style[] =
    "<style>"
    "svg{--page:#ffffff;--ink:#1b2330;--soft:#5d6878;--line:#e3e7ed;--stripe:#f6f8fa;"
    "--ok:#d3efdb;--ok-ink:#0c5a2b;--no:#e6e9ee;--no-ink:#4a5565;--gone:#f0f2f5;--gone-ink:#6a7585;--move:#d7e6fb;--move-ink:#174a8c;"
    "--fail:#eadcf7;--fail-ink:#5b2a86;--error:#c6212f;--error-ink:#ffffff;--warn:#ffdd8a;--warn-ink:#5a3d00;--frame:#8c0f1b;--edge:#b07a00}"
    "@media (prefers-color-scheme:dark){svg{--page:#11161d;--ink:#e4e9f0;--soft:#98a4b5;--line:#2a323d;--stripe:#161c24;"
    "--ok:#173f28;--ok-ink:#a4e6bb;--no:#2a323d;--no-ink:#b6c1cf;--gone:#1d242d;--gone-ink:#8f9bab;--move:#17365f;--move-ink:#b3d2ff;"
    "--fail:#3b2457;--fail-ink:#dcc2fa;--error:#d93a48;--error-ink:#ffffff;--warn:#6b4e06;--warn-ink:#ffe3a1;--frame:#ff9aa3;--edge:#e0b040}}"
    "text{font:12px ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:var(--ink)}"
    ".h{font-size:19px;font-weight:650}.s{fill:var(--soft)}.n{font-weight:600;text-anchor:middle}.k{font-size:9.5px;fill:var(--soft);text-anchor:middle}"
    ".m{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}.v{font-weight:700}"
    ".c{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;text-anchor:middle}"
    ".ok{fill:var(--ok)}.t-ok{fill:var(--ok-ink)}.no{fill:var(--no)}.t-no{fill:var(--no-ink)}.gone{fill:var(--gone)}.t-gone{fill:var(--gone-ink)}"
    ".move{fill:var(--move)}.t-move{fill:var(--move-ink)}.fail{fill:var(--fail)}.t-fail{fill:var(--fail-ink)}.none{fill:none}.t-none{fill:var(--soft)}"
    ".error{fill:var(--error);stroke:var(--frame)}.t-error{fill:var(--error-ink);font-weight:700}.warn{fill:var(--warn);stroke:var(--edge)}.t-warn{fill:var(--warn-ink);font-weight:700}"
    ".e-error{fill:var(--error-ink)}.e-warn{fill:var(--edge)}.line{stroke:var(--line)}.stripe{fill:var(--stripe)}"
    "</style>";

/* Text of elements: no markup, no controls, and nothing that XML 1.0 has no place for. */
static void add_text(struct fb_buffer *out, struct fb_span text)
{
    struct fb_buffer safe;
    fb_buffer_init(&safe, &fb_heap, 65536);
    fb_buffer_add_safe(&safe, text);
    for (size_t i = 0; i < safe.len; i++) {
        switch (safe.ptr[i]) {
        case '<':
            fb_buffer_add_z(out, "&lt;");
            break;
        case '>':
            fb_buffer_add_z(out, "&gt;");
            break;
        case '&':
            fb_buffer_add_z(out, "&amp;");
            break;
        default:
            fb_buffer_add_char(out, (unsigned char)safe.ptr[i] < 0x20 ? ' ' : safe.ptr[i]);
        }
    }
    fb_buffer_release(&safe);
}

/* At most so many characters, the last one an ellipsis where more were. */
static void add_short(struct fb_buffer *out, struct fb_span text, size_t most)
{
    if (fb_utf8_columns(text) <= most) {
        add_text(out, text);
        return;
    }
    size_t bytes = 0;
    for (size_t count = 0; count + 1 < most && bytes < text.len; count++) {
        unsigned length;
        (void)fb_utf8_next(fb_span_from(text, bytes), &length);
        bytes += length != 0 ? length : 1;
    }
    add_text(out, fb_span_head(text, bytes));
    fb_buffer_add_z(out, "\u2026");
}

static const char *class_of(const struct fb_probe_sum *sum)
{
    unsigned status = sum->status;
    if (sum->marks >= 3)
        return "error";
    if (sum->marks == 2)
        return "warn";
    if (status == 0)
        return "none";
    return status < 300 ? "ok" : status < 400 ? "move" : status == 404 ? "gone" : status < 500 ? "no" : "fail";
}

static void add_box(struct drawing *d, unsigned x, unsigned y, unsigned width, const struct fb_probe_sum *sum)
{
    const char *class = class_of(sum);
    if (sum->status == 0 && !sum->asked) {
        fb_buffer_add_format(d->out, "<text class=\"c t-none\" x=\"%u\" y=\"%u\">\u00b7</text>", x + width / 2, y + 13);
        return;
    }
    fb_buffer_add_format(d->out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"3\"/>", class, x, y, width, (unsigned)BOX);
    if (sum->marks >= 2)
        fb_buffer_add_format(d->out, "<path class=\"e-%s\" d=\"M%u %uh5l-5 5z\"/>", class, x + 1, y + 1);
    if (sum->status != 0)
        fb_buffer_add_format(d->out, "<text class=\"c t-%s\" x=\"%u\" y=\"%u\">%u%s</text>", class, x + width / 2, y + 13, sum->status, sum->second != 0 ? "+" : "");
    else
        fb_buffer_add_format(d->out, "<text class=\"c t-%s\" x=\"%u\" y=\"%u\">none</text>", class, x + width / 2, y + 13);
}

/* What the box says in words, for those who point at it or hear it. */
static void add_title(struct drawing *d, const struct fb_probe_route *route, size_t identity, enum fb_probe_column column)
{
    const struct fb_probe *probe = d->probe;
    fb_buffer_add_z(d->out, "<title>");
    add_text(d->out, probe->world.list[identity].name);
    fb_buffer_add_char(d->out, ':');
    for (size_t t = route->from; t < route->end; t++) {
        const struct fb_probe_target *target = &probe->targets[t];
        const struct fb_probe_cell *cell = fb_probe_cell_at(probe, t, identity);
        bool own = target->kind == FB_PROBE_PLAIN || fb_probe_is_own(probe, target, identity);
        enum fb_probe_column at = own ? FB_PROBE_OWN : target->kind == FB_PROBE_ABSENT ? FB_PROBE_NONE : FB_PROBE_OTHER;
        if (at != column || !cell->sent)
            continue;
        fb_buffer_add_char(d->out, ' ');
        add_text(d->out, target->route->method);
        fb_buffer_add_char(d->out, ' ');
        add_text(d->out, fb_span_head(target->path, 120));
        fb_buffer_add_format(d->out, " %u", cell->status);
        if (cell->expected.known && !cell->expected.forward)
            fb_buffer_add_format(d->out, " (policies: %u)", cell->expected.status);
        else if (cell->expected.known)
            fb_buffer_add_z(d->out, " (policies: allowed)");
        fb_buffer_add_char(d->out, ';');
    }
    fb_buffer_add_z(d->out, "</title>");
}

static void add_row(struct drawing *d, const struct fb_probe_route *route, unsigned y)
{
    size_t most = (size_t)((double)(d->label - METHOD - 10) / CHARACTER);
    struct fb_span path = fb_span_from(route->title, route->method.len + 1);
    fb_buffer_add_format(d->out, "<text class=\"m\" x=\"%u\" y=\"%u\"><tspan class=\"v\">", (unsigned)MARGIN, y + 14);
    add_text(d->out, fb_span_head(route->method, 7));
    fb_buffer_add_format(d->out, "</tspan><tspan x=\"%u\">", (unsigned)MARGIN + METHOD);
    add_short(d->out, path, most);
    fb_buffer_add_z(d->out, "</tspan><title>");
    add_text(d->out, route->title);
    fb_buffer_add_z(d->out, "</title></text>");
    for (size_t i = 0; i < d->probe->world.count; i++) {
        struct fb_probe_sum sums[FB_PROBE_COLUMNS];
        unsigned x = MARGIN + d->label + (unsigned)i * d->cell;
        bool split = fb_probe_has_objects(route);
        fb_probe_sum_up(d->probe, route, i, sums);
        for (unsigned c = 0; c < (split ? FB_PROBE_COLUMNS : 1u); c++) {
            fb_buffer_add_z(d->out, "<g>");
            add_title(d, route, i, (enum fb_probe_column)c);
            add_box(d, x + c * (SUB + GAP), y + 2, split ? SUB : d->cell - BETWEEN, &sums[c]);
            fb_buffer_add_z(d->out, "</g>");
        }
    }
    fb_buffer_add_char(d->out, '\n');
}

static void add_names(struct drawing *d)
{
    static const char *const parts[] = {"own", "other", "absent"};
    unsigned inner = d->cell - BETWEEN;
    for (size_t i = 0; i < d->probe->world.count; i++) {
        unsigned x = MARGIN + d->label + (unsigned)i * d->cell;
        fb_buffer_add_format(d->out, "<text class=\"n\" x=\"%u\" y=\"%u\">", x + inner / 2, (unsigned)TOP + 18);
        add_short(d->out, d->probe->world.list[i].name, inner / 7);
        fb_buffer_add_z(d->out, "<title>");
        add_text(d->out, d->probe->world.list[i].name);
        fb_buffer_add_z(d->out, "</title></text>");
        for (unsigned c = 0; d->objects && c < FB_PROBE_COLUMNS; c++)
            fb_buffer_add_format(d->out, "<text class=\"k\" x=\"%u\" y=\"%u\">%s</text>", x + c * (SUB + GAP) + SUB / 2, (unsigned)TOP + 35, parts[c]);
    }
}

static void add_matrix(struct drawing *d)
{
    unsigned y = TOP + NAMES, row = 0;
    fb_buffer_add_format(d->out, "<path class=\"line\" d=\"M%u %uH%u\"/>\n", (unsigned)MARGIN, y - 3, d->width - MARGIN);
    for (size_t i = 0; i < d->probe->routes.count; i++) {
        const struct fb_probe_route *route = &d->probe->routes.list[i];
        if (route->left_out != NULL)
            continue;
        if (row++ % 2 == 1)
            fb_buffer_add_format(d->out, "<rect class=\"stripe\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>", (unsigned)MARGIN - 8, y, d->width - 2 * MARGIN + 16, (unsigned)ROW);
        add_row(d, route, y);
        y += ROW;
    }
    fb_buffer_add_format(d->out, "<path class=\"line\" d=\"M%u %uH%u\"/>\n", (unsigned)MARGIN, y + 3, d->width - MARGIN);
}

/* Wrapped, since the picture may be narrow; how far down it came. */
static unsigned add_legend(struct drawing *d, unsigned y)
{
    static const struct {
        struct fb_probe_sum sum;
        const char *text;
    } all[] = {{{.status = 200, .asked = true}, "answered"}, {{.status = 403, .asked = true}, "refused"}, {{.status = 404, .asked = true}, "not there, or hidden"},
               {{.status = 302, .asked = true}, "sent elsewhere"}, {{.status = 500, .asked = true}, "failed"},
               {{.status = 200, .marks = 3, .asked = true}, "wrong"}, {{.status = 200, .marks = 2, .asked = true}, "look at it"},
               {{.status = 200, .second = 403, .asked = true}, "others differ: the most that is got"}, {{.status = 0}, "not asked"}};
    unsigned x = MARGIN;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        unsigned width = SUB + 8 + (unsigned)(strlen(all[i].text) * 63 / 10) + 16;
        if (x + width > d->width - MARGIN && x != MARGIN) {
            x = MARGIN;
            y += ROW;
        }
        add_box(d, x, y, SUB, &all[i].sum);
        fb_buffer_add_format(d->out, "<text class=\"s\" x=\"%u\" y=\"%u\">%s</text>", x + SUB + 7, y + 13, all[i].text);
        x += width;
    }
    return y + ROW;
}

/* The routes where a rule found something, as many as there is room for. */
static void add_routes(struct drawing *d, size_t from, size_t end, size_t room)
{
    const struct fb_probe_route *last = NULL;
    size_t more = 0;
    fb_buffer_add_z(d->out, "<tspan class=\"s\"> \u00b7 ");
    for (size_t i = from; i < end; i++) {
        const struct fb_probe_route *route = d->probe->findings[i].cell->target->route;
        size_t columns = fb_utf8_columns(route->title) + 2;
        if (d->probe->findings[i].known || route == last)
            continue;
        if (more != 0 || columns + 12 > room) {
            more++;
        } else {
            fb_buffer_add_z(d->out, last != NULL ? ", " : "");
            add_text(d->out, route->title);
            room -= columns;
        }
        last = route;
    }
    if (more != 0)
        fb_buffer_add_format(d->out, " and %zu more", more);
    fb_buffer_add_z(d->out, "</tspan>");
}

/* A line for each rule that found something. */
static unsigned add_rules(struct drawing *d, unsigned y, bool draw)
{
    const struct fb_probe *probe = d->probe;
    size_t shown = 0;
    for (size_t i = 0, end; i < probe->findings_count && shown < RULES_SHOWN; i = end) {
        const struct fb_audit_text *rule = probe->findings[i].rule;
        size_t left = 0;
        for (end = i; end < probe->findings_count && probe->findings[end].rule == rule; end++)
            left += !probe->findings[end].known;
        if (left == 0 || rule->severity == FB_NOTE)
            continue;
        if (draw) {
            const char *class = rule->severity == FB_ERROR ? "error" : "warn";
            char text[256];
            int len = snprintf(text, sizeof text, "%s: %s", rule->code, rule->what);
            fb_buffer_add_format(d->out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"3\"/><text class=\"c t-%s\" x=\"%u\" y=\"%u\">%zu</text>",
                                 class, (unsigned)MARGIN, y, (unsigned)SUB, (unsigned)BOX, class, (unsigned)MARGIN + SUB / 2, y + 13, left);
            size_t room = (d->width - 2 * MARGIN - SUB) * 10 / 70;
            fb_buffer_add_format(d->out, "<text x=\"%u\" y=\"%u\">", (unsigned)MARGIN + SUB + 7, y + 13);
            add_short(d->out, fb_span(text, len > 0 && len < (int)sizeof text ? (size_t)len : 0), room);
            add_routes(d, i, end, room > (size_t)len ? room - (size_t)len : 0);
            fb_buffer_add_z(d->out, "</text>\n");
        }
        y += ROW;
        shown++;
    }
    return y;
}

static void lay_out(struct drawing *d)
{
    size_t longest = TITLE_LEAST;
    for (size_t i = 0; i < d->probe->routes.count; i++) {
        const struct fb_probe_route *route = &d->probe->routes.list[i];
        size_t columns = fb_utf8_columns(route->title) - route->method.len - 1;
        if (route->left_out != NULL)
            continue;
        d->rows++;
        d->objects |= fb_probe_has_objects(route);
        longest = columns > longest ? columns : longest;
    }
    longest = longest < TITLE_MAX ? longest : TITLE_MAX;
    d->label = METHOD + (unsigned)((double)longest * CHARACTER) + 18;
    d->cell = (d->objects ? FB_PROBE_COLUMNS * SUB + (FB_PROBE_COLUMNS - 1) * GAP : SINGLE) + BETWEEN;
    d->width = 2 * MARGIN + d->label + (unsigned)d->probe->world.count * d->cell - BETWEEN;
    d->width = d->width < 640 ? 640 : d->width;
}

static void add_head(struct drawing *d)
{
    const struct fb_probe *probe = d->probe;
    fb_buffer_add_format(d->out,
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\" aria-labelledby=\"t d\">\n"
                         "<title id=\"t\">Who gets what of ",
                         d->width, d->height, d->width, d->height);
    add_text(d->out, fb_span_z(probe->base));
    fb_buffer_add_format(d->out, "</title><desc id=\"d\">%zu routes, %zu identities; %zu errors, %zu warnings.</desc>\n%s\n", d->rows, probe->world.count,
                         probe->counts[FB_ERROR], probe->counts[FB_WARNING], style);
    fb_buffer_add_format(d->out, "<rect width=\"%u\" height=\"%u\" fill=\"var(--page)\"/><text class=\"h\" x=\"%u\" y=\"40\">Who gets what</text>", d->width, d->height,
                         (unsigned)MARGIN);
    if (d->objects)
        fb_buffer_add_format(d->out, "<text class=\"s\" x=\"%u\" y=\"82\">In a cell: what it gets of its own objects, of others\u2019, of one that is not there.</text>", (unsigned)MARGIN);
    fb_buffer_add_format(d->out, "<text class=\"s\" x=\"%u\" y=\"62\">", (unsigned)MARGIN);
    add_short(d->out, fb_span_z(probe->base), (d->width - 420) / 7);
    fb_buffer_add_format(d->out, " \u00b7 %zu route%s, %zu identit%s, %llu requests%s \u00b7 %zu error%s, %zu warning%s</text>\n", d->rows, d->rows == 1 ? "" : "s",
                         probe->world.count, probe->world.count == 1 ? "y" : "ies", (unsigned long long)probe->requests, probe->stopped ? ", then stopped" : "",
                         probe->counts[FB_ERROR], probe->counts[FB_ERROR] == 1 ? "" : "s", probe->counts[FB_WARNING], probe->counts[FB_WARNING] == 1 ? "" : "s");
}

void fb_probe_print_svg(struct fb_buffer *out, const struct fb_probe *probe)
{
    struct fb_buffer nowhere;
    struct drawing d = {.out = out, .probe = probe};
    lay_out(&d);
    unsigned bottom = TOP + NAMES + (unsigned)d.rows * ROW + 16;
    /* The legend's height is known once it was drawn. */
    fb_buffer_init(&nowhere, &fb_heap, 65536);
    d.out = &nowhere;
    unsigned legend = add_legend(&d, bottom) + 8;
    d.out = out;
    fb_buffer_release(&nowhere);
    d.height = add_rules(&d, legend, false) + MARGIN - 8;
    add_head(&d);
    add_names(&d);
    add_matrix(&d);
    add_legend(&d, bottom);
    add_rules(&d, legend, true);
    fb_buffer_add_z(out, "</svg>\n");
}
