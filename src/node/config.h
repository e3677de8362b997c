/*
 * The configuration: Kubo's JSON, read as Kubo reads it and checked against the types of its keys
 * (node/schema.h). Keys that are not known are kept. Once loaded it does not change; commands that
 * change the file use node/config_edit.h.
 */
#pragma once

#include "base/duration.h"
#include "codec/json.h"
#include "rt/rt.h"

enum { CN_CONFIG_MAX_BYTES = 16 << 20 };

typedef struct cn_config cn_config;

/*
 * Read and check the file at `path`. Errors: NOT_FOUND, PERMISSION, IO, TOO_LARGE; MALFORMED,
 * TRUNCATED, WRONG_TYPE with Go's sentence, which names the key and the type; NO_MEMORY.
 * Give back with cn_config_free.
 */
CN_MUST_USE cn_err
cn_config_load(cn_rt *rt, cn_mem *mem, const char *path, cn_config **ret, cn_why *why);

/* The same from text, which is not kept. */
CN_MUST_USE cn_err cn_config_parse(cn_mem *mem, cn_slice text, cn_config **ret, cn_why *why);
void cn_config_free(cn_config *c); /* accepts NULL */

/* The whole tree. */
const cn_json *cn_config_root(const cn_config *c);

/* The value at a dotted key ("Addresses.API"), NULL if absent or null. Case of letters is ignored,
 * as Kubo does. */
const cn_json *cn_config_get(const cn_config *c, const char *key);

/* Typed values; `fallback` where the key is absent, null or (numbers) out of range. A string is
 * borrowed from the config; its end is not a NUL. */
cn_slice cn_config_string(const cn_config *c, const char *key, const char *fallback);
bool cn_config_bool(const cn_config *c, const char *key, bool fallback);
int64_t cn_config_i64(const cn_config *c, const char *key, int64_t fallback);

/* The i-th of a key that holds one string or several (Addresses.API); false behind the last. */
bool cn_config_strings(const cn_config *c, const char *key, size_t i, cn_slice *ret);

/*
 * A size in bytes, a number or "10GB", "256KiB", "1.5 M" as Kubo's humanize reads them.
 * Errors: MALFORMED, TOO_LARGE.
 */
CN_MUST_USE cn_err
cn_config_bytes(const cn_config *c, const char *key, uint64_t fallback, uint64_t *ret, cn_why *why);

/* A duration in nanoseconds, "1h30m" or (where the key allows it) a number. Errors: MALFORMED. */
CN_MUST_USE cn_err cn_config_duration(
    const cn_config *c, const char *key, int64_t fallback_ns, int64_t *ret_ns, cn_why *why);

/* A size from text, as humanize.ParseBytes reads it, with its sentences. */
CN_MUST_USE cn_err cn_size_parse(cn_slice text, uint64_t *ret_bytes, cn_why *why);
