/*
 * Composition: the parts are made from below to above and given back the other way round. All that
 * they hold is counted in one memory, whose bound is the node's for the network.
 */
#include "node/network.h"

#include "exchange/bitswap/bitswap.h"
#include "node/network_have.h"
#include "node/network_log.h"
#include "node/network_task.h"
#include "node/repo.h"
#include "p2p/host/announce.h"
#include "p2p/host/book_file.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/transport/tcp.h"

#define BOOK_FILE "peers"

enum {
    PATH_MAX_BYTES = 64 << 10,
    SKIPPED_MAX_BYTES = 900,
    FEW_PEERS = 256,
    STREAMS_IN_MAX = 512, /* of one connection */
    STREAMS_OUT_MAX = 512,
    WINDOW_MAX_BYTES = 16 << 20,
    WINDOWS_SHARE = 4, /* grown windows of the node together have this part of the memory */
    QUEUES_SHARE = 4,  /* what waits to be sent, the same */
    SPARE_CONNS = 64,  /* sockets beyond the limit, so that callers can be told off */
    QUEUED_MAX_BYTES = 1 << 20, /* of one stream, before it must wait */
    BOOTSTRAP_CONNS_MIN = 4,
    TCP_MARK = 1,
};

#define BOOTSTRAP_EVERY_NS (30 * CN_NS_PER_S)
#define BOOTSTRAP_TIMEOUT_NS (25 * CN_NS_PER_S)
#define SAVE_EVERY_NS (600 * CN_NS_PER_S)
#define SAVE_SOON_NS (10 * CN_NS_PER_S)

struct cn_network {
    cn_mem own;
    cn_mem *mem; /* what all of the network holds is counted here: `own` unless another is given */
    cn_mem *base;
    cn_node *node;
    cn_rt *rt;
    cn_net *net;
    const char *agent;
    cn_network_config config;
    cn_key *key;
    cn_security *securities[2];
    size_t securities_len;
    atomic_size_t windows_bytes;
    atomic_size_t queued_bytes;
    cn_transport *tcp;
    cn_book *book;
    cn_buf book_path;
    cn_host *host;
    cn_bitswap *bitswap;
    cn_fetcher *fetcher;
    cn_network_tasks tasks;
    cn_network_haves haves;
    cn_network_log log;
    bool has_tasks;
    bool has_haves;
    bool is_over;
    cn_time bootstrap_due;
    cn_time save_due;
    cn_time saved;
    size_t saved_peers;
};

cn_host *cn_network_host(cn_network *n)
{
    return n->host;
}

cn_fetcher *cn_network_fetcher(cn_network *n)
{
    return n->fetcher;
}

struct cn_bitswap *cn_network_bitswap(cn_network *n)
{
    return n->bitswap;
}

const char *cn_network_agent(const cn_network *n)
{
    return n->agent;
}

/* --- making --- */

/* All that the configuration allows; one whose library is missing is left out if another is there.
 */
static cn_err make_securities(cn_network *n, const cn_network_options *o, cn_why *why)
{
    cn_err missing = CN_OK;
    cn_err err = CN_OK;
    CN_TRY(cn_identity_private(
        n->rt, cn_node_repo_path(n->node), cn_node_config(n->node), &n->key, why));
    for (size_t i = 0; i < n->config.securities_len; i++) {
        cn_security **ret = &n->securities[n->securities_len];
        cn_why reason = {{0}};
        err = n->config.securities[i] == CN_SECURITY_NOISE
                  ? cn_noise_new(n->rt, n->mem, n->key, ret, &reason)
                  : cn_tls_new(n->rt, n->mem, n->key, ret, &reason);
        if (err == CN_ERR_UNSUPPORTED) {
            missing = cn_why_set(why, err, "%s", cn_why_text(&reason, err));
            continue;
        }
        CN_TRY(cn_why_set(why, err, "%s", reason.text));
        n->securities_len++;
    }
    err = n->securities_len == 0 ? missing : CN_OK;
    if (err == CN_OK && missing != CN_OK && o->note != NULL) {
        o->note(o->ctx, cn_why_text(why, missing));
    }
out:
    return err;
}

/* Where memory has no limit windows still have one. */
static size_t or_default(size_t memory_bytes)
{
    return memory_bytes == 0 ? (size_t)CN_NETWORK_MEMORY_BYTES : memory_bytes;
}

