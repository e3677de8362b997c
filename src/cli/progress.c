/*
 * Drawing the line: a bar where the whole is known, then amounts and the speed since the beginning.
 * Invariant: `shown` says whether the cursor stands on a line that is ours.
 */
#include "cli/progress.h"

#include "cmd/human.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 24, LINE_BYTES = 256, AFTER_MS = 500, EVERY_MS = 100 };

static const char *const names[] = {
    [CN_PROGRESS_ADD] = "adding",      [CN_PROGRESS_OUTPUT] = "reading",
    [CN_PROGRESS_GET] = "saving",      [CN_PROGRESS_CHECK] = "checking",
    [CN_PROGRESS_REMOVE] = "removing",
};

void cn_progress_init(cn_progress *p, cn_rt *rt)
{
    *p = (cn_progress){.rt = rt, .is_terminal = isatty(STDERR_FILENO) == 1, .began = cn_rt_now(rt)};
}

static void put(const char *text, size_t len)
{
    (void)!write(STDERR_FILENO, text, len);
}

/* "[=====>    ] 25% of 3.1 MB", or nothing. */
static void bar_text(const cn_sink_progress *at, char *text, size_t size)
{
    char total[CN_HUMAN_BYTES];
    char bar[BAR_CELLS + 1];
    text[0] = '\0';
    if (at->total_bytes == UINT64_MAX || at->total_bytes == 0 || at->done_bytes > at->total_bytes) {
        return;
    }
    double part = (double)at->done_bytes / (double)at->total_bytes;
    size_t full = (size_t)(part * BAR_CELLS);
    for (size_t i = 0; i < BAR_CELLS; i++) {
        bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    }
    bar[BAR_CELLS] = '\0';
    (void)snprintf(
        text, size, " of %s [%s] %u%%", cn_human_size(at->total_bytes, total), bar,
        (unsigned)(part * 100));
}

static void draw(cn_progress *p, const cn_sink_progress *at, cn_time now)
{
    char line[LINE_BYTES];
    char bar[LINE_BYTES / 2];
    char done[CN_HUMAN_BYTES];
    char speed[CN_HUMAN_BYTES];
    double seconds = (double)(now.ns - p->began.ns) / CN_NS_PER_S;
    double per_second = seconds > 0 ? (double)at->done_bytes / seconds : 0;
    bar_text(at, bar, sizeof bar);
    int len = snprintf(
        line, sizeof line, "\r%s %s%s, %s/s\033[K", names[at->kind],
        cn_human_size(at->done_bytes, done), bar, cn_human_size((uint64_t)per_second, speed));
    if (len > 0) {
        put(line, CN_MIN((size_t)len, sizeof line - 1));
        p->shown = true;
        p->drawn = now;
    }
}

void cn_progress_update(cn_progress *p, const cn_sink_progress *at)
{
    if (!p->is_terminal && !at->asked_for) {
        return;
    }
    cn_time now = cn_rt_now(p->rt);
    cn_time from = p->drawn.ns != 0 ? cn_time_after(p->drawn, EVERY_MS * CN_NS_PER_MS)
                   : p->is_terminal ? cn_time_after(p->began, AFTER_MS * CN_NS_PER_MS)
                                    : p->began;
    if (now.ns >= from.ns) {
        draw(p, at, now);
    }
}

void cn_progress_clear(cn_progress *p)
{
    static const char gone[] = "\r\033[K";
    if (p->shown) {
        put(gone, sizeof gone - 1);
        p->shown = false;
    }
}
