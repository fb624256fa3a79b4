/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface with memory that runs out.  The first byte of an input says after how many allocations (255:
 * never), the second which call the rest is the text of.  Whatever the text and whenever it happens: a status
 * that fits what was made, errors that can be read to their ends, and nothing left behind. */
#include "fuzz.h"

#include <forbid/forbid.h>

#include <stdlib.h>

struct scarce {
    long left, out;
};

static void *scarce_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct scarce *scarce = context;
    (void)old_size;
    if (new_size == 0) {
        scarce->out -= block != NULL;
        free(block);
        return NULL;
    }
    if (scarce->left-- <= 0)
        return NULL;
    scarce->out += block == NULL;
    return realloc(block, new_size);
}

static const char schema_text[] = "entity G; entity U in [G] { n: Long, s?: String }; entity R { owner: U } tags String;\n"
                                  "action x, y appliesTo { principal: U, resource: R, context: { n: Long } };";

/* Every error has a code, a message and a place within its text. */
static void read_errors(forbid_errors *errors, enum forbid_status status)
{
    fuzz_must(status != FORBID_INVALID || forbid_errors_count(errors) != 0, "what is not valid has an error");
    for (size_t i = 0; i < forbid_errors_count(errors); i++) {
        struct forbid_error error = forbid_errors_at(errors, i);
        fuzz_must(error.code != NULL && error.message.len != 0, "an error says what is wrong");
        fuzz_must(error.place.start <= error.place.end, "a range does not end before it begins");
        fuzz_must(error.place.source.len == 0 || error.place.line != 0, "a place has a line");
    }
    fuzz_must(forbid_errors_text(errors) != NULL, "there is a text");
    forbid_errors_free(errors);
}

static void use_policies(const struct forbid_allocator *memory, forbid_policies *policies, forbid_schema *schema)
{
    forbid_string *string;
    forbid_errors *errors;
    for (size_t i = 0; i < forbid_policies_count(policies); i++)
        fuzz_must(forbid_policies_find(policies, forbid_policies_at(policies, i).id) == i, "an id leads to its policy");
    (void)forbid_policies_to_json(memory, policies, &string);
    forbid_string_free(string);
    enum forbid_status status = forbid_policies_to_text(memory, policies, &string, &errors);
    read_errors(errors, status);
    forbid_string_free(string);
    status = forbid_validate(memory, policies, schema, NULL, &errors);
    read_errors(errors, status);
}

static enum forbid_status read_string(enum forbid_status status, forbid_string *string)
{
    fuzz_must((status == FORBID_OK) == (string != NULL), "what succeeded made something");
    forbid_string_free(string);
    return status;
}

static enum forbid_status call(const struct forbid_allocator *memory, unsigned which, struct forbid_text text,
                               forbid_schema *schema, forbid_errors **errors)
{
    const struct forbid_text name = forbid_text_of("fuzz");
    const struct forbid_request request = {.size = sizeof request, .context = text, .principal = forbid_text_of("U::\"a\""),
                                           .action = forbid_text_of("Action::\"x\""), .resource = forbid_text_of("R::\"r\""),
                                           .schema = schema};
    forbid_policies *policies = NULL;
    forbid_schema *made = NULL;
    forbid_entities *entities = NULL;
    forbid_string *string = NULL;
    enum forbid_status status;
    switch (which % 8) {
    case 0: status = forbid_policies_parse(memory, name, text, 1, &policies, errors); break;
    case 1: status = forbid_policies_parse_json(memory, name, text, &policies, errors); break;
    case 2: status = forbid_schema_parse(memory, name, text, &made, errors); break;
    case 3: status = forbid_schema_parse_json(memory, name, text, &made, errors); break;
    case 4: status = forbid_entities_parse(memory, schema, name, text, &entities, errors); break;
    case 5: status = forbid_format(memory, name, text, NULL, &string, errors); break;
    case 6: status = forbid_evaluate(memory, name, text, NULL, &string, errors); break;
    default: status = forbid_evaluate(memory, name, forbid_text_of("context"), &request, &string, errors); break;
    }
    if (which % 8 > 4)
        return read_string(status, string);
    fuzz_must((status == FORBID_OK) == (policies != NULL || made != NULL || entities != NULL), "what succeeded made something");
    if (policies != NULL)
        use_policies(memory, policies, schema);
    forbid_policies_free(policies);
    forbid_schema_free(made);
    forbid_entities_free(entities);
    return status;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    (void)arena;
    if (input.len < 2)
        return;
    forbid_schema *schema;
    forbid_errors *errors = NULL;
    fuzz_must(forbid_schema_parse(NULL, forbid_text_of("s"), forbid_text_of(schema_text), &schema, NULL) == FORBID_OK,
              "the schema is good");
    unsigned char left = (unsigned char)input.ptr[0];
    struct scarce scarce = {.left = left == 255 ? INT32_MAX : left};
    const struct forbid_allocator memory = {scarce_resize, &scarce};
    enum forbid_status status = call(&memory, (unsigned char)input.ptr[1],
                                     (struct forbid_text){input.len - 2, input.ptr + 2}, schema, &errors);
    fuzz_must(left != 255 || status != FORBID_NO_MEMORY, "memory is not short where there is enough");
    read_errors(errors, status);
    fuzz_must(scarce.out == 0, "all memory is given back");
    forbid_schema_free(schema);
}
