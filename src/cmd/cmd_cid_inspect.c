/*
 * cid inspect: what a CID is made of.
 */
#include "cmd/commands.h"

#include "codec/json_write.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"
#include "multiformats/peerid.h"

enum { TEXT_MAX_BYTES = 4096 };

/* What is known of the CID; `error` is set where it is none. */
typedef struct inspected {
    cn_slice text;
    cn_cid cid;
    cn_multihash mh;
    const cn_multibase *base;
    const char *codec;
    const char *hash;
    char v0[CN_CID_TEXT_BYTES]; /* "" if it has none */
    cn_buf v1;
    cn_buf digest;
    const char *error;
} inspected;

static cn_err inspected_json(cn_call *call, cn_buf *out, const void *value)
{
    const inspected *i = value;
    bool bad = i->error != NULL;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "cid", i->text);
    cn_json_put_uint(&j, "version", i->cid.version);
    cn_json_key(&j, "multibase");
    cn_json_object(&j);
    cn_json_put_string(
        &j, "prefix", bad ? cn_str("") : cn_slice_of(i->base->prefix, i->base->prefix_len));
    cn_json_put_text(&j, "name", bad ? "" : i->base->name);
    cn_json_object_end(&j);
    cn_json_key(&j, "multicodec");
    cn_json_object(&j);
    cn_json_put_uint(&j, "code", i->cid.codec);
    cn_json_put_text(&j, "name", bad ? "" : i->codec);
    cn_json_object_end(&j);
    cn_json_key(&j, "multihash");
    cn_json_object(&j);
    cn_json_put_uint(&j, "code", i->mh.code);
    cn_json_put_text(&j, "name", bad ? "" : i->hash);
    cn_json_put_uint(&j, "length", i->mh.digest.len);
    cn_json_put_string(&j, "digest", cn_buf_slice(&i->digest));
    cn_json_object_end(&j);
    if (i->v0[0] != '\0') {
        cn_json_put_text(&j, "cidV0", i->v0);
    }
    cn_json_put_string(&j, "cidV1", cn_buf_slice(&i->v1));
    if (bad) {
        cn_json_put_text(&j, "errorMsg", i->error);
    }
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

/* The line that says the version 0 form, or why there is none. */
static cn_err put_v0(cn_buf *out, const inspected *i)
{
    if (i->v0[0] != '\0') {
        return cn_buf_printf(out, "CIDv0:      %s\n", i->v0);
    }
    if (i->cid.codec != CN_CODEC_DAG_PB) {
        return cn_buf_printf(
            out, "CIDv0:      not possible, requires dag-pb (0x70), got %s (0x%llx)\n", i->codec,
            (unsigned long long)i->cid.codec);
    }
    if (i->mh.code != CN_MH_SHA2_256) {
        return cn_buf_printf(
            out, "CIDv0:      not possible, requires sha2-256 (0x12), got %s (0x%llx)\n", i->hash,
            (unsigned long long)i->mh.code);
    }
    return cn_buf_printf(
        out, "CIDv0:      not possible, requires 32-byte digest, got %zu\n", i->mh.digest.len);
}

