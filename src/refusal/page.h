/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_PAGE_H
#define FB_REFUSAL_PAGE_H

#include "refusal/refusal.h"

/* The page for people: a template, and the words that stand in it.
 *
 *   {{name}}                the value, escaped for HTML
 *   {{#name}} … {{/name}}   what stands between, if the value is not empty; sections do not nest in
 *                           themselves, names are those of page_names.def
 *
 * A template is checked when it is loaded; one that passed can always be filled in. */

enum fb_page_name {
#define FB_PAGE_NAME(symbol, name) FB_PAGE_##symbol,
#include "refusal/page_names.def"
#undef FB_PAGE_NAME
    FB_PAGE_NAMES
};

enum fb_word {
#define FB_WORD(symbol, key, text) FB_WORD_##symbol,
#include "refusal/words.def"
#undef FB_WORD
    FB_WORDS
};

/* Adds what is wrong with a template to `diags`.  True: it can be filled in. */
bool fb_page_check(const struct fb_source *source, struct fb_diags *diags);
/* A template that passed the check, with its values put in. */
void fb_page_fill(struct fb_span template, const struct fb_span values[FB_PAGE_NAMES], struct fb_buffer *out);

/* The built-in ones: English. */
struct fb_span fb_page_built_in(void);
struct fb_span fb_word_key(enum fb_word word);
struct fb_span fb_word_text(enum fb_word word);

/* One language of a template directory. */
struct fb_language {
    struct fb_span tag;                         /* "de", "pt-BR" */
    struct fb_span page;                        /* empty: the built-in one */
    struct fb_span words[FB_WORDS];             /* empty: English */
    struct fb_span *codes, *sentences;          /* `reason.CODE = …` lines */
    size_t codes_count;
};

/* What these pages have for a client that sends this Accept-Language; never NULL.  RFC 4647 section 3.4:
 * a range fits a tag that it is a prefix of, subtag by subtag, and a tag that is a prefix of it.  Where
 * nothing fits: English; but a directory of one language says everything in that one. */
const struct fb_language *fb_pages_choose(const struct fb_pages *pages, struct fb_span accept_language);

#endif
