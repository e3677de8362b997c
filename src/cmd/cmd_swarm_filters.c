/*
 * `swarm filters`: ranges of addresses that are never dialled nor accepted, in the running network
 * and in the configuration.
 */
#include "cmd/commands.h"
#include "cmd/config_common.h"
#include "cmd/online.h"

#define KEY "Swarm.AddrFilters"

/* What is to be changed in the network. */
typedef struct filter_ask {
    cn_call *call;
    cn_ip_range *ranges;
    size_t len;
    bool all; /* remove whatever is there */
    cn_strings texts;
} filter_ask;

static cn_err gather(cn_network *n, void *ctx)
{
    filter_ask *ask = ctx;
    size_t len = 0;
    const cn_ip_range *ranges = cn_host_filters(cn_network_host(n), &len);
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, cn_call_mem(ask->call), 256);
    for (size_t i = 0; err == CN_OK && i < len; i++) {
        cn_buf_reset(&text);
        err = cn_ip_range_encode_text(&ranges[i], &text);
        if (err == CN_OK) {
            err = cn_strings_add(&ask->texts, cn_buf_slice(&text));
        }
    }
    cn_buf_release(&text);
    return err;
}

static cn_err add_now(cn_network *n, void *ctx)
{
    const filter_ask *ask = ctx;
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < ask->len; i++) {
        err = cn_host_filter_add(cn_network_host(n), &ask->ranges[i]);
    }
    return err;
}

static cn_err remove_now(cn_network *n, void *ctx)
{
    const filter_ask *ask = ctx;
    cn_host *h = cn_network_host(n);
    size_t len = 0;
    const cn_ip_range *held = cn_host_filters(h, &len);
    for (size_t i = 0; i < ask->len; i++) {
        (void)cn_host_filter_remove(h, &ask->ranges[i]);
    }
    while (ask->all && len > 0) {
        cn_ip_range first = held[0];
        (void)cn_host_filter_remove(h, &first);
        held = cn_host_filters(h, &len);
    }
    return CN_OK;
}

static cn_err run_filters(cn_call *call)
{
    filter_ask ask = {.call = call};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&ask.texts, cn_call_mem(call));
    ask.texts.null_if_none = true;
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    CN_TRY(cn_call_on_loop(call, n, gather, &ask));
    err = cn_call_emit_once(call, &cn_strings_output, &ask.texts);
out:
    cn_strings_release(&ask.texts);
    return err;
}

const cn_command cn_cmd_swarm_filters = {
    .path = "swarm/filters",
    .summary = "List the ranges of addresses that are never connected to",
    .about = "As multiaddrs: /ip4/192.168.0.0/ipcidr/16. In the configuration they stand in\n"
             "Swarm.AddrFilters.",
    .output = &cn_strings_output,
    .run = run_filters,
};

/* --- changing them --- */

/* All arguments as ranges. */
static cn_err read_ranges(cn_call *call, filter_ask *ask)
{
    size_t len = cn_call_args_len(call);
    ask->ranges = cn_alloc_array(cn_call_mem(call), len + 1, sizeof *ask->ranges);
    if (ask->ranges == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < len; i++) {
        cn_slice text = cn_call_arg(call, i);
        cn_err err = cn_slice_starts(text, cn_str("/"))
                         ? cn_ip_range_parse(text, &ask->ranges[ask->len], NULL)
                         : CN_ERR_MALFORMED;
        if (err != CN_OK) {
            return cn_call_fail(call, err, "invalid multiaddr-filter format");
        }
        ask->len++;
    }
    return CN_OK;
}

/* The list of the file in front of which, or out of which, the arguments come. */
static cn_err edit_list(cn_call *call, bool add, bool all, cn_strings *changed)
{
    cn_config_edit edit = {0};
    cn_strings kept = {0};
    const cn_json *swarm = NULL;
    const cn_json *list = NULL;
    cn_json *array = NULL;
    cn_json *item = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&kept, cn_call_mem(call));
    CN_TRY(cn_config_edit_begin(call, true, &edit));
    swarm = cn_json_get_fold(edit.file.root, cn_str("Swarm"));
    list = cn_json_get_fold(swarm, cn_str("AddrFilters"));
    for (size_t i = 0; add && i < cn_call_args_len(call); i++) {
        cn_slice text = cn_call_arg(call, i);
        if (!cn_strings_has(&kept, text)) {
            CN_TRY(cn_strings_add(&kept, text));
            CN_TRY(cn_strings_add(changed, text));
        }
    }
    for (const cn_json *p = list == NULL ? NULL : list->first; p != NULL; p = p->next) {
        bool named = all;
        for (size_t i = 0; !add && i < cn_call_args_len(call); i++) {
            named = named || cn_slice_eq(cn_call_arg(call, i), p->text);
        }
        CN_TRY(
            named                            ? cn_strings_add(changed, p->text)
            : cn_strings_has(&kept, p->text) ? CN_OK
                                             : cn_strings_add(&kept, p->text));
    }
    CN_TRY(
        cn_json_new(&edit.file.doc, kept.len == 0 && all ? CN_JSON_NULL : CN_JSON_ARRAY, &array));
    for (size_t i = 0; i < kept.len; i++) {
        CN_TRY(cn_json_new_string(&edit.file.doc, cn_str(cn_strings_get(&kept, i)), &item));
        cn_json_append(array, item);
    }
    CN_TRY(cn_config_file_set(&edit.file, cn_str(KEY), array, cn_call_why(call)));
    CN_TRY(cn_config_file_save(&edit.file, cn_call_why(call)));
out:
    cn_config_edit_end(&edit);
    cn_strings_release(&kept);
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

static cn_err change(cn_call *call, bool add)
{
    filter_ask ask = {.call = call};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&ask.texts, cn_call_mem(call));
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    CN_TRY(cn_call_read_args(call));
    ask.all = !add &&
              (cn_slice_is(cn_call_arg(call, 0), "all") || cn_slice_is(cn_call_arg(call, 0), "*"));
    if (!ask.all) {
        CN_TRY(read_ranges(call, &ask));
    }
    CN_TRY(cn_call_on_loop(call, n, add ? add_now : remove_now, &ask));
    CN_TRY(edit_list(call, add, ask.all, &ask.texts));
    err = cn_call_emit_once(call, &cn_strings_output, &ask.texts);
out:
    cn_free(cn_call_mem(call), ask.ranges);
    cn_strings_release(&ask.texts);
    return err;
}

static cn_err run_add(cn_call *call)
{
    return change(call, true);
}

static cn_err run_rm(cn_call *call)
{
    return change(call, false);
}

static const cn_arg filter_args[] = {
    {"address", CN_ARG_VARIADIC | CN_ARG_STDIN, "A range: /ip4/192.168.0.0/ipcidr/16"},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_filters_add = {
    .path = "swarm/filters/add",
    .summary = "Never connect to a range of addresses",
    .about = "From now on, and by the configuration: connections that stand are kept.",
    .args = filter_args,
    .output = &cn_strings_output,
    .run = run_add,
};

const cn_command cn_cmd_swarm_filters_rm = {
    .path = "swarm/filters/rm",
    .summary = "Allow a range of addresses again",
    .about = "\"all\" removes all of them.",
    .args = filter_args,
    .output = &cn_strings_output,
    .run = run_rm,
};
