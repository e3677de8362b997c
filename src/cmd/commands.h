/*
 * The commands that are built; each is defined in cmd_<name>.c and named once in table.c.
 */
#pragma once

#include "cmd/command.h"

extern const cn_command cn_cmd_add;
extern const cn_command cn_cmd_bitswap_ledger;
extern const cn_command cn_cmd_bitswap_reprovide;
extern const cn_command cn_cmd_bitswap_stat;
extern const cn_command cn_cmd_bitswap_wantlist;
extern const cn_command cn_cmd_block_get;
extern const cn_command cn_cmd_block_put;
extern const cn_command cn_cmd_block_rm;
extern const cn_command cn_cmd_block_stat;
extern const cn_command cn_cmd_bootstrap;
extern const cn_command cn_cmd_bootstrap_add;
extern const cn_command cn_cmd_bootstrap_list;
extern const cn_command cn_cmd_bootstrap_rm;
extern const cn_command cn_cmd_bootstrap_rm_all;
extern const cn_command cn_cmd_cat;
extern const cn_command cn_cmd_cid_base32;
extern const cn_command cn_cmd_cid_bases;
extern const cn_command cn_cmd_cid_codecs;
extern const cn_command cn_cmd_cid_format;
extern const cn_command cn_cmd_cid_hashes;
extern const cn_command cn_cmd_cid_inspect;
extern const cn_command cn_cmd_commands;
extern const cn_command cn_cmd_commands_completion_bash;
extern const cn_command cn_cmd_commands_completion_fish;
extern const cn_command cn_cmd_commands_completion_zsh;
extern const cn_command cn_cmd_config;
extern const cn_command cn_cmd_config_edit;
extern const cn_command cn_cmd_config_profile_apply;
extern const cn_command cn_cmd_config_replace;
extern const cn_command cn_cmd_config_show;
extern const cn_command cn_cmd_daemon;
extern const cn_command cn_cmd_get;
extern const cn_command cn_cmd_id;
extern const cn_command cn_cmd_init;
extern const cn_command cn_cmd_ls;
extern const cn_command cn_cmd_multibase_decode;
extern const cn_command cn_cmd_multibase_encode;
extern const cn_command cn_cmd_multibase_list;
extern const cn_command cn_cmd_multibase_transcode;
extern const cn_command cn_cmd_pin_add;
extern const cn_command cn_cmd_pin_ls;
extern const cn_command cn_cmd_pin_rm;
extern const cn_command cn_cmd_pin_update;
extern const cn_command cn_cmd_pin_verify;
extern const cn_command cn_cmd_ping;
extern const cn_command cn_cmd_refs;
extern const cn_command cn_cmd_refs_local;
extern const cn_command cn_cmd_repo_gc;
extern const cn_command cn_cmd_repo_stat;
extern const cn_command cn_cmd_repo_verify;
extern const cn_command cn_cmd_repo_version;
extern const cn_command cn_cmd_resolve;
extern const cn_command cn_cmd_shutdown;
extern const cn_command cn_cmd_stats_bitswap;
extern const cn_command cn_cmd_stats_bw;
extern const cn_command cn_cmd_swarm_addrs;
extern const cn_command cn_cmd_swarm_addrs_autonat;
extern const cn_command cn_cmd_swarm_addrs_listen;
extern const cn_command cn_cmd_swarm_addrs_local;
extern const cn_command cn_cmd_swarm_connect;
extern const cn_command cn_cmd_swarm_disconnect;
extern const cn_command cn_cmd_swarm_filters;
extern const cn_command cn_cmd_swarm_filters_add;
extern const cn_command cn_cmd_swarm_filters_rm;
extern const cn_command cn_cmd_swarm_peering_add;
extern const cn_command cn_cmd_swarm_peering_ls;
extern const cn_command cn_cmd_swarm_peering_rm;
extern const cn_command cn_cmd_swarm_peers;
extern const cn_command cn_cmd_swarm_resources;
extern const cn_command cn_cmd_version;
