/* SPDX-License-Identifier: Apache-2.0 */
/* A context's form where requests are not validated.  The official command reads a context by the type that
 * its action declares, which settles what is a record with which fields, a set, an entity or an extension
 * value; the types of entities and extensions, and all that is simple, are validation's (cedar/conform.h). */
#include "cli/inputs.h"

struct form {
    const struct fb_schema *schema;
    const struct fb_source *source;
    struct fb_diags *diags;
};

static bool fault(const struct form *form, const char *what, struct fb_span name)
{
    struct fb_span file = form->source != NULL ? form->source->name : FB_SPAN("");
    fb_diag_add(form->diags, FB_ERROR, "request.invalid", NULL, (struct fb_range){0, 0}, "%.*s%scontext: `%.*s` %s",
                (int)file.len, file.ptr, file.len != 0 ? ": " : "", (int)name.len, name.ptr, what);
    return false;
}

static bool fits(const struct form *form, const struct fb_type *type, struct fb_value value, struct fb_span name);

static bool record_fits(const struct form *form, const struct fb_type *type, const struct fb_record *record)
{
    const struct fb_cell *names = fb_record_names(record), *values = fb_record_values(record);
    for (uint64_t i = 0; i < record->count; i++) {
        struct fb_span name = fb_value_text(fb_cell_load(&names[i]));
        const struct fb_attribute *attribute = fb_type_attribute(type, name);
        if (attribute == NULL)
            return fault(form, "is not declared in the schema", name);
        if (!fits(form, attribute->type, fb_cell_load(&values[i]), name))
            return false;
    }
    for (uint32_t i = 0; i < type->attributes_count; i++) {
        const struct fb_attribute *attribute = &type->attributes[i];
        if (attribute->required && fb_record_find(record, fb_hash(attribute->name), attribute->name) == NULL)
            return fault(form, "is required and missing", attribute->name);
    }
    return true;
}

static bool set_fits(const struct form *form, const struct fb_type *type, struct fb_value set, struct fb_span name)
{
    for (uint32_t i = 0; i < set.count; i++)
        if (!fits(form, type->element, fb_cell_load(&set.cells[i]), name))
            return false;
    return true;
}

/* `name` is that of the field that the value is in. */
static bool fits(const struct form *form, const struct fb_type *type, struct fb_value value, struct fb_span name)
{
    enum fb_kind kind = (enum fb_kind)value.kind;
    switch (type->kind) {
    case FB_T_BOOL:
    case FB_T_LONG:
    case FB_T_STRING: return true;
    case FB_T_RECORD:
        return kind == FB_RECORD ? record_fits(form, type, value.record) : fault(form, "is no record", name);
    case FB_T_SET: return kind == FB_SET ? set_fits(form, type, value, name) : fault(form, "is no set", name);
    case FB_T_ENTITY: return kind == FB_ENTITY || fault(form, "is no entity", name);
    case FB_T_DECIMAL:
    case FB_T_DATETIME:
    case FB_T_DURATION:
    case FB_T_IP:
        return kind == FB_DECIMAL || kind == FB_DATETIME || kind == FB_DURATION || kind == FB_IP
               || fault(form, "is no extension value", name);
    }
    return false;
}

bool fb_context_conforms(const struct fb_schema *schema, const struct fb_request *request,
                         const struct fb_source *source, struct fb_diags *diags)
{
    const struct form form = {schema, source, diags};
    const struct fb_schema_action *action = fb_schema_action(schema, request->action);
    if (action != NULL)
        return fits(&form, action->context, request->context, FB_SPAN("context"));
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 64u << 10);
    fb_uid_print(&text, request->action);
    fault(&form, "is no action of the schema", fb_buffer_span(&text));
    fb_buffer_release(&text);
    return false;
}
