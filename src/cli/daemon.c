/*
 * A daemon's life: node, servers, files that say where they are, the wait for a signal, and all of
 * it back. Signals are blocked in every thread and taken by the main one alone.
 */
#include "cli/daemon.h"

#include "cli/cli.h"
#include "cli/online.h"
#include "cli/waiting.h"
#include "cmd/version.h"
#include "crypto/key.h"
#include "gateway/gateway.h"
#include "node/config_file.h"
#include "node/init.h"
#include "node/node.h"
#include "node/repo.h"
#include "rpc/rpc.h"
#include "store/store.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    SERVERS_MAX = 16,
    HEADERS_MAX = 64,
    ARENAS = 2,
    API_CONNECTION_BYTES = 256 << 10,
    FILES_WANTED = 65536,
    IDLE_FLUSH_S = 5,
    RETRIEVAL_TIMEOUT_S = 30,
};

#define STOP_GRACE_NS (300 * CN_NS_PER_MS)

typedef struct daemon_state {
    cn_call *call;
    cn_call_host *host;
    cn_rt *rt;
    cn_mem *mem;
    cn_node *node;
    cn_online online;
    const cn_config *config;
    cn_rpc *rpc;
    cn_gateway *gateway;
    cn_http_server *servers[SERVERS_MAX];
    size_t servers_len;
    size_t api_len; /* the first ones serve RPC */
    cn_gateway_header headers[HEADERS_MAX];
    size_t headers_len;
    cn_buf text; /* behind `headers`: sized before, so it does not move */
    bool wrote_api;
    bool wrote_gateway;
} daemon_state;

/* --- lines --- */

static cn_err line_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    cn_err err = cn_buf_text(out, value);
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static const cn_output_type line_type = {
    .name = "daemon.Line", .json = line_text, .text = line_text};

static cn_err say(daemon_state *d, const char *format, ...) CN_PRINTF(2, 3);

/* One line of standard output, seen at once. */
static cn_err say(daemon_state *d, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    cn_err err = cn_call_emit(d->call, &line_type, line);
    if (err == CN_OK) {
        cn_call_note(d->call, "%s", ""); /* what stands in standard output goes out before it */
    }
    return err;
}

/* The machine by the name that Go has for it, which tools look for. */
static const char *go_machine(const char *name)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i686", "386"}, {"armv7l", "arm"}};
    for (size_t i = 0; i < CN_LEN(names); i++) {
        if (strcmp(name, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return name;
}

static cn_err say_beginning(daemon_state *d)
{
    static const char *const idle[] = {
        "mount",
        "enable-gc",
        "unrestricted-api",
        "enable-pubsub-experiment",
        "enable-namesys-pubsub",
        "enable-mplex-experiment",
        "disable-transport-encryption",
        "routing"};
    struct utsname machine = {0};
    cn_err err = CN_OK;
    (void)uname(&machine);
    CN_TRY(say(d, "Initializing daemon..."));
    CN_TRY(say(d, "cairn version: %s", CN_VERSION));
    CN_TRY(say(d, "Kubo version: %s", CN_KUBO_VERSION));
    CN_TRY(say(d, "Repo version: %s", CN_KUBO_REPO_VERSION));
    CN_TRY(say(d, "System version: %s/linux", go_machine(machine.machine)));
    for (size_t i = 0; i < CN_LEN(idle); i++) {
        if (cn_call_given(d->call, idle[i])) {
            cn_call_note(d->call, "--%s has no effect yet\n", idle[i]);
        }
    }
out:
    return err;
}

/* --- before serving --- */

/* The configuration that --init-config names; it may hold a private key. */
static cn_err read_config(daemon_state *d, const char *path, cn_buf *ret)
{
    cn_file *f = NULL;
    uint64_t size_bytes = 0;
    size_t len = 0;
    cn_why *why = cn_call_why(d->call);
    cn_err err = CN_OK;
    CN_TRY(cn_file_open(d->rt, path, CN_FILE_READ, &f, why));
    CN_TRY(cn_file_size(d->rt, f, &size_bytes));
    if (size_bytes == 0 || size_bytes > CN_CONFIG_MAX_BYTES) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "%s is not a configuration: %llu bytes", path,
            (unsigned long long)size_bytes);
        goto out;
    }
    CN_TRY(cn_buf_reserve(ret, (size_t)size_bytes));
    CN_TRY(cn_file_read_at(d->rt, f, 0, ret->data, (size_t)size_bytes, &len));
    ret->len = len;
out:
    cn_file_close(d->rt, f);
    return err;
}

