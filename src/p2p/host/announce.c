/*
 * The three lists of addresses lie one after the other in `lists`, their bytes in `bytes`, which is
 * filled before anything is lent out of it.
 */
#include "p2p/host/announce.h"

#include "base/mem.h"

/* Append the addresses of one setting; their ends go to `ends`, for they move until all are read.
 */
static cn_err read_list(
    cn_announce *a, const char *name, const cn_slice *texts, size_t len, size_t *ends, cn_why *why)
{
    cn_err err = CN_OK;
    if (len > CN_ANNOUNCE_MAX) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "Addresses.%s has %zu addresses; at most %d are read", name, len,
            CN_ANNOUNCE_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        err = cn_multiaddr_parse(texts[i], &a->bytes, why);
        if (err != CN_OK) {
            return cn_why_wrap(why, err, "Addresses.%s: ", name);
        }
        ends[i] = a->bytes.len;
    }
    return err;
}

/* A range is written as a multiaddr; what else could be read as one is an address. */
static bool is_range(cn_slice text, cn_ip_range *ret)
{
    return cn_slice_starts(text, cn_str("/")) && cn_ip_range_parse(text, ret, NULL) == CN_OK;
}

/* Split NoAnnounce into ranges and whole addresses. `*ret` has room for all of them. */
static size_t take_masks(cn_announce *a, const cn_announce_config *config, cn_slice *ret)
{
    size_t len = 0;
    for (size_t i = 0; i < config->never_len; i++) {
        cn_ip_range range = {{0}, 0, false};
        if (is_range(config->never[i], &range)) {
            a->masks[a->masks_len++] = range;
        } else {
            ret[len++] = config->never[i];
        }
    }
    return len;
}

static cn_err read_all(
    cn_announce *a, const cn_announce_config *config, size_t *ends, cn_slice *never, cn_why *why)
{
    cn_err err = CN_OK;
    size_t at = 0;
    size_t never_len = take_masks(a, config, never);
    CN_TRY(read_list(a, "Announce", config->announce, config->announce_len, ends, why));
    at += config->announce_len;
    CN_TRY(read_list(a, "AppendAnnounce", config->append, config->append_len, ends + at, why));
    at += config->append_len;
    CN_TRY(read_list(a, "NoAnnounce", never, never_len, ends + at, why));
    a->only_len = config->announce_len;
    a->append_len = config->append_len;
    a->never_len = never_len;
    at += never_len;
    for (size_t i = 0; i < at; i++) {
        size_t begin = i == 0 ? 0 : ends[i - 1];
        a->lists[i] = cn_slice_of(a->bytes.data + begin, ends[i] - begin);
    }
out:
    return err;
}

cn_err cn_announce_init(cn_announce *a, cn_mem *mem, const cn_announce_config *config, cn_why *why)
{
    cn_err err = CN_OK;
    size_t all = config->announce_len + config->append_len + config->never_len;
    size_t *ends = NULL;
    cn_slice *never = NULL;
    *a = (cn_announce){.mem = mem};
    cn_buf_init(&a->bytes, mem, (size_t)3 * CN_ANNOUNCE_MAX * CN_MULTIADDR_MAX_BYTES);
    if (config->never_len > CN_ANNOUNCE_MAX) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "Addresses.NoAnnounce has %zu addresses; at most %d are read",
            config->never_len, CN_ANNOUNCE_MAX);
    }
    a->lists = cn_alloc_array(mem, all, sizeof(*a->lists));
    a->masks = cn_alloc_array(mem, config->never_len, sizeof(*a->masks));
    ends = cn_alloc_array(mem, all, sizeof(*ends));
    never = cn_alloc_array(mem, config->never_len, sizeof(*never));
    if (a->lists == NULL || a->masks == NULL || ends == NULL || never == NULL) {
        err = CN_ERR_NO_MEMORY;
        goto out;
    }
    CN_TRY(read_all(a, config, ends, never, why));
out:
    cn_free(mem, ends);
    cn_free(mem, never);
    if (err != CN_OK) {
        cn_announce_release(a);
    }
    return err;
}

void cn_announce_release(cn_announce *a)
{
    if (a->mem != NULL) {
        cn_free(a->mem, a->lists);
        cn_free(a->mem, a->masks);
        cn_buf_release(&a->bytes);
    }
    *a = (cn_announce){.mem = NULL};
}

static bool is_in(const cn_slice *list, size_t len, cn_slice address)
{
    for (size_t i = 0; i < len; i++) {
        if (cn_slice_eq(list[i], address)) {
            return true;
        }
    }
    return false;
}

static bool is_forbidden(const cn_announce *a, cn_slice address)
{
    cn_slice ip = cn_multiaddr_ip(address);
    for (size_t i = 0; ip.len > 0 && i < a->masks_len; i++) {
        if (cn_ip_range_has(&a->masks[i], ip)) {
            return true;
        }
    }
    return is_in(a->lists + a->only_len + a->append_len, a->never_len, address);
}

/* What is told, as it grows. */
typedef struct told {
    cn_slice *ret;
    size_t max;
    size_t len;
} told;

/* Those of `list` that reach a peer of `scope`; what people wrote reaches all but as loopback. */
static void take(
    const cn_announce *a,
    const cn_slice *list,
    size_t len,
    bool is_written,
    cn_multiaddr_scope scope,
    told *t)
{
    for (size_t i = 0; i < len && t->len < t->max; i++) {
        cn_multiaddr_scope of = cn_multiaddr_scope_of(list[i]);
        bool reaches = is_written ? of != CN_SCOPE_LOOPBACK || scope <= CN_SCOPE_LOOPBACK
                                  : of >= scope && of != CN_SCOPE_NONE;
        if (reaches && !is_forbidden(a, list[i]) && !is_in(t->ret, t->len, list[i])) {
            t->ret[t->len++] = list[i];
        }
    }
}

static void
choose(const cn_announce *a, cn_multiaddr_scope scope, const cn_slice *own, size_t own_len, told *t)
{
    if (a->only_len > 0) {
        take(a, a->lists, a->only_len, true, scope, t);
    } else {
        take(a, own, own_len, false, scope, t);
    }
    take(a, a->lists + a->only_len, a->append_len, true, scope, t);
}

size_t cn_announce_list(
    const cn_announce *a, const cn_slice *own, size_t own_len, cn_slice *ret, size_t max)
{
    told t = {ret, max, 0};
    choose(a, CN_SCOPE_NONE, own, own_len, &t);
    return t.len;
}

size_t cn_announce_to(
    const cn_announce *a,
    cn_slice remote,
    const cn_slice *own,
    size_t own_len,
    cn_slice *ret,
    size_t max)
{
    cn_multiaddr_scope scope = cn_multiaddr_scope_of(remote);
    told t = {ret, max, 0};
    choose(a, scope == CN_SCOPE_NONE ? CN_SCOPE_PUBLIC : scope, own, own_len, &t);
    return t.len;
}
