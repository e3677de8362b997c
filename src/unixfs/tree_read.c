/*
 * The tree reader is made of a lister for each open folder and a reader for the file in hand. It
 * asks for the block of each node itself, looks what it is, and gives the block on to the machine
 * that it opens for it. States: OPEN (a node's block is wanted), READY (an entry is to be yielded),
 * RUN.
 */
#include "unixfs/tree_read.h"

enum { OPEN, READY, RUN };

struct cn_tree_level {
    cn_list list;
    size_t path_len; /* of the folder's own path */
    cn_tree_entry entry;
};

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why);
static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why);
static const cn_pull_ops tree_ops = {.next = next, .give = give};

void cn_tree_read_init(cn_tree_read *t, cn_mem *mem, const cn_cid *root)
{
    *t = (cn_tree_read){.pull = {.ops = &tree_ops}, .mem = mem, .want = *root};
    cn_buf_init(&t->path, mem, CN_TREE_PATH_MAX_BYTES);
}

static void pop_level(cn_tree_read *t)
{
    cn_tree_level *level = t->levels[--t->levels_len];
    cn_list_release(&level->list);
    cn_free(t->mem, level);
}

void cn_tree_read_release(cn_tree_read *t)
{
    while (t->levels_len > 0) {
        pop_level(t);
    }
    if (t->mem != NULL) {
        cn_free(t->mem, t->levels);
    }
    cn_read_release(&t->read);
    cn_buf_release(&t->path);
    *t = (cn_tree_read){0};
}

/* Give `block`, which a new machine wants first, to it. */
static cn_err feed(const cn_tree_read *t, cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_pull step = {0};
    cn_err err = CN_OK;
    if (cn_cid_is_identity(&t->want, NULL)) {
        return CN_OK; /* it has taken, or will take, the bytes from its CID */
    }
    CN_TRY(cn_pull_next(m, &step, why));
    CN_TRY(cn_pull_give(m, &t->want, block, why));
out:
    return err;
}

static cn_err push_level(cn_tree_read *t, cn_slice block, cn_why *why)
{
    const cn_list_options options = {.only_dirs = true};
    if (t->levels_len == CN_TREE_DEPTH_MAX) {
        return cn_why_set(why, CN_ERR_TOO_DEEP, "folders are nested too deep");
    }
    cn_err err = cn_array_grow(
        t->mem, (void **)&t->levels, &t->levels_cap, t->levels_len, CN_TREE_DEPTH_MAX,
        sizeof(cn_tree_level *));
    if (err != CN_OK) {
        return err;
    }
    cn_tree_level *level = cn_alloc(t->mem, sizeof *level);
    if (level == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_list_init(&level->list, t->mem, &t->want, &options);
    level->path_len = t->path.len;
    level->entry = t->entry;
    t->levels[t->levels_len++] = level;
    return feed(t, &level->list.pull, block, why);
}

/* The fields of an entry that its own message has. */
static void take_data(cn_tree_read *t, const cn_unixfs_data *d)
{
    t->entry.kind = d->type == CN_UNIXFS_SYMLINK                                  ? CN_LIST_SYMLINK
                    : d->type == CN_UNIXFS_DIRECTORY || d->type == CN_UNIXFS_HAMT ? CN_LIST_DIR
                                                                                  : CN_LIST_FILE;
    t->entry.target = d->type == CN_UNIXFS_SYMLINK ? d->data : (cn_slice){0};
    t->entry.has_mode = d->has_mode;
    t->entry.mode = d->mode;
    t->entry.has_mtime = d->has_mtime;
    t->entry.mtime_s = d->mtime_s;
    t->entry.mtime_ns = d->mtime_ns;
}

/* What is this node? */
static cn_err look(cn_tree_read *t, cn_slice block, cn_why *why)
{
    cn_dagpb node = {0};
    cn_unixfs_data d = {0};
    cn_err err = CN_OK;
    t->entry = (cn_tree_entry){.kind = CN_LIST_FILE, .depth = t->levels_len};
    if (t->want.codec == CN_CODEC_RAW) {
        return CN_OK;
    }
    if (t->want.codec != CN_CODEC_DAG_PB) {
        return cn_why_set(why, CN_ERR_WRONG_TYPE, "unknown node type");
    }
    CN_TRY(cn_dagpb_decode(block, &node, why));
    CN_TRY(cn_unixfs_data_decode(node.data, &d, why));
    take_data(t, &d);
out:
    return err;
}

static cn_err open_node(cn_tree_read *t, cn_slice block, cn_why *why)
{
    cn_err err = look(t, block, why);
    if (err != CN_OK) {
        return err;
    }
    t->state = READY;
    if (t->entry.kind == CN_LIST_DIR) {
        return push_level(t, block, why);
    }
    if (t->entry.kind == CN_LIST_FILE) {
        const cn_read_options options = {.ahead = CN_PULL_AHEAD};
        cn_read_init(&t->read, t->mem, &t->want, &options);
        t->is_reading = true;
        t->state = RUN; /* its entry comes once its size is known */
        return feed(t, &t->read.pull, block, why);
    }
    return CN_OK;
}

static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_tree_read *t = (cn_tree_read *)m;
    if (t->state == OPEN) {
        return open_node(t, block, why);
    }
    return cn_pull_give(t->below, t->below->wanted, block, why);
}

