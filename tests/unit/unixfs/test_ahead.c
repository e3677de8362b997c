/*
 * The driver that reads ahead, over a table of blocks behind a source that plays the store (all is
 * here), a damaged one, and one that has to fetch from elsewhere.
 */
#include "lib/ahead.h"

static void files_of_all_sizes_around_the_window_come_whole(void)
{
    static const size_t leaves[] = {1, 2, 3, 4, 5, 8, 11, 12, 13, 16, 31, 32, 33, 64, 100, 1024};
    for (size_t i = 0; i < CN_LEN(leaves); i++) {
        begin(&f);
        cn_cid cid = file(&f.s, leaves[i], 10, false, &f.whole);
        CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
        CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
        end(&f);
    }
}

static void each_leaf_is_read_once_and_by_a_worker(void)
{
    begin(&f);
    cn_cid cid = file(&f.s, WIDTH, 10, false, &f.whole);
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_EQ(atomic_load(&f.s.gets), 1); /* the root */
    CHECK_EQ(atomic_load(&f.s.many), WIDTH);
    end(&f);
}

/* What is only to be copied is copied here; the first that is not sends the workers. */
static void no_worker_is_sent_for_what_is_at_hand(void)
{
    begin(&f);
    cn_cid cid = file(&f.s, WIDTH, 10, false, &f.whole);
    f.s.at_hand = SIZE_MAX;
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    CHECK_EQ(atomic_load(&f.s.many), 0);
    CHECK_EQ(atomic_load(&f.s.gets), WIDTH + 1);
    end(&f);
    begin(&f);
    cid = file(&f.s, WIDTH, 10, false, &f.whole);
    f.s.at_hand = 100; /* ten leaves of it */
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    CHECK_EQ(atomic_load(&f.s.gets), 1 + 10);
    CHECK_EQ(atomic_load(&f.s.many), WIDTH - 10);
    end(&f);
}

static void a_small_file_takes_no_memory_and_no_worker(void)
{
    begin(&f);
    cn_ahead a;
    const cn_ahead_options options = over(&f.s);
    cn_cid cid = file(&f.s, 1, 100, false, &f.whole);
    unsigned works_before = atomic_load(&works);
    CHECK_OK(cn_buf_reserve(&f.out, 1000));
    size_t used = atomic_load(&cn_mem_default()->used_bytes);
    cn_ahead_init(&a, &options);
    CHECK_EQ(atomic_load(&cn_mem_default()->used_bytes), used);
    CHECK_OK(read_with(&a, &cid, 0, UINT64_MAX, &f.out, NULL));
    CHECK(a.batches == NULL);
    CHECK(atomic_load(&cn_mem_default()->used_bytes) <= used + 4096);
    cn_ahead_release(&a);
    cn_ahead_release(&a);
    CHECK_EQ(atomic_load(&cn_mem_default()->used_bytes), used);
    CHECK_EQ(atomic_load(&works), works_before);
    CHECK_EQ(f.s.log_len, 0);
    CHECK_EQ(atomic_load(&f.s.gets), 1);
    end(&f);
}

static void ranges_one_after_the_other_with_one_driver(void)
{
    begin(&f);
    cn_ahead a;
    const cn_ahead_options options = over(&f.s);
    cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
    cn_ahead_init(&a, &options);
    for (size_t n = 0; n < 400; n++) {
        uint64_t from = n * 211 % 420; /* forward and back, on borders and beyond the end */
        uint64_t len = n % 3 == 0 ? 10 : n * 37 % 390;
        cn_slice expected =
            cn_slice_head(cn_slice_skip(cn_buf_slice(&f.whole), (size_t)from), (size_t)len);
        cn_buf_reset(&f.out);
        CHECK_OK(read_with(&a, &cid, from, len, &f.out, &f.why));
        CHECK_BYTES(cn_buf_slice(&f.out), expected);
    }
    cn_ahead_release(&a);
    end(&f);
}

static void nothing_outside_a_range_is_asked_for(void)
{
    begin(&f);
    cn_ahead a;
    const cn_ahead_options options = over(&f.s);
    cn_cid cid = file(&f.s, WIDTH, 10, false, &f.whole);
    cn_ahead_init(&a, &options);
    CHECK_OK(read_with(&a, &cid, 55, 30, &f.out, &f.why)); /* leaves 5 to 8 */
    CHECK_BYTES(cn_buf_slice(&f.out), cn_slice_of(f.whole.data + 55, 30));
    CHECK_EQ(atomic_load(&f.s.gets) + atomic_load(&f.s.many), 1 + 4);
    CHECK_EQ(f.s.log_len, 4);
    cn_ahead_release(&a);
    end(&f);
}

