/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid lint`: whatever was recorded, findings are few for each exchange and are about it; what they show is a run
 * of what was recorded. */
#include "fuzz.h"

#include "refusal/refusal.h"

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    const struct fb_source source = {FB_SPAN("exchanges"), input};
    struct fb_exchanges exchanges;
    struct fb_findings findings;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_exchanges_init(&exchanges, arena);
    if (!fb_exchanges_read(&exchanges, &source, &diags)) {
        fuzz_must(diags.errors != 0, "what is refused has a diagnostic");
        return;
    }
    fuzz_must(fb_audit(&exchanges, &findings), "there is memory for the findings");
    fuzz_must(findings.count == findings.errors + findings.warnings + findings.notes, "each is counted");
    fuzz_must(findings.count <= exchanges.count * FB_RULES, "a rule finds a thing once an exchange");
    for (size_t i = 0; i < findings.count; i++) {
        const struct fb_finding *one = &findings.list[i];
        fuzz_must(one->exchange >= exchanges.list && one->exchange < exchanges.list + exchanges.count, "a finding is about an exchange");
        fuzz_must(one->shown.len <= 120 && one->other != one->exchange, "what is shown is short");
        fuzz_must(fb_audit_text(one->rule)->code != NULL, "a rule has a text");
    }
}
