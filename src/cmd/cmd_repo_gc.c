/*
 * `repo gc` removes what nothing keeps; `repo verify` reads and checks every block.
 *
 * Nothing is written to the client while the repo is held alone: a slow reader would hold back all
 * others. What is to be told is gathered, in bounded memory, and told after the hold.
 */
#include "cmd/commands.h"
#include "cmd/pin_common.h"
#include "codec/json_write.h"
#include "store/gc.h"
#include "store/store.h"

static cn_err gc_json(cn_call *call, cn_buf *out, const void *value)
{
    char text[CN_CID_TEXT_BYTES];
    CN_UNUSED(call);
    return cn_buf_printf(out, "{\"Key\":{\"/\":\"%s\"}}", cn_cid_text(value, text));
}

static cn_err gc_text(cn_call *call, cn_buf *out, const void *value)
{
    char text[CN_CID_TEXT_BYTES];
    if (cn_call_flag(call, "silent", NULL)) {
        return CN_OK;
    }
    bool quiet = cn_call_flag(call, "quiet", NULL);
    return cn_buf_printf(out, "%s%s\n", quiet ? "" : "removed ", cn_cid_text(value, text));
}

static const cn_output_type gc_output = {"corerepo.GcResult", gc_json, gc_text};

enum {
    TOLD_AT_ONCE_BYTES =
        16 << 20, /* so much is gathered (400,000 CIDs), then another round begins */
    TOLD_MAX_BYTES = TOLD_AT_ONCE_BYTES + (1 << 20), /* what one step of the sweep adds */
    BAD_MAX_BYTES = 64 << 20,
};

/* CIDs to be told or removed later, one length byte before each. */
static cn_err note_cid(cn_buf *list, const cn_cid *cid)
{
    cn_err err = cn_buf_byte(list, cid->len);
    return err != CN_OK ? err : cn_buf_append(list, cn_cid_bytes(cid));
}

/* The next CID of such a list, which must not be empty. */
static cn_err next_cid(cn_slice *rest, cn_cid *ret)
{
    size_t len = rest->data[0];
    cn_slice bytes = cn_slice_head(cn_slice_skip(*rest, 1), len);
    *rest = cn_slice_skip(*rest, 1 + len);
    return cn_cid_decode_all(bytes, ret);
}

/* One collection. */
typedef struct collection {
    cn_call *call;
    cn_store *store;
    cn_pins *pins;
    cn_gc *gc;
    cn_walk walk;
    bool walked;
    cn_buf removed; /* to be told */
} collection;

static cn_err mark(void *ctx, const cn_walk_entry *e)
{
    collection *c = ctx;
    cn_err err = cn_gc_mark(c->gc, e->cid, NULL);
    return err;
}

static cn_err say_missing(cn_call *call, const cn_cid *root, cn_err err)
{
    char text[CN_CID_TEXT_BYTES];
    if (err != CN_ERR_NOT_FOUND) {
        return err;
    }
    return cn_call_fail(
        call, err,
        "nothing was removed: part of what is pinned at %s is missing, so what it keeps is not "
        "known (%s). `pin verify` lists such pins",
        cn_cid_text(root, text), cn_why_text(cn_call_why(call), err));
}

/* Everything below one root. Without its blocks we would remove what they link to: so stop. */
static cn_err mark_tree(collection *c, const cn_cid *root)
{
    bool again = c->walked;
    c->walked = true;
    return say_missing(c->call, root, cn_pin_walk(c->call, &c->walk, again, root, mark, c));
}

static cn_err mark_pin(void *ctx, const cn_pin *pin)
{
    collection *c = ctx;
    if (pin->mode == CN_PIN_RECURSIVE) {
        return mark_tree(c, &pin->cid);
    }
    cn_err err = cn_gc_mark(c->gc, &pin->cid, NULL);
    return err == CN_ERR_NOT_FOUND ? CN_OK : err;
}

static cn_err note_removed(void *ctx, const cn_cid *cid, uint32_t block_bytes)
{
    collection *c = ctx;
    cn_cid raw = {0};
    CN_UNUSED(block_bytes);
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = cn_cid_make(1, CN_CODEC_RAW, &mh, &raw);
    return err != CN_OK ? err : note_cid(&c->removed, &raw);
}

static cn_err tell_removed(collection *c)
{
    cn_slice rest = cn_buf_slice(&c->removed);
    cn_cid cid = {0};
    cn_err err = CN_OK;
    while (rest.len > 0) {
        CN_TRY(next_cid(&rest, &cid));
        CN_TRY(cn_call_emit(c->call, &gc_output, &cid));
    }
    cn_buf_reset(&c->removed);
out:
    return err;
}

static cn_err mark_all(collection *c)
{
    cn_cid root = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_pins_each(c->pins, CN_PIN_ANY, mark_pin, c, cn_call_why(c->call)));
    err = cn_pins_root_get(c->pins, &root, NULL);
    if (err == CN_OK) {
        CN_TRY(mark_tree(c, &root));
    }
    CN_TRY(err == CN_ERR_NOT_FOUND ? CN_OK : err);
