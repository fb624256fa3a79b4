/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a policy directory and is read by nobody.  A policy in a folder, or in a file whose
 * name ends otherwise, protects nothing, and whoever put it there believes that it does.  The server
 * itself is silent about it; `check` and `validate` warn. */
#include "guard/loaded.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends(struct fb_span name, const char *suffix)
{
    size_t n = strlen(suffix);
    return name.len > n && fb_span_is(fb_span_from(name, name.len - n), suffix);
}

/* Read by the server, by `forbid test`, or by people. */
static bool is_known(struct fb_span name, bool folder)
{
    static const char *const whole[] = {"schema.cedarschema", "entities.json", "LICENSE", "README", "Makefile"};
    if (folder)
        return fb_span_is(name, "tests");
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (fb_span_is(name, whole[i]))
            return true;
    return ends(name, ".cedar") || ends(name, ".md");
}

static const char *hint_for(struct fb_span name, bool folder)
{
    if (folder)
        return "policies are read from the directory itself, not from folders in it; move them up, or the folder elsewhere";
    if (ends(name, ".cedarschema") || ends(name, ".cedarschema.json"))
        return "there is one schema, schema.cedarschema; namespaces of several applications stand in it together";
    if (ends(name, ".json"))
        return "entities are read from entities.json alone; tests lie in tests/";
    return "policies are read from files whose names end in .cedar";
}

static void warn(const char *dir, struct fb_span name, bool folder, struct fb_diags *diags)
{
    fb_diag_add(diags, FB_WARNING, "load.unread", NULL, (struct fb_range){0, 0}, "%s/%.*s: nobody reads this %s", dir,
                (int)name.len, name.ptr, folder ? "folder" : "file")
        ->hint = fb_span_z(hint_for(name, folder));
}

static int any(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

void fb_files_warn_unread(const char *dir, struct fb_diags *diags)
{
    struct dirent **list;
    int count = scandir(dir, &list, any, alphasort);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < count; i++) {
        struct stat st;
        const char *entry = list[i]->d_name;
        struct fb_span name = fb_span(entry, strlen(entry));
        bool folder = fd >= 0 && fstatat(fd, entry, &st, 0) == 0 && S_ISDIR(st.st_mode);
        if (!is_known(name, folder))
            warn(dir, name, folder, diags);
        free(list[i]);
    }
    if (count >= 0)
        free(list);
    if (fd >= 0)
        close(fd);
}
