/*
 * For tests of import: a source in memory whose file bytes are a ChaCha20 stream (as the published
 * vectors want them) or a text, and an import of it that gives the root's text.
 */
#pragma once

#include "lib/test.h"
#include "rt/source.h"
#include "rt_os/rt_os.h"
#include "unixfs/add.h"

#include "crypto/sha256.h"

/* One step of the walk: a file of `text`, or of `size` bytes of the stream if that is NULL. */
typedef struct step {
    cn_source_kind kind;
    const char *name;
    const char *text;
    uint64_t size;
} step;

typedef struct memory_source {
    cn_source source; /* first */
    const step *steps;
    size_t steps_len;
    size_t at;
    const char *seed;
    uint64_t read_bytes;
    uint64_t size;
    const char *text;
} memory_source;

static inline uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static inline void quarter(uint32_t *s, int a, int b, int c, int d)
{
    s[a] += s[b];
    s[d] = turn(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = turn(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = turn(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = turn(s[b] ^ s[c], 7);
}

/* Block `counter` of the ChaCha20 stream under `key` with a zero nonce. */
static inline void chacha_block(const uint32_t key[8], uint32_t counter, uint32_t out[16])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    cn_copy(start + 4, key, 32);
    start[12] = counter;
    cn_copy(out, start, sizeof start);
    for (int i = 0; i < 10; i++) {
        quarter(out, 0, 4, 8, 12);
        quarter(out, 1, 5, 9, 13);
        quarter(out, 2, 6, 10, 14);
        quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15);
        quarter(out, 1, 6, 11, 12);
        quarter(out, 2, 7, 8, 13);
        quarter(out, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        out[i] += start[i];
    }
}

/* `len` bytes of the stream of `seed` from `offset`. */
static inline void stream_bytes(const char *seed, uint64_t offset, uint8_t *data, size_t len)
{
    uint32_t key[8];
    uint8_t digest[CN_SHA256_BYTES];
    cn_sha256(cn_str(seed), digest);
    cn_copy(key, digest, sizeof key);
    for (size_t done = 0; done < len;) {
        uint32_t block[16];
        size_t skip = (size_t)(offset % 64);
        size_t n = CN_MIN(64 - skip, len - done);
        chacha_block(key, (uint32_t)(offset / 64), block);
        cn_copy(data + done, (const uint8_t *)block + skip, n);
        done += n;
        offset += n;
    }
}

static cn_err memory_next(cn_source *s, cn_source_entry *ret, cn_why *why)
{
    CN_UNUSED(why);
    memory_source *m = (memory_source *)s;
    *ret = (cn_source_entry){.kind = CN_SOURCE_END};
    if (m->at < m->steps_len) {
        const step *st = &m->steps[m->at++];
        ret->kind = st->kind;
        ret->name = cn_str(st->name);
        ret->target = st->kind == CN_SOURCE_SYMLINK ? cn_str(st->text) : (cn_slice){0};
        m->text = st->text;
        m->size = st->text == NULL ? st->size : strlen(st->text);
        m->read_bytes = 0;
    }
    return CN_OK;
}

static cn_err memory_read(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    CN_UNUSED(why);
    memory_source *m = (memory_source *)s;
    size_t n = (size_t)CN_MIN((uint64_t)len, m->size - m->read_bytes);
    if (m->text != NULL) {
        cn_copy(data, m->text + m->read_bytes, n);
    } else {
        stream_bytes(m->seed, m->read_bytes, data, n);
    }
    m->read_bytes += n;
    *ret_len = n;
    return CN_OK;
}

static const cn_source_ops memory_ops = {memory_next, memory_read};

static inline memory_source source_of(const step *steps, size_t steps_len, const char *seed)
{
    return (memory_source){{&memory_ops}, steps, steps_len, 0, seed, 0, 0, NULL};
}

/* Import with settled options; "" after a failed check. The text is static. */
static const char *import_root(cn_source *source, cn_import_options *o, bool wrap)
{
    static char text[CN_CID_TEXT_BYTES];
    cn_rt *rt = NULL;
    cn_cid root = {0};
    cn_why why = {{0}};
    text[0] = '\0';
    if (!CHECK_OK(cn_rt_os_new(2, &rt)) || !CHECK_OK(cn_import_options_settle(o, &why))) {
        return text;
    }
    cn_add_request request = {
        .rt = rt, .mem = cn_mem_default(), .source = source, .options = o, .wrap = wrap};
    if (CHECK_OK(cn_add(&request, &root, &why))) {
        (void)cn_cid_text(&root, text);
    } else {
        FAIL(cn_why_text(&why, CN_ERR_BUG));
    }
    cn_rt_os_free(rt);
    return text;
}
