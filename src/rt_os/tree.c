/*
 * Walk of the local disk. A stack of open folders, each with its names, sorted, and how far it is.
 * `path` is the path of the entry at hand; each folder knows how long its own part of it is.
 */
#include "rt_os/tree.h"

#include "rt_os/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 1024,
    PATHS_MAX = 65536,
    PATH_MAX_BYTES = 1 << 20,
    TARGET_MAX_BYTES = 1 << 16,
    ERROR_BYTES = 128,
};

#define NAMES_MAX_BYTES ((size_t)1 << 34)
/* A file may grow while it is read by as much as it had, and this. */
#define GROWTH_BYTES ((uint64_t)1 << 30)

/* An open folder. Its names lie in `text`, each after a byte for its kind, before a NUL. */
typedef struct folder {
    cn_buf text;
    size_t *names; /* where each begins */
    size_t names_len;
    size_t names_cap;
    size_t next;
    size_t path_len;
    dev_t dev;
    ino_t ino;
} folder;

/* A path given. */
typedef struct given {
    char *path; /* of a descriptor: its name */
    int fd;     /* -1: a path */
} given;

struct cn_tree {
    cn_source source; /* first */
    cn_mem *mem;
    cn_tree_options options;
    given *given;
    size_t given_len;
    size_t given_cap;
    size_t given_next;
    folder *folders; /* DEPTH_MAX */
    size_t folders_len;
    cn_buf path;
    cn_buf target;
    int fd; /* of the current file; -1: none */
    bool fd_borrowed;
    bool at_end;
    uint64_t read_bytes;
    uint64_t size_bytes;
};

/* An error of the system in the words of Go's os package: "open x: permission denied". */
static cn_err fail_errno(cn_why *why, int reason, const char *verb, const char *path)
{
    char text[ERROR_BYTES];
    const char *words = strerrordesc_np(reason);
    (void)snprintf(text, sizeof text, "%s", words == NULL ? "unknown error" : words);
    text[0] = (char)tolower((unsigned char)text[0]);
    return cn_why_set(why, cn_rt_os_err(reason), "%s %s: %s", verb, path, text);
}

static const char *path_text(cn_tree *t)
{
    const char *text = NULL;
    return cn_buf_cstr(&t->path, &text) == CN_OK ? text : "?";
}

static void close_file(cn_tree *t)
{
    if (t->fd >= 0 && !t->fd_borrowed) {
        (void)close(t->fd);
    }
    t->fd = -1;
}

static void close_folder(cn_tree *t)
{
    folder *f = &t->folders[--t->folders_len];
    cn_buf_release(&f->text);
    cn_free(t->mem, f->names);
    *f = (folder){0};
}

static cn_err add_name(cn_tree *t, folder *f, const char *name, unsigned char kind)
{
    void *names = f->names;
    cn_err err = cn_array_grow(
        t->mem, &names, &f->names_cap, f->names_len, NAMES_MAX_BYTES / sizeof(size_t),
        sizeof(size_t));
    f->names = names;
    if (err != CN_OK) {
        return err;
    }
    f->names[f->names_len] = f->text.len;
    err = cn_buf_byte(&f->text, kind);
    if (err == CN_OK) {
        err = cn_buf_append(&f->text, cn_slice_of(name, strlen(name) + 1));
    }
    f->names_len += err == CN_OK;
    return err;
}

static bool left_out(const cn_tree *t, const char *name)
{
    if (name[0] == '.' && !t->options.hidden) {
        return true;
    }
    return t->options.ignore != NULL && cn_ignore_matches(t->options.ignore, cn_str(name));
}

static cn_err list_names(cn_tree *t, folder *f, DIR *dir, cn_why *why)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? CN_OK : fail_errno(why, errno, "readdir", path_text(t));
        }
        cn_slice name = cn_str(entry->d_name);
        if (cn_slice_is(name, ".") || cn_slice_is(name, "..") || left_out(t, entry->d_name)) {
            continue;
        }
        cn_err err = add_name(t, f, entry->d_name, entry->d_type);
        if (err != CN_OK) {
            return err;
        }
    }
}

static int compare_names(const void *a, const void *b, void *text)
{
    const char *base = text;
    return strcmp(base + *(const size_t *)a + 1, base + *(const size_t *)b + 1);
}

