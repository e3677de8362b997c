/*
 * Reading what is wanted into messages. A job holds some of a peer's most urgent wants: small
 * blocks that share one message, and large ones that have one each. A large block stays in the
 * buffer it was read to, which goes to the wire as it is. Invariant: held_bytes counts a job's
 * bytes from its making until its messages are handed out or dropped.
 */
#include "exchange/bitswap/engine_internal.h"

enum {
    JOB_BYTES = 2 << 20,       /* of a job at most, but for a block that is larger */
    JOB_LARGE = 4,             /* large blocks of a job at most */
    MESSAGE_BYTES = 128 << 10, /* of small blocks in a message */
    JOBS_MAX = 2,              /* of a peer at once */
};

void cn_engine_job_free(cn_engine *e, cn_read_job *job)
{
    for (size_t i = 0; i < CN_JOB_MESSAGES_MAX; i++) {
        cn_buf_release(&job->messages[i].body);
        cn_buf_release(&job->messages[i].block);
    }
    cn_ring_remove(&job->node);
    cn_free(e->options.mem, job);
}

/* --- on the worker --- */

/* The message that a block of `len` bytes goes to; NULL: no room, which a job's bounds exclude. */
static cn_read_message *message_for(cn_read_job *job, size_t len)
{
    cn_read_message *last = job->messages_len == 0 ? NULL : &job->messages[job->messages_len - 1];
    bool shares = last != NULL && last->block.len == 0 && len < CN_JOB_SMALL_BYTES &&
                  last->body.len + len <= MESSAGE_BYTES;
    if (shares) {
        return last;
    }
    /* a large block may end a message that has small ones in it */
    if (last != NULL && last->block.len == 0 && len >= CN_JOB_SMALL_BYTES) {
        return last;
    }
    return job->messages_len == CN_JOB_MESSAGES_MAX ? NULL : &job->messages[job->messages_len++];
}

static cn_err put_block(cn_read_job *job, const cn_cid *cid, cn_buf *data)
{
    cn_err err = CN_OK;
    cn_read_message *m = message_for(job, data->len);
    if (m == NULL) {
        return CN_ERR_TOO_LARGE;
    }
    bool is_small = data->len < CN_JOB_SMALL_BYTES;
    size_t before = m->body.len;
    CN_TRY(cn_buf_reserve(&m->body, CN_MESSAGE_HEAD_MAX_BYTES + (is_small ? data->len : 0)));
    CN_TRY(cn_message_put_block_head(&m->body, cid, data->len, job->is_bare));
    if (is_small) {
        CN_TRY(cn_buf_append(&m->body, cn_buf_slice(data)));
    }
    m->blocks++;
    m->size_bytes += data->len;
    if (!is_small) {
        cn_buf_release(&m->block);
        m->block = *data;
        *data = (cn_buf){0};
    }
out:
    if (err != CN_OK) {
        m->body.len = before;
    }
    return err;
}

/* One that could not be read is not here. */
static void put_missing(cn_read_job *job, size_t at)
{
    cn_read_message *m = job->send_dont_have[at] ? message_for(job, 0) : NULL;
    if (m != NULL) {
        (void)!cn_message_put_presence(&m->body, &job->cids[at], false);
    }
}

/* Blocks are not checked here: whoever asked for them does, and nothing is read twice. */
static void read_one(cn_read_job *job, size_t at)
{
    cn_buf data = {0};
    cn_buf_init(&data, job->engine->options.mem, CN_BLOCK_MAX_BYTES);
    cn_err err = cn_blocks_get_plain(job->engine->options.blocks, &job->cids[at], &data);
    if (err != CN_OK || put_block(job, &job->cids[at], &data) != CN_OK) {
        put_missing(job, at);
    }
    cn_buf_release(&data);
}

static void run_job(cn_work *work)
{
    cn_read_job *job = (cn_read_job *)work;
    cn_engine *e = job->engine;
    for (size_t i = 0; i < job->len; i++) {
        read_one(job, i);
    }
    cn_lock_take(e->lock);
    job->next = e->done;
    e->done = job;
    cn_lock_give(e->lock);
    e->options.wake(e->options.ctx);
}

/* --- on the loop --- */

/* Fill the job with the peer's most urgent wants. */
static void fill_job(cn_engine *e, cn_engine_peer *p, cn_read_job *job)
{
    size_t large = 0;
    const cn_served *top;
    while ((top = cn_engine_top(p)) != NULL && job->len < CN_JOB_BLOCKS_MAX) {
        bool is_large = top->size_bytes >= CN_JOB_SMALL_BYTES;
        bool is_full = job->len > 0 && job->size_bytes + top->size_bytes > JOB_BYTES;
        if (is_full || (is_large && large == JOB_LARGE)) {
            return;
        }
        cn_served *w = cn_engine_pop(p);
        large += is_large;
        job->send_dont_have[job->len] = w->send_dont_have;
        job->cids[job->len++] = w->cid;
        job->size_bytes += w->size_bytes;
        e->stats.kept--;
        cn_free(e->options.mem, w);
    }
}

