/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid new`: a small Cedar project, under the names that the official command uses.  For a directory that
 * a server can take there is `forbid init`. */
#include "cli/inputs.h"

#include <errno.h>
#include <sys/stat.h>

static const char help[] =
    "Makes a directory with a small Cedar project: a schema, a policy, entities.\n"
    "\n"
    "  forbid new --name photos && cd photos\n"
    "  forbid validate -p policy.cedar -s schema.cedarschema.json --schema-format json\n"
    "  forbid authorize -p policy.cedar --entities entities.json \\\n"
    "      -l 'User::\"alice\"' -a 'Action::\"view\"' -r 'Photo::\"sunset\"'\n"
    "\n"
    "Exit status: 0 done, 1 failed (the directory exists already, or cannot be written).\n";

static const char schema[] =
    "{\n"
    "  \"\": {\n"
    "    \"entityTypes\": {\n"
    "      \"Group\": {},\n"
    "      \"User\": { \"memberOfTypes\": [\"Group\"] },\n"
    "      \"Photo\": {\n"
    "        \"shape\": {\n"
    "          \"type\": \"Record\",\n"
    "          \"attributes\": { \"owner\": { \"type\": \"Entity\", \"name\": \"User\" } }\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    \"actions\": {\n"
    "      \"view\": { \"appliesTo\": { \"principalTypes\": [\"User\"], \"resourceTypes\": [\"Photo\"] } }\n"
    "    }\n"
    "  }\n"
    "}\n";

static const char policy[] =
    "// Friends may look at the photos; the owner of a photo may in any case.\n"
    "permit (\n"
    "  principal in Group::\"friends\",\n"
    "  action == Action::\"view\",\n"
    "  resource is Photo\n"
    ");\n"
    "\n"
    "permit (\n"
    "  principal is User,\n"
    "  action == Action::\"view\",\n"
    "  resource is Photo\n"
    ")\n"
    "when { resource.owner == principal };\n";

static const char entities[] =
    "[\n"
    "  { \"uid\": { \"type\": \"Group\", \"id\": \"friends\" }, \"attrs\": {}, \"parents\": [] },\n"
    "  { \"uid\": { \"type\": \"User\", \"id\": \"alice\" }, \"attrs\": {}, \"parents\": [{ \"type\": \"Group\", \"id\": \"friends\" }] },\n"
    "  {\n"
    "    \"uid\": { \"type\": \"Photo\", \"id\": \"sunset\" },\n"
    "    \"attrs\": { \"owner\": { \"__entity\": { \"type\": \"User\", \"id\": \"bob\" } } },\n"
    "    \"parents\": []\n"
    "  }\n"
    "]\n";

static bool run(struct fb_inputs *inputs, const char *name)
{
    static const struct {
        const char *name, *text;
    } files[] = {{"schema.cedarschema.json", schema}, {"policy.cedar", policy}, {"entities.json", entities}};
    if (mkdir(name, 0777) != 0)
        return fb_inputs_fault(inputs, "output.unwritable", "%s: %s", name, strerror(errno));
    bool good = true;
    for (size_t i = 0; good && i < sizeof files / sizeof files[0]; i++) {
        char *path = fb_arena_text(&inputs->arena, fb_arena_format(&inputs->arena, "%s/%s", name, files[i].name));
        good = path != NULL && fb_inputs_write(inputs, path, fb_span_z(files[i].text));
    }
    return good;
}

int fb_cmd_new(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_inputs_options options = {.policies = NULL};
    const char *name = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'n', "name", "DIR", "of the project, and of its directory", &name},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "new",
        .synopsis = "forbid new --name DIR",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (name == NULL || name[0] == '\0')
        return fb_cli_fail(cli, "new: -n, --name is missing");
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(&inputs, name);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
