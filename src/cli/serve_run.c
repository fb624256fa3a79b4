/* SPDX-License-Identifier: Apache-2.0 */
/* nginx as a child in the foreground.  It has a process group of its own, so that a Control-C reaches
 * this process alone, which passes on what nginx should know; and it dies with its parent. */
#include "cli/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 10000 /* for nginx to listen */
#define LOOK_MS 20     /* between two looks */
#define OUTPUT_MAX ((size_t)1 << 20)

static void become_nginx(const struct fb_serve *serve, const char *config, bool test)
{
    /* A master that takes over another's sockets finds them in this variable. */
    unsetenv("NGINX");
    char *runtime = strdup(serve->runtime), *file = strdup(config);
    char nginx[] = "nginx", errors[] = "-e", to[] = "stderr", prefix[] = "-p", with[] = "-c", global[] = "-g",
         stay[] = "daemon off;", only[] = "-tq";
    char *const arguments[] = {nginx, errors, to, prefix, runtime, with, file, global, stay, test ? only : NULL, NULL};
    if (runtime == NULL || file == NULL)
        _exit(127);
    execv(serve->nginx, arguments);
    fprintf(stderr, "forbid: serve: %s: %s\n", serve->nginx, strerror(errno));
    _exit(127);
}

/* --- nginx -t ------------------------------------------------------------------------------------------ */

static void read_all(int fd, struct fb_buffer *out)
{
    for (;;) {
        char *room = fb_buffer_reserve(out, 4096);
        char spill[4096];
        ssize_t got = read(fd, room != NULL ? room : spill, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        if (room != NULL)
            out->len += (size_t)got;
    }
}

/* nginx's lines without their date and process: `nginx: [emerg] …`. */
static void show_output(const struct fb_serve *serve, struct fb_span text)
{
    struct fb_buffer safe;
    fb_buffer_init(&safe, &fb_heap, 2 * OUTPUT_MAX);
    while (text.len != 0) {
        size_t end = fb_span_find(text, '\n');
        fb_buffer_add_z(&safe, "  ");
        fb_buffer_add_safe(&safe, fb_span_head(text, end));
        fb_buffer_add_char(&safe, '\n');
        text = fb_span_from(text, end + 1);
    }
    if (safe.len != 0)
        fwrite(safe.ptr, 1, safe.len, serve->cli->err);
    fb_buffer_release(&safe);
}

bool fb_serve_test(struct fb_serve *serve, const char *config)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fb_cli_fail(serve->cli, "serve: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        become_nginx(serve, config, true);
    }
    close(ends[1]);
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, OUTPUT_MAX);
    int status = -1;
    if (child > 0) {
        read_all(ends[0], &text);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    bool fine = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!fine) {
        fb_cli_fail(serve->cli, "serve: nginx does not take the configuration:");
        show_output(serve, fb_buffer_span(&text));
    }
    fb_buffer_release(&text);
    return fine;
}

/* --- Serving --------------------------------------------------------------------------------------------- */

static bool listens(const struct fb_serve *serve)
{
    int fd = socket(serve->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool connected = connect(fd, &serve->address.any, serve->address_len) == 0;
    close(fd);
    return connected;
}

static void say_ready(const struct fb_serve *serve)
{
    fprintf(serve->cli->out, "forbid: listening on %s, in front of %s\n", serve->url, serve->options->upstream);
    fflush(serve->cli->out);
}

/* What is at fault is said here, as at the start: nginx would say it line by line among its own, and of success
 * nothing.  It is asked only for what it will take. */
static void read_again(const struct fb_serve *serve, pid_t child)
{
    struct fb_cli_site site;
    bool fine = fb_cli_site_open(&site, &serve->options->site, serve->dir) && fb_site_check(&site.site, &site.diags);
    if (!fine) {
        fb_cli_diags(serve->cli, &site.diags, false);
        fprintf(serve->cli->err, "forbid: serve: not read again; what was served before stays\n");
    } else if (kill(child, SIGHUP) == 0) {
        fprintf(serve->cli->out, "forbid: reading %s again\n", serve->dir);
        fflush(serve->cli->out);
    }
    fb_cli_site_close(&site);
}

/* How nginx ended, as our status. */
static int ended(const struct fb_serve *serve, int status, bool asked)
{
    if (asked && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return FB_EXIT_OK;
    if (WIFSIGNALED(status))
        return fb_cli_fail(serve->cli, "serve: nginx was ended by signal %d (%s)", WTERMSIG(status),
                           strsignal(WTERMSIG(status)));
    return fb_cli_fail(serve->cli, "serve: nginx ended with status %d", WEXITSTATUS(status));
}

/* Waits for signals and passes them on, until nginx has ended. */
static int attend(const struct fb_serve *serve, pid_t child, const sigset_t *signals)
{
    bool ready = false, asked = false;
    int waited = 0;
    for (;;) {
        const struct timespec pause = {.tv_sec = ready ? 3600 : 0, .tv_nsec = ready ? 0 : LOOK_MS * 1000000L};
        int got = sigtimedwait(signals, NULL, &pause), status;
        if (waitpid(child, &status, WNOHANG) == child)
            return ended(serve, status, asked);
        if (got == SIGINT || got == SIGTERM) {
            /* A second one does not wait for open requests. */
            kill(child, asked ? SIGTERM : SIGQUIT);
            asked = true;
        } else if (got == SIGHUP) {
            read_again(serve, child);
        } else if (got > 0 && got != SIGCHLD) {
            asked |= got == SIGQUIT;
            kill(child, got);
        }
        if (ready || asked)
            continue;
        ready = listens(serve);
        if (ready)
            say_ready(serve);
        else if ((waited += LOOK_MS) > START_MS) {
            kill(child, SIGTERM);
            waitpid(child, NULL, 0);
            return fb_cli_fail(serve->cli, "serve: nginx does not listen on %s after %d seconds", serve->listen,
                               START_MS / 1000);
        }
    }
}

int fb_serve_run(struct fb_serve *serve, const char *config)
{
    static const int passed[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD};
    sigset_t signals, before;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        sigaddset(&signals, passed[i]);
    sigprocmask(SIG_BLOCK, &signals, &before);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigprocmask(SIG_SETMASK, &before, NULL);
        /* The parent may have gone between the fork and the line above. */
        if (getppid() != parent)
            _exit(1);
        become_nginx(serve, config, false);
    }
    if (child < 0)
        return fb_cli_fail(serve->cli, "serve: %s", strerror(errno));
    int status = attend(serve, child, &signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