out:
    return err;
}

/* Collect until all is done or enough has been gathered to be told. */
static cn_err collect(collection *c, bool *ret_done)
{
    cn_latch_hold hold = {0};
    cn_why *why = cn_call_why(c->call);
    cn_err err = CN_OK;
    CN_TRY(cn_content_exclude(c->call, &hold));
    CN_TRY(cn_gc_new(c->store, &c->gc, why));
    CN_TRY(mark_all(c));
    while (!*ret_done && c->removed.len < TOLD_AT_ONCE_BYTES) {
        CN_TRY(cn_call_check(c->call));
        CN_TRY(cn_gc_sweep(c->gc, note_removed, c, ret_done, why));
    }
out:
    cn_walk_release(&c->walk);
    c->walk = (cn_walk){0};
    c->walked = false;
    cn_gc_free(c->gc);
    c->gc = NULL;
    cn_latch_give(&hold);
    return err;
}

static cn_err run_gc(cn_call *call)
{
    cn_node *node = NULL;
    collection c = {.call = call};
    bool done = false;
    cn_err err = CN_OK;
    cn_buf_init(&c.removed, cn_call_mem(call), TOLD_MAX_BYTES);
    CN_TRY(cn_pin_open(call, &c.pins));
    CN_TRY(cn_call_node(call, &node));
    c.store = cn_node_store(node);
    while (!done) {
        err = collect(&c, &done);
        /* what has been removed is told, whatever ended it */
        cn_err told = tell_removed(&c);
        if (err != CN_OK) {
            err = cn_call_fail_why(call, err);
            goto out;
        }
        CN_TRY(told);
    }
out:
    cn_buf_release(&c.removed);
    return err;
}

static const cn_opt gc_opts[] = {
    {CN_OPT_BOOL, "stream-errors", NULL, NULL, "Give errors as they come."},
    {CN_OPT_BOOL, "quiet", "q", NULL, "Only the CIDs."},
    {CN_OPT_BOOL, "silent", NULL, NULL, "Write nothing."},
    {.name = NULL},
};

const cn_command cn_cmd_repo_gc = {
    .path = "repo/gc",
    .summary = "Remove blocks that nothing keeps",
    .about = "What is pinned stays, with all below it, and so does the file tree.",
    .opts = gc_opts,
    .output = &gc_output,
    .flags = CN_CMD_OWN_BLOCKS,
    .run = run_gc,
};

/* One line of `repo verify`: a sentence, or how many blocks have been read. */
typedef struct verify_line {
    const char *message;
    uint64_t progress;
} verify_line;

