/*
 * Each path that is opened for writing has a `shadow`: the bytes that were on the disk at its last
 * sync. A power cut mixes them with what the file holds now.
 */
#include "lib/fault_rt.h"

#include "base/prng.h"
#include "rt/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHADOWS_MAX = 256, PIECE = 4096, PATH_ROOM = 256 };

typedef struct shadow {
    char path[PATH_ROOM];
    uint8_t *bytes; /* at the last sync */
    size_t len;
    bool named;   /* its name was synced, or it was there from the start */
    bool touched; /* written since the last sync */
} shadow;

struct cn_file {
    cn_file *inner;
    char path[PATH_ROOM];
};

typedef struct fault_rt {
    cn_rt rt; /* first: cast back from it */
    cn_rt *inner;
    cn_lock *lock;
    fault_kind kind;
    unsigned left;
    cn_err err;
    bool forever, fired;
    uint64_t room;
    bool remembering;
    shadow shadows[SHADOWS_MAX];
    size_t shadows_len;
} fault_rt;

static const char *const names[] = {
    "read",  "write",    "sync", "truncate", "rename", "unlink",
    "mkdir", "dir_sync", "open", "allocate", "any",
};

const char *fault_name(fault_kind kind)
{
    return names[kind];
}

static fault_rt *self(cn_rt *rt)
{
    return (fault_rt *)rt;
}

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

/* The error that this operation shall end with, or CN_OK. */
static cn_err strike(cn_rt *rt, fault_kind kind)
{
    fault_rt *f = self(rt);
    cn_err err = CN_OK;
    cn_lock_take(f->lock);
    if (f->fired && f->forever) {
        err = f->err;
    } else if (f->left > 0 && (f->kind == kind || f->kind == FAULT_ANY) && --f->left == 0) {
        f->fired = true;
        err = f->err;
    }
    cn_lock_give(f->lock);
    return err;
}

/* Lock held. */
static shadow *shadow_of(fault_rt *f, const char *path)
{
    for (size_t i = 0; i < f->shadows_len; i++) {
        if (strcmp(f->shadows[i].path, path) == 0) {
            return &f->shadows[i];
        }
    }
    return NULL;
}

static size_t read_whole(const char *path, uint8_t **ret)
{
    FILE *in = fopen(path, "rb");
    *ret = NULL;
    if (in == NULL) {
        return 0;
    }
    must(fseek(in, 0, SEEK_END) == 0);
    size_t len = (size_t)ftell(in);
    *ret = cn_alloc_dirty(cn_mem_default(), len + 1);
    must(*ret != NULL && fseek(in, 0, SEEK_SET) == 0 && fread(*ret, 1, len, in) == len);
    must(fclose(in) == 0);
    return len;
}

/* What is in the file now counts as being on the disk. Lock held. */
static void take_shadow(shadow *s)
{
    cn_free(cn_mem_default(), s->bytes);
    s->len = read_whole(s->path, &s->bytes);
    s->touched = false;
}

static void remember_open(fault_rt *f, const char *path, unsigned flags, bool was_there)
{
    cn_lock_take(f->lock);
    shadow *s = shadow_of(f, path);
    if (f->remembering && (flags & CN_FILE_WRITE) != 0 && s == NULL) {
        must(f->shadows_len < SHADOWS_MAX);
        s = &f->shadows[f->shadows_len++];
        *s = (shadow){.named = was_there};
        (void)snprintf(s->path, sizeof s->path, "%s", path);
        take_shadow(s);
    }
    if (s != NULL && (flags & CN_FILE_TRUNCATE) != 0) {
        s->touched = true;
    }
    cn_lock_give(f->lock);
}

