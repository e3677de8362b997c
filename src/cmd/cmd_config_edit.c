/*
 * `config edit` opens the config in the person's editor. The file may be broken or missing: this is
 * how it is mended, so it is only looked at afterwards.
 */
#include "cmd/commands.h"
#include "cmd/config_common.h"

static void warn_if_broken(cn_call *call, const char *path)
{
    cn_why why = {{0}};
    cn_config_file file = {0};
    cn_err err = cn_config_file_open(cn_call_rt(call), cn_call_mem(call), path, &file, &why);
    if (err != CN_OK) {
        cn_call_note(
            call, "Warning: this configuration cannot be used: %s\n", cn_why_text(&why, err));
    }
    cn_config_file_release(&file);
}

static cn_err run_edit(cn_call *call)
{
    cn_buf buf;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_call_mem(call), 1 << 16);
    CN_TRY(cn_config_edit_path(call, &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    CN_TRY(cn_call_edit(call, path));
    warn_if_broken(call, path);
out:
    cn_buf_release(&buf);
    return err;
}

const cn_command cn_cmd_config_edit = {
    .path = "config/edit",
    .summary = "Open the configuration in $EDITOR",
    .about = "A daemon that runs reads what was changed when it is started again.",
    .flags = CN_CMD_NO_REMOTE | CN_CMD_NO_API | CN_CMD_TAKES_UNINIT,
    .run = run_edit,
};