static cn_err verify_json(cn_call *call, cn_buf *out, const void *value)
{
    const verify_line *l = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_text(&j, "Msg", l->message);
    cn_json_put_uint(&j, "Progress", l->progress);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err verify_text(cn_call *call, cn_buf *out, const void *value)
{
    const verify_line *l = value;
    CN_UNUSED(call);
    return l->message[0] != '\0'
               ? cn_buf_printf(out, "%s\n", l->message)
               : cn_buf_printf(out, "%llu blocks processed.\r", (unsigned long long)l->progress);
}

static const cn_output_type verify_output = {"commands.VerifyProgress", verify_json, verify_text};

typedef struct verification {
    cn_call *call;
    cn_store *store;
    uint64_t seen;
    uint64_t corrupt;
    uint64_t removed;
    uint64_t stuck;
    bool drop;
    cn_buf bad; /* to be removed after the visit */
} verification;

static cn_err say_corrupt(verification *v, const cn_cid *cid, cn_err found, const char *more)
{
    char text[CN_CID_TEXT_BYTES];
    cn_why line = {0};
    cn_cid raw = *cid;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = cn_cid_make(1, CN_CODEC_RAW, &mh, &raw);
    (void)cn_why_set(
        &line, err, "block %s was corrupt (%s)%s", cn_cid_text(&raw, text),
        found == CN_ERR_CORRUPT || found == CN_ERR_HASH_MISMATCH
            ? "block in storage has different hash than requested"
            : cn_err_sentence(found),
        more);
    const verify_line l = {.message = line.text};
    return err != CN_OK ? err : cn_call_emit(v->call, &verify_output, &l);
}

static cn_err checked(void *ctx, const cn_cid *cid, cn_err found)
{
    verification *v = ctx;
    verify_line l = {.message = ""};
    cn_err err = cn_call_check(v->call);
    CN_TRY(err);
    v->seen++;
    if (found != CN_OK) {
        v->corrupt++;
        if (v->drop) {
            CN_TRY(note_cid(&v->bad, cid));
        } else {
            CN_TRY(say_corrupt(v, cid, found, ""));
        }
    }
    l.progress = v->seen;
    err = cn_call_emit(v->call, &verify_output, &l);
out:
    return err;
}

/* Still damaged? Somebody may have collected it, or put it again, since it was read. */
static bool is_bad(verification *v, const cn_cid *cid, cn_buf *data)
{
    cn_blocks *blocks = cn_store_blocks(v->store);
    cn_multihash mh = cn_cid_multihash(cid);
    return cn_blocks_get(blocks, cid, data, NULL) != CN_OK ||
           cn_multihash_verify(&mh, cn_buf_slice(data)) != CN_OK;
}

/* Remove one with the repo held alone: nobody is just keeping it. */
static cn_err drop_one(verification *v, const cn_cid *cid, cn_buf *data, bool *ret_gone)
{
    cn_latch_hold hold = {0};
    cn_err err = cn_content_exclude(v->call, &hold);
    if (err == CN_OK) {
        *ret_gone =
            is_bad(v, cid, data) && cn_store_delete(v->store, cid, cn_call_why(v->call)) == CN_OK;
    }
    cn_latch_give(&hold);
    return err;
}

static cn_err drop_bad(verification *v)
{
    cn_slice rest = cn_buf_slice(&v->bad);
    cn_cid cid = {0};
    cn_buf data;
    bool gone = false;
    cn_err err = CN_OK;
    cn_buf_init(&data, cn_call_mem(v->call), CN_STORE_BLOCK_MAX_BYTES);
    while (rest.len > 0) {
        CN_TRY(next_cid(&rest, &cid));
        CN_TRY(drop_one(v, &cid, &data, &gone));
        v->removed += gone ? 1 : 0;
        v->stuck += gone ? 0 : 1;
        CN_TRY(say_corrupt(v, &cid, CN_ERR_CORRUPT, gone ? ", removed" : ", failed to remove"));
    }
out:
    cn_buf_release(&data);
    return err;
}

static cn_err sum_up(verification *v)
{
    cn_why sum = {0};
    verify_line l = {.message = "verify complete, all blocks validated."};
    if (v->corrupt == 0) {
        return cn_call_emit(v->call, &verify_output, &l);
    }
    (void)cn_why_set(
        &sum, CN_OK, "verify complete, %llu blocks corrupt", (unsigned long long)v->corrupt);
    size_t len = strlen(sum.text);
    cn_why all = sum;
    if (v->removed > 0) {
        (void)cn_why_set(
            &all, CN_OK, "%.*s, %llu removed", (int)len, sum.text, (unsigned long long)v->removed);
    }
    sum = all;
    if (v->stuck > 0) {
        (void)cn_why_set(
            &all, CN_OK, "%s, %llu failed to remove", sum.text, (unsigned long long)v->stuck);
    }
    if (!v->drop || v->stuck > 0) {
        return cn_call_fail(v->call, CN_ERR_CORRUPT, "%s", all.text);
    }
    l.message = all.text;
    return cn_call_emit(v->call, &verify_output, &l);
}

static cn_err run_verify(cn_call *call)
{
    cn_node *node = NULL;
    int64_t ns = 0;
    verification v = {.call = call, .drop = cn_call_flag(call, "drop", NULL)};
    cn_slice timeout = cn_str(cn_call_string(call, "heal-timeout", NULL));
    cn_err err = CN_OK;
    cn_buf_init(&v.bad, cn_call_mem(call), BAD_MAX_BYTES);
    if (cn_duration_parse(timeout, &ns, cn_call_why(call)) != CN_OK) {
        err = cn_call_fail(
            call, CN_ERR_MALFORMED, "invalid heal-timeout: %s", cn_call_why(call)->text);
        goto out;
    }
    if (cn_call_flag(call, "heal", NULL)) {
        err = cn_call_fail(
            call, CN_ERR_UNSUPPORTED,
            "this command must be run in online mode. Try running 'ipfs daemon' first");
        goto out;
    }
    CN_TRY(cn_call_node(call, &node));
    v.store = cn_node_store(node);
    CN_TRY(cn_store_verify_all(v.store, checked, &v, cn_call_why(call)));
    CN_TRY(drop_bad(&v));
    err = sum_up(&v);
out:
    cn_buf_release(&v.bad);
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

static const cn_opt verify_opts[] = {
    {CN_OPT_BOOL, "drop", NULL, NULL, "Remove blocks that are damaged."},
    {CN_OPT_BOOL, "heal", NULL, NULL, "And get them again from the network."},
    {CN_OPT_STRING, "heal-timeout", NULL, "30s", "For each block."},
    {.name = NULL},
};

const cn_command cn_cmd_repo_verify = {
    .path = "repo/verify",
    .summary = "Read and check every block",
    .about = "Exit status 1 if a block is damaged, unless all of those were removed (--drop).",
    .opts = verify_opts,
    .output = &verify_output,
    .flags = CN_CMD_OWN_BLOCKS,
    .run = run_verify,
};
