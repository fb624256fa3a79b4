/* SPDX-License-Identifier: Apache-2.0 */
/* cases/NAME.cedarschema: the diagnostics that loading its routes gives are those of NAME.expect, to the
 * byte.  With FB_BLESS=1 in the environment the .expect files are written instead. */
#include "routing.h"

#include <dirent.h>

static void write_expected(const char *folder, const char *name, struct fb_span text)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s/%s", getenv("FB_TESTS"), folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void check_case(const char *file)
{
    char name[256];
    struct fb_buffer text, expected, got;
    struct routing r;
    read_test_file(&text, "request/cases", file);
    routing_load(&r, file, fb_buffer_span(&text));
    assert_non_null(r.schema);
    assert_true((r.routes == NULL) == (r.diags.errors != 0));
    fb_buffer_init(&got, &fb_heap, 1 << 20);
    fb_diags_print(&got, &r.diags, false);
    (void)snprintf(name, sizeof name, "%.*s.expect", (int)(strlen(file) - strlen(".cedarschema")), file);
    if (getenv("FB_BLESS") != NULL)
        write_expected("request/cases", name, fb_buffer_span(&got));
    read_test_file(&expected, "request/cases", name);
    if (!fb_span_eq(fb_buffer_span(&got), fb_buffer_span(&expected)))
        fail_msg("%s: got\n%.*s\nexpected\n%.*s", file, (int)got.len, got.ptr, (int)expected.len, expected.ptr);
    fb_buffer_release(&expected);
    fb_buffer_release(&got);
    routing_release(&r);
    fb_buffer_release(&text);
}

static void reports_every_fault_at_its_place(void **state)
{
    (void)state;
    char path[1024];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/request/cases", getenv("FB_TESTS"));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".cedarschema") == NULL)
            continue;
        check_case(entry->d_name);
        count++;
    }
    (void)closedir(dir);
    assert_true(count >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_every_fault_at_its_place),
    };
    return cmocka_run_group_tests_name("request/faults", tests, NULL, NULL);
}
