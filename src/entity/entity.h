/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_ENTITY_H
#define FB_ENTITY_ENTITY_H

/* entity: values, entity uids, entities and where they come from.  The door of src/entity/.
 *
 *   uid.h         entity uids by their contents
 *   value.h       values in the hand and at rest
 *   extension.h   decimal, ipaddr, datetime, duration
 *   this file     entities, their one encoding, sets of them, Cedar's entity JSON, sources */

#include "entity/extension.h"
#include "entity/uid.h"
#include "entity/value.h"

/* A list of uids at rest, sorted by hash, none twice. */
struct fb_ref {
    uint64_t hash;
    int64_t offset;         /* from this ref's own address to a struct fb_uid */
};

struct fb_refs {
    const struct fb_ref *refs;
    uint32_t count;
};

static inline const struct fb_uid *fb_ref_uid(const struct fb_ref *ref)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the offset may lead into another allocation */
    return (const struct fb_uid *)((uintptr_t)ref + (uint64_t)ref->offset);
}

/* The first place whose hash is not below. */
uint32_t fb_refs_bound(struct fb_refs refs, uint64_t hash);

/* So many refs are looked at side by side, without a branch that the processor could guess wrong. */
#define FB_REFS_WINDOW 8u

static inline uint32_t fb_refs_below(const struct fb_ref *r, uint64_t hash)
{
    return (uint32_t)((r[0].hash < hash) + (r[1].hash < hash) + (r[2].hash < hash) + (r[3].hash < hash)
                      + (r[4].hash < hash) + (r[5].hash < hash) + (r[6].hash < hash) + (r[7].hash < hash));
}

/* The same.  Hashes are spread evenly, so the place is mostly near where the hash stands among all 64-bit numbers: in
 * the window there, or in the next one. */
static inline uint32_t fb_refs_place(struct fb_refs refs, uint64_t hash)
{
    if (refs.count < FB_REFS_WINDOW) {
        uint32_t below = 0;
        for (uint32_t i = 0; i < refs.count; i++)
            below += refs.refs[i].hash < hash;
        return below;
    }
    uint32_t last = refs.count - FB_REFS_WINDOW, at = (uint32_t)((hash >> 32) * refs.count >> 32);
    at = at > FB_REFS_WINDOW / 2 ? at - FB_REFS_WINDOW / 2 : 0;
    at = at < last ? at : last;
    for (int tries = 0; tries < 4; tries++) {
        uint32_t below = fb_refs_below(refs.refs + at, hash);
        /* The next window shares one ref with this, so it never leads back. */
        if (below == 0 && at != 0)
            at = at > FB_REFS_WINDOW - 1 ? at - (FB_REFS_WINDOW - 1) : 0;
        else if (below == FB_REFS_WINDOW && at != last)
            at = last - at > FB_REFS_WINDOW - 1 ? at + (FB_REFS_WINDOW - 1) : last;
        else
            return at + below;
    }
    return fb_refs_bound(refs, hash);
}

/* The ref to that uid, or NULL. */
static inline const struct fb_ref *fb_refs_find(struct fb_refs refs, const struct fb_uid *uid)
{
    for (uint32_t i = fb_refs_place(refs, uid->hash); i < refs.count && refs.refs[i].hash == uid->hash; i++)
        if (fb_uid_eq(fb_ref_uid(&refs.refs[i]), uid))
            return &refs.refs[i];
    return NULL;
}

static inline bool fb_refs_contain(struct fb_refs refs, const struct fb_uid *uid)
{
    return fb_refs_find(refs, uid) != NULL;
}

/* An entity, seen where it lies.  Valid as long as its source's snapshot.
 *
 * Its ancestors are those in `ancestors`, its parents, and the ancestors of those in `open`.  So that
 * sources may be stacked (a principal that a token describes, whose groups live in the store), an
 * ancestor that its own source does not hold stays open: another source may know more of it. */
struct fb_entity {
    const struct fb_uid *uid;
    struct fb_refs ancestors;               /* all of them, if `closed`; else those known, perhaps none */
    bool closed;
    const struct fb_record *attrs, *tags;   /* never NULL; perhaps without fields */
    struct fb_refs parents;                 /* direct ones */
    struct fb_refs open;                    /* must be asked further; empty if `closed` */
};

/* --- Where entities come from ------------------------------------------------------------------
 * One interface over entities.json in memory, the store's map, and what a request brings.  The
 * engine reads through it and nothing else. */
enum fb_found { FB_BROKEN = -1, FB_ABSENT = 0, FB_FOUND = 1 };

struct fb_entities {
    /* FB_FOUND fills *entity.  FB_BROKEN: the source cannot say (a corrupt record, a store gone);
     * the decision must then be "cannot decide", never an allow.  Repeated calls within one
     * decision give the same answer. */
    enum fb_found (*find)(const void *self, const struct fb_uid *uid, struct fb_entity *entity);
    const void *self;
    /* The same where the attributes are all that is wanted; NULL: by `find`. */
    enum fb_found (*find_attrs)(const void *self, const struct fb_uid *uid, const struct fb_record **attrs);
};