/* An identity for a repo that begins with the usual configuration. */
static cn_err make_identity(daemon_state *d, cn_key **ret, cn_identity *ret_identity)
{
    cn_peer_id id = {0};
    cn_key *key = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_key_generate(d->mem, CN_KEY_ED25519, 0, &key, cn_call_why(d->call)));
    CN_TRY(cn_peer_id_of_key(key, &id));
    CN_TRY(cn_identity_of(&id, ret_identity));
    CN_TRY(say(d, "generating ED25519 keypair...done"));
    CN_TRY(say(d, "peer identity: %s", ret_identity->peer_id));
    *ret = key;
    key = NULL;
out:
    cn_key_free(key);
    return err;
}

/* --init: make a repo if there is none, with a new key or by the configuration that is given. */
static cn_err make_repo(daemon_state *d)
{
    const char *path = cn_call_repo_path(d->call);
    const char *config = cn_call_string(d->call, "init-config", NULL);
    cn_repo_kind kind = CN_REPO_NONE;
    cn_identity identity = {0};
    cn_key *key = NULL;
    cn_buf text;
    cn_why *why = cn_call_why(d->call);
    cn_init_options o = {.rt = d->rt, .mem = d->mem, .repo_path = path, .command = "daemon"};
    cn_err err = CN_OK;
    cn_buf_init(&text, d->mem, CN_CONFIG_MAX_BYTES);
    CN_TRY(cn_repo_probe(d->rt, path, &kind, why));
    if (kind != CN_REPO_NONE) {
        goto out;
    }
    o.pid = getpid();
    o.profiles = cn_call_string(d->call, "init-profile", NULL);
    if (config != NULL && config[0] != '\0') {
        CN_TRY(read_config(d, config, &text));
        o.config = cn_buf_slice(&text);
        err = cn_init_check_config(&o, why);
        if (err != CN_OK) {
            err = cn_call_fail(d->call, err, "failure to decode config: %s", why->text);
            goto out;
        }
    } else {
        if (o.profiles == NULL && strcmp(cn_call_program(d->call), "ipfs") != 0) {
            o.profiles = "unixfs-v1-2025";
        }
        CN_TRY(make_identity(d, &key, &identity));
        o.key = key;
        o.peer_id = identity.peer_id;
    }
    CN_TRY(say(d, "initializing IPFS node at %s", path));
    CN_TRY(cn_init_repo(&o, why));
out:
    cn_key_free(key);
    cn_key_wipe(&text);
    return err;
}

