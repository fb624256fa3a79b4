/* SPDX-License-Identifier: Apache-2.0 */
/* A file written anew, whole or not at all: beside the old one, then in its place.  A link stays a link, and
 * the mode stays what it was. */
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_MODE 0644

static bool write_all(int fd, struct fb_span text)
{
    while (text.len != 0) {
        ssize_t wrote = write(fd, text.ptr, text.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text = fb_span_from(text, (size_t)wrote);
    }
    return true;
}

bool fb_inputs_write(struct fb_inputs *inputs, const char *path, struct fb_span text)
{
    struct stat status = {.st_mode = NEW_MODE};
    char *real = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    char *beside = fb_arena_text(&inputs->arena, fb_arena_format(&inputs->arena, "%s.XXXXXX", target));
    bool good = beside != NULL && (real != NULL ? stat(real, &status) == 0 : errno == ENOENT);
    int fd = good ? mkstemp(beside) : -1;
    good = fd >= 0 && fchmod(fd, status.st_mode & 07777) == 0 && write_all(fd, text) && fsync(fd) == 0
           && rename(beside, target) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlink(beside);
    free(real);
    return good || fb_inputs_fault(inputs, "output.unwritable", "%s: %s", path, strerror(error));
}
