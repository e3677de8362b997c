/*
 * The table of all commands: those that are built (named in table.c) and Kubo's others, known by
 * name (unbuilt.c).
 */
#pragma once

#include "cmd/command.h"

/* The root, which has the global options; its path is "". */
extern const cn_command cn_command_root;

/* The command of this path ("pin/ls"; "" is the root), or NULL. */
const cn_command *cn_command_find(cn_slice path);
/* The command `word` of group `parent`, or NULL. */
const cn_command *cn_command_child(const cn_command *parent, cn_slice word);
/* The group it is in; NULL for the root. */
const cn_command *cn_command_parent(const cn_command *command);
/* Is `command` directly in `parent`? */
bool cn_command_is_child(const cn_command *command, const cn_command *parent);
/* Its last word: "ls" of "pin/ls"; "" for the root. */
const char *cn_command_name(const cn_command *command);
/* Step through all but the root, built ones first; start with *position 0; NULL at the end. */
const cn_command *cn_command_next(size_t *position);

/* Known by name only. */
static inline bool cn_command_is_unbuilt(const cn_command *command)
{
    return (command->flags & CN_CMD_UNBUILT) != 0;
}

/*
 * Append the sentence for a first word that names no command: `Unknown Command "w"` and what may
 * have been meant.
 */
CN_MUST_USE cn_err cn_command_suggest(const char *word, cn_buf *out);

/* Kubo's commands that are not built, in order of their paths; `opts` stays NULL, `known` says the
 * names. */
extern const cn_command cn_unbuilt[];
extern const size_t cn_unbuilt_len;
