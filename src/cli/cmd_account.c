/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid account`: the states of accounts.  What a step does from which state is the store's to say
 * (store.h has the table); here it is put in words. */
#include "cli/stores.h"

#include <time.h>

struct options {
    struct fb_stores_options store;
    const char *reason, *by, *state, *type;
};

static const char help[] =
    "An account's state beats all policies and attributes: one that is not active is refused on\n"
    "every route (403 account_suspended, account_disabled, account_deleted), from the next request\n"
    "on, in every worker, on connections that are open.  An account that was never named here is\n"
    "active.  Principals of every type have accounts: users, robots, services.\n"
    "\n"
    "  add       make it active; also brings a deleted one back\n"
    "  suspend   for a while; actions marked @accounts(\"suspended\") stay open to it\n"
    "  restore   end a suspension or a disabling\n"
    "  disable   until further notice\n"
    "  delete    for good: leaves a tombstone, so that adding the entity again is not enough\n"
    "  show      its state, with reason, time and who did it\n"
    "  list      all that were ever named\n"
    "\n"
    "  forbid account suspend --store /var/lib/forbid 'User::\"alice\"' --reason 'spam, ticket 812'\n"
    "  forbid account list --store /var/lib/forbid --state suspended --json\n"
    "\n"
    "Several accounts in one call change together or not at all.  `add` makes the store where there\n"
    "is none; give --group then, so that the server's workers may read it.\n"
    "\n"
    "Exit status: 0 done (also if there was nothing to do), 1 failed.\n";

static const struct { const char *name; enum fb_account_step step; } steps[] = {
    {"add", FB_ACCOUNT_ADD}, {"suspend", FB_ACCOUNT_SUSPEND}, {"restore", FB_ACCOUNT_RESTORE},
    {"disable", FB_ACCOUNT_DISABLE}, {"delete", FB_ACCOUNT_DELETE},
};
enum { STEPS = sizeof steps / sizeof *steps };

static int64_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- Printing --------------------------------------------------------------------------------------- */

static void print_json(struct fb_buffer *out, const struct fb_account *account, bool known)
{
    fb_buffer_add_char(out, '{');
    fb_stores_print_uid(out, account->uid);
    fb_buffer_add_format(out, ",\"state\":\"%s\",\"known\":%s", fb_account_state_names[account->state],
                         known ? "true" : "false");
    if (known) {
        fb_buffer_add_z(out, ",\"reason\":");
        fb_buffer_add_json(out, account->reason);
        fb_buffer_add_z(out, ",\"changed_at\":\"");
        fb_stores_print_time(out, account->changed_at);
        fb_buffer_add_z(out, "\",\"changed_by\":");
        fb_buffer_add_json(out, account->changed_by);
    }
    fb_buffer_add_char(out, '}');
}

static void print_line(struct fb_buffer *out, const struct fb_account *account, bool known)
{
    fb_buffer_add_format(out, "%-10s", fb_account_state_names[account->state]);
    fb_uid_print(out, account->uid);
    if (known) {
        fb_buffer_add_z(out, "  since ");
        fb_stores_print_time(out, account->changed_at);
        fb_buffer_add_z(out, " by ");
        fb_buffer_add_cedar(out, account->changed_by);
    } else {
        fb_buffer_add_z(out, "  never named here");
    }
    if (account->reason.len != 0) {
        fb_buffer_add_z(out, ": ");
        fb_buffer_add_cedar(out, account->reason);
    }
    fb_buffer_add_char(out, '\n');
}

/* Accounts one after the other, as lines or as one array. */
struct printer {
    struct fb_cli *cli;
    struct fb_buffer line;
    bool json;
    size_t count;
    int state;                  /* of those to be listed; -1: any */
};

static void print_account(struct printer *printer, const struct fb_account *account, bool known)
{
    fb_buffer_clear(&printer->line);
    if (!printer->json) {
        print_line(&printer->line, account, known);
    } else {
        fb_buffer_add_z(&printer->line, printer->count == 0 ? "[\n  " : ",\n  ");
        print_json(&printer->line, account, known);
    }
    printer->count++;
    fb_cli_write(printer->cli, &printer->line);
}

static void end_printing(struct printer *printer)
{
    if (printer->json)
        fputs(printer->count == 0 ? "[]\n" : "\n]\n", printer->cli->out);
    fb_buffer_release(&printer->line);
}

static bool list_one(void *context, const struct fb_account *account)
{
    struct printer *printer = context;
    if (printer->state < 0 || printer->state == (int)account->state)
        print_account(printer, account, true);
    return true;
}

/* --- Verbs --------------------------------------------------------------------------------------------- */

static int list(struct fb_cli *cli, const struct options *options, struct fb_store *store)
{
    struct printer printer = {.cli = cli, .json = options->store.json, .state = -1};
    struct fb_span names[FB_ACCOUNT_STATES];
    for (int i = 0; i < FB_ACCOUNT_STATES; i++) {
        names[i] = fb_span_z(fb_account_state_names[i]);
        if (options->state != NULL && fb_span_is(names[i], options->state))
            printer.state = i;
    }
    if (options->state != NULL && printer.state < 0)
        return fb_cli_fail(cli, "there is no state '%s'; it is one of active, suspended, disabled, deleted", options->state);
    fb_buffer_init(&printer.line, &fb_heap, 1u << 20);
    const struct fb_store_list what = {.type = fb_span_z(options->type)};
    struct fb_store_error error;
    enum fb_store_status status = fb_store_list_accounts(store, &what, list_one, &printer, &error);
    end_printing(&printer);
    return status == FB_STORE_OK ? FB_EXIT_OK : fb_cli_fail(cli, "%s", error.text);
}

static int show(struct fb_cli *cli, const struct options *options, struct fb_store *store,
                const struct fb_uid *const *uids, size_t count)
{
    struct printer printer = {.cli = cli, .json = options->store.json};
    int status = FB_EXIT_OK;
    fb_buffer_init(&printer.line, &fb_heap, 1u << 20);
    for (size_t i = 0; i < count; i++) {
        struct fb_account account;
        enum fb_found found = fb_store_find_account(store, uids[i], &account);
        if (found == FB_BROKEN)
            status = fb_cli_fail(cli, "the account's row is damaged");
        else
            print_account(&printer, &account, found == FB_FOUND);
    }
    end_printing(&printer);
    return status;
}

static int change(struct fb_cli *cli, const struct options *options, struct fb_store *store, enum fb_account_step step,
                  const struct fb_uid *const *uids, size_t count, struct fb_arena *arena)
{
    struct fb_store_error error;
    struct fb_account_change what = {.step = step, .reason = fb_span_z(options->reason), .at = wall_clock()};
    what.by = options->by != NULL ? fb_span_z(options->by) : fb_stores_actor(arena);
    enum fb_store_status status = fb_store_begin(store, &error);
    for (size_t i = 0; status == FB_STORE_OK && i < count; i++) {
        what.uid = uids[i];
        status = fb_store_change_account(store, &what, NULL, &error);
        if (status != FB_STORE_OK) {
            struct fb_buffer name;
            fb_buffer_init(&name, &fb_heap, 1u << 20);
            fb_uid_print(&name, uids[i]);
            fb_cli_fail(cli, "%s: %s", name.ptr != NULL ? name.ptr : "", error.text);
            fb_buffer_release(&name);
            fb_store_abort(store);
            return FB_EXIT_FAILED;
        }
    }
    if (status == FB_STORE_OK)
        status = fb_store_commit(store, &error);
    if (status != FB_STORE_OK)
        return fb_cli_fail(cli, "%s", error.text);
    return show(cli, options, store, uids, count);
}

/* `words`: the verb, then uids. */
static int run(struct fb_cli *cli, const struct options *options, const struct fb_words *words, struct fb_arena *arena)
{
    const struct fb_uid *uids[FB_WORDS_MAX];
    struct fb_span names[STEPS + 2] = {FB_SPAN("show"), FB_SPAN("list")};
    const char *verb = words->list[0];
    size_t step = 0, count = words->count - 1;
    for (size_t i = 0; i < STEPS; i++)
        names[i + 2] = fb_span_z(steps[i].name);
    while (step < STEPS && strcmp(verb, steps[step].name) != 0)
        step++;
    bool listing = strcmp(verb, "list") == 0, showing = strcmp(verb, "show") == 0;
    if (step == STEPS && !listing && !showing) {
        struct fb_span near = fb_did_you_mean(fb_span_z(verb), names, STEPS + 2);
        return fb_cli_fail(cli, "account: there is no '%s'; %s%.*s%s", verb,
                           near.len != 0 ? "did you mean '" : "`forbid account --help` lists what there is",
                           (int)near.len, near.ptr != NULL ? near.ptr : "", near.len != 0 ? "'?" : "");
    }
    if (listing ? count != 0 : count == 0)
        return fb_cli_fail(cli, listing ? "account list takes no uid; `account show` does"
                                        : "which account?  Give its uid: 'User::\"alice\"'");
    for (size_t i = 0; i < count; i++)
        if ((uids[i] = fb_stores_uid(cli, arena, words->list[i + 1])) == NULL)
            return FB_EXIT_FAILED;
    bool changing = step < STEPS;
    struct fb_store *store = fb_stores_open(cli, &options->store, changing,
                                            changing && steps[step].step == FB_ACCOUNT_ADD);
    if (store == NULL)
        return FB_EXIT_FAILED;
    int status = listing   ? list(cli, options, store)
                 : showing ? show(cli, options, store, uids, count)
                           : change(cli, options, store, steps[step].step, uids, count, arena);
    fb_store_close(store);
    return status;
}

int fb_cmd_account(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.state = NULL};
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "store", "DIR", "the store's directory", &options.store.store},
        {FB_OPTION_TEXT, 0, "reason", "TEXT", "why; kept with the state, at most 1000 bytes", &options.reason},
        {FB_OPTION_TEXT, 0, "by", "NAME", "who; else the user who runs this", &options.by},
        {FB_OPTION_TEXT, 0, "state", "STATE", "list only those in this state", &options.state},
        {FB_OPTION_TEXT, 0, "type", "TYPE", "list only those of this type", &options.type},
        {FB_OPTION_TEXT, 0, "group", "GROUP", "who may read a store that `add` makes", &options.store.group},
        {FB_OPTION_FLAG, 0, "json", NULL, "print JSON", &options.store.json},
    };
    const struct fb_usage usage = {
        .verb = "account",
        .synopsis = "forbid account add|suspend|restore|disable|delete|show --store DIR UID… [--reason TEXT]\n"
                    "       forbid account list --store DIR [--state STATE] [--type TYPE]",
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
    fb_arena_init(&arena, &fb_heap, 16u << 20);
    int status = run(cli, &options, &words, &arena);
    fb_arena_release(&arena);
    return status;
}
