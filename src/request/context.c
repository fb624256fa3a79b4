/* SPDX-License-Identifier: Apache-2.0 */
/* The context of one request, by its action's plan: facts into a record, already in the order in
 * which records are kept.  Strings are referred to where the request has them.  What may be asked
 * for is plan.c's; query names query.c's. */
#include "request/plan.h"
#include "request/query.h"

#define ELEMENTS_MAX 256u

/* What a field of the plan got. */
enum got { FAILED, GOT, LACKS };

struct build {
    const struct fb_http_request *request;
    const struct fb_token_facts *token;
    const struct fb_geo *geo;
    struct fb_arena *arena;
    enum fb_contexted result; /* once FAILED */
    struct fb_span why;
};

static enum got fail(struct build *b, enum fb_contexted result, const char *what, struct fb_span name)
{
    b->result = b->arena->failed ? FB_CONTEXT_CANNOT : result;
    b->why = b->arena->failed ? FB_SPAN("out of memory")
             : name.len == 0  ? fb_span_z(what)
                              : fb_arena_format(b->arena, "%s: %.*s", what, (int)name.len, name.ptr);
    return FAILED;
}

static enum got no_memory(struct build *b)
{
    b->arena->failed = true;
    return fail(b, FB_CONTEXT_CANNOT, NULL, fb_span(NULL, 0));
}

static enum got string(struct fb_span text, struct fb_value *value)
{
    *value = fb_value_string(text);
    return GOT;
}

static bool is_text(struct fb_span text)
{
    return fb_utf8_valid(text) == text.len && fb_span_find(text, '\0') == text.len;
}

/* What a client sent and nobody read before as text: a server passes bytes beyond ASCII in a Host. */
static enum got sent(struct build *b, struct fb_span text, const char *malformed, struct fb_value *value)
{
    return is_text(text) ? string(text, value) : fail(b, FB_CONTEXT_BAD, malformed, fb_span(NULL, 0));
}

static enum got sent_if_any(struct build *b, struct fb_span text, const char *malformed, struct fb_value *value)
{
    return text.len == 0 ? LACKS : sent(b, text, malformed, value);
}

/* --- sets ------------------------------------------------------------------------------------------ */

struct elements {
    struct fb_value list[ELEMENTS_MAX];
    size_t count;
};

static bool add(struct elements *elements, struct fb_span text)
{
    if (elements->count == ELEMENTS_MAX)
        return false;
    elements->list[elements->count++] = fb_value_string(text);
    return true;
}

static enum got set_of(struct build *b, struct elements *elements, struct fb_value *value)
{
    return fb_value_set(b->arena, elements->list, elements->count, value) ? GOT : no_memory(b);
}

static enum got set_of_spans(struct build *b, const struct fb_span *list, size_t count, struct fb_value *value)
{
    struct elements elements;
    elements.count = 0;
    for (size_t i = 0; i < count; i++)
        if (!add(&elements, list[i]))
            return fail(b, FB_CONTEXT_BAD, "the token has too many values in one claim", fb_span(NULL, 0));
    return set_of(b, &elements, value);
}

/* --- records --------------------------------------------------------------------------------------- */

/* The columns of value.h; `fields` are in order already, so this is a copy. */
static enum got write_record(struct build *b, const struct fb_plan_field *const *fields, const struct fb_value *values,
                             size_t count, struct fb_value *value)
{
    size_t row = sizeof(uint64_t) + 2 * sizeof(struct fb_cell);
    struct fb_record *record = fb_arena_alloc(b->arena, sizeof *record + count * row);
    if (record == NULL)
        return no_memory(b);
    record->count = count;
    struct fb_cell *cells = (struct fb_cell *)(void *)(record->symbols + count);
    for (size_t i = 0; i < count; i++) {
        record->symbols[i] = fields[i]->symbol;
        /* Every caller fills in `count` of its values, which the analyzer loses sight of; clearing the rest would cost
         * each request. */
        fb_cell_store(&cells[i], values[i]); /* NOLINT(clang-analyzer-core.CallAndMessage) */
        fb_cell_store(&cells[count + i], fb_value_string(fields[i]->name));
    }
    *value = (struct fb_value){.kind = FB_RECORD, .count = (uint32_t)count, .record = record};
    return GOT;
}

