/*
 * `ls`: the entries of directories. Without --stream all are gathered, sorted by name and written
 * at once; with it each is written as it is met.
 */
#include "cmd/commands.h"
#include "cmd/content.h"
#include "cmd/ls_internal.h"

typedef struct ls_run {
    cn_call *call;
    cn_drive drive;
    ls_listing l;
    bool stream;
} ls_run;

static cn_err add_text(ls_listing *l, cn_slice text, size_t *ret_at, uint32_t *ret_len)
{
    *ret_at = l->texts.len;
    *ret_len = (uint32_t)text.len;
    return cn_buf_append(&l->texts, text);
}

static cn_err add_link(ls_run *run, const cn_list_entry *e)
{
    ls_listing *l = &run->l;
    ls_link k = {
        .size = e->size_bytes,
        .kind = e->kind,
        .has_mode = e->has_mode,
        .mode = e->mode,
        .has_mtime = e->has_mtime,
        .mtime_s = e->mtime_s,
        .mtime_ns = e->mtime_ns};
    cn_err err = CN_OK;
    CN_TRY(cn_array_grow(
        cn_call_mem(run->call), (void **)&l->links, &l->links_cap, l->links_len, LS_LINKS_MAX,
        sizeof *l->links));
    CN_TRY(add_text(l, e->name, &k.name_at, &k.name_len));
    CN_TRY(add_text(l, e->target, &k.target_at, &k.target_len));
    k.cid_at = l->texts.len;
    CN_TRY(cn_call_cid_text(run->call, &e->cid, &l->texts));
    k.cid_len = (uint32_t)(l->texts.len - k.cid_at);
    l->links[l->links_len++] = k;
out:
    return err;
}

/* Write the one entry in hand and forget it. */
static cn_err emit_link(ls_run *run, cn_slice path)
{
    ls_listing *l = &run->l;
    l->objects[0] = (ls_object){.path = path, .len = 1};
    l->objects_len = 1;
    cn_err err = cn_call_emit(run->call, &cn_ls_output, l);
    l->last_path = path;
    l->links_len = 0;
    cn_buf_reset(&l->texts);
    return err;
}

static cn_err list_dir(ls_run *run, cn_slice arg, const cn_cid *cid)
{
    cn_list list;
    cn_pull step = {0};
    cn_err err = CN_OK;
    const cn_list_options options = {
        .with_children =
            cn_call_flag(run->call, "size", NULL) || cn_call_flag(run->call, "resolve-type", NULL)};
    cn_list_init(&list, cn_call_mem(run->call), cid, &options);
    for (;;) {
        CN_TRY(cn_call_check(run->call));
        CN_TRY(cn_drive_next(&run->drive, &list.pull, &step, cn_call_why(run->call)));
        if (step.kind == CN_PULL_END) {
            break;
        }
        CN_TRY(add_link(run, step.entry));
        if (run->stream) {
            CN_TRY(emit_link(run, arg));
        }
    }
out:
    cn_list_release(&list);
    return err;
}

static cn_err list_arg(ls_run *run, size_t i)
{
    ls_listing *l = &run->l;
    cn_content content = {0};
    cn_slice arg = cn_call_arg(run->call, i);
    size_t first = l->links_len;
    cn_err err = CN_OK;
    CN_TRY(cn_content_find(run->call, arg, &content));
    CN_TRY(list_dir(run, arg, &content.cid));
    if (!run->stream) {
        cn_ls_sort(&l->texts, l->links + first, l->links_len - first);
        l->objects[l->objects_len++] =
            (ls_object){.path = arg, .first = first, .len = l->links_len - first};
    }
out:
    cn_content_release(&content);
    return err;
}

static cn_err run_ls(cn_call *call)
{
    ls_run run = {.call = call, .stream = cn_call_flag(call, "stream", NULL)};
    cn_mem *mem = cn_call_mem(call);
    cn_err err = CN_OK;
    cn_buf_init(&run.l.texts, mem, LS_TEXT_MAX_BYTES);
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_drive(call, &run.drive));
    run.l.objects = cn_alloc_array(mem, cn_call_args_len(call) + 1, sizeof *run.l.objects);
    if (run.l.objects == NULL) {
        err = CN_ERR_NO_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < cn_call_args_len(call); i++) {
        CN_TRY(list_arg(&run, i));
    }
    if (!run.stream) {
        CN_TRY(cn_call_emit_once(call, &cn_ls_output, &run.l));
    }
out:
    cn_drive_release(&run.drive);
    cn_buf_release(&run.l.texts);
    cn_free(mem, run.l.links);
    cn_free(mem, run.l.objects);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

static const cn_arg ls_args[] = {
    {"ipfs-path", CN_ARG_VARIADIC | CN_ARG_STDIN, "paths of the directories to list"},
    {0},
};

static const cn_opt ls_opts[] = {
    {CN_OPT_BOOL, "headers", "v", NULL, "print what the columns are"},
    {CN_OPT_BOOL, "resolve-type", NULL, "true", "open the entries to tell their types"},
    {CN_OPT_BOOL, "size", NULL, "true", "open the entries to tell their sizes"},
    {CN_OPT_BOOL, "stream", "s", NULL, "print each entry as it is met, unsorted"},
    {CN_OPT_BOOL, "long", "l", NULL, "print mode and time too"},
    {0},
};

const cn_command cn_cmd_ls = {
    .path = "ls",
    .summary = "List directories",
    .args = ls_args,
    .opts = ls_opts,
    .flags = CN_CMD_TEXT,
    .output = &cn_ls_output,
    .run = run_ls,
};
