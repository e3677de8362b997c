/*
 * What the config commands share: the file, and the lock while it is changed.
 */
#pragma once

#include "cmd/command.h"
#include "node/config_file.h"

struct cn_node;

/* An open config file and what keeps others from changing it. */
typedef struct cn_config_edit {
    cn_config_file file;
    cn_buf path;
    struct cn_node *node; /* a daemon's, whose config lock is held */
    cn_file *lock;        /* the repo's, without a daemon; NULL if only reading */
    cn_rt *rt;
} cn_config_edit;

/*
 * Append the path of the config file: --config-file (in the repo if it is a bare name), else the
 * repo's. Errors: those of the buffer.
 */
CN_MUST_USE cn_err cn_config_edit_path(cn_call *call, cn_buf *ret);

/*
 * Open the config of the call's repo, to read or (`change`) to change. End in any case with
 * cn_config_edit_end. Errors: those of cn_repo_check, cn_config_load, cn_repo_lock; said.
 */
CN_MUST_USE cn_err cn_config_edit_begin(cn_call *call, bool change, cn_config_edit *ret);
void cn_config_edit_end(cn_config_edit *e);