/* May more be read for `p`? If only the bound of all forbids it, it is looked at again later. */
static bool may_read(cn_engine *e, cn_engine_peer *p, bool has_room)
{
    size_t max_bytes = has_room ? CN_ENGINE_PEER_MAX_BYTES / 2 : 1;
    if (p->heap_len == 0 || p->jobs >= JOBS_MAX || p->held_bytes >= max_bytes) {
        return false;
    }
    if (e->stats.held_bytes >= e->options.max_bytes) {
        p->is_hungry = true;
        cn_ring_push(&e->hungry, &p->active);
        return false;
    }
    return true;
}

void cn_engine_read(cn_engine *e, cn_engine_peer *p, bool has_room)
{
    cn_mem *mem = e->options.mem;
    if (!may_read(e, p, has_room)) {
        return;
    }
    cn_read_job *job = cn_alloc(mem, sizeof *job);
    if (job == NULL) {
        return; /* its wants stay; a later turn finds memory again */
    }
    job->work.run = run_job;
    job->engine = e;
    job->peer = p->id;
    job->is_bare = p->is_bare;
    for (size_t i = 0; i < CN_JOB_MESSAGES_MAX; i++) {
        cn_buf_init(&job->messages[i].body, mem, CN_MESSAGE_MAX_BYTES);
        cn_buf_init(&job->messages[i].block, mem, CN_BLOCK_MAX_BYTES);
    }
    cn_ring_init(&job->node);
    cn_ring_push(&e->jobs, &job->node);
    fill_job(e, p, job);
    p->jobs++;
    p->held_bytes += job->size_bytes;
    p->turn_bytes += job->size_bytes + job->len * CN_MESSAGE_HEAD_MAX_BYTES;
    e->stats.held_bytes += job->size_bytes;
    cn_rt_work_submit(e->options.rt, &job->work);
}

static void let_go(cn_engine *e, cn_engine_peer *p, cn_read_job *job)
{
    e->stats.held_bytes -= job->size_bytes;
    if (p != NULL) {
        p->held_bytes -= job->size_bytes;
    }
    cn_engine_job_free(e, job);
    while (!cn_ring_is_empty(&e->hungry) && e->stats.held_bytes < e->options.max_bytes) {
        cn_engine_activate(e, CN_CONTAINER(e->hungry.next, cn_engine_peer, active));
    }
}

void cn_engine_collect(cn_engine *e)
{
    cn_lock_take(e->lock);
    cn_read_job *job = e->done;
    e->done = NULL;
    cn_lock_give(e->lock);
    cn_read_job *in_order = NULL;
    while (job != NULL) {
        cn_read_job *next = job->next;
        job->next = in_order;
        in_order = job;
        job = next;
    }
    while (in_order != NULL) {
        job = in_order;
        in_order = job->next;
        cn_rt_work_wait(e->options.rt, &job->work);
        cn_engine_peer *p = cn_slots_get(&e->peers, job->peer);
        if (p == NULL) {
            let_go(e, NULL, job);
            continue;
        }
        p->jobs--;
        cn_ring_push(&p->ready, &job->node);
        cn_engine_activate(e, p);
    }
}

void cn_engine_peer_drop(cn_engine *e, cn_engine_peer *p)
{
    cn_buf_reset(&p->presences);
    while (!cn_ring_is_empty(&p->ready)) {
        let_go(e, p, CN_CONTAINER(p->ready.next, cn_read_job, node));
    }
}

static bool
hand_out(cn_buf *body, cn_buf *block, cn_buf *ret_length, cn_buf *ret_body, cn_buf *ret_block)
{
    if (cn_message_put_length(ret_length, body->len + block->len) != CN_OK) {
        cn_buf_reset(ret_length);
        return false;
    }
    *ret_body = *body;
    *ret_block = *block;
    cn_buf_init(body, ret_body->mem, ret_body->max);
    cn_buf_init(block, ret_block->mem, ret_block->max);
    return true;
}

bool cn_engine_next(
    cn_engine *e, cn_engine_peer *p, cn_buf *ret_length, cn_buf *ret_body, cn_buf *ret_block)
{
    cn_buf none = {0};
    cn_buf_init(&none, e->options.mem, 1);
    if (p->presences.len > 0) {
        p->stats.messages++;
        return hand_out(&p->presences, &none, ret_length, ret_body, ret_block);
    }
    while (!cn_ring_is_empty(&p->ready)) {
        cn_read_job *job = CN_CONTAINER(p->ready.next, cn_read_job, node);
        if (job->messages_at == job->messages_len) {
            let_go(e, p, job);
            continue;
        }
        cn_read_message *m = &job->messages[job->messages_at];
        if (m->body.len > 0) {
            if (!hand_out(&m->body, &m->block, ret_length, ret_body, ret_block)) {
                return false;
            }
            p->stats.messages++;
            p->stats.blocks += m->blocks;
            p->stats.block_bytes += m->size_bytes;
            e->stats.blocks += m->blocks;
            e->stats.block_bytes += m->size_bytes;
        }
        job->messages_at++;
        if (ret_body->len > 0) {
            return true;
        }
    }
    return false;
}
