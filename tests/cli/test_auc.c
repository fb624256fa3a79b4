/* SPDX-License-Identifier: Apache-2.0 */
/* The rank statistic: against counting every pair, against areas that are known, and that its errors are as large
 * as the area in fact varies. */
#include "cli/auc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double by_pairs(const double *a, size_t m, const double *b, size_t n)
{
    double above = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < n; k++)
            above += a[i] < b[k] ? 1 : a[i] == b[k] ? 0.5 : 0;
    return above / (double)m / (double)n;
}

static void test_pairs(void **unused)
{
    (void)unused;
    double a[60], b[45];
    for (int round = 0; round < 200; round++) {
        double values = 1 + floor(uniform() * 40);      /* few values: many ties */
        size_t m = 1 + (size_t)(uniform() * 59), n = 1 + (size_t)(uniform() * 44);
        for (size_t i = 0; i < m; i++)
            a[i] = floor(uniform() * values);
        for (size_t i = 0; i < n; i++)
            b[i] = floor(uniform() * values * 1.2);
        struct fb_auc auc, mirrored;
        assert_true(fb_auc(a, m, b, n, &auc));
        assert_true(fb_auc(b, n, a, m, &mirrored));
        assert_true(fabs(auc.area - by_pairs(a, m, b, n)) < 1e-12);
        assert_true(fabs(auc.area + mirrored.area - 1) < 1e-12);
        assert_true(fabs(auc.error - mirrored.error) < 1e-12 && fabs(auc.error_null - mirrored.error_null) < 1e-12);
    }
}

static void test_known(void **unused)
{
    (void)unused;
    const double low[] = {3, 1, 2}, high[] = {5, 4}, same[] = {7, 7};
    struct fb_auc auc = {.area = -1};
    assert_false(fb_auc(low, 0, high, 2, &auc));
    assert_false(fb_auc(low, 3, high, 0, &auc));
    assert_true(auc.area < 0);
    assert_true(fb_auc(low, 3, high, 2, &auc));
    assert_true(auc.area == 1 && auc.error == 0);
    /* Without ties (m + n + 1) / 12mn. */
    assert_true(fabs(auc.error_null - sqrt(6.0 / 72.0)) < 1e-12);
    assert_true(fb_auc(high, 2, low, 3, &auc));
    assert_true(auc.area == 0);
    assert_true(fb_auc(same, 2, same, 2, &auc));
    assert_true(auc.area == 0.5 && auc.error == 0 && auc.error_null == 0);
}

/* Over many draws the area spreads as both errors say, where there is no difference, and as `error` says where there is. */
static void check_spread(double shift, double area)
{
    enum { ROUNDS = 400, N = 120 };
    double a[N], b[N], sum = 0, squares = 0, said = 0, null = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++) {
            a[i] = uniform();
            b[i] = uniform() + shift;
        }
        struct fb_auc auc;
        assert_true(fb_auc(a, N, b, N, &auc));
        sum += auc.area;
        squares += auc.area * auc.area;
        said += auc.error / ROUNDS;
        null += auc.error_null / ROUNDS;
    }
    double mean = sum / ROUNDS, spread = sqrt(squares / ROUNDS - mean * mean);
    assert_true(fabs(mean - area) < 0.01);
    assert_true(fabs(said / spread - 1) < 0.12);
    if (shift == 0)
        assert_true(fabs(null / spread - 1) < 0.12);
}

static void test_errors(void **unused)
{
    (void)unused;
    check_spread(0, 0.5);
    check_spread(0.5, 0.875);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("cli/auc", tests, NULL, NULL);
}
