/* SPDX-License-Identifier: Apache-2.0 */
/* The files of `forbid test`: DIR/tests/ and what each says for all its tests.  A test's own parts are read by
 * test_request.c and test_expect.c. */
#include "cli/test_reader.h"

#include "cli/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define JSON_BYTES_MAX (8 * FILE_BYTES_MAX)  /* of one that was YAML: quotes, escapes */
#define TESTS_CEILING ((size_t)1 << 30)

/* --- Objects by tables -------------------------------------------------------------------------- */

struct fb_diag *fb_test_fault(struct fb_test_reader *r, const char *code, struct fb_range range, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fb_diag_add(&r->tests->diags, FB_ERROR, code, r->file->source, range, "%s", text);
}

bool fb_test_wrong(struct fb_test_reader *r, const char *should)
{
    bool open = r->json.event == FB_JSON_OBJECT || r->json.event == FB_JSON_ARRAY;
    if (r->json.event == FB_JSON_ERROR)
        return false;
    fb_test_fault(r, "test.shape", r->json.range, "this should be %s", should);
    return !open || fb_json_skip(&r->json);
}

static void unknown(struct fb_test_reader *r, const char *what, const struct fb_test_member *members, size_t count)
{
    struct fb_span names[32], list = fb_span_z(members[0].name);
    for (size_t i = 0; i < count && i < 32; i++) {
        names[i] = fb_span_z(members[i].name);
        if (i != 0)
            list = fb_arena_format(&r->tests->arena, "%.*s, %s", (int)list.len, list.ptr, members[i].name);
    }
    struct fb_span near = fb_did_you_mean(r->json.string, names, count < 32 ? count : 32);
    fb_test_fault(r, "test.member", r->json.range, "%s has no member of this name", what)->hint =
        near.len != 0 ? fb_arena_format(&r->tests->arena, "did you mean \"%.*s\"?", (int)near.len, near.ptr)
                      : fb_arena_format(&r->tests->arena, "it has %.*s", (int)list.len, list.ptr);
}

bool fb_test_object(struct fb_test_reader *r, const char *what, const struct fb_test_member *members, size_t count,
                    void *into)
{
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        size_t i = 0;
        while (i < count && !fb_span_is(r->json.string, members[i].name))
            i++;
        if (i == count)
            unknown(r, what, members, count);
        if (i < count ? !members[i].read(r, into) : !fb_json_skip(&r->json))
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

bool fb_test_text(struct fb_test_reader *r, struct fb_span *text, const char *should)
{
    *text = FB_SPAN("");
    if (fb_json_next(&r->json) != FB_JSON_STRING)
        return fb_test_wrong(r, should);
    *text = r->json.string;
    return true;
}

bool fb_test_truth(struct fb_test_reader *r, bool *truth)
{
    enum fb_json_event event = fb_json_next(&r->json);
    if (event != FB_JSON_TRUE && event != FB_JSON_FALSE)
        return fb_test_wrong(r, "true or false");
    *truth = event == FB_JSON_TRUE;
    return true;
}

bool fb_test_texts(struct fb_test_reader *r, struct fb_span *list, size_t max, size_t *count, const char *should)
{
    enum fb_json_event event = fb_json_next(&r->json);
    if (event == FB_JSON_STRING) {
        list[(*count)++] = r->json.string;
        return true;
    }
    if (event != FB_JSON_ARRAY)
        return fb_test_wrong(r, should);
    const uint32_t start = r->json.range.start;
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END) {
        if (r->json.event == FB_JSON_STRING && *count < max)
            list[(*count)++] = r->json.string;
        else if (r->json.event == FB_JSON_STRING)
            fb_test_fault(r, "test.shape", r->json.range, "more than %zu", max);
        else if (!fb_test_wrong(r, should))
            return false;
    }
    r->json.range.start = start; /* of what is said of it: the whole list */
    return true;
}

const struct fb_uid *fb_test_uid(struct fb_test_reader *r)
{
    const struct fb_uid *uid = fb_uid_parse(&r->tests->arena, r->json.string);
    if (uid == NULL)
        fb_test_fault(r, "test.uid", r->json.range, "this is no entity uid")->hint =
            FB_SPAN("one is written as \"User::\\\"alice\\\"\"");
    return uid;
}

/* --- What is given ------------------------------------------------------------------------------- */

bool fb_test_read_time(struct fb_test_reader *r, void *into)
{
    struct fb_test_given *given = into;
    struct fb_span text;
    if (!fb_test_text(r, &text, "a time like \"2026-12-24T18:00:00Z\""))
        return false;
    const char *fault = text.len != 0 ? fb_datetime_parse(text, &given->time_ms) : NULL;
    if (fault != NULL)
        fb_test_fault(r, "test.time", r->json.range, "this is no time like 2026-12-24T18:00:00Z: %s", fault);
    given->has_time = true;
    return true;
}

