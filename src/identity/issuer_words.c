/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator writes about an issuer, word by word: the nginx directive, a line of
 * issuers.conf and the command's options are one grammar.  issuer.c checks the values. */
#include "identity/issuer.h"

static const struct fb_range nowhere = {0, 0};

struct reader {
    struct fb_arena *arena;
    struct fb_diags *diags;
    struct fb_issuer *out;
    struct fb_span *audiences;
    struct fb_issuer_parent *parents;
    size_t audiences_room, parents_room;
};

static bool read_audience(struct reader *r, struct fb_span value)
{
    struct fb_span *list = fb_arena_grow(r->arena, r->audiences, r->out->audiences_count, &r->audiences_room,
                                         sizeof *list);
    if (list == NULL) {
        return false;
    }
    list[r->out->audiences_count++] = value;
    r->out->audiences = r->audiences = list;
    return true;
}

/* CLAIM:Type, split at the first colon that is not part of `::`, from the right, as claim names may
 * be URLs. */
static bool read_parents(struct reader *r, struct fb_span value)
{
    size_t colon = value.len;
    while (colon != 0) {
        bool first = value.ptr[colon - 1] == ':' && (colon < 2 || value.ptr[colon - 2] != ':');
        bool single = first && (colon == value.len || value.ptr[colon] != ':');
        if (single) {
            break;
        }
        colon--;
    }
    struct fb_issuer_parent *list = fb_arena_grow(r->arena, r->parents, r->out->parents_count, &r->parents_room,
                                                  sizeof *list);
    if (colon < 2 || list == NULL) {
        return false;
    }
    list[r->out->parents_count++] = (struct fb_issuer_parent){fb_span_head(value, colon - 1),
                                                              fb_span_from(value, colon)};
    r->out->parents = r->parents = list;
    return true;
}

static bool read_leeway(struct reader *r, struct fb_span value)
{
    uint64_t seconds;
    if (!fb_span_to_u64(value, FB_LEEWAY_MAX, &seconds)) {
        return false;
    }
    r->out->leeway_s = (int64_t)seconds;
    return true;
}

static bool read_jwks(struct reader *r, struct fb_span value)
{
    r->out->jwks = value;
    return value.len != 0;
}

static bool read_principal(struct reader *r, struct fb_span value)
{
    r->out->principal = value;
    return value.len != 0;
}

static bool read_claim(struct reader *r, struct fb_span value)
{
    r->out->claim = value;
    return value.len != 0;
}

static bool read_prefix(struct reader *r, struct fb_span value)
{
    r->out->prefix = value;
    return true;
}

static bool read_dpop(struct reader *r, struct fb_span value)
{
    r->out->dpop = fb_span_is(value, "required") ? FB_DPOP_REQUIRED : FB_DPOP_ACCEPTED;
    return r->out->dpop == FB_DPOP_REQUIRED || fb_span_is(value, "accepted");
}

/* What a quoted-string of a challenge can hold without escapes: printable ASCII but `"` and `\`. */
static bool read_realm(struct reader *r, struct fb_span value)
{
    r->out->realm = value;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            return false;
        }
    }
    return value.len != 0;
}

static const struct {
    struct fb_span name;
    bool repeats;
    bool (*read)(struct reader *r, struct fb_span value);
    const char *form;
} parameters[] = {
    {{4, "jwks"}, false, read_jwks, "jwks=FILE"},
    {{8, "audience"}, true, read_audience, "audience=NAME"},
    {{9, "principal"}, false, read_principal, "principal=TYPE"},
    {{5, "claim"}, false, read_claim, "claim=NAME"},
    {{7, "parents"}, true, read_parents, "parents=CLAIM:TYPE"},
    {{6, "prefix"}, false, read_prefix, "prefix=TEXT"},
    {{6, "leeway"}, false, read_leeway, "leeway=SECONDS, at most 600"},
    {{4, "dpop"}, false, read_dpop, "dpop=accepted or dpop=required"},
    {{5, "realm"}, false, read_realm, "realm=TEXT, of printable ASCII without quotes and backslashes"},
};
enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

static void unknown(struct reader *r, struct fb_span name)
{
    struct fb_span names[PARAMETERS];
    for (size_t i = 0; i < PARAMETERS; i++) {
        names[i] = parameters[i].name;
    }
    struct fb_diag *diag = fb_diag_add(r->diags, FB_ERROR, "issuer.parameter", NULL, nowhere,
                                       "an issuer has no parameter \"%.*s\"", (int)name.len, name.ptr);
    struct fb_span meant = fb_did_you_mean(name, names, PARAMETERS);
    diag->hint = meant.len != 0
                     ? fb_arena_format(r->diags->arena, "did you mean %.*s=?", (int)meant.len, meant.ptr)
                     : FB_SPAN("it has jwks=, audience=, principal=, claim=, parents=, prefix=, leeway=, dpop=, realm=");
}

static void read_word(struct reader *r, struct fb_span word, unsigned *seen)
{
    size_t equals = fb_span_find(word, '=');
    struct fb_span name = fb_span_head(word, equals), value = fb_span_from(word, equals + 1);
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!fb_span_eq(name, parameters[i].name)) {
            continue;
        }
        bool again = (*seen & 1u << i) != 0;
        *seen |= 1u << i;
        if (again && !parameters[i].repeats) {
            (void)fb_diag_add(r->diags, FB_ERROR, "issuer.parameter", NULL, nowhere, "%s= is there twice",
                              parameters[i].name.ptr);
        } else if (equals == word.len || !parameters[i].read(r, value)) {
            (void)fb_diag_add(r->diags, FB_ERROR, "issuer.parameter", NULL, nowhere, "\"%.*s\" should be %s",
                              (int)word.len, word.ptr, parameters[i].form);
        }
        return;
    }
    unknown(r, name);
}

bool fb_issuer_parse(const struct fb_span *words, size_t count, struct fb_arena *arena,
                     struct fb_issuer *out, struct fb_diags *diags)
{
    *out = (struct fb_issuer){.principal = FB_SPAN("User"), .claim = FB_SPAN("sub"), .leeway_s = FB_LEEWAY_DEFAULT};
    size_t errors_before = diags->errors;
    if (count == 0) {
        (void)fb_diag_add(diags, FB_ERROR, "issuer.url", NULL, nowhere, "an issuer starts with its URL");
        return false;
    }
    out->url = words[0];
    struct reader r = {.arena = arena, .diags = diags, .out = out};
    unsigned seen = 0;
    for (size_t i = 1; i < count; i++) {
        read_word(&r, words[i], &seen);
    }
    bool read = diags->errors == errors_before;
    if (out->jwks.len == 0 && read) {
        (void)fb_diag_add(diags, FB_ERROR, "issuer.jwks", NULL, nowhere, "issuer %.*s: it needs jwks=FILE",
                          (int)out->url.len, out->url.ptr);
    }
    if (out->audiences_count == 0 && read) {
        (void)fb_diag_add(diags, FB_ERROR, "issuer.audience", NULL, nowhere, "issuer %.*s: it needs audience=NAME",
                          (int)out->url.len, out->url.ptr);
    }
    return diags->errors == errors_before;
}
