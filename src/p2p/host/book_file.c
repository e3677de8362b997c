/*
 * The file is written from the peer with the oldest news to the one with the latest, so that a
 * book with less room that reads it ends up with the latest. Times are differences to both clocks
 * at the moment of writing and of reading, whole seconds, cut to ten years either way.
 */
#include "p2p/host/book_file.h"

#include "base/le.h"
#include "codec/protobuf.h"
#include "crypto/sha256.h"
#include "multiformats/multiaddr.h"
#include "p2p/host/book_internal.h"

#include <stdio.h>

static const char MAGIC[] = "cairnbook\n";

enum {
    MAGIC_BYTES = sizeof(MAGIC) - 1,
    LENGTH_AT = MAGIC_BYTES + 1,
    HASH_AT = LENGTH_AT + 8,
    HEADER_BYTES = HASH_AT + CN_SHA256_BYTES,
    PEER = 1, /* in the body */
    ID = 1,   /* in a peer */
    ADDRESS = 2,
    PUBLIC_KEY = 3,
    AGENT = 4,
    PROTOCOL_VERSION = 5,
    PROTOCOL = 6,
    SEQUENCE = 7,
    PROTOCOLS_KNOWN = 8,
    MULTIADDR = 1, /* in an address */
    SOURCE = 2,
    EXPIRES = 3,
    SUCCESS = 4,
    FAILURE = 5,
    FAILURES = 6,
    PEER_MAX_BYTES = 4 << 20,
    PROTOCOLS_MAX = 1024,
    PATH_MAX_BYTES = 4096,
};

static const int64_t YEARS_S = (int64_t)10 * 366 * 86400;
static const int64_t WORKED_LATELY_NS = 7 * 86400 * CN_NS_PER_S;

/* --- times --- */

static int64_t clamp(int64_t value, int64_t bound)
{
    return CN_MAX(-bound, CN_MIN(value, bound));
}

/* A moment in seconds since 1970; 1 at least, since 0 stands for never. */
static uint64_t to_wall(cn_time t, cn_book_clock clock)
{
    int64_t away_ns = 0;
    int64_t s = 0;
    if (__builtin_sub_overflow(t.ns, clock.now.ns, &away_ns)) {
        away_ns = t.ns < 0 ? INT64_MIN : INT64_MAX;
    }
    s = clock.wall.ns / CN_NS_PER_S + clamp(away_ns / CN_NS_PER_S, YEARS_S);
    return s < 1 ? 1 : (uint64_t)s;
}

static cn_time from_wall(uint64_t s, cn_book_clock clock)
{
    int64_t away_s = (int64_t)CN_MIN(s, (uint64_t)1 << 40) - clock.wall.ns / CN_NS_PER_S;
    int64_t away_ns = clamp(away_s, YEARS_S) * CN_NS_PER_S;
    cn_time t = {0};
    if (__builtin_add_overflow(clock.now.ns, away_ns, &t.ns)) {
        t.ns = away_ns < 0 ? INT64_MIN + 1 : INT64_MAX - 1;
    }
    return t;
}

/* --- writing --- */

static cn_err put_number(cn_buf *out, uint32_t number, uint64_t value)
{
    return value == 0 ? CN_OK : cn_pb_put_varint(out, number, value);
}

static cn_err put_string(cn_buf *out, uint32_t number, cn_slice text)
{
    return text.len == 0 ? CN_OK : cn_pb_put_bytes(out, number, text);
}

static cn_err
put_address(const cn_book_entry *e, size_t i, cn_book_clock clock, cn_buf *scratch, cn_buf *out)
{
    cn_err err = CN_OK;
    const cn_book_state *s = &e->states[i];
    cn_time expires = s->expires;
    bool permanent = expires.ns == CN_TIME_NEVER.ns;
    if (e->connected) { /* as if the connection ended now */
        expires.ns = CN_MAX(expires.ns, cn_time_after(clock.now, CN_BOOK_TTL_RECENT_NS).ns);
    }
    cn_buf_reset(scratch);
    CN_TRY(cn_pb_put_bytes(scratch, MULTIADDR, e->addresses[i]));
    CN_TRY(put_number(scratch, SOURCE, (uint64_t)s->source));
    CN_TRY(put_number(scratch, EXPIRES, permanent ? 0 : to_wall(expires, clock)));
    if (s->last_success.ns != CN_BOOK_NEVER.ns) {
        CN_TRY(put_number(scratch, SUCCESS, to_wall(s->last_success, clock)));
    }
    if (s->last_failure.ns != CN_BOOK_NEVER.ns) {
        CN_TRY(put_number(scratch, FAILURE, to_wall(s->last_failure, clock)));
    }
    CN_TRY(put_number(scratch, FAILURES, s->failures));
    CN_TRY(cn_pb_put_bytes(out, ADDRESS, cn_buf_slice(scratch)));
out:
    return err;
}

