#include "store/pin_record.h"

#include "unit/store/bytes_lib.h"

static cn_err decode(cn_slice in)
{
    cn_slice name;
    return cn_pin_record_decode(in, &name);
}

static void names_of_every_length_come_back(void)
{
    static uint8_t name[255];
    uint8_t record[CN_PIN_RECORD_MAX_BYTES];
    for (size_t len = 0; len <= sizeof name; len++) {
        cn_slice back = {0};
        name[len % sizeof name] = (uint8_t)(len * 7); /* any byte, zero too */
        size_t made = cn_pin_record_encode(cn_slice_of(name, len), record);
        CHECK_EQ(made, 2 + len);
        CHECK_OK(cn_pin_record_decode(cn_slice_of(record, made), &back));
        CHECK_BYTES(back, cn_slice_of(name, len));
        each_cut(cn_slice_of(record, made), decode, CN_ERR_TRUNCATED);
    }
}

static void a_record_has_its_bytes(void)
{
    uint8_t record[CN_PIN_RECORD_MAX_BYTES];
    size_t made = cn_pin_record_encode(cn_str("name"), record);
    CHECK_BYTES(cn_slice_of(record, made), test_hex("01046e616d65"));
}

static void other_records_are_refused(void)
{
    cn_slice name = cn_str("as it was");
    CHECK_ERR(cn_pin_record_decode(test_hex("00046e616d65"), &name), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_pin_record_decode(test_hex("02046e616d65"), &name), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_pin_record_decode(test_hex("02"), &name), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_pin_record_decode(test_hex("01036e616d65"), &name), CN_ERR_MALFORMED);
    CHECK_ERR(cn_pin_record_decode(test_hex("010000"), &name), CN_ERR_MALFORMED);
    CHECK_BYTES(name, cn_str("as it was"));
}

int main(void)
{
    TEST(names_of_every_length_come_back);
    TEST(a_record_has_its_bytes);
    TEST(other_records_are_refused);
    return test_end();
}
