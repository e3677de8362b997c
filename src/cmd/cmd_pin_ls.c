/*
 * `pin ls` and `pin verify`. Indirect pins are not stored: they are what the recursive ones reach.
 * The answer is gathered before it is written, so that a mistake leaves no half of it, except with
 * --stream.
 */
#include "cmd/commands.h"
#include "cmd/pin_common.h"
#include "codec/json_write.h"

#include <stdlib.h>

enum { KEYS_MAX = 1 << 24 };

/* One line: a CID as text, the kind of pin, its name. */
typedef struct row {
    cn_slice cid;
    const char *type; /* "recursive", "direct", "indirect" */
    cn_slice via;     /* of an indirect one looked up by path: through which pin */
    cn_slice name;
} row;

/* What the gathered map holds for a CID; the texts are in `kept`. */
typedef struct kept_row {
    const char *type;
    size_t via;
    size_t via_len;
    size_t name;
    size_t name_len;
} kept_row;

typedef struct listing {
    cn_call *call;
    cn_pins *pins;
    bool stream;
    bool names;
    const char *filter; /* part of the name; NULL or "": all */
    cn_pin_mode mode;
    bool indirect;
    cn_map rows; /* text of CID to kept_row */
    cn_buf kept;
    cn_buf text;
    cn_walk walk;
    bool walked;
    cn_map pinned;        /* CIDs pinned by themselves, while indirect ones are listed */
    const cn_cid *wanted; /* while looking for one indirect CID */
    bool found;
} listing;

static cn_err put_type(cn_json_writer *j, const row *r, cn_mem *mem)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, mem, 4096);
    CN_TRY(cn_buf_text(&text, r->type));
    if (r->via.len > 0) {
        CN_TRY(cn_buf_text(&text, " through "));
        CN_TRY(cn_buf_append(&text, r->via));
    }
    cn_json_put_string(j, "Type", cn_buf_slice(&text));
out:
    cn_buf_release(&text);
    return err;
}

static cn_err row_json(cn_call *call, cn_buf *out, const void *value)
{
    const row *r = value;
    cn_json_writer j;
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "Cid", r->cid);
    if (r->name.len > 0) {
        cn_json_put_string(&j, "Name", r->name);
    }
    cn_err err = put_type(&j, r, cn_call_mem(call));
    cn_json_object_end(&j);
    return err != CN_OK ? err : cn_json_finish(&j);
}

