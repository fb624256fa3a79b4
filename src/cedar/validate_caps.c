/* SPDX-License-Identifier: Apache-2.0 */

/* Capabilities: what a true expression has shown to exist.
 *
 * `e has a` gives the capability for `e.a`.  Sets are trees of unions over single ones, so that a
 * union costs nothing; the prior capabilities, which an access asks for, are counters by shape, put up
 * when the right side of && is entered and taken down when it is left.  A chain of thousands of &&
 * therefore costs what it has of links. */

#include "cedar/validate_check.h"

static fb_caps add(struct fb_checker *c, struct fb_cap cap)
{
    struct fb_cap *caps = fb_arena_grow(c->arena, c->caps, c->caps_count, &c->caps_capacity, sizeof *caps);
    if (caps == NULL)
        return 0;
    c->caps = caps;
    caps[c->caps_count++] = cap;
    return (fb_caps)c->caps_count;
}

fb_caps fb_caps_one(struct fb_checker *c, uint32_t shape)
{
    return shape != 0 ? add(c, (struct fb_cap){.shape = shape}) : 0;
}

fb_caps fb_caps_union(struct fb_checker *c, fb_caps a, fb_caps b)
{
    return a == 0 ? b : b == 0 ? a : add(c, (struct fb_cap){.left = a, .right = b});
}

/* Room for the shape; 0 in both.  The old counts are kept. */
static bool make_room(struct fb_checker *c, uint32_t shape)
{
    if (shape < c->held_size)
        return true;
    uint32_t size = shape * 2 + 64;
    uint32_t *held = fb_arena_array(c->arena, size, sizeof *held);
    uint32_t *marks = fb_arena_array(c->arena, size, sizeof *marks);
    if (held == NULL || marks == NULL)
        return false;
    if (c->held_size != 0) {
        memcpy(held, c->held, c->held_size * sizeof *held);
        memcpy(marks, c->marks, c->held_size * sizeof *marks);
    }
    c->held = held;
    c->marks = marks;
    c->held_size = size;
    return true;
}

/* The next single one of a set that is being taken apart on the scratch stack, from `base` on; 0 at
 * the end. */
static uint32_t next(struct fb_checker *c, size_t base)
{
    while (c->walk_count > base) {
        const struct fb_cap *cap = &c->caps[c->walk[--c->walk_count] - 1];
        if (cap->shape != 0)
            return make_room(c, cap->shape) ? cap->shape : 0;
        if (!fb_push(c->arena, &c->walk, &c->walk_count, &c->walk_capacity, cap->right)
            || !fb_push(c->arena, &c->walk, &c->walk_count, &c->walk_capacity, cap->left))
            return 0;
    }
    return 0;
}

static size_t begin(struct fb_checker *c, fb_caps caps)
{
    size_t base = c->walk_count;
    if (caps != 0)
        fb_push(c->arena, &c->walk, &c->walk_count, &c->walk_capacity, caps);
    return base;
}

void fb_caps_hold(struct fb_checker *c, fb_caps caps)
{
    size_t base = begin(c, caps);
    for (uint32_t shape; (shape = next(c, base)) != 0;)
        c->held[shape]++;
}

void fb_caps_drop(struct fb_checker *c, fb_caps caps)
{
    size_t base = begin(c, caps);
    for (uint32_t shape; (shape = next(c, base)) != 0;)
        c->held[shape]--;
}

bool fb_caps_held(const struct fb_checker *c, uint32_t shape)
{
    return shape != 0 && shape < c->held_size && c->held[shape] != 0;
}

fb_caps fb_caps_replace(struct fb_checker *c, fb_caps before, fb_caps caps)
{
    if (caps == before)
        return caps;
    const struct fb_cap *cap = caps != 0 ? &c->caps[caps - 1] : NULL;
    if (cap != NULL && cap->shape == 0 && cap->left == before) {
        fb_caps_hold(c, cap->right);
    } else {
        fb_caps_drop(c, before);
        fb_caps_hold(c, caps);
    }
    return caps;
}

fb_caps fb_caps_both(struct fb_checker *c, fb_caps a, fb_caps b)
{
    if (a == 0 || b == 0)
        return 0;
    size_t base = begin(c, a);
    for (uint32_t shape; (shape = next(c, base)) != 0;)
        c->marks[shape] = c->mark + 1;
    c->mark++;
    fb_caps both = 0;
    base = begin(c, b);
    for (uint32_t shape; (shape = next(c, base)) != 0;) {
        if (c->marks[shape] != c->mark)
            continue;
        c->marks[shape] = 0;
        both = fb_caps_union(c, both, fb_caps_one(c, shape));
    }
    return both;
}