static cn_err file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why)
{
    fault_rt *f = self(rt);
    cn_err err = strike(rt, FAULT_OPEN);
    if (err != CN_OK) {
        return cn_why_set(why, err, "cannot open %s: %s", path, cn_err_sentence(err));
    }
    bool was_there = access(path, F_OK) == 0;
    cn_file *file = cn_alloc(cn_mem_default(), sizeof *file);
    must(file != NULL && strlen(path) < PATH_ROOM);
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    if (was_there) {
        remember_open(f, path, flags, true);
    }
    err = cn_file_open(f->inner, path, flags, &file->inner, why);
    if (err != CN_OK) {
        cn_free(cn_mem_default(), file);
        return err;
    }
    if (!was_there) {
        remember_open(f, path, flags, false);
    }
    *ret = file;
    return CN_OK;
}

static void file_close(cn_rt *rt, cn_file *file)
{
    cn_file_close(self(rt)->inner, file->inner);
    cn_free(cn_mem_default(), file);
}

static cn_err
file_read_at(cn_rt *rt, cn_file *file, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len)
{
    cn_err err = strike(rt, FAULT_READ);
    return err != CN_OK ? err
                        : cn_file_read_at(self(rt)->inner, file->inner, offset, data, len, ret_len);
}

static void touch(fault_rt *f, const char *path)
{
    cn_lock_take(f->lock);
    shadow *s = shadow_of(f, path);
    if (s != NULL) {
        s->touched = true;
    }
    cn_lock_give(f->lock);
}

/* Is there room for the file to grow to `end`? */
static bool take_room(fault_rt *f, cn_file *file, uint64_t end)
{
    uint64_t size = 0;
    bool good = true;
    if (f->room == UINT64_MAX || cn_file_size(f->inner, file->inner, &size) != CN_OK) {
        return true;
    }
    cn_lock_take(f->lock);
    if (end > size) {
        good = end - size <= f->room;
        f->room -= good ? end - size : 0;
    }
    cn_lock_give(f->lock);
    return good;
}

static void give_room(fault_rt *f, uint64_t bytes)
{
    cn_lock_take(f->lock);
    f->room += f->room == UINT64_MAX ? 0 : bytes;
    cn_lock_give(f->lock);
}

static cn_err
file_write_at(cn_rt *rt, cn_file *file, uint64_t offset, const cn_slice *parts, size_t parts_len)
{
    fault_rt *f = self(rt);
    uint64_t end = offset;
    cn_err err = strike(rt, FAULT_WRITE);
    for (size_t i = 0; i < parts_len; i++) {
        end += parts[i].len;
    }
    if (err == CN_OK && !take_room(f, file, end)) {
        err = CN_ERR_NO_SPACE;
    }
    touch(f, file->path);
    if (err != CN_OK && parts_len > 1) {
        /* a failed write has written a part of it */
        (void)!cn_file_write_at(f->inner, file->inner, offset, parts, parts_len - 1);
    }
    return err != CN_OK ? err : cn_file_write_at(f->inner, file->inner, offset, parts, parts_len);
}

static cn_err file_sync(cn_rt *rt, cn_file *file)
{
    fault_rt *f = self(rt);
    cn_err err = strike(rt, FAULT_SYNC);
    if (err != CN_OK) {
        return err;
    }
    cn_lock_take(f->lock);
    shadow *s = shadow_of(f, file->path);
    if (s != NULL) {
        take_shadow(s);
    }
    cn_lock_give(f->lock);
    return CN_OK;
}

static cn_err file_truncate(cn_rt *rt, cn_file *file, uint64_t size_bytes)
{
    fault_rt *f = self(rt);
    uint64_t size = 0;
    cn_err err = strike(rt, FAULT_TRUNCATE);
    if (err == CN_OK && cn_file_size(f->inner, file->inner, &size) == CN_OK && size > size_bytes) {
        give_room(f, size - size_bytes);
    }
    touch(f, file->path);
    return err != CN_OK ? err : cn_file_truncate(f->inner, file->inner, size_bytes);
}

static cn_err file_size(cn_rt *rt, cn_file *file, uint64_t *ret_bytes)
{
    return cn_file_size(self(rt)->inner, file->inner, ret_bytes);
}