static void content_that_repeats_is_read_once(void)
{
    begin(&f);
    cn_cid cid = file(&f.s, WIDTH, 1000, true, &f.whole);
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    CHECK_EQ(atomic_load(&f.s.gets) + atomic_load(&f.s.many), 2);
    end(&f);
}

/* The CID of the n-th leaf of file(..., 10, false, ...). */
static cn_cid leaf_cid(const fixture *x, size_t n)
{
    test_table scratch;
    test_table_init(&scratch);
    cn_cid cid = test_table_add(&scratch, CN_CODEC_RAW, cn_slice_of(x->whole.data + n * 10, 10));
    test_table_release(&scratch);
    return cid;
}

static void a_missing_leaf_ends_the_file_where_it_is(void)
{
    for (size_t n = 0; n < 40; n++) {
        char text[CN_CID_TEXT_BYTES];
        char sentence[CN_CID_TEXT_BYTES + 4] = "no ";
        begin(&f);
        cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
        f.s.lost = leaf_cid(&f, n);
        (void)cn_cid_text(&f.s.lost, text);
        cn_copy(sentence + 3, text, strlen(text) + 1);
        CHECK_ERR(read_file(&f.s, &cid, &f.out, &f.why), CN_ERR_NOT_FOUND);
        CHECK_STR(f.why.text, sentence);
        CHECK_BYTES(cn_buf_slice(&f.out), cn_slice_of(f.whole.data, n * 10));
        end(&f);
    }
}

static void what_could_not_be_read_ahead_is_read_again(void)
{
    begin(&f);
    cn_cid cid = file(&f.s, 100, 10, false, &f.whole);
    f.s.many_fails = true;
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    end(&f);
}

static void a_leaf_of_the_wrong_size_is_an_error_mid_way(void)
{
    cn_cid links[10];
    uint64_t sizes[10];
    begin(&f);
    for (size_t i = 0; i < CN_LEN(links); i++) {
        uint8_t leaf[3] = {1, 2, (uint8_t)i};
        links[i] = test_table_add(&f.s.table, CN_CODEC_RAW, cn_slice_of(leaf, sizeof leaf));
        sizes[i] = i == 6 ? 4 : 3;
    }
    cn_cid cid = node(&f.s.table, links, sizes, CN_LEN(links));
    CHECK_ERR(read_file(&f.s, &cid, &f.out, &f.why), CN_ERR_MALFORMED);
    CHECK_EQ(f.out.len, 6 * 3);
    CHECK(f.why.text[0] != '\0');
    end(&f);
}

/* Answers CANCELLED once `left` blocks have passed. */
static cn_err count_down(void *ctx)
{
    unsigned *left = ctx;
    if (*left == 0) {
        return CN_ERR_CANCELLED;
    }
    *left -= 1;
    return CN_OK;
}

static void a_check_ends_the_step_and_it_may_be_taken_again(void)
{
    begin(&f);
    unsigned left = 7; /* two roots above each other, and leaves */
    const cn_read_options how = {.ahead = CN_PULL_AHEAD};
    cn_ahead_options options = over(&f.s);
    cn_ahead a;
    cn_read r;
    cn_pull step = {.kind = CN_PULL_DATA};
    unsigned stops = 0;
    cn_cid cid = file(&f.s, 100, 10, false, &f.whole);
    options.check = count_down;
    options.ctx = &left;
    cn_ahead_init(&a, &options);
    cn_read_init(&r, cn_mem_default(), &cid, &how);
    while (step.kind != CN_PULL_END) {
        cn_err err = cn_ahead_next(&a, &r.pull, &step, &f.why);
        if (err == CN_ERR_CANCELLED) {
            CHECK_EQ(f.out.len, stops == 0 ? (7 - 2) * 10 : f.out.len);
            stops++;
            left = 7;
            step.kind = CN_PULL_DATA;
        } else if (err != CN_OK) {
            FAIL("another error");
            break;
        } else if (step.kind == CN_PULL_DATA) {
            CHECK_OK(cn_buf_append(&f.out, step.data));
        }
    }
    CHECK_EQ(stops, (1 + 4 + 100 - 1) / 7);
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    cn_read_release(&r);
    cn_ahead_release(&a);
    end(&f);
}

static void a_far_source_is_told_all_wants_in_order_and_once(void)
{
    begin(&f);
    cn_cid cid = file(&f.s, WIDTH, 10, false, &f.whole);
    f.s.is_far = true;
    CHECK_OK(read_file(&f.s, &cid, &f.out, &f.why));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    CHECK_EQ(f.s.log_len, WIDTH);
    for (size_t i = 0; i < f.s.log_len; i++) {
        cn_cid leaf = leaf_cid(&f, i);
        CHECK(cn_cid_eq(&f.s.log[i], &leaf));
    }
    CHECK_EQ(atomic_load(&f.s.gets), 1 + WIDTH);
    end(&f);
}

