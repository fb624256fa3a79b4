/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over the network by libcurl, and what was said over the wire as exchanges.  An exchange is put together from
 * the fields and the body as libcurl hands them over, never by reading one long text again: the server at the other
 * end may be anybody's, and a body could look like a message.  Without libcurl at build time fb_live_new() says so. */
#include "cli/live.h"

#include <stdlib.h>
#include <time.h>

#ifdef FB_HAVE_CURL

#include <curl/curl.h>

#define HEAD_MAX ((size_t)256 << 10)    /* of a request's or an answer's fields */

struct fb_live {
    CURL *curl;
    struct fb_live_options options;
    struct fb_buffer sent, head, body;      /* of the current request; `head` of the final answer alone */
    bool was_sent;
    uint64_t first_line_ns;                 /* when it came; 0: it did not yet */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int on_debug(CURL *curl, curl_infotype type, char *bytes, size_t len, void *context)
{
    struct fb_live *live = context;
    (void)curl;
    if (type == CURLINFO_HEADER_OUT && !live->was_sent) {
        fb_buffer_add(&live->sent, fb_span(bytes, len));
        live->was_sent = true;
    }
    return 0;
}

/* Line by line; a status line starts over, so that of 100 and then 200 the last is kept. */
static size_t on_head(char *bytes, size_t one, size_t count, void *context)
{
    struct fb_live *live = context;
    struct fb_span line = fb_span(bytes, one * count);
    if (live->first_line_ns == 0)
        live->first_line_ns = now_ns();
    if (fb_span_starts(line, FB_SPAN("HTTP/")))
        fb_buffer_clear(&live->head);
    fb_buffer_add(&live->head, line);
    return live->head.failed ? 0 : line.len;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct fb_live *live = context;
    size_t len = one * count, room = live->options.body_max - live->body.len;
    fb_buffer_add(&live->body, fb_span(bytes, len < room ? len : room));
    return len <= room ? len : 0;
}

struct fb_live *fb_live_new(const struct fb_live_options *options, const char **why)
{
    struct fb_live *live = calloc(1, sizeof *live);
    *why = "out of memory";
    if (live == NULL)
        return NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (live->curl = curl_easy_init()) == NULL) {
        *why = "libcurl does not start";
        free(live);
        return NULL;
    }
    live->options = *options;
    fb_buffer_init(&live->sent, &fb_heap, HEAD_MAX);
    fb_buffer_init(&live->head, &fb_heap, HEAD_MAX);
    fb_buffer_init(&live->body, &fb_heap, options->body_max + 1);
    return live;
}

void fb_live_free(struct fb_live *live)
{
    if (live == NULL)
        return;
    curl_easy_cleanup(live->curl);
    curl_global_cleanup();
    fb_buffer_release(&live->sent);
    fb_buffer_release(&live->head);
    fb_buffer_release(&live->body);
    free(live);
}

static void set_up(struct fb_live *live, const struct fb_live_request *request, struct curl_slist *fields)
{
    CURL *curl = live->curl;
    uint64_t timeout = live->options.timeout;
    curl_easy_reset(curl);      /* connections stay */
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request->has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.len != 0 ? request->body.ptr : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    /* A path is sent as it was written, and the messages are kept as text, which HTTP/2 has none of. */
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, live->options.agent);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)(timeout != 0 && timeout < 3600 ? timeout : 10));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (live->options.ca != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, live->options.ca);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, live);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, live);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, live);
}

/* libcurl's own times begin when it has sent the request and turns to the answer, which a near server has given by then;
 * so the clock is read before, where nothing is left to do but to send. */
static CURLcode perform(struct fb_live *live, const struct fb_live_request *request, uint64_t *began_ns)
{
    struct curl_slist *fields = NULL;
    for (size_t i = 0; i < request->fields_count; i++)
        fields = curl_slist_append(fields, request->fields[i]);
    live->was_sent = false;
    fb_buffer_clear(&live->sent);
    fb_buffer_clear(&live->head);
    fb_buffer_clear(&live->body);
    set_up(live, request, fields);
    live->first_line_ns = 0;
    *began_ns = now_ns();
    CURLcode code = curl_easy_perform(live->curl);
    curl_slist_free_all(fields);
    /* A body that was cut is enough. */
    return code == CURLE_WRITE_ERROR && live->body.len == live->options.body_max ? CURLE_OK : code;
}

/* --- The exchange ---------------------------------------------------------------------------------------- */

