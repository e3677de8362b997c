/*
 * `bootstrap`: the peers that a node looks for first, a list in the configuration. A running daemon
 * dials those that it read when it started.
 */
#include "cmd/commands.h"
#include "cmd/config_common.h"
#include "cmd/online.h"

static const char auto_word[] = "auto";

static const char managed[] =
    "cannot remove individual bootstrap peers when using 'auto' placeholder: the 'auto' value is "
    "managed by AutoConf. Either disable AutoConf by setting AutoConf.Enabled=false and replace "
    "'auto' with specific peer addresses, or use 'ipfs bootstrap rm --all' to remove all peers";

static const char unmanaged[] =
    "cannot add default bootstrap peers: AutoConf is disabled (AutoConf.Enabled=false). Enable "
    "AutoConf by setting AutoConf.Enabled=true in your config, or add specific peer addresses "
    "instead";

static void init_list(cn_call *call, cn_strings *s, const char *prefix)
{
    cn_strings_init(s, cn_call_mem(call));
    s->key = "Peers";
    s->prefix = prefix;
}

static cn_err emit_list(cn_call *call, cn_strings *s)
{
    if (cn_call_encoding(call) == CN_ENC_TEXT) {
        cn_strings_sort(s);
    }
    return cn_call_emit_once(call, &cn_strings_output, s);
}

/* Is there a list at all, and not null in its place? */
static bool is_list(const cn_config_edit *edit)
{
    const cn_json *list = cn_json_get_fold(edit->file.root, cn_str("Bootstrap"));
    return list != NULL && list->kind == CN_JSON_ARRAY;
}

/* The list as the file has it. */
static cn_err read_list(const cn_config_edit *edit, cn_strings *ret)
{
    const cn_json *list = cn_json_get_fold(edit->file.root, cn_str("Bootstrap"));
    cn_err err = CN_OK;
    for (const cn_json *p = list == NULL ? NULL : list->first; err == CN_OK && p != NULL;
         p = p->next) {
        err = cn_strings_add(ret, p->text);
    }
    return err;
}

/* Put `list` into the file. */
static cn_err write_list(cn_call *call, cn_config_edit *edit, const cn_strings *list)
{
    cn_json *array = NULL;
    cn_json *item = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_json_new(&edit->file.doc, list->len == 0 ? CN_JSON_NULL : CN_JSON_ARRAY, &array));
    for (size_t i = 0; i < list->len; i++) {
        CN_TRY(cn_json_new_string(&edit->file.doc, cn_str(cn_strings_get(list, i)), &item));
        cn_json_append(array, item);
    }
    CN_TRY(cn_config_file_set(&edit->file, cn_str("Bootstrap"), array, cn_call_why(call)));
    CN_TRY(cn_config_file_save(&edit->file, cn_call_why(call)));
out:
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

/* A text with a peer at its end, split. Fails as Kubo does for those without. */
static cn_err parse_peer(
    cn_call *call, cn_slice text, bool to_add, cn_buf *address, cn_slice *ret_at, cn_peer_id *ret)
{
    cn_buf_reset(address);
    cn_err err = cn_multiaddr_parse(text, address, cn_call_why(call));
    if (err != CN_OK) {
        return cn_call_fail_why(call, err);
    }
    cn_multiaddr_split_peer(cn_buf_slice(address), ret_at, ret);
    if (ret->len > 0) {
        return CN_OK;
    }
    return to_add ? cn_call_fail(
                        call, CN_ERR_MALFORMED, "invalid bootstrap address: %.*s",
                        (int)CN_MIN(text.len, 1024), (const char *)text.data)
                  : cn_call_fail(call, CN_ERR_MALFORMED, "invalid p2p multiaddr");
}

/* --- list --- */

static cn_err list_peers(cn_call *call, bool expand)
{
    cn_config_edit edit = {0};
    cn_strings held = {0};
    cn_strings shown = {0};
    cn_err err = CN_OK;
    init_list(call, &held, NULL);
    init_list(call, &shown, NULL);
    CN_TRY(cn_config_edit_begin(call, false, &edit));
    CN_TRY(read_list(&edit, &held));
    held.null_if_none = !is_list(&edit);
    for (size_t i = 0; expand && i < held.len; i++) {
        if (strcmp(cn_strings_get(&held, i), auto_word) != 0) {
            CN_TRY(cn_strings_add(&shown, cn_str(cn_strings_get(&held, i))));
            continue;
        }
        for (const char *const *p = cn_network_bootstrap; *p != NULL; p++) {
            CN_TRY(cn_strings_add(&shown, cn_str(*p)));
        }
    }
    err = emit_list(call, expand ? &shown : &held);
out:
    cn_config_edit_end(&edit);
    cn_strings_release(&held);
    cn_strings_release(&shown);
    return err;
}

