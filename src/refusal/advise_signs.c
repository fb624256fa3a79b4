/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says about its ground: by its challenges (RFC 6750 section 3, RFC 9470 section 3, RFC 9449
 * section 7.1), else by a word in its body, as many servers do.  signals.def has the words.
 * What a client should do about it is for advise.c. */
#include "refusal/signs.h"

#define BODY_MAX ((size_t)256 << 10)    /* a longer one is no refusal's */

struct fb_span fb_received_field(const struct fb_received *seen, const char *name)
{
    for (size_t i = 0; i < seen->fields_count; i++)
        if (fb_span_eq_nocase(seen->fields[i].name, fb_span_z(name)))
            return fb_span_trim(seen->fields[i].value);
    return fb_span(NULL, 0);
}

bool fb_received_has(const struct fb_received *seen, const char *name)
{
    for (size_t i = 0; i < seen->fields_count; i++)
        if (fb_span_eq_nocase(seen->fields[i].name, fb_span_z(name)))
            return true;
    return false;
}

bool fb_has_nocase(struct fb_span text, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++)
        if (fb_span_eq_nocase(fb_span(text.ptr + i, len), fb_span(needle, len)))
            return true;
    return false;
}

struct fb_span fb_next_word(struct fb_span *list)
{
    while (list->len != 0 && list->ptr[0] == ' ')
        *list = fb_span_from(*list, 1);
    size_t end = fb_span_find(*list, ' ');
    struct fb_span word = fb_span_head(*list, end);
    *list = fb_span_from(*list, end);
    return word;
}

bool fb_has_word(struct fb_span list, struct fb_span word)
{
    for (struct fb_span at = fb_next_word(&list); at.len != 0; at = fb_next_word(&list))
        if (fb_span_eq(at, word))
            return true;
    return false;
}

/* --- Pages ------------------------------------------------------------------------------------------ */

bool fb_received_login_page(const struct fb_received *seen)
{
    struct fb_span type = fb_received_field(seen, "content-type"), body = fb_span_head(seen->body, BODY_MAX);
    return fb_has_nocase(fb_span_head(type, 9), "text/html") &&
           (fb_has_nocase(body, "type=\"password\"") || fb_has_nocase(body, "type='password'") ||
            fb_has_nocase(body, "type=password"));
}

/* Between two marks that are no letters, so that `/catalogin` is none. */
static bool has_segment(struct fb_span path, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= path.len; i++) {
        if (!fb_span_eq_nocase(fb_span(path.ptr + i, len), fb_span(word, len)))
            continue;
        char before = i != 0 ? path.ptr[i - 1] : '/', after = i + len < path.len ? path.ptr[i + len] : '/';
        if (strchr("/._-?:", before) != NULL && strchr("/._-?;#", after) != NULL)
            return true;
    }
    return false;
}

bool fb_is_login_target(struct fb_span location)
{
    static const char *const words[] = {"login", "signin", "sign-in", "sign_in", "log-in", "sso", "saml", "auth",
                                        "authorize", "oauth", "oauth2", "openid-connect", "session"};
    struct fb_span path = fb_span_head(location, fb_span_find(location, '?'));
    struct fb_span query = fb_span_from(location, path.len);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (has_segment(path, words[i]))
            return true;
    return fb_has_nocase(query, "response_type=") && fb_has_nocase(query, "client_id=");
}

/* --- The body's words --------------------------------------------------------------------------------- */

