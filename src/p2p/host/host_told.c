/*
 * What a peer tells of itself goes into the book. Addresses in a signed record of its own go before
 * plain ones, and an address is believed only in the scope of the connection it came over.
 * spec: libp2p/identify; libp2p RFC 0003
 */
#include "p2p/host/host_internal.h"

#include "p2p/host/peer_record.h"

/* Is what a peer at `remote` says of `address` worth anything to us? */
static bool is_in_scope(cn_slice remote, cn_slice address)
{
    cn_multiaddr_scope from = cn_multiaddr_scope_of(remote);
    cn_multiaddr_scope to = cn_multiaddr_scope_of(address);
    if (to == CN_SCOPE_NONE) {
        return false;
    }
    return from == CN_SCOPE_LOOPBACK || to == CN_SCOPE_PUBLIC ||
           (from != CN_SCOPE_PUBLIC && to != CN_SCOPE_LOOPBACK);
}

static size_t keep_in_scope(cn_slice remote, const cn_slice *all, size_t len, cn_slice *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < len && kept < CN_IDENTIFY_ADDRESSES_MAX; i++) {
        if (is_in_scope(remote, all[i])) {
            ret[kept++] = all[i];
        }
    }
    return kept;
}

static cn_err take_record(
    cn_host *h, const cn_conn_info *info, cn_slice envelope, cn_slice *room, bool *ret_taken)
{
    cn_err err = CN_OK;
    cn_peer_record record = {0};
    cn_slice address = {0};
    size_t len = 0;
    *ret_taken = false;
    err = cn_peer_record_open(h->mem, envelope, &record, NULL);
    if (err != CN_OK || !cn_peer_id_eq(&record.peer, &info->peer)) {
        return err == CN_ERR_NO_MEMORY ? err : CN_OK;
    }
    while (len < CN_IDENTIFY_ADDRESSES_MAX && cn_peer_record_next(&record.addresses, &address)) {
        if (is_in_scope(info->remote, address)) {
            room[len++] = address;
        }
    }
    cn_book_record r = {record.sequence, room, len, CN_BOOK_TTL_NORMAL_NS};
    err = cn_book_take_record(h->book, &info->peer, &r, h->now);
    *ret_taken = err == CN_OK || err == CN_ERR_EXISTS;
    return err == CN_ERR_EXISTS ? CN_OK : err;
}

static cn_err take_addresses(cn_host *h, const cn_conn_info *info, const cn_identify_fields *f)
{
    cn_err err = CN_OK;
    bool is_taken = false;
    cn_slice *room = cn_alloc_array(h->mem, CN_IDENTIFY_ADDRESSES_MAX, sizeof(*room));
    if (room == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    if (f->signed_record.len > 0) {
        CN_TRY(take_record(h, info, f->signed_record, room, &is_taken));
    }
    if (!is_taken && f->addresses_len > 0) {
        cn_book_terms terms = {CN_BOOK_TOLD, CN_BOOK_TTL_NORMAL_NS};
        size_t len = keep_in_scope(info->remote, f->addresses, f->addresses_len, room);
        CN_TRY(cn_book_learn(h->book, &info->peer, room, len, &terms, h->now));
    }
out:
    cn_free(h->mem, room);
    return err;
}

/* Where they see us; told to all when it makes an address believed, or one no longer so. */
static cn_err take_observed(cn_host *h, const cn_observed_report *report)
{
    cn_slice seen[HOST_LISTEN_MAX];
    size_t before = cn_observed_list(&h->observed, h->now, seen, CN_LEN(seen));
    cn_err err = cn_observed_add(&h->observed, report, h->now);
    if (err == CN_OK && cn_observed_list(&h->observed, h->now, seen, CN_LEN(seen)) != before) {
        cn_host_identify_changed(h);
    }
    return err;
}

cn_err cn_host_told_take(cn_host *h, const host_conn *c, const cn_identify_fields *f)
{
    cn_err err = CN_OK;
    cn_conn_info info = {0};
    cn_book_about about = {
        .agent = f->agent,
        .protocol_version = f->protocol_version,
        .public_key = f->public_key,
        .protocols = f->protocols,
        .protocols_len = f->protocols_len,
    };
    if (!c->transport->ops->info(c->transport, c->raw, &info)) {
        return CN_ERR_CLOSED;
    }
    CN_TRY(cn_book_describe(h->book, &info.peer, &about, h->now));
    CN_TRY(take_addresses(h, &info, f));
    if (f->observed.len > 0 && !c->is_initiator) { /* a dialler's port is nobody's to dial */
        cn_observed_report report = {c->id, info.local, info.remote, f->observed};
        CN_TRY(take_observed(h, &report));
    }
out:
    return err;
}
