/* SPDX-License-Identifier: Apache-2.0 */
/* What a test expects: aspects.def is the table of it.  All of it is kept as JSON in one form, so that comparing is
 * comparing bytes and a difference can be shown as it would be written. */
#include "cli/test_reader.h"

#include <stdlib.h>

enum {
    SHAPE_BOOL = 1, SHAPE_STATUS = 2, SHAPE_TEXT = 4, SHAPE_NULL = 8, SHAPE_UID = 16, SHAPE_NAMES = 32,
    SHAPE_NAMED = 64,       /* an object of strings, numbers and nulls, told as texts */
    SHAPE_OBJECT = 128      /* of any values */
};

static const struct {
    const char *name;
    unsigned shapes;
    const char *should;
} aspects[] = {
#define FB_ASPECT(symbol, name, shapes, should) {name, shapes, should},
#include "cli/aspects.def"
#undef FB_ASPECT
};

const char *const fb_test_aspect_names[FB_ASPECTS] = {
#define FB_ASPECT(symbol, name, shapes, should) name,
#include "cli/aspects.def"
#undef FB_ASPECT
};

/* --- JSON in one form ---------------------------------------------------------------------------- */

static void add_scalar(const struct fb_json *json, struct fb_buffer *out)
{
    bool text = json->event == FB_JSON_STRING || json->event == FB_JSON_KEY;
    if (text)
        fb_buffer_add_json(out, json->string);
    else if (json->event == FB_JSON_INTEGER || json->event == FB_JSON_NUMBER)
        fb_buffer_add(out, json->string);
    else
        fb_buffer_add_z(out, json->event == FB_JSON_TRUE ? "true" : json->event == FB_JSON_FALSE ? "false" : "null");
}

bool fb_test_compact(struct fb_json *json, struct fb_buffer *out)
{
    size_t depth = 0;
    bool comma = false;
    do {
        bool closes = json->event == FB_JSON_OBJECT_END || json->event == FB_JSON_ARRAY_END;
        if (json->event == FB_JSON_ERROR || json->event == FB_JSON_END)
            return false;
        if (comma && !closes)
            fb_buffer_add_char(out, ',');
        comma = true;
        if (closes) {
            fb_buffer_add_char(out, json->event == FB_JSON_OBJECT_END ? '}' : ']');
            depth--;
        } else if (json->event == FB_JSON_OBJECT || json->event == FB_JSON_ARRAY) {
            fb_buffer_add_char(out, json->event == FB_JSON_OBJECT ? '{' : '[');
            depth++;
            comma = false;
        } else {
            add_scalar(json, out);
        }
        if (json->event == FB_JSON_KEY) {
            fb_buffer_add_char(out, ':');
            comma = false;
        }
        if (depth != 0)
            fb_json_next(json);
        else
            break;
    } while (true);
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return fb_span_cmp(*(const struct fb_span *)a, *(const struct fb_span *)b);
}

void fb_test_names(struct fb_buffer *out, struct fb_span *names, size_t count)
{
    if (count != 0)
        qsort(names, count, sizeof *names, by_bytes);
    fb_buffer_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        fb_buffer_add_z(out, i != 0 ? ", " : "");
        fb_buffer_add_json(out, names[i]);
    }
    fb_buffer_add_char(out, ']');
}

/* --- Reading ------------------------------------------------------------------------------------- */

#define NAMES_MAX 256u

struct reading {
    struct fb_test *test;
    enum fb_test_aspect aspect;
};

