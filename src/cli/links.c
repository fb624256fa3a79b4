/* SPDX-License-Identifier: Apache-2.0 */
/* Template links from a file: a JSON array of
 *   {"template_id": "…", "link_id": "…", "args": {"?principal": "User::\"a\"", …}}
 * Everything that is wrong with one link is said at its place, and the next one is read. */
#include "cli/inputs.h"

struct reading {
    struct fb_policy_set *set;
    struct fb_json json;
    const struct fb_source *source;
    struct fb_diags *diags;
    bool fine;
};

struct link {
    struct fb_span template_id, link_id;
    struct fb_range at; /* of the object's opening brace, then of its template id */
    bool has_template, has_link, broken;
    const struct fb_uid *principal, *resource;
};

static void fault(struct reading *reading, struct link *link, struct fb_range range, const char *code, const char *text)
{
    fb_diag_add(reading->diags, FB_ERROR, code, reading->source, range, "%s", text);
    link->broken = true;
    reading->fine = false;
}

static bool next_is(struct reading *reading, enum fb_json_event event, const char *what)
{
    if (fb_json_next(&reading->json) == event)
        return true;
    if (reading->json.event != FB_JSON_ERROR)
        fb_json_fail(&reading->json, "links.shape", what);
    return false;
}

static bool read_args(struct reading *reading, struct link *link)
{
    struct fb_json *json = &reading->json;
    if (!next_is(reading, FB_JSON_OBJECT, "args is an object of slots and uids"))
        return false;
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span slot = json->string;
        struct fb_range range = json->range;
        if (!next_is(reading, FB_JSON_STRING, "a slot's value is a uid as text, like \"User::\\\"a\\\"\""))
            return false;
        const struct fb_uid *uid = fb_uid_parse(reading->set->arena, json->string);
        if (uid == NULL)
            fault(reading, link, json->range, "links.uid", "this is not an entity uid");
        else if (fb_span_is(slot, "?principal"))
            link->principal = uid;
        else if (fb_span_is(slot, "?resource"))
            link->resource = uid;
        else
            fault(reading, link, range, "links.slot", "there is no such slot; slots are ?principal and ?resource");
    }
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_members(struct reading *reading, struct link *link)
{
    struct fb_json *json = &reading->json;
    link->at = json->range;
    while (fb_json_next(json) == FB_JSON_KEY) {
        if (fb_span_is(json->string, "template_id")) {
            if (!next_is(reading, FB_JSON_STRING, "template_id is a string"))
                return false;
            link->template_id = json->string;
            link->at = json->range;
            link->has_template = true;
        } else if (fb_span_is(json->string, "link_id")) {
            if (!next_is(reading, FB_JSON_STRING, "link_id is a string"))
                return false;
            link->link_id = json->string;
            link->has_link = true;
        } else if (fb_span_is(json->string, "args")) {
            if (!read_args(reading, link))
                return false;
        } else if (!fb_json_skip(json)) {
            return false;
        }
    }
    return json->event == FB_JSON_OBJECT_END;
}

/* Ids outlive the source's text: it is in the same arena. */
static void add(struct reading *reading, struct link *link)
{
    if (!link->has_template || !link->has_link)
        fault(reading, link, link->at, "links.shape", "a link has a template_id, a link_id and args");
    if (link->broken)
        return;
    const char *error = NULL;
    if (fb_policy_set_link(reading->set, link->template_id, link->link_id, link->principal, link->resource, &error)
        == NULL)
        fault(reading, link, link->at, "links.link", error != NULL ? error : "out of memory");
}

bool fb_links_read(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags)
{
    struct reading reading = {.set = set, .source = source, .diags = diags, .fine = true};
    struct fb_json *json = &reading.json;
    fb_json_init(json, source->text, set->arena, (struct fb_json_limits){.depth = 16, .bytes = SIZE_MAX, .keys = 64});
    bool read = next_is(&reading, FB_JSON_ARRAY, "template links are an array of objects");
    while (read && fb_json_next(json) == FB_JSON_OBJECT) {
        struct link link = {.has_template = false};
        read = read_members(&reading, &link);
        if (read)
            add(&reading, &link);
    }
    if (read && json->event != FB_JSON_ARRAY_END && json->event != FB_JSON_ERROR)
        fb_json_fail(json, "links.shape", "a link is an object");
    if (json->event == FB_JSON_ARRAY_END && fb_json_next(json) == FB_JSON_END)
        return reading.fine;
    fb_json_report(json, source, diags);
    return false;
}
