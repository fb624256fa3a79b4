/* SPDX-License-Identifier: Apache-2.0 */
/* Node's crypto signs and we verify, we sign and Node verifies.  Skipped where there is no node. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *peer(const char *arguments)
{
    char command[1024];
    const char *tests = getenv("FB_TESTS");
    snprintf(command, sizeof command, "node '%s/identity/peer.mjs' %s", tests != NULL ? tests : "tests", arguments);
    return popen(command, "r");
}

static bool no_node(void)
{
    return system("node --version >/dev/null 2>&1") != 0;
}

static void node_signs(void **state)
{
    struct fixture *f = *state;
    if (no_node()) {
        skip();
    }
    static char line[FB_JWKS_BYTES_MAX];
    FILE *in = peer("mint '" CLAIMS "'");
    assert_non_null(fgets(line, sizeof line, in));
    struct fb_issuers *issuers = issuers_of(f, fb_span_z(line));
    int count = 0;
    while (fgets(line, sizeof line, in) != NULL) {
        char *token = strchr(line, ' ') + 1;
        token[strcspn(token, "\n")] = '\0';
        expect_status(fb_tokens_verify(f->tokens, issuers, fb_span_z(token), NOW, &f->bearer), FB_TOKEN_GOOD, line,
                      f->bearer.detail);
        count++;
    }
    assert_int_equal(pclose(in), 0);
    assert_int_equal(count, 80);
    fb_issuers_free(issuers);
}

static void node_verifies(void **state)
{
    struct fixture *f = *state;
    if (no_node()) {
        skip();
    }
    char path[] = "/tmp/forbid-test-node-XXXXXX", arguments[64], answer[16];
    FILE *out = fdopen(mkstemp(path), "w");
    fputs(f->jwks.ptr, out);
    for (unsigned i = 0; i < 2 * KEYS; i++) {
        struct fb_span token = mint(f, (enum fb_dev_algorithm)(i % KEYS), CLAIMS);
        char *text = fb_arena_text(&f->arena, token);
        /* The second round is of broken ones: the peer must be able to say no. */
        if (i >= KEYS) {
            text[token.len - 20] = text[token.len - 20] == 'A' ? 'B' : 'A';
        }
        fprintf(out, "%s\n", text);
    }
    fclose(out);
    snprintf(arguments, sizeof arguments, "check %s", path);
    FILE *in = peer(arguments);
    for (unsigned i = 0; i < 2 * KEYS; i++) {
        assert_non_null(fgets(answer, sizeof answer, in));
        assert_string_equal(answer, i < KEYS ? "good\n" : "bad\n");
    }
    assert_int_equal(pclose(in), 0);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(node_signs), cmocka_unit_test(node_verifies)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
