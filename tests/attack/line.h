/*
 * One connection of the attacker: a socket, and over it as much of the real protocols as an attack
 * wants, said right or wrong. What the node answers is read and forgotten, unless the line is deaf.
 * Nothing here waits longer than the attack may last.
 */
#pragma once

#include "p2p/stack/secure.h"
#include "rt/rt.h"

enum {
    YAMUX_DATA = 0,
    YAMUX_WINDOW = 1,
    YAMUX_PING = 2,
    YAMUX_GO_AWAY = 3,
    YAMUX_SYN = 1,
    YAMUX_FIN = 4,
    YAMUX_RST = 8,
};

typedef struct attack {
    cn_rt *rt;
    cn_mem *mem;
    const char *name;
    const char *ip;
    uint16_t port;
    int64_t end_ns;
    size_t count;        /* connections, or what the attack says */
    cn_slice cid;        /* binary, of a block that the node has; may be empty */
    size_t opened;       /* connections that the socket accepted */
    size_t greeted;      /* that were authenticated */
    size_t refused;      /* that could not be opened */
    size_t cut;          /* that the node ended */
    uint64_t sent_bytes; /* of the wire */
} attack;

typedef struct line {
    attack *a;
    int fd;
    cn_key *key;
    cn_security *security;
    cn_secure *secure;
    cn_buf out; /* for the wire */
    cn_buf frames;
    uint32_t no;  /* of the next stream */
    bool is_deaf; /* it never reads */
    bool is_over;
} line;

bool is_over(const attack *a);
/* Sleep, but not beyond the end of the attack. */
void pause_ms(const attack *a, unsigned ms);

/* A connected socket; false: there was none. */
bool line_connect(line *l, attack *a);
void line_close(line *l);
/* Bytes as they are. False: the node has ended the connection, or the time is over. */
bool line_raw(line *l, cn_slice bytes);
bool line_text(line *l, const char *text);
/* Read what waits; how much. */
size_t line_read(line *l, uint8_t *to, size_t room);
/* Has the node ended it? Reads what waits. */
bool line_is_cut(line *l);

/* The first message of a Noise handshake behind the names, with an identity of its own. */
bool line_noise_begin(line *l);
/* The whole way up to streams. */
bool line_greet(line *l, attack *a);
/* Frames gather in l->frames; this seals and sends them. */
bool line_flush(line *l);
/* The same once 32 KiB have gathered. */
bool line_flush_some(line *l);

void frame(line *l, unsigned type, unsigned flags, uint32_t no, uint32_t value);
void frame_data(line *l, unsigned flags, uint32_t no, cn_slice data);
/* A stream, opened with the name of a protocol. */
uint32_t line_stream(line *l, const char *protocol);
/* A length as varint and a text with newline, as multistream has it. */
void put_name(cn_buf *out, const char *name);

/* For what cannot fail but by lack of memory. */
void must(cn_err err);
