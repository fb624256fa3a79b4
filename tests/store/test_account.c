/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: every step from every state, tombstones, rows. */
#include "testing.h"

#include "store/layout.h"

enum { KEEP = -1, REFUSED = -2, NO_ROW = FB_ACCOUNT_STATES };

/* The table of store.h, written again by hand: [step][state before] → state after. */
static const int expected[5][5] = {
    /*              active                suspended             disabled              deleted             no row */
    [FB_ACCOUNT_ADD]     = {KEEP, REFUSED, REFUSED, FB_ACCOUNT_ACTIVE, FB_ACCOUNT_ACTIVE},
    [FB_ACCOUNT_SUSPEND] = {FB_ACCOUNT_SUSPENDED, FB_ACCOUNT_SUSPENDED, FB_ACCOUNT_SUSPENDED, REFUSED, FB_ACCOUNT_SUSPENDED},
    [FB_ACCOUNT_RESTORE] = {KEEP, FB_ACCOUNT_ACTIVE, FB_ACCOUNT_ACTIVE, REFUSED, KEEP},
    [FB_ACCOUNT_DISABLE] = {FB_ACCOUNT_DISABLED, FB_ACCOUNT_DISABLED, FB_ACCOUNT_DISABLED, REFUSED, FB_ACCOUNT_DISABLED},
    [FB_ACCOUNT_DELETE]  = {FB_ACCOUNT_DELETED, FB_ACCOUNT_DELETED, FB_ACCOUNT_DELETED, KEEP, FB_ACCOUNT_DELETED},
};

static enum fb_store_status change(struct fb_store *store, const struct fb_uid *uid, enum fb_account_step step,
                                   const char *reason, bool *changed)
{
    const struct fb_account_change c = {.step = step, .uid = uid, .reason = fb_span_z(reason), .by = FB_SPAN("root"),
                                        .at = 1234567890123};
    return fb_store_change_account(store, &c, changed, NULL);
}

/* Brings a fresh account to the state. */
static const struct fb_uid *account_in(struct place *place, struct fb_store *store, int state, int number)
{
    static const enum fb_account_step ways[] = {FB_ACCOUNT_ADD, FB_ACCOUNT_SUSPEND, FB_ACCOUNT_DISABLE, FB_ACCOUNT_DELETE};
    char name[40];
    (void)snprintf(name, sizeof name, "User::u%d", number);
    const struct fb_uid *uid = uid_of(place, name);
    if (state != NO_ROW)
        assert_int_equal(change(store, uid, ways[state], "first", NULL), FB_STORE_OK);
    return uid;
}

static void takes_every_step_from_every_state(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    for (int step = 0; step < 5; step++)
        for (int before = 0; before < 5; before++) {
            const struct fb_uid *uid = account_in(place, store, before, step * 10 + before);
            struct fb_account account;
            bool changed;
            enum fb_store_status status = change(store, uid, (enum fb_account_step)step, "then", &changed);
            enum fb_found found = fb_store_find_account(store, uid, &account);
            int want = expected[step][before];
            assert_int_equal(status, want == REFUSED ? FB_STORE_REFUSED : FB_STORE_OK);
            assert_int_equal(changed, want >= 0);
            assert_int_equal(found, want < 0 && before == NO_ROW ? FB_ABSENT : FB_FOUND);
            assert_int_equal(account.state, want >= 0 ? want : before == NO_ROW ? (int)FB_ACCOUNT_ACTIVE : before);
            if (found == FB_FOUND) {
                assert_true(fb_span_is(account.reason, want >= 0 ? "then" : "first"));
                assert_true(fb_span_is(account.changed_by, "root"));
                assert_true(account.changed_at == 1234567890123);
                assert_true(fb_uid_eq(account.uid, uid));
            }
        }
    fb_store_close(store);
}

