/* SPDX-License-Identifier: Apache-2.0 */
/* What curl says about its exchanges: `-v` marks each line by its direction, `--trace-ascii` and `--trace` by
 * blocks with offsets.  Both may hold several exchanges, of one connection or of several.
 * curl's manual is the reference; the forms are those of curl 7 and 8. */
#include "refusal/exchange_read.h"

/* --- -v: `* ` what curl does, `> ` the request's head, `< ` the answer's, the rest its body --- */

/* What curl says, where a body may hold a line that begins with a star too. */
static bool is_remark(struct fb_span line)
{
    static const char *const remarks[] = {"* Connection #", "* Closing", "* Issue another", "*   Trying", "* Found bundle",
                                          "* Re-using", "* Ignoring the response", "* Connected to", "* Mark bundle",
                                          "* Maximum", "* Hostname", "* Host ", "* shutting down", "* Request ", "* Excess found"};
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (fb_span_starts(line, fb_span_z(remarks[i])))
            return true;
    /* `{ [12 bytes data]`, where the output is no terminal. */
    return line.len > 10 && (line.ptr[0] == '{' || line.ptr[0] == '}') && fb_span_starts(fb_span_from(line, 1), FB_SPAN(" [")) &&
           fb_span_eq(fb_span_from(line, line.len - 12), FB_SPAN(" bytes data]"));
}

/* A body without a line's end has curl's last remark in its last line. */
static size_t glued_remark(struct fb_span line)
{
    static const char *const remarks[] = {"* Connection #", "* Closing connection"};
    for (size_t i = 1; i < line.len; i++)
        for (size_t r = 0; line.ptr[i] == '*' && r < 2; r++)
            if (fb_span_starts(fb_span_from(line, i), fb_span_z(remarks[r])))
                return i;
    return line.len;
}

struct verbose {
    struct fb_exchange_reader *reader;
    enum { OUTSIDE, REQUEST, ANSWER, BODY } where;
    struct fb_span whole;
    size_t body_start, body_end;
};

static void end_body(struct verbose *v)
{
    struct fb_exchange *exchange = fb_exchange_last(v->reader);
    if (v->where == BODY && exchange != NULL && v->body_end > v->body_start)
        exchange->body = fb_span(v->whole.ptr + v->body_start, v->body_end - v->body_start);
    v->where = OUTSIDE;
}

static void request_line(struct verbose *v, struct fb_span line, size_t at)
{
    struct fb_span method, target;
    if (fb_exchange_request_line(line, &method, &target)) {
        end_body(v);
        struct fb_exchange *exchange = fb_exchange_begin(v->reader, at);
        if (exchange == NULL)
            return;
        exchange->method = method;
        exchange->url = target;
        exchange->request_known = true;
        v->where = REQUEST;
    } else if (v->where == REQUEST) {
        if (line.len == 0) {
            fb_exchange_complete_url(v->reader, fb_exchange_last(v->reader));
            v->where = OUTSIDE;
        } else {
            fb_exchange_add_field(v->reader, true, line);
        }
    }
}

static void answer_line(struct verbose *v, struct fb_span line, size_t at, size_t next)
{
    unsigned status;
    struct fb_span phrase;
    if (fb_exchange_status_line(line, &status, &phrase)) {
        end_body(v);
        if (fb_exchange_last(v->reader) == NULL && fb_exchange_begin(v->reader, at) == NULL)
            return;
        fb_exchange_answer(v->reader, status, phrase);
        v->where = ANSWER;
    } else if (v->where == ANSWER && line.len == 0) {
        v->where = BODY;
        v->body_start = v->body_end = next;
    } else if (v->where == ANSWER) {
        fb_exchange_add_field(v->reader, false, line);
    }
}

