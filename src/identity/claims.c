/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says: the members of its payload with their types, and those of RFC 7519, 8693, 9068
 * and OpenID Connect that Forbid itself reads.  A registered claim of a wrong type refuses the
 * token, since a reader that took it for absent would check less.  A pure function of the payload;
 * times, audience and issuer are compared in token.c. */
#include "identity/jws.h"

enum { PAYLOAD_DEPTH = 16, DIGITS_MAX = 18 };
static const int64_t time_max_ms = 253402300799999;   /* the last of year 9999 */

bool fb_numeric_date(struct fb_span number, int64_t *ms)
{
    int64_t digits = 0, scale = 3;      /* value in milliseconds = digits * 10^scale */
    unsigned count = 0;
    size_t i = 0;
    bool fraction = false;
    if (number.len == 0 || number.ptr[0] == '-') {
        return false;
    }
    for (; i < number.len && number.ptr[i] != 'e' && number.ptr[i] != 'E'; i++) {
        if (number.ptr[i] == '.') {
            fraction = true;
            continue;
        }
        /* Digits beyond what an integer holds are below a millisecond, or above every limit. */
        if (count < DIGITS_MAX) {
            digits = digits * 10 + (number.ptr[i] - '0');
            count += digits != 0;
            scale -= fraction;
        } else {
            scale += !fraction;
        }
    }
    if (i < number.len) {
        struct fb_span exponent = fb_span_from(number, i + 1);
        bool negative = exponent.len != 0 && exponent.ptr[0] == '-';
        uint64_t size;
        if (exponent.len != 0 && (negative || exponent.ptr[0] == '+')) {
            exponent = fb_span_from(exponent, 1);
        }
        if (!fb_span_to_u64(exponent, 1000, &size)) {
            return false;
        }
        scale += negative ? -(int64_t)size : (int64_t)size;
    }
    for (; scale < 0 && digits != 0; scale++) {
        digits /= 10;
    }
    for (; scale > 0 && digits != 0; scale--) {
        if (digits > time_max_ms / 10) {
            return false;
        }
        digits *= 10;
    }
    *ms = digits;
    return digits <= time_max_ms;
}

struct reader {
    struct fb_json json;
    struct fb_arena *arena;
    struct fb_token *out;
    struct fb_claim *claims;
    size_t capacity;
    const char *fault;
};

/* The array whose start was just read. */
static void read_array(struct reader *r, struct fb_claim *claim)
{
    struct fb_span *list = NULL;
    size_t count = 0, capacity = 0;
    claim->kind = FB_CLAIM_STRINGS;
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END && r->json.event != FB_JSON_ERROR) {
        if (r->json.event != FB_JSON_STRING) {
            claim->kind = FB_CLAIM_OTHER;
            (void)fb_json_skip(&r->json);
            continue;
        }
        struct fb_span *grown = fb_arena_grow(r->arena, list, count, &capacity, sizeof *list);
        if (grown == NULL) {
            (void)fb_json_fail(&r->json, "json.memory", "the claims need too much memory");
            return;
        }
        list = grown;
        list[count++] = r->json.string;
    }
    if (claim->kind == FB_CLAIM_STRINGS) {
        claim->strings = (struct fb_strings){list, count};
    }
}

static void read_value(struct reader *r, struct fb_claim *claim)
{
    switch (r->json.event) {
    case FB_JSON_STRING: {
        struct fb_span *one = fb_arena_alloc(r->arena, sizeof *one);
        if (one != NULL) {
            *one = r->json.string;
            claim->strings = (struct fb_strings){one, 1};
            claim->kind = FB_CLAIM_STRING;
        } else {
            (void)fb_json_fail(&r->json, "json.memory", "the claims need too much memory");
        }
        break;
    }
    case FB_JSON_INTEGER:
        claim->kind = FB_CLAIM_LONG;
        claim->integer = r->json.integer;
        break;
    case FB_JSON_TRUE:
    case FB_JSON_FALSE:
        claim->kind = FB_CLAIM_BOOL;
        claim->boolean = r->json.event == FB_JSON_TRUE;
        break;
    case FB_JSON_ARRAY:
        read_array(r, claim);
        break;
    case FB_JSON_OBJECT:
        (void)fb_json_skip(&r->json);
        break;
    case FB_JSON_NUMBER:
    case FB_JSON_NULL:
    case FB_JSON_ERROR:
    case FB_JSON_END:
    case FB_JSON_OBJECT_END:
    case FB_JSON_ARRAY_END:
    case FB_JSON_KEY:
        break;
    }
}