/* --- parameters and fields --------------------------------------------------------------------------- */

/* The values found for each name, in their order. */
struct item {
    struct item *next;
    struct fb_span value;
};
struct found {
    struct item *first[FB_PLAN_FIELDS_MAX], *last[FB_PLAN_FIELDS_MAX];
};

static bool found_add(struct build *b, struct found *found, size_t index, struct fb_span value)
{
    struct item *item = fb_arena_alloc(b->arena, sizeof *item);
    if (item == NULL)
        return false;
    item->value = value;
    if (found->last[index] != NULL)
        found->last[index]->next = item;
    else
        found->first[index] = item;
    found->last[index] = item;
    return true;
}

static enum got find_parameters(struct build *b, const struct fb_context_plan *plan, struct found *found)
{
    struct fb_query_reader reader;
    size_t index = 0;
    struct fb_span raw, value;
    fb_query_start(&reader, b->request->query, plan->names, plan->count);
    for (;;) {
        switch (fb_query_next(&reader, &index, &raw)) {
        case FB_QUERY_END: return GOT;
        case FB_QUERY_AMBIGUOUS:
            return fail(b, FB_CONTEXT_BAD, "a query parameter can be read in more than one way", fb_span(NULL, 0));
        case FB_QUERY_FOUND:
            if (!fb_query_decode(raw, b->arena, &value))
                return fail(b, FB_CONTEXT_BAD, "malformed query parameter", plan->names[index]);
            if (!found_add(b, found, index, value))
                return no_memory(b);
            break;
        }
    }
}

static bool is_field(struct fb_span sent, struct fb_span name)
{
    if (sent.len != name.len)
        return false;
    for (size_t i = 0; i < sent.len; i++) {
        char c = sent.ptr[i];
        if ((c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c) != name.ptr[i])
            return false;
    }
    return true;
}

static enum got find_fields(struct build *b, const struct fb_context_plan *plan, struct found *found)
{
    const struct fb_http_fields *fields = &b->request->fields;
    struct fb_http_cursor cursor = {0};
    struct fb_http_field field;
    while (fields->next != NULL && fields->next(fields->self, &cursor, &field)) {
        for (size_t i = 0; i < plan->count; i++) {
            if (!is_field(field.name, plan->names[i]))
                continue;
            if (!is_text(field.value))
                return fail(b, FB_CONTEXT_BAD, "malformed header field", plan->names[i]);
            if (!found_add(b, found, i, field.value))
                return no_memory(b);
        }
    }
    return GOT;
}

/* RFC 9110 section 5.3: several lines are one list with commas. */
static bool add_list(struct elements *elements, struct fb_span value)
{
    for (;;) {
        size_t end = fb_span_find(value, ',');
        struct fb_span element = fb_span_trim(fb_span_head(value, end));
        if (element.len != 0 && !add(elements, element))
            return false;
        if (end == value.len)
            return true;
        value = fb_span_from(value, end + 1);
    }
}

static enum got set_of_items(struct build *b, const struct fb_plan_field *field, const struct item *item,
                             struct fb_value *value)
{
    struct elements elements;
    elements.count = 0;
    if (item == NULL && !field->required)
        return LACKS;
    for (; item != NULL; item = item->next)
        if (!(field->fact == FB_FACT_FIELD ? add_list(&elements, item->value) : add(&elements, item->value)))
            return fail(b, FB_CONTEXT_BAD, "too many values", field->name);
    return set_of(b, &elements, value);
}

