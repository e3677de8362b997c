#include "store/sidecar.h"

#include "crypto/sha256.h"
#include "unit/store/bytes_lib.h"

enum { SEGMENT = 7, SEGMENT_BYTES = 1000 };

typedef struct entry {
    cn_key key;
    cn_place place;
} entry;

static entry entry_of(uint64_t hash, size_t digest_len, uint8_t seed)
{
    entry e = {
        .place =
            {.segment = SEGMENT, .offset = 100u * seed, .len = 100, .ordinal = seed, .form = 1},
    };
    cn_cid cid = cid_with(1, CN_CODEC_RAW, hash, digest_len, seed);
    CHECK_OK(cn_key_encode(cn_cid_key(&cid), &e.key));
    return e;
}

static cn_err write_entries(const entry *entries, uint32_t len, cn_buf *out)
{
    cn_sidecar about = {.segment = SEGMENT, .count = len, .segment_bytes = SEGMENT_BYTES};
    cn_err err = CN_OK;
    CN_TRY(cn_sidecar_begin(&about, out));
    for (uint32_t i = 0; i < len; i++) {
        CN_TRY(cn_sidecar_entry(cn_key_slice(&entries[i].key), &entries[i].place, out));
    }
    CN_TRY(cn_sidecar_end(out));
out:
    return err;
}

static cn_buf make(const entry *entries, uint32_t len)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), CN_SIDECAR_MAX_BYTES);
    CHECK_OK(write_entries(entries, len, &out));
    return out;
}

/* Make the sum right again after a change of what is before it. */
static void sum_again(cn_buf *b)
{
    cn_slice body = cn_slice_head(cn_buf_slice(b), b->len - CN_SIDECAR_SUM_BYTES);
    cn_sha256(body, b->data + body.len);
}

static cn_err decode(cn_slice in)
{
    cn_sidecar about;
    cn_cur entries;
    return cn_sidecar_decode(in, &about, &entries);
}

/* Read the first entry of a sidecar whose sum is right. */
static cn_err first_entry(cn_slice in)
{
    cn_sidecar about = {0};
    cn_cur entries = {0};
    cn_slice key;
    cn_place place;
    cn_err err = cn_sidecar_decode(in, &about, &entries);
    return err != CN_OK ? err : cn_sidecar_next(&about, &entries, &key, &place);
}

static void entries_come_back(void)
{
    const entry entries[] = {
        entry_of(CN_MH_SHA2_256, 32, 0), entry_of(CN_MH_IDENTITY, 0, 1),
        entry_of(CN_MH_BLAKE3, CN_DIGEST_MAX_BYTES, 2), entry_of(UINT32_MAX, 20, 9)};
    cn_buf b = make(entries, CN_LEN(entries));
    cn_sidecar about = {0};
    cn_cur cur = {0};
    cn_slice key = {0};
    cn_place place = {0};
    CHECK_OK(cn_sidecar_decode(cn_buf_slice(&b), &about, &cur));
    CHECK_EQ(about.segment, SEGMENT);
    CHECK_EQ(about.count, CN_LEN(entries));
    CHECK_EQ(about.segment_bytes, SEGMENT_BYTES);
    for (size_t i = 0; i < CN_LEN(entries); i++) {
        CHECK_OK(cn_sidecar_next(&about, &cur, &key, &place));
        CHECK_BYTES(key, cn_key_slice(&entries[i].key));
        CHECK(cn_place_eq(&place, &entries[i].place));
        CHECK_EQ(place.ordinal, entries[i].place.ordinal);
    }
    CHECK(cn_cur_done(&cur));
    CHECK_ERR(cn_sidecar_next(&about, &cur, &key, &place), CN_ERR_TRUNCATED);
    cn_buf_release(&b);
}

static void one_without_entries_is_good(void)
{
    cn_buf b = make(NULL, 0);
    CHECK_EQ(b.len, CN_SIDECAR_HEAD_BYTES + CN_SIDECAR_SUM_BYTES);
    CHECK_OK(decode(cn_buf_slice(&b)));
    CHECK_ERR(first_entry(cn_buf_slice(&b)), CN_ERR_TRUNCATED);
    cn_buf_release(&b);
}

