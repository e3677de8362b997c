/*
 * `add`: files and folders become blocks in the repo, and their roots are pinned. The arguments,
 * and the run; what flags and config make of the import is in add_options.c, what is printed in
 * add_output.c.
 *
 * The latch is held from before the first byte is read, so that no collection takes blocks whose
 * root is not pinned yet. A root's line is emitted only after its pin is on the disk (add_queue.h);
 * the command ends well only after all its blocks are.
 */
#include "cmd/add_queue.h"
#include "cmd/commands.h"
#include "cmd/content.h"

#include "node/node.h"
#include "store/store.h"

enum { PUTS_MAX = 256, TOLD_AT_ONCE = 32 };

/* Sink and observer of one run. */
typedef struct add_run {
    cn_import_sink sink;
    cn_add_observer observer;
    cn_call *call;
    cn_store *store;
    cn_add_queue queue;
    bool silent;
} add_run;

/* Peers may wait for what was just put. */
static void tell(const add_run *run, const cn_store_put *puts, size_t len)
{
    cn_cid cids[TOLD_AT_ONCE];
    if (puts == NULL || !cn_call_in_daemon(run->call)) {
        return;
    }
    for (size_t i = 0; i < len; i += TOLD_AT_ONCE) {
        size_t n = CN_MIN(len - i, (size_t)TOLD_AT_ONCE);
        for (size_t k = 0; k < n; k++) {
            cids[k] = *puts[i + k].cid;
        }
        cn_call_have(run->call, cids, n);
    }
}

static cn_err
put_blocks(cn_import_sink *sink, const cn_import_block *blocks, size_t blocks_len, cn_why *why)
{
    add_run *run = (add_run *)sink;
    cn_err err = cn_call_check(run->call);
    if (err == CN_OK) {
        err = cn_add_queue_tick(&run->queue, why);
    }
    for (size_t i = 0; i < blocks_len && err == CN_OK; i += PUTS_MAX) {
        cn_store_put puts[PUTS_MAX];
        size_t n = CN_MIN(blocks_len - i, (size_t)PUTS_MAX);
        for (size_t k = 0; k < n; k++) {
            puts[k] = (cn_store_put){blocks[i + k].cid, blocks[i + k].data};
        }
        err = cn_store_put_many(run->store, puts, n, why);
        tell(run, err == CN_OK ? puts : NULL, n);
    }
    return err;
}

static cn_err added(cn_add_observer *observer, const cn_add_event *event, cn_why *why)
{
    add_run *run = CN_CONTAINER(observer, add_run, observer);
    cn_err err = cn_call_check(run->call);
    if (err != CN_OK) {
        return err;
    }
    bool shown = !run->silent || event->is_dir; /* Kubo tells of folders all the same */
    return cn_add_queue_put(&run->queue, event, shown, why);
}

static cn_err progress(cn_add_observer *observer, cn_slice path, uint64_t file_bytes, cn_why *why)
{
    add_run *run = CN_CONTAINER(observer, add_run, observer);
    return cn_add_queue_progress(&run->queue, path, file_bytes, why);
}

static cn_err prepare_run(cn_call *call, add_run *run)
{
    cn_node *node = NULL;
    cn_pins *pins = NULL;
    const char *pin_name = cn_call_string(call, "pin-name", NULL);
    cn_err err = CN_OK;
    *run = (add_run){
        .sink = {.put = put_blocks},
        .observer = {.added = added},
        .call = call,
        .silent = cn_call_flag(call, "silent", NULL),
    };
    if (cn_call_flag(call, "progress", NULL) && !run->silent) {
        run->observer.progress = progress;
    }
    CN_TRY(cn_call_node(call, &node));
    run->store = cn_node_store(node);
    if (cn_call_flag(call, "pin", NULL) && !cn_call_flag(call, "only-hash", NULL)) {
        CN_TRY(cn_node_pins(node, &pins, cn_call_why(call)));
    }
out:
    cn_add_queue_init(
        &run->queue, call, run->store, pins, cn_str(pin_name == NULL ? "" : pin_name));
    return err;
}

static cn_err import_files(cn_call *call, add_run *run, const cn_import_options *options)
{
    cn_cid root;
    cn_why *why = cn_call_why(call);
    bool only_hash = cn_call_flag(call, "only-hash", NULL);
    const cn_add_request request = {
        .rt = cn_call_rt(call),
        .mem = cn_call_mem(call),
        .source = cn_call_files(call),
        .options = options,
        .sink = only_hash ? NULL : &run->sink,
        .observer = &run->observer,
        .wrap = cn_call_flag(call, "wrap-with-directory", NULL),
        .skip_empty_dirs = !cn_call_flag(call, "empty-dirs", NULL),
    };
    if (request.source == NULL) {
        return cn_call_fail(call, CN_ERR_USAGE, "expected a file argument");
    }
    cn_latch_hold hold = {0};
    cn_err err = only_hash ? CN_OK : cn_content_share(call, &hold);
    CN_TRY(err);
    err = cn_add(&request, &root, why);
    if (err != CN_OK) {
        (void)!cn_add_queue_settle(&run->queue, NULL); /* what was made before is kept and told */
        goto out;
    }
    CN_TRY(cn_add_queue_settle(&run->queue, why));
    if (!only_hash) {
        CN_TRY(cn_store_flush(run->store, why));
    }
out:
    cn_latch_give(&hold);
    return err;
}

