/*
 * Gathering and writing what is known of a node.
 */
#include "cmd/id_answer.h"

#include "codec/base_n.h"
#include "node/network.h"

enum { PART_MAX_BYTES = 64 << 10 };

void cn_id_answer_init(cn_id_answer *a, cn_mem *mem)
{
    cn_buf_init(&a->id, mem, PART_MAX_BYTES);
    cn_buf_init(&a->public_key, mem, PART_MAX_BYTES);
    cn_buf_init(&a->agent, mem, PART_MAX_BYTES);
    cn_strings_init(&a->addresses, mem);
    cn_strings_init(&a->protocols, mem);
    a->addresses.null_if_none = true;
    a->protocols.null_if_none = true;
}

void cn_id_answer_release(cn_id_answer *a)
{
    cn_buf_release(&a->id);
    cn_buf_release(&a->public_key);
    cn_buf_release(&a->agent);
    cn_strings_release(&a->addresses);
    cn_strings_release(&a->protocols);
}

void cn_id_answer_json(cn_json_writer *j, const cn_id_answer *a)
{
    cn_json_object(j);
    cn_json_put_string(j, "ID", cn_buf_slice(&a->id));
    cn_json_put_string(j, "PublicKey", cn_buf_slice(&a->public_key));
    cn_json_key(j, "Addresses");
    cn_strings_json(j, &a->addresses);
    cn_json_put_string(j, "AgentVersion", cn_buf_slice(&a->agent));
    cn_json_key(j, "Protocols");
    cn_strings_json(j, &a->protocols);
    cn_json_object_end(j);
}

/* "<address>/p2p/<id>", `address` binary. */
static cn_err add_address(cn_id_answer *a, cn_slice address, const cn_peer_id *id)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, a->addresses.mem, 8 * CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_multiaddr_encode_text(address, &text));
    CN_TRY(cn_buf_text(&text, "/p2p/"));
    CN_TRY(cn_peer_id_encode_text(id, 0, &text));
    CN_TRY(cn_strings_add(&a->addresses, cn_buf_slice(&text)));
out:
    cn_buf_release(&text);
    return err;
}

cn_err
cn_id_answer_of_peer(struct cn_network *n, const cn_peer_id *peer, cn_id_answer *a, bool *ret_known)
{
    cn_host_peer p = {0};
    cn_slice key = {0};
    cn_err err = CN_OK;
    *ret_known = cn_host_peer_of(cn_network_host(n), peer, &p);
    if (!*ret_known) {
        return CN_OK;
    }
    if (!cn_peer_id_public(peer, &key)) {
        key = p.public_key;
    }
    CN_TRY(cn_base_n_encode(CN_BASE64_PAD, key, &a->public_key));
    CN_TRY(cn_buf_append(&a->agent, p.agent));
    for (size_t i = 0; i < p.addresses_len; i++) {
        CN_TRY(add_address(a, p.addresses[i], peer));
    }
    for (size_t i = 0; i < p.protocols_len; i++) {
        CN_TRY(cn_strings_add(&a->protocols, p.protocols[i]));
    }
    cn_strings_sort(&a->addresses);
    cn_strings_sort(&a->protocols);
out:
    return err;
}

cn_err cn_id_answer_of_self(struct cn_network *n, cn_id_answer *a)
{
    const cn_peer_id *self = cn_host_self(cn_network_host(n));
    cn_buf texts;
    cn_buf id;
    cn_slice rest = {0};
    const char *name = NULL;
    size_t position = 0;
    cn_err err = CN_OK;
    cn_buf_init(&texts, a->addresses.mem, PART_MAX_BYTES);
    cn_buf_init(&id, a->addresses.mem, PART_MAX_BYTES);
    CN_TRY(cn_peer_id_encode_text(self, 0, &id));
    CN_TRY(cn_host_addresses(cn_network_host(n), &texts, false));
    for (rest = cn_buf_slice(&texts); rest.len > 0;) {
        size_t end = cn_slice_find(rest, '\n');
        CN_TRY(cn_strings_printf(
            &a->addresses, "%.*s/p2p/%.*s", (int)end, (const char *)rest.data, (int)id.len,
            (const char *)id.data));
        rest = cn_slice_skip(rest, end + 1);
    }
    while (cn_host_served(cn_network_host(n), &position, &name)) {
        CN_TRY(cn_strings_add(&a->protocols, cn_str(name)));
    }
    cn_strings_sort(&a->addresses);
    cn_strings_sort(&a->protocols);
out:
    cn_buf_release(&texts);
    cn_buf_release(&id);
    return err;
}
