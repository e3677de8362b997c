/*
 * `id`: who this node, or another, is.
 */
#include "cmd/commands.h"
#include "cmd/id_answer.h"
#include "cmd/online.h"
#include "cmd/version.h"
#include "codec/base_n.h"
#include "codec/json_write.h"
#include "multiformats/multibase.h"
#include "node/node.h"

#define TOLD_STEP_NS (20 * CN_NS_PER_MS)
enum { TOLD_TRIES_MAX = 250 };

static cn_err id_value(cn_buf *out, const cn_id_answer *a, const char *indent)
{
    cn_json_writer j;
    cn_json_init(&j, out, indent);
    cn_id_answer_json(&j, a);
    return cn_json_finish(&j);
}

static cn_err id_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    return id_value(out, value, NULL);
}

/* A list, one a line. */
static cn_err put_lines(const cn_strings *list, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < list->len; i++) {
        err = cn_buf_printf(out, "%s%s", i == 0 ? "" : "\n", cn_strings_get(list, i));
    }
    return err;
}

/* Replace the token that `format` begins with, or copy a byte; *ret_used: how much that was. */
static cn_err put_token(cn_slice format, const cn_id_answer *a, cn_buf *out, size_t *ret_used)
{
    const struct {
        const char *token;
        cn_slice value;
        const cn_strings *list;
    } tokens[] = {
        {"<id>", cn_buf_slice(&a->id), NULL},
        {"<aver>", cn_buf_slice(&a->agent), NULL},
        {"<pubkey>", cn_buf_slice(&a->public_key), NULL},
        {"<addrs>", {0}, &a->addresses},
        {"<protocols>", {0}, &a->protocols},
        {"\\n", cn_str("\n"), NULL},
        {"\\t", cn_str("\t"), NULL},
    };
    for (size_t i = 0; i < CN_LEN(tokens); i++) {
        if (cn_slice_starts(format, cn_str(tokens[i].token))) {
            *ret_used = strlen(tokens[i].token);
            return tokens[i].list == NULL ? cn_buf_append(out, tokens[i].value)
                                          : put_lines(tokens[i].list, out);
        }
    }
    *ret_used = 1;
    return cn_buf_byte(out, format.data[0]);
}

/* The format with its tokens replaced; \n and \t stand for what they are called. */
static cn_err id_format(cn_slice format, const cn_id_answer *a, cn_buf *out)
{
    cn_err err = CN_OK;
    while (err == CN_OK && format.len > 0) {
        size_t used = 0;
        err = put_token(format, a, out, &used);
        format = cn_slice_skip(format, used);
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

/* What is known here without asking anybody. */
static cn_err fill_self(cn_node *node, cn_id_answer *a)
{
    cn_slice suffix = cn_config_string(cn_node_config(node), "Version.AgentSuffix", "");
    cn_err err = cn_buf_text(&a->agent, "cairn/" CN_VERSION);
    if (err == CN_OK && suffix.len > 0) {
        err = cn_buf_byte(&a->agent, '/');
    }
    return err != CN_OK || suffix.len == 0 ? err : cn_buf_append(&a->agent, suffix);
}

/* What is asked of the loop. */
typedef struct id_ask {
    const cn_peer_id *peer; /* NULL: ourselves */
    cn_id_answer *answer;
    bool known;
} id_ask;

static void reset_told(cn_id_answer *a)
{
    cn_buf_reset(&a->public_key);
    cn_buf_reset(&a->agent);
    cn_strings_reset(&a->addresses);
    cn_strings_reset(&a->protocols);
}

static cn_err gather(cn_network *n, void *ctx)
{
    id_ask *ask = ctx;
    return ask->peer == NULL ? cn_id_answer_of_self(n, ask->answer)
                             : cn_id_answer_of_peer(n, ask->peer, ask->answer, &ask->known);
}

/* Ask until it has told what it speaks; a while later, go with what is known. */
static cn_err gather_told(cn_call *call, cn_network *n, id_ask *ask)
{
    cn_err err = CN_OK;
    for (int i = 0; err == CN_OK && ask->answer->protocols.len == 0 && i < TOLD_TRIES_MAX; i++) {
        CN_TRY(i == 0 ? CN_OK : cn_call_sleep(call, TOLD_STEP_NS));
        reset_told(ask->answer);
        err = cn_call_on_loop(call, n, gather, ask);
    }
out:
    return err;
}

/* Connect, so that identify tells who is there; then say it. */
static cn_err fill_peer(cn_call *call, cn_network *n, const cn_peer_id *peer, cn_id_answer *a)
{
    id_ask ask = {.peer = peer, .answer = a};
    cn_connect_task task;
    const char *sentence = NULL;
    cn_connect_task_init(&task, cn_call_mem(call), peer);
    cn_err err = cn_call_connect(call, n, &task);
    if (err != CN_OK && cn_buf_cstr(&task.sentence, &sentence) == CN_OK) {
        err = cn_call_fail(call, err == CN_ERR_TIMEOUT ? CN_ERR_IO : err, "%s", sentence);
    }
    cn_buf_release(&task.sentence);
    return err != CN_OK ? err : gather_told(call, n, &ask);
}

static cn_err fill_key(cn_id_answer *a, const cn_identity *who)
{
    return cn_base_n_encode(
        CN_BASE64_PAD, cn_slice_of(who->public_key, who->public_len), &a->public_key);
}

static cn_err fill_other(cn_call *call, cn_network *n, const cn_identity *other, cn_id_answer *a)
{
    cn_err err = CN_OK;
    if (n != NULL && !cn_call_flag(call, "offline", NULL)) {
        return fill_peer(call, n, &other->id, a);
    }
    if (!cn_call_flag(call, "offline", NULL)) {
        return cn_call_fail(
            call, CN_ERR_UNSUPPORTED,
            "'ipfs id' cannot query information on remote peers without a running daemon; if you "
            "only want to convert --peerid-base, pass --offline option");
    }
    CN_TRY(fill_key(a, other));
    CN_TRY(cn_strings_printf(&a->addresses, "/p2p/%s", other->peer_id));
out:
    return err;
}

static cn_err fill(cn_call *call, cn_node *node, cn_id_answer *a)
{
    const cn_identity *own = NULL;
    cn_network *n = cn_node_network(node);
    cn_identity other = {0};
    id_ask ask = {.answer = a};
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
    CN_TRY(cn_peer_id_encode_text(self ? &own->id : &other.id, base, &a->id));
    if (!self) {
        return fill_other(call, n, &other, a);
    }
    CN_TRY(fill_key(a, own));
    CN_TRY(fill_self(node, a));
    if (n != NULL) {
        CN_TRY(cn_call_on_loop(call, n, gather, &ask));
    }
out:
    return err;
}

static cn_err run_id(cn_call *call)
{
    cn_id_answer a;
    cn_node *node = NULL;
    cn_id_answer_init(&a, cn_call_mem(call));
    cn_err err = cn_call_node(call, &node);
    if (err == CN_OK) {
        err = fill(call, node, &a);
    }
    if (err == CN_OK) {
        err = cn_call_emit_once(call, &id_output, &a);
    }
    cn_id_answer_release(&a);
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
    .about = "Shows the peer id, the public key and the name of the program; for a daemon with a\n"
             "network also its addresses and protocols. Another node is connected to and asked.",
    .args = id_args,
    .opts = id_opts,
    .output = &id_output,
    .run = run_id,
};
