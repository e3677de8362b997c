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
