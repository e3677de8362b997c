/*
 * Tokens are gathered whole in `held`, since they are short and rare. A responder says its header
 * together with its first answer, which saves a flight and is what openers expect.
 */
#include "p2p/stack/multistream.h"

#include "codec/varint.h"

static const char HEADER[] = "/multistream/1.0.0";
static const char REFUSED[] = "na";

static cn_err put_token(cn_buf *out, cn_slice text)
{
    cn_err err = CN_OK;
    CN_TRY(cn_varint_append(out, text.len + 1));
    CN_TRY(cn_buf_append(out, text));
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

cn_err cn_multistream_open(
    cn_multistream *m, cn_mem *mem, const char *const *names, size_t names_len, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_ASSERT(names_len > 0);
    *m = (cn_multistream){.names = names, .names_len = names_len, .is_opener = true};
    cn_buf_init(&m->held, mem, CN_MULTISTREAM_NAME_MAX_BYTES + 2);
    CN_TRY(put_token(out, cn_str(HEADER)));
    CN_TRY(put_token(out, cn_str(names[0])));
out:
    return err;
}

void cn_multistream_answer(cn_multistream *m, cn_mem *mem, cn_multistream_match match, void *ctx)
{
    *m = (cn_multistream){.match = match, .ctx = ctx};
    cn_buf_init(&m->held, mem, CN_MULTISTREAM_NAME_MAX_BYTES + 2);
}

void cn_multistream_release(cn_multistream *m)
{
    cn_buf_release(&m->held);
}

/* Bytes that the token begun in `held` has, as far as its length is known. */
static cn_err token_bytes(cn_slice held, size_t *ret_bytes, size_t *ret_prefix)
{
    size_t low = held.len > 0 ? held.data[0] : 0;
    size_t high = held.len > 1 ? held.data[1] : 0;
    if (low < 0x80) {
        *ret_prefix = 1;
        *ret_bytes = 1 + low;
        return held.len == 1 && low == 0 ? CN_ERR_MALFORMED : CN_OK;
    }
    *ret_prefix = 2;
    *ret_bytes = 2;
    if (held.len < 2) {
        return CN_OK;
    }
    size_t len = (low & 0x7f) | high << 7;
    *ret_bytes = 2 + len;
    if (high == 0) {
        return CN_ERR_MALFORMED;
    }
    return len > CN_MULTISTREAM_NAME_MAX_BYTES ? CN_ERR_TOO_LARGE : CN_OK;
}

/* The next whole token without its newline, borrowed from `held`; *ret_have false: not yet. */
static cn_err next_token(cn_multistream *m, cn_slice *in, cn_slice *ret, bool *ret_have)
{
    cn_err err = CN_OK;
    size_t bytes = 0;
    size_t prefix = 0;
    *ret_have = false;
    for (;;) {
        /* `held` may have come with an earlier call: first see how much it lacks. */
        CN_TRY(token_bytes(cn_buf_slice(&m->held), &bytes, &prefix));
        if (m->held.len == bytes) {
            break;
        }
        if (in->len == 0) {
            return CN_OK;
        }
        cn_slice part = cn_slice_head(*in, bytes - m->held.len);
        CN_TRY(cn_buf_append(&m->held, part));
        *in = cn_slice_skip(*in, part.len);
    }
    if (m->held.data[bytes - 1] != '\n') {
        return CN_ERR_MALFORMED;
    }
    *ret = cn_slice_of(m->held.data + prefix, bytes - prefix - 1);
    *ret_have = true;
out:
    return err;
}

static cn_err all_refused(const cn_multistream *m, cn_why *why)
{
    cn_buf list = {0};
    const char *text = "";
    cn_buf_init(&list, m->held.mem, 65536);
    cn_err err = CN_OK;
    for (size_t i = 0; i < m->names_len && err == CN_OK; i++) {
        err = cn_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", m->names[i]);
    }
    err = err == CN_OK ? cn_buf_cstr(&list, &text) : err;
    (void)cn_why_set(why, CN_ERR_UNSUPPORTED, "the peer speaks none of: %s", text);
    cn_buf_release(&list);
    return CN_ERR_UNSUPPORTED;
}

static cn_err take_answer(cn_multistream *m, cn_slice token, cn_buf *out, cn_why *why)
{
    if (cn_slice_is(token, m->names[m->asked])) {
        m->chosen = m->names[m->asked];
        m->is_done = true;
        return CN_OK;
    }
    if (!cn_slice_is(token, REFUSED)) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "the peer answered a protocol that was not asked for: %.*s",
            (int)token.len, (const char *)token.data);
    }
    m->asked++;
    return m->asked == m->names_len ? all_refused(m, why)
                                    : put_token(out, cn_str(m->names[m->asked]));
}

static cn_err take_question(cn_multistream *m, cn_slice token, cn_buf *out, cn_why *why)
{
    const char *name = m->match(m->ctx, token);
    m->asked++;
    if (name == NULL) {
        return m->asked < CN_MULTISTREAM_ASKED_MAX
                   ? put_token(out, cn_str(REFUSED))
                   : cn_why_set(why, CN_ERR_TOO_LARGE, "the peer asked for too many protocols");
    }
    m->chosen = name;
    m->is_done = true;
    return put_token(out, token);
}

static cn_err take_header(cn_multistream *m, cn_slice token, cn_buf *out, cn_why *why)
{
    if (!cn_slice_is(token, HEADER)) {
        return cn_why_set(why, CN_ERR_MALFORMED, "the peer does not speak multistream");
    }
    m->has_header = true;
    return m->is_opener ? CN_OK : put_token(out, cn_str(HEADER));
}

cn_err cn_multistream_take(cn_multistream *m, cn_slice *in, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    cn_slice token = {0};
    bool have = true;
    while (!m->is_done && in->len > 0) {
        err = next_token(m, in, &token, &have);
        if (err == CN_ERR_MALFORMED || err == CN_ERR_TOO_LARGE) {
            return cn_why_set(why, err, "the peer does not speak multistream");
        }
        if (err != CN_OK || !have) {
            return err;
        }
        CN_TRY(
            !m->has_header ? take_header(m, token, out, why)
            : m->is_opener ? take_answer(m, token, out, why)
                           : take_question(m, token, out, why));
        cn_buf_reset(&m->held);
    }
    if (m->is_done) {
        cn_buf_release(&m->held);
    }
out:
    return err;
}
