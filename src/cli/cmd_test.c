/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid test`: answers that must hold, kept beside the policies; decided by the steps that the server takes. */
#include "cli/test.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define TEXT_CEILING ((size_t)256 << 20)

struct options {
    struct fb_site_options site;
    const char *only, *coverage, *lcov, *junit, *error_format;
    bool verbose, all, json, tap, watch;
};

static const char help[] =
    "Decides the requests in DIR/tests as the server would, and says which answers are not the\n"
    "ones expected, where, and why. They are files of YAML, or of JSON:\n"
    "\n"
    "  entities:\n"
    "    - { uid: { type: User, id: \"123\" }, attrs: {}, parents: [] }\n"
    "  tests:\n"
    "    - request: GET /users/123\n"
    "      as: User::\"123\"\n"
    "      expect: forward\n"
    "    - request: GET /users/456\n"
    "      as: User::\"123\"\n"
    "      expect: { status: 403, reason: not_owner }\n"
    "    - request: GET /users/123\n"
    "      expect: { status: 401, challenge: { error: null } }\n"
    "\n"
    "docs/testing.md has all of it. Then\n"
    "\n"
    "  forbid test policies                  what does not hold, a summary, coverage\n"
    "  forbid test policies -v               each test, and what no test is about\n"
    "  forbid test policies --watch          again whenever a file changes\n"
    "  forbid test policies --lcov lcov.info coverage of policies and clauses, for editors\n"
    "\n"
    "Exit status: 0 all tests hold, 3 some do not, 1 the command failed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "only", "TEXT", "only tests with this in their names", &options->only},
        {FB_OPTION_FLAG, 'v', "verbose", NULL, "each test, and what coverage lacks", &options->verbose},
        {FB_OPTION_FLAG, 0, "all", NULL, "show policies that had no part in a failure, too", &options->all},
        {FB_OPTION_FLAG, 0, "watch", NULL, "run again whenever a file changes; an interrupt ends it", &options->watch},
        {FB_OPTION_FLAG, 0, "json", NULL, "all of it as one JSON object", &options->json},
        {FB_OPTION_FLAG, 0, "tap", NULL, "as TAP, for test harnesses", &options->tap},
        {FB_OPTION_TEXT, 0, "coverage", "FILE", "write coverage as JSON", &options->coverage},
        {FB_OPTION_TEXT, 0, "lcov", "FILE", "write coverage as lcov's tracefile", &options->lcov},
        {FB_OPTION_TEXT, 0, "junit", "FILE", "write the results as JUnit's XML, for CI servers", &options->junit},
        {FB_OPTION_TEXT, 0, "geo", "FILE", "location data (MaxMind DB format)", &options->site.geo},
        {FB_OPTION_TEXT, 0, "disclose", "LEVEL", "what a refusal tells, where a test does not say", &options->site.disclose},
        {FB_OPTION_TEXT, 0, "disclose-anonymous", "LEVEL", "the same to those who are not signed in",
         &options->site.disclose_anonymous},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of faults: human, plain or json", &options->error_format},
    };
    const struct fb_usage usage = {
        .verb = "test",
        .synopsis = "forbid test DIR [-v] [--watch] [--json | --tap] [--coverage FILE] [--lcov FILE]\n"
                    "            [--junit FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
        .words_min = 1,
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool write_text(struct fb_cli *cli, const char *path, const struct fb_buffer *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool fine = fd >= 0 && !text->failed;
    for (size_t at = 0; fine && at < text->len;) {
        ssize_t wrote = write(fd, text->ptr + at, text->len - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        fine = wrote > 0;
        at += fine ? (size_t)wrote : 0;
    }
    fine = (fd < 0 || close(fd) == 0) && fine;
    if (!fine)
        fb_cli_fail(cli, "test: %s: %s", path, text->failed ? "out of memory" : strerror(errno));
    return fine;
}

static bool write_coverage(struct fb_cli *cli, const struct options *options, const struct fb_cover *cover)
{
    struct fb_buffer text;
    bool fine = true;
    fb_buffer_init(&text, &fb_heap, TEXT_CEILING);
    if (options->coverage != NULL) {
        fb_cover_print_json(&text, cover);
        fb_buffer_add_char(&text, '\n');
        fine = write_text(cli, options->coverage, &text);
    }
    fb_buffer_clear(&text);
    if (options->lcov != NULL) {
        fb_cover_print_lcov(&text, cover);
        fine &= write_text(cli, options->lcov, &text);
    }
    fb_buffer_release(&text);
    return fine;
}

struct round {
    struct fb_cli *cli;
    const struct options *options;
    const char *dir;
    bool json_errors;
    const volatile sig_atomic_t *stop;
};

static int run(const struct round *round, const struct fb_cli_site *site, const struct fb_tests *tests)
{
    const struct options *options = round->options;
    struct fb_cover cover;
    int status = FB_EXIT_FAILED;
    if (!fb_cover_init(&cover, site->policies)) {
        fb_cli_fail(round->cli, "test: out of memory");
    } else {
        struct fb_test_run run = {.cli = round->cli, .site = site, .tests = tests, .dir = round->dir,
                                  .only = options->only, .verbose = options->verbose, .all = options->all, .stop = round->stop,
                                  .form = options->json ? FB_TEST_JSON : options->tap ? FB_TEST_TAP : FB_TEST_TEXT,
                                  .cover = &cover, .wants_junit = options->junit != NULL};
        fb_buffer_init(&run.json, &fb_heap, TEXT_CEILING);
        fb_buffer_init(&run.junit, &fb_heap, TEXT_CEILING);
        if (fb_test_run(&run) && write_coverage(round->cli, options, &cover)
            && (options->junit == NULL || write_text(round->cli, options->junit, &run.junit)))
            status = run.failed == 0 ? FB_EXIT_OK : FB_EXIT_INVALID;
        fb_buffer_release(&run.junit);
        fb_buffer_release(&run.json);
    }
    fb_cover_release(&cover);
    return status;
}

/* All is read anew; *tests is left for who waits for their next change. */
static int play(const struct round *round, struct fb_tests *tests)
{
    struct fb_cli_site site;
    int status = FB_EXIT_FAILED;
    *tests = (struct fb_tests){.schema = NULL};
    if (!fb_cli_site_open(&site, &round->options->site, round->dir)) {
        fb_cli_diags(round->cli, &site.diags, round->json_errors);
    } else if (!fb_tests_read(tests, round->dir, fb_policies_schema(site.policies))) {
        fb_cli_diags(round->cli, &tests->diags, round->json_errors);
    } else {
        status = run(round, &site, tests);
    }
    fb_cli_site_close(&site);
    return status;
}

static void say_again(struct fb_cli *cli)
{
    struct timespec now;
    struct tm fields;
    char text[16] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &fields) != NULL)
        strftime(text, sizeof text, "%H:%M:%S", &fields);
    fprintf(cli->out, "\n--- %s\n", text);
}

/* It is watched before anything is read, so that no change gets lost. */
static int play_all(const struct round *round)
{
    const struct options *options = round->options;
    struct fb_test_watch watch = {.cli = round->cli, .dir = round->dir, .fd = -1,
                                  .written = {options->coverage, options->lcov, options->junit}};
    int status = FB_EXIT_FAILED;
    for (bool again = !options->watch || fb_test_watch(&watch, NULL); again;) {
        struct fb_tests tests;
        status = play(round, &tests);
        fflush(round->cli->out);
        again = options->watch && fb_test_watch(&watch, &tests);
        if (tests.arena.allocator != NULL)
            fb_tests_release(&tests);
        again = again && fb_test_wait(&watch, round->stop);
        if (again && !options->json && !options->tap)
            say_again(round->cli);
    }
    if (watch.fd >= 0)
        close(watch.fd);
    return status;
}

int fb_cmd_test(struct fb_cli *cli, int argc, char **argv)
{
    static volatile sig_atomic_t stop;
    struct options options = {.json = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    struct round round = {.cli = cli, .options = &options, .dir = words.list[0], .stop = &stop};
    if (!fb_cli_error_format(cli, options.error_format, &round.json_errors))
        return FB_EXIT_FAILED;
    if (options.json && options.tap)
        return fb_cli_fail(cli, "test: --json and --tap are two forms of one output; choose one");
    fb_test_catch(&stop);
    return play_all(&round);
}
