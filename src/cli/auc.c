/* SPDX-License-Identifier: Apache-2.0 */
/* The rank statistic that says whether latencies tell two kinds of answers apart.  By ranks: each sample's place
 * among all of them, and among those of its own kind, ties sharing the mean of their places.  The difference
 * of the two is the number of samples of the other kind that lie below it, of which both the area and
 * the spread of it are made (Sun and Xu 2014).  What is measured, and how it is interleaved, is the caller's. */
#include "cli/auc.h"

#include <math.h>
#include <stdlib.h>

struct sample {
    double value;
    bool is_b;
};

static int by_value(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

/* Sums over one kind of the share of the other that lies below it. */
struct shares {
    double sum, squares;
};

static void add_shares(struct shares *shares, size_t times, double share)
{
    shares->sum += (double)times * share;
    shares->squares += (double)times * share * share;
}

/* The variance of the mean of `count` shares. */
static double spread(const struct shares *shares, size_t count)
{
    double n = (double)count, mean = shares->sum / n;
    double variance = count > 1 ? (shares->squares - n * mean * mean) / (n - 1) : 0;
    return variance > 0 ? variance / n : 0;
}

static void measure(const struct sample *sorted, size_t a_count, size_t b_count, struct fb_auc *auc)
{
    struct shares of_a = {0, 0}, of_b = {0, 0};
    double m = (double)a_count, n = (double)b_count, all = m + n, ties = 0;
    size_t a_below = 0, b_below = 0;
    for (size_t i = 0; i < a_count + b_count;) {
        size_t end = i, a_here = 0;
        while (end < a_count + b_count && by_value(&sorted[end], &sorted[i]) == 0)
            a_here += !sorted[end++].is_b;
        size_t here = end - i, b_here = here - a_here;
        add_shares(&of_b, b_here, ((double)a_below + 0.5 * (double)a_here) / m);
        add_shares(&of_a, a_here, ((double)b_below + 0.5 * (double)b_here) / n);
        ties += (double)here * ((double)here * (double)here - 1);
        a_below += a_here;
        b_below += b_here;
        i = end;
    }
    auc->area = of_b.sum / n;
    auc->error = sqrt(spread(&of_a, a_count) + spread(&of_b, b_count));
    double null = (all + 1 - ties / (all * (all - 1))) / (12 * m * n);
    auc->error_null = null > 0 ? sqrt(null) : 0;
}

bool fb_auc(const double *a, size_t a_count, const double *b, size_t b_count, struct fb_auc *auc)
{
    if (a_count == 0 || b_count == 0 || a_count > (size_t)1 << 30 || b_count > (size_t)1 << 30)
        return false;
    struct sample *all = malloc((a_count + b_count) * sizeof *all);
    if (all == NULL)
        return false;
    for (size_t i = 0; i < a_count; i++)
        all[i] = (struct sample){a[i], false};
    for (size_t i = 0; i < b_count; i++)
        all[a_count + i] = (struct sample){b[i], true};
    qsort(all, a_count + b_count, sizeof *all, by_value);
    measure(all, a_count, b_count, auc);
    free(all);
    return true;
}
