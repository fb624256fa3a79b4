/* SPDX-License-Identifier: Apache-2.0 */
/* A template directory: pages for people in the languages of its files.
 *
 *   LANGUAGE.html     a template (page.h)
 *   LANGUAGE.words    lines `key = text` (words.def), `reason.CODE = sentence`, and `# …`
 *
 * LANGUAGE is a tag of letters, digits and hyphens; either file may be missing.  Other files are left alone.
 * Read once, in the master; immutable afterwards. */
#include "refusal/page.h"

#include <dirent.h>
#include <errno.h>

#define LANGUAGES_MAX 64u
#define FILE_MAX_BYTES ((size_t)256 << 10)

struct fb_pages {
    struct fb_arena *arena;
    struct fb_language languages[LANGUAGES_MAX];
    size_t count;
};

static const struct {
    struct fb_span key, text;
} words[FB_WORDS] = {
#define FB_WORD(symbol, key_, text_) [FB_WORD_##symbol] = {FB_SPAN_INIT(key_), FB_SPAN_INIT(text_)},
#include "refusal/words.def"
#undef FB_WORD
};

static const struct fb_language english = {.tag = FB_SPAN_INIT("en")};

struct fb_span fb_word_key(enum fb_word word)
{
    return words[word].key;
}

struct fb_span fb_word_text(enum fb_word word)
{
    return words[word].text;
}

/* --- Words --------------------------------------------------------------------------------------------- */

struct reading {
    struct fb_pages *pages;
    struct fb_diags *diags;
    const struct fb_source *source;
    struct fb_language *language;
};

static struct fb_range part_of(const struct reading *reading, struct fb_span part)
{
    uint32_t start = (uint32_t)(part.ptr - reading->source->text.ptr);
    return (struct fb_range){start, start + (uint32_t)part.len};
}

static bool take_word(struct reading *reading, struct fb_span key, struct fb_span text)
{
    for (unsigned i = 0; i < FB_WORDS; i++)
        if (fb_span_eq(words[i].key, key)) {
            reading->language->words[i] = text;
            return true;
        }
    return false;
}

static void take_sentence(struct reading *reading, struct fb_span code, struct fb_span text)
{
    struct fb_language *language = reading->language;
    size_t n = language->codes_count;
    if ((n & (n - 1)) == 0) {   /* full at each power of two */
        size_t room = n == 0 ? 1 : 2 * n;
        struct fb_span *codes = fb_arena_array(reading->pages->arena, room, sizeof *codes);
        struct fb_span *sentences = fb_arena_array(reading->pages->arena, room, sizeof *sentences);
        if (codes == NULL || sentences == NULL)
            return;
        if (n != 0) {
            memcpy(codes, language->codes, n * sizeof *codes);
            memcpy(sentences, language->sentences, n * sizeof *sentences);
        }
        language->codes = codes;
        language->sentences = sentences;
    }
    language->codes[n] = code;
    language->sentences[n] = text;
    language->codes_count = n + 1;
}

static void take_line(struct reading *reading, struct fb_span line)
{
    static const struct fb_span reason = FB_SPAN_INIT("reason.");
    line = fb_span_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    size_t equals = fb_span_find(line, '=');
    struct fb_span key = fb_span_trim(fb_span_head(line, equals));
    if (equals == line.len) {
        fb_diag_add(reading->diags, FB_ERROR, "page.no_text", reading->source, part_of(reading, line),
                    "this line is not `key = text`")->hint = FB_SPAN("begin comments with `#`");
        return;
    }
    struct fb_span text = fb_span_trim(fb_span_from(line, equals + 1));
    if (fb_span_starts(key, reason) && key.len > reason.len)
        take_sentence(reading, fb_span_from(key, reason.len), text);
    else if (!take_word(reading, key, text))
        fb_diag_add(reading->diags, FB_ERROR, "page.unknown_word", reading->source, part_of(reading, key),
                    "the pages say nothing called \"%.*s\"", (int)key.len, key.ptr)->hint =
            FB_SPAN("keys are title.STATUS, message.STATUS, label.NAME and reason.CODE");
}

static void take_words(struct reading *reading)
{
    struct fb_span rest = reading->source->text;
    if (fb_utf8_valid(rest) != rest.len) {
        fb_diag_add(reading->diags, FB_ERROR, "page.not_utf8", reading->source, (struct fb_range){0, 0},
                    "this file is not UTF-8");
        return;
    }
    while (rest.len != 0) {
        size_t end = fb_span_find(rest, '\n');
        take_line(reading, fb_span_head(rest, end));
        rest = fb_span_from(rest, end + 1);
    }
}

/* --- Files ---------------------------------------------------------------------------------------------- */

static bool is_tag(struct fb_span text)
{
    bool letter_first = text.len != 0 && text.ptr[0] != '-' && text.ptr[text.len - 1] != '-';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return letter_first && text.len <= 35;
}

static struct fb_language *language_of(struct fb_pages *pages, struct fb_span tag)
{
    for (size_t i = 0; i < pages->count; i++)
        if (fb_span_eq_nocase(pages->languages[i].tag, tag))
            return &pages->languages[i];
    if (pages->count == LANGUAGES_MAX)
        return NULL;
    struct fb_language *language = &pages->languages[pages->count++];
    *language = (struct fb_language){.tag = fb_arena_copy(pages->arena, tag)};
    return language;
}

