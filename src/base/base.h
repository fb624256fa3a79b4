/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_BASE_H
#define FB_BASE_BASE_H

/* base: bytes become things to build with.  The door of src/base/; other parts include only this.
 *
 *   span.h    runs of bytes by value          map.h     names → pointers
 *   alloc.h   where memory comes from         utf8.h    Unicode's bytes
 *   arena.h   memory freed all at once        diag.h    faults in the user's text
 *   buffer.h  bytes that grow                 json.h    a pull reader with positions
 *   hash.h    names and secrets hashed
 *
 * Errors are of three kinds and never mixed.  A bug: assert; a release build refuses.  A failure of
 * the world (memory, files): a return value that says so.  A fault in the user's text: a
 * diagnostic.  Nothing here writes to standard error, exits, or keeps a global. */

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/span.h"
#include "base/utf8.h"

#endif
