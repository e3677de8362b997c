/*
 * The file reader. States: WANT (a block is asked for), INFO (the root is known, not yet told),
 * RUN. A leaf's bytes become `data`, lent from the block; an inner node is copied into a frame
 * whose two iterators step through links and sizes together.
 *
 * Invariants: `next_at` of a frame is the file offset where its next link begins; a frame is
 * closed before its last child in range is entered, so that chains do not pile up; links of size 0
 * are passed over, so every block asked for brings bytes or an error.
 */
#include "unixfs/read.h"

enum { WANT, INFO, RUN };
enum { METADATA_HOPS_MAX = 8 };

typedef struct frame {
    cn_held held;
    cn_dagpb_iter links;
    cn_unixfs_blocksize_iter sizes;
    uint64_t next_at;
} frame;

/* One link of a frame with its size. */
typedef struct child {
    cn_dagpb_link link;
    uint64_t size;
    uint64_t at;
} child;

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why);
static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why);
static const cn_pull_ops read_ops = {.next = next, .give = give};

void cn_read_init(cn_read *r, cn_mem *mem, const cn_cid *root, const cn_read_options *options)
{
    *r = (cn_read){.pull = {.ops = &read_ops}, .to = UINT64_MAX, .wants_len = 1};
    if (options != NULL) {
        r->options = *options;
    }
    cn_read_ahead(r, r->options.ahead);
    r->wants[0] = *root;
    cn_stack_init(&r->stack, mem, sizeof(frame), CN_PULL_DEPTH_MAX);
}

void cn_read_release(cn_read *r)
{
    cn_stack_release(&r->stack);
    *r = (cn_read){0};
}

void cn_read_range(cn_read *r, uint64_t offset, uint64_t len)
{
    r->from = offset;
    r->to = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
}

void cn_read_ahead(cn_read *r, size_t ahead)
{
    r->options.ahead = cn_pull_ahead(ahead);
}

void cn_read_want_span(cn_read *r)
{
    r->span_wanted = true;
}

/* Blame the block being opened. */
static cn_err bad(const cn_read *r, cn_err err, const char *what, cn_why *why)
{
    return cn_pull_blame(&r->wants[0], err, what, why);
}

/* The next link of `f` and its size; false after the last one. */
static bool frame_next(frame *f, child *ret)
{
    if (!cn_dagpb_next(&f->links, &ret->link) || !cn_unixfs_blocksize_next(&f->sizes, &ret->size)) {
        return false;
    }
    ret->at = f->next_at;
    f->next_at += ret->size;
    return true;
}

/* The next link of `f` with bytes inside the range. */
static bool frame_next_in_range(const cn_read *r, frame *f, child *ret)
{
    while (r->from < r->to && f->next_at < r->to && frame_next(f, ret)) {
        if (ret->size > 0 && ret->at < r->to && ret->at + ret->size > r->from) {
            return true;
        }
    }
    return false;
}

/* Add the CIDs that come after the want, nearest first: siblings, then those of outer frames. */
static void look_ahead(cn_read *r)
{
    for (size_t level = r->stack.len; level-- > 0 && r->wants_len < r->options.ahead;) {
        frame f = *(frame *)cn_stack_at(&r->stack, level);
        child c = {0};
        while (r->wants_len < r->options.ahead && frame_next_in_range(r, &f, &c)) {
            r->wants[r->wants_len] = cn_dagpb_link_cid(&c.link);
            if (!cn_cid_is_identity(&r->wants[r->wants_len], NULL)) {
                r->wants_len++;
            }
        }
    }
}

/* Make the next child of the innermost frame the want; closes frames that are done. */
static bool choose(cn_read *r)
{
    for (;;) {
        frame *f = cn_stack_top(&r->stack);
        child c = {0};
        if (f == NULL) {
            return false;
        }
        if (!frame_next_in_range(r, f, &c)) {
            cn_stack_pop(&r->stack);
            continue;
        }
        r->wants[0] = cn_dagpb_link_cid(&c.link);
        r->wants_len = 1;
        r->want_at = c.at;
        r->want_size = c.size;
        frame probe = *f;
        if (!frame_next_in_range(r, &probe, &c)) {
            cn_stack_pop(&r->stack);
        }
        return true;
    }
}

