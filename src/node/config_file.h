/*
 * The configuration file as it stands on the disk, to be read by key, changed and written back.
 * Unknown keys stay; the order of keys becomes alphabetic when the file is written, as with Kubo.
 */
#pragma once

#include "node/config.h"

typedef struct cn_config_file {
    cn_rt *rt;
    cn_mem *mem;
    const char *path; /* borrowed */
    cn_json_doc doc;
    cn_json *root; /* an object */
} cn_config_file;

/* Read and check the file. Errors: as cn_config_load. Release after failure too. */
CN_MUST_USE cn_err
cn_config_file_open(cn_rt *rt, cn_mem *mem, const char *path, cn_config_file *ret, cn_why *why);
void cn_config_file_release(cn_config_file *f); /* accepts a zeroed one */

/* Write the file as a whole, mode 0600. Errors: NO_SPACE, IO, PERMISSION. */
CN_MUST_USE cn_err cn_config_file_save(cn_config_file *f, cn_why *why);

/* The value at a dotted key. Errors: NOT_FOUND, WRONG_TYPE with Kubo's sentence. */
CN_MUST_USE cn_err
cn_config_file_get(const cn_config_file *f, cn_slice key, const cn_json **ret, cn_why *why);

/*
 * Set a dotted key to `value` (of f->doc, without a parent) and check the whole. Not saved.
 * Errors: NOT_FOUND (no such key), WRONG_TYPE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_config_file_set(cn_config_file *f, cn_slice key, cn_json *value, cn_why *why);

/*
 * Replace the known sections by those of `text`, whose absent keys take zero values; identity and
 * the credentials of pinning services stay. Not saved. Errors: MALFORMED, USAGE.
 */
CN_MUST_USE cn_err cn_config_file_replace(cn_config_file *f, cn_slice text, cn_why *why);

/*
 * Apply a profile. *ret_old and *ret_new are both whole configurations, keys in order, without
 * private key, lent by f->doc. Not saved. Errors: NOT_FOUND ("x is not a profile").
 */
CN_MUST_USE cn_err cn_config_file_profile(
    cn_config_file *f, const char *profile, cn_json **ret_old, cn_json **ret_new, cn_why *why);

/* Copy the file to "<path>-pre-<profile>-<random digits>", mode 0600. Errors: IO, NO_SPACE. */
CN_MUST_USE cn_err cn_config_file_backup(cn_config_file *f, const char *profile, cn_why *why);

/* Remove what is secret: private key, API authorizations, keys of pinning services. */
void cn_config_scrub(cn_json *root);

/* May this key be read or set by commands? Else PERMISSION with Kubo's sentence. */
CN_MUST_USE cn_err cn_config_key_allowed(cn_slice key, cn_why *why);

/* The difference of two objects (keys in order), coloured, as `profile apply` shows it. */
CN_MUST_USE cn_err cn_config_diff(const cn_json *a, const cn_json *b, cn_buf *out);
