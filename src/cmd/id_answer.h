/*
 * Who a node is, as `id` and `swarm peers --identify` tell it.
 */
#pragma once

#include "cmd/strings.h"
#include "multiformats/peerid.h"

struct cn_network;

typedef struct cn_id_answer {
    cn_buf id;
    cn_buf public_key; /* base64 */
    cn_buf agent;
    cn_strings addresses; /* null where there is none */
    cn_strings protocols; /* the same */
} cn_id_answer;

void cn_id_answer_init(cn_id_answer *a, cn_mem *mem);
/* Accepts a zeroed one. */
void cn_id_answer_release(cn_id_answer *a);

/* Append the object's members, ID first, between braces. */
void cn_id_answer_json(cn_json_writer *j, const cn_id_answer *a);

/*
 * What identify told of `peer`, but the id, which is the caller's to write. On the loop's thread.
 * False: nothing is known. Errors: NO_MEMORY, TOO_LARGE.
 */
CN_MUST_USE cn_err cn_id_answer_of_peer(
    struct cn_network *n, const cn_peer_id *peer, cn_id_answer *a, bool *ret_known);
/* The same of ourselves: addresses that are told to others, and what is spoken here. */
CN_MUST_USE cn_err cn_id_answer_of_self(struct cn_network *n, cn_id_answer *a);
