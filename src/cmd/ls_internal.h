/*
 * What `ls` gathers and how it is written: internal to cmd_ls.c and ls_output.c.
 */
#pragma once

#include "cmd/command.h"
#include "unixfs/list.h"

enum {
    LS_LINKS_MAX = 1 << 24,
    LS_TEXT_MAX_BYTES = 1 << 30,
};

/* One entry; its texts lie in the listing's `texts`. */
typedef struct ls_link {
    size_t name_at;
    size_t target_at;
    size_t cid_at; /* text, in the base asked for */
    uint32_t name_len;
    uint32_t target_len;
    uint32_t cid_len;
    uint32_t mode;
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
    cn_list_kind kind;
    bool has_mode;
    bool has_mtime;
} ls_link;

/* One directory: its entries are links[first] to links[first + len - 1]. */
typedef struct ls_object {
    cn_slice path; /* as given */
    size_t first;
    size_t len;
} ls_object;

typedef struct ls_listing {
    cn_buf texts;
    ls_link *links;
    size_t links_len;
    size_t links_cap;
    ls_object *objects;
    size_t objects_len;
    cn_slice last_path; /* streaming: the directory of the entry before */
} ls_listing;

extern const cn_output_type cn_ls_output;

/* Order links by name. */
void cn_ls_sort(const cn_buf *texts, ls_link *links, size_t len);