static struct fb_span next_line(struct fb_span *rest)
{
    size_t end = fb_span_find(*rest, '\n');
    struct fb_span line = fb_span_head(*rest, end);
    *rest = fb_span_from(*rest, end + 1);
    while (line.len != 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static struct fb_line *fields_of(struct fb_arena *arena, struct fb_span head, size_t *count)
{
    struct fb_line *list = NULL;
    size_t capacity = 0;
    *count = 0;
    next_line(&head);
    while (head.len != 0 && *count < FB_EXCHANGE_FIELDS) {
        struct fb_span line = next_line(&head);
        size_t colon = fb_span_find(line, ':');
        struct fb_line *grown = colon < line.len ? fb_arena_grow(arena, list, *count, &capacity, sizeof *list) : NULL;
        if (grown == NULL)
            continue;
        list = grown;
        list[(*count)++] = (struct fb_line){fb_span_head(line, colon), fb_span_trim(fb_span_from(line, colon + 1))};
    }
    return list;
}

static bool keep(const struct fb_live *live, const struct fb_live_request *request, unsigned status, struct fb_exchanges *exchanges)
{
    struct fb_arena *arena = exchanges->arena;
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_exchange *list = fb_arena_grow(arena, exchanges->list, exchanges->count, &exchanges->capacity, sizeof *list);
    struct fb_span sent = fb_buffer_span(&live->sent), head = fb_buffer_span(&live->head), body = fb_buffer_span(&live->body);
    char *text = fb_arena_room(arena, sent.len + head.len + body.len + 1);
    if (source == NULL || list == NULL || text == NULL)
        return false;
    fb_bytes_copy(text, sent.ptr, sent.len);
    fb_bytes_copy(text + sent.len, head.ptr, head.len);
    fb_bytes_copy(text + sent.len + head.len, body.ptr, body.len);
    exchanges->list = list;
    struct fb_exchange *x = &list[exchanges->count];
    *source = (struct fb_source){fb_arena_copy(arena, fb_span_z(request->url)), fb_span(text, sent.len + head.len + body.len)};
    *x = (struct fb_exchange){.source = source, .method = fb_arena_copy(arena, fb_span_z(request->method)), .url = source->name,
                              .status = status, .request_known = true, .body_known = strcmp(request->method, "HEAD") != 0};
    sent.ptr = text;
    head.ptr = text + sent.len;
    x->request = fields_of(arena, sent, &x->request_count);
    x->response = fields_of(arena, head, &x->response_count);
    x->body = fb_span(text + sent.len + head.len, body.len);
    x->request_body = request->has_body ? fb_arena_copy(arena, request->body) : fb_span(NULL, 0);
    struct fb_span line = next_line(&head);
    x->phrase = fb_span_trim(fb_span_from(line, fb_span_find(line, ' ') + 4));
    exchanges->count += !arena->failed;
    return !arena->failed;
}

bool fb_live_send(struct fb_live *live, const struct fb_live_request *request, struct fb_exchanges *exchanges,
                  struct fb_live_answer *answer, const char **why)
{
    long status = 0, connects = 0;
    uint64_t began_ns;
    CURLcode code = perform(live, request, &began_ns);
    *answer = (struct fb_live_answer){.status = 0};
    if (code != CURLE_OK) {
        *why = curl_easy_strerror(code);
        return false;
    }
    curl_easy_getinfo(live->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(live->curl, CURLINFO_NUM_CONNECTS, &connects);
    answer->status = status > 0 && status < 1000 ? (unsigned)status : 0;
    answer->head_ns = live->first_line_ns > began_ns ? live->first_line_ns - began_ns : 0;
    answer->connected = connects != 0;
    if (answer->status == 0) {
        *why = "the answer is no HTTP";
        return false;
    }
    *why = "out of memory";
    return exchanges == NULL || keep(live, request, answer->status, exchanges);
}

#else

struct fb_live *fb_live_new(const struct fb_live_options *options, const char **why)
{
    (void)options;
    *why = "this build has no libcurl (build it again where libcurl4-openssl-dev is installed)";
    return NULL;
}

void fb_live_free(struct fb_live *live)
{
    (void)live;
}

bool fb_live_send(struct fb_live *live, const struct fb_live_request *request, struct fb_exchanges *exchanges,
                  struct fb_live_answer *answer, const char **why)
{
    (void)live, (void)request, (void)exchanges, (void)answer;
    *why = "this build has no libcurl";
    return false;
}

#endif
