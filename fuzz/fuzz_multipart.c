/*
 * Uploads, given in pieces of any size: the walk over folders and files ends, and what was begun is
 * ended.
 */
#include "rpc/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct feed {
    cn_input input;
    cn_slice rest;
    size_t piece;
} feed;

static cn_err feed_read(cn_input *in, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    feed *f = (feed *)in;
    CN_UNUSED(why);
    cn_slice head = cn_slice_head(f->rest, CN_MIN(len, f->piece));
    cn_copy(data, head.data, head.len);
    f->rest = cn_slice_skip(f->rest, head.len);
    *ret_len = head.len;
    return CN_OK;
}

static const cn_input_ops feed_ops = {.read = feed_read};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed f = {.input = {&feed_ops}};
    cn_intake u = {0};
    cn_source_entry e = {0};
    size_t depth = 0;
    uint8_t piece[333];
    if (size < 1) {
        return 0;
    }
    f.piece = data[0] + 1u;
    f.rest = cn_slice_of(data + 1, size - 1);
    cn_err err =
        cn_intake_init(&u, cn_mem_default(), &f.input, cn_str("multipart/form-data; boundary=B"));
    CN_ASSERT(err == CN_OK || err == CN_ERR_NO_MEMORY);
    for (size_t steps = 0; err == CN_OK; steps++) {
        CN_ASSERT(steps < 4096 * (size + 1));
        err = cn_source_next(&u.source, &e, NULL);
        if (err != CN_OK || e.kind == CN_SOURCE_END) {
            CN_ASSERT(err != CN_OK || depth == 0);
            break;
        }
        depth += e.kind == CN_SOURCE_DIR_START ? 1 : 0;
        CN_ASSERT(e.kind != CN_SOURCE_DIR_END || depth > 0);
        depth -= e.kind == CN_SOURCE_DIR_END ? 1 : 0;
        for (size_t len = 1; err == CN_OK && e.kind == CN_SOURCE_FILE && len > 0;) {
            err = cn_source_read(&u.source, piece, sizeof piece, &len, NULL);
        }
    }
    cn_intake_release(&u);
    return 0;
}
