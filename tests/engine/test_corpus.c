/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance corpus: each of its requests must get the official engine's decision, reasons and
 * errors.  With each request the oracle is asked too, and the guess for unknowns must hold what came.
 *
 * $FB_CORPUS is a directory that holds it unpacked, or else $FB_SHARED/cedar/corpus-dev.tar.gz is
 * unpacked for the time of the test; where neither is, the test is skipped.  No request of it is: data
 * with implicit __entity and __extn forms is read by the schema's types. */

#include "oracle.h"

#include "testing.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct corpus {
    char root[512];
    bool unpacked;              /* root is ours to remove */
    struct fb_arena arena;      /* of the test at hand */
    size_t tests, requests, allows, errors, bad, guesses;
} corpus;

/* One test of the corpus. */
struct corpus_case {
    const char *name;
    struct fb_policy_set set;
    struct fb_program *program;
    const struct fb_schema *schema;
    struct fb_entities entities;
    struct fb_diags diags;
};

/* What a request of the corpus says; spans are JSON text or strings. */
struct corpus_request {
    const struct fb_uid *principal, *action, *resource;
    struct fb_span context;
    bool allow;
    struct fb_span reasons[64], errors[64];
    size_t reasons_count, errors_count;
};

/* --- Reading --------------------------------------------------------------------------------------- */

static struct fb_source *read_source(struct fb_span path)
{
    char full[1100];
    struct fb_buffer bytes;
    (void)snprintf(full, sizeof full, "%s/%.*s", corpus.root, (int)path.len, path.ptr);
    fb_buffer_init(&bytes, &fb_heap, 1 << 26);
    assert_int_equal(fb_buffer_read_file(&bytes, full), 0);
    struct fb_source *source = fb_arena_alloc(&corpus.arena, sizeof *source);
    *source = (struct fb_source){path, fb_arena_copy(&corpus.arena, fb_buffer_span(&bytes))};
    fb_buffer_release(&bytes);
    return source;
}

static bool fault(const struct corpus_case *c, const char *what)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    fb_diags_print(&out, &c->diags, false);
    print_error("%s: %s\n%.*s\n", c->name, what, (int)out.len, out.ptr);
    fb_buffer_release(&out);
    corpus.bad++;
    return false;
}

static bool holds(const struct fb_entity_set *set, const struct fb_uid *uid)
{
    struct fb_entity entity;
    for (size_t i = 0; i < fb_entity_set_count(set); i++) {
        fb_entity_set_at(set, i, &entity);
        if (fb_uid_eq(entity.uid, uid))
            return true;
    }
    return false;
}

/* Those of the schema's actions that the data leaves out.  What it has, it has with all their ancestors
 * as parents, which is another way to say the same. */
static bool add_actions(const struct fb_schema *schema, struct fb_entity_set *set)
{
    struct fb_value empty;
    bool good = fb_value_record(&corpus.arena, NULL, 0, &empty);
    for (uint32_t i = 0; i < schema->actions_count && good; i++) {
        const struct fb_schema_action *action = schema->actions[i];
        struct fb_entity_parts parts = {.uid = action->uid, .attrs = empty, .tags = empty, .parents = action->parents,
                                        .parents_count = action->parents_count};
        good = holds(set, action->uid) || fb_entity_set_add(set, &parts);
    }
    return good;
}

static bool load_entities(struct corpus_case *c, struct fb_span path)
{
    struct fb_value_hints hints = fb_schema_hints(c->schema);
    struct fb_entity_set *set = fb_entity_set_new(&corpus.arena);
    if (!fb_entity_set_read_json(set, read_source(path), &hints, &c->diags)
        || !add_actions(c->schema, set) || !fb_entity_set_close(set, &c->diags))
        return fault(c, "entities");
    c->entities = fb_entity_set_source(set);
    return true;
}

static bool load(struct corpus_case *c, struct fb_span policies, struct fb_span schema, struct fb_span entities)
{
    fb_diags_init(&c->diags, &corpus.arena);
    fb_policy_set_init(&c->set, &corpus.arena);
    if (!fb_policy_set_read(&c->set, read_source(policies), &c->diags))
        return fault(c, "policies");
    c->program = fb_program_new(&corpus.arena, &c->set, &c->diags);
    c->schema = fb_schema_read(&corpus.arena, read_source(schema), &c->diags);
    if (c->program == NULL || c->schema == NULL)
        return fault(c, "program or schema");
    return load_entities(c, entities);
}

static void read_ids(struct fb_json *json, struct fb_span *ids, size_t *count)
{
    while (fb_json_next(json) == FB_JSON_STRING) {
        assert_true(*count < 64);
        ids[(*count)++] = json->string;
    }
}

