/* SPDX-License-Identifier: Apache-2.0 */
/* The wall around libmaxminddb: ip → country, ip → autonomous system.
 *
 * The file is memory-mapped and read in place, so workers share it; the strings that come out lie
 * in the map.  MaxMind's own files have the country under country.iso_code, the free ones of
 * ip-location-db under country_code. */
#include "request/request.h"

#include <maxminddb.h>
#include <netinet/in.h>

#define KEYS_MAX 8u
#define PATH_MAX_BYTES 128u

struct path {
    char text[PATH_MAX_BYTES];
    const char *keys[KEYS_MAX + 1]; /* into text, NULL behind the last */
};

struct fb_geo {
    MMDB_s mmdb;
    const struct fb_allocator *allocator;
    struct path country[2];
    size_t countries; /* paths to try */
};

static const char *const asn_keys[][3] = {
    {"autonomous_system_number"}, {"traits", "autonomous_system_number"}, {"asn"}};

static bool path_set(struct path *path, const char *text)
{
    size_t len = strlen(text), keys = 0;
    if (len == 0 || len >= sizeof path->text)
        return false;
    memcpy(path->text, text, len + 1);
    char *at = path->text;
    for (;;) {
        if (keys == KEYS_MAX || *at == '\0' || *at == '.')
            return false;
        path->keys[keys++] = at;
        at = strchr(at, '.');
        if (at == NULL)
            break;
        *at++ = '\0';
    }
    path->keys[keys] = NULL;
    return true;
}

static bool paths_set(struct fb_geo *geo, const char *country_path)
{
    if (country_path != NULL) {
        geo->countries = 1;
        return path_set(&geo->country[0], country_path);
    }
    geo->countries = 2;
    return path_set(&geo->country[0], "country_code") && path_set(&geo->country[1], "country.iso_code");
}

struct fb_geo *fb_geo_open(const struct fb_allocator *allocator, const char *file, const char *country_path,
                           const char **error)
{
    struct fb_geo *geo = fb_alloc(allocator, sizeof *geo);
    if (geo == NULL) {
        *error = "out of memory";
        return NULL;
    }
    *geo = (struct fb_geo){.allocator = allocator};
    int status = MMDB_SUCCESS;
    if (!paths_set(geo, country_path))
        *error = "the path of the country must be keys with dots between";
    else if ((status = MMDB_open(file, MMDB_MODE_MMAP, &geo->mmdb)) != MMDB_SUCCESS)
        *error = MMDB_strerror(status);
    else
        return geo;
    fb_free(allocator, geo, sizeof *geo);
    return NULL;
}

void fb_geo_close(struct fb_geo *geo)
{
    if (geo == NULL)
        return;
    MMDB_close(&geo->mmdb);
    fb_free(geo->allocator, geo, sizeof *geo);
}

static enum fb_found find(const struct fb_geo *geo, const struct fb_ip *ip, MMDB_lookup_result_s *result)
{
    int error = MMDB_SUCCESS;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    memset(&address, 0, sizeof address);
    if (ip->family == 4) {
        address.v4.sin_family = AF_INET;
        memcpy(&address.v4.sin_addr, ip->address, 4);
    } else if (ip->family == 6 && geo->mmdb.metadata.ip_version == 6) {
        address.v6.sin6_family = AF_INET6;
        memcpy(&address.v6.sin6_addr, ip->address, 16);
    } else {
        return FB_ABSENT; /* no address, or a file of IPv4 alone */
    }
    *result = MMDB_lookup_sockaddr(&geo->mmdb, &address.any, &error);
    if (error != MMDB_SUCCESS)
        return FB_BROKEN;
    return result->found_entry ? FB_FOUND : FB_ABSENT;
}

/* The value under the keys; FB_ABSENT where the entry has no such key or it leads elsewhere. */
static enum fb_found value_at(MMDB_lookup_result_s *result, const char *const *keys, MMDB_entry_data_s *data)
{
    int status = MMDB_aget_value(&result->entry, data, keys);
    if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
        return FB_ABSENT;
    if (status != MMDB_SUCCESS)
        return FB_BROKEN;
    return data->has_data ? FB_FOUND : FB_ABSENT;
}

static bool is_country(const MMDB_entry_data_s *data)
{
    return data->type == MMDB_DATA_TYPE_UTF8_STRING && data->data_size == 2 && data->utf8_string[0] >= 'A'
           && data->utf8_string[0] <= 'Z' && data->utf8_string[1] >= 'A' && data->utf8_string[1] <= 'Z';
}

enum fb_found fb_geo_country(const struct fb_geo *geo, const struct fb_ip *ip, struct fb_span *country)
{
    MMDB_lookup_result_s result;
    enum fb_found found = find(geo, ip, &result);
    if (found != FB_FOUND)
        return found;
    for (size_t i = 0; i < geo->countries; i++) {
        MMDB_entry_data_s data;
        found = value_at(&result, geo->country[i].keys, &data);
        if (found == FB_BROKEN)
            return FB_BROKEN;
        if (found == FB_FOUND && is_country(&data)) {
            *country = fb_span(data.utf8_string, data.data_size);
            return FB_FOUND;
        }
    }
    return FB_ABSENT;
}

static bool is_number(const MMDB_entry_data_s *data, int64_t *number)
{
    if (data->type == MMDB_DATA_TYPE_UINT32)
        *number = data->uint32;
    else if (data->type == MMDB_DATA_TYPE_UINT16)
        *number = data->uint16;
    else
        return false;
    return true;
}

enum fb_found fb_geo_asn(const struct fb_geo *geo, const struct fb_ip *ip, int64_t *asn)
{
    MMDB_lookup_result_s result;
    enum fb_found found = find(geo, ip, &result);
    if (found != FB_FOUND)
        return found;
    for (size_t i = 0; i < sizeof asn_keys / sizeof asn_keys[0]; i++) {
        MMDB_entry_data_s data;
        found = value_at(&result, asn_keys[i], &data);
        if (found == FB_BROKEN)
            return FB_BROKEN;
        if (found == FB_FOUND && is_number(&data, asn))
            return FB_FOUND;
    }
    return FB_ABSENT;
}