static bool is_text(const struct fb_claim *claim)
{
    return claim->kind == FB_CLAIM_STRING || claim->kind == FB_CLAIM_STRINGS;
}

/* A string or an array of strings. */
static void take_list(struct reader *r, const struct fb_claim *claim, struct fb_strings *out, const char *fault)
{
    if (is_text(claim)) {
        *out = claim->strings;
    } else {
        r->fault = fault;
    }
}

static void take_string(struct reader *r, const struct fb_claim *claim, struct fb_span *out, const char *fault)
{
    if (claim->kind == FB_CLAIM_STRING) {
        *out = claim->strings.list[0];
    } else {
        r->fault = fault;
    }
}

/* The number that the reader stands at: fractions are no claim that policies can read, but times. */
static bool take_time(struct reader *r, int64_t *ms, const char *fault)
{
    bool number = r->json.event == FB_JSON_INTEGER || r->json.event == FB_JSON_NUMBER;
    if (!number || !fb_numeric_date(r->json.string, ms)) {
        r->fault = fault;
        return false;
    }
    return true;
}

/* A registered claim: what it means, and the type that it must have. */
static void take_registered(struct reader *r, const struct fb_claim *claim)
{
    struct fb_token *out = r->out;
    struct fb_span name = claim->name;
    if (fb_span_is(name, "iss")) {
        take_string(r, claim, &out->issuer, "iss is not a string");
    } else if (fb_span_is(name, "sub")) {
        take_string(r, claim, &out->subject, "sub is not a string");
    } else if (fb_span_is(name, "aud")) {
        take_list(r, claim, &out->audience, "aud is neither a string nor an array of strings");
    } else if (fb_span_is(name, "exp")) {
        (void)take_time(r, &out->expires_ms, "exp is not a time");
    } else if (fb_span_is(name, "nbf")) {
        out->has_not_before = take_time(r, &out->not_before_ms, "nbf is not a time");
    } else if (fb_span_is(name, "iat")) {
        out->has_issued = take_time(r, &out->issued_ms, "iat is not a time");
    } else if (fb_span_is(name, "auth_time")) {
        out->has_auth_time = take_time(r, &out->auth_time_ms, "auth_time is not a time");
    } else if (fb_span_is(name, "acr")) {
        out->has_acr = true;
        take_string(r, claim, &out->acr, "acr is not a string");
    } else if (fb_span_is(name, "amr")) {
        out->has_amr = true;
        take_list(r, claim, &out->amr, "amr is not an array of strings");
    } else if ((fb_span_is(name, "scope") || fb_span_is(name, "scp")) && !is_text(claim)) {
        r->fault = "scope is neither a string nor an array of strings";
    }
}

/* `cnf` (RFC 7800), its value's first event read: what the token is bound to.  Members that are none of ours bind it to
 * what nobody here can prove. */
static void read_confirmation(struct reader *r)
{
    struct fb_token *out = r->out;
    out->bound = true;
    if (r->json.event != FB_JSON_OBJECT) {
        out->bound_otherwise = true;
        (void)fb_json_skip(&r->json);
        return;
    }
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span *place = fb_span_is(r->json.string, "jkt")        ? &out->key
                                : fb_span_is(r->json.string, "x5t#S256") ? &out->certificate
                                                                         : NULL;
        if (fb_json_next(&r->json) == FB_JSON_STRING && place != NULL && r->json.string.len == FB_THUMBPRINT_LEN) {
            *place = r->json.string;
        } else {
            out->bound_otherwise = true;
            (void)fb_json_skip(&r->json);
        }
    }
    out->bound_otherwise |= out->key.len == 0 && out->certificate.len == 0;
}