static void a_cut_or_a_flipped_bit_anywhere_is_seen(void)
{
    const entry entries[] = {entry_of(CN_MH_SHA2_256, 32, 0), entry_of(CN_MH_SHA1, 20, 1)};
    cn_buf b = make(entries, CN_LEN(entries));
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *cut = exact_copy(cn_slice_head(cn_buf_slice(&b), len));
        bool has_room = len >= CN_SIDECAR_HEAD_BYTES + CN_SIDECAR_SUM_BYTES;
        CHECK_ERR(decode((cn_slice){cut, len}), has_room ? CN_ERR_HASH_MISMATCH : CN_ERR_TRUNCATED);
        cn_free(cn_mem_default(), cut);
    }
    CHECK_EQ(each_flip(cn_buf_slice(&b), decode), 8 * b.len);
    cn_buf_release(&b);
}

static void heads_that_cannot_be_are_refused(void)
{
    enum { VERSION_AT = 9, COUNT_AT = 24, ZERO_AT = 28 };
    cn_buf b = make(NULL, 0);
    b.data[VERSION_AT]++;
    sum_again(&b);
    CHECK_ERR(decode(cn_buf_slice(&b)), CN_ERR_UNSUPPORTED);
    b.data[VERSION_AT]--;
    b.data[ZERO_AT] = 1;
    sum_again(&b);
    CHECK_ERR(decode(cn_buf_slice(&b)), CN_ERR_MALFORMED);
    b.data[ZERO_AT] = 0;
    b.data[COUNT_AT + 2] = CN_SEGMENT_RECORDS_MAX >> 16;
    sum_again(&b);
    CHECK_OK(decode(cn_buf_slice(&b)));
    b.data[COUNT_AT] = 1; /* one over */
    sum_again(&b);
    CHECK_ERR(decode(cn_buf_slice(&b)), CN_ERR_MALFORMED);
    cn_buf_release(&b);
}

static void entries_that_cannot_be_are_refused(void)
{
    entry e = entry_of(CN_MH_SHA2_256, 32, 9); /* ends where the segment ends */
    cn_buf b = make(&e, 1);
    CHECK_OK(first_entry(cn_buf_slice(&b)));
    cn_buf_release(&b);
    entry past = e;
    past.place.len++;
    entry elsewhere = e;
    elsewhere.place.segment++;
    entry beyond = e;
    beyond.place.ordinal = CN_SEGMENT_RECORDS_MAX;
    entry without = e;
    without.key.len = 0;
    const entry bad[] = {past, elsewhere, beyond, without};
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        b = make(&bad[i], 1);
        CHECK_ERR(first_entry(cn_buf_slice(&b)), CN_ERR_MALFORMED);
        cn_buf_release(&b);
    }
    /* a key that runs past the end, and one longer than keys are */
    b = make(&e, 1);
    b.data[CN_SIDECAR_HEAD_BYTES] = 50;
    sum_again(&b);
    CHECK_ERR(first_entry(cn_buf_slice(&b)), CN_ERR_TRUNCATED);
    cn_buf_release(&b);
    static const entry zeros[10];
    b = make(zeros, CN_LEN(zeros));
    b.data[CN_SIDECAR_HEAD_BYTES] = CN_KEY_MAX_BYTES + 1;
    b.data[CN_SIDECAR_HEAD_BYTES + 1 + CN_KEY_MAX_BYTES + 1] = SEGMENT;
    sum_again(&b);
    CHECK_ERR(first_entry(cn_buf_slice(&b)), CN_ERR_MALFORMED);
    b.data[CN_SIDECAR_HEAD_BYTES]--;
    b.data[CN_SIDECAR_HEAD_BYTES + 1 + CN_KEY_MAX_BYTES + 1] = 0;
    b.data[CN_SIDECAR_HEAD_BYTES + 1 + CN_KEY_MAX_BYTES] = SEGMENT;
    sum_again(&b);
    CHECK_OK(first_entry(cn_buf_slice(&b)));
    cn_buf_release(&b);
}

static cn_err write_many(cn_mem *mem)
{
    static entry entries[200];
    cn_buf out;
    cn_buf_init(&out, mem, CN_SIDECAR_MAX_BYTES);
    for (size_t i = 0; i < CN_LEN(entries); i++) {
        entries[i].key.len = 33;
        entries[i].place.segment = SEGMENT;
    }
    cn_err err = write_entries(entries, CN_LEN(entries), &out);
    cn_buf_release(&out);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(write_many);
}

int main(void)
{
    TEST(entries_come_back);
    TEST(one_without_entries_is_good);
    TEST(a_cut_or_a_flipped_bit_anywhere_is_seen);
    TEST(heads_that_cannot_be_are_refused);
    TEST(entries_that_cannot_be_are_refused);
    TEST(out_of_memory);
    return test_end();
}
