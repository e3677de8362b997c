/*
 * Pins in LMDB, synced at each change: "p" mode byte and CID to a record of version, name; "r" the
 * MFS root; "m" the version of the file.
 */
#include "store/pin.h"

#include "store/pin_internal.h"
#include "store/pin_record.h"

#include <errno.h>

enum { PINS_VERSION = 1, KEY_MAX_BYTES = 1 + CN_CID_MAX_BYTES, GROW_MAX = 8 };

typedef struct pin_key {
    size_t len;
    uint8_t bytes[KEY_MAX_BYTES];
} pin_key;

static pin_key key_of(const cn_cid *cid, cn_pin_mode mode)
{
    pin_key k = {.len = 1 + (size_t)cid->len};
    k.bytes[0] = (uint8_t)mode;
    cn_copy(k.bytes + 1, cid->bytes, cid->len);
    return k;
}

static MDB_val val(pin_key *k)
{
    return (MDB_val){k->len, k->bytes};
}

/* What a transaction changes in the figures. */
typedef struct changed {
    int64_t delta[3]; /* pins by mode */
    cn_pin_sum sum;
} changed;

/* Remove the pin of one mode, if there is one. */
static cn_err remove_one(cn_pins *p, MDB_txn *txn, const cn_cid *cid, cn_pin_mode mode, changed *c)
{
    pin_key key = key_of(cid, mode);
    MDB_val k = val(&key);
    MDB_val v = {0};
    int result = mdb_get(txn, p->pins, &k, &v);
    if (result == 0) {
        cn_pin_sum_remove(
            &c->sum, cn_slice_of(k.mv_data, k.mv_size), cn_slice_of(v.mv_data, v.mv_size));
        c->delta[mode]--;
        result = mdb_del(txn, p->pins, &k, NULL);
    }
    return result == MDB_NOTFOUND ? CN_OK : cn_lmdb_err(result);
}

static cn_err
apply_one(cn_pins *p, MDB_txn *txn, const cn_pin_change *change, changed *c, cn_why *why)
{
    uint8_t record[CN_PIN_RECORD_MAX_BYTES];
    cn_err err = CN_OK;
    if (change->name.len > CN_PIN_NAME_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "a pin's name of %zu bytes is longer than %d", change->name.len,
            CN_PIN_NAME_MAX_BYTES);
    }
    CN_TRY(remove_one(p, txn, change->cid, CN_PIN_RECURSIVE, c));
    CN_TRY(remove_one(p, txn, change->cid, CN_PIN_DIRECT, c));
    if (change->mode != CN_PIN_ANY) {
        pin_key key = key_of(change->cid, change->mode);
        MDB_val k = val(&key);
        MDB_val v = {cn_pin_record_encode(change->name, record), record};
        CN_TRY(cn_lmdb_err(mdb_put(txn, p->pins, &k, &v, 0)));
        cn_pin_sum_add(&c->sum, cn_slice_of(k.mv_data, k.mv_size), cn_slice_of(record, v.mv_size));
        c->delta[change->mode]++;
    }
out:
    return err;
}

/* One transaction. */
static int
apply_once(cn_pins *p, const cn_pin_change *changes, size_t len, cn_err *ret_err, cn_why *why)
{
    MDB_txn *txn = NULL;
    changed c = {0};
    cn_err err = CN_OK;
    int result = cn_lmdb_write(&p->lmdb, &txn);
    if (result != 0) {
        cn_lmdb_write_end(&p->lmdb, result);
        *ret_err = cn_lmdb_err(result);
        return result;
    }
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        err = apply_one(p, txn, &changes[i], &c, why);
    }
    if (err == CN_OK) {
        err = cn_pin_sum_keep(p, txn, &c.sum);
    }
    if (err != CN_OK) {
        mdb_txn_abort(txn);
        cn_lmdb_write_end(&p->lmdb, err == CN_ERR_IO ? EIO : 0);
        *ret_err = err;
        return err == CN_ERR_NO_SPACE ? MDB_MAP_FULL : 0;
    }
    result = mdb_txn_commit(txn);
    cn_lmdb_write_end(&p->lmdb, result);
    *ret_err = cn_lmdb_err(result);
    if (result == 0) {
        for (int mode = 1; mode < 3; mode++) {
            atomic_fetch_add(&p->count[mode], (unsigned long long)c.delta[mode]);
        }
    }
    return result;
}

