/*
 * The socket does not block; whoever waits for room reads meanwhile, so that neither side stands
 * still. Records of the node are not opened: each direction has a key of its own.
 */
#include "attack/line.h"

#include "codec/varint.h"
#include "p2p/security/noise.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OUT_MAX_BYTES = 64 << 20, FLUSH_BYTES = 32 << 10, CONNECT_MS = 2000, RECORD_BYTES = 65600 };

static const char *const MUXERS[] = {"/yamux/1.0.0"};

void must(cn_err err)
{
    if (err != CN_OK) {
        (void)fprintf(stderr, "attacker: %s\n", cn_err_sentence(err));
        exit(2);
    }
}

bool is_over(const attack *a)
{
    return cn_rt_now(a->rt).ns >= a->end_ns;
}

static int left_ms(const attack *a)
{
    int64_t left = (a->end_ns - cn_rt_now(a->rt).ns) / CN_NS_PER_MS;
    return (int)CN_MIN(CN_MAX(left, (int64_t)0), (int64_t)60000);
}

void pause_ms(const attack *a, unsigned ms)
{
    int64_t wait = CN_MIN((int64_t)ms, (int64_t)left_ms(a));
    struct timespec t = {wait / 1000, (long)(wait % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

bool line_connect(line *l, attack *a)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    int on = 1;
    *l = (line){.a = a, .no = 1, .fd = -1};
    cn_buf_init(&l->out, a->mem, OUT_MAX_BYTES);
    cn_buf_init(&l->frames, a->mem, OUT_MAX_BYTES);
    if (is_over(a) || inet_pton(AF_INET, a->ip, &to.sin_addr) != 1) {
        return false;
    }
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (l->fd < 0) {
        a->refused++;
        return false;
    }
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};
    int err = 0;
    socklen_t len = sizeof err;
    (void)!connect(l->fd, (struct sockaddr *)&to, sizeof to);
    if (poll(&p, 1, CN_MIN(left_ms(a), CONNECT_MS)) != 1 ||
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0) {
        a->refused++;
        line_close(l);
        return false;
    }
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    a->opened++;
    return true;
}

void line_close(line *l)
{
    if (l->fd >= 0) {
        (void)close(l->fd);
    }
    l->fd = -1;
    cn_secure_free(l->secure);
    if (l->security != NULL) {
        l->security->free(l->security);
    }
    cn_key_free(l->key);
    cn_buf_release(&l->out);
    cn_buf_release(&l->frames);
    l->secure = NULL;
    l->security = NULL;
    l->key = NULL;
}

static bool end_line(line *l)
{
    l->a->cut += l->is_over ? 0 : 1;
    l->is_over = true;
    return false;
}

/* Read and forget; false: the other side is gone. */
static bool forget(line *l)
{
    static uint8_t waste[1 << 16];
    for (;;) {
        ssize_t n = recv(l->fd, waste, sizeof waste, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return end_line(l);
        }
        if (n < (ssize_t)sizeof waste) {
            return true;
        }
    }
}

size_t line_read(line *l, uint8_t *to, size_t room)
{
    ssize_t n = room == 0 ? 0 : recv(l->fd, to, room, 0);
    if (room > 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))) {
        (void)end_line(l);
    }
    return n > 0 ? (size_t)n : 0;
}

bool line_is_cut(line *l)
{
    return l->is_over || l->fd < 0 || !forget(l);
}

