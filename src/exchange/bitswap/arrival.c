/*
 * Parcels - messages with their blocks - go through three lists: to be hashed, to be stored, and
 * out. At most HASH_JOBS_MAX jobs hash and one puts, each with as many parcels as there are, up to
 * a bound. Four blocks hash in the time of little more than one, so where blocks follow each other
 * quickly the first few wait for each other a moment. Invariant: a parcel is in one list or in one
 * job, and a job that runs is touched by its worker alone until it stands under the lock as done.
 */
#include "exchange/bitswap/arrival.h"

#include "crypto/sha256.h"
#include "exchange/bitswap/ring.h"
#include "rt/lock.h"

enum {
    HASH_JOBS_MAX = 4,
    HASH_BYTES = 4 << 20,         /* of one job */
    HASH_ENOUGH = 4,              /* blocks worth a job of their own */
    HASH_SMALL_BYTES = 128 << 10, /* hashed sooner than more can come */
    STORE_BYTES = 16 << 20,       /* of one job */
    STORE_BLOCKS = 512,
    LANES = 16,
};

static const int64_t linger_ns = 10 * CN_NS_PER_MS; /* four of 1 MiB, at 400 MB/s */
static const int64_t gap_max_ns = 50 * CN_NS_PER_MS;

typedef struct arrived {
    cn_cid cid; /* len 0: none can be made */
    cn_slice data;
    cn_slice prefix;
    bool is_wanted;
} arrived;

typedef struct parcel {
    cn_ring node;
    cn_id peer;
    cn_buf bytes;
    size_t wanted;
    size_t len;
    arrived blocks[];
} parcel;

typedef struct job {
    cn_work work; /* first: cast back from it */
    cn_arrival *owner;
    cn_ring parcels;
    bool is_running;
    bool is_done; /* under the lock */
    cn_err err;
    cn_why why;
    size_t items_len;
    cn_blocks_item *items; /* while it runs */
} job;

struct cn_arrival {
    cn_arrival_options options;
    cn_lock *lock;
    cn_ring to_hash;
    size_t to_hash_blocks;
    size_t to_hash_bytes;
    cn_time oldest; /* when the first of to_hash came */
    cn_time given;  /* when the last came */
    int64_t gap_ns; /* between blocks, of late */
    cn_ring to_store;
    size_t held_bytes;
    size_t hashing; /* jobs that run */
    job hash_jobs[HASH_JOBS_MAX];
    job store_job;
};

static void run_hash(cn_work *work);
static void run_store(cn_work *work);

static void init_job(cn_arrival *a, job *j, void (*run)(cn_work *work))
{
    j->work.run = run;
    j->owner = a;
    cn_ring_init(&j->parcels);
}

cn_err cn_arrival_new(const cn_arrival_options *options, cn_arrival **ret)
{
    cn_arrival *a = cn_alloc(options->mem, sizeof *a);
    if (a == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    a->options = *options;
    cn_err err = cn_lock_new(options->mem, &a->lock);
    if (err != CN_OK) {
        cn_free(options->mem, a);
        return err;
    }
    cn_ring_init(&a->to_hash);
    cn_ring_init(&a->to_store);
    for (size_t i = 0; i < HASH_JOBS_MAX; i++) {
        init_job(a, &a->hash_jobs[i], run_hash);
    }
    init_job(a, &a->store_job, run_store);
    *ret = a;
    return CN_OK;
}

static size_t parcel_bytes(const parcel *p)
{
    return p->bytes.cap + sizeof *p + p->len * sizeof p->blocks[0];
}

static void parcel_free(cn_arrival *a, parcel *p)
{
    a->held_bytes -= parcel_bytes(p);
    cn_ring_remove(&p->node);
    cn_buf_release(&p->bytes);
    cn_free(a->options.mem, p);
}

static void free_all(cn_arrival *a, cn_ring *list)
{
    while (!cn_ring_is_empty(list)) {
        parcel_free(a, CN_CONTAINER(list->next, parcel, node));
    }
}

static void end_job(cn_arrival *a, job *j)
{
    if (j->is_running) {
        cn_rt_work_wait(a->options.rt, &j->work);
    }
    free_all(a, &j->parcels);
    cn_free(a->options.mem, j->items);
}

void cn_arrival_free(cn_arrival *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < HASH_JOBS_MAX; i++) {
        end_job(a, &a->hash_jobs[i]);
    }
    end_job(a, &a->store_job);
    free_all(a, &a->to_hash);
    free_all(a, &a->to_store);
    cn_lock_free(a->lock);
    cn_free(a->options.mem, a);
}

static void note_given(cn_arrival *a, size_t blocks, cn_time now)
{
    int64_t gap = (now.ns - a->given.ns) / (int64_t)CN_MAX(blocks, 1);
    a->gap_ns = (3 * a->gap_ns + CN_MIN(gap, gap_max_ns)) / 4; /* they come in bursts */
    a->given = now;
    if (cn_ring_is_empty(&a->to_hash)) {
        a->oldest = now;
    }
}