cn_err cn_pins_apply(cn_pins *p, const cn_pin_change *changes, size_t len, cn_why *why)
{
    cn_err err = CN_OK;
    cn_lock_take(p->writer);
    int result = apply_once(p, changes, len, &err, why);
    for (int i = 0; i < GROW_MAX && result == MDB_MAP_FULL; i++) {
        result = cn_lmdb_grow(&p->lmdb) == CN_OK ? apply_once(p, changes, len, &err, why) : 0;
    }
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(p->store)) {
        result = apply_once(p, changes, len, &err, why);
    }
    cn_lock_give(p->writer);
    if (err != CN_OK && why != NULL && why->text[0] == '\0') {
        (void)cn_why_set(
            why, err, "cannot change the pins in %s: %s", p->lmdb.path, cn_err_sentence(err));
    }
    return err;
}

cn_err cn_pins_set(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_slice name, cn_why *why)
{
    cn_pin_change change = {cid, mode, name};
    return cn_pins_apply(p, &change, 1, why);
}

cn_err cn_pins_remove(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_why *why)
{
    cn_pin pin;
    cn_err err = cn_pins_get(p, cid, mode, &pin, why);
    return err != CN_OK ? err : cn_pins_set(p, cid, CN_PIN_ANY, cn_str(""), why);
}

static cn_err read_pin(const cn_cid *cid, cn_pin_mode mode, cn_slice record, cn_pin *ret)
{
    cn_slice name = {0};
    if (cn_pin_record_decode(record, &name) != CN_OK) {
        return CN_ERR_CORRUPT;
    }
    ret->cid = *cid;
    ret->mode = mode;
    ret->name_len = (uint8_t)name.len;
    cn_copy(ret->name, name.data, name.len);
    ret->name[name.len] = '\0';
    return CN_OK;
}

cn_err cn_pins_get(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_pin *ret, cn_why *why)
{
    MDB_txn *txn = NULL;
    cn_err err = cn_lmdb_read(&p->lmdb, &txn);
    if (err != CN_OK) {
        return err;
    }
    err = CN_ERR_NOT_FOUND;
    for (int m = CN_PIN_RECURSIVE; m <= CN_PIN_DIRECT && err == CN_ERR_NOT_FOUND; m++) {
        if (mode == CN_PIN_ANY || mode == (cn_pin_mode)m) {
            pin_key key = key_of(cid, (cn_pin_mode)m);
            MDB_val k = val(&key);
            MDB_val v = {0};
            err = cn_lmdb_err(mdb_get(txn, p->pins, &k, &v));
            if (err == CN_OK) {
                err = read_pin(cid, (cn_pin_mode)m, cn_slice_of(v.mv_data, v.mv_size), ret);
            }
        }
    }
    cn_lmdb_read_end(&p->lmdb, txn);
    if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
        (void)cn_why_set(
            why, err, "cannot read the pins in %s: %s", p->lmdb.path, cn_err_sentence(err));
    }
    return err;
}

/* What cn_pins_each hands on. */
typedef struct visiting {
    cn_pins *pins;
    cn_pin_mode mode;
    cn_pins_visit visit;
    void *ctx;
    cn_why *why;
    bool past; /* all of the mode have been seen: not an error */
} visiting;

static cn_err visit_pin(void *ctx, cn_slice key, cn_slice value)
{
    visiting *v = ctx;
    cn_pin pin;
    cn_cid cid;
    if (v->mode != CN_PIN_ANY && (key.len == 0 || key.data[0] != v->mode)) {
        v->past = true;
        return CN_ERR_CANCELLED;
    }
    if (key.len == 0 || key.data[0] < CN_PIN_RECURSIVE || key.data[0] > CN_PIN_DIRECT ||
        cn_cid_decode_all(cn_slice_skip(key, 1), &cid) != CN_OK) {
        return cn_why_set(v->why, CN_ERR_CORRUPT, "a pin in %s cannot be read", v->pins->lmdb.path);
    }
    cn_err err = read_pin(&cid, (cn_pin_mode)key.data[0], value, &pin);
    return err != CN_OK ? err : v->visit(v->ctx, &pin);
}

