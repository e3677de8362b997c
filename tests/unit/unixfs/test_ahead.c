/*
 * The driver that reads ahead, over a table of blocks behind a source that plays the store (all is
 * here), a damaged one, and one that has to fetch from elsewhere.
 */
#include "lib/table.h"
#include "rt_os/rt_os.h"
#include "unixfs/ahead.h"
#include "unixfs/read.h"

enum { THREADS = 2, WIDTH = 32, LOG_MAX = 4096 };

static _Thread_local bool is_caller; /* the test's own thread */
static _Thread_local bool is_counted;
static atomic_uint threads_seen; /* workers that have read blocks */
static cn_rt *rt;

/* A source over a table. All fields may be looked at while nothing runs. */
typedef struct source {
    cn_blocks blocks;
    test_table table;
    atomic_uint gets;        /* cn_blocks_get, which is the caller's */
    atomic_uint many;        /* blocks asked for together */
    atomic_uint many_caller; /* of them, on the caller's thread */
    atomic_uint get_worker;  /* gets on a worker */
    bool is_far;             /* get_many has nothing; get has it after `busy` times */
    unsigned busy;
    unsigned busy_left;
    bool many_fails; /* get_many fails for each second block */
    cn_cid lost;     /* not there */
    cn_cid log[LOG_MAX];
    size_t log_len; /* what was told by expect */
} source;

static cn_err look(source *s, const cn_cid *cid, cn_buf *ret)
{
    const test_place *place = cn_map_get(&s->table.at, cn_cid_key(cid));
    if (place == NULL || cn_cid_eq(cid, &s->lost)) {
        return CN_ERR_NOT_FOUND;
    }
    cn_buf_reset(ret);
    return cn_buf_append(ret, cn_slice_of(s->table.bytes.data + place->offset, place->len));
}

static cn_err source_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    source *s = (source *)b;
    char text[CN_CID_TEXT_BYTES];
    (void)atomic_fetch_add(is_caller ? &s->gets : &s->get_worker, 1);
    if (s->busy_left > 0) {
        s->busy_left--;
        return CN_ERR_BUSY;
    }
    s->busy_left = s->busy;
    cn_err err = look(s, cid, ret);
    return err == CN_OK ? CN_OK : cn_why_set(why, err, "no %s", cn_cid_text(cid, text));
}

static void
source_get_many(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    source *s = (source *)b;
    if (is_caller) {
        (void)atomic_fetch_add(&s->many_caller, 1);
    } else if (!is_counted) {
        is_counted = true;
        (void)atomic_fetch_add(&threads_seen, 1);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned n = atomic_fetch_add(&s->many, 1);
        bool fails = s->many_fails && n % 2 == 1;
        ret_errs[i] = s->is_far ? CN_ERR_NOT_FOUND
                      : fails   ? CN_ERR_IO
                                : look(s, &cids[i], &rets[i]);
    }
}

static void source_expect(cn_blocks *b, const cn_cid *cids, size_t len)
{
    source *s = (source *)b;
    for (size_t i = 0; i < len && s->log_len < LOG_MAX; i++) {
        s->log[s->log_len++] = cids[i];
    }
}

static void source_init(source *s)
{
    static const cn_blocks_ops ops = {
        .get = source_get, .get_many = source_get_many, .expect = source_expect};
    *s = (source){.blocks = {&ops}};
    test_table_init(&s->table);
}

static void source_release(source *s)
{
    test_table_release(&s->table);
}

/* The real world, with the pieces of work counted. */
static cn_rt_ops counting_ops;
static const cn_rt_ops *inner_ops;
static atomic_uint works;

static void count_submit(cn_rt *r, cn_work *w)
{
    (void)atomic_fetch_add(&works, 1);
    inner_ops->work_submit(r, w);
}

static bool start_rt(void)
{
    is_caller = true;
    if (cn_rt_os_new(THREADS, &rt) != CN_OK) {
        return false;
    }
    inner_ops = rt->ops;
    counting_ops = *rt->ops;
    counting_ops.work_submit = count_submit;
    rt->ops = &counting_ops;
    return true;
}

