/*
 * `get`: files and folders as a tar archive, or a file's bytes compressed. Over RPC that is the
 * answer; on the command line the bytes go to a sink that writes them as an archive or takes them
 * apart (get_sink.c).
 */
#include "cmd/commands.h"
#include "cmd/content.h"
#include "cmd/get_sink.h"

#include "codec/gzip.h"
#include "ipld/dagpb.h"
#include "node/node.h"
#include "unixfs/tar.h"
#include "unixfs/tree_read.h"

enum { OUT_MAX_BYTES = 64 << 20, FLUSH_BYTES = 256 << 10, DIRECT_BYTES = 64 << 10 };

typedef struct get_run {
    cn_call *call;
    cn_ahead ahead;
    cn_get_sink *sink; /* NULL over RPC */
    cn_gzip *gzip;     /* NULL: no compression */
    cn_buf out;
    cn_buf packed;
    cn_buf path;
    cn_slice root_name;
    cn_wall now; /* the time of what has none */
    bool archive;
    bool is_open;        /* bytes may go out */
    uint64_t file_bytes; /* of the file in hand */
} get_run;

static cn_err give(get_run *run, cn_slice bytes)
{
    return run->sink != NULL ? cn_get_sink_bytes(run->sink, bytes)
                             : cn_call_write(run->call, bytes);
}

/* Send what has gathered, compressed if asked for. */
static cn_err flush(get_run *run, bool at_end)
{
    cn_err err = CN_OK;
    if (run->gzip == NULL) {
        CN_TRY(give(run, cn_buf_slice(&run->out)));
    } else {
        CN_TRY(cn_gzip_write(run->gzip, cn_buf_slice(&run->out), &run->packed));
        if (at_end) {
            CN_TRY(cn_gzip_finish(run->gzip, &run->packed));
        }
        CN_TRY(give(run, cn_buf_slice(&run->packed)));
        cn_buf_reset(&run->packed);
    }
    cn_buf_reset(&run->out);
out:
    return err;
}

/* The name in the archive: the root's, then the path below it. Only safe names get there. */
static cn_err archive_path(get_run *run, const cn_tree_entry *e)
{
    cn_err err = CN_OK;
    bool bad =
        e->depth > 0 &&
        (e->name.len == 0 || cn_slice_is(e->name, "..") || cn_slice_is(e->name, ".") ||
         cn_slice_find(e->name, '/') < e->name.len || cn_slice_find(e->name, 0) < e->name.len);
    if (bad) {
        return cn_why_set(
            cn_call_why(run->call), CN_ERR_MALFORMED,
            "relative UnixFS paths outside the root are not allowed, use CAR instead");
    }
    cn_buf_reset(&run->path);
    CN_TRY(cn_buf_append(&run->path, run->root_name));
    if (e->path.len > 0) {
        CN_TRY(cn_buf_byte(&run->path, '/'));
        CN_TRY(cn_buf_append(&run->path, e->path));
    }
out:
    return err;
}

static cn_err add_header(get_run *run, const cn_tree_entry *e)
{
    cn_err err = archive_path(run, e);
    if (err != CN_OK) {
        return err;
    }
    const cn_tar_entry header = {
        .type = e->kind == CN_LIST_DIR       ? CN_TAR_DIR
                : e->kind == CN_LIST_SYMLINK ? CN_TAR_SYMLINK
                                             : CN_TAR_FILE,
        .path = cn_buf_slice(&run->path),
        .target = e->target,
        .size_bytes = e->size_bytes,
        .mode = e->has_mode && e->mode != 0  ? e->mode
                : e->kind == CN_LIST_DIR     ? 0755
                : e->kind == CN_LIST_SYMLINK ? 0777
                                             : 0644,
        .mtime_s = e->has_mtime ? e->mtime_s : run->now.ns / CN_NS_PER_S,
        .mtime_ns = e->has_mtime ? e->mtime_ns : (uint32_t)(run->now.ns % CN_NS_PER_S)};
    run->file_bytes = e->size_bytes;
    return cn_tar_header(&header, run->archive, &run->out);
}

