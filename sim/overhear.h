/*
 * What two peers say to each other, read off the wire by a reader that shares no code with them:
 * multistream's names, the plaintext hello, Noise's messages by length, yamux's frames, and inside
 * of streams names again, protobuf messages field by field, other bytes by length.
 */
#pragma once

#include "sim/world.h"

typedef struct sim_ears sim_ears;

/*
 * Write all packets that arrive in `w` to its script, behind lines of sim_say. `shows` are
 * beginnings of lines to keep, ended by NULL ("yamux", "ping"); NULL: all.
 */
sim_ears *sim_ears_new(sim *w, const char *const *shows);
/* Accepts NULL. */
void sim_ears_free(sim_ears *e);
