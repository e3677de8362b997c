/*
 * Walks and answers of the pin commands.
 */
#include "cmd/pin_common.h"

#include "codec/json_write.h"

enum { TEXTS_MAX_BYTES = 256 << 20 };

void cn_pin_texts_init(cn_pin_texts *t, cn_mem *mem)
{
    t->len = 0;
    cn_buf_init(&t->text, mem, TEXTS_MAX_BYTES);
}

void cn_pin_texts_release(cn_pin_texts *t)
{
    cn_buf_release(&t->text);
}

cn_err cn_pin_texts_add(cn_call *call, cn_pin_texts *t, const cn_cid *cid)
{
    cn_err err = cn_call_cid_text(call, cid, &t->text);
    if (err == CN_OK) {
        err = cn_buf_byte(&t->text, 0);
        t->len++;
    }
    return err;
}

const char *cn_pin_texts_next(const cn_pin_texts *t, size_t *position)
{
    if (*position >= t->text.len) {
        return NULL;
    }
    const char *text = (const char *)t->text.data + *position;
    *position += strlen(text) + 1;
    return text;
}

cn_err cn_pin_texts_json(const cn_pin_texts *t, cn_buf *out)
{
    cn_json_writer j;
    size_t position = 0;
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Pins");
    cn_json_list(&j);
    for (const char *text = NULL; (text = cn_pin_texts_next(t, &position)) != NULL;) {
        cn_json_text(&j, text);
    }
    cn_json_list_end(&j);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

cn_err cn_pin_check_name(cn_call *call, cn_slice name)
{
    if (name.len <= CN_PIN_NAME_MAX_BYTES) {
        return CN_OK;
    }
    return cn_call_fail(
        call, CN_ERR_TOO_LARGE, "pin name is %zu bytes (max %d bytes)", name.len,
        CN_PIN_NAME_MAX_BYTES);
}

cn_err cn_pin_open(cn_call *call, cn_pins **ret)
{
    cn_node *node = NULL;
    cn_err err = cn_call_node(call, &node);
    if (err != CN_OK) {
        return err;
    }
    err = cn_node_pins(node, ret, cn_call_why(call));
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

/*
 * A raw block has nothing below it: that it is here is enough, and it is not read. One that is not
 * is got, which fetches it or says what is wrong.
 */
static cn_err see_raw(cn_call *call, cn_blocks *blocks, const cn_cid *cid, size_t *ret_bytes)
{
    cn_node *node = NULL;
    cn_buf block = {0};
    cn_err err = CN_OK;
    cn_buf_init(&block, cn_call_mem(call), CN_DRIVE_BLOCK_MAX_BYTES);
    CN_TRY(cn_call_node(call, &node));
    if (cn_blocks_size(cn_store_blocks(cn_node_store(node)), cid, ret_bytes) != CN_OK) {
        CN_TRY(cn_blocks_get(blocks, cid, &block, cn_call_why(call)));
        *ret_bytes = block.len;
    }
out:
    cn_buf_release(&block);
    return err;
}

cn_err cn_pin_walk(
    cn_call *call, cn_walk *walk, bool again, const cn_cid *root, cn_pin_visit visit, void *ctx)
{
    static const cn_walk_options options = {.unique = true, .raw_unseen = true};
    cn_drive drive = {0};
    cn_pull step = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_content_drive(call, &drive));
    if (again) {
        cn_walk_again(walk, root);
    } else {
        cn_walk_init(walk, cn_call_mem(call), root, &options);
    }
    while (true) {
        CN_TRY(cn_call_check(call));
        CN_TRY(cn_drive_next(&drive, &walk->pull, &step, cn_call_why(call)));
        if (step.kind == CN_PULL_END) {
            break;
        }
        const cn_walk_entry *e = step.entry;
        size_t bytes = e->block.len;
        if (e->cid->codec == CN_CODEC_RAW) {
            CN_TRY(see_raw(call, drive.blocks, e->cid, &bytes));
        }
        if (visit != NULL && !e->is_repeat) {
            CN_TRY(visit(ctx, e, bytes));
        }
    }
out:
    cn_drive_release(&drive);
    return err;
}
