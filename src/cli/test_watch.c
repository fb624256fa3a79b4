/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid test --watch`: waits for a change of what the tests read, and until it is quiet, as editors write a file in
 * several steps.  Directories are watched, not files: a file that is replaced is another one. */
#include "cli/test.h"

#include "cli/yaml.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET_MS 100
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_ONLYDIR)

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

static bool ends(struct fb_span name, const char *suffix)
{
    size_t len = strlen(suffix);
    return name.len > len && fb_span_is(fb_span_from(name, name.len - len), suffix);
}

/* The last part of a path. */
static struct fb_span base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return fb_span_z(slash != NULL ? slash + 1 : path);
}

/* Of what is read; hidden files are those of editors, and what is written here is no reason to write it again. */
static bool matters(const struct fb_test_watch *watch, const struct inotify_event *event)
{
    if ((event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF)) != 0)
        return true;
    struct fb_span name = event->len != 0 ? fb_span_z(event->name) : FB_SPAN("");
    for (size_t i = 0; i < sizeof watch->written / sizeof watch->written[0]; i++)
        if (watch->written[i] != NULL && fb_span_eq(base_of(watch->written[i]), name))
            return false;
    return name.len != 0 && name.ptr[0] != '.'
           && (ends(name, ".cedar") || ends(name, ".cedarschema") || ends(name, ".json") || fb_yaml_is(name)
               || fb_span_is(name, "tests"));
}

/* Takes what is there; true if any of it matters. */
static bool drain(const struct fb_test_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool any = false;
    for (ssize_t n; (n = read(watch->fd, bytes, sizeof bytes)) > 0;)
        for (char *at = bytes; at < bytes + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            any |= matters(watch, event);
            at += sizeof *event + event->len;
        }
    return any;
}

static bool add(const struct fb_test_watch *watch, const char *dir, bool must)
{
    if (inotify_add_watch(watch->fd, dir, EVENTS) >= 0 || (!must && errno == ENOENT))
        return true;
    fb_cli_fail(watch->cli, "test: %s cannot be watched: %s", dir, strerror(errno));
    return false;
}

bool fb_test_watch(struct fb_test_watch *watch, const struct fb_tests *tests)
{
    struct fb_buffer path;
    if (watch->fd < 0)
        watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        fb_cli_fail(watch->cli, "test: nothing can be watched: %s", strerror(errno));
        return false;
    }
    fb_buffer_init(&path, &fb_heap, (size_t)1 << 16);
    fb_buffer_add_format(&path, "%s/tests", watch->dir);
    bool fine = add(watch, watch->dir, true) && !path.failed && add(watch, path.ptr, false);
    for (size_t i = 0; fine && tests != NULL && i < tests->outside_count; i++)
        if (tests->outside[i] != NULL)
            fine = add(watch, tests->outside[i], false);
    fb_buffer_release(&path);
    return fine;
}

bool fb_test_wait(struct fb_test_watch *watch, const volatile sig_atomic_t *stop)
{
    const struct timespec quiet = {.tv_nsec = QUIET_MS * 1000000L};
    sigset_t held, before;
    bool changed = false;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    /* Between the look at *stop and the wait a signal must not get lost: it comes through while it is waited, only. */
    sigprocmask(SIG_BLOCK, &held, &before);
    while (!*stop) {
        struct pollfd poll = {.fd = watch->fd, .events = POLLIN};
        int ready = ppoll(&poll, 1, changed ? &quiet : NULL, &before);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            break;
        if (ready > 0)
            changed |= drain(watch);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return changed && !*stop;
}
