/* SPDX-License-Identifier: Apache-2.0 */
/* The workers read the store as a user of their own.  Whether they can is found out by doing it, in a
 * child that becomes that user: a server that starts and then answers 503 to everybody helps
 * nobody. */
#include "cli/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct proof {
    enum fb_store_status status;
    char text[1024];
};

static void prove_as_worker(const struct fb_serve *serve, const char *dir, struct proof *proof)
{
    if (serve->root
        && (initgroups(serve->user, serve->gid) != 0 || setgid(serve->gid) != 0 || setuid(serve->uid) != 0)) {
        proof->status = FB_STORE_FAILED;
        snprintf(proof->text, sizeof proof->text, "the user %s could not be taken on: %s", serve->user,
                 strerror(errno));
        return;
    }
    struct fb_store_reader *reader = fb_store_reader_new(dir, &(struct fb_store_reader_options){.allocator = &fb_heap});
    if (reader == NULL) {
        proof->status = FB_STORE_MEMORY;
        return;
    }
    proof->status = fb_store_snapshot(reader, fb_store_clock());
    struct fb_store_state state;
    fb_store_reader_state(reader, &state);
    if (proof->status != FB_STORE_OK && state.text != NULL)
        snprintf(proof->text, sizeof proof->text, "%s", state.text);
    fb_store_release(reader);
    fb_store_reader_free(reader);
}

/* In a child: what is opened must not be carried through the fork of nginx. */
static struct proof prove(const struct fb_serve *serve, const char *dir)
{
    struct proof proof = {.status = FB_STORE_FAILED};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(proof.text, sizeof proof.text, "%s", strerror(errno));
        return proof;
    }
    pid_t child = fork();
    if (child == 0) {
        prove_as_worker(serve, dir, &proof);
        ssize_t wrote = write(ends[1], &proof, sizeof proof);
        _exit(wrote == (ssize_t)sizeof proof ? 0 : 1);
    }
    close(ends[1]);
    struct proof told;
    if (child > 0 && read(ends[0], &told, sizeof told) == (ssize_t)sizeof told)
        proof = told;
    else
        snprintf(proof.text, sizeof proof.text, "it kills who reads it; it is damaged");
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return proof;
}

/* One of the store's files to the workers' group, through a descriptor: a name might be switched. */
static bool give(int dir, const char *name, gid_t group, mode_t mode)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT;
    bool fine = fchown(fd, (uid_t)-1, group) == 0 && fchmod(fd, mode) == 0;
    close(fd);
    return fine;
}

static bool give_to_group(const struct fb_serve *serve, const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool fine = give(fd, "data.mdb", serve->gid, 0640) && give(fd, "lock.mdb", serve->gid, 0660)
                && give(fd, ".", serve->gid, 02750);
    close(fd);
    return fine;
}

/* Only what `forbid` made as root for nobody in particular: root's own directory and group.  A store that
 * its owner gave to some group is left as it is. */
static bool is_roots_own(const char *dir)
{
    struct stat st;
    return stat(dir, &st) == 0 && st.st_uid == 0 && st.st_gid == 0;
}

bool fb_serve_prove_store(struct fb_serve *serve)
{
    const char *dir = serve->options->site.store;
    if (dir == NULL)
        return true;
    struct proof proof = prove(serve, dir);
    if (proof.status == FB_STORE_DENIED && serve->root && serve->gid != 0 && is_roots_own(dir)
        && give_to_group(serve, dir)) {
        proof = prove(serve, dir);
        if (proof.status == FB_STORE_OK)
            fprintf(serve->cli->err, "forbid: serve: the store %s now belongs to the workers' group\n", dir);
    }
    if (proof.status == FB_STORE_OK)
        return true;
    fb_cli_fail(serve->cli, "serve: the store %s cannot be read%s%s: %s", dir,
                serve->root ? " by the workers' user " : "", serve->root ? serve->user : "",
                proof.text[0] != '\0' ? proof.text : fb_store_codes[proof.status]);
    if (proof.status == FB_STORE_DENIED)
        fprintf(serve->cli->err,
                "  chgrp -R GROUP %s, with the group of that user, lets it in; so must the directories above\n", dir);
    return false;
}
