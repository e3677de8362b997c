/*
 * `resolve`: the immutable path that a path stands for.
 */
#include "cmd/commands.h"
#include "cmd/content.h"

#include "codec/json_write.h"

static cn_err path_json(cn_call *call, cn_buf *out, const void *value)
{
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "Path", cn_buf_slice(value));
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err path_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    cn_err err = cn_buf_append(out, cn_buf_slice(value));
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static const cn_output_type path_output = {
    .name = "name.ResolvedPath", .json = path_json, .text = path_text};

/* The CID in the base asked for, else in the base that the path's own root is written in. */
static cn_err write_cid(cn_call *call, const cn_content *c, cn_buf *out)
{
    const char *asked = cn_call_string(call, "cid-base", NULL);
    bool upgrade = cn_call_flag(call, "upgrade-cidv0-in-output", NULL);
    if ((asked != NULL && asked[0] != '\0') || upgrade || c->path.root.version == 0) {
        return cn_call_cid_text(call, &c->cid, out);
    }
    cn_cid v1 = cn_cid_to_v1(&c->cid);
    return cn_cid_encode_text(&v1, (char)c->path.root_text.data[0], out);
}

static cn_err run_resolve(cn_call *call)
{
    cn_content c = {0};
    cn_buf out;
    cn_err err = CN_OK;
    cn_buf_init(&out, cn_call_mem(call), CN_IPFS_PATH_MAX_BYTES + CN_CID_TEXT_BYTES);
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_find(call, cn_call_arg(call, 0), &c));
    CN_TRY(cn_buf_printf(&out, "/%s/", cn_namespace_name(c.path.ns)));
    CN_TRY(write_cid(call, &c, &out));
    if (c.rest.len > 0) {
        CN_TRY(cn_buf_byte(&out, '/'));
        CN_TRY(cn_buf_append(&out, c.rest));
    }
    CN_TRY(cn_call_emit_once(call, &path_output, &out));
out:
    cn_content_release(&c);
    cn_buf_release(&out);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static const cn_arg resolve_args[] = {
    {"name", CN_ARG_STDIN, "the path to resolve"},
    {0},
};

static const cn_opt resolve_opts[] = {
    {CN_OPT_BOOL, "recursive", "r", "true", "resolve until the result is an IPFS path"},
    {CN_OPT_INT, "dht-record-count", "dhtrc", NULL, NULL},
    {CN_OPT_STRING, "dht-timeout", "dhtt", NULL, NULL},
    {0},
};

const cn_command cn_cmd_resolve = {
    .path = "resolve",
    .summary = "Resolve a path to the CID it stands for",
    .args = resolve_args,
    .opts = resolve_opts,
    .output = &path_output,
    .run = run_resolve,
};
