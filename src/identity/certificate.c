/* SPDX-License-Identifier: Apache-2.0 */
/* The thumbprint of a client certificate: SHA-256 over its DER, which PEM holds in base64 (RFC 7468).  That the client
 * has the certificate's key was TLS' business; whether anybody vouches for the certificate is no question here
 * (RFC 8705 section 2.2: self-signed ones do as well). */
#include "identity/possession.h"

#include "identity/base64url.h"
#include "identity/jwk.h"

enum { DER_MAX = 16384 };

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* The bytes of the first certificate in `pem`; false if there is none, or it is too large. */
static bool read_der(struct fb_span pem, unsigned char out[DER_MAX], size_t *len)
{
    static const struct fb_span begin = FB_SPAN_INIT("-----BEGIN CERTIFICATE-----");
    uint32_t bits = 0;
    unsigned held = 0;
    *len = 0;
    if (!fb_span_starts(pem, begin))
        return false;
    for (size_t i = begin.len; i < pem.len; i++) {
        char c = pem.ptr[i];
        if (c == '-' || c == '=')
            return *len != 0;
        /* nginx has tabs before the lines of $ssl_client_cert. */
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
            continue;
        int value = sextet(c);
        if (value < 0 || *len == DER_MAX)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[(*len)++] = (unsigned char)(bits >> held);
        }
    }
    return false;
}

bool fb_certificate_is(struct fb_span pem, struct fb_span thumbprint)
{
    unsigned char der[DER_MAX], digest[32], wanted[33];
    size_t len;
    return thumbprint.len == FB_THUMBPRINT_LEN && fb_base64url_decode(thumbprint, wanted) && read_der(pem, der, &len)
           && fb_sha256(fb_span((const char *)der, len), digest) && memcmp(digest, wanted, sizeof digest) == 0;
}