static void tune_process(const daemon_state *d)
{
    struct rlimit files = {0};
    (void)mallopt(M_ARENA_MAX, ARENAS);
    if (cn_call_flag(d->call, "manage-fdlimit", NULL) && getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < FILES_WANTED) {
        files.rlim_cur = CN_MIN((rlim_t)FILES_WANTED, files.rlim_max);
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* A copy with a NUL behind it, in d->text. */
static cn_err keep_text(daemon_state *d, cn_slice s, const char **ret)
{
    size_t at = d->text.len;
    cn_err err = cn_buf_append(&d->text, s);
    if (err == CN_OK) {
        err = cn_buf_byte(&d->text, 0);
    }
    *ret = (const char *)d->text.data + at;
    return err;
}

static cn_err read_gateway_headers(daemon_state *d)
{
    const cn_json *all = cn_config_get(d->config, "Gateway.HTTPHeaders");
    cn_err err = CN_OK;
    for (const cn_json *h = all == NULL ? NULL : all->first; err == CN_OK && h != NULL;
         h = h->next) {
        for (const cn_json *v = h->first; v != NULL && d->headers_len < HEADERS_MAX; v = v->next) {
            cn_gateway_header *to = &d->headers[d->headers_len];
            CN_TRY(keep_text(d, h->key, &to->name));
            CN_TRY(keep_text(d, v->text, &to->value));
            d->headers_len++;
        }
    }
out:
    return err;
}

/* --- servers --- */

static void on_shutdown(void *ctx)
{
    CN_UNUSED(ctx);
    (void)kill(getpid(), SIGTERM);
}

static cn_err make_handlers(daemon_state *d)
{
    const char *redirect = NULL;
    cn_err err = CN_OK;
    cn_rpc_options rpc = {
        .rt = d->rt,
        .mem = d->mem,
        .node = d->node,
        .config = d->config,
        .repo_path = cn_call_repo_path(d->call),
        .program = cn_call_program(d->call),
        .stall_ns = cn_stall_ns(),
        .shutdown = on_shutdown,
    };
    cn_gateway_options gateway = {
        .rt = d->rt,
        .mem = d->mem,
        .blocks = cn_node_blocks(d->node),
        .store = cn_node_store(d->node),
        .headers = d->headers,
    };
    CN_TRY(read_gateway_headers(d));
    CN_TRY(keep_text(d, cn_config_string(d->config, "Gateway.RootRedirect", ""), &redirect));
    if (d->online.loop != NULL && !cn_config_bool(d->config, "Gateway.NoFetch", false)) {
        gateway.fetcher = cn_network_fetcher(cn_loop_network(d->online.loop));
        CN_TRY(cn_config_duration(
            d->config, "Gateway.RetrievalTimeout", RETRIEVAL_TIMEOUT_S * CN_NS_PER_S,
            &gateway.retrieval_ns, cn_call_why(d->call)));
        gateway.waits_max = (unsigned)CN_MIN(
            CN_MAX(cn_config_i64(d->config, "Gateway.MaxConcurrentRequests", 0), (int64_t)0),
            (int64_t)UINT32_MAX);
    }
    gateway.headers_len = d->headers_len;
    gateway.root_redirect = redirect;
    CN_TRY(cn_rpc_new(&rpc, &d->rpc));
    CN_TRY(cn_gateway_new(&gateway, &d->gateway));
out:
    return err;
}

/* Listen on one address and serve it. */
static cn_err serve_address(daemon_state *d, const char *address, const char *key, bool is_api)
{
    cn_why *why = cn_call_why(d->call);
    cn_listen listen = {.fd = -1};
    cn_err err = cn_listen_open(address, &listen, why);
    if (err != CN_OK) {
        return cn_call_fail(
            d->call, err,
            "cannot serve the %s: %s. Another address can be set with: %s config %s "
            "/ip4/127.0.0.1/tcp/0",
            is_api ? "RPC API" : "gateway", why->text, cn_call_program(d->call), key);
    }
    cn_http_options o = {
        .handle = is_api ? cn_rpc_handle : cn_gateway_handle,
        .ctx = is_api ? (void *)d->rpc : (void *)d->gateway,
        .mem = d->mem,
        .threads = is_api ? 1 : 0,
        .connection_bytes = is_api ? API_CONNECTION_BYTES : 0,
    };
    if (is_api) {
        err = cn_rpc_allow_port(d->rpc, listen.port);
    }
    if (err != CN_OK || d->servers_len == SERVERS_MAX) {
        cn_listen_close(&listen);
        return err != CN_OK ? err : CN_ERR_TOO_LARGE;
    }
    err = cn_http_server_start(&o, &listen, &d->servers[d->servers_len], why);
    d->servers_len += err == CN_OK ? 1 : 0;
    return err;
}

static cn_err serve_all(daemon_state *d, const char *key, bool is_api)
{
    cn_slice address = {0};
    char text[CN_LISTEN_TEXT_BYTES];
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && cn_config_strings(d->config, key, i, &address); i++) {
        if (address.len == 0) {
            continue;
        }
        (void)snprintf(
            text, sizeof text, "%.*s", (int)CN_MIN(address.len, sizeof text - 1),
            (const char *)address.data);
        err = serve_address(d, text, key, is_api);
    }
    return err;
}

/* A small file in the repo, replaced as a whole; it says nothing that must outlive a crash. */
static cn_err write_place(daemon_state *d, const char *name, const char *text)
{
    cn_buf path;
    cn_buf temporary;
    const char *to = NULL;
    const char *from = NULL;
    cn_file *f = NULL;
    cn_slice data = cn_str(text);
    cn_err err = CN_OK;
    cn_buf_init(&path, d->mem, 64 << 10);
    cn_buf_init(&temporary, d->mem, 64 << 10);
    CN_TRY(cn_repo_file(cn_call_repo_path(d->call), name, &path));
    CN_TRY(cn_buf_append(&temporary, cn_buf_slice(&path)));
    CN_TRY(cn_buf_text(&temporary, ".new"));
    CN_TRY(cn_buf_cstr(&path, &to));
    CN_TRY(cn_buf_cstr(&temporary, &from));
    CN_TRY(cn_file_open(
        d->rt, from, CN_FILE_WRITE | CN_FILE_CREATE | CN_FILE_TRUNCATE, &f, cn_call_why(d->call)));
    CN_TRY(cn_file_write_at(d->rt, f, 0, &data, 1));
    CN_TRY(cn_path_rename(d->rt, from, to));
out:
    cn_file_close(d->rt, f);
    cn_buf_release(&path);
    cn_buf_release(&temporary);
    return err;
}

static void remove_place(daemon_state *d, const char *name)
{
    cn_buf path;
    const char *text = NULL;
    cn_buf_init(&path, d->mem, 64 << 10);
    if (cn_repo_file(cn_call_repo_path(d->call), name, &path) == CN_OK &&
        cn_buf_cstr(&path, &text) == CN_OK) {
        (void)!cn_path_unlink(d->rt, text);
    }
    cn_buf_release(&path);
}

/* Say where everything is: on standard output and in the repo. */
static cn_err announce(daemon_state *d)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < d->servers_len; i++) {
        const cn_listen *l = cn_http_server_listen(d->servers[i]);
        bool is_api = i < d->api_len;
        CN_TRY(say(d, "%s server listening on %s", is_api ? "RPC API" : "Gateway", l->multiaddr));
        if (is_api && i + 1 == d->api_len) {
            const cn_listen *first = cn_http_server_listen(d->servers[0]);
            CN_TRY(write_place(d, "api", first->multiaddr));
            d->wrote_api = true;
            if (first->url[0] != '\0') {
                CN_TRY(say(d, "WebUI: %s/webui", first->url));
            }
        }
    }
    if (d->servers_len > d->api_len) {
        CN_TRY(write_place(d, "gateway", cn_http_server_listen(d->servers[d->api_len])->url));
        d->wrote_gateway = true;
    }
    CN_TRY(say(d, "Daemon is ready"));
