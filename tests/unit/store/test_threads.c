/*
 * The store from several threads at once, meant for the thread sanitizer: what a put has returned
 * for is found by every thread, whatever the others do. Work is bounded by counts, and each thread
 * draws from its own seed. Checks are noted per thread, since the counters of lib/test.h are not
 * for threads.
 */
#include "store/gc.h"
#include "store/pin.h"
#include "unit/store/store_lib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    LEN = 4096,
    WRITERS = 2,
    BATCH = 8,
    BATCHES = 100,          /* of each writer: 3.2 MiB, so that segments turn over */
    WRITER_RANGE = 1 << 20, /* numbers of a writer's blocks begin at its number times this */
    DELETES = 60,
    TEMPORARY = 1 << 24, /* numbers of the blocks that are deleted again */
    READS = 1500,
    STATS = 300,
    STATS_MAX = 100000,
    PINS = 20,
    ROLES_MAX = 8,
};

typedef struct shared {
    cn_store *store;
    cn_pins *pins;
    atomic_uint put[WRITERS]; /* batches that are there */
    atomic_int collecting;    /* from 1 on only every second block is sure to be there; 2: done */
} shared;

typedef struct role {
    shared *in;
    unsigned number;
    void (*run)(struct role *r);
    const char *failed; /* the first thing that went wrong */
    cn_err err;
} role;

static void need(role *r, const char *what, cn_err err)
{
    if (r->failed == NULL && err != CN_OK) {
        r->failed = what;
        r->err = err;
    }
}

static void need_that(role *r, const char *what, bool good)
{
    need(r, what, good ? CN_OK : CN_ERR_BUG);
}

static void write_blocks(role *r)
{
    static uint8_t room[WRITERS][BATCH][LEN];
    cn_cid cids[BATCH];
    cn_store_put items[BATCH];
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        for (unsigned i = 0; i < BATCH; i++) {
            uint64_t n = (uint64_t)r->number * WRITER_RANGE + (uint64_t)batch * BATCH + i;
            cn_slice data = block_of(n, LEN, &cids[i]);
            cn_copy(room[r->number][i], data.data, LEN);
            items[i] = (cn_store_put){&cids[i], {room[r->number][i], LEN}};
        }
        need(r, "put", cn_store_put_many(r->in->store, items, BATCH, NULL));
        atomic_store(&r->in->put[r->number], batch + 1);
        if (batch % 16 == 15) {
            need(r, "flush", cn_store_flush(r->in->store, NULL));
        }
    }
}

/* A block that is there, or SIZE_MAX if there is none yet. */
static uint64_t choose(const role *r, cn_prng *prng)
{
    unsigned writer = (unsigned)cn_prng_below(prng, WRITERS);
    unsigned batches = atomic_load(&r->in->put[writer]);
    if (batches == 0) {
        return UINT64_MAX;
    }
    uint64_t n = cn_prng_below(prng, (uint64_t)batches * BATCH);
    bool all = atomic_load(&r->in->collecting) == 0;
    return (uint64_t)writer * WRITER_RANGE + (all ? n : n & ~(uint64_t)1);
}

static void read_blocks(role *r)
{
    cn_prng prng;
    cn_prng_init(&prng, 100 + r->number);
    for (int i = 0; i < READS; i++) {
        uint64_t n = choose(r, &prng);
        if (n != UINT64_MAX) {
            need(r, "get", get_block(r->in->store, n, LEN));
        }
    }
}

static void hold_blocks(role *r)
{
    cn_prng prng;
    uint8_t back[LEN];
    cn_prng_init(&prng, 200 + r->number);
    for (int i = 0; i < READS / 4; i++) {
        cn_cid cid;
        cn_place place = {0};
        cn_store_hold *hold = NULL;
        int fd = -1;
        uint64_t n = choose(r, &prng);
        if (n == UINT64_MAX) {
            continue;
        }
        cn_slice data = block_of(n, LEN, &cid);
        cn_err err = CN_ERR_NOT_FOUND;
        /* a block that a collection moves is not where it was: find it again */
        for (int tries = 0; err == CN_ERR_NOT_FOUND && tries < 100; tries++) {
            need(r, "find", cn_store_find(r->in->store, cn_cid_key(&cid), &place));
            err = cn_store_hold_place(r->in->store, &place, &hold, &fd);
        }
        need(r, "hold", err);
        if (err == CN_OK) {
            need_that(r, "pread", pread(fd, back, LEN, (off_t)place.offset) == LEN);
            need_that(r, "bytes held", cn_slice_eq(cn_slice_of(back, LEN), data));
            cn_store_release(r->in->store, hold);
        }
    }
}

static void delete_blocks(role *r)
{
    for (unsigned i = 0; i < DELETES; i++) {
        uint64_t n = TEMPORARY + i;
        need(r, "put to delete", put_block(r->in->store, n, LEN));
        need(r, "get to delete", get_block(r->in->store, n, LEN));
        need(r, "delete", delete_block(r->in->store, n, LEN));
        need_that(r, "get deleted", get_block(r->in->store, n, LEN) == CN_ERR_NOT_FOUND);
    }
}

static void ask_figures(role *r)
{
    uint64_t blocks = 0;
    /* beside a collection to its very end, where the reserve file is made again */
    for (int i = 0; i < STATS || (i < STATS_MAX && atomic_load(&r->in->collecting) == 1); i++) {
        cn_store_stats stats = {0};
        need(r, "stat", cn_store_stat(r->in->store, &stats));
        need_that(r, "block bytes", stats.block_bytes == stats.blocks * LEN);
        need_that(r, "dead bytes", stats.dead_bytes <= stats.repo_bytes);
        need_that(r, "blocks", atomic_load(&r->in->collecting) > 0 || stats.blocks + 1 >= blocks);
        blocks = stats.blocks;
        (void)cn_store_relieve(r->in->store);
    }
}