/* Have all names of the folder at `path` ready on the stack. */
static cn_err open_folder(cn_tree *t, const struct stat *st, cn_why *why)
{
    for (size_t i = 0; i < t->folders_len; i++) {
        if (t->folders[i].dev == st->st_dev && t->folders[i].ino == st->st_ino) {
            return cn_why_set(
                why, CN_ERR_TOO_DEEP, "%s is a symbolic link back into a folder it lies in",
                path_text(t));
        }
    }
    if (t->folders_len == DEPTH_MAX) {
        return cn_why_set(
            why, CN_ERR_TOO_DEEP, "%s: folders are nested deeper than %d", path_text(t), DEPTH_MAX);
    }
    DIR *dir = opendir(path_text(t));
    if (dir == NULL) {
        return fail_errno(why, errno, "open", path_text(t));
    }
    folder *f = &t->folders[t->folders_len++];
    *f = (folder){.path_len = t->path.len, .dev = st->st_dev, .ino = st->st_ino};
    cn_buf_init(&f->text, t->mem, NAMES_MAX_BYTES);
    cn_err err = list_names(t, f, dir, why);
    (void)closedir(dir);
    if (err == CN_OK && f->names_len > 1) {
        qsort_r(f->names, f->names_len, sizeof *f->names, compare_names, f->text.data);
    }
    return err;
}

static cn_err refuse_kind(cn_tree *t, mode_t mode, cn_why *why)
{
    const char *kind = S_ISFIFO(mode) ? "named pipe" : S_ISSOCK(mode) ? "socket" : "device";
    return cn_why_set(
        why, CN_ERR_WRONG_TYPE, "unrecognized file type for %s: a %s cannot be added", path_text(t),
        kind);
}

static void set_stat(cn_source_entry *e, const struct stat *st)
{
    e->has_mode = true;
    e->has_mtime = true;
    e->mode = st->st_mode & 07777;
    e->mtime_s = st->st_mtim.tv_sec;
    e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
}

static void start_file(cn_tree *t, int fd, bool borrowed, const struct stat *st)
{
    t->fd = fd;
    t->fd_borrowed = borrowed;
    t->at_end = false;
    t->read_bytes = 0;
    t->size_bytes = st != NULL && S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
}

/* Not to hang on a FIFO that has taken a file's place, the open does not wait. */
static cn_err step_file(cn_tree *t, bool follow, cn_source_entry *ret, cn_why *why)
{
    struct stat st;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
    int fd = open(path_text(t), flags);
    if (fd < 0) {
        return fail_errno(why, errno, "open", path_text(t));
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return refuse_kind(t, st.st_mode, why);
    }
    start_file(t, fd, false, &st);
    set_stat(ret, &st);
    ret->kind = CN_SOURCE_FILE;
    ret->has_size = true;
    ret->size_bytes = (uint64_t)st.st_size;
    return CN_OK;
}

static cn_err step_symlink(cn_tree *t, const struct stat *st, cn_source_entry *ret, cn_why *why)
{
    cn_buf_reset(&t->target);
    cn_err err = cn_buf_reserve(&t->target, TARGET_MAX_BYTES);
    if (err != CN_OK) {
        return err;
    }
    ssize_t len = readlink(path_text(t), (char *)t->target.data, TARGET_MAX_BYTES);
    if (len < 0) {
        return fail_errno(why, errno, "readlink", path_text(t));
    }
    t->target.len = (size_t)len;
    set_stat(ret, st);
    ret->kind = CN_SOURCE_SYMLINK;
    ret->target = cn_buf_slice(&t->target);
    return CN_OK;
}

/* The entry at `path`, whose kind is not known yet. */
static cn_err step_path(cn_tree *t, bool follow, cn_source_entry *ret, cn_why *why)
{
    struct stat st;
    if ((follow ? stat(path_text(t), &st) : lstat(path_text(t), &st)) != 0) {
        return fail_errno(why, errno, follow ? "stat" : "lstat", path_text(t));
    }
    if (S_ISREG(st.st_mode)) {
        return step_file(t, follow, ret, why);
    }
    if (S_ISLNK(st.st_mode)) {
        return step_symlink(t, &st, ret, why);
    }
    if (!S_ISDIR(st.st_mode)) {
        return refuse_kind(t, st.st_mode, why);
    }
    if (!t->options.recursive) {
        return cn_why_set(
            why, CN_ERR_WRONG_TYPE, "'%s' is a directory, use the '-r' flag to specify directories",
            path_text(t));
    }
    set_stat(ret, &st);
    ret->kind = CN_SOURCE_DIR_START;
    return open_folder(t, &st, why);
}

/* The last name of a path: "a/b/" is b. Empty for the root. */
static cn_slice last_name(const char *path)
{
    cn_slice s = cn_str(path);
    while (s.len > 0 && s.data[s.len - 1] == '/') {
        s.len--;
    }
    size_t start = s.len;
    while (start > 0 && s.data[start - 1] != '/') {
        start--;
    }
    return cn_slice_skip(s, start);
}

static cn_err step_given(cn_tree *t, cn_source_entry *ret, cn_why *why)
{
    const given *g = &t->given[t->given_next++];
    cn_buf_reset(&t->path);
    cn_err err = cn_buf_text(&t->path, g->path);
    if (err != CN_OK) {
        return err;
    }
    for (const given *before = t->given; g->fd >= 0 && before < g; before++) {
        if (before->fd == g->fd) {
            return cn_why_set(why, CN_ERR_IO, "standard input was read before: give - once");
        }
    }
    if (g->fd >= 0) {
        start_file(t, g->fd, true, NULL);
        ret->kind = CN_SOURCE_FILE;
        ret->name = cn_str(g->path);
        return CN_OK;
    }
    ret->name = last_name(g->path);
    return step_path(t, t->options.dereference || t->options.dereference_paths, ret, why);
}

