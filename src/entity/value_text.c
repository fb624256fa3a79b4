/* SPDX-License-Identifier: Apache-2.0 */

/* Values as Cedar text and as Cedar's JSON.  Records are shown by their names in order, sets in their
 * canonical order. */

#include "entity/entity.h"
#include "entity/sorted.h"

static void print_number(struct fb_buffer *out, int64_t number)
{
    fb_buffer_add_format(out, "%lld", (long long)number);
}

static const char *constructor(enum fb_kind kind)
{
    return kind == FB_DECIMAL ? "decimal" : kind == FB_DATETIME ? "datetime" : kind == FB_DURATION ? "duration" : "ip";
}

static void print_argument(struct fb_buffer *out, struct fb_value value)
{
    if (value.kind == FB_DECIMAL)
        fb_decimal_print(out, value.number);
    else if (value.kind == FB_DATETIME)
        fb_datetime_print(out, value.number);
    else if (value.kind == FB_DURATION)
        fb_duration_print(out, value.number);
    else
        fb_ip_print(out, value.ip);
}

/* A datetime that its constructor cannot write is shown as it can be made: from 1970 and a duration. */
static bool needs_offset(struct fb_value value)
{
    return value.kind == FB_DATETIME && !fb_datetime_has_text(value.number);
}

static void print_extension(struct fb_buffer *out, struct fb_value value)
{
    if (needs_offset(value)) {
        fb_buffer_add_z(out, "datetime(\"1970-01-01\").offset(");
        print_extension(out, fb_value_number(FB_DURATION, value.number));
        fb_buffer_add_char(out, ')');
        return;
    }
    fb_buffer_add_format(out, "%s(\"", constructor(value.kind));
    print_argument(out, value);
    fb_buffer_add_z(out, "\")");
}

static void print_extension_json(struct fb_buffer *out, struct fb_value value)
{
    if (needs_offset(value)) {
        fb_buffer_add_z(out, "{\"__extn\":{\"fn\":\"offset\",\"args\":[");
        print_extension_json(out, fb_value_number(FB_DATETIME, 0));
        fb_buffer_add_char(out, ',');
        print_extension_json(out, fb_value_number(FB_DURATION, value.number));
        fb_buffer_add_z(out, "]}}");
        return;
    }
    fb_buffer_add_format(out, "{\"__extn\":{\"fn\":\"%s\",\"arg\":\"", constructor(value.kind));
    print_argument(out, value);
    fb_buffer_add_z(out, "\"}}");
}

static void print_set(struct fb_buffer *out, struct fb_value set, bool json)
{
    fb_buffer_add_char(out, '[');
    for (uint32_t i = 0; i < set.count; i++) {
        if (i != 0)
            fb_buffer_add_z(out, json ? "," : ", ");
        (json ? fb_value_print_json : fb_value_print)(out, fb_cell_load(&set.cells[i]));
    }
    fb_buffer_add_char(out, ']');
}

static void print_record(struct fb_buffer *out, const struct fb_record *record, bool json)
{
    struct fb_by_name order;
    if (!fb_by_name_init(&order, record, out->allocator)) {
        out->failed = true;
        return;
    }
    fb_buffer_add_char(out, '{');
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t field = order.fields[i];
        struct fb_span name = fb_value_text(fb_cell_load(&fb_record_names(record)[field]));
        struct fb_value value = fb_cell_load(&fb_record_values(record)[field]);
        if (i != 0)
            fb_buffer_add_z(out, json ? "," : ", ");
        (json ? fb_buffer_add_json : fb_buffer_add_cedar)(out, name);
        fb_buffer_add_z(out, json ? ":" : ": ");
        (json ? fb_value_print_json : fb_value_print)(out, value);
    }
    fb_buffer_add_char(out, '}');
    fb_by_name_release(&order);
}

void fb_value_print(struct fb_buffer *out, struct fb_value value)
{
    switch ((enum fb_kind)value.kind) {
    case FB_BOOL:
        fb_buffer_add_z(out, value.number != 0 ? "true" : "false");
        break;
    case FB_LONG:
        print_number(out, value.number);
        break;
    case FB_STRING:
        fb_buffer_add_cedar(out, fb_value_text(value));
        break;
    case FB_ENTITY:
        fb_uid_print(out, value.uid);
        break;
    case FB_SET:
        print_set(out, value, false);
        break;
    case FB_RECORD:
        print_record(out, value.record, false);
        break;
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
    case FB_IP:
        print_extension(out, value);
        break;
    }
}

static void print_uid_json(struct fb_buffer *out, const struct fb_uid *uid)
{
    fb_buffer_add_z(out, "{\"type\":");
    fb_buffer_add_json(out, fb_uid_type(uid));
    fb_buffer_add_z(out, ",\"id\":");
    fb_buffer_add_json(out, fb_uid_id(uid));
    fb_buffer_add_char(out, '}');
}

void fb_value_print_json(struct fb_buffer *out, struct fb_value value)
{
    switch ((enum fb_kind)value.kind) {
    case FB_BOOL:
        fb_buffer_add_z(out, value.number != 0 ? "true" : "false");
        break;
    case FB_LONG:
        print_number(out, value.number);
        break;
    case FB_STRING:
        fb_buffer_add_json(out, fb_value_text(value));
        break;
    case FB_ENTITY:
        fb_buffer_add_z(out, "{\"__entity\":");
        print_uid_json(out, value.uid);
        fb_buffer_add_char(out, '}');
        break;
    case FB_SET:
        print_set(out, value, true);
        break;
    case FB_RECORD:
        print_record(out, value.record, true);
        break;
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
    case FB_IP:
        print_extension_json(out, value);
        break;
    }
}

void fb_entity_print_json(struct fb_buffer *out, const struct fb_entity *entity)
{
    fb_buffer_add_z(out, "{\"uid\":");
    print_uid_json(out, entity->uid);
    fb_buffer_add_z(out, ",\"attrs\":");
    print_record(out, entity->attrs, true);
    fb_buffer_add_z(out, ",\"parents\":[");
    for (uint32_t i = 0; i < entity->parents.count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        print_uid_json(out, fb_ref_uid(&entity->parents.refs[i]));
    }
    fb_buffer_add_char(out, ']');
    if (entity->tags->count != 0) {
        fb_buffer_add_z(out, ",\"tags\":");
        print_record(out, entity->tags, true);
    }
    fb_buffer_add_char(out, '}');
}
