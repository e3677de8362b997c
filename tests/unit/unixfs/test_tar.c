/*
 * Tar written and read back: fields that fit a header and those that need a PAX header, cuts,
 * flipped bits, archives that are none, failing memory. That the bytes are Kubo's is seen by the
 * tests beside it.
 */
#include "unixfs/tar.h"

#include "lib/test.h"

#include <stdio.h>

enum { OUT_MAX = 1 << 20, LONG = 300 };

static char long_name[CN_TAR_PATH_MAX_BYTES + 2];

static cn_err write_entry(const cn_tar_entry *e, bool whole_seconds, cn_slice data, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_tar_header(e, whole_seconds, out));
    CN_TRY(cn_buf_append(out, data));
    CN_TRY(cn_tar_pad(data.len, out));
out:
    return err;
}

/* Give `in` to the reader in pieces, and expect the one entry `e` with `data`. */
static void check_reads_as(cn_slice in, size_t piece, const cn_tar_entry *e, cn_slice data)
{
    cn_untar u;
    cn_untar_event event = {0};
    cn_buf got;
    unsigned entries = 0;
    cn_err err = CN_OK;
    cn_untar_init(&u, cn_mem_default());
    cn_buf_init(&got, cn_mem_default(), OUT_MAX);
    while (in.len > 0 && err == CN_OK) {
        cn_slice some = cn_slice_head(in, piece);
        in = cn_slice_skip(in, some.len);
        while (some.len > 0 && CHECK_OK(err = cn_untar_next(&u, &some, &event, NULL))) {
            if (event.kind == CN_UNTAR_DATA) {
                CHECK_OK(cn_buf_append(&got, event.data));
            } else if (event.kind == CN_UNTAR_ENTRY) {
                entries++;
                CHECK_EQ(event.entry.type, e->type);
                CHECK_BYTES(event.entry.path, e->path);
                CHECK_BYTES(event.entry.target, e->target);
                CHECK_EQ(event.entry.size_bytes, e->size_bytes);
                CHECK_EQ(event.entry.mode, e->mode);
                CHECK_EQ(event.entry.mtime_s, e->mtime_s);
                CHECK_EQ(event.entry.mtime_ns, e->mtime_ns);
            }
        }
    }
    CHECK_EQ(entries, 1);
    CHECK_BYTES(cn_buf_slice(&got), data);
    CHECK_OK(cn_untar_finish(&u, NULL));
    cn_buf_release(&got);
    cn_untar_release(&u);
    cn_untar_release(&u);
}

static void check_round_trip(const cn_tar_entry *e, cn_slice data)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), OUT_MAX);
    CHECK_OK(write_entry(e, false, data, &out));
    CHECK_OK(cn_tar_end(&out));
    CHECK_EQ(out.len % CN_TAR_BLOCK_BYTES, 0);
    check_reads_as(cn_buf_slice(&out), out.len, e, data);
    check_reads_as(cn_buf_slice(&out), 1, e, data);
    check_reads_as(cn_buf_slice(&out), 511, e, data);
    cn_buf_release(&out);
}

static void entries_come_back(void)
{
    static const uint8_t bytes[1025];
    static const size_t sizes[] = {0, 1, 511, 512, 513, 1024, 1025};
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        cn_tar_entry e = {
            .type = CN_TAR_FILE,
            .path = cn_str("a/b"),
            .size_bytes = sizes[i],
            .mode = 0644,
            .mtime_s = 1};
        check_round_trip(&e, cn_slice_of(bytes, sizes[i]));
    }
    cn_tar_entry dir = {.type = CN_TAR_DIR, .path = cn_str("a"), .mode = 07777};
    check_round_trip(&dir, (cn_slice){0});
    cn_tar_entry link = {
        .type = CN_TAR_SYMLINK, .path = cn_str("a"), .target = cn_str("../x"), .mode = 0777};
    check_round_trip(&link, (cn_slice){0});
}

