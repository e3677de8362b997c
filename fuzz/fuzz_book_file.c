/*
 * Property: a book read from any body (its header made good) is within its bounds, and what is
 * written of it reads as the same again.
 */
#include "base/le.h"
#include "crypto/sha256.h"
#include "p2p/host/book_file.h"

enum { LENGTH_AT = 11, HASH_AT = 19, HEADER_BYTES = 51 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(cn_slice file)
{
    const cn_book_limits limits = {50, 10, 1 << 20, 1};
    const cn_book_clock clock = {{5 * CN_NS_PER_S}, {1000000 * CN_NS_PER_S}};
    cn_book *b = NULL;
    cn_book *again = NULL;
    cn_buf out = {0};
    cn_buf second = {0};
    cn_buf_init(&out, cn_mem_default(), 1 << 22);
    cn_buf_init(&second, cn_mem_default(), 1 << 22);
    CN_ASSERT(cn_book_new(cn_mem_default(), &limits, &b) == CN_OK);
    CN_ASSERT(cn_book_new(cn_mem_default(), &limits, &again) == CN_OK);
    if (cn_book_file_decode(b, file, clock, NULL) == CN_OK) {
        CN_ASSERT(cn_book_len(b) <= 50 && cn_book_bytes(b) <= 1 << 20);
        CN_ASSERT(cn_book_file_encode(b, clock, &out) == CN_OK);
        CN_ASSERT(cn_book_file_decode(again, cn_buf_slice(&out), clock, NULL) == CN_OK);
        CN_ASSERT(cn_book_file_encode(again, clock, &second) == CN_OK);
        CN_ASSERT(cn_slice_eq(cn_buf_slice(&out), cn_buf_slice(&second)));
    } else {
        CN_ASSERT(cn_book_len(b) == 0);
    }
    cn_book_free(b);
    cn_book_free(again);
    cn_buf_release(&out);
    cn_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_buf file = {0};
    cn_sha256_state sha;
    check((cn_slice){data, len});
    if (len < HEADER_BYTES) {
        return 0;
    }
    cn_buf_init(&file, cn_mem_default(), len);
    CN_ASSERT(cn_buf_append(&file, cn_slice_of(data, len)) == CN_OK);
    cn_copy(file.data, "cairnbook\n\x01", LENGTH_AT);
    cn_le_put(file.data + LENGTH_AT, len - HEADER_BYTES, 8);
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, cn_slice_of(file.data, HASH_AT));
    cn_sha256_update(&sha, cn_slice_of(file.data + HEADER_BYTES, len - HEADER_BYTES));
    cn_sha256_final(&sha, file.data + HASH_AT);
    check(cn_buf_slice(&file));
    cn_buf_release(&file);
    return 0;
}
