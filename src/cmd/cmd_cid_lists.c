/*
 * cid bases, cid codecs, cid hashes, multibase list: tables of names and codes.
 */
#include "cmd/commands.h"

#include "codec/json_write.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"

typedef enum list_kind {
    LIST_BASES,
    LIST_CODECS,
    LIST_HASHES,
} list_kind;

/* Row `i` of the multicodec table; false where it is not of this list. */
static bool
row_of(cn_call *call, list_kind kind, size_t i, uint64_t *ret_code, const char **ret_name)
{
    size_t len = 0;
    const cn_multicodec *c = cn_multicodec_list(&len) + i;
    uint8_t digest[CN_DIGEST_MIN_BYTES] = {0};
    cn_multihash mh = {c->code, {digest, sizeof digest}};
    bool ipld = cn_slice_is(cn_str(c->tag), "ipld");
    bool listed = kind == LIST_CODECS ? ipld && (!cn_call_flag(call, "supported", NULL) ||
                                                 cn_multicodec_supported(c->code))
                                      : cn_multihash_allowed(&mh, NULL) == CN_OK;
    *ret_code = c->code;
    *ret_name = c->name;
    return listed;
}

static void put_row(cn_json_writer *j, uint64_t code, const char *name)
{
    cn_json_object(j);
    cn_json_put_uint(j, "Code", code);
    cn_json_put_text(j, "Name", name);
    cn_json_object_end(j);
}

static cn_err list_json(cn_call *call, cn_buf *out, const void *value)
{
    const list_kind *kind = value;
    size_t len = 0;
    cn_json_writer j;
    cn_json_init(&j, out, NULL);
    cn_json_list(&j);
    if (*kind == LIST_BASES) {
        const cn_multibase *bases = cn_multibase_list(&len);
        for (size_t i = 0; i < len && bases[i].in_kubo; i++) {
            put_row(&j, bases[i].code, bases[i].name);
        }
    } else {
        (void)cn_multicodec_list(&len);
        for (size_t i = 0; i < len; i++) {
            uint64_t code = 0;
            const char *name = NULL;
            if (row_of(call, *kind, i, &code, &name)) {
                put_row(&j, code, name);
            }
        }
    }
    cn_json_list_end(&j);
    return cn_json_finish(&j);
}

static cn_err bases_text(cn_call *call, cn_buf *out)
{
    bool prefix = cn_call_flag(call, "prefix", NULL);
    bool numeric = cn_call_flag(call, "numeric", NULL);
    size_t len = 0;
    const cn_multibase *bases = cn_multibase_list(&len);
    cn_err err = CN_OK;
    for (size_t i = 0; i < len && bases[i].in_kubo && err == CN_OK; i++) {
        const char *shown = bases[i].code == 0 ? " " : bases[i].prefix;
        if (prefix) {
            err = cn_buf_printf(out, "%s%s", shown, numeric ? " " : "  ");
        }
        if (numeric && err == CN_OK) {
            err = cn_buf_printf(out, "%7u  ", (unsigned)bases[i].code);
        }
        if (err == CN_OK) {
            err = cn_buf_printf(out, "%s\n", bases[i].name);
        }
    }
    return err;
}

static cn_err list_text(cn_call *call, cn_buf *out, const void *value)
{
    const list_kind *kind = value;
    if (*kind == LIST_BASES) {
        return bases_text(call, out);
    }
    size_t len = 0;
    cn_err err = CN_OK;
    (void)cn_multicodec_list(&len);
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        uint64_t code = 0;
        const char *name = NULL;
        if (!row_of(call, *kind, i, &code, &name)) {
            continue;
        }
        if (cn_call_flag(call, "numeric", NULL)) {
            err = cn_buf_printf(out, "%5llu  ", (unsigned long long)code);
        }
        if (err == CN_OK) {
            err = cn_buf_printf(out, "%s\n", name);
        }
    }
    return err;
}

static const cn_output_type list_output = {"[]CodeAndName", list_json, list_text};

static cn_err run_bases(cn_call *call)
{
    list_kind kind = LIST_BASES;
    return cn_call_emit_once(call, &list_output, &kind);
}

static cn_err run_codecs(cn_call *call)
{
    list_kind kind = LIST_CODECS;
    return cn_call_emit_once(call, &list_output, &kind);
}

static cn_err run_hashes(cn_call *call)
{
    list_kind kind = LIST_HASHES;
    return cn_call_emit_once(call, &list_output, &kind);
}

static const cn_opt bases_opts[] = {
    {CN_OPT_BOOL, "prefix", NULL, NULL, "Each base's prefix character too."},
    {CN_OPT_BOOL, "numeric", NULL, NULL, "Each base's code too."},
    {.name = NULL},
};

static const cn_opt codes_opts[] = {
    {CN_OPT_BOOL, "numeric", "n", NULL, "Each code as a number too."},
    {CN_OPT_BOOL, "supported", "s", NULL, "Only what commands can work with."},
    {.name = NULL},
};

const cn_command cn_cmd_cid_bases = {
    .path = "cid/bases",
    .summary = "List the bases that CIDs may be written in",
    .opts = bases_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &list_output,
    .run = run_bases,
};

const cn_command cn_cmd_multibase_list = {
    .path = "multibase/list",
    .summary = "List the bases",
    .opts = bases_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &list_output,
    .run = run_bases,
};

const cn_command cn_cmd_cid_codecs = {
    .path = "cid/codecs",
    .summary = "List the codecs that CIDs may name",
    .opts = codes_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &list_output,
    .run = run_codecs,
};

const cn_command cn_cmd_cid_hashes = {
    .path = "cid/hashes",
    .summary = "List the hash functions that CIDs may use",
    .opts = codes_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &list_output,
    .run = run_hashes,
};
