/*
 * `block get`, `block stat`, `block put`: single blocks.
 */
#include "cmd/commands.h"
#include "cmd/content.h"

#include "codec/json_write.h"
#include "multiformats/multicodec.h"
#include "node/import_config.h"
#include "node/node.h"
#include "rt/source.h"
#include "store/pin.h"
#include "store/store.h"

enum { READ_BYTES = 256 << 10 };

typedef struct block_stat {
    cn_cid cid;
    size_t size;
} block_stat;

static cn_err stat_json(cn_call *call, cn_buf *out, const void *value)
{
    const block_stat *s = value;
    cn_json_writer j;
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), 4096);
    cn_err err = cn_call_cid_text(call, &s->cid, &text);
    if (err == CN_OK) {
        cn_json_init(&j, out, NULL);
        cn_json_object(&j);
        cn_json_put_string(&j, "Key", cn_buf_slice(&text));
        cn_json_put_uint(&j, "Size", s->size);
        cn_json_object_end(&j);
        err = cn_json_finish(&j);
    }
    cn_buf_release(&text);
    return err;
}

static cn_err stat_text(cn_call *call, cn_buf *out, const void *value)
{
    const block_stat *s = value;
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "Key: "));
    CN_TRY(cn_call_cid_text(call, &s->cid, out));
    CN_TRY(cn_buf_printf(out, "\nSize: %zu\n", s->size));
out:
    return err;
}

static cn_err put_text(cn_call *call, cn_buf *out, const void *value)
{
    cn_err err = cn_call_cid_text(call, &((const block_stat *)value)->cid, out);
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static const cn_output_type stat_output = {
    .name = "commands.BlockStat", .json = stat_json, .text = stat_text};
static const cn_output_type put_output = {
    .name = "commands.BlockStat", .json = stat_json, .text = put_text};

static cn_err run_block_get(cn_call *call)
{
    cn_content c = {0};
    cn_drive d = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_find(call, cn_call_arg(call, 0), &c));
    CN_TRY(cn_content_drive(call, &d));
    CN_TRY(cn_blocks_get(d.blocks, &c.cid, &d.block, cn_call_why(call)));
    cn_call_set_type(call, "application/vnd.ipld.raw");
    CN_TRY(cn_call_write(call, cn_buf_slice(&d.block)));
out:
    cn_drive_release(&d);
    cn_content_release(&c);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static cn_err run_block_stat(cn_call *call)
{
    cn_content c = {0};
    cn_drive d = {0};
    block_stat s = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_find(call, cn_call_arg(call, 0), &c));
    CN_TRY(cn_content_drive(call, &d));
    CN_TRY(cn_blocks_get(d.blocks, &c.cid, &d.block, cn_call_why(call)));
    s = (block_stat){.cid = c.cid, .size = d.block.len};
    CN_TRY(cn_call_emit_once(call, &stat_output, &s));
out:
    cn_drive_release(&d);
    cn_content_release(&c);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

/* What the options make of a CID. */
typedef struct put_form {
    unsigned version;
    uint64_t codec;
    uint64_t hash;
    size_t digest_bytes; /* 0: the usual */
} put_form;

/* The flag, else the config's Import.HashFunction. A digest of 0 bytes asked for is refused. */
static cn_err choose_hash(cn_call *call, put_form *f)
{
    cn_node *node = NULL;
    cn_import_options usual = {0};
    const char *name = cn_call_string(call, "mhtype", NULL);
    int64_t len = cn_call_int(call, "mhlen", NULL);
    cn_err err = CN_OK;
    if (name != NULL && name[0] != '\0') {
        err = cn_multihash_code(cn_str(name), &f->hash, NULL);
        if (err != CN_OK) {
            return cn_call_fail(call, err, "unrecognized multihash function: %s", name);
        }
    } else {
        CN_TRY(cn_call_node(call, &node));
        CN_TRY(cn_config_import(cn_node_config(node), &usual, cn_call_why(call)));
        f->hash = usual.hash;
    }
    if (len == 0 && f->hash != CN_MH_IDENTITY) {
        const char *known = cn_multihash_name(f->hash);
        return cn_call_fail(
            call, CN_ERR_MALFORMED, "digest too small: %s digest got 0 bytes, minimum %d",
            known != NULL ? known : "this", CN_DIGEST_MIN_BYTES);
    }
    f->digest_bytes = len > 0 ? (size_t)len : 0;
out:
    return err;
}

/* The names that --format, which --cid-codec replaced, goes by. */
static cn_err choose_legacy(cn_call *call, const char *format, put_form *f)
{
    if (!cn_slice_is(cn_str(cn_call_string(call, "cid-codec", NULL)), "raw")) {
        return cn_call_fail(
            call, CN_ERR_USAGE,
            "unable to use \"format\" (deprecated) and a custom \"cid-codec\" at the same time");
    }
    if (cn_slice_is(cn_str(format), "v0")) {
        bool fits = f->hash == CN_MH_SHA2_256 && (f->digest_bytes == 0 || f->digest_bytes == 32);
        f->version = 0;
        f->codec = CN_CODEC_DAG_PB;
        return fits ? CN_OK
                    : cn_call_fail(call, CN_ERR_USAGE, "only sha2-255-32 is allowed with CIDv0");
    }
    const char *name = cn_slice_is(cn_str(format), "protobuf") ? "dag-pb"
                       : cn_slice_is(cn_str(format), "cbor")   ? "dag-cbor"
                                                               : format;
    const cn_multicodec *codec = cn_multicodec_by_name(cn_str(name));
    if (codec == NULL) {
        return cn_call_fail(call, CN_ERR_USAGE, "unknown multicodec: \"%s\"", format);
    }
    f->codec = codec->code;
    return CN_OK;
}

static cn_err choose_form(cn_call *call, put_form *ret)
{
    put_form f = {.version = 1, .codec = CN_CODEC_RAW};
    cn_err err = CN_OK;
    const char *format = cn_call_string(call, "format", NULL);
    const char *name = cn_call_string(call, "cid-codec", NULL);
    CN_TRY(choose_hash(call, &f));
    if (format != NULL && format[0] != '\0') {
        CN_TRY(choose_legacy(call, format, &f));
    } else if (name != NULL && name[0] != '\0') {
        CN_TRY(cn_multicodec_choose(cn_str(name), &f.codec, cn_call_why(call)));
    }
    *ret = f;
out:
    return err;
}

static cn_err make_cid(cn_call *call, const put_form *f, cn_slice data, cn_cid *ret)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_err err = cn_multihash_sum(f->hash, f->digest_bytes, data, digest, &len);
    if (err != CN_OK) {
        return err;
    }
    const cn_multihash mh = {f->hash, cn_slice_of(digest, len)};
    err = cn_multihash_allowed(&mh, cn_call_why(call));
    return err != CN_OK ? err : cn_cid_make(f->version, f->codec, &mh, ret);
}

