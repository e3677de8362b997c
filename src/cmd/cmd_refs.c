/*
 * `refs` lists the links of objects, `refs local` all blocks of the repo.
 */
#include "cmd/commands.h"
#include "cmd/content.h"

#include "codec/json_write.h"
#include "node/node.h"
#include "store/store.h"
#include "unixfs/walk.h"

enum { LINE_MAX_BYTES = 1 << 20 };

/* One line: a reference, or what went wrong with the object. */
typedef struct ref_line {
    cn_slice ref;
    const char *failed; /* NULL: nothing */
} ref_line;

static cn_err ref_json(cn_call *call, cn_buf *out, const void *value)
{
    const ref_line *line = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "Ref", line->ref);
    cn_json_put_text(&j, "Err", line->failed == NULL ? "" : line->failed);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err ref_text(cn_call *call, cn_buf *out, const void *value)
{
    const ref_line *line = value;
    if (line->failed != NULL) {
        return cn_call_fail(call, CN_ERR_NOT_FOUND, "%s", line->failed);
    }
    cn_err err = cn_buf_append(out, line->ref);
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static const cn_output_type ref_output = {
    .name = "commands.RefWrapper", .json = ref_json, .text = ref_text};

typedef struct refs_run {
    cn_call *call;
    cn_drive drive;
    cn_walk walk;
    const char *format;
    cn_buf line;
} refs_run;

static cn_err emit_ref(refs_run *run)
{
    const ref_line line = {.ref = cn_buf_slice(&run->line)};
    return cn_call_emit(run->call, &ref_output, &line);
}

/* Append the format with its tokens replaced: <src>, <dst>, <linkname>. */
static cn_err write_edge(refs_run *run, const cn_walk_entry *e)
{
    cn_slice format = cn_str(run->format);
    cn_err err = CN_OK;
    cn_buf_reset(&run->line);
    while (format.len > 0) {
        if (cn_slice_starts(format, cn_str("<src>"))) {
            CN_TRY(cn_call_cid_text(run->call, e->parent, &run->line));
            format = cn_slice_skip(format, 5);
        } else if (cn_slice_starts(format, cn_str("<dst>"))) {
            CN_TRY(cn_call_cid_text(run->call, e->cid, &run->line));
            format = cn_slice_skip(format, 5);
        } else if (cn_slice_starts(format, cn_str("<linkname>"))) {
            CN_TRY(cn_buf_append(&run->line, e->name));
            format = cn_slice_skip(format, 10);
        } else {
            CN_TRY(cn_buf_byte(&run->line, format.data[0]));
            format = cn_slice_skip(format, 1);
        }
    }
    err = emit_ref(run);
out:
    return err;
}

/* Walk from one root. What is wrong with its blocks is a line, not the end. */
static cn_err walk_root(refs_run *run)
{
    cn_why *why = cn_call_why(run->call);
    cn_pull step = {0};
    for (;;) {
        cn_err err = cn_call_check(run->call);
        if (err != CN_OK) {
            return err;
        }
        err = cn_drive_next(&run->drive, &run->walk.pull, &step, why);
        if (err == CN_ERR_NO_MEMORY) {
            return err;
        }
        if (err != CN_OK) {
            bool late = cn_call_check(run->call) == CN_ERR_TIMEOUT;
            const ref_line line = {.failed = late ? CN_CALL_DEADLINE : cn_why_text(why, err)};
            return cn_call_emit(run->call, &ref_output, &line);
        }
        if (step.kind == CN_PULL_END) {
            return CN_OK;
        }
        const cn_walk_entry *e = step.entry;
        if (e->depth > 0 && !e->is_repeat) {
            err = write_edge(run, e);
            if (err != CN_OK) {
                return err;
            }
        }
    }
}

/* Resolve all arguments before the first line. */
static cn_err find_roots(cn_call *call, cn_cid **ret_roots)
{
    size_t len = cn_call_args_len(call);
    cn_cid *roots = cn_alloc_array(cn_call_mem(call), len, sizeof *roots);
    cn_err err = roots == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        cn_content content = {0};
        err = cn_content_find(call, cn_call_arg(call, i), &content);
        if (err == CN_OK) {
            roots[i] = content.cid;
        }
        cn_content_release(&content);
    }
    if (err != CN_OK) {
        cn_free(cn_call_mem(call), roots);
        return err;
    }
    *ret_roots = roots;
    return CN_OK;
}

