/*
 * The stream is kept as it came, lengths and all, so that everything told can be lent out of it;
 * `at` is the place of the next length, and whatever lies before it are whole messages. Messages
 * are looked into only at the end, when it is known how many entries the two lists need.
 */
#include "p2p/host/identify_message.h"

#include "codec/protobuf.h"
#include "codec/utf8.h"
#include "multiformats/multiaddr.h"

enum {
    PUBLIC_KEY = 1,
    LISTEN_ADDRESS = 2,
    PROTOCOL = 3,
    OBSERVED_ADDRESS = 4,
    PROTOCOL_VERSION = 5,
    AGENT_VERSION = 6,
    SIGNED_RECORD = 8,
    LENGTH_MAX_BYTES = 2, /* a length of up to 8 KiB */
    STREAM_MAX_BYTES =
        CN_IDENTIFY_MESSAGES_MAX * (CN_IDENTIFY_MESSAGE_MAX_BYTES + LENGTH_MAX_BYTES),
};

void cn_identify_reader_init(cn_identify_reader *r, cn_mem *mem)
{
    *r = (cn_identify_reader){.mem = mem};
    /* one byte more, so that a message too many is seen as that */
    cn_buf_init(&r->bytes, mem, STREAM_MAX_BYTES + 1);
}

void cn_identify_reader_release(cn_identify_reader *r)
{
    if (r->mem != NULL) {
        cn_free(r->mem, r->lists);
        cn_buf_release(&r->bytes);
    }
    *r = (cn_identify_reader){0};
}

/* The length of the message at `at`: *ret_body is where it begins. TRUNCATED: not all there. */
static cn_err take_length(const cn_identify_reader *r, size_t *ret_body, size_t *ret_len)
{
    cn_cur cur = cn_cur_of(cn_slice_skip(cn_buf_slice(&r->bytes), r->at));
    size_t left = cn_cur_left(&cur);
    uint64_t len = 0;
    cn_err err = cn_varint_decode(&cur, &len);
    if (err == CN_OK && len > CN_IDENTIFY_MESSAGE_MAX_BYTES) {
        err = CN_ERR_TOO_LARGE;
    }
    if (err == CN_ERR_TRUNCATED && left > LENGTH_MAX_BYTES) {
        err = CN_ERR_TOO_LARGE;
    }
    if (err == CN_OK) {
        *ret_body = r->at + (left - cn_cur_left(&cur));
        *ret_len = (size_t)len;
    }
    return err;
}

/* Count the messages that are whole by now, and refuse one that will be too long. */
static cn_err step(cn_identify_reader *r, cn_why *why)
{
    while (r->at < r->bytes.len) {
        size_t body = 0;
        size_t len = 0;
        cn_err err = CN_OK;
        if (r->messages == CN_IDENTIFY_MESSAGES_MAX) {
            return cn_why_set(
                why, CN_ERR_TOO_LARGE, "identify: more than %d messages", CN_IDENTIFY_MESSAGES_MAX);
        }
        err = take_length(r, &body, &len);
        if (err == CN_ERR_TRUNCATED) {
            return CN_OK;
        }
        if (err == CN_ERR_TOO_LARGE) {
            return cn_why_set(
                why, err, "identify: a message is longer than %d bytes",
                CN_IDENTIFY_MESSAGE_MAX_BYTES);
        }
        if (err != CN_OK) {
            return cn_why_set(why, err, "identify: a message's length is not a varint");
        }
        if (r->bytes.len - body < len) {
            return CN_OK;
        }
        r->at = body + len;
        r->messages++;
    }
    return CN_OK;
}

cn_err cn_identify_recv(cn_identify_reader *r, cn_slice bytes, cn_why *why)
{
    cn_err err = CN_OK;
    while (bytes.len > 0) {
        /* what comes is looked at in pieces that have room, so that the error found is the first */
        cn_slice piece = cn_slice_head(bytes, r->bytes.max - r->bytes.len);
        CN_ASSERT(piece.len > 0);
        CN_TRY(cn_buf_append(&r->bytes, piece));
        bytes = cn_slice_skip(bytes, piece.len);
        CN_TRY(step(r, why));
    }
out:
    return err;
}

/* --- the end of the stream --- */

/* Text, or nothing told where it is none. */
static void take_text(cn_slice text, cn_slice *ret)
{
    if (text.len <= CN_IDENTIFY_TEXT_MAX_BYTES && cn_utf8_check(text)) {
        *ret = text;
    }
}

static bool is_name(cn_slice name)
{
    return name.len > 0 && name.len <= CN_IDENTIFY_NAME_MAX_BYTES && cn_utf8_check(name);
}

/* Lists being made; without room they only count. */
typedef struct lists {
    cn_slice *addresses;
    cn_slice *protocols;
    size_t addresses_len;
    size_t protocols_len;
} lists;

static void take_address(lists *l, cn_slice address)
{
    if (l->addresses_len < CN_IDENTIFY_ADDRESSES_MAX &&
        cn_multiaddr_check(address, NULL) == CN_OK) {
        if (l->addresses != NULL) {
            l->addresses[l->addresses_len] = address;
        }
        l->addresses_len++;
    }
}

static void take_protocol(lists *l, cn_slice name)
{
    if (l->protocols_len < CN_IDENTIFY_PROTOCOLS_MAX && is_name(name)) {
        if (l->protocols != NULL) {
            l->protocols[l->protocols_len] = name;
        }
        l->protocols_len++;
    }
}

