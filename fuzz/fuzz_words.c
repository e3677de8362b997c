/* Any words: a request or a sentence, never both. Words are cut at NUL bytes. */
#include "cmd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORDS_MAX = 64 };
    const char *words[WORDS_MAX];
    size_t len = 0;
    cn_mem *mem = cn_mem_default();
    cn_why why = {{0}};
    cn_request r;
    char *copy = cn_strdup(mem, (const char *)data, size);
    for (size_t at = 0; copy != NULL && at < size && len < WORDS_MAX; at += strlen(copy + at) + 1) {
        words[len++] = copy + at;
    }
    cn_request_init(&r, mem);
    cn_err err = cn_request_from_words(&r, words, len, &why);
    CN_ASSERT((err == CN_OK) == (r.command != NULL));
    if (err == CN_OK) {
        err = cn_request_bind(&r, &why);
    }
    CN_ASSERT((err == CN_OK) == (why.text[0] == '\0'));
    cn_request_release(&r);
    cn_free(mem, copy);
    return 0;
}
