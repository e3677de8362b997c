/*
 * What commands ask: figures, wantlists, ledgers.
 */
#include "exchange/bitswap/bitswap_internal.h"

void cn_bitswap_stat(const cn_bitswap *b, cn_bitswap_stats *ret)
{
    *ret = (cn_bitswap_stats){
        .messages = b->messages,
        .peers = b->peers.len,
        .arriving_bytes = cn_arrival_held_bytes(b->arrival),
    };
    cn_client_stat(b->client, &ret->client);
    cn_engine_stat(b->engine, &ret->engine);
}

bool cn_bitswap_wants(const cn_bitswap *b, size_t *position, const cn_cid **ret)
{
    return cn_client_wants(b->client, position, ret);
}

bool cn_bitswap_wants_of(
    const cn_bitswap *b, const cn_peer_id *peer, size_t *position, const cn_cid **ret)
{
    const cn_bs_peer *p = cn_bs_peer_of(b, peer);
    return p != NULL && cn_engine_wants(p->engine, position, ret);
}

bool cn_bitswap_peers(const cn_bitswap *b, size_t *position, cn_peer_id *ret)
{
    cn_id id = CN_ID_NONE;
    const cn_bs_peer *p = cn_slots_next(&b->slots, position, &id);
    if (p != NULL) {
        *ret = p->peer;
    }
    return p != NULL;
}

bool cn_bitswap_ledger_of(const cn_bitswap *b, const cn_peer_id *peer, cn_bitswap_ledger *ret)
{
    const cn_bs_peer *p = cn_bs_peer_of(b, peer);
    cn_engine_peer_stats sent = {0};
    *ret = (cn_bitswap_ledger){0};
    if (p == NULL) {
        return false;
    }
    cn_engine_peer_stat(p->engine, &sent);
    cn_client_peer_stat(p->client, &ret->client);
    ret->sent_bytes = sent.block_bytes;
    ret->sent_blocks = sent.blocks;
    ret->received_bytes = ret->client.block_bytes;
    ret->received_blocks = ret->client.blocks;
    ret->exchanged = sent.blocks + ret->client.blocks;
    return true;
}