static cn_err inspected_text(cn_call *call, cn_buf *out, const void *value)
{
    const inspected *i = value;
    const char *implicit = i->cid.version == 0 ? ", implicit" : "";
    const char *prefix = i->base->code == 0 ? "" : i->base->prefix;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    CN_TRY(cn_buf_text(out, "CID:        "));
    CN_TRY(cn_buf_append(out, i->text));
    CN_TRY(cn_buf_printf(out, "\nVersion:    %u\n", (unsigned)i->cid.version));
    CN_TRY(cn_buf_printf(
        out, "Multibase:  %s (%s)\n", i->base->name, i->cid.version == 0 ? "implicit" : prefix));
    CN_TRY(cn_buf_printf(
        out, "Multicodec: %s (0x%llx%s)\n", i->codec, (unsigned long long)i->cid.codec, implicit));
    CN_TRY(cn_buf_printf(
        out, "Multihash:  %s (0x%llx%s)\n", i->hash, (unsigned long long)i->mh.code, implicit));
    CN_TRY(cn_buf_printf(out, "  Length:   %zu bytes\n  Digest:   ", i->mh.digest.len));
    CN_TRY(cn_buf_append(out, cn_buf_slice(&i->digest)));
    CN_TRY(cn_buf_byte(out, '\n'));
    CN_TRY(put_v0(out, i));
    CN_TRY(cn_buf_text(out, "CIDv1:      "));
    CN_TRY(cn_buf_append(out, cn_buf_slice(&i->v1)));
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

static const cn_output_type inspected_output = {"CidInspectRes", inspected_json, inspected_text};

/* Fill in what follows from the CID. */
static cn_err describe(inspected *i)
{
    const cn_multicodec *codec = cn_multicodec_by_code(i->cid.codec);
    const char *hash = NULL;
    cn_cid v1 = cn_cid_to_v1(&i->cid);
    cn_cid v0 = {0};
    i->mh = cn_cid_multihash(&i->cid);
    hash = cn_multihash_name(i->mh.code);
    i->codec = codec == NULL ? "unknown" : codec->name;
    i->hash = hash == NULL ? "unknown" : hash;
    i->base = i->cid.version == 0 ? cn_multibase_by_code('z') : cn_multibase_of_text(i->text);
    if (cn_cid_make(0, i->cid.codec, &i->mh, &v0) == CN_OK) {
        (void)cn_cid_text(&v0, i->v0);
    }
    cn_err err = cn_hex_encode(i->mh.digest, &i->digest);
    char base = i->cid.codec == CN_CODEC_LIBP2P_KEY ? 'k' : 'b';
    return err == CN_OK ? cn_cid_encode_text(&v1, base, &i->v1) : err;
}

/* The sentence for a text that is no CID, with a hint if it is a peer id. */
static cn_err explain(cn_buf *out, cn_slice text, const char *reason)
{
    cn_peer_id id = {0};
    cn_err err = cn_buf_printf(out, "invalid CID: %s", reason);
    if (err != CN_OK || cn_peer_id_parse(text, &id, NULL) != CN_OK) {
        return err;
    }
    err = cn_buf_text(
        out, "\nNote: the value is a PeerID; inspect its CID representation instead:\n  ");
    return err == CN_OK ? cn_peer_id_encode_text(&id, 'k', out) : err;
}

static cn_err run_inspect(cn_call *call)
{
    inspected i = {.error = NULL};
    cn_buf sentence;
    cn_why why = {{0}};
    cn_err err = CN_OK;
    cn_buf_init(&sentence, cn_call_mem(call), TEXT_MAX_BYTES);
    cn_buf_init(&i.v1, cn_call_mem(call), TEXT_MAX_BYTES);
    cn_buf_init(&i.digest, cn_call_mem(call), TEXT_MAX_BYTES);
    CN_TRY(cn_call_read_args(call));
    i.text = cn_call_arg(call, 0);
    err = cn_cid_parse(i.text, &i.cid, &why);
    if (err == CN_OK) {
        CN_TRY(describe(&i));
    } else {
        CN_TRY(explain(&sentence, i.text, cn_why_text(&why, err)));
        CN_TRY(cn_buf_cstr(&sentence, &i.error));
        if (cn_call_encoding(call) == CN_ENC_TEXT) {
            err = cn_call_fail(call, CN_ERR_USAGE, "%s", i.error);
            goto out;
        }
    }
    CN_TRY(cn_call_emit_once(call, &inspected_output, &i));
out:
    cn_buf_release(&sentence);
    cn_buf_release(&i.v1);
    cn_buf_release(&i.digest);
    return err;
}

static const cn_arg inspect_args[] = {{"cid", CN_ARG_STDIN, "CID to look at"}, {.name = NULL}};

const cn_command cn_cmd_cid_inspect = {
    .path = "cid/inspect",
    .summary = "Show what a CID is made of",
    .args = inspect_args,
    .flags = CN_CMD_NO_REPO,
    .output = &inspected_output,
    .run = run_inspect,
};
