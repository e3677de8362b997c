/*
 * The map starts at 1 TiB of address space and is halved until the kernel agrees; nothing is
 * reserved on the disk by that. A file that is shorter than its pages claim is refused before
 * anything is read through the map, where it would mean SIGBUS.
 */
#include "store/lmdb_env.h"

#include <errno.h>

#define MAP_BYTES_FIRST ((size_t)1 << 40)
#define MAP_BYTES_LEAST ((size_t)1 << 24)
enum {
    FILE_MODE = 0600,
    READERS_MAX = 1024,
    DATABASES_MAX = 4,
    LOCK_BYTES = 68 << 10, /* READERS_MAX lines of 64 bytes and a head */
};

cn_err cn_lmdb_err(int result)
{
    switch (result) {
    case MDB_SUCCESS:
        return CN_OK;
    case MDB_NOTFOUND:
    case ENOENT:
        return CN_ERR_NOT_FOUND;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_DBI:
    case MDB_BAD_TXN:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case EINVAL: /* a page number that is none */
        return CN_ERR_CORRUPT;
    case ENOMEM:
        return CN_ERR_NO_MEMORY;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CN_ERR_NO_SPACE;
    case EMFILE:
    case ENFILE:
        return CN_ERR_FILES;
    case EACCES:
    case EPERM:
    case EROFS:
        return CN_ERR_PERMISSION;
    default:
        return CN_ERR_IO;
    }
}

/* LMDB is about to end the process. */
static void on_assert(MDB_env *env, const char *text)
{
    CN_UNUSED(env);
    CN_UNUSED(text);
    cn_trap_fault();
}

static int open_once(cn_lmdb *l, size_t map_bytes)
{
    int result = mdb_env_create(&l->env);
    if (result == 0) {
        result = mdb_env_set_assert(l->env, on_assert);
    }
    if (result == 0) {
        result = mdb_env_set_maxdbs(l->env, DATABASES_MAX);
    }
    if (result == 0) {
        result = mdb_env_set_maxreaders(l->env, READERS_MAX);
    }
    if (result == 0) {
        result = mdb_env_set_mapsize(l->env, map_bytes);
    }
    if (result == 0) {
        result = mdb_env_open(l->env, l->path, l->flags | MDB_NOSUBDIR | MDB_NOTLS, FILE_MODE);
    }
    if (result != 0 && l->env != NULL) {
        mdb_env_close(l->env);
        l->env = NULL;
    }
    return result;
}

uint64_t cn_lmdb_bytes(cn_lmdb *l)
{
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    cn_lock_take(l->lock);
    bool known =
        l->env != NULL && mdb_env_info(l->env, &info) == 0 && mdb_env_stat(l->env, &stat) == 0;
    cn_lock_give(l->lock);
    return known ? (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize : 0;
}

void cn_lmdb_forget_pages(cn_lmdb *l, const void *value)
{
    MDB_stat stat = {0};
    uint64_t page_number = 0;
    if (mdb_env_stat(l->env, &stat) != 0) {
        return;
    }
    /* each page of the map begins with its own number */
    size_t in_page = (uintptr_t)value % stat.ms_psize;
    const uint8_t *page = (const uint8_t *)value - in_page;
    cn_copy(&page_number, page, sizeof page_number);
    uint64_t bytes = cn_lmdb_bytes(l);
    if (page_number * stat.ms_psize < bytes) {
        cn_rt_map_forget(l->rt, page - page_number * stat.ms_psize, (size_t)bytes);
    }
}

void cn_lmdb_enter(cn_lmdb *l)
{
    cn_trap_set(l->trap);
}

void cn_lmdb_leave(void)
{
    cn_trap_set(NULL);
}

void cn_lmdb_distrust(cn_lmdb *l)
{
    if (l->aside != NULL && !atomic_exchange(&l->damaged, true)) {
        (void)!cn_path_rename(l->rt, l->path, l->aside);
    }
}

cn_err cn_lmdb_judge(cn_lmdb *l, cn_err err)
{
    if (err == CN_ERR_CORRUPT) {
        cn_lmdb_distrust(l);
    }
    return err;
}

/* LMDB writes to its lock file through a map: without room on the disk that is a SIGBUS. */
static cn_err make_lock_file(cn_lmdb *l)
{
    cn_buf path;
    const char *name = NULL;
    cn_file *f = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&path, l->mem, 1 << 16);
    CN_TRY(cn_buf_printf(&path, "%s-lock", l->path));
    CN_TRY(cn_buf_cstr(&path, &name));
    CN_TRY(cn_file_open(l->rt, name, CN_FILE_READ | CN_FILE_WRITE | CN_FILE_CREATE, &f, NULL));
    err = cn_file_allocate(l->rt, f, LOCK_BYTES);
    err = err == CN_ERR_NO_SPACE ? err : CN_OK; /* a file system that cannot is none of ours */
out:
    cn_file_close(l->rt, f);
    cn_buf_release(&path);
    return err;
}