static bool read_level(struct fb_test_reader *r, enum fb_level *level, bool *has)
{
    struct fb_span text;
    if (!fb_test_text(r, &text, "\"none\", \"reason\", \"detail\" or \"policy\""))
        return false;
    *has = true;
    return text.len == 0 || fb_level_parse(text, level)
           || fb_test_wrong(r, "\"none\", \"reason\", \"detail\" or \"policy\"");
}

bool fb_test_read_disclose(struct fb_test_reader *r, void *into)
{
    struct fb_test_given *given = into;
    return read_level(r, &given->disclose, &given->has_disclose);
}

bool fb_test_read_disclose_anonymous(struct fb_test_reader *r, void *into)
{
    struct fb_test_given *given = into;
    return read_level(r, &given->disclose_anonymous, &given->has_disclose_anonymous);
}

static bool read_state(struct fb_test_reader *r, struct fb_test_given *given, const struct fb_uid *uid)
{
    struct fb_span text;
    unsigned state = 0;
    const char *should = "\"active\", \"suspended\", \"disabled\" or \"deleted\"";
    if (!fb_test_text(r, &text, should))
        return false;
    while (state < FB_ACCOUNT_STATES && !fb_span_is(text, fb_account_state_names[state]))
        state++;
    if (state == FB_ACCOUNT_STATES)
        return text.len == 0 || fb_test_wrong(r, should);
    struct fb_test_account *grown = fb_arena_grow(&r->tests->arena, given->accounts, given->accounts_count,
                                                  &given->accounts_capacity, sizeof *grown);
    if (grown == NULL)
        return true;
    given->accounts = grown;
    if (uid != NULL)
        grown[given->accounts_count++] = (struct fb_test_account){uid, (enum fb_account_state)state};
    return true;
}

bool fb_test_read_accounts(struct fb_test_reader *r, void *into)
{
    struct fb_test_given *given = into;
    given->stores = true;
    if (fb_json_next(&r->json) != FB_JSON_OBJECT)
        return fb_test_wrong(r, "an object of account states: { \"User::\\\"alice\\\"\": \"suspended\" }");
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!read_state(r, given, fb_test_uid(r)))
            return false;
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool out_of_memory(struct fb_tests *tests)
{
    fb_diag_add(&tests->diags, FB_ERROR, "test.memory", NULL, (struct fb_range){0, 0}, "out of memory");
    return false;
}

/* --- Tests --------------------------------------------------------------------------------------- */

static bool read_name(struct fb_test_reader *r, void *into)
{
    return fb_test_text(r, &((struct fb_test *)into)->name, "the test's name, a string");
}

static const struct fb_test_member test_members[] = {
    {"name", read_name}, {"request", fb_test_read_request}, {"as", fb_test_read_as},
    {"expect", fb_test_read_expect}, {"time", fb_test_read_time}, {"entities", fb_test_read_entities},
    {"accounts", fb_test_read_accounts}, {"disclose", fb_test_read_disclose},
    {"disclose_anonymous", fb_test_read_disclose_anonymous},
};

static bool read_test(struct fb_test_reader *r)
{
    struct fb_test_file *file = r->file;
    struct fb_test *grown = fb_arena_grow(&r->tests->arena, file->tests, file->count, &file->capacity, sizeof *grown);
    if (grown == NULL)
        return out_of_memory(r->tests);
    file->tests = grown;
    struct fb_test *test = &grown[file->count++];
    *test = (struct fb_test){.range = r->json.range};
    if (!fb_test_object(r, "a test", test_members, sizeof test_members / sizeof test_members[0], test))
        return false;
    if (!test->has_request)
        fb_test_fault(r, "test.request", test->range, "this test has no request")->hint =
            FB_SPAN("\"request\": \"GET /users/1\"");
    if (!test->has_expect)
        fb_test_fault(r, "test.expect", test->range, "this test expects nothing")->hint =
            FB_SPAN("\"expect\": { \"status\": 403 }, or \"forward\"");
    if (test->name.len == 0)
        test->name = fb_arena_format(&r->tests->arena, "%.*s %.*s", (int)test->http.method.len, test->http.method.ptr,
                                     (int)test->http.raw_target.len, test->http.raw_target.ptr);
    return true;
}

static bool read_tests(struct fb_test_reader *r, void *into)
{
    (void)into;
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return fb_test_wrong(r, "a list of tests");
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END) {
        if (r->json.event == FB_JSON_OBJECT ? !read_test(r) : !fb_test_wrong(r, "a test, an object"))
            return false;
    }
    return true;
}

static const struct fb_test_member file_members[] = {
    {"tests", read_tests}, {"time", fb_test_read_time}, {"entities", fb_test_read_entities},
    {"accounts", fb_test_read_accounts}, {"disclose", fb_test_read_disclose},
    {"disclose_anonymous", fb_test_read_disclose_anonymous}, {"issuer", fb_test_read_issuer},
    {"unmatched", fb_test_read_unmatched}, {"cors", fb_test_read_cors},
    {"resource", fb_test_read_resource},
};