static enum fb_signal signal_of_word(struct fb_span word)
{
    static const struct {
        const char *word;
        enum fb_signal signal;
    } words[] = {
#define FB_SIGNAL_WORD(word, signal) {word, FB_SIGNAL_##signal},
#include "refusal/signals.def"
#undef FB_SIGNAL_WORD
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (fb_span_eq_nocase(word, fb_span_z(words[i].word)))
            return words[i].signal;
    return FB_SIGNAL_NONE;
}

/* The first word that means something wins, then the first that is one at all. */
static void take_word(struct fb_signs *signs, struct fb_span word)
{
    enum fb_signal signal = signal_of_word(word);
    if (word.len == 0 || word.len > 64 || fb_span_find(word, ' ') < word.len)
        return;
    if (signs->word.len == 0 || (signs->signal == FB_SIGNAL_NONE && signal != FB_SIGNAL_NONE)) {
        signs->word = word;
        signs->signal = signal;
    }
}

static bool is_one_of(struct fb_span key, const char *const *names)
{
    for (; *names != NULL; names++)
        if (fb_span_is(key, *names))
            return true;
    return false;
}

/* The members of an object of the body: `error` may be one itself (Google, Microsoft), `details` and `errors`
 * lists of them. */
static bool read_members(struct fb_json *json, struct fb_signs *signs, unsigned depth)
{
    static const char *const words[] = {"reason", "error", "code", "status", "__type", NULL};
    static const char *const details[] = {"detail", "error_description", "message", NULL};
    static const char *const scopes[] = {"required_scope", "scope", NULL};
    static const char *const inner[] = {"error", "errors", "details", NULL};
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        enum fb_json_event value = fb_json_next(json);
        if (value == FB_JSON_STRING) {
            if (is_one_of(key, words))
                take_word(signs, json->string);
            else if (is_one_of(key, details) && signs->detail.len == 0)
                signs->detail = json->string;
            else if (is_one_of(key, scopes) && signs->scope.len == 0)
                signs->scope = json->string;
            else if (fb_span_is(key, "not_before"))
                signs->not_before = json->string;
        } else if (value == FB_JSON_OBJECT && depth < 2 && is_one_of(key, inner)) {
            if (!read_members(json, signs, depth + 1))
                return false;
        } else if (value == FB_JSON_ARRAY && depth < 2 && is_one_of(key, inner)) {
            enum fb_json_event element;
            while ((element = fb_json_next(json)) != FB_JSON_ARRAY_END)
                if (element == FB_JSON_ERROR || (element == FB_JSON_OBJECT ? !read_members(json, signs, depth + 1)
                                                                           : !fb_json_skip(json)))
                    return false;
        } else if (!fb_json_skip(json)) {
            return false;
        }
    }
    return json->event == FB_JSON_OBJECT_END;
}

static bool is_json(struct fb_span content_type)
{
    struct fb_span type = fb_span_trim(fb_span_head(content_type, fb_span_find(content_type, ';')));
    return fb_span_eq_nocase(type, FB_SPAN("application/json")) || (type.len > 5 && fb_has_nocase(fb_span_from(type, type.len - 5), "+json")) ||
           fb_has_nocase(type, "application/x-amz-json");
}

static void read_body(const struct fb_received *seen, struct fb_arena *arena, struct fb_signs *signs)
{
    struct fb_json json;
    struct fb_signs read = {.signal = FB_SIGNAL_NONE};
    if (seen->body.len == 0 || seen->body.len > BODY_MAX || !is_json(fb_received_field(seen, "content-type")))
        return;
    fb_json_init(&json, seen->body, arena, (struct fb_json_limits){.depth = 16, .bytes = BODY_MAX, .keys = 1024});
    /* What is not JSON as a whole says nothing. */
    if (fb_json_next(&json) != FB_JSON_OBJECT || !read_members(&json, &read, 0) || fb_json_next(&json) != FB_JSON_END)
        return;
    signs->word = read.word;
    signs->detail = read.detail;
    signs->scope = read.scope;
    signs->not_before = read.not_before;
    signs->signal = read.signal;
}

/* --- Challenges ------------------------------------------------------------------------------------ */

static enum fb_signal signal_of_error(struct fb_span error)
{
    if (fb_span_is(error, "invalid_request"))
        return FB_SIGNAL_REQUEST;
    enum fb_signal signal = signal_of_word(error);
    return error.len != 0 && signal == FB_SIGNAL_MISSING ? FB_SIGNAL_TOKEN : signal;
}

static bool scheme_is_presented(struct fb_span scheme, enum fb_presented presented)
{
    switch (presented) {
    case FB_PRESENTED_BEARER: return fb_span_eq_nocase(scheme, FB_SPAN("Bearer"));
    case FB_PRESENTED_DPOP: return fb_span_eq_nocase(scheme, FB_SPAN("DPoP"));
    case FB_PRESENTED_BASIC: return fb_span_eq_nocase(scheme, FB_SPAN("Basic"));
    /* Not known well enough to be told that it does not fit. */
    case FB_PRESENTED_NONE: case FB_PRESENTED_SESSION: case FB_PRESENTED_OTHER: return true;
    }
    return true;
}

