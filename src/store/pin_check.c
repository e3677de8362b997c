/*
 * The sum over all pins. "m" `s`: number of pins, sum of their hashes, 64 bits each. Numbers wrap,
 * so that a removal is an addition backwards and the order does not matter.
 */
#include "base/le.h"
#include "store/pin_internal.h"

#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint8_t sum_key = 's';

static uint64_t hash_more(uint64_t h, cn_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        h = (h ^ bytes.data[i]) * FNV_PRIME;
    }
    return h;
}

static uint64_t hash_of(cn_slice key, cn_slice record)
{
    uint64_t h = hash_more(hash_more(FNV_BASIS, key), record);
    return (h ^ h >> 32) * 0xd6e8feb86659fd93u; /* sums of alike hashes shall not be alike */
}

void cn_pin_sum_add(cn_pin_sum *sum, cn_slice key, cn_slice record)
{
    sum->pins++;
    sum->hashes += hash_of(key, record);
}

void cn_pin_sum_remove(cn_pin_sum *sum, cn_slice key, cn_slice record)
{
    sum->pins--;
    sum->hashes -= hash_of(key, record);
}

/* NOT_FOUND: the file has none, it was made by an older version. */
static cn_err read_sum(cn_pins *p, MDB_txn *txn, cn_pin_sum *ret)
{
    MDB_val k = {1, &sum_key};
    MDB_val v = {0};
    cn_err err = cn_lmdb_err(mdb_get(txn, p->about, &k, &v));
    if (err == CN_OK && v.mv_size != CN_PIN_SUM_BYTES) {
        return CN_ERR_CORRUPT;
    }
    if (err == CN_OK) {
        const uint8_t *bytes = v.mv_data;
        *ret = (cn_pin_sum){cn_le_get(bytes, 8), cn_le_get(bytes + 8, 8)};
    }
    return err;
}

static cn_err write_sum(cn_pins *p, MDB_txn *txn, const cn_pin_sum *sum)
{
    uint8_t bytes[CN_PIN_SUM_BYTES];
    MDB_val k = {1, &sum_key};
    MDB_val v = {sizeof bytes, bytes};
    cn_le_put(bytes, sum->pins, 8);
    cn_le_put(bytes + 8, sum->hashes, 8);
    return cn_lmdb_err(mdb_put(txn, p->about, &k, &v, 0));
}

cn_err cn_pin_sum_begin(cn_pins *p, MDB_txn *txn)
{
    const cn_pin_sum none = {0};
    return write_sum(p, txn, &none);
}

cn_err cn_pin_sum_keep(cn_pins *p, MDB_txn *txn, const cn_pin_sum *change)
{
    cn_pin_sum sum = {0};
    cn_err err = read_sum(p, txn, &sum);
    if (err == CN_OK) {
        sum.pins += change->pins;
        sum.hashes += change->hashes;
        err = write_sum(p, txn, &sum);
    }
    return err == CN_ERR_NOT_FOUND ? CN_OK : err;
}

static cn_err sum_one(void *ctx, cn_slice key, cn_slice record)
{
    cn_pin_sum_add(ctx, key, record);
    return CN_OK;
}

cn_err cn_pins_check(cn_pins *p, cn_why *why)
{
    MDB_txn *txn = NULL;
    cn_pin_sum noted = {0};
    cn_pin_sum found = {0};
    bool known = true;
    cn_err err = CN_OK;
    cn_lock_take(p->writer);
    CN_TRY(cn_lmdb_read(&p->lmdb, &txn));
    err = read_sum(p, txn, &noted);
    cn_lmdb_read_end(&p->lmdb, txn);
    known = err != CN_ERR_NOT_FOUND;
    CN_TRY(known ? err : CN_OK);
    CN_TRY(cn_lmdb_each(&p->lmdb, p->pins, (cn_slice){0}, sum_one, &found));
    CN_TRY(
        known && (found.pins != noted.pins || found.hashes != noted.hashes) ? CN_ERR_CORRUPT
                                                                            : CN_OK);
out:
    cn_lock_give(p->writer);
    if (err == CN_ERR_CORRUPT) {
        return cn_why_set(
            why, err,
            "the pins in %s are damaged (%llu were set, %llu are there): put the file back from a "
            "copy, or move it away and pin what you want to keep before the next 'repo gc'",
            p->lmdb.path, (unsigned long long)noted.pins, (unsigned long long)found.pins);
    }
    if (err != CN_OK) {
        (void)cn_why_set(
            why, err, "cannot read the pins in %s: %s", p->lmdb.path, cn_err_sentence(err));
    }
    return err;
}