out:
    return err;
}

/* --- the network --- */

static cn_err go_online(daemon_state *d)
{
    const char *line = NULL;
    cn_err err = CN_OK;
    if (cn_node_is_offline(d->node)) {
        return say(d, "Swarm not listening, running in offline mode.");
    }
    CN_TRY(cn_online_open(d->call, d->node, &d->online));
    for (size_t i = 0; (line = cn_strings_get(&d->online.lines, i)) != NULL; i++) {
        CN_TRY(say(d, "%s", line));
    }
    CN_TRY(cn_online_start(&d->online, d->node, cn_call_why(d->call)));
out:
    return err;
}

static cn_err start(daemon_state *d)
{
    const cn_identity *identity = NULL;
    cn_err err = CN_OK;
    CN_TRY(say_beginning(d));
    if (cn_call_flag(d->call, "init", NULL)) {
        CN_TRY(make_repo(d));
    }
    CN_TRY(d->host->ops->node(d->host, &d->node, cn_call_why(d->call)));
    d->config = cn_node_config(d->node);
    CN_TRY(cn_buf_reserve(&d->text, d->text.max - 1));
    CN_TRY(cn_node_identity(d->node, &identity, cn_call_why(d->call)));
    CN_TRY(say(d, "PeerID: %s", identity->peer_id));
    CN_TRY(go_online(d));
    CN_TRY(make_handlers(d));
    CN_TRY(serve_all(d, "Addresses.API", true));
    d->api_len = d->servers_len;
    CN_TRY(serve_all(d, "Addresses.Gateway", false));
    CN_TRY(announce(d));
out:
    return err;
}

