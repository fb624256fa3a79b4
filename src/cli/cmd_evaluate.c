/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid evaluate`: the value of one expression, for a request and entities if it asks for them. */
#include "cli/inputs.h"

#define REQUEST_BYTES_MAX ((size_t)16 << 20)

struct options {
    struct fb_inputs_options inputs;
    const char *principal, *action, *resource, *context, *request_json, *request_validation;
    bool validate;
};

static const char help[] =
    "Evaluates an expression and prints its value:\n"
    "\n"
    "  $ forbid evaluate '[1, 2].contains(1 + 1)'\n"
    "  true\n"
    "  $ forbid evaluate 'principal.age + 1' -l 'User::\"alice\"' --entities entities.json\n"
    "\n"
    "The request and the entities may be left away where the expression does not ask for them.\n"
    "\n"
    "Exit status: 0 it has a value, 1 it has none (something does not parse, or it errs).\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv,
                            struct fb_words *words)
{
    struct fb_inputs_options *inputs = &options->inputs;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'l', "principal", "UID", "who: User::\"alice\"", &options->principal},
        {FB_OPTION_TEXT, 'a', "action", "UID", "does what: Action::\"view\"", &options->action},
        {FB_OPTION_TEXT, 'r', "resource", "UID", "to what: Photo::\"sunset\"", &options->resource},
        {FB_OPTION_TEXT, 'c', "context", "FILE", "the context, a JSON object", &options->context},
        {FB_OPTION_TEXT, 0, "request-json", "FILE", "all four in one JSON object", &options->request_json},
        {FB_OPTION_TEXT, 0, "request-validation", "BOOL", "hold a whole request against the schema (true)",
         &options->request_validation},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "schema", &inputs->schema},
        {FB_OPTION_TEXT, 0, "schema-format", "FORM", "its form: cedar (default) or json", &inputs->schema_format},
        {FB_OPTION_TEXT, 0, "entities", "FILE", "entities, as JSON", &inputs->entities},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &inputs->error_format},
    };
    const struct fb_usage usage = {
        .verb = "evaluate",
        .synopsis = "forbid evaluate EXPRESSION [-l UID] [-a UID] [-r UID] [-c FILE] [--entities FILE] [-s FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
        .words_min = 1,
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool uid_of(struct fb_inputs *inputs, const char *option, const char *text, const struct fb_uid **uid)
{
    if (text == NULL)
        return true;
    *uid = fb_uid_parse(&inputs->arena, fb_span_z(text));
    return *uid != NULL
           || fb_inputs_fault(inputs, "request.uid", "%s: '%s' is not an entity uid; one is written as User::\"alice\"",
                              option, text);
}

static bool read_context(struct fb_inputs *inputs, const char *path, struct fb_request *request)
{
    if (path == NULL)
        return true;
    const struct fb_source *source = fb_inputs_source(inputs, path, REQUEST_BYTES_MAX);
    /* Without an action no type is known of it. */
    const struct fb_schema *schema = request->action != NULL ? inputs->schema : NULL;
    return source != NULL
           && fb_context_read_json(source, schema, request->action, &inputs->arena, &inputs->diags, &request->context);
}

static bool read_request(struct fb_inputs *inputs, const struct options *options, struct fb_request *request)
{
    const struct fb_source *source = NULL;
    request->context = fb_context_empty();
    if (options->request_json != NULL) {
        source = fb_inputs_source(inputs, options->request_json, REQUEST_BYTES_MAX);
        if (source == NULL || !fb_request_read_json(source, inputs->schema, &inputs->arena, &inputs->diags, request))
            return false;
    } else {
        bool fine = uid_of(inputs, "--principal", options->principal, &request->principal);
        fine &= uid_of(inputs, "--action", options->action, &request->action);
        fine &= uid_of(inputs, "--resource", options->resource, &request->resource);
        if (!fine || !read_context(inputs, options->context, request))
            return false;
    }
    bool whole = request->principal != NULL && request->action != NULL && request->resource != NULL;
    return !whole || inputs->schema == NULL || !options->validate
           || fb_request_conforms(inputs->schema, request, source, &inputs->diags);
}

/* A variable that is used must be given; any entity does for one that is not. */
static bool fill_request(struct fb_inputs *inputs, const struct fb_expr *expr, struct fb_request *request)
{
    static const char *const names[] = {"principal", "action", "resource"};
    static const char *const options[] = {"-l, --principal", "-a, --action", "-r, --resource"};
    const struct fb_uid **uids[] = {&request->principal, &request->action, &request->resource};
    unsigned used = fb_expr_variables(expr);
    bool fine = true;
    for (unsigned i = 0; i < 3; i++) {
        if (*uids[i] != NULL)
            continue;
        if ((used & 1u << i) != 0)
            fine = fb_inputs_fault(inputs, "request.missing", "the expression asks for `%s`: %s is missing", names[i],
                                   options[i]);
        *uids[i] = fb_uid_new(&inputs->arena, FB_SPAN("Nobody"), FB_SPAN(""));
        if (*uids[i] == NULL)
            return fb_inputs_fault(inputs, "input.memory", "out of memory");
    }
    return fine;
}

/* Faults lead to the source: it must be there until they are shown. */
static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options,
                const struct fb_source *source)
{
    struct fb_request request = {.principal = NULL};
    const struct fb_expr *expr = fb_expr_read(&inputs->arena, source, &inputs->diags);
    bool fine = fb_inputs_schema(inputs, &options->inputs) && fb_inputs_entities(inputs, options->inputs.entities)
                && read_request(inputs, options, &request);
    if (expr == NULL || !fine || !fill_request(inputs, expr, &request))
        return false;
    struct fb_entities entities = fb_entity_set_source(inputs->entities);
    struct fb_policy_error error = {0};
    struct fb_value value;
    bool erred = false;
    request.entities = &entities;
    if (fb_evaluate(expr, &request, &inputs->arena, &value, &error, &erred) != FB_OK)
        return fb_inputs_fault(inputs, "decide.cannot", "it could not be evaluated: out of memory");
    if (erred) {
        fb_diag_add(&inputs->diags, FB_ERROR, "evaluate.error", source, error.range, "%.*s", (int)error.message.len,
                    error.message.ptr);
        return false;
    }
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    fb_value_print(&out, value);
    fb_buffer_add_char(&out, '\n');
    fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    return true;
}

int fb_cmd_evaluate(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.validate = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    const char *validation = options.request_validation;
    options.validate = validation == NULL || strcmp(validation, "true") == 0;
    if (!options.validate && strcmp(validation, "false") != 0)
        return fb_cli_fail(cli, "evaluate: --request-validation is 'true' or 'false', not '%s'", validation);
    bool by_parts = options.principal != NULL || options.action != NULL || options.resource != NULL
                    || options.context != NULL;
    if (by_parts && options.request_json != NULL)
        return fb_cli_fail(cli, "evaluate: give the request by -l, -a, -r and -c, or by --request-json");
    const struct fb_source source = {.name = FB_SPAN("<expression>"), .text = fb_span_z(words.list[0])};
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options.inputs)) {
        good = run(cli, &inputs, &options, &source);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
