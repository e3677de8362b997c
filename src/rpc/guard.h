/*
 * Who may call the RPC: the guard against web pages that reach for a local node (Origin, Referer,
 * User-Agent), the version guard, and API.Authorizations. All from the config, once.
 */
#pragma once

#include "base/buf.h"
#include "node/config.h"

typedef struct cn_guard cn_guard;

/* What is said of the request; slices may be empty. */
typedef struct cn_guard_ask {
    cn_slice path; /* decoded, "/api/v0/id" */
    bool has_origin;
    cn_slice origin;
    bool has_referer;
    cn_slice referer;
    cn_slice user_agent;
    cn_slice authorization;
} cn_guard_ask;

/* Errors: NO_MEMORY. `config` must outlive the guard. */
CN_MUST_USE cn_err cn_guard_new(cn_mem *mem, const cn_config *config, cn_guard **ret);
void cn_guard_free(cn_guard *g); /* accepts NULL */
/* The API listens on this port: pages from the loopback names at it are let in by default. */
CN_MUST_USE cn_err cn_guard_allow_port(cn_guard *g, uint16_t port);

/* May a page of `origin` see answers? *ret_any: because all may ("*"). */
bool cn_guard_allows_origin(const cn_guard *g, cn_slice origin, bool *ret_any);
/* May a preflight ask for this method? */
bool cn_guard_allows_method(const cn_guard *g, cn_slice method);
bool cn_guard_allows_credentials(const cn_guard *g);

/* CN_OK, or PERMISSION: answer 403. */
CN_MUST_USE cn_err cn_guard_check(const cn_guard *g, const cn_guard_ask *a);
/* CN_OK, or PERMISSION: the Authorization header does not open this path. */
CN_MUST_USE cn_err cn_guard_authorize(const cn_guard *g, const cn_guard_ask *a);
/* CN_OK, or USAGE with the sentence of a 400: a client of another version. */
CN_MUST_USE cn_err cn_guard_version(const cn_guard_ask *a, cn_why *why);