static cn_err run_list(cn_call *call)
{
    return list_peers(call, cn_call_flag(call, "expand-auto", NULL));
}

static cn_err run_bootstrap(cn_call *call)
{
    return list_peers(call, false);
}

static const cn_opt list_opts[] = {
    {CN_OPT_BOOL, "expand-auto", NULL, NULL, "Show the peers that \"auto\" stands for."},
    {.name = NULL},
};

const cn_command cn_cmd_bootstrap = {
    .path = "bootstrap",
    .summary = "List the peers that this node connects to first",
    .about = "They are trusted to tell of others: only put those into the list whom you trust.",
    .output = &cn_strings_output,
    .run = run_bootstrap,
};

const cn_command cn_cmd_bootstrap_list = {
    .path = "bootstrap/list",
    .summary = "List the peers that this node connects to first",
    .opts = list_opts,
    .output = &cn_strings_output,
    .run = run_list,
};

/* --- add --- */

/* One argument, checked; "default" is another name of "auto". */
static cn_err take_addition(
    cn_call *call, const cn_config_edit *edit, cn_slice arg, cn_buf *address, cn_strings *added)
{
    cn_slice at = {0};
    cn_peer_id id = {0};
    cn_err err = CN_OK;
    if (cn_slice_is(arg, auto_word) || cn_slice_is(arg, "default")) {
        const cn_json *section = cn_json_get_fold(edit->file.root, cn_str("AutoConf"));
        const cn_json *enabled = cn_json_get_fold(section, cn_str("Enabled"));
        if (enabled != NULL && enabled->kind == CN_JSON_BOOL && !enabled->truth) {
            return cn_call_fail(call, CN_ERR_USAGE, "%s", unmanaged);
        }
        arg = cn_str(auto_word);
    } else {
        CN_TRY(parse_peer(call, arg, true, address, &at, &id));
    }
    if (!cn_strings_has(added, arg)) {
        err = cn_strings_add(added, arg);
    }
out:
    return err;
}

static cn_err run_add(cn_call *call)
{
    cn_config_edit edit = {0};
    cn_strings held = {0};
    cn_strings added = {0};
    cn_strings all = {0};
    cn_buf address;
    cn_err err = CN_OK;
    init_list(call, &held, NULL);
    init_list(call, &added, "added ");
    init_list(call, &all, NULL);
    cn_buf_init(&address, cn_call_mem(call), CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_call_read_args(call));
    if (cn_call_args_len(call) == 0) {
        err = cn_call_fail_client(call, CN_ERR_USAGE, "no bootstrap peers to add");
        goto out;
    }
    CN_TRY(cn_config_edit_begin(call, true, &edit));
    for (size_t i = 0; i < cn_call_args_len(call); i++) {
        CN_TRY(take_addition(call, &edit, cn_call_arg(call, i), &address, &added));
        CN_TRY(
            added.len > all.len ? cn_strings_add(&all, cn_str(cn_strings_get(&added, all.len)))
                                : CN_OK);
    }
    CN_TRY(read_list(&edit, &held));
    for (size_t i = 0; i < held.len; i++) {
        cn_slice text = cn_str(cn_strings_get(&held, i));
        CN_TRY(cn_strings_has(&all, text) ? CN_OK : cn_strings_add(&all, text));
    }
    CN_TRY(write_list(call, &edit, &all));
    err = emit_list(call, &added);
out:
    cn_config_edit_end(&edit);
    cn_strings_release(&held);
    cn_strings_release(&added);
    cn_strings_release(&all);
    cn_buf_release(&address);
    return err;
}

static const cn_arg peer_args[] = {
    {"peer", CN_ARG_OPTIONAL | CN_ARG_VARIADIC | CN_ARG_STDIN, "<multiaddr>/p2p/<peer id>"},
    {.name = NULL},
};

const cn_command cn_cmd_bootstrap_add = {
    .path = "bootstrap/add",
    .summary = "Add peers to those that this node connects to first",
    .about = "\"auto\" and \"default\" stand for the public ones.",
    .args = peer_args,
    .output = &cn_strings_output,
    .run = run_add,
};

