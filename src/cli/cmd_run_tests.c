/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid run-tests`: requests decided, and held against what a file of tests expects of them. */
#include "cli/inputs.h"

#define TESTS_BYTES_MAX ((size_t)256 << 20)

static const char help[] =
    "Decides the requests of a file and compares with what it expects:\n"
    "\n"
    "  forbid run-tests -p policies.cedar --tests tests.json\n"
    "\n"
    "The file is an array of\n"
    "  { \"name\": \"…\", \"request\": { \"principal\": \"User::\\\"alice\\\"\", \"action\": …, \"resource\": …,\n"
    "    \"context\": {} }, \"entities\": [ … ] or \"entities.json\", \"decision\": \"allow\" or \"deny\",\n"
    "    \"reason\": [\"policy0\"], \"num_errors\": 0 }\n"
    "A test passes if the decision is the one expected, each reason is among those that decided, and that\n"
    "many policies could not be evaluated.  A file of entities is looked for beside the file of tests.\n"
    "\n"
    "Exit status: 0 all pass, 1 failed, or one does not pass.\n";

struct runner {
    struct fb_cli *cli;
    struct fb_inputs *inputs;           /* policies and schema */
    const struct fb_program *program;
    const struct fb_source *source;     /* of the tests */
    const char *path;
    struct fb_json json;
    size_t count, failed;
};

/* A test as it stands; parts of the source's text are read when it runs. */
struct test {
    struct fb_span name, request, entities, entities_file, decision;
    struct fb_span *reasons;
    size_t reasons_count, reasons_capacity;
    int64_t errors;
    bool has_errors, has_reasons;
};

/* --- reading ------------------------------------------------------------------------------------------- */

static bool shape(struct runner *r, const char *what)
{
    if (r->json.error == NULL)
        fb_json_fail(&r->json, "tests.shape", what);
    return false;
}

/* The text of the value that comes next. */
static bool read_part(struct runner *r, struct fb_span *part)
{
    fb_json_next(&r->json);
    uint32_t start = r->json.range.start;
    if (!fb_json_skip(&r->json))
        return false;
    *part = fb_span(r->source->text.ptr + start, r->json.at - start);
    return true;
}

static bool read_string(struct runner *r, struct fb_span *text, const char *what)
{
    if (fb_json_next(&r->json) != FB_JSON_STRING)
        return shape(r, what);
    *text = r->json.string;
    return true;
}

static bool read_reasons(struct runner *r, struct test *test)
{
    test->has_reasons = true;
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return shape(r, "reason is an array of policy ids");
    while (fb_json_next(&r->json) == FB_JSON_STRING) {
        test->reasons = fb_arena_grow(&r->inputs->arena, test->reasons, test->reasons_count,
                                      &test->reasons_capacity, sizeof *test->reasons);
        if (test->reasons == NULL)
            return shape(r, "out of memory");
        test->reasons[test->reasons_count++] = r->json.string;
    }
    return r->json.event == FB_JSON_ARRAY_END || shape(r, "reason is an array of policy ids");
}

static bool read_entities(struct runner *r, struct test *test)
{
    if (!read_part(r, &test->entities))
        return false;
    if (r->json.event == FB_JSON_STRING) {
        test->entities_file = r->json.string;
        test->entities = FB_SPAN("");
    }
    return true;
}

static bool read_member(struct runner *r, struct test *test)
{
    struct fb_span key = r->json.string;
    if (fb_span_is(key, "name"))
        return read_string(r, &test->name, "name is a string");
    if (fb_span_is(key, "request"))
        return read_part(r, &test->request);
    if (fb_span_is(key, "entities"))
        return read_entities(r, test);
    if (fb_span_is(key, "decision"))
        return read_string(r, &test->decision, "decision is \"allow\" or \"deny\"");
    if (fb_span_is(key, "reason"))
        return read_reasons(r, test);
    if (!fb_span_is(key, "num_errors"))
        return fb_json_skip(&r->json);
    test->has_errors = true;
    if (fb_json_next(&r->json) != FB_JSON_INTEGER)
        return shape(r, "num_errors is a whole number");
    test->errors = r->json.integer;
    return true;
}

static bool read_test(struct runner *r, struct test *test)
{
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!read_member(r, test))
            return false;
    if (r->json.event != FB_JSON_OBJECT_END)
        return false;
    bool entities = test->entities.len != 0 || test->entities_file.len != 0;
    if (test->request.len == 0 || !entities || test->decision.len == 0 || !test->has_reasons || !test->has_errors)
        return shape(r, "a test has a request, entities, a decision, a reason and num_errors");
    return fb_span_is(test->decision, "allow") || fb_span_is(test->decision, "deny")
           || shape(r, "decision is \"allow\" or \"deny\"");
}

/* --- running ------------------------------------------------------------------------------------------- */

static const struct fb_source *part_of(struct runner *r, struct fb_inputs *each, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(&each->arena, sizeof *source);
    if (source != NULL)
        *source = (struct fb_source){.name = r->source->name, .text = text};
    return source;
}

/* The file of that name beside the tests; it may not lead elsewhere. */
static const struct fb_source *entities_file(struct runner *r, struct fb_inputs *each, struct fb_span name)
{
    struct fb_span dir = fb_span_z(r->path);
    while (dir.len != 0 && dir.ptr[dir.len - 1] != '/')
        dir.len--;
    bool outside = fb_span_starts(name, FB_SPAN("/")) || fb_span_starts(name, FB_SPAN("../"))
                   || fb_span_find(name, '\0') != name.len;
    for (size_t i = 0; i < name.len; i++)
        outside |= fb_span_starts(fb_span_from(name, i), FB_SPAN("/../"));
    if (outside) {
        fb_inputs_fault(each, "tests.entities", "%.*s: entities are read from beside the tests only", (int)name.len,
                        name.ptr);
        return NULL;
    }
    const char *path = fb_arena_text(&each->arena, fb_arena_format(&each->arena, "%.*s%.*s", (int)dir.len, dir.ptr,
                                                                   (int)name.len, name.ptr));
    return path != NULL ? fb_inputs_source(each, path, TESTS_BYTES_MAX) : NULL;
}

static bool prepare(struct runner *r, struct fb_inputs *each, const struct test *test, struct fb_request *request)
{
    const struct fb_source *asked = part_of(r, each, test->request);
    const struct fb_source *entities = test->entities_file.len != 0 ? entities_file(r, each, test->entities_file)
                                                                    : part_of(r, each, test->entities);
    each->schema = r->inputs->schema;
    each->hints = r->inputs->hints;
    if (asked == NULL || entities == NULL || !fb_inputs_entities_of(each, entities, r->path)
        || !fb_request_read_json(asked, each->schema, &each->arena, &each->diags, request))
        return false;
    return each->schema == NULL || fb_request_conforms(each->schema, request, asked, &each->diags);
}

static bool decided_by(const struct runner *r, const struct fb_decision *decision, struct fb_span id)
{
    bool forbidden = decision->forbids_count != 0;
    const uint32_t *list = forbidden ? decision->forbids : decision->permits;
    uint32_t count = forbidden ? decision->forbids_count : decision->permits_count;
    for (uint32_t i = 0; i < count; i++)
        if (fb_span_eq(fb_program_id(r->program, list[i]), id))
            return true;
    return false;
}

/* What is other than expected, into `out`; nothing if all is as it should be. */
static void compare(const struct runner *r, const struct test *test, const struct fb_decision *decision,
                    struct fb_buffer *out)
{
    if (decision->allow != fb_span_is(test->decision, "allow")) {
        fb_buffer_add_format(out, "expected %.*s, got %s", (int)test->decision.len, test->decision.ptr,
                             decision->allow ? "allow" : "deny");
        return;
    }
    bool missing = false;
    for (size_t i = 0; i < test->reasons_count; i++) {
        if (decided_by(r, decision, test->reasons[i]))
            continue;
        fb_buffer_add_z(out, missing ? ", `" : "missing reason(s): `");
        fb_buffer_add_safe(out, test->reasons[i]);
        fb_buffer_add_char(out, '`');
        missing = true;
    }
    if (decision->errors_count == test->errors)
        return;
    fb_buffer_add_format(out, "%sexpected %lld error(s), got %u", missing ? "; " : "", (long long)test->errors,
                         decision->errors_count);
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        fb_buffer_add_z(out, i == 0 ? ": `" : ", `");
        fb_buffer_add_safe(out, fb_program_id(r->program, decision->errors[i].policy));
        fb_buffer_add_z(out, "`: ");
        fb_buffer_add_safe(out, decision->errors[i].message);
    }
}

