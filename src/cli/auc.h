/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_AUC_H
#define FB_CLI_AUC_H

#include <stdbool.h>
#include <stddef.h>

/* How well one number tells two kinds of samples apart: the area under the ROC curve, which is the rank
 * statistic of Mann and Whitney over the number of pairs.  It is the chance that a sample of `b`, drawn at
 * random, is greater than one of `a`, ties counting half:
 *
 *      0.5   nothing tells them apart by size       1.0   every b is greater       0.0   every a is
 *
 * No threshold, no distribution is assumed, and a sample that is far out counts no more than its rank: fit for
 * latencies over a noisy network.  It sees shifts; two kinds that differ in spread alone, around the same
 * median, have 0.5 too.
 *
 * Two standard errors.  `error` is that of the area as measured, whatever it is (DeLong, DeLong and
 * Clarke-Pearson 1988); `error_null` that which the area would have if both kinds were one, from the ranks with
 * their ties (Mann and Whitney 1947, corrected for ties).  To ask "is there a difference?" divide area - 0.5 by
 * `error_null`; to give an interval use `error`.  Both take samples for independent of each other, which
 * latencies of one connection are not quite: interleave the kinds at random. */
struct fb_auc {
    double area;
    double error, error_null;
};

/* Of `a_count` and `b_count` samples, in any unit, none of them NaN; neither array is changed.  False, with *auc
 * untouched, where one kind has no samples, or without memory.  Time n log n.  Any thread. */
bool fb_auc(const double *a, size_t a_count, const double *b, size_t b_count, struct fb_auc *auc);

#endif