/* Bytes of a file; large pieces go out as they are, behind what has gathered. */
static cn_err add_data(get_run *run, cn_slice data)
{
    cn_err err = CN_OK;
    if (run->gzip != NULL || data.len < DIRECT_BYTES || !run->is_open) {
        return cn_buf_append(&run->out, data);
    }
    CN_TRY(flush(run, false));
    CN_TRY(give(run, data));
out:
    return err;
}

/* One step of the tree into the archive; padding follows a file when the next entry comes. */
static cn_err add_step(get_run *run, const cn_pull *step)
{
    cn_err err = CN_OK;
    if (step->kind == CN_PULL_DATA) {
        return add_data(run, step->data);
    }
    CN_TRY(cn_tar_pad(run->file_bytes, &run->out));
    run->file_bytes = 0;
    if (step->kind == CN_PULL_END) {
        CN_TRY(cn_tar_end(&run->out));
    } else if (!((const cn_tree_entry *)step->entry)->is_end) {
        CN_TRY(add_header(run, step->entry));
    }
out:
    return err;
}

/* Only the bytes of one file, to be compressed. */
static cn_err add_plain(get_run *run, const cn_pull *step)
{
    if (step->kind == CN_PULL_DATA) {
        return cn_buf_append(&run->out, step->data);
    }
    const cn_tree_entry *e = step->entry;
    if (step->kind == CN_PULL_ENTRY && e->kind == CN_LIST_SYMLINK && run->sink == NULL &&
        !cn_call_is_cli(run->call)) {
        return cn_buf_append(&run->out, e->target); /* a client gets what it says, as from Kubo */
    }
    return step->kind == CN_PULL_END || e->kind == CN_LIST_FILE
               ? CN_OK
               : cn_why_set(cn_call_why(run->call), CN_ERR_WRONG_TYPE, "file is not regular");
}

/* The size a client is told of a folder: of its block and, by its links, of all below. */
static cn_err folder_size(cn_call *call, const cn_cid *cid, uint64_t *ret_bytes)
{
    cn_blocks *blocks = NULL;
    cn_buf block;
    cn_dagpb decoded = {0};
    cn_dagpb_link link = {0};
    uint64_t size_bytes = 0;
    cn_err err = CN_OK;
    cn_buf_init(&block, cn_call_mem(call), CN_DRIVE_BLOCK_MAX_BYTES);
    CN_TRY(cn_call_blocks(call, &blocks));
    CN_TRY(cn_blocks_get(blocks, cid, &block, cn_call_why(call)));
    CN_TRY(cn_dagpb_decode(cn_buf_slice(&block), &decoded, cn_call_why(call)));
    size_bytes = block.len;
    for (cn_dagpb_iter it = cn_dagpb_links(&decoded); cn_dagpb_next(&it, &link);) {
        size_bytes += link.tsize_bytes;
    }
    *ret_bytes = size_bytes;
out:
    cn_buf_release(&block);
    return err;
}

/* What goes wrong before the first byte leaves no file behind: so the sink is opened here. */
static cn_err open_sink(get_run *run, const cn_cid *cid, const cn_pull *first)
{
    uint64_t size_bytes = 0;
    if (cn_call_is_cli(run->call)) {
        return cn_get_sink_open(run->call, &run->sink);
    }
    const cn_tree_entry *e = first->entry;
    cn_call_set_type(run->call, run->gzip != NULL ? "application/gzip" : "application/x-tar");
    size_bytes = e->kind == CN_LIST_FILE ? e->size_bytes : e->target.len;
    cn_err err = e->kind != CN_LIST_DIR ? CN_OK : folder_size(run->call, cid, &size_bytes);
    if (err == CN_OK) {
        cn_call_set_size(run->call, size_bytes);
    }
    return err;
}

