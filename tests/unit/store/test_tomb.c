#include "store/tomb.h"

#include "unit/store/bytes_lib.h"

enum { SEGMENT = 0x01020304 };

static cn_buf make_log(const cn_tomb *tombs, size_t len)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), CN_TOMB_LOG_MAX_BYTES);
    CHECK_OK(cn_tomb_head_encode(SEGMENT, &out));
    for (size_t i = 0; i < len; i++) {
        CHECK_OK(cn_tomb_encode(SEGMENT, &tombs[i], &out));
    }
    return out;
}

/* How many tombstones can be read, as recovery does; -1: not even the head. */
static int readable(cn_slice log)
{
    cn_cur in = cn_cur_of(log);
    cn_tomb tomb;
    int count = 0;
    if (cn_tomb_head_decode(SEGMENT, &in) != CN_OK) {
        return -1;
    }
    while (cn_tomb_decode(SEGMENT, &in, &tomb) == CN_OK) {
        count++;
    }
    CHECK_EQ(log.len - cn_cur_left(&in), CN_TOMB_HEAD_BYTES + count * CN_TOMB_BYTES);
    return count;
}

static const cn_tomb three[] = {
    {.offset = 0, .ordinal = 0},
    {.offset = ((uint64_t)1 << 40) - 1, .ordinal = CN_TOMB_WHOLE - 1},
    {.offset = 0x0504030201, .ordinal = CN_TOMB_WHOLE},
};

static void tombstones_come_back(void)
{
    cn_buf log = make_log(three, CN_LEN(three));
    cn_cur in = cn_cur_of(cn_buf_slice(&log));
    cn_tomb back;
    CHECK_OK(cn_tomb_head_decode(SEGMENT, &in));
    for (size_t i = 0; i < CN_LEN(three); i++) {
        CHECK_OK(cn_tomb_decode(SEGMENT, &in, &back));
        CHECK_EQ(back.offset, three[i].offset);
        CHECK_EQ(back.ordinal, three[i].ordinal);
    }
    CHECK(cn_cur_done(&in));
    CHECK_ERR(cn_tomb_decode(SEGMENT, &in, &back), CN_ERR_TRUNCATED);
    CHECK_BYTES(
        cn_slice_head(cn_buf_slice(&log), CN_TOMB_HEAD_BYTES),
        test_hex("636169726e2d64656c01040302010000"));
    CHECK_BYTES(
        cn_slice_head(cn_slice_skip(cn_buf_slice(&log), 48), 8), test_hex("0102030405ffffff"));
    cn_buf_release(&log);
}

static void an_empty_log_has_none(void)
{
    cn_buf log = make_log(NULL, 0);
    CHECK_EQ(readable(cn_buf_slice(&log)), 0);
    CHECK_EQ(readable((cn_slice){0}), -1);
    cn_buf_release(&log);
}

/* A torn write loses the tombstones behind the tear and none before it. */
static void a_log_cut_anywhere_keeps_what_is_whole(void)
{
    cn_buf log = make_log(three, CN_LEN(three));
    for (size_t len = 0; len <= log.len; len++) {
        uint8_t *cut = exact_copy(cn_slice_head(cn_buf_slice(&log), len));
        int whole = (int)(len / CN_TOMB_BYTES) - 1;
        CHECK_EQ(readable((cn_slice){cut, len}), whole);
        cn_free(cn_mem_default(), cut);
    }
    cn_buf_release(&log);
}

static void a_flipped_bit_ends_the_log_before_it(void)
{
    cn_buf log = make_log(three, CN_LEN(three));
    for (size_t bit = 0; bit < 8 * log.len; bit++) {
        log.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQ(readable(cn_buf_slice(&log)), (int)(bit / 8 / CN_TOMB_BYTES) - 1);
        log.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cn_buf_release(&log);
}

static void a_tombstone_of_another_segment_is_none(void)
{
    cn_buf log = make_log(three, 1);
    cn_cur in = cn_cur_of(cn_buf_slice(&log));
    cn_tomb tomb = {.ordinal = 5};
    CHECK_ERR(cn_tomb_head_decode(SEGMENT + 1, &in), CN_ERR_MALFORMED);
    in = cn_cur_of(cn_slice_skip(cn_buf_slice(&log), CN_TOMB_HEAD_BYTES));
    CHECK_ERR(cn_tomb_decode(SEGMENT + 1, &in, &tomb), CN_ERR_MALFORMED);
    CHECK_EQ(tomb.ordinal, 5);
    CHECK_EQ(cn_cur_left(&in), CN_TOMB_BYTES);
    log.data[9]++; /* the version */
    in = cn_cur_of(cn_buf_slice(&log));
    CHECK_ERR(cn_tomb_head_decode(SEGMENT, &in), CN_ERR_UNSUPPORTED);
    cn_buf_release(&log);
}

static cn_err write_log(cn_mem *mem)
{
    cn_buf out;
    cn_err err = CN_OK;
    cn_buf_init(&out, mem, CN_TOMB_LOG_MAX_BYTES);
    CN_TRY(cn_tomb_head_encode(SEGMENT, &out));
    for (size_t i = 0; i < 100; i++) {
        CN_TRY(cn_tomb_encode(SEGMENT, &three[i % CN_LEN(three)], &out));
    }
out:
    cn_buf_release(&out);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(write_log);
}

int main(void)
{
    TEST(tombstones_come_back);
    TEST(an_empty_log_has_none);
    TEST(a_log_cut_anywhere_keeps_what_is_whole);
    TEST(a_flipped_bit_ends_the_log_before_it);
    TEST(a_tombstone_of_another_segment_is_none);
    TEST(out_of_memory);
    return test_end();
}