cn_err cn_arrival_give(cn_arrival *a, cn_id peer, cn_buf *bytes, const cn_message *m, cn_time now)
{
    cn_message_iter it = cn_message_items(m);
    cn_message_item item;
    parcel *p = cn_alloc(a->options.mem, sizeof *p + m->blocks * sizeof p->blocks[0]);
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_ring_init(&p->node);
    p->peer = peer;
    while (cn_message_next(&it, &item)) {
        if (item.kind == CN_MESSAGE_BLOCK) {
            p->blocks[p->len++] = (arrived){.data = item.data, .prefix = item.prefix};
        }
    }
    p->bytes = *bytes;
    cn_buf_init(bytes, p->bytes.mem, p->bytes.max);
    a->held_bytes += parcel_bytes(p);
    a->to_hash_blocks += p->len;
    a->to_hash_bytes += p->bytes.len;
    note_given(a, p->len, now);
    cn_ring_push(&a->to_hash, &p->node);
    return CN_OK;
}

/* --- on workers --- */

static void report_done(job *j)
{
    cn_arrival *a = j->owner;
    cn_lock_take(a->lock);
    j->is_done = true;
    cn_lock_give(a->lock);
    a->options.wake(a->options.ctx);
}

/* Blocks whose hash is sha2-256, collected to be hashed together. */
typedef struct lanes {
    arrived *blocks[LANES];
    cn_message_prefix prefixes[LANES];
    size_t len;
} lanes;

static void make_cid(arrived *b, const cn_message_prefix *p, cn_slice digest)
{
    cn_multihash mh = {p->hash, cn_slice_head(digest, p->digest_bytes)};
    if (cn_cid_make(p->version, p->codec, &mh, &b->cid) != CN_OK) {
        b->cid.len = 0;
    }
}

static void hash_lanes(lanes *l)
{
    cn_slice in[LANES];
    uint8_t digests[LANES][CN_SHA256_BYTES];
    for (size_t i = 0; i < l->len; i++) {
        in[i] = l->blocks[i]->data;
    }
    cn_sha256_many(in, digests, l->len);
    for (size_t i = 0; i < l->len; i++) {
        make_cid(l->blocks[i], &l->prefixes[i], cn_slice_of(digests[i], CN_SHA256_BYTES));
    }
    l->len = 0;
}

static void hash_one(arrived *b, lanes *l)
{
    cn_message_prefix p = {0};
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    if (cn_message_prefix_decode(b->prefix, &p) != CN_OK || p.hash == CN_MH_IDENTITY) {
        return;
    }
    if (p.hash == CN_MH_SHA2_256 && p.digest_bytes == CN_SHA256_BYTES) {
        l->blocks[l->len] = b;
        l->prefixes[l->len++] = p;
        if (l->len == LANES) {
            hash_lanes(l);
        }
    } else if (cn_multihash_sum(p.hash, p.digest_bytes, b->data, digest, &len) == CN_OK) {
        make_cid(b, &p, cn_slice_of(digest, len));
    }
}

static void run_hash(cn_work *work)
{
    job *j = (job *)work;
    lanes l = {.len = 0};
    for (cn_ring *r = j->parcels.next; r != &j->parcels; r = r->next) {
        parcel *p = CN_CONTAINER(r, parcel, node);
        for (size_t i = 0; i < p->len; i++) {
            hash_one(&p->blocks[i], &l);
        }
    }
    hash_lanes(&l);
    report_done(j);
}

static void run_store(cn_work *work)
{
    job *j = (job *)work;
    j->err = cn_blocks_put_many(j->owner->options.blocks, j->items, j->items_len, &j->why);
    report_done(j);
}

/* --- on the loop --- */

static bool take_done(cn_arrival *a, job *j)
{
    if (!j->is_running) {
        return false;
    }
    cn_lock_take(a->lock);
    bool is_done = j->is_done;
    cn_lock_give(a->lock);
    if (is_done) {
        cn_rt_work_wait(a->options.rt, &j->work);
        j->is_running = j->is_done = false;
    }
    return is_done;
}

static void submit(cn_arrival *a, job *j)
{
    j->is_running = true;
    cn_rt_work_submit(a->options.rt, &j->work);
}

static void match_parcels(cn_arrival *a, job *j)
{
    const cn_arrival_options *o = &a->options;
    while (!cn_ring_is_empty(&j->parcels)) {
        parcel *p = CN_CONTAINER(j->parcels.next, parcel, node);
        for (size_t i = 0; i < p->len; i++) {
            arrived *b = &p->blocks[i];
            b->is_wanted = o->match(o->ctx, p->peer, b->cid.len == 0 ? NULL : &b->cid, b->data.len);
            p->wanted += b->is_wanted;
        }
        if (p->wanted > 0) {
            cn_ring_push(&a->to_store, &p->node);
        } else {
            parcel_free(a, p);
        }
    }
}

