/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests `forbid lint --url` makes; live.c makes them. */
#include "cli/lint.h"
#include "cli/live.h"

#define BODY_MAX ((size_t)1 << 20)      /* of one answer; the rest is not read */

struct ask {
    const char *url, *method, *token, *origin;
};

struct asking {
    struct fb_cli *cli;
    const struct fb_lint_live *live;
    struct fb_live *connection;
    struct fb_exchanges *exchanges;
};

static bool one(const struct asking *asking, const struct ask *ask)
{
    struct fb_arena *arena = asking->exchanges->arena;
    const char *fields[FB_WORDS_MAX + 5];
    size_t count = asking->live->headers.count;
    memcpy(fields, asking->live->headers.list, count * sizeof fields[0]);
    if (ask->token != NULL)
        fields[count++] = fb_arena_text(arena, fb_arena_format(arena, "Authorization: Bearer %s", ask->token));
    if (ask->origin != NULL)
        fields[count++] = fb_arena_text(arena, fb_arena_format(arena, "Origin: %s", ask->origin));
    if (strcmp(ask->method, "OPTIONS") == 0) {
        fields[count++] = "Access-Control-Request-Method: GET";
        fields[count++] = "Access-Control-Request-Headers: authorization";
    }
    fields[count++] = "Accept: application/json";
    const struct fb_live_request request = {.method = ask->method, .url = ask->url, .fields = fields, .fields_count = count};
    struct fb_live_answer answer;
    const char *why = "out of memory";
    return (!arena->failed && fb_live_send(asking->connection, &request, asking->exchanges, &answer, &why)) ||
           fb_cli_wrong(asking->cli, "lint", "%s %s: %s", ask->method, ask->url, why);
}

static bool ask_all(const struct asking *asking)
{
    const struct fb_lint_live *live = asking->live;
    uint64_t done = 0, total = live->urls.count * (2 + live->tokens.count + (live->origin != NULL));
    for (size_t u = 0; u < live->urls.count; u++) {
        const char *url = live->urls.list[u];
        if (live->origin != NULL && !one(asking, &(struct ask){url, "OPTIONS", NULL, live->origin}))
            return false;
        if (!one(asking, &(struct ask){url, "GET", NULL, live->origin}) ||
            !one(asking, &(struct ask){url, "GET", "not.a.token", live->origin}))
            return false;
        for (size_t t = 0; t < live->tokens.count; t++)
            if (!one(asking, &(struct ask){url, "GET", live->tokens.list[t], live->origin}))
                return false;
        fb_cli_progress(asking->cli, "requests", done += total / live->urls.count, total);
    }
    return true;
}

bool fb_lint_live(struct fb_cli *cli, const struct fb_lint_live *live, struct fb_exchanges *exchanges)
{
    const char *why;
    const struct fb_live_options options = {.agent = "forbid-lint", .timeout = live->timeout, .body_max = BODY_MAX};
    struct fb_live *connection = fb_live_new(&options, &why);
    if (connection == NULL)
        return fb_cli_wrong(cli, "lint", "--url %s: %s; or record with `curl -v` and give the file", live->urls.list[0], why);
    bool good = ask_all(&(struct asking){cli, live, connection, exchanges});
    fb_live_free(connection);
    return good;
}
