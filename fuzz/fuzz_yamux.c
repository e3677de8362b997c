/* Properties: any bytes leave the muxer whole; what it holds stays within its bounds. */
#include "p2p/muxer/yamux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void drain(cn_muxer *m)
{
    cn_slice parts[8];
    size_t parts_len = 0;
    for (int i = 0; i < 64; i++) {
        size_t sum = cn_muxer_pull(m, 1 << 16, parts, CN_LEN(parts), &parts_len, (cn_time){1});
        cn_muxer_pulled(m);
        if (sum == 0) {
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_muxer *m = NULL;
    cn_muxer_options o = {
        .mem = cn_mem_default(),
        .is_initiator = len > 0 && data[0] % 2 == 1,
        .streams_in_max = 8,
        .streams_out_max = 8,
        .window_max_bytes = 1 << 20,
        .queued_max_bytes = 1 << 16,
        .ping_interval_ns = CN_NS_PER_S,
        .ping_timeout_ns = CN_NS_PER_S,
    };
    cn_stream_no no = 0;
    CN_ASSERT(cn_yamux.open(&o, (cn_time){1}, &m) == CN_OK);
    CN_ASSERT(cn_muxer_open(m, &no) == CN_OK);
    drain(m);
    cn_slice in = cn_slice_skip(cn_slice_of(data, len), 1);
    cn_mux_event e = {0};
    cn_why why = {{0}};
    bool have = true;
    cn_err err = CN_OK;
    while (have && err == CN_OK) {
        err = cn_muxer_next(m, &in, (cn_time){2}, &e, &have, &why);
        if (err == CN_OK && have && e.kind == CN_MUX_DATA) {
            cn_muxer_consumed(m, e.stream, e.data.len, (cn_time){2});
        }
        if (err == CN_OK && have && e.kind == CN_MUX_OPENED) {
            cn_muxer_close(m, e.stream);
        }
        CN_ASSERT(cn_muxer_streams(m) <= 16);
    }
    CN_ASSERT(err != CN_OK || in.len == 0);
    drain(m);
    cn_muxer_free(m);
    return 0;
}
