/*
 * What flags and config make of an import. A flag wins over the config, the config over the
 * defaults; the order of checks, and their sentences, are Kubo's.
 */
#include "cmd/add_internal.h"

#include "node/import_config.h"
#include "node/node.h"

enum { PIN_NAME_MAX_BYTES = 255, NSECS_MAX = 999999999 };

cn_err cn_add_prepare(cn_call *call)
{
    bool quiet = cn_call_flag(call, "quiet", NULL) || cn_call_flag(call, "quieter", NULL) ||
                 cn_call_flag(call, "silent", NULL);
    if (!quiet && !cn_call_given(call, "progress")) {
        return cn_call_set_flag(call, "progress", cn_call_has_terminal(call));
    }
    return CN_OK;
}

/* What cannot be had here at all. */
static cn_err refuse_unbuilt(cn_call *call)
{
    static const char *const unbuilt[] = {"to-files", "nocopy"};
    for (size_t i = 0; i < CN_LEN(unbuilt); i++) {
        if (i == 0 ? cn_call_given(call, unbuilt[i]) : cn_call_flag(call, unbuilt[i], NULL)) {
            return cn_call_fail(
                call, CN_ERR_UNSUPPORTED, "add --%s is not built yet in cairn", unbuilt[i]);
        }
    }
    return CN_OK;
}

static cn_err check_inline_and_name(cn_call *call)
{
    int64_t limit = cn_call_int(call, "inline-limit", NULL);
    const char *name = cn_call_string(call, "pin-name", NULL);
    if (cn_call_flag(call, "inline", NULL) && limit > CN_IMPORT_INLINE_MAX_BYTES) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "inline-limit %lld exceeds maximum allowed size of %d bytes",
            (long long)limit, CN_IMPORT_INLINE_MAX_BYTES);
    }
    if (name != NULL && cn_str(name).len > PIN_NAME_MAX_BYTES) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "pin name is %zu bytes (max %d bytes)", cn_str(name).len,
            PIN_NAME_MAX_BYTES);
    }
    return CN_OK;
}

/* Flags that replace what the config says about shape. */
static cn_err shape(cn_call *call, cn_import_options *o)
{
    bool given = false;
    bool flag = false;
    int64_t n = 0;
    cn_err err = CN_OK;
    const char *text = cn_call_string(call, "chunker", NULL);
    if (text != NULL && text[0] != '\0') {
        CN_TRY(cn_chunker_parse(cn_str(text), &o->chunker, cn_call_why(call)));
    }
    text = cn_call_string(call, "hash", NULL);
    if (text != NULL && text[0] != '\0') {
        CN_TRY(cn_config_hash(cn_str(text), &o->hash, cn_call_why(call)));
    }
    flag = cn_call_flag(call, "trickle", &given);
    if (given) {
        o->layout = flag ? CN_LAYOUT_TRICKLE : CN_LAYOUT_BALANCED;
    }
    flag = cn_call_flag(call, "raw-leaves", &given);
    if (given) {
        o->raw_leaves = flag ? CN_CHOICE_YES : CN_CHOICE_NO;
    }
    n = cn_call_int(call, "cid-version", &given);
    if (given) {
        o->cid_version = (int)n;
    }
    n = cn_call_int(call, "max-file-links", &given);
    if (given) {
        o->file_links_max = n < 0 ? 0 : (size_t)n;
    }
    n = cn_call_int(call, "max-directory-links", &given);
    if (given) {
        o->dir_links_max = n < 0 ? 0 : (size_t)n;
    }
    n = cn_call_int(call, "max-hamt-fanout", &given);
    if (given) {
        o->hamt_fanout = n < 0 ? 0 : (unsigned)n;
    }
    o->inline_blocks = cn_call_flag(call, "inline", NULL);
    n = cn_call_int(call, "inline-limit", NULL);
    o->inline_limit_bytes = n < 0 ? 0 : (size_t)n;
out:
    return err;
}

/* --mode is read as Go's FileMode, whose setuid, setgid and sticky bits lie above the rest. */
static uint32_t mode_of(uint64_t go)
{
    return (uint32_t)((go & 0xC00000) >> 12 | (go & 0x100000) >> 11 | (go & 0x1FF));
}

/* Mode and mtime need a node to stand in, so leaves cannot be raw. */
static cn_err metadata(cn_call *call, cn_import_options *o)
{
    uint64_t mode = cn_call_uint(call, "mode", NULL);
    int64_t mtime = cn_call_int(call, "mtime", NULL);
    uint64_t nsecs = cn_call_uint(call, "mtime-nsecs", NULL);
    o->preserve_mode = cn_call_flag(call, "preserve-mode", NULL);
    o->preserve_mtime = cn_call_flag(call, "preserve-mtime", NULL);
    o->has_mode = mode != 0;
    o->mode = mode_of(mode);
    o->has_mtime = mtime != 0;
    o->mtime_s = mtime;
    o->mtime_ns = (uint32_t)nsecs;
    if (o->preserve_mode || o->preserve_mtime || o->has_mode || o->has_mtime) {
        if (o->raw_leaves == CN_CHOICE_YES) {
            return cn_call_fail(
                call, CN_ERR_USAGE,
                "raw-leaves can't be used with UnixFS metadata like mode or modification time");
        }
        o->raw_leaves = CN_CHOICE_NO;
    }
    return CN_OK;
}

static cn_err check_together(cn_call *call, const cn_import_options *o)
{
    bool pin = cn_call_flag(call, "pin", NULL) && !cn_call_flag(call, "only-hash", NULL);
    if (!pin && cn_call_given(call, "pin-name")) {
        return cn_call_fail(call, CN_ERR_USAGE, "pin-name option requires pin to be set");
    }
    if (!o->has_mtime && cn_call_uint(call, "mtime-nsecs", NULL) != 0) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "option \"mtime-nsecs\" requires \"mtime\" to be provided as well");
    }
    if (o->has_mtime && o->mtime_ns > NSECS_MAX) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "mtime nanoseconds must be in range [1, %d]", NSECS_MAX);
    }
    return CN_OK;
}

cn_err cn_add_options(cn_call *call, cn_import_options *ret)
{
    cn_node *node = NULL;
    cn_why *why = cn_call_why(call);
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(refuse_unbuilt(call));
    CN_TRY(check_inline_and_name(call));
    CN_TRY(cn_config_import(cn_node_config(node), ret, why));
    CN_TRY(shape(call, ret));
    CN_TRY(metadata(call, ret));
    CN_TRY(check_together(call, ret));
    CN_TRY(cn_import_options_settle(ret, why));
out:
    return err;
}
