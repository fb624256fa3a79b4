/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

#include <errno.h>
#include <unistd.h>

static void appends(void **state)
{
    (void)state;
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, &fb_heap, 1 << 20);
    assert_string_equal(buffer.ptr, "");
    fb_buffer_add(&buffer, fb_span(NULL, 0));
    fb_buffer_add(&buffer, FB_SPAN("ab"));
    fb_buffer_add_z(&buffer, "cd");
    fb_buffer_add_z(&buffer, NULL);
    fb_buffer_add_char(&buffer, 'e');
    fb_buffer_add_format(&buffer, "<%d>", 17);
    assert_span(fb_buffer_span(&buffer), "abcde<17>");
    assert_string_equal(buffer.ptr, "abcde<17>");
    fb_buffer_add_format(&buffer, "%4000s", "");
    assert_int_equal(buffer.len, 4009);
    assert_int_equal(strlen(buffer.ptr), 4009);
    fb_buffer_clear(&buffer);
    assert_string_equal(buffer.ptr, "");
    char *room = fb_buffer_reserve(&buffer, 10);
    memcpy(room, "xyz", 3);
    buffer.len += 3;
    assert_string_equal(buffer.ptr, "xyz");
    assert_false(buffer.failed);
    fb_buffer_release(&buffer);
    assert_string_equal(buffer.ptr, "");
    fb_buffer_clear(&buffer);
    fb_buffer_release(&buffer);
}

/* Filled to its ceiling in every way; the append that does not fit leaves the contents alone. */
static void stops_at_its_ceiling(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 600; ceiling += 13) {
        struct fb_buffer buffer;
        fb_buffer_init(&buffer, &fb_heap, ceiling);
        for (size_t i = 0; i < ceiling; i++)
            fb_buffer_add_char(&buffer, 'x');
        assert_false(buffer.failed);
        fb_buffer_add(&buffer, fb_span(NULL, 0));
        fb_buffer_add_format(&buffer, "%s", "");
        assert_false(buffer.failed);
        switch (ceiling % 4) {
        case 0: fb_buffer_add_char(&buffer, 'y'); break;
        case 1: fb_buffer_add_z(&buffer, "yy"); break;
        case 2: fb_buffer_add_format(&buffer, "%d", 1); break;
        default: assert_null(fb_buffer_reserve(&buffer, 1)); break;
        }
        assert_true(buffer.failed);
        assert_int_equal(buffer.len, ceiling);
        assert_int_equal(strlen(buffer.ptr), ceiling);
        fb_buffer_clear(&buffer);
        fb_buffer_add(&buffer, fb_span("", SIZE_MAX));
        assert_true(buffer.failed);
        fb_buffer_add_z(&buffer, "z");
        assert_null(fb_buffer_reserve(&buffer, 0));
        assert_int_equal(buffer.len, 0);
        fb_buffer_release(&buffer);
    }
}

struct quoting {
    struct fb_span text;
    const char *quoted;
};

static void quote_all(const struct quoting *cases, size_t count,
                      void (*add)(struct fb_buffer *, struct fb_span))
{
    for (size_t i = 0; i < count; i++) {
        struct fb_buffer buffer;
        fb_buffer_init(&buffer, &fb_heap, 1000);
        add(&buffer, cases[i].text);
        assert_span(fb_buffer_span(&buffer), cases[i].quoted);
        fb_buffer_release(&buffer);
    }
}

