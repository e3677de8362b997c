/*
 * The sink of `get`. Taking apart follows tar entries: the first is the root; all others lie below
 * it. Folders get their mode and time at the end, from the last to the first, so that a folder
 * without write permission can be filled and its time stays.
 */
#include "cmd/get_sink.h"

#include "rt/rt.h"
#include "unixfs/tar.h"

enum { FOLDERS_MAX = 1 << 22, PATH_MAX_BYTES = 128 << 10 };

/* A folder made, to be touched at the end. */
typedef struct folder {
    char *path;
    cn_path_stat as;
} folder;

struct cn_get_sink {
    cn_call *call;
    cn_rt *rt;
    cn_mem *mem;
    cn_why *why;
    cn_buf target; /* the path to write to, as asked for */
    bool is_archive;
    cn_file *file; /* the archive, or the file being written */
    uint64_t at;
    uint64_t done_bytes; /* of the whole answer */
    uint64_t left;       /* bytes the file still lacks */
    cn_path_stat as;
    cn_untar untar;
    cn_buf path; /* of the entry in hand */
    cn_buf root; /* name of the first entry */
    bool has_root;
    bool root_is_dir;
    folder *folders;
    size_t folders_len;
    size_t folders_cap;
};

cn_err cn_get_level(cn_call *call, int *ret)
{
    bool given = false;
    int64_t level = cn_call_int(call, "compression-level", &given);
    *ret = 0;
    if (!cn_call_flag(call, "compress", NULL)) {
        return CN_OK;
    }
    if (given && (level < 1 || level > 9)) {
        return cn_call_fail(call, CN_ERR_USAGE, "compression level must be between 1 and 9");
    }
    *ret = given ? (int)level : -1;
    return CN_OK;
}

/* The last name of the argument, for want of --output. */
static cn_slice default_name(cn_slice arg)
{
    while (cn_slice_ends(arg, cn_str("/"))) {
        arg = cn_slice_head(arg, arg.len - 1);
    }
    for (size_t i = arg.len; i-- > 0;) {
        if (arg.data[i] == '/') {
            return cn_slice_skip(arg, i + 1);
        }
    }
    return arg;
}

static cn_err choose_target(cn_get_sink *s, int level)
{
    const char *output = cn_call_string(s->call, "output", NULL);
    cn_slice name = output != NULL && output[0] != '\0' ? cn_str(output)
                                                        : default_name(cn_call_arg(s->call, 0));
    cn_err err = CN_OK;
    bool tar = cn_call_flag(s->call, "archive", NULL);
    s->is_archive = tar || level != 0;
    CN_TRY(cn_buf_append(&s->target, name));
    if (tar && !cn_slice_ends(name, cn_str(".tar")) && !cn_slice_ends(name, cn_str(".tar.gz"))) {
        CN_TRY(cn_buf_text(&s->target, ".tar"));
    }
    if (level != 0 && !cn_slice_ends(cn_buf_slice(&s->target), cn_str(".gz"))) {
        CN_TRY(cn_buf_text(&s->target, ".gz"));
    }
out:
    return err;
}

static cn_err announce(cn_get_sink *s)
{
    cn_buf line;
    cn_err err = CN_OK;
    cn_buf_init(&line, s->mem, PATH_MAX_BYTES);
    CN_TRY(cn_buf_text(&line, s->is_archive ? "Saving archive to " : "Saving file(s) to "));
    CN_TRY(cn_buf_append(&line, cn_buf_slice(&s->target)));
    CN_TRY(cn_buf_byte(&line, '\n'));
    CN_TRY(cn_call_write(s->call, cn_buf_slice(&line)));
out:
    cn_buf_release(&line);
    return err;
}

static cn_err open_archive(cn_get_sink *s)
{
    const char *path = NULL;
    cn_err err = cn_buf_cstr(&s->target, &path);
    if (err == CN_OK) {
        unsigned flags = CN_FILE_WRITE | CN_FILE_CREATE | CN_FILE_TRUNCATE;
        const cn_path_stat usual = {.kind = CN_PATH_FILE, .mode = 0644};
        s->as = usual;
        err = cn_file_open(s->rt, path, flags, &s->file, s->why);
    }
    return err;
}

