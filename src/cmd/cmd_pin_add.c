/*
 * `pin add`, `pin rm`, `pin update`.
 */
#include "cmd/commands.h"
#include "cmd/human.h"
#include "cmd/pin_common.h"
#include "codec/json_write.h"
#include "rt/rt.h"
#include "store/store.h"

#define TELL_EVERY_NS (500 * CN_NS_PER_MS)

static const cn_arg path_args[] = {
    {"ipfs-path", CN_ARG_VARIADIC | CN_ARG_STDIN, "What to pin or unpin."},
    {.name = NULL},
};

static cn_err pins_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    return cn_pin_texts_json(value, out);
}

static cn_err add_text(cn_call *call, cn_buf *out, const void *value)
{
    const char *how = cn_call_flag(call, "recursive", NULL) ? "recursively" : "directly";
    size_t position = 0;
    cn_err err = CN_OK;
    for (const char *text = NULL;
         err == CN_OK && (text = cn_pin_texts_next(value, &position)) != NULL;) {
        err = cn_buf_printf(out, "pinned %s %s\n", text, how);
    }
    return err;
}

static const cn_output_type add_output = {"pin.AddPinOutput", pins_json, add_text};

/* What has been walked over so far, of all that is to be pinned. */
typedef struct progress {
    cn_call *call;
    uint64_t nodes;
    uint64_t bytes;
    cn_time told; /* when it was last said to a client */
    cn_content_shared share;
} progress;

static cn_err progress_json(cn_call *call, cn_buf *out, const void *value)
{
    const progress *p = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_int(&j, "Progress", (int64_t)p->nodes);
    cn_json_put_int(&j, "Bytes", (int64_t)p->bytes);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

/* As text only the pins are said. */
static cn_err progress_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    CN_UNUSED(out);
    CN_UNUSED(value);
    return CN_OK;
}

static const cn_output_type progress_output = {"pin.AddPinOutput", progress_json, progress_text};

/* Is progress part of the answer? On the command line it goes to the terminal instead. */
static bool is_told(const cn_call *call)
{
    return !cn_call_is_cli(call) && cn_call_flag(call, "progress", NULL);
}

static cn_err count(void *ctx, const cn_walk_entry *e, size_t bytes)
{
    progress *p = ctx;
    p->nodes++;
    CN_UNUSED(e);
    p->bytes += bytes;
    cn_call_progress(p->call, CN_PROGRESS_CHECK, p->bytes, UINT64_MAX);
    if (!is_told(p->call)) {
        return CN_OK;
    }
    cn_time now = cn_rt_now(cn_call_rt(p->call));
    if (now.ns - p->told.ns < TELL_EVERY_NS) {
        return CN_OK;
    }
    p->told = now;
    return cn_call_emit(p->call, &progress_output, p);
}

/* Everything that the pin is to hold must be here. */
static cn_err look_once(progress *p, const cn_cid *cid, bool recursive)
{
    cn_call *call = p->call;
    cn_walk walk = {0};
    cn_blocks *blocks = NULL;
    size_t size = 0;
    cn_err err = CN_OK;
    if (recursive) {
        err = cn_pin_walk(call, &walk, false, cid, count, p);
        cn_walk_release(&walk);
    } else {
        CN_TRY(cn_call_blocks(call, &blocks));
        err = cn_blocks_size(blocks, cid, &size);
        if (err == CN_ERR_NOT_FOUND) {
            char text[CN_CID_TEXT_BYTES];
            (void)cn_why_set(
                cn_call_why(call), err,
                "block was not found locally (offline): ipld: could not find %s",
                cn_cid_text(cid, text));
        }
    }
out:
    return err;
}

