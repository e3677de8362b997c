/*
 * The exchange's face, and providers that have to be dialled first.
 */
#include "exchange/bitswap/bitswap_internal.h"

static const int64_t dial_ns = 15 * CN_NS_PER_S;
static const int64_t learn_ns = 600 * CN_NS_PER_S;

static cn_bitswap *of(const cn_exchange *x)
{
    return CN_CONTAINER((void *)(uintptr_t)x, cn_bitswap, exchange);
}

static cn_err session_open(cn_exchange *x, cn_exchange_sink *sink, cn_id *ret)
{
    return cn_client_session(of(x)->client, sink, ret);
}

static void session_close(cn_exchange *x, cn_id session)
{
    cn_client_session_close(of(x)->client, session);
    of(x)->is_due = true;
}

static cn_err want(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len)
{
    cn_bitswap *b = of(x);
    b->is_due = true;
    return cn_client_want(b->client, session, cids, len, cn_host_now(b->options.host));
}

static void cancel(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len)
{
    cn_client_cancel(of(x)->client, session, cids, len);
    of(x)->is_due = true;
}

static void have(cn_exchange *x, const cn_cid *cids, size_t len)
{
    cn_bitswap *b = of(x);
    cn_engine_have(b->engine, cids, len);
    for (size_t i = 0; i < len; i++) {
        cn_client_arrived(b->client, &cids[i], (cn_slice){0});
    }
    b->is_due = true;
}

static void dial_free(cn_bs_dial *d)
{
    cn_ring_remove(&d->node);
    d->owner->dials_len--;
    cn_free(d->owner->options.mem, d);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    cn_bs_dial *d = ctx;
    cn_bitswap *b = d->owner;
    cn_bs_peer *p = err == CN_OK ? cn_bs_peer_of(b, peer) : NULL;
    CN_UNUSED(sentence);
    if (p != NULL) {
        cn_client_provider(b->client, d->session, p->client);
        b->is_due = true;
    }
    dial_free(d);
}

static void provider(
    cn_exchange *x,
    cn_id session,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len)
{
    cn_bitswap *b = of(x);
    cn_host *h = b->options.host;
    cn_bs_peer *p = cn_bs_peer_of(b, peer);
    b->is_due = true;
    if (p != NULL) {
        cn_client_provider(b->client, session, p->client);
        return;
    }
    cn_bs_dial *d = b->dials_len < CN_BS_DIALS_MAX ? cn_alloc(b->options.mem, sizeof *d) : NULL;
    if (d == NULL) {
        return;
    }
    *d = (cn_bs_dial){.owner = b, .session = session};
    cn_ring_init(&d->node);
    cn_ring_push(&b->dials, &d->node);
    b->dials_len++;
    (void)!cn_host_learn(h, peer, addresses, addresses_len, learn_ns);
    if (cn_host_connect(
            h, peer, addresses, addresses_len, dial_ns, dialled, d, &d->waiting, NULL) != CN_OK) {
        dial_free(d);
    }
}

void cn_bs_dials_free(cn_bitswap *b)
{
    while (!cn_ring_is_empty(&b->dials)) {
        dial_free(CN_CONTAINER(b->dials.next, cn_bs_dial, node));
    }
}

static size_t
asked(const cn_exchange *x, cn_id session, const cn_cid *cid, cn_exchange_asked *ret, size_t max)
{
    return cn_client_asked(of(x)->client, session, cid, ret, max);
}

const cn_exchange_ops cn_bs_exchange_ops = {
    .session_open = session_open,
    .session_close = session_close,
    .want = want,
    .cancel = cancel,
    .have = have,
    .provider = provider,
    .asked = asked,
};
