/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share in talking to people: errors, diagnostics, files read, progress. */
#include "cli/cli.h"

#include <errno.h>
#include <time.h>

int fb_cli_fail(struct fb_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs(cli->colour_err ? "\033[1mforbid:\033[0m " : "forbid: ", cli->err);
    vfprintf(cli->err, format, args);
    fputc('\n', cli->err);
    va_end(args);
    return FB_EXIT_FAILED;
}

bool fb_cli_wrong(struct fb_cli *cli, const char *verb, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fb_cli_fail(cli, "%s: %s", verb, text);
    return false;
}

bool fb_cli_error_format(struct fb_cli *cli, const char *format, bool *json)
{
    *json = format != NULL && strcmp(format, "json") == 0;
    if (format != NULL && strcmp(format, "plain") == 0)
        cli->colour_err = false;
    else if (format != NULL && !*json && strcmp(format, "human") != 0) {
        fb_cli_fail(cli, "--error-format is 'human', 'plain' or 'json', not '%s'", format);
        return false;
    }
    return true;
}

void fb_cli_diags(struct fb_cli *cli, const struct fb_diags *diags, bool json)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 16u << 20);
    if (json)
        fb_diags_print_json(&text, diags);
    else
        fb_diags_print(&text, diags, cli->colour_err);
    if (text.len != 0)
        fwrite(text.ptr, 1, text.len, cli->err);
    if (text.len != 0 && text.ptr[text.len - 1] != '\n')
        fputc('\n', cli->err);
    fb_buffer_release(&text);
}

bool fb_cli_read(struct fb_cli *cli, const char *path, struct fb_buffer *buffer)
{
    int error = fb_buffer_read_file(buffer, path);
    if (error == 0)
        return true;
    if (error == EFBIG)
        fb_cli_fail(cli, "%s: larger than the limit of %zu bytes", path, buffer->ceiling);
    else
        fb_cli_fail(cli, "%s: %s", path, strerror(error));
    return false;
}

void fb_cli_write(struct fb_cli *cli, const struct fb_buffer *buffer)
{
    if (buffer->len != 0)
        fwrite(buffer->ptr, 1, buffer->len, cli->out);
}

void fb_cli_progress(struct fb_cli *cli, const char *what, uint64_t done, uint64_t total)
{
    static struct timespec last;    /* one line of one terminal: the process's own */
    if (!cli->progress)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t since = (int64_t)(now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
    if (done != total && since < 100)
        return;
    last = now;
    fprintf(cli->err, "\r%s %llu of %llu\033[K%s", what, (unsigned long long)done, (unsigned long long)total,
            done == total ? "\n" : "");
}