cn_err cn_pins_each(cn_pins *p, cn_pin_mode mode, cn_pins_visit visit, void *ctx, cn_why *why)
{
    uint8_t first = mode == CN_PIN_ANY ? CN_PIN_RECURSIVE : (uint8_t)mode;
    visiting v = {.pins = p, .mode = mode, .visit = visit, .ctx = ctx, .why = why};
    cn_err err = cn_lmdb_each(&p->lmdb, p->pins, cn_slice_of(&first, 1), visit_pin, &v);
    return v.past ? CN_OK : err;
}

cn_err cn_pins_count(cn_pins *p, cn_pin_mode mode, uint64_t *ret)
{
    uint64_t sum = 0;
    for (int m = CN_PIN_RECURSIVE; m <= CN_PIN_DIRECT; m++) {
        sum += mode == CN_PIN_ANY || mode == (cn_pin_mode)m ? atomic_load(&p->count[m]) : 0;
    }
    *ret = sum;
    return CN_OK;
}

static uint8_t root_key = 'r';
static uint8_t version_key = 'v';

cn_err cn_pins_root_get(cn_pins *p, cn_cid *ret, cn_why *why)
{
    MDB_txn *txn = NULL;
    MDB_val k = {1, &root_key};
    MDB_val v = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_lmdb_read(&p->lmdb, &txn));
    CN_TRY(cn_lmdb_err(mdb_get(txn, p->about, &k, &v)));
    if (cn_cid_decode_all(cn_slice_of(v.mv_data, v.mv_size), ret) != CN_OK) {
        err = cn_why_set(why, CN_ERR_CORRUPT, "the MFS root in %s cannot be read", p->lmdb.path);
    }
out:
    cn_lmdb_read_end(&p->lmdb, txn);
    return err;
}

static cn_err set_about(cn_pins *p, uint8_t *key, cn_slice value)
{
    MDB_txn *txn = NULL;
    MDB_val k = {1, key};
    uint8_t bytes[CN_CID_MAX_BYTES];
    CN_ASSERT(value.len <= sizeof bytes);
    cn_copy(bytes, value.data, value.len);
    MDB_val v = {value.len, bytes};
    int result = cn_lmdb_write(&p->lmdb, &txn);
    if (result == 0) {
        result = mdb_put(txn, p->about, &k, &v, 0);
        if (result == 0) {
            result = mdb_txn_commit(txn);
        } else {
            mdb_txn_abort(txn);
        }
    }
    cn_lmdb_write_end(&p->lmdb, result);
    return cn_lmdb_err(result);
}

cn_err cn_pins_root_set(cn_pins *p, const cn_cid *cid, cn_why *why)
{
    cn_lock_take(p->writer);
    cn_err err = set_about(p, &root_key, cn_cid_bytes(cid));
    if (err == CN_ERR_NO_SPACE && cn_lmdb_grow(&p->lmdb) == CN_OK) {
        err = set_about(p, &root_key, cn_cid_bytes(cid));
    }
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(p->store)) {
        err = set_about(p, &root_key, cn_cid_bytes(cid));
    }
    cn_lock_give(p->writer);
    if (err != CN_OK) {
        (void)cn_why_set(
            why, err, "cannot write the MFS root to %s: %s", p->lmdb.path, cn_err_sentence(err));
    }
    return err;
}

