/* SPDX-License-Identifier: Apache-2.0 */
/* What tests run in: an issuer whose key is made for the run, and, where entities or accounts are given, a store in a
 * temporary directory.  A guard of its own goes with it, as a store is opened once. */
#include "cli/test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define WORLD_CEILING ((size_t)1 << 30)
#define STORE_MAP ((size_t)8 << 30)
#define GUARD_CEILING ((size_t)64 << 20)

static const struct fb_range nowhere = {0, 0};

static bool fault(struct fb_test_world *world, const char *what, const char *why)
{
    fb_diag_add(&world->diags, FB_ERROR, "test.world", NULL, nowhere, "%s: %s", what, why);
    return false;
}

/* --- Tokens -------------------------------------------------------------------------------------- */

static bool open_issuer(struct fb_test_world *world, const struct fb_dev_key *key, const struct fb_test_file *file)
{
    struct fb_span words[FB_TEST_WORDS_MAX + 3] = {FB_SPAN(FB_TEST_ISSUER), FB_SPAN("jwks=made for the tests"),
                                                   FB_SPAN("audience=" FB_TEST_AUDIENCE)};
    memcpy(words + 3, file->issuer, file->issuer_count * sizeof *words);
    struct fb_issuer issuer;
    struct fb_buffer text;
    world->issuers = fb_issuers_new(&fb_heap);
    if (world->issuers == NULL)
        return fault(world, "issuer", "out of memory");
    fb_buffer_init(&text, &fb_heap, FB_JWKS_BYTES_MAX);
    bool fine = fb_issuer_parse(words, 3 + file->issuer_count, &world->arena, &issuer, &world->diags)
                && fb_dev_key_jwks(key, &text);
    if (fine) {
        const struct fb_source source = {.name = FB_SPAN("keys"), .text = fb_buffer_span(&text)};
        struct fb_jwks *keys = fb_jwks_read(&source, &world->diags, &fb_heap);
        fine = keys != NULL && fb_issuers_add(world->issuers, &issuer, keys, &world->diags);
    }
    fb_buffer_release(&text);
    return fine;
}

/* --- The store ----------------------------------------------------------------------------------- */

static bool put_entities(struct fb_store *store, const struct fb_test_given *given, struct fb_store_error *error)
{
    if (given->entities == NULL)
        return true;
    for (size_t i = 0; i < fb_entity_set_count(given->entities); i++) {
        struct fb_entity entity;
        fb_entity_set_at(given->entities, i, &entity);
        if (fb_store_put_entity(store, &entity, error) != FB_STORE_OK)
            return false;
    }
    return true;
}

static enum fb_account_step step_to(enum fb_account_state state)
{
    switch (state) {
    case FB_ACCOUNT_SUSPENDED: return FB_ACCOUNT_SUSPEND;
    case FB_ACCOUNT_DISABLED: return FB_ACCOUNT_DISABLE;
    case FB_ACCOUNT_DELETED: return FB_ACCOUNT_DELETE;
    case FB_ACCOUNT_ACTIVE:
    case FB_ACCOUNT_STATES: break;
    }
    return FB_ACCOUNT_ADD;
}

/* Of the file and then of the test, each state reached from none: those of the test that speak of an account again come
 * in its place. */
static bool put_accounts(struct fb_store *store, const struct fb_test_given *given, const struct fb_test_given *over,
                         struct fb_store_error *error)
{
    for (size_t i = 0; i < given->accounts_count; i++) {
        const struct fb_test_account *account = &given->accounts[i];
        bool again = false, changed;
        for (size_t k = 0; over != NULL && k < over->accounts_count; k++)
            again |= fb_uid_eq(over->accounts[k].uid, account->uid);
        const struct fb_account_change change = {.step = step_to(account->state), .uid = account->uid,
                                                 .reason = FB_SPAN("test"), .by = FB_SPAN("forbid test")};
        if (!again && fb_store_change_account(store, &change, &changed, error) != FB_STORE_OK)
            return false;
    }
    return true;
}

static bool fill_store(struct fb_test_world *world, const struct fb_test_file *file, const struct fb_test *test)
{
    struct fb_store_error error = {.text = ""};
    const struct fb_store_options how = {.write = true, .create = true, .unsafe = true, .map = STORE_MAP};
    struct fb_store *store = fb_store_open(world->store, &how, &error);
    if (store == NULL)
        return fault(world, world->store, error.text);
    const struct fb_test_given *over = test != NULL ? &test->given : NULL;
    bool fine = fb_store_begin(store, &error) == FB_STORE_OK && put_entities(store, &file->given, &error)
                && (over == NULL || put_entities(store, over, &error)) && put_accounts(store, &file->given, over, &error)
                && (over == NULL || put_accounts(store, over, NULL, &error))
                && fb_store_commit(store, &error) == FB_STORE_OK;
    fb_store_close(store);
    if (fine)
        return true;
    struct fb_diag *diag = fb_diag_add(&world->diags, FB_ERROR, "test.store", file->source,
                                       test != NULL ? test->range : nowhere, "%s", error.text);
    diag->hint = FB_SPAN("entities and accounts of tests are put into a temporary store, with its rules");
    return false;
}

static bool open_store(struct fb_test_world *world, const struct fb_test_file *file, const struct fb_test *test)
{
    bool wanted = file->given.stores || (test != NULL && test->given.stores);
    if (!wanted)
        return true;
    const char *top = getenv("TMPDIR");
    snprintf(world->store, sizeof world->store - 8, "%s/forbid-test-XXXXXX", top != NULL && *top != '\0' ? top : "/tmp");
    if (mkdtemp(world->store) == NULL) {
        int error = errno;
        world->store[0] = '\0';
        return fault(world, "a temporary directory", strerror(error));
    }
    world->site.store = world->store;
    world->site.store_map = STORE_MAP;
    return fill_store(world, file, test);
}

static void remove_store(const char *dir)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char path[4096 + 16];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* --- The whole ----------------------------------------------------------------------------------- */

/* As the file has it. */
static bool set_location(struct fb_test_world *world, const struct fb_test_file *file)
{
    struct fb_site *site = &world->site;
    site->unmatched = file->unmatched;
    site->preflights = file->cors != NULL;
    if (file->resource.len == 0)
        return true;
    site->resource = file->resource;
    site->metadata_uri = fb_metadata_uri(file->resource, &world->arena);
    site->metadata_path = fb_metadata_path(site->metadata_uri);
    return site->metadata_uri.len != 0 || fault(world, "resource", "out of memory");
}

bool fb_test_world_open(struct fb_test_world *world, const struct fb_cli_site *site, const struct fb_dev_key *key,
                        const struct fb_test_file *file, const struct fb_test *test)
{
    *world = (struct fb_test_world){.site = site->site};
    fb_arena_init(&world->arena, &fb_heap, WORLD_CEILING);
    fb_diags_init(&world->diags, &world->arena);
    if (!set_location(world, file) || !open_issuer(world, key, file) || !open_store(world, file, test))
        return false;
    world->site.issuers = world->issuers;
    const struct fb_guard_options how = {.allocator = &fb_heap, .arena_bytes = GUARD_CEILING, .tokens = 64};
    world->guard = fb_guard_new(&how);
    return world->guard != NULL || fault(world, "guard", "out of memory");
}

void fb_test_world_close(struct fb_test_world *world)
{
    fb_guard_free(world->guard);
    if (world->store[0] != '\0')
        remove_store(world->store);
    fb_issuers_free(world->issuers);
    fb_arena_release(&world->arena);
}
