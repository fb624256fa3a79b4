/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_PROBE_H
#define FB_CLI_PROBE_H

#include "cli/live.h"
#include "cli/site.h"
#include "cli/yaml.h"

/* `forbid probe`: who gets what of a running API, held against what its policies say and against what other clients get.
 *
 *   cmd_probe.c          options, the run, the exit status
 *   probe_identities.c   who asks: the file of identities, and --as
 *   probe_routes.c       what can be asked: from a policy directory or an OpenAPI document
 *   probe_values.c       which values stand for a route's parameters, and whose they are
 *   probe_plan.c         the cells to ask for, in their order; --plan
 *   probe_run.c          sending them, bounded; Ctrl-C
 *   probe_expect.c       what the policies say of each cell
 *   probe_compare.c      answers ↔ policies          probe_objects.c   answers ↔ answers: objects, functions
 *   probe_oracle.c       answers ↔ answers: what exists               probe_timing.c   the same by the clock
 *   probe_spelling.c     ways around a refusal
 *   probe_findings.c     the list of findings, rules of `forbid lint` with it, the baseline
 *   probe_report.c, probe_text.c, probe_json.c, probe_svg.c   the report
 *
 * All memory is that of one arena. */

#define FB_PROBE_IDENTITIES_MAX 64u
#define FB_PROBE_VALUES_MAX 64u             /* of one parameter, of one owner */

/* --- Who --------------------------------------------------------------------------------------------- */

struct fb_probe_param {
    struct fb_span name;
    struct fb_span *values;
    size_t count;
};
struct fb_probe_params {
    struct fb_probe_param *list;
    size_t count, capacity;
};
/* NULL: no such name. */
const struct fb_probe_param *fb_probe_param_find(const struct fb_probe_params *params, struct fb_span name);

struct fb_probe_identity {
    struct fb_span name;
    const char *fields[8];                  /* "Name: value": credentials, never printed */
    size_t fields_count;
    const struct fb_uid *principal;         /* NULL: not said */
    struct fb_span *scopes;
    size_t scopes_count;
    const struct fb_uid **groups;
    size_t groups_count;
    struct fb_probe_params owns;
    bool privileged;
};

struct fb_probe_body {
    struct fb_span route;                   /* a pattern, "POST /users" */
    struct fb_span json;
};

struct fb_probe_world {
    struct fb_arena *arena;
    struct fb_probe_identity list[FB_PROBE_IDENTITIES_MAX];
    size_t count;
    struct fb_probe_params shared, absent;  /* values that are nobody's; that name nothing */
    struct fb_span *open, *privileged;      /* patterns of routes: for everybody; for privileged identities alone */
    size_t open_count, privileged_count;
    struct fb_probe_body *bodies;
    size_t bodies_count, bodies_capacity;
};

/* The file's identities; `yaml`: what the JSON was made of, or NULL.  False after diagnostics, which show no line of the
 * file. */
bool fb_probe_identities_read(struct fb_probe_world *world, const struct fb_source *source, const struct fb_yaml *yaml, struct fb_diags *diags);
/* By their places alone: lines of that file may hold tokens. */
void fb_probe_hide_lines(struct fb_diags *diags);
/* NAME=WHAT, as the help says.  False after it has said what is wrong. */
bool fb_probe_identity_add(struct fb_cli *cli, struct fb_probe_world *world, const char *text);
/* NAME:PARAMETER=VALUE: one of the identities has it.  False after it has said what is wrong. */
bool fb_probe_owns_add(struct fb_cli *cli, struct fb_probe_world *world, const char *text);
/* Somebody without credentials, in front, if nobody is. */
bool fb_probe_add_nobody(struct fb_probe_world *world);
/* `*` stands for any run of characters. */
bool fb_probe_matches(struct fb_span pattern, struct fb_span text);

/* --- What ------------------------------------------------------------------------------------------------ */

enum fb_probe_form { FB_PROBE_TEXT, FB_PROBE_INT, FB_PROBE_UUID };

struct fb_probe_route {
    struct fb_span method, path;            /* "GET", "/users/{id}" */
    struct fb_span query;                   /* "export" of `?export`; or empty */
    struct fb_span title;                   /* "GET /users/{id}" */
    struct fb_span params[FB_PARAMS_MAX];   /* names */
    enum fb_probe_form forms[FB_PARAMS_MAX];
    size_t params_count;
    const struct fb_route *route;           /* of the policies; NULL: of an OpenAPI document */
    bool open;                              /* said to be for everybody */
    bool signed_in;                         /* said to need credentials */
    bool function;                          /* said to be for privileged identities */
    const char *left_out;                   /* why it is not asked; NULL: it is */
    struct fb_span lacks;                   /* the parameter that has no value */
    size_t from, end;                       /* its targets */
};

