/*
 * The commands that are built; each is defined in cmd_<name>.c and named once in table.c.
 */
#pragma once

#include "cmd/command.h"

extern const cn_command cn_cmd_add;
extern const cn_command cn_cmd_block_get;
extern const cn_command cn_cmd_block_put;
extern const cn_command cn_cmd_block_rm;
extern const cn_command cn_cmd_block_stat;
extern const cn_command cn_cmd_cat;
extern const cn_command cn_cmd_commands;
extern const cn_command cn_cmd_commands_completion_bash;
extern const cn_command cn_cmd_commands_completion_fish;
extern const cn_command cn_cmd_commands_completion_zsh;
extern const cn_command cn_cmd_daemon;
extern const cn_command cn_cmd_get;
extern const cn_command cn_cmd_init;
extern const cn_command cn_cmd_ls;
extern const cn_command cn_cmd_refs;
extern const cn_command cn_cmd_refs_local;
extern const cn_command cn_cmd_resolve;
extern const cn_command cn_cmd_config;
extern const cn_command cn_cmd_config_profile_apply;
extern const cn_command cn_cmd_config_replace;
extern const cn_command cn_cmd_config_show;
extern const cn_command cn_cmd_shutdown;
extern const cn_command cn_cmd_version;
