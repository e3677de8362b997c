/*
 * preload: loaded before a program's libraries (LD_PRELOAD), it fails one call of one function of
 * the C library, whoever makes it: the program, LMDB, libcrypto or the C library itself.
 *
 *   CAIRN_FAIL_CALL    alloc (malloc, calloc, realloc and their like), write (write, writev,
 * pwrite, pwritev), sync (fsync, fdatasync), msync, truncate (ftruncate), allocate (fallocate,
 * posix_fallocate), map (mmap), thread (pthread_create), open (open, openat), read (read, pread)
 *   CAIRN_FAIL_AT      which call fails, from 1; 0 or unset: none, they are only counted
 *   CAIRN_FAIL_ON      set: all calls from that one on fail
 *   CAIRN_FAIL_ERRNO   its number; unset: ENOMEM for alloc, map and thread, else EIO
 *   CAIRN_FAIL_PATH    only calls on files whose path contains this text are counted
 *   CAIRN_FAIL_REPORT  a file of 8 bytes: the calls counted so far, kept up to date at each call,
 * so that it tells the truth after a crash as well
 *   CAIRN_SLOW_READ_MS each pread takes so much longer
 *
 * Calls before the constructor below, the loader's, are passed on uncounted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

typedef enum call {
    NONE,
    ALLOC,
    WRITE,
    SYNC,
    MSYNC,
    TRUNCATE,
    ALLOCATE,
    MAP,
    THREAD,
    OPEN,
    READ,
    CALLS,
} call;

static const char *const names[CALLS] = {"",         "alloc", "write",  "sync", "msync", "truncate",
                                         "allocate", "map",   "thread", "open", "read"};

static call chosen = NONE;
static uint64_t fail_at;
static bool fail_on;
static int fail_errno = EIO;
static unsigned slow_read_us;
static const char *path_part;
static atomic_ullong own_count;
static atomic_ullong *count = &own_count;

static uint64_t number_of(const char *text)
{
    uint64_t n = 0;
    for (; text != NULL && *text >= '0' && *text <= '9'; text++) {
        n = n * 10 + (uint64_t)(*text - '0');
    }
    return n;
}

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("CAIRN_FAIL_CALL");
    const char *report = getenv("CAIRN_FAIL_REPORT");
    const char *number = getenv("CAIRN_FAIL_ERRNO");
    call which = NONE;
    for (int i = 1; name != NULL && i < CALLS; i++) {
        which = strcmp(name, names[i]) == 0 ? (call)i : which;
    }
    if (report != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, report, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        void *map = MAP_FAILED;
        if (fd >= 0 && syscall(SYS_ftruncate, fd, (long)sizeof own_count) == 0) {
            map = (void *)syscall(
                SYS_mmap, NULL, sizeof own_count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        }
        if (map == MAP_FAILED) {
            static const char say[] = "preload: the report cannot be written\n";
            (void)!syscall(SYS_write, 2, say, sizeof say - 1);
            _exit(99);
        }
        (void)syscall(SYS_close, fd);
        count = map;
        atomic_store(count, 0);
    }
    fail_at = number_of(getenv("CAIRN_FAIL_AT"));
    fail_on = getenv("CAIRN_FAIL_ON") != NULL;
    path_part = getenv("CAIRN_FAIL_PATH");
    fail_errno = which == ALLOC || which == MAP || which == THREAD ? ENOMEM : EIO;
    if (number != NULL) {
        fail_errno = (int)number_of(number);
    }
    slow_read_us = (unsigned)number_of(getenv("CAIRN_SLOW_READ_MS")) * 1000;
    chosen = which;
}

/* Count a call; true: it shall fail, errno says how. */
static bool must_fail(call which)
{
    if (which != chosen) {
        return false;
    }
    uint64_t n = atomic_fetch_add(count, 1) + 1;
    if (fail_at == 0 || n < fail_at || (n > fail_at && !fail_on)) {
        return false;
    }
    errno = fail_errno;
    return true;
}

static bool path_fails(call which, const char *path)
{
    return which == chosen && (path_part == NULL || strstr(path, path_part) != NULL) &&
           must_fail(which);
}