/* Lend out what of `bytes`, which begin at file offset `at`, lies in the range. */
static void set_data(cn_read *r, cn_slice bytes, uint64_t at)
{
    uint64_t skip = r->from > at ? r->from - at : 0;
    r->data_at = at;
    r->data = skip >= bytes.len ? (cn_slice){0} : cn_slice_skip(bytes, (size_t)skip);
    uint64_t first = at + skip;
    r->data = first >= r->to ? (cn_slice){0}
                             : cn_slice_head(r->data, (size_t)CN_MIN(r->to - first, r->data.len));
}

/* Is the size of the block in hand what its parent says? The root has no parent. */
static bool size_fits(const cn_read *r, uint64_t size)
{
    return r->state == INFO || size == r->want_size;
}

static cn_err open_raw(cn_read *r, cn_slice block, cn_why *why)
{
    if (r->state == INFO) {
        r->info = (cn_read_info){.type = CN_UNIXFS_RAW, .size_bytes = block.len};
    } else if (!size_fits(r, block.len)) {
        return bad(r, CN_ERR_MALFORMED, "the block has not the size its parent gives it", why);
    }
    r->data = block;
    r->data_at = r->want_at;
    return CN_OK;
}

/* Add up a node's own data and the sizes of its links; they must be as many as the links. */
static cn_err sum_sizes(
    const cn_read *r, const cn_dagpb *node, const cn_unixfs_data *d, uint64_t *ret, cn_why *why)
{
    uint64_t sum = d->data.len;
    uint64_t size = 0;
    cn_unixfs_blocksize_iter sizes = cn_unixfs_blocksizes(d);
    if (node->links_len != d->blocksizes_len) {
        return bad(r, CN_ERR_MALFORMED, "as many blocksizes as links are needed", why);
    }
    while (cn_unixfs_blocksize_next(&sizes, &size)) {
        if (__builtin_add_overflow(sum, size, &sum)) {
            return bad(r, CN_ERR_MALFORMED, "blocksizes beyond 64 bits", why);
        }
    }
    if (d->has_filesize && d->filesize != sum) {
        return bad(r, CN_ERR_MALFORMED, "filesize is not the sum of data and blocksizes", why);
    }
    *ret = sum;
    return CN_OK;
}

/* Take a file node: its own data is lent from `node`, its links become a frame. */
static cn_err
open_file(cn_read *r, cn_slice block, const cn_dagpb *node, const cn_unixfs_data *d, cn_why *why)
{
    uint64_t size = 0;
    cn_err err = sum_sizes(r, node, d, &size, why);
    if (err != CN_OK) {
        return err;
    }
    if (!size_fits(r, size)) {
        return bad(r, CN_ERR_MALFORMED, "the file part has not the size its parent gives it", why);
    }
    if (r->state == INFO) {
        r->info.size_bytes = size;
    }
    r->data = d->data;
    r->data_at = r->want_at;
    if (node->links_len == 0) {
        return CN_OK;
    }
    void *opened = NULL;
    err = cn_stack_push(&r->stack, block, &opened, why);
    if (err != CN_OK) {
        return err;
    }
    frame *f = opened;
    cn_dagpb own = {0};
    cn_unixfs_data own_data = {0};
    cn_slice copy = {f->held.bytes, f->held.len};
    err = cn_dagpb_decode(copy, &own, why);
    if (err == CN_OK) {
        err = cn_unixfs_data_decode(own.data, &own_data, why);
    }
    f->links = cn_dagpb_links(&own);
    f->sizes = cn_unixfs_blocksizes(&own_data);
    f->next_at = r->want_at + d->data.len;
    return err;
}

/* A Metadata node stands for its first link. */
static cn_err follow_metadata(cn_read *r, const cn_dagpb *node, cn_why *why)
{
    cn_dagpb_link link = {0};
    if (r->state != INFO || !cn_dagpb_link_at(node, 0, &link) || r->hops++ >= METADATA_HOPS_MAX) {
        return bad(r, CN_ERR_MALFORMED, "incorrectly formatted metadata object", why);
    }
    r->wants[0] = cn_dagpb_link_cid(&link);
    r->state = WANT;
    return CN_OK;
}

