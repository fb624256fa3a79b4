/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    strcpy(world->dir, "/tmp/forbid-guard-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    snprintf(world->policies_dir, sizeof world->policies_dir, "%s/policies", world->dir);
    snprintf(world->store_dir, sizeof world->store_dir, "%s/store", world->dir);
    assert_int_equal(mkdir(world->policies_dir, 0700), 0);
    fb_arena_init(&world->arena, &fb_heap, (size_t)256 << 20);
    const char *error;
    world->key = fb_dev_key_new(FB_DEV_EDDSA, &fb_heap, &error);
    assert_non_null(world->key);
    world->issuers = fb_issuers_new(&fb_heap);
    struct fb_buffer jwks;
    fb_buffer_init(&jwks, &fb_heap, 65536);
    assert_true(fb_dev_key_jwks(world->key, &jwks));
    const struct fb_source source = {.name = FB_SPAN("jwks"), .text = fb_buffer_span(&jwks)};
    static const struct fb_span audience[] = {FB_SPAN_INIT(WORLD_AUDIENCE)};
    static const struct fb_issuer_parent parents[] = {{FB_SPAN_INIT("roles"), FB_SPAN_INIT("Role")}};
    const struct fb_issuer issuer = {.url = FB_SPAN(WORLD_ISSUER), .audiences = audience, .audiences_count = 1,
                                     .principal = FB_SPAN("User"), .claim = FB_SPAN("sub"), .parents = parents,
                                     .parents_count = 1, .leeway_s = 0};
    fb_diags_init(&world->diags, &world->arena);
    struct fb_jwks *keys = fb_jwks_read(&source, &world->diags, &fb_heap);
    assert_true(fb_issuers_add(world->issuers, &issuer, keys, &world->diags));
    fb_buffer_release(&jwks);
    world->guard = fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap});
    assert_non_null(world->guard);
    world->site = (struct fb_site){.issuers = world->issuers, .disclose = FB_LEVEL_REASON};
}

void world_release(struct world *world)
{
    fb_guard_free(world->guard);
    fb_policies_free(world->policies);
    fb_issuers_free(world->issuers);
    fb_dev_key_free(world->key);
    if (world->store != NULL)
        fb_store_close(world->store);
    fb_arena_release(&world->arena);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", world->dir);
    assert_int_equal(system(command), 0);
}

void world_write(struct world *world, const char *name, struct fb_span text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", world->policies_dir, name);
    if (text.len == 0) {
        unlink(path);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
    close(fd);
}

bool world_load(struct world *world)
{
    fb_policies_free(world->policies);
    fb_arena_clear(&world->arena);
    fb_diags_init(&world->diags, &world->arena);
    const struct fb_load_options any = {.not_validated = true};
    world->policies = world->not_validated ? fb_policies_load_with(&fb_heap, world->policies_dir, &any, &world->diags)
                                           : fb_policies_load(&fb_heap, world->policies_dir, &world->diags);
    world->site.policies = world->policies;
    return world->policies != NULL;
}

static struct fb_store *open_store(struct world *world)
{
    if (world->store == NULL) {
        struct fb_store_error error;
        world->store = fb_store_open(world->store_dir, &(struct fb_store_options){.write = true, .create = true, .unsafe = true, .map = 1u << 28}, &error);
        if (world->store == NULL)
            fail_msg("%s", error.text);
    }
    return world->store;
}

void world_put(struct world *world, struct fb_span json)
{
    const struct fb_source source = {.name = FB_SPAN("store"), .text = json};
    struct fb_entity_set *set = fb_entity_set_new(&world->arena);
    const struct fb_value_hints hints = fb_schema_hints(fb_policies_schema(world->policies));
    if (!fb_entity_set_read_json(set, &source, &hints, &world->diags) || !fb_entity_set_close(set, &world->diags)) {
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, 65536);
        fb_diags_print(&text, &world->diags, false);
        fail_msg("%s", text.ptr);
    }
    struct fb_store_error error;
    assert_int_equal(fb_store_begin(open_store(world), &error), FB_STORE_OK);
    for (size_t i = 0; i < fb_entity_set_count(set); i++) {
        struct fb_entity entity;
        fb_entity_set_at(set, i, &entity);
        assert_int_equal(fb_store_put_entity(world->store, &entity, &error), FB_STORE_OK);
    }
    assert_int_equal(fb_store_commit(world->store, &error), FB_STORE_OK);
    world->site.store = world->store_dir;
}

void world_account(struct world *world, enum fb_account_step step, const char *uid)
{
    struct fb_store_error error;
    bool changed;
    const struct fb_account_change change = {.step = step, .uid = fb_uid_parse(&world->arena, fb_span_z(uid)),
                                             .reason = FB_SPAN("test"), .by = FB_SPAN("test"), .at = WORLD_NOW};
    assert_non_null(change.uid);
    assert_int_equal(fb_store_change_account(open_store(world), &change, &changed, &error), FB_STORE_OK);
    world->site.store = world->store_dir;
}

struct fb_span world_token(struct world *world, struct fb_span claims, int64_t expires_in_s)
{
    struct fb_span payload = fb_arena_format(&world->arena, "{\"iss\":\"%s\",\"aud\":\"%s\",\"exp\":%" PRId64 ",%.*s}",
                                             WORLD_ISSUER, WORLD_AUDIENCE, WORLD_NOW / 1000 + expires_in_s, (int)claims.len,
                                             claims.ptr);
    struct fb_buffer token;
    const char *error;
    fb_buffer_init(&token, &fb_heap, 65536);
    if (!fb_token_mint(world->key, payload, &token, &error))
        fail_msg("%s: %.*s", error, (int)payload.len, payload.ptr);
    struct fb_span copy = fb_arena_copy(&world->arena, fb_buffer_span(&token));
    fb_buffer_release(&token);
    return copy;
}

void exchange_init(struct exchange *exchange, struct world *world, struct fb_span line)
{
    (void)world;
    size_t space = fb_span_find(line, ' ');
    struct fb_span target = fb_span_from(line, space + 1);
    size_t query = fb_span_find(target, '?');
    *exchange = (struct exchange){
        .http = {.id = FB_SPAN("test"), .method = fb_span_head(line, space), .raw_target = target,
                 .path = fb_span_head(target, query), .query = fb_span_from(target, query + (query < target.len)),
                 .host = FB_SPAN("api.test"), .now_ms = WORLD_NOW,
                 .peer = {.family = 4, .prefix = 32, .address = {192, 0, 2, 1}}}};
    exchange->list = (struct fb_http_field_list){exchange->fields, 0};
    exchange->http.fields = fb_http_fields_of(&exchange->list);
}

void exchange_field(struct exchange *exchange, struct fb_span name, struct fb_span value)
{
    assert_true(exchange->list.count < 8);
    exchange->fields[exchange->list.count++] = (struct fb_http_field){name, value};
}
