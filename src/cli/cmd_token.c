/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid token`: a signed token to develop and test with.  The key is made at the first use, and its
 * public half is what `--jwks` of `serve` and `why` reads. */
#include "cli/cli.h"
#include "identity/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define CLAIMS_BYTES_MAX ((size_t)64 << 10)
#define LIFETIME_S 3600

struct options {
    const char *key, *jwks, *sub, *issuer, *expires, *alg;
    struct fb_words audiences, scopes, roles, claims;
    bool quiet;
};

static const char help[] = "Makes a bearer token (a signed JWT) to develop and test with, and prints it.  The private\n"
                           "key is made if its file is not there; its public half is written beside it, as the key\n"
                           "set that the server trusts:\n"
                           "\n"
                           "  $ TOKEN=$(forbid token --key dev.key --issuer https://dev.example --audience api \\\n"
                           "        --sub alice --role admin)\n"
                           "  $ forbid serve policies --listen 127.0.0.1:8403 --upstream http://127.0.0.1:3000 \\\n"
                           "        --issuer https://dev.example --jwks dev.key.jwks.json --audience api \\\n"
                           "        --principal-parents roles:Role\n"
                           "  $ curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8403/api/me\n"
                           "\n"
                           "Whoever has the key can be anybody, so keep it out of repositories and off servers; in\n"
                           "production tokens come from an identity provider.\n"
                           "\n"
                           "Times are like 30s, 15m, 1h or 7d; --expires -5m makes a token that has expired.\n"
                           "A claim's value is JSON: --claim tenant='\"acme\"' --claim level=3.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv)
{
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "key", "FILE", "the private key (PEM); made if it is not there", &options->key},
        {FB_OPTION_TEXT, 0, "jwks", "FILE", "where the public key set is written (FILE.jwks.json)", &options->jwks},
        {FB_OPTION_TEXT, 0, "sub", "NAME", "who it is for: User::\"NAME\" by default", &options->sub},
        {FB_OPTION_TEXT, 0, "issuer", "URL", "who makes it", &options->issuer},
        {FB_OPTION_LIST, 0, "audience", "NAME", "which API it is meant for", &options->audiences},
        {FB_OPTION_LIST, 0, "scope", "NAME", "what it may be used for", &options->scopes},
        {FB_OPTION_LIST, 0, "role", "NAME", "a value of the claim `roles`", &options->roles},
        {FB_OPTION_LIST, 0, "claim", "NAME=JSON", "any other claim", &options->claims},
        {FB_OPTION_TEXT, 0, "expires", "TIME", "how long it is good (1h)", &options->expires},
        {FB_OPTION_TEXT, 0, "alg", "NAME", "of a new key: ES256 (default), EdDSA, RS256, PS256", &options->alg},
        {FB_OPTION_FLAG, 'q', "quiet", NULL, "do not say that a key was made", &options->quiet},
    };
    const struct fb_usage usage = {
        .verb = "token",
        .synopsis = "forbid token --key FILE --sub NAME --issuer URL --audience NAME [--scope NAME]… [--role NAME]…",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    return fb_options_parse(cli, &usage, argc, argv, &words);
}

/* "1h", "-5m", "90" (seconds) → seconds. */
static bool read_lifetime(const char *text, int64_t *seconds)
{
    struct fb_span span = fb_span_z(text);
    bool negative = span.len != 0 && span.ptr[0] == '-';
    span = fb_span_from(span, negative ? 1 : 0);
    int64_t unit = 1;
    if (span.len != 0) {
        char last = span.ptr[span.len - 1];
        unit = last == 's' ? 1 : last == 'm' ? 60 : last == 'h' ? 3600 : last == 'd' ? 86400 : 0;
        if (unit != 0)
            span.len--;
        else
            unit = 1;
    }
    uint64_t number;
    if (!fb_span_to_u64(span, UINT64_C(100) * 365 * 86400, &number))
        return false;
    *seconds = (int64_t)number * unit * (negative ? -1 : 1);
    return *seconds <= (int64_t)100 * 365 * 86400 && *seconds >= -(int64_t)50 * 365 * 86400;
}

static void add_list(struct fb_buffer *out, const char *name, const struct fb_words *words)
{
    if (words->count == 0)
        return;
    fb_buffer_add_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < words->count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        fb_buffer_add_json(out, fb_span_z(words->list[i]));
    }
    fb_buffer_add_char(out, ']');
}

/* RFC 9068 section 2.2 wants a jti; it tells two tokens of one second apart. */
static void add_id(struct fb_buffer *out)
{
    unsigned char bytes[12];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return;
    fb_buffer_add_z(out, ",\"jti\":\"");
    for (size_t i = 0; i < sizeof bytes; i++)
        fb_buffer_add_format(out, "%02x", bytes[i]);
    fb_buffer_add_char(out, '"');
}

static bool is_json(struct fb_span text)
{
    struct fb_arena arena;
    struct fb_json json;
    fb_arena_init(&arena, &fb_heap, CLAIMS_BYTES_MAX * 4);
    fb_json_init(&json, text, &arena, (struct fb_json_limits){.depth = 15, .bytes = CLAIMS_BYTES_MAX, .keys = 256});
    fb_json_next(&json);
    bool fine = fb_json_skip(&json) && fb_json_next(&json) == FB_JSON_END;
    fb_arena_release(&arena);
    return fine;
}

static bool add_claims(struct fb_cli *cli, const struct options *options, struct fb_buffer *out)
{
    static const char *const ours[] = {"iss", "sub", "aud", "iat", "exp", "jti"};
    for (size_t i = 0; i < options->claims.count; i++) {
        struct fb_span claim = fb_span_z(options->claims.list[i]);
        size_t equals = fb_span_find(claim, '=');
        struct fb_span name = fb_span_head(claim, equals), value = fb_span_from(claim, equals + 1);
        if (equals == claim.len || equals == 0) {
            return fb_cli_wrong(cli, "token", "--claim is NAME=JSON, not '%s'", options->claims.list[i]);
        }
        for (size_t j = 0; j < sizeof ours / sizeof ours[0]; j++)
            if (fb_span_is(name, ours[j])) {
                return fb_cli_wrong(cli, "token", "the claim '%s' has an option of its own or is set by the command",
                                    ours[j]);
            }
        if (!is_json(value)) {
            return fb_cli_wrong(cli, "token",
                                "the value of --claim %.*s is not JSON: %.*s (a string needs quotes of its own: "
                                "--claim %.*s='\"…\"')",
                                (int)name.len, name.ptr, (int)value.len, value.ptr, (int)name.len, name.ptr);
        }
        fb_buffer_add_char(out, ',');
        fb_buffer_add_json(out, name);
        fb_buffer_add_char(out, ':');
        fb_buffer_add(out, value);
    }
    return true;
}

static bool write_claims(struct fb_cli *cli, const struct options *options, struct fb_buffer *out)
{
    int64_t lifetime = LIFETIME_S;
    if (options->expires != NULL && !read_lifetime(options->expires, &lifetime)) {
        return fb_cli_wrong(cli, "token", "--expires is a time like 15m, 1h or -5m, not '%s'", options->expires);
    }
    int64_t now = (int64_t)time(NULL), issued = lifetime < 0 ? now + 2 * lifetime : now;
    fb_buffer_add_z(out, "{\"iss\":");
    fb_buffer_add_json(out, fb_span_z(options->issuer));
    fb_buffer_add_z(out, ",\"sub\":");
    fb_buffer_add_json(out, fb_span_z(options->sub));
    if (options->audiences.count == 1) {
        fb_buffer_add_z(out, ",\"aud\":");
        fb_buffer_add_json(out, fb_span_z(options->audiences.list[0]));
    } else {
        add_list(out, "aud", &options->audiences);
    }
    fb_buffer_add_format(out, ",\"iat\":%" PRId64 ",\"exp\":%" PRId64, issued, now + lifetime);
    add_id(out);
    if (options->scopes.count != 0) {
        struct fb_buffer scope;
        fb_buffer_init(&scope, &fb_heap, CLAIMS_BYTES_MAX);
        for (size_t i = 0; i < options->scopes.count; i++)
            fb_buffer_add_format(&scope, "%s%s", i != 0 ? " " : "", options->scopes.list[i]);
        fb_buffer_add_z(out, ",\"scope\":");
        fb_buffer_add_json(out, fb_buffer_span(&scope));
        fb_buffer_release(&scope);
    }
    add_list(out, "roles", &options->roles);
    if (!add_claims(cli, options, out))
        return false;
    fb_buffer_add_char(out, '}');
    return !out->failed || fb_cli_wrong(cli, "token", "the claims are too large");
}

/* Whole or not at all: a server may be reading the old one. */
static bool write_jwks(struct fb_cli *cli, const struct fb_dev_key *key, const char *path)
{
    struct fb_buffer text, beside;
    fb_buffer_init(&text, &fb_heap, 64u << 10);
    fb_buffer_init(&beside, &fb_heap, 64u << 10);
    fb_buffer_add_format(&beside, "%s.%ld.new", path, (long)getpid());
    bool fine = fb_dev_key_jwks(key, &text) && !beside.failed;
    fb_buffer_add_char(&text, '\n');
    int fd = fine ? open(beside.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
    fine = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    fine = (fd < 0 || close(fd) == 0) && fine && rename(beside.ptr, path) == 0;
    if (!fine) {
        fb_cli_fail(cli, "token: %s: the key set could not be written: %s", path, strerror(errno));
        if (fd >= 0)
            unlink(beside.ptr);
    }
    fb_buffer_release(&beside);
    fb_buffer_release(&text);
    return fine;
}

static struct fb_dev_key *key_of(struct fb_cli *cli, const struct options *options, bool *made)
{
    enum fb_dev_algorithm algorithm = FB_DEV_ES256;
    const char *error = "out of memory";
    if (options->alg != NULL && !fb_dev_algorithm(fb_span_z(options->alg), &algorithm)) {
        fb_cli_fail(cli, "token: --alg is ES256, EdDSA, RS256 or PS256, not '%s'", options->alg);
        return NULL;
    }
    struct fb_dev_key *key;
    *made = access(options->key, F_OK) != 0 && errno == ENOENT;
    if (!*made) {
        key = fb_dev_key_load(options->key, algorithm == FB_DEV_PS256, &fb_heap, &error);
    } else {
        key = fb_dev_key_new(algorithm, &fb_heap, &error);
        if (key != NULL && !fb_dev_key_save(key, options->key, &error)) {
            fb_dev_key_free(key);
            key = NULL;
        }
    }
    if (key == NULL)
        fb_cli_fail(cli, "token: %s: %s", options->key, error);
    return key;
}

static bool mint(struct fb_cli *cli, struct fb_span claims, const struct fb_dev_key *key)
{
    struct fb_buffer token;
    const char *error = "out of memory";
    fb_buffer_init(&token, &fb_heap, CLAIMS_BYTES_MAX * 2);
    bool fine = fb_token_mint(key, claims, &token, &error);
    if (!fine)
        fb_cli_fail(cli, "token: %s", error);
    if (fine) {
        fb_buffer_add_char(&token, '\n');
        fb_cli_write(cli, &token);
    }
    fb_buffer_release(&token);
    return fine;
}

static int token_of(struct fb_cli *cli, const struct options *options, struct fb_span claims)
{
    bool made;
    struct fb_dev_key *key = key_of(cli, options, &made);
    if (key == NULL)
        return FB_EXIT_FAILED;
    struct fb_buffer path;
    fb_buffer_init(&path, &fb_heap, 64u << 10);
    fb_buffer_add_format(&path, "%s.jwks.json", options->key);
    const char *jwks = options->jwks != NULL ? options->jwks : path.ptr;
    /* An existing key set stays as it is, others' keys may be in it; one that is asked for is written. */
    bool write = made || options->jwks != NULL || access(jwks, F_OK) != 0;
    bool fine = jwks != NULL && (!write || write_jwks(cli, key, jwks));
    if (fine && made && !options->quiet)
        fprintf(cli->err, "forbid: made the key %s; its public key set is %s\n", options->key, jwks);
    fine = fine && mint(cli, claims, key);
    fb_buffer_release(&path);
    fb_dev_key_free(key);
    return fine ? FB_EXIT_OK : FB_EXIT_FAILED;
}

int fb_cmd_token(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.key = NULL};
    enum fb_parsed parsed = parse(cli, &options, argc, argv);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    const char *missing = options.key == NULL            ? "--key FILE"
                          : options.sub == NULL          ? "--sub NAME"
                          : options.issuer == NULL       ? "--issuer URL"
                          : options.audiences.count == 0 ? "--audience NAME"
                                                         : NULL;
    if (missing != NULL)
        return fb_cli_fail(cli, "token: %s is missing; `forbid token --help` has an example", missing);
    /* What is wrong with the claims is said before a key is made. */
    struct fb_buffer claims;
    fb_buffer_init(&claims, &fb_heap, CLAIMS_BYTES_MAX);
    int status =
        write_claims(cli, &options, &claims) ? token_of(cli, &options, fb_buffer_span(&claims)) : FB_EXIT_FAILED;
    fb_buffer_release(&claims);
    return status;
}
