/*
 * Arguments of a call: those given, then lines of the input.
 */
#include "cmd/call_internal.h"

#include "rt/source.h"

size_t cn_call_args_len(const cn_call *call)
{
    return call->parts.request->args.len;
}

cn_slice cn_call_arg(const cn_call *call, size_t i)
{
    const cn_texts *args = &call->parts.request->args;
    return i < args->len ? args->items[i] : cn_str("");
}

const char *cn_call_arg_text(const cn_call *call, size_t i)
{
    return (const char *)cn_call_arg(call, i).data;
}

struct cn_source *cn_call_files(cn_call *call)
{
    return call->parts.files;
}

/* More bytes behind those held; sets input_done at the end. */
static cn_err fill(cn_call *call)
{
    enum { STEP = 1 << 14 };
    size_t len = 0;
    cn_input *in = call->parts.input;
    cn_err err = cn_call_check(call);
    size_t step = CN_MIN((size_t)STEP, call->line.max - call->line.len);
    if (err == CN_OK && step == 0) {
        return cn_call_fail(
            call, CN_ERR_TOO_LARGE, "an argument from standard input is longer than 1 MiB");
    }
    if (err == CN_OK) {
        err = cn_buf_reserve(&call->line, step);
    }
    if (err == CN_OK) {
        err = in->ops->read(in, call->line.data + call->line.len, step, &len, &call->why);
        err = err == CN_ERR_IO ? cn_call_fail_why(call, err) : err;
    }
    if (err == CN_OK) {
        call->line.len += len;
        call->input_done = len == 0;
    }
    return err;
}

/* The next line, without "\n" or "\r\n". What stands behind the last "\n" is a line unless empty.
 */
static cn_err next_line(cn_call *call, cn_slice *ret, bool *ret_have)
{
    cn_buf_skip(&call->line, call->line_used);
    call->line_used = 0;
    size_t at = 0;
    while ((at = cn_slice_find(cn_buf_slice(&call->line), '\n')) == call->line.len) {
        if (call->input_done) {
            break;
        }
        cn_err err = fill(call);
        if (err != CN_OK) {
            return err;
        }
    }
    cn_slice line = cn_slice_head(cn_buf_slice(&call->line), at);
    bool ended = at < call->line.len;
    *ret_have = ended || line.len > 0;
    call->line_used = at + (ended ? 1 : 0);
    if (ended && line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    *ret = line;
    return CN_OK;
}

/* The first required argument that nothing was given for. */
static cn_err missing(cn_call *call)
{
    const cn_arg *arg = call->parts.request->command->args;
    for (; arg != NULL && arg->name != NULL; arg++) {
        if ((arg->flags & CN_ARG_STDIN) != 0 && (arg->flags & CN_ARG_OPTIONAL) == 0) {
            return cn_call_fail(call, CN_ERR_USAGE, "argument \"%s\" is required", arg->name);
        }
    }
    return CN_OK;
}

static bool has_lines(const cn_call *call)
{
    return call->parts.request->stdin_args && call->parts.input != NULL;
}

cn_err cn_call_next_arg(cn_call *call, cn_slice *ret, bool *ret_have)
{
    if (call->args_taken < cn_call_args_len(call)) {
        *ret = cn_call_arg(call, call->args_taken++);
        *ret_have = true;
        return CN_OK;
    }
    if (!has_lines(call)) {
        *ret_have = false;
        return call->args_taken == 0 ? missing(call) : CN_OK;
    }
    cn_err err = next_line(call, ret, ret_have);
    if (err == CN_OK && !*ret_have && call->args_taken == 0) {
        return missing(call);
    }
    call->args_taken += err == CN_OK && *ret_have ? 1 : 0;
    /* counted beyond those given, so that the end is not taken for "none at all" */
    return err;
}

cn_err cn_call_read_args(cn_call *call)
{
    cn_request *r = call->parts.request;
    bool have = has_lines(call);
    while (have) {
        cn_slice line = {0};
        cn_err err = next_line(call, &line, &have);
        if (err == CN_OK && have) {
            err = cn_request_add_arg(r, &r->args, line);
        }
        if (err != CN_OK) {
            return err;
        }
    }
    r->stdin_args = false;
    return r->args.len == 0 ? missing(call) : CN_OK;
}

/* All bytes of the file the source stands at. */
static cn_err read_all(cn_call *call, cn_source *source, cn_buf *ret)
{
    enum { STEP = 1 << 16 };
    size_t len = STEP;
    while (len == STEP) {
        cn_err err = cn_call_check(call);
        /* the buffer's bound is met only by a byte that does not fit */
        size_t step = CN_MIN((size_t)STEP, ret->max - ret->len);
        uint8_t over = 0;
        if (err == CN_OK && step > 0) {
            err = cn_buf_reserve(ret, step);
        }
        if (err == CN_OK) {
            err = cn_source_read(
                source, step > 0 ? ret->data + ret->len : &over, CN_MAX(step, 1), &len, &call->why);
        }
        if (err != CN_OK) {
            return cn_call_fail_why(call, err);
        }
        if (step == 0) {
            return len == 0 ? CN_OK : CN_ERR_TOO_LARGE;
        }
        ret->len += len;
        len = len == step ? STEP : len;
    }
    return CN_OK;
}

cn_err cn_call_read_file(cn_call *call, cn_buf *ret)
{
    cn_source_entry entry = {.kind = CN_SOURCE_END};
    cn_err err = CN_OK;
    if (call->parts.files != NULL) {
        do {
            err = cn_source_next(call->parts.files, &entry, &call->why);
        } while (err == CN_OK && entry.kind == CN_SOURCE_DIR_START);
    }
    if (err != CN_OK) {
        return cn_call_fail_why(call, err);
    }
    if (entry.kind != CN_SOURCE_FILE) {
        return cn_call_fail(call, CN_ERR_USAGE, "expected a file argument");
    }
    return read_all(call, call->parts.files, ret);
}