/* The same, and once more after a wait that let a collection by. */
static cn_err check_here(progress *p, const cn_cid *cid, bool recursive)
{
    cn_call *call = p->call;
    uint64_t nodes = p->nodes;
    uint64_t bytes = p->bytes;
    cn_err err = look_once(p, cid, recursive);
    while (err == CN_OK && cn_content_was_aside(&p->share)) {
        p->nodes = nodes;
        p->bytes = bytes;
        err = look_once(p, cid, recursive);
    }
    CN_TRY(err);
    CN_TRY(cn_call_check(call)); /* one that is to end has perhaps no hold any more */
    if (recursive && cn_call_flag(call, "progress", NULL)) {
        char human[CN_HUMAN_BYTES];
        cn_call_note(
            call, "Fetched/Processed %llu nodes (%s)\r", (unsigned long long)p->nodes,
            cn_human_size(p->bytes, human));
    }
out:
    return err;
}

static cn_err say_pin(cn_call *call, cn_err err)
{
    if (cn_call_check(call) != CN_OK) {
        return err;
    }
    return cn_call_fail(call, err, "pin: %s", cn_why_text(cn_call_why(call), err));
}

static cn_err add_one(progress *p, cn_pins *pins, cn_slice arg, cn_pin_texts *texts)
{
    cn_call *call = p->call;
    cn_content content = {0};
    cn_node *node = NULL;
    cn_pin held = {0};
    char text[CN_CID_TEXT_BYTES];
    bool recursive = cn_call_flag(call, "recursive", NULL);
    const char *name = cn_call_string(call, "name", NULL);
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    err = cn_content_find(call, arg, &content);
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    if (!recursive && cn_pins_get(pins, &content.cid, CN_PIN_RECURSIVE, &held, NULL) == CN_OK) {
        err = cn_call_fail(
            call, CN_ERR_EXISTS, "pin: %s already pinned recursively",
            cn_cid_text(&content.cid, text));
        goto out;
    }
    err = check_here(p, &content.cid, recursive);
    if (err == CN_OK) {
        err = cn_store_flush(cn_node_store(node), cn_call_why(call));
    }
    if (err == CN_OK) {
        cn_pin_mode mode = recursive ? CN_PIN_RECURSIVE : CN_PIN_DIRECT;
        err = cn_pins_set(pins, &content.cid, mode, cn_str(name), cn_call_why(call));
    }
    if (err != CN_OK) {
        err = say_pin(call, err);
        goto out;
    }
    CN_TRY(cn_pin_texts_add(call, texts, &content.cid));
out:
    cn_content_release(&content);
    return err;
}

/* Do `one` for each argument, beside no collection. The count in `p` is for `one` and the caller.
 */
static cn_err each_arg(
    progress *p,
    cn_err (*one)(progress *p, cn_pins *pins, cn_slice arg, cn_pin_texts *texts),
    cn_pin_texts *texts)
{
    cn_call *call = p->call;
    cn_pins *pins = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_pin_open(call, &pins));
    CN_TRY(cn_call_read_args(call));
    CN_TRY(cn_content_share_aside(call, &p->share));
    for (size_t i = 0; i < cn_call_args_len(call); i++) {
        CN_TRY(one(p, pins, cn_call_arg(call, i), texts));
    }
out:
    cn_content_unshare(&p->share);
    return err;
}

static cn_err run_add(cn_call *call)
{
    cn_pin_texts texts;
    progress p = {.call = call, .told = cn_rt_now(cn_call_rt(call))};
    cn_err err = CN_OK;
    cn_pin_texts_init(&texts, cn_call_mem(call));
    CN_TRY(cn_pin_check_name(call, cn_str(cn_call_string(call, "name", NULL))));
    if (cn_call_flag(call, "recursive", NULL)) {
        cn_call_follow(call);
    }
    CN_TRY(each_arg(&p, add_one, &texts));
    if (is_told(call)) {
        CN_TRY(p.nodes == 0 ? CN_OK : cn_call_emit(call, &progress_output, &p));
        err = cn_call_emit(call, &add_output, &texts);
    } else {
        err = cn_call_emit_once(call, &add_output, &texts);
    }
out:
    cn_pin_texts_release(&texts);
    return err;
}

