/* The first line is a chunker, the rest are bytes. Property: cuts keep their bounds, and a window
 * of max_bytes gives the same cut as all that is left. */
#include "unixfs/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    size_t end = cn_slice_find(in, '\n');
    cn_chunker c;
    cn_why why;
    if (cn_chunker_parse(cn_slice_head(in, end), &c, &why) != CN_OK) {
        CN_ASSERT(why.text[0] != '\0');
        return 0;
    }
    CN_ASSERT(c.min_bytes <= c.max_bytes && c.max_bytes <= CN_CHUNK_MAX_BYTES);
    cn_slice rest = cn_slice_skip(in, end + 1);
    while (rest.len > 0) {
        size_t cut = cn_chunker_next(&c, rest);
        CN_ASSERT(cut > 0 && cut <= c.max_bytes && cut <= rest.len);
        CN_ASSERT(cut >= c.min_bytes || cut == rest.len);
        CN_ASSERT(cn_chunker_next(&c, cn_slice_head(rest, c.max_bytes)) == cut);
        rest = cn_slice_skip(rest, cut);
    }
    return 0;
}
