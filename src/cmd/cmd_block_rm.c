/*
 * `block rm`: remove blocks from the repo, but none that is pinned, by itself or below a pin. What
 * is pinned is found out by walking all recursive pins once for each call, and only if the block is
 * there and has no pin of its own.
 */
#include "cmd/commands.h"
#include "cmd/content.h"

#include "codec/json.h"
#include "codec/json_write.h"
#include "node/node.h"
#include "store/pin.h"
#include "store/store.h"
#include "unixfs/walk.h"

enum { LINE_MAX_BYTES = 1 << 20 };

typedef struct removed {
    cn_cid cid;
    const char *failed; /* NULL: it is gone */
} removed;

typedef struct rm_run {
    cn_call *call;
    cn_store *store;
    cn_pins *pins;
    cn_drive drive;
    bool some_failed;
    /* looking for a pin above: */
    const cn_cid *wanted;
    cn_cid above;
    bool found;
} rm_run;

static cn_err removed_json(cn_call *call, cn_buf *out, const void *value)
{
    const removed *r = value;
    cn_json_writer j;
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), 4096);
    cn_err err = cn_call_cid_text(call, &r->cid, &text);
    if (err == CN_OK) {
        cn_json_init(&j, out, NULL);
        cn_json_object(&j);
        cn_json_put_string(&j, "Hash", cn_buf_slice(&text));
        if (r->failed != NULL) {
            cn_json_put_text(&j, "Error", r->failed);
        }
        cn_json_object_end(&j);
        err = cn_json_finish(&j);
    }
    cn_buf_release(&text);
    return err;
}

