/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid validate DIR`: a policy directory held against its own schema, with routes, annotations and
 * entities, in one run.  It reads as the server does; mode and level are the caller's. */
#include "cli/sarif.h"
#include "cli/validate.h"
#include "guard/guard.h"

int fb_cli_validate_directory(struct fb_cli *cli, const char *dir, const struct fb_validate_options *validate,
                              const struct fb_report_options *report)
{
    const struct fb_load_options load = {.validate = *validate, .unread = true};
    struct fb_arena arena;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    fb_diags_init(&diags, &arena);
    struct fb_policies *policies = fb_policies_load_with(&fb_heap, dir, &load, &diags);
    int status = fb_cli_verdict(&diags, policies != NULL, report->deny_warnings);
    fb_policies_free(policies);
    fb_cli_findings(cli, &diags, dir, status, report);
    fb_arena_release(&arena);
    return status;
}

/* A directory that is not there, a file that may not be read: nothing was found out about it. */
static bool unreadable(const struct fb_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        const char *dot = strrchr(diags->list[i].code, '.');
        if (diags->list[i].severity == FB_ERROR && dot != NULL && strcmp(dot, ".unreadable") == 0)
            return true;
    }
    return false;
}

int fb_cli_verdict(const struct fb_diags *diags, bool valid, bool deny_warnings)
{
    if (unreadable(diags))
        return FB_EXIT_FAILED;
    /* Whatever is not an error here is a warning. */
    bool warned = diags->count + diags->dropped > diags->errors;
    return valid && !(deny_warnings && warned) ? FB_EXIT_OK : FB_EXIT_INVALID;
}

void fb_cli_findings(struct fb_cli *cli, const struct fb_diags *diags, const char *about, int status,
                     const struct fb_report_options *report)
{
    if (report->sarif) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, (size_t)256 << 20);
        fb_sarif_print(&out, diags, about);
        fb_cli_write(cli, &out);
        fb_buffer_release(&out);
        return;
    }
    if (diags->count != 0)
        fb_cli_diags(cli, diags, report->json);
    if (status == FB_EXIT_OK && !report->json)
        fputs("valid\n", cli->out);
}