static cn_err file_allocate(cn_rt *rt, cn_file *file, uint64_t size_bytes)
{
    cn_err err = strike(rt, FAULT_ALLOCATE);
    if (err == CN_OK && !take_room(self(rt), file, size_bytes)) {
        err = CN_ERR_NO_SPACE;
    }
    return err != CN_OK ? err : cn_file_allocate(self(rt)->inner, file->inner, size_bytes);
}

static cn_err file_lock(cn_rt *rt, cn_file *file)
{
    return cn_file_lock(self(rt)->inner, file->inner);
}

static int file_fd(cn_rt *rt, cn_file *file)
{
    return cn_file_fd(self(rt)->inner, file->inner);
}

static cn_err path_stat(cn_rt *rt, const char *path, cn_path_stat *ret)
{
    return cn_path_stat_of(self(rt)->inner, path, ret);
}

static cn_err path_rename(cn_rt *rt, const char *from, const char *to)
{
    fault_rt *f = self(rt);
    cn_err err = strike(rt, FAULT_RENAME);
    err = err != CN_OK ? err : cn_path_rename(f->inner, from, to);
    if (err == CN_OK) {
        cn_lock_take(f->lock);
        shadow *old = shadow_of(f, to);
        shadow *s = shadow_of(f, from);
        if (old != NULL) {
            old->path[0] = '\0';
        }
        if (s != NULL) {
            (void)snprintf(s->path, sizeof s->path, "%s", to);
        }
        cn_lock_give(f->lock);
    }
    return err;
}

static cn_err path_unlink(cn_rt *rt, const char *path)
{
    fault_rt *f = self(rt);
    cn_path_stat st = {0};
    cn_err err = strike(rt, FAULT_UNLINK);
    bool there = cn_path_stat_of(f->inner, path, &st) == CN_OK;
    err = err != CN_OK ? err : cn_path_unlink(f->inner, path);
    if (err == CN_OK && there) {
        give_room(f, st.size_bytes);
        cn_lock_take(f->lock);
        shadow *s = shadow_of(f, path);
        if (s != NULL) {
            s->path[0] = '\0';
        }
        cn_lock_give(f->lock);
    }
    return err;
}

static cn_err path_mkdir(cn_rt *rt, const char *path, unsigned mode)
{
    cn_err err = strike(rt, FAULT_MKDIR);
    return err != CN_OK ? err : cn_path_mkdir(self(rt)->inner, path, mode);
}

static cn_err path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes)
{
    fault_rt *f = self(rt);
    if (f->room != UINT64_MAX) {
        *ret_bytes = f->room;
        return CN_OK;
    }
    return cn_path_free_bytes(f->inner, path, ret_bytes);
}

static cn_err dir_sync(cn_rt *rt, const char *path)
{
    fault_rt *f = self(rt);
    CN_UNUSED(path);
    cn_err err = strike(rt, FAULT_DIR_SYNC);
    if (err == CN_OK) {
        cn_lock_take(f->lock);
        for (size_t i = 0; i < f->shadows_len; i++) {
            f->shadows[i].named = true;
        }
        cn_lock_give(f->lock);
    }
    return err;
}

static cn_err dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx)
{
    return cn_dir_list(self(rt)->inner, path, visit, ctx);
}

static cn_time now(cn_rt *rt)
{
    return cn_rt_now(self(rt)->inner);
}

static cn_wall wall(cn_rt *rt)
{
    return cn_rt_wall(self(rt)->inner);
}

static cn_err entropy(cn_rt *rt, uint8_t *data, size_t len)
{
    return cn_rt_entropy(self(rt)->inner, data, len);
}

static unsigned work_threads(cn_rt *rt)
{
    return cn_rt_work_threads(self(rt)->inner);
}

static void work_submit(cn_rt *rt, cn_work *w)
{
    cn_rt_work_submit(self(rt)->inner, w);
}

