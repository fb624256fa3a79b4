/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* RFC 4648 section 10, without the padding, and RFC 7515 appendix C. */
static const struct {
    struct fb_span bytes;
    const char *text;
} pairs[] = {
    {{0, ""}, ""},          {{1, "f"}, "Zg"},        {{2, "fo"}, "Zm8"},       {{3, "foo"}, "Zm9v"},
    {{4, "foob"}, "Zm9vYg"}, {{5, "fooba"}, "Zm9vYmE"}, {{6, "foobar"}, "Zm9vYmFy"},
    {{5, "\x03\xec\xff\xe0\xc1"}, "A-z_4ME"},
};

static void both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct fb_buffer out;
        unsigned char bytes[16];
        struct fb_span text = fb_span_z(pairs[i].text);
        fb_buffer_init(&out, &fb_heap, 100);
        fb_base64url_add(&out, pairs[i].bytes.ptr, pairs[i].bytes.len);
        assert_true(fb_span_eq(fb_buffer_span(&out), text));
        fb_buffer_release(&out);
        assert_int_equal(fb_base64url_room(text.len), pairs[i].bytes.len);
        assert_true(fb_base64url_decode(text, bytes));
        assert_memory_equal(bytes, pairs[i].bytes.ptr, pairs[i].bytes.len);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z", "Zg=", "Zg==", "Zm9vY", "Zh", "Zm9", "Zm9v=", "A+z/4ME", "Zg\n", " Zg",
                                      "Z g", "Zm9v\xc3", "Zm9v.", "*", "Zm9vYmF=", "\x80\x80"};
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fb_base64url_decode(fb_span_z(bad[i]), bytes)) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(fb_base64url_decode(FB_SPAN("Zm\0v"), bytes));
}

/* Of the 4096 texts of two characters exactly 256 are texts of a byte, each of another. */
static void one_text_a_byte(void **state)
{
    (void)state;
    bool seen[256] = {false};
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char text[2] = {(char)a, (char)b};
            unsigned char byte;
            if (fb_base64url_decode(fb_span(text, 2), &byte)) {
                assert_false(seen[byte]);
                seen[byte] = true;
            }
        }
    }
    for (int i = 0; i < 256; i++) {
        assert_true(seen[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways), cmocka_unit_test(refuses),
                                       cmocka_unit_test(one_text_a_byte)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
