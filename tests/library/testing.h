/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_TESTS_LIBRARY_TESTING_H
#define FORBID_TESTS_LIBRARY_TESTING_H

/* What the tests of the C interface share.  They know nothing but the installed headers. */

#include <forbid/forbid.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>     /* asks for those above */

#define TEXT(z) forbid_text_of(z)

static inline int text_is(struct forbid_text text, const char *z)
{
    return text.len == strlen(z) && memcmp(text.ptr, z, text.len) == 0;
}

static inline int string_is(const forbid_string *string, const char *z)
{
    struct forbid_text text = forbid_string_text(string);
    return text_is(text, z) && text.ptr[text.len] == '\0';
}

/* Is there an error with that code?  NULL: none at all. */
static inline int has_error(const forbid_errors *errors, const char *code)
{
    size_t count = forbid_errors_count(errors);
    if (code == NULL)
        return count == 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(forbid_errors_at(errors, i).code, code) == 0)
            return 1;
    print_message("no error %s among:\n%s\n", code, forbid_errors_text(errors));
    return 0;
}

static const char sample_schema[] =
    "entity Group;\n"
    "entity User in [Group] { age: Long, home?: ipaddr };\n"
    "entity Photo { owner: User } tags String;\n"
    "action see, edit appliesTo { principal: User, resource: Photo, context: { hour: Long, from?: ipaddr } };\n";
static const char sample_policies[] =
    "@id(\"friends\")\n@why(\"they asked\") @plain\n"
    "permit (principal in Group::\"friends\", action == Action::\"see\", resource);\n"
    "@id(\"share\")\npermit (principal == ?principal, action, resource == ?resource);\n"
    "@id(\"night\")\nforbid (principal, action, resource) when { context.hour >= 22 } unless { resource.owner == "
    "principal };\n";
static const char sample_entities[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":30,\"home\":\"10.0.0.1\"},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"friends\"}]},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"friends\"},\"attrs\":{},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Photo\",\"id\":\"p\"},\"attrs\":{\"owner\":{\"type\":\"User\",\"id\":\"a\"}},"
    "\"parents\":[],\"tags\":{\"t\":\"v\"}}]";

#endif