cn_err cn_get_sink_open(cn_call *call, cn_get_sink **ret)
{
    int level = 0;
    cn_err err = CN_OK;
    cn_mem *mem = cn_call_mem(call);
    cn_get_sink *s = cn_alloc(mem, sizeof *s);
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    s->call = call;
    s->rt = cn_call_rt(call);
    s->mem = mem;
    s->why = cn_call_why(call);
    cn_buf_init(&s->target, mem, PATH_MAX_BYTES);
    cn_buf_init(&s->path, mem, PATH_MAX_BYTES);
    cn_buf_init(&s->root, mem, PATH_MAX_BYTES);
    cn_untar_init(&s->untar, mem);
    CN_TRY(cn_get_level(call, &level));
    CN_TRY(choose_target(s, level));
    if (s->is_archive) {
        CN_TRY(open_archive(s));
    }
    CN_TRY(announce(s));
    while (s->target.len > 1 && s->target.data[s->target.len - 1] == '/') {
        s->target.len--; /* a file may be asked for as "x/" */
    }
    *ret = s;
    s = NULL;
out:
    return s == NULL ? CN_OK : cn_get_sink_close(s, err);
}

static cn_err write_bytes(cn_get_sink *s, cn_slice bytes)
{
    cn_err err = cn_file_write_at(s->rt, s->file, s->at, &bytes, 1);
    s->at += bytes.len;
    return err;
}

/* Put the path of an entry together: the target, then what lies below the root's name. */
static cn_err set_path(cn_get_sink *s, cn_slice below)
{
    cn_err err = CN_OK;
    cn_buf_reset(&s->path);
    CN_TRY(cn_buf_append(&s->path, cn_buf_slice(&s->target)));
    if (below.len > 0) {
        CN_TRY(cn_buf_byte(&s->path, '/'));
        CN_TRY(cn_buf_append(&s->path, below));
    }
out:
    return err;
}

static cn_err refuse(cn_get_sink *s, cn_err err, cn_slice name, const char *reason)
{
    return cn_why_set(
        s->why, err, "%.*s: %s", (int)CN_MIN(name.len, (size_t)200), (const char *)name.data,
        reason);
}

static bool name_is_safe(cn_slice name)
{
    return name.len > 0 && !cn_slice_is(name, ".") && !cn_slice_is(name, "..") &&
           cn_slice_find(name, 0) == name.len && cn_slice_find(name, '/') == name.len;
}

/* Are all folders on the way to `below` folders, no links? */
static cn_err check_way(cn_get_sink *s, cn_slice below)
{
    cn_slice rest = below;
    cn_err err = CN_OK;
    for (;;) {
        cn_path_stat st = {0};
        const char *path = NULL;
        size_t len = cn_slice_find(rest, '/');
        if (!name_is_safe(cn_slice_head(rest, len))) {
            return refuse(s, CN_ERR_MALFORMED, below, "a name in this path is not allowed");
        }
        if (len == rest.len) {
            return CN_OK;
        }
        rest = cn_slice_skip(rest, len + 1);
        CN_TRY(set_path(s, cn_slice_head(below, below.len - rest.len - 1)));
        CN_TRY(cn_buf_cstr(&s->path, &path));
        CN_TRY(cn_path_stat_of(s->rt, path, &st));
        if (st.kind != CN_PATH_DIR) {
            return refuse(
                s, CN_ERR_WRONG_TYPE, below,
                st.kind == CN_PATH_SYMLINK ? "cannot traverse symlinks"
                                           : "cannot traverse non-directory objects");
        }
    }
out:
    return err;
}

