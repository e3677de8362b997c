/*
 * Files: pread, pwritev and friends, whole or with an error. Interrupted calls go on.
 */
#include "rt_os/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { IOV_MAX_USED = 64 };

struct cn_file {
    int fd;
};

static int open_flags(unsigned flags)
{
    int how = O_CLOEXEC;
    how |= (flags & CN_FILE_WRITE) == 0 ? O_RDONLY : (flags & CN_FILE_READ) ? O_RDWR : O_WRONLY;
    how |= (flags & CN_FILE_CREATE) ? O_CREAT : 0;
    how |= (flags & CN_FILE_EXCLUSIVE) ? O_EXCL : 0;
    how |= (flags & CN_FILE_TRUNCATE) ? O_TRUNC : 0;
    how |= (flags & CN_FILE_NOFOLLOW) ? O_NOFOLLOW : 0;
    return how;
}

cn_err cn_os_file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why)
{
    CN_UNUSED(rt);
    cn_file *f = cn_alloc(cn_mem_default(), sizeof *f);
    if (f == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    do {
        f->fd = open(path, open_flags(flags), 0600);
    } while (f->fd < 0 && errno == EINTR);
    if (f->fd < 0) {
        int reason = errno;
        cn_free(cn_mem_default(), f);
        return cn_why_set(
            why, cn_rt_os_err(reason), "cannot open %s: %s", path, strerrordesc_np(reason));
    }
    *ret = f;
    return CN_OK;
}

void cn_os_file_close(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    (void)close(f->fd);
    cn_free(cn_mem_default(), f);
}

cn_err cn_os_file_read_at(
    cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len)
{
    CN_UNUSED(rt);
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(f->fd, data + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return cn_rt_os_err(errno);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *ret_len = done;
    return CN_OK;
}

/* Take `n` written bytes off the front of the list; returns where the rest begins. */
static size_t iov_advance(struct iovec *iov, size_t first, size_t len, size_t n)
{
    while (first < len && n >= iov[first].iov_len) {
        n -= iov[first].iov_len;
        first++;
    }
    if (first < len) {
        iov[first].iov_base = (char *)iov[first].iov_base + n;
        iov[first].iov_len -= n;
    }
    return first;
}

static cn_err write_some(int fd, uint64_t *offset, const cn_slice *parts, size_t parts_len)
{
    struct iovec iov[IOV_MAX_USED];
    for (size_t i = 0; i < parts_len; i++) {
        union {
            const uint8_t *in;
            void *out;
        } unconst = {.in = parts[i].data};
        iov[i] = (struct iovec){unconst.out, parts[i].len};
    }
    size_t first = iov_advance(iov, 0, parts_len, 0);
    while (first < parts_len) {
        ssize_t n = pwritev(fd, iov + first, (int)(parts_len - first), (off_t)*offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? CN_ERR_IO : cn_rt_os_err(errno);
        }
        *offset += (size_t)n;
        first = iov_advance(iov, first, parts_len, (size_t)n);
    }
    return CN_OK;
}

cn_err
cn_os_file_write_at(cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len)
{
    CN_UNUSED(rt);
    for (size_t i = 0; i < parts_len; i += IOV_MAX_USED) {
        size_t n = CN_MIN(parts_len - i, (size_t)IOV_MAX_USED);
        cn_err err = write_some(f->fd, &offset, parts + i, n);
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

cn_err cn_os_file_sync(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    return fdatasync(f->fd) == 0 ? CN_OK : cn_rt_os_err(errno);
}

void cn_os_file_writeback(cn_rt *rt, cn_file *f, uint64_t offset, uint64_t len)
{
    CN_UNUSED(rt);
    (void)sync_file_range(f->fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

cn_err cn_os_file_truncate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    CN_UNUSED(rt);
    return ftruncate(f->fd, (off_t)size_bytes) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_file_size(cn_rt *rt, cn_file *f, uint64_t *ret_bytes)
{
    CN_UNUSED(rt);
    struct stat st;
    if (fstat(f->fd, &st) != 0) {
        return cn_rt_os_err(errno);
    }
    *ret_bytes = (uint64_t)st.st_size;
    return CN_OK;
}

cn_err cn_os_file_allocate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    CN_UNUSED(rt);
    int result = 0;
    do {
        result = fallocate(f->fd, 0, 0, (off_t)size_bytes);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? CN_OK : cn_rt_os_err(errno);
}

/* An open-file-description lock: dies with its holder, and two opens in one process exclude. */
cn_err cn_os_file_lock(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(f->fd, F_OFD_SETLK, &whole) == 0) {
        return CN_OK;
    }
    return errno == EACCES ? CN_ERR_BUSY : cn_rt_os_err(errno);
}

int cn_os_file_fd(cn_rt *rt, cn_file *f)
{
    CN_UNUSED(rt);
    return f->fd;
}

void cn_os_map_forget(cn_rt *rt, const void *map, size_t len)
{
    CN_UNUSED(rt);
    union {
        const void *in;
        void *out;
    } unconst = {.in = map};
    (void)madvise(unconst.out, len, MADV_DONTNEED);
}
