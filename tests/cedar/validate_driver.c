/* SPDX-License-Identifier: Apache-2.0 */

/* Validates many cases in one process, for diff_validate.mjs.
 *
 *   in   strict|permissive LEVEL SCHEMA-BYTES POLICIES-BYTES LINKS-BYTES newline, then those bytes; LEVEL -1: none.
 *        A link is a line: link-id template-id principal-uid|- resource-uid|-
 *   out  one JSON object a line: {"ok":bool,"schema":bool,"policies":bool,"findings":[["code","severity",start,end],…]} */

#include "cedar/cedar.h"

#include <stdio.h>
#include <stdlib.h>

static struct fb_source read_source(size_t length)
{
    char *text = malloc(length + 1);
    if (text == NULL || fread(text, 1, length, stdin) != length)
        exit(2);
    return (struct fb_source){.name = FB_SPAN("case"), .text = fb_span(text, length)};
}

/* The word up to a space, and what stands behind it. */
static struct fb_span word(struct fb_span *line)
{
    struct fb_span head = fb_span_head(*line, fb_span_find(*line, ' '));
    *line = fb_span_from(*line, head.len + 1);
    return head;
}

static bool link_all(struct fb_policy_set *set, struct fb_arena *arena, struct fb_span text)
{
    while (text.len > 0) {
        struct fb_span line = fb_span_head(text, fb_span_find(text, '\n'));
        text = fb_span_from(text, line.len + 1);
        struct fb_span id = word(&line), template_id = word(&line), principal = word(&line), resource = word(&line);
        const char *error;
        if (fb_policy_set_link(set, template_id, id, fb_span_is(principal, "-") ? NULL : fb_uid_parse(arena, principal),
                               fb_span_is(resource, "-") ? NULL : fb_uid_parse(arena, resource), &error)
            == NULL) {
            fprintf(stderr, "link: %s\n", error);
            return false;
        }
    }
    return true;
}

static void print_findings(const struct fb_diags *diags)
{
    printf("\"findings\":[");
    for (size_t i = 0; i < diags->count; i++) {
        const struct fb_diag *diag = &diags->list[i];
        printf("%s[\"%s\",\"%s\",%u,%u]", i > 0 ? "," : "", diag->code,
               diag->severity == FB_ERROR ? "error" : "warning", diag->range.start, diag->range.end);
    }
    printf("]}\n");
    fflush(stdout);
}

static void run_case(const struct fb_validate_options *options, struct fb_source schema_text, struct fb_source text,
                     struct fb_source links)
{
    struct fb_arena arena, scratch;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    fb_arena_init(&scratch, &fb_heap, (size_t)1 << 30);
    fb_diags_init(&diags, &arena);
    const struct fb_schema *schema = fb_schema_read(&arena, &schema_text, &diags);
    struct fb_policy_set set;
    fb_policy_set_init(&set, &arena);
    bool policies = fb_policy_set_read(&set, &text, &diags) && link_all(&set, &arena, links.text);
    bool ok = schema != NULL && policies && fb_validate(&set, schema, options, &scratch, &diags);
    if (getenv("VERBOSE") != NULL) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, (size_t)1 << 24);
        fb_diags_print(&out, &diags, false);
        fprintf(stderr, "%.*s", (int)out.len, out.ptr != NULL ? out.ptr : "");
        fb_buffer_release(&out);
    }
    printf("{\"ok\":%s,\"schema\":%s,\"policies\":%s,", ok ? "true" : "false", schema != NULL ? "true" : "false",
           policies ? "true" : "false");
    print_findings(&diags);
    fb_arena_release(&scratch);
    fb_arena_release(&arena);
}

int main(void)
{
    char mode[16];
    int level;
    size_t schema, policies, links;
    while (scanf("%15s %d %zu %zu %zu", mode, &level, &schema, &policies, &links) == 5) {
        if (getchar() != '\n')
            return 2;
        struct fb_source a = read_source(schema), b = read_source(policies), c = read_source(links);
        const struct fb_validate_options options = {
            .mode = strcmp(mode, "strict") == 0 ? FB_VALIDATE_STRICT : FB_VALIDATE_PERMISSIVE,
            .check_level = level >= 0,
            .level = level >= 0 ? (uint32_t)level : 0,
        };
        run_case(&options, a, b, c);
        free((void *)(uintptr_t)a.text.ptr);
        free((void *)(uintptr_t)b.text.ptr);
        free((void *)(uintptr_t)c.text.ptr);
    }
    return 0;
}
