/*
 * A configuration that is accepted can be shaped, written and read again, and its shape no longer
 * changes.
 */
#include "node/config.h"
#include "node/schema.h"

enum { DOC_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void shape_and_dump(cn_json_doc *d, const cn_json *from, cn_buf *out)
{
    cn_json *shaped = NULL;
    CN_ASSERT(cn_schema_shape(d, &cn_schema_config, from, &shaped) == CN_OK);
    CN_ASSERT(cn_json_dump(shaped, CN_JSON_INDENT | CN_JSON_GO_NUMBERS, out) == CN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_json_doc d;
    cn_buf once;
    cn_buf twice;
    cn_json *root = NULL;
    cn_json *again = NULL;
    cn_why why;
    if (len > 4096) {
        return 0;
    }
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    cn_buf_init(&once, cn_mem_default(), DOC_BYTES);
    cn_buf_init(&twice, cn_mem_default(), DOC_BYTES);
    if (cn_json_parse(&d, cn_slice_of(data, len), CN_JSON_FIRST, &root, &why) == CN_OK &&
        cn_schema_check(&cn_schema_config, root, &why) == CN_OK) {
        shape_and_dump(&d, root, &once);
        CN_ASSERT(cn_json_parse(&d, cn_buf_slice(&once), CN_JSON_WHOLE, &again, &why) == CN_OK);
        CN_ASSERT(cn_schema_check(&cn_schema_config, again, &why) == CN_OK);
        shape_and_dump(&d, again, &twice);
        CN_ASSERT(cn_slice_eq(cn_buf_slice(&once), cn_buf_slice(&twice)));
    }
    cn_buf_release(&once);
    cn_buf_release(&twice);
    cn_json_doc_release(&d);
    return 0;
}
