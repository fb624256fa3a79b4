/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions in a program of your own: a photo album asks libforbid who may see what.
 *
 *   cc embed.c $(pkg-config --cflags --libs forbid) -o embed && ./embed
 *
 * C11, C17 or C++17.  The policies stand in this file so that it can be tried alone; a real program reads them
 * from files, and the entities from its database.  docs/c.md explains each step. */
#include <forbid/explain.h>
#include <forbid/forbid.h>

#include <stdio.h>
#include <stdlib.h>

/* What there can be. */
static const char schema_text[] =
    "entity Group;\n"
    "entity User in [Group];\n"
    "entity Photo { owner: User, private: Bool, rating?: Long };\n"
    "action view, edit appliesTo { principal: User, resource: Photo, context: { from: ipaddr } };\n";

/* Who may do what. */
static const char policies_text[] =
    "@id(\"owner\")\n"
    "permit (principal, action, resource)\n"
    "when { resource.owner == principal };\n"
    "\n"
    "@id(\"friends\")\n"
    "permit (principal in Group::\"friends\", action == Action::\"view\", resource)\n"
    "unless { resource.private };\n"
    "\n"
    "@id(\"office-only\")\n"
    "@why(\"photos are edited from the office\")\n"
    "forbid (principal, action == Action::\"edit\", resource)\n"
    "unless { context.from.isInRange(ip(\"10.0.0.0/8\")) };\n"
    "\n"
    "@id(\"shared-with\")\n"
    "permit (principal == ?principal, action == Action::\"view\", resource == ?resource);\n";

/* Who and what there is. */
static const char entities_text[] =
    "[{\"uid\": {\"type\": \"User\", \"id\": \"alice\"}, \"attrs\": {}, \"parents\": []},\n"
    " {\"uid\": {\"type\": \"User\", \"id\": \"bob\"}, \"attrs\": {},\n"
    "  \"parents\": [{\"type\": \"Group\", \"id\": \"friends\"}]},\n"
    " {\"uid\": {\"type\": \"Photo\", \"id\": \"beach\"}, \"parents\": [],\n"
    "  \"attrs\": {\"owner\": {\"type\": \"User\", \"id\": \"alice\"}, \"private\": false}},\n"
    " {\"uid\": {\"type\": \"Photo\", \"id\": \"diary\"}, \"parents\": [],\n"
    "  \"attrs\": {\"owner\": {\"type\": \"User\", \"id\": \"alice\"}, \"private\": true}}]\n";

/* All that the album needs to decide. */
struct album {
    forbid_schema *schema;
    forbid_policies *policies;
    forbid_entities *entities;
    forbid_links *links;
    forbid_decider *decider;
};

static void print(const char *before, struct forbid_text text)
{
    printf("%s%.*s", before, (int)text.len, text.ptr);
}

/* Prints what the library has to say, if anything; true if the call succeeded. */
static int succeeded(enum forbid_status status, forbid_errors **errors)
{
    fputs(forbid_errors_text(*errors), stdout);
    forbid_errors_free(*errors);
    *errors = NULL;
    if (status == FORBID_NO_MEMORY)
        puts("out of memory");
    if (status == FORBID_MISUSE)
        puts("the library was called wrongly");
    return status == FORBID_OK;
}

/* Reads everything, and stops at the first text that is at fault.  `succeeded` is given the address of the errors
 * since C may read its second argument before it makes the call in the first. */
static int open_album(struct album *album)
{
    struct forbid_text schema = forbid_text_of(schema_text), policies = forbid_text_of(policies_text),
                       entities = forbid_text_of(entities_text);
    forbid_errors *errors = NULL;
    if (!succeeded(forbid_schema_parse(NULL, forbid_text_of("album.cedarschema"), schema, &album->schema, &errors),
                   &errors))
        return 0;
    /* Known by their `@id`: reasons are told in these names. */
    if (!succeeded(forbid_policies_parse(NULL, forbid_text_of("album.cedar"), policies, 1, &album->policies, &errors),
                   &errors))
        return 0;
    if (!succeeded(forbid_validate(NULL, album->policies, album->schema, NULL, &errors), &errors))
        return 0;
    if (!succeeded(forbid_entities_parse(NULL, album->schema, forbid_text_of("album.json"), entities, &album->entities,
                                         &errors),
                   &errors))
        return 0;
    album->links = forbid_links_new(NULL, album->policies);
    album->decider = forbid_decider_new(NULL, album->policies, 0);
    return album->links != NULL && album->decider != NULL;
}

/* In the reverse order: what is used outlives what uses it. */
static void close_album(struct album *album)
{
    forbid_decider_free(album->decider);
    forbid_links_free(album->links);
    forbid_entities_free(album->entities);
    forbid_policies_free(album->policies);
    forbid_schema_free(album->schema);
}

static struct forbid_request request_of(const struct album *album, const char *principal, const char *action,
                                        const char *resource, const char *context)
{
    struct forbid_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.principal = forbid_text_of(principal);
    request.action = forbid_text_of(action);
    request.resource = forbid_text_of(resource);
    request.context = forbid_text_of(context);
    request.entities = album->entities;
    request.schema = album->schema;
    request.links = album->links;
    return request;
}

