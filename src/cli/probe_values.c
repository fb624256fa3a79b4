/* SPDX-License-Identifier: Apache-2.0 */
/* Which values stand for a route's parameters.  An owner's are those that the file of identities says, and its own
 * principal's id where the route names a resource of that type; values that are nobody's are the file's "parameters"
 * and the entities of the policy directory; and there is a value that names nothing, in the form of the others. */
#include "cli/probe.h"
#include "cli/routes.h"

#define SAMPLES 2u      /* entities of the directory for one parameter */

/* `Type::{name}`, from which values can be had: the type, if it is this parameter that names it. */
static struct fb_span type_of(const struct fb_probe *probe, const struct fb_probe_route *route, struct fb_span param)
{
    struct fb_buffer text;
    struct fb_allocator memory = fb_arena_allocator(probe->arena);
    if (route->route == NULL)
        return fb_span(NULL, 0);
    fb_buffer_init(&text, &memory, 65536);
    fb_cli_route_resource(&text, route->route);
    struct fb_span whole = fb_buffer_span(&text);
    size_t brace = fb_span_find(whole, '{');
    struct fb_span name = fb_span_from(whole, brace + 1);
    bool fits = brace > 2 && brace < whole.len && fb_span_find(name, '}') + 1 == name.len && fb_span_eq(fb_span_head(name, name.len - 1), param);
    return fits ? fb_span_head(whole, brace - 2) : fb_span(NULL, 0);
}

/* The nth value, the last one again behind the end. */
static bool pick(const struct fb_probe_param *param, size_t nth, struct fb_span *value)
{
    if (param == NULL || param->count == 0)
        return false;
    *value = param->values[nth < param->count ? nth : param->count - 1];
    return true;
}

static bool owned(const struct fb_probe *probe, const struct fb_probe_route *route, size_t owner, size_t nth, size_t p, struct fb_span *value)
{
    const struct fb_probe_identity *who = &probe->world.list[owner];
    if (pick(fb_probe_param_find(&who->owns, route->params[p]), nth, value))
        return true;
    struct fb_span type = who->principal != NULL ? type_of(probe, route, route->params[p]) : fb_span(NULL, 0);
    if (type.len == 0 || !fb_span_eq(type, fb_uid_type(who->principal)))
        return false;
    *value = fb_uid_id(who->principal);
    return true;
}

static bool sampled(const struct fb_probe *probe, struct fb_span type, size_t nth, struct fb_span *value)
{
    const struct fb_entity_set *set = probe->site != NULL ? fb_policies_entities(probe->site->policies) : NULL;
    bool any = false;
    for (size_t i = 0, seen = 0; set != NULL && type.len != 0 && i < fb_entity_set_count(set) && seen <= nth && seen < SAMPLES; i++) {
        struct fb_entity entity;
        fb_entity_set_at(set, i, &entity);
        if (!fb_span_eq(fb_uid_type(entity.uid), type))
            continue;
        *value = fb_uid_id(entity.uid);
        any = true;
        seen++;
    }
    return any;
}

static bool shared(const struct fb_probe *probe, const struct fb_probe_route *route, size_t nth, size_t p, struct fb_span *value)
{
    return pick(fb_probe_param_find(&probe->world.shared, route->params[p]), nth, value) ||
           sampled(probe, type_of(probe, route, route->params[p]), nth, value);
}

/* --- A value that names nothing ----------------------------------------------------------------------------------- */

static bool is_digits(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len != 0;
}

static bool is_uuid(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.ptr[i] != '-' : strchr("0123456789abcdefABCDEF", text.ptr[i]) == NULL || text.ptr[i] == '\0')
            return false;
    }
    return text.len == 36;
}

/* Is it long enough for a made-up one of its form to be nobody's?  Of digits 10^7, of letters 20^6. */
static bool is_roomy(struct fb_span value)
{
    size_t letters = 0, digits = 0;
    for (size_t i = 0; i < value.len; i++) {
        digits += value.ptr[i] >= '0' && value.ptr[i] <= '9';
        letters += (value.ptr[i] >= 'a' && value.ptr[i] <= 'z') || (value.ptr[i] >= 'A' && value.ptr[i] <= 'Z');
    }
    return digits + letters == value.len ? digits >= 7 || letters >= 6 || digits + letters >= 7 : digits + letters >= 8;
}

/* The same length, digits for digits and consonants for letters, so that it takes as long to read and names nothing; the
 * same each time. */
static struct fb_span made_up(struct fb_arena *arena, struct fb_span value)
{
    static const char consonants[] = "bcdfghjkmnpqrstvwxz";
    char *text = fb_arena_text(arena, value);
    uint64_t state = fb_hash(value) | 1;
    for (size_t i = 0; text != NULL && i < value.len; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t roll = (size_t)(state >> 33);
        if (text[i] >= '0' && text[i] <= '9')
            text[i] = (char)('0' + (i == 0 ? 1 + roll % 9 : roll % 10));
        else if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = consonants[roll % (sizeof consonants - 1)];
        else if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(consonants[roll % (sizeof consonants - 1)] - 'a' + 'A');
    }
    return text != NULL ? fb_span(text, value.len) : fb_span(NULL, 0);
}

