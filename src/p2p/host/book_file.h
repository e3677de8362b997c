/*
 * The address book on the disk, so that a restarted node knows peers. One file, written whole
 * beside the old one and renamed, read whole: a header with version, length and SHA-256, then one
 * protobuf message per peer. Clock times in it are the wall's.
 *
 *   "cairnbook" 0a | version: 1 byte | length of the rest: 8, LE | SHA-256 of all else: 32
 *   repeated { 1: peer }; peer { 1 id, 2 repeated address, 3 public key, 4 agent,
 *   5 protocol version, 6 repeated protocol, 7 sequence, 8 protocols known }
 *   address { 1 multiaddr, 2 source, 3 expires (s; 0 never), 4 success (s), 5 failure (s),
 *   6 failures }
 */
#pragma once

#include "p2p/host/book.h"
#include "rt/rt.h"

enum {
    CN_BOOK_FILE_VERSION = 1,
    CN_BOOK_FILE_MAX_BYTES = 64 << 20,
};

/* What both clocks say at one moment. */
typedef struct cn_book_clock {
    cn_time now;
    cn_wall wall;
} cn_book_clock;

/* Append the file's bytes. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_book_file_encode(const cn_book *b, cn_book_clock clock, cn_buf *out);

/*
 * Read them into `b`, which is empty. Addresses that have run out are passed over, but those that
 * worked within the last seven days get an hour more. Permanent ones are not in the file's
 * keeping: config gives them again, so they come back as normal ones. A book smaller than the file
 * takes the newest. Errors: CORRUPT (damaged), UNSUPPORTED (a later version), NO_MEMORY; then `b`
 * is empty.
 */
CN_MUST_USE cn_err
cn_book_file_decode(cn_book *b, cn_slice bytes, cn_book_clock clock, cn_why *why);

/* Write the file, replacing it as a whole. Errors: NO_MEMORY, NO_SPACE, IO, PERMISSION. */
CN_MUST_USE cn_err
cn_book_file_save(const cn_book *b, cn_rt *rt, cn_mem *mem, const char *path, cn_why *why);

/*
 * Read the file at `path` into `b`, which is empty. No file: an empty book, and OK. A file that is
 * damaged or of a later version is renamed to PATH.damaged (replacing one) and the book stays
 * empty: CORRUPT or UNSUPPORTED with a sentence to show, then go on. Other errors: NO_MEMORY, IO,
 * PERMISSION; go on likewise.
 */
CN_MUST_USE cn_err
cn_book_file_load(cn_book *b, cn_rt *rt, cn_mem *mem, const char *path, cn_why *why);
