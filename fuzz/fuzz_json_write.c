/* Any bytes as a string: what is written is JSON that our reader takes. */
#include "codec/json.h"
#include "codec/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_buf out;
    cn_json_writer j;
    cn_json_doc doc;
    cn_json *root = NULL;
    double number = 0;
    cn_copy(&number, data, CN_MIN(size, sizeof number));
    cn_buf_init(&out, cn_mem_default(), 1 << 24);
    cn_json_init(&j, &out, size % 2 == 0 ? NULL : "  ");
    cn_json_list(&j);
    cn_json_string(&j, cn_slice_of(data, size));
    cn_json_float(&j, number == number && number - number == 0 ? number : 0);
    cn_json_list_end(&j);
    CN_ASSERT(cn_json_finish(&j) == CN_OK);
    cn_json_doc_init(&doc, cn_mem_default(), 1 << 26);
    CN_ASSERT(cn_json_parse(&doc, cn_buf_slice(&out), CN_JSON_WHOLE, &root, NULL) == CN_OK);
    cn_json_doc_release(&doc);
    cn_buf_release(&out);
    return 0;
}