const struct fb_source *fb_test_source(struct fb_tests *tests, struct fb_span path, size_t limit, int *error)
{
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, &fb_heap, limit);
    struct fb_source *source = fb_arena_alloc(&tests->arena, sizeof *source);
    const char *name = fb_arena_text(&tests->arena, path);
    *error = source == NULL || name == NULL ? ENOMEM : fb_buffer_read_file(&buffer, name);
    if (*error == 0)
        *source = (struct fb_source){.name = fb_span_z(name),
                                     .text = fb_arena_copy(&tests->arena, fb_buffer_span(&buffer))};
    if (*error == 0 && tests->arena.failed)
        *error = ENOMEM;
    fb_buffer_release(&buffer);
    return *error == 0 ? source : NULL;
}

/* The places that tests keep, for what is said of them when they run. */
static void place_tests(const struct fb_yaml *yaml, struct fb_test_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        struct fb_test *test = &file->tests[i];
        test->range = fb_yaml_range(yaml, test->range);
        for (size_t k = 0; k < test->expects_count; k++)
            test->expects[k].range = fb_yaml_range(yaml, test->expects[k].range);
    }
}

/* The file's text, JSON at file->source. */
static bool read_text(struct fb_tests *tests, struct fb_test_file *file)
{
    struct fb_test_reader r = {.tests = tests, .file = file};
    fb_json_init(&r.json, file->source->text, &tests->arena,
                 (struct fb_json_limits){.depth = FB_VALUE_JSON_DEPTH + 8, .bytes = JSON_BYTES_MAX, .keys = 65536});
    bool whole = true;
    if (fb_json_next(&r.json) == FB_JSON_OBJECT)
        whole = fb_test_object(&r, "a file of tests", file_members, sizeof file_members / sizeof file_members[0], file);
    else
        whole = fb_test_wrong(&r, "a file of tests, an object with a list of \"tests\"");
    if (!whole && r.json.error == NULL)
        return out_of_memory(tests);
    if (!whole || fb_json_next(&r.json) != FB_JSON_END)
        fb_json_report(&r.json, file->source, &tests->diags);
    return true;
}

static bool read_file(struct fb_tests *tests, struct fb_span path)
{
    int error;
    const struct fb_source *source = fb_test_source(tests, path, FILE_BYTES_MAX, &error);
    if (source == NULL) {
        fb_diag_add(&tests->diags, FB_ERROR, "test.unreadable", NULL, (struct fb_range){0, 0}, "%.*s: %s",
                    (int)path.len, path.ptr, strerror(error));
        return false;
    }
    const size_t before = tests->diags.count;
    const struct fb_yaml *yaml = fb_yaml_is(path) ? fb_yaml_read(&tests->arena, source, &tests->diags) : NULL;
    if (yaml == NULL && fb_yaml_is(path))
        return false;
    struct fb_test_file *file = fb_arena_alloc(&tests->arena, sizeof *file);
    struct fb_test_file **grown = fb_arena_grow(&tests->arena, tests->files, tests->count, &tests->capacity,
                                                sizeof *grown);
    if (file == NULL || grown == NULL)
        return out_of_memory(tests);
    tests->files = grown;
    tests->files[tests->count++] = file;
    file->source = yaml != NULL ? &yaml->json : source;
    bool fine = read_text(tests, file);
    if (yaml != NULL) { /* from here on, the text as it was written */
        file->source = source;
        fb_yaml_place(yaml, &tests->diags, before);
        place_tests(yaml, file);
    }
    tests->total += file->count;
    return fine;
}

static int is_test_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.'
           && ((len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) || fb_yaml_is(fb_span_z(entry->d_name)));
}

bool fb_tests_read(struct fb_tests *tests, const char *dir, const struct fb_schema *schema)
{
    *tests = (struct fb_tests){.schema = schema};
    fb_arena_init(&tests->arena, &fb_heap, TESTS_CEILING);
    fb_diags_init(&tests->diags, &tests->arena);
    struct dirent **list;
    const char *path = fb_arena_text(&tests->arena, fb_arena_format(&tests->arena, "%s/tests", dir));
    int count = path != NULL ? scandir(path, &list, is_test_file, alphasort) : -1;
    if (count < 0 && (path == NULL || errno != ENOENT)) {
        fb_diag_add(&tests->diags, FB_ERROR, "test.unreadable", NULL, (struct fb_range){0, 0}, "%s/tests: %s", dir,
                    strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        read_file(tests, fb_arena_format(&tests->arena, "%s/%s", path, list[i]->d_name));
        free(list[i]);
    }
    if (count >= 0)
        free(list);
    if (tests->arena.failed)
        return out_of_memory(tests);
    if (tests->total == 0 && tests->diags.errors == 0)
        fb_diag_add(&tests->diags, FB_ERROR, "test.none", NULL, (struct fb_range){0, 0}, "%s/tests: no tests in *.json, *.yaml", dir)
            ->hint = FB_SPAN("docs/testing.md says what they are; `forbid init` writes one to begin with");
    return tests->diags.errors == 0;
}

void fb_tests_release(struct fb_tests *tests)
{
    fb_arena_release(&tests->arena);
}