static cn_err put_peer(const cn_book_entry *e, cn_book_clock clock, cn_buf *scratch, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf_reset(out);
    CN_TRY(cn_pb_put_bytes(out, ID, cn_peer_id_bytes(&e->id)));
    for (size_t i = 0; i < e->addresses_len; i++) {
        CN_TRY(put_address(e, i, clock, scratch, out));
    }
    CN_TRY(put_string(out, PUBLIC_KEY, e->public_key));
    CN_TRY(put_string(out, AGENT, e->agent));
    CN_TRY(put_string(out, PROTOCOL_VERSION, e->protocol_version));
    for (size_t i = 0; i < e->protocols_len; i++) {
        CN_TRY(cn_pb_put_bytes(out, PROTOCOL, e->protocols[i]));
    }
    CN_TRY(put_number(out, SEQUENCE, e->sequence));
    CN_TRY(put_number(out, PROTOCOLS_KNOWN, e->protocols_known ? 1 : 0));
out:
    return err;
}

/* The hash of a file but for the hash itself. */
static void hash_of(cn_slice file, uint8_t ret[CN_SHA256_BYTES])
{
    cn_sha256_state sha;
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, cn_slice_head(file, HASH_AT));
    cn_sha256_update(&sha, cn_slice_skip(file, HEADER_BYTES));
    cn_sha256_final(&sha, ret);
}

cn_err cn_book_file_encode(const cn_book *b, cn_book_clock clock, cn_buf *out)
{
    cn_err err = CN_OK;
    static const uint8_t blank[HEADER_BYTES] = {0};
    const cn_book_entry *const oldest[] = {b->passing.oldest, b->kept.oldest};
    size_t before = out->len;
    cn_buf scratch = {0};
    cn_buf peer = {0};
    uint8_t *header = NULL;
    cn_buf_init(&scratch, out->mem, PEER_MAX_BYTES);
    cn_buf_init(&peer, out->mem, PEER_MAX_BYTES);
    CN_TRY(cn_buf_append(out, cn_slice_of(blank, HEADER_BYTES)));
    for (size_t list = 0; list < CN_LEN(oldest); list++) {
        for (const cn_book_entry *e = oldest[list]; e != NULL; e = e->newer) {
            if (e->addresses_len > 0) {
                CN_TRY(put_peer(e, clock, &scratch, &peer));
                CN_TRY(cn_pb_put_bytes(out, PEER, cn_buf_slice(&peer)));
            }
        }
    }
    header = out->data + before;
    cn_copy(header, MAGIC, MAGIC_BYTES);
    header[MAGIC_BYTES] = CN_BOOK_FILE_VERSION;
    cn_le_put(header + LENGTH_AT, out->len - before - HEADER_BYTES, 8);
    hash_of(cn_slice_skip(cn_buf_slice(out), before), header + HASH_AT);
out:
    if (err != CN_OK) {
        out->len = before;
    }
    cn_buf_release(&scratch);
    cn_buf_release(&peer);
    return err;
}

/* --- reading --- */

/* A peer's fields but its addresses, lent from the file. */
typedef struct peer_fields {
    cn_peer_id id;
    cn_book_about about;
    uint64_t sequence;
    bool protocols_known;
    cn_slice protocols[PROTOCOLS_MAX];
} peer_fields;

