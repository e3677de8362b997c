/*
 * cid format, cid base32: CIDs in other versions, codecs, bases and shapes. A CID that cannot be
 * converted does not stop the others; on the command line its reason goes to standard error.
 */
#include "cmd/commands.h"

#include "codec/json_write.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"

enum { TEXT_MAX_BYTES = 1 << 20, TO_ANY = -1 };

typedef struct options {
    const char *format;
    const cn_multibase *base; /* NULL: that of the text */
    uint64_t codec;
    bool has_codec;
    int version; /* 0, 1, or TO_ANY */
} options;

/* One answer. */
typedef struct formatted {
    cn_slice cid;
    cn_slice text;
    const char *error; /* "" if none */
} formatted;

static cn_err formatted_json(cn_call *call, cn_buf *out, const void *value)
{
    const formatted *f = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "CidStr", f->cid);
    cn_json_put_string(&j, "Formatted", f->text);
    cn_json_put_text(&j, "ErrorMsg", f->error);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static const cn_output_type formatted_output = {"CidFormatRes", formatted_json, NULL};

static cn_err put_codec(cn_buf *out, uint64_t code)
{
    const cn_multicodec *found = cn_multicodec_by_code(code);
    return found != NULL ? cn_buf_text(out, found->name)
                         : cn_buf_printf(out, "Code(%llu)", (unsigned long long)code);
}

static cn_err put_hash(cn_buf *out, uint64_t code)
{
    const char *name = cn_multihash_name(code);
    return name != NULL ? cn_buf_text(out, name)
                        : cn_buf_printf(out, "hash?%llu", (unsigned long long)code);
}

static cn_err put_prefix(cn_buf *out, const cn_cid *cid, const cn_multihash *mh)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(out, "cidv%u-", (unsigned)cid->version));
    CN_TRY(put_codec(out, cid->codec));
    CN_TRY(cn_buf_byte(out, '-'));
    CN_TRY(put_hash(out, mh->code));
    CN_TRY(cn_buf_printf(out, "-%zu", mh->digest.len));
out:
    return err;
}

/* What the letter behind a '%' stands for. UNSUPPORTED: no such letter. */
static cn_err put_part(cn_buf *out, uint8_t letter, const cn_cid *cid, const cn_multibase *base)
{
    cn_multihash mh = cn_cid_multihash(cid);
    switch (letter) {
    case '%':
        return cn_buf_byte(out, '%');
    case 'b':
        return cn_buf_text(out, base->name);
    case 'B':
        return cn_buf_byte(out, (uint8_t)base->code);
    case 'v':
        return cn_buf_printf(out, "cidv%u", (unsigned)cid->version);
    case 'V':
        return cn_buf_printf(out, "%u", (unsigned)cid->version);
    case 'c':
        return put_codec(out, cid->codec);
    case 'C':
        return cn_buf_printf(out, "%llu", (unsigned long long)cid->codec);
    case 'h':
        return put_hash(out, mh.code);
    case 'H':
        return cn_buf_printf(out, "%llu", (unsigned long long)mh.code);
    case 'L':
        return cn_buf_printf(out, "%zu", mh.digest.len);
    case 'm':
        return cn_multibase_encode(base, cn_cid_key(cid), out);
    case 'M':
        return cn_base_n_encode(base->base, cn_cid_key(cid), out);
    case 'd':
        return cn_multibase_encode(base, mh.digest, out);
    case 'D':
        return cn_base_n_encode(base->base, mh.digest, out);
    case 's':
        return cn_cid_encode_multibase(cid, base, out);
    case 'S':
        return cn_base_n_encode(base->base, cn_cid_bytes(cid), out);
    case 'P':
        return put_prefix(out, cid, &mh);
    default:
        return CN_ERR_UNSUPPORTED;
    }
}

