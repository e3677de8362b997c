/*
 * Sizes for people.
 */
#include "cmd/human.h"

#include <stdio.h>

const char *cn_human_size(uint64_t bytes, char text[CN_HUMAN_BYTES])
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    size_t unit = 0;
    if (bytes < 10) {
        (void)snprintf(text, CN_HUMAN_BYTES, "%u B", (unsigned)bytes);
        return text;
    }
    while (size >= 1000 && unit + 1 < CN_LEN(names)) {
        size /= 1000;
        unit++;
    }
    double shown = (double)(uint64_t)(size * 10 + 0.5) / 10;
    (void)snprintf(text, CN_HUMAN_BYTES, shown < 10 ? "%.1f %s" : "%.0f %s", shown, names[unit]);
    return text;
}
