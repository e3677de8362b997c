/*
 * commands: the list of all commands; commands completion: scripts for shells.
 */
#include "cmd/commands.h"
#include "cmd/help.h"

#include "codec/json_write.h"

#include <stdlib.h>

enum { LIST_MAX = 1 << 20 };

static cn_err put_words(const cn_command *c, cn_buf *out)
{
    cn_err err = cn_buf_text(out, "ipfs");
    if (err == CN_OK && c->path[0] != '\0') {
        err = cn_buf_byte(out, ' ');
    }
    for (const char *at = c->path; err == CN_OK && *at != '\0'; at++) {
        err = cn_buf_byte(out, *at == '/' ? ' ' : (uint8_t)*at);
    }
    return err;
}

/* Called for each option of a command with its names, the alias empty if there is none. */
typedef cn_err (*option_visit)(void *ctx, const cn_command *c, cn_slice name, cn_slice alias);

static cn_err each_known(const cn_command *c, option_visit visit, void *ctx)
{
    cn_slice rest = cn_str(c->known);
    cn_err err = CN_OK;
    while (rest.len > 0 && err == CN_OK) {
        cn_slice names = cn_slice_head(rest, cn_slice_find(rest, ' '));
        rest = cn_slice_skip(rest, names.len + 1);
        cn_slice name = cn_slice_head(names, cn_slice_find(names, ','));
        err = visit(ctx, c, name, cn_slice_skip(names, name.len + 1));
    }
    return err;
}

static cn_err each_option(const cn_command *c, option_visit visit, void *ctx)
{
    cn_err err = CN_OK;
    for (const cn_opt *o = c->opts; err == CN_OK && o != NULL && o->name != NULL; o++) {
        err = visit(ctx, c, cn_str(o->name), cn_str(o->alias));
    }
    return err == CN_OK ? each_known(c, visit, ctx) : err;
}

static cn_err put_flag(cn_buf *out, const cn_command *c, cn_slice name)
{
    cn_err err = put_words(c, out);
    return err != CN_OK ? err
                        : cn_buf_printf(
                              out, " %s%.*s", name.len == 1 ? "-" : "--", (int)name.len,
                              (const char *)name.data);
}

static cn_err put_option_line(void *ctx, const cn_command *c, cn_slice name, cn_slice alias)
{
    cn_buf *out = ctx;
    cn_err err = put_flag(out, c, name);
    if (err == CN_OK && alias.len > 0) {
        err = cn_buf_text(out, " / ");
        err = err == CN_OK ? put_flag(out, c, alias) : err;
    }
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static int by_line(const void *a, const void *b)
{
    return cn_slice_cmp(*(const cn_slice *)a, *(const cn_slice *)b);
}

/* Append the lines of `text` in order of their bytes. */
static cn_err put_sorted(cn_mem *mem, cn_slice text, cn_buf *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        len += text.data[i] == '\n' ? 1 : 0;
    }
    cn_slice *lines = cn_alloc_array(mem, len, sizeof *lines);
    cn_err err = lines == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    for (size_t i = 0; err == CN_OK && i < len; i++) {
        lines[i] = cn_slice_head(text, cn_slice_find(text, '\n'));
        text = cn_slice_skip(text, lines[i].len + 1);
    }
    if (err == CN_OK) {
        qsort(lines, len, sizeof *lines, by_line);
    }
    for (size_t i = 0; err == CN_OK && i < len; i++) {
        err = cn_buf_append(out, lines[i]);
        err = err == CN_OK ? cn_buf_byte(out, '\n') : err;
    }
    cn_free(mem, lines);
    return err;
}

static cn_err commands_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(value);
    bool flags = cn_call_flag(call, "flags", NULL);
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), LIST_MAX);
    cn_err err = CN_OK;
    size_t position = 0;
    for (const cn_command *c = &cn_command_root; c != NULL; c = cn_command_next(&position)) {
        CN_TRY(put_words(c, &text));
        CN_TRY(cn_buf_byte(&text, '\n'));
        if (flags && c != &cn_command_root) {
            CN_TRY(each_option(c, put_option_line, &text));
        }
    }
    CN_TRY(put_sorted(cn_call_mem(call), cn_buf_slice(&text), out));
out:
    cn_buf_release(&text);
    return err;
}