static cn_err row_text(cn_call *call, cn_buf *out, const void *value)
{
    const row *r = value;
    cn_err err = CN_OK;
    CN_TRY(cn_buf_append(out, r->cid));
    if (!cn_call_flag(call, "quiet", NULL)) {
        CN_TRY(cn_buf_printf(out, " %s", r->type));
        if (r->via.len > 0) {
            CN_TRY(cn_buf_text(out, " through "));
            CN_TRY(cn_buf_append(out, r->via));
        }
        if (r->name.len > 0) {
            CN_TRY(cn_buf_byte(out, ' '));
            CN_TRY(cn_buf_append(out, r->name));
        }
    }
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

static const cn_output_type row_output = {"pin.PinLsObject", row_json, row_text};

static row row_of(const listing *l, cn_slice cid, const kept_row *k)
{
    cn_slice kept = cn_buf_slice(&l->kept);
    return (row){
        .cid = cid,
        .type = k->type,
        .via = cn_slice_head(cn_slice_skip(kept, k->via), k->via_len),
        .name = cn_slice_head(cn_slice_skip(kept, k->name), k->name_len),
    };
}

static int by_cid(const void *a, const void *b)
{
    const row *x = a;
    const row *y = b;
    return cn_slice_cmp(x->cid, y->cid);
}

static cn_err put_key(cn_json_writer *j, cn_slice cid)
{
    char key[CN_CID_TEXT_BYTES + 1];
    if (cid.len >= sizeof key) {
        return CN_ERR_TOO_LARGE;
    }
    cn_copy(key, cid.data, cid.len);
    key[cid.len] = '\0';
    cn_json_key(j, key);
    return CN_OK;
}

static cn_err all_json(cn_call *call, cn_buf *out, const void *value)
{
    const listing *l = value;
    cn_json_writer j;
    cn_slice cid = {0};
    void *kept = NULL;
    size_t position = 0;
    size_t len = 0;
    cn_err err = CN_OK;
    row *rows = cn_alloc_array(cn_call_mem(call), l->rows.len + 1, sizeof *rows);
    if (rows == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    while (cn_map_next(&l->rows, &position, &cid, &kept)) {
        rows[len++] = row_of(l, cid, kept);
    }
    qsort(rows, len, sizeof *rows, by_cid);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        if (i == 0) {
            cn_json_key(&j, "Keys");
            cn_json_object(&j);
        }
        CN_TRY(put_key(&j, rows[i].cid));
        cn_json_object(&j);
        err = put_type(&j, &rows[i], cn_call_mem(call));
        cn_json_put_string(&j, "Name", rows[i].name);
        cn_json_object_end(&j);
    }
    if (len > 0) {
        cn_json_object_end(&j);
    }
    cn_json_object_end(&j);
out:
    cn_free(cn_call_mem(call), rows);
    return err != CN_OK ? err : cn_json_finish(&j);
}

static cn_err all_text(cn_call *call, cn_buf *out, const void *value)
{
    const listing *l = value;
    cn_slice cid = {0};
    void *kept = NULL;
    size_t position = 0;
    cn_err err = CN_OK;
    while (err == CN_OK && cn_map_next(&l->rows, &position, &cid, &kept)) {
        const row r = row_of(l, cid, kept);
        err = row_text(call, out, &r);
    }
    return err;
}

static const cn_output_type all_output = {"pin.PinLsList", all_json, all_text};

static cn_err keep(listing *l, const row *r)
{
    void *value = NULL;
    kept_row k = {.type = r->type, .via_len = r->via.len, .name_len = r->name.len};
    cn_err err = CN_OK;
    k.via = l->kept.len;
    CN_TRY(cn_buf_append(&l->kept, r->via));
    k.name = l->kept.len;
    CN_TRY(cn_buf_append(&l->kept, r->name));
    CN_TRY(cn_map_put(&l->rows, r->cid, &value, NULL));
    *(kept_row *)value = k;
out:
    return err;
}

static cn_err
give(listing *l, const cn_cid *cid, const char *type, const cn_cid *via, cn_slice name)
{
    row r = {.type = type, .name = l->names ? name : (cn_slice){0}};
    size_t len = 0;
    cn_err err = CN_OK;
    cn_buf_reset(&l->text);
    CN_TRY(cn_call_cid_text(l->call, cid, &l->text));
    len = l->text.len;
    if (via != NULL) {
        CN_TRY(cn_call_cid_text(l->call, via, &l->text));
    }
    r.cid = cn_slice_head(cn_buf_slice(&l->text), len);
    r.via = cn_slice_skip(cn_buf_slice(&l->text), len);
    err = l->stream ? cn_call_emit(l->call, &row_output, &r) : keep(l, &r);
out:
    return err;
}

static bool name_fits(const listing *l, cn_slice name)
{
    cn_slice part = cn_str(l->filter);
    for (; name.len >= part.len; name = cn_slice_skip(name, 1)) {
        if (cn_slice_starts(name, part)) {
            return true;
        }
        if (name.len == 0) {
            break;
        }
    }
    return false;
}

static const char *mode_name(cn_pin_mode mode)
{
    return mode == CN_PIN_RECURSIVE ? "recursive" : "direct";
}

static cn_err give_pin(void *ctx, const cn_pin *pin)
{
    listing *l = ctx;
    cn_slice name = cn_slice_of(pin->name, pin->name_len);
    if (cn_call_check(l->call) != CN_OK) {
        return cn_call_check(l->call);
    }
    return name_fits(l, name) ? give(l, &pin->cid, mode_name(pin->mode), NULL, name) : CN_OK;
}

static cn_err note_pinned(void *ctx, const cn_pin *pin)
{
    listing *l = ctx;
    void *value = NULL;
    return cn_map_put(&l->pinned, cn_cid_bytes(&pin->cid), &value, NULL);
}

static cn_err give_indirect(void *ctx, const cn_walk_entry *e)
{
    listing *l = ctx;
    bool own = cn_map_get(&l->pinned, cn_cid_bytes(e->cid)) != NULL;
    return e->depth == 0 || own ? CN_OK : give(l, e->cid, "indirect", NULL, (cn_slice){0});
}

static cn_err walk_pin(void *ctx, const cn_pin *pin)
{
    listing *l = ctx;
    bool again = l->walked;
    l->walked = true;
    return cn_pin_walk(l->call, &l->walk, again, &pin->cid, give_indirect, l);
}

static cn_err list_all(listing *l)
{
    cn_why *why = cn_call_why(l->call);
    cn_err err = CN_OK;
    if (l->mode != CN_PIN_ANY || !l->indirect) {
        CN_TRY(cn_pins_each(l->pins, l->mode, give_pin, l, why));
    } else if (cn_slice_is(cn_str(cn_call_string(l->call, "type", NULL)), "all")) {
        CN_TRY(cn_pins_each(l->pins, CN_PIN_ANY, give_pin, l, why));
    }
    if (l->indirect && (l->filter == NULL || l->filter[0] == '\0')) {
        CN_TRY(cn_pins_each(l->pins, CN_PIN_ANY, note_pinned, l, why));
        CN_TRY(cn_pins_each(l->pins, CN_PIN_RECURSIVE, walk_pin, l, why));
    }
out:
    return err;
}

static cn_err look_for(void *ctx, const cn_walk_entry *e)
{
    listing *l = ctx;
    l->found = l->found || (e->depth > 0 && cn_cid_eq(e->cid, l->wanted));
    return l->found ? CN_ERR_CLOSED : CN_OK; /* ends the walk */
}

typedef struct search {
    listing *l;
    cn_cid via;
} search;

static cn_err look_below(void *ctx, const cn_pin *pin)
{
    search *s = ctx;
    cn_walk walk = {0};
    cn_err err = cn_pin_walk(s->l->call, &walk, false, &pin->cid, look_for, s->l);
    cn_walk_release(&walk);
    s->via = pin->cid;
    return err;
}

/* How is this CID pinned, first of all the ways that were asked for? */
static cn_err give_one(listing *l, const cn_cid *cid, const char *arg)
{
    cn_pin pin = {0};
    search s = {.l = l};
    cn_why *why = cn_call_why(l->call);
    bool only_indirect = l->indirect && l->mode == CN_PIN_ANY &&
                         !cn_slice_is(cn_str(cn_call_string(l->call, "type", NULL)), "all");
    cn_err err = only_indirect ? CN_ERR_NOT_FOUND : cn_pins_get(l->pins, cid, l->mode, &pin, why);
    if (err == CN_OK) {
        return give(l, cid, mode_name(pin.mode), NULL, cn_slice_of(pin.name, pin.name_len));
    }
    if (err == CN_ERR_NOT_FOUND && l->indirect) {
        l->wanted = cid;
        l->found = false;
        err = cn_pins_each(l->pins, CN_PIN_RECURSIVE, look_below, &s, why);
        if (l->found) {
            return give(l, cid, "indirect", &s.via, (cn_slice){0});
        }
        err = err == CN_OK ? CN_ERR_NOT_FOUND : cn_call_fail_why(l->call, err);
    }
    return err == CN_ERR_NOT_FOUND ? cn_call_fail(l->call, err, "path '%s' is not pinned", arg)
                                   : err;
}

static cn_err list_args(listing *l)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < cn_call_args_len(l->call) && err == CN_OK; i++) {
        cn_content content = {0};
        err = cn_content_find(l->call, cn_call_arg(l->call, i), &content);
        if (err != CN_OK) {
            err = cn_call_fail_why(l->call, err);
        } else {
            err = give_one(l, &content.cid, cn_call_arg_text(l->call, i));
        }
        cn_content_release(&content);
    }
    return err;
}

