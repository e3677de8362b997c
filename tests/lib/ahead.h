/*
 * What the tests of the driver that reads ahead share: a source of blocks that is near, damaged or
 * far, files to put into it, and a world that counts the work it is given.
 */
#pragma once

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
    size_t at_hand;  /* so many of the first bytes that were put are at hand */
    cn_cid lost;     /* not there */
    cn_cid log[LOG_MAX];
    size_t log_len; /* what was told by expect */
} source;

static inline cn_err look(source *s, const cn_cid *cid, cn_buf *ret)
{
    const test_place *place = cn_map_get(&s->table.at, cn_cid_key(cid));
    if (place == NULL || cn_cid_eq(cid, &s->lost)) {
        return CN_ERR_NOT_FOUND;
    }
    cn_buf_reset(ret);
    return cn_buf_append(ret, cn_slice_of(s->table.bytes.data + place->offset, place->len));
}

static inline cn_err source_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
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

static inline void
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

static inline void source_expect(cn_blocks *b, const cn_cid *cids, size_t len)
{
    source *s = (source *)b;
    for (size_t i = 0; i < len && s->log_len < LOG_MAX; i++) {
        s->log[s->log_len++] = cids[i];
    }
}

static inline bool source_is_at_hand(cn_blocks *b, const cn_cid *cid)
{
    source *s = (source *)b;
    const test_place *place = cn_map_get(&s->table.at, cn_cid_key(cid));
    return place != NULL && place->offset < s->at_hand;
}

static inline void source_init(source *s)
{
    static const cn_blocks_ops ops = {
        .get = source_get,
        .get_many = source_get_many,
        .expect = source_expect,
        .is_at_hand = source_is_at_hand};
    *s = (source){.blocks = {&ops}};
    test_table_init(&s->table);
}

static inline void source_release(source *s)
{
    test_table_release(&s->table);
}

/* The real world, with the pieces of work counted. */
static cn_rt_ops counting_ops;
static const cn_rt_ops *inner_ops;
static atomic_uint works;

static inline void count_submit(cn_rt *r, cn_work *w)
{
    (void)atomic_fetch_add(&works, 1);
    inner_ops->work_submit(r, w);
}

static inline bool start_rt(void)
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
static inline cn_cid node(test_table *t, const cn_cid *links, const uint64_t *sizes, size_t len)
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
static inline cn_cid file(source *s, size_t leaves, size_t leaf_bytes, bool same, cn_buf *whole)
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

static inline cn_ahead_options over(source *s)
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

static inline cn_err read_file(source *s, const cn_cid *cid, cn_buf *out, cn_why *why)
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

static inline void begin(fixture *f)
{
    source_init(&f->s);
    cn_buf_init(&f->whole, cn_mem_default(), 64 << 20);
    cn_buf_init(&f->out, cn_mem_default(), 64 << 20);
    f->why = (cn_why){0};
}

static inline void end(fixture *f)
{
    CHECK_EQ(atomic_load(&f->s.many_caller), 0);
    CHECK_EQ(atomic_load(&f->s.get_worker), 0);
    CHECK(atomic_load(&threads_seen) <= THREADS);
    cn_buf_release(&f->whole);
    cn_buf_release(&f->out);
    source_release(&f->s);
}

static fixture f; /* too large for a frame */