static cn_err make_tcp(cn_network *n)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    size_t memory_bytes = n->mem->limit_bytes;
    const cn_tcp_options options = {
        .mem = n->mem,
        .net = n->net,
        .securities = n->securities,
        .securities_len = n->securities_len,
        .muxings = muxings,
        .muxings_len = CN_LEN(muxings),
        .muxer =
            {
                .streams_in_max = STREAMS_IN_MAX,
                .streams_out_max = STREAMS_OUT_MAX,
                .window_max_bytes = WINDOW_MAX_BYTES,
                .queued_max_bytes = QUEUED_MAX_BYTES,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
                .windows_bytes = &n->windows_bytes,
                .windows_max_bytes = or_default(memory_bytes) / WINDOWS_SHARE,
                .queued_bytes = &n->queued_bytes,
                .queued_all_max_bytes = memory_bytes / QUEUES_SHARE,
            },
        .mark = TCP_MARK,
        .conns_max = n->config.conns_max + SPARE_CONNS,
    };
    return cn_tcp_new(&options, &n->tcp);
}

/* Peers of earlier runs. A book that cannot be read is no reason not to start. */
static cn_err load_book(cn_network *n, const cn_network_options *o)
{
    cn_why why = {{0}};
    const char *path = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_book_new(n->mem, NULL, &n->book));
    CN_TRY(cn_repo_file(cn_node_repo_path(n->node), BOOK_FILE, &n->book_path));
    CN_TRY(cn_buf_cstr(&n->book_path, &path));
    err = cn_book_file_load(n->book, n->rt, n->mem, path, &why);
    if (err != CN_OK && err != CN_ERR_NO_MEMORY) {
        if (o->note != NULL) {
            o->note(o->ctx, cn_why_text(&why, err));
        }
        err = CN_OK;
    }
out:
    return err;
}

static void note(void *ctx, const cn_host_note *it)
{
    cn_network *n = ctx;
    cn_network_log_note(&n->log, it, cn_rt_now(n->rt));
}

static cn_err make_host(cn_network *n, cn_why *why)
{
    const cn_network_config *c = &n->config;
    uint64_t seed = 0;
    const cn_announce_config announce = {
        .announce = c->announce.items,
        .announce_len = c->announce.len,
        .append = c->append.items,
        .append_len = c->append.len,
        .never = c->conceal.items,
        .never_len = c->conceal.len,
    };
    cn_host_options options = {
        .mem = n->mem,
        .net = n->net,
        .key = n->key,
        .agent = n->agent,
        .conns_max = c->conns_max,
        .conns_low = c->conns_low,
        .conns_high = c->conns_high,
        .grace_ns = c->grace_ns,
        .filters = c->filters.items,
        .filters_len = c->filters.len,
        .gate = {.allow = c->allowed.items, .allow_len = c->allowed.len},
        .book = n->book,
        .is_bandwidth_uncounted = !c->has_bandwidth,
        .note = note,
        .note_ctx = n,
    };
    cn_err err = CN_OK;
    CN_TRY(cn_rt_entropy(n->rt, (uint8_t *)&seed, sizeof seed));
    options.seed = seed;
    CN_TRY(cn_host_new(&options, &n->host, why));
    CN_TRY(cn_host_set_announce(n->host, &announce, why));
    if (c->has_tcp) {
        CN_TRY(cn_host_add_transport(n->host, n->tcp));
    }
out:
    return err;
}

/* Bitswap, and the way to it from other threads. */
static cn_err make_content(cn_network *n)
{
    cn_bitswap_options bitswap = {
        .mem = n->mem,
        .net = n->net,
        .host = n->host,
        .blocks = cn_node_blocks(n->node),
        .serve = n->config.serves_bitswap,
    };
    cn_fetcher_options fetcher = {.mem = n->mem, .net = n->net, .store = cn_node_blocks(n->node)};
    cn_err err = CN_OK;
    if (!n->config.has_bitswap) {
        return CN_OK;
    }
    CN_TRY(cn_rt_entropy(n->rt, (uint8_t *)&bitswap.seed, sizeof bitswap.seed));
    CN_TRY(cn_bitswap_new(&bitswap, &n->bitswap));
    CN_TRY(cn_host_serve(n->host, cn_bitswap_protocol(n->bitswap)));
    fetcher.exchange = cn_bitswap_exchange(n->bitswap);
    CN_TRY(cn_fetcher_new(&fetcher, &n->fetcher));
out:
    return err;
}

/* Append "address, " to those that are passed over, as long as there is room. */
static void skip(cn_buf *skipped, cn_slice address)
{
    size_t before = skipped->len;
    if ((before > 0 && cn_buf_text(skipped, ", ") != CN_OK) ||
        cn_multiaddr_encode_text(address, skipped) != CN_OK) {
        skipped->len = before;
    }
}

