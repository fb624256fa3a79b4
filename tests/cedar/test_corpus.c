/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <unistd.h>

/* The conformance data, where it is at hand: FB_SHARED is a folder with `cedar/probes` (the official
 * engine's answers) and `cedar/corpus-dev.tar.gz`; FB_CORPUS, if set, is a folder with that archive
 * unpacked.  Without the data the tests are skipped, and say so in the report. */

/* --- the corpus --- */

static struct {
    char folder[256];   /* empty: not at hand */
    bool unpacked;      /* by this test, which then takes it away */
} corpus;

static int find_corpus(void **state)
{
    (void)state;
    const char *given = getenv("FB_CORPUS"), *shared = getenv("FB_SHARED");
    char archive[512], command[1024];
    if (given != NULL) {
        snprintf(corpus.folder, sizeof corpus.folder, "%s", given);
        return 0;
    }
    snprintf(archive, sizeof archive, "%s/cedar/corpus-dev.tar.gz", shared != NULL ? shared : "");
    if (shared == NULL || access(archive, R_OK) != 0)
        return 0;
    snprintf(corpus.folder, sizeof corpus.folder, "/tmp/forbid-cedar-XXXXXX");
    if (mkdtemp(corpus.folder) == NULL)
        return -1;
    corpus.unpacked = true;
    snprintf(command, sizeof command, "tar -xzf '%s' -C '%s'", archive, corpus.folder);
    return system(command);
}

static int drop_corpus(void **state)
{
    (void)state;
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", corpus.folder);
    return corpus.unpacked ? system(command) : 0;
}