/* Of the form that the others have: a server tells `abc` from `7` before it looks for either. */
static struct fb_span absent(const struct fb_probe *probe, const struct fb_probe_route *route, size_t p)
{
    struct fb_span value = {0, NULL};
    if (pick(fb_probe_param_find(&probe->world.absent, route->params[p]), 0, &value))
        return value;
    bool known = false;
    for (size_t i = 0; !known && i < probe->world.count; i++)
        known = owned(probe, route, i, 0, p, &value);
    if (!known && !shared(probe, route, 0, p, &value))
        value = fb_span(NULL, 0);
    if (value.len <= 128 && is_roomy(value) && !is_uuid(value))
        return made_up(probe->arena, value);
    if (route->forms[p] == FB_PROBE_INT || is_digits(value))
        return FB_SPAN("2071804163");       /* within 32 bits, and by no counter reached */
    if (route->forms[p] == FB_PROBE_UUID || is_uuid(value))
        return FB_SPAN("5f0c2b1e-93d7-4a68-8e21-d4b76a3c905f");
    return FB_SPAN("no-such-thing-83d7a1");
}

/* --- A target --------------------------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* The path with the values in it, percent-encoded (RFC 3986 section 2.1); of a last parameter `{x...}` the slashes stay. */
static struct fb_span path_of(struct fb_arena *arena, const struct fb_probe_route *route, const struct fb_span *values)
{
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&out, &memory, 65536);
    for (size_t i = 0, p = 0; i < route->path.len; i++) {
        if (route->path.ptr[i] != '{' || p == route->params_count) {
            fb_buffer_add_char(&out, route->path.ptr[i]);
            continue;
        }
        size_t close = i + fb_span_find(fb_span_from(route->path, i), '}');
        bool rest = close > i + 3 && memcmp(route->path.ptr + close - 3, "...", 3) == 0;
        for (size_t k = 0; k < values[p].len; k++) {
            char c = values[p].ptr[k];
            if (is_unreserved(c) || (rest && c == '/'))
                fb_buffer_add_char(&out, c);
            else
                fb_buffer_add_format(&out, "%%%02X", (unsigned)(unsigned char)c);
        }
        p++;
        i = close;
    }
    if (route->query.len != 0)
        fb_buffer_add_format(&out, "?%.*s", (int)route->query.len, route->query.ptr);
    return out.failed ? fb_span(NULL, 0) : fb_buffer_span(&out);
}

/* How many values there are of a kind: the longest list counts, the others repeat their last. */
static size_t values_count(const struct fb_probe *probe, const struct fb_probe_route *route, enum fb_probe_kind kind, size_t owner)
{
    size_t most = kind == FB_PROBE_PLAIN || kind == FB_PROBE_ABSENT;
    for (size_t p = 0; !most && p < route->params_count; p++) {
        const struct fb_probe_params *params = kind == FB_PROBE_OWNED ? &probe->world.list[owner].owns : &probe->world.shared;
        const struct fb_probe_param *param = fb_probe_param_find(params, route->params[p]);
        most = param != NULL && param->count > most ? param->count : most;
    }
    return most != 0 ? most : kind == FB_PROBE_SHARED ? SAMPLES : 1;
}

bool fb_probe_values(const struct fb_probe *probe, const struct fb_probe_route *route, enum fb_probe_kind kind, size_t owner, size_t nth,
                     struct fb_probe_target *target, struct fb_span *lacks)
{
    bool own = kind != FB_PROBE_OWNED;
    *target = (struct fb_probe_target){.kind = kind, .owner = owner};
    if (nth >= values_count(probe, route, kind, owner))
        return false;
    for (size_t p = 0; p < route->params_count; p++) {
        struct fb_span *value = &target->values[p];
        bool mine = kind == FB_PROBE_OWNED && owned(probe, route, owner, nth, p, value);
        own |= mine;
        bool last = p + 1 == route->params_count;
        if (kind == FB_PROBE_ABSENT && (last || !shared(probe, route, 0, p, value))) {
            /* What stands before the last parameter should exist, or another answer is compared than was meant. */
            bool before = false;
            for (size_t i = 0; !last && !before && i < probe->world.count; i++)
                before = owned(probe, route, i, 0, p, value);
            if (!before)
                *value = absent(probe, route, p);
        } else if (kind != FB_PROBE_ABSENT && !mine && !shared(probe, route, nth, p, value)) {
            *lacks = route->params[p];
            return false;
        }
        if (value->len == 0)
            return false;
    }
    target->path = path_of(probe->arena, route, target->values);
    return own && target->path.len != 0;
}

static bool owns_value(const struct fb_probe *probe, const struct fb_probe_target *target, size_t owner, size_t p)
{
    struct fb_span value;
    size_t most = values_count(probe, target->route, FB_PROBE_OWNED, owner);
    for (size_t nth = 0; nth < most; nth++)
        if (owned(probe, target->route, owner, nth, p, &value) && fb_span_eq(value, target->values[p]))
            return true;
    return false;
}

bool fb_probe_is_own(const struct fb_probe *probe, const struct fb_probe_target *target, size_t identity)
{
    if (target->kind != FB_PROBE_OWNED || target->owner == identity)
        return target->kind == FB_PROBE_OWNED;
    /* All that makes it the owner's makes it this one's too. */
    for (size_t p = 0; p < target->route->params_count; p++)
        if (owns_value(probe, target, target->owner, p) && !owns_value(probe, target, identity, p))
            return false;
    return true;
}