/* Keep one block, pin it if asked for, and tell its CID. */
static cn_err put_one(cn_call *call, const put_form *form, cn_slice data)
{
    cn_node *node = NULL;
    cn_pins *pins = NULL;
    block_stat s = {.size = data.len};
    cn_latch_hold hold = {0};
    cn_why *why = cn_call_why(call);
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    if (data.len > CN_BLOCK_MAX_BYTES && !cn_call_flag(call, "allow-big-block", NULL)) {
        return cn_call_fail(
            call, CN_ERR_TOO_LARGE,
            "produced block is over 2MiB: big blocks can't be exchanged with other peers. consider "
            "using UnixFS for automatic chunking of bigger files, or pass --allow-big-block to "
            "override");
    }
    CN_TRY(make_cid(call, form, data, &s.cid));
    CN_TRY(cn_content_share(call, &hold));
    CN_TRY(cn_blocks_put(cn_node_blocks(node), &s.cid, data, why));
    CN_TRY(cn_store_flush(cn_node_store(node), why));
    if (cn_call_flag(call, "pin", NULL)) {
        CN_TRY(cn_node_pins(node, &pins, why));
        CN_TRY(cn_pins_set(pins, &s.cid, CN_PIN_RECURSIVE, (cn_slice){0}, why));
    }
    cn_latch_give(&hold);
    cn_call_have(call, &s.cid, 1);
    CN_TRY(cn_call_emit(call, &put_output, &s));
out:
    cn_latch_give(&hold);
    return err;
}

/* All bytes of the file that the source stands at. */
static cn_err read_data(cn_call *call, cn_source *source, cn_buf *ret)
{
    size_t len = 1;
    cn_err err = CN_OK;
    cn_buf_reset(ret);
    while (len > 0) {
        CN_TRY(cn_call_check(call));
        CN_TRY(cn_buf_reserve(ret, READ_BYTES));
        CN_TRY(cn_source_read(source, ret->data + ret->len, READ_BYTES, &len, cn_call_why(call)));
        ret->len += len;
    }
out:
    return err;
}

static cn_err run_block_put(cn_call *call)
{
    cn_source *source = cn_call_files(call);
    cn_source_entry entry = {.kind = CN_SOURCE_FILE};
    put_form form = {0};
    cn_buf data;
    cn_err err = CN_OK;
    cn_buf_init(&data, cn_call_mem(call), CN_STORE_BLOCK_MAX_BYTES + READ_BYTES);
    CN_TRY(choose_form(call, &form));
    while (source != NULL && entry.kind != CN_SOURCE_END) {
        CN_TRY(cn_source_next(source, &entry, cn_call_why(call)));
        if (entry.kind == CN_SOURCE_FILE) {
            CN_TRY(read_data(call, source, &data));
            CN_TRY(put_one(call, &form, cn_buf_slice(&data)));
        } else if (entry.kind != CN_SOURCE_END) {
            CN_TRY(cn_call_fail(call, CN_ERR_USAGE, "expected a file"));
        }
    }
out:
    cn_buf_release(&data);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static const cn_arg cid_arg[] = {{"cid", CN_ARG_STDIN, "CID or path of a block"}, {0}};

static const cn_arg put_args[] = {
    {"data", CN_ARG_VARIADIC | CN_ARG_STDIN | CN_ARG_FILE, "the bytes to keep as a block"},
    {0},
};

static const cn_opt put_opts[] = {
    {CN_OPT_STRING, "cid-codec", NULL, "raw", "codec that the CID names"},
    {CN_OPT_STRING, "mhtype", NULL, NULL, "hash function"},
    {CN_OPT_INT, "mhlen", NULL, "-1", "bytes of the digest"},
    {CN_OPT_BOOL, "pin", NULL, "false", "pin the block recursively"},
    {CN_OPT_BOOL, "allow-big-block", NULL, "false", "take more than 2 MiB"},
    {CN_OPT_STRING, "format", "f", NULL, "old name of cid-codec, with v0, cbor and protobuf"},
    {0},
};

const cn_command cn_cmd_block_get = {
    .path = "block/get",
    .summary = "Write a block as it is stored",
    .args = cid_arg,
    .run = run_block_get,
};

const cn_command cn_cmd_block_stat = {
    .path = "block/stat",
    .summary = "Tell a block's CID and size",
    .args = cid_arg,
    .output = &stat_output,
    .run = run_block_stat,
};

const cn_command cn_cmd_block_put = {
    .path = "block/put",
    .summary = "Keep bytes as a block",
    .args = put_args,
    .opts = put_opts,
    .output = &put_output,
    .run = run_block_put,
};