/* Cedar's `in`, reflexive, for missing entities too: through the ancestors that stand in the entity,
 * then through those that it leaves open.  FB_FOUND (is in), FB_ABSENT (is not), FB_BROKEN; broken
 * too when the open ones lead on more than FB_IN_DEPTH times or to more than FB_IN_FINDS entities,
 * which only a cycle across sources or a hierarchy that nobody closed can do. */
#define FB_IN_DEPTH 64u
#define FB_IN_FINDS 65536u
enum fb_found fb_entity_in(const struct fb_entities *entities, const struct fb_uid *uid,
                           const struct fb_uid *group);

/* --- The encoding of an entity --------------------------------------------------------------------
 * One block, position-independent, 8-aligned, little-endian; the encoder below is the only writer,
 * for memory and for the store alike.  Golden files pin it.
 *
 *   struct fb_entity_block │ parents[] │ ancestors[] │ attrs │ tags │ uids │ strings │ zeroes to 8
 *
 * Behind a record stands what its values point to, in the order of its fields; then the entity's own
 * uid, those of the ancestors, those of the parents that are no known ancestors; then all strings,
 * a name before its value's. */
struct fb_entity_block {
    uint32_t magic;             /* FB_ENTITY_MAGIC */
    uint32_t length;            /* of the whole block */
    uint64_t checksum;          /* fb_hash of the bytes behind this field */
    uint32_t parents_count, ancestors_count;
    uint32_t closed;            /* 1: `ancestors` holds them all */
    uint32_t reserved;
    int64_t uid, parents, ancestors, attrs, tags;   /* offsets from the start of the block */
};
#define FB_ENTITY_MAGIC 0x31454246u     /* "FBE1" */
#define FB_ENTITY_MAX (1u << 20)        /* bytes of one block */

struct fb_entity_parts {
    const struct fb_uid *uid;
    struct fb_value attrs, tags;            /* records (fb_value_of_record(&fb_record_empty) if none) */
    const struct fb_uid *const *parents;
    size_t parents_count;
    const struct fb_uid *const *ancestors;  /* all, parents included; used if closed */
    size_t ancestors_count;
    bool closed;                            /* `ancestors` are all; false: they are not written */
};

/* Encodes into the arena; NULL when it is too large or too deep (FB_VALUE_DEPTH, the attributes being
 * one level), or memory is short. */
const struct fb_entity_block *fb_entity_encode(struct fb_arena *arena, const struct fb_entity_parts *parts);
/* Opens a block that this process wrote. */
void fb_entity_open(const struct fb_entity_block *block, struct fb_entity *entity);
/* Opens bytes that came from outside: alignment (8), magic, length, checksum and the header's offsets
 * are checked, and with `deep` every offset, kind, order, hash and depth, so that the entity may be
 * walked to its ends.  False: corrupt. */
bool fb_entity_check(struct fb_span bytes, bool deep, struct fb_entity *entity);

/* --- A set of entities in memory ------------------------------------------------------------------ */
struct fb_entity_set;

/* Empty.  All its memory is in `arena`, which must outlive it. */
struct fb_entity_set *fb_entity_set_new(struct fb_arena *arena);

/* Reads Cedar's entity JSON, an array of {uid, attrs, parents, tags?}, and adds the entities; other
 * keys are passed over.  Two entries with the same uid: equal is fine, else a fault.  An action's
 * parents must be actions.  False when any fault was reported (lack of memory is reported too).  The
 * text need not outlive the call, the source must outlive the diagnostics.  With `hints` values may
 * be given in the forms that the schema makes plain: see fb_value_hints. */
struct fb_value_hints;
bool fb_entity_set_read_json(struct fb_entity_set *set, const struct fb_source *source,
                             const struct fb_value_hints *hints, struct fb_diags *diags);
/* Adds one made by hand (all is copied; its ancestors are not used, see fb_entity_set_close).  False
 * without memory, or when the set holds a different one of this uid. */
bool fb_entity_set_add(struct fb_entity_set *set, const struct fb_entity_parts *parts);
/* Finds the ancestors of every entity; a cycle (a self-parent included) is a fault that names the
 * whole cycle.  Call once, after the last addition and before the first find; without it fb_entity_in()
 * asks parent by parent.  An entity with an ancestor that the set does not hold stays open there.
 * Bounded time: proportional to the size of the closure, with a ceiling that is reported. */
bool fb_entity_set_close(struct fb_entity_set *set, struct fb_diags *diags);
#define FB_CLOSURE_MAX (1u << 24)       /* ancestors of all entities together; 16 bytes each */