/* Yield the entry in hand with its path as it now stands. */
static void yield(cn_tree_read *t, cn_pull *ret)
{
    t->entry.path = cn_buf_slice(&t->path);
    t->entry.name = cn_slice_skip(t->entry.path, t->name_at);
    t->state = RUN;
    *ret = (cn_pull){.kind = CN_PULL_ENTRY, .entry = &t->entry};
}

/* A name found in the innermost folder: its node is opened next. */
static cn_err enter(cn_tree_read *t, const cn_list_entry *e)
{
    cn_err err = CN_OK;
    t->path.len = t->levels[t->levels_len - 1]->path_len;
    if (t->path.len > 0) {
        CN_TRY(cn_buf_byte(&t->path, '/'));
    }
    t->name_at = t->path.len;
    CN_TRY(cn_buf_append(&t->path, e->name));
    t->want = e->cid;
    t->state = OPEN;
out:
    return err;
}

/* A step of the file in hand; *ret_have tells whether *ret is to be passed on. */
static cn_err step_file(cn_tree_read *t, cn_pull *ret, bool *ret_have, cn_why *why)
{
    cn_err err = cn_pull_next(&t->read.pull, ret, why);
    if (err != CN_OK) {
        return err;
    }
    *ret_have = true;
    if (ret->kind == CN_PULL_ENTRY) {
        t->entry.size_bytes = t->read.info.size_bytes;
        yield(t, ret);
    } else if (ret->kind == CN_PULL_WANT) {
        t->below = &t->read.pull;
    } else if (ret->kind == CN_PULL_END) {
        cn_read_release(&t->read);
        t->is_reading = false;
        *ret_have = false;
    }
    return CN_OK;
}

/* A step of the innermost folder. */
static cn_err step_folder(cn_tree_read *t, cn_pull *ret, bool *ret_have, cn_why *why)
{
    cn_tree_level *level = t->levels[t->levels_len - 1];
    cn_err err = cn_pull_next(&level->list.pull, ret, why);
    *ret_have = false;
    if (err != CN_OK) {
        return err;
    }
    if (ret->kind == CN_PULL_ENTRY) {
        return enter(t, ret->entry);
    }
    *ret_have = true;
    if (ret->kind == CN_PULL_WANT) {
        t->below = &level->list.pull;
        return CN_OK;
    }
    t->path.len = level->path_len;
    t->entry = level->entry;
    t->entry.is_end = true;
    pop_level(t);
    yield(t, ret);
    t->entry.name = (cn_slice){0};
    return CN_OK;
}

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    cn_tree_read *t = (cn_tree_read *)m;
    for (;;) {
        bool have = false;
        cn_err err = CN_OK;
        if (t->state == OPEN) {
            *ret = (cn_pull){.kind = CN_PULL_WANT, .wants = &t->want, .wants_len = 1};
            return CN_OK;
        }
        if (t->state == READY) {
            yield(t, ret);
            return CN_OK;
        }
        if (t->is_reading) {
            err = step_file(t, ret, &have, why);
        } else if (t->levels_len > 0) {
            err = step_folder(t, ret, &have, why);
        } else {
            *ret = (cn_pull){.kind = CN_PULL_END};
            return CN_OK;
        }
        if (err != CN_OK || have) {
            return err;
        }
    }
}
