/*
 * `config replace` and `config profile apply`: changes of the configuration as a whole.
 */
#include "cmd/commands.h"
#include "cmd/config_common.h"
#include "node/profile.h"

static cn_err run_replace(cn_call *call)
{
    cn_config_edit edit;
    cn_buf text;
    cn_err err = cn_config_edit_begin(call, true, &edit);
    cn_buf_init(&text, cn_call_mem(call), CN_CONFIG_MAX_BYTES);
    CN_TRY(err);
    CN_TRY(cn_call_read_file(call, &text));
    err = cn_config_file_replace(&edit.file, cn_buf_slice(&text), cn_call_why(call));
    if (err == CN_OK) {
        err = cn_config_file_save(&edit.file, cn_call_why(call));
    }
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
    }
out:
    cn_config_edit_end(&edit);
    cn_buf_release(&text);
    return err;
}

static const cn_arg replace_args[] = {
    {"file", CN_ARG_FILE, "The new configuration."},
    {.name = NULL},
};

const cn_command cn_cmd_config_replace = {
    .path = "config/replace",
    .summary = "Replace the configuration by a file",
    .about = "The identity stays what it is. This cannot be undone: keep a copy.",
    .args = replace_args,
    .run = run_replace,
};

typedef struct update {
    const cn_json *old;
    const cn_json *new;
} update;

static cn_err update_json(cn_call *call, cn_buf *out, const void *value)
{
    const update *u = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    CN_TRY(cn_buf_text(out, "{\"OldCfg\":"));
    CN_TRY(cn_json_dump(u->old, CN_JSON_GO_NUMBERS, out));
    CN_TRY(cn_buf_text(out, ",\"NewCfg\":"));
    CN_TRY(cn_json_dump(u->new, CN_JSON_GO_NUMBERS, out));
    CN_TRY(cn_buf_byte(out, '}'));
out:
    return err;
}

static cn_err update_text(cn_call *call, cn_buf *out, const void *value)
{
    const update *u = value;
    CN_UNUSED(call);
    return cn_config_diff(u->old, u->new, out);
}

static const cn_output_type update_output = {
    "commands.ConfigUpdateOutput", update_json, update_text};

static cn_err run_apply(cn_call *call)
{
    cn_config_edit edit = {0};
    cn_json *old = NULL;
    cn_json *new = NULL;
    update u = {0};
    const char *name = cn_call_arg_text(call, 0);
    bool dry = cn_call_flag(call, "dry-run", NULL);
    cn_err err = CN_OK;
    if (!cn_profile_exists(cn_call_arg(call, 0))) {
        return cn_call_fail(call, CN_ERR_NOT_FOUND, "%s is not a profile", name);
    }
    CN_TRY(cn_config_edit_begin(call, !dry, &edit));
    err = cn_config_file_profile(&edit.file, name, &old, &new, cn_call_why(call));
    if (err == CN_OK && !dry) {
        err = cn_config_file_backup(&edit.file, name, cn_call_why(call));
    }
    if (err == CN_OK && !dry) {
        err = cn_config_file_save(&edit.file, cn_call_why(call));
    }
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    u = (update){.old = old, .new = new};
    err = cn_call_emit_once(call, &update_output, &u);
out:
    cn_config_edit_end(&edit);
    return err;
}

static const cn_arg apply_args[] = {
    {"profile", 0, "The profile."},
    {.name = NULL},
};

static const cn_opt apply_opts[] = {
    {CN_OPT_BOOL, "dry-run", NULL, NULL, "Only show what would change."},
    {.name = NULL},
};

const cn_command cn_cmd_config_profile_apply = {
    .path = "config/profile/apply",
    .summary = "Apply a profile to the configuration",
    .about = "Profiles: announce-off, announce-on, autoconf-off, autoconf-on, default-networking,\n"
             "local-discovery, lowpower, randomports, server, test, unixfs-v0-2015 (also\n"
             "legacy-cid-v0), unixfs-v1-2025; those that choose a datastore have no effect here.\n"
             "The configuration is copied to config-pre-<profile>-<number> before.",
    .args = apply_args,
    .opts = apply_opts,
    .output = &update_output,
    .run = run_apply,
};
