/*
 * Paths and folders.
 */
#include "rt_os/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static cn_path_kind kind_of(mode_t mode)
{
    return S_ISREG(mode)   ? CN_PATH_FILE
           : S_ISDIR(mode) ? CN_PATH_DIR
           : S_ISLNK(mode) ? CN_PATH_SYMLINK
                           : CN_PATH_OTHER;
}

cn_err cn_os_path_stat(cn_rt *rt, const char *path, cn_path_stat *ret)
{
    CN_UNUSED(rt);
    struct stat st;
    if (lstat(path, &st) != 0) {
        return cn_rt_os_err(errno);
    }
    *ret = (cn_path_stat){
        .kind = kind_of(st.st_mode),
        .size_bytes = (uint64_t)st.st_size,
        .mode = st.st_mode & 07777,
        .mtime_s = st.st_mtim.tv_sec,
        .mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
    };
    return CN_OK;
}

cn_err cn_os_path_rename(cn_rt *rt, const char *from, const char *to)
{
    CN_UNUSED(rt);
    return rename(from, to) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_path_unlink(cn_rt *rt, const char *path)
{
    CN_UNUSED(rt);
    return remove(path) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_path_mkdir(cn_rt *rt, const char *path, unsigned mode)
{
    CN_UNUSED(rt);
    return mkdir(path, mode) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_path_symlink(cn_rt *rt, const char *path, const char *target)
{
    CN_UNUSED(rt);
    return symlink(target, path) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_path_touch(cn_rt *rt, const char *path, const cn_path_stat *as)
{
    CN_UNUSED(rt);
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT}, {.tv_sec = as->mtime_s, .tv_nsec = (long)as->mtime_ns}};
    if (as->kind != CN_PATH_SYMLINK && chmod(path, as->mode & 07777) != 0) {
        return cn_rt_os_err(errno);
    }
    return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 ? CN_OK : cn_rt_os_err(errno);
}

cn_err cn_os_path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes)
{
    CN_UNUSED(rt);
    struct statvfs st;
    if (statvfs(path, &st) != 0) {
        return cn_rt_os_err(errno);
    }
    *ret_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return CN_OK;
}

cn_err cn_os_dir_sync(cn_rt *rt, const char *path)
{
    CN_UNUSED(rt);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return cn_rt_os_err(errno);
    }
    cn_err err = fsync(fd) == 0 ? CN_OK : cn_rt_os_err(errno);
    (void)close(fd);
    return err;
}

/* The kind of a name; asks the file system where the listing does not say. */
static cn_path_kind entry_kind(int folder, const struct dirent *entry)
{
    struct stat st;
    switch (entry->d_type) {
    case DT_REG:
        return CN_PATH_FILE;
    case DT_DIR:
        return CN_PATH_DIR;
    case DT_LNK:
        return CN_PATH_SYMLINK;
    case DT_UNKNOWN:
        if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            return kind_of(st.st_mode);
        }
        return CN_PATH_OTHER;
    default:
        return CN_PATH_OTHER;
    }
}

cn_err cn_os_dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx)
{
    CN_UNUSED(rt);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return cn_rt_os_err(errno);
    }
    cn_err err = CN_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            err = cn_rt_os_err(errno);
            break;
        }
        cn_slice name = cn_str(entry->d_name);
        if (cn_slice_is(name, ".") || cn_slice_is(name, "..")) {
            continue;
        }
        err = visit(ctx, entry->d_name, entry_kind(dirfd(dir), entry));
        if (err != CN_OK) {
            break;
        }
    }
    (void)closedir(dir);
    return err;
}