struct fb_probe_routes {
    struct fb_probe_route *list;
    size_t count, capacity;
    struct fb_span prefix;                  /* the document's base path, where the URL has none */
};

struct fb_probe_filter {
    struct fb_words only, skip, unsafe;     /* parts of a title; methods */
};

bool fb_probe_routes_of_policies(struct fb_probe_routes *routes, const struct fb_policies *policies, struct fb_arena *arena);
/* With `whole` the document's base path stands in each path, as in the routes of policies; else in routes->prefix. */
bool fb_probe_routes_of_openapi(struct fb_probe_routes *routes, const struct fb_source *source, bool whole, struct fb_arena *arena, struct fb_diags *diags);
/* By path and method; marks what is not asked, and what the world says of it. */
void fb_probe_routes_settle(struct fb_probe_routes *routes, const struct fb_probe_world *world, const struct fb_probe_filter *filter);

/* --- Cells --------------------------------------------------------------------------------------------- */

enum fb_probe_kind { FB_PROBE_PLAIN, FB_PROBE_OWNED, FB_PROBE_SHARED, FB_PROBE_ABSENT };

struct fb_probe_target {
    struct fb_probe_route *route;
    enum fb_probe_kind kind;
    size_t owner;                           /* OWNED: whose */
    struct fb_span values[FB_PARAMS_MAX];
    struct fb_span path;                    /* "/users/7?export": what is asked */
};

struct fb_probe_expected {
    bool known;
    bool forward;
    unsigned status;
    struct fb_span error, scope, acr_values, reason;
    bool challenge;
};

struct fb_probe_cell {
    const struct fb_probe_target *target;
    size_t identity;
    bool sent;
    size_t exchange;                        /* index among the exchanges; SIZE_MAX: no answer came */
    const char *why;                        /* then */
    unsigned status;
    struct fb_probe_expected expected;
    unsigned marks;                         /* the worst that was found: 3 an error, 2 a warning, 1 a note, 0 nothing */
};

struct fb_probe_finding {
    const struct fb_audit_text *rule;
    const struct fb_probe_cell *cell, *other;       /* other: NULL but where two are compared */
    struct fb_span shown, id;               /* what was found; what names it from run to run */
    bool known;                             /* in the baseline */
};

/* One measurement by the clock. */
struct fb_probe_timed {
    const struct fb_probe_cell *hidden, *absent;
    double area, bound;                     /* of 0.5; beyond it something is told */
    size_t requests;
    double medians[2];                      /* microseconds: there, not there */
    bool told;                              /* it is a finding */
};

struct fb_probe {
    struct fb_cli *cli;
    struct fb_arena *arena;
    struct fb_probe_world world;
    struct fb_probe_routes routes;
    const char *base;                       /* "https://api.example/v1", without a final slash */
    struct fb_span host;
    bool tls, loopback;
    struct fb_probe_target *targets;
    size_t targets_count, targets_capacity;
    struct fb_probe_cell *cells;            /* targets × identities */
    size_t *order, order_count;             /* of cells, as they are sent */
    struct fb_exchanges exchanges;
    struct fb_probe_finding *findings;
    size_t findings_count, findings_capacity;
    struct fb_probe_timed *timed;
    size_t timed_count, timed_capacity;
    size_t counts[3];                       /* by severity, those of the baseline left out */
    size_t known;
    /* the run */
    struct fb_live *live;
    const struct fb_cli_site *site;         /* NULL: no policies */
    struct fb_words headers;                /* sent with each request */
    uint64_t rate, max_requests, requests, kept, started_ns;
    bool stopped;                           /* Ctrl-C */
    bool by_token;                          /* the site's issuers tell who somebody is */
};

static inline struct fb_probe_cell *fb_probe_cell_at(const struct fb_probe *probe, size_t target, size_t identity)
{
    return &probe->cells[target * probe->world.count + identity];
}
/* NULL: no answer. */
static inline const struct fb_exchange *fb_probe_answer(const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    return cell->status != 0 ? &probe->exchanges.list[cell->exchange] : NULL;
}
static inline bool fb_probe_is_success(unsigned status)
{
    return status >= 200 && status < 300;
}
static inline bool fb_probe_is_refusal(unsigned status)
{
    return status == 401 || status == 403 || status == 404 || status == 451;
}

/* Targets and cells.  False without memory. */
bool fb_probe_plan(struct fb_probe *probe);
/* Values of a route's parameters into a target; false if there are none of that kind, `*lacks` names the first. */
bool fb_probe_values(const struct fb_probe *probe, const struct fb_probe_route *route, enum fb_probe_kind kind, size_t owner, size_t nth,
                     struct fb_probe_target *target, struct fb_span *lacks);
