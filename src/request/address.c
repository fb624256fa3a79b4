/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses become ip values. */
#include "request/request.h"

#include <netinet/in.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_v4(struct fb_ip *ip, const void *bytes)
{
    memcpy(ip->address, bytes, 4);
    ip->family = 4;
    ip->prefix = 32;
}

/* A listener on [::] sees IPv4 clients as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2); rules on them
 * are written in IPv4. */
static void set_v6(struct fb_ip *ip, const struct in6_addr *address)
{
    const uint8_t *bytes = address->s6_addr;
    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        set_v4(ip, bytes + sizeof mapped);
        return;
    }
    memcpy(ip->address, bytes, 16);
    ip->family = 6;
    ip->prefix = 128;
}

bool fb_ip_of_sockaddr(const struct sockaddr *address, size_t length, struct fb_ip *ip)
{
    *ip = (struct fb_ip){.family = 0};
    if (address == NULL || length < offsetof(struct sockaddr, sa_data))
        return false;
    /* copied, since the caller's bytes may be a struct sockaddr_storage or part of another struct */
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        set_v4(ip, &v4.sin_addr);
    } else if (address->sa_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_addr) + 16) {
        struct in6_addr v6;
        memcpy(&v6, (const char *)address + offsetof(struct sockaddr_in6, sin6_addr), sizeof v6);
        set_v6(ip, &v6);
    }
    return ip->family != 0;
}
