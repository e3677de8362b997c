/*
 * Property: a block that passes the check can be stepped through to its end, each link found there
 * is one that a path can reach, and no path makes the search fail in another way than "not there".
 */
#include "ipld/dagjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const paths[] = {"", "a", "0/1", "a/b/c", "roots/0"};
    cn_slice block = {data, len};
    bool good = cn_dagjson_check(block, NULL) == CN_OK;
    cn_slice c = block;
    cn_cid cid;
    bool have = true;
    cn_err err = CN_OK;
    while (err == CN_OK && have) {
        err = cn_dagjson_next_link(&c, &cid, &have);
    }
    CN_ASSERT(!good || err == CN_OK);
    for (size_t i = 0; i < CN_LEN(paths); i++) {
        cn_slice rest = cn_str(paths[i]);
        bool is_link = false;
        err = cn_dagjson_find(block, &rest, &cid, &is_link, NULL);
        CN_ASSERT(!good || err == CN_OK || err == CN_ERR_NO_LINK);
    }
    return 0;
}
