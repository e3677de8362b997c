/*
 * `swarm resources`: what the network holds, and its limits.
 */
#include "cmd/commands.h"
#include "cmd/online.h"

#include <stdio.h>

enum { SERVICES_MAX = 64 };

typedef struct protocol_use {
    const char *name;
    size_t in;
    size_t out;
} protocol_use;

typedef struct resources {
    cn_host_resources held;
    protocol_use protocols[SERVICES_MAX];
    size_t protocols_len;
} resources;

static cn_err gather(cn_network *n, void *ctx)
{
    resources *r = ctx;
    cn_host_protocol_use use = {0};
    size_t position = 0;
    cn_host_resources_of(cn_network_host(n), &r->held);
    while (r->protocols_len < SERVICES_MAX &&
           cn_host_protocols(cn_network_host(n), &position, &use)) {
        r->protocols[r->protocols_len++] =
            (protocol_use){use.name, use.streams_in, use.streams_out};
    }
    return CN_OK;
}

/* One number of a scope: its limit, 0 for none, and how much of it is used. */
typedef struct number {
    const char *name;
    size_t max;
    size_t used;
} number;

enum { NUMBERS = 8 };

static void fill(
    number to[NUMBERS],
    size_t memory_max,
    size_t memory,
    const size_t conns[4],
    const size_t streams[3])
{
    const number all[NUMBERS] = {
        {"Memory", memory_max, memory},    {"FD", conns[0], conns[1]},
        {"Conns", conns[0], conns[1]},     {"ConnsInbound", 0, conns[2]},
        {"ConnsOutbound", 0, conns[3]},    {"Streams", streams[0], streams[1] + streams[2]},
        {"StreamsInbound", 0, streams[1]}, {"StreamsOutbound", 0, streams[2]},
    };
    cn_copy(to, all, sizeof all);
}

static void system_scope(const resources *r, number to[NUMBERS])
{
    size_t in = 0;
    for (size_t i = 0; i < r->protocols_len; i++) {
        in += r->protocols[i].in;
    }
    const cn_host_resources *h = &r->held;
    const size_t conns[4] = {
        h->conns_max, h->conns, h->conns_in, h->conns > h->conns_in ? h->conns - h->conns_in : 0};
    const size_t streams[3] = {h->streams_max, in, h->streams > in ? h->streams - in : 0};
    fill(to, h->memory_max_bytes, h->memory_bytes, conns, streams);
}

static void transient_scope(const resources *r, number to[NUMBERS])
{
    const cn_host_resources *h = &r->held;
    const size_t conns[4] = {
        h->dialling_max, h->conns_pending + h->dialling, h->conns_pending, h->dialling};
    fill(to, 0, 0, conns, (const size_t[3]){0});
}

static void protocol_scope(const protocol_use *p, number to[NUMBERS])
{
    const size_t streams[3] = {0, p->in, p->out};
    fill(to, 0, 0, (const size_t[4]){0}, streams);
}

static void scope_json(cn_json_writer *j, const number scope[NUMBERS])
{
    char usage[64];
    char digits[32];
    cn_json_object(j);
    for (size_t i = 0; i < NUMBERS; i++) {
        const number *v = &scope[i];
        bool as_text = i == 0; /* large numbers are no JSON numbers for all who read them */
        (void)snprintf(usage, sizeof usage, "%sUsage", v->name);
        (void)snprintf(digits, sizeof digits, "%zu", v->max);
        cn_json_key(j, v->name);
        if (v->max == 0) {
            cn_json_text(j, "unlimited");
        } else if (as_text) {
            cn_json_text(j, digits);
        } else {
            cn_json_uint(j, v->max);
        }
        cn_json_put_uint(j, usage, v->used);
    }
    cn_json_object_end(j);
}

static cn_err resources_json(cn_call *call, cn_buf *out, const void *value)
{
    const resources *r = value;
    number scope[NUMBERS];
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "System");
    system_scope(r, scope);
    scope_json(&j, scope);
    cn_json_key(&j, "Transient");
    transient_scope(r, scope);
    scope_json(&j, scope);
    cn_json_key(&j, "Services");
    cn_json_object(&j);
    cn_json_object_end(&j);
    cn_json_key(&j, "Protocols");
    cn_json_object(&j);
    for (size_t i = 0; i < r->protocols_len; i++) {
        cn_json_key(&j, r->protocols[i].name);
        protocol_scope(&r->protocols[i], scope);
        scope_json(&j, scope);
    }
    cn_json_object_end(&j);
    cn_json_key(&j, "Peers");
    cn_json_object(&j);
    cn_json_object_end(&j);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

