/*
 * Files named on the command line, checked as Kubo checks them before anything is opened, and given
 * to the walk of the local disk in order of their names.
 */
#include "cli/cli.h"

#include "base/map.h"
#include "cli/path_clean.h"
#include "rt/source.h"
#include "rt_os/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IGNORE_FILE_MAX = 16 << 20, PATH_TEXT_MAX = 1 << 20 };

typedef struct named {
    const char *path; /* owned; "" for standard input */
    const char *name; /* its last part, or what standard input is to be called */
    size_t given;     /* its place among the arguments */
} named;

struct cn_cli_files {
    cn_mem *mem;
    cn_tree *tree;
    cn_ignore ignore;
    named *list;
    size_t len;
    cn_map names; /* of paths, to their place in `list` as long as that is not sorted */
    bool reads_stdin;
};

static bool flag_of(const cn_request *r, const char *name)
{
    const cn_given *g = cn_request_option(r, name);
    return g != NULL && g->value.flag;
}

static const char *text_of(const cn_request *r, const char *name)
{
    const cn_given *g = cn_request_option(r, name);
    return g == NULL ? "" : g->text;
}

/* The path in its shortest form; "." stands for the folder we are in. */
static char *clean(cn_mem *mem, const char *path)
{
    char held[PATH_MAX];
    char *ret = NULL;
    cn_buf text;
    cn_buf_init(&text, mem, PATH_TEXT_MAX);
    if (cn_path_clean(cn_str(path), &text) == CN_OK) {
        bool here = cn_slice_is(cn_buf_slice(&text), ".");
        if (!here) {
            ret = cn_strdup(mem, (const char *)text.data, text.len);
        } else if (getcwd(held, sizeof held) != NULL) {
            ret = cn_strdup(mem, held, strlen(held));
        }
    }
    cn_buf_release(&text);
    return ret;
}

/* What a path that may be a link leads to: the link's target names what is added. */
static char *followed(cn_mem *mem, const char *path)
{
    char held[PATH_MAX];
    const char *real = realpath(path, held);
    real = real == NULL ? path : real; /* what is wrong with it is said by the check */
    return cn_strdup(mem, real, strlen(real));
}

static const cn_arg *file_arg(const cn_request *r)
{
    const cn_arg *arg = r->command->args;
    while (arg->name != NULL && (arg->flags & CN_ARG_FILE) == 0) {
        arg++;
    }
    return arg;
}

static cn_err check(const cn_request *r, const char *path, bool follow, cn_why *why)
{
    struct stat st;
    const cn_arg *arg = file_arg(r);
    if ((follow ? stat(path, &st) : lstat(path, &st)) != 0) {
        int error = errno;
        const char *said = strerror(error);
        char first = (char)(said[0] >= 'A' && said[0] <= 'Z' ? said[0] + 32 : said[0]);
        return cn_why_set(why, CN_ERR_NOT_FOUND, "lstat %s: %c%s", path, first, said + 1);
    }
    if (S_ISDIR(st.st_mode) && (arg->flags & CN_ARG_RECURSIVE) == 0) {
        return cn_why_set(
            why, CN_ERR_USAGE, "invalid path '%s', argument '%s' does not support directories",
            path, arg->name);
    }
    if (S_ISDIR(st.st_mode) && !flag_of(r, "recursive")) {
        return cn_why_set(
            why, CN_ERR_USAGE, "'%s' is a directory, use the '-r' flag to specify directories",
            path);
    }
    return CN_OK;
}

/* The folder that a path lies in, for people. */
static cn_slice folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    return slash == NULL ? cn_str(".") : cn_slice_of(path, len == 0 ? 1 : len);
}

/* The path has the name of one given before: is it the same one? */
static cn_err check_repeated(const named *before, const named *n, cn_why *why)
{
    cn_slice folder = folder_of(n->path);
    cn_slice other = folder_of(before->path);
    if (cn_slice_eq(folder, other)) {
        return CN_OK;
    }
    return cn_why_set(
        why, CN_ERR_USAGE,
        "file name %s repeated under different import directories: %.*s and %.*s", n->name,
        (int)folder.len, (const char *)folder.data, (int)other.len, (const char *)other.data);
}

/* Keep a path (taken over, also on errors), unless it was given before. */
static cn_err keep(cn_cli_files *f, const char *path, cn_why *why)
{
    const char *slash = strrchr(path, '/');
    named n = {path, slash == NULL || slash[1] == '\0' ? path : slash + 1, f->len};
    void *index = NULL;
    bool is_new = false;
    cn_err err = CN_OK;
    CN_TRY(cn_map_put(&f->names, cn_str(n.name), &index, &is_new));
    if (!is_new) {
        CN_TRY(check_repeated(&f->list[*(size_t *)index], &n, why));
        goto out;
    }
    *(size_t *)index = f->len;
    f->list[f->len++] = n;
    return CN_OK;
out:
    cn_free(f->mem, (void *)(uintptr_t)path);
    return err;
}

