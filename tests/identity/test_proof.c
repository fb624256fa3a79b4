/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of possession: RFC 9449's own example, what is refused, and the memory of those that were used, by several
 * processors at once.  (The end-to-end tests have proofs by another implementation.) */
#include "identity/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9449 figure 13 (section 7.1): proof and token, as they are printed there. */
#define RFC_PROOF \
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs" \
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2" \
    "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90" \
    "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFF" \
    "byJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
#define RFC_TOKEN "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
#define RFC_JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define RFC_TIME INT64_C(1562262618)

static struct fb_arena arena;
static struct fb_tokens *tokens;

static int open_all(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 22);
    tokens = fb_tokens_new(&fb_heap, 64, 0);
    return tokens == NULL;
}

static int close_all(void **state)
{
    (void)state;
    fb_tokens_free(tokens);
    fb_arena_release(&arena);
    return 0;
}

static struct fb_proof_use use_of(const char *method, const char *origin, const char *path, int64_t seconds_later)
{
    return (struct fb_proof_use){.method = fb_span_z(method), .origin = fb_span_z(origin), .path = fb_span_z(path),
                                 .token = FB_SPAN(RFC_TOKEN), .now_ms = (RFC_TIME + seconds_later) * 1000, .leeway_ms = 30000};
}

static void test_published(void **state)
{
    (void)state;
    static const struct {
        const char *method, *origin, *path;
        int64_t later;
        enum fb_proof_status status;
    } rows[] = {
        {"GET", "https://resource.example.org", "/protectedresource", 0, FB_PROOF_GOOD},
        {"GET", "https://resource.example.org", "/protectedresource?a=b", 90, FB_PROOF_GOOD},
        {"GET", "HTTPS://Resource.example.org:443", "/protectedresource", -30, FB_PROOF_GOOD},
        {"GET", "https://resource.example.org", "/protectedresource", 91, FB_PROOF_BAD},
        {"GET", "https://resource.example.org", "/protectedresource", -31, FB_PROOF_BAD},
        {"get", "https://resource.example.org", "/protectedresource", 0, FB_PROOF_BAD},
        {"GET", "http://resource.example.org", "/protectedresource", 0, FB_PROOF_BAD},
        {"GET", "https://resource.example.org:444", "/protectedresource", 0, FB_PROOF_BAD},
        {"GET", "https://resource.example.org", "/protectedresource/", 0, FB_PROOF_BAD},
        {"GET", "https://resource.example.org", "/Protectedresource", 0, FB_PROOF_BAD},
        {"GET", "", "/protectedresource", 0, FB_PROOF_BAD},
    };
    struct fb_proof proof;
    const char *detail = NULL;
    assert_true(fb_proof_read(FB_SPAN(RFC_PROOF), &fb_heap, &arena, &proof, &detail));
    assert_true(fb_span_is(proof.key, RFC_JKT));
    assert_true(fb_span_is(proof.id, "e1j3V_bKic8-LAEB"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_proof_use use = use_of(rows[i].method, rows[i].origin, rows[i].path, rows[i].later);
        enum fb_proof_status status = fb_proof_check(tokens, &proof, &use, &detail);
        if (status != rows[i].status)
            fail_msg("row %zu: %d, %s", i, status, detail != NULL ? detail : "");
        assert_true((detail == NULL) == (status == FB_PROOF_GOOD));
    }
    struct fb_proof_use use = use_of("GET", "https://resource.example.org", "/protectedresource", 0);
    use.token = FB_SPAN("another");
    assert_int_equal(fb_proof_check(tokens, &proof, &use, &detail), FB_PROOF_BAD);
    fb_proof_release(&proof);
}

/* Each single changed byte makes it another proof, a bad one, or none. */
static void test_every_byte(void **state)
{
    (void)state;
    char text[] = RFC_PROOF;
    const struct fb_proof_use use = use_of("GET", "https://resource.example.org", "/protectedresource", 0);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        struct fb_proof proof;
        const char *detail = NULL;
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        if (fb_proof_read(fb_span(text, sizeof text - 1), &fb_heap, &arena, &proof, &detail)) {
            assert_int_not_equal(fb_proof_check(tokens, &proof, &use, &detail), FB_PROOF_GOOD);
            fb_proof_release(&proof);
        }
        assert_non_null(detail);
        text[i] = was;
        fb_arena_clear(&arena);
    }
}

/* --- Those that were used ---------------------------------------------------------------------------------- */

static struct fb_proof numbered(char id[16], unsigned n)
{
    snprintf(id, 16, "%u", n);
    return (struct fb_proof){.key = FB_SPAN(RFC_JKT), .id = fb_span_z(id), .issued_ms = RFC_TIME * 1000};
}