static void take_field(const cn_pb_field *field, cn_identify_fields *fields, lists *l)
{
    if (field->wire != CN_PB_BYTES) {
        return;
    }
    switch (field->number) {
    case PUBLIC_KEY:
        fields->public_key = field->bytes;
        break;
    case LISTEN_ADDRESS:
        take_address(l, field->bytes);
        break;
    case PROTOCOL:
        take_protocol(l, field->bytes);
        break;
    case OBSERVED_ADDRESS:
        if (cn_multiaddr_check(field->bytes, NULL) == CN_OK) {
            fields->observed = field->bytes;
        }
        break;
    case PROTOCOL_VERSION:
        take_text(field->bytes, &fields->protocol_version);
        break;
    case AGENT_VERSION:
        take_text(field->bytes, &fields->agent);
        break;
    case SIGNED_RECORD:
        fields->signed_record = field->bytes;
        break;
    default:
        break;
    }
}

/* Go through all messages once. */
static cn_err walk(const cn_identify_reader *r, cn_identify_fields *fields, lists *l)
{
    cn_err err = CN_OK;
    cn_cur stream = cn_cur_of(cn_buf_slice(&r->bytes));
    while (!cn_cur_done(&stream)) {
        uint64_t len = 0;
        cn_cur message = {0};
        CN_TRY(cn_varint_decode(&stream, &len));
        CN_TRY(cn_cur_sub(&stream, (size_t)len, &message));
        while (!cn_cur_done(&message)) {
            cn_pb_field field = {0};
            CN_TRY(cn_pb_next(&message, &field));
            take_field(&field, fields, l);
        }
    }
out:
    return err == CN_ERR_TRUNCATED ? CN_ERR_MALFORMED : err;
}

cn_err cn_identify_end(cn_identify_reader *r, cn_identify_fields *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_identify_fields fields = {0};
    lists l = {0};
    CN_ASSERT(r->lists == NULL);
    if (r->messages == 0 || r->at < r->bytes.len) {
        return cn_why_set(why, CN_ERR_TRUNCATED, "identify: the stream ended inside a message");
    }
    err = walk(r, &fields, &l);
    if (err != CN_OK) {
        return cn_why_set(why, err, "identify: a message is not protobuf");
    }
    r->lists = cn_alloc_array(r->mem, l.addresses_len + l.protocols_len, sizeof(cn_slice));
    if (r->lists == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    l = (lists){.addresses = r->lists, .protocols = r->lists + l.addresses_len};
    err = walk(r, &fields, &l);
    CN_ASSERT(err == CN_OK);
    fields.addresses = l.addresses_len == 0 ? NULL : l.addresses;
    fields.addresses_len = l.addresses_len;
    fields.protocols = l.protocols_len == 0 ? NULL : l.protocols;
    fields.protocols_len = l.protocols_len;
    *ret = fields;
    return CN_OK;
}

/* --- ours --- */

static size_t size_of(uint32_t number, cn_slice bytes)
{
    return bytes.data == NULL ? 0 : cn_pb_bytes_size(number, bytes.len);
}

static cn_err put(cn_buf *out, uint32_t number, cn_slice bytes)
{
    return bytes.data == NULL ? CN_OK : cn_pb_put_bytes(out, number, bytes);
}

/* How many of `list` fit into *room, which shrinks. */
static size_t fit(uint32_t number, const cn_slice *list, size_t len, size_t *room)
{
    size_t n = 0;
    while (n < len && cn_pb_bytes_size(number, list[n].len) <= *room) {
        *room -= cn_pb_bytes_size(number, list[n].len);
        n++;
    }
    return n;
}

static cn_err put_list(cn_buf *out, uint32_t number, const cn_slice *list, size_t len)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_pb_put_bytes(out, number, list[i]));
    }
out:
    return err;
}

cn_err cn_identify_encode(const cn_identify_fields *own, cn_buf *out)
{
    cn_err err = CN_OK;
    size_t before = out->len;
    const size_t max = CN_IDENTIFY_OWN_MAX_BYTES - LENGTH_MAX_BYTES;
    size_t always = size_of(PUBLIC_KEY, own->public_key) + size_of(AGENT_VERSION, own->agent) +
                    size_of(PROTOCOL_VERSION, own->protocol_version) +
                    size_of(OBSERVED_ADDRESS, own->observed);
    size_t room = max - CN_MIN(always, max);
    size_t protocols = 0;
    size_t addresses = 0;
    size_t record = size_of(SIGNED_RECORD, own->signed_record);
    if (always > max) {
        return CN_ERR_TOO_LARGE;
    }
    protocols = fit(PROTOCOL, own->protocols, own->protocols_len, &room);
    record = record <= room ? record : 0;
    room -= record;
    addresses = fit(LISTEN_ADDRESS, own->addresses, own->addresses_len, &room);
    CN_TRY(cn_varint_append(out, max - room));
    CN_TRY(put(out, PUBLIC_KEY, own->public_key));
    CN_TRY(put_list(out, LISTEN_ADDRESS, own->addresses, addresses));
    CN_TRY(put_list(out, PROTOCOL, own->protocols, protocols));
    CN_TRY(put(out, OBSERVED_ADDRESS, own->observed));
    CN_TRY(put(out, PROTOCOL_VERSION, own->protocol_version));
    CN_TRY(put(out, AGENT_VERSION, own->agent));
    if (record > 0) {
        CN_TRY(put(out, SIGNED_RECORD, own->signed_record));
    }
out:
    if (err != CN_OK) {
        out->len = before;
    }
    return err;
}