/* After the start of its object. */
static void read_request(struct fb_json *json, struct corpus_request *request)
{
    memset(request, 0, sizeof *request);
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        (void)fb_json_next(json);
        size_t start = json->range.start;
        if (fb_span_is(key, "principal"))
            request->principal = fb_uid_read_json(json, &corpus.arena);
        else if (fb_span_is(key, "action"))
            request->action = fb_uid_read_json(json, &corpus.arena);
        else if (fb_span_is(key, "resource"))
            request->resource = fb_uid_read_json(json, &corpus.arena);
        else if (fb_span_is(key, "decision"))
            request->allow = fb_span_is(json->string, "allow");
        else if (fb_span_is(key, "reason"))
            read_ids(json, request->reasons, &request->reasons_count);
        else if (fb_span_is(key, "errors"))
            read_ids(json, request->errors, &request->errors_count);
        else
            assert_true(fb_json_skip(json));
        if (fb_span_is(key, "context"))
            request->context = fb_span_head(fb_span_from(json->text, start), json->range.end - start);
    }
    assert_null(json->error);
    assert_true(request->principal != NULL && request->action != NULL && request->resource != NULL);
}

/* By the action's context type. */
static bool read_context(const struct corpus_case *c, const struct corpus_request *request, struct fb_value *context)
{
    const struct fb_schema_action *action = fb_schema_action(c->schema, request->action);
    struct fb_value_hints hints = fb_schema_hints(c->schema);
    struct fb_type_hint hint = fb_schema_hint_of(action != NULL ? action->context : NULL);
    struct fb_json json;
    fb_json_init(&json, request->context, &corpus.arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    return fb_value_read_json(&json, &corpus.arena, &hints, hint, context) && context->kind == FB_RECORD;
}

/* --- Comparing ------------------------------------------------------------------------------------- */

static bool has_id(const struct fb_span *ids, size_t count, struct fb_span id)
{
    for (size_t i = 0; i < count; i++)
        if (fb_span_eq(ids[i], id))
            return true;
    return false;
}

static bool same_answer(const struct corpus_case *c, const struct corpus_request *expected,
                        const struct fb_decision *d)
{
    bool forbidden = d->forbids_count != 0;
    const uint32_t *reasons = forbidden ? d->forbids : d->permits;
    uint32_t count = forbidden ? d->forbids_count : d->permits_count;
    if (d->allow != expected->allow || count != expected->reasons_count || d->errors_count != expected->errors_count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!has_id(expected->reasons, expected->reasons_count, fb_program_id(c->program, reasons[i])))
            return false;
    for (uint32_t i = 0; i < d->errors_count; i++)
        if (!has_id(expected->errors, expected->errors_count, fb_program_id(c->program, d->errors[i].policy)))
            return false;
    return true;
}

static uint8_t outcome_of(const struct fb_decision *d, uint32_t rule)
{
    for (uint32_t i = 0; i < d->permits_count; i++)
        if (d->permits[i] == rule)
            return FB_CAN_TRUE;
    for (uint32_t i = 0; i < d->forbids_count; i++)
        if (d->forbids[i] == rule)
            return FB_CAN_TRUE;
    for (uint32_t i = 0; i < d->errors_count; i++)
        if (d->errors[i].policy == rule)
            return FB_CAN_ERR;
    return FB_CAN_FALSE;
}

static bool oracle_agrees(const struct corpus_case *c, const struct fb_request *request, const struct fb_decision *d)
{
    struct oracle oracle = {request, &corpus.arena};
    for (uint32_t i = 0; i < fb_program_count(c->program); i++) {
        char says = oracle_policy(&oracle, fb_program_policy(c->program, i), NULL);
        if (outcome_of(d, i) != (says == 'T' ? FB_CAN_TRUE : says == 'F' ? FB_CAN_FALSE : FB_CAN_ERR))
            return false;
    }
    return true;
}

/* What is so must be among what could be, whatever is taken to be unknown. */
static bool guesses_hold(const struct corpus_case *c, const struct fb_request *request, const struct fb_decision *d)
{
    struct fb_span names[64];
    struct fb_unknowns unknowns = {.context = names};
    uint64_t fields = request->context.record->count;
    for (uint64_t i = 0; i < fields && i < 64; i++)
        names[i] = fb_value_text(fb_cell_load(fb_record_names(request->context.record) + i));
    for (unsigned choice = 0; choice < 8; choice++) {
        const uint8_t *outcomes;
        unknowns.principal = (choice & 1) != 0;
        unknowns.resource = (choice & 2) != 0;
        unknowns.context_count = (choice & 4) != 0 ? (uint32_t)(fields < 64 ? fields : 64) : 0;
        assert_int_equal(fb_outcomes(c->program, request, &unknowns, &corpus.arena, &outcomes), FB_OK);
        for (uint32_t i = 0; i < fb_program_count(c->program); i++) {
            uint8_t is = outcome_of(d, i);
            if ((outcomes[i] & is) == 0 || (choice == 0 && outcomes[i] != is))
                return false;
            corpus.guesses++;
        }
    }
    return true;
}

static bool complain(const struct corpus_case *c, size_t number, const char *what)
{
    corpus.bad++;
    if (corpus.bad < 30)
        print_error("%s, request %zu: %s\n", c->name, number, what);
    return false;
}

static bool run_request(struct corpus_case *c, const struct corpus_request *expected, size_t number)
{
    struct fb_request request = {.principal = expected->principal, .action = expected->action,
                                 .resource = expected->resource, .entities = &c->entities};
    struct fb_decision d;
    corpus.requests++;
    corpus.allows += expected->allow;
    corpus.errors += expected->errors_count != 0;
    if (!read_context(c, expected, &request.context))
        return complain(c, number, "the context cannot be read");
    if (fb_decide(c->program, &request, &corpus.arena, &d) != FB_OK)
        return complain(c, number, "cannot decide");
    if (!same_answer(c, expected, &d))
        return complain(c, number, "another answer than the corpus");
    if (!oracle_agrees(c, &request, &d))
        return complain(c, number, "another answer than the oracle");
    return guesses_hold(c, &request, &d) || complain(c, number, "an outcome beyond the guess for unknowns");
}

static void run_file(const char *path)
{
    struct fb_json json;
    struct fb_span policies = {0}, schema = {0}, entities = {0};
    struct corpus_case c = {.name = path};
    struct fb_source *source = read_source(fb_span_z(path));
    fb_json_init(&json, source->text, &corpus.arena, FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_OBJECT);
    corpus.tests++;
    bool loaded = true;
    while (fb_json_next(&json) == FB_JSON_KEY) {
        struct fb_span key = json.string;
        enum fb_json_event event = fb_json_next(&json);
        if (fb_span_is(key, "policies"))
            policies = json.string;
        else if (fb_span_is(key, "schema"))
            schema = json.string;
        else if (fb_span_is(key, "entities"))
            entities = json.string;
        if (!fb_span_is(key, "requests")) {
            assert_true(fb_json_skip(&json));
            continue;
        }
        assert_int_equal(event, FB_JSON_ARRAY);
        loaded = load(&c, policies, schema, entities);
        for (size_t i = 0; fb_json_next(&json) == FB_JSON_OBJECT; i++) {
            struct corpus_request request;
            read_request(&json, &request);
            if (loaded)
                run_request(&c, &request, i);
        }
    }
    assert_null(json.error);
    fb_arena_clear(&corpus.arena);
}

/* --- Finding the tests ------------------------------------------------------------------------------- */

static bool is_test(const char *name)
{
    struct fb_span span = fb_span_z(name);
    static const char entities[] = ".entities.json", json[] = ".json";
    return span.len >= sizeof json && fb_span_is(fb_span_from(span, span.len - (sizeof json - 1)), json)
           && !(span.len >= sizeof entities
                && fb_span_is(fb_span_from(span, span.len - (sizeof entities - 1)), entities));
}

/* Runs the tests below a directory of the corpus. */
static void run_directory(const char *relative)
{
    char path[2048];
    (void)snprintf(path, sizeof path, "%s/%s", corpus.root, relative);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", relative, entry->d_name);
        if (entry->d_type == DT_DIR)
            run_directory(path);
        else if (is_test(entry->d_name))
            run_file(path);
    }
    (void)closedir(directory);
}

