/*
 * The named face of the rt vtable, and two conveniences built from it.
 */
#include "rt/rt.h"

enum { READ_PIECE_BYTES = 64 * 1024 };

cn_time cn_rt_now(cn_rt *rt)
{
    return rt->ops->now(rt);
}

cn_wall cn_rt_wall(cn_rt *rt)
{
    return rt->ops->wall(rt);
}

cn_err cn_rt_entropy(cn_rt *rt, uint8_t *data, size_t len)
{
    return rt->ops->entropy(rt, data, len);
}

cn_err cn_file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why)
{
    return rt->ops->file_open(rt, path, flags, ret, why);
}

void cn_file_close(cn_rt *rt, cn_file *f)
{
    if (f != NULL) {
        rt->ops->file_close(rt, f);
    }
}

cn_err
cn_file_read_at(cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len)
{
    return rt->ops->file_read_at(rt, f, offset, data, len, ret_len);
}

cn_err
cn_file_write_at(cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len)
{
    return rt->ops->file_write_at(rt, f, offset, parts, parts_len);
}

cn_err cn_file_sync(cn_rt *rt, cn_file *f)
{
    return rt->ops->file_sync(rt, f);
}

void cn_file_writeback(cn_rt *rt, cn_file *f, uint64_t offset, uint64_t len)
{
    if (rt->ops->file_writeback != NULL) {
        rt->ops->file_writeback(rt, f, offset, len);
    }
}

cn_err cn_file_truncate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    return rt->ops->file_truncate(rt, f, size_bytes);
}

cn_err cn_file_size(cn_rt *rt, cn_file *f, uint64_t *ret_bytes)
{
    return rt->ops->file_size(rt, f, ret_bytes);
}

cn_err cn_file_allocate(cn_rt *rt, cn_file *f, uint64_t size_bytes)
{
    return rt->ops->file_allocate(rt, f, size_bytes);
}

cn_err cn_file_lock(cn_rt *rt, cn_file *f)
{
    return rt->ops->file_lock(rt, f);
}

int cn_file_fd(cn_rt *rt, cn_file *f)
{
    return rt->ops->file_fd(rt, f);
}

cn_err cn_path_stat_of(cn_rt *rt, const char *path, cn_path_stat *ret)
{
    return rt->ops->path_stat(rt, path, ret);
}

cn_err cn_path_rename(cn_rt *rt, const char *from, const char *to)
{
    return rt->ops->path_rename(rt, from, to);
}

cn_err cn_path_unlink(cn_rt *rt, const char *path)
{
    return rt->ops->path_unlink(rt, path);
}

cn_err cn_path_mkdir(cn_rt *rt, const char *path, unsigned mode)
{
    return rt->ops->path_mkdir(rt, path, mode);
}

cn_err cn_path_symlink(cn_rt *rt, const char *path, const char *target)
{
    return rt->ops->path_symlink(rt, path, target);
}

cn_err cn_path_touch(cn_rt *rt, const char *path, const cn_path_stat *as)
{
    return rt->ops->path_touch(rt, path, as);
}

cn_err cn_path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes)
{
    return rt->ops->path_free_bytes(rt, path, ret_bytes);
}

cn_err cn_dir_sync(cn_rt *rt, const char *path)
{
    return rt->ops->dir_sync(rt, path);
}

cn_err cn_dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx)
{
    return rt->ops->dir_list(rt, path, visit, ctx);
}

void cn_rt_map_forget(cn_rt *rt, const void *map, size_t len)
{
    if (rt->ops->map_forget != NULL) {
        rt->ops->map_forget(rt, map, len);
    }
}

unsigned cn_rt_work_threads(cn_rt *rt)
{
    return rt->ops->work_threads(rt);
}

void cn_rt_work_submit(cn_rt *rt, cn_work *w)
{
    rt->ops->work_submit(rt, w);
}

void cn_rt_work_wait(cn_rt *rt, cn_work *w)
{
    rt->ops->work_wait(rt, w);
}

cn_err cn_rt_read_file(cn_rt *rt, const char *path, cn_buf *ret, cn_why *why)
{
    cn_file *f = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_file_open(rt, path, CN_FILE_READ, &f, why));
    for (uint64_t offset = 0;;) {
        size_t room = CN_MIN(ret->max - ret->len, (size_t)READ_PIECE_BYTES);
        uint8_t probe = 0;
        size_t got = 0;
        if (room == 0) {
            CN_TRY(cn_file_read_at(rt, f, offset, &probe, 1, &got));
            err = got == 0 ? CN_OK : cn_why_set(why, CN_ERR_TOO_LARGE, "%s is too large", path);
            goto out;
        }
        CN_TRY(cn_buf_reserve(ret, room));
        CN_TRY(cn_file_read_at(rt, f, offset, ret->data + ret->len, room, &got));
        ret->len += got;
        offset += got;
        if (got < room) {
            break;
        }
    }
out:
    cn_file_close(rt, f);
    return err;
}

/* The folder that holds `path`, as an owned string; NULL if out of memory. */
static char *folder_of(const char *path)
{
    cn_slice s = cn_str(path);
    while (s.len > 0 && s.data[s.len - 1] != '/') {
        s.len--;
    }
    if (s.len == 0) {
        return cn_strdup(cn_mem_default(), ".", 1);
    }
    return cn_strdup(cn_mem_default(), path, s.len);
}

cn_err cn_rt_write_file(cn_rt *rt, const char *path, cn_slice data, cn_why *why)
{
    cn_file *f = NULL;
    cn_buf temporary = {0};
    const char *name = NULL;
    bool made = false;
    char *folder = folder_of(path);
    cn_err err = folder == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    unsigned flags = CN_FILE_WRITE | CN_FILE_CREATE | CN_FILE_TRUNCATE;
    cn_buf_init(&temporary, cn_mem_default(), 64 * 1024);
    CN_TRY(err);
    CN_TRY(cn_buf_printf(&temporary, "%s.new", path));
    CN_TRY(cn_buf_cstr(&temporary, &name));
    CN_TRY(cn_file_open(rt, name, flags, &f, why));
    made = true;
    CN_TRY(cn_file_write_at(rt, f, 0, &data, 1));
    CN_TRY(cn_file_sync(rt, f));
    CN_TRY(cn_path_rename(rt, name, path));
    made = false;
    CN_TRY(cn_dir_sync(rt, folder));
out:
    cn_file_close(rt, f);
    if (made) {
        (void)!cn_path_unlink(rt, name);
    }
    if (err != CN_OK && (why == NULL || why->text[0] == '\0')) {
        (void)cn_why_set(why, err, "cannot write %s: %s", path, cn_err_sentence(err));
    }
    cn_buf_release(&temporary);
    cn_free(cn_mem_default(), folder);
    return err;
}
