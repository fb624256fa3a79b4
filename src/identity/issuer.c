/* SPDX-License-Identifier: Apache-2.0 */
/* The set of issuers that a site accepts: built once, then only read.  issuer_words.c reads what
 * an operator writes about one; token.c picks one by a token's `iss`. */
#include "identity/issuer.h"

#include "http/http.h"
#include "identity/keys.h"

#include <errno.h>

static const struct fb_range nowhere = {0, 0};

struct fb_issuers *fb_issuers_new(const struct fb_allocator *allocator)
{
    struct fb_issuers *issuers = fb_alloc(allocator, sizeof *issuers);
    if (issuers != NULL) {
        *issuers = (struct fb_issuers){.allocator = allocator};
        fb_arena_init(&issuers->arena, allocator, (size_t)1 << 20);
    }
    return issuers;
}

void fb_issuers_free(struct fb_issuers *issuers)
{
    if (issuers == NULL) {
        return;
    }
    for (size_t i = 0; i < issuers->count; i++) {
        fb_jwks_free(issuers->entries[i].keys);
    }
    fb_arena_release(&issuers->arena);
    fb_free(issuers->allocator, issuers, sizeof *issuers);
}

size_t fb_issuers_count(const struct fb_issuers *issuers)
{
    return issuers->count;
}

const struct fb_issuer *fb_issuers_at(const struct fb_issuers *issuers, size_t index)
{
    return &issuers->entries[index].config;
}

const struct fb_jwks *fb_issuers_keys(const struct fb_issuers *issuers, size_t index)
{
    return issuers->entries[index].keys;
}

/* A Cedar type name: identifiers with `::` between.  Whether the schema has it is checked where
 * the parts meet. */
static bool is_type_name(struct fb_span text)
{
    bool start = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (letter || (!start && c >= '0' && c <= '9')) {
            start = false;
        } else if (!start && c == ':' && i + 1 < text.len && text.ptr[i + 1] == ':') {
            start = true;
            i++;
        } else {
            return false;
        }
    }
    return !start;
}

static bool fault(struct fb_diags *diags, const struct fb_issuer *issuer, const char *code, const char *text,
                  struct fb_span value)
{
    (void)fb_diag_add(diags, FB_ERROR, code, NULL, nowhere, "issuer %.*s: %s%.*s", (int)issuer->url.len,
                      issuer->url.ptr, text, (int)value.len, value.ptr);
    return false;
}

static const struct fb_span no_value = {0, ""};

static bool check_parents(const struct fb_issuer *issuer, struct fb_diags *diags)
{
    if (issuer->parents_count > FB_ISSUER_PARENTS_MAX) {
        return fault(diags, issuer, "issuer.parents", "more than 16 claims give parents", no_value);
    }
    for (size_t i = 0; i < issuer->parents_count; i++) {
        if (issuer->parents[i].claim.len == 0 || !is_type_name(issuer->parents[i].type)) {
            return fault(diags, issuer, "issuer.parents", "parents need a claim and an entity type, not ",
                         issuer->parents[i].type);
        }
    }
    return true;
}

static bool check_fields(const struct fb_issuer *issuer, struct fb_diags *diags)
{
    if (!fb_http_is_uri(issuer->url)) {
        return fault(diags, issuer, "issuer.url", "the name of an issuer is an absolute URL", no_value);
    }
    if (issuer->audiences_count == 0 || issuer->audiences_count > FB_ISSUER_AUDIENCES_MAX) {
        return fault(diags, issuer, "issuer.audience", "it needs 1 to 32 audiences; without one, a token meant for "
                     "another service would be good here", no_value);
    }
    for (size_t i = 0; i < issuer->audiences_count; i++) {
        if (issuer->audiences[i].len == 0) {
            return fault(diags, issuer, "issuer.audience", "an audience is empty", no_value);
        }
    }
    if (!is_type_name(issuer->principal)) {
        return fault(diags, issuer, "issuer.principal", "this is no entity type: ", issuer->principal);
    }
    if (issuer->claim.len == 0) {
        return fault(diags, issuer, "issuer.claim", "the claim that names the principal is empty", no_value);
    }
    if (issuer->leeway_s < 0 || issuer->leeway_s > FB_LEEWAY_MAX) {
        return fault(diags, issuer, "issuer.leeway", "the leeway is 0 to 600 seconds", no_value);
    }
    return check_parents(issuer, diags);
}

/* Prefix "a" with name "bc" is the principal of prefix "ab" with name "c". */
static bool kept_apart(struct fb_span a, struct fb_span b)
{
    return a.len != 0 && b.len != 0 && !fb_span_starts(a, b) && !fb_span_starts(b, a);
}

static bool check_others(const struct fb_issuers *issuers, const struct fb_issuer *issuer, struct fb_diags *diags)
{
    if (issuers->count == FB_ISSUERS_MAX) {
        return fault(diags, issuer, "issuer.too_many", "there may be 64 issuers", no_value);
    }
    for (size_t i = 0; i < issuers->count; i++) {
        const struct fb_issuer *other = &issuers->entries[i].config;
        if (fb_span_eq(other->url, issuer->url)) {
            return fault(diags, issuer, "issuer.twice", "it is there already", no_value);
        }
        if (fb_span_eq(other->principal, issuer->principal) && !kept_apart(other->prefix, issuer->prefix)) {
            return fault(diags, issuer, "issuer.prefix", "give it and this issuer of the same principal type a prefix= "
                         "each, of which neither starts with the other, or one's users are the other's: ", other->url);
        }
    }
    return true;
}