static cn_err count_pin(void *ctx, const cn_pin *pin)
{
    *(unsigned *)ctx += pin->mode == CN_PIN_RECURSIVE;
    return CN_OK;
}

static void change_pins(role *r)
{
    for (unsigned i = 0; i < PINS; i++) {
        cn_cid cid;
        cn_pin pin;
        unsigned counted = 0;
        (void)block_of(TEMPORARY / 2 + r->number * PINS + i, 64, &cid);
        need(r, "pin", cn_pins_set(r->in->pins, &cid, CN_PIN_RECURSIVE, cn_str("name"), NULL));
        need(r, "pin get", cn_pins_get(r->in->pins, &cid, CN_PIN_ANY, &pin, NULL));
        need(r, "pins", cn_pins_each(r->in->pins, CN_PIN_ANY, count_pin, &counted, NULL));
        need_that(r, "pins counted", counted > i / 2);
        if (i % 2 == 1) {
            need(r, "unpin", cn_pins_remove(r->in->pins, &cid, CN_PIN_ANY, NULL));
        }
    }
}

static cn_err see_block(void *ctx, const cn_cid *cid, const cn_place *place)
{
    CN_UNUSED(cid);
    *(unsigned *)ctx += place->len == LEN;
    return CN_OK;
}

static void visit_blocks(role *r)
{
    for (int i = 0; i < 5; i++) {
        unsigned before = atomic_load(&r->in->put[0]) * BATCH;
        unsigned seen = 0;
        need(r, "each", cn_store_each(r->in->store, see_block, &seen, NULL));
        need_that(r, "all seen", seen >= before);
    }
}

/* Keep every second block of the writers; the others may go at any time. */
static void collect(role *r)
{
    cn_gc *g = NULL;
    cn_cid cid;
    bool done = false;
    need(r, "gc", cn_gc_new(r->in->store, &g, NULL));
    for (uint64_t n = 0; r->failed == NULL && n < (uint64_t)WRITERS * BATCHES * BATCH; n += 2) {
        uint64_t writer = n / ((uint64_t)BATCHES * BATCH);
        (void)block_of(writer * WRITER_RANGE + n % ((uint64_t)BATCHES * BATCH), LEN, &cid);
        need(r, "mark", cn_gc_mark(g, &cid, NULL));
    }
    while (r->failed == NULL && !done) {
        need(r, "sweep", cn_gc_sweep(g, NULL, NULL, &done, NULL));
    }
    cn_gc_free(g);
    atomic_store(&r->in->collecting, 2);
}

static void *start(void *ctx)
{
    role *r = ctx;
    r->run(r);
    return NULL;
}

/* Run all roles at once, and check that none has failed. */
static void together(role *roles, size_t len, shared *in)
{
    pthread_t threads[ROLES_MAX];
    CN_ASSERT(len <= ROLES_MAX);
    for (size_t i = 0; i < len; i++) {
        roles[i].in = in;
        CHECK_EQ(pthread_create(&threads[i], NULL, start, &roles[i]), 0);
    }
    for (size_t i = 0; i < len; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_STR(roles[i].failed == NULL ? "" : roles[i].failed, "");
        CHECK_OK(roles[i].err);
    }
}

static void all_at_once(void)
{
    const char *dir = fresh_dir();
    shared in = {0};
    cn_store_stats stats;
    cn_store_options options = options_for(dir);
    options.group_bytes = 256 << 10; /* so that commits run beside the puts */
    CHECK_OK(cn_store_open(&options, &in.store, NULL));
    CHECK_OK(cn_pins_open(in.store, &in.pins, NULL));
    role busy[] = {
        {.number = 0, .run = write_blocks},  {.number = 1, .run = write_blocks},
        {.number = 2, .run = read_blocks},   {.number = 3, .run = hold_blocks},
        {.number = 4, .run = delete_blocks}, {.number = 5, .run = ask_figures},
        {.number = 6, .run = change_pins},   {.number = 7, .run = visit_blocks},
    };
    together(busy, CN_LEN(busy), &in);
    CHECK_OK(cn_store_stat(in.store, &stats));
    CHECK_EQ(stats.blocks, WRITERS * BATCHES * BATCH);
    atomic_store(&in.collecting, 1);
    role beside_gc[] = {
        {.number = 0, .run = collect},     {.number = 1, .run = read_blocks},
        {.number = 2, .run = read_blocks}, {.number = 3, .run = hold_blocks},
        {.number = 4, .run = ask_figures}, {.number = 5, .run = change_pins},
    };
    together(beside_gc, CN_LEN(beside_gc), &in);
    CHECK_OK(cn_store_stat(in.store, &stats));
    CHECK_EQ(stats.blocks, WRITERS * BATCHES * BATCH / 2);
    cn_pins_close(in.pins);
    cn_store_close(in.store);
    /* and all of it is there again */
    in.store = open_store(dir);
    role after[] = {{.number = 0, .run = read_blocks}, {.number = 1, .run = read_blocks}};
    together(after, CN_LEN(after), &in);
    cn_store_close(in.store);
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(all_at_once);
    cn_rt_os_free(rt);
    return test_end();
}