static cn_err
take_address(cn_book *b, cn_book_entry *e, cn_slice message, cn_book_clock clock, size_t *taken)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(message);
    cn_slice address = {0};
    uint64_t numbers[FAILURES + 1] = {0};
    cn_book_state state = {.last_success = CN_BOOK_NEVER, .last_failure = CN_BOOK_NEVER};
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.number == MULTIADDR && field.wire == CN_PB_BYTES) {
            address = field.bytes;
        } else if (field.number <= FAILURES && field.wire == CN_PB_VARINT) {
            numbers[field.number] = field.value;
        }
    }
    if (numbers[SOURCE] > CN_BOOK_GIVEN || cn_multiaddr_check(address, NULL) != CN_OK) {
        return CN_ERR_MALFORMED;
    }
    state.source = (cn_book_source)numbers[SOURCE];
    state.failures = (uint32_t)CN_MIN(numbers[FAILURES], (uint64_t)UINT32_MAX);
    state.expires = numbers[EXPIRES] == 0 ? cn_time_after(clock.now, CN_BOOK_TTL_NORMAL_NS)
                                          : from_wall(numbers[EXPIRES], clock);
    if (numbers[SUCCESS] != 0) {
        state.last_success = from_wall(numbers[SUCCESS], clock);
        state.last_success.ns = CN_MIN(state.last_success.ns, clock.now.ns);
    }
    if (numbers[FAILURE] != 0) {
        state.last_failure = from_wall(numbers[FAILURE], clock);
        state.last_failure.ns = CN_MIN(state.last_failure.ns, clock.now.ns);
    }
    if (numbers[SUCCESS] != 0 &&
        cn_time_after(state.last_success, WORKED_LATELY_NS).ns > clock.now.ns) {
        cn_time least = cn_time_after(clock.now, CN_BOOK_TTL_NORMAL_NS);
        state.expires.ns = CN_MAX(state.expires.ns, least.ns);
    }
    if (state.expires.ns > clock.now.ns) {
        CN_TRY(cn_book_address_put(b, e, address, &state, clock.now));
        *taken += 1;
    }
out:
    return err;
}

/* All fields of a peer but its addresses. */
static cn_err read_peer(cn_slice message, peer_fields *p)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(message);
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.number == ID) {
            CN_TRY(cn_peer_id_decode(field.bytes, &p->id));
        } else if (field.number == PUBLIC_KEY) {
            p->about.public_key = field.bytes;
        } else if (field.number == AGENT) {
            p->about.agent = field.bytes;
        } else if (field.number == PROTOCOL_VERSION) {
            p->about.protocol_version = field.bytes;
        } else if (field.number == PROTOCOL && p->about.protocols_len < PROTOCOLS_MAX) {
            p->protocols[p->about.protocols_len++] = field.bytes;
        } else if (field.number == SEQUENCE) {
            p->sequence = field.value;
        } else if (field.number == PROTOCOLS_KNOWN) {
            p->protocols_known = field.value != 0;
        }
    }
    p->about.protocols = p->protocols_known ? p->protocols : NULL;
    err = p->id.len == 0 ? CN_ERR_MALFORMED : CN_OK;
out:
    return err;
}

static cn_err
take_addresses(cn_book *b, cn_book_entry *e, cn_slice message, cn_book_clock clock, size_t *taken)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(message);
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.number == ADDRESS) {
            CN_TRY(take_address(b, e, field.bytes, clock, taken));
        }
    }
out:
    return err;
}

static cn_err take_peer(cn_book *b, cn_slice message, cn_book_clock clock, peer_fields *p)
{
    cn_err err = CN_OK;
    cn_book_entry *e = NULL;
    size_t taken = 0;
    p->id.len = 0;
    p->about = (cn_book_about){0};
    p->sequence = 0;
    p->protocols_known = false;
    CN_TRY(read_peer(message, p));
    CN_TRY(cn_book_entry_make(b, &p->id, &e));
    CN_TRY(take_addresses(b, e, message, clock, &taken));
    if (taken == 0) { /* all have run out */
        cn_book_entry_drop(b, e);
        return CN_OK;
    }
    CN_TRY(cn_book_describe(b, &p->id, &p->about, clock.now));
    e->sequence = p->sequence;
out:
    return err;
}

static cn_err take_body(cn_book *b, cn_slice body, cn_book_clock clock)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(body);
    peer_fields *p = cn_alloc(b->mem, sizeof(*p));
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.number == PEER) {
            err = take_peer(b, field.bytes, clock, p);
            err = err == CN_ERR_TOO_LARGE ? CN_OK : err; /* a book too small for this peer */
            CN_TRY(err);
        }
    }
out:
    cn_free(b->mem, p);
    return err;
}