static const cn_opt add_opts[] = {
    {CN_OPT_BOOL, "recursive", "r", "true", "Pin all that is below, too."},
    {CN_OPT_STRING, "name", "n", NULL, "A name for the pin."},
    {CN_OPT_BOOL, "progress", NULL, NULL, "Show progress."},
    {CN_OPT_BOOL, "fast-provide-root", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-dag", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-wait", NULL, NULL, NULL},
    {.name = NULL},
};

const cn_command cn_cmd_pin_add = {
    .path = "pin/add",
    .summary = "Keep objects from being collected",
    .about = "Everything below an object is kept with it, unless --recursive=false.",
    .args = path_args,
    .opts = add_opts,
    .output = &add_output,
    .run = run_add,
};

static cn_err rm_text(cn_call *call, cn_buf *out, const void *value)
{
    size_t position = 0;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (const char *text = NULL;
         err == CN_OK && (text = cn_pin_texts_next(value, &position)) != NULL;) {
        err = cn_buf_printf(out, "unpinned %s\n", text);
    }
    return err;
}

static const cn_output_type rm_output = {"pin.PinOutput", pins_json, rm_text};

static cn_err rm_one(progress *p, cn_pins *pins, cn_slice arg, cn_pin_texts *texts)
{
    cn_call *call = p->call;
    cn_content content = {0};
    cn_pin held = {0};
    char text[CN_CID_TEXT_BYTES];
    bool recursive = cn_call_flag(call, "recursive", NULL);
    cn_err err = cn_content_find(call, arg, &content);
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    err = cn_pins_get(pins, &content.cid, CN_PIN_ANY, &held, cn_call_why(call));
    if (err == CN_OK && held.mode == CN_PIN_RECURSIVE && !recursive) {
        err = cn_call_fail(
            call, CN_ERR_USAGE, "%s is pinned recursively", cn_cid_text(&content.cid, text));
        goto out;
    }
    if (err == CN_OK) {
        err = cn_pins_remove(pins, &content.cid, CN_PIN_ANY, cn_call_why(call));
    }
    if (err == CN_ERR_NOT_FOUND) {
        err = cn_call_fail(call, err, "not pinned or pinned indirectly");
        goto out;
    }
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    CN_TRY(cn_pin_texts_add(call, texts, &content.cid));
out:
    cn_content_release(&content);
    return err;
}

static cn_err run_rm(cn_call *call)
{
    cn_pin_texts texts;
    progress p = {.call = call};
    cn_pin_texts_init(&texts, cn_call_mem(call));
    cn_err err = each_arg(&p, rm_one, &texts);
    if (err == CN_OK) {
        err = cn_call_emit_once(call, &rm_output, &texts);
    }
    cn_pin_texts_release(&texts);
    return err;
}

static const cn_opt rm_opts[] = {
    {CN_OPT_BOOL, "recursive", "r", "true", "Recursive pins, too."},
    {.name = NULL},
};

const cn_command cn_cmd_pin_rm = {
    .path = "pin/rm",
    .summary = "Let go of pinned objects",
    .about = "What no other pin holds may then be collected.",
    .args = path_args,
    .opts = rm_opts,
    .output = &rm_output,
    .run = run_rm,
};

static cn_err update_text(cn_call *call, cn_buf *out, const void *value)
{
    size_t position = 0;
    CN_UNUSED(call);
    const char *from = cn_pin_texts_next(value, &position);
    const char *to = cn_pin_texts_next(value, &position);
    return cn_buf_printf(out, "updated %s to %s\n", from, to);
}

static const cn_output_type update_output = {"pin.PinOutput", pins_json, update_text};

static cn_err replace_pin(cn_call *call, cn_pins *pins, const cn_pin *held, const cn_cid *to)
{
    const cn_pin_change changes[] = {
        {to, CN_PIN_RECURSIVE, cn_slice_of(held->name, held->name_len)},
        {&held->cid, CN_PIN_ANY, {0}},
    };
    bool unpin = cn_call_flag(call, "unpin", NULL);
    return cn_pins_apply(pins, changes, unpin ? 2 : 1, cn_call_why(call));
}

