/*
 * Requests as URLs: what stands behind /api/v0/, read as Kubo's server reads it and written as its
 * client writes it.
 */
#include "cmd/request.h"
#include "cmd/table.h"

enum { TEXT_MAX = 1 << 20 };

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Replace the contents of `out` by `s` with its % escapes undone. MALFORMED: a broken escape. */
static cn_err unescape(cn_slice s, bool plus_is_space, cn_buf *out)
{
    cn_buf_reset(out);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex(s.data[i + 1]) : -1;
            int low = i + 2 < s.len ? hex(s.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return CN_ERR_MALFORMED;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        cn_err err = cn_buf_byte(out, c);
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

/* Take what stands before `mark` from the front of *s (all of it if there is none). */
static cn_slice take_until(cn_slice *s, uint8_t mark)
{
    size_t at = cn_slice_find(*s, mark);
    cn_slice head = cn_slice_head(*s, at);
    *s = cn_slice_skip(*s, at + 1);
    return head;
}

/* The command of `path`; its last part is an argument if it names no command. */
static cn_err find_command(cn_request *r, cn_slice path, cn_texts *words)
{
    const cn_command *command = &cn_command_root;
    bool remote = true;
    for (bool is_last = false; !is_last;) {
        is_last = cn_slice_find(path, '/') == path.len;
        cn_slice part = take_until(&path, '/');
        const cn_command *child = cn_command_child(command, part);
        if (child != NULL) {
            command = child;
            remote = remote && (command->flags & CN_CMD_NO_REMOTE) == 0;
            continue;
        }
        if (!is_last || (command->run == NULL && !cn_command_is_unbuilt(command))) {
            return CN_ERR_NOT_FOUND;
        }
        cn_err err = cn_request_add_arg(r, words, part);
        if (err != CN_OK) {
            return err;
        }
    }
    if (!remote || (command->run == NULL && !cn_command_is_unbuilt(command))) {
        return CN_ERR_NOT_FOUND;
    }
    r->command = command;
    return CN_OK;
}

static const char *kind_name(cn_opt_kind kind)
{
    static const char *const names[] = {
        [CN_OPT_BOOL] = "bool",     [CN_OPT_INT] = "int",       [CN_OPT_UINT] = "uint",
        [CN_OPT_INT64] = "int64",   [CN_OPT_UINT64] = "uint64", [CN_OPT_FLOAT] = "float64",
        [CN_OPT_STRING] = "string", [CN_OPT_STRINGS] = "slice",
    };
    return names[kind];
}

static cn_err keep_option(cn_request *r, const cn_opt *opt, const char *text, cn_why *why)
{
    char held[CN_QUOTE_TEXT_BYTES];
    for (size_t i = 0; i < r->options_len && opt->kind != CN_OPT_STRINGS; i++) {
        if (r->options[i].opt == opt) {
            return cn_why_set(
                why, CN_ERR_USAGE, "expected key %s to have only a single value, received [%s %s]",
                opt->name, r->options[i].text, text);
        }
    }
    cn_value value = {0};
    cn_err err = cn_value_parse(opt->kind, text, &value, NULL);
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "could not convert %s%s to type \"%s\" (for option \"-%s\")",
            text[0] == '\0' ? "empty value" : "value ",
            text[0] == '\0' ? "" : cn_quote_text(cn_str(text), held), kind_name(opt->kind),
            opt->name);
    }
    return cn_request_add_option(r, opt, false, text, value);
}

/* One "key=value" of the query. Broken ones and unknown options are passed over, as in Kubo. */
static cn_err take_pair(cn_request *r, cn_slice pair, cn_texts *words, cn_buf *held, cn_why *why)
{
    if (pair.len == 0 || cn_slice_find(pair, ';') != pair.len) {
        return CN_OK;
    }
    cn_slice key = take_until(&pair, '=');
    cn_err err = unescape(key, true, held);
    if (err != CN_OK) {
        return err == CN_ERR_MALFORMED ? CN_OK : err;
    }
    bool is_arg = cn_slice_is(cn_buf_slice(held), "arg");
    const cn_opt *opt = is_arg ? NULL : cn_command_option(r->command, cn_buf_slice(held));
    err = unescape(pair, true, held);
    if (err != CN_OK || (opt == NULL && !is_arg)) {
        return err == CN_ERR_MALFORMED ? CN_OK : err;
    }
    if (is_arg) {
        return cn_request_add_arg(r, words, cn_buf_slice(held));
    }
    const char *text = NULL;
    err = cn_buf_cstr(held, &text);
    return err != CN_OK ? err : keep_option(r, opt, text, why);
}

/* Do the text arguments the command needs stand there (or come with the body)? */
static cn_err check_args(cn_request *r, bool has_files, cn_why *why)
{
    const cn_arg *arg = r->command->args;
    size_t needed = 0;
    for (; arg != NULL && arg->name != NULL; arg++) {
        bool required = (arg->flags & CN_ARG_OPTIONAL) == 0;
        if ((arg->flags & CN_ARG_FILE) != 0) {
            if (required && !has_files) {
                return cn_why_set(why, CN_ERR_USAGE, "file argument '%s' is required", arg->name);
            }
            continue;
        }
        bool from_body = has_files && (arg->flags & CN_ARG_STDIN) != 0;
        r->stdin_args = r->stdin_args || from_body;
        needed += required ? 1 : 0;
        if (required && needed > r->args.len && !from_body) {
            return cn_why_set(why, CN_ERR_USAGE, "argument \"%s\" is required", arg->name);
        }
    }
    return CN_OK;
}

cn_err
cn_request_from_query(cn_request *r, cn_slice path, cn_slice query, bool has_files, cn_why *why)
{
    cn_buf held;
    cn_buf_init(&held, r->mem, TEXT_MAX);
    cn_err err = CN_OK;
    CN_TRY(find_command(r, path, &r->args));
    while (query.len > 0) {
        CN_TRY(take_pair(r, take_until(&query, '&'), &r->args, &held, why));
    }
    CN_TRY(check_args(r, has_files, why));
out:
    cn_buf_release(&held);
    return err;
}

/* Append `s` as the value of a query pair. */
static cn_err escape(cn_slice s, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < s.len && err == CN_OK; i++) {
        uint8_t c = s.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        err = plain ? cn_buf_byte(out, c) : cn_buf_printf(out, "%%%02X", (unsigned)c);
    }
    return err;
}

/* Options that are the command line's own business. */
static bool stays_here(const char *name)
{
    static const char *const names[] = {"api",    "api-auth", "repo-dir", "config-file",
                                        "config", "encoding", "help",     "h"};
    for (size_t i = 0; i < CN_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

cn_err cn_request_to_query(const cn_request *r, cn_encoding encoding, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(
        out, "%s?encoding=%s&stream-channels=true", r->command->path,
        encoding == CN_ENC_TEXT ? "text" : "json"));
    for (size_t i = 0; i < r->options_len; i++) {
        const cn_given *g = &r->options[i];
        /* of a name and its alias, both given, the one that counts here is sent */
        bool counts = g->opt->kind == CN_OPT_STRINGS || cn_request_option(r, g->opt->name) == g;
        if (counts && !stays_here(g->opt->name)) {
            CN_TRY(cn_buf_printf(out, "&%s=", g->opt->name));
            CN_TRY(escape(cn_str(g->text), out));
        }
    }
    for (size_t i = 0; i < r->args.len; i++) {
        CN_TRY(cn_buf_text(out, "&arg="));
        CN_TRY(escape(r->args.items[i], out));
    }
out:
    return err;
}