static bool add(struct fb_test_reader *r, const struct reading *reading, struct fb_span name, struct fb_span value,
                struct fb_range range)
{
    struct fb_test *test = reading->test;
    struct fb_test_expect *grown = fb_arena_grow(&r->tests->arena, test->expects, test->expects_count,
                                                 &test->expects_capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    test->expects = grown;
    grown[test->expects_count++] = (struct fb_test_expect){reading->aspect, name, value, range};
    return true;
}

/* The value whose first event was taken, compact, in the arena. */
static bool take(struct fb_test_reader *r, bool as_text, struct fb_span *value)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    bool fine = true;
    if (as_text && (r->json.event == FB_JSON_INTEGER || r->json.event == FB_JSON_NUMBER))
        fb_buffer_add_json(&out, r->json.string);
    else
        fine = fb_test_compact(&r->json, &out);
    *value = fb_arena_copy(&r->tests->arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return fine;
}

static bool is_scalar(enum fb_json_event event)
{
    return event == FB_JSON_STRING || event == FB_JSON_INTEGER || event == FB_JSON_NUMBER || event == FB_JSON_NULL
           || event == FB_JSON_TRUE || event == FB_JSON_FALSE;
}

static bool read_members(struct fb_test_reader *r, const struct reading *reading, bool named)
{
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span name = r->json.string, value;
        fb_json_next(&r->json);
        struct fb_range range = r->json.range;
        if (named && !is_scalar(r->json.event)) {
            if (!fb_test_wrong(r, "a string, a number, or null"))
                return false;
            continue;
        }
        if (!take(r, named, &value) || !add(r, reading, name, value, range))
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_names(struct fb_test_reader *r, const struct reading *reading)
{
    struct fb_span names[NAMES_MAX];
    size_t count = 0;
    struct fb_range range = r->json.range;
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END) {
        if (r->json.event != FB_JSON_STRING) {
            if (!fb_test_wrong(r, aspects[reading->aspect].should))
                return false;
        } else if (count < NAMES_MAX) {
            names[count++] = r->json.string;
        } else {
            fb_test_fault(r, "test.shape", r->json.range, "more than %u", NAMES_MAX);
        }
    }
    range.end = r->json.range.end;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_test_names(&out, names, count);
    struct fb_span value = fb_arena_copy(&r->tests->arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return add(r, reading, FB_SPAN(""), value, range);
}

static bool read_uid(struct fb_test_reader *r, const struct reading *reading)
{
    const struct fb_uid *uid = fb_test_uid(r);
    if (uid == NULL)
        return true;
    struct fb_buffer text, out;
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_uid_print(&text, uid);
    fb_buffer_add_json(&out, fb_buffer_span(&text));
    struct fb_span value = fb_arena_copy(&r->tests->arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    fb_buffer_release(&text);
    return add(r, reading, FB_SPAN(""), value, r->json.range);
}

static bool is_status(const struct fb_json *json)
{
    return json->event == FB_JSON_INTEGER && (json->integer == 204 || (json->integer >= 400 && json->integer <= 599));
}

static bool read_status(struct fb_test_reader *r, const struct reading *reading)
{
    struct fb_span value;
    if (!is_status(&r->json)) {
        bool integer = r->json.event == FB_JSON_INTEGER;
        if (!fb_test_wrong(r, aspects[FB_ASPECT_STATUS].should))
            return false;
        if (integer)
            r->tests->diags.list[r->tests->diags.count - 1].hint =
                FB_SPAN("what is forwarded gets its status from the upstream: \"expect\": \"forward\"");
        return true;
    }
    return take(r, false, &value) && add(r, reading, FB_SPAN(""), value, r->json.range);
}

/* One aspect; none of its value was taken. */
static bool read_aspect(struct fb_test_reader *r, const struct reading *reading)
{
    unsigned shapes = aspects[reading->aspect].shapes;
    enum fb_json_event event = fb_json_next(&r->json);
    struct fb_range range = r->json.range;
    struct fb_span value;
    if ((shapes & SHAPE_STATUS) != 0)
        return read_status(r, reading);
    if (event == FB_JSON_ARRAY && (shapes & SHAPE_NAMES) != 0)
        return read_names(r, reading);
    if (event == FB_JSON_STRING && (shapes & SHAPE_UID) != 0)
        return read_uid(r, reading);
    if (event == FB_JSON_OBJECT && (shapes & (SHAPE_NAMED | SHAPE_OBJECT)) != 0)
        return (reading->aspect != FB_ASPECT_CHALLENGE || add(r, reading, FB_SPAN(""), FB_SPAN("{}"), range))
               && read_members(r, reading, (shapes & SHAPE_NAMED) != 0);
    bool fits = (event == FB_JSON_STRING && (shapes & SHAPE_TEXT) != 0)
                || (event == FB_JSON_NULL && (shapes & SHAPE_NULL) != 0)
                || ((event == FB_JSON_TRUE || event == FB_JSON_FALSE) && (shapes & SHAPE_BOOL) != 0);
    if (!fits)
        return fb_test_wrong(r, aspects[reading->aspect].should);
    return take(r, false, &value) && add(r, reading, FB_SPAN(""), value, range);
}

#define FB_ASPECT(symbol, name, shapes, should)                                                                        \
    static bool read_##symbol(struct fb_test_reader *r, void *into)                                                    \
    {                                                                                                                  \
        return read_aspect(r, &(struct reading){into, FB_ASPECT_##symbol});                                            \
    }
#include "cli/aspects.def"
#undef FB_ASPECT

static const struct fb_test_member expect_members[] = {
#define FB_ASPECT(symbol, name, shapes, should) {name, read_##symbol},
#include "cli/aspects.def"
#undef FB_ASPECT
};

bool fb_test_read_expect(struct fb_test_reader *r, void *into)
{
    struct fb_test *test = into;
    enum fb_json_event event = fb_json_next(&r->json);
    const char *should = "what is expected: \"forward\", a status, or an object";
    test->has_expect = true;
    if (event == FB_JSON_STRING && fb_span_is(r->json.string, "forward"))
        return add(r, &(struct reading){test, FB_ASPECT_FORWARD}, FB_SPAN(""), FB_SPAN("true"), r->json.range);
    if (event == FB_JSON_INTEGER)
        return read_status(r, &(struct reading){test, FB_ASPECT_STATUS});
    if (event == FB_JSON_STRING) {
        struct fb_diag *fault = fb_test_fault(r, "test.shape", r->json.range, "this should be %s", should);
        bool number = r->json.string.len == 3 && r->json.string.ptr[0] >= '1' && r->json.string.ptr[0] <= '5';
        fault->hint = number ? FB_SPAN("a status is a number: without quotes") : FB_SPAN("");
        return true;
    }
    if (event != FB_JSON_OBJECT)
        return fb_test_wrong(r, should);
    size_t errors = r->tests->diags.errors;
    struct fb_range range = r->json.range;
    if (!fb_test_object(r, "what is expected", expect_members, sizeof expect_members / sizeof expect_members[0], test))
        return false;
    if (test->expects_count == 0 && r->tests->diags.errors == errors)
        fb_test_fault(r, "test.expect", range, "this test expects nothing");
    return true;
}
