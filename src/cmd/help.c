/*
 * Help pages: usage line, what the command does, its arguments, options and sub-commands.
 */
#include "cmd/help.h"

#include <stdlib.h>

static int by_path(const void *a, const void *b)
{
    const cn_command *const *left = a;
    const cn_command *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

cn_err cn_commands_sorted(cn_mem *mem, const cn_command ***ret, size_t *ret_len)
{
    const cn_command **list = cn_alloc_array(mem, CN_COMMANDS_MAX, sizeof *list);
    if (list == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    size_t len = 0;
    size_t position = 0;
    const cn_command *c = NULL;
    while ((c = cn_command_next(&position)) != NULL && len < CN_COMMANDS_MAX) {
        list[len++] = c;
    }
    qsort(list, len, sizeof *list, by_path);
    *ret = list;
    *ret_len = len;
    return CN_OK;
}

static cn_err put_path(const cn_command *command, const char *program, cn_buf *out)
{
    cn_err err = cn_buf_text(out, program);
    if (err == CN_OK && command->path[0] != '\0') {
        err = cn_buf_byte(out, ' ');
    }
    for (const char *at = command->path; err == CN_OK && *at != '\0'; at++) {
        err = cn_buf_byte(out, *at == '/' ? ' ' : (uint8_t)*at);
    }
    return err;
}

static cn_err put_args(const cn_command *command, cn_buf *out)
{
    cn_err err = CN_OK;
    for (const cn_arg *arg = command->args; err == CN_OK && arg != NULL && arg->name != NULL;
         arg++) {
        bool optional = (arg->flags & CN_ARG_OPTIONAL) != 0;
        bool variadic = (arg->flags & CN_ARG_VARIADIC) != 0;
        err = cn_buf_printf(
            out, optional ? " [<%s>]%s" : " <%s>%s", arg->name, variadic ? "..." : "");
    }
    return err;
}

static bool has_children(const cn_command *command)
{
    size_t position = 0;
    const cn_command *c = NULL;
    while ((c = cn_command_next(&position)) != NULL) {
        if (cn_command_is_child(c, command)) {
            return true;
        }
    }
    return false;
}

static cn_err put_usage(const cn_command *command, const char *program, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "USAGE\n  "));
    CN_TRY(put_path(command, program, out));
    if (command->opts != NULL) {
        CN_TRY(cn_buf_text(out, " [options]"));
    }
    CN_TRY(put_args(command, out));
    if (command->run == NULL && !cn_command_is_unbuilt(command)) {
        CN_TRY(cn_buf_text(out, " <command> ..."));
    }
    CN_TRY(cn_buf_text(out, "\n\n"));
    if (command->summary != NULL) {
        CN_TRY(cn_buf_printf(out, "  %s.\n\n", command->summary));
    }
    if (cn_command_is_unbuilt(command)) {
        CN_TRY(cn_buf_text(out, "  Known from Kubo, not built yet in cairn.\n\n"));
    }
out:
    return err;
}

