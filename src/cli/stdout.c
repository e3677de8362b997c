/*
 * Standard output: small writes gathered, large ones passed through; a reader that went away ends
 * the command quietly, any other failure is said once.
 */
#include "cli/cli.h"

#include "rt_os/rt_os.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { FLUSH_AFTER_MS = 100, DIRECT_BYTES = CN_STDOUT_BYTES / 2, SHORT_BYTES = 1024 };

static cn_err write_all(int fd, cn_slice s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.data, s.len);
        if (n < 0 && errno != EINTR) {
            return errno == EPIPE ? CN_ERR_CLOSED : cn_rt_os_err(errno);
        }
        s = cn_slice_skip(s, n < 0 ? 0 : (size_t)n);
    }
    return CN_OK;
}

/* The progress line goes away before anything is shown where it stands. */
static cn_err put_out(cn_stdout *o, cn_slice s)
{
    if (o->is_terminal && s.len > 0) {
        cn_progress_clear(&o->progress);
    }
    return write_all(o->fd, s);
}

static cn_err keep_error(cn_stdout *o, cn_err err)
{
    if (err != CN_OK && !o->failed) {
        o->failed = true;
        o->error = err;
    }
    return o->failed ? o->error : CN_OK;
}

cn_err cn_stdout_flush(cn_stdout *o)
{
    cn_slice held = cn_slice_of(o->held, o->len);
    o->len = 0;
    return o->failed ? o->error : keep_error(o, put_out(o, held));
}

cn_err cn_stdout_write(cn_stdout *o, cn_slice bytes)
{
    if (o->failed) {
        return o->error;
    }
    if (bytes.len >= DIRECT_BYTES || bytes.len > CN_STDOUT_BYTES - o->len) {
        cn_err err = cn_stdout_flush(o);
        if (err != CN_OK) {
            return err;
        }
    }
    if (bytes.len >= DIRECT_BYTES) {
        return keep_error(o, put_out(o, bytes));
    }
    cn_copy(o->held + o->len, bytes.data, bytes.len);
    o->len += bytes.len;
    return CN_OK;
}

void cn_stderr_write(cn_stdout *o, cn_slice text)
{
    (void)!cn_stdout_flush(o);
    cn_progress_clear(&o->progress);
    (void)!write_all(STDERR_FILENO, text);
}

/* A line of the usual length takes no memory: there may be none, and that is what it says. */
void cn_stderr_printf(cn_stdout *o, const char *format, ...)
{
    char line[SHORT_BYTES];
    cn_buf text;
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(line, sizeof line, format, args);
    cn_buf_init(&text, o->mem, 1 << 20);
    if (len >= (int)sizeof line && cn_buf_vprintf(&text, format, again) == CN_OK) {
        cn_stderr_write(o, cn_buf_slice(&text));
    } else if (len > 0) {
        size_t kept = CN_MIN((size_t)len, sizeof line - 1);
        line[kept - 1] = '\n';
        cn_stderr_write(o, cn_slice_of(line, kept));
    }
    va_end(again);
    va_end(args);
    cn_buf_release(&text);
}

void cn_stdout_complain(cn_stdout *o)
{
    if (o->failed && o->error != CN_ERR_CLOSED) {
        cn_stderr_printf(
            o, "Error: write /dev/stdout: %s\n",
            o->error == CN_ERR_NO_SPACE ? "no space left on device" : cn_err_sentence(o->error));
    }
}

static cn_err sink_begin(cn_sink *s, const cn_sink_head *head)
{
    CN_UNUSED(s);
    CN_UNUSED(head);
    return CN_OK;
}

static cn_err sink_write(cn_sink *s, cn_slice bytes)
{
    return cn_stdout_write((cn_stdout *)s, bytes);
}

/* A value is complete: shown at once on a terminal, else soon. */
static cn_err sink_flush(cn_sink *s)
{
    cn_stdout *o = (cn_stdout *)s;
    cn_time now = cn_rt_now(o->rt);
    if (!o->is_terminal && now.ns < cn_time_after(o->flushed, FLUSH_AFTER_MS * CN_NS_PER_MS).ns) {
        return CN_OK;
    }
    o->flushed = now;
    return cn_stdout_flush(o);
}

static void sink_note(cn_sink *s, cn_slice text)
{
    cn_stderr_write((cn_stdout *)s, text);
}

/* A line below the bytes of `cat` on the same terminal would be written over them. */
static void sink_progress(cn_sink *s, const cn_sink_progress *at)
{
    cn_stdout *o = (cn_stdout *)s;
    if (at->kind != CN_PROGRESS_OUTPUT || !o->is_terminal) {
        cn_progress_update(&o->progress, at);
    }
}

static void sink_end(cn_sink *s, const cn_sink_end *end, bool begun)
{
    cn_stdout *o = (cn_stdout *)s;
    CN_UNUSED(begun);
    cn_progress_clear(&o->progress);
    (void)!cn_stdout_flush(o);
    o->status = end->status;
    if (o->failed) {
        o->status = 1;
        cn_stdout_complain(o);
        return;
    }
    if (end->err != CN_OK) {
        cn_stderr_printf(o, "Error: %s\n", end->sentence);
    }
}

static const cn_sink_ops stdout_ops = {
    .begin = sink_begin,
    .write = sink_write,
    .flush = sink_flush,
    .note = sink_note,
    .progress = sink_progress,
    .end = sink_end,
};

cn_err cn_stdout_init(cn_stdout *o, cn_rt *rt, cn_mem *mem)
{
    uint8_t *held = cn_alloc_dirty(mem, CN_STDOUT_BYTES);
    if (held == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *o = (cn_stdout){
        .sink = {&stdout_ops},
        .fd = STDOUT_FILENO,
        .is_terminal = isatty(STDOUT_FILENO) == 1,
        .rt = rt,
        .flushed = cn_rt_now(rt),
        .held = held,
        .mem = mem,
    };
    cn_progress_init(&o->progress, rt);
    return CN_OK;
}

void cn_stdout_release(cn_stdout *o)
{
    cn_free(o->mem, o->held);
    o->held = NULL;
}
