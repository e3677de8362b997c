/*
 * Names and nodes are apart, as on a disk: a name points to a node now, and to one that a crash
 * would leave. A node holds its bytes now and those of its last sync.
 */
#include "sim/disk.h"

#include "sim/world.h"

enum { PIECE = 4096, FILE_MAX_BYTES = 1 << 28, NAMES_MAX = 1 << 16 };

typedef struct disk_node {
    size_t names; /* that point here, open files included */
    bool is_dir;
    bool is_locked;
    cn_buf now;
    cn_buf synced;
} disk_node;

typedef struct disk_name {
    char *path;
    disk_node *now; /* NULL: not there */
    disk_node *synced;
} disk_name;

struct sim_disk {
    cn_mem *mem;
    disk_name *names;
    size_t names_len;
    size_t names_cap;
    size_t open;
};

struct cn_file {
    disk_node *node;
    bool has_lock;
};

sim_disk *sim_disk_new(cn_mem *mem)
{
    sim_disk *d = cn_alloc(mem, sizeof(*d));
    CN_ASSERT(d != NULL);
    d->mem = mem;
    return d;
}

/* Let `*at` point to `node` (either may be NULL); what nothing points to is gone. */
static void point(sim_disk *d, disk_node **at, disk_node *node)
{
    disk_node *old = *at;
    if (node != NULL) {
        node->names++;
    }
    *at = node;
    if (old != NULL && --old->names == 0) {
        cn_buf_release(&old->now);
        cn_buf_release(&old->synced);
        cn_free(d->mem, old);
    }
}

void sim_disk_free(sim_disk *d)
{
    for (size_t i = 0; d != NULL && i < d->names_len; i++) {
        point(d, &d->names[i].now, NULL);
        point(d, &d->names[i].synced, NULL);
        cn_free(d->mem, d->names[i].path);
    }
    if (d != NULL) {
        CN_ASSERT(d->open == 0);
        cn_free(d->mem, d->names);
        cn_free(d->mem, d);
    }
}

static disk_name *find(sim_disk *d, const char *path, bool make)
{
    for (size_t i = 0; i < d->names_len; i++) {
        if (strcmp(d->names[i].path, path) == 0) {
            return &d->names[i];
        }
    }
    if (!make) {
        return NULL;
    }
    sim_must(cn_array_grow(
        d->mem, (void **)&d->names, &d->names_cap, d->names_len, NAMES_MAX, sizeof(disk_name)));
    disk_name *n = &d->names[d->names_len++];
    *n = (disk_name){.path = cn_strdup(d->mem, path, strlen(path))};
    CN_ASSERT(n->path != NULL);
    return n;
}

static void make_node(sim_disk *d, disk_name *name, bool is_dir)
{
    disk_node *node = cn_alloc(d->mem, sizeof(*node));
    CN_ASSERT(node != NULL);
    node->is_dir = is_dir;
    cn_buf_init(&node->now, d->mem, FILE_MAX_BYTES);
    cn_buf_init(&node->synced, d->mem, FILE_MAX_BYTES);
    point(d, &name->now, node);
}

static void set_bytes(cn_buf *to, cn_slice bytes)
{
    cn_buf_reset(to);
    sim_must(cn_buf_append(to, bytes));
}

/* What is in a file after the lights went out: piece by piece the old or the new bytes. */
static void tear(disk_node *node, cn_prng *chance)
{
    cn_slice now = cn_buf_slice(&node->now);
    cn_slice old = cn_buf_slice(&node->synced);
    cn_buf left = {0};
    if (cn_slice_eq(now, old)) {
        return;
    }
    cn_buf_init(&left, node->now.mem, FILE_MAX_BYTES);
    size_t len = cn_prng_below(chance, 2) == 0 ? now.len : old.len;
    for (size_t at = 0; at < len; at += PIECE) {
        static const uint8_t zeros[PIECE];
        cn_slice from = cn_slice_skip(cn_prng_below(chance, 2) == 0 ? now : old, at);
        size_t piece = CN_MIN(len - at, (size_t)PIECE);
        from = cn_slice_head(from, piece);
        sim_must(cn_buf_append(&left, from));
        sim_must(cn_buf_append(&left, cn_slice_of(zeros, piece - from.len)));
    }
    set_bytes(&node->now, cn_buf_slice(&left));
    set_bytes(&node->synced, cn_buf_slice(&left));
    cn_buf_release(&left);
}

void sim_disk_crash(sim_disk *d, cn_prng *chance, bool is_dark)
{
    CN_ASSERT(d->open == 0);
    for (size_t i = 0; is_dark && i < d->names_len; i++) {
        disk_name *n = &d->names[i];
        if (n->now != n->synced && cn_prng_below(chance, 2) == 0) {
            point(d, &n->now, n->synced);
        }
        if (n->now != NULL) {
            tear(n->now, chance);
        }
        point(d, &n->synced, n->now);
    }
}

