/*
 * Get, set, replace and profile on the file. Every change is checked against the table as a whole
 * before anything is written, and the file is replaced by rename.
 */
#include "node/config_file.h"

#include "node/profile.h"
#include "node/schema.h"

enum { TREE_MAX_BYTES = 256 << 20, PATH_MAX_BYTES = 64 * 1024, MERGE_DEPTH_MAX = 32 };

cn_err
cn_config_file_open(cn_rt *rt, cn_mem *mem, const char *path, cn_config_file *ret, cn_why *why)
{
    cn_buf text;
    cn_why reason = {0};
    cn_err err = CN_OK;
    *ret = (cn_config_file){.rt = rt, .mem = mem, .path = path};
    cn_json_doc_init(&ret->doc, mem, TREE_MAX_BYTES);
    cn_buf_init(&text, mem, CN_CONFIG_MAX_BYTES);
    CN_TRY(cn_rt_read_file(rt, path, &text, why));
    err = cn_json_parse(&ret->doc, cn_buf_slice(&text), CN_JSON_FIRST, &ret->root, &reason);
    if (err == CN_OK) {
        err = cn_schema_check(&cn_schema_config, ret->root, &reason);
    }
    if (err == CN_OK && ret->root->kind != CN_JSON_OBJECT) {
        err = cn_why_set(&reason, CN_ERR_WRONG_TYPE, "it is not an object");
    }
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "failure to decode config: %s", cn_why_text(&reason, err));
        err = cn_why_wrap(why, err, "%s: ", path);
    }
out:
    if (text.data != NULL) {
        cn_wipe(text.data, text.len);
    }
    cn_buf_release(&text);
    return err;
}

void cn_config_file_release(cn_config_file *f)
{
    cn_json_doc_release(&f->doc);
    *f = (cn_config_file){0};
}

cn_err cn_config_file_save(cn_config_file *f, cn_why *why)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, f->mem, CN_CONFIG_MAX_BYTES);
    cn_json_sort(f->root);
    CN_TRY(cn_json_dump(f->root, CN_JSON_INDENT, &text));
    CN_TRY(cn_rt_write_file(f->rt, f->path, cn_buf_slice(&text), why));
out:
    if (text.data != NULL) {
        cn_wipe(text.data, text.len);
    }
    cn_buf_release(&text);
    return err;
}

cn_err cn_config_file_get(const cn_config_file *f, cn_slice key, const cn_json **ret, cn_why *why)
{
    const cn_json *at = f->root;
    const char *text = key.len == 0 ? "" : (const char *)key.data;
    size_t start = 0;
    while (true) {
        cn_slice rest = cn_slice_skip(key, start);
        size_t len = cn_slice_find(rest, '.');
        if (at->kind != CN_JSON_OBJECT) {
            return cn_why_set(
                why, CN_ERR_WRONG_TYPE, "%.*s key is not a map", (int)(start - 1), text);
        }
        at = cn_json_get(at, cn_slice_head(rest, len));
        if (at == NULL) {
            return cn_why_set(why, CN_ERR_NOT_FOUND, "%.*s not found", (int)(start + len), text);
        }
        if (len == rest.len) {
            *ret = at;
            return CN_OK;
        }
        start += len + 1;
    }
}

cn_err cn_config_file_set(cn_config_file *f, cn_slice key, cn_json *value, cn_why *why)
{
    cn_json *at = f->root;
    cn_why reason = {0};
    cn_err err = CN_OK;
    size_t start = 0;
    CN_TRY(cn_schema_check_key(key, why));
    while (true) {
        cn_slice rest = cn_slice_skip(key, start);
        size_t len = cn_slice_find(rest, '.');
        cn_slice part = cn_slice_head(rest, len);
        if (at->kind != CN_JSON_OBJECT) {
            return cn_why_set(
                why, CN_ERR_WRONG_TYPE, "%.*s key is not a map", (int)start - 1,
                (const char *)key.data);
        }
        if (len == rest.len) {
            CN_TRY(cn_json_set(&f->doc, at, part, value));
            break;
        }
        cn_json *next = cn_json_get(at, part);
        if (next == NULL || next->kind == CN_JSON_NULL) {
            CN_TRY(cn_json_new(&f->doc, CN_JSON_OBJECT, &next));
            CN_TRY(cn_json_set(&f->doc, at, part, next));
        }
        at = next;
        start += len + 1;
    }
    err = cn_schema_check(&cn_schema_config, f->root, &reason);
    if (err != CN_OK) {
        err = cn_why_set(why, err, "failure to decode config: %s", cn_why_text(&reason, err));
    }
out:
    return err;
}