static cn_err run_add(cn_call *call)
{
    add_run run = {0};
    cn_import_options options;
    cn_err err = CN_OK;
    CN_TRY(cn_add_options(call, &options));
    CN_TRY(prepare_run(call, &run));
    err = import_files(call, &run, &options);
out:
    if (run.call != NULL) {
        cn_add_queue_release(&run.queue);
    }
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
    }
    return cn_add_said(call, err);
}

static const cn_arg add_args[] = {
    {"path", CN_ARG_VARIADIC | CN_ARG_STDIN | CN_ARG_FILE | CN_ARG_RECURSIVE, "files to add"},
    {0},
};

static const cn_opt add_opts[] = {
    {CN_OPT_BOOL, "recursive", "r", NULL, "add folders with all they hold"},
    {CN_OPT_BOOL, "dereference-args", NULL, NULL, "follow links given as arguments"},
    {CN_OPT_STRING, "stdin-name", NULL, NULL, "name for what comes from standard input"},
    {CN_OPT_BOOL, "hidden", "H", NULL, "take hidden files too"},
    {CN_OPT_STRINGS, "ignore", NULL, NULL, "leave out what matches, as in .gitignore"},
    {CN_OPT_STRING, "ignore-rules-path", NULL, NULL, "a file with such rules"},
    {CN_OPT_BOOL, "empty-dirs", "E", "true", "take empty folders too"},
    {CN_OPT_BOOL, "dereference-symlinks", NULL, NULL, "add what links point at"},
    {CN_OPT_BOOL, "quiet", "q", NULL, "print only CIDs"},
    {CN_OPT_BOOL, "quieter", "Q", NULL, "print only the last CID"},
    {CN_OPT_BOOL, "silent", NULL, NULL, "print nothing"},
    {CN_OPT_BOOL, "progress", "p", NULL, "show progress; usual on a terminal"},
    {CN_OPT_BOOL, "only-hash", "n", NULL, "compute CIDs, keep nothing"},
    {CN_OPT_BOOL, "wrap-with-directory", "w", NULL, "put all into one folder"},
    {CN_OPT_BOOL, "pin", NULL, "true", "pin, so that gc keeps it"},
    {CN_OPT_STRING, "pin-name", NULL, NULL, "a name for the pin"},
    {CN_OPT_STRING, "to-files", NULL, NULL, "put it into MFS at this path"},
    {CN_OPT_INT, "cid-version", NULL, NULL, "0 or 1; usual: Import.CidVersion"},
    {CN_OPT_STRING, "hash", NULL, NULL, "hash function; usual: Import.HashFunction"},
    {CN_OPT_BOOL, "raw-leaves", NULL, NULL, "leaves as bare blocks; usual: Import.UnixFSRawLeaves"},
    {CN_OPT_STRING, "chunker", "s", NULL, "size-N, rabin-MIN-AVG-MAX or buzhash"},
    {CN_OPT_BOOL, "trickle", "t", NULL, "the layout for reading from the start"},
    {CN_OPT_INT, "max-file-links", NULL, NULL, "links of a file node"},
    {CN_OPT_INT, "max-directory-links", NULL, NULL, "links of a plain folder"},
    {CN_OPT_INT, "max-hamt-fanout", NULL, NULL, "width of a sharded folder: 8, 16, ... 1024"},
    {CN_OPT_BOOL, "inline", NULL, NULL, "put small blocks into their CIDs"},
    {CN_OPT_INT, "inline-limit", NULL, "32", "largest block put into a CID, at most 128"},
    {CN_OPT_BOOL, "nocopy", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fscache", NULL, NULL, NULL},
    {CN_OPT_BOOL, "preserve-mode", NULL, NULL, "keep permissions"},
    {CN_OPT_BOOL, "preserve-mtime", NULL, NULL, "keep modification times"},
    {CN_OPT_UINT, "mode", NULL, NULL, "permissions to store for all"},
    {CN_OPT_INT64, "mtime", NULL, NULL, "modification time to store for all, in seconds"},
    {CN_OPT_UINT, "mtime-nsecs", NULL, NULL, "its nanoseconds"},
    {CN_OPT_BOOL, "fast-provide-root", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-dag", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-wait", NULL, NULL, NULL},
    {0},
};

const cn_command cn_cmd_add = {
    .path = "add",
    .summary = "Add files and folders",
    .about = "Cuts files into blocks, keeps them in the repo, and prints a CID for each.\n"
             "What is not said by an option is taken from the config's Import section.",
    .args = add_args,
    .opts = add_opts,
    .output = &cn_add_output,
    .prepare = cn_add_prepare,
    .run = run_add,
    .client = &cn_add_client,
};
