/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

/* The golden values were computed by a second implementation, in another language. */
static void keeps_its_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t hash;
    } golden[] = {
        {"", UINT64_C(0x1f1fb31e1a276e23)},
        {"a", UINT64_C(0xd570b5239c54aaba)},
        {"User", UINT64_C(0x8692dfd004d0f53f)},
        {"User::\"alice\"", UINT64_C(0x3ccc1e9d0ce2b40a)},
        {"0123456789abcdef", UINT64_C(0xccfe2e6a9b69085d)},
        {"0123456789abcdefg", UINT64_C(0x59d9f145f2dde089)},
        {"Forbid::Namespace::Action::\"read the private data\"", UINT64_C(0x94d1083c83542026)},
    };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++)
        assert_int_equal(fb_hash(fb_span_z(golden[i].text)), golden[i].hash);
    assert_int_equal(fb_hash(fb_span(NULL, 0)), golden[0].hash);
    assert_int_equal(fb_hash_join(1, 2), UINT64_C(0xc15fce386ec6d76e));
    assert_int_equal(fb_hash_join(2, 1), UINT64_C(0x20b6c2a01a390381));
}

/* Each length from 0 to 256, at an odd address, joined to one value. */
static void keeps_its_values_at_every_length(void **state)
{
    (void)state;
    uint64_t all = 0;
    for (size_t length = 0; length <= 256; length++) {
        char bytes[258];
        for (size_t i = 0; i < length; i++)
            bytes[i + 1] = (char)(unsigned char)((i * 7 + length) & 255);
        all = fb_hash_join(all, fb_hash(fb_span(bytes + 1, length)));
    }
    assert_int_equal(all, UINT64_C(0x716b294bce1861f3));
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 200,000 numbered names: no two share 64 bits, and the low bits fill a table as evenly as chance
 * would (chi squared over 1024 places: mean 1023, deviation 45). */
static void spreads_names(void **state)
{
    (void)state;
    enum { COUNT = 200000, PLACES = 1024 };
    uint64_t *hashes = malloc(COUNT * sizeof *hashes);
    size_t places[PLACES] = {0};
    assert_non_null(hashes);
    for (size_t i = 0; i < COUNT; i++) {
        char name[32];
        int length = snprintf(name, sizeof name, "User::\"u%zu\"", i);
        hashes[i] = fb_hash(fb_span(name, (size_t)length));
        places[hashes[i] % PLACES]++;
    }
    qsort(hashes, COUNT, sizeof *hashes, compare);
    for (size_t i = 1; i < COUNT; i++)
        assert_true(hashes[i] != hashes[i - 1]);
    double expected = (double)COUNT / PLACES, chi_squared = 0;
    for (size_t i = 0; i < PLACES; i++) {
        double off = (double)places[i] - expected;
        chi_squared += off * off / expected;
    }
    assert_true(chi_squared > 1023 - 6 * 45 && chi_squared < 1023 + 6 * 45);
    free(hashes);
}

/* A change of one bit of the input changes about half of the output. */
static void spreads_bits(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 40; length++) {
        char bytes[40] = "the quick brown fox jumps over the dog.";
        uint64_t before = fb_hash(fb_span(bytes, length));
        for (size_t bit = 0; bit < 8 * length; bit++) {
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            int changed = __builtin_popcountll(before ^ fb_hash(fb_span(bytes, length)));
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            assert_in_range(changed, 10, 54);
        }
    }
}