/*
 * Put what `from` has into `to`, objects member by member: keys that only the file has stay, as
 * with Kubo. Beyond MERGE_DEPTH_MAX an object replaces the other as a whole.
 */
static cn_err merge(cn_json_doc *d, cn_json *to, const cn_json *from, unsigned depth)
{
    cn_json *copy = NULL;
    cn_err err = CN_OK;
    for (const cn_json *m = from->first; err == CN_OK && m != NULL; m = m->next) {
        cn_json *old = cn_json_get(to, m->key);
        if (old != NULL && old->kind == CN_JSON_OBJECT && m->kind == CN_JSON_OBJECT &&
            depth < MERGE_DEPTH_MAX) {
            err = merge(d, old, m, depth + 1);
            continue;
        }
        err = cn_json_copy(d, m, &copy);
        if (err == CN_OK) {
            err = cn_json_set(d, to, m->key, copy);
        }
    }
    return err;
}

static const cn_json *inside(const cn_json *object, const char *a, const char *b)
{
    return cn_json_get_fold(cn_json_get_fold(object, cn_str(a)), cn_str(b));
}

static bool has_text(const cn_json *j)
{
    return j != NULL && j->kind == CN_JSON_STRING && j->text.len > 0;
}

static size_t count(const cn_json *object)
{
    return object == NULL || object->kind != CN_JSON_OBJECT ? 0 : object->len;
}

/* Pinning services may be neither added, removed nor given other credentials this way. */
static cn_err keep_services(cn_config_file *f, cn_json *shaped, cn_why *why)
{
    const cn_json *old = inside(f->root, "Pinning", "RemoteServices");
    const cn_json *new = inside(shaped, "Pinning", "RemoteServices");
    cn_err err = CN_OK;
    if (count(old) != count(new)) {
        goto changed;
    }
    for (const cn_json *m = count(old) == 0 ? NULL : old->first; m != NULL; m = m->next) {
        cn_json *now = cn_json_get(new, m->key);
        const cn_json *api = cn_json_get_fold(m, cn_str("API"));
        cn_json *copy = NULL;
        if (now == NULL || now->kind != CN_JSON_OBJECT) {
            goto changed;
        }
        const cn_json *was = inside(m, "API", "Endpoint");
        const cn_json *is = inside(now, "API", "Endpoint");
        if (has_text(inside(now, "API", "Key")) ||
            (has_text(is) && (was == NULL || !cn_slice_eq(was->text, is->text)))) {
            return cn_why_set(
                why, CN_ERR_USAGE,
                "cannot change remote pinning services api info with `config replace`");
        }
        if (api != NULL) {
            CN_TRY(cn_json_copy(&f->doc, api, &copy));
            CN_TRY(cn_json_set(&f->doc, now, cn_str("API"), copy));
        }
    }
out:
    return err;
changed:
    return cn_why_set(
        why, CN_ERR_USAGE, "cannot add or remove remote pinning services with 'config replace'");
}

cn_err cn_config_file_replace(cn_config_file *f, cn_slice text, cn_why *why)
{
    cn_json *raw = NULL;
    cn_json *shaped = NULL;
    cn_json *identity = NULL;
    const cn_json *old = NULL;
    cn_err err = CN_OK;
    if (cn_json_parse(&f->doc, text, CN_JSON_FIRST, &raw, NULL) != CN_OK ||
        cn_schema_check(&cn_schema_config, raw, NULL) != CN_OK || raw->kind != CN_JSON_OBJECT) {
        return cn_why_set(why, CN_ERR_MALFORMED, "failed to decode file as config");
    }
    if (has_text(inside(raw, "Identity", "PrivKey"))) {
        return cn_why_set(why, CN_ERR_USAGE, "setting private key with API is not supported");
    }
    CN_TRY(cn_schema_shape(&f->doc, &cn_schema_config, raw, &shaped));
    old = cn_json_get_fold(f->root, cn_str("Identity"));
    if (old != NULL) {
        CN_TRY(cn_json_copy(&f->doc, old, &identity));
        CN_TRY(cn_json_set(&f->doc, shaped, cn_str("Identity"), identity));
    }
    CN_TRY(keep_services(f, shaped, why));
    CN_TRY(merge(&f->doc, f->root, shaped, 0));
out:
    return err;
}

