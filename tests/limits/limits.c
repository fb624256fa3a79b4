/* SPDX-License-Identifier: Apache-2.0 */
/* Is there a text that brings the command down?  Each row of rows.c is written into a file and given to the
 * commands that read its kind: it must be answered, or refused with the stated fault at a place, within a
 * stated memory and 10 seconds of processor time.
 *
 *   limits FORBID       the rows that take little time; all of them if FB_SLOW is 1
 *
 * Its last line is `TOTALS passed failed skipped`. */
#include "limits.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_SECONDS 10u
#define OUTPUT_MAX 4096u
#define REQUEST "-l", "U::\"a\"", "-a", "Action::\"x\"", "-r", "U::\"a\""

/* `TEXT` is the file with the text, or for one on the command line the text. */
static const struct {
    enum command command;
    const char *args[16];
} commands[] = {
    {CHECK, {"check-parse", "-p", "TEXT"}},
    {VALIDATE, {"validate", "-p", "TEXT", "-s", "schema.cedarschema"}},
    {FORMAT, {"format", "-p", "TEXT"}},
    {TO_JSON, {"translate-policy", "--direction", "cedar-to-json", "-p", "TEXT"}},
    {AUTHORIZE, {"authorize", "-p", "TEXT", REQUEST}},
    {CHECK_JSON, {"check-parse", "--policy-format", "json", "-p", "TEXT"}},
    {TO_CEDAR, {"translate-policy", "--direction", "json-to-cedar", "-p", "TEXT"}},
    {CHECK_SCHEMA, {"check-parse", "-s", "TEXT"}},
    {SCHEMA_TO_JSON, {"translate-schema", "--direction", "cedar-to-json", "-s", "TEXT"}},
    {CHECK_SCHEMA_JSON, {"check-parse", "--schema-format", "json", "-s", "TEXT"}},
    {SCHEMA_TO_CEDAR, {"translate-schema", "--direction", "json-to-cedar", "-s", "TEXT"}},
    {CHECK_ENTITIES, {"check-parse", "--entities", "TEXT"}},
    {AUTHORIZE_ENTITIES, {"authorize", "-p", "policies.cedar", "--entities", "TEXT", REQUEST}},
    {AUTHORIZE_CONTEXT, {"authorize", "-p", "policies.cedar", "-c", "TEXT", REQUEST}},
    {EVALUATE, {"evaluate", "context.s.contains(5)", "-c", "TEXT"}},
    {CHECK_EXPRESSION, {"check-parse", "--expression", "TEXT"}},
};

static struct {
    unsigned passed, failed, skipped, peak_mebibytes;
    double most_seconds;
} totals;

/* --- The files ----------------------------------------------------------------------------------- */

static void put_part(FILE *file, const char *part, size_t number)
{
    for (; *part != '\0'; part++)
        if (*part == '#')
            fprintf(file, "%zu", number);
        else
            putc(*part, file);
}