/* On the command line what could not be removed is told on standard error. */
static cn_err removed_text(cn_call *call, cn_buf *out, const void *value)
{
    const removed *r = value;
    cn_err err = CN_OK;
    char text[CN_CID_TEXT_BYTES];
    if (r->failed != NULL) {
        cn_call_note(call, "cannot remove %s: %s\n", cn_cid_text(&r->cid, text), r->failed);
        return CN_OK;
    }
    CN_TRY(cn_buf_text(out, "removed "));
    CN_TRY(cn_call_cid_text(call, &r->cid, out));
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

static const cn_output_type removed_output = {
    .name = "commands.removedBlock", .json = removed_json, .text = removed_text};

/* Is the wanted block below this pin? Blocks that are missing there are passed over. */
static cn_err look_below(void *ctx, const cn_pin *pin)
{
    rm_run *run = ctx;
    cn_walk w;
    cn_pull step = {0};
    const cn_walk_options options = {
        .unique = true, .by_multihash = true, .raw_unseen = true, .go_on = true};
    cn_err err = CN_OK;
    cn_walk_init(&w, cn_call_mem(run->call), &pin->cid, &options);
    while (!run->found) {
        CN_TRY(cn_call_check(run->call));
        CN_TRY(cn_drive_next(&run->drive, &w.pull, &step, cn_call_why(run->call)));
        if (step.kind == CN_PULL_END) {
            break;
        }
        const cn_walk_entry *e = step.entry;
        if (cn_slice_eq(cn_cid_key(e->cid), cn_cid_key(run->wanted))) {
            run->found = true;
            run->above = pin->cid;
        }
    }
out:
    cn_walk_release(&w);
    return err;
}

/* Say in `why` how the block is pinned; EXISTS if it is. */
static cn_err check_unpinned(rm_run *run, const cn_cid *cid, cn_why *why)
{
    cn_pin pin;
    cn_why ignored = {0};
    char text[CN_CID_TEXT_BYTES];
    cn_err err = cn_pins_get(run->pins, cid, CN_PIN_ANY, &pin, &ignored);
    if (err == CN_OK) {
        return cn_why_set(
            why, CN_ERR_EXISTS, "pinned: %s", pin.mode == CN_PIN_DIRECT ? "direct" : "recursive");
    }
    if (err != CN_ERR_NOT_FOUND) {
        return err;
    }
    run->wanted = cid;
    run->found = false;
    err = cn_pins_each(run->pins, CN_PIN_RECURSIVE, look_below, run, why);
    if (err == CN_OK && run->found) {
        return cn_why_set(why, CN_ERR_EXISTS, "pinned via %s", cn_cid_text(&run->above, text));
    }
    return err;
}

static cn_err remove_block(rm_run *run, const cn_cid *cid, bool force, cn_why *why)
{
    bool has = true;
    char text[CN_CID_TEXT_BYTES];
    if (cn_cid_is_identity(cid, NULL)) {
        return CN_OK;
    }
    cn_err err = cn_store_has(run->store, cid, &has);
    if (err == CN_OK && !has) {
        return force
                   ? CN_OK
                   : cn_why_set(
                         why, CN_ERR_NOT_FOUND, "ipld: could not find %s", cn_cid_text(cid, text));
    }
    if (err == CN_OK) {
        err = check_unpinned(run, cid, why);
    }
    return err == CN_OK ? cn_store_delete(run->store, cid, why) : err;
}

/* With the repo held alone: nobody pins it between the look at the pins and the removal. */
static cn_err remove_alone(rm_run *run, const cn_cid *cid, bool force, cn_why *why)
{
    cn_latch_hold hold = {0};
    cn_err err = cn_content_exclude(run->call, &hold);
    if (err == CN_OK) {
        err = remove_block(run, cid, force, why);
    }
    cn_latch_give(&hold);
    return err;
}

static cn_err remove_one(rm_run *run, cn_slice arg)
{
    cn_content c = {0};
    cn_why why = {0};
    bool force = cn_call_flag(run->call, "force", NULL);
    cn_err err = cn_content_find(run->call, arg, &c);
    if (err == CN_OK) {
        cn_err result = remove_alone(run, &c.cid, force, &why);
        const removed r = {
            .cid = c.cid, .failed = result == CN_OK ? NULL : cn_why_text(&why, result)};
        run->some_failed = run->some_failed || result != CN_OK;
        if (result != CN_OK || !cn_call_flag(run->call, "quiet", NULL)) {
            err = cn_call_emit(run->call, &removed_output, &r);
        }
    }
    cn_content_release(&c);
    return err;
}

static cn_err run_block_rm(cn_call *call)
{
    rm_run run = {.call = call};
    cn_node *node = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(cn_content_drive(call, &run.drive));
    CN_TRY(cn_node_pins(node, &run.pins, cn_call_why(call)));
    run.store = cn_node_store(node);
    for (size_t i = 0; i < cn_call_args_len(call); i++) {
        CN_TRY(remove_one(&run, cn_call_arg(call, i)));
    }
    if (run.some_failed && cn_call_is_cli(call)) {
        err = cn_call_fail(call, CN_ERR_USAGE, "some blocks not removed");
    }
out:
    cn_drive_release(&run.drive);
    return err == CN_OK ? CN_OK : cn_call_fail_why(call, err);
}

/* The call has a state once something was not removed. */
static cn_err mark_failed(cn_call *call)
{
    if (cn_call_state(call) == NULL) {
        cn_call_set_state(call, cn_alloc(cn_call_mem(call), 1));
    }
    return cn_call_state(call) == NULL ? CN_ERR_NO_MEMORY : CN_OK;
}

/*
 * A daemon's answer on the command line: what was removed goes to standard output, what was not to
 * standard error, and then the command fails.
 */
static cn_err client_line(cn_call *call, cn_slice json)
{
    cn_json_doc doc;
    cn_json *value = NULL;
    const cn_json *hash = NULL;
    const cn_json *failed = NULL;
    cn_err err = CN_OK;
    cn_json_doc_init(&doc, cn_call_mem(call), LINE_MAX_BYTES);
    CN_TRY(cn_json_parse(&doc, json, CN_JSON_WHOLE, &value, cn_call_why(call)));
    hash = cn_json_get(value, cn_str("Hash"));
    failed = cn_json_get(value, cn_str("Error"));
    if (hash == NULL) {
        goto out;
    }
    if (failed != NULL && failed->text.len > 0) {
        cn_call_note(
            call, "cannot remove %.*s: %.*s\n", (int)hash->text.len, (const char *)hash->text.data,
            (int)failed->text.len, (const char *)failed->text.data);
        CN_TRY(mark_failed(call));
        goto out;
    }
    CN_TRY(cn_call_write(call, cn_str("removed ")));
    CN_TRY(cn_call_write(call, hash->text));
    CN_TRY(cn_call_write(call, cn_str("\n")));
out:
    cn_json_doc_release(&doc);
    return err;
}

static cn_err client_end(cn_call *call, cn_err result)
{
    return result == CN_OK && cn_call_state(call) != NULL
               ? cn_call_fail(call, CN_ERR_USAGE, "some blocks not removed")
               : result;
}

static const cn_client_side rm_client = {.as_json = true, .line = client_line, .end = client_end};

static const cn_arg rm_args[] = {
    {"cid", CN_ARG_VARIADIC, "CIDs of the blocks to remove"},
    {0},
};

static const cn_opt rm_opts[] = {
    {CN_OPT_BOOL, "force", "f", NULL, "blocks that are not there are no error"},
    {CN_OPT_BOOL, "quiet", "q", NULL, "print only what fails"},
    {0},
};

const cn_command cn_cmd_block_rm = {
    .path = "block/rm",
    .summary = "Remove blocks from the repo",
    .args = rm_args,
    .opts = rm_opts,
    .flags = CN_CMD_OWN_BLOCKS | CN_CMD_TEXT,
    .output = &removed_output,
    .run = run_block_rm,
    .client = &rm_client,
};