static void a_source_that_does_not_wait_is_asked_again_until_it_has_the_block(void)
{
    begin(&f);
    const cn_ahead_options options = over(&f.s);
    const cn_read_options how = {.ahead = CN_PULL_AHEAD};
    cn_ahead a;
    cn_read r;
    cn_pull step = {.kind = CN_PULL_DATA};
    size_t waits = 0;
    cn_cid cid = file(&f.s, 100, 10, false, &f.whole);
    f.s.is_far = true;
    f.s.busy = 3;
    f.s.busy_left = 3;
    cn_ahead_init(&a, &options);
    cn_read_init(&r, cn_mem_default(), &cid, &how);
    while (step.kind != CN_PULL_END && waits < 1000) {
        cn_err err = cn_ahead_next(&a, &r.pull, &step, &f.why);
        if (err == CN_ERR_BUSY) {
            waits++;
            step.kind = CN_PULL_DATA;
        } else {
            CHECK_OK(err);
            if (err != CN_OK) {
                break;
            }
            CHECK_OK(step.kind == CN_PULL_DATA ? cn_buf_append(&f.out, step.data) : CN_OK);
        }
    }
    CHECK_EQ(waits, 3 * (1 + 4 + 100));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    cn_read_release(&r);
    cn_ahead_release(&a);
    end(&f);
}

static void many_files_at_once_share_the_workers(void)
{
    enum { FILES = 50 };
    static cn_ahead aheads[FILES];
    static cn_read reads[FILES];
    static size_t done[FILES];
    begin(&f);
    const cn_ahead_options options = over(&f.s);
    const cn_read_options how = {.ahead = CN_PULL_AHEAD};
    size_t open = FILES;
    cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
    for (size_t i = 0; i < FILES; i++) {
        cn_ahead_init(&aheads[i], &options);
        cn_read_init(&reads[i], cn_mem_default(), &cid, &how);
        done[i] = 0;
    }
    while (open > 0) {
        open = 0;
        for (size_t i = 0; i < FILES; i++) {
            cn_pull step = {0};
            cn_err err = cn_ahead_next(&aheads[i], &reads[i].pull, &step, NULL);
            CHECK_OK(err);
            if (err == CN_OK && step.kind == CN_PULL_DATA) {
                CHECK_BYTES(step.data, cn_slice_of(f.whole.data + done[i], step.data.len));
                done[i] += step.data.len;
            }
            open += err == CN_OK && step.kind != CN_PULL_END;
        }
    }
    for (size_t i = 0; i < FILES; i++) {
        CHECK_EQ(done[i], f.whole.len);
        cn_read_release(&reads[i]);
        cn_ahead_release(&aheads[i]);
    }
    end(&f);
}

static void a_reader_may_be_left_at_any_step(void)
{
    begin(&f);
    const cn_ahead_options options = over(&f.s);
    const cn_read_options how = {.ahead = CN_PULL_AHEAD};
    cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
    for (size_t steps = 0; steps < 42; steps++) {
        cn_ahead a;
        cn_read r;
        cn_ahead_init(&a, &options);
        cn_read_init(&r, cn_mem_default(), &cid, &how);
        for (size_t i = 0; i < steps; i++) {
            cn_pull step = {0};
            CHECK_OK(cn_ahead_next(&a, &r.pull, &step, NULL));
        }
        if (steps % 2 == 0) {
            cn_read_release(&r);
            cn_ahead_release(&a);
        } else {
            cn_ahead_release(&a);
            cn_read_release(&r);
        }
    }
    end(&f);
}

static void memory_is_bounded_by_the_window(void)
{
    enum { LEAF = 64 << 10, LEAVES = 128 };
    cn_mem mem;
    begin(&f);
    cn_mem_init(&mem, 0);
    cn_ahead_options options = over(&f.s);
    cn_ahead a;
    cn_cid cid = file(&f.s, LEAVES, LEAF, false, &f.whole);
    options.mem = &mem;
    cn_ahead_init(&a, &options);
    CHECK_OK(read_with(&a, &cid, 0, UINT64_MAX, &f.out, NULL));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    size_t peak = atomic_load(&mem.peak_bytes);
    CHECK(peak <= (size_t)CN_AHEAD_BATCHES * CN_AHEAD_BATCH * LEAF + (64 << 10));
    CHECK(peak >= (size_t)CN_AHEAD_BATCHES * CN_AHEAD_BATCH * LEAF);
    cn_ahead_release(&a);
    CHECK_EQ(atomic_load(&mem.used_bytes), 0);
    end(&f);
}