static void work_wait(cn_rt *rt, cn_work *w)
{
    cn_rt_work_wait(self(rt)->inner, w);
}

static const cn_rt_ops fault_ops = {
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
    .path_free_bytes = path_free_bytes,
    .dir_sync = dir_sync,
    .dir_list = dir_list,
    .work_threads = work_threads,
    .work_submit = work_submit,
    .work_wait = work_wait,
};

cn_rt *fault_rt_new(cn_rt *inner)
{
    fault_rt *f = cn_alloc(cn_mem_default(), sizeof *f);
    must(f != NULL && cn_lock_new(cn_mem_default(), &f->lock) == CN_OK);
    f->rt.ops = &fault_ops;
    f->inner = inner;
    f->room = UINT64_MAX;
    return &f->rt;
}

static void forget_shadows(fault_rt *f)
{
    for (size_t i = 0; i < f->shadows_len; i++) {
        cn_free(cn_mem_default(), f->shadows[i].bytes);
    }
    f->shadows_len = 0;
}

void fault_rt_free(cn_rt *rt)
{
    fault_rt *f = self(rt);
    if (f != NULL) {
        forget_shadows(f);
        cn_lock_free(f->lock);
        cn_free(cn_mem_default(), f);
    }
}

void fault_rt_set(cn_rt *rt, fault_kind kind, unsigned n, cn_err err, bool forever)
{
    fault_rt *f = self(rt);
    cn_lock_take(f->lock);
    f->kind = kind;
    f->left = n;
    f->err = err;
    f->forever = forever;
    f->fired = false;
    cn_lock_give(f->lock);
}

bool fault_rt_fired(cn_rt *rt)
{
    return self(rt)->fired;
}

void fault_rt_room(cn_rt *rt, uint64_t bytes)
{
    self(rt)->room = bytes;
}

void fault_rt_remember(cn_rt *rt)
{
    forget_shadows(self(rt));
    self(rt)->remembering = true;
}

/* Mix what was on the disk with what was written since. */
static void cut_one(const shadow *s, cn_prng *prng)
{
    uint8_t *now_bytes = NULL;
    size_t len = read_whole(s->path, &now_bytes);
    size_t shorter = CN_MIN(len, s->len);
    size_t end = shorter + (size_t)cn_prng_below(prng, CN_MAX(len, s->len) - shorter + 1);
    unsigned how = (unsigned)cn_prng_below(prng, 3); /* kept, lost, torn */
    end = how == 0 ? len : how == 1 ? s->len : end;
    FILE *out = fopen(s->path, "wb");
    must(out != NULL);
    for (size_t at = 0; at < end; at += PIECE) {
        bool keep = how == 0 || (how == 2 && cn_prng_below(prng, 2) == 0);
        for (size_t i = at; i < CN_MIN(end, at + PIECE); i++) {
            uint8_t before = i < s->len ? s->bytes[i] : 0;
            uint8_t after = i < len ? now_bytes[i] : 0;
            must(fputc(keep ? after : before, out) != EOF);
        }
    }
    must(fclose(out) == 0);
    cn_free(cn_mem_default(), now_bytes);
}

void fault_rt_power_cut(cn_rt *rt, uint64_t seed)
{
    fault_rt *f = self(rt);
    cn_prng prng;
    cn_prng_init(&prng, seed);
    for (size_t i = 0; i < f->shadows_len; i++) {
        const shadow *s = &f->shadows[i];
        if (s->path[0] == '\0' || access(s->path, F_OK) != 0) {
            continue;
        }
        if (!s->named && cn_prng_below(&prng, 2) == 0) {
            must(unlink(s->path) == 0);
        } else if (s->touched) {
            cut_one(s, &prng);
        }
    }
    forget_shadows(f);
    f->remembering = false;
    fault_rt_set(rt, FAULT_ANY, 0, CN_OK, false);
    f->room = UINT64_MAX;
}
