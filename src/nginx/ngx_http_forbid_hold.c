/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals of secret actions leave on the ticks of a clock, so that when one leaves does not tell what it took to
 * decide it (docs/decisions/0008).
 *
 * Which tick it is follows from when the decision was begun, not from when it was done: the first one that is
 * FORBID_GRACE_NS later.  So whatever takes less than that cannot show, however finely a client measures and
 * however well it knows the clock's phase; what takes longer shows in whole ticks.  All that can be done before is
 * done before: the answer is rendered, its header fields are set, the request's body is being discarded.
 *
 * The clock is a timerfd of the worker's own, armed at an absolute time while something waits and not else.
 * nginx's own timers would not do: they are relative to the end of the work that set them.  One of those runs
 * beside it all the same, for a worker that shuts down waits for timers and for nothing else; and it takes the
 * clock's place where there can be none. */
#include "nginx/ngx_http_forbid.h"

#include <sys/timerfd.h>

#define FORBID_BACKSTOP_MS 20u
#define NS_PER_S UINT64_C(1000000000)

/* One answer that waits; in the pool of its request. */
typedef struct {
    ngx_queue_t queue;
    ngx_http_request_t *request;
    ngx_buf_t *body;
    uint64_t due;                   /* CLOCK_MONOTONIC, a tick */
    bool queued;
} held_t;

static struct {
    ngx_queue_t waiting;            /* by when they are due */
    ngx_connection_t *clock;        /* the timerfd; NULL: none */
    bool begun, armed, told;        /* told: that there is no clock */
    uint64_t phase, last_due;
    ngx_event_t backstop;
    ngx_connection_t backstop_connection;
} hold;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t tick_from(uint64_t at)
{
    uint64_t since = (at + FORBID_TICK_NS - hold.phase) % FORBID_TICK_NS;
    return since == 0 ? at : at + FORBID_TICK_NS - since;
}

static void arm(uint64_t due)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(due / NS_PER_S), .tv_nsec = (long)(due % NS_PER_S)}};
    hold.armed = hold.clock != NULL && timerfd_settime(hold.clock->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

/* While something waits. */
static void set_backstop(void)
{
    if (!hold.backstop.timer_set) {
        ngx_add_timer(&hold.backstop, hold.armed ? FORBID_BACKSTOP_MS : FORBID_TICK_NS / 1000000u);
    }
}

static void forget(void *data)
{
    held_t *held = data;
    if (held->queued) {
        ngx_queue_remove(&held->queue);
        held->queued = false;
    }
}

static void send_held(held_t *held)
{
    ngx_http_request_t *r = held->request;
    ngx_connection_t *c = r->connection;
    forget(held);
    ngx_http_set_log_request(c->log, r);
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        ngx_chain_t out = {held->body, NULL};
        rc = ngx_http_output_filter(r, &out);
    }
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}

/* All that are due.  What is sent may end requests, others that wait among them, so the first is looked at anew
 * each time. */
static void send_due(void)
{
    uint64_t now = now_ns();
    while (!ngx_queue_empty(&hold.waiting)) {
        held_t *held = ngx_queue_data(ngx_queue_head(&hold.waiting), held_t, queue);
        if (held->due > now) {
            arm(held->due);
            break;
        }
        send_held(held);
    }
    if (ngx_queue_empty(&hold.waiting)) {
        if (hold.backstop.timer_set) {
            ngx_del_timer(&hold.backstop);
        }
    } else {
        set_backstop();
    }
}

static void clock_handler(ngx_event_t *event)
{
    const ngx_connection_t *clock = event->data;
    uint64_t ticks;
    if (read(clock->fd, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks)) {
        hold.armed = false;
    }
    send_due();
}

static void backstop_handler(ngx_event_t *event)
{
    (void)event;
    send_due();
}

/* A timerfd among the worker's connections.  `channel` tells nginx, as of its own pipe to the master, that this
 * is no client's. */
static void open_clock(ngx_log_t *log)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ngx_connection_t *clock = fd >= 0 ? ngx_get_connection(fd, log) : NULL;
    if (clock == NULL) {
        if (!hold.told) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "forbid: no clock for answers of secret actions, they leave by nginx's timers");
        }
        hold.told = true;
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    clock->log = log;
    clock->read->log = clock->write->log = log;
    clock->read->handler = clock_handler;
    clock->read->channel = clock->write->channel = 1;
    if (ngx_handle_read_event(clock->read, 0) != NGX_OK) {
        ngx_close_connection(clock);
        return;
    }
    hold.clock = clock;
}

void ngx_http_forbid_begin_hold(ngx_log_t *log)
{
    ngx_queue_init(&hold.waiting);
    hold.begun = true;
    hold.phase = (uint64_t)ngx_random() % FORBID_TICK_NS;
    hold.backstop_connection.fd = (ngx_socket_t)-1;
    hold.backstop.data = &hold.backstop_connection;
    hold.backstop.handler = backstop_handler;
    hold.backstop.log = log;
    open_clock(log);
}

void ngx_http_forbid_end_hold(void)
{
    if (hold.clock != NULL) {
        ngx_close_connection(hold.clock);
        hold.clock = NULL;
    }
    hold.begun = false;
}

/* A tick has passed when the work was done: the next one then.  Never before one that waits already. */
static uint64_t due_of(uint64_t since)
{
    uint64_t due = tick_from(since + FORBID_GRACE_NS), now = now_ns();
    if (due <= now) {
        due = tick_from(now + 1);
    }
    if (due < hold.last_due) {
        due = hold.last_due;
    }
    hold.last_due = due;
    return due;
}

ngx_int_t ngx_http_forbid_hold(ngx_http_request_t *r, ngx_buf_t *body, uint64_t since)
{
    if (!hold.begun) {
        ngx_http_forbid_begin_hold(ngx_cycle->log);
    } else if (hold.clock == NULL && ngx_queue_empty(&hold.waiting)) {
        open_clock(ngx_cycle->log);
    }
    ngx_http_cleanup_t *cleanup = ngx_http_cleanup_add(r, sizeof(held_t));
    if (cleanup == NULL) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }
    held_t *held = cleanup->data;
    *held = (held_t){.request = r, .body = body, .due = due_of(since), .queued = true};
    cleanup->handler = forget;
    /* A body is being discarded; else nothing is read, nor yet written.  A client that goes is seen when its answer
     * leaves: one that has only ended its own side is to have it. */
    r->write_event_handler = ngx_http_request_empty_handler;
    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }
    ngx_queue_insert_tail(&hold.waiting, &held->queue);
    if (!hold.armed) {
        arm(held->due);
    }
    set_backstop();
    return NGX_DONE;
}