static cn_err send_tree(get_run *run, const cn_cid *cid)
{
    cn_tree_read t;
    cn_pull step = {.kind = CN_PULL_DATA};
    bool plain = run->gzip != NULL && !run->archive;
    cn_err err = CN_OK;
    cn_tree_read_init(&t, cn_call_mem(run->call), cid);
    while (step.kind != CN_PULL_END) {
        CN_TRY(cn_call_check(run->call));
        CN_TRY(cn_ahead_next(&run->ahead, &t.pull, &step, cn_call_why(run->call)));
        CN_TRY(plain ? add_plain(run, &step) : add_step(run, &step));
        if (!run->is_open) {
            CN_TRY(open_sink(run, cid, &step));
            run->is_open = true;
        }
        if (step.kind == CN_PULL_END || run->out.len >= FLUSH_BYTES) {
            CN_TRY(flush(run, step.kind == CN_PULL_END));
        }
    }
out:
    cn_tree_read_release(&t);
    return err;
}

/* The last name of the cleaned path. */
static cn_slice last_name(const cn_ipfs_path *p)
{
    cn_slice name = p->root_text;
    cn_slice rest = p->rest;
    while (cn_ipfs_path_next(&rest, &name)) {
    }
    return name;
}

static cn_err run_get(cn_call *call)
{
    get_run run = {.call = call, .now = cn_rt_wall(cn_call_rt(call))};
    cn_content content = {0};
    cn_mem *mem = cn_call_mem(call);
    int level = 0;
    cn_err err = CN_OK;
    cn_buf_init(&run.out, mem, OUT_MAX_BYTES + CN_DRIVE_BLOCK_MAX_BYTES);
    cn_buf_init(&run.packed, mem, OUT_MAX_BYTES + CN_DRIVE_BLOCK_MAX_BYTES);
    cn_buf_init(&run.path, mem, CN_TAR_PATH_MAX_BYTES);
    run.archive = cn_call_flag(call, "archive", NULL);
    CN_TRY(cn_get_level(call, &level));
    cn_call_follow(call);
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_find(call, cn_call_arg(call, 0), &content));
    run.root_name = last_name(&content.path);
    if (level != 0) {
        CN_TRY(cn_gzip_new(mem, level < 0 ? 0 : level, &run.gzip, cn_call_why(call)));
    }
    CN_TRY(cn_content_ahead(call, &run.ahead));
    CN_TRY(send_tree(&run, &content.cid));
out:
    err = cn_get_sink_close(run.sink, err);
    cn_gzip_free(run.gzip);
    cn_ahead_release(&run.ahead);
    cn_content_release(&content);
    cn_buf_release(&run.out);
    cn_buf_release(&run.packed);
    cn_buf_release(&run.path);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static cn_err prepare_get(cn_call *call)
{
    int level = 0;
    return cn_get_level(call, &level);
}

/* A daemon's answer, on the command line. */
static cn_err client_begin(cn_call *call, uint64_t size_bytes)
{
    cn_get_sink *sink = NULL;
    CN_UNUSED(size_bytes);
    cn_err err = cn_get_sink_open(call, &sink);
    cn_call_set_state(call, sink);
    return err;
}

static cn_err client_bytes(cn_call *call, cn_slice bytes)
{
    return cn_get_sink_bytes(cn_call_state(call), bytes);
}

static cn_err client_end(cn_call *call, cn_err result)
{
    cn_err err = cn_get_sink_close(cn_call_state(call), result);
    cn_call_set_state(call, NULL);
    return err == CN_OK || result != CN_OK ? err : cn_call_fail_why(call, err);
}

static const cn_client_side get_client = {
    .begin = client_begin, .bytes = client_bytes, .end = client_end};

static const cn_arg get_args[] = {
    {"ipfs-path", CN_ARG_STDIN, "path of the file or folder"},
    {0},
};

static const cn_opt get_opts[] = {
    {CN_OPT_STRING, "output", "o", NULL, "where to write"},
    {CN_OPT_BOOL, "archive", "a", NULL, "write a tar archive"},
    {CN_OPT_BOOL, "compress", "C", NULL, "compress with gzip"},
    {CN_OPT_INT, "compression-level", "l", NULL, "1 (fast) to 9 (small)"},
    {CN_OPT_BOOL, "progress", "p", NULL, "show progress"},
    {0},
};

const cn_command cn_cmd_get = {
    .path = "get",
    .summary = "Write files and folders to the disk",
    .args = get_args,
    .opts = get_opts,
    .prepare = prepare_get,
    .run = run_get,
    .client = &get_client,
};