bool line_raw(line *l, cn_slice bytes)
{
    while (bytes.len > 0 && !l->is_over) {
        ssize_t n = send(l->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (n > 0) {
            l->a->sent_bytes += (uint64_t)n;
            bytes = cn_slice_skip(bytes, (size_t)n);
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return end_line(l);
        }
        struct pollfd p = {.fd = l->fd, .events = (short)(l->is_deaf ? POLLOUT : POLLOUT | POLLIN)};
        if (is_over(l->a)) {
            return false;
        }
        (void)poll(&p, 1, CN_MIN(left_ms(l->a), 200));
        if ((p.revents & POLLIN) != 0 && !forget(l)) {
            return false;
        }
    }
    return !l->is_over && !is_over(l->a);
}

bool line_text(line *l, const char *text)
{
    return line_raw(l, cn_str(text));
}

/* --- the way up --- */

void put_name(cn_buf *out, const char *name)
{
    must(cn_varint_append(out, strlen(name) + 1));
    must(cn_buf_text(out, name));
    must(cn_buf_byte(out, '\n'));
}

static bool send_out(line *l)
{
    bool good = line_raw(l, cn_buf_slice(&l->out));
    cn_buf_reset(&l->out);
    return good;
}

bool line_noise_begin(line *l)
{
    cn_mem *mem = l->a->mem;
    cn_secure_options o = {
        .mem = mem, .is_initiator = true, .muxers = MUXERS, .muxers_len = CN_LEN(MUXERS)};
    must(cn_key_generate(mem, CN_KEY_ED25519, 0, &l->key, NULL));
    must(cn_noise_new(l->a->rt, mem, l->key, &l->security, NULL));
    must(cn_secure_open(l->security, &o, &l->secure, NULL));
    put_name(&l->out, "/multistream/1.0.0");
    put_name(&l->out, "/noise");
    must(cn_secure_begin(l->secure, &l->out, NULL));
    return send_out(l);
}

/* Wait for bytes; false: none came. */
static bool await(line *l, uint8_t *to, size_t room, size_t *len)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    if (poll(&p, 1, left_ms(l->a)) != 1) {
        return false;
    }
    ssize_t n = recv(l->fd, to, room, 0);
    if (n <= 0) {
        return end_line(l);
    }
    *len += (size_t)n;
    return true;
}

bool line_greet(line *l, attack *a)
{
    /* header and name, echoed, go before the first record */
    static const size_t names_len = sizeof("\x13/multistream/1.0.0\n\x07/noise\n") - 1;
    static uint8_t wire[2 * RECORD_BYTES];
    size_t len = 0;
    size_t at = names_len;
    if (!line_connect(l, a) || !line_noise_begin(l)) {
        return false;
    }
    while (!l->secure->is_established) {
        size_t used = 0;
        cn_slice plain = {0};
        if (len <= at || len == sizeof wire) {
            if (len == sizeof wire || !await(l, wire + len, sizeof wire - len, &len)) {
                return false;
            }
            continue;
        }
        if (cn_secure_take(l->secure, wire + at, len - at, &used, &plain, &l->out, NULL) != CN_OK) {
            return false;
        }
        at += used;
        if (used == 0 && !await(l, wire + len, sizeof wire - len, &len)) {
            return false;
        }
    }
    a->greeted++;
    return send_out(l);
}

/* --- frames --- */

static void put_be32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

void frame(line *l, unsigned type, unsigned flags, uint32_t no, uint32_t value)
{
    uint8_t h[12] = {0, (uint8_t)type, 0, (uint8_t)flags};
    put_be32(h + 4, no);
    put_be32(h + 8, value);
    must(cn_buf_append(&l->frames, cn_slice_of(h, sizeof h)));
}

void frame_data(line *l, unsigned flags, uint32_t no, cn_slice data)
{
    frame(l, YAMUX_DATA, flags, no, (uint32_t)data.len);
    must(cn_buf_append(&l->frames, data));
}

bool line_flush(line *l)
{
    cn_slice part = cn_buf_slice(&l->frames);
    if (part.len > 0) {
        must(cn_secure_seal(l->secure, &part, 1, &l->out));
        cn_buf_reset(&l->frames);
    }
    return send_out(l);
}

bool line_flush_some(line *l)
{
    return l->frames.len < FLUSH_BYTES ? !l->is_over : line_flush(l);
}

uint32_t line_stream(line *l, const char *protocol)
{
    cn_buf names = {0};
    uint32_t no = l->no;
    l->no += 2;
    cn_buf_init(&names, l->a->mem, 4096);
    put_name(&names, "/multistream/1.0.0");
    put_name(&names, protocol);
    frame_data(l, YAMUX_SYN, no, cn_buf_slice(&names));
    cn_buf_release(&names);
    return no;
}
