/*
 * Completion scripts, generated from the table. The bash script holds one word list per command,
 * found by its path, so that it stays fast and short.
 */
#include "cmd/help.h"

static const char *dashes(const char *name)
{
    return name[1] == '\0' ? "-" : "--";
}

/* Names of the children of `command`, each behind a space. */
static cn_err
put_children(const cn_command *command, const cn_command **list, size_t len, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < len; i++) {
        if (cn_command_is_child(list[i], command)) {
            err = cn_buf_printf(out, " %s", cn_command_name(list[i]));
        }
    }
    return err;
}

static cn_err put_opts(const cn_opt *opt, cn_buf *out)
{
    cn_err err = CN_OK;
    for (; err == CN_OK && opt != NULL && opt->name != NULL; opt++) {
        const char *end = opt->kind == CN_OPT_BOOL || opt->name[1] == '\0' ? "" : "=";
        err = cn_buf_printf(out, " %s%s%s", dashes(opt->name), opt->name, end);
        if (err == CN_OK && opt->alias != NULL) {
            err = cn_buf_printf(out, " %s%s", dashes(opt->alias), opt->alias);
        }
    }
    return err;
}

static cn_err put_bash_case(const cn_command *c, const cn_command **list, size_t len, cn_buf *out)
{
    cn_err err = CN_OK;
    bool files = c->args != NULL && (c->args[0].flags & CN_ARG_FILE) != 0;
    CN_TRY(cn_buf_printf(out, "        '%s') subs=\"", c->path));
    CN_TRY(put_children(c, list, len, out));
    CN_TRY(cn_buf_text(out, "\" opts=\""));
    CN_TRY(put_opts(c == &cn_command_root ? NULL : c->opts, out));
    CN_TRY(cn_buf_printf(out, "\" files=%d ;;\n", files ? 1 : 0));
out:
    return err;
}

static const char bash_tail[] =
    "    esac\n"
    "}\n"
    "\n"
    "_@() {\n"
    "    local path='' word subs opts files i\n"
    "    local current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
    "    _@_words ''\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=\"${COMP_WORDS[i]}\"\n"
    "        if [[ \" $subs \" == *\" $word \"* ]]; then\n"
    "            path=\"${path:+$path/}$word\"\n"
    "            _@_words \"$path\"\n"
    "        fi\n"
    "    done\n"
    "    if [[ $current == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$opts $global\" -- \"$current\")\n"
    "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
    "    elif [[ $files == 1 ]]; then\n"
    "        compopt -o filenames\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$subs\" -- \"$current\")\n"
    "    fi\n"
    "}\n"
    "complete -F _@ @\n";

/* `text` with each @ replaced by the program's name. */
static cn_err put_named(const char *text, const char *program, cn_buf *out)
{
    cn_err err = CN_OK;
    for (; err == CN_OK && *text != '\0'; text++) {
        err = *text == '@' && text[1] != ']' ? cn_buf_text(out, program)
                                             : cn_buf_byte(out, (uint8_t)*text);
    }
    return err;
}

cn_err cn_completion_bash(const char *program, cn_buf *out)
{
    const cn_command **list = NULL;
    size_t len = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_commands_sorted(out->mem, &list, &len));
    CN_TRY(put_named(
        "# Completion of @ for bash: source this file, or put it where bash-completion looks.\n"
        "\n_@_words() {\n    global=\"",
        program, out));
    CN_TRY(put_opts(cn_command_root.opts, out));
    CN_TRY(cn_buf_text(out, "\"\n    case \"$1\" in\n"));
    CN_TRY(put_bash_case(&cn_command_root, list, len, out));
    for (size_t i = 0; i < len; i++) {
        CN_TRY(put_bash_case(list[i], list, len, out));
    }
    CN_TRY(put_named(bash_tail, program, out));
out:
    cn_free(out->mem, list);
    return err;
}

cn_err cn_completion_zsh(const char *program, cn_buf *out)
{
    cn_err err =
        put_named("#compdef @\nautoload -U +X bashcompinit && bashcompinit\n", program, out);
    return err == CN_OK ? cn_completion_bash(program, out) : err;
}

/* One line of fish: the command `c` behind the words of its group. */
static cn_err put_fish_command(const cn_command *c, const char *program, cn_buf *out)
{
    const cn_command *parent = cn_command_parent(c);
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(out, "complete -c %s -f -n '__%s_at \"", program, program));
    CN_TRY(cn_buf_text(out, parent->path));
    CN_TRY(cn_buf_printf(out, "\"' -a %s", cn_command_name(c)));
    if (c->summary != NULL) {
        CN_TRY(cn_buf_text(out, " -d '"));
        for (const char *at = c->summary; *at != '\0'; at++) {
            CN_TRY(cn_buf_text(out, *at == '\'' ? "\\" : ""));
            CN_TRY(cn_buf_byte(out, (uint8_t)*at));
        }
        CN_TRY(cn_buf_byte(out, '\''));
    }
    CN_TRY(cn_buf_byte(out, '\n'));
    for (const cn_opt *opt = c->opts; opt != NULL && opt->name != NULL; opt++) {
        CN_TRY(cn_buf_printf(
            out, "complete -c %s -n '__%s_at \"%s\"' %s %s", program, program, c->path,
            opt->name[1] == '\0' ? "-s" : "-l", opt->name));
        if (opt->alias != NULL) {
            CN_TRY(cn_buf_printf(out, " %s %s", opt->alias[1] == '\0' ? "-s" : "-l", opt->alias));
        }
        CN_TRY(cn_buf_text(out, opt->kind == CN_OPT_BOOL ? "\n" : " -r\n"));
    }
out:
    return err;
}

cn_err cn_completion_fish(const char *program, cn_buf *out)
{
    const cn_command **list = NULL;
    size_t len = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_commands_sorted(out->mem, &list, &len));
    CN_TRY(put_named(
        "# Completion of @ for fish.\n"
        "function __@_at\n"
        "    set -l words (string match -rv -- '^-' (commandline -opc))\n"
        "    test (string join / $words[2..-1]) = \"$argv[1]\"\n"
        "end\n",
        program, out));
    for (size_t i = 0; i < len; i++) {
        CN_TRY(put_fish_command(list[i], program, out));
    }
out:
    cn_free(out->mem, list);
    return err;
}
