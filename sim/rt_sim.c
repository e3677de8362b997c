/*
 * The vtable. Work waits in the node's queue until its time has come or it is waited for. Links,
 * times and modes of files are not kept: nothing above asks for them in a run.
 */
#include "sim/rt_sim.h"

#include "sim/disk.h"
#include "sim/world.h"

enum { WORK_NS = 50000 };

static sim_node *self(cn_rt *rt)
{
    return (sim_node *)rt;
}

static cn_time now(cn_rt *rt)
{
    return self(rt)->world->now;
}

/* Runs begin on 2026-01-01. */
static cn_wall wall(cn_rt *rt)
{
    return (cn_wall){1767225600 * CN_NS_PER_S + self(rt)->world->now.ns + self(rt)->skew_ns};
}

static cn_err entropy(cn_rt *rt, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)cn_prng_u32(&self(rt)->chance);
    }
    return CN_OK;
}

static cn_err file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why)
{
    return sim_disk_open(self(rt)->disk, path, flags, ret, why);
}

static void file_close(cn_rt *rt, cn_file *f)
{
    sim_disk_close(self(rt)->disk, f);
}

static cn_err
file_read_at(cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len)
{
    CN_UNUSED(rt);
    return sim_disk_read(f, offset, data, len, ret_len);
}

static cn_err
file_write_at(cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len)
{
    CN_UNUSED(rt);
    return sim_disk_write(f, offset, parts, parts_len);
}

static cn_err file_sync(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    return sim_disk_sync(f);
}

static cn_err file_truncate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    CN_UNUSED(rt);
    return sim_disk_truncate(f, size_bytes);
}

static cn_err file_size(cn_rt *rt, cn_file *f, uint64_t *ret_bytes)
{
    CN_UNUSED(rt);
    *ret_bytes = sim_disk_size(f);
    return CN_OK;
}

static cn_err file_allocate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    CN_UNUSED(rt);
    return size_bytes <= sim_disk_size(f) ? CN_OK : sim_disk_truncate(f, size_bytes);
}

static cn_err file_lock(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    return sim_disk_lock(f);
}

static int file_fd(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    CN_UNUSED(f);
    return -1;
}

static cn_err path_stat(cn_rt *rt, const char *path, cn_path_stat *ret)
{
    return sim_disk_stat(self(rt)->disk, path, ret);
}

static cn_err path_rename(cn_rt *rt, const char *from, const char *to)
{
    return sim_disk_rename(self(rt)->disk, from, to);
}

static cn_err path_unlink(cn_rt *rt, const char *path)
{
    return sim_disk_unlink(self(rt)->disk, path);
}

static cn_err path_mkdir(cn_rt *rt, const char *path, unsigned mode)
{
    CN_UNUSED(mode);
    return sim_disk_mkdir(self(rt)->disk, path);
}

static cn_err path_symlink(cn_rt *rt, const char *path, const char *target)
{
    CN_UNUSED(rt);
    CN_UNUSED(path);
    CN_UNUSED(target);
    return CN_ERR_UNSUPPORTED;
}

static cn_err path_touch(cn_rt *rt, const char *path, const cn_path_stat *as)
{
    CN_UNUSED(as);
    cn_path_stat stat = {0};
    return sim_disk_stat(self(rt)->disk, path, &stat);
}

static cn_err path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes)
{
    CN_UNUSED(rt);
    CN_UNUSED(path);
    *ret_bytes = (uint64_t)1 << 40;
    return CN_OK;
}

static cn_err dir_sync(cn_rt *rt, const char *path)
{
    return sim_disk_sync_dir(self(rt)->disk, path);
}

static cn_err dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx)
{
    return sim_disk_list(self(rt)->disk, path, visit, ctx);
}

static unsigned work_threads(cn_rt *rt)
{
    CN_UNUSED(rt);
    return 1;
}

static void work_submit(cn_rt *rt, cn_work *w)
{
    sim_node *n = self(rt);
    sim *world = n->world;
    w->next = NULL;
    *(n->work_last == NULL ? &n->work_first : &n->work_last->next) = w;
    n->work_last = w;
    int64_t cost_ns = WORK_NS + (int64_t)cn_prng_below(&n->chance, WORK_NS);
    sim_post(
        world, (sim_event){.at_ns = world->now.ns + cost_ns, .kind = SIM_WORK, .node = n->index});
}

/* Take `w` out of the queue; false: it has run. */
static bool take_work(sim_node *n, const cn_work *w)
{
    cn_work *before = NULL;
    for (cn_work *at = n->work_first; at != NULL; before = at, at = at->next) {
        if (at == w) {
            *(before == NULL ? &n->work_first : &before->next) = at->next;
            n->work_last = n->work_last == at ? before : n->work_last;
            return true;
        }
    }
    return false;
}

static void work_wait(cn_rt *rt, cn_work *w)
{
    if (take_work(self(rt), w)) {
        w->run(w);
    }
}

void sim_work(sim_node *n)
{
    cn_work *w = n->work_first;
    if (w != NULL && take_work(n, w)) {
        w->run(w);
    }
}

const cn_rt_ops sim_rt_ops = {
    .now = now,
    .wall = wall,
    .entropy = entropy,
    .file_open = file_open,
    .file_close = file_close,
    .file_read_at = file_read_at,
    .file_write_at = file_write_at,
    .file_sync = file_sync,
    .file_truncate = file_truncate,
    .file_size = file_size,
    .file_allocate = file_allocate,
    .file_lock = file_lock,
    .file_fd = file_fd,
    .path_stat = path_stat,
    .path_rename = path_rename,
    .path_unlink = path_unlink,
    .path_mkdir = path_mkdir,
    .path_symlink = path_symlink,
    .path_touch = path_touch,
    .path_free_bytes = path_free_bytes,
    .dir_sync = dir_sync,
    .dir_list = dir_list,
    .work_threads = work_threads,
    .work_submit = work_submit,
    .work_wait = work_wait,
};