/* --- rm --- */

/* A list that has no "auto" in it, as peers. */
typedef struct removal {
    cn_call *call;
    cn_buf address;
    cn_known_peers peers; /* to be removed; one without addresses: wherever it is */
} removal;

static cn_err is_to_go(removal *r, cn_slice text, bool *ret)
{
    cn_slice at = {0};
    cn_peer_id id = {0};
    cn_err err = parse_peer(r->call, text, false, &r->address, &at, &id);
    if (err != CN_OK) {
        return err;
    }
    size_t i = cn_known_peers_find(&r->peers, &id);
    *ret = i < r->peers.len && (r->peers.items[i].addresses.len == 0 ||
                                cn_address_list_has(&r->peers.items[i].addresses, at));
    return CN_OK;
}

/* The text read and written again, as Kubo leaves all that it has looked at. */
static cn_err add_canonical(removal *r, cn_slice text, cn_strings *to)
{
    cn_buf shown;
    cn_err err = CN_OK;
    cn_buf_init(&shown, cn_call_mem(r->call), 8 * CN_MULTIADDR_MAX_BYTES);
    cn_buf_reset(&r->address);
    if (cn_multiaddr_parse(text, &r->address, NULL) == CN_OK) {
        CN_TRY(cn_multiaddr_encode_text(cn_buf_slice(&r->address), &shown));
        text = cn_buf_slice(&shown);
    }
    CN_TRY(cn_strings_add(to, text));
out:
    cn_buf_release(&shown);
    return err;
}

static cn_err take_removals(removal *r)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < cn_call_args_len(r->call); i++) {
        cn_slice at = {0};
        cn_peer_id id = {0};
        CN_TRY(parse_peer(r->call, cn_call_arg(r->call, i), false, &r->address, &at, &id));
        CN_TRY(cn_known_peers_add(cn_call_mem(r->call), &r->peers, &id, at));
    }
out:
    return err;
}

static cn_err remove_peers(cn_call *call, bool all)
{
    cn_config_edit edit = {0};
    removal r = {.call = call};
    cn_strings held = {0};
    cn_strings kept = {0};
    cn_strings removed = {0};
    cn_err err = CN_OK;
    init_list(call, &held, NULL);
    init_list(call, &kept, NULL);
    init_list(call, &removed, "removed ");
    cn_buf_init(&r.address, cn_call_mem(call), CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_config_edit_begin(call, true, &edit));
    CN_TRY(read_list(&edit, &held));
    if (!all && cn_strings_has(&held, cn_str(auto_word))) {
        err = cn_call_fail(call, CN_ERR_USAGE, "%s", managed);
        goto out;
    }
    if (!all) {
        CN_TRY(take_removals(&r));
    }
    for (size_t i = 0; i < held.len; i++) {
        cn_slice text = cn_str(cn_strings_get(&held, i));
        bool goes = all;
        CN_TRY(all ? CN_OK : is_to_go(&r, text, &goes));
        CN_TRY(add_canonical(&r, text, goes ? &removed : &kept));
    }
    CN_TRY(write_list(call, &edit, &kept));
    err = emit_list(call, &removed);
out:
    cn_config_edit_end(&edit);
    cn_known_peers_release(cn_call_mem(call), &r.peers);
    cn_buf_release(&r.address);
    cn_strings_release(&held);
    cn_strings_release(&kept);
    cn_strings_release(&removed);
    return err;
}

static cn_err run_rm(cn_call *call)
{
    cn_err err = cn_call_read_args(call);
    return err == CN_OK ? remove_peers(call, cn_call_flag(call, "all", NULL)) : err;
}

static cn_err run_rm_all(cn_call *call)
{
    return remove_peers(call, true);
}

static const cn_opt rm_opts[] = {
    {CN_OPT_BOOL, "all", NULL, NULL, "Remove them all."},
    {.name = NULL},
};

const cn_command cn_cmd_bootstrap_rm = {
    .path = "bootstrap/rm",
    .summary = "Remove peers from those that this node connects to first",
    .about = "/p2p/<peer id> alone removes all addresses of that peer.",
    .args = peer_args,
    .opts = rm_opts,
    .output = &cn_strings_output,
    .run = run_rm,
};

const cn_command cn_cmd_bootstrap_rm_all = {
    .path = "bootstrap/rm/all",
    .summary = "Remove all peers from those that this node connects to first",
    .output = &cn_strings_output,
    .run = run_rm_all,
};
