#include "unixfs/data.h"

#include "lib/test.h"

static cn_unixfs_data d;

static cn_err decode(const char *hex)
{
    d = (cn_unixfs_data){0};
    return cn_unixfs_data_decode(test_hex(hex), &d, NULL);
}

static void fields_are_read(void)
{
    CHECK_OK(decode("080212026869180220012001388003420b08a2faf9fc0515e8030000"));
    CHECK_EQ(d.type, CN_UNIXFS_FILE);
    CHECK_BYTES(d.data, cn_str("hi"));
    CHECK(d.has_filesize && d.filesize == 2);
    CHECK_EQ(d.blocksizes_len, 2);
    CHECK(d.has_mode && d.mode == 0600);
    CHECK(d.has_mtime && d.mtime_s == 1604222242 && d.mtime_ns == 1000);
    CHECK_OK(decode("0805120103282230800"
                    "2"));
    CHECK_EQ(d.type, CN_UNIXFS_HAMT);
    CHECK(d.has_hash_type && d.hash_type == CN_UNIXFS_HAMT_HASH);
    CHECK(d.has_fanout && d.fanout == 256);
    CHECK_OK(decode("0801"));
    CHECK(!d.has_data && !d.has_filesize && !d.has_mode && !d.has_mtime);
}

static void blocksizes_packed_or_not(void)
{
    static const uint64_t expected[] = {1, 300, 7, 0};
    CHECK_OK(decode("08022001220"
                    "3ac02072000"));
    CHECK_EQ(d.blocksizes_len, 4);
    cn_unixfs_blocksize_iter it = cn_unixfs_blocksizes(&d);
    uint64_t size = 0;
    for (size_t i = 0; i < CN_LEN(expected); i++) {
        CHECK(cn_unixfs_blocksize_next(&it, &size));
        CHECK_EQ(size, expected[i]);
    }
    CHECK(!cn_unixfs_blocksize_next(&it, &size));
}

static void read_as_protobuf_reads(void)
{
    CHECK_OK(decode("080108021800180a")); /* the last counts */
    CHECK_EQ(d.type, CN_UNIXFS_FILE);
    CHECK_EQ(d.filesize, 10);
    CHECK_OK(decode("08027a0361626340"
                    "01")); /* unknown fields, and mtime of a wrong type, are passed over */
    CHECK(!d.has_mtime);
}

static void broken_messages_are_refused(void)
{
    CHECK_ERR(decode(""), CN_ERR_MALFORMED);           /* no type */
    CHECK_ERR(decode("0806"), CN_ERR_MALFORMED);       /* unknown type */
    CHECK_ERR(decode("08021205ff"), CN_ERR_TRUNCATED); /* data cut short */
    CHECK_ERR(decode("080242021d00"), CN_ERR_TRUNCATED);
    CHECK_ERR(decode("0802420515e8030000"), CN_ERR_MALFORMED); /* no seconds */
    CHECK_ERR(
        decode("08024207080115"
               "00000000"),
        CN_ERR_MALFORMED);                                         /* fraction 0 */
    CHECK_ERR(decode("0802420708011500ca9a3b"), CN_ERR_MALFORMED); /* fraction 1e9 */
    CHECK_ERR(decode("0802220180"), CN_ERR_TRUNCATED);             /* packed run cut */
}

static void what_is_written_reads_back(void)
{
    static const uint64_t sizes[] = {262144, 5};
    cn_unixfs_data in = {
        .type = CN_UNIXFS_FILE,
        .has_data = true,
        .data = cn_str("x"),
        .has_filesize = true,
        .filesize = UINT64_MAX,
        .blocksizes_len = 2,
        .has_mode = true,
        .mode = 07777,
        .has_mtime = true,
        .mtime_s = -5,
        .mtime_ns = 999999999,
    };
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4096);
    CHECK_OK(cn_unixfs_data_encode(&in, sizes, &out));
    CHECK_EQ(out.len, cn_unixfs_data_bytes(&in, sizes));
    CHECK_OK(cn_unixfs_data_decode(cn_buf_slice(&out), &d, NULL));
    CHECK_BYTES(d.data, in.data);
    CHECK(d.filesize == in.filesize && d.mode == in.mode);
    CHECK(d.mtime_s == in.mtime_s && d.mtime_ns == in.mtime_ns && d.blocksizes_len == 2);
    in.mtime_ns = 0;
    cn_buf_reset(&out);
    CHECK_OK(cn_unixfs_data_encode(&in, sizes, &out));
    CHECK_OK(cn_unixfs_data_decode(cn_buf_slice(&out), &d, NULL)); /* a fraction of 0 left out */
    CHECK_EQ(d.mtime_ns, 0);
    cn_buf_release(&out);
}

int main(void)
{
    TEST(fields_are_read);
    TEST(blocksizes_packed_or_not);
    TEST(read_as_protobuf_reads);
    TEST(broken_messages_are_refused);
    TEST(what_is_written_reads_back);
    return test_end();
}
