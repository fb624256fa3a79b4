/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid test --watch`: waits for a change of what the tests read, and until it is quiet, as editors write a file in
 * several steps.  Directories are watched, not files: a file that is replaced is another one. */
#include "cli/test.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET_MS 100
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR)

static volatile sig_atomic_t *caught; /* of the one command that a process runs */

static void on_signal(int number)
{
    (void)number;
    *caught = 1;
}

void fb_test_catch(volatile sig_atomic_t *stop)
{
    struct sigaction action = {.sa_handler = on_signal};
    caught = stop;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN; /* temporary stores go away even if nobody reads to the end */
    sigaction(SIGPIPE, &action, NULL);
}

/* Hidden files and the copies that editors leave are nobody's. */
static bool matters(const struct inotify_event *event)
{
    size_t len = event->len != 0 ? strlen(event->name) : 0;
    return len != 0 && event->name[0] != '.' && event->name[0] != '#' && event->name[len - 1] != '~';
}

/* Takes what is there; true if any of it matters. */
static bool drain(int fd)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool any = false;
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
        for (char *at = bytes; at < bytes + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            any |= matters(event) || (event->mask & IN_Q_OVERFLOW) != 0;
            at += sizeof *event + event->len;
        }
    return any;
}

static bool watch(struct fb_cli *cli, int fd, const char *dir, bool must)
{
    if (inotify_add_watch(fd, dir, EVENTS) >= 0 || (!must && errno == ENOENT))
        return true;
    fb_cli_fail(cli, "test: %s cannot be watched: %s", dir, strerror(errno));
    return false;
}

static bool watch_all(struct fb_cli *cli, const char *dir, const struct fb_tests *tests, int *fd)
{
    if (*fd < 0)
        *fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char *below = NULL;
    struct fb_buffer path;
    fb_buffer_init(&path, &fb_heap, (size_t)1 << 16);
    fb_buffer_add_format(&path, "%s/tests", dir);
    below = path.ptr;
    bool fine = *fd >= 0 && below != NULL;
    if (!fine)
        fb_cli_fail(cli, "test: nothing can be watched: %s", strerror(errno));
    fine = fine && watch(cli, *fd, dir, true) && watch(cli, *fd, below, false);
    for (size_t i = 0; fine && i < tests->outside_count; i++)
        if (tests->outside[i] != NULL)
            fine = watch(cli, *fd, tests->outside[i], false);
    fb_buffer_release(&path);
    return fine;
}

bool fb_test_wait(struct fb_cli *cli, const char *dir, const struct fb_tests *tests, int *fd,
                  const volatile sig_atomic_t *stop)
{
    sigset_t held, before;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    /* Between the look at *stop and the wait a signal must not get lost: it comes through while it is waited, only. */
    sigprocmask(SIG_BLOCK, &held, &before);
    bool changed = false;
    if (watch_all(cli, dir, tests, fd)) {
        const struct timespec quiet = {.tv_nsec = QUIET_MS * 1000000L};
        while (!*stop) {
            struct pollfd poll = {.fd = *fd, .events = POLLIN};
            int ready = ppoll(&poll, 1, changed ? &quiet : NULL, &before);
            if (ready == 0)
                break;
            if (ready > 0)
                changed |= drain(*fd);
            else if (errno != EINTR)
                break;
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return changed && !*stop;
}
