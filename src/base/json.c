/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON pull reader.  What is expected next follows from the last event and from whether the
 * innermost frame is an object, so there is no other state.  json_keys.c finds duplicate keys. */
#include "base/json.h"

#include "base/json_keys.h"
#include "base/utf8.h"

#include <assert.h>

struct fb_json_frame {
    struct fb_json_frame *outer;    /* or the next spare one */
    bool object;
    struct fb_json_keys keys;
};

static enum fb_json_event fail_at(struct fb_json *json, size_t start, size_t end, const char *code,
                                  const char *error)
{
    json->range = (struct fb_range){(uint32_t)start, (uint32_t)end};
    return fb_json_fail(json, code, error);
}

/* Something else stands at `at` than what the text should have there. */
static enum fb_json_event unexpected(struct fb_json *json, const char *error)
{
    struct fb_span rest = fb_span_from(json->text, json->at);
    if (rest.len == 0)
        return fail_at(json, json->at, json->at, "json.unfinished", "the text ends too early");
    unsigned length;
    (void)fb_utf8_next(rest, &length);
    if (length == 0)
        return fail_at(json, json->at, json->at + 1, "json.utf8", "the text is not UTF-8 here");
    return fail_at(json, json->at, json->at + length, "json.unexpected", error);
}

static enum fb_json_event no_memory(struct fb_json *json)
{
    return fail_at(json, json->at, json->at, "json.memory", "the text needs more memory than it may have");
}

/* A message that says how much is read, in the arena; without the number if that is full. */
static const char *with_limit(struct fb_json *json, const char *before, size_t limit, const char *behind)
{
    struct fb_buffer text;
    fb_buffer_init(&text, json->arena->allocator, 256);
    fb_buffer_add_format(&text, "%s more than %zu %s", before, limit, behind);
    const char *copy = text.failed ? NULL : fb_arena_text(json->arena, fb_buffer_span(&text));
    fb_buffer_release(&text);
    return copy != NULL ? copy : "the text is beyond a limit of this reader";
}

void fb_json_init(struct fb_json *json, struct fb_span text, struct fb_arena *arena,
                  struct fb_json_limits limits)
{
    *json = (struct fb_json){.text = text, .arena = arena, .limits = limits, .event = FB_JSON_END};
    if (text.len > limits.bytes || text.len > UINT32_MAX)
        (void)fail_at(json, 0, 0, "json.too_long",
                      with_limit(json, "the text has", limits.bytes < UINT32_MAX ? limits.bytes : UINT32_MAX, "bytes"));
    else if (fb_span_starts(text, FB_SPAN("\xef\xbb\xbf")))
        (void)fail_at(json, 0, 3, "json.byte_order_mark",
                      "the text starts with a byte order mark; save it as UTF-8 without one");
}

enum fb_json_event fb_json_fail(struct fb_json *json, const char *code, const char *error)
{
    json->error_code = code;
    json->error = error;
    json->event = FB_JSON_ERROR;
    return FB_JSON_ERROR;
}

void fb_json_report(const struct fb_json *json, const struct fb_source *source, struct fb_diags *diags)
{
    assert(json->error != NULL);
    (void)fb_diag_add(diags, FB_ERROR, json->error_code, source, json->range, "%s", json->error);
}

static void skip_space(struct fb_json *json)
{
    while (json->at < json->text.len) {
        char byte = json->text.ptr[json->at];
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        json->at++;
    }
}

/* The byte at `at`; 0, which starts no token, at the end. */
static char peek(const struct fb_json *json)
{
    return json->at < json->text.len ? json->text.ptr[json->at] : '\0';
}

static enum fb_json_event token(struct fb_json *json, enum fb_json_event event, size_t start)
{
    json->range = (struct fb_range){(uint32_t)start, (uint32_t)json->at};
    json->event = event;
    return event;
}

/* Strings. */

/* Whether one of eight bytes ends a run of plain ones: a quote, a backslash, a control, or a byte
 * beyond ASCII.  Subtracting 1 (or 0x20) from each byte sets its top bit where it was smaller. */