static void report(struct runner *r, const struct test *test, const struct fb_buffer *wrong, bool ran)
{
    struct fb_buffer out;
    bool passed = ran && wrong->len == 0;
    fb_buffer_init(&out, &fb_heap, (size_t)16 << 20);
    fb_buffer_add_z(&out, "  test ");
    fb_buffer_add_safe(&out, test->name.len != 0 ? test->name : FB_SPAN("(unnamed)"));
    fb_buffer_add_z(&out, passed ? " ... ok" : ran ? " ... fail: " : " ... error");
    fb_buffer_add(&out, fb_buffer_span(wrong));
    fb_buffer_add_char(&out, '\n');
    fb_cli_write(r->cli, &out);
    fb_buffer_release(&out);
    r->count++;
    r->failed += !passed;
}

static void run_test(struct runner *r, const struct test *test)
{
    struct fb_inputs each;
    struct fb_request request = {.principal = NULL};
    struct fb_decision decision;
    struct fb_buffer wrong;
    fb_buffer_init(&wrong, &fb_heap, (size_t)16 << 20);
    bool ran = fb_inputs_init(&each, r->cli, &(struct fb_inputs_options){.error_format = NULL})
               && prepare(r, &each, test, &request);
    if (ran) {
        struct fb_entities entities = fb_entity_set_source(each.entities);
        request.entities = &entities;
        ran = fb_decide(r->program, &request, &each.arena, &decision) == FB_OK
              || fb_inputs_fault(&each, "decide.cannot", "it could not be decided: out of memory");
        if (ran)
            compare(r, test, &decision, &wrong);
    }
    report(r, test, &wrong, ran);
    fflush(r->cli->out);
    each.json = r->inputs->json;
    fb_inputs_report(r->cli, &each);
    fb_buffer_release(&wrong);
    fb_inputs_release(&each);
}