/* Pin `to` under the name of `from`, and let `from` go, in one change. */
static cn_err update(cn_content_shared *share, cn_pins *pins, const cn_cid *from, const cn_cid *to)
{
    cn_call *call = share->call;
    cn_pin held = {0};
    cn_pin other = {0};
    cn_walk walk = {0};
    cn_node *node = NULL;
    cn_err err = cn_pins_get(pins, from, CN_PIN_RECURSIVE, &held, cn_call_why(call));
    if (err == CN_ERR_NOT_FOUND) {
        return cn_call_fail(call, err, "'from' cid was not recursively pinned already");
    }
    CN_TRY(err);
    if (cn_cid_eq(from, to)) {
        return CN_OK;
    }
    if (cn_pins_get(pins, to, CN_PIN_RECURSIVE, &other, NULL) == CN_OK) {
        return cn_call_fail(call, CN_ERR_EXISTS, "'to' cid was already recursively pinned");
    }
    CN_TRY(cn_call_node(call, &node));
    do {
        cn_walk_release(&walk);
        walk = (cn_walk){0};
        err = cn_pin_walk(call, &walk, false, to, NULL, NULL);
    } while (err == CN_OK && cn_content_was_aside(share));
    if (err == CN_ERR_NOT_FOUND) {
        char text[CN_CID_TEXT_BYTES];
        err = cn_call_fail(
            call, err, "get %s: %s", cn_cid_text(to, text), cn_why_text(cn_call_why(call), err));
        goto out;
    }
    CN_TRY(err);
    CN_TRY(cn_call_check(call));
    CN_TRY(cn_store_flush(cn_node_store(node), cn_call_why(call)));
    err = replace_pin(call, pins, &held, to);
out:
    cn_walk_release(&walk);
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

static cn_err run_update(cn_call *call)
{
    cn_content from = {0};
    cn_content to = {0};
    cn_pin_texts texts;
    cn_pins *pins = NULL;
    cn_content_shared share = {0};
    cn_err err = CN_OK;
    cn_pin_texts_init(&texts, cn_call_mem(call));
    cn_call_follow(call);
    CN_TRY(cn_pin_open(call, &pins));
    CN_TRY(cn_content_share_aside(call, &share));
    err = cn_content_find(call, cn_call_arg(call, 0), &from);
    if (err == CN_OK) {
        err = cn_content_find(call, cn_call_arg(call, 1), &to);
    }
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    CN_TRY(update(&share, pins, &from.cid, &to.cid));
    cn_content_unshare(&share);
    CN_TRY(cn_pin_texts_add(call, &texts, &from.cid));
    CN_TRY(cn_pin_texts_add(call, &texts, &to.cid));
    err = cn_call_emit_once(call, &update_output, &texts);
out:
    cn_content_unshare(&share);
    cn_content_release(&from);
    cn_content_release(&to);
    cn_pin_texts_release(&texts);
    return err;
}

static const cn_arg update_args[] = {
    {"from-path", 0, "What is pinned now."},
    {"to-path", 0, "What to pin in its place."},
    {.name = NULL},
};

static const cn_opt update_opts[] = {
    {CN_OPT_BOOL, "unpin", NULL, "true", "Let go of the old one."},
    {CN_OPT_BOOL, "fast-provide-root", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-dag", NULL, NULL, NULL},
    {CN_OPT_BOOL, "fast-provide-wait", NULL, NULL, NULL},
    {.name = NULL},
};

const cn_command cn_cmd_pin_update = {
    .path = "pin/update",
    .summary = "Pin one object in the place of another",
    .about = "The name of the pin stays. Both are pinned with all that is below them.",
    .args = update_args,
    .opts = update_opts,
    .output = &update_output,
    .run = run_update,
};
