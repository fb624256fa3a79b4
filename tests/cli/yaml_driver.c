/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what files of YAML are as JSON, a line each; of one that is refused `! CODE LINE:COLUMN`.  For
 * yaml_oracle.mjs. */
#include "cli/yaml.h"

#include <stdio.h>

static bool show(const char *path)
{
    struct fb_arena arena;
    struct fb_buffer text;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    fb_diags_init(&diags, &arena);
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    bool found = fb_buffer_read_file(&text, path) == 0;
    const struct fb_source source = {fb_span_z(path), fb_buffer_span(&text)};
    const struct fb_yaml *yaml = found ? fb_yaml_read(&arena, &source, &diags) : NULL;
    if (yaml != NULL) {
        printf("%.*s\n", (int)yaml->json.text.len, yaml->json.text.ptr);
    } else if (diags.count != 0) {
        struct fb_position at = fb_source_position(&source, diags.list[0].range.start);
        printf("! %s %u:%u\n", diags.list[0].code, at.line, at.column);
    }
    fb_buffer_release(&text);
    fb_arena_release(&arena);
    return found;
}

int main(int argc, char **argv)
{
    bool fine = argc > 1;
    for (int i = 1; i < argc; i++)
        fine &= show(argv[i]);
    return fine ? 0 : 1;
}
