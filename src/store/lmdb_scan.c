/*
 * Entries are copied into a buffer, each as the two lengths, key and value; then the transaction
 * ends, they are visited, and the next piece begins behind the last key.
 */
#include "store/lmdb_scan.h"

enum { PIECE_BYTES = 64 * 1024, KEY_MAX_BYTES = 511 /* LMDB's */ };

typedef struct piece {
    cn_buf entries;
    uint8_t last[KEY_MAX_BYTES]; /* key to go on from */
    size_t last_len;
    bool behind; /* go on behind `last`, not with it */
    bool end;
} piece;

typedef struct lengths {
    size_t key, value;
} lengths;

static cn_err keep(piece *p, MDB_val k, MDB_val v)
{
    lengths head = {k.mv_size, v.mv_size};
    cn_err err = CN_OK;
    if (k.mv_size > KEY_MAX_BYTES || v.mv_size > PIECE_BYTES / 2) {
        return CN_ERR_CORRUPT;
    }
    CN_TRY(cn_buf_append(&p->entries, cn_slice_of(&head, sizeof head)));
    CN_TRY(cn_buf_append(&p->entries, cn_slice_of(k.mv_data, k.mv_size)));
    CN_TRY(cn_buf_append(&p->entries, cn_slice_of(v.mv_data, v.mv_size)));
    cn_copy(p->last, k.mv_data, k.mv_size);
    p->last_len = k.mv_size;
    p->behind = true;
out:
    return err;
}

static cn_err fill(cn_lmdb *l, MDB_dbi dbi, piece *p)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val k = {p->last_len, p->last};
    MDB_val v = {0};
    MDB_cursor_op op = p->last_len == 0 ? MDB_FIRST : MDB_SET_RANGE;
    cn_err err = CN_OK;
    cn_buf_reset(&p->entries);
    CN_TRY(cn_lmdb_read(l, &txn));
    CN_TRY(cn_lmdb_err(mdb_cursor_open(txn, dbi, &cursor)));
    while (p->entries.len < PIECE_BYTES) {
        int result = mdb_cursor_get(cursor, &k, &v, op);
        op = MDB_NEXT;
        if (result == MDB_NOTFOUND) {
            p->end = true;
            break;
        }
        CN_TRY(cn_lmdb_err(result));
        cn_slice last = cn_slice_of(p->last, p->last_len);
        if (p->behind && cn_slice_eq(last, cn_slice_of(k.mv_data, k.mv_size))) {
            continue;
        }
        /* bounds the walk where garbage leads it in circles */
        CN_TRY(
            p->behind && cn_slice_cmp(last, cn_slice_of(k.mv_data, k.mv_size)) > 0 ? CN_ERR_CORRUPT
                                                                                   : CN_OK);
        CN_TRY(keep(p, k, v));
    }
out:
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    cn_lmdb_read_end(l, txn);
    return cn_lmdb_judge(l, err);
}

static cn_err visit_all(const piece *p, cn_lmdb_visit visit, void *ctx)
{
    cn_slice rest = cn_buf_slice(&p->entries);
    cn_err err = CN_OK;
    while (rest.len > 0 && err == CN_OK) {
        lengths head;
        cn_copy(&head, rest.data, sizeof head);
        rest = cn_slice_skip(rest, sizeof head);
        cn_slice key = cn_slice_head(rest, head.key);
        rest = cn_slice_skip(rest, head.key);
        err = visit(ctx, key, cn_slice_head(rest, head.value));
        rest = cn_slice_skip(rest, head.value);
    }
    return err;
}

cn_err cn_lmdb_each(cn_lmdb *l, MDB_dbi dbi, cn_slice from, cn_lmdb_visit visit, void *ctx)
{
    piece *p = cn_alloc(l->mem, sizeof *p);
    cn_err err = p == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    CN_TRY(err);
    CN_ASSERT(from.len <= KEY_MAX_BYTES);
    cn_buf_init(&p->entries, l->mem, 2 * PIECE_BYTES);
    cn_copy(p->last, from.data, from.len);
    p->last_len = from.len;
    while (!p->end) {
        CN_TRY(fill(l, dbi, p));
        CN_TRY(visit_all(p, visit, ctx));
    }
out:
    if (p != NULL) {
        cn_buf_release(&p->entries);
    }
    cn_free(l->mem, p);
    return err;
}
