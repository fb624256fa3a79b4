/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations of policies that Forbid gives a meaning (DESIGN §3.2), checked when a directory is
 * loaded: a misspelt one would silently do nothing. */
#include "guard/loaded.h"

#include "http/http.h"

#define CODE_MAX 64u            /* of `@reason`: [a-z][a-z0-9_]{0,63} */
#define DETAIL_MAX 1024u

enum takes { TAKES_TEXT, TAKES_CODE, TAKES_URI, TAKES_SECONDS, TAKES_VALUES, TAKES_NOTHING };

static const struct word {
    struct fb_span key;
    enum takes takes;
    bool permit, forbid;        /* on which effect it means something */
} words[] = {
    {FB_SPAN_INIT("id"), TAKES_TEXT, true, true},
    {FB_SPAN_INIT("reason"), TAKES_CODE, true, true},
    {FB_SPAN_INIT("detail"), TAKES_TEXT, true, true},
    {FB_SPAN_INIT("help"), TAKES_URI, true, true},
    {FB_SPAN_INIT("conceal"), TAKES_NOTHING, false, true},
    {FB_SPAN_INIT("legal"), TAKES_URI, false, true},
    {FB_SPAN_INIT("acr"), TAKES_VALUES, true, false},
    {FB_SPAN_INIT("max_age"), TAKES_SECONDS, true, false},
};
enum { WORDS = sizeof words / sizeof words[0] };

static const struct word *find_word(struct fb_span key)
{
    for (size_t i = 0; i < WORDS; i++)
        if (fb_span_eq(key, words[i].key))
            return &words[i];
    return NULL;
}

