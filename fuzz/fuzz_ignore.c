/* The first line is a name, the rest are rules. Property: a rule that is the name itself, with all
 * that is special taken away, leaves it out; and nothing runs away. */
#include "rt/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool plain(cn_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!letter) {
            return false;
        }
    }
    return name.len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, CN_MIN(len, (size_t)512)};
    size_t end = cn_slice_find(in, '\n');
    cn_slice name = cn_slice_head(in, end);
    cn_ignore g;
    cn_ignore_init(&g, cn_mem_default());
    CN_ASSERT(cn_ignore_add_lines(&g, cn_slice_skip(in, end + 1)) == CN_OK);
    (void)cn_ignore_matches(&g, name);
    if (plain(name)) {
        CN_ASSERT(cn_ignore_add(&g, name) == CN_OK);
        CN_ASSERT(cn_ignore_matches(&g, name));
    }
    cn_ignore_release(&g);
    return 0;
}
