/* SPDX-License-Identifier: Apache-2.0 */

/* Documents laid out in lines.  The document is gone through with a stack of what is still to come; a
 * group is tried by going through it flat, and on through that stack, until the line is full or ends. */

#include "cedar/layout.h"

enum kind { TEXT, LINE, BREAK, JOIN, NEST, GROUP };

struct fb_doc {
    enum kind kind;
    uint32_t indent;                    /* NEST */
    uint32_t columns;                   /* TEXT, LINE: of `text` */
    union {
        struct fb_span text;            /* TEXT; LINE: when flat */
        struct {
            const struct fb_doc *first, *second;    /* JOIN; NEST, GROUP: first */
        };
    };
};

static struct fb_doc *new_doc(struct fb_arena *arena, enum kind kind, const struct fb_doc *first)
{
    struct fb_doc *doc = fb_arena_alloc(arena, sizeof *doc);
    if (doc != NULL) {
        doc->kind = kind;
        doc->first = first;
    }
    return doc;
}

const struct fb_doc *fb_doc_text(struct fb_arena *arena, struct fb_span text)
{
    struct fb_doc *doc = new_doc(arena, TEXT, NULL);
    if (doc != NULL) {
        doc->text = text;
        doc->columns = (uint32_t)fb_utf8_columns(text);
    }
    return doc;
}

const struct fb_doc *fb_doc_line(struct fb_arena *arena, const char *text)
{
    struct fb_doc *doc = new_doc(arena, LINE, NULL);
    if (doc != NULL) {
        doc->text = fb_span_z(text);
        doc->columns = (uint32_t)doc->text.len;
    }
    return doc;
}

const struct fb_doc *fb_doc_break(struct fb_arena *arena)
{
    return new_doc(arena, BREAK, NULL);
}

const struct fb_doc *fb_doc_join(struct fb_arena *arena, const struct fb_doc *first, const struct fb_doc *second)
{
    if (first == NULL || second == NULL)
        return first != NULL ? first : second;
    struct fb_doc *doc = new_doc(arena, JOIN, first);
    if (doc != NULL)
        doc->second = second;
    return doc;
}

const struct fb_doc *fb_doc_nest(struct fb_arena *arena, uint32_t indent, const struct fb_doc *inner)
{
    struct fb_doc *doc = inner != NULL ? new_doc(arena, NEST, inner) : NULL;
    if (doc != NULL)
        doc->indent = indent;
    return doc;
}

const struct fb_doc *fb_doc_group(struct fb_arena *arena, const struct fb_doc *inner)
{
    return inner != NULL ? new_doc(arena, GROUP, inner) : NULL;
}

/* --- laying out --- */

struct item {
    const struct fb_doc *doc;
    uint32_t indent;
    bool flat;
};

struct stack {
    struct item *list;
    size_t count, capacity;
};

struct renderer {
    struct fb_buffer *out;
    struct fb_arena *arena;
    uint64_t width, column;
    struct stack todo, trial;
};

static void push(struct renderer *r, struct stack *stack, const struct fb_doc *doc, uint32_t indent, bool flat)
{
    struct item *grown = fb_arena_grow(r->arena, stack->list, stack->count, &stack->capacity, sizeof *grown);
    if (grown == NULL)
        return;     /* the arena has failed */
    stack->list = grown;
    grown[stack->count++] = (struct item){.doc = doc, .indent = indent, .flat = flat};
}

/* Would `doc` fit flat, with what comes behind it up to where a line breaks? */
static bool fits(struct renderer *r, const struct fb_doc *doc)
{
    uint64_t column = r->column;
    size_t behind = r->todo.count;
    r->trial.count = 0;
    push(r, &r->trial, doc, 0, true);
    for (;;) {
        struct item item;
        if (r->trial.count > 0)
            item = r->trial.list[--r->trial.count];
        else if (behind > 0)
            item = (struct item){.doc = r->todo.list[--behind].doc, .flat = false};
        else
            return true;
        switch (item.doc->kind) {
        case LINE:
        case TEXT:
            if (item.doc->kind == LINE && !item.flat)
                return true;
            column += item.doc->columns;
            if (column > r->width)
                return false;
            break;
        case BREAK: return !item.flat;
        case JOIN:
            push(r, &r->trial, item.doc->second, 0, item.flat);
            push(r, &r->trial, item.doc->first, 0, item.flat);
            break;
        case NEST:
        case GROUP: push(r, &r->trial, item.doc->first, 0, item.flat); break;
        }
        if (r->arena->failed)
            return true;
    }
}

/* A line is indented as what comes next on it, where that is known: a comment at the end of what is
 * nested does not indent the bracket that follows. */
static void new_line(struct renderer *r, uint32_t indent)
{
    if (r->todo.count > 0)
        indent = r->todo.list[r->todo.count - 1].indent;
    fb_buffer_add_char(r->out, '\n');
    for (uint32_t i = 0; i < indent; i++)
        fb_buffer_add_char(r->out, ' ');
    r->column = indent;
}

static void lay_out(struct renderer *r, const struct item *item)
{
    const struct fb_doc *doc = item->doc;
    switch (doc->kind) {
    case LINE:
    case TEXT:
        if (doc->kind == LINE && !item->flat) {
            new_line(r, item->indent);
            break;
        }
        fb_buffer_add(r->out, doc->text);
        r->column += doc->columns;
        break;
    case BREAK: new_line(r, item->indent); break;
    case JOIN:
        push(r, &r->todo, doc->second, item->indent, item->flat);
        push(r, &r->todo, doc->first, item->indent, item->flat);
        break;
    case NEST: push(r, &r->todo, doc->first, item->indent + doc->indent, item->flat); break;
    case GROUP: push(r, &r->todo, doc->first, item->indent, item->flat || fits(r, doc->first)); break;
    }
}

void fb_doc_render(struct fb_buffer *out, struct fb_arena *arena, const struct fb_doc *doc, uint32_t width)
{
    struct renderer r = {.out = out, .arena = arena, .width = width};
    if (doc != NULL)
        push(&r, &r.todo, doc, 0, false);
    while (r.todo.count > 0 && !arena->failed && !out->failed) {
        struct item item = r.todo.list[--r.todo.count];
        lay_out(&r, &item);
    }
}