/* `text` in lines of their own, each behind two spaces. */
static cn_err put_about(const char *text, cn_buf *out)
{
    cn_slice rest = cn_str(text);
    cn_err err = CN_OK;
    while (rest.len > 0 && err == CN_OK) {
        cn_slice line = cn_slice_head(rest, cn_slice_find(rest, '\n'));
        rest = cn_slice_skip(rest, line.len + 1);
        err = cn_buf_printf(
            out, "%s%.*s\n", line.len > 0 ? "  " : "", (int)line.len, (const char *)line.data);
    }
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static cn_err put_arg_help(const cn_command *command, cn_buf *out)
{
    const cn_arg *arg = command->args;
    if (arg == NULL || arg->name == NULL) {
        return CN_OK;
    }
    cn_err err = cn_buf_text(out, "ARGUMENTS\n");
    for (; err == CN_OK && arg->name != NULL; arg++) {
        err = cn_buf_printf(
            out, "  %-26s %s%s\n", arg->name, arg->help == NULL ? "" : arg->help,
            (arg->flags & CN_ARG_STDIN) != 0 ? " (or standard input)" : "");
    }
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static const char *dashes(const char *name)
{
    return name[1] == '\0' ? "-" : "--";
}

static cn_err put_option(const cn_opt *opt, cn_buf *out)
{
    cn_buf names;
    cn_buf_init(&names, out->mem, 256);
    const char *text = NULL;
    cn_err err = CN_OK;
    if (opt->alias != NULL) {
        CN_TRY(cn_buf_printf(&names, "%s%s, ", dashes(opt->alias), opt->alias));
    }
    CN_TRY(cn_buf_printf(
        &names, "%s%s%s", dashes(opt->name), opt->name,
        opt->kind == CN_OPT_BOOL                                    ? ""
        : opt->kind == CN_OPT_STRING || opt->kind == CN_OPT_STRINGS ? "=TEXT"
                                                                    : "=NUMBER"));
    CN_TRY(cn_buf_cstr(&names, &text));
    CN_TRY(cn_buf_printf(out, "  %-26s %s", text, opt->help));
    if (opt->preset != NULL && opt->preset[0] != '\0') {
        CN_TRY(cn_buf_printf(out, " Default: %s.", opt->preset));
    }
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    cn_buf_release(&names);
    return err;
}

static cn_err put_options(const cn_opt *opts, const char *title, cn_buf *out)
{
    bool any = false;
    cn_err err = CN_OK;
    for (; err == CN_OK && opts != NULL && opts->name != NULL; opts++) {
        if (opts->help == NULL) {
            continue;
        }
        if (!any) {
            err = cn_buf_printf(out, "%s\n", title);
            any = true;
        }
        if (err == CN_OK) {
            err = put_option(opts, out);
        }
    }
    return err == CN_OK && any ? cn_buf_byte(out, '\n') : err;
}

/* The children of `command`; those not built yet only by name, in a line below. */
static cn_err
put_children(const cn_command *command, const cn_command **list, size_t len, cn_buf *out)
{
    cn_err err = cn_buf_text(out, "COMMANDS\n");
    bool any_unbuilt = false;
    for (size_t i = 0; err == CN_OK && i < len; i++) {
        bool child = cn_command_is_child(list[i], command);
        bool known = list[i]->summary != NULL;
        any_unbuilt = any_unbuilt || (child && !known);
        if (child && known) {
            err = cn_buf_printf(out, "  %-18s %s\n", cn_command_name(list[i]), list[i]->summary);
        }
    }
    if (err == CN_OK && any_unbuilt) {
        err = cn_buf_text(out, "\n  Known from Kubo, not built yet:");
    }
    for (size_t i = 0; err == CN_OK && any_unbuilt && i < len; i++) {
        if (cn_command_is_child(list[i], command) && list[i]->summary == NULL) {
            err = cn_buf_printf(out, " %s", cn_command_name(list[i]));
        }
    }
    return err == CN_OK ? cn_buf_text(out, any_unbuilt ? "\n\n" : "\n") : err;
}

cn_err cn_help(const cn_command *command, const char *program, bool full, cn_buf *out)
{
    const cn_command **list = NULL;
    size_t len = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_commands_sorted(out->mem, &list, &len));
    CN_TRY(put_usage(command, program, out));
    if (command->about != NULL) {
        CN_TRY(put_about(command->about, out));
    }
    if (full) {
        CN_TRY(put_arg_help(command, out));
        CN_TRY(put_options(
            command->opts, command == &cn_command_root ? "OPTIONS OF ALL COMMANDS" : "OPTIONS",
            out));
    }
    if (has_children(command)) {
        CN_TRY(put_children(command, list, len, out));
    }
    CN_TRY(cn_buf_printf(out, "  '%s", program));
    CN_TRY(cn_buf_printf(
        out, full ? " --help' shows the options of all commands.\n"
                  : " <command> --help' shows all there is to know about a command.\n"));
out:
    cn_free(out->mem, list);
    return err;
}
