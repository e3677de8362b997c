/*
 * Saying why a daemon says nothing: a call that waits for peers for long has a report of whom it
 * asked, which is fetched by a request of its own (rpc/stall.h) and shown on standard error.
 */
#pragma once

#include "cli/client.h"

/* How long is long, in milliseconds: for tests. */
#define CN_STALL_VARIABLE "CAIRN_STALL_MS"

typedef struct cn_waiting {
    char name[33]; /* of the call, unknown to others; empty: without one */
    int64_t stall_ns;
    cn_time heard; /* something came last, or was asked last */
} cn_waiting;

/* From CN_STALL_VARIABLE, else 30 s. */
int64_t cn_stall_ns(void);

void cn_waiting_init(cn_waiting *w, cn_rt *rt);
/* Append the header that names the call. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_waiting_put_header(const cn_waiting *w, cn_buf *head);
void cn_waiting_heard(cn_waiting *w, cn_time now);
/* How long until it is to be asked for, 0 or more. */
int64_t cn_waiting_left(const cn_waiting *w, cn_time now);
/* Ask, and show what there is to say. What fails here says nothing. */
void cn_waiting_ask(cn_waiting *w, const cn_client_parts *p);