static void quotes_json(void **state)
{
    (void)state;
    static const struct quoting cases[] = {
        {{0, NULL}, "\"\""},
        {{3, "abc"}, "\"abc\""},
        {{5, "a\"b\\c"}, "\"a\\\"b\\\\c\""},
        {{5, "\b\f\n\r\t"}, "\"\\b\\f\\n\\r\\t\""},
        {{4, "\0\x01\x1f\x7f"}, "\"\\u0000\\u0001\\u001f\x7f\""},
        {{4, "h\xc3\xa4t"}, "\"h\xc3\xa4t\""},
        {{4, "\xf0\x9f\x98\x80"}, "\"\xf0\x9f\x98\x80\""},
        {{3, "a\xff" "b"}, "\"a\xef\xbf\xbd" "b\""},
        {{2, "\xe2\x82"}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {{3, "\xed\xa0\x80"}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {{7, "</script"}, "\"</scrip\""},
    };
    quote_all(cases, sizeof cases / sizeof cases[0], fb_buffer_add_json);
}

static void quotes_cedar(void **state)
{
    (void)state;
    static const struct quoting cases[] = {
        {{0, NULL}, "\"\""},
        {{3, "a ~"}, "\"a ~\""},
        {{4, "\"\\*'"}, "\"\\\"\\\\*'\""},
        {{3, "\n\0\x7f"}, "\"\\u{a}\\u{0}\\u{7f}\""},
        {{4, "h\xc3\xa4t"}, "\"h\\u{e4}t\""},
        {{4, "\xf0\x9f\x98\x80"}, "\"\\u{1f600}\""},
        {{3, "a\xff" "b"}, "\"a\\u{fffd}b\""},
    };
    quote_all(cases, sizeof cases / sizeof cases[0], fb_buffer_add_cedar);
}

/* A file of `size` bytes, deleted by the caller. */
static void make_file(char path[32], size_t size)
{
    (void)snprintf(path, 32, "/tmp/forbid-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t done = 0; done < size;) {
        char chunk[4096];
        size_t n = size - done < sizeof chunk ? size - done : sizeof chunk;
        memset(chunk, 'f', n);
        assert_int_equal(write(fd, chunk, n), (ssize_t)n);
        done += n;
    }
    assert_int_equal(close(fd), 0);
}

static void reads_files(void **state)
{
    (void)state;
    static const struct {
        size_t size, ceiling;
        int status;
    } cases[] = {
        {0, 100, 0},
        {50, 100, 0},
        {98, 100, 0},           /* two bytes are there before */
        {99, 100, EFBIG},
        {300000, 1 << 20, 0},
        {300000, 200000, EFBIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[32];
        struct fb_buffer buffer;
        make_file(path, cases[i].size);
        fb_buffer_init(&buffer, &fb_heap, cases[i].ceiling);
        fb_buffer_add_z(&buffer, "ab");
        assert_int_equal(fb_buffer_read_file(&buffer, path), cases[i].status);
        assert_int_equal(buffer.len, cases[i].status == 0 ? 2 + cases[i].size : 2);
        assert_int_equal(strlen(buffer.ptr), buffer.len);
        assert_int_equal(buffer.failed, cases[i].status != 0);
        assert_int_equal(buffer.ptr[buffer.len - 1], cases[i].status == 0 && cases[i].size != 0 ? 'f' : 'b');
        fb_buffer_release(&buffer);
        assert_int_equal(unlink(path), 0);
    }
}

static void says_why_a_file_cannot_be_read(void **state)
{
    (void)state;
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, &fb_heap, 1 << 20);
    assert_int_equal(fb_buffer_read_file(&buffer, "/nonexistent/file"), ENOENT);
    assert_int_equal(fb_buffer_read_file(&buffer, "/tmp"), EISDIR);
    assert_false(buffer.failed);
    assert_int_equal(fb_buffer_read_file(&buffer, "/dev/zero"), EFBIG);
    assert_true(buffer.failed);
    fb_buffer_release(&buffer);
}

static void reads_standard_input(void **state)
{
    (void)state;
    int ends[2], saved = dup(STDIN_FILENO);
    struct fb_buffer buffer;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(write(ends[1], "typed", 5), 5);
    assert_int_equal(close(ends[0]) + close(ends[1]), 0);
    fb_buffer_init(&buffer, &fb_heap, 100);
    assert_int_equal(fb_buffer_read_file(&buffer, "-"), 0);
    assert_span(fb_buffer_span(&buffer), "typed");
    fb_buffer_release(&buffer);
    if (saved >= 0) {
        (void)dup2(saved, STDIN_FILENO);
        (void)close(saved);
    }
}

static void survives_failing_memory(void **state)
{
    (void)state;
    bool worked = false;
    for (size_t n = 1; !worked; n++) {
        struct failing_allocator memory;
        struct fb_buffer buffer;
        failing_init(&memory, n);
        fb_buffer_init(&buffer, &memory.allocator, SIZE_MAX - 1);
        size_t last = 0;
        for (int i = 0; i < 1000; i++) {
            fb_buffer_add_json(&buffer, FB_SPAN("some \"text\" \n with \xff all"));
            fb_buffer_add_format(&buffer, "%d,", i);
            assert_true(buffer.len > last || buffer.failed);
            last = buffer.len;
        }
        worked = !buffer.failed;
        assert_int_equal(strlen(buffer.ptr), buffer.len);
        fb_buffer_release(&buffer);
        assert_int_equal(memory.blocks_out, 0);
        assert_int_equal(memory.bytes_out, 0);
        assert_true(n < 100);
    }
    struct failing_allocator memory;
    struct fb_buffer buffer;
    failing_init(&memory, 1);
    fb_buffer_init(&buffer, &memory.allocator, 1 << 20);
    assert_int_equal(fb_buffer_read_file(&buffer, "/dev/zero"), ENOMEM);
    fb_buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(stops_at_its_ceiling),
        cmocka_unit_test(quotes_json),
        cmocka_unit_test(quotes_cedar),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(says_why_a_file_cannot_be_read),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