/* Names at, below and beyond what a header holds, with a slash where it can be parted or not. */
static void long_names_come_back(void)
{
    static const size_t lengths[] = {
        99, 100, 101, 155, 156, 255, 256, 257, LONG, 4096, CN_TAR_PATH_MAX_BYTES};
    for (size_t i = 0; i < CN_LEN(lengths); i++) {
        for (size_t slash = 0; slash < 3; slash++) {
            for (size_t k = 0; k < lengths[i]; k++) {
                long_name[k] = 'n';
            }
            if (slash > 0) {
                long_name[slash == 1 ? lengths[i] / 2 : 1] = '/';
            }
            cn_slice name = cn_slice_of(long_name, lengths[i]);
            cn_tar_entry e = {.type = CN_TAR_DIR, .path = name, .mode = 0755};
            check_round_trip(&e, (cn_slice){0});
            cn_tar_entry link = {
                .type = CN_TAR_SYMLINK, .path = cn_str("l"), .target = name, .mode = 0777};
            check_round_trip(&link, (cn_slice){0});
        }
    }
    cn_tar_entry utf8 = {.type = CN_TAR_DIR, .path = cn_str("caf\xc3\xa9"), .mode = 0755};
    check_round_trip(&utf8, (cn_slice){0});
}

static void paths_too_long_are_refused(void)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), OUT_MAX);
    cn_slice name = cn_slice_of(long_name, CN_TAR_PATH_MAX_BYTES + 1);
    cn_tar_entry e = {.type = CN_TAR_DIR, .path = name};
    CHECK_ERR(cn_tar_header(&e, false, &out), CN_ERR_TOO_LARGE);
    cn_tar_entry link = {.type = CN_TAR_SYMLINK, .path = cn_str("l"), .target = name};
    CHECK_ERR(cn_tar_header(&link, false, &out), CN_ERR_TOO_LARGE);
    cn_buf_release(&out);
}

static void times_come_back(void)
{
    static const int64_t seconds[] = {
        0, 1, -1, -1000000, INT32_MAX, (int64_t)1 << 33, (int64_t)1 << 40};
    static const uint32_t fractions[] = {0, 1, 500000000, 999999999};
    for (size_t i = 0; i < CN_LEN(seconds); i++) {
        for (size_t k = 0; k < CN_LEN(fractions); k++) {
            cn_tar_entry e = {
                .type = CN_TAR_DIR,
                .path = cn_str("d"),
                .mtime_s = seconds[i],
                .mtime_ns = fractions[k]};
            check_round_trip(&e, (cn_slice){0});
        }
    }
}

/* A file of 8 GiB and more has its size in a PAX header; its bytes are not needed to see that. */
static void large_sizes_come_back(void)
{
    static const uint64_t sizes[] = {((uint64_t)1 << 33) - 1, (uint64_t)1 << 33, INT64_MAX};
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        cn_untar u;
        cn_untar_event event = {0};
        cn_buf out;
        cn_tar_entry e = {.type = CN_TAR_FILE, .path = cn_str("f"), .size_bytes = sizes[i]};
        cn_buf_init(&out, cn_mem_default(), OUT_MAX);
        CHECK_OK(cn_tar_header(&e, true, &out));
        CHECK_EQ(out.len, i == 0 ? 512 : 3 * 512);
        cn_slice in = cn_buf_slice(&out);
        cn_untar_init(&u, cn_mem_default());
        CHECK_OK(cn_untar_next(&u, &in, &event, NULL));
        CHECK_EQ(event.kind, CN_UNTAR_ENTRY);
        CHECK(event.entry.size_bytes == sizes[i]);
        CHECK_ERR(cn_untar_finish(&u, NULL), CN_ERR_TRUNCATED);
        cn_untar_release(&u);
        cn_buf_release(&out);
    }
}

/* Read all of `in`; what becomes of it. */
static cn_err verdict(cn_mem *mem, cn_slice in)
{
    cn_untar u;
    cn_untar_event event = {0};
    cn_err err = CN_OK;
    cn_untar_init(&u, mem);
    while (in.len > 0 && err == CN_OK) {
        err = cn_untar_next(&u, &in, &event, NULL);
    }
    err = err == CN_OK ? cn_untar_finish(&u, NULL) : err;
    cn_untar_release(&u);
    return err;
}

static cn_buf sample(void)
{
    cn_buf out;
    cn_tar_entry file = {
        .type = CN_TAR_FILE, .path = cn_slice_of(long_name, LONG), .size_bytes = 5, .mtime_ns = 7};
    cn_buf_init(&out, cn_mem_default(), OUT_MAX);
    for (size_t i = 0; i < LONG; i++) {
        long_name[i] = 'n';
    }
    CHECK_OK(write_entry(&file, false, cn_str("hello"), &out));
    CHECK_OK(cn_tar_end(&out));
    return out;
}