/* Returns the length.  `0#` names what the next repetition has as `#`. */
static void write_row(FILE *file, const struct row *row)
{
    fputs(row->head, file);
    for (size_t i = 0; i < row->count; i++)
        put_part(file, row->part, i);
    fputs(row->middle, file);
    for (size_t i = 0; i < row->count && row->close[0] != '\0'; i++)
        fputs(row->close, file);
    fputs(row->tail, file);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static char *read_start(const char *path, size_t most)
{
    char *text = calloc(1, most + 1);
    FILE *file = fopen(path, "r");
    if (text == NULL || file == NULL)
        exit(1);
    text[fread(text, 1, most, file)] = '\0';
    fclose(file);
    return text;
}

/* --- One run -------------------------------------------------------------------------------------- */

struct outcome {
    int status; /* 128 + the signal, if one ended it */
    double seconds;
    unsigned mebibytes;
    char *said; /* the beginning of both outputs */
};

static void become(const char *forbid, const char *const *args, const char *text)
{
    const char *argv[20] = {forbid};
    for (size_t i = 0; args[i] != NULL; i++)
        argv[i + 1] = strcmp(args[i], "TEXT") == 0 ? text : args[i];
    int out = open("output", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
    if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || setrlimit(RLIMIT_CPU, &cpu) != 0)
        _exit(126);
    execv(forbid, (char *const *)(void *)argv);
    _exit(127);
}

static struct outcome run(const char *forbid, const char *const *args, const char *text)
{
    struct rusage usage;
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        become(forbid, args, text);
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        exit(1);
    return (struct outcome){
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        .seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                   + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
        .mebibytes = (unsigned)(usage.ru_maxrss / 1024),
        .said = read_start("output", OUTPUT_MAX),
    };
}

/* `NAME:LINE:COLUMN: error: … [CODE]`, or for what is not read at all no place. */
static bool is_refused(const struct outcome *outcome, const char *code)
{
    char bracketed[64];
    snprintf(bracketed, sizeof bracketed, "[%s]", code);
    const char *error = strstr(outcome->said, "error: "), *place = error;
    if (error == NULL || strstr(outcome->said, bracketed) == NULL || outcome->status == 0)
        return false;
    while (place > outcome->said && strchr("0123456789: ", place[-1]) != NULL)
        place--;
    unsigned line = 0, column = 0;
    return strcmp(code, "input.too_large") == 0 || sscanf(place, ":%u:%u: error", &line, &column) == 2;
}

static const char *fault_of(const struct outcome *outcome, const struct row *row)
{
    unsigned most = row->mebibytes != 0 ? row->mebibytes : 64;
    if (outcome->status >= 128)
        return outcome->status == 128 + SIGXCPU || outcome->status == 128 + SIGKILL ? "it took too long" : "it crashed";
    if (outcome->mebibytes > most)
        return "it took too much memory";
    if (row->code != NULL)
        return is_refused(outcome, row->code) ? NULL : "it was not refused with that fault";
    /* 2: deny; 3: not valid; 1 only where an evaluation has no value */
    if (outcome->status == 1 && strstr(outcome->said, "[evaluate.error]") == NULL)
        return "it was not answered";
    return NULL;
}

static void test(const char *forbid, const struct row *row, const char *const *args, const char *text)
{
    struct outcome outcome = run(forbid, args, text);
    const char *fault = fault_of(&outcome, row);
    printf("%s %s: %s%s%s (%.2f s, %u MiB)\n", fault == NULL ? "ok    " : "FAILED", args[0], row->name,
           fault != NULL ? ": " : "", fault != NULL ? fault : "", outcome.seconds, outcome.mebibytes);
    if (fault != NULL) {
        printf("status %d, wanted %s\n%.600s\n", outcome.status, row->code != NULL ? row->code : "an answer",
               outcome.said);
        totals.failed++;
    } else {
        totals.passed++;
    }
    if (outcome.mebibytes > totals.peak_mebibytes)
        totals.peak_mebibytes = outcome.mebibytes;
    if (outcome.seconds > totals.most_seconds)
        totals.most_seconds = outcome.seconds;
    free(outcome.said);
}

static void try_row(const char *forbid, const struct row *row)
{
    FILE *file = fopen("text", "w");
    if (file == NULL) {
        perror("text");
        exit(1);
    }
    write_row(file, row);
    if (fclose(file) != 0) {
        perror("text");
        exit(1);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if ((row->commands & (unsigned)commands[i].command) == 0)
            continue;
        char *text = commands[i].command == CHECK_EXPRESSION ? read_start("text", 100000) : NULL;
        test(forbid, row, commands[i].args, text != NULL ? text : "text");
        free(text);
    }
}

int main(int argc, char **argv)
{
    static char directory[] = "/tmp/forbid-limits-XXXXXX";
    const char *slow = getenv("FB_SLOW");
    char *forbid = argc == 2 ? realpath(argv[1], NULL) : NULL;
    if (forbid == NULL) {
        fputs("usage: limits FORBID\n", stderr);
        return 1;
    }
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) {
        perror(directory);
        return 1;
    }
    write_file("schema.cedarschema", "entity U; action x appliesTo {principal: U, resource: U};");
    write_file("policies.cedar",
               "permit(principal, action, resource) when { context has s && context.s.contains(5) };");
    for (size_t i = 0; i < fb_limits_rows_count; i++)
        if (!fb_limits_rows[i].slow || (slow != NULL && strcmp(slow, "1") == 0))
            try_row(forbid, &fb_limits_rows[i]);
    static const char *const files[] = {"text", "output", "schema.cedarschema", "policies.cedar"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    rmdir(directory);
    free(forbid);
    printf("at the most %.2f s and %u MiB\nTOTALS %u %u %u\n", totals.most_seconds, totals.peak_mebibytes,
           totals.passed, totals.failed, totals.skipped);
    return totals.failed != 0;
}