static cn_err open_databases(cn_pins *p, unsigned txn_flags, unsigned flags, cn_why *why)
{
    MDB_txn *txn = NULL;
    MDB_val k = {1, &version_key};
    MDB_val v = {0};
    cn_err err = CN_OK;
    uint8_t version[] = {'c', 'a', 'i', 'r', 'n', '-', 'p', 'i', 'n', PINS_VERSION};
    cn_slice ours = cn_slice_of(version, sizeof version);
    int result = 0;
    cn_lmdb_enter(&p->lmdb);
    CN_TRY(cn_lmdb_err(mdb_txn_begin(p->lmdb.env, NULL, txn_flags, &txn)));
    CN_TRY(cn_lmdb_err(mdb_dbi_open(txn, "p", flags, &p->pins)));
    CN_TRY(cn_lmdb_err(mdb_dbi_open(txn, "m", flags, &p->about)));
    result = mdb_get(txn, p->about, &k, &v);
    if (result == MDB_NOTFOUND && (flags & MDB_CREATE) != 0) {
        v = (MDB_val){sizeof version, version};
        CN_TRY(cn_lmdb_err(mdb_put(txn, p->about, &k, &v, 0)));
        CN_TRY(cn_pin_sum_begin(p, txn));
    } else if (result != 0 || !cn_slice_eq(cn_slice_of(v.mv_data, v.mv_size), ours)) {
        err = cn_why_set(
            why, result == 0 ? CN_ERR_UNSUPPORTED : CN_ERR_CORRUPT,
            "%s is not a pin file this version of cairn can read", p->lmdb.path);
        goto out;
    }
    err = cn_lmdb_err(mdb_txn_commit(txn));
    txn = NULL;
out:
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    cn_lmdb_leave();
    return err;
}

static int open_again(void *owner)
{
    cn_pins *p = owner;
    MDB_txn *txn = NULL;
    int result = mdb_txn_begin(p->lmdb.env, NULL, MDB_RDONLY, &txn);
    if (result == 0) {
        result = mdb_dbi_open(txn, "p", 0, &p->pins);
    }
    if (result == 0) {
        result = mdb_dbi_open(txn, "m", 0, &p->about);
    }
    if (txn != NULL) {
        int committed = mdb_txn_commit(txn);
        result = result != 0 ? result : committed;
    }
    return result;
}

/* Count the recursive ones; the rest are direct. Keys only, no values. */
static cn_err count_all(cn_pins *p)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_stat stat = {0};
    uint8_t direct = CN_PIN_DIRECT;
    MDB_val k = {1, &direct};
    MDB_val v = {0};
    uint64_t directs = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_lmdb_read(&p->lmdb, &txn));
    CN_TRY(cn_lmdb_err(mdb_stat(txn, p->pins, &stat)));
    CN_TRY(cn_lmdb_err(mdb_cursor_open(txn, p->pins, &cursor)));
    for (MDB_cursor_op op = MDB_SET_RANGE;; op = MDB_NEXT) {
        int result = mdb_cursor_get(cursor, &k, &v, op);
        if (result == MDB_NOTFOUND) {
            break;
        }
        CN_TRY(cn_lmdb_err(result));
        directs++;
    }
    atomic_store(&p->count[CN_PIN_DIRECT], directs);
    atomic_store(&p->count[CN_PIN_RECURSIVE], stat.ms_entries - directs);
out:
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    cn_lmdb_read_end(&p->lmdb, txn);
    return err;
}

cn_err cn_pins_open(cn_store *s, cn_pins **ret, cn_why *why)
{
    cn_store_path path;
    cn_lmdb_options options = {.map_bytes = s->options.map_bytes};
    cn_err err = CN_OK;
    cn_pins *p = cn_alloc(s->mem, sizeof *p);
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    p->store = s;
    CN_TRY(cn_lock_new(s->mem, &p->writer));
    options.path = cn_store_file(s, path, "pins.mdb");
    err = cn_lmdb_open(&p->lmdb, s->mem, s->rt, &options, why);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_lmdb_open(&p->lmdb, s->mem, s->rt, &options, why);
    }
    CN_TRY(err);
    p->lmdb.databases = open_again;
    p->lmdb.owner = p;
    err = open_databases(p, MDB_RDONLY, 0, why);
    if (err == CN_ERR_NOT_FOUND) {
        CN_TRY(open_databases(p, 0, MDB_CREATE, why));
        err = cn_dir_sync(s->rt, s->dir);
    }
    CN_TRY(err);
    CN_TRY(count_all(p));
    *ret = p;
    return CN_OK;
out:
    if (why != NULL && why->text[0] == '\0') {
        (void)cn_why_set(why, err, "cannot open the pins in %s: %s", s->dir, cn_err_sentence(err));
    }
    cn_pins_close(p);
    return err;
}

void cn_pins_close(cn_pins *p)
{
    if (p != NULL) {
        cn_mem *mem = p->store->mem;
        cn_lmdb_close(&p->lmdb);
        cn_lock_free(p->writer);
        cn_free(mem, p);
    }
}