bool fb_exchanges_read_verbose(struct fb_exchange_reader *reader, struct fb_span text)
{
    struct verbose v = {.reader = reader, .where = OUTSIDE, .whole = text};
    struct fb_span rest = text;
    while (rest.len != 0 && !reader->failed) {
        size_t at = text.len - rest.len;
        struct fb_span line = fb_exchange_line(&rest), method, target, content = fb_span_from(line, 2);
        unsigned status;
        bool sent = fb_span_starts(line, FB_SPAN("> ")) || fb_span_is(line, ">");
        bool got = fb_span_starts(line, FB_SPAN("< ")) || fb_span_is(line, "<");
        bool begins = (sent && fb_exchange_request_line(content, &method, &target)) ||
                      (got && fb_exchange_status_line(content, &status, &method));
        if (v.where == BODY && !begins && !is_remark(line)) {
            size_t glued = glued_remark(line);
            v.body_end = glued < line.len ? at + glued : text.len - rest.len;
            if (glued < line.len)
                end_body(&v);
        } else if (sent) {
            request_line(&v, content, at);
        } else if (got) {
            answer_line(&v, content, at, text.len - rest.len);
        } else if (v.where == BODY && v.body_end > v.body_start) {
            end_body(&v);
        } else if (v.where == BODY) {
            /* Where both outputs went into one pipe the body comes after the remarks. */
            v.body_start = v.body_end = text.len - rest.len;
        } else if (fb_span_starts(line, FB_SPAN("* Connected to ")) || fb_span_starts(line, FB_SPAN("*   Trying"))) {
            reader->https = false;
        } else if (fb_span_starts(line, FB_SPAN("* SSL connection using"))) {
            reader->https = true;
        }
    }
    end_body(&v);
    return !reader->failed;
}

/* --- --trace-ascii and --trace: blocks of rows with an offset in hexadecimal --- */

enum block { BLOCK_OTHER, BLOCK_SENT_HEAD, BLOCK_SENT_BODY, BLOCK_GOT_HEAD, BLOCK_GOT_BODY };

struct trace {
    struct fb_exchange_reader *reader;
    enum block block;
    struct fb_buffer text;          /* the block's, or the body so far */
    size_t offset;                  /* where the next row should begin */
    bool altered;
};

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `0040: ` with its offset. */
static bool take_offset(struct fb_span *row, size_t *offset)
{
    size_t i = 0, value = 0;
    for (; i < row->len && i < 8 && hex_of(row->ptr[i]) >= 0; i++)
        value = value * 16 + (size_t)hex_of(row->ptr[i]);
    if (i < 4 || row->len < i + 1 || row->ptr[i] != ':')
        return false;
    *offset = value;
    *row = fb_span_from(*row, row->len > i + 1 ? i + 2 : i + 1);
    return true;
}

/* `48 54 54 50 …  HTTP…`: sixteen columns of three; what the bytes are, or false. */
static bool hex_row(struct fb_span row, struct fb_buffer *out)
{
    size_t before = out->len, n = 0;
    for (; n < 16 && row.len >= n * 3 + 3; n++) {
        int high = hex_of(row.ptr[n * 3]), low = hex_of(row.ptr[n * 3 + 1]);
        if (high < 0 || low < 0 || row.ptr[n * 3 + 2] != ' ')
            break;
        fb_buffer_add_char(out, (char)(high * 16 + low));
    }
    /* The columns of bytes that are not there are blank, and the text behind is as long as the bytes. */
    bool fits = n != 0 && row.len == 48 + n;
    for (size_t i = n * 3; fits && i < 48; i++)
        fits = row.ptr[i] == ' ';
    if (!fits)
        out->len = before;
    return fits;
}

static void head_done(struct trace *t)
{
    struct fb_span rest = fb_arena_copy(t->reader->out->arena, fb_buffer_span(&t->text)), method, target, phrase;
    unsigned status;
    bool sent = t->block == BLOCK_SENT_HEAD;
    size_t at = 0;
    while (rest.len != 0 && !t->reader->failed) {
        struct fb_span line = fb_exchange_line(&rest);
        if (sent && fb_exchange_request_line(line, &method, &target)) {
            struct fb_exchange *exchange = fb_exchange_begin(t->reader, at);
            if (exchange == NULL)
                return;
            exchange->method = method;
            exchange->url = target;
            exchange->request_known = true;
        } else if (!sent && fb_exchange_status_line(line, &status, &phrase)) {
            if (fb_exchange_last(t->reader) == NULL && fb_exchange_begin(t->reader, at) == NULL)
                return;
            fb_exchange_answer(t->reader, status, phrase);
        } else if (fb_exchange_last(t->reader) != NULL) {
            fb_exchange_add_field(t->reader, sent, line);
        }
    }
    if (sent && fb_exchange_last(t->reader) != NULL)
        fb_exchange_complete_url(t->reader, fb_exchange_last(t->reader));
}