static cn_err put_format(
    cn_call *call, cn_buf *out, const char *format, const cn_cid *cid, const cn_multibase *base)
{
    cn_err err = CN_OK;
    for (size_t i = 0; format[i] != '\0' && err == CN_OK; i++) {
        if (format[i] != '%') {
            err = cn_buf_byte(out, (uint8_t)format[i]);
            continue;
        }
        i++;
        if (format[i] == '\0') {
            return cn_call_fail(call, CN_ERR_USAGE, "premature end of format string");
        }
        err = put_part(out, (uint8_t)format[i], cid, base);
        if (err == CN_ERR_UNSUPPORTED) {
            return cn_call_fail(
                call, CN_ERR_USAGE, "unrecognized specifier in format string: %%%c", format[i]);
        }
    }
    return err;
}

/* The CID in the codec and version wanted. */
static cn_err convert(const options *o, cn_cid *cid, cn_why *why)
{
    cn_multihash mh = cn_cid_multihash(cid);
    cn_cid made = *cid;
    cn_err err = CN_OK;
    if (o->has_codec && o->codec != cid->codec) {
        CN_TRY(cn_cid_make(1, o->codec, &mh, &made));
    }
    if (o->version == 0 && made.codec != CN_CODEC_DAG_PB) {
        return cn_why_set(why, CN_ERR_USAGE, "can't convert non-dag-pb nodes to cidv0");
    }
    if (o->version == 0) {
        err = cn_cid_make(0, made.codec, &mh, &made);
        if (err != CN_OK) {
            return cn_why_set(
                why, err, "invalid cid: invalid hash for cidv0 %llu-%zu",
                (unsigned long long)mh.code, mh.digest.len);
        }
    }
    *cid = o->version == 1 ? cn_cid_to_v1(&made) : made;
out:
    return err;
}

/* The base of the text a CID was given in, for when none was asked for. */
static const cn_multibase *base_of(cn_slice text, const cn_cid *cid)
{
    bool bare = text.len == 46 && cn_slice_starts(text, cn_str("Qm"));
    return bare || cid->version == 0 ? cn_multibase_by_code('z') : cn_multibase_of_text(text);
}

static cn_err emit(cn_call *call, const formatted *f, bool *failed)
{
    if (!cn_call_is_cli(call)) {
        return cn_call_emit(call, &formatted_output, f);
    }
    if (f->error[0] != '\0') {
        cn_call_note(call, "%.*s: %s\n", (int)f->cid.len, (const char *)f->cid.data, f->error);
        *failed = true;
        return CN_OK;
    }
    cn_err err = cn_call_write(call, f->text);
    return err == CN_OK ? cn_call_write(call, cn_str("\n")) : err;
}

static cn_err one(cn_call *call, const options *o, cn_slice text, bool *failed)
{
    cn_cid cid = {0};
    cn_why why = {{0}};
    cn_buf out;
    formatted f = {.cid = text, .error = ""};
    cn_buf_init(&out, cn_call_mem(call), TEXT_MAX_BYTES);
    cn_err err = cn_cid_parse(text, &cid, &why);
    if (err == CN_OK) {
        err = convert(o, &cid, &why);
    }
    if (err == CN_OK) {
        const cn_multibase *base = o->base != NULL ? o->base : base_of(text, &cid);
        CN_TRY(put_format(call, &out, o->format, &cid, base));
        f.text = cn_buf_slice(&out);
    } else {
        f.error = cn_why_text(&why, err);
    }
    CN_TRY(emit(call, &f, failed));
out:
    cn_buf_release(&out);
    return err;
}

static cn_slice trimmed(cn_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\r')) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 &&
           (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t' || s.data[s.len - 1] == '\r')) {
        s.len--;
    }
    return s;
}

static cn_err all(cn_call *call, const options *o)
{
    bool failed = false;
    bool have = false;
    bool given = cn_call_args_len(call) > 0;
    cn_slice text = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_call_next_arg(call, &text, &have));
    while (have) {
        CN_TRY(one(call, o, given ? text : trimmed(text), &failed));
        CN_TRY(cn_call_next_arg(call, &text, &have));
    }
    if (failed) {
        err = cn_call_fail(call, CN_ERR_USAGE, "errors while displaying some entries");
    }
out:
    return err;
}

