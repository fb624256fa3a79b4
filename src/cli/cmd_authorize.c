/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid authorize`: Cedar's decision, flag for flag as the official command gives it.  This is the policy
 * language alone: no routes, no refusals; `forbid why` has those. */
#include "cli/authorize.h"

#include <time.h>

#define REQUEST_BYTES_MAX ((size_t)16 << 20)

struct options {
    struct fb_inputs_options inputs;
    const char *principal, *action, *resource, *context, *request_json, *request_validation, *requests;
    bool verbose, timing, validate, explain, json;
};

static const char help[] = "Decides a request by Cedar policies, exactly as the official `cedar authorize` does, and\n"
                           "prints ALLOW or DENY, then the errors of policies that could not be evaluated.\n"
                           "\n"
                           "  forbid authorize -p policies.cedar --entities entities.json \\\n"
                           "      -l 'User::\"alice\"' -a 'Action::\"view\"' -r 'Photo::\"sunset\"' -v\n"
                           "\n"
                           "--explain shows why: the policies that decided, else the permits that came nearest, each\n"
                           "with the clauses that failed, their values and their lines.  With --json as one object.\n"
                           "\n"
                           "With --requests many are decided in one run, one JSON object a line, one answer a line:\n"
                           "\n"
                           "  $ head -1 requests.jsonl\n"
                           "  {\"principal\":\"User::\\\"alice\\\"\",\"action\":…,\"resource\":…,\"context\":{}}\n"
                           "  $ forbid authorize -p policies.cedar --requests requests.jsonl | head -1\n"
                           "  {\"decision\":\"allow\",\"reason\":[\"policy0\"],\"errors\":[]}\n"
                           "\n"
                           "A line that cannot be decided is answered with an `error` object, and the status at the\n"
                           "end is 1; the other lines are answered all the same.\n"
                           "\n"
                           "Exit status: 0 allow, 2 deny, 1 failed (something is unreadable or at fault).\n"
                           "With --requests: 0 every line was decided, 1 one was not.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv)
{
    struct fb_option rows[FB_INPUTS_OPTIONS_COUNT + 12] = {{.name = NULL}};
    fb_inputs_options(&options->inputs, rows);
    const struct fb_option own[] = {
        {FB_OPTION_TEXT, 'l', "principal", "UID", "who: User::\"alice\"", &options->principal},
        {FB_OPTION_TEXT, 'a', "action", "UID", "does what: Action::\"view\"", &options->action},
        {FB_OPTION_TEXT, 'r', "resource", "UID", "to what: Photo::\"sunset\"", &options->resource},
        {FB_OPTION_TEXT, 'c', "context", "FILE", "the context, a JSON object", &options->context},
        {FB_OPTION_TEXT, 0, "request-json", "FILE", "all four in one JSON object", &options->request_json},
        {FB_OPTION_TEXT, 0, "request-validation", "BOOL", "hold the request against the schema (true)",
         &options->request_validation},
        {FB_OPTION_TEXT, 0, "requests", "FILE", "many requests, one JSON object a line (- for stdin)",
         &options->requests},
        {FB_OPTION_FLAG, 'v', "verbose", NULL, "name the policies that decided", &options->verbose},
        {FB_OPTION_FLAG, 0, "explain", NULL, "say why, clause by clause", &options->explain},
        {FB_OPTION_FLAG, 0, "json", NULL, "one request: the decision as one JSON object", &options->json},
        {FB_OPTION_FLAG, 't', "timing", NULL, "say how long the decision took", &options->timing},
    };
    size_t count = sizeof own / sizeof own[0];
    memcpy(rows + FB_INPUTS_OPTIONS_COUNT, own, sizeof own);
    const struct fb_usage usage = {
        .verb = "authorize",
        .synopsis = "forbid authorize -p FILE -l UID -a UID -r UID [-c FILE] [--entities FILE] [-s FILE]\n"
                    "       forbid authorize -p FILE --requests FILE.jsonl [--entities FILE] [-s FILE]",
        .text = help,
        .options = rows,
        .options_count = FB_INPUTS_OPTIONS_COUNT + count,
    };
    struct fb_words words;
    return fb_options_parse(cli, &usage, argc, argv, &words);
}

/* What the option table cannot say. */
static bool check_options(struct fb_cli *cli, struct options *options)
{
    bool by_uids =
        options->principal != NULL || options->action != NULL || options->resource != NULL || options->context != NULL;
    int ways = by_uids + (options->request_json != NULL) + (options->requests != NULL);
    if (ways > 1) {
        return fb_cli_wrong(cli, "authorize",
                            "give the request by -l, -a, -r and -c, or by --request-json, or by --requests");
    }
    if (options->requests != NULL && (options->explain || options->json))
        return fb_cli_wrong(cli, "authorize", "--explain and --json go with one request; --requests answers in JSON");
    if (options->request_json == NULL && options->requests == NULL) {
        const char *missing = options->principal == NULL  ? "-l, --principal"
                              : options->action == NULL   ? "-a, --action"
                              : options->resource == NULL ? "-r, --resource"
                                                          : NULL;
        if (missing != NULL) {
            return fb_cli_wrong(cli, "authorize", "%s is missing (or give --request-json, or --requests)", missing);
        }
    }
    const char *policies = options->inputs.policies;
    bool stdin_taken = policies == NULL || strcmp(policies, "-") == 0;
    if (stdin_taken && options->requests != NULL && strcmp(options->requests, "-") == 0) {
        return fb_cli_wrong(cli, "authorize",
                            "policies and requests cannot both come from standard input; give -p FILE");
    }
    const char *validation = options->request_validation;
    options->validate = validation == NULL || strcmp(validation, "true") == 0;
    if (!options->validate && strcmp(validation, "false") != 0) {
        return fb_cli_wrong(cli, "authorize", "--request-validation is 'true' or 'false', not '%s'", validation);
    }
    return true;
}

static bool uid_of(struct fb_inputs *inputs, const char *option, const char *text, const struct fb_uid **uid)
{
    *uid = fb_uid_parse(&inputs->arena, fb_span_z(text));
    if (*uid == NULL)
        fb_inputs_fault(inputs, "request.uid", "%s: '%s' is not an entity uid; one is written as User::\"alice\"",
                        option, text);
    return *uid != NULL;
}

static bool read_request(struct fb_inputs *inputs, const struct options *options, struct fb_request *request)
{
    const struct fb_source *source = NULL;
    if (options->request_json != NULL) {
        source = fb_inputs_source(inputs, options->request_json, REQUEST_BYTES_MAX);
        if (source == NULL || !fb_request_read_json(source, inputs->schema, &inputs->arena, &inputs->diags, request))
            return false;
    } else {
        bool fine = uid_of(inputs, "--principal", options->principal, &request->principal);
        fine &= uid_of(inputs, "--action", options->action, &request->action);
        fine &= uid_of(inputs, "--resource", options->resource, &request->resource);
        if (!fine)
            return false;
        request->context = fb_context_empty();
        if (options->context != NULL) {
            source = fb_inputs_source(inputs, options->context, REQUEST_BYTES_MAX);
            if (source == NULL
                || !fb_context_read_json(source, inputs->schema, request->action, &inputs->arena, &inputs->diags,
                                         &request->context))
                return false;
        }
    }
    if (inputs->schema == NULL)
        return true;
    return options->validate ? fb_request_conforms(inputs->schema, request, source, &inputs->diags)
                             : fb_context_conforms(inputs->schema, request, source, &inputs->diags);
}

static void print_decision(struct fb_cli *cli, const struct fb_program *program, const struct fb_decision *decision,
                           bool verbose)
{
    fputs(decision->allow ? "ALLOW\n" : "DENY\n", cli->out);
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 16u << 20);
    if (decision->errors_count != 0)
        fb_buffer_add_char(&text, '\n');
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        fb_buffer_add_z(&text, "error: policy `");
        fb_buffer_add_safe(&text, fb_program_id(program, decision->errors[i].policy));
        fb_buffer_add_z(&text, "` was skipped: ");
        fb_buffer_add_safe(&text, decision->errors[i].message);
        fb_buffer_add_char(&text, '\n');
    }
    if (verbose) {
        bool forbidden = decision->forbids_count != 0;
        const uint32_t *list = forbidden ? decision->forbids : decision->permits;
        uint32_t count = forbidden ? decision->forbids_count : decision->permits_count;
        fb_buffer_add_z(&text, count != 0 ? "\nnote: decided by these policies:\n"
                                          : "\nnote: no policy applied to this request\n");
        for (uint32_t i = 0; i < count; i++) {
            fb_buffer_add_z(&text, "  ");
            fb_buffer_add_safe(&text, fb_program_id(program, list[i]));
            fb_buffer_add_char(&text, '\n');
        }
    }
    fb_cli_write(cli, &text);
    fb_buffer_release(&text);
}

