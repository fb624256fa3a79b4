/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges over the network, for `forbid lint --url`: libcurl makes them and says what it sent and got, in the words
 * of its trace, which src/refusal reads as messages.  Redirects are not followed, proxies of the environment count,
 * certificates are verified.  Without libcurl at build time the command says so. */
#include "cli/lint.h"

#ifdef FB_HAVE_CURL

#include <curl/curl.h>

#define BODY_MAX ((size_t)1 << 20)      /* of one answer; the rest is not read */

/* What went over the wire, as one text of messages. */
struct wire {
    struct fb_buffer text;
    size_t body;
    bool sent;
};

static int on_debug(CURL *curl, curl_infotype type, char *bytes, size_t len, void *context)
{
    struct wire *wire = context;
    (void)curl;
    if (type == CURLINFO_HEADER_OUT && !wire->sent) {
        fb_buffer_add(&wire->text, fb_span(bytes, len));
        wire->sent = true;
    } else if (type == CURLINFO_HEADER_IN) {
        fb_buffer_add(&wire->text, fb_span(bytes, len));
    }
    return 0;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct wire *wire = context;
    size_t len = one * count, room = BODY_MAX - wire->body;
    fb_buffer_add(&wire->text, fb_span(bytes, len < room ? len : room));
    wire->body += len < room ? len : room;
    return len <= room ? len : 0;
}

struct ask {
    const char *url, *method, *token, *origin;
};

static struct curl_slist *fields_of(const struct fb_lint_live *live, const struct ask *ask)
{
    struct curl_slist *list = NULL;
    char line[8192];
    for (size_t i = 0; i < live->headers.count; i++)
        list = curl_slist_append(list, live->headers.list[i]);
    if (ask->token != NULL && snprintf(line, sizeof line, "Authorization: Bearer %s", ask->token) < (int)sizeof line)
        list = curl_slist_append(list, line);
    if (ask->origin != NULL && snprintf(line, sizeof line, "Origin: %s", ask->origin) < (int)sizeof line)
        list = curl_slist_append(list, line);
    if (strcmp(ask->method, "OPTIONS") == 0) {
        list = curl_slist_append(list, "Access-Control-Request-Method: GET");
        list = curl_slist_append(list, "Access-Control-Request-Headers: authorization");
    }
    return curl_slist_append(list, "Accept: application/json");
}

static CURLcode perform(CURL *curl, const struct fb_lint_live *live, const struct ask *ask, struct wire *wire)
{
    struct curl_slist *fields = fields_of(live, ask);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, ask->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    /* The messages are read as text, which HTTP/2 has none of. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "forbid-lint");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)(live->timeout != 0 && live->timeout < 3600 ? live->timeout : 10));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, wire);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, wire);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(fields);
    /* A body that was cut is enough. */
    return code == CURLE_WRITE_ERROR && !wire->text.failed ? CURLE_OK : code;
}

static bool one(struct fb_cli *cli, CURL *curl, const struct fb_lint_live *live, const struct ask *ask, struct fb_exchanges *exchanges)
{
    struct fb_arena *arena = exchanges->arena;
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct wire wire = {.sent = false};
    struct fb_diags diags;
    size_t before = exchanges->count;
    if (source == NULL)
        return fb_cli_wrong(cli, "lint", "out of memory");
    fb_buffer_init(&wire.text, &fb_heap, BODY_MAX * 2);
    CURLcode code = perform(curl, live, ask, &wire);
    bool good = code == CURLE_OK || fb_cli_wrong(cli, "lint", "%s %s: %s", ask->method, ask->url, curl_easy_strerror(code));
    if (good) {
        *source = (struct fb_source){fb_span_z(ask->url), fb_arena_copy(arena, fb_buffer_span(&wire.text))};
        fb_diags_init(&diags, arena);
        good = fb_exchanges_read(exchanges, source, &diags) || fb_cli_wrong(cli, "lint", "%s: the answer is no HTTP", ask->url);
    }
    for (size_t i = before; good && i < exchanges->count; i++)
        exchanges->list[i].url = fb_span_z(ask->url);
    fb_buffer_release(&wire.text);
    return good;
}

bool fb_lint_live(struct fb_cli *cli, const struct fb_lint_live *live, struct fb_exchanges *exchanges)
{
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    bool good = curl != NULL || fb_cli_wrong(cli, "lint", "libcurl does not start");
    uint64_t done = 0, total = live->urls.count * (2 + live->tokens.count + (live->origin != NULL));
    for (size_t u = 0; good && u < live->urls.count; u++) {
        const char *url = live->urls.list[u];
        if (live->origin != NULL)
            good = one(cli, curl, live, &(struct ask){url, "OPTIONS", NULL, live->origin}, exchanges);
        good = good && one(cli, curl, live, &(struct ask){url, "GET", NULL, live->origin}, exchanges) &&
               one(cli, curl, live, &(struct ask){url, "GET", "not.a.token", live->origin}, exchanges);
        for (size_t t = 0; good && t < live->tokens.count; t++)
            good = one(cli, curl, live, &(struct ask){url, "GET", live->tokens.list[t], live->origin}, exchanges);
        fb_cli_progress(cli, "requests", done += total / live->urls.count, total);
    }
    if (curl != NULL)
        curl_easy_cleanup(curl);
    curl_global_cleanup();
    return good;
}

#else

bool fb_lint_live(struct fb_cli *cli, const struct fb_lint_live *live, struct fb_exchanges *exchanges)
{
    (void)exchanges;
    return fb_cli_wrong(cli, "lint", "--url %s: this build has no libcurl (build it again where libcurl4-openssl-dev is installed), "
                                     "or record with `curl -v` and give the file", live->urls.list[0]);
}

#endif
