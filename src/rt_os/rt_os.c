/*
 * The vtable of the real world, its clocks and its entropy.
 */
#include "rt_os/internal.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t = {0};
    CN_ASSERT(clock_gettime(clock, &t) == 0);
    return (int64_t)t.tv_sec * CN_NS_PER_S + t.tv_nsec;
}

static cn_time now(cn_rt *rt)
{
    CN_UNUSED(rt);
    return (cn_time){clock_ns(CLOCK_MONOTONIC)};
}

static cn_wall wall(cn_rt *rt)
{
    CN_UNUSED(rt);
    return (cn_wall){clock_ns(CLOCK_REALTIME)};
}

static cn_err entropy(cn_rt *rt, uint8_t *data, size_t len)
{
    CN_UNUSED(rt);
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom(data + done, len - done, 0);
        if (n < 0 && errno != EINTR) {
            return CN_ERR_IO;
        }
        done += n < 0 ? 0 : (size_t)n;
    }
    return CN_OK;
}

static const cn_rt_ops os_ops = {
    .now = now,
    .wall = wall,
    .entropy = entropy,
    .file_open = cn_os_file_open,
    .file_close = cn_os_file_close,
    .file_read_at = cn_os_file_read_at,
    .file_write_at = cn_os_file_write_at,
    .file_sync = cn_os_file_sync,
    .file_writeback = cn_os_file_writeback,
    .file_truncate = cn_os_file_truncate,
    .file_size = cn_os_file_size,
    .file_allocate = cn_os_file_allocate,
    .file_lock = cn_os_file_lock,
    .file_fd = cn_os_file_fd,
    .map_forget = cn_os_map_forget,
    .path_stat = cn_os_path_stat,
    .path_rename = cn_os_path_rename,
    .path_unlink = cn_os_path_unlink,
    .path_mkdir = cn_os_path_mkdir,
    .path_symlink = cn_os_path_symlink,
    .path_touch = cn_os_path_touch,
    .path_free_bytes = cn_os_path_free_bytes,
    .dir_sync = cn_os_dir_sync,
    .dir_list = cn_os_dir_list,
    .work_threads = cn_pool_work_threads,
    .work_submit = cn_pool_work_submit,
    .work_wait = cn_pool_work_wait,
};

cn_err cn_rt_os_new(unsigned threads, cn_rt **ret)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    cn_rt_os *os = cn_alloc(cn_mem_default(), sizeof *os);
    if (os == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    os->rt.ops = &os_ops;
    if (threads == 0) {
        threads = processors < 1 ? 1 : (unsigned)processors;
    }
    cn_err err = cn_pool_init(&os->pool, CN_MIN(threads, (unsigned)CN_POOL_THREADS_MAX));
    if (err != CN_OK) {
        cn_free(cn_mem_default(), os);
        return err;
    }
    *ret = &os->rt;
    return CN_OK;
}

void cn_rt_os_free(cn_rt *rt)
{
    cn_rt_os *os = (cn_rt_os *)rt;
    if (os != NULL) {
        cn_pool_release(&os->pool);
        cn_free(cn_mem_default(), os);
    }
}

cn_err cn_rt_os_err(int errno_value)
{
    switch (errno_value) {
    case 0:
        return CN_OK;
    case ENOMEM:
        return CN_ERR_NO_MEMORY;
    case ENOENT:
    case ENOTDIR:
        return CN_ERR_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return CN_ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return CN_ERR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CN_ERR_NO_SPACE;
    case EISDIR:
    case ELOOP:
        return CN_ERR_WRONG_TYPE;
    case EAGAIN:
    case EBUSY:
        return CN_ERR_BUSY;
    case EMFILE:
    case ENFILE:
        return CN_ERR_FILES;
    case EOPNOTSUPP:
        return CN_ERR_UNSUPPORTED;
    default:
        return CN_ERR_IO;
    }
}

int64_t cn_rt_os_pid(void)
{
    return getpid();
}
