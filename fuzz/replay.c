/* SPDX-License-Identifier: Apache-2.0 */
/* The main of a target in builds without libFuzzer: feeds every file of a corpus directory and reports each
 * as a test.  An empty corpus is a failure, since a replay that fed nothing has shown nothing. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In a piece of its own size, so that the sanitizer sees a byte too far.  False: cannot be read. */
static bool feed(const char *path)
{
    struct fb_buffer bytes;
    fb_buffer_init(&bytes, &fb_heap, (size_t)16 << 20);
    bool read = fb_buffer_read_file(&bytes, path) == 0;
    uint8_t *exact = malloc(bytes.len + (bytes.len == 0));
    if (read && exact != NULL) {
        if (bytes.len != 0)
            memcpy(exact, bytes.ptr, bytes.len);
        (void)LLVMFuzzerTestOneInput(exact, bytes.len);
    }
    read = read && exact != NULL;
    free(exact);
    fb_buffer_release(&bytes);
    return read;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc == 2 ? scandir(argv[1], &entries, is_input, by_name) : -1, failed = count <= 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)printf("1..%d\n", count > 0 ? count : 1);
    if (count <= 0)
        (void)printf("not ok 1 - fed nothing: %s\n", argc == 2 ? argv[1] : "usage: replay CORPUS");
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        bool fed = feed(path);
        (void)printf("%sok %d - %s\n", fed ? "" : "not ", i + 1, entries[i]->d_name);
        failed |= !fed;
        free(entries[i]);
    }
    free(entries);
    return failed;
}
