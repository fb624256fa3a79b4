/* SPDX-License-Identifier: Apache-2.0 */
/* What only shows when policies, issuers, location data and store meet in one place. */
#include "guard/loaded.h"

static void add(struct fb_diags *diags, enum fb_severity severity, const char *code, struct fb_span hint,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
static void add(struct fb_diags *diags, enum fb_severity severity, const char *code, struct fb_span hint,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fb_span text = fb_arena_vformat(diags->arena, format, args);
    va_end(args);
    fb_diag_add(diags, severity, code, NULL, (struct fb_range){0, 0}, "%.*s", (int)text.len, text.ptr)->hint = hint;
}

static void check_type(const struct fb_site *site, const struct fb_issuer *issuer, struct fb_span type,
                       const char *what, struct fb_diags *diags)
{
    const struct fb_schema *schema = site->policies->schema;
    if (fb_schema_type(schema, type) != NULL)
        return;
    struct fb_span near = {0, NULL};
    struct fb_span *names = fb_arena_array(diags->arena, schema->types_count + (size_t)1, sizeof *names);
    if (names != NULL) {
        for (uint32_t i = 0; i < schema->types_count; i++)
            names[i] = schema->types[i]->name;
        near = fb_did_you_mean(type, names, schema->types_count);
    }
    struct fb_span hint = near.len != 0 ? fb_arena_format(diags->arena, "did you mean `%.*s`?", (int)near.len, near.ptr)
                                        : FB_SPAN("declare it in schema.cedarschema, or name another with `principal=`");
    add(diags, FB_ERROR, "site.unknown_type", hint, "the issuer %.*s makes %s of type %.*s, which the schema does not have",
        (int)issuer->url.len, issuer->url.ptr, what, (int)type.len, type.ptr);
}

static void check_issuers(const struct fb_site *site, struct fb_diags *diags)
{
    size_t count = site->issuers != NULL ? fb_issuers_count(site->issuers) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct fb_issuer *issuer = fb_issuers_at(site->issuers, i);
        check_type(site, issuer, issuer->principal, "principals", diags);
        for (size_t p = 0; p < issuer->parents_count; p++)
            check_type(site, issuer, issuer->parents[p].type, "groups", diags);
    }
}

/* What the actions with a route ask for, and whether any of them wants somebody signed in. */
static uint8_t wanted(const struct fb_routes *routes, bool *signed_in)
{
    uint8_t wants = 0;
    for (size_t i = 0; i < fb_routes_count(routes); i++) {
        const struct fb_action *action = fb_routes_at(routes, i)->action;
        wants |= action->wants;
        *signed_in |= !action->anonymous_only;
    }
    return wants;
}

static bool needs_store(const struct fb_policies *policies)
{
    for (uint32_t i = 0; i < policies->schema->types_count; i++) {
        const struct fb_entity_type *type = policies->schema->types[i];
        if (type->requires_attributes && !fb_entity_set_has_type(policies->entities, type->name))
            return true;
    }
    return false;
}

bool fb_site_check(const struct fb_site *site, struct fb_diags *diags)
{
    size_t errors = diags->errors;
    bool signed_in = false;
    uint8_t wants = wanted(site->policies->routes, &signed_in);
    check_issuers(site, diags);
    if ((wants & (FB_WANTS_COUNTRY | FB_WANTS_ASN)) != 0 && site->geo == NULL)
        add(diags, FB_WARNING, "site.no_geo", FB_SPAN("name a location database with `forbid_geo` (or `--geo`)"),
            "the policies ask for the client's country, and there is no location data: it is never known");
    if (signed_in && site->issuers == NULL)
        add(diags, FB_WARNING, "site.no_issuer", FB_SPAN("name an issuer with `forbid_issuer` (or `--issuer`)"),
            "some actions want a signed-in principal, and no issuer's tokens are accepted: nobody can sign in");
    if (site->store == NULL && needs_store(site->policies))
        add(diags, FB_WARNING, "site.no_store", FB_SPAN("name a store with `forbid_store` (or `--store`)"),
            "some types require attributes, and neither entities.json nor a store holds them: none of their entities exists");
    return diags->errors == errors;
}
