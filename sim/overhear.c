/*
 * One ear for each direction of a connection: bytes are kept until what they begin is whole. A
 * stream's protocol is known from the first name that is agreed on in it.
 */
#include "sim/overhear.h"

#include "codec/protobuf.h"
#include "sim/net_sim.h"

enum { EARS_MAX = 16, STREAMS_MAX = 64, EAR_MAX_BYTES = 4 << 20, LINE_MAX = 400, DEPTH_MAX = 4 };

typedef enum ear_stage {
    EAR_SECURITY, /* names, in clear */
    EAR_HELLO,    /* of plaintext */
    EAR_MUXER,    /* names */
    EAR_FRAMES,   /* yamux */
    EAR_RECORDS,  /* Noise */
} ear_stage;

typedef struct ear_stream {
    uint32_t no;
    char name[64]; /* of the protocol; empty: not agreed on */
    cn_buf held;
} ear_stream;

typedef struct ear {
    uint64_t key;
    ear_stage stage;
    cn_buf held;
    size_t records;
    ear_stream streams[STREAMS_MAX];
} ear;

struct sim_ears {
    sim *world;
    const char *const *shows;
    ear ears[EARS_MAX];
    char from;
    char to;
};

static void line(sim_ears *e, const char *format, ...) CN_PRINTF(2, 3);

static void line(sim_ears *e, const char *format, ...)
{
    char text[LINE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool is_shown = e->shows == NULL;
    for (const char *const *s = e->shows; s != NULL && *s != NULL; s++) {
        is_shown = is_shown || cn_slice_starts(cn_str(text), cn_str(*s));
    }
    if (is_shown) {
        int64_t ns = e->world->now.ns;
        sim_must(cn_buf_printf(
            &e->world->script, "%5lld.%03lld %c>%c %s\n", (long long)(ns / CN_NS_PER_MS),
            (long long)(ns / 1000 % 1000), e->from, e->to, text));
    }
}

/* A name off the front of `held`; false: not whole. */
static bool take_name(cn_buf *held, char *ret, size_t max)
{
    cn_cur in = {cn_buf_slice(held)};
    uint64_t len = 0;
    cn_slice name = {0};
    if (cn_varint_decode(&in, &len) != CN_OK || cn_cur_take(&in, (size_t)len, &name) != CN_OK ||
        len == 0 || len > max) {
        return false;
    }
    cn_copy(ret, name.data, name.len - 1);
    ret[name.len - 1] = '\0';
    cn_buf_skip(held, held->len - in.rest.len);
    return true;
}

static bool is_choice(const char *name)
{
    return strcmp(name, "/multistream/1.0.0") != 0 && strcmp(name, "na") != 0;
}

static bool is_text(cn_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e) {
            return false;
        }
    }
    return bytes.len > 0;
}

/* Is it a protobuf message, to the end? */
static bool is_message(cn_slice bytes)
{
    cn_cur in = {bytes};
    cn_pb_field field = {0};
    while (!cn_cur_done(&in)) {
        if (cn_pb_next(&in, &field) != CN_OK || field.number > 20) {
            return false;
        }
    }
    return bytes.len > 1;
}

/* The fields of a message. Short bytes that look like a message inside are shown as one. */
static void put_fields(cn_slice message, unsigned depth, cn_buf *out)
{
    cn_cur in = {message};
    cn_pb_field f = {0};
    while (!cn_cur_done(&in) && cn_pb_next(&in, &f) == CN_OK) {
        sim_must(cn_buf_printf(out, " %u:", f.number));
        if (f.wire != CN_PB_BYTES) {
            sim_must(cn_buf_printf(out, "%llu", (unsigned long long)f.value));
        } else if (is_text(f.bytes) && f.bytes.len < 60) {
            sim_must(cn_buf_printf(out, "\"%.*s\"", (int)f.bytes.len, (const char *)f.bytes.data));
        } else if (depth < DEPTH_MAX && is_message(f.bytes)) {
            sim_must(cn_buf_text(out, "{"));
            put_fields(f.bytes, depth + 1, out);
            sim_must(cn_buf_text(out, " }"));
        } else {
            sim_must(cn_buf_printf(out, "%zu bytes", f.bytes.len));
        }
    }
}

/* Messages behind their lengths, as identify and bitswap have them. */
static void hear_messages(sim_ears *e, ear_stream *s)
{
    for (;;) {
        cn_cur in = {cn_buf_slice(&s->held)};
        uint64_t len = 0;
        cn_slice message = {0};
        cn_buf out = {0};
        const char *text = "";
        if (cn_varint_decode(&in, &len) != CN_OK ||
            cn_cur_take(&in, (size_t)len, &message) != CN_OK) {
            return;
        }
        cn_buf_init(&out, &e->world->mem, 1 << 16);
        put_fields(message, 0, &out);
        sim_must(cn_buf_cstr(&out, &text));
        line(e, "%s stream %u, %zu bytes:%s", s->name, s->no, message.len, text);
        cn_buf_release(&out);
        cn_buf_skip(&s->held, s->held.len - in.rest.len);
    }
}

static ear_stream *stream_of(sim_ears *e, ear *at, uint32_t no)
{
    ear_stream *s = at->streams;
    while (s < at->streams + STREAMS_MAX - 1 && s->no != 0 && s->no != no) {
        s++;
    }
    if (s->no != no) {
        s->no = no;
        s->name[0] = '\0';
        cn_buf_init(&s->held, &e->world->mem, EAR_MAX_BYTES);
    }
    return s;
}

