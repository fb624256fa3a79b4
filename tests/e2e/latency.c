/* SPDX-License-Identifier: Apache-2.0 */
/* Two kinds of requests on one connection, in random order, each sent when the one before was answered; and whether
 * their latencies tell them apart (src/cli/auc.h).
 *
 *      latency PORT COUNT SEED [spin] < requests
 *
 * Of COUNT requests half are of either kind.  Standard input has the two kinds, `===` on a line of its own between
 * them, and requests as they go out, each ended by a line `---`; of each kind the next is taken in turn.  All answers
 * must be of one length.  Waits in recv(), or asks without end where it may `spin`.  Prints JSON: area and errors of
 * the classifier, the area that it would have found had the second kind taken 5 microseconds longer (so, whether it
 * could have seen that), the medians in microseconds, the status. */
#include "cli/auc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 60u
#define TEXTS_MAX 65536u
#define ANSWER_MAX 65536u

struct kind {
    char *texts[TEXTS_MAX];
    size_t lengths[TEXTS_MAX];
    size_t count, next;
    double *samples;
    size_t samples_count;
};

static struct kind kinds[2];
static uint64_t state;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "latency: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void read_requests(void)
{
    char *line = NULL, *text = NULL;
    size_t room = 0, len = 0;
    struct kind *kind = &kinds[0];
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
        if (strcmp(line, "===\n") == 0) {
            kind = &kinds[1];
        } else if (strcmp(line, "---\n") == 0) {
            if (kind->count == TEXTS_MAX)
                fail("too many requests");
            kind->texts[kind->count] = text;
            kind->lengths[kind->count++] = len;
            text = NULL;
            len = 0;
        } else {
            /* Lines end as HTTP's do. */
            text = realloc(text, len + (size_t)n + 2);
            if (text == NULL)
                fail("no memory");
            memcpy(text + len, line, (size_t)n - 1);
            memcpy(text + len + n - 1, "\r\n", 2);
            len += (size_t)n + 1;
        }
    }
    free(line);
    if (kinds[0].count == 0 || kinds[1].count == 0)
        fail("no requests");
}

static int dial(uint16_t port)
{
    const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&peer, sizeof peer) != 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        fail("connect");
    return fd;
}

/* Bytes of the answer once it is whole, by its Content-Length (0 for HEAD, which has no body); 0: not yet. */
static size_t whole(const char *answer, size_t len)
{
    const char *end = memmem(answer, len, "\r\n\r\n", 4), *field;
    if (end == NULL)
        return 0;
    field = memmem(answer, (size_t)(end - answer), "Content-Length: ", 16);
    size_t head = (size_t)(end - answer) + 4, body = field != NULL ? strtoul(field + 16, NULL, 10) : 0;
    return len >= head + body ? head + body : 0;
}

/* One request and its whole answer; nanoseconds. */
static uint64_t ask(int fd, bool spin, const char *text, size_t len, char *answer, size_t *got)
{
    uint64_t begun = now_ns();
    if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("send");
    for (*got = 0;;) {
        ssize_t n = recv(fd, answer + *got, ANSWER_MAX - *got, spin ? MSG_DONTWAIT : 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            fail("recv");
        *got += n > 0 ? (size_t)n : 0;
        if (n > 0 && whole(answer, *got) != 0)
            return now_ns() - begun;
    }
}

static int by_value(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static double median(const struct kind *kind)
{
    qsort(kind->samples, kind->samples_count, sizeof *kind->samples, by_value);
    return kind->samples[kind->samples_count / 2] / 1000;
}

/* Kinds shuffled, so that neither stands more often behind itself, or early. */
static unsigned char *shuffled(size_t count)
{
    unsigned char *order = malloc(count);
    if (order == NULL)
        fail("no memory");
    for (size_t i = 0; i < count; i++)
        order[i] = (unsigned char)(i % 2);
    for (size_t i = count; i > 1; i--) {
        size_t k = below(i);
        unsigned char kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
    return order;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage: latency PORT COUNT SEED [spin] < requests");
    size_t count = strtoul(argv[2], NULL, 10) + WARM_UP, length = 0;
    bool spin = argc > 4 && strcmp(argv[4], "spin") == 0;
    state = strtoull(argv[3], NULL, 10) * 2685821657736338717u + 88172645463325252u;
    static char answer[ANSWER_MAX], status[4];
    read_requests();
    unsigned char *order = shuffled(count);
    for (int i = 0; i < 2; i++)
        if ((kinds[i].samples = malloc(count * sizeof(double))) == NULL)
            fail("no memory");
    int fd = dial((uint16_t)strtoul(argv[1], NULL, 10));
    for (size_t i = 0; i < count; i++) {
        struct kind *kind = &kinds[order[i]];
        size_t got, which = kind->next++ % kind->count;
        uint64_t ns = ask(fd, spin, kind->texts[which], kind->lengths[which], answer, &got);
        if (length == 0)
            memcpy(status, answer + 9, 3);
        if ((length != 0 && got != length) || memcmp(answer + 9, status, 3) != 0) {
            fprintf(stderr, "latency: answers differ: %zu bytes and %zu, %s and %.3s\n", length, got, status, answer + 9);
            return 1;
        }
        length = got;
        if (i >= WARM_UP)
            kind->samples[kind->samples_count++] = (double)ns;
    }
    struct fb_auc auc, shifted;
    if (!fb_auc(kinds[0].samples, kinds[0].samples_count, kinds[1].samples, kinds[1].samples_count, &auc))
        fail("no memory");
    double medians[2] = {median(&kinds[0]), median(&kinds[1])};
    for (size_t i = 0; i < kinds[1].samples_count; i++)
        kinds[1].samples[i] += 5000;
    if (!fb_auc(kinds[0].samples, kinds[0].samples_count, kinds[1].samples, kinds[1].samples_count, &shifted))
        fail("no memory");
    printf("{\"area\":%.4f,\"error\":%.4f,\"error_null\":%.4f,\"shifted\":%.4f,\"medians\":[%.2f,%.2f],\"count\":%zu,\"status\":%s,"
           "\"bytes\":%zu}\n", auc.area, auc.error, auc.error_null, shifted.area, medians[0], medians[1], count - WARM_UP, status, length);
    close(fd);
    return 0;
}