static void copy_config(struct fb_arena *arena, const struct fb_issuer *from, struct fb_issuer *to)
{
    *to = (struct fb_issuer){.audiences_count = from->audiences_count,
                             .parents_count = from->parents_count,
                             .leeway_s = from->leeway_s,
                             .dpop = from->dpop};
    to->url = fb_arena_copy(arena, from->url);
    to->jwks = fb_arena_copy(arena, from->jwks);
    to->principal = fb_arena_copy(arena, from->principal);
    to->principal_hash = fb_hash(to->principal);
    to->claim = fb_arena_copy(arena, from->claim);
    to->prefix = fb_arena_copy(arena, from->prefix);
    to->realm = fb_arena_copy(arena, from->realm);
    struct fb_span *audiences = fb_arena_array(arena, from->audiences_count, sizeof *audiences);
    struct fb_issuer_parent *parents = fb_arena_array(arena, from->parents_count, sizeof *parents);
    if (audiences == NULL || parents == NULL) {
        return;
    }
    for (size_t i = 0; i < from->audiences_count; i++) {
        audiences[i] = fb_arena_copy(arena, from->audiences[i]);
    }
    for (size_t i = 0; i < from->parents_count; i++) {
        parents[i].claim = fb_arena_copy(arena, from->parents[i].claim);
        parents[i].type = fb_arena_copy(arena, from->parents[i].type);
    }
    to->audiences = audiences;
    to->parents = parents;
}

static void add_sized(struct fb_buffer *out, const void *bytes, size_t len)
{
    uint64_t size = len;
    fb_buffer_add(out, fb_span((const char *)&size, sizeof size));
    fb_buffer_add(out, fb_span(bytes, len));
}

static bool take_fingerprint(const struct fb_allocator *allocator, struct fb_issuer_entry *entry)
{
    struct fb_buffer text;
    fb_buffer_init(&text, allocator, (size_t)1 << 20);
    add_sized(&text, entry->config.url.ptr, entry->config.url.len);
    for (size_t i = 0; i < entry->keys->count; i++) {
        const struct fb_key *key = &entry->keys->keys[i];
        add_sized(&text, key->thumbprint, sizeof key->thumbprint);
        add_sized(&text, &key->algorithms, sizeof key->algorithms);
        add_sized(&text, key->kid.ptr, key->kid.len);
    }
    bool done = !text.failed && fb_sha256(fb_buffer_span(&text), entry->fingerprint.bytes);
    fb_buffer_release(&text);
    return done;
}

bool fb_issuers_add(struct fb_issuers *issuers, const struct fb_issuer *issuer, struct fb_jwks *keys,
                    struct fb_diags *diags)
{
    if (!check_fields(issuer, diags) || !check_others(issuers, issuer, diags)) {
        fb_jwks_free(keys);
        return false;
    }
    struct fb_issuer_entry *entry = &issuers->entries[issuers->count];
    copy_config(&issuers->arena, issuer, &entry->config);
    entry->keys = keys;
    if (issuers->arena.failed || !take_fingerprint(issuers->allocator, entry)) {
        fb_jwks_free(keys);
        return fault(diags, issuer, "issuer.memory", "there is not enough memory", no_value);
    }
    issuers->count++;
    return true;
}

/* The text of the file, and its name, where the diagnostics that point into it live; NULL, and a
 * diagnostic. */
static struct fb_source *read_source(struct fb_issuers *issuers, const struct fb_issuer *issuer,
                                     struct fb_diags *diags)
{
    struct fb_buffer text;
    fb_buffer_init(&text, issuers->allocator, FB_JWKS_BYTES_MAX);
    struct fb_source *source = fb_arena_alloc(diags->arena, sizeof *source);
    char *path = fb_arena_text(diags->arena, issuer->jwks);
    int error = source == NULL || path == NULL ? ENOMEM : fb_buffer_read_file(&text, path);
    if (error == 0) {
        source->name = fb_span(path, issuer->jwks.len);
        source->text = fb_arena_copy(diags->arena, fb_buffer_span(&text));
        error = diags->arena->failed ? ENOMEM : 0;
    }
    fb_buffer_release(&text);
    if (error == 0) {
        return source;
    }
    (void)fb_diag_add(diags, FB_ERROR, "issuer.jwks", NULL, nowhere, "issuer %.*s: its key set %.*s cannot be read: %s",
                      (int)issuer->url.len, issuer->url.ptr, (int)issuer->jwks.len, issuer->jwks.ptr,
                      error == EFBIG ? "it is larger than 1 MiB" : strerror(error));
    return NULL;
}

bool fb_issuers_add_file(struct fb_issuers *issuers, const struct fb_issuer *issuer, struct fb_diags *diags)
{
    struct fb_source *source = read_source(issuers, issuer, diags);
    struct fb_jwks *keys = source != NULL ? fb_jwks_read(source, diags, issuers->allocator) : NULL;
    return keys != NULL && fb_issuers_add(issuers, issuer, keys, diags);
}
