/*
 * `cat`: the bytes of files, one after the other, or a range of all of them together. All arguments
 * are resolved and opened once before the first byte is written, so that a wrong one fails without
 * output; then they are read.
 */
#include "cmd/commands.h"
#include "cmd/content.h"
#include "unixfs/read.h"

enum { PARTS_MAX = 1 << 20 };

/* What is to be read of one argument. */
typedef struct part {
    cn_cid cid;
    uint64_t offset;
    uint64_t len;
} part;

typedef struct cat_run {
    cn_call *call;
    cn_ahead ahead;
    part *parts;
    size_t len;
    size_t cap;
    uint64_t skip;  /* bytes still to pass over */
    uint64_t left;  /* bytes still to read; UINT64_MAX: all */
    uint64_t total; /* bytes that the parts hold */
    uint64_t done;  /* bytes of them that are written */
} cat_run;

static cn_err file_size(cat_run *run, const cn_cid *cid, uint64_t *ret)
{
    cn_read r;
    cn_pull step = {0};
    cn_read_init(&r, cn_call_mem(run->call), cid, NULL);
    cn_err err = cn_ahead_next(&run->ahead, &r.pull, &step, cn_call_why(run->call));
    if (err == CN_OK) {
        *ret = r.info.size_bytes;
    }
    cn_read_release(&r);
    return err;
}

static cn_err add_part(cat_run *run, cn_slice arg)
{
    cn_content content = {0};
    uint64_t size = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_content_find(run->call, arg, &content));
    CN_TRY(file_size(run, &content.cid, &size));
    if (run->skip > size) {
        run->skip -= size;
        goto out;
    }
    CN_TRY(cn_array_grow(
        cn_call_mem(run->call), (void **)&run->parts, &run->cap, run->len, PARTS_MAX,
        sizeof *run->parts));
    run->parts[run->len] =
        (part){.cid = content.cid, .offset = run->skip, .len = CN_MIN(size - run->skip, run->left)};
    run->skip = 0;
    run->total += run->parts[run->len].len;
    run->left -= run->left == UINT64_MAX ? 0 : run->parts[run->len].len;
    run->len++;
out:
    cn_content_release(&content);
    return err;
}

static cn_err write_part(cat_run *run, const part *p)
{
    const cn_read_options options = {.ahead = CN_PULL_AHEAD};
    cn_read r;
    cn_pull step = {.kind = CN_PULL_ENTRY};
    cn_err err = CN_OK;
    cn_read_init(&r, cn_call_mem(run->call), &p->cid, &options);
    cn_read_range(&r, p->offset, p->len);
    while (step.kind != CN_PULL_END) {
        CN_TRY(cn_call_check(run->call));
        CN_TRY(cn_ahead_next(&run->ahead, &r.pull, &step, cn_call_why(run->call)));
        if (step.kind == CN_PULL_DATA) {
            CN_TRY(cn_call_write(run->call, step.data));
            run->done += step.data.len;
            cn_call_progress(run->call, CN_PROGRESS_OUTPUT, run->done, run->total);
        }
    }
out:
    cn_read_release(&r);
    return err;
}

/* Offset and length as given, checked. */
static cn_err take_range(cat_run *run)
{
    bool has_length = false;
    int64_t offset = cn_call_int(run->call, "offset", NULL);
    int64_t length = cn_call_int(run->call, "length", &has_length);
    if (offset < 0) {
        return cn_call_fail(run->call, CN_ERR_USAGE, "cannot specify negative offset");
    }
    if (has_length && length < 0) {
        return cn_call_fail(run->call, CN_ERR_USAGE, "cannot specify negative length");
    }
    run->skip = (uint64_t)offset;
    run->left = has_length ? (uint64_t)length : UINT64_MAX;
    return CN_OK;
}

static cn_err run_cat(cn_call *call)
{
    cat_run run = {.call = call};
    cn_err err = CN_OK;
    CN_TRY(take_range(&run));
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_ahead(call, &run.ahead));
    for (size_t i = 0; i < cn_call_args_len(call) && run.left > 0; i++) {
        CN_TRY(add_part(&run, cn_call_arg(call, i)));
    }
    cn_call_set_type(call, "text/plain");
    cn_call_set_size(call, run.total);
    /* The answer begins with the first bytes: what is lost before them is an error. */
    for (size_t i = 0; i < run.len; i++) {
        CN_TRY(write_part(&run, &run.parts[i]));
    }
    CN_TRY(cn_call_write(call, (cn_slice){0}));
out:
    cn_ahead_release(&run.ahead);
    cn_free(cn_call_mem(call), run.parts);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

/* What comes from a daemon. */
typedef struct client_cat {
    uint64_t total;
    uint64_t done;
} client_cat;

static cn_err client_begin(cn_call *call, uint64_t size_bytes)
{
    client_cat *c = cn_alloc(cn_call_mem(call), sizeof *c);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->total = size_bytes;
    cn_call_set_state(call, c);
    return CN_OK;
}

static cn_err client_bytes(cn_call *call, cn_slice bytes)
{
    client_cat *c = cn_call_state(call);
    cn_err err = cn_call_write(call, bytes);
    if (err == CN_OK) {
        c->done += bytes.len;
        cn_call_progress(call, CN_PROGRESS_OUTPUT, c->done, c->total);
    }
    return err;
}

static const cn_client_side cat_client = {.begin = client_begin, .bytes = client_bytes};

static const cn_arg cat_args[] = {
    {"ipfs-path", CN_ARG_VARIADIC | CN_ARG_STDIN, "paths of the files to print"},
    {0},
};

static const cn_opt cat_opts[] = {
    {CN_OPT_INT64, "offset", "o", NULL, "byte to begin at"},
    {CN_OPT_INT64, "length", "l", NULL, "most bytes to print"},
    {CN_OPT_BOOL, "progress", "p", NULL, "show progress"},
    {0},
};

const cn_command cn_cmd_cat = {
    .path = "cat",
    .summary = "Print the contents of files",
    .args = cat_args,
    .opts = cat_opts,
    .run = run_cat,
    .client = &cat_client,
};