/* All blocks of a job's parcels that were wanted are told of. */
static void tell_parcels(cn_arrival *a, job *j)
{
    const cn_arrival_options *o = &a->options;
    while (!cn_ring_is_empty(&j->parcels)) {
        parcel *p = CN_CONTAINER(j->parcels.next, parcel, node);
        for (size_t i = 0; i < p->len; i++) {
            if (p->blocks[i].is_wanted && j->err == CN_OK) {
                o->stored(o->ctx, &p->blocks[i].cid, p->blocks[i].data);
            } else if (p->blocks[i].is_wanted) {
                o->failed(o->ctx, &p->blocks[i].cid, j->err, cn_why_text(&j->why, j->err));
            }
        }
        parcel_free(a, p);
    }
    cn_free(a->options.mem, j->items);
    j->items = NULL;
}

static void begin_hashing(cn_arrival *a, job *j)
{
    size_t bytes = 0;
    while (!cn_ring_is_empty(&a->to_hash) && bytes < HASH_BYTES) {
        parcel *p = CN_CONTAINER(a->to_hash.next, parcel, node);
        bytes += p->bytes.len;
        a->to_hash_blocks -= p->len;
        a->to_hash_bytes -= p->bytes.len;
        cn_ring_push(&j->parcels, &p->node);
    }
    a->hashing++;
    submit(a, j);
}

/* Parcels for one put: as many as are there, within its bounds; one alone may be larger. */
static size_t pick_parcels(cn_arrival *a, job *j)
{
    size_t bytes = 0;
    size_t blocks = 0;
    while (!cn_ring_is_empty(&a->to_store)) {
        parcel *p = CN_CONTAINER(a->to_store.next, parcel, node);
        if (blocks > 0 && (blocks + p->wanted > STORE_BLOCKS || bytes >= STORE_BYTES)) {
            break;
        }
        blocks += p->wanted;
        bytes += p->bytes.len;
        cn_ring_push(&j->parcels, &p->node);
    }
    return blocks;
}

static void begin_storing(cn_arrival *a)
{
    job *j = &a->store_job;
    size_t blocks = pick_parcels(a, j);
    j->why.text[0] = '\0';
    j->items_len = 0;
    j->items = cn_alloc_array(a->options.mem, blocks, sizeof *j->items);
    if (j->items == NULL) {
        j->err = CN_ERR_NO_MEMORY;
        tell_parcels(a, j);
        return;
    }
    for (cn_ring *r = j->parcels.next; r != &j->parcels; r = r->next) {
        parcel *p = CN_CONTAINER(r, parcel, node);
        for (size_t i = 0; i < p->len; i++) {
            if (p->blocks[i].is_wanted) {
                j->items[j->items_len++] = (cn_blocks_item){&p->blocks[i].cid, p->blocks[i].data};
            }
        }
    }
    submit(a, j);
}

/* Match what has been hashed; hash what waits, alone if nothing else runs. */
static bool is_hash_due(const cn_arrival *a, cn_time now)
{
    /* no use in waiting for more */
    bool is_slow = 3 * a->gap_ns > linger_ns || a->to_hash_bytes < HASH_SMALL_BYTES;
    return a->to_hash_blocks >= HASH_ENOUGH ||
           (a->hashing == 0 && (is_slow || now.ns - a->oldest.ns >= linger_ns));
}

static void turn_hashing(cn_arrival *a, cn_time now)
{
    for (size_t i = 0; i < HASH_JOBS_MAX; i++) {
        job *j = &a->hash_jobs[i];
        if (take_done(a, j)) {
            a->hashing--;
            match_parcels(a, j);
        }
    }
    for (size_t i = 0; i < HASH_JOBS_MAX; i++) {
        job *j = &a->hash_jobs[i];
        if (!j->is_running && !cn_ring_is_empty(&a->to_hash) && is_hash_due(a, now)) {
            begin_hashing(a, j);
            a->oldest = now;
        }
    }
}

void cn_arrival_turn(cn_arrival *a, cn_time now)
{
    turn_hashing(a, now);
    if (take_done(a, &a->store_job)) {
        tell_parcels(a, &a->store_job);
    }
    if (!a->store_job.is_running && !cn_ring_is_empty(&a->to_store)) {
        begin_storing(a);
    }
}

cn_time cn_arrival_deadline(const cn_arrival *a)
{
    bool waits = !cn_ring_is_empty(&a->to_hash) && a->hashing == 0;
    return waits ? cn_time_after(a->oldest, linger_ns) : CN_TIME_NEVER;
}

bool cn_arrival_is_full(const cn_arrival *a)
{
    return a->held_bytes >= a->options.max_bytes;
}

size_t cn_arrival_held_bytes(const cn_arrival *a)
{
    return a->held_bytes;
}