/* Standard input, which goes by the name it is given and may share it. */
static cn_err keep_stdin(cn_cli_files *f, const cn_request *r)
{
    char *empty = cn_strdup(f->mem, "", 0);
    if (empty == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    f->reads_stdin = true;
    f->list[f->len] = (named){empty, text_of(r, "stdin-name"), f->len};
    f->len++;
    return CN_OK;
}

static cn_err take(cn_cli_files *f, const cn_request *r, const char *word, cn_why *why)
{
    if (strcmp(word, "-") == 0) {
        return keep_stdin(f, r);
    }
    if (strncmp(word, "http://", 7) == 0 || strncmp(word, "https://", 8) == 0) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "adding from a URL is not built yet: %s", word);
    }
    char *path = clean(f->mem, word);
    if (path == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    bool follow = flag_of(r, "dereference-args") || flag_of(r, "dereference-symlinks");
    if (follow) {
        char *real = followed(f->mem, path);
        cn_free(f->mem, path);
        if (real == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        path = real;
    }
    cn_err err = check(r, path, follow, why);
    if (err != CN_OK) {
        cn_free(f->mem, path);
        return err;
    }
    return keep(f, path, why);
}

static int by_name(const void *a, const void *b)
{
    const named *one = a;
    const named *two = b;
    int order = strcmp(one->name, two->name);
    return order != 0 ? order : (one->given > two->given) - (one->given < two->given);
}

static cn_err read_rules(cn_cli_files *f, cn_rt *rt, const cn_request *r, cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf text;
    cn_buf_init(&text, f->mem, IGNORE_FILE_MAX);
    const char *path = text_of(r, "ignore-rules-path");
    if (path[0] != '\0') {
        CN_TRY(cn_rt_read_file(rt, path, &text, why));
        CN_TRY(cn_ignore_add_lines(&f->ignore, cn_buf_slice(&text)));
    }
    for (size_t i = 0; i < r->options_len; i++) {
        if (strcmp(r->options[i].opt->name, "ignore") == 0) {
            CN_TRY(cn_ignore_add(&f->ignore, cn_str(r->options[i].text)));
        }
    }
out:
    cn_buf_release(&text);
    return err;
}

static cn_err fill_tree(cn_cli_files *f, const cn_request *r)
{
    cn_tree_options options = {
        .recursive = flag_of(r, "recursive"),
        .hidden = flag_of(r, "hidden"),
        .dereference_paths = flag_of(r, "dereference-args"),
        .dereference = flag_of(r, "dereference-symlinks"),
        .ignore = &f->ignore,
    };
    cn_err err = cn_tree_new(f->mem, &options, &f->tree);
    for (size_t i = 0; err == CN_OK && i < f->len; i++) {
        const char *path = f->list[i].path;
        err = path[0] == '\0'
                  ? cn_tree_add_fd(f->tree, STDIN_FILENO, cn_str(text_of(r, "stdin-name")))
                  : cn_tree_add_path(f->tree, path);
    }
    return err;
}

cn_err
cn_cli_files_new(cn_mem *mem, cn_rt *rt, const cn_request *r, cn_cli_files **ret, cn_why *why)
{
    cn_cli_files *f = cn_alloc(mem, sizeof *f);
    if (f == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    f->mem = mem;
    cn_ignore_init(&f->ignore, mem);
    cn_map_init(&f->names, mem, sizeof(size_t), r->files.len + 1, 0);
    f->list = cn_alloc_array(mem, r->files.len + 1, sizeof *f->list);
    cn_err err = f->list == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    for (size_t i = 0; err == CN_OK && i < r->files.len; i++) {
        err = take(f, r, (const char *)r->files.items[i].data, why);
    }
    if (err == CN_OK && r->stdin_file && r->files.len == 0) {
        err = take(f, r, "-", why);
    }
    if (err == CN_OK) {
        qsort(f->list, f->len, sizeof *f->list, by_name);
        err = read_rules(f, rt, r, why);
    }
    if (err == CN_OK) {
        err = fill_tree(f, r);
    }
    if (err != CN_OK) {
        cn_cli_files_free(f);
        return err;
    }
    *ret = f;
    return CN_OK;
}

void cn_cli_files_free(cn_cli_files *f)
{
    if (f == NULL) {
        return;
    }
    cn_tree_free(f->tree);
    cn_ignore_release(&f->ignore);
    cn_map_release(&f->names);
    for (size_t i = 0; i < f->len; i++) {
        cn_free(f->mem, (void *)(uintptr_t)f->list[i].path);
    }
    cn_free(f->mem, f->list);
    cn_free(f->mem, f);
}

struct cn_source *cn_cli_files_source(cn_cli_files *f)
{
    return cn_tree_source(f->tree);
}

bool cn_cli_files_reads_stdin(const cn_cli_files *f)
{
    return f->reads_stdin;
}
