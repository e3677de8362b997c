/*
 * Writing tar archives, header after header, as Go's archive/tar writes them: ustar where all
 * fields fit, else a PAX header before. Deterministic: the bytes depend on the entries alone.
 *
 * spec: POSIX pax; bytes as Kubo 0.43 `get` (compared in tests)
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

enum { CN_TAR_BLOCK_BYTES = 512, CN_TAR_PATH_MAX_BYTES = 64 << 10 };

typedef enum cn_tar_type {
    CN_TAR_FILE = '0',
    CN_TAR_SYMLINK = '2',
    CN_TAR_DIR = '5',
} cn_tar_type;

typedef struct cn_tar_entry {
    cn_tar_type type;
    cn_slice path;
    cn_slice target;     /* of a SYMLINK */
    uint64_t size_bytes; /* of a FILE */
    uint32_t mode;       /* the low 12 bits */
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_tar_entry;

/*
 * Append an entry's headers. With `whole_seconds` the time is rounded to them (an archive for
 * people), else a fraction is kept in a PAX header. The file's bytes, to be written next by the
 * caller, are followed by cn_tar_pad. Errors: TOO_LARGE (paths), those of the buffer.
 */
CN_MUST_USE cn_err cn_tar_header(const cn_tar_entry *e, bool whole_seconds, cn_buf *out);

/* Zero bytes up to the next block, behind a file of `size_bytes`. */
CN_MUST_USE cn_err cn_tar_pad(uint64_t size_bytes, cn_buf *out);

/* The archive's end. */
CN_MUST_USE cn_err cn_tar_end(cn_buf *out);

/*
 * Reading: a byte core for archives as written above (ustar and PAX headers; nothing else is
 * taken). Bytes go in as they arrive; entries and their data come out.
 */
typedef enum cn_untar_kind {
    CN_UNTAR_MORE,
    CN_UNTAR_ENTRY, /* `entry` begins */
    CN_UNTAR_DATA,  /* bytes of the entry, borrowed from those given */
} cn_untar_kind;

typedef struct cn_untar_event {
    cn_untar_kind kind;
    cn_tar_entry entry; /* texts borrowed until the next entry */
    cn_slice data;
} cn_untar_event;

typedef struct cn_untar {
    cn_mem *mem;
    cn_buf held;   /* a header block, or a PAX header's records, arriving */
    cn_buf path;   /* of the entry */
    cn_buf target; /* of the entry */
    bool has_path; /* by a PAX header, for the next entry; so below */
    bool has_target;
    bool has_size;
    bool has_mtime;
    cn_tar_entry pax;
    unsigned state;
    uint64_t left; /* bytes of the entry or of the records still to come */
    uint64_t pad;  /* and zero bytes behind them */
} cn_untar;

void cn_untar_init(cn_untar *u, cn_mem *mem);
/* Accepts a zeroed reader. */
void cn_untar_release(cn_untar *u);

/* Go on with `*in`, moving it past what was used. Errors: MALFORMED (checksum, numbers, records),
 * UNSUPPORTED (type of entry), TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_untar_next(cn_untar *u, cn_slice *in, cn_untar_event *ret, cn_why *why);

/* No more bytes come: TRUNCATED unless the archive is at an end. */
CN_MUST_USE cn_err cn_untar_finish(const cn_untar *u, cn_why *why);
