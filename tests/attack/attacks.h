/* The attacks by name; each ends by itself when its time or its count is used up. */
#pragma once

#include "attack/line.h"

typedef struct attack_kind {
    const char *name;
    void (*run)(attack *a);
    const char *what;
} attack_kind;

/* attacks_connect.c */
void attack_slow(attack *a);
void attack_half(attack *a);
void attack_flood(attack *a);
void attack_peers(attack *a);
void attack_wrong(attack *a);

/* attacks_mux.c */
void attack_streams(attack *a);
void attack_rapid(attack *a);
void attack_mux_pings(attack *a);
void attack_deaf_pings(attack *a);
void attack_tiny(attack *a);
void attack_windows(attack *a);
void attack_giant(attack *a);
void attack_go_away(attack *a);

/* attacks_protocol.c */
void attack_ping(attack *a);
void attack_identify(attack *a);
void attack_push(attack *a);
void attack_names(attack *a);

/* attacks_bitswap.c */
void attack_wants(attack *a);
void attack_same_want(attack *a);
void attack_deaf_wants(attack *a);
void attack_no_window(attack *a);
void attack_blocks(attack *a);
void attack_messages(attack *a);
void attack_presences(attack *a);

/* COUNT lines, greeted and held; those that are not stay closed. Free with end_lines. */
line *begin_lines(attack *a, size_t count);
void end_lines(line *lines, size_t count);
/* Call `again` on each line in turn until the time is over or all have been cut off. */
void rounds(attack *a, line *lines, size_t count, bool (*again)(line *l));
