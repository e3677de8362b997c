#include "unixfs/chunk.h"

#include "base/prng.h"
#include "lib/test.h"

enum { DATA_BYTES = 3 << 20 };

static uint8_t data[DATA_BYTES];
static cn_chunker c;

static void names_are_read_as_kubo_reads_them(void)
{
    static const struct {
        const char *name;
        cn_chunk_kind kind;
        size_t min;
        size_t max;
    } rows[] = {
        {"", CN_CHUNK_SIZE, 262144, 262144},
        {"default", CN_CHUNK_SIZE, 262144, 262144},
        {"size-1", CN_CHUNK_SIZE, 1, 1},
        {"size-2096896", CN_CHUNK_SIZE, 2096896, 2096896},
        {"rabin", CN_CHUNK_RABIN, 87381, 393216},
        {"rabin-65536", CN_CHUNK_RABIN, 21845, 98304},
        {"rabin-16-64-128", CN_CHUNK_RABIN, 16, 128},
        {"rabin-min:16-avg:64-max:128", CN_CHUNK_RABIN, 16, 128},
        {"buzhash", CN_CHUNK_BUZHASH, 131072, 524288},
        {"buzhash-7", CN_CHUNK_BUZHASH, 131072, 524288},
    };
    for (size_t i = 0; i < CN_LEN(rows); i++) {
        CHECK_OK(cn_chunker_parse(cn_str(rows[i].name), &c, NULL));
        CHECK_EQ(c.kind, rows[i].kind);
        CHECK_EQ(c.min_bytes, rows[i].min);
        CHECK_EQ(c.max_bytes, rows[i].max);
    }
}

static void bad_names_get_kubos_sentence(void)
{
    static const char *const rows[][2] = {
        {"nope", "unrecognized chunker option: nope"},
        {"size", "incorrect chunker string format (expected size-{size})"},
        {"size-1-2", "incorrect chunker string format (expected size-{size})"},
        {"size-0", "chunker size must be greater than 0"},
        {"size-x", "strconv.Atoi: parsing \"x\": invalid syntax"},
        {"size-2096897", "chunker parameters may not exceed the maximum chunk size of 2096896"},
        {"rabin-15-64-128", "rabin min must be greater than 16"},
        {"rabin-64-64-128", "incorrect format: rabin-min must be smaller than rabin-avg"},
        {"rabin-16-128-128", "incorrect format: rabin-avg must be smaller than rabin-max"},
        {"rabin-16-64-2096897",
         "chunker parameters may not exceed the maximum chunk size of 2096896"},
        {"rabin-1397932", "chunker parameters may not exceed the maximum chunk size of 2096896"},
        {"rabin-max:16-64-128", "first label must be min"},
        {"rabin-16-min:64-128", "second label must be avg"},
        {"rabin-16-64-avg:128", "final label must be max"},
        {"rabin-1-2",
         "incorrect format (expected 'rabin' 'rabin-[avg]' or 'rabin-[min]-[avg]-[max]'"},
    };
    for (size_t i = 0; i < CN_LEN(rows); i++) {
        cn_why why = {{0}};
        CHECK_ERR(cn_chunker_parse(cn_str(rows[i][0]), &c, &why), CN_ERR_USAGE);
        CHECK_STR(why.text, rows[i][1]);
    }
}

/* All but the last chunk lie between the bounds, and a window of max_bytes is enough to see. */
static void check_cuts(const char *name)
{
    CHECK_OK(cn_chunker_parse(cn_str(name), &c, NULL));
    cn_slice rest = {data, sizeof data};
    while (rest.len > 0) {
        size_t len = cn_chunker_next(&c, rest);
        CHECK(len > 0 && len <= c.max_bytes && len <= rest.len);
        CHECK(len >= c.min_bytes || len == rest.len);
        CHECK_EQ(cn_chunker_next(&c, cn_slice_head(rest, c.max_bytes)), len);
        rest = cn_slice_skip(rest, len);
    }
}

static void chunks_keep_their_bounds(void)
{
    cn_prng p;
    cn_prng_init(&p, 1);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)cn_prng_u32(&p);
    }
    check_cuts("rabin");
    check_cuts("rabin-16-64-100");
    check_cuts("rabin-1000-2000-4000");
    check_cuts("buzhash");
    check_cuts("size-1000");
}

static void short_input_is_one_chunk(void)
{
    static const char *const names[] = {"rabin", "buzhash", "size-262144"};
    for (size_t i = 0; i < CN_LEN(names); i++) {
        CHECK_OK(cn_chunker_parse(cn_str(names[i]), &c, NULL));
        CHECK_EQ(cn_chunker_next(&c, (cn_slice){data, 1}), 1);
        CHECK_EQ(cn_chunker_next(&c, (cn_slice){data, c.min_bytes}), c.min_bytes);
    }
}

int main(void)
{
    TEST(names_are_read_as_kubo_reads_them);
    TEST(bad_names_get_kubos_sentence);
    TEST(chunks_keep_their_bounds);
    TEST(short_input_is_one_chunk);
    return test_end();
}
