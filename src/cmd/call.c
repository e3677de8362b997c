/*
 * A call's life: made, prepared, run, ended. Whoever fails first says the sentence.
 */
#include "cmd/call_internal.h"
#include "exchange/fetch/fetch.h"
#include "node/config.h"

#include <stdio.h>

static cn_err read_timeout(cn_call *call, cn_why *why)
{
    call->deadline = CN_TIME_NEVER;
    const cn_given *g = cn_request_option(call->parts.request, "timeout");
    int64_t ns = 0;
    if (g == NULL) {
        return CN_OK;
    }
    cn_err err = cn_duration_parse(cn_str(g->text), &ns, why);
    if (err == CN_OK) {
        call->deadline = cn_time_after(cn_rt_now(call->host->rt), ns);
    }
    return err;
}

cn_err cn_call_new(cn_call_host *host, const cn_call_parts *parts, cn_call **ret, cn_why *why)
{
    cn_call *call = cn_alloc(host->mem, sizeof *call);
    if (call == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    call->host = host;
    call->parts = *parts;
    cn_buf_init(&call->sentence, host->mem, CN_CALL_SENTENCE_MAX);
    cn_buf_init(&call->value, host->mem, CN_CALL_VALUE_MAX);
    cn_buf_init(&call->line, host->mem, CN_CALL_LINE_MAX);
    cn_err err = read_timeout(call, why);
    if (err != CN_OK) {
        cn_call_free(call);
        return err;
    }
    *ret = call;
    return CN_OK;
}

void cn_call_free(cn_call *call)
{
    if (call == NULL) {
        return;
    }
    cn_fetch_close(call->fetch);
    cn_buf_release(&call->sentence);
    cn_buf_release(&call->value);
    cn_buf_release(&call->line);
    cn_free(call->host->mem, call->state);
    cn_free(call->host->mem, call);
}

cn_err cn_request_encoding(const cn_request *r, bool is_cli, cn_encoding *ret, cn_why *why)
{
    const cn_given *g = cn_request_option(r, "encoding");
    const char *name = g != NULL ? g->text : is_cli ? "text" : "json";
    const cn_output_type *output = r->command->output;
    if (strcmp(name, "text") == 0 || strcmp(name, "textnl") == 0 || (is_cli && *name == '\0')) {
        *ret = output != NULL && output->text == NULL ? CN_ENC_JSON : CN_ENC_TEXT;
        return CN_OK;
    }
    if (strcmp(name, "json") == 0) {
        *ret = is_cli && (r->command->flags & CN_CMD_TEXT) != 0 ? CN_ENC_TEXT : CN_ENC_JSON;
        return CN_OK;
    }
    if (strcmp(name, "xml") == 0 && output != NULL) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "encoding xml is not supported: use --enc=json or --enc=text");
    }
    if (strcmp(name, "xml") == 0 || strcmp(name, "octet-stream") == 0) {
        *ret = CN_ENC_TEXT;
        return CN_OK;
    }
    return cn_why_set(why, CN_ERR_USAGE, "invalid encoding: %s", name);
}

cn_err cn_call_prepare(cn_call *call)
{
    cn_request *r = call->parts.request;
    cn_err err = cn_request_encoding(r, call->host->is_cli, &call->encoding, &call->why);
    if (err != CN_OK) {
        return cn_call_fail_client(call, err, "%s", cn_why_text(&call->why, err));
    }
    return call->host->is_cli && r->command->prepare != NULL ? r->command->prepare(call) : CN_OK;
}

static cn_err run_unbuilt(cn_call *call)
{
    char words[128];
    (void)snprintf(words, sizeof words, "%s", call->parts.request->command->path);
    for (char *at = words; *at != '\0'; at++) {
        *at = *at == '/' ? ' ' : *at;
    }
    return cn_call_fail(call, CN_ERR_UNSUPPORTED, "'%s' is not built yet in cairn", words);
}