static cn_err take_format(refs_run *run)
{
    run->format = cn_call_string(run->call, "format", NULL);
    if (cn_call_flag(run->call, "edges", NULL)) {
        if (!cn_slice_is(cn_str(run->format), "<dst>")) {
            return cn_call_fail(
                run->call, CN_ERR_USAGE, "using format argument with edges is not allowed");
        }
        run->format = "<src> -> <dst>";
    }
    if (run->format[0] == '\0') {
        run->format = "<dst>";
    }
    return CN_OK;
}

static cn_err run_refs(cn_call *call)
{
    refs_run run = {.call = call};
    cn_cid *roots = NULL;
    cn_err err = CN_OK;
    int64_t depth_max = cn_call_int(call, "max-depth", NULL);
    bool recursive = cn_call_flag(call, "recursive", NULL);
    const cn_walk_options options = {
        .unique = cn_call_flag(call, "unique", NULL),
        .root_apart = true,
        .has_depth_max = !recursive || depth_max >= 0,
        .depth_max = recursive ? (uint64_t)CN_MAX(depth_max, (int64_t)0) : 1};
    cn_buf_init(&run.line, cn_call_mem(call), LINE_MAX_BYTES);
    CN_TRY(take_format(&run));
    if (recursive && depth_max < 0) {
        cn_call_follow(call);
    }
    CN_TRY(cn_call_read_args(call));
    CN_TRY(find_roots(call, &roots));
    CN_TRY(cn_content_drive(call, &run.drive));
    for (size_t i = 0; i < cn_call_args_len(call); i++) {
        if (i == 0) {
            cn_walk_init(&run.walk, cn_call_mem(call), &roots[0], &options);
        } else {
            cn_walk_again(&run.walk, &roots[i]);
        }
        CN_TRY(walk_root(&run));
    }
out:
    cn_walk_release(&run.walk);
    cn_drive_release(&run.drive);
    cn_buf_release(&run.line);
    cn_free(cn_call_mem(call), roots);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static const cn_arg refs_args[] = {
    {"ipfs-path", CN_ARG_VARIADIC | CN_ARG_STDIN, "paths of the objects"},
    {0},
};

static const cn_opt refs_opts[] = {
    {CN_OPT_STRING, "format", NULL, "<dst>", "how to print a link: <src> <dst> <linkname>"},
    {CN_OPT_BOOL, "edges", "e", NULL, "print \"<src> -> <dst>\""},
    {CN_OPT_BOOL, "unique", "u", NULL, "print each reference once"},
    {CN_OPT_BOOL, "recursive", "r", NULL, "go on below what is linked"},
    {CN_OPT_INT, "max-depth", NULL, "-1", "with -r: levels to go down; -1: all"},
    {0},
};

const cn_command cn_cmd_refs = {
    .path = "refs",
    .summary = "List the links of objects",
    .args = refs_args,
    .opts = refs_opts,
    .output = &ref_output,
    .run = run_refs,
};

/* A block of the repo, as what it is for sure: raw bytes under its hash. */
static cn_err visit_local(void *ctx, const cn_cid *cid, const cn_place *place)
{
    refs_run *run = ctx;
    cn_cid raw;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = CN_OK;
    CN_UNUSED(place);
    CN_TRY(cn_call_check(run->call));
    CN_TRY(cn_cid_make(1, CN_CODEC_RAW, &mh, &raw));
    cn_buf_reset(&run->line);
    CN_TRY(cn_call_cid_text(run->call, &raw, &run->line));
    err = emit_ref(run);
out:
    return err;
}

static cn_err run_refs_local(cn_call *call)
{
    refs_run run = {.call = call};
    cn_node *node = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&run.line, cn_call_mem(call), LINE_MAX_BYTES);
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(cn_store_each(cn_node_store(node), visit_local, &run, cn_call_why(call)));
out:
    cn_buf_release(&run.line);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

const cn_command cn_cmd_refs_local = {
    .path = "refs/local",
    .summary = "List all blocks of the repo",
    .output = &ref_output,
    .run = run_refs_local,
};
