/* SPDX-License-Identifier: Apache-2.0 */
/* Development keys: made, saved, loaded, and what is refused of files. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/forbid-test-mint-XXXXXX";

static const char *path(const char *name)
{
    static char text[128];
    snprintf(text, sizeof text, "%s/%s", directory, name);
    return text;
}

static void saved_and_loaded(void **state)
{
    struct fixture *f = *state;
    static const char *const names[KEYS] = {"ed.pem", "es.pem", "rs.pem", "ps.pem"};
    for (unsigned i = 0; i < KEYS; i++) {
        const char *error = NULL, *file = path(names[i]);
        struct stat info;
        struct fb_buffer before, after;
        assert_true(fb_dev_key_save(f->keys[i], file, &error));
        assert_int_equal(stat(file, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_false(fb_dev_key_save(f->keys[i], file, &error));
        assert_string_equal(error, "the key file cannot be made, or is there already");
        struct fb_dev_key *key = fb_dev_key_load(file, i == FB_DEV_PS256, &fb_heap, &error);
        assert_non_null(key);
        fb_buffer_init(&before, &fb_heap, 65536);
        fb_buffer_init(&after, &fb_heap, 65536);
        assert_true(fb_dev_key_jwks(f->keys[i], &before) && fb_dev_key_jwks(key, &after));
        assert_string_equal(before.ptr, after.ptr);
        fb_buffer_clear(&after);
        assert_true(fb_token_mint(key, FB_SPAN(CLAIMS), &after, &error));
        expect_status(verify(f, fb_buffer_span(&after), NOW), FB_TOKEN_GOOD, names[i], f->bearer.detail);
        fb_buffer_release(&before);
        fb_buffer_release(&after);
        fb_dev_key_free(key);
        assert_int_equal(chmod(file, 0640), 0);
        assert_null(fb_dev_key_load(file, false, &fb_heap, &error));
        assert_string_equal(error, "others may read the key file; chmod 600 it");
        unlink(file);
        assert_null(fb_dev_key_load(file, false, &fb_heap, &error));
    }
}

static void bad_files(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "not a key",
        /* Password wanted, and nobody to ask. */
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBAAAAAAAAAAAAAAAAAAAAA\n"
         "-----END ENCRYPTED PRIVATE KEY-----\n"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *error = NULL;
        FILE *file = fopen(path("bad.pem"), "w");
        fputs(texts[i], file);
        fclose(file);
        chmod(path("bad.pem"), 0600);
        assert_null(fb_dev_key_load(path("bad.pem"), false, &fb_heap, &error));
        assert_string_equal(error, "the file holds no PEM private key without a password");
        unlink(path("bad.pem"));
    }
    const char *error = NULL;
    assert_null(fb_dev_key_load("/", false, &fb_heap, &error));
    assert_null(fb_dev_key_load("/dev/zero", false, &fb_heap, &error));
    assert_string_equal(error, "the key file cannot be opened");
    struct fb_dev_key *key = fb_dev_key_new(FB_DEV_EDDSA, &fb_heap, NULL);
    assert_false(fb_dev_key_save(key, "/nowhere/key.pem", NULL));
    fb_dev_key_free(key);
}

static void claims_are_an_object(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "[]", "1", "{", "{}x", "{\"a\":1,\"a\":2}", "{\"a\":\xff}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fb_buffer out;
        const char *error = NULL;
        fb_buffer_init(&out, &fb_heap, 4096);
        assert_false(fb_token_mint(f->keys[0], fb_span_z(bad[i]), &out, &error));
        assert_string_equal(error, "the claims are not a JSON object");
        assert_int_equal(out.len, 0);
        fb_buffer_release(&out);
    }
    struct fb_buffer small;
    const char *error = NULL;
    fb_buffer_init(&small, &fb_heap, 20);
    assert_false(fb_token_mint(f->keys[0], FB_SPAN("{}"), &small, &error));
    assert_string_equal(error, "the token is too large");
    fb_buffer_release(&small);
}

static void algorithm_names(void **state)
{
    (void)state;
    enum fb_dev_algorithm algorithm;
    assert_true(fb_dev_algorithm(FB_SPAN("PS256"), &algorithm));
    assert_int_equal(algorithm, FB_DEV_PS256);
    assert_false(fb_dev_algorithm(FB_SPAN("HS256"), &algorithm));
    assert_false(fb_dev_algorithm(FB_SPAN("none"), &algorithm));
}

static int make_directory(void **state)
{
    return mkdtemp(directory) != NULL ? set_up(state) : -1;
}

static int drop_directory(void **state)
{
    rmdir(directory);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(saved_and_loaded), cmocka_unit_test(bad_files),
                                       cmocka_unit_test(claims_are_an_object), cmocka_unit_test(algorithm_names)};
    return cmocka_run_group_tests(tests, make_directory, drop_directory);
}