static bool has_special(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, p, sizeof word);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    uint64_t found = word | (word - ones * 0x20) | (quote - ones) | (backslash - ones);
    return (found & ones * 0x80) != 0;
}

static bool is_plain(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t skip_plain(struct fb_span text, size_t i)
{
    while (text.len - i >= 8 && !has_special(text.ptr + i))
        i += 8;
    while (i < text.len && is_plain(text.ptr[i]))
        i++;
    return i;
}

/* From json->at, behind the opening quote, to the closing quote; says whether escapes were met.
 * What an escape is worth is seen when it is unescaped. */
static bool find_string_end(struct fb_json *json, bool *escapes)
{
    struct fb_span text = json->text;
    size_t i = json->at;
    for (;;) {
        i = skip_plain(text, i);
        json->at = i;
        unsigned length = 0;
        if (i == text.len)
            break;
        if (text.ptr[i] == '"')
            return true;
        if (text.ptr[i] == '\\' && i + 1 < text.len) {
            *escapes = true;
            length = 2;
        } else if ((unsigned char)text.ptr[i] >= 0x80) {
            (void)fb_utf8_next(fb_span_from(text, i), &length);
        }
        if (length == 0)
            break;
        i += length;
    }
    if (peek(json) == '\\')
        json->at++;
    (void)unexpected(json, "a control character in a string must be escaped");
    return false;
}

/* Four hexadecimal digits; false when they are not. */
static bool read_hex(struct fb_span digits, uint32_t *value)
{
    *value = 0;
    if (digits.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = digits.ptr[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

/* The scalar that `rest`, at a "\u", stands for, and the bytes it is written in: 6, or 12 for a
 * pair of surrogates (RFC 8259 section 7); 0 for what is not one. */
static uint32_t read_unicode_escape(struct fb_span rest, size_t *length, bool *surrogate)
{
    uint32_t high, low;
    *length = 0;
    *surrogate = false;
    if (!read_hex(fb_span_from(rest, 2), &high))
        return 0;
    if (high < 0xD800 || high > 0xDFFF) {
        *length = 6;
        return high;
    }
    *surrogate = true;
    if (high > 0xDBFF || rest.len < 12 || rest.ptr[6] != '\\' || rest.ptr[7] != 'u'
        || !read_hex(fb_span_from(rest, 8), &low) || low < 0xDC00 || low > 0xDFFF)
        return 0;
    *length = 12;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static char short_escape(char c)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    for (size_t i = 0; i < sizeof escapes - 1; i += 2) {
        if (escapes[i] == c)
            return escapes[i + 1];
    }
    return '\0';
}

/* Writes what the escape at the start of `rest` stands for; returns the bytes it is written in, or
 * 0 with the error set. */
static size_t unescape_one(struct fb_json *json, struct fb_span rest, char out[4], unsigned *written)
{
    size_t start = (size_t)(rest.ptr - json->text.ptr), length;
    bool surrogate;
    if (rest.ptr[1] != 'u') {
        out[0] = short_escape(rest.ptr[1]);
        *written = 1;
        if (out[0] != '\0')
            return 2;
        (void)fail_at(json, start, start + 2, "json.escape", "this escape is not one of JSON's");
        return 0;
    }
    uint32_t scalar = read_unicode_escape(rest, &length, &surrogate);
    if (length != 0)
        *written = fb_utf8_put(scalar, out);
    else if (surrogate)
        (void)fail_at(json, start, start + 6, "json.surrogate",
                      "half of a surrogate pair stands for no character");
    else
        (void)fail_at(json, start, start + 2, "json.escape", "\\u needs four hexadecimal digits");
    return length;
}

/* An escape is never shorter than what it stands for, so the raw length is room enough. */
static bool unescape(struct fb_json *json, struct fb_span raw)
{
    char *text = fb_arena_alloc(json->arena, raw.len);
    if (text == NULL) {
        (void)no_memory(json);
        return false;
    }
    size_t len = 0;
    while (raw.len != 0) {
        size_t plain = (uint32_t)fb_span_find(raw, '\\');   /* a text has at most 4 GiB */
        memcpy(text + len, raw.ptr, plain);
        len += plain;
        raw = fb_span_from(raw, plain);
        if (raw.len == 0)
            break;
        char bytes[4];
        unsigned written = 0;
        size_t length = unescape_one(json, raw, bytes, &written);
        if (length == 0)
            return false;
        memcpy(text + len, bytes, written);
        len += written;
        raw = fb_span_from(raw, length);
    }
    json->string = fb_span(text, len);
    return true;
}

static enum fb_json_event read_string(struct fb_json *json, enum fb_json_event event)
{
    size_t start = json->at++;
    bool escapes = false;
    if (!find_string_end(json, &escapes))
        return FB_JSON_ERROR;
    struct fb_span raw = fb_span(json->text.ptr + start + 1, json->at - start - 1);
    json->string = raw;
    if (escapes && !unescape(json, raw))
        return FB_JSON_ERROR;
    json->at++;
    return token(json, event, start);
}

/* Numbers and words. */

static size_t skip_digits(struct fb_json *json)
{
    size_t start = json->at;
    while (peek(json) >= '0' && peek(json) <= '9')
        json->at++;
    return json->at - start;
}

static bool to_integer(struct fb_span digits, bool negative, int64_t *value)
{
    uint64_t magnitude;
    if (!fb_span_to_u64(digits, (uint64_t)INT64_MAX + (negative ? 1 : 0), &magnitude))
        return false;
    if (negative && magnitude != 0)
        *value = -(int64_t)(magnitude - 1) - 1;
    else
        *value = (int64_t)magnitude;
    return true;
}

static enum fb_json_event read_number(struct fb_json *json)
{
    size_t start = json->at;
    bool negative = peek(json) == '-', whole = true;
    json->at += negative;
    size_t digits_at = json->at;
    bool leading_zero = peek(json) == '0';
    size_t digits = skip_digits(json);
    if (digits == 0)
        return unexpected(json, "a number needs a digit here");
    if (leading_zero && digits > 1)
        return fail_at(json, start, json->at, "json.number", "a number must not start with a zero");
    if (peek(json) == '.') {
        whole = false;
        json->at++;
        if (skip_digits(json) == 0)
            return unexpected(json, "a number needs a digit behind its point");
    }
    if (peek(json) == 'e' || peek(json) == 'E') {
        whole = false;
        json->at++;
        json->at += peek(json) == '+' || peek(json) == '-';
        if (skip_digits(json) == 0)
            return unexpected(json, "a number needs a digit in its exponent");
    }
    json->string = fb_span(json->text.ptr + start, json->at - start);
    struct fb_span magnitude = fb_span(json->text.ptr + digits_at, digits);
    bool integer = whole && to_integer(magnitude, negative, &json->integer);
    return token(json, integer ? FB_JSON_INTEGER : FB_JSON_NUMBER, start);
}

static enum fb_json_event read_word(struct fb_json *json, struct fb_span word, enum fb_json_event event)
{
    if (!fb_span_starts(fb_span_from(json->text, json->at), word))
        return unexpected(json, "expected a value");
    size_t start = json->at;
    json->at += word.len;
    return token(json, event, start);
}

/* Arrays and objects. */

static enum fb_json_event open_frame(struct fb_json *json, bool object)
{
    if (json->depth >= json->limits.depth)
        return fail_at(json, json->at, json->at + 1, "json.too_deep",
                       with_limit(json, "arrays and objects are nested", json->limits.depth, "deep"));
    struct fb_json_frame *frame = json->spare;
    if (frame != NULL)
        json->spare = frame->outer;
    else
        frame = fb_arena_alloc(json->arena, sizeof *frame);
    if (frame == NULL)
        return no_memory(json);
    frame->object = object;
    frame->outer = json->frames;
    fb_json_keys_clear(&frame->keys);
    json->frames = frame;
    json->depth++;
    json->at++;
    return token(json, object ? FB_JSON_OBJECT : FB_JSON_ARRAY, json->at - 1);
}

static enum fb_json_event close_frame(struct fb_json *json)
{
    struct fb_json_frame *frame = json->frames;
    json->frames = frame->outer;
    frame->outer = json->spare;
    json->spare = frame;
    json->depth--;
    json->at++;
    json->done = json->depth == 0;
    return token(json, frame->object ? FB_JSON_OBJECT_END : FB_JSON_ARRAY_END, json->at - 1);
}

static enum fb_json_event read_scalar(struct fb_json *json)
{
    char first = peek(json);
    if (first == '"')
        return read_string(json, FB_JSON_STRING);
    if (first == '-' || (first >= '0' && first <= '9'))
        return read_number(json);
    if (first == 't')
        return read_word(json, FB_SPAN("true"), FB_JSON_TRUE);
    if (first == 'f')
        return read_word(json, FB_SPAN("false"), FB_JSON_FALSE);
    return read_word(json, FB_SPAN("null"), FB_JSON_NULL);
}

static enum fb_json_event read_value(struct fb_json *json)
{
    if (peek(json) == '{' || peek(json) == '[')
        return open_frame(json, peek(json) == '{');
    enum fb_json_event event = read_scalar(json);
    json->done = json->depth == 0 && event != FB_JSON_ERROR;
    return event;
}

/* A key with its colon. */
static enum fb_json_event read_key(struct fb_json *json)
{
    struct fb_json_keys *keys = &json->frames->keys;
    if (peek(json) != '"')
        return unexpected(json, "expected a key in quotes");
    if (read_string(json, FB_JSON_KEY) == FB_JSON_ERROR)
        return FB_JSON_ERROR;
    if (keys->count >= json->limits.keys)
        return fb_json_fail(json, "json.too_many_keys",
                            with_limit(json, "an object has", json->limits.keys, "keys"));
    switch (fb_json_keys_add(keys, json, json->string)) {
    case FB_JSON_KEY_NEW:
        break;
    case FB_JSON_KEY_DUPLICATE:
        return fb_json_fail(json, "json.duplicate_key", "the object has this key already");
    case FB_JSON_KEY_NO_MEMORY:
        return no_memory(json);
    }
    skip_space(json);
    if (peek(json) != ':')
        return unexpected(json, "expected a colon behind the key");
    json->at++;
    return FB_JSON_KEY;
}

/* Behind a value, or behind an opening bracket. */
static enum fb_json_event read_member(struct fb_json *json)
{
    bool object = json->frames->object;
    bool first = json->event == FB_JSON_OBJECT || json->event == FB_JSON_ARRAY;
    if (peek(json) == (object ? '}' : ']'))
        return close_frame(json);
    if (!first) {
        if (peek(json) != ',')
            return unexpected(json, object ? "expected a comma or }" : "expected a comma or ]");
        json->at++;
        skip_space(json);
    }
    return object ? read_key(json) : read_value(json);
}

enum fb_json_event fb_json_next(struct fb_json *json)
{
    if (json->error != NULL)
        return FB_JSON_ERROR;
    skip_space(json);
    if (json->done) {
        if (json->at < json->text.len)
            return unexpected(json, "nothing may follow the value");
        return token(json, FB_JSON_END, json->at);
    }
    if (json->depth == 0 || json->event == FB_JSON_KEY)
        return read_value(json);
    return read_member(json);
}

bool fb_json_skip(struct fb_json *json)
{
    if (json->event == FB_JSON_KEY)
        (void)fb_json_next(json);
    if (json->event == FB_JSON_OBJECT || json->event == FB_JSON_ARRAY) {
        uint32_t outside = json->depth - 1;
        while (json->depth > outside && fb_json_next(json) != FB_JSON_ERROR)
            continue;
    }
    return json->error == NULL;
}
