/* SPDX-License-Identifier: Apache-2.0 */

/* A schema from JSON → Cedar syntax: declarations on lines of their own, records an attribute a line,
 * names as they were written.  Of what JSON can say, text cannot say that a shape is a common type. */

#include "cedar/schema_json.h"

struct printer {
    struct fb_buffer *out;
    struct fb_resolver *names;
    const struct fb_tree_namespace *space;
    unsigned indent;
    bool fine;
};

static void print_type(struct printer *p, const struct fb_tree_type *type);

static void print_line(struct printer *p)
{
    fb_buffer_add_char(p->out, '\n');
    for (unsigned i = 0; i < p->indent; i++)
        fb_buffer_add_z(p->out, "  ");
}

static void print_annotations(struct printer *p, const struct fb_annotation *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fb_buffer_add_char(p->out, '@');
        fb_buffer_add(p->out, list[i].key);
        if (list[i].has_value) {
            fb_buffer_add_char(p->out, '(');
            fb_buffer_add_cedar(p->out, list[i].value);
            fb_buffer_add_char(p->out, ')');
        }
        print_line(p);
    }
}

static void print_record(struct printer *p, const struct fb_tree_type *record)
{
    if (record->count == 0) {
        fb_buffer_add_z(p->out, "{}");
        return;
    }
    fb_buffer_add_char(p->out, '{');
    p->indent++;
    for (size_t i = 0; i < record->count; i++) {
        const struct fb_tree_attribute *attribute = &record->attributes[i];
        print_line(p);
        print_annotations(p, attribute->annotations, attribute->annotations_count);
        if (fb_identifier_valid(attribute->name.text))
            fb_buffer_add(p->out, attribute->name.text);
        else
            fb_buffer_add_cedar(p->out, attribute->name.text);
        fb_buffer_add_z(p->out, attribute->required ? ": " : "?: ");
        print_type(p, attribute->type);
        fb_buffer_add_z(p->out, i + 1 < record->count ? "," : "");
    }
    p->indent--;
    print_line(p);
    fb_buffer_add_char(p->out, '}');
}

static void print_type(struct printer *p, const struct fb_tree_type *type)
{
    switch (type->kind) {
    case FB_TREE_PATH: fb_buffer_add(p->out, type->path); break;
    case FB_TREE_RECORD: print_record(p, type); break;
    case FB_TREE_SET:
        fb_buffer_add_z(p->out, "Set<");
        print_type(p, type->element);
        fb_buffer_add_char(p->out, '>');
        break;
    }
}

static void print_names(struct printer *p, const char *before, const struct fb_tree_names *names)
{
    fb_buffer_add_z(p->out, before);
    for (size_t i = 0; i < names->count; i++) {
        fb_buffer_add_z(p->out, i > 0 ? ", " : "");
        fb_buffer_add(p->out, names->list[i].text);
    }
    fb_buffer_add_char(p->out, ']');
}

static void print_entity(struct printer *p, const struct fb_tree_entity *entity)
{
    print_annotations(p, entity->annotations, entity->annotations_count);
    fb_buffer_add_z(p->out, "entity ");
    fb_buffer_add(p->out, entity->names.list[0].text);
    if (entity->is_enum) {
        fb_buffer_add_z(p->out, " enum [");
        for (size_t i = 0; i < entity->ids.count; i++) {
            fb_buffer_add_z(p->out, i > 0 ? ", " : "");
            fb_buffer_add_cedar(p->out, entity->ids.list[i].text);
        }
        fb_buffer_add_char(p->out, ']');
    }
    if (entity->parents.count != 0)
        print_names(p, " in [", &entity->parents);
    if (entity->shape != NULL && entity->shape->kind != FB_TREE_RECORD) {
        fb_resolve_fault(p->names, FB_ERROR, entity->shape->range, "schema.shape",
                         "the Cedar syntax has no way to give a shape by the name of a common type")
            ->hint = FB_SPAN("write the attributes out");
        p->fine = false;
    } else if (entity->shape != NULL && entity->shape->count != 0) {
        fb_buffer_add_z(p->out, " = ");
        print_record(p, entity->shape);
    }
    if (entity->tags != NULL) {
        fb_buffer_add_z(p->out, " tags ");
        print_type(p, entity->tags);
    }
    fb_buffer_add_char(p->out, ';');
}