static void block_done(struct trace *t)
{
    struct fb_exchange *exchange = fb_exchange_last(t->reader);
    if (t->text.failed)
        t->reader->failed = true;
    else if (t->block == BLOCK_SENT_HEAD || t->block == BLOCK_GOT_HEAD)
        head_done(t);
    else if (t->block != BLOCK_OTHER && exchange != NULL) {
        struct fb_span *to = t->block == BLOCK_GOT_BODY ? &exchange->body : &exchange->request_body;
        char *room = fb_arena_alloc(t->reader->out->arena, to->len + t->text.len);
        if (room == NULL) {
            t->reader->failed = true;
            return;
        }
        if (to->len != 0)
            memcpy(room, to->ptr, to->len);
        if (t->text.len != 0)
            memcpy(room + to->len, t->text.ptr, t->text.len);
        *to = fb_span(room, to->len + t->text.len);
        exchange->body_altered |= t->altered;
    }
    fb_buffer_clear(&t->text);
    t->offset = 0;
    t->altered = false;
    t->block = BLOCK_OTHER;
}

static enum block block_of(struct fb_span line)
{
    static const struct {
        const char *mark;
        enum block block;
    } marks[] = {{"=> Send header,", BLOCK_SENT_HEAD}, {"=> Send data,", BLOCK_SENT_BODY}, {"<= Recv header,", BLOCK_GOT_HEAD},
                 {"<= Recv data,", BLOCK_GOT_BODY}};
    for (size_t i = 0; i < line.len && i < 32; i++)
        for (size_t m = 0; m < sizeof marks / sizeof marks[0]; m++)
            if (fb_span_starts(fb_span_from(line, i), fb_span_z(marks[m].mark)))
                return marks[m].block;
    return BLOCK_OTHER;
}

static void add_row(struct trace *t, struct fb_span row, size_t offset)
{
    /* A row of text ends at a line's end, which two bytes of offset show, or after 64 bytes. */
    if (t->offset != 0 && offset == t->offset + 2)
        fb_buffer_add_z(&t->text, "\r\n");
    size_t before = t->text.len;
    if (hex_row(row, &t->text)) {
        t->offset = offset + (t->text.len - before);
        return;
    }
    fb_buffer_add(&t->text, row);
    t->altered |= fb_span_find(row, '.') < row.len;
    t->offset = offset + row.len;
}

/* The body of a chunked answer, whose framing curl 7 shows (RFC 9112 section 7.1).  As it is, if it is not that. */
static struct fb_span without_chunks(struct fb_arena *arena, struct fb_span body)
{
    char *out = fb_arena_alloc(arena, body.len);
    struct fb_span rest = body;
    size_t n = 0;
    while (out != NULL && rest.len != 0) {
        struct fb_span line = fb_exchange_line(&rest);
        size_t size = 0, i = 0;
        for (; i < line.len && i < 7 && hex_of(line.ptr[i]) >= 0; i++)
            size = size * 16 + (size_t)hex_of(line.ptr[i]);
        if (i == 0 || i != fb_span_find(line, ';') || size > rest.len)
            return body;
        if (size == 0)
            return fb_span(out, n);
        memcpy(out + n, rest.ptr, size);
        n += size;
        rest = fb_span_from(rest, size);
        if (fb_exchange_line(&rest).len != 0)
            return body;
    }
    return body;
}

bool fb_exchanges_read_trace(struct fb_exchange_reader *reader, struct fb_span text)
{
    struct trace t = {.reader = reader, .block = BLOCK_OTHER};
    struct fb_span rest = text;
    fb_buffer_init(&t.text, &fb_heap, FB_EXCHANGES_BYTES);
    while (rest.len != 0 && !reader->failed) {
        struct fb_span line = fb_exchange_line(&rest), row = line;
        size_t offset;
        if (t.block != BLOCK_OTHER && take_offset(&row, &offset)) {
            add_row(&t, row, offset);
            continue;
        }
        block_done(&t);
        t.block = block_of(line);
        if (t.block == BLOCK_OTHER && fb_span_starts(line, FB_SPAN("== Info: SSL connection using")))
            reader->https = true;
    }
    block_done(&t);
    fb_buffer_release(&t.text);
    for (size_t i = 0; i < reader->out->count; i++) {
        struct fb_exchange *one = &reader->out->list[i];
        if (one->source == reader->source && fb_span_eq_nocase(fb_response_field(one, "transfer-encoding"), FB_SPAN("chunked")))
            one->body = without_chunks(reader->out->arena, one->body);
    }
    return !reader->failed;
}