static void drop_private_key(cn_json *shaped)
{
    (void)cn_json_remove(cn_json_get(shaped, cn_str("Identity")), cn_str("PrivKey"));
}

cn_err cn_config_file_profile(
    cn_config_file *f, const char *profile, cn_json **ret_old, cn_json **ret_new, cn_why *why)
{
    cn_json *old = NULL;
    cn_json *changed = NULL;
    cn_json *shaped = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_schema_shape(&f->doc, &cn_schema_config, f->root, &old));
    CN_TRY(cn_json_copy(&f->doc, old, &changed));
    CN_TRY(cn_profile_apply(f->rt, &f->doc, changed, cn_str(profile), why));
    CN_TRY(cn_schema_shape(&f->doc, &cn_schema_config, changed, &shaped));
    CN_TRY(merge(&f->doc, f->root, shaped, 0));
    drop_private_key(old);
    drop_private_key(shaped);
    cn_json_sort(old);
    cn_json_sort(shaped);
    *ret_old = old;
    *ret_new = shaped;
out:
    return err;
}

cn_err cn_config_file_backup(cn_config_file *f, const char *profile, cn_why *why)
{
    cn_buf name;
    cn_buf text;
    uint8_t random[4];
    unsigned number = 0;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&name, f->mem, PATH_MAX_BYTES);
    cn_buf_init(&text, f->mem, CN_CONFIG_MAX_BYTES);
    CN_TRY(cn_rt_entropy(f->rt, random, sizeof random));
    number = (unsigned)random[0] << 24 | (unsigned)random[1] << 16 | (unsigned)random[2] << 8 |
             (unsigned)random[3];
    CN_TRY(cn_buf_printf(&name, "%s-pre-%s-%u", f->path, profile, number));
    CN_TRY(cn_buf_cstr(&name, &path));
    CN_TRY(cn_rt_read_file(f->rt, f->path, &text, why));
    CN_TRY(cn_rt_write_file(f->rt, path, cn_buf_slice(&text), why));
out:
    if (text.data != NULL) {
        cn_wipe(text.data, text.len);
    }
    cn_buf_release(&text);
    cn_buf_release(&name);
    return err;
}

static bool part_is(cn_slice part, const char *name)
{
    bool same = part.len == strlen(name);
    for (size_t i = 0; same && i < part.len; i++) {
        uint8_t c = part.data[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        same = c == (uint8_t)name[i];
    }
    return same;
}

/* Take a member out, or leave {} where it is an object, as Kubo shows it. */
static void scrub_member(cn_json *object, const char *name)
{
    if (object == NULL || object->kind != CN_JSON_OBJECT) {
        return;
    }
    for (cn_json *m = object->first, *next = NULL; m != NULL; m = next) {
        next = m->next;
        if (!part_is(m->key, name)) {
            continue;
        }
        if (m->kind == CN_JSON_OBJECT) {
            m->first = NULL;
            m->last = NULL;
            m->len = 0;
        } else {
            (void)cn_json_remove(object, m->key);
        }
    }
}

void cn_config_scrub(cn_json *root)
{
    scrub_member(cn_json_get_fold(root, cn_str("Identity")), "privkey");
    scrub_member(cn_json_get_fold(root, cn_str("API")), "authorizations");
    const cn_json *services = inside(root, "Pinning", "RemoteServices");
    cn_json *m = services == NULL || services->kind != CN_JSON_OBJECT ? NULL : services->first;
    for (; m != NULL; m = m->next) {
        scrub_member(cn_json_get_fold(m, cn_str("API")), "key");
    }
}

cn_err cn_config_key_allowed(cn_slice key, cn_why *why)
{
    static const char *const secret[] = {"pinning", "remoteservices", NULL, "api", "key"};
    if (part_is(key, "identity") || part_is(key, "identity.privkey")) {
        return cn_why_set(why, CN_ERR_PERMISSION, "cannot show or change private key through API");
    }
    for (size_t i = 0; i < CN_LEN(secret); i++) {
        size_t len = cn_slice_find(key, '.');
        if (secret[i] != NULL && !part_is(cn_slice_head(key, len), secret[i])) {
            return CN_OK;
        }
        if (len == key.len) {
            break;
        }
        key = cn_slice_skip(key, len + 1);
    }
    return cn_why_set(why, CN_ERR_PERMISSION, "cannot show or change pinning services credentials");
}
