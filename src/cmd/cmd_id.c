/*
 * `id`: who this node, or another, is.
 */
#include "cmd/commands.h"
#include "cmd/version.h"
#include "codec/base_n.h"
#include "codec/json_write.h"
#include "multiformats/multibase.h"
#include "node/node.h"

typedef struct id_answer {
    cn_buf id;
    cn_buf public_key; /* base64 */
    cn_buf agent;
    cn_buf address; /* empty: null */
} id_answer;

static cn_err id_value(cn_buf *out, const id_answer *a, const char *indent)
{
    cn_json_writer j;
    cn_json_init(&j, out, indent);
    cn_json_object(&j);
    cn_json_put_string(&j, "ID", cn_buf_slice(&a->id));
    cn_json_put_string(&j, "PublicKey", cn_buf_slice(&a->public_key));
    cn_json_key(&j, "Addresses");
    if (a->address.len == 0) {
        cn_json_null(&j);
    } else {
        cn_json_list(&j);
        cn_json_string(&j, cn_buf_slice(&a->address));
        cn_json_list_end(&j);
    }
    cn_json_put_string(&j, "AgentVersion", cn_buf_slice(&a->agent));
    cn_json_key(&j, "Protocols");
    cn_json_null(&j);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err id_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    return id_value(out, value, NULL);
}

/* The format with its tokens replaced; \n and \t stand for what they are called. */
static cn_err id_format(cn_slice format, const id_answer *a, cn_buf *out)
{
    const struct {
        const char *token;
        cn_slice value;
    } tokens[] = {
        {"<id>", cn_buf_slice(&a->id)},
        {"<aver>", cn_buf_slice(&a->agent)},
        {"<pubkey>", cn_buf_slice(&a->public_key)},
        {"<addrs>", cn_buf_slice(&a->address)},
        {"<protocols>", {0}},
        {"\\n", cn_str("\n")},
        {"\\t", cn_str("\t")},
    };
    cn_err err = CN_OK;
    while (err == CN_OK && format.len > 0) {
        size_t i = 0;
        while (i < CN_LEN(tokens) && !cn_slice_starts(format, cn_str(tokens[i].token))) {
            i++;
        }
        bool found = i < CN_LEN(tokens);
        err = cn_buf_append(out, found ? tokens[i].value : cn_slice_head(format, 1));
        format = cn_slice_skip(format, found ? strlen(tokens[i].token) : 1);
    }
    return err;
}

static cn_err id_text(cn_call *call, cn_buf *out, const void *value)
{
    bool given = false;
    const char *format = cn_call_string(call, "format", &given);
    if (given) {
        return id_format(cn_str(format), value, out);
    }
    cn_err err = id_value(out, value, "\t");
    return err != CN_OK ? err : cn_buf_text(out, "\n\n");
}

static const cn_output_type id_output = {"commands.IdOutput", id_json, id_text};

/* Which base the id is to be written in: 0 for base58btc without prefix. */
static cn_err choose_base(cn_call *call, char *ret)
{
    const char *name = cn_call_string(call, "peerid-base", NULL);
    const cn_multibase *base = NULL;
    if (cn_slice_is(cn_str(name), "b58mh")) {
        *ret = 0;
        return CN_OK;
    }
    cn_err err = cn_multibase_choose(cn_str(name), &base, NULL);
    if (err != CN_OK || base->code > 0x7f) {
        return cn_call_fail(call, CN_ERR_UNSUPPORTED, "unsupported multibase encoding: %s", name);
    }
    *ret = (char)base->code;
    return CN_OK;
}

static cn_err fill_self(cn_node *node, id_answer *a)
{
    cn_slice suffix = cn_config_string(cn_node_config(node), "Version.AgentSuffix", "");
    cn_err err = cn_buf_text(&a->agent, "cairn/" CN_VERSION);
    if (err == CN_OK && suffix.len > 0) {
        err = cn_buf_byte(&a->agent, '/');
    }
    return err != CN_OK || suffix.len == 0 ? err : cn_buf_append(&a->agent, suffix);
}

static cn_err fill(cn_call *call, cn_node *node, id_answer *a)
{
    const cn_identity *own = NULL;
    const cn_identity *shown = NULL;
    cn_identity other = {0};
    bool self = false;
    char base = 0;
    cn_err err = CN_OK;
    CN_TRY(choose_base(call, &base));
    err = cn_node_identity(node, &own, cn_call_why(call));
    if (err != CN_OK) {
        return cn_call_fail_why(call, err);
    }
    if (cn_call_args_len(call) > 0 &&
        cn_identity_parse(cn_call_arg(call, 0), &other, NULL) != CN_OK) {
        return cn_call_fail(call, CN_ERR_MALFORMED, "invalid peer id");
    }
    self = other.id.len == 0 || cn_peer_id_eq(&other.id, &own->id);
    if (!self && !cn_call_flag(call, "offline", NULL)) {
        return cn_call_fail(
            call, CN_ERR_UNSUPPORTED,
            "'ipfs id' cannot query information on remote peers without a running daemon; if you "
            "only want to convert --peerid-base, pass --offline option");
    }
    shown = self ? own : &other;
    CN_TRY(cn_peer_id_encode_text(&shown->id, base, &a->id));
    CN_TRY(cn_base_n_encode(
        CN_BASE64_PAD, cn_slice_of(shown->public_key, shown->public_len), &a->public_key));
    CN_TRY(self ? fill_self(node, a) : cn_buf_printf(&a->address, "/p2p/%s", shown->peer_id));
out:
    return err;
}

static cn_err run_id(cn_call *call)
{
    enum { PART_MAX_BYTES = 64 * 1024 };
    id_answer a;
    cn_node *node = NULL;
    cn_buf *const parts[] = {&a.id, &a.public_key, &a.agent, &a.address};
    for (size_t i = 0; i < CN_LEN(parts); i++) {
        cn_buf_init(parts[i], cn_call_mem(call), PART_MAX_BYTES);
    }
    cn_err err = cn_call_node(call, &node);
    if (err == CN_OK) {
        err = fill(call, node, &a);
    }
    if (err == CN_OK) {
        err = cn_call_emit_once(call, &id_output, &a);
    }
    for (size_t i = 0; i < CN_LEN(parts); i++) {
        cn_buf_release(parts[i]);
    }
    return err;
}

static const cn_arg id_args[] = {
    {"peerid", CN_ARG_OPTIONAL, "Another node's peer id."},
    {.name = NULL},
};

static const cn_opt id_opts[] = {
    {CN_OPT_STRING, "format", "f", NULL,
     "Write this, with <id> <aver> <pubkey> <addrs> <protocols> replaced."},
    {CN_OPT_STRING, "peerid-base", NULL, "b58mh", "Base of the peer id: b58mh or a multibase."},
    {.name = NULL},
};

const cn_command cn_cmd_id = {
    .path = "id",
    .summary = "Show who this node is",
    .about = "Shows the peer id, the public key and the name of the program.",
    .args = id_args,
    .opts = id_opts,
    .output = &id_output,
    .run = run_id,
};
