#include "lib/host_world.h"

#include "lib/test.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "rt_os/rt_os.h"

const char *const world_names[2] = {"/test/2.0.0", "/test/1.0.0"};

static void keep_text(char *to, const char *text)
{
    cn_slice s = cn_slice_head(cn_str(text == NULL ? "" : text), WORLD_TEXT_BYTES - 1);
    cn_copy(to, s.data, s.len);
    to[s.len] = '\0';
}

/* --- the protocol --- */

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    world_protocol *t = (world_protocol *)p;
    CN_UNUSED(peer);
    t->opened++;
    t->stream = stream;
    t->name = name;
    return t->refuses ? CN_ERR_TOO_LARGE : CN_OK;
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    world_protocol *t = (world_protocol *)p;
    if (t->got_bytes < sizeof(t->first)) {
        cn_slice head = cn_slice_head(bytes, sizeof(t->first) - t->got_bytes);
        cn_copy(t->first + t->got_bytes, head.data, head.len);
    }
    t->got_bytes += bytes.len;
    if (t->echoes) {
        cn_buf copy = {0};
        cn_buf_init(&copy, cn_mem_default(), bytes.len);
        cn_err err = cn_buf_append(&copy, bytes);
        err = err == CN_OK ? cn_host_write(t->h, stream, &copy) : err;
        cn_buf_release(&copy);
        if (err != CN_OK) {
            return err;
        }
    }
    if (!t->keeps) {
        cn_host_consumed(t->h, stream, bytes.len);
    }
    return t->breaks ? CN_ERR_MALFORMED : CN_OK;
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    world_protocol *t = (world_protocol *)p;
    *(how == CN_STREAM_FIN ? &t->fins : how == CN_STREAM_RESET ? &t->resets : &t->refused) += 1;
    keep_text(t->sentence, sentence);
    if (t->closes) {
        cn_host_close_stream(t->h, stream);
    }
}

static void writable(cn_protocol *p, cn_id stream)
{
    CN_UNUSED(stream);
    ((world_protocol *)p)->writable++;
}

static void peer_up(cn_protocol *p, const cn_peer_id *peer)
{
    CN_UNUSED(peer);
    ((world_protocol *)p)->ups++;
}

static void peer_down(cn_protocol *p, const cn_peer_id *peer)
{
    CN_UNUSED(peer);
    ((world_protocol *)p)->downs++;
}

static void identified(cn_protocol *p, const cn_peer_id *peer)
{
    CN_UNUSED(peer);
    ((world_protocol *)p)->identified++;
}

static const cn_protocol_ops ops = {
    .opened = opened,
    .data = data,
    .ended = ended,
    .writable = writable,
    .peer_up = peer_up,
    .peer_down = peer_down,
    .identified = identified,
};

/* --- a host --- */

void world_dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    world_host *x = ctx;
    CN_UNUSED(peer);
    x->dialled++;
    x->err = err;
    keep_text(x->sentence, sentence);
}

void world_pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    world_host *x = ctx;
    x->pings++;
    x->ping_err = err;
    x->rtt_ns = rtt_ns;
    keep_text(x->sentence, sentence);
}

static void note(void *ctx, const cn_host_note *n)
{
    world_host *x = ctx;
    x->notes[n->kind]++;
    keep_text(x->note, n->sentence);
}

static void make_tcp(world *w, world_host *x, size_t number)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    CHECK_OK(cn_noise_new(w->rt, &x->mem, x->key, &x->noise, NULL));
    cn_tcp_options o = {
        .mem = &x->mem,
        .net = w->net,
        .securities = &x->noise,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 256,
                .streams_out_max = 256,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = (uint8_t)(number + 1),
        .conns_max = 256,
    };
    CHECK_OK(cn_tcp_new(&o, &x->t));
}

/* The port is the kernel's choice with TCP, the host's number with pipes. */
static void listen_here(world *w, world_host *x, size_t number)
{
    cn_buf at = {0};
    cn_buf text = {0};
    const char *line = "";
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(&text, cn_mem_default(), 256);
    CHECK_OK(
        w->is_pipe ? cn_buf_printf(&text, "/ip4/127.0.0.1/udp/%zu", number + 1)
                   : cn_buf_text(&text, "/ip4/127.0.0.1/tcp/0"));
    CHECK_OK(cn_multiaddr_parse(cn_buf_slice(&text), &at, NULL));
    CHECK_OK(cn_host_listen(x->h, cn_buf_slice(&at), NULL));
    cn_buf_reset(&text);
    cn_buf_reset(&at);
    cn_buf_release(&text);
    cn_buf_init(&text, cn_mem_default(), 4096);
    CHECK_OK(cn_host_addresses(x->h, &text, true));
    CHECK(text.len > 0);
    text.len -= text.len > 0 ? 1 : 0; /* the newline */
    CHECK_OK(cn_buf_cstr(&text, &line));
    CHECK_OK(cn_multiaddr_parse(cn_str(line), &at, NULL));
    x->listen_len = at.len;
    cn_copy(x->listen, at.data, at.len);
    cn_buf_release(&at);
    cn_buf_release(&text);
}