/* Is the file as long as its pages say? */
static cn_err check_length(cn_lmdb *l)
{
    cn_path_stat st = {0};
    cn_err err = cn_path_stat_of(l->rt, l->path, &st);
    if (err == CN_OK && st.size_bytes < cn_lmdb_bytes(l)) {
        err = CN_ERR_CORRUPT;
    }
    return err;
}

cn_err cn_lmdb_open(cn_lmdb *l, cn_mem *mem, cn_rt *rt, const cn_lmdb_options *options, cn_why *why)
{
    const char *path = options->path;
    size_t first = options->map_bytes == 0 ? MAP_BYTES_FIRST : options->map_bytes;
    cn_err err = CN_OK;
    int result = 0;
    int dead = 0;
    size_t map = 0;
    *l = (cn_lmdb){.mem = mem, .rt = rt, .flags = options->flags};
    CN_TRY(cn_lock_new(mem, &l->writing));
    CN_TRY(cn_lock_new(mem, &l->lock));
    CN_TRY(cn_cond_new(mem, &l->idle));
    l->path = cn_strdup(mem, path, cn_str(path).len);
    CN_TRY(l->path == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    if (options->aside != NULL) {
        l->aside = cn_strdup(mem, options->aside, cn_str(options->aside).len);
        CN_TRY(l->aside == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    }
    l->trap = cn_trap_new(l->path, l->aside);
    CN_TRY(make_lock_file(l));
    cn_lmdb_enter(l);
    for (map = first;; map /= 2) {
        result = open_once(l, map);
        if (result != ENOMEM || map <= MAP_BYTES_LEAST) {
            break;
        }
    }
    l->map_bytes = map;
    CN_TRY(cn_lmdb_err(result));
    CN_TRY(check_length(l));
    CN_TRY(cn_lmdb_err(mdb_reader_check(l->env, &dead)));
out:
    cn_lmdb_leave();
    if (err != CN_OK) {
        (void)cn_why_set(
            why, err, "cannot open %s: %s", path,
            result != 0 ? mdb_strerror(result) : cn_err_sentence(err));
        cn_lmdb_close(l);
    }
    return err;
}

static void drop_kept(cn_lmdb *l)
{
    while (l->kept_len > 0) {
        mdb_txn_abort(l->kept[--l->kept_len]);
    }
}

void cn_lmdb_close(cn_lmdb *l)
{
    if (l->env != NULL) {
        drop_kept(l);
        mdb_env_close(l->env);
    }
    cn_cond_free(l->idle);
    cn_lock_free(l->lock);
    cn_lock_free(l->writing);
    cn_free(l->mem, l->path);
    cn_free(l->mem, l->aside);
    cn_trap_free(l->trap);
    *l = (cn_lmdb){0};
}

/* No reader has a transaction, and none gets one until `growing` is false again. Lock held. */
static void exclude_readers(cn_lmdb *l)
{
    while (l->growing) {
        cn_cond_wait(l->idle, l->lock, -1);
    }
    l->growing = true;
    while (l->readers > 0) {
        cn_cond_wait(l->idle, l->lock, -1);
    }
    drop_kept(l);
}

static void admit_readers(cn_lmdb *l)
{
    l->growing = false;
    cn_cond_wake_all(l->idle);
}

/* A new environment for one that refuses all work. `writing` held, no transaction under way. */
static int revive(cn_lmdb *l)
{
    cn_lock_take(l->lock);
    exclude_readers(l);
    if (l->env != NULL) {
        mdb_env_close(l->env);
        l->env = NULL;
    }
    int result = open_once(l, l->map_bytes);
    if (result == 0) {
        result = l->databases(l->owner);
    }
    if (result != 0 && l->env != NULL) {
        mdb_env_close(l->env);
        l->env = NULL;
    }
    admit_readers(l);
    cn_lock_give(l->lock);
    return result;
}

int cn_lmdb_write(cn_lmdb *l, MDB_txn **ret)
{
    cn_lock_take(l->writing);
    int result = l->env == NULL ? revive(l) : 0;
    cn_lmdb_enter(l);
    return result != 0 ? result : mdb_txn_begin(l->env, NULL, 0, ret);
}

/* Does it refuse all work? */
static bool is_dead(cn_lmdb *l)
{
    MDB_txn *txn = NULL;
    int result = mdb_txn_begin(l->env, NULL, 0, &txn);
    if (result == 0) {
        mdb_txn_abort(txn);
    }
    return result == MDB_PANIC;
}

void cn_lmdb_write_end(cn_lmdb *l, int result)
{
    if (result != 0 && result != MDB_MAP_FULL && l->env != NULL && !atomic_load(&l->damaged) &&
        is_dead(l)) {
        (void)!revive(l);
    }
    cn_lmdb_leave();
    cn_lock_give(l->writing);
}

cn_err cn_lmdb_sync(cn_lmdb *l)
{
    cn_lock_take(l->writing);
    cn_err err = l->env == NULL ? CN_ERR_IO : cn_lmdb_err(mdb_env_sync(l->env, 1));
    cn_lock_give(l->writing);
    return err;
}

static int begin_read(cn_lmdb *l, MDB_txn *kept, MDB_txn **ret)
{
    if (l->env == NULL) {
        return MDB_PANIC;
    }
    int result = kept != NULL ? mdb_txn_renew(kept) : mdb_txn_begin(l->env, NULL, MDB_RDONLY, ret);
    if (kept != NULL && result == 0) {
        *ret = kept;
    } else if (kept != NULL) {
        mdb_txn_abort(kept);
    }
    return result;
}

static cn_err read_once(cn_lmdb *l, MDB_txn **ret, bool *ret_refused)
{
    MDB_txn *txn = NULL;
    MDB_txn *kept = NULL;
    cn_lock_take(l->lock);
    while (l->growing) {
        cn_cond_wait(l->idle, l->lock, -1);
    }
    l->readers++;
    if (l->kept_len > 0) {
        kept = l->kept[--l->kept_len];
    }
    cn_lock_give(l->lock);
    cn_lmdb_enter(l);
    int result = begin_read(l, kept, &txn);
    *ret_refused = result == MDB_PANIC;
    if (result != 0) {
        cn_lmdb_leave();
        cn_lock_take(l->lock);
        l->readers--;
        cn_cond_wake_all(l->idle);
        cn_lock_give(l->lock);
        return cn_lmdb_err(result);
    }
    *ret = txn;
    return CN_OK;
}

cn_err cn_lmdb_read(cn_lmdb *l, MDB_txn **ret)
{
    MDB_txn *txn = NULL;
    bool refused = false;
    cn_err err = read_once(l, ret, &refused);
    if (refused) {
        /* the writer that met it is opening it again, or could not: then so do we */
        int result = cn_lmdb_write(l, &txn);
        if (result == 0) {
            mdb_txn_abort(txn);
        }
        cn_lmdb_write_end(l, result);
        err = read_once(l, ret, &refused);
    }
    return err;
}

void cn_lmdb_read_end(cn_lmdb *l, MDB_txn *txn)
{
    if (txn == NULL) {
        return;
    }
    mdb_txn_reset(txn);
    cn_lmdb_leave();
    cn_lock_take(l->lock);
    if (l->kept_len < CN_LMDB_READERS_KEPT && !l->growing) {
        l->kept[l->kept_len++] = txn;
    } else {
        mdb_txn_abort(txn);
    }
    l->readers--;
    if (l->growing && l->readers == 0) {
        cn_cond_wake_all(l->idle);
    }
    cn_lock_give(l->lock);
}

cn_err cn_lmdb_grow(cn_lmdb *l)
{
    MDB_envinfo info = {0};
    cn_lock_take(l->writing);
    cn_lock_take(l->lock);
    exclude_readers(l);
    int result = l->env == NULL ? MDB_PANIC : mdb_env_info(l->env, &info);
    if (result == 0) {
        result = mdb_env_set_mapsize(l->env, info.me_mapsize * 2);
    }
    if (result == 0) {
        l->map_bytes = info.me_mapsize * 2;
    } else if (l->env != NULL) {
        /* the old size was mapped before, so it can be again */
        (void)mdb_env_set_mapsize(l->env, info.me_mapsize);
    }
    admit_readers(l);
    cn_lock_give(l->lock);
    cn_lock_give(l->writing);
    return result == 0 ? CN_OK : CN_ERR_NO_SPACE;
}
