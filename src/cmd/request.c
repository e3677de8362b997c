/*
 * What a request holds.
 */
#include "cmd/request.h"

#include "cmd/table.h"

void cn_request_init(cn_request *r, cn_mem *mem)
{
    *r = (cn_request){.mem = mem};
}

static void release_texts(cn_mem *mem, cn_texts *t)
{
    for (size_t i = 0; i < t->len; i++) {
        cn_free(mem, (void *)(uintptr_t)t->items[i].data);
    }
    cn_free(mem, t->items);
    *t = (cn_texts){0};
}

void cn_request_release(cn_request *r)
{
    release_texts(r->mem, &r->args);
    release_texts(r->mem, &r->files);
    for (size_t i = 0; i < r->options_len; i++) {
        cn_free(r->mem, r->options[i].text);
    }
    cn_free(r->mem, r->options);
    *r = (cn_request){.mem = r->mem};
}

cn_err cn_request_add_arg(cn_request *r, cn_texts *to, cn_slice text)
{
    cn_err err = cn_array_grow(
        r->mem, (void **)&to->items, &to->cap, to->len, CN_REQUEST_ARGS_MAX, sizeof(cn_slice));
    if (err != CN_OK) {
        return err;
    }
    char *copy = cn_strdup(r->mem, (const char *)text.data, text.len);
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    to->items[to->len++] = cn_slice_of(copy, text.len);
    return CN_OK;
}

cn_err
cn_request_add_option(cn_request *r, const cn_opt *opt, bool by_alias, const char *text, cn_value v)
{
    cn_err err = cn_array_grow(
        r->mem, (void **)&r->options, &r->options_cap, r->options_len, CN_REQUEST_OPTIONS_MAX,
        sizeof(cn_given));
    if (err != CN_OK) {
        return err;
    }
    char *copy = cn_strdup(r->mem, text, strlen(text));
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    r->options[r->options_len++] =
        (cn_given){.opt = opt, .by_alias = by_alias, .text = copy, .value = v};
    return CN_OK;
}

const cn_given *cn_request_option(const cn_request *r, const char *name)
{
    const cn_given *found = NULL;
    for (size_t i = 0; i < r->options_len; i++) {
        const cn_given *g = &r->options[i];
        if (strcmp(g->opt->name, name) == 0 &&
            (found == NULL || (found->by_alias && !g->by_alias))) {
            found = g;
        }
    }
    return found;
}

static const cn_opt *find_opt(const cn_opt *opts, cn_slice name)
{
    for (; opts != NULL && opts->name != NULL; opts++) {
        if (cn_slice_is(name, opts->name) ||
            (opts->alias != NULL && cn_slice_is(name, opts->alias))) {
            return opts;
        }
    }
    return NULL;
}

const cn_opt *cn_command_option(const cn_command *command, cn_slice name)
{
    while (command != NULL) {
        const cn_opt *opt = find_opt(command->opts, name);
        if (opt != NULL) {
            return opt;
        }
        command = cn_command_parent(command);
    }
    return NULL;
}
