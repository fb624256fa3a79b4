/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid init`: a policy directory to begin with, by example or from an API's description.  Nothing
 * that is there is ever written over. */
#include "cli/init.h"
#include "cli/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 20)
#define OPENAPI_MAX ((size_t)256 << 20)

static const char help[] =
    "Writes a policy directory to begin with: a schema with routes, policies, roles, each explained\n"
    "where it stands. Nothing that is there is written over.\n"
    "\n"
    "  forbid init                            into ./policies\n"
    "  forbid init etc/policies\n"
    "  forbid init --openapi openapi.yaml     an action for each operation of your API\n"
    "\n"
    "Then\n"
    "  forbid check policies --routes\n"
    "  forbid why policies 'GET /users/1' --as 'User::\"1\"'\n"
    "  forbid test policies\n";

struct file {
    const char *name;
    struct fb_span text;
};

static bool anything_there(struct fb_cli *cli, const char *dir, const struct file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fb_buffer path;
        struct stat st;
        fb_buffer_init(&path, &fb_heap, 64u << 10);
        fb_buffer_add_format(&path, "%s/%s", dir, files[i].name);
        bool there = path.ptr != NULL && lstat(path.ptr, &st) == 0;
        if (there)
            fb_cli_fail(cli, "init: %s is there already; nothing was written", path.ptr);
        fb_buffer_release(&path);
        if (there)
            return true;
    }
    return false;
}

static bool write_file(struct fb_cli *cli, const char *dir, const struct file *file)
{
    struct fb_buffer path;
    fb_buffer_init(&path, &fb_heap, 64u << 10);
    fb_buffer_add_format(&path, "%s/%s", dir, file->name);
    int fd = path.ptr != NULL ? open(path.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
    bool fine = fd >= 0;
    for (size_t at = 0; fine && at < file->text.len;) {
        ssize_t wrote = write(fd, file->text.ptr + at, file->text.len - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        fine = wrote > 0;
        at += fine ? (size_t)wrote : 0;
    }
    fine = (fd < 0 || close(fd) == 0) && fine;
    if (fine)
        fprintf(cli->out, "wrote %s\n", path.ptr);
    else
        fb_cli_fail(cli, "init: %s: %s", path.ptr != NULL ? path.ptr : dir, strerror(errno));
    fb_buffer_release(&path);
    return fine;
}

/* Parents too, as one would by hand. */
static bool make_directory(struct fb_cli *cli, const char *dir)
{
    struct fb_buffer path;
    fb_buffer_init(&path, &fb_heap, 64u << 10);
    struct fb_span text = fb_span_z(dir);
    bool fine = true;
    for (size_t i = 1; fine && i <= text.len; i++) {
        if (i != text.len && text.ptr[i] != '/')
            continue;
        fb_buffer_clear(&path);
        fb_buffer_add(&path, fb_span_head(text, i));
        fine = path.ptr != NULL && (mkdir(path.ptr, 0755) == 0 || errno == EEXIST);
    }
    if (!fine)
        fb_cli_fail(cli, "init: %s: %s", dir, strerror(errno));
    fb_buffer_release(&path);
    return fine;
}

static int write_all(struct fb_cli *cli, const char *dir, const struct file *files, size_t count)
{
    struct fb_buffer tests;
    fb_buffer_init(&tests, &fb_heap, 64u << 10);
    fb_buffer_add_format(&tests, "%s/tests", dir);
    bool ready = !tests.failed && !anything_there(cli, dir, files, count) && make_directory(cli, tests.ptr);
    fb_buffer_release(&tests);
    if (!ready)
        return FB_EXIT_FAILED;
    for (size_t i = 0; i < count; i++)
        if (!write_file(cli, dir, &files[i]))
            return FB_EXIT_FAILED;
    return FB_EXIT_OK;
}

static void say_next(struct fb_cli *cli, const char *dir, struct fb_span request)
{
    fprintf(cli->out, "\nNext:\n  forbid check %s --routes\n", dir);
    /* None, if no operation could be made an action. */
    if (request.len != 0)
        fprintf(cli->out, "  forbid why %s '%.*s' --as 'User::\"1\"'\n", dir, (int)request.len, request.ptr);
    fprintf(cli->out, "  forbid test %s\n", dir);
}

static int by_example(struct fb_cli *cli, const char *dir)
{
    const struct file files[] = {
        {"schema.cedarschema", fb_span_z(fb_init_schema)},
        {"policies.cedar", fb_span_z(fb_init_policies)},
        {"entities.json", fb_span_z(fb_init_entities)},
        {"tests/users.json", fb_span_z(fb_init_tests)},
    };
    int status = write_all(cli, dir, files, sizeof files / sizeof files[0]);
    if (status == FB_EXIT_OK)
        say_next(cli, dir, FB_SPAN("DELETE /users/2"));
    return status;
}

static int from_source(struct fb_cli *cli, const char *dir, const struct fb_source *source, struct fb_arena *arena)
{
    struct fb_diags diags;
    struct fb_api api;
    fb_diags_init(&diags, arena);
    const struct fb_yaml *yaml = fb_yaml_is(source->name) ? fb_yaml_read(arena, source, &diags) : NULL;
    if (diags.errors != 0 || !fb_api_read(&api, yaml != NULL ? &yaml->json : source, arena, &diags)) {
        if (yaml != NULL)
            fb_yaml_place(yaml, &diags, 0);
        fb_cli_diags(cli, &diags, false);
        return FB_EXIT_FAILED;
    }
    struct fb_buffer schema, policies;
    struct fb_init_counts counts;
    fb_buffer_init(&schema, &fb_heap, TEXT_MAX);
    fb_buffer_init(&policies, &fb_heap, TEXT_MAX);
    int status = FB_EXIT_FAILED;
    if (!fb_init_from_api(&api, &schema, &policies, &counts)) {
        fb_cli_fail(cli, "init: out of memory");
    } else {
        const struct file files[] = {
            {"schema.cedarschema", fb_buffer_span(&schema)},
            {"policies.cedar", fb_buffer_span(&policies)},
            {"entities.json",
             FB_SPAN("[\n"
                     "  { \"uid\": { \"type\": \"Role\", \"id\": \"admin\" }, \"attrs\": {}, \"parents\": [] },\n"
                     "  { \"uid\": { \"type\": \"Role\", \"id\": \"reader\" }, \"attrs\": {}, \"parents\": [] }\n"
                     "]\n")},
            {"tests/strangers.json", fb_span_z(fb_init_api_tests)},
        };
        status = write_all(cli, dir, files, sizeof files / sizeof files[0]);
    }
    if (status == FB_EXIT_OK) {
        fprintf(cli->out, "%zu action%s", counts.actions, counts.actions == 1 ? "" : "s");
        if (counts.left_out != 0)
            fprintf(cli->out, "; %zu left out, which the schema names in comments", counts.left_out);
        fputc('\n', cli->out);
        say_next(cli, dir, counts.example);
    }
    fb_buffer_release(&policies);
    fb_buffer_release(&schema);
    return status;
}

static int from_openapi(struct fb_cli *cli, const char *dir, const char *file)
{
    struct fb_buffer text;
    struct fb_arena arena;
    fb_buffer_init(&text, &fb_heap, OPENAPI_MAX);
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    int status = FB_EXIT_FAILED;
    if (fb_cli_read(cli, file, &text)) {
        const struct fb_source source = {.name = fb_span_z(file), .text = fb_buffer_span(&text)};
        status = from_source(cli, dir, &source, &arena);
    }
    fb_arena_release(&arena);
    fb_buffer_release(&text);
    return status;
}

int fb_cmd_init(struct fb_cli *cli, int argc, char **argv)
{
    const char *openapi = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "openapi", "FILE", "an OpenAPI document (JSON or YAML): one action an operation", &openapi},
    };
    const struct fb_usage usage = {
        .verb = "init",
        .synopsis = "forbid init [DIR] [--openapi FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
        .words_max = 1,
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    const char *dir = words.count != 0 ? words.list[0] : "policies";
    return openapi != NULL ? from_openapi(cli, dir, openapi) : by_example(cli, dir);
}