/* The vectors published with SipHash: key 00 01 … 0f, inputs empty, 00, 00 01, … */
static const uint64_t sip_vectors[64] = {
    UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
    UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
    UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
    UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
    UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
    UINT64_C(0xa129ca6149be45e5), UINT64_C(0x3f2acc7f57c29bdb), UINT64_C(0x699ae9f52cbe4794),
    UINT64_C(0x4bc1b3f0968dd39c), UINT64_C(0xbb6dc91da77961bd), UINT64_C(0xbed65cf21aa2ee98),
    UINT64_C(0xd0f2cbb02e3b67c7), UINT64_C(0x93536795e3a33e88), UINT64_C(0xa80c038ccd5ccec8),
    UINT64_C(0xb8ad50c6f649af94), UINT64_C(0xbce192de8a85b8ea), UINT64_C(0x17d835b85bbb15f3),
    UINT64_C(0x2f2e6163076bcfad), UINT64_C(0xde4daaaca71dc9a5), UINT64_C(0xa6a2506687956571),
    UINT64_C(0xad87a3535c49ef28), UINT64_C(0x32d892fad841c342), UINT64_C(0x7127512f72f27cce),
    UINT64_C(0xa7f32346f95978e3), UINT64_C(0x12e0b01abb051238), UINT64_C(0x15e034d40fa197ae),
    UINT64_C(0x314dffbe0815a3b4), UINT64_C(0x027990f029623981), UINT64_C(0xcadcd4e59ef40c4d),
    UINT64_C(0x9abfd8766a33735c), UINT64_C(0x0e3ea96b5304a7d0), UINT64_C(0xad0c42d6fc585992),
    UINT64_C(0x187306c89bc215a9), UINT64_C(0xd4a60abcf3792b95), UINT64_C(0xf935451de4f21df2),
    UINT64_C(0xa9538f0419755787), UINT64_C(0xdb9acddff56ca510), UINT64_C(0xd06c98cd5c0975eb),
    UINT64_C(0xe612a3cb9ecba951), UINT64_C(0xc766e62cfcadaf96), UINT64_C(0xee64435a9752fe72),
    UINT64_C(0xa192d576b245165a), UINT64_C(0x0a8787bf8ecb74b2), UINT64_C(0x81b3e73d20b49b6f),
    UINT64_C(0x7fa8220ba3b2ecea), UINT64_C(0x245731c13ca42499), UINT64_C(0xb78dbfaf3a8d83bd),
    UINT64_C(0xea1ad565322a1a0b), UINT64_C(0x60e61c23a3795013), UINT64_C(0x6606d7e446282b93),
    UINT64_C(0x6ca4ecb15c5f91e1), UINT64_C(0x9f626da15c9625f3), UINT64_C(0xe51b38608ef25f57),
    UINT64_C(0x958a324ceb064572),
};

static void is_siphash(void **state)
{
    (void)state;
    struct fb_hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char bytes[64];
    for (size_t i = 0; i < 64; i++) {
        bytes[i] = (char)i;
        assert_int_equal(fb_hash_keyed(&key, fb_span(bytes, i)), sip_vectors[i]);
    }
    assert_int_equal(fb_hash_keyed(&key, fb_span(NULL, 0)), sip_vectors[0]);
}

/* As OpenSSL computes it (`openssl mac -macopt size:16 SIPHASH`), key and input as above. */
static void sip_hash_has_128_bits(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint64_t hash[2];
    } vectors[] = {
        {0, {UINT64_C(0xe6a825ba047f81a3), UINT64_C(0x930255c71472f66d)}},
        {1, {UINT64_C(0x44af996bd8c187da), UINT64_C(0x45fc229b11597634)}},
        {8, {UINT64_C(0x61f55862baa9623b), UINT64_C(0xb49714f364e2830f)}},
        {16, {UINT64_C(0xbb54b067caa4e26e), UINT64_C(0x77052385bf1533fd)}},
    };
    const struct fb_hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint64_t hash[2];
        fb_hash_keyed_wide(&key, fb_span(bytes, vectors[i].length), hash);
        assert_int_equal(hash[0], vectors[i].hash[0]);
        assert_int_equal(hash[1], vectors[i].hash[1]);
    }
}

/* Each bit of the input and of the key moves about half of the result. */
static void hashes_16_bytes_under_a_key(void **state)
{
    (void)state;
    struct fb_hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char bytes[16] = "0123456789abcde";
    uint64_t plain = fb_hash_keyed_16(&key, bytes);
    for (unsigned bit = 0; bit < 128; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        int moved = __builtin_popcountll(plain ^ fb_hash_keyed_16(&key, bytes));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_in_range(moved, 12, 52);
        uint64_t *half = bit < 64 ? &key.k0 : &key.k1;
        *half ^= UINT64_C(1) << bit % 64;
        moved = __builtin_popcountll(plain ^ fb_hash_keyed_16(&key, bytes));
        *half ^= UINT64_C(1) << bit % 64;
        assert_in_range(moved, 12, 52);
    }
    assert_int_equal(fb_hash_keyed_16(&key, bytes), plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_values),
        cmocka_unit_test(keeps_its_values_at_every_length),
        cmocka_unit_test(spreads_names),
        cmocka_unit_test(spreads_bits),
        cmocka_unit_test(is_siphash),
        cmocka_unit_test(sip_hash_has_128_bits),
        cmocka_unit_test(hashes_16_bytes_under_a_key),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
