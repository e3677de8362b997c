/*
 * The directory lister. States: NEED_DIR (the root or a shard below is wanted), NEED_CHILD (the
 * entry in hand is being opened), RUN, READY (the entry in hand is complete). The stack holds the
 * root and the shards below it that are being listed; a frame is closed when it has no more links.
 */
#include "unixfs/list.h"

#include "ipld/links.h"
#include "unixfs/shard.h"

enum { NEED_DIR, NEED_CHILD, RUN, READY };

typedef struct frame {
    cn_held held;
    cn_links links;
    size_t prefix; /* digits before a name in a shard; 0 in a plain directory */
} frame;

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why);
static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why);
static const cn_pull_ops list_ops = {.next = next, .give = give};

void cn_list_init(cn_list *l, cn_mem *mem, const cn_cid *root, const cn_list_options *options)
{
    *l = (cn_list){.pull = {.ops = &list_ops}, .wants_len = 1};
    if (options != NULL) {
        l->options = *options;
    }
    l->options.ahead = cn_pull_ahead(l->options.ahead);
    l->wants[0] = *root;
    cn_stack_init(&l->stack, mem, sizeof(frame), CN_SHARD_DEPTH_MAX);
}

void cn_list_release(cn_list *l)
{
    cn_stack_release(&l->stack);
    *l = (cn_list){0};
}

static cn_err bad(const cn_list *l, cn_err err, const char *what, cn_why *why)
{
    return cn_pull_blame(&l->wants[0], err, what, why);
}

/* What kind of node is it: 0 digits for plain links, else a shard's. Below a shard only shards. */
static cn_err kind_of(const cn_list *l, cn_slice block, size_t *ret_prefix, cn_why *why)
{
    bool is_root = l->stack.len == 0;
    cn_dagpb node = {0};
    cn_unixfs_data data = {0};
    cn_shard shard = {0};
    cn_why inner = {0};
    *ret_prefix = 0;
    cn_err err = CN_ERR_WRONG_TYPE;
    if (l->wants[0].codec == CN_CODEC_DAG_PB) {
        err = cn_dagpb_decode(block, &node, &inner);
        if (err == CN_OK) {
            err = cn_unixfs_data_decode(node.data, &data, &inner);
        }
        if (err != CN_OK) {
            return bad(l, err, cn_why_text(&inner, err), why);
        }
    }
    if (err == CN_OK && data.type == CN_UNIXFS_HAMT) {
        err = cn_shard_open(&node, &data, &shard, why);
        *ret_prefix = shard.width;
        return err;
    }
    if (!is_root) {
        return bad(l, CN_ERR_MALFORMED, "a shard of a directory was expected", why);
    }
    if (l->options.only_dirs && (err != CN_OK || data.type != CN_UNIXFS_DIRECTORY)) {
        return cn_why_set(why, CN_ERR_WRONG_TYPE, "this dag node is not a directory");
    }
    return CN_OK;
}

static cn_err open_dir(cn_list *l, cn_slice block, cn_why *why)
{
    size_t prefix = 0;
    void *opened = NULL;
    frame *f = NULL;
    cn_err err = CN_OK;
    CN_TRY(kind_of(l, block, &prefix, why));
    CN_TRY(cn_stack_push(&l->stack, block, &opened, why));
    f = opened;
    f->prefix = prefix;
    CN_TRY(
        cn_links_open(l->wants[0].codec, cn_slice_of(f->held.bytes, f->held.len), &f->links, why));
    l->state = RUN;
out:
    return err;
}

