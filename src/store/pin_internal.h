/*
 * What the files of the pins share: the pins themselves, and the sum over all of them that tells
 * whether one was lost or changed behind our back (LMDB has no checksums).
 */
#pragma once

#include "store/internal.h"
#include "store/lmdb_scan.h"
#include "store/pin.h"

struct cn_pins {
    cn_store *store;
    cn_lmdb lmdb;
    MDB_dbi pins, about;
    cn_lock *writer;
    atomic_ullong count[3]; /* by mode */
};

/* How many pins there are, and the hashes of all keys with their records added up. */
typedef struct cn_pin_sum {
    uint64_t pins, hashes;
} cn_pin_sum;

enum { CN_PIN_SUM_BYTES = 16 };

void cn_pin_sum_add(cn_pin_sum *sum, cn_slice key, cn_slice record);
void cn_pin_sum_remove(cn_pin_sum *sum, cn_slice key, cn_slice record);

/* Write the sum of no pins, in the transaction that makes the file. */
CN_MUST_USE cn_err cn_pin_sum_begin(cn_pins *p, MDB_txn *txn);
/* Add what a transaction changed to the sum in the file, in that transaction. */
CN_MUST_USE cn_err cn_pin_sum_keep(cn_pins *p, MDB_txn *txn, const cn_pin_sum *change);
