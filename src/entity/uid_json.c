/* SPDX-License-Identifier: Apache-2.0 */

/* Entity uids from Cedar's JSON: `{type, id}` or `{__entity: {type, id}}`; other keys are passed over,
 * as upstream does. */

#include "entity/entity.h"

/* Behind '{': `type` and `id` as they come. */
struct uid_draft {
    struct fb_span type, id;
    bool has_type, has_id;
    const struct fb_uid *escaped;   /* what `__entity` holds */
};

static const struct fb_uid *uid_fail(struct fb_json *json, const char *code, const char *error)
{
    if (json->error == NULL)
        fb_json_fail(json, code, error);
    return NULL;
}

static const struct fb_uid *read_uid_object(struct fb_json *json, struct fb_arena *arena, bool may_escape)
{
    struct fb_range start = json->range;
    struct uid_draft draft = {0};
    static const char form[] = "an entity uid is written {\"type\": \"User\", \"id\": \"alice\"}";
    if (json->event != FB_JSON_OBJECT)
        return uid_fail(json, "entity.uid", form);
    while (fb_json_next(json) == FB_JSON_KEY) {
        bool type = fb_span_is(json->string, "type"), id = fb_span_is(json->string, "id");
        bool escape = may_escape && fb_span_is(json->string, "__entity");
        fb_json_next(json);
        if ((type || id) && json->event == FB_JSON_STRING) {
            *(type ? &draft.type : &draft.id) = json->string;
            *(type ? &draft.has_type : &draft.has_id) = true;
        } else if (escape) {
            draft.escaped = read_uid_object(json, arena, false);
            if (draft.escaped == NULL)
                return NULL;
        } else if (!fb_json_skip(json)) {
            return NULL;
        }
    }
    if (json->event != FB_JSON_OBJECT_END)
        return NULL;
    if (draft.escaped != NULL)
        return draft.escaped;
    struct fb_range end = json->range;
    json->range = start;
    if (!draft.has_type || !draft.has_id)
        return uid_fail(json, "entity.uid", form);
    if (!fb_type_name_valid(draft.type))
        return uid_fail(json, "entity.type_name",
                    "an entity's type is a name such as User or App::User, without white space or a "
                    "reserved word (if, in, is, …, __cedar)");
    if (draft.type.len > FB_UID_TYPE_MAX || draft.id.len > FB_UID_ID_MAX)
        return uid_fail(json, "entity.uid_too_long", "an entity's type has at most 1024 bytes, its id 65535");
    const struct fb_uid *uid = fb_uid_new(arena, draft.type, draft.id);
    if (uid == NULL)
        return uid_fail(json, "json.memory", "out of memory, or more data than this reader may hold");
    json->range = end;
    return uid;
}

const struct fb_uid *fb_uid_read_json(struct fb_json *json, struct fb_arena *arena)
{
    return read_uid_object(json, arena, true);
}
