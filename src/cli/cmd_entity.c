/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid entity`: entities of the store, as Cedar's JSON in and out. */
#include "cli/stores.h"
#include "cli/inputs.h"

#define INPUT_BYTES_MAX ((size_t)256 << 20)
#define MEMORY_CEILING ((size_t)4 << 30)

struct options {
    struct fb_stores_options store;
    const char *schema, *type, *prefix, *after;
    uint64_t limit;
};

static const char help[] =
    "The store holds what policies are decided on and what changes while serving: users, their\n"
    "groups and roles (an entity of a type Role is a role; put it among a user's parents), resources.\n"
    "A change holds from the next request on.\n"
    "\n"
    "  put       add or replace, from FILE or standard input: one entity, or an array of them\n"
    "  get       print as JSON\n"
    "  list      print the uids in order, or with --json the entities\n"
    "  delete    remove; the account's state stays (`forbid account`), children keep their parent\n"
    "  index     give a store that an older forbid made, or --no-index, the index of `forbid list`\n"
    "\n"
    "An entity is written as everywhere in Cedar:\n"
    "\n"
    "  { \"uid\": {\"type\": \"User\", \"id\": \"alice\"},\n"
    "    \"attrs\": {\"region\": \"eu\"},\n"
    "    \"parents\": [{\"type\": \"Role\", \"id\": \"member\"}] }\n"
    "\n"
    "  forbid entity put --store /var/lib/forbid users.json --schema policies/schema.cedarschema\n"
    "  forbid entity list --store /var/lib/forbid --type User --prefix al\n"
    "  forbid entity get --store /var/lib/forbid 'User::\"alice\"'\n"
    "\n"
    "With --schema the entities are held against it first, and may be written in the short forms that\n"
    "it makes plain.  Many entities are put in batches of 1000, each all or none.  `put` makes the\n"
    "store where there is none; give --group then, so that the server's workers may read it, and\n"
    "--no-index if nothing will be listed: rows are then written faster, and `forbid list` looks at\n"
    "every entity of a type.  `index` lets others write meanwhile; stop those of an older forbid first.\n"
    "\n"
    "Exit status: 0 done, 1 failed (also `get` and `delete` of what is not there).\n";

/* --- put --------------------------------------------------------------------------------------------- */

/* The text as an array: Cedar's reader wants one. */
static const struct fb_source *as_array(struct fb_arena *arena, const struct fb_source *source)
{
    size_t at = 0;
    while (at < source->text.len && strchr(" \t\r\n", source->text.ptr[at]) != NULL)
        at++;
    if (at == source->text.len || source->text.ptr[at] != '{')
        return source;
    struct fb_source *array = fb_arena_alloc(arena, sizeof *array);
    if (array == NULL)
        return NULL;
    size_t len = source->text.len;
    char *text = fb_arena_alloc(arena, len + 2);
    if (text == NULL)
        return NULL;
    text[0] = '[';
    memcpy(text + 1, source->text.ptr, len);
    text[len + 1] = ']';
    *array = (struct fb_source){.name = source->name, .text = fb_span(text, len + 2)};
    return array;
}

/* The entities of the file in inputs->entities; false after diagnostics. */
static bool read_entities(struct fb_inputs *inputs, const struct options *options, const char *path)
{
    const struct fb_source *source;
    struct fb_diags *diags = &inputs->diags;
    if (options->schema != NULL) {
        source = fb_inputs_source(inputs, options->schema, INPUT_BYTES_MAX);
        inputs->schema = source != NULL ? fb_schema_read(&inputs->arena, source, diags) : NULL;
        if (inputs->schema == NULL)
            return false;
        inputs->hints = fb_schema_hints(inputs->schema);
    }
    source = fb_inputs_source(inputs, path, INPUT_BYTES_MAX);
    inputs->entities = fb_entity_set_new(&inputs->arena);
    if (source == NULL)
        return false;
    source = as_array(&inputs->arena, source);
    if (source == NULL || inputs->entities == NULL)
        return fb_inputs_fault(inputs, "entity.memory", "not enough memory for the entities");
    if (!fb_entity_set_read_json(inputs->entities, source, inputs->schema != NULL ? &inputs->hints : NULL, diags))
        return false;
    return inputs->schema == NULL || fb_conform_entities(inputs->schema, inputs->entities, source, &inputs->arena, diags);
}

struct feed {
    struct fb_cli *cli;
    const struct fb_entity_set *set;
    size_t at;
};

static bool next_entity(void *context, struct fb_entity *entity)
{
    struct feed *feed = context;
    if (feed->at == fb_entity_set_count(feed->set))
        return false;
    fb_entity_set_at(feed->set, feed->at++, entity);
    return true;
}

static void show_progress(void *context, size_t done)
{
    struct feed *feed = context;
    fb_cli_progress(feed->cli, "entities put:", done, fb_entity_set_count(feed->set));
}

static int put_all(struct fb_cli *cli, const struct options *options, const struct fb_entity_set *set)
{
    struct fb_store *store = fb_stores_open(cli, &options->store, true, true);
    if (store == NULL)
        return FB_EXIT_FAILED;
    struct feed feed = {.cli = cli, .set = set};
    const struct fb_store_import import = {.next = next_entity, .progress = show_progress, .context = &feed};
    struct fb_store_error error;
    size_t done;
    enum fb_store_status status = fb_store_import(store, &import, &done, &error);
    fb_store_close(store);
    if (status != FB_STORE_OK)
        return fb_cli_fail(cli, "%s; %zu of %zu entities were put", error.text, done, fb_entity_set_count(set));
    fprintf(cli->out, options->store.json ? "{\"put\":%zu}\n" : "put %zu\n", done);
    return FB_EXIT_OK;
}

static int put(struct fb_cli *cli, const struct options *options, const struct fb_words *words)
{
    const char *path = words->count > 1 ? words->list[1] : "-";
    const struct fb_inputs_options none = {.error_format = options->store.json ? "json" : NULL};
    struct fb_inputs inputs;
    if (words->count > 2)
        return fb_cli_fail(cli, "entity put takes one file");
    if (!fb_inputs_init(&inputs, cli, &none))
        return FB_EXIT_FAILED;
    int status = FB_EXIT_FAILED;
    if (read_entities(&inputs, options, path))
        status = put_all(cli, options, inputs.entities);
    fb_inputs_report(cli, &inputs);
    fb_inputs_release(&inputs);
    return status;
}

/* --- get, list, delete -------------------------------------------------------------------------------- */

struct printer {
    struct fb_cli *cli;
    struct fb_buffer line;
    bool json;
    size_t count;
};

static bool print_entity(void *context, const struct fb_entity *entity)
{
    struct printer *printer = context;
    fb_buffer_clear(&printer->line);
    if (printer->json) {
        fb_buffer_add_z(&printer->line, printer->count == 0 ? "[\n" : ",\n");
        fb_entity_print_json(&printer->line, entity);
    } else {
        fb_uid_print(&printer->line, entity->uid);
        fb_buffer_add_char(&printer->line, '\n');
    }
    printer->count++;
    fb_cli_write(printer->cli, &printer->line);
    return !ferror(printer->cli->out);
}

static int list(struct fb_cli *cli, const struct options *options, struct fb_arena *arena)
{
    struct fb_store_list what = {.type = fb_span_z(options->type), .prefix = fb_span_z(options->prefix),
                                 .limit = (size_t)options->limit};
    if (options->prefix != NULL && options->type == NULL)
        return fb_cli_fail(cli, "--prefix is of an id within a type: give --type too");
    if (options->after != NULL && (what.after = fb_stores_uid(cli, arena, options->after)) == NULL)
        return FB_EXIT_FAILED;
    struct fb_store *store = fb_stores_open(cli, &options->store, false, false);
    if (store == NULL)
        return FB_EXIT_FAILED;
    struct printer printer = {.cli = cli, .json = options->store.json};
    struct fb_store_error error;
    fb_buffer_init(&printer.line, &fb_heap, 64u << 20);
    enum fb_store_status status = fb_store_list_entities(store, &what, print_entity, &printer, &error);
    if (printer.json)
        fputs(printer.count == 0 ? "[]\n" : "\n]\n", cli->out);
    fb_buffer_release(&printer.line);
    fb_store_close(store);
    return status == FB_STORE_OK ? FB_EXIT_OK : fb_cli_fail(cli, "%s", error.text);
}

static int missing(struct fb_cli *cli, const char *word, enum fb_found found)
{
    return found == FB_BROKEN ? fb_cli_fail(cli, "the row of %s is damaged", word)
                              : fb_cli_fail(cli, "there is no %s in the store", word);
}

/* One entity is an object, several are an array. */
static int get(struct fb_cli *cli, struct fb_store *store, const struct fb_uid *const *uids,
               const struct fb_words *words)
{
    struct fb_buffer out;
    size_t count = words->count - 1, printed = 0;
    int status = FB_EXIT_OK;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    for (size_t i = 0; i < count; i++) {
        struct fb_entity entity;
        enum fb_found found = fb_store_find(store, uids[i], &entity);
        if (found != FB_FOUND) {
            status = missing(cli, words->list[i + 1], found);
            continue;
        }
        fb_buffer_add_z(&out, count == 1 ? "" : printed == 0 ? "[\n" : ",\n");
        fb_entity_print_json(&out, &entity);
        printed++;
    }
    if (count > 1)
        fb_buffer_add_z(&out, printed == 0 ? "[]" : "\n]");
    if (out.len != 0)
        fb_buffer_add_char(&out, '\n');
    fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    return status;
}

static int delete(struct fb_cli *cli, const struct options *options, struct fb_store *store,
                  const struct fb_uid *const *uids, const struct fb_words *words)
{
    struct fb_store_error error;
    size_t count = words->count - 1;
    enum fb_store_status status = fb_store_begin(store, &error);
    for (size_t i = 0; status == FB_STORE_OK && i < count; i++) {
        status = fb_store_delete(store, uids[i], &error);
        if (status == FB_STORE_ABSENT)
            return missing(cli, words->list[i + 1], FB_ABSENT);
    }
    if (status == FB_STORE_OK)
        status = fb_store_commit(store, &error);
    if (status != FB_STORE_OK)
        return fb_cli_fail(cli, "%s", error.text);
    fprintf(cli->out, options->store.json ? "{\"deleted\":%zu}\n" : "deleted %zu\n", count);
    return FB_EXIT_OK;
}

struct indexing {
    struct fb_cli *cli;
    struct fb_store_info info;
};

static void show_indexed(void *context, size_t done)
{
    struct indexing *indexing = context;
    fb_cli_progress(indexing->cli, "entities indexed:", done, indexing->info.entities);
}

static int make_index(struct fb_cli *cli, const struct options *options)
{
    struct fb_store_error error;
    struct indexing indexing = {.cli = cli};
    struct fb_store *store = fb_stores_open(cli, &options->store, true, false);
    if (store == NULL)
        return FB_EXIT_FAILED;
    enum fb_store_status status = fb_store_info(store, &indexing.info, &error);
    if (status == FB_STORE_OK)
        status = fb_store_index(store, show_indexed, &indexing, &error);
    fb_store_close(store);
    if (status != FB_STORE_OK)
        return fb_cli_fail(cli, "%s; the index is not whole: run this again", error.text);
    unsigned long long entities = indexing.info.entities;
    fprintf(cli->out, options->store.json ? "{\"indexed\":%llu}\n" : "indexed %llu\n", entities);
    return FB_EXIT_OK;
}

static int run(struct fb_cli *cli, const struct options *options, const struct fb_words *words, struct fb_arena *arena)
{
    static const char *const verbs[] = {"put", "get", "list", "delete", "index"};
    enum { VERBS = sizeof verbs / sizeof *verbs };
    const char *verb = words->list[0];
    const struct fb_uid *uids[FB_WORDS_MAX];
    struct fb_span names[VERBS];
    for (size_t i = 0; i < VERBS; i++)
        names[i] = fb_span_z(verbs[i]);
    if (strcmp(verb, "put") == 0)
        return put(cli, options, words);
    if (strcmp(verb, "list") == 0)
        return words->count > 1 ? fb_cli_fail(cli, "entity list takes no uid; `entity get` does")
                                : list(cli, options, arena);
    if (strcmp(verb, "index") == 0)
        return words->count > 1 ? fb_cli_fail(cli, "entity index is of the whole store; it takes no uid")
                                : make_index(cli, options);
    bool deleting = strcmp(verb, "delete") == 0;
    if (!deleting && strcmp(verb, "get") != 0) {
        struct fb_span near = fb_did_you_mean(fb_span_z(verb), names, VERBS);
        return fb_cli_fail(cli, "entity: there is no '%s'; %s%.*s%s", verb,
                           near.len != 0 ? "did you mean '" : "`forbid entity --help` lists what there is",
                           (int)near.len, near.ptr != NULL ? near.ptr : "", near.len != 0 ? "'?" : "");
    }
    if (words->count < 2)
        return fb_cli_fail(cli, "which entity?  Give its uid: 'User::\"alice\"'");
    for (size_t i = 1; i < words->count; i++)
        if ((uids[i - 1] = fb_stores_uid(cli, arena, words->list[i])) == NULL)
            return FB_EXIT_FAILED;
    struct fb_store *store = fb_stores_open(cli, &options->store, deleting, false);
    if (store == NULL)
        return FB_EXIT_FAILED;
    int status = deleting ? delete(cli, options, store, uids, words) : get(cli, store, uids, words);
    fb_store_close(store);
    return status;
}

int fb_cmd_entity(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.limit = 0};
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "store", "DIR", "the store's directory", &options.store.store},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "put: hold the entities against this schema", &options.schema},
        {FB_OPTION_TEXT, 0, "group", "GROUP", "who may read a store that `put` makes", &options.store.group},
        {FB_OPTION_FLAG, 0, "no-index", NULL, "a store that `put` makes gets no index for lists", &options.store.plain},
        {FB_OPTION_TEXT, 0, "type", "TYPE", "list: only this type", &options.type},
        {FB_OPTION_TEXT, 0, "prefix", "TEXT", "list: only ids that begin so", &options.prefix},
        {FB_OPTION_NUMBER, 0, "limit", "N", "list: at most so many", &options.limit},
        {FB_OPTION_TEXT, 0, "after", "UID", "list: go on behind this one", &options.after},
        {FB_OPTION_FLAG, 0, "json", NULL, "print JSON", &options.store.json},
    };
    const struct fb_usage usage = {
        .verb = "entity",
        .synopsis = "forbid entity put --store DIR [FILE] [--schema FILE]\n"
                    "       forbid entity get|delete --store DIR UID…\n"
                    "       forbid entity index --store DIR\n"
                    "       forbid entity list --store DIR [--type TYPE [--prefix TEXT]] [--limit N] [--after UID]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof *rows,
        .words_min = 1,
        .words_max = FB_WORDS_MAX,
    };
    struct fb_words words;
    struct fb_arena arena;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    fb_arena_init(&arena, &fb_heap, MEMORY_CEILING);
    int status = run(cli, &options, &words, &arena);
    fb_arena_release(&arena);
    return status;
}