/* Reads, prints, reads again: the same policies. */
static bool policies_come_back(struct bench *bench, const struct fb_source *source)
{
    struct fb_policy_set set, again;
    fb_policy_set_init(&set, &bench->arena);
    fb_policy_set_init(&again, &bench->arena);
    if (!fb_policy_set_read(&set, source, &bench->diags))
        return false;
    fb_buffer_clear(&bench->out);
    for (size_t i = 0; i < set.count; i++)
        fb_policy_print(&bench->out, set.policies[i]);
    struct fb_span printed = fb_arena_copy(&bench->arena, fb_buffer_span(&bench->out));
    bool same = fb_policy_set_read(&again, source_of(bench, printed), &bench->diags) && again.count == set.count;
    for (size_t i = 0; same && i < set.count; i++)
        same = fb_policy_eq(set.policies[i], again.policies[i]);
    if (!same)
        print_error("%.*s\n", (int)printed.len, printed.ptr);
    return same;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

static void reads_the_corpus(void **state)
{
    (void)state;
    char folder[512], path[1024];
    if (corpus.folder[0] == 0) {
        print_message("# neither FB_CORPUS nor FB_SHARED leads to the corpus\n");
        skip();
    }
    snprintf(folder, sizeof folder, "%s/corpus-tests", corpus.folder);
    size_t policies = 0, schemas = 0, wrong = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (const struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        bool schema = ends_with(entry->d_name, ".cedarschema");
        if (!schema && !ends_with(entry->d_name, ".cedar"))
            continue;
        struct bench bench;
        struct fb_buffer text;
        bench_init(&bench, &fb_heap);
        fb_buffer_init(&text, &fb_heap, 1u << 24);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_int_equal(fb_buffer_read_file(&text, path), 0);
        struct fb_source source = {.name = fb_span_z(entry->d_name), .text = fb_buffer_span(&text)};
        bool good = schema ? fb_schema_read(&bench.arena, &source, &bench.diags) != NULL
                           : policies_come_back(&bench, &source);
        if (!good) {
            print_error("%s\n%s\n", entry->d_name, diags_text(&bench));
            wrong++;
        }
        policies += !schema;
        schemas += schema;
        fb_buffer_release(&text);
        bench_release(&bench);
    }
    closedir(open);
    print_message("# %zu policies, %zu schemas\n", policies, schemas);
    assert_int_equal(wrong, 0);
    assert_true(policies > 3000 && schemas > 3000);
}

/* --- the probes --- */

/* A line `TEXT   => ANSWER` of the answers; a text may hold newlines, so answers are looked for in
 * the whole file, line ends included, up to the first ` => `. */
struct answers {
    struct fb_span rest;
};

static bool next_answer(struct answers *answers, struct fb_span *text, struct fb_span *answer)
{
    const char *arrow = memmem(answers->rest.ptr, answers->rest.len, " => ", 4);
    if (arrow == NULL)
        return false;
    size_t before = (size_t)(arrow - answers->rest.ptr);
    *text = fb_span_head(answers->rest, before);
    while (text->len > 0 && text->ptr[text->len - 1] == ' ')
        text->len--;
    struct fb_span behind = fb_span_from(answers->rest, before + 4);
    *answer = fb_span_head(behind, fb_span_find(behind, '\n'));
    while (answer->len > 0 && answer->ptr[0] == ' ')
        *answer = fb_span_from(*answer, 1);
    answers->rest = fb_span_from(behind, fb_span_find(behind, '\n') + 1);
    return true;
}

/* The part of the file between two marks (NULL: its start or end). */
static struct fb_span part_of(struct fb_span file, const char *from, const char *to)
{
    if (from != NULL) {
        const char *at = memmem(file.ptr, file.len, from, strlen(from));
        assert_non_null(at);
        file = fb_span_from(file, (size_t)(at - file.ptr) + strlen(from));
    }
    const char *end = to != NULL ? memmem(file.ptr, file.len, to, strlen(to)) : NULL;
    return end != NULL ? fb_span_head(file, (size_t)(end - file.ptr)) : file;
}

static bool read_probes(struct fb_buffer *file, const char *name)
{
    char path[512];
    const char *shared = getenv("FB_SHARED");
    snprintf(path, sizeof path, "%s/cedar/probes/%s", shared != NULL ? shared : "", name);
    fb_buffer_init(file, &fb_heap, 1u << 24);
    return shared != NULL && fb_buffer_read_file(file, path) == 0;
}

static bool takes_policies(struct bench *bench, struct fb_span text)
{
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    return fb_policy_set_read(&set, source_of(bench, text), &bench->diags);
}

static bool takes_condition(struct bench *bench, struct fb_span text)
{
    char *inner = fb_arena_text(&bench->arena, text);
    return takes_policies(bench, repeated(bench, "permit(principal,action,resource) when { ", inner, 1, " };"));
}

static bool takes_schema(struct bench *bench, struct fb_span text)
{
    return fb_schema_read(&bench->arena, source_of(bench, text), &bench->diags) != NULL;
}

/* Every text of the part against `reads`; refused when the answer starts with `fault`, but for what a
 * template is blamed for in a set of static policies.  Returns how many were checked. */
static size_t check_part(struct fb_span part, const char *fault, bool json,
                         bool (*reads)(struct bench *, struct fb_span))
{
    struct answers answers = {part};
    struct fb_span text, answer;
    size_t checked = 0, wrong = 0;
    while (next_answer(&answers, &text, &answer)) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        if (json) {
            struct fb_json reader;
            fb_json_init(&reader, text, &bench.arena, FB_JSON_LIMITS);
            assert_int_equal(fb_json_next(&reader), FB_JSON_STRING);
            text = reader.string;
        }
        bool refused =
            fb_span_starts(answer, fb_span_z(fault)) && !fb_span_starts(answer, FB_SPAN("FAIL static policy set"));
        if (reads(&bench, text) == refused) {
            print_error("%.*s\n%.*s\n%s\n", (int)text.len, text.ptr, (int)answer.len, answer.ptr, diags_text(&bench));
            wrong++;
        }
        checked++;
        bench_release(&bench);
    }
    assert_int_equal(wrong, 0);
    return checked;
}

static void answers_as_the_official_engine(void **state)
{
    (void)state;
    struct fb_buffer first, second;
    if (!read_probes(&first, "probe_expected_wasm413.txt") || !read_probes(&second, "probe2_expected_wasm413.txt"))
        skip();
    struct fb_span file = fb_buffer_span(&first), other = fb_buffer_span(&second);
    size_t expressions = check_part(part_of(file, NULL, "--- policies\n"), "PARSE/FAIL", false, takes_condition);
    size_t policies = check_part(part_of(file, "--- policies\n", "\n[{"), "FAIL", false, takes_policies);
    size_t schemas = check_part(part_of(other, "--- schemas (text)\n", "--- validate"), "FAIL", true, takes_schema);
    print_message("# %zu expressions, %zu policies, %zu schemas\n", expressions, policies, schemas);
    assert_true(expressions > 150 && policies >= 30 && schemas > 60);
    fb_buffer_release(&first);
    fb_buffer_release(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_corpus),
                                       cmocka_unit_test(answers_as_the_official_engine)};
    return cmocka_run_group_tests(tests, find_corpus, drop_corpus);
}
