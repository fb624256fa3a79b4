/* SPDX-License-Identifier: Apache-2.0 */

/* A uid from Cedar text, as it stands in a policy: white space and comments may surround each token,
 * the id is a string literal with its escapes.  Used for uids that stand alone (arguments of the
 * command, token claims); policies are read by cedar's own lexer. */

#include "entity/uid.h"

struct cursor {
    const char *at, *end;
};

/* Unicode's White_Space, which is what Cedar skips. */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680
        || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool starts_with(const struct cursor *in, const char *two)
{
    return in->end - in->at >= 2 && in->at[0] == two[0] && in->at[1] == two[1];
}

static void skip_space(struct cursor *in)
{
    while (in->at < in->end) {
        if (starts_with(in, "//")) {
            while (in->at < in->end && *in->at != '\n' && *in->at != '\r')
                in->at++;
            continue;
        }
        unsigned length;
        uint32_t c = fb_utf8_next(fb_span(in->at, (size_t)(in->end - in->at)), &length);
        if (length == 0 || !is_space(c))
            return;
        in->at += length;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* `\u{…}`, behind the u: one to six digits, among which underscores may stand. */
static bool unicode_escape(struct cursor *in, uint32_t *scalar)
{
    unsigned digits = 0;
    *scalar = 0;
    if (in->at == in->end || *in->at++ != '{')
        return false;
    for (; in->at < in->end && *in->at != '}'; in->at++) {
        if (*in->at == '_' && digits != 0)
            continue;
        int digit = hex_digit(*in->at);
        if (digit < 0 || ++digits > 6)
            return false;
        *scalar = *scalar << 4 | (uint32_t)digit;
    }
    return in->at < in->end && *in->at++ == '}' && digits != 0;
}

static bool hex_escape(struct cursor *in, uint32_t *scalar)
{
    if (in->end - in->at < 2)
        return false;
    int high = hex_digit(in->at[0]), low = hex_digit(in->at[1]);
    in->at += 2;
    *scalar = (uint32_t)(high * 16 + low);
    return high >= 0 && high <= 7 && low >= 0;
}

/* Behind the backslash.  Returns the bytes written, 0 on a fault. */
static unsigned escape(struct cursor *in, char out[4])
{
    static const char letters[] = "nrt\\0'\"", meanings[] = "\n\r\t\\\0'\"";
    if (in->at == in->end)
        return 0;
    char letter = *in->at++;
    uint32_t scalar;
    if (letter == 'u')
        return unicode_escape(in, &scalar) ? fb_utf8_put(scalar, out) : 0;
    if (letter == 'x')
        return hex_escape(in, &scalar) ? fb_utf8_put(scalar, out) : 0;
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL)
        return 0;
    out[0] = meanings[found - letters];
    return 1;
}

/* A string literal; its contents into `out`, which has room for as many bytes as the literal. */
static bool string(struct cursor *in, char *out, size_t *len)
{
    char *to = out;
    in->at++;
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (c == '\r')
            return false;   /* ambiguous with a line end; Cedar wants it escaped */
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        char bytes[4];
        unsigned n = escape(in, bytes);
        if (n == 0)
            return false;
        memcpy(to, bytes, n);
        to += n;
    }
    *len = (size_t)(to - out);
    return in->at < in->end && *in->at++ == '"';
}

/* `A :: B ::` into `type`, joined by "::"; the cursor is left at the id's quote. */
static bool type_path(struct cursor *in, char type[FB_UID_TYPE_MAX], size_t *len)
{
    for (*len = 0;;) {
        skip_space(in);
        if (in->at < in->end && *in->at == '"' && *len != 0)
            return true;
        const char *start = in->at;
        while (in->at < in->end && (hex_digit(*in->at) >= 0 || *in->at == '_' || (*in->at >= 'G' && *in->at <= 'Z')
                                    || (*in->at >= 'g' && *in->at <= 'z')))
            in->at++;
        struct fb_span name = fb_span(start, (size_t)(in->at - start));
        skip_space(in);
        size_t joint = *len != 0 ? 2 : 0;
        if (!fb_identifier_valid(name) || !starts_with(in, "::") || *len + joint + name.len > FB_UID_TYPE_MAX)
            return false;
        in->at += 2;
        memcpy(type + *len, "::", joint);
        *len += joint;
        memcpy(type + *len, name.ptr, name.len);
        *len += name.len;
    }
}

/* `Type::"id"` without white space, comments or escapes, as programs write it.  NULL: it is not that plain, or has a
 * fault, or there is no memory. */
static const struct fb_uid *parse_plain(struct fb_arena *arena, struct fb_span text)
{
    size_t quote = fb_span_find(text, '"');
    if (quote < 3 || quote + 2 > text.len || text.ptr[text.len - 1] != '"' || text.ptr[quote - 1] != ':'
        || text.ptr[quote - 2] != ':')
        return NULL;
    struct fb_span type = fb_span_head(text, quote - 2), id = fb_span(text.ptr + quote + 1, text.len - quote - 2);
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] == '\\' || id.ptr[i] == '"' || id.ptr[i] == '\r')
            return NULL;
    return fb_type_name_valid(type) && fb_utf8_valid(id) == id.len ? fb_uid_new(arena, type, id) : NULL;
}

const struct fb_uid *fb_uid_parse(struct fb_arena *arena, struct fb_span text)
{
    const struct fb_uid *plain = parse_plain(arena, text);
    if (plain != NULL)
        return plain;
    struct cursor in = {text.ptr, text.ptr + text.len};
    char type[FB_UID_TYPE_MAX];
    size_t type_len, id_len;
    if (text.len == 0 || fb_utf8_valid(text) != text.len || !type_path(&in, type, &type_len))
        return NULL;
    char *id = fb_arena_alloc(arena, (size_t)(in.end - in.at));
    if (id == NULL || !string(&in, id, &id_len))
        return NULL;
    skip_space(&in);
    return in.at == in.end ? fb_uid_new(arena, fb_span(type, type_len), fb_span(id, id_len)) : NULL;
}
