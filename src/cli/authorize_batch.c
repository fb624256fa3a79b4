/* SPDX-License-Identifier: Apache-2.0 */
/* `authorize --requests`: lines in, lines out.  The arena of a decision is cleared after each line;
 * output is collected and written when it fills, and before every read that could wait. */
#include "cli/authorize.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 << 10)
#define WRITE_AT ((size_t)256 << 10)
#define OUT_CEILING ((size_t)64 << 20)
#define DECISION_CEILING ((size_t)256 << 20)

struct run {
    struct fb_cli *cli;
    const struct fb_batch *batch;
    struct fb_arena arena;
    struct fb_buffer in, out;
    size_t start; /* of the first byte of `in` that is not consumed */
    uint64_t line;
    bool failed;
};

static void add_ids(struct run *run, const char *member, const uint32_t *list, uint32_t count)
{
    fb_buffer_add_format(&run->out, ",\"%s\":[", member);
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0)
            fb_buffer_add_char(&run->out, ',');
        fb_buffer_add_json(&run->out, fb_program_id(run->batch->program, list[i]));
    }
    fb_buffer_add_char(&run->out, ']');
}

static void add_errors(struct run *run, const struct fb_decision *decision)
{
    const struct fb_program *program = run->batch->program;
    fb_buffer_add_z(&run->out, ",\"errors\":[");
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        if (i != 0)
            fb_buffer_add_char(&run->out, ',');
        fb_buffer_add_json(&run->out, fb_program_id(program, decision->errors[i].policy));
    }
    fb_buffer_add_char(&run->out, ']');
    if (!run->batch->messages)
        return;
    fb_buffer_add_z(&run->out, ",\"messages\":[");
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        if (i != 0)
            fb_buffer_add_char(&run->out, ',');
        fb_buffer_add_json(&run->out, decision->errors[i].message);
    }
    fb_buffer_add_char(&run->out, ']');
}

static void add_decision(struct run *run, const struct fb_decision *decision)
{
    fb_buffer_add_z(&run->out, decision->allow ? "{\"decision\":\"allow\"" : "{\"decision\":\"deny\"");
    if (decision->forbids_count != 0)
        add_ids(run, "reason", decision->forbids, decision->forbids_count);
    else
        add_ids(run, "reason", decision->permits, decision->permits_count);
    add_errors(run, decision);
    fb_buffer_add_z(&run->out, "}\n");
}

static void add_failure(struct run *run, const char *code, struct fb_span message)
{
    run->failed = true;
    fb_buffer_add_format(&run->out,
                         "{\"error\":{\"line\":%llu,\"code\":\"%s\",\"message\":", (unsigned long long)run->line, code);
    fb_buffer_add_json(&run->out, message);
    fb_buffer_add_z(&run->out, "}}\n");
}

static void answer(struct run *run, struct fb_span text)
{
    const struct fb_inputs *inputs = run->batch->inputs;
    struct fb_source source = {.name = FB_SPAN("request"), .text = text};
    struct fb_diags diags;
    struct fb_request request = {.entities = NULL};
    struct fb_decision decision;
    struct fb_entities entities = fb_entity_set_source(inputs->entities);
    request.entities = &entities;
    fb_diags_init(&diags, &run->arena);
    bool fine = fb_request_read_json(&source, inputs->schema, &run->arena, &diags, &request);
    if (fine && inputs->schema != NULL)
        fine = run->batch->validate ? fb_request_conforms(inputs->schema, &request, NULL, &diags)
                                    : fb_context_conforms(inputs->schema, &request, NULL, &diags);
    if (!fine)
        add_failure(run, diags.count != 0 ? diags.list[0].code : "input.memory",
                    diags.count != 0 ? diags.list[0].message : FB_SPAN("out of memory"));
    else if (fb_decide(run->batch->program, &request, &run->arena, &decision) != FB_OK)
        add_failure(run, "decide.cannot", FB_SPAN("it could not be decided within the memory of one decision"));
    else
        add_decision(run, &decision);
    fb_arena_clear(&run->arena);
}

static void one_line(struct run *run, struct fb_span text)
{
    run->line++;
    if (text.len != 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (fb_span_trim(text).len == 0)
        return;
    if (text.len > FB_BATCH_LINE_MAX)
        add_failure(run, "input.too_large", FB_SPAN("the line is longer than 4 MiB"));
    else
        answer(run, text);
    if (run->out.failed) {
        /* An answer over 64 MiB: nothing of it was added past the ceiling, so start over. */
        fb_buffer_clear(&run->out);
        add_failure(run, "output.too_large", FB_SPAN("the answer is larger than 64 MiB"));
    }
}

static bool flush(struct run *run)
{
    fb_cli_write(run->cli, &run->out);
    fb_buffer_clear(&run->out);
    return fflush(run->cli->out) == 0;
}

/* All whole lines of what was read; at the end of the file the last one too. */
static bool take_lines(struct run *run, bool end)
{
    for (;;) {
        struct fb_span rest = fb_span_from(fb_buffer_span(&run->in), run->start);
        size_t newline = fb_span_find(rest, '\n');
        if (newline == rest.len && !(end && rest.len != 0))
            return true;
        one_line(run, fb_span_head(rest, newline));
        run->start += newline < rest.len ? newline + 1 : newline;
        if (run->out.len >= WRITE_AT && !flush(run))
            return false;
    }
}

/* What is left of a line moves to the front.  A line beyond the limit keeps its first bytes only,
 * enough to be known as too long. */
static void make_room(struct run *run)
{
    size_t rest = run->in.len - run->start;
    if (rest != 0 && run->start != 0)
        memmove(run->in.ptr, run->in.ptr + run->start, rest);
    run->in.len = rest > FB_BATCH_LINE_MAX + 1 ? FB_BATCH_LINE_MAX + 1 : rest;
    run->start = 0;
}

static int go_through(struct run *run, int fd, const char *path)
{
    for (;;) {
        make_room(run);
        char *room = fb_buffer_reserve(&run->in, READ_BYTES);
        if (room == NULL)
            return fb_cli_fail(run->cli, "out of memory");
        if (!flush(run))
            return FB_EXIT_FAILED; /* main says that the output is gone */
        ssize_t got = read(fd, room, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fb_cli_fail(run->cli, "%s: %s", path, strerror(errno));
        run->in.len += (size_t)got;
        if (!take_lines(run, got == 0) || (got == 0 && !flush(run)))
            return FB_EXIT_FAILED;
        if (got == 0)
            return run->failed ? FB_EXIT_FAILED : FB_EXIT_OK;
    }
}

int fb_batch_run(struct fb_cli *cli, const struct fb_batch *batch, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fb_cli_fail(cli, "%s: %s", path, strerror(errno));
    struct run run = {.cli = cli, .batch = batch};
    fb_arena_init(&run.arena, &fb_heap, DECISION_CEILING);
    fb_buffer_init(&run.in, &fb_heap, FB_BATCH_LINE_MAX + 2 * READ_BYTES);
    fb_buffer_init(&run.out, &fb_heap, OUT_CEILING);
    int status = go_through(&run, fd, is_stdin ? "<stdin>" : path);
    fb_buffer_release(&run.out);
    fb_buffer_release(&run.in);
    fb_arena_release(&run.arena);
    if (!is_stdin)
        close(fd);
    return status;
}
