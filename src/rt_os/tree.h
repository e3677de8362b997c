/*
 * The local disk as a source (rt/source.h): several paths, each a file, a symbolic link, or a
 * folder with all in it, names in order of their bytes. Also standard input.
 *
 * FIFOs, sockets and devices are refused, never waited for. Memory: the names of the folders that
 * are open.
 */
#pragma once

#include "rt/ignore.h"
#include "rt/source.h"

typedef struct cn_tree cn_tree;

typedef struct cn_tree_options {
    bool recursive; /* folders may be given */
    bool hidden;    /* names that begin with a dot, below the paths given, are not skipped */
    bool dereference_paths;  /* follow symbolic links given as paths */
    bool dereference;        /* follow all symbolic links */
    const cn_ignore *ignore; /* names left out below the paths given; nullable, borrowed */
} cn_tree_options;

/* A walk without paths. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_tree_new(cn_mem *mem, const cn_tree_options *options, cn_tree **ret);
/* Closes what is open. Accepts NULL. */
void cn_tree_free(cn_tree *t);

/* Add a path (copied), walked under its last name. Errors: NO_MEMORY, TOO_LARGE (65536 paths). */
CN_MUST_USE cn_err cn_tree_add_path(cn_tree *t, const char *path);
/* Add an open descriptor, read to its end, as a file called `name` (may be empty). Not closed. */
CN_MUST_USE cn_err cn_tree_add_fd(cn_tree *t, int fd, cn_slice name);

/*
 * The walk as a source, borrowed from `t`. Its errors: NOT_FOUND, PERMISSION, IO, WRONG_TYPE (a
 * FIFO, socket or device; a folder without `recursive`), TOO_DEEP (1024 folders, or a symbolic link
 * back into a folder that is open), TOO_LARGE (a file that grows faster than it is read).
 */
cn_source *cn_tree_source(cn_tree *t);
