/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals: bytes that say which, then lines that fill in what a policy or a client may have chosen.  Whatever
 * they are, the fields are fields and the body is what its type says. */
#include "fuzz.h"

#include "http/http.h"
#include "refusal/refusal.h"

static const unsigned statuses[] = {400, 401, 403, 404, 405, 413, 414, 429, 431, 451, 503};

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_span policies[4];
    struct fb_refusal refusal = {.policies = policies};
    struct fb_response response;
    refusal.status = statuses[fuzz_byte(&input) % (sizeof statuses / sizeof statuses[0])];
    refusal.level = (enum fb_level)(fuzz_byte(&input) % (FB_LEVEL_POLICY + 1));
    uint8_t flags = fuzz_byte(&input);
    refusal.challenge = (flags & 1) != 0;
    refusal.retry_after = flags >> 4;
    refusal.policies_count = flags >> 1 & 3;
    const struct fb_cors cors = {.origins = (const struct fb_span[]){FB_SPAN("https://app.example")}, .origins_count = 1,
                                 .any = (flags & 8) != 0, .credentials = true, .max_age = 1};
    struct fb_audience audience = {.accept = fuzz_line(&input), .cors = &cors};
    struct fb_span *const lines[] = {&refusal.reason, &refusal.detail, &refusal.help, &refusal.request_id,
                                     &refusal.challenge_error, &refusal.challenge_description, &refusal.realm,
                                     &refusal.allow, &refusal.blocked_by, &policies[0], &policies[1], &policies[2],
                                     &refusal.scope, &refusal.acr_values, &refusal.resource_metadata,
                                     &audience.content_type, &audience.accept_language, &audience.origin};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        *lines[i] = fuzz_line(&input);
    if (!fb_refusal_render(&refusal, &audience, arena, &response))
        return;     /* a value that no field can carry: the bare status is sent */
    bool grpc = fb_span_starts(response.content_type, FB_SPAN("application/grpc"));
    fuzz_must(response.status == (grpc ? 200 : refusal.status), "a refusal is an error");
    fuzz_must(!grpc || response.body.len == 0, "gRPC is answered in the header");
    for (size_t i = 0; i < response.lines_count; i++)
        fuzz_must_show(fb_http_is_field_name(response.lines[i].name) && fb_http_is_field_value(response.lines[i].value),
                       "a field cannot be broken", response.lines[i].value);
    fuzz_must(fb_http_is_field_value(response.content_type), "… nor can the type");
    if (fb_http_media_is(response.content_type, FB_SPAN("application/json"))
        || fb_http_media_is(response.content_type, FB_SPAN("application/problem+json")))
        fuzz_must_show(fuzz_is_json(response.body, arena), "JSON is JSON", response.body);
    fuzz_must_show(fb_utf8_valid(response.body) == response.body.len, "a body is UTF-8", response.body);
}
