/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression may come to, as sets that can be made, asked and joined.  Joins only ever add. */

#include "engine/unknown.h"

#define ANYTHING (fb_kind_bit(FB_LONG) | fb_kind_bit(FB_STRING) | fb_kind_bit(FB_ENTITY) | fb_kind_bit(FB_SET) \
                  | fb_kind_bit(FB_RECORD) | fb_kind_bit(FB_DECIMAL) | fb_kind_bit(FB_DATETIME) \
                  | fb_kind_bit(FB_DURATION) | fb_kind_bit(FB_IP))

#ifdef FB_ENGINE_FAULTS
uint8_t fb_surmise_fault;
#endif

uint8_t fb_either(void)
{
#ifdef FB_ENGINE_FAULTS
    return (uint8_t)((FB_CAN_TRUE | FB_CAN_FALSE) & ~fb_surmise_fault);
#else
    return FB_CAN_TRUE | FB_CAN_FALSE;
#endif
}

struct fb_guess fb_guess_of(uint8_t may)
{
    return (struct fb_guess){.may = may};
}

struct fb_guess fb_guess_known(struct fb_value value)
{
    if (value.kind == FB_BOOL)
        return fb_guess_of(value.number != 0 ? FB_CAN_TRUE : FB_CAN_FALSE);
    return (struct fb_guess){.may = FB_CAN_OTHER, .shape = FB_SHAPE_KNOWN, .value = value};
}

struct fb_guess fb_guess_shaped(enum fb_shape shape)
{
    return (struct fb_guess){.may = FB_CAN_OTHER, .shape = (uint8_t)shape};
}

struct fb_guess fb_guess_partly(struct fb_value record, const struct fb_unknown_attribute *via, uint32_t depth)
{
    return (struct fb_guess){.may = FB_CAN_OTHER, .shape = FB_SHAPE_PARTLY, .via = via, .depth = depth, .value = record};
}

struct fb_guess fb_guess_some(uint16_t kinds)
{
    return (struct fb_guess){.may = FB_CAN_OTHER | FB_CAN_ERR, .shape = FB_SHAPE_ANY, .kinds = kinds};
}

struct fb_guess fb_guess_anything(void)
{
    struct fb_guess guess = fb_guess_some(ANYTHING);
    guess.may |= fb_either();
    return guess;
}

static uint16_t other_kinds(const struct fb_guess *guess)
{
    if ((guess->may & FB_CAN_OTHER) == 0)
        return 0;
    switch ((enum fb_shape)guess->shape) {
    case FB_SHAPE_KNOWN: return fb_kind_bit(guess->value.kind);
    case FB_SHAPE_PRINCIPAL: case FB_SHAPE_RESOURCE: return fb_kind_bit(FB_ENTITY);
    case FB_SHAPE_PARTLY: return fb_kind_bit(FB_RECORD);
    case FB_SHAPE_ANY: break;
    }
    return guess->kinds;
}

uint16_t fb_guess_kinds(const struct fb_guess *guess)
{
    uint16_t kinds = other_kinds(guess);
    if ((guess->may & (FB_CAN_TRUE | FB_CAN_FALSE)) != 0)
        kinds |= fb_kind_bit(FB_BOOL);
    return kinds;
}

bool fb_guess_only(const struct fb_guess *guess, struct fb_value *value)
{
    uint8_t values = guess->may & FB_CAN_VALUE;
    if (values == FB_CAN_TRUE || values == FB_CAN_FALSE)
        *value = fb_value_bool(values == FB_CAN_TRUE);
    else if (values == FB_CAN_OTHER && guess->shape == FB_SHAPE_KNOWN)
        *value = guess->value;
    else
        return false;
    return true;
}

static bool same_other(const struct fb_guess *a, const struct fb_guess *b)
{
    if (a->shape == FB_SHAPE_PARTLY && (a->via != b->via || a->depth != b->depth))
        return false;
    return a->shape == b->shape && a->shape != FB_SHAPE_ANY
           && (a->shape != FB_SHAPE_KNOWN || fb_value_eq(a->value, b->value));
}

struct fb_guess fb_guess_join(struct fb_guess a, struct fb_guess b)
{
    uint8_t may = a.may | b.may;
    if ((a.may & FB_CAN_OTHER) == 0)
        a = b;
    else if ((b.may & FB_CAN_OTHER) != 0 && !same_other(&a, &b))
        a = (struct fb_guess){.shape = FB_SHAPE_ANY, .kinds = other_kinds(&a) | other_kinds(&b)};
    a.may = may;
    return a;
}

bool fb_guess_settle(struct fb_surmise *s, bool done, struct fb_value value, struct fb_guess *out)
{
    *out = done ? fb_guess_known(value) : fb_guess_of(FB_CAN_ERR);
    return !s->e.cannot;
}
