/*
 * The record of a pin as bytes.
 */
#include "store/pin_record.h"

#include "base/cur.h"
#include "base/mem.h"

enum { PIN_RECORD_VERSION = 1 };

size_t cn_pin_record_encode(cn_slice name, uint8_t out[CN_PIN_RECORD_MAX_BYTES])
{
    CN_ASSERT(name.len <= CN_PIN_RECORD_MAX_BYTES - 2);
    out[0] = PIN_RECORD_VERSION;
    out[1] = (uint8_t)name.len;
    cn_copy(out + 2, name.data, name.len);
    return 2 + name.len;
}

cn_err cn_pin_record_decode(cn_slice in, cn_slice *ret_name)
{
    cn_cur cur = cn_cur_of(in);
    uint8_t version = 0;
    uint8_t len = 0;
    cn_slice name = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_cur_byte(&cur, &version));
    if (version != PIN_RECORD_VERSION) {
        return CN_ERR_UNSUPPORTED;
    }
    CN_TRY(cn_cur_byte(&cur, &len));
    CN_TRY(cn_cur_take(&cur, len, &name));
    if (!cn_cur_done(&cur)) {
        return CN_ERR_MALFORMED;
    }
    *ret_name = name;
out:
    return err;
}
