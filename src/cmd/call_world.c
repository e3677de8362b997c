/*
 * What a command asks of its call: options, surroundings, CIDs as text.
 */
#include "cmd/call_internal.h"
#include "multiformats/multibase.h"

cn_time cn_call_deadline(const cn_call *call)
{
    return call->deadline;
}

const atomic_bool *cn_call_cancel_flag(const cn_call *call)
{
    return call->parts.cancel;
}

const char *cn_call_repo_path(const cn_call *call)
{
    return call->host->repo_path == NULL ? "" : call->host->repo_path;
}

int64_t cn_call_pid(const cn_call *call)
{
    return call->host->pid;
}

cn_rt *cn_call_rt(const cn_call *call)
{
    return call->host->rt;
}

cn_mem *cn_call_mem(const cn_call *call)
{
    return call->host->mem;
}

cn_why *cn_call_why(cn_call *call)
{
    return &call->why;
}

bool cn_call_is_cli(const cn_call *call)
{
    return call->host->is_cli;
}

bool cn_call_has_terminal(const cn_call *call)
{
    return call->host->is_cli && call->host->has_terminal;
}

bool cn_call_in_daemon(const cn_call *call)
{
    return call->host->in_daemon;
}

const char *cn_call_program(const cn_call *call)
{
    return call->host->program;
}

const cn_request *cn_call_request(const cn_call *call)
{
    return call->parts.request;
}

void *cn_call_state(const cn_call *call)
{
    return call->state;
}

void cn_call_set_state(cn_call *call, void *state)
{
    call->state = state;
}

void cn_call_set_status(cn_call *call, int status)
{
    call->status = status;
}

int cn_call_status(const cn_call *call)
{
    return call->status;
}

/* The value of an option, given or preset; false if it has none. Its row must have it. */
static bool value_of(
    const cn_call *call,
    const char *name,
    cn_opt_kind kind,
    cn_value *ret,
    const char **ret_text,
    bool *ret_given)
{
    const cn_given *g = cn_request_option(call->parts.request, name);
    if (ret_given != NULL) {
        *ret_given = g != NULL;
    }
    if (g != NULL) {
        *ret = g->value;
        *ret_text = g->text;
        return true;
    }
    const cn_opt *opt = cn_command_option(call->parts.request->command, cn_str(name));
    CN_ASSERT(opt != NULL);
    *ret_text = opt->preset;
    return opt->preset != NULL && cn_value_parse(kind, opt->preset, ret, NULL) == CN_OK;
}

bool cn_call_given(const cn_call *call, const char *name)
{
    return cn_request_option(call->parts.request, name) != NULL;
}

bool cn_call_flag(const cn_call *call, const char *name, bool *ret_given)
{
    cn_value v = {0};
    const char *text = NULL;
    return value_of(call, name, CN_OPT_BOOL, &v, &text, ret_given) && v.flag;
}

int64_t cn_call_int(const cn_call *call, const char *name, bool *ret_given)
{
    cn_value v = {0};
    const char *text = NULL;
    return value_of(call, name, CN_OPT_INT64, &v, &text, ret_given) ? v.i : 0;
}

uint64_t cn_call_uint(const cn_call *call, const char *name, bool *ret_given)
{
    cn_value v = {0};
    const char *text = NULL;
    return value_of(call, name, CN_OPT_UINT64, &v, &text, ret_given) ? v.u : 0;
}

double cn_call_float(const cn_call *call, const char *name, bool *ret_given)
{
    cn_value v = {0};
    const char *text = NULL;
    return value_of(call, name, CN_OPT_FLOAT, &v, &text, ret_given) ? v.f : 0;
}

const char *cn_call_string(const cn_call *call, const char *name, bool *ret_given)
{
    cn_value v = {0};
    const char *text = NULL;
    return value_of(call, name, CN_OPT_STRING, &v, &text, ret_given) ? text : NULL;
}

const char *cn_call_strings(const cn_call *call, const char *name, size_t i)
{
    const cn_request *r = call->parts.request;
    for (size_t at = 0; at < r->options_len; at++) {
        if (strcmp(r->options[at].opt->name, name) == 0 && i-- == 0) {
            return r->options[at].text;
        }
    }
    return NULL;
}

cn_err cn_call_set_flag(cn_call *call, const char *name, bool value)
{
    cn_request *r = call->parts.request;
    for (size_t i = 0; i < r->options_len; i++) {
        cn_given *g = &r->options[i];
        if (strcmp(g->opt->name, name) == 0) {
            char *text = cn_strdup(r->mem, value ? "true" : "false", value ? 4 : 5);
            if (text == NULL) {
                return CN_ERR_NO_MEMORY;
            }
            cn_free(r->mem, g->text);
            g->text = text;
            g->value.flag = value;
            return CN_OK;
        }
    }
    const cn_opt *opt = cn_command_option(r->command, cn_str(name));
    CN_ASSERT(opt != NULL);
    return cn_request_add_option(
        r, opt, false, value ? "true" : "false", (cn_value){.flag = value});
}

cn_err cn_call_check_base(cn_call *call)
{
    if (call->base_state != 0) {
        return CN_OK;
    }
    const char *name = cn_call_string(call, "cid-base", NULL);
    if (name == NULL || name[0] == '\0') {
        bool upgrade = cn_call_flag(call, "upgrade-cidv0-in-output", NULL);
        call->base = upgrade ? 'b' : 0;
        call->base_state = 1;
        return CN_OK;
    }
    const cn_multibase *base = NULL;
    cn_err err = cn_multibase_choose(cn_str(name), &base, &call->why);
    if (err == CN_OK && base->code > 0x7f) {
        err = CN_ERR_UNSUPPORTED; /* base256emoji has no place in cn_cid_encode_text */
    }
    if (err != CN_OK) {
        return cn_call_fail(call, err, "unsupported multibase encoding: %s", name);
    }
    call->base = (char)base->code;
    call->base_state = 2;
    return CN_OK;
}

cn_err cn_call_cid_text(cn_call *call, const cn_cid *cid, cn_buf *out)
{
    cn_err err = cn_call_check_base(call);
    if (err != CN_OK) {
        return err;
    }
    bool given = false;
    bool upgrade = cn_call_flag(call, "upgrade-cidv0-in-output", &given);
    if (cid->version == 0 && given && !upgrade) {
        return cn_cid_encode_text(cid, 0, out); /* asked to stay as it is */
    }
    /* --upgrade-cidv0-in-output alone turns version 0 into base32 and leaves version 1 alone */
    return cn_cid_encode_text(cid, call->base, out);
}