cn_err cn_call_run(cn_call *call)
{
    const cn_command *command = call->parts.request->command;
    /* what needs no repo is done before any time limit could pass */
    cn_err err = (command->flags & CN_CMD_NO_REPO) != 0 ? CN_OK : cn_call_check(call);
    if (err == CN_OK) {
        err = command->run == NULL ? run_unbuilt(call) : command->run(call);
    }
    return cn_call_end(call, err);
}

cn_err cn_call_end(cn_call *call, cn_err err)
{
    CN_ASSERT(!call->ended);
    call->ended = true;
    bool waited = call->fetch != NULL;
    cn_fetch_close(call->fetch);
    call->fetch = NULL;
    const char *sentence = NULL;
    if (err != CN_OK) {
        bool stopped = err == CN_ERR_CANCELLED || err == CN_ERR_TIMEOUT;
        sentence = err == CN_ERR_CANCELLED ? "canceled"
                   : err == CN_ERR_TIMEOUT ? (waited ? CN_CALL_DEADLINE : "timed out")
                                           : cn_why_text(&call->why, err);
        if (call->said && !stopped && cn_buf_cstr(&call->sentence, &sentence) != CN_OK) {
            sentence = cn_err_sentence(CN_ERR_NO_MEMORY);
        }
        call->status = call->status == 0 ? 1 : call->status;
    }
    cn_sink_end end = {
        .err = err, .sentence = sentence, .code = call->code, .status = call->status};
    call->parts.sink->ops->end(call->parts.sink, &end, call->begun);
    return err;
}

CN_PRINTF(4, 0)
static cn_err say(cn_call *call, cn_err err, int code, const char *format, va_list args)
{
    if (!call->said) {
        call->code = code;
        call->said = cn_buf_vprintf(&call->sentence, format, args) == CN_OK;
    }
    return err;
}

cn_err cn_call_fail(cn_call *call, cn_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)say(call, err, 0, format, args);
    va_end(args);
    return err;
}

cn_err cn_call_fail_client(cn_call *call, cn_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)say(call, err, 1, format, args);
    va_end(args);
    return err;
}

cn_err cn_call_fail_why(cn_call *call, cn_err err)
{
    return err == CN_OK ? err : cn_call_fail(call, err, "%s", cn_why_text(&call->why, err));
}

cn_err cn_call_check(const cn_call *call)
{
    if (call->parts.cancel != NULL &&
        atomic_load_explicit(call->parts.cancel, memory_order_relaxed)) {
        return CN_ERR_CANCELLED;
    }
    if (call->deadline.ns != CN_TIME_NEVER.ns &&
        cn_rt_now(call->host->rt).ns >= call->deadline.ns) {
        return CN_ERR_TIMEOUT;
    }
    return CN_OK;
}

cn_err cn_call_node(cn_call *call, struct cn_node **ret)
{
    CN_ASSERT((call->parts.request->command->flags & CN_CMD_NO_REPO) == 0);
    cn_err err = call->host->ops->node(call->host, ret, &call->why);
    return cn_call_fail_why(call, err);
}

cn_err cn_call_serve(cn_call *call)
{
    if (call->host->ops->serve == NULL) {
        return cn_call_fail(call, CN_ERR_UNSUPPORTED, "a daemon cannot be started from here");
    }
    return cn_call_fail_why(call, call->host->ops->serve(call->host, call));
}

cn_err cn_call_edit(cn_call *call, const char *path)
{
    if (call->host->ops->edit == NULL) {
        return cn_call_fail(call, CN_ERR_UNSUPPORTED, "an editor cannot be started from here");
    }
    return cn_call_fail_why(call, call->host->ops->edit(call->host, path, &call->why));
}

cn_err cn_call_shutdown(cn_call *call)
{
    return cn_call_fail_why(call, call->host->ops->shutdown(call->host, &call->why));
}
