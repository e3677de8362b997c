/* Property: a pin's record that is read is written back to the same bytes. */
#include "store/pin_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice name;
    uint8_t out[CN_PIN_RECORD_MAX_BYTES];
    if (cn_pin_record_decode((cn_slice){data, len}, &name) == CN_OK) {
        size_t made = cn_pin_record_encode(name, out);
        CN_ASSERT(cn_slice_eq(cn_slice_of(out, made), (cn_slice){data, len}));
    }
    return 0;
}