static void hear_stream(sim_ears *e, ear *at, uint32_t no, cn_slice bytes)
{
    ear_stream *s = stream_of(e, at, no);
    char name[64];
    sim_must(cn_buf_append(&s->held, bytes));
    while (s->name[0] == '\0' && take_name(&s->held, name, sizeof(name))) {
        line(e, "multistream stream %u %s", no, name);
        if (is_choice(name)) {
            cn_copy(s->name, name, sizeof(name));
        }
    }
    if (strncmp(s->name, "/ipfs/id/", 9) == 0 || strncmp(s->name, "/ipfs/bitswap", 13) == 0) {
        hear_messages(e, s);
    } else if (s->name[0] != '\0' && s->held.len > 0) {
        line(e, "%s stream %u, %zu bytes", s->name, no, s->held.len);
        cn_buf_reset(&s->held);
    }
}

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A frame, whole with its data; false: not yet. */
static bool hear_frame(sim_ears *e, ear *at)
{
    enum { HEADER = 12 };
    static const char *const types[] = {"data", "window", "ping", "go-away"};
    static const char *const flags[] = {" syn", " ack", " fin", " rst"};
    const uint8_t *h = at->held.data;
    if (at->held.len < HEADER) {
        return false;
    }
    uint32_t value = be32(h + 8);
    uint32_t no = be32(h + 4);
    size_t body = h[1] == 0 ? value : 0;
    if (at->held.len < HEADER + body) {
        return false;
    }
    line(
        e, "yamux %s%s%s%s%s stream %u %s%u", h[1] < 4 ? types[h[1]] : "?",
        (h[3] & 1) != 0 ? flags[0] : "", (h[3] & 2) != 0 ? flags[1] : "",
        (h[3] & 4) != 0 ? flags[2] : "", (h[3] & 8) != 0 ? flags[3] : "", no, h[1] == 1 ? "+" : "",
        value);
    if (body > 0) {
        hear_stream(e, at, no, cn_slice_of(h + HEADER, body));
    }
    cn_buf_skip(&at->held, HEADER + body);
    return true;
}

static bool hear_record(sim_ears *e, ear *at)
{
    size_t len = at->held.len < 2 ? 0 : (size_t)at->held.data[0] << 8 | at->held.data[1];
    if (at->held.len < 2 || at->held.len < 2 + len) {
        return false;
    }
    line(e, "noise message %zu of this side, %zu bytes", ++at->records, len);
    cn_buf_skip(&at->held, 2 + len);
    return true;
}

static bool hear_hello(sim_ears *e, ear *at)
{
    cn_cur in = {cn_buf_slice(&at->held)};
    uint64_t len = 0;
    cn_slice hello = {0};
    if (cn_varint_decode(&in, &len) != CN_OK || cn_cur_take(&in, (size_t)len, &hello) != CN_OK) {
        return false;
    }
    line(e, "plaintext hello, %zu bytes", hello.len);
    cn_buf_skip(&at->held, at->held.len - in.rest.len);
    at->stage = EAR_MUXER;
    return true;
}

static bool hear_name(sim_ears *e, ear *at)
{
    char name[64];
    if (!take_name(&at->held, name, sizeof(name))) {
        return false;
    }
    line(e, "multistream %s", name);
    if (is_choice(name)) {
        at->stage = at->stage == EAR_MUXER        ? EAR_FRAMES
                    : strcmp(name, "/noise") == 0 ? EAR_RECORDS
                                                  : EAR_HELLO;
    }
    return true;
}

static void hear(void *ctx, uint32_t from, const sim_conn *c, unsigned way, cn_slice bytes)
{
    sim_ears *e = ctx;
    uint64_t key = c->number << 1 | way;
    ear *at = e->ears;
    while (at < e->ears + EARS_MAX - 1 && at->key != 0 && at->key != key) {
        at++;
    }
    if (at->key == 0) {
        at->key = key;
        cn_buf_init(&at->held, &e->world->mem, EAR_MAX_BYTES);
    }
    e->from = (char)('A' + from);
    e->to = (char)('A' + c->ends[1 - way].node->index);
    sim_must(cn_buf_append(&at->held, bytes));
    bool have = true;
    while (have) {
        have = at->stage == EAR_FRAMES    ? hear_frame(e, at)
               : at->stage == EAR_RECORDS ? hear_record(e, at)
               : at->stage == EAR_HELLO   ? hear_hello(e, at)
                                          : hear_name(e, at);
    }
}

sim_ears *sim_ears_new(sim *w, const char *const *shows)
{
    sim_ears *e = cn_alloc(&w->mem, sizeof(*e));
    CN_ASSERT(e != NULL);
    e->world = w;
    e->shows = shows;
    w->overhear = hear;
    w->overhear_ctx = e;
    w->is_scripted = true;
    return e;
}

void sim_ears_free(sim_ears *e)
{
    for (size_t i = 0; e != NULL && i < EARS_MAX; i++) {
        for (size_t k = 0; k < STREAMS_MAX; k++) {
            cn_buf_release(&e->ears[i].streams[k].held);
        }
        cn_buf_release(&e->ears[i].held);
    }
    if (e != NULL) {
        e->world->overhear = NULL;
        cn_free(&e->world->mem, e);
    }
}
