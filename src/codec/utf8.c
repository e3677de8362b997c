/*
 * The first byte says the length; a few first bytes narrow what the second may be, which is how
 * overlong forms, surrogates and what lies above the last character are kept out.
 */
#include "codec/utf8.h"

size_t cn_utf8_len(cn_slice s)
{
    uint8_t first = s.len == 0 ? 0xff : s.data[0];
    size_t len = first < 0x80                    ? 1
                 : first >= 0xc2 && first < 0xe0 ? 2
                 : first >= 0xe0 && first < 0xf0 ? 3
                 : first >= 0xf0 && first < 0xf5 ? 4
                                                 : 0;
    if (len == 0 || len > s.len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    uint8_t second = len > 1 ? s.data[1] : 0;
    bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                 (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : len;
}

bool cn_utf8_check(cn_slice s)
{
    while (s.len > 0) {
        size_t len = cn_utf8_len(s);
        if (len == 0) {
            return false;
        }
        s = cn_slice_skip(s, len);
    }
    return true;
}