/* May they?  Prints the answer and what it rests on. */
static int ask(const struct album *album, const char *principal, const char *action, const char *resource,
               const char *context)
{
    struct forbid_request request = request_of(album, principal, action, resource, context);
    struct forbid_decision decision;
    const forbid_errors *errors;
    memset(&decision, 0, sizeof decision);
    decision.size = sizeof decision;
    enum forbid_status status = forbid_authorize(album->decider, &request, &decision, &errors);
    printf("%s, %s, %s: ", principal, action, resource);
    if (status != FORBID_OK) {
        printf("not decided\n%s", forbid_errors_text(errors));
        return 0;
    }
    printf("%s", decision.allow ? "allow" : "deny");
    for (size_t i = 0; i < decision.reasons_count; i++)
        print(i == 0 ? ", by " : " and ", decision.reasons[i]);
    printf("\n");
    for (size_t i = 0; i < decision.errors_count; i++) {
        print("  policy ", decision.errors[i].policy);
        print(" was skipped: ", decision.errors[i].message);
        printf("\n");
    }
    return decision.allow;
}

/* Why not?  For who looks after the policies: clause by clause, with what each of them saw. */
static void explain(const struct album *album, const char *principal, const char *action, const char *resource,
                    const char *context)
{
    struct forbid_request request = request_of(album, principal, action, resource, context);
    forbid_explanation *why;
    if (forbid_explain(NULL, album->policies, &request, 1, &why, NULL) == FORBID_OK)
        print("", forbid_explanation_text(why));
    forbid_explanation_free(why);
}

/* A link gives the slots of a template their values: here, one photo is shown to one person. */
static int share(struct album *album, const char *id, const char *with, const char *photo)
{
    struct forbid_link link;
    forbid_errors *errors = NULL;
    link.template_id = forbid_text_of("shared-with");
    link.id = forbid_text_of(id);
    link.principal = forbid_text_of(with);
    link.resource = forbid_text_of(photo);
    return succeeded(forbid_links_add(album->links, &link, 1, &errors), &errors);
}

static void show_policies(const struct album *album)
{
    forbid_string *json;
    for (size_t i = 0; i < forbid_policies_count(album->policies); i++) {
        struct forbid_policy policy = forbid_policies_at(album->policies, i);
        print("", policy.place.source);
        printf(":%u: %s", policy.place.line, policy.effect == FORBID_PERMIT ? "permit" : "forbid");
        print(" ", policy.id);
        printf("%s\n", policy.principal_slot || policy.resource_slot ? " (a template)" : "");
    }
    if (forbid_policy_to_json(NULL, album->policies, 1, &json) == FORBID_OK)
        print("", forbid_string_text(json));
    printf("\n");
    forbid_string_free(json);
}

/* What an editor does: the usual layout, and every fault at its place. */
static void edit(const struct album *album, const char *text)
{
    forbid_string *laid;
    forbid_policies *policies;
    forbid_errors *errors = NULL;
    struct forbid_text name = forbid_text_of("draft.cedar");
    if (!succeeded(forbid_format(NULL, name, forbid_text_of(text), NULL, &laid, &errors), &errors))
        return;
    print("", forbid_string_text(laid));
    if (succeeded(forbid_policies_parse(NULL, name, forbid_string_text(laid), 0, &policies, &errors), &errors))
        succeeded(forbid_validate(NULL, policies, album->schema, NULL, &errors), &errors);
    forbid_policies_free(policies);
    forbid_string_free(laid);
}

int main(void)
{
    static const char office[] = "{\"from\": \"10.1.2.3\"}", cafe[] = "{\"from\": \"203.0.113.9\"}";
    struct album album;
    memset(&album, 0, sizeof album);
    int opened = open_album(&album);
    if (opened) {
        printf("--- the policies\n");
        show_policies(&album);
        printf("--- who may\n");
        ask(&album, "User::\"alice\"", "Action::\"edit\"", "Photo::\"beach\"", office);
        ask(&album, "User::\"alice\"", "Action::\"edit\"", "Photo::\"beach\"", cafe);
        ask(&album, "User::\"bob\"", "Action::\"view\"", "Photo::\"beach\"", cafe);
        ask(&album, "User::\"bob\"", "Action::\"view\"", "Photo::\"diary\"", cafe);
        ask(&album, "User::\"carol\"", "Action::\"view\"", "Photo::\"lost\"", cafe);
        ask(&album, "User::\"carol\"", "Action::\"view\"", "User::\"alice\"", cafe);
        printf("--- why not\n");
        explain(&album, "User::\"bob\"", "Action::\"view\"", "Photo::\"diary\"", cafe);
        printf("--- a photo is shared\n");
        share(&album, "share-1", "User::\"bob\"", "Photo::\"diary\"");
        share(&album, "share-1", "User::\"carol\"", "Photo::\"diary\"");
        ask(&album, "User::\"bob\"", "Action::\"view\"", "Photo::\"diary\"", cafe);
        struct forbid_text taken_back = forbid_text_of("share-1");
        forbid_links_remove(album.links, &taken_back, 1, NULL);
        ask(&album, "User::\"bob\"", "Action::\"view\"", "Photo::\"diary\"", cafe);
        printf("--- a policy is written\n");
        edit(&album, "permit(principal,action==Action::\"view\",resource)when{resource.raiting>3};");
    }
    close_album(&album);
    return opened ? EXIT_SUCCESS : EXIT_FAILURE;
}