/* -v, which depends on the others. */
static cn_err choose_version(cn_call *call, const char *base, options *o)
{
    const char *version = cn_call_string(call, "v", NULL);
    cn_slice v = cn_str(version);
    if (v.len == 0) {
        o->version = base[0] == '\0' ? TO_ANY : 1;
        return CN_OK;
    }
    if (cn_slice_is(v, "1")) {
        o->version = 1;
        return CN_OK;
    }
    if (!cn_slice_is(v, "0")) {
        return cn_call_fail(call, CN_ERR_USAGE, "invalid cid version: \"%s\"", version);
    }
    if (o->has_codec && o->codec != CN_CODEC_DAG_PB) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "cannot convert to CIDv0 with any codec other than dag-pb");
    }
    if (base[0] != '\0' && !cn_slice_is(cn_str(base), "base58btc")) {
        return cn_call_fail(
            call, CN_ERR_USAGE,
            "cannot convert to CIDv0 with any multibase other than the implicit base58btc");
    }
    o->version = 0;
    return CN_OK;
}

static cn_err run_format(cn_call *call)
{
    options o = {.format = cn_call_string(call, "f", NULL)};
    const char *codec = cn_call_string(call, "mc", NULL);
    const char *base = cn_call_string(call, "b", NULL);
    cn_err err = CN_OK;
    base = base == NULL ? "" : base;
    if (cn_slice_find(cn_str(o.format), '%') == strlen(o.format)) {
        return cn_call_fail(call, CN_ERR_USAGE, "invalid format string: \"%s\"", o.format);
    }
    if (codec != NULL && codec[0] != '\0') {
        err = cn_multicodec_choose(cn_str(codec), &o.codec, cn_call_why(call));
        if (err != CN_OK) {
            return cn_call_fail_why(call, err);
        }
        o.has_codec = o.codec != 0;
    }
    CN_TRY(choose_version(call, base, &o));
    if (base[0] != '\0') {
        err = cn_multibase_choose(cn_str(base), &o.base, cn_call_why(call));
        if (err != CN_OK) {
            return cn_call_fail_why(call, err);
        }
    }
    CN_TRY(all(call, &o));
out:
    return err;
}

static cn_err run_base32(cn_call *call)
{
    options o = {.format = "%s", .base = cn_multibase_by_code('b'), .version = 1};
    return all(call, &o);
}

static const cn_arg cid_args[] = {
    {"cid", CN_ARG_VARIADIC | CN_ARG_STDIN, "CIDs to convert"}, {.name = NULL}};

static const cn_opt format_opts[] = {
    {CN_OPT_STRING, "f", NULL, "%s", "Shape: text with % and a letter for each part."},
    {CN_OPT_STRING, "v", NULL, NULL, "Version to convert to."},
    {CN_OPT_STRING, "mc", NULL, NULL, "Codec to convert to."},
    {CN_OPT_STRING, "b", NULL, NULL, "Base to write the CID in."},
    {.name = NULL},
};

const cn_command cn_cmd_cid_format = {
    .path = "cid/format",
    .summary = "Write CIDs in another version, codec, base or shape",
    .about = "The shape is text in which these stand for parts of the CID:\n"
             "  %%  a per cent sign\n"
             "  %b  base name               %B  base code\n"
             "  %v  version (\"cidv1\")       %V  version number\n"
             "  %c  codec name              %C  codec code\n"
             "  %h  hash function name      %H  hash function code\n"
             "  %L  digest length in bytes\n"
             "  %m  multihash in base %b    %M  the same without prefix\n"
             "  %d  digest in base %b       %D  the same without prefix\n"
             "  %s  CID in base %b          %S  the same without prefix\n"
             "  %P  %v-%c-%h-%L\n",
    .args = cid_args,
    .opts = format_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &formatted_output,
    .run = run_format,
};

const cn_command cn_cmd_cid_base32 = {
    .path = "cid/base32",
    .summary = "Write CIDs as version 1 in base32",
    .args = cid_args,
    .flags = CN_CMD_NO_REPO,
    .output = &formatted_output,
    .run = run_base32,
};