/* Is the object the identity's?  One value may belong to several. */
bool fb_probe_is_own(const struct fb_probe *probe, const struct fb_probe_target *target, size_t identity);
/* Text without what looks like an id or a time, in the arena: what two answers about one thing share. */
struct fb_span fb_probe_masked(struct fb_arena *arena, struct fb_span text);
void fb_probe_print_plan_json(struct fb_buffer *out, const struct fb_probe *probe);
void fb_probe_print_plan(struct fb_buffer *out, const struct fb_probe *probe);

/* One request within the bounds, kept as an exchange unless `timed`.  False: no answer (*why), or the end. */
bool fb_probe_ask(struct fb_probe *probe, const struct fb_probe_target *target, size_t identity, bool kept, struct fb_live_answer *answer, const char **why);
/* The same by another way than the target's. */
struct fb_probe_way {
    const char *method, *field;             /* NULL: the route's; none beside the identity's */
    struct fb_span path;
};
bool fb_probe_ask_by(struct fb_probe *probe, const struct fb_probe_target *target, size_t identity, const struct fb_probe_way *way, bool kept,
                     struct fb_live_answer *answer, const char **why);
/* All cells.  False after it has said that the server cannot be reached. */
bool fb_probe_run(struct fb_probe *probe);
/* From now on Ctrl-C stops the run and not the command; until the release. */
void fb_probe_catch_interrupt(void);
void fb_probe_release_interrupt(void);

/* Who a token says it is, where the site's issuers tell and the file does not.  False without memory. */
bool fb_probe_identify(struct fb_probe *probe);
/* What the policies say of each cell.  False without memory. */
bool fb_probe_expect(struct fb_probe *probe);

/* --- Findings ---------------------------------------------------------------------------------------------- */

enum fb_probe_rule {
#define FB_RULE(symbol, code, severity, what, change, source) FB_PROBE_##symbol,
#include "cli/probe_rules.def"
#undef FB_RULE
    FB_PROBE_RULES
};
const struct fb_audit_text *fb_probe_rule_text(enum fb_probe_rule rule);

void fb_probe_found(struct fb_probe *probe, enum fb_probe_rule rule, struct fb_probe_cell *cell, const struct fb_probe_cell *other,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
void fb_probe_compare(struct fb_probe *probe);
void fb_probe_objects(struct fb_probe *probe);
void fb_probe_oracles(struct fb_probe *probe);
/* An object that is there and is refused to this identity, and one of its route that is not there; else false. */
bool fb_probe_pair(const struct fb_probe *probe, size_t target, size_t identity, struct fb_probe_cell **hidden, const struct fb_probe_cell **absent);
/* By the clock; so many requests for each pair. */
void fb_probe_timing(struct fb_probe *probe, size_t requests);
/* Refusals that another spelling gets around; asks for each. */
void fb_probe_ways_around(struct fb_probe *probe);
/* What `forbid lint` says of the answers. */
bool fb_probe_lint(struct fb_probe *probe);
/* Findings of an earlier report (JSON) are known.  False after a diagnostic. */
bool fb_probe_baseline(struct fb_probe *probe, const struct fb_source *source, struct fb_diags *diags);
/* Sorts by severity, and counts. */
void fb_probe_settle(struct fb_probe *probe);

/* --- The report ---------------------------------------------------------------------------------------------- */

void fb_probe_print_text(struct fb_buffer *out, const struct fb_probe *probe, bool colour);
void fb_probe_print_json(struct fb_buffer *out, const struct fb_probe *probe);
void fb_probe_print_svg(struct fb_buffer *out, const struct fb_probe *probe);
void fb_probe_print_sarif(struct fb_buffer *out, const struct fb_probe *probe, const char *about);

/* What a route gets of one identity, put together: its own objects, others', what is not there. */
enum fb_probe_column { FB_PROBE_OWN, FB_PROBE_OTHER, FB_PROBE_NONE, FB_PROBE_COLUMNS };
struct fb_probe_sum {
    unsigned status;                        /* the most permissive; 0: nothing asked */
    unsigned second;                        /* another one beside it; 0: all the same */
    unsigned marks;
    bool asked;
};
void fb_probe_sum_up(const struct fb_probe *probe, const struct fb_probe_route *route, size_t identity, struct fb_probe_sum sums[FB_PROBE_COLUMNS]);
/* Has the route objects at all? */
static inline bool fb_probe_has_objects(const struct fb_probe_route *route)
{
    return route->params_count != 0;
}

#endif
