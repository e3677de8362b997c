/*
 * What the pin commands share.
 */
#pragma once

#include "cmd/content.h"
#include "node/node.h"
#include "store/pin.h"
#include "unixfs/walk.h"

/* CIDs gathered for one answer, as text in the base asked for. */
typedef struct cn_pin_texts {
    cn_buf text; /* NUL behind each */
    size_t len;
} cn_pin_texts;

void cn_pin_texts_init(cn_pin_texts *t, cn_mem *mem);
void cn_pin_texts_release(cn_pin_texts *t);
CN_MUST_USE cn_err cn_pin_texts_add(cn_call *call, cn_pin_texts *t, const cn_cid *cid);
/* {"Pins":["..",".."]} */
CN_MUST_USE cn_err cn_pin_texts_json(const cn_pin_texts *t, cn_buf *out);
/* The next text behind *position, NULL at the end. */
const char *cn_pin_texts_next(const cn_pin_texts *t, size_t *position);

/* Names longer than a pin may have are refused with Kubo's sentence. */
CN_MUST_USE cn_err cn_pin_check_name(cn_call *call, cn_slice name);

/* The node's pins; what fails is said. */
CN_MUST_USE cn_err cn_pin_open(cn_call *call, cn_pins **ret);

/*
 * Visit each CID of the DAG below and with `root`, once, with the size of its block; blocks that
 * are missing end it. Raw blocks are looked for and not read, so not verified either. `visit` may
 * be NULL: is everything there? Errors: NOT_FOUND (in cn_call_why), CANCELLED, those of visit.
 */
typedef cn_err (*cn_pin_visit)(void *ctx, const cn_walk_entry *entry, size_t bytes);
CN_MUST_USE cn_err cn_pin_walk(
    cn_call *call, cn_walk *walk, bool again, const cn_cid *root, cn_pin_visit visit, void *ctx);