static void report(const char *what)
{
    print_message("%s: %zu tests, %zu requests (%zu allow, %zu with errors), %zu guesses for unknowns\n",
                  what, corpus.tests, corpus.requests, corpus.allows, corpus.errors, corpus.guesses);
    assert_true(corpus.requests > 0);
    assert_int_equal(corpus.bad, 0);
    corpus.tests = corpus.requests = corpus.allows = corpus.errors = corpus.guesses = 0;
}

static void run_part(const char *part)
{
    if (corpus.root[0] == '\0') {
        print_message("the corpus is not here: neither FB_CORPUS nor FB_SHARED leads to it\n");
        skip();
    }
    run_directory(part);
    report(part);
}

static void handwritten(void **state)
{
    (void)state;
    run_part("tests");
}

static void generated(void **state)
{
    (void)state;
    run_part("corpus-tests");
}

static int set_up(void **state)
{
    (void)state;
    const char *directory = getenv("FB_CORPUS"), *shared = getenv("FB_SHARED");
    char archive[512], command[2048];
    fb_arena_init(&corpus.arena, &fb_heap, (size_t)1 << 30);
    if (directory != NULL) {
        (void)snprintf(corpus.root, sizeof corpus.root, "%s", directory);
        return 0;
    }
    if (shared == NULL)
        return 0;
    (void)snprintf(archive, sizeof archive, "%s/cedar/corpus-dev.tar.gz", shared);
    if (access(archive, R_OK) != 0)
        return 0;
    (void)snprintf(corpus.root, sizeof corpus.root, "/tmp/forbid-corpus-XXXXXX");
    if (mkdtemp(corpus.root) == NULL)
        return -1;
    corpus.unpacked = true;
    (void)snprintf(command, sizeof command, "tar -xzf '%s' -C '%s'", archive, corpus.root);
    return system(command) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[1024];
    fb_arena_release(&corpus.arena);
    if (!corpus.unpacked)
        return 0;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", corpus.root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(handwritten), cmocka_unit_test(generated)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