static enum got value_of_items(struct build *b, const struct fb_plan_field *field, const struct item *item,
                               struct fb_value *value)
{
    bool parameter = field->fact == FB_FACT_PARAMETER;
    if (field->type == FB_T_SET)
        return set_of_items(b, field, item, value);
    if (item == NULL)
        return !field->required ? LACKS
                                : fail(b, FB_CONTEXT_BAD,
                                       parameter ? "missing query parameter" : "missing header field", field->name);
    if (item->next != NULL)
        return fail(b, FB_CONTEXT_BAD, parameter ? "repeated query parameter" : "repeated header field", field->name);
    return string(item->value, value);
}

static enum got build_found(struct build *b, const struct fb_context_plan *plan, bool query, struct fb_value *value)
{
    struct found found = {0};
    const struct fb_plan_field *fields[FB_PLAN_FIELDS_MAX];
    struct fb_value values[FB_PLAN_FIELDS_MAX];
    size_t count = 0;
    if ((query ? find_parameters(b, plan, &found) : find_fields(b, plan, &found)) == FAILED)
        return FAILED;
    for (size_t i = 0; i < plan->count; i++) {
        enum got got = value_of_items(b, &plan->fields[i], found.first[i], &values[count]);
        if (got == FAILED)
            return FAILED;
        if (got == GOT)
            fields[count++] = &plan->fields[i];
    }
    return write_record(b, fields, values, count, value);
}

/* --- facts -------------------------------------------------------------------------------------------- */

static enum got build_record(struct build *b, const struct fb_context_plan *plan, struct fb_value *value);

static enum got ip(struct build *b, const struct fb_plan_field *field, struct fb_value *value)
{
    if (b->request->peer.family == 0)
        return !field->required ? LACKS : fail(b, FB_CONTEXT_CANNOT, "the client has no address", fb_span(NULL, 0));
    *value = (struct fb_value){.kind = FB_IP, .ip = &b->request->peer};
    return GOT;
}

/* That the database is broken must not look like a client from nowhere. */
static enum got located(struct build *b, enum fb_found found)
{
    if (found == FB_BROKEN)
        return fail(b, FB_CONTEXT_CANNOT, "the location database cannot be read", fb_span(NULL, 0));
    return found == FB_FOUND ? GOT : LACKS;
}

static enum got country(struct build *b, struct fb_value *value)
{
    if (b->request->country.len != 0)
        return string(b->request->country, value);
    struct fb_span code = {0};
    enum got got = b->geo == NULL ? LACKS : located(b, fb_geo_country(b->geo, &b->request->peer, &code));
    return got == GOT ? string(code, value) : got;
}

static enum got asn(struct build *b, struct fb_value *value)
{
    int64_t number = 0;
    enum got got = b->geo == NULL ? LACKS : located(b, fb_geo_asn(b->geo, &b->request->peer, &number));
    *value = fb_value_number(FB_LONG, number);
    return got;
}

static bool is_kind(struct fb_value value, enum fb_type_kind type)
{
    static const uint8_t kinds[] = {
        [FB_T_BOOL] = FB_BOOL, [FB_T_LONG] = FB_LONG, [FB_T_STRING] = FB_STRING, [FB_T_SET] = FB_SET};
    if (value.kind != kinds[type])
        return false;
    for (uint32_t i = 0; type == FB_T_SET && i < value.count; i++)
        if (value.cells[i].kind != FB_STRING)
            return false;
    return true;
}

/* A claim of another kind than declared is as good as none; one string stands for a set of it, as
 * it does for `aud` (RFC 7519 section 4.1.3). */
static enum got claim(struct build *b, const struct fb_plan_field *field, struct fb_value *value)
{
    const struct fb_token_facts *token = b->token;
    if (token->claim == NULL || !token->claim(token->self, field->name, b->arena, value))
        return b->arena->failed ? no_memory(b) : LACKS;
    if (field->type == FB_T_SET && value->kind == FB_STRING) {
        struct fb_span one = fb_value_text(*value);
        return set_of_spans(b, &one, 1, value);
    }
    return is_kind(*value, field->type) ? GOT : LACKS;
}

