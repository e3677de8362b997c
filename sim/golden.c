/*
 * A dials B, does what the script is about, and both end in order. The link is quiet: 10 ms, 1
 * Gbit/s, no fault; all times are the virtual clock's, in milliseconds.
 */
#include "sim/barter.h"
#include "sim/hosted.h"
#include "sim/overhear.h"
#include "sim/scenario.h"

enum { SEED = 1, SHOWS_MAX = 8 };

typedef struct golden {
    const char *name;
    const sim_program *program;
    bool is_noise;
    size_t block_bytes; /* A wants one of B's; 0: none */
    const char *shows[SHOWS_MAX];
} golden;

static const golden goldens[] = {
    {"multistream", &sim_barter, false, 100, {"multistream", "plaintext"}},
    {"upgrade", &sim_barter, true, 0, {"multistream", "noise"}},
    {"yamux", &sim_barter, false, 600000, {"yamux"}},
    {"identify", &sim_host, false, 0, {"multistream stream", "/ipfs/id"}},
    {"bitswap", &sim_bitswap, false, 5000, {"/ipfs/bitswap"}},
    {"ping", &sim_barter, false, 0, {"multistream stream", "/ipfs/ping", "yamux"}},
};

const char *const *sim_golden_names(void)
{
    static const char *names[CN_LEN(goldens) + 1];
    for (size_t i = 0; i < CN_LEN(goldens); i++) {
        names[i] = goldens[i].name;
    }
    return names;
}

static cn_cid add_block(sim_peer *p, size_t len)
{
    uint8_t *data = cn_alloc(cn_mem_default(), len);
    CN_ASSERT(data != NULL);
    cn_cid cid = sim_shelf_add(&p->shelf, CN_CODEC_RAW, cn_slice_of(data, len));
    cn_free(cn_mem_default(), data);
    return cid;
}

static void play(const golden *g, cn_buf *out)
{
    sim_plan plan = {0};
    sim_peer peers[2];
    cn_cid want = {0};
    sim_plan_calm(&plan);
    sim *w = sim_new(SEED, &plan);
    sim_ears *ears = sim_ears_new(w, g->shows);
    for (size_t i = 0; i < CN_LEN(peers); i++) {
        sim_peer_init(&peers[i], w);
        peers[i].is_noise = g->is_noise;
        (void)sim_add(w, g->program, &peers[i], 0);
    }
    peers[0].neighbours[0] = 1;
    peers[0].neighbours_len = 1;
    if (g->block_bytes > 0) {
        want = add_block(&peers[1], g->block_bytes);
        peers[0].wants = &want;
        peers[0].wants_len = 1;
    }
    sim_start(w->nodes[1]);
    sim_start(w->nodes[0]);
    (void)sim_run(w, (cn_time){5 * CN_NS_PER_S});
    sim_say(w->nodes[0], "ends");
    sim_stop(w->nodes[0]);
    (void)sim_run(w, (cn_time){6 * CN_NS_PER_S});
    sim_must(cn_buf_append(out, cn_buf_slice(&w->script)));
    sim_must(cn_buf_text(out, w->failed.text));
    sim_ears_free(ears);
    sim_stop(w->nodes[1]);
    for (size_t i = 0; i < CN_LEN(peers); i++) {
        sim_peer_release(&peers[i]);
    }
    sim_free(w);
}

cn_err sim_golden_run(const char *name, cn_buf *out)
{
    for (size_t i = 0; i < CN_LEN(goldens); i++) {
        if (strcmp(goldens[i].name, name) == 0) {
            play(&goldens[i], out);
            return CN_OK;
        }
    }
    return CN_ERR_NOT_FOUND;
}