/* A cell, and as many tabs as bring the next one to its column. */
static cn_err cell(cn_buf *out, const char *text, size_t width)
{
    size_t len = strlen(text);
    cn_err err = cn_buf_text(out, text);
    for (size_t at = len; err == CN_OK && at < width; at = at / 8 * 8 + 8) {
        err = cn_buf_byte(out, '\t');
    }
    return err;
}

static size_t column(size_t longest)
{
    size_t padded = CN_MAX(longest + 1, (size_t)20);
    return (padded + 7) / 8 * 8;
}

static cn_err scope_text(cn_buf *out, const char *name, size_t width, const number scope[NUMBERS])
{
    char text[64];
    cn_err err = CN_OK;
    for (size_t i = 0; i < NUMBERS; i++) {
        const number *v = &scope[i];
        if (v->max == 0 && v->used == 0) {
            continue;
        }
        CN_TRY(cell(out, name, width));
        CN_TRY(cell(out, v->name, column(0)));
        (void)snprintf(text, sizeof text, "%zu", v->max);
        CN_TRY(cell(out, v->max == 0 ? "unlimited" : text, column(0)));
        (void)snprintf(text, sizeof text, "%zu", v->used);
        CN_TRY(cell(out, text, column(0)));
        double share = v->max == 0 ? 0 : 100.0 * (double)v->used / (double)v->max;
        (void)snprintf(text, sizeof text, v->used == 0 ? "%.0f%%" : "%.1f%%", share);
        CN_TRY(cell(out, v->max == 0 ? "n/a" : text, column(0)));
        CN_TRY(cn_buf_byte(out, '\n'));
    }
out:
    return err;
}

static cn_err resources_text(cn_call *call, cn_buf *out, const void *value)
{
    const resources *r = value;
    number scope[NUMBERS];
    char name[128];
    size_t width = 0;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (size_t i = 0; i < r->protocols_len; i++) {
        width = CN_MAX(width, strlen(r->protocols[i].name) + strlen("proto:"));
    }
    width = column(width);
    CN_TRY(cell(out, "Scope", width));
    CN_TRY(cell(out, "Limit Name", column(0)));
    CN_TRY(cell(out, "Limit Value", column(0)));
    CN_TRY(cell(out, "Limit Usage Amount", column(0)));
    CN_TRY(cell(out, "Limit Usage Percent", column(0)));
    CN_TRY(cn_buf_byte(out, '\n'));
    system_scope(r, scope);
    CN_TRY(scope_text(out, "system", width, scope));
    transient_scope(r, scope);
    CN_TRY(scope_text(out, "transient", width, scope));
    for (size_t i = 0; i < r->protocols_len; i++) {
        (void)snprintf(name, sizeof name, "proto:%s", r->protocols[i].name);
        protocol_scope(&r->protocols[i], scope);
        CN_TRY(scope_text(out, name, width, scope));
    }
out:
    return err;
}

static const cn_output_type resources_output = {
    "libp2p.LimitsConfigAndUsage", resources_json, resources_text};

static cn_err run_resources(cn_call *call)
{
    resources *r = cn_alloc(cn_call_mem(call), sizeof *r);
    cn_node *node = NULL;
    cn_err err = r == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    CN_TRY(err);
    CN_TRY(cn_call_node(call, &node));
    if (cn_node_network(node) == NULL) {
        err = cn_call_fail(
            call, CN_ERR_USAGE,
            "missing ResourceMgr: make sure the daemon is running with Swarm.ResourceMgr.Enabled");
        goto out;
    }
    CN_TRY(cn_call_on_loop(call, cn_node_network(node), gather, r));
    err = cn_call_emit_once(call, &resources_output, r);
out:
    cn_free(cn_call_mem(call), r);
    return err;
}

const cn_command cn_cmd_swarm_resources = {
    .path = "swarm/resources",
    .summary = "Show what the network holds, and its limits",
    .output = &resources_output,
    .run = run_resources,
};