/* Make the folder `path` and those above it that are missing. */
static cn_err make_folders(cn_get_sink *s, cn_slice path)
{
    cn_buf part;
    cn_err err = CN_OK;
    cn_buf_init(&part, s->mem, PATH_MAX_BYTES);
    for (size_t i = 1; i <= path.len; i++) {
        const char *text = NULL;
        if (i < path.len && path.data[i] != '/') {
            continue;
        }
        cn_buf_reset(&part);
        CN_TRY(cn_buf_append(&part, cn_slice_head(path, i)));
        CN_TRY(cn_buf_cstr(&part, &text));
        err = cn_path_mkdir(s->rt, text, 0755);
        if (err != CN_OK && err != CN_ERR_EXISTS) {
            (void)cn_why_set(s->why, err, "mkdir %s: %s", text, cn_err_sentence(err));
            break;
        }
        err = CN_OK;
    }
out:
    cn_buf_release(&part);
    return err;
}

static cn_err enter_folder(cn_get_sink *s, const cn_path_stat *as)
{
    cn_path_stat st = {0};
    const char *path = NULL;
    cn_err err = CN_OK;
    CN_TRY(make_folders(s, cn_buf_slice(&s->path)));
    CN_TRY(cn_buf_cstr(&s->path, &path));
    CN_TRY(cn_path_stat_of(s->rt, path, &st));
    if (st.kind != CN_PATH_DIR) {
        return refuse(s, CN_ERR_WRONG_TYPE, cn_buf_slice(&s->path), "cannot extract to symlink");
    }
    CN_TRY(cn_array_grow(
        s->mem, (void **)&s->folders, &s->folders_cap, s->folders_len, FOLDERS_MAX,
        sizeof *s->folders));
    s->folders[s->folders_len] = (folder){.path = cn_strdup(s->mem, path, s->path.len), .as = *as};
    if (s->folders[s->folders_len].path == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    s->folders_len++;
out:
    return err;
}

/* Remove what is at the path in hand, if it is a file, a link or an empty folder. */
static cn_err clear_path(cn_get_sink *s, const char **ret_path)
{
    const char *path = NULL;
    cn_err err = cn_buf_cstr(&s->path, &path);
    if (err == CN_OK) {
        err = cn_path_unlink(s->rt, path);
        err = err == CN_ERR_NOT_FOUND ? CN_OK : err;
        if (err != CN_OK) {
            (void)cn_why_set(s->why, err, "remove %s: %s", path, cn_err_sentence(err));
        }
        *ret_path = path;
    }
    return err;
}

/* The file in hand is complete: close it, set its mode and time. */
static cn_err end_file(cn_get_sink *s)
{
    const char *path = NULL;
    cn_file_close(s->rt, s->file);
    s->file = NULL;
    cn_err err = cn_buf_cstr(&s->path, &path);
    return err == CN_OK ? cn_path_touch(s->rt, path, &s->as) : err;
}

static cn_err begin_file(cn_get_sink *s, uint64_t size)
{
    const char *path = NULL;
    unsigned flags = CN_FILE_WRITE | CN_FILE_CREATE | CN_FILE_EXCLUSIVE | CN_FILE_NOFOLLOW;
    cn_err err = CN_OK;
    CN_TRY(clear_path(s, &path));
    CN_TRY(cn_file_open(s->rt, path, flags, &s->file, s->why));
    s->at = 0;
    s->left = size;
    if (size == 0) {
        err = end_file(s);
    }
out:
    return err;
}

static cn_err make_link(cn_get_sink *s, cn_slice target)
{
    const char *path = NULL;
    cn_err err = CN_OK;
    char *text = cn_strdup(s->mem, (const char *)target.data, target.len);
    if (text == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    CN_TRY(clear_path(s, &path));
    CN_TRY(cn_path_symlink(s->rt, path, text));
    CN_TRY(cn_path_touch(s->rt, path, &s->as));
out:
    cn_free(s->mem, text);
    return err;
}

/* The first entry: a file or link may be put into a folder that is there already. */
static cn_err place_root(cn_get_sink *s, const cn_tar_entry *e)
{
    cn_path_stat st = {0};
    const char *path = NULL;
    cn_err err = CN_OK;
    if (!name_is_safe(e->path)) {
        return refuse(s, CN_ERR_MALFORMED, e->path, "tar has invalid root");
    }
    s->has_root = true;
    s->root_is_dir = e->type == CN_TAR_DIR;
    CN_TRY(cn_buf_append(&s->root, e->path));
    CN_TRY(set_path(s, (cn_slice){0}));
    CN_TRY(cn_buf_cstr(&s->path, &path));
    if (!s->root_is_dir && cn_path_stat_of(s->rt, path, &st) == CN_OK && st.kind == CN_PATH_DIR) {
        CN_TRY(set_path(s, e->path));
    }
out:
    return err;
}

static cn_err place_below(cn_get_sink *s, const cn_tar_entry *e)
{
    cn_slice root = cn_buf_slice(&s->root);
    if (!s->root_is_dir || !cn_slice_starts(e->path, root) || e->path.len <= root.len ||
        e->path.data[root.len] != '/') {
        return refuse(s, CN_ERR_MALFORMED, e->path, "contains more than one root");
    }
    cn_slice below = cn_slice_skip(e->path, root.len + 1);
    cn_err err = check_way(s, below);
    return err == CN_OK ? set_path(s, below) : err;
}

static cn_err take_entry(cn_get_sink *s, const cn_tar_entry *e)
{
    cn_path_stat as = {
        .kind = e->type == CN_TAR_SYMLINK ? CN_PATH_SYMLINK : CN_PATH_FILE,
        .mode = e->mode,
        .mtime_s = e->mtime_s,
        .mtime_ns = e->mtime_ns};
    cn_err err = s->has_root ? place_below(s, e) : place_root(s, e);
    if (err != CN_OK) {
        return err;
    }
    s->as = as;
    switch (e->type) {
    case CN_TAR_DIR:
        return enter_folder(s, &as);
    case CN_TAR_SYMLINK:
        return make_link(s, e->target);
    case CN_TAR_FILE:
        return begin_file(s, e->size_bytes);
    default:
        return CN_ERR_UNSUPPORTED;
    }
}

cn_err cn_get_sink_bytes(cn_get_sink *s, cn_slice bytes)
{
    s->done_bytes += bytes.len;
    cn_call_progress(s->call, CN_PROGRESS_GET, s->done_bytes, UINT64_MAX);
    if (s->is_archive) {
        return write_bytes(s, bytes);
    }
    while (bytes.len > 0) {
        cn_untar_event event = {0};
        cn_err err = cn_untar_next(&s->untar, &bytes, &event, s->why);
        if (err == CN_OK && event.kind == CN_UNTAR_ENTRY) {
            err = take_entry(s, &event.entry);
        } else if (err == CN_OK && event.kind == CN_UNTAR_DATA && s->file != NULL) {
            err = write_bytes(s, event.data);
            s->left -= event.data.len;
            if (err == CN_OK && s->left == 0) {
                err = end_file(s);
            }
        }
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

cn_err cn_get_sink_close(cn_get_sink *s, cn_err result)
{
    const char *path = NULL;
    if (s == NULL) {
        return result;
    }
    if (s->file != NULL) {
        cn_file_close(s->rt, s->file);
        if (!s->is_archive && cn_buf_cstr(&s->path, &path) == CN_OK) {
            (void)!cn_path_unlink(s->rt, path); /* what is not whole is not left behind */
        } else if (cn_buf_cstr(&s->target, &path) == CN_OK) {
            s->as.mtime_s = cn_rt_wall(s->rt).ns / CN_NS_PER_S;
            (void)!cn_path_touch(s->rt, path, &s->as);
        }
    } else if (result == CN_OK && !s->is_archive) {
        result = cn_untar_finish(&s->untar, s->why);
    }
    while (s->folders_len > 0) {
        folder *f = &s->folders[--s->folders_len];
        cn_err err = cn_path_touch(s->rt, f->path, &f->as);
        result = result == CN_OK ? err : result;
        cn_free(s->mem, f->path);
    }
    cn_free(s->mem, s->folders);
    cn_untar_release(&s->untar);
    cn_buf_release(&s->target);
    cn_buf_release(&s->path);
    cn_buf_release(&s->root);
    cn_free(s->mem, s);
    return result;
}