static void stop(daemon_state *d)
{
    if (d->wrote_api) {
        remove_place(d, "api");
    }
    if (d->wrote_gateway) {
        remove_place(d, "gateway");
    }
    bool ended = true;
    while (d->servers_len > 0) {
        ended = cn_http_server_stop(d->servers[--d->servers_len], STOP_GRACE_NS) && ended;
    }
    cn_online_stop(&d->online);
    if (!ended) { /* a command still uses the node: it cannot be closed, only left */
        (void)!cn_store_flush(cn_node_store(d->node), NULL);
        _exit(1);
    }
    cn_gateway_free(d->gateway);
    cn_rpc_free(d->rpc);
    cn_online_close(&d->online, d->node);
    cn_buf_release(&d->text);
}

static cn_err give_up(void *ctx)
{
    CN_UNUSED(ctx);
    return CN_ERR_BUSY;
}

/*
 * Blocks that a broken-off command left behind get to the disk although no put follows. While
 * somebody writes there is nothing to do: the puts themselves keep the group time.
 */
static void flush_idle(daemon_state *d)
{
    cn_latch_hold hold = {0};
    const cn_latch_wait wait = {give_up, NULL};
    if (cn_latch_exclude(cn_node_latch(d->node), &wait, &hold) == CN_OK) {
        (void)!cn_store_flush(cn_node_store(d->node), NULL); /* the next put tells of it */
        cn_latch_give(&hold);
    }
}

/* Wait for one of `signals`, with a flush now and then. */
static int wait_for_signal(daemon_state *d, const sigset_t *signals)
{
    const struct timespec idle = {.tv_sec = IDLE_FLUSH_S};
    int number = 0;
    while ((number = sigtimedwait(signals, NULL, &idle)) < 0) {
        if (errno == EAGAIN) {
            flush_idle(d);
        }
    }
    return number;
}

cn_err cn_daemon_serve(cn_call_host *h, cn_call *call)
{
    enum { CONFIG_TEXT_MAX = 64 << 10 };
    sigset_t signals;
    sigset_t before;
    int number = 0;
    daemon_state d = {.call = call, .host = h, .rt = h->rt, .mem = h->mem};
    cn_buf_init(&d.text, h->mem, CONFIG_TEXT_MAX);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, &before);
    tune_process(&d);
    cn_err err = start(&d);
    if (err == CN_OK) {
        number = wait_for_signal(&d, &signals);
        (void)signal(SIGINT, SIG_DFL); /* a second one ends the process at once */
        (void)signal(SIGTERM, SIG_DFL);
        (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
        if (number == SIGINT) {
            cn_call_note(
                call, "\nReceived interrupt signal, shutting down...\n(Hit ctrl-c again to "
                      "force-shutdown the daemon.)\n");
        }
    }
    stop(&d);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}