cn_err sim_disk_open(sim_disk *d, const char *path, unsigned flags, cn_file **ret, cn_why *why)
{
    disk_name *n = find(d, path, (flags & CN_FILE_CREATE) != 0);
    if (n == NULL || (n->now == NULL && (flags & CN_FILE_CREATE) == 0)) {
        return cn_why_set(why, CN_ERR_NOT_FOUND, "open %s: no such file", path);
    }
    if (n->now != NULL && (n->now->is_dir || (flags & CN_FILE_EXCLUSIVE) != 0)) {
        return n->now->is_dir ? CN_ERR_WRONG_TYPE : CN_ERR_EXISTS;
    }
    cn_file *f = cn_alloc(d->mem, sizeof(*f));
    CN_ASSERT(f != NULL);
    if (n->now == NULL) {
        make_node(d, n, false);
    }
    if ((flags & CN_FILE_TRUNCATE) != 0) {
        cn_buf_reset(&n->now->now);
    }
    point(d, &f->node, n->now);
    d->open++;
    *ret = f;
    return CN_OK;
}

void sim_disk_close(sim_disk *d, cn_file *f)
{
    f->node->is_locked = f->node->is_locked && !f->has_lock;
    point(d, &f->node, NULL);
    cn_free(d->mem, f);
    d->open--;
}

cn_err sim_disk_read(cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len)
{
    cn_slice rest = cn_slice_skip(cn_buf_slice(&f->node->now), (size_t)offset);
    rest = cn_slice_head(rest, len);
    cn_copy(data, rest.data, rest.len);
    *ret_len = rest.len;
    return CN_OK;
}

cn_err sim_disk_truncate(cn_file *f, uint64_t size_bytes)
{
    cn_buf *b = &f->node->now;
    if (size_bytes > FILE_MAX_BYTES) {
        return CN_ERR_NO_SPACE;
    }
    if (size_bytes > b->len) {
        sim_must(cn_buf_reserve(b, (size_t)size_bytes - b->len));
        cn_wipe(b->data + b->len, (size_t)size_bytes - b->len);
    }
    b->len = (size_t)size_bytes;
    return CN_OK;
}

cn_err sim_disk_write(cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < parts_len && err == CN_OK; i++) {
        uint64_t end = offset + parts[i].len;
        err = end > f->node->now.len ? sim_disk_truncate(f, end) : CN_OK;
        if (err == CN_OK) {
            cn_copy(f->node->now.data + offset, parts[i].data, parts[i].len);
            offset = end;
        }
    }
    return err;
}

cn_err sim_disk_sync(cn_file *f)
{
    set_bytes(&f->node->synced, cn_buf_slice(&f->node->now));
    return CN_OK;
}

uint64_t sim_disk_size(const cn_file *f)
{
    return f->node->now.len;
}

cn_err sim_disk_lock(cn_file *f)
{
    if (f->node->is_locked) {
        return CN_ERR_BUSY;
    }
    f->node->is_locked = true;
    f->has_lock = true;
    return CN_OK;
}

cn_err sim_disk_stat(sim_disk *d, const char *path, cn_path_stat *ret)
{
    const disk_name *n = find(d, path, false);
    if (n == NULL || n->now == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    *ret = (cn_path_stat){
        .kind = n->now->is_dir ? CN_PATH_DIR : CN_PATH_FILE,
        .size_bytes = n->now->now.len,
        .mode = n->now->is_dir ? 0700 : 0600,
    };
    return CN_OK;
}

cn_err sim_disk_rename(sim_disk *d, const char *from, const char *to)
{
    disk_name *target = find(d, to, true); /* may move the names: before `from` is looked for */
    disk_name *n = find(d, from, false);
    if (n == NULL || n->now == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    if (n != target) {
        point(d, &target->now, n->now);
        point(d, &n->now, NULL);
    }
    return CN_OK;
}

cn_err sim_disk_unlink(sim_disk *d, const char *path)
{
    disk_name *n = find(d, path, false);
    if (n == NULL || n->now == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    point(d, &n->now, NULL);
    return CN_OK;
}

cn_err sim_disk_mkdir(sim_disk *d, const char *path)
{
    disk_name *n = find(d, path, true);
    if (n->now != NULL) {
        return CN_ERR_EXISTS;
    }
    make_node(d, n, true);
    return CN_OK;
}

/* The last part of a path that lies in the folder `dir`, else NULL. */
static const char *name_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    len -= len > 0 && dir[len - 1] == '/' ? 1 : 0;
    bool is_in =
        strncmp(path, dir, len) == 0 && path[len] == '/' && strchr(path + len + 1, '/') == NULL;
    return is_in ? path + len + 1 : NULL;
}

cn_err sim_disk_sync_dir(sim_disk *d, const char *path)
{
    for (size_t i = 0; i < d->names_len; i++) {
        if (name_in(d->names[i].path, path) != NULL) {
            point(d, &d->names[i].synced, d->names[i].now);
        }
    }
    return CN_OK;
}

cn_err sim_disk_list(sim_disk *d, const char *path, cn_dir_visit visit, void *ctx)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < d->names_len && err == CN_OK; i++) {
        const char *name = name_in(d->names[i].path, path);
        if (name != NULL && d->names[i].now != NULL) {
            err = visit(ctx, name, d->names[i].now->is_dir ? CN_PATH_DIR : CN_PATH_FILE);
        }
    }
    return err;
}
