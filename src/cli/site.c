/* SPDX-License-Identifier: Apache-2.0 */
/* A policy directory with what a server sets beside it, opened from options.
 *
 * One issuer may be given in parts (--issuer URL --jwks FILE --audience NAME), or each of several
 * as one word list, the words of nginx's `forbid_issuer`: --issuer 'URL jwks=FILE audience=NAME'. */
#include "cli/site.h"

#include <errno.h>
#include <sys/stat.h>

#define SITE_CEILING ((size_t)1 << 30)

void fb_site_options(struct fb_site_options *options, struct fb_option rows[FB_SITE_OPTIONS_COUNT])
{
    const struct fb_option all[FB_SITE_OPTIONS_COUNT] = {
        {FB_OPTION_LIST, 0, "issuer", "URL", "whose bearer tokens are accepted; or 'URL jwks=FILE audience=NAME …'",
         &options->issuers},
        {FB_OPTION_TEXT, 0, "jwks", "FILE", "the issuer's public keys", &options->jwks},
        {FB_OPTION_LIST, 0, "audience", "NAME", "for whom its tokens must be (may be repeated)", &options->audiences},
        {FB_OPTION_TEXT, 0, "principal-type", "TYPE", "the principals it makes (User)", &options->principal},
        {FB_OPTION_TEXT, 0, "principal-claim", "CLAIM", "the claim that names them (sub)", &options->claim},
        {FB_OPTION_LIST, 0, "principal-parents", "CLAIM:TYPE", "a claim's values become groups: roles:Role",
         &options->parents},
        {FB_OPTION_TEXT, 0, "store", "DIR", "the store with entities and accounts", &options->store},
        {FB_OPTION_TEXT, 0, "geo", "FILE", "location data (MaxMind DB format)", &options->geo},
        {FB_OPTION_TEXT, 0, "disclose", "LEVEL", "what a refusal tells: none, reason, detail, policy",
         &options->disclose},
        {FB_OPTION_TEXT, 0, "disclose-anonymous", "LEVEL", "the same to those who are not signed in (none)",
         &options->disclose_anonymous},
    };
    memcpy(rows, all, sizeof all);
}

