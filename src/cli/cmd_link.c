/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid link`: a template linked, shown, and added to the file of links. */
#include "cli/inputs.h"

#include <errno.h>
#include <sys/stat.h>

#define LINKS_BYTES_MAX ((size_t)256 << 20)

struct options {
    struct fb_inputs_options inputs;
    const char *template_id, *new_id, *arguments;
};

static const char help[] =
    "Links a template: gives its slots values, and the result an id of its own.\n"
    "\n"
    "  forbid link -p policies.cedar -k links.json --template-id share --new-id share-7 \\\n"
    "      --arguments '{\"?principal\": \"User::\\\"alice\\\"\", \"?resource\": \"Photo::\\\"sunset\\\"\"}'\n"
    "\n"
    "Prints the policy that the link stands for.  With -k the link is added to that file, which is made if\n"
    "it is not there; `forbid authorize -k links.json` then counts it.\n"
    "\n"
    "Exit status: 0 done, 1 failed.\n";

struct values {
    const struct fb_uid *principal, *resource;
};

static bool read_value(struct fb_inputs *inputs, struct fb_json *json, struct values *values)
{
    struct fb_span slot = json->string;
    const struct fb_uid **into = fb_span_is(slot, "?principal")  ? &values->principal
                                 : fb_span_is(slot, "?resource") ? &values->resource
                                                                 : NULL;
    if (into == NULL) {
        fb_json_fail(json, "links.slot", "there is no such slot; slots are ?principal and ?resource");
        return false;
    }
    if (fb_json_next(json) == FB_JSON_STRING)
        *into = fb_uid_parse(&inputs->arena, json->string);
    if (*into == NULL && json->error == NULL)
        fb_json_fail(json, "links.uid", "this is not an entity uid as text, like \"User::\\\"alice\\\"\"");
    return *into != NULL;
}

/* {slot: uid as text} */
static bool read_arguments(struct fb_inputs *inputs, const char *text, struct values *values)
{
    struct fb_source *source = fb_arena_alloc(&inputs->arena, sizeof *source);
    struct fb_json json;
    if (source == NULL)
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    *source = (struct fb_source){.name = FB_SPAN("<arguments>"), .text = fb_span_z(text)};
    fb_json_init(&json, source->text, &inputs->arena, FB_JSON_LIMITS);
    bool fine = fb_json_next(&json) == FB_JSON_OBJECT;
    if (!fine && json.error == NULL)
        fb_json_fail(&json, "links.shape", "arguments are an object of slots and uids");
    while (fine && fb_json_next(&json) == FB_JSON_KEY)
        fine = read_value(inputs, &json, values);
    if (fine && json.event == FB_JSON_OBJECT_END && fb_json_next(&json) == FB_JSON_END)
        return true;
    fb_json_report(&json, source, &inputs->diags);
    return false;
}

/* The links that the file holds already; it need not be there, and may be empty. */
static bool read_links(struct fb_inputs *inputs, const char *path)
{
    struct stat status;
    if (path == NULL || (stat(path, &status) != 0 && errno == ENOENT))
        return true;
    const struct fb_source *source = fb_inputs_source(inputs, path, LINKS_BYTES_MAX);
    return source != NULL && (source->text.len == 0 || fb_links_read(&inputs->set, source, &inputs->diags));
}

static void add_slot(struct fb_buffer *out, const char *before, const struct fb_uid *uid)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    fb_uid_print(&text, uid);
    out->failed |= text.failed;
    fb_buffer_add_z(out, before);
    fb_buffer_add_json(out, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

static void add_link(struct fb_buffer *out, const struct fb_link *link)
{
    fb_buffer_add_z(out, "  { \"template_id\": ");
    fb_buffer_add_json(out, link->template_->id);
    fb_buffer_add_z(out, ", \"link_id\": ");
    fb_buffer_add_json(out, link->id);
    fb_buffer_add_z(out, ", \"args\": {");
    if (link->principal != NULL)
        add_slot(out, " \"?principal\": ", link->principal);
    if (link->resource != NULL)
        add_slot(out, link->principal != NULL ? ", \"?resource\": " : " \"?resource\": ", link->resource);
    fb_buffer_add_z(out, " } }");
}

/* The links from `first` on. */
static bool write_links(struct fb_inputs *inputs, const char *path, size_t first)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, LINKS_BYTES_MAX);
    fb_buffer_add_z(&out, "[\n");
    for (size_t i = first; i < inputs->set.links_count; i++) {
        add_link(&out, inputs->set.links[i]);
        fb_buffer_add_z(&out, i + 1 < inputs->set.links_count ? ",\n" : "\n");
    }
    fb_buffer_add_z(&out, "]\n");
    bool good = out.failed ? fb_inputs_fault(inputs, "input.memory", "out of memory")
                           : fb_inputs_write(inputs, path, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return good;
}

static void print_link(struct fb_cli *cli, const struct fb_link *link)
{
    struct fb_policy policy = *link->template_;
    if (policy.principal.slot)
        policy.principal.uid = link->principal;
    if (policy.resource.slot)
        policy.resource.uid = link->resource;
    policy.principal.slot = policy.resource.slot = false;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_policy_print(&out, &policy);
    fb_buffer_add_char(&out, '\n');
    fb_cli_write(cli, &out);
    fb_buffer_release(&out);
}

static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options)
{
    struct values values = {NULL, NULL};
    struct fb_inputs_options alone = options->inputs;
    alone.links = NULL;
    if (!fb_inputs_policy_set(inputs, &alone))
        return false;
    size_t first = inputs->set.links_count;
    if (!read_links(inputs, options->inputs.links) || !read_arguments(inputs, options->arguments, &values))
        return false;
    const char *error;
    const struct fb_link *link = fb_policy_set_link(&inputs->set, fb_span_z(options->template_id),
                                                    fb_span_z(options->new_id), values.principal, values.resource,
                                                    &error);
    if (link == NULL)
        return fb_inputs_fault(inputs, "links.link", "link '%s' of template '%s': %s", options->new_id,
                               options->template_id, error);
    if (options->inputs.links != NULL && !write_links(inputs, options->inputs.links, first))
        return false;
    print_link(cli, link);
    return true;
}

int fb_cmd_link(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.new_id = NULL};
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "policies and templates (standard input if not given)",
         &options.inputs.policies},
        {FB_OPTION_TEXT, 0, "policy-format", "FORM", "their form: cedar (default) or json",
         &options.inputs.policy_format},
        {FB_OPTION_TEXT, 'k', "template-linked", "FILE", "template links, as JSON; the new one is added",
         &options.inputs.links},
        {FB_OPTION_TEXT, 0, "template-id", "ID", "the template", &options.template_id},
        {FB_OPTION_TEXT, 'n', "new-id", "ID", "of the link", &options.new_id},
        {FB_OPTION_TEXT, 'a', "arguments", "JSON", "values of the slots", &options.arguments},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.inputs.error_format},
    };
    const struct fb_usage usage = {
        .verb = "link",
        .synopsis = "forbid link [-p FILE] --template-id ID --new-id ID --arguments JSON [-k FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    const char *missing = options.template_id == NULL ? "--template-id"
                          : options.new_id == NULL    ? "-n, --new-id"
                          : options.arguments == NULL ? "-a, --arguments"
                                                      : NULL;
    if (missing != NULL)
        return fb_cli_fail(cli, "link: %s is missing", missing);
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options.inputs)) {
        good = run(cli, &inputs, &options);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
