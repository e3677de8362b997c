/*
 * Request headers the gateway reads, and media types guessed from bytes. A range taken lies in the
 * content.
 */
#include "gateway/header.h"
#include "gateway/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_slice in = cn_slice_of(data, size);
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t total = size % 7 * 1000;
    if (cn_range_parse(in, total, &from, &to) == CN_OK) {
        CN_ASSERT(from <= to && to <= total);
    }
    (void)cn_etag_listed(in, cn_str("\"bafkqaaa\""));
    (void)cn_accepts_html(in);
    cn_form form = cn_form_of_accept(in);
    CN_ASSERT((form == CN_FORM_DEFAULT) == (cn_form_name(form) == NULL));
    (void)cn_form_of_param(in);
    CN_ASSERT(cn_mime_of_bytes(in) != NULL);
    (void)cn_mime_of_name(in);
    return 0;
}
