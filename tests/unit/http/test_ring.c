/* A ring beside a plain queue of bytes, and its edges. */
#include "base/prng.h"
#include "http/ring.h"
#include "lib/test.h"

static void an_empty_ring_holds_and_takes_nothing(void)
{
    cn_ring r;
    uint8_t byte = 7;
    cn_ring_init(&r, cn_mem_default());
    CHECK_EQ(cn_ring_room(&r), 0);
    CHECK_EQ(cn_ring_put(&r, cn_str("x")), 0);
    CHECK_EQ(cn_ring_take(&r, &byte, 1), 0);
    CHECK_EQ(byte, 7);
    cn_ring_release(&r);
    cn_ring none = {0};
    cn_ring_release(&none);
}

static void a_full_ring_takes_no_more(void)
{
    cn_ring r;
    uint8_t out[8] = {0};
    cn_ring_init(&r, cn_mem_default());
    CHECK_OK(cn_ring_grow(&r, 4));
    CHECK_EQ(cn_ring_put(&r, cn_str("abcdef")), 4);
    CHECK_EQ(cn_ring_put(&r, cn_str("x")), 0);
    CHECK_EQ(cn_ring_room(&r), 0);
    CHECK_EQ(cn_ring_take(&r, out, 3), 3);
    CHECK_BYTES(cn_slice_of(out, 3), cn_str("abc"));
    CHECK_EQ(cn_ring_put(&r, cn_str("efgh")), 3); /* around the end */
    CHECK_EQ(cn_ring_take(&r, out, sizeof out), 4);
    CHECK_BYTES(cn_slice_of(out, 4), cn_str("defg"));
    cn_ring_release(&r);
}

static void growing_keeps_bytes_in_order(void)
{
    cn_ring r;
    uint8_t out[16] = {0};
    cn_ring_init(&r, cn_mem_default());
    CHECK_OK(cn_ring_grow(&r, 5));
    CHECK_EQ(cn_ring_put(&r, cn_str("12345")), 5);
    CHECK_EQ(cn_ring_take(&r, out, 3), 3);
    CHECK_EQ(cn_ring_put(&r, cn_str("678")), 3);
    CHECK_OK(cn_ring_grow(&r, 3)); /* smaller: nothing changes */
    CHECK_EQ(r.cap, 5);
    CHECK_OK(cn_ring_grow(&r, 9));
    CHECK_EQ(cn_ring_room(&r), 4);
    CHECK_EQ(cn_ring_put(&r, cn_str("9abcX")), 4);
    CHECK_EQ(cn_ring_take(&r, out, sizeof out), 9);
    CHECK_BYTES(cn_slice_of(out, 9), cn_str("456789abc"));
    cn_ring_release(&r);
}

/* Random puts, takes and growths: what comes out is what went in. */
static void it_is_a_queue(void)
{
    cn_prng random;
    cn_ring r;
    uint8_t piece[64];
    uint8_t in = 0;
    uint8_t out = 0;
    size_t held = 0;
    cn_prng_init(&random, 11);
    cn_ring_init(&r, cn_mem_default());
    for (int i = 0; i < 20000; i++) {
        size_t len = (size_t)(cn_prng_below(&random, sizeof piece));
        if (i % 1000 == 0) {
            CHECK_OK(cn_ring_grow(&r, (size_t)i / 100 + 1));
        }
        if (cn_prng_below(&random, 2) == 0) {
            for (size_t k = 0; k < len; k++) {
                piece[k] = (uint8_t)(in + k);
            }
            size_t expected = CN_MIN(len, r.cap - held);
            CHECK_EQ(cn_ring_put(&r, cn_slice_of(piece, len)), expected);
            in = (uint8_t)(in + expected);
            held += expected;
        } else {
            size_t got = cn_ring_take(&r, piece, len);
            CHECK_EQ(got, CN_MIN(len, held));
            for (size_t k = 0; k < got; k++) {
                if (piece[k] != out++) {
                    FAIL("a byte came out of order");
                }
            }
            held -= got;
        }
        CHECK_EQ(cn_ring_room(&r), r.cap - held);
    }
    cn_ring_release(&r);
}

static cn_err grow_some(cn_mem *mem)
{
    cn_ring r;
    cn_ring_init(&r, mem);
    cn_err err = cn_ring_grow(&r, 10);
    if (err == CN_OK) {
        CHECK_EQ(cn_ring_put(&r, cn_str("abc")), 3);
        err = cn_ring_grow(&r, 20);
        CHECK_EQ(r.len, 3); /* also if it failed */
    }
    cn_ring_release(&r);
    return err;
}

static void memory_may_run_out(void)
{
    test_out_of_memory(grow_some);
}

int main(void)
{
    TEST(an_empty_ring_holds_and_takes_nothing);
    TEST(a_full_ring_takes_no_more);
    TEST(growing_keeps_bytes_in_order);
    TEST(it_is_a_queue);
    TEST(memory_may_run_out);
    return test_end();
}
