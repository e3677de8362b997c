/*
 * Keys are made from seeds of the world, by libcrypto directly: key generation of crypto/key.h
 * takes its chance from the machine.
 */
#include "sim/peer.h"

#include "crypto/openssl.h"
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "sim/net_sim.h"
#include "sim/plaintext.h"

enum { BLOCKS_MAX = 1 << 20, CONNS_MAX = 256, STREAMS_MAX = 256 };

typedef struct sim_kept {
    uint8_t *bytes;
    size_t len;
} sim_kept;

cn_slice sim_shelf_get(const sim_shelf *s, const cn_cid *cid)
{
    const sim_kept *kept = cn_map_get(&s->at, cn_cid_key(cid));
    return kept == NULL ? (cn_slice){0} : cn_slice_of(kept->bytes, kept->len);
}

bool sim_shelf_has(const sim_shelf *s, const cn_cid *cid)
{
    return cn_map_get(&s->at, cn_cid_key(cid)) != NULL;
}

static cn_err shelf_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    const sim_shelf *s = (const sim_shelf *)b;
    cn_slice bytes = sim_shelf_get(s, cid);
    if (bytes.data == NULL) {
        return cn_why_set(why, CN_ERR_NOT_FOUND, "not on the shelf");
    }
    cn_buf_reset(ret);
    cn_err err = cn_buf_append(ret, bytes);
    if (err == CN_OK && s->is_lying && ret->len > 0) {
        ret->data[ret->len / 2] ^= 1;
    }
    return err;
}

static cn_err shelf_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    cn_slice bytes = sim_shelf_get((sim_shelf *)b, cid);
    if (bytes.data == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    *ret_bytes = bytes.len;
    return CN_OK;
}

static cn_err shelf_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    sim_shelf *s = (sim_shelf *)b;
    cn_multihash mh = cn_cid_multihash(cid);
    void *value = NULL;
    bool is_new = false;
    CN_UNUSED(why);
    if (cn_multihash_verify(&mh, data) != CN_OK) {
        sim_fail(s->world, "a block of %zu bytes that does not match its hash was kept", data.len);
    }
    cn_err err = cn_map_put(&s->at, cn_cid_key(cid), &value, &is_new);
    if (err == CN_OK && is_new) {
        sim_kept *kept = value;
        kept->bytes = cn_alloc_dirty(&s->world->mem, data.len + 1);
        CN_ASSERT(kept->bytes != NULL);
        cn_copy(kept->bytes, data.data, data.len);
        kept->len = data.len;
    }
    return err;
}

void sim_shelf_init(sim_shelf *s, sim *w)
{
    static const cn_blocks_ops ops = {.get = shelf_get, .size = shelf_size, .put = shelf_put};
    *s = (sim_shelf){.blocks = {&ops}, .world = w};
    cn_map_init(&s->at, &w->mem, sizeof(sim_kept), BLOCKS_MAX, 0);
}

void sim_shelf_release(sim_shelf *s)
{
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&s->at, &position, &key, &value)) {
        cn_free(&s->world->mem, ((sim_kept *)value)->bytes);
    }
    cn_map_release(&s->at);
}

cn_cid sim_shelf_add(sim_shelf *s, uint64_t codec, cn_slice data)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_cid cid = {0};
    sim_must(cn_multihash_sum(CN_MH_SHA2_256, 0, data, digest, &len));
    cn_multihash mh = {CN_MH_SHA2_256, cn_slice_of(digest, len)};
    sim_must(cn_cid_make(1, codec, &mh, &cid));
    sim_must(shelf_put(&s->blocks, &cid, data, NULL));
    return cid;
}

void sim_peer_init(sim_peer *p, sim *w)
{
    enum { HALF = 32 };
    uint8_t raw[2 * HALF];
    size_t len = HALF;
    const cn_openssl *ssl = NULL;
    *p = (sim_peer){.world = w};
    sim_must(cn_openssl_open(&ssl, NULL));
    for (size_t i = 0; i < HALF; i++) {
        raw[i] = (uint8_t)cn_prng_u32(&w->chance);
    }
    cn_ssl_key *pkey = ssl->EVP_PKEY_new_raw_private_key(CN_SSL_ED25519, NULL, raw, HALF);
    CN_ASSERT(pkey != NULL && ssl->EVP_PKEY_get_raw_public_key(pkey, raw + HALF, &len) == 1);
    ssl->EVP_PKEY_free(pkey);
    sim_must(
        cn_key_read_private(&w->mem, CN_KEY_ED25519, cn_slice_of(raw, sizeof(raw)), &p->key, NULL));
    sim_must(cn_peer_id_of_key(p->key, &p->id));
    sim_shelf_init(&p->shelf, w);
}

void sim_peer_release(sim_peer *p)
{
    cn_key_free(p->key);
    sim_shelf_release(&p->shelf);
}

size_t sim_peer_missing(const sim_peer *p)
{
    size_t missing = 0;
    for (size_t i = 0; i < p->wants_len; i++) {
        missing += sim_shelf_has(&p->shelf, &p->wants[i]) ? 0 : 1;
    }
    return missing;
}

void sim_peer_address(const sim_node *n, cn_buf *ret)
{
    cn_endpoint at = sim_address(n, false, SIM_PORT);
    sim_must(cn_multiaddr_put(ret, CN_MA_IP4, cn_slice_of(at.ip, 4)));
    sim_must(cn_multiaddr_put_port(ret, CN_MA_TCP, SIM_PORT));
}

static cn_err open_security(sim_node *n, cn_security **ret, cn_why *why)
{
    const sim_peer *p = n->setup;
    return p->is_noise ? cn_noise_new(&n->rt, &n->mem, p->key, ret, why)
                       : sim_plaintext_new(&n->mem, p->key, ret);
}

static cn_err open_transport(sim_node *n, cn_security *security, cn_transport **ret)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    const cn_tcp_options o = {
        .mem = &n->mem,
        .net = sim_net_of(n),
        .securities = &security,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = STREAMS_MAX,
                .streams_out_max = STREAMS_MAX,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = CONNS_MAX,
    };
    return cn_tcp_new(&o, ret);
}

cn_err sim_peer_transport(sim_node *n, cn_security **ret_security, cn_transport **ret, cn_why *why)
{
    cn_security *security = NULL;
    cn_err err = open_security(n, &security, why);
    if (err == CN_OK) {
        err = open_transport(n, security, ret);
    }
    if (err == CN_OK) {
        *ret_security = security;
    } else if (security != NULL) {
        security->free(security);
    }
    return err;
}
