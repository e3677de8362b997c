/*
 * multibase encode, decode, transcode: bytes as text in any base, and back.
 */
#include "cmd/commands.h"

#include "multiformats/multibase.h"

enum { FILE_MAX_BYTES = 64 << 20, TEXT_MAX_BYTES = 9 * (64 << 20) };

static cn_err read_file(cn_call *call, cn_buf *ret)
{
    cn_buf_init(ret, cn_call_mem(call), FILE_MAX_BYTES);
    return cn_call_read_file(call, ret);
}

static cn_err choose(cn_call *call, const cn_multibase **ret)
{
    const char *name = cn_call_string(call, "b", NULL);
    cn_err err = cn_multibase_choose(cn_str(name), ret, cn_call_why(call));
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

/* The bytes that the file's text stands for, in one of Kubo's bases. */
static cn_err read_text(cn_call *call, cn_buf *ret)
{
    cn_buf text = {0};
    cn_why why = {{0}};
    const cn_multibase *base = NULL;
    cn_err err = CN_OK;
    cn_buf_init(ret, cn_call_mem(call), FILE_MAX_BYTES);
    CN_TRY(read_file(call, &text));
    base = cn_multibase_of_text(cn_buf_slice(&text));
    if (base != NULL && !base->in_kubo) {
        err = cn_why_set(&why, CN_ERR_UNSUPPORTED, "selected encoding not supported");
    } else {
        err = cn_multibase_decode(cn_buf_slice(&text), ret, NULL, &why);
    }
    if (err != CN_OK) {
        err = cn_call_fail(call, err, "failed to decode multibase: %s", cn_why_text(&why, err));
    }
out:
    cn_buf_release(&text);
    return err;
}

static cn_err write_in(cn_call *call, const cn_multibase *base, cn_slice bytes)
{
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), TEXT_MAX_BYTES);
    cn_err err = cn_multibase_encode(base, bytes, &text);
    if (err == CN_OK) {
        err = cn_call_write(call, cn_buf_slice(&text));
    }
    cn_buf_release(&text);
    return err;
}

static cn_err run_encode(cn_call *call)
{
    const cn_multibase *base = NULL;
    cn_buf bytes = {0};
    cn_err err = CN_OK;
    CN_TRY(choose(call, &base));
    CN_TRY(read_file(call, &bytes));
    CN_TRY(write_in(call, base, cn_buf_slice(&bytes)));
out:
    cn_buf_release(&bytes);
    return err;
}

static cn_err run_decode(cn_call *call)
{
    cn_buf bytes = {0};
    cn_err err = read_text(call, &bytes);
    if (err == CN_OK) {
        err = cn_call_write(call, cn_buf_slice(&bytes));
    }
    cn_buf_release(&bytes);
    return err;
}

static cn_err run_transcode(cn_call *call)
{
    const cn_multibase *base = NULL;
    cn_buf bytes = {0};
    cn_err err = CN_OK;
    CN_TRY(choose(call, &base));
    CN_TRY(read_text(call, &bytes));
    CN_TRY(write_in(call, base, cn_buf_slice(&bytes)));
out:
    cn_buf_release(&bytes);
    return err;
}

static const cn_opt base_opts[] = {
    {CN_OPT_STRING, "b", NULL, "base64url", "Base to write: a name or a prefix character."},
    {.name = NULL},
};
static const cn_arg encode_args[] = {
    {"file", CN_ARG_FILE | CN_ARG_STDIN, "bytes to encode"}, {.name = NULL}};
static const cn_arg decode_args[] = {
    {"encoded_file", CN_ARG_FILE | CN_ARG_STDIN, "text to decode"}, {.name = NULL}};

const cn_command cn_cmd_multibase_encode = {
    .path = "multibase/encode",
    .summary = "Write bytes as text in a base",
    .args = encode_args,
    .opts = base_opts,
    .flags = CN_CMD_NO_REPO,
    .run = run_encode,
};

const cn_command cn_cmd_multibase_decode = {
    .path = "multibase/decode",
    .summary = "Give back the bytes that a text stands for",
    .args = decode_args,
    .flags = CN_CMD_NO_REPO,
    .run = run_decode,
};

const cn_command cn_cmd_multibase_transcode = {
    .path = "multibase/transcode",
    .summary = "Write text of one base in another",
    .args = decode_args,
    .opts = base_opts,
    .flags = CN_CMD_NO_REPO,
    .run = run_transcode,
};