static void host_begin(world *w, size_t number, const cn_host_options *options)
{
    world_host *x = &w->hosts[number];
    cn_host_options o = options == NULL ? (cn_host_options){0} : *options;
    cn_mem_init(&x->mem, 0);
    CHECK_OK(cn_key_generate(&x->mem, CN_KEY_ED25519, 0, &x->key, NULL));
    CHECK_OK(cn_peer_id_of_key(x->key, &x->id));
    if (w->is_pipe) {
        CHECK_OK(pipe_transport_new(&w->pipes, &x->mem, x->key, &x->t));
    } else {
        make_tcp(w, x, number);
    }
    o.mem = &x->mem;
    o.net = w->net;
    o.key = x->key;
    o.agent = o.agent == NULL ? "cairn-test/1" : o.agent;
    o.seed = number + 1;
    o.note = note;
    o.note_ctx = x;
    CHECK_OK(cn_host_new(&o, &x->h, NULL));
    CHECK_OK(cn_host_add_transport(x->h, x->t));
    x->proto = (world_protocol){.h = x->h};
    x->proto.p = (cn_protocol){
        .ops = &ops,
        .names = world_names,
        .names_len = 2,
        .streams_in_per_peer_max = 8,
        .streams_in_max = 16,
    };
    CHECK_OK(cn_host_serve(x->h, &x->proto.p));
    listen_here(w, x, number);
}

void world_begin(world *w, size_t hosts, bool is_pipe, const cn_host_options *options)
{
    *w = (world){.is_pipe = is_pipe, .len = hosts};
    CHECK_OK(cn_rt_os_new(1, &w->rt));
    CHECK_OK(cn_rt_os_net_new(w->rt, cn_mem_default(), 512, &w->net, NULL));
    for (size_t i = 0; i < hosts; i++) {
        host_begin(w, i, options);
    }
}

void world_kill(world *w, size_t host)
{
    world_host *x = &w->hosts[host];
    if (x->h == NULL) {
        return;
    }
    cn_host_free(x->h);
    x->t->ops->free(x->t);
    if (x->noise != NULL) {
        x->noise->free(x->noise);
    }
    cn_key_free(x->key);
    CHECK_EQ(x->mem.used_bytes, 0);
    x->h = NULL;
}

void world_end(world *w)
{
    for (size_t i = 0; i < w->len; i++) {
        world_kill(w, i);
    }
    cn_rt_os_net_free(w->net);
    cn_rt_os_free(w->rt);
}

static void take(void *ctx, const cn_net_event *event)
{
    world *w = ctx;
    for (size_t i = 0; i < w->len; i++) {
        if (w->hosts[i].h != NULL) {
            cn_host_take(w->hosts[i].h, event);
        }
    }
}

void world_turn(world *w)
{
    cn_time now = cn_rt_now(w->rt);
    cn_time until = cn_time_after(now, w->is_hasty ? 0 : 20 * CN_NS_PER_MS);
    for (size_t i = 0; i < w->len; i++) {
        cn_time d = w->hosts[i].h == NULL ? CN_TIME_NEVER : cn_host_deadline(w->hosts[i].h);
        until = d.ns < until.ns ? d : until;
    }
    CHECK_OK(cn_rt_os_net_poll(w->net, until, take, w));
    now = cn_rt_now(w->rt);
    for (size_t i = 0; i < w->len; i++) {
        if (w->hosts[i].h != NULL) {
            cn_host_tick(w->hosts[i].h, now);
            cn_host_turn(w->hosts[i].h, now);
        }
    }
}

bool world_until(world *w, const size_t *flag, size_t least)
{
    cn_time limit = cn_time_after(cn_rt_now(w->rt), 20 * CN_NS_PER_S);
    while (*flag < least) {
        world_turn(w);
        if (cn_rt_now(w->rt).ns > limit.ns) {
            return CHECK(false);
        }
    }
    return true;
}

cn_slice world_address(const world *w, size_t host)
{
    return cn_slice_of(w->hosts[host].listen, w->hosts[host].listen_len);
}

cn_err world_dial(world *w, size_t from, size_t to)
{
    world_host *x = &w->hosts[from];
    cn_slice at = world_address(w, to);
    cn_id id = CN_ID_NONE;
    return cn_host_connect(
        x->h, &w->hosts[to].id, &at, 1, 30 * CN_NS_PER_S, world_dialled, x, &id, NULL);
}

void world_join(world *w, size_t from, size_t to)
{
    world_host *a = &w->hosts[from];
    world_host *b = &w->hosts[to];
    size_t identified_a = a->proto.identified;
    size_t identified_b = b->proto.identified;
    size_t dialled = a->dialled;
    CHECK_OK(world_dial(w, from, to));
    (void)world_until(w, &a->dialled, dialled + 1);
    CHECK_OK(a->err);
    (void)world_until(w, &a->proto.identified, identified_a + 1);
    (void)world_until(w, &b->proto.identified, identified_b + 1);
}

void world_write(world *w, size_t host, cn_id stream, cn_slice bytes)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), bytes.len);
    CHECK_OK(cn_buf_append(&b, bytes));
    CHECK_OK(cn_host_write(w->hosts[host].h, stream, &b));
    cn_buf_release(&b);
}

cn_id world_say(world *w, size_t from, size_t to, const char *text)
{
    world_host *x = &w->hosts[from];
    cn_id stream = CN_ID_NONE;
    CHECK_OK(cn_host_stream(x->h, &x->proto.p, &w->hosts[to].id, world_names, 2, &stream));
    world_write(w, from, stream, cn_str(text));
    return stream;
}