/* A node over `len` parts. */
static cn_cid node(test_table *t, const cn_cid *links, const uint64_t *sizes, size_t len)
{
    cn_dagpb_link pb[WIDTH] = {0};
    cn_unixfs_data d = {.type = CN_UNIXFS_FILE, .has_filesize = true, .blocksizes_len = len};
    cn_buf message, block;
    cn_buf_init(&message, cn_mem_default(), 1 << 20);
    cn_buf_init(&block, cn_mem_default(), 1 << 20);
    for (size_t i = 0; i < len; i++) {
        pb[i] = (cn_dagpb_link){.cid = cn_cid_bytes(&links[i]), .has_name = true};
        d.filesize += sizes[i];
    }
    CHECK_OK(cn_unixfs_data_encode(&d, sizes, &message));
    cn_slice data = cn_buf_slice(&message);
    CHECK_OK(cn_dagpb_encode(pb, len, &data, &block));
    cn_cid cid = test_table_add(t, CN_CODEC_DAG_PB, cn_buf_slice(&block));
    cn_buf_release(&message);
    cn_buf_release(&block);
    return cid;
}

/* A file of `leaves` leaves (at most 1024), all different or all the same; `whole` gets it. */
static cn_cid file(source *s, size_t leaves, size_t leaf_bytes, bool same, cn_buf *whole)
{
    static cn_cid cids[WIDTH * WIDTH];
    static uint64_t sizes[WIDTH * WIDTH];
    size_t len = leaves;
    for (size_t i = 0; i < leaves; i++) {
        size_t at = whole->len;
        for (size_t k = 0; k < leaf_bytes; k++) {
            uint8_t byte = k == 0 ? (uint8_t)i : k == 1 ? (uint8_t)(i >> 8) : (uint8_t)(k * 7);
            CHECK_OK(cn_buf_byte(whole, same ? (uint8_t)k : byte));
        }
        cn_slice leaf = cn_slice_of(whole->data + at, leaf_bytes);
        cids[i] = test_table_add(&s->table, CN_CODEC_RAW, leaf);
        sizes[i] = leaf_bytes;
    }
    while (len > 1) {
        size_t above = 0;
        for (size_t i = 0; i < len; i += WIDTH) {
            size_t n = CN_MIN(len - i, (size_t)WIDTH);
            uint64_t size = 0;
            for (size_t k = i; k < i + n; k++) {
                size += sizes[k];
            }
            cids[above] = node(&s->table, &cids[i], &sizes[i], n);
            sizes[above++] = size;
        }
        len = above;
    }
    return cids[0];
}

static cn_ahead_options over(source *s)
{
    return (cn_ahead_options){
        .rt = rt, .mem = cn_mem_default(), .blocks = &s->blocks, .block_max_bytes = 1 << 20};
}

/* Read a range with a driver that is there; after an error `out` has what came before it. */
static cn_err
read_with(cn_ahead *a, const cn_cid *cid, uint64_t from, uint64_t len, cn_buf *out, cn_why *why)
{
    const cn_read_options options = {.ahead = CN_PULL_AHEAD};
    cn_read r;
    cn_pull step = {.kind = CN_PULL_DATA};
    cn_err err = CN_OK;
    cn_read_init(&r, a->options.mem, cid, &options);
    cn_read_range(&r, from, len);
    while (step.kind != CN_PULL_END) {
        CN_TRY(cn_ahead_next(a, &r.pull, &step, why));
        if (step.kind == CN_PULL_DATA) {
            CN_TRY(cn_buf_append(out, step.data));
        }
    }
out:
    cn_read_release(&r);
    return err;
}

static cn_err read_file(source *s, const cn_cid *cid, cn_buf *out, cn_why *why)
{
    const cn_ahead_options options = over(s);
    cn_ahead a;
    cn_ahead_init(&a, &options);
    cn_err err = read_with(&a, cid, 0, UINT64_MAX, out, why);
    cn_ahead_release(&a);
    return err;
}

/* What most tests begin and end with. */
typedef struct fixture {
    source s;
    cn_buf whole;
    cn_buf out;
    cn_why why;
} fixture;

static void begin(fixture *f)
{
    source_init(&f->s);
    cn_buf_init(&f->whole, cn_mem_default(), 64 << 20);
    cn_buf_init(&f->out, cn_mem_default(), 64 << 20);
    f->why = (cn_why){0};
}

static void end(fixture *f)
{
    CHECK_EQ(atomic_load(&f->s.many_caller), 0);
    CHECK_EQ(atomic_load(&f->s.get_worker), 0);
    CHECK(atomic_load(&threads_seen) <= THREADS);
    cn_buf_release(&f->whole);
    cn_buf_release(&f->out);
    source_release(&f->s);
}

static fixture f; /* too large for a frame */

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