static cn_err open_dagpb(cn_read *r, cn_slice block, cn_why *why)
{
    cn_dagpb node = {0};
    cn_unixfs_data d = {0};
    cn_why inner = {0};
    cn_err err = cn_dagpb_decode(block, &node, &inner);
    if (err == CN_OK) {
        err = cn_unixfs_data_decode(node.data, &d, &inner);
    }
    if (err != CN_OK) {
        return bad(r, err, cn_why_text(&inner, err), why);
    }
    if (d.type == CN_UNIXFS_DIRECTORY || d.type == CN_UNIXFS_HAMT) {
        return cn_why_set(why, CN_ERR_WRONG_TYPE, "this dag node is a directory");
    }
    if (d.type == CN_UNIXFS_METADATA) {
        return follow_metadata(r, &node, why);
    }
    if (r->state == INFO) {
        r->info = (cn_read_info){
            .type = d.type,
            .has_mode = d.has_mode,
            .has_mtime = d.has_mtime,
            .mode = d.mode,
            .mtime_s = d.mtime_s,
            .mtime_ns = d.mtime_ns};
    }
    if (d.type != CN_UNIXFS_SYMLINK) {
        return open_file(r, block, &node, &d, why);
    }
    if (r->state != INFO) {
        return bad(r, CN_ERR_WRONG_TYPE, "a symlink inside a file", why);
    }
    r->info.size_bytes = d.data.len;
    r->data = d.data;
    return CN_OK;
}

static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_read *r = (cn_read *)m;
    bool root = r->state == WANT;
    r->state = root ? INFO : RUN;
    if (r->wants[0].codec == CN_CODEC_RAW) {
        return open_raw(r, block, why);
    }
    if (r->wants[0].codec == CN_CODEC_DAG_PB) {
        return open_dagpb(r, block, why);
    }
    return cn_why_set(why, CN_ERR_WRONG_TYPE, "unknown node type");
}

static void yield_want(const cn_read *r, cn_pull *ret)
{
    *ret = (cn_pull){.kind = CN_PULL_WANT, .wants = r->wants, .wants_len = r->wants_len};
}

/* Hand out the raw leaf that was chosen, without asking for it. */
static void yield_span(const cn_read *r, cn_pull *ret)
{
    uint64_t first = CN_MAX(r->from, r->want_at);
    uint64_t last = CN_MIN(r->to, r->want_at + r->want_size);
    *ret = (cn_pull){
        .kind = CN_PULL_SPAN,
        .span_cid = r->wants[0],
        .span_offset = first - r->want_at,
        .span_len = last - first,
        .span_block_bytes = r->want_size};
}

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    cn_read *r = (cn_read *)m;
    CN_UNUSED(why);
    if (m->wanted != NULL || r->state == WANT) {
        yield_want(r, ret);
        return CN_OK;
    }
    if (r->span_wanted) {
        r->span_wanted = false;
        look_ahead(r);
        yield_want(r, ret);
        return CN_OK;
    }
    if (r->state == INFO) {
        r->state = RUN;
        *ret = (cn_pull){.kind = CN_PULL_ENTRY, .entry = &r->info};
        return CN_OK;
    }
    set_data(r, r->data, r->data_at);
    if (r->data.len > 0) {
        *ret = (cn_pull){.kind = CN_PULL_DATA, .data = r->data};
        r->data = (cn_slice){0};
        return CN_OK;
    }
    r->data = (cn_slice){0};
    if (!choose(r)) {
        *ret = (cn_pull){.kind = CN_PULL_END};
        return CN_OK;
    }
    if (r->options.spans && r->wants[0].codec == CN_CODEC_RAW &&
        !cn_cid_is_identity(&r->wants[0], NULL)) {
        yield_span(r, ret);
        return CN_OK;
    }
    look_ahead(r);
    yield_want(r, ret);
    return CN_OK;
}