static const struct fb_source *read_source(struct fb_pages *pages, const char *path, struct fb_diags *diags)
{
    const struct fb_allocator memory = fb_arena_allocator(pages->arena);
    struct fb_source *source = fb_arena_alloc(pages->arena, sizeof *source);
    struct fb_buffer text;
    fb_buffer_init(&text, &memory, FILE_MAX_BYTES);
    int error = source == NULL ? ENOMEM : fb_buffer_read_file(&text, path);
    if (error != 0) {
        fb_diag_add(diags, FB_ERROR, "page.unreadable", NULL, (struct fb_range){0, 0}, "%s: %s", path, strerror(error))->hint =
            error == EFBIG ? FB_SPAN("a page may have 256 KiB") : FB_SPAN("");
        return NULL;
    }
    *source = (struct fb_source){fb_arena_copy(pages->arena, fb_span_z(path)), fb_buffer_span(&text)};
    return source;
}

static void take_file(struct fb_pages *pages, const char *dir, const char *name, struct fb_diags *diags)
{
    struct fb_span whole = fb_span_z(name);
    size_t dot = fb_span_find(whole, '.');
    struct fb_span tag = fb_span_head(whole, dot), suffix = fb_span_from(whole, dot);
    bool page = fb_span_is(suffix, ".html");
    if (!is_tag(tag) || (!page && !fb_span_is(suffix, ".words")))
        return;
    struct fb_span path = fb_arena_format(pages->arena, "%s/%s", dir, name);
    const struct fb_source *source = path.len != 0 ? read_source(pages, path.ptr, diags) : NULL;
    struct fb_language *language = language_of(pages, tag);
    if (language == NULL) {
        fb_diag_add(diags, FB_ERROR, "page.too_many", NULL, (struct fb_range){0, 0}, "%s: more than %u languages", dir,
                    LANGUAGES_MAX);
    } else if (source != NULL && page) {
        if (fb_page_check(source, diags))
            language->page = source->text;
    } else if (source != NULL) {
        take_words(&(struct reading){.pages = pages, .diags = diags, .source = source, .language = language});
    }
}

const struct fb_pages *fb_pages_load(const char *dir, struct fb_diags *diags)
{
    struct fb_pages *pages = fb_arena_alloc(diags->arena, sizeof *pages);
    DIR *files = pages != NULL ? opendir(dir) : NULL;
    size_t before = diags->errors;
    if (files == NULL) {
        fb_diag_add(diags, FB_ERROR, "page.unreadable", NULL, (struct fb_range){0, 0}, "%s: %s", dir,
                    strerror(pages == NULL ? ENOMEM : errno));
        return NULL;
    }
    memset(pages, 0, sizeof *pages);
    pages->arena = diags->arena;
    for (const struct dirent *file = readdir(files); file != NULL; file = readdir(files))
        take_file(pages, dir, file->d_name, diags);
    closedir(files);
    if (pages->count == 0)
        fb_diag_add(diags, FB_ERROR, "page.none", NULL, (struct fb_range){0, 0}, "%s holds no page", dir)->hint =
            FB_SPAN("write LANGUAGE.html, LANGUAGE.words or both: de.words");
    return diags->errors == before && !diags->arena->failed ? pages : NULL;
}

/* --- Choosing ------------------------------------------------------------------------------------------- */

/* "de" fits de, de-AT and de-CH; "de-CH" fits de too, if nothing nearer is there (RFC 4647 section 3.4). */
static size_t fit(struct fb_span range, struct fb_span tag)
{
    size_t shorter = range.len < tag.len ? range.len : tag.len;
    const struct fb_span longer = range.len < tag.len ? tag : range;
    if (!fb_span_eq_nocase(fb_span_head(range, shorter), fb_span_head(tag, shorter))
        || (longer.len != shorter && longer.ptr[shorter] != '-'))
        return 0;
    return shorter;
}

/* Thousandths of the `;q=` behind a range; 1000 without one, 0 where it cannot be read. */
static unsigned quality(struct fb_span parameters)
{
    struct fb_span text = fb_span_trim(fb_span_from(parameters, fb_span_find(parameters, '=') + 1));
    if (fb_span_find(parameters, '=') == parameters.len)
        return 1000;
    if (text.len == 0 || (text.ptr[0] != '0' && text.ptr[0] != '1'))
        return 0;
    unsigned q = text.ptr[0] == '1' ? 1000 : 0, weight = 100;
    for (size_t i = 2; i < text.len && i < 5 && text.ptr[0] == '0'; i++, weight /= 10)
        q += text.ptr[i] >= '0' && text.ptr[i] <= '9' ? weight * (unsigned)(text.ptr[i] - '0') : 0;
    return q;
}

/* The language that fits a range best; a directory's own `en` goes before the built-in one. */
static const struct fb_language *best_for(const struct fb_pages *pages, struct fb_span range)
{
    const struct fb_language *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < pages->count; i++) {
        size_t fits = fit(range, pages->languages[i].tag);
        if (fits > most) {
            best = &pages->languages[i];
            most = fits;
        }
    }
    return fit(range, english.tag) > most ? &english : best;
}

const struct fb_language *fb_pages_choose(const struct fb_pages *pages, struct fb_span accept)
{
    const struct fb_language *best = pages != NULL && pages->count == 1 ? &pages->languages[0] : &english;
    unsigned best_q = 0;
    for (size_t element = 0; pages != NULL && pages->count > 1 && accept.len != 0 && element < 32; element++) {
        size_t comma = fb_span_find(accept, ',');
        struct fb_span item = fb_span_trim(fb_span_head(accept, comma));
        size_t semicolon = fb_span_find(item, ';');
        unsigned q = quality(fb_span_from(item, semicolon));
        const struct fb_language *fitting = best_for(pages, fb_span_trim(fb_span_head(item, semicolon)));
        if (fitting != NULL && q > best_q) {
            best = fitting;
            best_q = q;
        }
        accept = fb_span_from(accept, comma + 1);
    }
    return best;
}
