/*
 * A loaded configuration: the tree, checked once against the table, then only read.
 */
#include "node/config.h"

#include "node/schema.h"

enum { TREE_MAX_BYTES = 256 << 20 };

struct cn_config {
    cn_mem *mem;
    cn_json_doc doc;
    cn_json *root;
};

cn_err cn_config_parse(cn_mem *mem, cn_slice text, cn_config **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_config *c = cn_alloc(mem, sizeof *c);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->mem = mem;
    cn_json_doc_init(&c->doc, mem, TREE_MAX_BYTES);
    CN_TRY(cn_json_parse(&c->doc, text, CN_JSON_FIRST, &c->root, why));
    CN_TRY(cn_schema_check(&cn_schema_config, c->root, why));
    *ret = c;
    c = NULL;
out:
    cn_config_free(c);
    return err;
}

cn_err cn_config_load(cn_rt *rt, cn_mem *mem, const char *path, cn_config **ret, cn_why *why)
{
    cn_buf text;
    cn_why reason = {0};
    cn_err err = CN_OK;
    cn_buf_init(&text, mem, CN_CONFIG_MAX_BYTES);
    CN_TRY(cn_rt_read_file(rt, path, &text, why));
    err = cn_config_parse(mem, cn_buf_slice(&text), ret, &reason);
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "failure to decode config: %s", cn_why_text(&reason, err));
        (void)cn_why_wrap(why, err, "%s: ", path);
    }
out:
    if (text.data != NULL) {
        cn_wipe(text.data, text.len);
    }
    cn_buf_release(&text);
    return err;
}

void cn_config_free(cn_config *c)
{
    if (c != NULL) {
        cn_json_doc_release(&c->doc);
        cn_free(c->mem, c);
    }
}

const cn_json *cn_config_root(const cn_config *c)
{
    return c->root;
}

const cn_json *cn_config_get(const cn_config *c, const char *key)
{
    const cn_json *at = c->root;
    cn_slice rest = cn_str(key);
    while (at != NULL) {
        size_t len = cn_slice_find(rest, '.');
        at = cn_json_get_fold(at, cn_slice_head(rest, len));
        if (len == rest.len) {
            break;
        }
        rest = cn_slice_skip(rest, len + 1);
    }
    return at == NULL || at->kind == CN_JSON_NULL ? NULL : at;
}

cn_slice cn_config_string(const cn_config *c, const char *key, const char *fallback)
{
    const cn_json *j = cn_config_get(c, key);
    return j != NULL && j->kind == CN_JSON_STRING ? j->text : cn_str(fallback);
}

bool cn_config_bool(const cn_config *c, const char *key, bool fallback)
{
    const cn_json *j = cn_config_get(c, key);
    return j != NULL && j->kind == CN_JSON_BOOL ? j->truth : fallback;
}

int64_t cn_config_i64(const cn_config *c, const char *key, int64_t fallback)
{
    const cn_json *j = cn_config_get(c, key);
    int64_t number = 0;
    bool good = j != NULL && j->kind == CN_JSON_NUMBER && cn_json_i64(j, &number) == CN_OK;
    return good ? number : fallback;
}

bool cn_config_strings(const cn_config *c, const char *key, size_t i, cn_slice *ret)
{
    const cn_json *j = cn_config_get(c, key);
    if (j != NULL && j->kind == CN_JSON_ARRAY) {
        j = j->first;
        for (; i > 0 && j != NULL; i--) {
            j = j->next;
        }
    } else if (i > 0 || (j != NULL && j->text.len == 0)) {
        j = NULL;
    }
    if (j == NULL || j->kind != CN_JSON_STRING) {
        return false;
    }
    *ret = j->text;
    return true;
}

cn_err
cn_config_bytes(const cn_config *c, const char *key, uint64_t fallback, uint64_t *ret, cn_why *why)
{
    const cn_json *j = cn_config_get(c, key);
    if (j == NULL || (j->kind != CN_JSON_STRING && j->kind != CN_JSON_NUMBER)) {
        *ret = fallback;
        return CN_OK;
    }
    cn_err err = cn_size_parse(j->text, ret, why);
    return err == CN_OK ? err : cn_why_wrap(why, err, "%s: ", key);
}

cn_err cn_config_duration(
    const cn_config *c, const char *key, int64_t fallback_ns, int64_t *ret_ns, cn_why *why)
{
    const cn_json *j = cn_config_get(c, key);
    bool given = j != NULL && (j->kind == CN_JSON_STRING || j->kind == CN_JSON_NUMBER);
    if (!given || j->text.len == 0 || cn_slice_is(j->text, "default") ||
        cn_slice_is(j->text, "null")) {
        *ret_ns = fallback_ns;
        return CN_OK;
    }
    cn_err err = cn_duration_parse(j->text, ret_ns, why);
    return err == CN_OK ? err : cn_why_wrap(why, err, "%s: ", key);
}
