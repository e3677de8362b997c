/*
 * What two peers tell each other of themselves: identify messages, read from a stream in pieces
 * and written as one. The reader takes bytes as they come; at the end of the stream the messages
 * merge into one view: single fields are the last message's that has them, lists are joined.
 * spec: libp2p/identify; go-libp2p for field 8 and for several messages on one stream
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

enum {
    CN_IDENTIFY_MESSAGES_MAX = 10,           /* on one stream */
    CN_IDENTIFY_MESSAGE_MAX_BYTES = 8 << 10, /* each, without its length */
    CN_IDENTIFY_OWN_MAX_BYTES = 4096,        /* ours, with its length: what rust-libp2p reads */
    CN_IDENTIFY_PROTOCOLS_MAX = 1024,
    CN_IDENTIFY_ADDRESSES_MAX = 500,
    CN_IDENTIFY_NAME_MAX_BYTES = 1024, /* a protocol's name */
    CN_IDENTIFY_TEXT_MAX_BYTES = 1024, /* agent, protocol version */
};

/* One side's description. A slice whose `data` is NULL was not told: a push leaves it as it is. */
typedef struct cn_identify_fields {
    cn_slice public_key; /* message; see multiformats/key.h. Not compared with anyone's id here */
    cn_slice protocol_version;
    cn_slice agent;
    cn_slice observed;      /* where the other side sees us: binary multiaddr */
    cn_slice signed_record; /* envelope; see p2p/host/peer_record.h. Not verified here */
    const cn_slice *addresses;
    size_t addresses_len;
    const cn_slice *protocols;
    size_t protocols_len;
} cn_identify_fields;

/* A stream of messages being read. Holds at most what the limits above allow, as it comes. */
typedef struct cn_identify_reader {
    cn_mem *mem;
    cn_buf bytes; /* the stream */
    size_t at;    /* of the next length in it */
    size_t messages;
    cn_slice *lists; /* addresses, then protocols; made by _end */
} cn_identify_reader;

/* Takes no memory yet. */
void cn_identify_reader_init(cn_identify_reader *r, cn_mem *mem);
/* Accepts a zeroed reader. */
void cn_identify_reader_release(cn_identify_reader *r);

/*
 * Take the next bytes of the stream (copied). Errors, after which the stream is to be reset:
 * TOO_LARGE (a message over 8 KiB, or an eleventh), MALFORMED (a length), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_identify_recv(cn_identify_reader *r, cn_slice bytes, cn_why *why);

/*
 * The stream has ended: give what was told, borrowed from the reader. Call once. What is no
 * multiaddr, no UTF-8 or longer than its limit is left out, as are lists beyond their caps and
 * repeated entries stay. Errors: TRUNCATED (inside a message, or no message at all), MALFORMED
 * (protobuf), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_identify_end(cn_identify_reader *r, cn_identify_fields *ret, cn_why *why);

/*
 * Append one message with its length before it, at most CN_IDENTIFY_OWN_MAX_BYTES. Key, version,
 * agent and observed address always go in; then protocols, the signed record and the addresses as
 * far as they fit, each in the order given (so put what matters first). A record is left out whole,
 * and then more plain addresses fit. Errors: TOO_LARGE (not even the first four), those of the
 * buffer.
 */
CN_MUST_USE cn_err cn_identify_encode(const cn_identify_fields *own, cn_buf *out);
