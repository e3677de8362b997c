/*
 * Ten seconds begin with the first line. What comes beyond the lines of a time is only counted.
 */
#include "node/network_log.h"

#include <stdio.h>

enum { WINDOW_S = 10, TEXT_MAX_BYTES = 1024, LINE_MAX_BYTES = 2048 };

void cn_network_log_init(cn_network_log *l, void (*say)(void *ctx, const char *sentence), void *ctx)
{
    *l = (cn_network_log){.say = say, .ctx = ctx, .until = CN_TIME_NEVER};
}

static const char *what_of(cn_host_note_kind kind)
{
    return kind == CN_HOST_NOTE_REFUSED ? "turned away"
           : kind == CN_HOST_NOTE_CUT   ? "cut off"
                                        : "ended a stream of";
}

/* "cut off 12D3... at /ip4/1.2.3.4/tcp/5: why". What is not known is left out. */
static void say_line(const cn_network_log *l, const cn_host_note *note)
{
    char line[LINE_MAX_BYTES];
    cn_buf who = {0};
    const char *text = "";
    cn_buf_init(&who, cn_mem_default(), TEXT_MAX_BYTES);
    cn_err err = CN_OK;
    if (note->peer != NULL) {
        CN_TRY(cn_peer_id_encode_text(note->peer, 0, &who));
        CN_TRY(cn_buf_text(&who, note->address.len > 0 ? " at " : ""));
    }
    CN_TRY(cn_multiaddr_encode_text(note->address, &who));
    CN_TRY(cn_buf_cstr(&who, &text));
out:
    (void)snprintf(
        line, sizeof line, "swarm: %s %s: %s", what_of(note->kind), err == CN_OK ? text : "a peer",
        note->sentence);
    l->say(l->ctx, line);
    cn_buf_release(&who);
}

static uint32_t hash_of(const cn_host_note *note)
{
    uint32_t hash = 2166136261u ^ (uint32_t)note->kind; /* FNV-1a; a collision costs a line */
    for (const char *at = note->sentence; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    }
    return hash;
}

/* The first of its kind in this time, and there is room for a line? */
static bool is_new(const cn_network_log *l, uint32_t hash)
{
    for (size_t i = 0; i < l->lines; i++) {
        if (l->told[i] == hash) {
            return false;
        }
    }
    return l->lines < CN_NETWORK_LOG_LINES;
}

void cn_network_log_note(cn_network_log *l, const cn_host_note *note, cn_time now)
{
    bool is_told = note->kind == CN_HOST_NOTE_REFUSED || note->kind == CN_HOST_NOTE_CUT ||
                   note->kind == CN_HOST_NOTE_STREAM;
    if (l->say == NULL || !is_told) {
        return;
    }
    cn_network_log_turn(l, now);
    uint32_t hash = hash_of(note);
    if (is_new(l, hash)) {
        l->until = l->lines == 0 ? cn_time_after(now, WINDOW_S * CN_NS_PER_S) : l->until;
        l->told[l->lines++] = hash;
        say_line(l, note);
        return;
    }
    *(note->kind == CN_HOST_NOTE_REFUSED ? &l->refused
      : note->kind == CN_HOST_NOTE_CUT   ? &l->cut
                                         : &l->streams) += 1;
}

cn_time cn_network_log_deadline(const cn_network_log *l)
{
    return l->until;
}

void cn_network_log_turn(cn_network_log *l, cn_time now)
{
    char line[256];
    if (l->until.ns > now.ns) {
        return;
    }
    if (l->refused + l->cut + l->streams > 0) {
        (void)snprintf(
            line, sizeof line,
            "swarm: in %d s also: %zu callers turned away, %zu connections cut off, %zu streams "
            "ended",
            WINDOW_S, l->refused, l->cut, l->streams);
        l->say(l->ctx, line);
    }
    cn_network_log_init(l, l->say, l->ctx);
}
