/*
 * Streams by their ids, and what each holds.
 */
#include "exchange/bitswap/bitswap_internal.h"

const char *const cn_bs_names[4] = {
    "/ipfs/bitswap/1.2.0", "/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.0.0", "/ipfs/bitswap"};

static cn_slice key_of(const cn_id *id)
{
    return cn_slice_of(id, sizeof *id);
}

cn_err cn_bs_stream_add(cn_bitswap *b, cn_bs_peer *p, cn_id id, cn_bs_kind kind, cn_bs_stream **ret)
{
    void *value = NULL;
    cn_bs_stream *s = cn_alloc(b->options.mem, sizeof *s);
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = cn_map_put(&b->streams, key_of(&id), &value, NULL);
    if (err != CN_OK) {
        cn_free(b->options.mem, s);
        return err;
    }
    *(cn_bs_stream **)value = s;
    s->id = id;
    s->kind = kind;
    s->peer = p;
    s->written = cn_host_now(b->options.host);
    cn_buf_init(&s->inbox, b->options.mem, CN_MESSAGE_MAX_BYTES);
    cn_ring_init(&s->node);
    cn_ring_init(&s->owed);
    cn_ring_push(&p->streams, &s->node);
    if (kind != CN_BS_IN) {
        p->out[kind] = s;
    }
    *ret = s;
    return CN_OK;
}

cn_bs_stream *cn_bs_stream_of(const cn_bitswap *b, cn_id id)
{
    cn_bs_stream **s = cn_map_get(&b->streams, key_of(&id));
    return s == NULL ? NULL : *s;
}

void cn_bs_stream_drop(cn_bitswap *b, cn_bs_stream *s)
{
    (void)cn_map_remove(&b->streams, key_of(&s->id));
    if (s->kind != CN_BS_IN) {
        s->peer->out[s->kind] = NULL;
    }
    cn_ring_remove(&s->node);
    cn_ring_remove(&s->owed);
    b->inbox_bytes -= s->inbox.cap;
    s->peer->inbox_bytes -= s->inbox.cap;
    cn_buf_release(&s->inbox);
    cn_free(b->options.mem, s);
}
