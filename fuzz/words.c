/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an issuer, as configuration files and options write them; and every small text that has a
 * reader of its own: uids, addresses, decimals, times, spans of time, levels. */
#include "fuzz.h"

#include "entity/entity.h"
#include "identity/identity.h"
#include "refusal/refusal.h"

static void read_issuer(struct fb_arena *arena, struct fb_span input)
{
    struct fb_span words[64];
    struct fb_issuer issuer;
    struct fb_diags diags;
    size_t count = 0;
    while (input.len != 0 && count < 64) {
        size_t end = fb_span_find(input, ' ');
        words[count++] = fb_span_head(input, end);
        input = fb_span_from(input, end < input.len ? end + 1 : end);
    }
    fb_diags_init(&diags, arena);
    bool good = fb_issuer_parse(words, count, arena, &issuer, &diags);
    fuzz_must(good == (diags.errors == 0), "a fault is reported, and only a fault");
    fuzz_show_diags(&diags);
    if (good)
        fuzz_must(issuer.audiences_count >= 1 && issuer.principal.len != 0 && issuer.claim.len != 0
                      && issuer.leeway_s >= 0 && issuer.leeway_s <= FB_LEEWAY_MAX, "an issuer is whole");
}

/* Text → value → text → value. */
static void read_extension(struct fb_arena *arena, enum fb_kind kind, struct fb_span text)
{
    struct fb_value value, again;
    struct fb_buffer out;
    if (fb_extension_make(arena, kind, text, &value) != NULL)
        return;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 16);
    if (kind == FB_IP)
        fb_ip_print(&out, value.ip);
    else if (kind == FB_DECIMAL)
        fb_decimal_print(&out, value.number);
    else if (kind == FB_DATETIME)
        fb_datetime_print(&out, value.number);
    else
        fb_duration_print(&out, value.number);
    fuzz_must_show(fb_extension_make(arena, kind, fb_buffer_span(&out), &again) == NULL && fb_value_eq(value, again),
                   "what is printed reads as the same", fb_buffer_span(&out));
    fb_buffer_release(&out);
}

static void read_uid(struct fb_arena *arena, struct fb_span text)
{
    const struct fb_uid *uid = fb_uid_parse(arena, text);
    struct fb_buffer out;
    if (uid == NULL)
        return;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_uid_print(&out, uid);
    const struct fb_uid *again = fb_uid_parse(arena, fb_buffer_span(&out));
    fuzz_must_show(again != NULL && fb_uid_eq(uid, again), "a printed uid reads as the same", fb_buffer_span(&out));
    fb_buffer_release(&out);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    enum fb_level level;
    struct fb_span line = fuzz_line(&input);
    read_issuer(arena, line);
    for (enum fb_kind kind = FB_DECIMAL; kind <= FB_IP; kind++)
        read_extension(arena, kind, line);
    read_uid(arena, line);
    fuzz_must(!fb_level_parse(line, &level) || fb_span_eq(fb_level_name(level), line), "a level has one name");
    fuzz_must(!fb_identifier_valid(line) || fb_type_name_valid(line), "an identifier is a type's name");
}