size_t fb_entity_set_count(const struct fb_entity_set *set);
/* The i-th, in the order of their first addition. */
void fb_entity_set_at(const struct fb_entity_set *set, size_t index, struct fb_entity *entity);
/* Does it hold an entity of this type?  (Such a type is owned by it, not by the store.) */
bool fb_entity_set_has_type(const struct fb_entity_set *set, struct fb_span type);
/* Of the uid's type. */
bool fb_entity_set_has_type_of(const struct fb_entity_set *set, const struct fb_uid *uid);
/* As a source.  Any number of threads may read. */
struct fb_entities fb_entity_set_source(const struct fb_entity_set *set);

/* --- A set in order ---------------------------------------------------------------------------------
 * By type and id (bytes), for lists; and who is in a group, or names another in an attribute: the ways that
 * entities do not have.  Immutable, any number of threads; 8 bytes an entity, 4 for each ancestor of each, 12
 * for each entity in its attributes. */
struct fb_entity_order;
struct fb_positions {
    const uint32_t *list;       /* ascending */
    uint32_t count;
};

/* Of a set that is closed.  NULL without memory.  The set must outlive it. */
struct fb_entity_order *fb_entity_order_new(struct fb_arena *arena, const struct fb_entity_set *set);
uint32_t fb_entity_order_count(const struct fb_entity_order *order);
void fb_entity_order_at(const struct fb_entity_order *order, uint32_t position, struct fb_entity *entity);
/* The first position of the type, or behind `after`, which need not be there (NULL: none); of a greater
 * type, or beyond the end, if there is none. */
uint32_t fb_entity_order_from(const struct fb_entity_order *order, struct fb_span type, const struct fb_uid *after);
/* Those of the type and of greater ones that are in `group`, itself apart, behind `after`. */
struct fb_positions fb_entity_order_members(const struct fb_entity_order *order, const struct fb_uid *group,
                                            struct fb_span type, const struct fb_uid *after);
/* Those whose attribute with that symbol (fb_hash of its name) is `to`, or a set that has it; perhaps others
 * too, and the same one twice. */
struct fb_positions fb_entity_order_referring(const struct fb_entity_order *order, uint64_t symbol,
                                              const struct fb_uid *to, struct fb_span type,
                                              const struct fb_uid *after);
/* A uid that entities of the set have as a parent and that is none of them: the next from *at on, which is 0
 * at first.  NULL: no more. */
const struct fb_uid *fb_entity_order_outside(const struct fb_entity_order *order, uint32_t *at);
/* That order. */
int fb_uid_order(const struct fb_uid *a, const struct fb_uid *b);

/* --- Cedar's value JSON --------------------------------------------------------------------------
 * What a schema knows of a value, so that `{"type":…,"id":…}` and `"1.2.3.4"` may stand without
 * their escapes.  Optional everywhere: NULL reads the explicit forms only.  The schema part
 * (layer 2) fills it in; entity only asks. */
enum fb_hint { FB_HINT_NONE, FB_HINT_ENTITY, FB_HINT_EXTENSION, FB_HINT_SET, FB_HINT_RECORD };
struct fb_type_hint {
    enum fb_hint hint;
    enum fb_kind extension;                 /* FB_HINT_EXTENSION */
    const void *type;                       /* the schema's own type, passed back below */
};
struct fb_value_hints {
    const void *schema;
    /* Of an attribute of an entity type; of its tags; of an element of a set; of a record's field. */
    struct fb_type_hint (*attribute)(const void *schema, struct fb_span entity_type, struct fb_span name);
    struct fb_type_hint (*tag)(const void *schema, struct fb_span entity_type);
    struct fb_type_hint (*element)(const void *schema, const void *type);
    struct fb_type_hint (*field)(const void *schema, const void *type, struct fb_span name);
};

/* Reads one value, whose first event has been taken from `json` already.  On a fault the reader's
 * error is set (fb_json_report).  Strings may point into the JSON text.  Sets and records may be
 * nested FB_VALUE_DEPTH deep: the reader's own limit should be FB_VALUE_JSON_DEPTH or more.
 *
 * An object whose only key is `__entity` or `__extn` is an escape, if what it holds has the shape of
 * one ({type, id} of strings; {fn, arg} or {fn, args}); else it is a record, as upstream has it.  An
 * `__extn` may apply any function of the extension types. */
#define FB_VALUE_JSON_DEPTH (FB_VALUE_DEPTH + 8u)
bool fb_value_read_json(struct fb_json *json, struct fb_arena *arena, const struct fb_value_hints *hints,
                        struct fb_type_hint hint, struct fb_value *value);
/* `{type,id}` or `{__entity:{type,id}}`, first event taken already.  NULL on a fault. */
const struct fb_uid *fb_uid_read_json(struct fb_json *json, struct fb_arena *arena);
/* One entity as in the JSON above, with a newline behind nothing. */
void fb_entity_print_json(struct fb_buffer *out, const struct fb_entity *entity);

#endif
