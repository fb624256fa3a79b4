/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_EXCHANGE_READ_H
#define FB_REFUSAL_EXCHANGE_READ_H

#include "refusal/exchange.h"

/* What the readers of exchanges share.  Inside src/refusal. */

struct fb_exchange_reader {
    struct fb_exchanges *out;
    const struct fb_source *source;
    struct fb_diags *diags;
    bool failed;                    /* without memory */
    bool https;                     /* the connection is TLS */
    size_t request_room, response_room;
    struct fb_buffer body;          /* of the exchange being read, in the arena */
};

/* A new exchange, the last of the list; NULL without memory. */
struct fb_exchange *fb_exchange_begin(struct fb_exchange_reader *reader, size_t at);
static inline struct fb_exchange *fb_exchange_last(const struct fb_exchange_reader *reader)
{
    return reader->out->count != 0 ? &reader->out->list[reader->out->count - 1] : NULL;
}
/* `METHOD target HTTP/1.1`, `HTTP/1.1 403 Forbidden`: false where a line is not that. */
bool fb_exchange_request_line(struct fb_span line, struct fb_span *method, struct fb_span *target);
bool fb_exchange_status_line(struct fb_span line, unsigned *status, struct fb_span *phrase);
/* `Name: value` becomes a field of the last exchange; what is not of that form is left out. */
void fb_exchange_add_field(struct fb_exchange_reader *reader, bool request, struct fb_span line);
void fb_exchange_add_pair(struct fb_exchange_reader *reader, bool request, struct fb_span name, struct fb_span value);
/* A new head of the answer: an interim one (RFC 9110 section 15.2) gives way to it. */
void fb_exchange_answer(struct fb_exchange_reader *reader, unsigned status, struct fb_span phrase);
/* The target with scheme and host, from its Host field. */
void fb_exchange_complete_url(struct fb_exchange_reader *reader, struct fb_exchange *exchange);
/* The next line without its end, and its offset. */
struct fb_span fb_exchange_line(struct fb_span *rest);

bool fb_exchanges_read_messages(struct fb_exchange_reader *reader, struct fb_span text);
bool fb_exchanges_read_verbose(struct fb_exchange_reader *reader, struct fb_span text);
bool fb_exchanges_read_trace(struct fb_exchange_reader *reader, struct fb_span text);
bool fb_exchanges_read_har(struct fb_exchange_reader *reader, struct fb_span text);

#endif