static void a_block_beyond_the_bound_is_too_large(void)
{
    begin(&f);
    cn_ahead_options options = over(&f.s);
    cn_ahead a;
    cn_cid cid = file(&f.s, 5, 4000, false, &f.whole);
    options.block_max_bytes = 3999;
    cn_ahead_init(&a, &options);
    CHECK_ERR(read_with(&a, &cid, 0, UINT64_MAX, &f.out, NULL), CN_ERR_TOO_LARGE);
    cn_ahead_release(&a);
    options.block_max_bytes = 4000;
    cn_ahead_init(&a, &options);
    CHECK_OK(read_with(&a, &cid, 0, UINT64_MAX, &f.out, NULL));
    CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
    cn_ahead_release(&a);
    end(&f);
}

/* A worker's failure may be made good by the caller, so a try ends with NO_MEMORY or whole. */
static void out_of_memory_at_any_allocation(void)
{
    size_t failures = 0;
    bool used = true;
    begin(&f);
    cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
    CHECK_OK(cn_buf_reserve(&f.out, f.whole.len));
    for (long long n = 1; n < 1000 && used; n++) {
        cn_mem mem;
        cn_ahead_options options = over(&f.s);
        cn_ahead a;
        cn_mem_init(&mem, 0);
        options.mem = &mem;
        atomic_store(&mem.fail_after, n);
        cn_ahead_init(&a, &options);
        cn_buf_reset(&f.out);
        cn_err err = read_with(&a, &cid, 0, UINT64_MAX, &f.out, NULL);
        used = atomic_load(&mem.fail_after) == 0;
        failures += err != CN_OK;
        if (err == CN_OK) {
            CHECK_BYTES(cn_buf_slice(&f.out), cn_buf_slice(&f.whole));
        } else {
            CHECK_ERR(err, CN_ERR_NO_MEMORY);
        }
        cn_ahead_release(&a);
        CHECK_EQ(atomic_load(&mem.used_bytes), 0);
    }
    CHECK(!used);
    CHECK(failures >= 2);
    end(&f);
}

/* The gateway's way: some spans are taken unseen, others become wants. */
static void spans_may_become_wants(void)
{
    begin(&f);
    const cn_ahead_options options = over(&f.s);
    const cn_read_options how = {.ahead = CN_PULL_AHEAD, .spans = true};
    cn_ahead a;
    cn_read r;
    cn_pull step = {.kind = CN_PULL_DATA};
    size_t spans = 0;
    size_t at = 0;
    cn_cid cid = file(&f.s, 40, 10, false, &f.whole);
    cn_ahead_init(&a, &options);
    cn_read_init(&r, cn_mem_default(), &cid, &how);
    cn_read_range(&r, 5, 390);
    while (step.kind != CN_PULL_END) {
        cn_err err = cn_ahead_next(&a, &r.pull, &step, NULL);
        CHECK_OK(err);
        if (err != CN_OK) {
            break;
        }
        if (step.kind == CN_PULL_SPAN) {
            bool has = cn_ahead_has(&a, &step.span_cid);
            CHECK_EQ(step.span_block_bytes, 10);
            CHECK(spans != 11 || has); /* leaf 10 was asked for, so 11 is on its way */
            if (spans < 10) {
                CHECK(!has);
                at += (size_t)step.span_len;
            } else {
                cn_read_want_span(&r);
            }
            spans++;
        } else if (step.kind == CN_PULL_DATA) {
            CHECK_BYTES(step.data, cn_slice_of(f.whole.data + 5 + at, step.data.len));
            at += step.data.len;
        }
    }
    CHECK_EQ(spans, 40);
    CHECK_EQ(at, 390);
    cn_read_release(&r);
    cn_ahead_release(&a);
    end(&f);
}

int main(void)
{
    if (!start_rt()) {
        return 1;
    }
    TEST(files_of_all_sizes_around_the_window_come_whole);
    TEST(each_leaf_is_read_once_and_by_a_worker);
    TEST(no_worker_is_sent_for_what_is_at_hand);
    TEST(a_small_file_takes_no_memory_and_no_worker);
    TEST(ranges_one_after_the_other_with_one_driver);
    TEST(nothing_outside_a_range_is_asked_for);
    TEST(content_that_repeats_is_read_once);
    TEST(a_missing_leaf_ends_the_file_where_it_is);
    TEST(what_could_not_be_read_ahead_is_read_again);
    TEST(a_leaf_of_the_wrong_size_is_an_error_mid_way);
    TEST(a_check_ends_the_step_and_it_may_be_taken_again);
    TEST(a_far_source_is_told_all_wants_in_order_and_once);
    TEST(a_source_that_does_not_wait_is_asked_again_until_it_has_the_block);
    TEST(many_files_at_once_share_the_workers);
    TEST(a_reader_may_be_left_at_any_step);
    TEST(memory_is_bounded_by_the_window);
    TEST(a_block_beyond_the_bound_is_too_large);
    TEST(out_of_memory_at_any_allocation);
    TEST(spans_may_become_wants);
    rt->ops = inner_ops;
    cn_rt_os_free(rt);
    return test_end();
}