/* Listen at all addresses that a transport is there for; one must do, if there are any. */
static cn_err start_listening(cn_network *n, const cn_network_options *o, cn_why *why)
{
    cn_buf skipped;
    cn_why failed = {{0}};
    size_t good = 0;
    const char *text = NULL;
    cn_err last = CN_OK;
    cn_err err = CN_OK;
    cn_buf_init(&skipped, n->mem, SKIPPED_MAX_BYTES);
    for (size_t i = 0; i < n->config.swarm.len; i++) {
        cn_slice address = n->config.swarm.items[i];
        cn_why reason = {{0}};
        err = cn_host_listen(n->host, address, &reason);
        if (err == CN_ERR_NO_MEMORY) {
            goto out;
        }
        if (err == CN_ERR_UNSUPPORTED && !n->tcp->ops->handles(n->tcp, address)) {
            skip(&skipped, address);
        } else if (err != CN_OK) {
            last = err;
            failed = reason;
        } else {
            good++;
        }
    }
    err = CN_OK;
    if (good == 0 && last != CN_OK) {
        err = cn_why_set(
            why, last, "failed to listen on any addresses: [%s]", cn_why_text(&failed, last));
        goto out;
    }
    if (o->note != NULL && last != CN_OK) {
        o->note(o->ctx, cn_why_text(&failed, last));
    }
    if (o->note != NULL && skipped.len > 0 && cn_buf_cstr(&skipped, &text) == CN_OK) {
        cn_why said = {{0}};
        (void)cn_why_set(
            &said, CN_OK, "Swarm addresses whose transports are not built yet are skipped: %s",
            text);
        o->note(o->ctx, said.text);
    }
out:
    cn_buf_release(&skipped);
    return err;
}

static cn_err keep_peerings(cn_network *n)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < n->config.peering.len; i++) {
        const cn_known_peer *p = &n->config.peering.items[i];
        err = cn_host_peering_add(n->host, &p->id, p->addresses.items, p->addresses.len);
        err = err == CN_ERR_USAGE ? CN_OK : err; /* ourselves, in a list shared by several nodes */
    }
    return err;
}

cn_err cn_network_new(const cn_network_options *options, cn_network **ret, cn_why *why)
{
    cn_mem *base = cn_node_mem(options->node);
    cn_err err = CN_OK;
    cn_network *n = cn_alloc(base, sizeof *n);
    if (n == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    n->base = base;
    n->node = options->node;
    n->rt = cn_node_rt(options->node);
    n->net = options->net;
    n->agent = options->agent;
    cn_network_log_init(&n->log, options->note, options->ctx);
    cn_mem_init(&n->own, 0);
    n->mem = options->mem != NULL ? options->mem : &n->own;
    cn_buf_init(&n->book_path, base, PATH_MAX_BYTES);
    CN_TRY(cn_network_config_read(cn_node_config(n->node), base, &n->config, why));
    n->own.limit_bytes = n->config.memory_max_bytes;
    n->has_tasks = true;
    CN_TRY(cn_network_tasks_init(&n->tasks, base, n->net));
    n->has_haves = true;
    CN_TRY(cn_network_haves_init(&n->haves, base, n->net));
    CN_TRY(make_securities(n, options, why));
    CN_TRY(make_tcp(n));
    CN_TRY(load_book(n, options));
    CN_TRY(make_host(n, why));
    CN_TRY(make_content(n));
    CN_TRY(start_listening(n, options, why));
    CN_TRY(keep_peerings(n));
    n->bootstrap_due = cn_rt_now(n->rt);
    n->saved = n->bootstrap_due;
    n->saved_peers = cn_book_len(n->book);
    n->save_due = cn_time_after(n->saved, SAVE_EVERY_NS);
    *ret = n;
    n = NULL;
out:
    cn_network_free(n);
    return err;
}

void cn_network_free(cn_network *n)
{
    if (n == NULL) {
        return;
    }
    cn_fetcher_free(n->fetcher);
    cn_host_free(n->host);
    cn_bitswap_free(n->bitswap);
    if (n->tcp != NULL) {
        n->tcp->ops->free(n->tcp);
    }
    for (size_t i = 0; i < n->securities_len; i++) {
        n->securities[i]->free(n->securities[i]);
    }
    cn_book_free(n->book);
    cn_key_free(n->key);
    if (n->has_haves) {
        cn_network_haves_release(&n->haves);
    }
    if (n->has_tasks) {
        cn_network_tasks_release(&n->tasks);
    }
    cn_buf_release(&n->book_path);
    cn_network_config_release(&n->config);
    cn_free(n->base, n);
}

/* --- the loop's side --- */

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    CN_UNUSED(ctx);
    CN_UNUSED(peer);
    CN_UNUSED(err); /* it is tried again */
    CN_UNUSED(sentence);
}

