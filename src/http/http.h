/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_HTTP_HTTP_H
#define FB_HTTP_HTTP_H

#include "base/base.h"

/* http: the grammar of HTTP's fields, field text ↔ values.  The door of src/http/.
 *
 *   field.c        names, values, methods, media types        RFC 9110 5.1, 5.5, 8.3, 9.1
 *   credentials.c  Authorization                              RFC 9110 11.4, RFC 6750 2.1
 *   challenge.c    WWW-Authenticate, written                  RFC 9110 11.6.1, 6750 3, 9470 3
 *   challenges.c   … and read                                 RFC 9110 11.3, 11.6.1
 *   accept.c       which body a client wants                  RFC 9110 12.5.1
 *   link.c         Link, and what may stand in it             RFC 8288, RFC 3986
 *   date.c         HTTP-date, Retry-After                     RFC 9110 5.6.7, 10.2.3
 *
 * What is read comes out as spans into the field's text; nothing is allocated.  What is written
 * is appended to a buffer whole or not at all: a value that the grammar cannot carry makes the
 * writer return false and leave the buffer as it was, so that no input can end a field early or
 * start another.  Nothing here decides anything.  No state: any thread. */

/* --- field.c: pieces that all fields share --- */

/* Longer ones are refused as if they were malformed. */
#define FB_HTTP_NAME_MAX 256
#define FB_HTTP_METHOD_MAX 64
#define FB_HTTP_FIELD_MAX 65536

/* 1*tchar, RFC 9110 section 5.6.2; any length. */
bool fb_http_is_token(struct fb_span text);
/* A token of at most FB_HTTP_NAME_MAX bytes. */
bool fb_http_is_field_name(struct fb_span text);
/* Section 5.5 without obs-fold: visible characters, obs-text, and blanks within; the empty value
 * is one. */
bool fb_http_is_field_value(struct fb_span text);
/* A token of at most FB_HTTP_METHOD_MAX bytes.  Methods are case-sensitive: compare with
 * fb_span_eq(). */
bool fb_http_is_method(struct fb_span text);
/* Whether a Content-Type names the media type `essence` ("application/json"), whatever its
 * parameters (section 8.3.1).  Malformed parameters do not matter, a malformed type is no match. */
bool fb_http_media_is(struct fb_span content_type, struct fb_span essence);

/* --- credentials.c: Authorization --- */

/* MALFORMED is the zero value.  BEARER: a b64token (RFC 6750 section 2.1) follows; whether that
 * is a good token is for identity to say.  OTHER: a scheme we do not speak, with whatever follows
 * it; its own grammar is not checked, since widespread schemes (AWS4-HMAC-SHA256) break
 * RFC 9110's. */
enum fb_http_credentials_kind { FB_CREDENTIALS_MALFORMED, FB_CREDENTIALS_BEARER, FB_CREDENTIALS_OTHER };

struct fb_http_credentials {
    struct fb_span scheme;  /* as written; compare without case */
    struct fb_span rest;    /* BEARER: the token.  OTHER: the raw remainder, perhaps empty */
};

/* Reads the value of one Authorization field.  MALFORMED too: an empty value, a scheme that is no
 * token, Bearer without a token or with more than one.  `out` is set in every case, to spans into
 * `value`. */
enum fb_http_credentials_kind fb_http_read_credentials(struct fb_span value, struct fb_http_credentials *out);
/* The same, except that after Bearer anything passes: for who compares it with tokens that were read
 * before, and looks at its grammar (fb_http_is_b64token) only when it is none of them. */
enum fb_http_credentials_kind fb_http_split_credentials(struct fb_span value, struct fb_http_credentials *out);

/* 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=". */
bool fb_http_is_b64token(struct fb_span text);

/* One auth-param of a list (RFC 9110 section 11.2), as text. */
struct fb_http_param {
    struct fb_span name;
    struct fb_span value;   /* read: between the quotes, escapes still in it; written: plain */
};
enum fb_http_next { FB_HTTP_MALFORMED, FB_HTTP_PARAM, FB_HTTP_OVER };
/* The next auth-param of `*list`, which moves on behind it.  Empty list elements are passed over
 * (section 5.6.1.2).  `quoted` (may be NULL) tells whether the value stood in quotes. */
enum fb_http_next fb_http_next_param(struct fb_span *list, struct fb_http_param *out, bool *quoted);

/* --- challenge.c: WWW-Authenticate --- */

#define FB_HTTP_PARAMS_MAX 16