/* The whole name of an action that is declared here; of any other what was written. */
static void print_action_ref(struct printer *p, const struct fb_tree_action_ref *ref)
{
    const struct fb_uid *uid;
    if (fb_resolve_action_ref(p->names, p->space, ref, &uid) != NULL) {
        fb_uid_print(p->out, uid);
        return;
    }
    fb_buffer_add(p->out, ref->type.len != 0 ? ref->type : FB_SPAN("Action"));
    fb_buffer_add_z(p->out, "::");
    fb_buffer_add_cedar(p->out, ref->id);
}

static void print_parents(struct printer *p, const struct fb_tree_action *action)
{
    fb_buffer_add_z(p->out, " in [");
    for (size_t i = 0; i < action->parents_count; i++) {
        fb_buffer_add_z(p->out, i > 0 ? ", " : "");
        print_action_ref(p, &action->parents[i]);
    }
    fb_buffer_add_char(p->out, ']');
}

static void print_applies(struct printer *p, const struct fb_tree_action *action)
{
    fb_buffer_add_z(p->out, " appliesTo {");
    p->indent++;
    print_line(p);
    print_names(p, "principal: [", &action->principals);
    fb_buffer_add_char(p->out, ',');
    print_line(p);
    print_names(p, "resource: [", &action->resources);
    if (action->context != NULL && (action->context->kind != FB_TREE_RECORD || action->context->count != 0)) {
        fb_buffer_add_char(p->out, ',');
        print_line(p);
        fb_buffer_add_z(p->out, "context: ");
        print_type(p, action->context);
    }
    p->indent--;
    print_line(p);
    fb_buffer_add_char(p->out, '}');
}

static void print_action(struct printer *p, const struct fb_tree_action *action)
{
    print_annotations(p, action->annotations, action->annotations_count);
    fb_buffer_add_z(p->out, "action ");
    fb_buffer_add_cedar(p->out, action->names.list[0].text);
    if (action->parents_count != 0)
        print_parents(p, action);
    /* With one of the two lists empty the action applies to nothing, which the syntax says so. */
    if (action->principals.count != 0 && action->resources.count != 0)
        print_applies(p, action);
    fb_buffer_add_char(p->out, ';');
}

static void print_declarations(struct printer *p)
{
    const char *gap = "";
    for (const struct fb_tree_common *common = p->space->commons; common != NULL; common = common->next, gap = "\n") {
        fb_buffer_add_z(p->out, gap);
        print_line(p);
        print_annotations(p, common->annotations, common->annotations_count);
        fb_buffer_add_z(p->out, "type ");
        fb_buffer_add(p->out, common->name.text);
        fb_buffer_add_z(p->out, " = ");
        print_type(p, common->type);
        fb_buffer_add_char(p->out, ';');
    }
    for (const struct fb_tree_entity *entity = p->space->entities; entity != NULL; entity = entity->next, gap = "\n") {
        fb_buffer_add_z(p->out, gap);
        print_line(p);
        print_entity(p, entity);
    }
    for (const struct fb_tree_action *action = p->space->actions; action != NULL; action = action->next, gap = "\n") {
        fb_buffer_add_z(p->out, gap);
        print_line(p);
        print_action(p, action);
    }
}

void fb_tree_print(struct fb_buffer *out, const struct fb_tree_namespace *spaces, struct fb_resolver *names)
{
    struct printer p = {.out = out, .names = names, .fine = true};
    size_t start = out->len;
    for (p.space = spaces; p.space != NULL; p.space = p.space->next) {
        bool named = p.space->name.text.len != 0;
        if (out->len > start)
            fb_buffer_add_char(out, '\n');
        if (!named) {
            print_declarations(&p);
            if (out->len > start)
                fb_buffer_add_char(out, '\n');
            continue;
        }
        print_annotations(&p, p.space->annotations, p.space->annotations_count);
        fb_buffer_add_z(out, "namespace ");
        fb_buffer_add(out, p.space->name.text);
        fb_buffer_add_z(out, " {");
        p.indent++;
        print_declarations(&p);
        p.indent--;
        fb_buffer_add_z(out, "\n}\n");
    }
    /* Every declaration begins with a line end, the first one too. */
    if (out->len > start && !out->failed && out->ptr[start] == '\n') {
        memmove(out->ptr + start, out->ptr + start + 1, out->len - start);
        out->len--;
    }
}
