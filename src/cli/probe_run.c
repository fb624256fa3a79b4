/* SPDX-License-Identifier: Apache-2.0 */
/* Sending what was planned: one request at a time, so many a second and so many in all, and no further after Ctrl-C. */
#include "cli/probe.h"

#include "http/http.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* Set by the handler alone: the one thing that a signal may touch. */
static volatile sig_atomic_t interrupted;
static struct sigaction before;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

void fb_probe_catch_interrupt(void)
{
    /* Once: a second one ends the command, in case the first is not heard. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &action, &before);
}

void fb_probe_release_interrupt(void)
{
    sigaction(SIGINT, &before, NULL);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Until the next request is due.  False: Ctrl-C. */
static bool wait_for_turn(struct fb_probe *probe)
{
    uint64_t now = now_ns();
    if (probe->started_ns == 0)
        probe->started_ns = now;
    uint64_t due = probe->rate != 0 ? probe->started_ns + probe->requests * (1000000000u / probe->rate) : 0;
    /* After a slow answer the time is not made up for by a burst. */
    if (due < now)
        probe->started_ns += probe->rate != 0 ? now - due : 0;
    while (!interrupted && due > now) {
        struct timespec pause = {(time_t)((due - now) / 1000000000u), (long)((due - now) % 1000000000u)};
        nanosleep(&pause, NULL);
        now = now_ns();
    }
    probe->stopped |= interrupted != 0;
    return !probe->stopped;
}

static const struct fb_probe_body *body_of(const struct fb_probe *probe, const struct fb_probe_route *route)
{
    for (size_t i = 0; i < probe->world.bodies_count; i++)
        if (fb_probe_matches(probe->world.bodies[i].route, route->title))
            return &probe->world.bodies[i];
    return NULL;
}

struct line {
    char method[FB_HTTP_METHOD_MAX + 1], url[FB_TARGET_MAX + 2048];
};

static bool takes_body(struct fb_span method)
{
    return fb_span_is(method, "POST") || fb_span_is(method, "PUT") || fb_span_is(method, "PATCH");
}

bool fb_probe_ask(struct fb_probe *probe, const struct fb_probe_target *target, size_t identity, bool kept, struct fb_live_answer *answer, const char **why)
{
    return fb_probe_ask_by(probe, target, identity, &(struct fb_probe_way){.path = target->path}, kept, answer, why);
}

/* "GET", and the URL.  False: too long. */
static bool write_line(const struct fb_probe *probe, const struct fb_probe_target *target, const struct fb_probe_way *way, struct line *line)
{
    struct fb_span method = way->method != NULL ? fb_span_z(way->method) : target->route->method;
    int url = snprintf(line->url, sizeof line->url, "%s%.*s", probe->base, (int)way->path.len, way->path.ptr);
    int verb = snprintf(line->method, sizeof line->method, "%.*s", (int)method.len, method.ptr);
    return url < (int)sizeof line->url && verb < (int)sizeof line->method;
}

bool fb_probe_ask_by(struct fb_probe *probe, const struct fb_probe_target *target, size_t identity, const struct fb_probe_way *way, bool kept,
                     struct fb_live_answer *answer, const char **why)
{
    const struct fb_probe_identity *who = &probe->world.list[identity];
    const char *fields[FB_WORDS_MAX + 16];
    size_t count = 0;
    *why = "--max-requests is reached";
    if (kept && probe->kept >= probe->max_requests)
        return false;
    *why = "it was stopped";
    if (!wait_for_turn(probe))
        return false;
    for (size_t i = 0; i < probe->headers.count; i++)
        fields[count++] = probe->headers.list[i];
    for (size_t i = 0; i < who->fields_count; i++)
        fields[count++] = who->fields[i];
    fields[count++] = "Accept: application/json";
    if (way->field != NULL)
        fields[count++] = way->field;
    struct line line;
    *why = "the URL is too long";
    if (!write_line(probe, target, way, &line))
        return false;
    struct fb_live_request request = {.method = line.method, .url = line.url, .fields = fields};
    if (takes_body(target->route->method)) {
        const struct fb_probe_body *body = body_of(probe, target->route);
        request.has_body = true;
        request.body = body != NULL ? body->json : FB_SPAN("{}");
        fields[count++] = "Content-Type: application/json";
    }
    request.fields_count = count;
    probe->requests++;
    probe->kept += kept;
    return fb_live_send(probe->live, &request, kept ? &probe->exchanges : NULL, answer, why);
}

#define TRIES 3u                /* of what is answered 429 */
#define PATIENCE 30             /* seconds that are waited before the next, at the most */

/* As long as a 429 asks for (RFC 6585 section 4), one second where it does not say. */
static void wait_as_told(struct fb_probe *probe)
{
    const struct fb_exchange *x = &probe->exchanges.list[probe->exchanges.count - 1];
    int64_t seconds;
    if (!fb_http_read_retry_after(fb_response_field(x, "retry-after"), (int64_t)time(NULL), &seconds))
        seconds = 1;
    for (int64_t i = 0; i < (seconds < PATIENCE ? seconds : PATIENCE) && !interrupted; i++)
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static bool ask_patiently(struct fb_probe *probe, struct fb_probe_cell *cell, struct fb_live_answer *answer)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (!fb_probe_ask(probe, cell->target, cell->identity, true, answer, &cell->why))
            return false;
        cell->exchange = probe->exchanges.count - 1;
        cell->status = answer->status;
        if (answer->status != 429 || i + 1 == TRIES)
            break;
        wait_as_told(probe);
    }
    return true;
}

/* So many in a row without any answer, and nothing is there. */
#define SILENCE 3u

bool fb_probe_run(struct fb_probe *probe)
{
    size_t answers = 0;
    for (size_t i = 0; i < probe->order_count && !probe->stopped; i++) {
        struct fb_probe_cell *cell = &probe->cells[probe->order[i]];
        struct fb_live_answer answer;
        bool answered = ask_patiently(probe, cell, &answer);
        answers += answered;
        cell->sent = cell->status != 0 || !probe->stopped;
        if (answers == 0 && i + 1 == SILENCE && !probe->stopped)
            return fb_cli_wrong(probe->cli, "probe", "%s does not answer: %s", probe->base, cell->why);
        fb_cli_progress(probe->cli, "requests", i + 1, probe->order_count);
    }
    if (probe->stopped && probe->cli->progress)
        fputc('\n', probe->cli->err);
    return answers != 0 || probe->stopped || fb_cli_wrong(probe->cli, "probe", "%s does not answer", probe->base);
}