static bool is_code(struct fb_span text)
{
    if (text.len == 0 || text.len > CODE_MAX || text.ptr[0] < 'a' || text.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static bool is_sentence(struct fb_span text)
{
    if (text.len == 0 || text.len > DETAIL_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return true;
}

/* What `acr_values` of a challenge can carry (RFC 9470 section 3). */
static bool is_value_list(struct fb_span text)
{
    bool any = text.len != 0 && text.len <= DETAIL_MAX;
    while (any && text.len != 0) {
        size_t end = fb_span_find(text, ' ');
        any = fb_http_is_scope_token(fb_span_head(text, end)) && end + 1 != text.len;
        text = fb_span_from(text, end + 1);
    }
    return any;
}

static void check_misspelt(const struct fb_policy *policy, const struct fb_annotation *annotation, struct fb_diags *diags)
{
    struct fb_span keys[WORDS];
    for (size_t i = 0; i < WORDS; i++)
        keys[i] = words[i].key;
    struct fb_span near = fb_did_you_mean(annotation->key, keys, WORDS);
    if (near.len == 0)
        return;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "rule.misspelt_annotation", policy->source, annotation->key_range,
                                       "`@%.*s` means nothing to Forbid, and is close to `@%.*s`",
                                       (int)annotation->key.len, annotation->key.ptr, (int)near.len, near.ptr);
    diag->hint = fb_arena_format(diags->arena, "write `@%.*s`, or choose a name that cannot be mistaken for it",
                                 (int)near.len, near.ptr);
}

static void check_value(const struct fb_policy *policy, const struct word *word, const struct fb_annotation *annotation,
                        struct fb_diags *diags)
{
    uint64_t seconds;
    const char *wrong = NULL, *hint = "";
    switch (word->takes) {
    case TAKES_CODE:
        if (!is_code(annotation->value)) {
            wrong = "is not a reason code";
            hint = "a code is a lower-case letter and then at most 63 of a-z, 0-9 and _: `@reason(\"insufficient_role\")`";
        }
        break;
    case TAKES_TEXT:
        if (!is_sentence(annotation->value)) {
            wrong = "needs a text of 1 to 1,024 bytes on one line";
            hint = "write `@detail(\"Only administrators delete users.\")`";
        }
        break;
    case TAKES_URI:
        if (!fb_http_is_uri(annotation->value)) {
            wrong = "needs a whole URI";
            hint = "write it with its scheme: `\"https://example.com/page\"`";
        }
        break;
    case TAKES_SECONDS:
        if (!fb_span_to_u64(annotation->value, 1u << 31, &seconds)) {
            wrong = "needs a number of seconds";
            hint = "write `@max_age(\"300\")`";
        }
        break;
    case TAKES_VALUES:
        if (!is_value_list(annotation->value)) {
            wrong = "needs values of `acr` with single spaces between them";
            hint = "write `@acr(\"urn:example:mfa\")`; quotes and backslashes cannot stand in a challenge";
        }
        break;
    case TAKES_NOTHING:
        if (annotation->has_value) {
            wrong = "takes no value";
            hint = "write it alone: `@conceal`";
        }
        break;
    }
    if (wrong != NULL)
        fb_diag_add(diags, FB_ERROR, "rule.bad_annotation", policy->source,
                    annotation->has_value ? annotation->value_range : annotation->key_range, "`@%.*s` %s",
                    (int)annotation->key.len, annotation->key.ptr, wrong)->hint = fb_span_z(hint);
}

static void check_annotation(const struct fb_policy *policy, const struct fb_annotation *annotation, struct fb_diags *diags)
{
    const struct word *word = find_word(annotation->key);
    if (word == NULL) {
        check_misspelt(policy, annotation, diags);
        return;
    }
    if (!(policy->effect == FB_PERMIT ? word->permit : word->forbid)) {
        fb_diag_add(diags, FB_ERROR, "rule.wrong_effect", policy->source, annotation->key_range,
                    "`@%.*s` has no meaning on a %s", (int)word->key.len, word->key.ptr,
                    policy->effect == FB_PERMIT ? "permit" : "forbid")->hint =
            policy->effect == FB_PERMIT ? FB_SPAN("a permit grants; write a forbid for what must be refused in this way")
                                        : FB_SPAN("it belongs on the permit that such a sign-in satisfies");
        return;
    }
    if (fb_span_is(word->key, "conceal") && fb_policy_annotation(policy, "legal") != NULL)
        fb_diag_add(diags, FB_ERROR, "rule.conceal_legal", policy->source, annotation->key_range,
                    "`@legal` says who blocks the resource, `@conceal` that there is none")->hint =
            FB_SPAN("keep one of the two, or write two forbids");
    check_value(policy, word, annotation, diags);
}

static struct fb_span value_of(const struct fb_policy *policy, const char *key)
{
    const struct fb_annotation *annotation = fb_policy_annotation(policy, key);
    return annotation != NULL ? annotation->value : fb_span(NULL, 0);
}

bool fb_rules_read(struct fb_policies *policies, struct fb_diags *diags)
{
    size_t before = diags->errors;
    for (size_t i = 0; i < policies->set.count; i++) {
        const struct fb_policy *policy = policies->set.policies[i];
        for (uint32_t a = 0; a < policy->annotations_count; a++)
            check_annotation(policy, &policy->annotations[a], diags);
    }
    size_t count = fb_program_count(policies->program);
    struct fb_rule *rules = fb_arena_array(&policies->arena, count + 1, sizeof *rules);
    bool *legal = fb_arena_array(&policies->arena, count + 1, sizeof *legal);
    if (rules == NULL || legal == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct fb_policy *policy = fb_program_policy(policies->program, i);
        rules[i] = (struct fb_rule){.reason = value_of(policy, "reason"), .detail = value_of(policy, "detail"),
                                    .help = value_of(policy, "help"), .legal = value_of(policy, "legal")};
        rules[i].acr = value_of(policy, "acr");
        uint64_t seconds = 0;
        rules[i].has_max_age = fb_span_to_u64(value_of(policy, "max_age"), 1u << 31, &seconds);
        rules[i].max_age = (uint32_t)seconds;
        legal[i] = rules[i].legal.len != 0;
        policies->any_legal |= legal[i];
    }
    policies->rules = rules;
    policies->legal = legal;
    return diags->errors == before;
}
