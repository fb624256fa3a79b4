/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_STORE_READER_H
#define FB_STORE_READER_H

#include "store/layout.h"

#include <stdatomic.h>

/* A worker's reader.  Private: reader.c opens, watches and takes snapshots; find.c looks rows up.
 *
 * The cache.  One get costs a walk down a tree (0.1 µs hot) and a checksum; most requests ask for
 * the same rows, of which many do not exist (an account without a row).  A slot remembers, for one
 * uid and one version of the store, where its rows lie or that there are none.  Pointers stay good
 * as long as the version does: LMDB never overwrites pages of a version that a live snapshot shows,
 * and a snapshot of the same version shows the same pages.  A commit anywhere changes the version
 * and thereby empties the cache.  A row's checksum is verified when it enters a slot: once per
 * version and row, so that flipped bits on disk are seen when they are read in.
 * Several slots a set, so that busy rows do not evict each other at each request; 2 MiB in all, enough
 * for the rows of some thousands of busy principals and what they ask for.  A slot is two cache lines,
 * of which a uid of up to 28 bytes needs the first alone.
 * The uid's bytes stand in the slot and are compared whole, since ids come from clients and an
 * absent row must be that very uid's. */
enum { FB_SLOT_BYTES = 92, FB_SLOTS = 16384, FB_WAYS = 4 };
struct fb_slot {
    _Alignas(64) uint64_t hash;
    uint64_t version;               /* 0: empty */
    const struct fb_entity_block *entity;
    const struct fb_account_row *account;
    uint8_t type_len, id_len;
    bool entity_known, account_known;
    char bytes[FB_SLOT_BYTES];
};
_Static_assert(sizeof(struct fb_slot) == 128, "two cache lines");

/* What finds change; apart, since a source's `self` is const. */
struct fb_reading {
    MDB_txn *txn;
    MDB_cursor *back;               /* over mentions, once a list has asked; or NULL */
    bool live;                      /* a snapshot is taken */
    uint64_t version;               /* its number */
    bool accounts_known, no_accounts;   /* of this version: is the table of accounts empty? */
    uint32_t turn;                  /* which way is evicted next */
    struct fb_slot *slots;          /* FB_SLOTS of them, within `room` */
    void *room;
};
enum { FB_SLOTS_ROOM = FB_SLOTS * (int)sizeof(struct fb_slot) + 63 };

struct fb_store_reader {
    const struct fb_allocator *allocator;
    struct fb_env env;
    struct fb_reading *reading;
    struct fb_store_error error;    /* of the last look */
    size_t map;
    _Atomic uint32_t *crashes;
    uint64_t looked_at, opened_at;  /* the caller's clock */
    bool looked;                    /* ever */
    bool young;                     /* our one in *crashes is not yet taken back */
    bool short_once;                /* the last look found the file shorter than its pages */
    bool watched_closed;            /* CLOSED since opened_at */
    pid_t pid;                      /* that opened the environment */
    uint32_t openings;
    size_t size;                    /* of this block */
    char dir[];
};

#endif