static bool run_all(struct runner *r)
{
    fb_json_init(&r->json, r->source->text, &r->inputs->arena,
                 (struct fb_json_limits){.depth = FB_VALUE_DEPTH + 16u, .bytes = TESTS_BYTES_MAX, .keys = 65536});
    bool read = fb_json_next(&r->json) == FB_JSON_ARRAY || shape(r, "tests are an array of objects");
    while (read && fb_json_next(&r->json) == FB_JSON_OBJECT) {
        struct test test = {.errors = 0};
        read = read_test(r, &test);
        if (read)
            run_test(r, &test);
    }
    read = read && (r->json.event == FB_JSON_ARRAY_END || shape(r, "a test is an object"))
           && fb_json_next(&r->json) == FB_JSON_END;
    if (!read)
        fb_json_report(&r->json, r->source, &r->inputs->diags);
    return read;
}

static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const struct fb_inputs_options *options,
                const char *path)
{
    if (!fb_inputs_schema(inputs, options) || !fb_inputs_policy_set(inputs, options))
        return false;
    struct runner r = {.cli = cli, .inputs = inputs, .path = path};
    r.program = fb_program_new(&inputs->arena, &inputs->set, &inputs->diags);
    if (r.program == NULL)
        return inputs->diags.errors != 0 ? false : fb_inputs_fault(inputs, "input.memory", "out of memory");
    r.source = fb_inputs_source(inputs, path, TESTS_BYTES_MAX);
    if (r.source == NULL)
        return false;
    bool read = run_all(&r);
    fprintf(cli->out, "results: %zu passed, %zu failed\n", r.count - r.failed, r.failed);
    return read && r.failed == 0;
}

int fb_cmd_run_tests(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_inputs_options options = {.policies = NULL};
    const char *tests = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "policies and templates (standard input if not given)",
         &options.policies},
        {FB_OPTION_TEXT, 0, "policy-format", "FORM", "their form: cedar (default) or json", &options.policy_format},
        {FB_OPTION_TEXT, 'k', "template-linked", "FILE", "template links, as JSON", &options.links},
        {FB_OPTION_TEXT, 0, "tests", "FILE", "the tests, as JSON", &tests},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "schema that requests and entities must fit", &options.schema},
        {FB_OPTION_TEXT, 0, "schema-format", "FORM", "its form: cedar (default) or json", &options.schema_format},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "run-tests",
        .synopsis = "forbid run-tests [-p FILE] --tests FILE [-s FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (tests == NULL)
        return fb_cli_fail(cli, "run-tests: --tests is missing");
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(cli, &inputs, &options, tests);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
