/*
 * Going online, in the order of what people see.
 */
#include "cli/online.h"

#include "cmd/version.h"

enum { TEXTS_MAX_BYTES = 1 << 20, AGENT_MAX_BYTES = 1024 };

static void note(void *ctx, const char *sentence)
{
    cn_call_note(ctx, "%s\n", sentence);
}

/* "cairn/0.1.0/suffix": how others are told what they talk to. */
static cn_err write_agent(cn_call *call, cn_node *node, cn_buf *out, const char **ret)
{
    const char *given = cn_call_string(call, "agent-version-suffix", NULL);
    cn_slice suffix = given != NULL
                          ? cn_str(given)
                          : cn_config_string(cn_node_config(node), "Version.AgentSuffix", "");
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "cairn/" CN_VERSION));
    if (suffix.len > 0) {
        CN_TRY(cn_buf_byte(out, '/'));
        CN_TRY(cn_buf_append(out, suffix));
    }
    CN_TRY(cn_buf_cstr(out, ret));
out:
    return err;
}

/* "/ip6/::1/tcp/4001" as "[::1]:4001 (TCP)". */
static cn_err add_line(cn_slice address, cn_strings *to)
{
    cn_slice parts[5] = {{0}};
    for (size_t i = 0; i < CN_LEN(parts); i++) {
        size_t end = cn_slice_find(address, '/');
        parts[i] = cn_slice_head(address, end);
        address = cn_slice_skip(address, end + 1);
    }
    bool is_ip6 = cn_slice_is(parts[1], "ip6");
    if (!(is_ip6 || cn_slice_is(parts[1], "ip4")) || !cn_slice_is(parts[3], "tcp")) {
        return CN_OK;
    }
    return cn_strings_printf(
        to, "Swarm listening on %s%.*s%s:%.*s (TCP)", is_ip6 ? "[" : "", (int)parts[2].len,
        (const char *)parts[2].data, is_ip6 ? "]" : "", (int)parts[4].len,
        (const char *)parts[4].data);
}

static cn_err write_lines(cn_call *call, cn_online *o)
{
    cn_buf texts;
    cn_slice rest = {0};
    cn_err err = CN_OK;
    cn_buf_init(&texts, cn_call_mem(call), TEXTS_MAX_BYTES);
    CN_TRY(cn_host_addresses(cn_network_host(cn_loop_network(o->loop)), &texts, true));
    for (rest = cn_buf_slice(&texts); rest.len > 0;) {
        size_t end = cn_slice_find(rest, '\n');
        CN_TRY(add_line(cn_slice_head(rest, end), &o->lines));
        rest = cn_slice_skip(rest, end + 1);
    }
    cn_strings_sort(&o->lines);
    CN_TRY(cn_strings_printf(
        &o->lines, "Run '%s id' to inspect announced and discovered multiaddrs of this node.",
        cn_call_program(call)));
out:
    cn_buf_release(&texts);
    return err;
}

cn_err cn_online_open(cn_call *call, cn_node *node, cn_online *ret)
{
    const char *agent = NULL;
    cn_why *why = cn_call_why(call);
    cn_err err = CN_OK;
    cn_buf_init(&ret->agent, cn_call_mem(call), AGENT_MAX_BYTES);
    cn_strings_init(&ret->lines, cn_call_mem(call));
    CN_TRY(write_agent(call, node, &ret->agent, &agent));
    err = cn_loop_new(node, agent, note, call, &ret->loop, why);
    if (err != CN_OK) {
        return cn_call_fail(call, err, "cannot go online: %s", cn_why_text(why, err));
    }
    if (cn_config_bool(cn_node_config(node), "Discovery.MDNS.Enabled", true)) {
        note(call, "Discovery.MDNS is on in the configuration and not built yet");
    }
    CN_TRY(write_lines(call, ret));
out:
    return err;
}

cn_err cn_online_start(cn_online *o, cn_node *node, cn_why *why)
{
    cn_node_set_network(node, cn_loop_network(o->loop));
    return cn_loop_start(o->loop, why);
}

void cn_online_stop(cn_online *o)
{
    cn_loop_stop(o->loop);
}

void cn_online_close(cn_online *o, cn_node *node)
{
    if (o->loop != NULL) {
        cn_node_set_network(node, NULL);
    }
    cn_loop_free(o->loop);
    cn_buf_release(&o->agent);
    if (o->lines.mem != NULL) {
        cn_strings_release(&o->lines);
    }
    o->loop = NULL;
}