static void an_archive_cut_anywhere_is_truncated(void)
{
    cn_buf b = sample();
    size_t entries_end = b.len - (size_t)2 * CN_TAR_BLOCK_BYTES;
    for (size_t len = 0; len <= b.len; len++) {
        bool at_end = len >= entries_end + CN_TAR_BLOCK_BYTES;
        CHECK_ERR(
            verdict(cn_mem_default(), cn_slice_head(cn_buf_slice(&b), len)),
            at_end ? CN_OK : CN_ERR_TRUNCATED);
    }
    cn_buf_release(&b);
}

static void a_flipped_bit_in_a_header_is_seen(void)
{
    cn_buf b = sample();
    for (size_t bit = 0; bit < (size_t)8 * CN_TAR_BLOCK_BYTES; bit++) {
        bool in_sum = bit / 8 >= 148 && bit / 8 < 156; /* its end may have two forms */
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(in_sum || verdict(cn_mem_default(), cn_buf_slice(&b)) == CN_ERR_MALFORMED);
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cn_buf_release(&b);
}

/* Change a byte of a header and make its sum right. */
static void put_byte(cn_buf *b, size_t at, uint8_t value)
{
    unsigned sum = 0;
    b->data[at] = value;
    for (size_t i = 0; i < CN_TAR_BLOCK_BYTES; i++) {
        sum += i >= 148 && i < 156 ? ' ' : b->data[i];
    }
    char text[8];
    (void)snprintf(text, sizeof text, "%06o", sum);
    cn_copy(b->data + 148, text, 7);
}

static void what_is_no_archive_of_ours(void)
{
    static const char *const records[] = {
        "5 a=b\n",        "99 a=b\n",    "2 a\n",
        "x a=b\n",        "6 a=b ",      "-6 a=b\n",
        "13 mtime=1.x\n", "10 size=x\n", "30 size=99999999999999999999\n",
        "6 a=b\n5"};
    for (size_t i = 0; i < CN_LEN(records); i++) {
        cn_buf b = sample(); /* begins with a PAX header */
        cn_slice text = cn_str(records[i]);
        char size[24];
        (void)snprintf(size, sizeof size, "%011zo", text.len);
        cn_copy(b.data + 124, size, 11);
        put_byte(&b, 0, b.data[0]);
        cn_copy(b.data + CN_TAR_BLOCK_BYTES, text.data, text.len);
        if (!CHECK(verdict(cn_mem_default(), cn_buf_slice(&b)) != CN_OK)) {
            printf("  %s\n", records[i]);
        }
        cn_buf_release(&b);
    }
    cn_buf b = sample();
    put_byte(&b, 156, '1'); /* a hard link */
    CHECK_ERR(verdict(cn_mem_default(), cn_buf_slice(&b)), CN_ERR_UNSUPPORTED);
    put_byte(&b, 156, 'x');
    put_byte(&b, 124, '9'); /* no octal digit */
    CHECK_ERR(verdict(cn_mem_default(), cn_buf_slice(&b)), CN_ERR_MALFORMED);
    put_byte(&b, 124, '7'); /* records beyond the bound */
    CHECK_ERR(verdict(cn_mem_default(), cn_buf_slice(&b)), CN_ERR_TOO_LARGE);
    cn_buf_release(&b);
    CHECK_ERR(verdict(cn_mem_default(), (cn_slice){0}), CN_ERR_TRUNCATED);
}

static cn_err write_and_read(cn_mem *mem)
{
    cn_buf out;
    cn_tar_entry e = {
        .type = CN_TAR_SYMLINK,
        .path = cn_slice_of(long_name, LONG),
        .target = cn_slice_of(long_name, LONG),
        .mtime_ns = 3};
    cn_err err = CN_OK;
    cn_buf_init(&out, mem, OUT_MAX);
    CN_TRY(write_entry(&e, false, (cn_slice){0}, &out));
    CN_TRY(cn_tar_end(&out));
    CN_TRY(verdict(mem, cn_buf_slice(&out)));
out:
    cn_buf_release(&out);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(write_and_read);
}

int main(void)
{
    TEST(entries_come_back);
    TEST(long_names_come_back);
    TEST(paths_too_long_are_refused);
    TEST(times_come_back);
    TEST(large_sizes_come_back);
    TEST(an_archive_cut_anywhere_is_truncated);
    TEST(a_flipped_bit_in_a_header_is_seen);
    TEST(what_is_no_archive_of_ours);
    TEST(out_of_memory);
    return test_end();
}
