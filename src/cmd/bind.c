/*
 * Positional words given to a command's arguments, by the rules of go-ipfs-cmds: optional arguments
 * are passed over when words are few, the last one may repeat or come from standard input.
 */
#include "cmd/request.h"
#include "cmd/table.h"

static size_t count_args(const cn_command *c, size_t *ret_required)
{
    size_t len = 0;
    *ret_required = 0;
    for (; c->args != NULL && c->args[len].name != NULL; len++) {
        *ret_required += (c->args[len].flags & CN_ARG_OPTIONAL) == 0 ? 1 : 0;
    }
    return len;
}

static cn_err missing(cn_why *why, const cn_arg *arg)
{
    return cn_why_set(why, CN_ERR_USAGE, "argument \"%s\" is required", arg->name);
}

/* One step: word `i` (or standard input behind the last word) goes to argument `*at`. */
static cn_err give(cn_request *r, cn_texts *words, size_t i, const cn_arg *arg, bool repeats)
{
    bool file = (arg->flags & CN_ARG_FILE) != 0;
    if (i < words->len) {
        return cn_request_add_arg(r, file ? &r->files : &r->args, words->items[i]);
    }
    if ((arg->flags & CN_ARG_STDIN) != 0 && !repeats) {
        r->stdin_file = r->stdin_file || (file && (arg->flags & CN_ARG_OPTIONAL) == 0);
        r->stdin_args = r->stdin_args || !file;
    }
    return CN_OK;
}

static cn_err distribute(cn_request *r, cn_texts *words, cn_why *why)
{
    const cn_arg *args = r->command->args;
    size_t required = 0;
    size_t len = count_args(r->command, &required);
    const cn_arg *last = len == 0 ? NULL : &args[len - 1];
    if (words->len > len && (last == NULL || (last->flags & CN_ARG_VARIADIC) == 0)) {
        return cn_why_set(why, CN_ERR_USAGE, "expected %zu argument(s), got %zu", len, words->len);
    }
    size_t inputs = words->len + (last != NULL && (last->flags & CN_ARG_STDIN) != 0 ? 1 : 0);
    size_t at = 0;
    for (size_t i = 0; i < inputs; i++) {
        while (at < len && inputs - i <= required && (args[at].flags & CN_ARG_OPTIONAL) != 0) {
            at++;
        }
        const cn_arg *arg = at < len ? &args[at] : last;
        required -= required > 0 && (arg->flags & CN_ARG_OPTIONAL) == 0 ? 1 : 0;
        cn_err err = give(r, words, i, arg, at >= len);
        if (err != CN_OK) {
            return err;
        }
        at++;
    }
    if (len > 0 && at == len - 1 && (last->flags & CN_ARG_STDIN) != 0) {
        at++;
    }
    for (; at < len; at++) {
        if ((args[at].flags & CN_ARG_OPTIONAL) == 0) {
            return missing(why, &args[at]);
        }
    }
    return CN_OK;
}

cn_err cn_request_bind(cn_request *r, cn_why *why)
{
    if (cn_command_is_unbuilt(r->command)) {
        return CN_OK;
    }
    cn_texts words = r->args;
    r->args = (cn_texts){0};
    cn_err err = distribute(r, &words, why);
    for (size_t i = 0; i < words.len; i++) {
        cn_free(r->mem, (void *)(uintptr_t)words.items[i].data);
    }
    cn_free(r->mem, words.items);
    return err;
}