/* Among several the one of the client's own scheme, and of those the one that says most. */
static void take_challenge(struct fb_signs *signs, const struct fb_http_challenge *challenge, const struct fb_client *client)
{
    bool fits = scheme_is_presented(challenge->scheme, client->presented);
    enum fb_signal signal = signal_of_error(fb_http_challenge_param(challenge, "error"));
    bool better = !signs->challenged || (fits && !signs->scheme_fits) ||
                  (fits == signs->scheme_fits && signal != FB_SIGNAL_NONE && !signs->standard);
    signs->challenged = true;
    if (!better)
        return;
    signs->scheme_fits = fits;
    signs->challenge = *challenge;
    signs->standard = signal != FB_SIGNAL_NONE;
    if (signs->standard)
        signs->signal = signal;
}

void fb_signs_read(const struct fb_received *seen, const struct fb_client *client, struct fb_arena *arena,
                   struct fb_signs *signs)
{
    const char *field = seen->status == 407 ? "proxy-authenticate" : "www-authenticate";
    memset(signs, 0, sizeof *signs);
    read_body(seen, arena, signs);
    struct fb_span amazon = fb_received_field(seen, "x-amzn-errortype");
    if (amazon.len != 0)
        take_word(signs, fb_span_head(amazon, fb_span_find(amazon, ':')));
    for (size_t i = 0; i < seen->fields_count; i++) {
        struct fb_span value = seen->fields[i].value;
        struct fb_http_challenge challenge;
        if (!fb_span_eq_nocase(seen->fields[i].name, fb_span_z(field)))
            continue;
        enum fb_http_next next;
        while ((next = fb_http_next_challenge(&value, &challenge)) == FB_HTTP_PARAM)
            take_challenge(signs, &challenge, client);
        /* The rest of a malformed list is not to be trusted; what stood in its last challenge, as read, is. */
        if (next == FB_HTTP_MALFORMED && challenge.scheme.len != 0)
            take_challenge(signs, &challenge, client);
    }
}

/* --- gRPC ------------------------------------------------------------------------------------------------- */

/* Up to three bytes from four digits of base64; what is none counts as nought. */
static void decode_four(const char *digits, char out[3])
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *at = digits[i] != '\0' ? strchr(all, digits[i]) : NULL;
        bits = bits << 6 | (at != NULL ? (uint32_t)(at - all) : 0);
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
}

/* A frame of trailers: 0x80, four bytes of length, `grpc-status: N`.  As text the same in base64, where the status
 * begins a group of four after these. */
static struct fb_span grpc_trailer(const struct fb_received *seen, char room[3])
{
    static const struct fb_span name = FB_SPAN_INIT("grpc-status: "), encoded = FB_SPAN_INIT("cnBjLXN0YXR1czog");
    struct fb_span type = fb_received_field(seen, "content-type"), body = seen->body;
    bool text = fb_has_nocase(fb_span_head(type, 25), "application/grpc-web-text");
    if (!fb_has_nocase(fb_span_head(type, 20), "application/grpc-web"))
        return fb_span(NULL, 0);
    if (!text && body.len > 5 && (unsigned char)body.ptr[0] == 0x80 && fb_span_starts(fb_span_from(body, 5), name))
        return fb_span_from(body, 5 + name.len);
    if (text && fb_span_starts(body, FB_SPAN("gAAA")) && body.len >= 28 && fb_span_starts(fb_span_from(body, 8), encoded)) {
        decode_four(body.ptr + 24, room);
        return fb_span(room, 3);
    }
    return fb_span(NULL, 0);
}

bool fb_signs_grpc(const struct fb_received *seen, unsigned *code)
{
    char room[3];
    uint64_t number;
    struct fb_span said = fb_received_field(seen, "grpc-status");
    if (!fb_has_nocase(fb_span_head(fb_received_field(seen, "content-type"), 16), "application/grpc"))
        return false;
    if (said.len == 0) {
        said = grpc_trailer(seen, room);
        said = fb_span_head(said, fb_span_find(said, '\r'));
    }
    if (!fb_span_to_u64(said, 16, &number))
        return false;
    *code = (unsigned)number;
    return true;
}