static cn_err put_names(void *ctx, const cn_command *c, cn_slice name, cn_slice alias)
{
    CN_UNUSED(c);
    cn_json_writer *j = ctx;
    cn_json_object(j);
    cn_json_key(j, "Names");
    cn_json_list(j);
    cn_json_string(j, name);
    if (alias.len > 0) {
        /* "-" in the table stands for the empty name that Kubo gives one option */
        cn_json_string(j, cn_slice_is(alias, "-") ? cn_str("") : alias);
    }
    cn_json_list_end(j);
    cn_json_object_end(j);
    return CN_OK;
}

static void close_command(cn_json_writer *j, const cn_command *c)
{
    cn_json_list_end(j);
    cn_json_key(j, "Options");
    cn_json_list(j);
    (void)!each_option(c, put_names, j);
    cn_json_list_end(j);
    cn_json_object_end(j);
}

/* The tree, from the list in order of paths: a group is closed when the next is not below it. */
static cn_err commands_json(cn_call *call, cn_buf *out, const void *value)
{
    enum { DEPTH_MAX = 8 };
    CN_UNUSED(value);
    const cn_command *open[DEPTH_MAX];
    size_t depth = 0;
    const cn_command **list = NULL;
    size_t len = 0;
    cn_err err = cn_commands_sorted(cn_call_mem(call), &list, &len);
    if (err != CN_OK) {
        return err;
    }
    cn_json_writer j;
    cn_json_init(&j, out, NULL);
    for (size_t i = 0; i <= len; i++) {
        const cn_command *c = i == 0 ? &cn_command_root : list[i - 1];
        while (depth > 0 && !cn_command_is_child(c, open[depth - 1])) {
            close_command(&j, open[--depth]);
        }
        CN_ASSERT(depth < DEPTH_MAX && (depth > 0 || i == 0));
        cn_json_object(&j);
        cn_json_put_text(&j, "Name", i == 0 ? "ipfs" : cn_command_name(c));
        cn_json_key(&j, "Subcommands");
        cn_json_list(&j);
        open[depth++] = c;
    }
    while (depth > 0) {
        close_command(&j, open[--depth]);
    }
    cn_free(cn_call_mem(call), list);
    return cn_json_finish(&j);
}

static const cn_output_type commands_output = {"commands.Command", commands_json, commands_text};

static cn_err run_commands(cn_call *call)
{
    return cn_call_emit_once(call, &commands_output, "");
}

static const cn_opt commands_opts[] = {
    {CN_OPT_BOOL, "flags", "f", NULL, "Show the options too."},
    {.name = NULL},
};

const cn_command cn_cmd_commands = {
    .path = "commands",
    .summary = "List all commands",
    .opts = commands_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &commands_output,
    .run = run_commands,
};

static cn_err run_completion(cn_call *call, cn_err (*make)(const char *program, cn_buf *out))
{
    cn_buf script;
    cn_buf_init(&script, cn_call_mem(call), LIST_MAX);
    cn_err err = make(cn_call_program(call), &script);
    if (err == CN_OK) {
        cn_call_set_size(call, script.len);
        err = cn_call_write(call, cn_buf_slice(&script));
    }
    cn_buf_release(&script);
    return err;
}

static cn_err run_bash(cn_call *call)
{
    return run_completion(call, cn_completion_bash);
}

static cn_err run_fish(cn_call *call)
{
    return run_completion(call, cn_completion_fish);
}

static cn_err run_zsh(cn_call *call)
{
    return run_completion(call, cn_completion_zsh);
}

const cn_command cn_cmd_commands_completion_bash = {
    .path = "commands/completion/bash",
    .summary = "Completion script for bash",
    .about = "Load it with: source <(cairn commands completion bash)",
    .flags = CN_CMD_NO_REPO | CN_CMD_NO_REMOTE,
    .run = run_bash,
};

const cn_command cn_cmd_commands_completion_fish = {
    .path = "commands/completion/fish",
    .summary = "Completion script for fish",
    .flags = CN_CMD_NO_REPO | CN_CMD_NO_REMOTE,
    .run = run_fish,
};

const cn_command cn_cmd_commands_completion_zsh = {
    .path = "commands/completion/zsh",
    .summary = "Completion script for zsh",
    .flags = CN_CMD_NO_REPO | CN_CMD_NO_REMOTE,
    .run = run_zsh,
};