/* Strings split at spaces: RFC 8693 section 4.2 has one string, others an array, and in an array
 * nothing is split. */
static struct fb_strings split_scope(struct fb_arena *arena, const struct fb_claim *claim)
{
    struct fb_strings out = {NULL, 0};
    if (claim->kind != FB_CLAIM_STRING) {
        return claim->strings;
    }
    struct fb_span *list = NULL, rest = claim->strings.list[0];
    size_t capacity = 0;
    while (rest.len != 0) {
        size_t space = fb_span_find(rest, ' ');
        if (space != 0) {
            struct fb_span *grown = fb_arena_grow(arena, list, out.count, &capacity, sizeof *list);
            if (grown == NULL) {
                return (struct fb_strings){NULL, 0};    /* arena->failed tells */
            }
            list = grown;
            list[out.count++] = fb_span_head(rest, space);
        }
        rest = fb_span_from(rest, space + 1);
    }
    out.list = list;
    return out;
}

/* One member, its KEY just read. */
static void read_claim(struct reader *r)
{
    struct fb_claim claim = {.name = r->json.string};
    size_t count = r->out->claims_count;
    if (count == FB_TOKEN_CLAIMS_MAX) {
        (void)fb_json_fail(&r->json, "token.claims", "it has more than 256 claims");
        return;
    }
    (void)fb_json_next(&r->json);
    if (fb_span_is(claim.name, "cnf")) {
        read_confirmation(r);
    } else {
        read_value(r, &claim);
    }
    if (r->json.event == FB_JSON_ERROR) {
        return;
    }
    take_registered(r, &claim);
    struct fb_claim *claims = fb_arena_grow(r->arena, r->claims, count, &r->capacity, sizeof claim);
    if (claims == NULL) {
        (void)fb_json_fail(&r->json, "json.memory", "the claims need too much memory");
        return;
    }
    claims[count] = claim;
    r->out->claims = r->claims = claims;
    r->out->claims_count = count + 1;
}

enum fb_token_status fb_claims_read(struct fb_span payload, struct fb_arena *arena, struct fb_token *out,
                                    const char **detail)
{
    struct reader r = {.arena = arena, .out = out};
    *out = (struct fb_token){.expires_ms = -1};
    fb_json_init(&r.json, payload, arena,
                 (struct fb_json_limits){.depth = PAYLOAD_DEPTH, .bytes = FB_TOKEN_MAX, .keys = FB_TOKEN_CLAIMS_MAX});
    if (fb_json_next(&r.json) != FB_JSON_OBJECT) {
        *detail = r.json.error != NULL ? r.json.error : "the payload is not a JSON object";
        return arena->failed ? FB_TOKEN_FAILED : FB_TOKEN_MALFORMED;
    }
    while (fb_json_next(&r.json) == FB_JSON_KEY) {
        read_claim(&r);
    }
    if (r.json.event != FB_JSON_OBJECT_END || fb_json_next(&r.json) != FB_JSON_END) {
        *detail = r.json.error;
        return arena->failed ? FB_TOKEN_FAILED : FB_TOKEN_MALFORMED;
    }
    if (r.fault != NULL) {
        *detail = r.fault;
        return FB_TOKEN_MALFORMED;
    }
    const struct fb_claim *scope = fb_token_claim(out, FB_SPAN("scope"));
    scope = scope != NULL ? scope : fb_token_claim(out, FB_SPAN("scp"));
    if (scope != NULL) {
        out->scope = split_scope(arena, scope);
    }
    return arena->failed ? FB_TOKEN_FAILED : FB_TOKEN_GOOD;
}

const struct fb_claim *fb_token_claim(const struct fb_token *token, struct fb_span name)
{
    for (size_t i = 0; i < token->claims_count; i++) {
        if (fb_span_eq(token->claims[i].name, name)) {
            return &token->claims[i];
        }
    }
    return NULL;
}