static void outlives_the_entity(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    const struct fb_uid *uid = uid_of(place, "User::alice");
    struct fb_account account;
    assert_int_equal(put_named(store, place, "User::alice", NULL, "", NULL), FB_STORE_OK);
    assert_int_equal(change(store, uid, FB_ACCOUNT_SUSPEND, "", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_delete(store, uid, NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find_account(store, uid, &account), FB_FOUND);
    assert_int_equal(put_named(store, place, "User::alice", NULL, "", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find_account(store, uid, &account), FB_FOUND);
    assert_int_equal(account.state, FB_ACCOUNT_SUSPENDED);
    assert_int_equal(change(store, uid, FB_ACCOUNT_DELETE, "gone", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find_account(store, uid, &account), FB_FOUND);
    assert_int_equal(account.state, FB_ACCOUNT_DELETED);
    assert_int_equal(change(store, uid, FB_ACCOUNT_ADD, "back", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find_account(store, uid, &account), FB_FOUND);
    assert_int_equal(account.state, FB_ACCOUNT_ACTIVE);
    fb_store_close(store);
}

static void refuses_what_is_too_long_or_nameless(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    static char text[FB_STORE_REASON_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    const struct fb_uid *uid = uid_of(place, "User::alice");
    assert_int_equal(change(store, uid, FB_ACCOUNT_SUSPEND, text, NULL), FB_STORE_LIMIT);
    assert_int_equal(change(store, uid, FB_ACCOUNT_SUSPEND, text + 1, NULL), FB_STORE_OK);
    const struct fb_uid *bad = fb_uid_new(&place->arena, FB_SPAN("no type"), FB_SPAN("x"));
    assert_int_not_equal(change(store, bad, FB_ACCOUNT_SUSPEND, "", NULL), FB_STORE_OK);
    fb_store_close(store);
}

/* Any flipped bit, any other length: corrupt, never another state. */
static void sees_any_damage_to_a_row(void **state)
{
    struct place *place = *state;
    const struct fb_account account = {.uid = uid_of(place, "User::alice"), .state = FB_ACCOUNT_SUSPENDED,
                                       .changed_at = 5, .reason = FB_SPAN("spam"), .changed_by = FB_SPAN("bob")};
    const struct fb_account_row *row = fb_account_encode(&place->arena, &account);
    struct fb_account read;
    assert_true(fb_account_check(fb_span((const char *)row, row->length), &read));
    assert_int_equal(read.state, FB_ACCOUNT_SUSPENDED);
    for (size_t bit = 0; bit < row->length * 8; bit++) {
        char *copy = fb_arena_alloc(&place->arena, row->length);
        memcpy(copy, row, row->length);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        assert_false(fb_account_check(fb_span(copy, row->length), &read));
    }
    for (size_t len = 0; len < row->length; len++)
        assert_false(fb_account_check(fb_span((const char *)row, len), &read));
}

static bool collect(void *context, const struct fb_account *account)
{
    char *text = context;
    (void)snprintf(text + strlen(text), 1000 - strlen(text), "%.*s:%s ", (int)account->uid->id_len,
                   fb_uid_id(account->uid).ptr, fb_account_state_names[account->state]);
    return true;
}

static void lists_in_order(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    static const char *const names[] = {"User::carol", "Robot::r2", "User::alice", "User::bob"};
    char text[1000] = "";
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(change(store, uid_of(place, names[i]), i % 2 ? FB_ACCOUNT_SUSPEND : FB_ACCOUNT_ADD, "", NULL), FB_STORE_OK);
    const struct fb_store_list all = {0}, users = {.type = FB_SPAN("User"), .after = uid_of(place, "User::alice")};
    assert_int_equal(fb_store_list_accounts(store, &all, collect, text, NULL), FB_STORE_OK);
    assert_string_equal(text, "r2:suspended alice:active bob:suspended carol:active ");
    *text = '\0';
    assert_int_equal(fb_store_list_accounts(store, &users, collect, text, NULL), FB_STORE_OK);
    assert_string_equal(text, "bob:suspended carol:active ");
    fb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(takes_every_step_from_every_state),
        in_place(outlives_the_entity),
        in_place(refuses_what_is_too_long_or_nameless),
        in_place(sees_any_damage_to_a_row),
        in_place(lists_in_order),
    };
    return cmocka_run_group_tests_name("store/account", tests, NULL, NULL);
}