/* The decision as JSON, or explained, or both. */
static bool explain(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options,
                    const struct fb_program *program, const struct fb_request *request,
                    const struct fb_decision *decision)
{
    struct fb_explained explained = {.count = 0};
    if (options->explain
        && fb_explain_decision(program, request, NULL, decision->allow, 0, &inputs->arena, &explained) != FB_OK)
        return fb_inputs_fault(inputs, "explain.cannot", "it could not be explained: out of memory");
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    if (options->json) {
        fb_explained_print_json(&text, program, decision, options->explain ? &explained : NULL);
        fb_buffer_add_char(&text, '\n');
    } else {
        fb_explained_print(&text, program, decision, &explained, (struct fb_explain_style){.colour = cli->colour_out});
    }
    fb_cli_write(cli, &text);
    bool whole = !text.failed;
    fb_buffer_release(&text);
    return whole || fb_inputs_fault(inputs, "explain.cannot", "it could not be explained: out of memory");
}

static int decide_one(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options,
                      const struct fb_program *program)
{
    struct fb_entities entities = fb_entity_set_source(inputs->entities);
    struct fb_request request = {.entities = &entities};
    struct fb_decision decision;
    if (!read_request(inputs, options, &request))
        return FB_EXIT_FAILED;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    enum fb_status status = fb_decide(program, &request, &inputs->arena, &decision);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (status != FB_OK) {
        fb_inputs_fault(inputs, "decide.cannot", "it could not be decided: out of memory");
        return FB_EXIT_FAILED;
    }
    if (options->timing)
        fprintf(cli->out, "decided in %.3f microseconds\n",
                (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3);
    if (!options->explain && !options->json)
        print_decision(cli, program, &decision, options->verbose);
    else if (!explain(cli, inputs, options, program, &request, &decision))
        return FB_EXIT_FAILED;
    return decision.allow ? FB_EXIT_OK : FB_EXIT_DENY;
}

static int run(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options)
{
    if (!fb_inputs_load(inputs, &options->inputs))
        return FB_EXIT_FAILED;
    const struct fb_program *program = fb_program_new(&inputs->arena, &inputs->set, &inputs->diags);
    if (program == NULL) {
        if (inputs->diags.errors == 0)
            fb_inputs_fault(inputs, "input.memory", "out of memory");
        return FB_EXIT_FAILED;
    }
    if (options->requests == NULL)
        return decide_one(cli, inputs, options, program);
    const struct fb_batch batch = {
        .program = program, .inputs = inputs, .validate = options->validate, .messages = options->verbose};
    return fb_batch_run(cli, &batch, options->requests);
}

int fb_cmd_authorize(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.verbose = false};
    enum fb_parsed parsed = parse(cli, &options, argc, argv);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (!check_options(cli, &options))
        return FB_EXIT_FAILED;
    struct fb_inputs inputs;
    int status = FB_EXIT_FAILED;
    if (fb_inputs_init(&inputs, cli, &options.inputs)) {
        status = run(cli, &inputs, &options);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return status;
}