/* What the header says is wrong with the file, if anything. */
static cn_err check_header(cn_slice file, cn_why *why)
{
    uint8_t hash[CN_SHA256_BYTES];
    bool has_magic = file.len > MAGIC_BYTES && cn_slice_starts(file, cn_str(MAGIC));
    if (has_magic && file.data[MAGIC_BYTES] > CN_BOOK_FILE_VERSION) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED,
            "the address book is of version %u, written by a later program; this one reads %d",
            (unsigned)file.data[MAGIC_BYTES], CN_BOOK_FILE_VERSION);
    }
    if (!has_magic || file.data[MAGIC_BYTES] != CN_BOOK_FILE_VERSION || file.len < HEADER_BYTES ||
        cn_le_get(file.data + LENGTH_AT, 8) != file.len - HEADER_BYTES) {
        return cn_why_set(why, CN_ERR_CORRUPT, "the address book is damaged: its header is wrong");
    }
    hash_of(file, hash);
    if (!cn_slice_eq(
            cn_slice_of(hash, sizeof(hash)), cn_slice_of(file.data + HASH_AT, sizeof(hash)))) {
        return cn_why_set(
            why, CN_ERR_CORRUPT, "the address book is damaged: its checksum does not match");
    }
    return CN_OK;
}

static void clear(cn_book *b)
{
    while (b->passing.oldest != NULL) {
        cn_book_entry_drop(b, b->passing.oldest);
    }
    while (b->kept.oldest != NULL) {
        cn_book_entry_drop(b, b->kept.oldest);
    }
}

cn_err cn_book_file_decode(cn_book *b, cn_slice bytes, cn_book_clock clock, cn_why *why)
{
    cn_err err = CN_OK;
    CN_ASSERT(cn_book_len(b) == 0);
    CN_TRY(check_header(bytes, why));
    err = take_body(b, cn_slice_skip(bytes, HEADER_BYTES), clock);
    if (err != CN_OK && err != CN_ERR_NO_MEMORY) {
        err = cn_why_set(
            why, CN_ERR_CORRUPT, "the address book is damaged: a peer in it is wrong (%s)",
            cn_err_sentence(err));
    }
out:
    if (err != CN_OK) {
        clear(b);
    }
    return err;
}

/* --- the file --- */

cn_err cn_book_file_save(const cn_book *b, cn_rt *rt, cn_mem *mem, const char *path, cn_why *why)
{
    cn_err err = CN_OK;
    const cn_book_clock clock = {cn_rt_now(rt), cn_rt_wall(rt)};
    cn_buf bytes = {0};
    cn_buf_init(&bytes, mem, CN_BOOK_FILE_MAX_BYTES);
    CN_TRY(cn_book_file_encode(b, clock, &bytes));
    CN_TRY(cn_rt_write_file(rt, path, cn_buf_slice(&bytes), why));
out:
    cn_buf_release(&bytes);
    return err;
}

/* Rename the file, and say in `why` where it went. */
static cn_err set_aside(cn_rt *rt, const char *path, cn_err what, cn_why *why)
{
    char aside[PATH_MAX_BYTES];
    int len = snprintf(aside, sizeof(aside), "%s.damaged", path);
    bool moved = len > 0 && (size_t)len < sizeof(aside) && cn_path_rename(rt, path, aside) == CN_OK;
    const char *sentence = cn_why_text(why, what);
    char said[CN_WHY_BYTES];
    (void)snprintf(said, sizeof(said), "%s", sentence);
    return cn_why_set(
        why, what, "%s. %s%s; starting without known peers", said,
        moved ? "It is kept as " : "It could not be renamed: ", moved ? aside : path);
}

cn_err cn_book_file_load(cn_book *b, cn_rt *rt, cn_mem *mem, const char *path, cn_why *why)
{
    cn_why said = {{0}};
    cn_buf bytes = {0};
    cn_err err = CN_OK;
    cn_buf_init(&bytes, mem, CN_BOOK_FILE_MAX_BYTES);
    err = cn_rt_read_file(rt, path, &bytes, &said);
    if (err == CN_ERR_NOT_FOUND) {
        err = CN_OK;
        goto out;
    }
    if (err == CN_OK) {
        const cn_book_clock clock = {cn_rt_now(rt), cn_rt_wall(rt)};
        err = cn_book_file_decode(b, cn_buf_slice(&bytes), clock, &said);
    } else if (err == CN_ERR_TOO_LARGE) {
        err = cn_why_set(
            &said, CN_ERR_CORRUPT, "the address book is damaged: it is larger than %d bytes",
            CN_BOOK_FILE_MAX_BYTES);
    }
    if (err == CN_ERR_CORRUPT || err == CN_ERR_UNSUPPORTED) {
        err = set_aside(rt, path, err, &said);
    }
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "%s", cn_why_text(&said, err));
    }
out:
    cn_buf_release(&bytes);
    return err;
}