/* Appends the value of one WWW-Authenticate field that holds one challenge: `scheme` and `count`
 * parameters in their order, every value quoted.  Several challenges go into several fields, as
 * some clients fail on a list (section 11.6.1).
 * False, and nothing appended, when it could not be read back as what was meant: a scheme or a
 * name that is no token; a name twice; more than FB_HTTP_PARAMS_MAX; a value with controls or
 * beyond ASCII; and for the names that have a grammar of their own, a value outside it: `error`,
 * `error_description` and `acr_values` (RFC 6750 section 3: no `"`, no `\`), `scope` (scope-tokens
 * with single spaces), `error_uri` and `resource_metadata` (a URI), `max_age` (digits, RFC 9470
 * section 3).  Also false when the buffer fails. */
bool fb_http_write_challenge(struct fb_buffer *out, struct fb_span scheme,
                             const struct fb_http_param *params, size_t count);

/* What the values above may be, for checks at load time.  Neither admits the empty text. */
bool fb_http_is_error_text(struct fb_span text);    /* error_description: %x20-21 / 23-5B / 5D-7E */
bool fb_http_is_scope_token(struct fb_span text);   /* %x21 / 23-5B / 5D-7E */

/* --- challenges.c: WWW-Authenticate as servers send it --- */

struct fb_http_challenge {
    struct fb_span scheme;      /* as written; compare without case */
    struct fb_span token68;     /* instead of parameters; or empty */
    struct fb_http_param params[FB_HTTP_PARAMS_MAX];    /* between the quotes, escapes still in them */
    size_t count;
    bool bare;                  /* a value stood without quotes */
    bool repeated;              /* a name twice: section 11.2 allows each once */
    bool unparted;              /* parameters without a comma between them, which no grammar allows */
};
/* The next challenge of `*value`, the value of one WWW-Authenticate or Proxy-Authenticate field, which moves on
 * behind it: FB_HTTP_PARAM, FB_HTTP_OVER at the end, FB_HTTP_MALFORMED where no reader could go on; `out` then
 * holds what stood before that. */
enum fb_http_next fb_http_next_challenge(struct fb_span *value, struct fb_http_challenge *out);
/* A parameter by its name in any case; the empty span. */
struct fb_span fb_http_challenge_param(const struct fb_http_challenge *challenge, const char *name);

/* --- accept.c: which body --- */

/* JSON is the zero value and what is sent where nothing else is asked for. */
enum fb_http_media { FB_MEDIA_JSON, FB_MEDIA_PROBLEM_JSON, FB_MEDIA_TEXT, FB_MEDIA_HTML };

/* "application/problem+json"; with `charset`, for Content-Type, "text/html; charset=utf-8" (JSON
 * has no such parameter). */
struct fb_span fb_http_media_name(enum fb_http_media media, bool charset);

/* The best of the four by the values of all Accept fields, in their order.
 * The highest q wins, a type's q being that of the most specific range that fits it.  Between
 * equals a type that was named wins over one that a wildcard brought, then the order of the enum.
 * HTML is for people, so it has to be named: no wildcard brings it (browsers name it, curl's
 * "*" "/" "*" is not a wish for it).  With nothing acceptable, or no field: JSON, since a refusal
 * with a wrong body beats a 406 that hides it (section 12.5.1 leaves that open).
 * Elements that are malformed are passed over; so is what comes after the first 64. */
enum fb_http_media fb_http_negotiate(const struct fb_span *accept, size_t count);

/* --- link.c --- */

/* A URI with its scheme (RFC 3986 section 3), by its characters: percent-encodings are whole, and
 * nothing stands in it that would need one.  At most FB_HTTP_URI_MAX bytes. */
#define FB_HTTP_URI_MAX 2048
bool fb_http_is_uri(struct fb_span text);

/* Appends `<uri>; rel="rel"` (RFC 8288 section 3).  `rel` is one or more relation types with
 * single spaces: registered names in lower case, or URIs.  False, and nothing appended, when
 * either is not that, or when the buffer fails. */
bool fb_http_write_link(struct fb_buffer *out, struct fb_span uri, struct fb_span rel);

/* --- date.c --- */

/* Any of the three forms, in seconds since 1970; `now`, likewise, tells the century of a year of two digits. */
bool fb_http_read_date(struct fb_span value, int64_t now, int64_t *seconds);
/* Seconds from `now`: of a delay, or up to a date (0 if it is past).  At most 2^32 of a delay. */
bool fb_http_read_retry_after(struct fb_span value, int64_t now, int64_t *seconds);

#endif
