/* Property: the text of a path that was read is read again, and as the same path. */
#include "ipld/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_ipfs_path p = {0};
    cn_ipfs_path again = {0};
    cn_why why = {0};
    cn_err err = cn_ipfs_path_parse_arg((cn_slice){data, len}, cn_mem_default(), &p, &why);
    CN_ASSERT(err == CN_OK || why.text[0] != '\0' || err == CN_ERR_TOO_LARGE);
    if (err == CN_OK) {
        err = cn_ipfs_path_parse(cn_buf_slice(&p.text), cn_mem_default(), &again, NULL);
        CN_ASSERT(err == CN_OK);
        CN_ASSERT(cn_slice_eq(p.rest, again.rest) && cn_slice_eq(p.root_text, again.root_text));
    }
    cn_ipfs_path_release(&p);
    cn_ipfs_path_release(&again);
    return 0;
}