static bool fault(struct fb_cli_site *site, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fault(struct fb_cli_site *site, const char *code, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fb_diag_add(&site->diags, FB_ERROR, code, NULL, (struct fb_range){0, 0}, "%s", text);
    return false;
}

#define ISSUER_WORDS_MAX 128u

struct words {
    struct fb_span list[ISSUER_WORDS_MAX];
    size_t count;
    bool full;
};

static void add_word(struct words *words, struct fb_span word)
{
    if (words->count == ISSUER_WORDS_MAX)
        words->full = true;
    else
        words->list[words->count++] = word;
}

static void split(struct words *words, struct fb_span text)
{
    while (text.len != 0) {
        size_t end = fb_span_find(text, ' ');
        if (end != 0)
            add_word(words, fb_span_head(text, end));
        text = fb_span_from(text, end + 1);
    }
}

static void add_part(struct fb_cli_site *site, struct words *words, const char *name, const char *value)
{
    if (value != NULL)
        add_word(words, fb_arena_format(&site->arena, "%s=%s", name, value));
}

static bool add_issuer(struct fb_cli_site *site, const struct fb_site_options *options, const char *text)
{
    struct words words = {.count = 0};
    split(&words, fb_span_z(text));
    if (options->issuers.count == 1) {
        add_part(site, &words, "jwks", options->jwks);
        add_part(site, &words, "principal", options->principal);
        add_part(site, &words, "claim", options->claim);
        for (size_t i = 0; i < options->audiences.count; i++)
            add_part(site, &words, "audience", options->audiences.list[i]);
        for (size_t i = 0; i < options->parents.count; i++)
            add_part(site, &words, "parents", options->parents.list[i]);
    }
    if (words.full)
        return fault(site, "issuer.too_long", "issuer %s: more than %u words", text, ISSUER_WORDS_MAX);
    struct fb_issuer issuer;
    size_t before = site->diags.count;
    bool fine = fb_issuer_parse(words.list, words.count, &site->arena, &issuer, &site->diags);
    /* The words are the directive's: who gave options is told of options. */
    for (size_t i = before; !fine && i < site->diags.count; i++) {
        struct fb_diag *diag = &site->diags.list[i];
        if (diag->hint.len == 0 && strcmp(diag->code, "issuer.jwks") == 0)
            diag->hint = FB_SPAN("--jwks FILE; of several issuers each says its own: --issuer 'URL jwks=FILE …'");
        else if (diag->hint.len == 0 && strcmp(diag->code, "issuer.audience") == 0)
            diag->hint = FB_SPAN("--audience NAME; of several issuers each says its own: --issuer 'URL audience=NAME …'");
    }
    return fine && fb_issuers_add_file(site->issuers, &issuer, &site->diags);
}

static bool open_issuers(struct fb_cli_site *site, const struct fb_site_options *options)
{
    bool parts = options->jwks != NULL || options->principal != NULL || options->claim != NULL
                 || options->audiences.count != 0 || options->parents.count != 0;
    if (options->issuers.count == 0 && !parts)
        return true;
    if (options->issuers.count == 0)
        return fault(site, "issuer.missing", "--jwks, --audience and --principal-… go with an --issuer");
    if (options->issuers.count > 1 && parts)
        return fault(site, "issuer.parts",
                     "with more than one --issuer each says all of it: --issuer 'URL jwks=FILE audience=NAME'");
    site->issuers = fb_issuers_new(&fb_heap);
    if (site->issuers == NULL)
        return fault(site, "site.memory", "out of memory");
    bool fine = true;
    for (size_t i = 0; i < options->issuers.count; i++)
        fine &= add_issuer(site, options, options->issuers.list[i]);
    return fine;
}

static bool open_geo(struct fb_cli_site *site, const char *file)
{
    if (file == NULL)
        return true;
    const char *error = "out of memory";
    site->geo = fb_geo_open(&fb_heap, file, NULL, &error);
    return site->geo != NULL || fault(site, "geo.unreadable", "%s: %s", file, error);
}

static bool level(struct fb_cli_site *site, const char *option, const char *text, enum fb_level *into)
{
    if (text == NULL || fb_level_parse(fb_span_z(text), into))
        return true;
    return fault(site, "site.level", "%s is 'none', 'reason', 'detail' or 'policy', not '%s'", option, text);
}

/* The store is opened by the guard at the first decision; here only whether there is anything. */
static bool look_at_store(struct fb_cli_site *site, const char *dir)
{
    struct stat st;
    if (dir == NULL)
        return true;
    if (stat(dir, &st) != 0)
        return fault(site, "store.missing", "%s: %s; `forbid account add --store %s …` makes a store", dir,
                     strerror(errno), dir);
    return S_ISDIR(st.st_mode) || fault(site, "store.missing", "%s: a store is a directory", dir);
}

bool fb_cli_site_open(struct fb_cli_site *site, const struct fb_site_options *options, const char *dir)
{
    *site = (struct fb_cli_site){.policies = NULL};
    fb_arena_init(&site->arena, &fb_heap, SITE_CEILING);
    fb_diags_init(&site->diags, &site->arena);
    site->site = (struct fb_site){.store = options->store,
                                  .disclose = FB_LEVEL_REASON,
                                  .disclose_anonymous = FB_LEVEL_NONE,
                                  .realm = FB_SPAN("api"),
                                  .disclose_stated = options->disclose != NULL || options->disclose_anonymous != NULL};
    site->policies = options->load != NULL ? fb_policies_load_with(&fb_heap, dir, options->load, &site->diags)
                                           : fb_policies_load(&fb_heap, dir, &site->diags);
    bool fine = site->policies != NULL;
    fine &= open_issuers(site, options);
    fine &= open_geo(site, options->geo);
    fine &= look_at_store(site, options->store);
    fine &= level(site, "--disclose", options->disclose, &site->site.disclose);
    fine &= level(site, "--disclose-anonymous", options->disclose_anonymous, &site->site.disclose_anonymous);
    site->site.policies = site->policies;
    site->site.issuers = site->issuers;
    site->site.geo = site->geo;
    return fine;
}

void fb_cli_site_close(struct fb_cli_site *site)
{
    fb_geo_close(site->geo);
    fb_issuers_free(site->issuers);
    fb_policies_free(site->policies);
    fb_arena_release(&site->arena);
}

struct fb_span fb_cli_near_type(const struct fb_schema *schema, struct fb_span type)
{
    enum { NAMES_MAX = 1000 };
    struct fb_span names[NAMES_MAX];
    uint32_t count = schema->types_count < NAMES_MAX ? schema->types_count : NAMES_MAX;
    for (uint32_t i = 0; i < count; i++)
        names[i] = schema->types[i]->name;
    return fb_did_you_mean(type, names, count);
}

bool fb_cli_type_known(struct fb_cli *cli, const char *verb, const char *option, const struct fb_cli_site *site,
                       const struct fb_uid *uid)
{
    const struct fb_schema *schema = fb_policies_schema(site->policies);
    struct fb_span type = fb_uid_type(uid);
    if (fb_schema_type(schema, type) != NULL)
        return true;
    struct fb_span near = fb_cli_near_type(schema, type);
    if (near.len != 0)
        return fb_cli_wrong(cli, verb, "%s: the schema has no entity type %.*s; did you mean %.*s?", option,
                            (int)type.len, type.ptr, (int)near.len, near.ptr);
    return fb_cli_wrong(cli, verb, "%s: the schema has no entity type %.*s", option, (int)type.len, type.ptr);
}
