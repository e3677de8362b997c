/* Properties: any bytes come back from each base; text that is read gives bytes that come back. */
#include "multiformats/multibase.h"

enum { INPUT_MAX_BYTES = 2000, BUFFER_BYTES = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Write `bytes` in base `m` and read them again. */
static void round_trip(const cn_multibase *m, cn_slice bytes)
{
    cn_buf text;
    cn_buf back;
    const cn_multibase *found = NULL;
    cn_buf_init(&text, cn_mem_default(), BUFFER_BYTES);
    cn_buf_init(&back, cn_mem_default(), BUFFER_BYTES);
    CN_ASSERT(cn_multibase_encode(m, bytes, &text) == CN_OK);
    cn_err err = cn_multibase_decode(cn_buf_slice(&text), &back, &found, NULL);
    bool number = m->base == CN_BASE36 || m->base == CN_BASE36_UPPER || m->base == CN_BASE58_BTC ||
                  m->base == CN_BASE58_FLICKR;
    if (bytes.len == 0 && number) {
        CN_ASSERT(err == CN_ERR_MALFORMED);
    } else {
        CN_ASSERT(err == CN_OK && found == m && cn_slice_eq(cn_buf_slice(&back), bytes));
    }
    cn_buf_release(&text);
    cn_buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, CN_MIN(len, (size_t)INPUT_MAX_BYTES)};
    size_t bases = 0;
    const cn_multibase *list = cn_multibase_list(&bases);
    const cn_multibase *found = NULL;
    cn_why why = {{0}};
    cn_buf bytes;
    cn_buf_init(&bytes, cn_mem_default(), BUFFER_BYTES);
    if (cn_multibase_decode(in, &bytes, &found, &why) == CN_OK) {
        round_trip(found, cn_buf_slice(&bytes));
    } else {
        CN_ASSERT(bytes.len == 0 && why.text[0] != '\0');
    }
    if (in.len > 0) {
        round_trip(&list[in.data[0] % bases], cn_slice_skip(in, 1));
    }
    cn_buf_release(&bytes);
    return 0;
}
