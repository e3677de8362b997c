/*
 * Help made from the table.
 */
#pragma once

#include "cmd/table.h"

/*
 * Append the help of `command`, as shown to who calls the program `program`. `full` adds what
 * `about` says and every option.
 */
CN_MUST_USE cn_err cn_help(const cn_command *command, const char *program, bool full, cn_buf *out);

/* Append the completion script of a shell. */
CN_MUST_USE cn_err cn_completion_bash(const char *program, cn_buf *out);
CN_MUST_USE cn_err cn_completion_fish(const char *program, cn_buf *out);
CN_MUST_USE cn_err cn_completion_zsh(const char *program, cn_buf *out);

/* All commands ordered by their paths (words apart): borrowed pointers into the table. */
enum { CN_COMMANDS_MAX = 512 };
CN_MUST_USE cn_err
cn_commands_sorted(cn_mem *mem, const cn_command ***ret, size_t *ret_len); /* cn_free it */