static bool fd_fails(call which, int fd)
{
    char link[64];
    char path[4096];
    if (which != chosen) {
        return false;
    }
    if (path_part == NULL) {
        return must_fail(which);
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long len = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (len < 0) {
        return false;
    }
    path[len] = '\0';
    return path_fails(which, path);
}

/* Memory. */

void *malloc(size_t size)
{
    return must_fail(ALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return must_fail(ALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return size > 0 && must_fail(ALLOC) ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return must_fail(ALLOC) ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
    void *p = must_fail(ALLOC) ? NULL : __libc_memalign(align, size);
    if (p == NULL) {
        return ENOMEM;
    }
    *ret = p;
    return 0;
}

/* Files. The calls go straight to the kernel, so that nothing needs to be looked up. */

static ssize_t result_of(long n)
{
    return (ssize_t)n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    return fd_fails(WRITE, fd) ? -1 : result_of(syscall(SYS_write, fd, data, len));
}

ssize_t writev(int fd, const struct iovec *iov, int len)
{
    return fd_fails(WRITE, fd) ? -1 : result_of(syscall(SYS_writev, fd, iov, len));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fd_fails(WRITE, fd) ? -1 : result_of(syscall(SYS_pwrite64, fd, data, len, at));
}
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) __attribute__((alias("pwrite")));

ssize_t pwritev(int fd, const struct iovec *iov, int len, off_t at)
{
    return fd_fails(WRITE, fd) ? -1 : result_of(syscall(SYS_pwritev, fd, iov, len, at, 0L));
}
ssize_t pwritev64(int fd, const struct iovec *iov, int len, off64_t at)
    __attribute__((alias("pwritev")));

ssize_t read(int fd, void *data, size_t len)
{
    return fd_fails(READ, fd) ? -1 : result_of(syscall(SYS_read, fd, data, len));
}

ssize_t pread(int fd, void *data, size_t len, off_t at)
{
    if (slow_read_us > 0) {
        (void)usleep(slow_read_us);
    }
    return fd_fails(READ, fd) ? -1 : result_of(syscall(SYS_pread64, fd, data, len, at));
}
ssize_t pread64(int fd, void *data, size_t len, off64_t at) __attribute__((alias("pread")));

int fsync(int fd)
{
    return fd_fails(SYNC, fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fd_fails(SYNC, fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int msync(void *p, size_t len, int flags)
{
    return must_fail(MSYNC) ? -1 : (int)syscall(SYS_msync, p, len, flags);
}

int ftruncate(int fd, off_t len)
{
    return fd_fails(TRUNCATE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}
int ftruncate64(int fd, off64_t len) __attribute__((alias("ftruncate")));

int fallocate(int fd, int mode, off_t from, off_t len)
{
    return fd_fails(ALLOCATE, fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, from, len);
}
int fallocate64(int fd, int mode, off64_t from, off64_t len) __attribute__((alias("fallocate")));

int posix_fallocate(int fd, off_t from, off_t len)
{
    if (fd_fails(ALLOCATE, fd)) {
        return fail_errno;
    }
    return syscall(SYS_fallocate, fd, 0, from, len) == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off64_t from, off64_t len) __attribute__((alias("posix_fallocate")));

void *mmap(void *p, size_t len, int prot, int flags, int fd, off_t at)
{
    return must_fail(MAP) ? MAP_FAILED : (void *)syscall(SYS_mmap, p, len, prot, flags, fd, at);
}
void *mmap64(void *p, size_t len, int prot, int flags, int fd, off64_t at)
    __attribute__((alias("mmap")));

static int open_file(int dir, const char *path, int flags, va_list more)
{
    int mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, int) : 0;
    return path_fails(OPEN, path) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int fd = open_file(AT_FDCWD, path, flags, more);
    va_end(more);
    return fd;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int dir, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int fd = open_file(dir, path, flags, more);
    va_end(more);
    return fd;
}
int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (must_fail(THREAD)) {
        return EAGAIN;
    }
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    }
    return real(ret, attr, start, arg);
}
