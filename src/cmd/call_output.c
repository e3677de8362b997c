/*
 * Output of a call: values in the encoding that was asked for, or raw bytes.
 */
#include "cmd/call_internal.h"

cn_encoding cn_call_encoding(const cn_call *call)
{
    return call->encoding;
}

void cn_call_set_type(cn_call *call, const char *content_type)
{
    call->head.content_type = content_type;
}

void cn_call_set_size(cn_call *call, uint64_t size_bytes)
{
    call->head.has_size = true;
    call->head.size_bytes = size_bytes;
}

static cn_err begin(cn_call *call, cn_sink_kind kind)
{
    if (call->begun) {
        return CN_OK;
    }
    call->begun = true;
    call->head.kind = kind;
    call->head.encoding = call->encoding;
    return call->parts.sink->ops->begin(call->parts.sink, &call->head);
}

cn_err cn_call_write(cn_call *call, cn_slice bytes)
{
    cn_err err = begin(call, CN_SINK_RAW);
    return err != CN_OK ? err : call->parts.sink->ops->write(call->parts.sink, bytes);
}

static cn_err emit(cn_call *call, const cn_output_type *type, const void *value, cn_sink_kind kind)
{
    cn_sink *sink = call->parts.sink;
    cn_err err = CN_OK;
    cn_buf_reset(&call->value);
    if (call->encoding == CN_ENC_TEXT && type->text != NULL) {
        CN_TRY(type->text(call, &call->value, value));
    } else {
        CN_TRY(type->json(call, &call->value, value));
        CN_TRY(cn_buf_byte(&call->value, '\n'));
    }
    CN_TRY(begin(call, kind));
    CN_TRY(sink->ops->write(sink, cn_buf_slice(&call->value)));
    CN_TRY(sink->ops->flush(sink));
out:
    return err;
}

cn_err cn_call_emit(cn_call *call, const cn_output_type *type, const void *value)
{
    return emit(call, type, value, CN_SINK_VALUES);
}

cn_err cn_call_emit_once(cn_call *call, const cn_output_type *type, const void *value)
{
    return emit(call, type, value, CN_SINK_SINGLE);
}

cn_err cn_call_flush(cn_call *call)
{
    return call->begun ? call->parts.sink->ops->flush(call->parts.sink) : CN_OK;
}

/* Before a terminal the option may have been set by `prepare`, so that it asks for nothing more. */
static int progress_state(const cn_call *call)
{
    bool given = false;
    if (cn_command_option(call->parts.request->command, cn_str("progress")) == NULL) {
        return 2;
    }
    bool wanted = cn_call_flag(call, "progress", &given);
    return !given ? 2 : !wanted ? 1 : cn_call_has_terminal(call) ? 2 : 3;
}

void cn_call_progress(
    cn_call *call, cn_progress_kind kind, uint64_t done_bytes, uint64_t total_bytes)
{
    cn_sink *sink = call->parts.sink;
    if (sink->ops->progress == NULL) {
        return;
    }
    if (call->progress_state == 0) {
        call->progress_state = progress_state(call);
    }
    if (call->progress_state > 1) {
        const cn_sink_progress at = {kind, call->progress_state == 3, done_bytes, total_bytes};
        sink->ops->progress(sink, &at);
    }
}

void cn_call_note(cn_call *call, const char *format, ...)
{
    cn_sink *sink = call->parts.sink;
    if (sink->ops->note == NULL) {
        return;
    }
    cn_buf text;
    va_list args;
    cn_buf_init(&text, call->host->mem, CN_CALL_SENTENCE_MAX);
    va_start(args, format);
    if (cn_buf_vprintf(&text, format, args) == CN_OK) {
        sink->ops->note(sink, cn_buf_slice(&text));
    }
    va_end(args);
    cn_buf_release(&text);
}
