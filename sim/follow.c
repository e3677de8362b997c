/*
 * A walk is driven until it lacks a block; `ready` has it driven on in the next turn.
 */
#include "sim/follow.h"

#include "exchange/fetch/fetch.h"
#include "sim/net_sim.h"
#include "unixfs/walk.h"

static const int64_t WALK_TIMEOUT_NS = 10 * 1000000000LL;
static const int64_t REST_NS = 1000000000LL;

struct sim_follow {
    sim_node *n;
    sim_peer *peer;
    cn_fetcher *fetcher;
    size_t done;     /* DAGs walked to their end */
    cn_fetch *fetch; /* NULL: no walk is under way */
    cn_drive drive;
    cn_walk walk;
    size_t entries;
    bool is_ready;
    cn_time rests_until;
    const char *broken;
};

cn_err sim_follow_new(sim_node *n, cn_exchange *x, sim_follow **ret)
{
    sim_follow *f = cn_alloc(&n->mem, sizeof(*f));
    CN_ASSERT(f != NULL);
    *f = (sim_follow){.n = n, .peer = n->setup};
    const cn_fetcher_options o = {
        .mem = &n->mem,
        .net = sim_net_of(n),
        .store = &f->peer->shelf.blocks,
        .exchange = x,
    };
    cn_err err = cn_fetcher_new(&o, &f->fetcher);
    if (err != CN_OK) {
        cn_free(&n->mem, f);
        return err;
    }
    *ret = f;
    return CN_OK;
}

static void end_walk(sim_follow *f)
{
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    if (f->fetch == NULL) {
        return;
    }
    cn_fetch_counts(f->fetch, &blocks, &bytes);
    f->peer->fetched += blocks;
    if (f->peer->fetched > f->peer->wants_len) {
        f->broken = "a block was fetched that had come before";
    }
    cn_walk_release(&f->walk);
    cn_drive_release(&f->drive);
    cn_fetch_close(f->fetch);
    f->fetch = NULL;
    f->is_ready = false;
}

void sim_follow_give_up(sim_follow *f)
{
    end_walk(f);
    f->rests_until = cn_time_after(f->n->world->now, REST_NS);
}

void sim_follow_free(sim_follow *f)
{
    if (f != NULL) {
        end_walk(f);
        cn_fetcher_free(f->fetcher);
        cn_free(&f->n->mem, f);
    }
}

size_t sim_follow_missing(const sim_follow *f)
{
    return f->peer->wants_len / SIM_DAG_BLOCKS - f->done;
}

const char *sim_follow_check(const sim_follow *f)
{
    return f->broken;
}

static void ready(void *ctx)
{
    ((sim_follow *)ctx)->is_ready = true;
}

static void begin_walk(sim_follow *f, cn_time now)
{
    const cn_cid *root = &f->peer->wants[(f->done + 1) * SIM_DAG_BLOCKS - 1];
    const cn_walk_options w = {.unique = true, .ahead = CN_PULL_AHEAD};
    const cn_fetch_options o = {
        .fetcher = f->fetcher,
        .mem = &f->n->mem,
        .deadline = cn_time_after(now, WALK_TIMEOUT_NS),
        .follow = true,
        .ready = ready,
        .ctx = f,
    };
    sim_must(cn_fetch_open(&o, &f->fetch, NULL));
    cn_drive_init(&f->drive, &f->n->mem, cn_fetch_blocks(f->fetch), CN_DRIVE_BLOCK_MAX_BYTES);
    cn_walk_init(&f->walk, &f->n->mem, root, &w);
    f->entries = 0;
    f->is_ready = true;
}

static void end_well(sim_follow *f)
{
    const cn_cid *cids = f->peer->wants + f->done * SIM_DAG_BLOCKS;
    bool is_whole = f->entries == SIM_DAG_BLOCKS;
    for (size_t i = 0; i < SIM_DAG_BLOCKS; i++) {
        is_whole = is_whole && sim_shelf_has(&f->peer->shelf, &cids[i]);
    }
    f->broken = is_whole ? f->broken : "a walk has ended and not met the whole DAG";
    sim_say(f->n, "walked: %zu blocks", f->entries);
    end_walk(f);
    f->done++;
}

/* As far as the blocks that are here go. */
static void drive(sim_follow *f, cn_time now)
{
    cn_pull step = {0};
    cn_why why = {{0}};
    cn_err err = CN_OK;
    f->is_ready = false;
    do {
        err = cn_drive_next(&f->drive, &f->walk.pull, &step, &why);
        f->entries += err == CN_OK && step.kind == CN_PULL_ENTRY;
    } while (err == CN_OK && step.kind != CN_PULL_END);
    if (err == CN_OK) {
        end_well(f);
    } else if (err != CN_ERR_BUSY) {
        bool is_late = err == CN_ERR_TIMEOUT;
        f->broken = is_late ? f->broken : "a walk failed otherwise than by its deadline";
        sim_say(f->n, "a walk failed after %zu blocks", f->entries);
        end_walk(f);
        f->rests_until = cn_time_after(now, REST_NS);
    }
}

void sim_follow_turn(sim_follow *f, cn_time now)
{
    cn_fetcher_turn(f->fetcher, now);
    if (f->fetch == NULL && sim_follow_missing(f) > 0 && now.ns >= f->rests_until.ns) {
        begin_walk(f, now);
    }
    if (f->is_ready) {
        drive(f, now);
        cn_fetcher_turn(f->fetcher, now); /* what it lacks is asked for at once */
    }
}

cn_time sim_follow_deadline(const sim_follow *f)
{
    if (f->is_ready) {
        return (cn_time){0};
    }
    bool rests = f->fetch == NULL && sim_follow_missing(f) > 0;
    cn_time at = cn_fetcher_deadline(f->fetcher);
    return rests && f->rests_until.ns < at.ns ? f->rests_until : at;
}