/* Complete the entry in hand from its block. */
static cn_err open_child(cn_list *l, cn_slice block, cn_why *why)
{
    static const cn_list_kind kinds[] = {
        [CN_UNIXFS_RAW] = CN_LIST_FILE,        [CN_UNIXFS_DIRECTORY] = CN_LIST_DIR,
        [CN_UNIXFS_FILE] = CN_LIST_FILE,       [CN_UNIXFS_METADATA] = CN_LIST_DIR,
        [CN_UNIXFS_SYMLINK] = CN_LIST_SYMLINK, [CN_UNIXFS_HAMT] = CN_LIST_DIR};
    cn_dagpb node = {0};
    cn_unixfs_data d = {0};
    cn_why inner = {0};
    cn_err err = cn_dagpb_decode(block, &node, &inner);
    if (err == CN_OK) {
        err = cn_unixfs_data_decode(node.data, &d, &inner);
    }
    if (err != CN_OK) {
        return bad(l, err, cn_why_text(&inner, err), why);
    }
    cn_list_entry *e = &l->entry;
    e->kind = kinds[d.type];
    if (e->kind == CN_LIST_FILE) {
        e->size_bytes = d.has_filesize ? d.filesize : d.data.len;
    } else if (e->kind == CN_LIST_SYMLINK) {
        e->target = d.data;
        e->size_bytes = d.data.len;
    }
    e->has_mode = d.has_mode;
    e->mode = d.mode;
    e->has_mtime = d.has_mtime;
    e->mtime_s = d.mtime_s;
    e->mtime_ns = d.mtime_ns;
    l->state = READY;
    return CN_OK;
}

static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_list *l = (cn_list *)m;
    return l->state == NEED_CHILD ? open_child(l, block, why) : open_dir(l, block, why);
}

/* Must the block behind this link be opened? Shards always, children where asked for. */
static bool must_open(const cn_list *l, const frame *f, const cn_link *link)
{
    bool is_shard = f->prefix > 0 && link->name.len == f->prefix;
    return is_shard || (l->options.with_children && link->cid.codec == CN_CODEC_DAG_PB);
}

/* Add what will be wanted after the want, from the innermost frame. */
static void look_ahead(cn_list *l, const frame *f)
{
    cn_links links = f->links;
    cn_link link = {0};
    bool have = true;
    while (l->wants_len < l->options.ahead) {
        if (cn_links_next(&links, &link, &have) != CN_OK || !have) {
            return;
        }
        if (must_open(l, f, &link) && !cn_cid_is_identity(&link.cid, NULL)) {
            l->wants[l->wants_len++] = link.cid;
        }
    }
}

/* Take a link: a shard to open, or an entry, complete or to be opened. */
static cn_err take(cn_list *l, const frame *f, const cn_link *link, cn_why *why)
{
    if (link->name.len < f->prefix) {
        return bad(l, CN_ERR_MALFORMED, "a link of a shard without its number", why);
    }
    bool opens = must_open(l, f, link);
    bool is_shard = f->prefix > 0 && link->name.len == f->prefix;
    if (opens) {
        l->wants[0] = link->cid;
        l->wants_len = 1;
        look_ahead(l, f);
    }
    if (is_shard) {
        l->state = NEED_DIR;
        return CN_OK;
    }
    bool is_raw = link->cid.codec == CN_CODEC_RAW;
    l->entry = (cn_list_entry){
        .name = cn_slice_skip(link->name, f->prefix),
        .cid = link->cid,
        .tsize_bytes = link->tsize_bytes,
        .kind = is_raw ? CN_LIST_FILE : CN_LIST_UNKNOWN,
        .size_bytes = is_raw ? link->tsize_bytes : 0};
    l->state = opens ? NEED_CHILD : READY;
    return CN_OK;
}

/* Go on to the next entry, or to a block that is needed for it; false when there are no more. */
static cn_err advance(cn_list *l, bool *ret_more, cn_why *why)
{
    for (;;) {
        frame *f = cn_stack_top(&l->stack);
        cn_link link = {0};
        bool have = false;
        if (f == NULL) {
            *ret_more = false;
            return CN_OK;
        }
        cn_err err = cn_links_next(&f->links, &link, &have);
        if (err != CN_OK) {
            return err;
        }
        if (have) {
            *ret_more = true;
            return take(l, f, &link, why);
        }
        cn_stack_pop(&l->stack);
    }
}

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    cn_list *l = (cn_list *)m;
    bool more = true;
    if (l->state == RUN) {
        cn_err err = advance(l, &more, why);
        if (err != CN_OK) {
            return err;
        }
    }
    if (!more) {
        *ret = (cn_pull){.kind = CN_PULL_END};
    } else if (l->state == READY) {
        l->state = RUN;
        *ret = (cn_pull){.kind = CN_PULL_ENTRY, .entry = &l->entry};
    } else {
        *ret = (cn_pull){.kind = CN_PULL_WANT, .wants = l->wants, .wants_len = l->wants_len};
    }
    return CN_OK;
}
