/* SPDX-License-Identifier: Apache-2.0 */

/* The table of the extension types' functions and methods. */

#include "cedar/cedar.h"

const struct fb_function_info fb_functions[FB_FUNCTIONS] = {
#define FB_FUNCTION(symbol, text, is_method, count, result) \
    [FB_F_##symbol] = {.name = {sizeof(text) - 1, (text)}, .method = (is_method), .arity = (count)},
#include "cedar/functions.def"
#undef FB_FUNCTION
};