static void test_used_once(void **state)
{
    (void)state;
    enum { ROOM = 4096, USED = 1500 };
    void *memory = malloc(fb_replays_bytes(ROOM));
    struct fb_replays *replays = fb_replays_init(memory, ROOM);
    assert_non_null(replays);
    char id[16];
    for (int64_t later = 0; later <= 90; later += 45)
        for (unsigned n = 0; n < USED; n++) {
            const struct fb_proof proof = numbered(id, n);
            const struct fb_proof_use use = use_of("GET", "", "", later);
            assert_int_equal(fb_replays_add(replays, &proof, &use), later == 0 ? FB_REPLAY_FRESH : FB_REPLAY_SEEN);
        }
    /* Of another key it is another proof; after its time it is forgotten, since nobody can use it. */
    struct fb_proof proof = numbered(id, 1);
    proof.key = FB_SPAN("another-key-of-forty-three-characters------");
    struct fb_proof_use use = use_of("GET", "", "", 0);
    assert_int_equal(fb_replays_add(replays, &proof, &use), FB_REPLAY_FRESH);
    proof = numbered(id, 1);
    proof.issued_ms += 3600000;
    use = use_of("GET", "", "", 3600);
    assert_int_equal(fb_replays_add(replays, &proof, &use), FB_REPLAY_FRESH);
    free(memory);
}

static void test_full_is_said(void **state)
{
    (void)state;
    enum { ROOM = 64 };
    void *memory = malloc(fb_replays_bytes(ROOM));
    struct fb_replays *replays = fb_replays_init(memory, ROOM);
    const struct fb_proof_use use = use_of("GET", "", "", 0);
    unsigned fresh = 0, full = 0;
    char id[16];
    for (unsigned n = 0; n < 1000; n++) {
        const struct fb_proof proof = numbered(id, n);
        enum fb_replay replay = fb_replays_add(replays, &proof, &use);
        fresh += replay == FB_REPLAY_FRESH;
        full += replay == FB_REPLAY_FULL;
    }
    assert_int_equal(fresh, ROOM);
    assert_int_equal(full, 1000 - ROOM);
    for (unsigned n = 0; n < 1000; n++) {
        const struct fb_proof proof = numbered(id, n);
        assert_int_not_equal(fb_replays_add(replays, &proof, &use), FB_REPLAY_FRESH);
    }
    free(memory);
}

enum { THREADS = 4, RACED = 20000 };
static struct fb_replays *raced;
static _Atomic unsigned fresh_of[RACED];

static void *race(void *none)
{
    const struct fb_proof_use use = use_of("GET", "", "", 0);
    char id[16];
    for (unsigned n = 0; n < RACED; n++) {
        const struct fb_proof proof = numbered(id, n);
        if (fb_replays_add(raced, &proof, &use) == FB_REPLAY_FRESH)
            atomic_fetch_add(&fresh_of[n], 1);
    }
    return none;
}

static void test_many_at_once(void **state)
{
    (void)state;
    enum { ROOM = 1 << 18 };
    pthread_t threads[THREADS];
    void *memory = malloc(fb_replays_bytes(ROOM));
    raced = fb_replays_init(memory, ROOM);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    unsigned none = 0;
    for (unsigned n = 0; n < RACED; n++) {
        assert_true(fresh_of[n] <= 1);
        none += fresh_of[n] == 0;
    }
    print_message("# of %d proofs, %u were refused to all of %d that brought them at once\n", RACED, none, THREADS);
    assert_true(none < RACED / 100);
    free(memory);
}

/* --- Certificates ------------------------------------------------------------------------------------------ */

static void test_certificates(void **state)
{
    (void)state;
    /* SHA-256 of the three bytes `abc`, FIPS 180-2: what is hashed is what the PEM holds, whatever that is. */
    static const char name[] = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    static const struct {
        const char *pem;
        bool is;
    } rows[] = {
        {"-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", true},
        {"-----BEGIN CERTIFICATE-----\r\n\tYW\r\n\tJj\r\n-----END CERTIFICATE-----", true},
        {"-----BEGIN CERTIFICATE-----\nYWJk\n-----END CERTIFICATE-----\n", false},
        {"-----BEGIN CERTIFICATE-----\nYWJj\n", false}, {"-----BEGIN CERTIFICATE-----\nYW?j\n-----END", false},
        {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false}, {"YWJj", false}, {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fb_certificate_is(fb_span_z(rows[i].pem), FB_SPAN(name)), rows[i].is);
    assert_false(fb_certificate_is(fb_span_z(rows[0].pem), FB_SPAN("")));
    assert_false(fb_certificate_is(fb_span_z(rows[0].pem), FB_SPAN("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_every_byte), cmocka_unit_test(test_used_once),
        cmocka_unit_test(test_full_is_said), cmocka_unit_test(test_many_at_once), cmocka_unit_test(test_certificates),
    };
    return cmocka_run_group_tests_name("identity/proof", tests, open_all, close_all);
}
