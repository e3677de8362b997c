/*
 * What may have been meant by a word that names no command: names contained in it, else names
 * within three steps of it (a letter more costs 1, another letter 2, a letter less 3).
 */
#include "cmd/table.h"

enum { STEPS_MAX = 3, WORD_MAX = 64, NAMES_MAX = 128 };

/* Cost of making `name` from `word`, over characters as bytes. */
static unsigned distance(cn_slice word, cn_slice name)
{
    unsigned row[WORD_MAX + 1];
    if (name.len > WORD_MAX || word.len > WORD_MAX) {
        return STEPS_MAX + 1;
    }
    for (unsigned j = 0; j <= name.len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= word.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i * 3;
        for (unsigned j = 1; j <= name.len; j++) {
            unsigned other = diagonal + (word.data[i - 1] == name.data[j - 1] ? 0 : 2);
            diagonal = row[j];
            unsigned less = row[j] + 3;
            unsigned more = row[j - 1] + 1;
            row[j] = CN_MIN(other, CN_MIN(less, more));
        }
    }
    return row[name.len];
}

static bool contains(cn_slice word, cn_slice name)
{
    for (size_t i = 0; i + name.len <= word.len; i++) {
        if (cn_slice_starts(cn_slice_skip(word, i), name)) {
            return true;
        }
    }
    return false;
}

/* First words of all commands whose distance is `steps` (0: that `word` contains). */
static size_t gather(cn_slice word, unsigned steps, bool inside, const char **names, size_t len)
{
    size_t position = 0;
    const cn_command *c = NULL;
    while ((c = cn_command_next(&position)) != NULL) {
        cn_slice name = cn_str(c->path);
        if (!cn_command_is_child(c, &cn_command_root) || len == NAMES_MAX) {
            continue;
        }
        if (inside ? contains(word, name) : distance(word, name) == steps) {
            names[len++] = c->path;
        }
    }
    return len;
}

cn_err cn_command_suggest(const char *word, cn_buf *out)
{
    const char *names[NAMES_MAX];
    size_t len = gather(cn_str(word), 0, true, names, 0);
    bool inside = len > 0;
    for (unsigned steps = 0; !inside && steps <= STEPS_MAX; steps++) {
        len = gather(cn_str(word), steps, false, names, len);
    }
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(out, "Unknown Command \"%s\"\n", word));
    if (len > 0) {
        CN_TRY(cn_buf_printf(out, "\nDid you mean %s?\n\n", len == 1 ? "this" : "any of these"));
    }
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_buf_printf(out, "%s\t%s", i == 0 ? "" : "\n", names[i]));
    }
out:
    return err;
}