/* The next name of the innermost folder. */
static cn_err step_name(cn_tree *t, cn_source_entry *ret, cn_why *why)
{
    folder *f = &t->folders[t->folders_len - 1];
    const char *at = (const char *)f->text.data + f->names[f->next++];
    unsigned char kind = (unsigned char)at[0];
    cn_slice name = cn_str(at + 1);
    t->path.len = f->path_len;
    bool slash = t->path.len == 0 || t->path.data[t->path.len - 1] != '/';
    cn_err err = slash ? cn_buf_byte(&t->path, '/') : CN_OK;
    if (err == CN_OK) {
        err = cn_buf_append(&t->path, name);
    }
    if (err != CN_OK) {
        return err;
    }
    ret->name = name;
    bool follow = t->options.dereference;
    return kind == DT_REG ? step_file(t, follow, ret, why) : step_path(t, follow, ret, why);
}

static cn_err tree_next(cn_source *s, cn_source_entry *ret, cn_why *why)
{
    cn_tree *t = (cn_tree *)s;
    cn_source_entry e = {.kind = CN_SOURCE_END};
    cn_err err = CN_OK;
    close_file(t);
    if (t->folders_len > 0) {
        const folder *f = &t->folders[t->folders_len - 1];
        if (f->next < f->names_len) {
            err = step_name(t, &e, why);
        } else {
            close_folder(t);
            e.kind = CN_SOURCE_DIR_END;
        }
    } else if (t->given_next < t->given_len) {
        err = step_given(t, &e, why);
    }
    if (err == CN_OK) {
        e.path = path_text(t);
        *ret = e;
    }
    return err;
}

static cn_err tree_read(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    cn_tree *t = (cn_tree *)s;
    size_t done = 0;
    CN_ASSERT(t->fd >= 0);
    while (done < len && !t->at_end) {
        ssize_t n = read(t->fd, data + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(why, errno, "read", path_text(t));
        }
        /* Less than asked for, at the size the file said it has: its end, without asking again. */
        bool is_short = (size_t)n < len - done;
        done += (size_t)n;
        t->read_bytes += (size_t)n;
        t->at_end = n == 0 || (is_short && t->read_bytes == t->size_bytes);
        if (!t->fd_borrowed && t->read_bytes / 2 > t->size_bytes + GROWTH_BYTES) {
            return cn_why_set(why, CN_ERR_TOO_LARGE, "%s grows while it is read", path_text(t));
        }
    }
    *ret_len = done;
    return CN_OK;
}

static const cn_source_ops tree_ops = {.next = tree_next, .read = tree_read};

cn_err cn_tree_new(cn_mem *mem, const cn_tree_options *options, cn_tree **ret)
{
    cn_tree *t = cn_alloc(mem, sizeof *t);
    if (t == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    t->source.ops = &tree_ops;
    t->mem = mem;
    t->options = *options;
    t->fd = -1;
    cn_buf_init(&t->path, mem, PATH_MAX_BYTES);
    cn_buf_init(&t->target, mem, TARGET_MAX_BYTES);
    t->folders = cn_alloc_array(mem, DEPTH_MAX, sizeof *t->folders);
    if (t->folders == NULL) {
        cn_tree_free(t);
        return CN_ERR_NO_MEMORY;
    }
    *ret = t;
    return CN_OK;
}

void cn_tree_free(cn_tree *t)
{
    if (t == NULL) {
        return;
    }
    close_file(t);
    while (t->folders_len > 0) {
        close_folder(t);
    }
    for (size_t i = 0; i < t->given_len; i++) {
        cn_free(t->mem, t->given[i].path);
    }
    cn_free(t->mem, t->given);
    cn_free(t->mem, t->folders);
    cn_buf_release(&t->path);
    cn_buf_release(&t->target);
    cn_free(t->mem, t);
}

static cn_err add_given(cn_tree *t, cn_slice path, int fd)
{
    void *list = t->given;
    cn_err err =
        cn_array_grow(t->mem, &list, &t->given_cap, t->given_len, PATHS_MAX, sizeof *t->given);
    t->given = list;
    if (err != CN_OK) {
        return err;
    }
    char *copy = cn_strdup(t->mem, (const char *)path.data, path.len);
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    t->given[t->given_len++] = (given){copy, fd};
    return CN_OK;
}

cn_err cn_tree_add_path(cn_tree *t, const char *path)
{
    return add_given(t, cn_str(path), -1);
}

cn_err cn_tree_add_fd(cn_tree *t, int fd, cn_slice name)
{
    return add_given(t, name, fd);
}

cn_source *cn_tree_source(cn_tree *t)
{
    return &t->source;
}
