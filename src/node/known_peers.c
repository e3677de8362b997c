/*
 * Lists of addresses and of peers with addresses: each slice has memory of its own.
 */
#include "node/network_config.h"

cn_err cn_address_list_add(cn_mem *mem, cn_address_list *list, cn_slice address)
{
    uint8_t *copy = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_array_grow(
        mem, (void **)&list->items, &list->cap, list->len, CN_NETWORK_ADDRESSES_MAX,
        sizeof *list->items));
    copy = cn_alloc_dirty(mem, address.len);
    CN_TRY(copy == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    cn_copy(copy, address.data, address.len);
    list->items[list->len++] = cn_slice_of(copy, address.len);
out:
    return err;
}

bool cn_address_list_has(const cn_address_list *list, cn_slice address)
{
    for (size_t i = 0; i < list->len; i++) {
        if (cn_slice_eq(list->items[i], address)) {
            return true;
        }
    }
    return false;
}

static void free_slice(cn_mem *mem, cn_slice s)
{
    void *p = NULL;
    cn_copy(&p, &s.data, sizeof p);
    cn_free(mem, p);
}

void cn_address_list_release(cn_mem *mem, cn_address_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        free_slice(mem, list->items[i]);
    }
    cn_free(mem, list->items);
    *list = (cn_address_list){0};
}

size_t cn_known_peers_find(const cn_known_peers *peers, const cn_peer_id *id)
{
    size_t i = 0;
    while (i < peers->len && !cn_peer_id_eq(&peers->items[i].id, id)) {
        i++;
    }
    return i;
}

cn_err
cn_known_peers_add(cn_mem *mem, cn_known_peers *peers, const cn_peer_id *id, cn_slice address)
{
    size_t at = cn_known_peers_find(peers, id);
    cn_err err = CN_OK;
    if (at == peers->len) {
        CN_TRY(cn_array_grow(
            mem, (void **)&peers->items, &peers->cap, peers->len, CN_NETWORK_ADDRESSES_MAX,
            sizeof *peers->items));
        peers->items[peers->len++] = (cn_known_peer){.id = *id};
    }
    if (address.len > 0 && !cn_address_list_has(&peers->items[at].addresses, address)) {
        err = cn_address_list_add(mem, &peers->items[at].addresses, address);
    }
out:
    return err;
}

void cn_known_peers_remove(cn_mem *mem, cn_known_peers *peers, size_t at)
{
    cn_address_list_release(mem, &peers->items[at].addresses);
    for (peers->len--; at < peers->len; at++) {
        peers->items[at] = peers->items[at + 1];
    }
}

void cn_known_peers_release(cn_mem *mem, cn_known_peers *peers)
{
    for (size_t i = 0; i < peers->len; i++) {
        cn_address_list_release(mem, &peers->items[i].addresses);
    }
    cn_free(mem, peers->items);
    *peers = (cn_known_peers){0};
}