/* With too few connections, dial those that people begin with. */
static void bootstrap(cn_network *n, cn_time now)
{
    cn_host_resources held = {0};
    n->bootstrap_due = cn_time_after(now, BOOTSTRAP_EVERY_NS);
    cn_host_resources_of(n->host, &held);
    for (size_t i = 0; held.conns_up < BOOTSTRAP_CONNS_MIN && i < n->config.bootstrap.len; i++) {
        const cn_known_peer *p = &n->config.bootstrap.items[i];
        cn_id waiting = CN_ID_NONE;
        if (!cn_host_is_connected(n->host, &p->id)) {
            (void)!cn_host_connect(
                n->host, &p->id, p->addresses.items, p->addresses.len, BOOTSTRAP_TIMEOUT_NS,
                dialled, n, &waiting, NULL);
        }
    }
}

static void save_book(cn_network *n, cn_time now)
{
    const char *path = NULL;
    n->saved = now;
    n->saved_peers = cn_book_len(n->book);
    n->save_due = cn_time_after(now, SAVE_EVERY_NS);
    if (cn_buf_cstr(&n->book_path, &path) == CN_OK) {
        /* what could not be saved is learned again */
        (void)!cn_book_file_save(n->book, n->rt, n->mem, path, NULL);
    }
}

/* Who knows few peers has most to lose if the process is killed: its book is saved soon. */
static void hurry_save(cn_network *n)
{
    size_t len = cn_book_len(n->book);
    if (len != n->saved_peers && len <= FEW_PEERS) {
        n->save_due.ns = CN_MIN(n->save_due.ns, cn_time_after(n->saved, SAVE_SOON_NS).ns);
    }
}

void cn_network_take(cn_network *n, const cn_net_event *event)
{
    cn_host_take(n->host, event);
}

void cn_network_turn(cn_network *n, cn_time now)
{
    cn_host_tick(n->host, now);
    cn_network_tasks_turn(&n->tasks, n);
    cn_network_haves_turn(&n->haves, n->bitswap == NULL ? NULL : cn_bitswap_exchange(n->bitswap));
    if (n->fetcher != NULL) {
        cn_fetcher_turn(n->fetcher, now);
    }
    cn_network_log_turn(&n->log, now);
    if (now.ns >= n->bootstrap_due.ns) {
        bootstrap(n, now);
    }
    hurry_save(n);
    if (now.ns >= n->save_due.ns) {
        save_book(n, now);
    }
    cn_host_turn(n->host, now);
}

cn_time cn_network_deadline(const cn_network *n)
{
    cn_time due = cn_host_deadline(n->host);
    if (n->fetcher != NULL) {
        due.ns = CN_MIN(due.ns, cn_fetcher_deadline(n->fetcher).ns);
    }
    due.ns = CN_MIN(due.ns, n->bootstrap_due.ns);
    due.ns = CN_MIN(due.ns, cn_network_log_deadline(&n->log).ns);
    due.ns = CN_MIN(due.ns, n->save_due.ns);
    return due;
}

void cn_network_end(cn_network *n)
{
    if (n->is_over) {
        return;
    }
    n->is_over = true;
    cn_network_haves_close(&n->haves);
    cn_network_tasks_close(&n->tasks, n);
    cn_fetcher_free(n->fetcher); /* whoever waits there is let go */
    n->fetcher = NULL;
    save_book(n, cn_rt_now(n->rt));
}

/* --- from any thread --- */

cn_err cn_network_run(cn_network *n, cn_network_task *t, const cn_network_wait *wait)
{
    return cn_network_tasks_run(&n->tasks, t, wait);
}

void cn_network_task_end(cn_network *n, cn_network_task *t, cn_err err)
{
    cn_network_tasks_end(&n->tasks, t, err);
}

typedef struct call_task {
    cn_network_task task;
    cn_err (*fn)(cn_network *n, void *ctx);
    void *ctx;
} call_task;

static void run_call(cn_network_task *task, cn_network *n)
{
    call_task *t = (call_task *)task;
    cn_network_task_end(n, task, t->fn(n, t->ctx));
}

cn_err cn_network_call(cn_network *n, cn_err (*fn)(cn_network *n, void *ctx), void *ctx)
{
    call_task t = {.task = {.run = run_call}, .fn = fn, .ctx = ctx};
    return cn_network_run(n, &t.task, NULL);
}

void cn_network_have(cn_network *n, const cn_cid *cids, size_t len)
{
    cn_network_haves_put(&n->haves, cids, len);
}