static enum got token_fact(struct build *b, const struct fb_plan_field *field, struct fb_value *value)
{
    const struct fb_token_facts *token = b->token;
    switch ((int)field->fact) {
    case FB_FACT_ISSUER: return string(token->issuer, value);
    case FB_FACT_AUDIENCE: return set_of_spans(b, token->audiences, token->audiences_count, value);
    case FB_FACT_SCOPE: return set_of_spans(b, token->scopes, token->scopes_count, value);
    case FB_FACT_ACR: return token->has_acr ? string(token->acr, value) : LACKS;
    case FB_FACT_AMR: return token->has_amr ? set_of_spans(b, token->amr, token->amr_count, value) : LACKS;
    case FB_FACT_AUTH_TIME:
        if (!token->has_auth_time || token->auth_time > INT64_MAX / 1000 || token->auth_time < INT64_MIN / 1000)
            return LACKS;
        *value = fb_value_number(FB_DATETIME, token->auth_time * 1000);
        return GOT;
    default: return claim(b, field, value);
    }
}

static enum got fact(struct build *b, const struct fb_plan_field *field, struct fb_value *value)
{
    const struct fb_http_request *r = b->request;
    switch ((int)field->fact) {
    case FB_FACT_METHOD: return string(r->method, value);
    case FB_FACT_HOST: return sent(b, r->host, "malformed host", value);
    case FB_FACT_PATH: return string(r->path, value);
    case FB_FACT_IP: return ip(b, field, value);
    case FB_FACT_COUNTRY: return country(b, value);
    case FB_FACT_ASN: return asn(b, value);
    case FB_FACT_TIME: *value = fb_value_number(FB_DATETIME, r->now_ms); return GOT;
    case FB_FACT_QUERY: return build_found(b, field->record, true, value);
    case FB_FACT_HEADERS: return build_found(b, field->record, false, value);
    case FB_FACT_TLS: return r->tls ? build_record(b, field->record, value) : LACKS;
    case FB_FACT_TOKEN: return b->token != NULL ? build_record(b, field->record, value) : LACKS;
    case FB_FACT_TLS_VERSION: return string(r->tls_version, value);
    case FB_FACT_TLS_CIPHER: return string(r->tls_cipher, value);
    case FB_FACT_TLS_SERVER_NAME: return sent_if_any(b, r->tls_server_name, "malformed server name", value);
    case FB_FACT_TLS_CLIENT_SUBJECT: return sent_if_any(b, r->tls_client_subject, "malformed client subject", value);
    default: return token_fact(b, field, value);
    }
}

static enum got build_record(struct build *b, const struct fb_context_plan *plan, struct fb_value *value)
{
    const struct fb_plan_field *fields[FB_PLAN_FIELDS_MAX];
    struct fb_value values[FB_PLAN_FIELDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        enum got got = fact(b, &plan->fields[i], &values[count]);
        if (got == FAILED)
            return FAILED;
        if (got == GOT)
            fields[count++] = &plan->fields[i];
    }
    return write_record(b, fields, values, count, value);
}

enum fb_contexted fb_context_build(const struct fb_action *action, const struct fb_http_request *request,
                                   const struct fb_token_facts *token, const struct fb_geo *geo, struct fb_arena *arena,
                                   struct fb_value *context, struct fb_span *why)
{
    struct build b = {.request = request, .token = token, .geo = geo, .arena = arena};
    if (build_record(&b, action->plan, context) != FAILED)
        return FB_CONTEXT_OK;
    *why = b.why;
    return b.result;
}

/* --- fields over an array ---------------------------------------------------------------------------- */

static bool next_of_list(const void *self, struct fb_http_cursor *cursor, struct fb_http_field *field)
{
    const struct fb_http_field_list *list = self;
    if (cursor->index >= list->count)
        return false;
    *field = list->list[cursor->index++];
    return true;
}

struct fb_http_fields fb_http_fields_of(const struct fb_http_field_list *list)
{
    return (struct fb_http_fields){.next = next_of_list, .self = list};
}
