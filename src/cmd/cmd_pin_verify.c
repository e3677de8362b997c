/*
 * `pin verify`: is everything below the recursive pins here?
 */
#include "cmd/commands.h"
#include "cmd/pin_common.h"
#include "codec/json_write.h"

enum { BAD_MAX = 1 << 20 };

/* One pin and what is wrong below it: CID text and sentence, each with a NUL behind. */
typedef struct verdict {
    cn_buf cid;
    cn_buf bad;
    size_t bad_len;
    bool good;
} verdict;

static const char *next_text(const verdict *v, size_t *position)
{
    const char *text = (const char *)v->bad.data + *position;
    *position += strlen(text) + 1;
    return text;
}

static cn_err verdict_json(cn_call *call, cn_buf *out, const void *value)
{
    const verdict *v = value;
    cn_json_writer j;
    size_t position = 0;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_string(&j, "Cid", cn_buf_slice(&v->cid));
    if (v->good) {
        cn_json_put_bool(&j, "Ok", true);
    }
    if (v->bad_len > 0) {
        cn_json_key(&j, "BadNodes");
        cn_json_list(&j);
        for (size_t i = 0; i < v->bad_len; i++) {
            cn_json_object(&j);
            cn_json_put_text(&j, "Cid", next_text(v, &position));
            cn_json_put_text(&j, "Err", next_text(v, &position));
            cn_json_object_end(&j);
        }
        cn_json_list_end(&j);
    }
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err verdict_text(cn_call *call, cn_buf *out, const void *value)
{
    const verdict *v = value;
    size_t position = 0;
    bool quiet = cn_call_flag(call, "quiet", NULL);
    cn_err err = CN_OK;
    if (quiet && v->good) {
        return CN_OK;
    }
    CN_TRY(cn_buf_append(out, cn_buf_slice(&v->cid)));
    CN_TRY(cn_buf_text(out, quiet ? "\n" : v->good ? " ok\n" : " broken\n"));
    for (size_t i = 0; !quiet && i < v->bad_len; i++) {
        const char *cid = next_text(v, &position);
        CN_TRY(cn_buf_printf(out, "  %s: %s\n", cid, next_text(v, &position)));
    }
out:
    return err;
}

static const cn_output_type verdict_output = {"pin.PinVerifyRes", verdict_json, verdict_text};

typedef struct verify {
    cn_call *call;
    cn_drive drive;
    verdict v;
} verify;

static cn_err note_bad(verify *run, const cn_walk_entry *e)
{
    cn_err err = CN_OK;
    run->v.good = false;
    if (cn_call_flag(run->call, "quiet", NULL) || run->v.bad_len == BAD_MAX) {
        return CN_OK;
    }
    CN_TRY(cn_call_cid_text(run->call, e->cid, &run->v.bad));
    CN_TRY(cn_buf_byte(&run->v.bad, 0));
    CN_TRY(cn_buf_text(&run->v.bad, cn_why_text(e->why, e->missing)));
    CN_TRY(cn_buf_byte(&run->v.bad, 0));
    run->v.bad_len++;
out:
    return err;
}

static cn_err check_tree(verify *run, const cn_cid *root)
{
    static const cn_walk_options options = {.unique = true, .go_on = true};
    cn_walk walk = {0};
    cn_pull step = {0};
    cn_err err = CN_OK;
    cn_walk_init(&walk, cn_call_mem(run->call), root, &options);
    while (true) {
        CN_TRY(cn_call_check(run->call));
        CN_TRY(cn_drive_next(&run->drive, &walk.pull, &step, cn_call_why(run->call)));
        if (step.kind == CN_PULL_END) {
            break;
        }
        const cn_walk_entry *e = step.entry;
        if (e->missing != CN_OK && !e->is_repeat) {
            CN_TRY(note_bad(run, e));
        }
    }
out:
    cn_walk_release(&walk);
    return err;
}

static cn_err check_pin(void *ctx, const cn_pin *pin)
{
    verify *run = ctx;
    cn_err err = CN_OK;
    cn_buf_reset(&run->v.cid);
    cn_buf_reset(&run->v.bad);
    run->v.bad_len = 0;
    run->v.good = true;
    CN_TRY(cn_call_cid_text(run->call, &pin->cid, &run->v.cid));
    CN_TRY(check_tree(run, &pin->cid));
    if (!run->v.good || cn_call_flag(run->call, "verbose", NULL)) {
        err = cn_call_emit(run->call, &verdict_output, &run->v);
    }
out:
    return err;
}

static cn_err run_verify(cn_call *call)
{
    cn_pins *pins = NULL;
    verify run = {.call = call};
    cn_err err = CN_OK;
    cn_buf_init(&run.v.cid, cn_call_mem(call), CN_CID_TEXT_BYTES);
    cn_buf_init(&run.v.bad, cn_call_mem(call), 1 << 30);
    if (cn_call_flag(call, "verbose", NULL) && cn_call_flag(call, "quiet", NULL)) {
        err = cn_call_fail(
            call, CN_ERR_USAGE,
            "the --verbose and --quiet options can not be used at the same time");
        goto out;
    }
    CN_TRY(cn_pin_open(call, &pins));
    CN_TRY(cn_content_drive(call, &run.drive));
    err = cn_pins_each(pins, CN_PIN_RECURSIVE, check_pin, &run, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
    }
out:
    cn_drive_release(&run.drive);
    cn_buf_release(&run.v.cid);
    cn_buf_release(&run.v.bad);
    return err;
}

static const cn_opt verify_opts[] = {
    {CN_OPT_BOOL, "verbose", NULL, NULL, "Name those that are whole, too."},
    {CN_OPT_BOOL, "quiet", "q", NULL, "Only the CIDs of broken ones."},
    {.name = NULL},
};

const cn_command cn_cmd_pin_verify = {
    .path = "pin/verify",
    .summary = "Check that recursive pins are whole",
    .about = "Reads everything that is pinned with what is below it.",
    .opts = verify_opts,
    .output = &verdict_output,
    .flags = CN_CMD_OWN_BLOCKS,
    .run = run_verify,
};