static cn_err choose_type(cn_call *call, listing *l)
{
    const char *type = cn_call_string(call, "type", NULL);
    cn_slice t = cn_str(type);
    l->mode = cn_slice_is(t, "recursive") ? CN_PIN_RECURSIVE
              : cn_slice_is(t, "direct")  ? CN_PIN_DIRECT
                                          : CN_PIN_ANY;
    l->indirect = cn_slice_is(t, "indirect") || cn_slice_is(t, "all");
    if (l->mode == CN_PIN_ANY && !l->indirect) {
        return cn_call_fail(
            call, CN_ERR_USAGE,
            "invalid type '%s', must be one of {direct, indirect, recursive, all}", type);
    }
    return CN_OK;
}

static cn_err run_ls(cn_call *call)
{
    cn_mem *mem = cn_call_mem(call);
    listing l = {.call = call, .filter = cn_call_string(call, "name", NULL)};
    cn_err err = CN_OK;
    l.stream = cn_call_flag(call, "stream", NULL);
    l.names = cn_call_flag(call, "names", NULL) || (l.filter != NULL && l.filter[0] != '\0');
    cn_map_init(&l.rows, mem, sizeof(kept_row), KEYS_MAX, 0);
    cn_map_init(&l.pinned, mem, 0, KEYS_MAX, 0);
    cn_buf_init(&l.kept, mem, 1 << 30);
    cn_buf_init(&l.text, mem, 4096);
    CN_TRY(cn_pin_check_name(call, cn_str(l.filter)));
    CN_TRY(choose_type(call, &l));
    CN_TRY(cn_pin_open(call, &l.pins));
    err = cn_call_args_len(call) > 0 ? list_args(&l) : list_all(&l);
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    if (!l.stream) {
        err = cn_call_emit_once(call, &all_output, &l);
    }
out:
    cn_walk_release(&l.walk);
    cn_map_release(&l.rows);
    cn_map_release(&l.pinned);
    cn_buf_release(&l.kept);
    cn_buf_release(&l.text);
    return err;
}

static const cn_arg ls_args[] = {
    {"ipfs-path", CN_ARG_OPTIONAL | CN_ARG_VARIADIC, "Only these."},
    {.name = NULL},
};

static const cn_opt ls_opts[] = {
    {CN_OPT_STRING, "type", "t", "all", "Which: direct, indirect, recursive or all."},
    {CN_OPT_BOOL, "quiet", "q", NULL, "Only the CIDs."},
    {CN_OPT_STRING, "name", "n", NULL, "Only pins whose name has this in it."},
    {CN_OPT_BOOL, "stream", "s", NULL, "Give each as it is found."},
    {CN_OPT_BOOL, "names", NULL, NULL, "Names, too."},
    {.name = NULL},
};

const cn_command cn_cmd_pin_ls = {
    .path = "pin/ls",
    .summary = "List what is pinned",
    .about = "Indirect is what lies below a recursive pin; to find it everything pinned is read.",
    .args = ls_args,
    .opts = ls_opts,
    .output = &all_output,
    .flags = CN_CMD_OWN_BLOCKS,
    .run = run_ls,
};
