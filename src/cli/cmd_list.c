/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid list`: which resources of a type may this principal, and which principals may this resource.
 * Pages are asked of the guard until the limit is reached or there is no more; each has a snapshot of
 * its own, so a long list holds nobody up. */
#include "cli/inputs.h"
#include "cli/site.h"

#define PAGE_CEILING ((size_t)256 << 20)
#define TEXT_CEILING ((size_t)1 << 30)
#define MANY 100000u /* looked at: then it is said that an index would help */
#define CONTEXT_BYTES_MAX ((size_t)16 << 20)

struct options {
    const char *principal, *action, *resource, *type, *context, *store, *after;
    struct fb_words groups;
    uint64_t limit;
    bool verbose, json;
};

static const char help[] =
    "Lists which resources of a type a principal may act on, or which principals may act on a\n"
    "resource, by the policies, the account states and what the directory and the store hold.\n"
    "\n"
    "  forbid list policies --principal 'User::\"456\"' --action readReport --store store\n"
    "  forbid list policies --resource 'Report::\"q3\"' --action readReport --store store\n"
    "\n"
    "The type need not be given where the action accepts only one.  The context is empty unless\n"
    "--context gives one; --in says which groups the principal's token would bring.\n"
    "\n"
    "  $ forbid list policies --principal 'User::\"456\"' --action readReport --limit 2\n"
    "  Report::\"q1\"\n"
    "  Report::\"q2\"\n"
    "  forbid: there may be more: --after 01…\n"
    "\n"
    "A cursor stays good when entities come and go.  Exit status: 0, also for an empty list; 1 failed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'l', "principal", "UID", "list what this principal may: User::\"alice\"", &options->principal},
        {FB_OPTION_TEXT, 'r', "resource", "UID", "list who may this: Report::\"q3\"", &options->resource},
        {FB_OPTION_TEXT, 'a', "action", "NAME", "do what: readReport, or Action::\"readReport\"", &options->action},
        {FB_OPTION_TEXT, 't', "type", "TYPE", "of those that are listed", &options->type},
        {FB_OPTION_TEXT, 'c', "context", "FILE", "the context, a JSON object ({})", &options->context},
        {FB_OPTION_LIST, 0, "in", "UID", "with --principal: a group that its token would name", &options->groups},
        {FB_OPTION_TEXT, 0, "store", "DIR", "the store with entities and accounts", &options->store},
        {FB_OPTION_NUMBER, 0, "limit", "N", "list no more than N", &options->limit},
        {FB_OPTION_TEXT, 0, "after", "CURSOR", "go on where a list ended", &options->after},
        {FB_OPTION_FLAG, 'v', "verbose", NULL, "say how much was looked at", &options->verbose},
        {FB_OPTION_FLAG, 0, "json", NULL, "as one JSON object", &options->json},
    };
    const struct fb_usage usage = {
        .verb = "list",
        .synopsis = "forbid list DIR --principal UID --action NAME [--type TYPE]\n"
                    "       forbid list DIR --resource UID --action NAME [--type TYPE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
        .words_min = 1,
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

/* Everything that the pages are made of. */
struct listing {
    struct fb_cli *cli;
    const struct options *options;
    struct fb_cli_site site;
    struct fb_guard_list list;
    const struct fb_uid *groups[FB_WORDS_MAX];
    struct fb_buffer out;
    size_t count;
    uint64_t visited, evaluated;
    bool unindexed; /* and so every entity was looked at */
};

static bool read_uid(struct listing *l, const char *option, const char *text, const struct fb_uid **uid)
{
    if (text == NULL)
        return true;
    *uid = fb_uid_parse(&l->site.arena, fb_span_z(text));
    if (*uid == NULL)
        return fb_cli_wrong(l->cli, "list", "%s: '%s' is not an entity uid; one is written as User::\"alice\"", option,
                            text);
    return fb_cli_type_known(l->cli, "list", option, &l->site, *uid);
}

static void no_action(struct listing *l, const struct fb_schema *schema, struct fb_span name)
{
    struct fb_span *names = fb_arena_array(&l->site.arena, schema->actions_count, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < schema->actions_count; i++)
        names[i] = fb_uid_id(schema->actions[i]->uid);
    struct fb_span near = fb_did_you_mean(name, names, names != NULL ? schema->actions_count : 0);
    if (near.len != 0)
        fb_cli_wrong(l->cli, "list", "--action: the schema has no action %s; did you mean %.*s?", l->options->action,
                     (int)near.len, near.ptr);
    else
        fb_cli_wrong(l->cli, "list", "--action: the schema has no action %s (`forbid check DIR --routes` lists them)",
                     l->options->action);
}

/* By uid, or by a name that one action has. */
static const struct fb_schema_action *find_action(struct listing *l)
{
    const struct fb_schema *schema = fb_policies_schema(l->site.policies);
    struct fb_span text = fb_span_z(l->options->action);
    const struct fb_uid *uid = fb_uid_parse(&l->site.arena, text);
    const struct fb_schema_action *found = uid != NULL ? fb_schema_action(schema, uid) : NULL;
    for (uint32_t i = 0; uid == NULL && i < schema->actions_count; i++) {
        if (!fb_span_eq(fb_uid_id(schema->actions[i]->uid), text))
            continue;
        if (found != NULL) {
            fb_cli_wrong(l->cli, "list", "--action: several actions are called '%s'; give the whole uid", text.ptr);
            return NULL;
        }
        found = schema->actions[i];
    }
    if (found == NULL)
        no_action(l, schema, uid != NULL ? fb_uid_id(uid) : text);
    return found;
}

static bool has_type(const struct fb_entity_type *const *types, uint32_t count, struct fb_span type)
{
    for (uint32_t i = 0; i < count; i++)
        if (fb_span_eq(types[i]->name, type))
            return true;
    return false;
}

/* The type of those asked for: given, or the only one; and the types of what was given are accepted. */
static bool settle_types(struct listing *l, const struct fb_schema_action *action)
{
    bool principals = l->list.principal == NULL;
    const struct fb_entity_type *const *asked = principals ? action->principals : action->resources;
    uint32_t count = principals ? action->principals_count : action->resources_count;
    const struct fb_uid *given = principals ? l->list.resource : l->list.principal;
    const char *name = l->options->action, *kind = principals ? "principal" : "resource";
    if (!has_type(principals ? action->resources : action->principals,
                  principals ? action->resources_count : action->principals_count, fb_uid_type(given)))
        return fb_cli_wrong(l->cli, "list", "the action %s does not apply to the %s type %.*s", name,
                            principals ? "resource" : "principal", (int)given->type_len, given->bytes);
    if (l->options->type == NULL && count != 1)
        return fb_cli_wrong(l->cli, "list", "the action %s applies to %u %s types; say which by --type", name, count,
                            kind);
    l->list.type = l->options->type != NULL ? fb_span_z(l->options->type) : asked[0]->name;
    return has_type(asked, count, l->list.type)
           || fb_cli_wrong(l->cli, "list", "the action %s does not apply to the %s type %s", name, kind,
                           l->options->type);
}

static bool read_context(struct listing *l, const struct fb_schema_action *action)
{
    l->list.context = fb_context_empty();
    if (l->options->context == NULL)
        return true;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, CONTEXT_BYTES_MAX);
    bool fine = fb_cli_read(l->cli, l->options->context, &text);
    struct fb_source *source = fb_arena_alloc(&l->site.arena, sizeof *source);
    if (fine && source != NULL) {
        source->name = fb_span_z(l->options->context);
        source->text = fb_arena_copy(&l->site.arena, fb_buffer_span(&text));
        fine = fb_context_read_json(source, fb_policies_schema(l->site.policies), action->uid, &l->site.arena,
                                    &l->site.diags, &l->list.context);
        if (!fine)
            fb_cli_diags(l->cli, &l->site.diags, l->options->json);
    }
    fb_buffer_release(&text);
    return fine && source != NULL;
}

static bool read_query(struct listing *l)
{
    const struct options *options = l->options;
    struct fb_guard_list *list = &l->list;
    if ((options->principal != NULL) == (options->resource != NULL))
        return fb_cli_wrong(l->cli, "list", "give --principal, to list resources, or --resource, to list principals%s",
                            options->principal != NULL ? "; not both" : "");
    if (options->action == NULL)
        return fb_cli_wrong(l->cli, "list", "--action is missing");
    if (options->groups.count != 0 && options->principal == NULL)
        return fb_cli_wrong(l->cli, "list", "--in goes with --principal");
    if (!read_uid(l, "--principal", options->principal, &list->principal)
        || !read_uid(l, "--resource", options->resource, &list->resource))
        return false;
    for (size_t i = 0; i < options->groups.count; i++)
        if (!read_uid(l, "--in", options->groups.list[i], &l->groups[i]))
            return false;
    list->parents = l->groups;
    list->parents_count = options->groups.count;
    const struct fb_schema_action *action = find_action(l);
    if (action == NULL)
        return false;
    list->action = action->uid;
    if (!settle_types(l, action) || !read_context(l, action))
        return false;
    if (options->after != NULL)
        list->after = fb_list_cursor_read(&l->site.arena, list->type, fb_span_z(options->after));
    return options->after == NULL || list->after != NULL
           || fb_cli_wrong(l->cli, "list", "--after: this is no cursor of a list of %.*s", (int)list->type.len,
                           list->type.ptr);
}

/* --- Pages ------------------------------------------------------------------------------------------- */

static void add_uid(struct listing *l, const struct fb_uid *uid)
{
    struct fb_buffer text;
    if (!l->options->json) {
        fb_uid_print(&l->out, uid);
        fb_buffer_add_char(&l->out, '\n');
        return;
    }
    fb_buffer_init(&text, &fb_heap, TEXT_CEILING);
    fb_uid_print(&text, uid);
    if (l->count != 0)
        fb_buffer_add_char(&l->out, ',');
    fb_buffer_add_json(&l->out, fb_buffer_span(&text));
    l->out.failed = l->out.failed || text.failed;
    fb_buffer_release(&text);
}

/* One page; *more: there may be another, behind list.after.  False after saying what is wrong. */
static bool list_page(struct listing *l, struct fb_guard *guard, bool *more)
{
    struct fb_list_page page;
    const char *why;
    uint64_t left = l->options->limit != 0 ? l->options->limit - l->count : UINT32_MAX;
    l->list.limit = left < FB_LIST_LIMIT_MAX ? (uint32_t)left : FB_LIST_LIMIT_MAX;
    enum fb_guard_listed listed = fb_guard_list(guard, &l->site.site, &l->list, &page, &why);
    if (listed == FB_LISTED_CANNOT)
        return fb_cli_wrong(l->cli, "list", "%s", why);
    if (listed == FB_LISTED_ACCOUNT)
        fprintf(l->cli->err, "forbid: nothing: the account is %s\n", why);
    for (uint32_t i = 0; i < page.count; i++, l->count++)
        add_uid(l, page.uids[i]);
    l->unindexed = l->unindexed || (listed == FB_LISTED && why[0] != '\0');
    l->visited += page.visited;
    l->evaluated += page.evaluated;
    l->list.after = page.next;
    *more = page.next != NULL;
    if (*more) { /* it must outlive the guard's arena */
        l->list.after = fb_uid_new(&l->site.arena, fb_uid_type(page.next), fb_uid_id(page.next));
        if (l->list.after == NULL)
            return fb_cli_wrong(l->cli, "list", "out of memory");
    }
    if (!l->options->json) {
        fb_cli_write(l->cli, &l->out);
        fb_buffer_clear(&l->out);
    }
    return true;
}

static bool list_all(struct listing *l, struct fb_guard *guard)
{
    bool more = true;
    if (l->options->json)
        fb_buffer_add_z(&l->out, l->list.principal != NULL ? "{\"resources\":[" : "{\"principals\":[");
    while (more && (l->options->limit == 0 || l->count < l->options->limit)) {
        bool fine = list_page(l, guard, &more);
        fb_guard_release(guard);
        if (!fine)
            return false;
    }
    return true;
}

/* An empty list for want of a store looks like one of a principal who may nothing. */
static void say_no_store(const struct listing *l)
{
    const struct fb_entity_set *set = fb_policies_entities(l->site.policies);
    if (l->count != 0 || l->options->store != NULL || fb_entity_set_has_type(set, l->list.type))
        return;
    fprintf(l->cli->err, "forbid: entities.json holds no %.*s, and no store was given: --store DIR\n", (int)l->list.type.len,
            l->list.type.ptr);
}

static int finish(struct listing *l)
{
    struct fb_buffer cursor;
    fb_buffer_init(&cursor, &fb_heap, TEXT_CEILING);
    if (l->list.after != NULL)
        fb_list_cursor_print(&cursor, l->list.after);
    if (l->options->json) {
        fb_buffer_add_char(&l->out, ']');
        if (cursor.len != 0)
            fb_buffer_add_format(&l->out, ",\"next\":\"%s\"", cursor.ptr);
        fb_buffer_add_format(&l->out, ",\"visited\":%llu,\"evaluated\":%llu}\n", (unsigned long long)l->visited,
                             (unsigned long long)l->evaluated);
        fb_cli_write(l->cli, &l->out);
    } else {
        fflush(l->cli->out);
        if (cursor.len != 0)
            fprintf(l->cli->err, "forbid: there may be more: --after %s\n", cursor.ptr);
        if (l->options->verbose)
            fprintf(l->cli->err, "forbid: %zu listed; %llu looked at, %llu evaluated\n", l->count,
                    (unsigned long long)l->visited, (unsigned long long)l->evaluated);
        if (l->unindexed && (l->options->verbose || l->visited >= MANY))
            fprintf(l->cli->err, "forbid: the store has no index of lists; `forbid entity index --store %s` makes one\n",
                    l->options->store);
    }
    say_no_store(l);
    bool whole = !l->out.failed && !cursor.failed;
    fb_buffer_release(&cursor);
    return whole ? FB_EXIT_OK : fb_cli_fail(l->cli, "list: out of memory");
}

static int run(struct listing *l, const char *dir)
{
    const struct fb_site_options options = {.store = l->options->store};
    int status = FB_EXIT_FAILED;
    fb_buffer_init(&l->out, &fb_heap, TEXT_CEILING);
    if (!fb_cli_site_open(&l->site, &options, dir)) {
        fb_cli_diags(l->cli, &l->site.diags, l->options->json);
    } else if (read_query(l)) {
        struct fb_guard *guard =
            fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = PAGE_CEILING});
        if (guard == NULL)
            fb_cli_fail(l->cli, "out of memory");
        else if (list_all(l, guard))
            status = finish(l);
        fb_guard_free(guard);
    }
    fb_cli_site_close(&l->site);
    fb_buffer_release(&l->out);
    return status;
}

int fb_cmd_list(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.json = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    struct listing *l = fb_alloc(&fb_heap, sizeof *l);
    if (l == NULL)
        return fb_cli_fail(cli, "out of memory");
    memset(l, 0, sizeof *l);
    l->cli = cli;
    l->options = &options;
    int status = run(l, words.list[0]);
    fb_free(&fb_heap, l, sizeof *l);
    return status;
}
