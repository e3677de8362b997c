/*
 * Reads Import.* key by key; each check and sentence is Kubo's.
 */
#include "node/import_config.h"

#include "multiformats/multicodec.h"

static bool get_number(const cn_config *c, const char *key, int64_t *ret)
{
    if (cn_config_get(c, key) == NULL) {
        return false;
    }
    *ret = cn_config_i64(c, key, *ret);
    return true;
}

static bool get_text(const cn_config *c, const char *key, cn_slice *ret)
{
    *ret = cn_config_string(c, key, "");
    return cn_config_get(c, key) != NULL;
}

cn_err cn_config_hash(cn_slice name, uint64_t *ret_code, cn_why *why)
{
    char lower[64] = "";
    for (size_t i = 0; i < name.len && i + 1 < sizeof lower; i++) {
        char c = (char)name.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    const cn_multicodec *codec = cn_multicodec_by_name(cn_str(lower));
    if (codec == NULL || !cn_slice_is(cn_str(codec->tag), "multihash")) {
        return cn_why_set(why, CN_ERR_USAGE, "unrecognized hash function: \"%s\"", lower);
    }
    *ret_code = codec->code;
    return CN_OK;
}

static cn_err read_links(const cn_config *c, cn_import_options *o, cn_why *why)
{
    int64_t n = 0;
    if (get_number(c, "Import.UnixFSFileMaxLinks", &n)) {
        if (n <= 0) {
            return cn_why_set(
                why, CN_ERR_USAGE, "Import.UnixFSFileMaxLinks must be positive, got %lld",
                (long long)n);
        }
        o->file_links_max = (size_t)n;
    }
    n = 0;
    if (get_number(c, "Import.UnixFSDirectoryMaxLinks", &n)) {
        if (n < 0) {
            return cn_why_set(
                why, CN_ERR_USAGE, "Import.UnixFSDirectoryMaxLinks must be non-negative, got %lld",
                (long long)n);
        }
        o->dir_links_max = (size_t)n;
    }
    n = 0;
    if (get_number(c, "Import.UnixFSHAMTDirectoryMaxFanout", &n)) {
        if (n < CN_IMPORT_FANOUT_MIN || n > CN_IMPORT_FANOUT_MAX || (n & (n - 1)) != 0) {
            return cn_why_set(
                why, CN_ERR_USAGE,
                "Import.UnixFSHAMTDirectoryMaxFanout must be a power of 2, between 8 and 1024 (got "
                "%lld)",
                (long long)n);
        }
        o->hamt_fanout = (unsigned)n;
    }
    return cn_config_bytes(
        c, "Import.UnixFSHAMTDirectorySizeThreshold", o->hamt_threshold_bytes,
        &o->hamt_threshold_bytes, why);
}

static cn_err read_estimate(cn_slice text, cn_import_options *o, cn_why *why)
{
    if (cn_slice_is(text, "links")) {
        o->estimate = CN_ESTIMATE_LINKS;
    } else if (cn_slice_is(text, "block")) {
        o->estimate = CN_ESTIMATE_BLOCK;
    } else if (cn_slice_is(text, "disabled")) {
        o->estimate = CN_ESTIMATE_DISABLED;
    } else {
        return cn_why_set(
            why, CN_ERR_USAGE,
            "Import.UnixFSHAMTDirectorySizeEstimation must be \"links\", \"block\", or "
            "\"disabled\", got \"%.*s\"",
            (int)text.len, (const char *)text.data);
    }
    return CN_OK;
}

static cn_err read_layout(cn_slice text, cn_import_options *o, cn_why *why)
{
    bool trickle = cn_slice_is(text, "trickle");
    if (!trickle && !cn_slice_is(text, "balanced")) {
        return cn_why_set(
            why, CN_ERR_USAGE,
            "Import.UnixFSDAGLayout must be \"balanced\" or \"trickle\", got \"%.*s\"",
            (int)text.len, (const char *)text.data);
    }
    o->layout = trickle ? CN_LAYOUT_TRICKLE : CN_LAYOUT_BALANCED;
    return CN_OK;
}

static cn_err read_version(const cn_config *c, cn_import_options *o, cn_why *why)
{
    int64_t n = 0;
    if (get_number(c, "Import.CidVersion", &n)) {
        if (n != 0 && n != 1) {
            return cn_why_set(
                why, CN_ERR_USAGE, "Import.CidVersion must be 0 or 1, got %lld", (long long)n);
        }
        o->cid_version = (int)n;
    }
    if (cn_config_get(c, "Import.UnixFSRawLeaves") != NULL) {
        bool raw = cn_config_bool(c, "Import.UnixFSRawLeaves", false);
        o->raw_leaves = raw ? CN_CHOICE_YES : CN_CHOICE_NO;
    }
    return CN_OK;
}

cn_err cn_config_import(const cn_config *c, cn_import_options *ret, cn_why *why)
{
    cn_import_options o;
    cn_slice text = {0};
    cn_err err = CN_OK;
    cn_import_options_init(&o);
    CN_TRY(read_version(c, &o, why));
    CN_TRY(read_links(c, &o, why));
    if (get_text(c, "Import.UnixFSHAMTDirectorySizeEstimation", &text)) {
        CN_TRY(read_estimate(text, &o, why));
    }
    if (get_text(c, "Import.UnixFSDAGLayout", &text)) {
        CN_TRY(read_layout(text, &o, why));
    }
    if (get_text(c, "Import.UnixFSChunker", &text)) {
        err = cn_chunker_parse(text, &o.chunker, why);
        if (err != CN_OK) {
            err = cn_why_wrap(why, err, "Import.UnixFSChunker: ");
            goto out;
        }
    }
    if (get_text(c, "Import.HashFunction", &text)) {
        err = cn_config_hash(text, &o.hash, why);
        if (err != CN_OK) {
            err = cn_why_wrap(why, err, "Import.HashFunction: ");
            goto out;
        }
    }
    *ret = o;
out:
    return err;
}
