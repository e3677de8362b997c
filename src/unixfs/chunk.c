/*
 * Names of chunkers, and size-N. The two that look at content are in chunk_rabin.c and
 * chunk_buzhash.c.
 */
#include "unixfs/chunk_internal.h"

#include "base/num.h"

enum {
    BUZHASH_MIN_BYTES = 128 << 10,
    BUZHASH_MAX_BYTES = 512 << 10,
    RABIN_MIN_BYTES = 16,
    PARTS_MAX = 5,
};

static const char too_large[] =
    "chunker parameters may not exceed the maximum chunk size of 2096896";

static cn_err refuse(cn_why *why, const char *sentence)
{
    return cn_why_set(why, CN_ERR_USAGE, "%s", sentence);
}

/* A number as Go's strconv.Atoi takes it, with its sentences. */
static cn_err parse_number(cn_slice text, int64_t *ret, cn_why *why)
{
    cn_err err = cn_num_i64(text, ret);
    if (err == CN_OK) {
        return CN_OK;
    }
    return cn_why_set(
        why, CN_ERR_USAGE, "strconv.Atoi: parsing \"%.*s\": %s", (int)CN_MIN(text.len, (size_t)200),
        (const char *)text.data, err == CN_ERR_TOO_LARGE ? "value out of range" : "invalid syntax");
}

/* A number with an optional label before it, "min:16". */
static cn_err parse_labelled(cn_slice part, const char *label, int64_t *ret, cn_why *why)
{
    size_t colon = cn_slice_find(part, ':');
    if (colon < part.len) {
        if (!cn_slice_is(cn_slice_head(part, colon), label)) {
            const char *which = cn_slice_is(cn_str(label), "min")   ? "first"
                                : cn_slice_is(cn_str(label), "avg") ? "second"
                                                                    : "final";
            return cn_why_set(why, CN_ERR_USAGE, "%s label must be %s", which, label);
        }
        while (colon < part.len) { /* the number is behind the last colon */
            part = cn_slice_skip(part, colon + 1);
            colon = cn_slice_find(part, ':');
        }
    }
    return parse_number(part, ret, why);
}

static cn_err make_rabin(int64_t min, int64_t avg, int64_t max, cn_chunker *ret)
{
    uint64_t power = avg < 1 ? 0 : 63 - (uint64_t)__builtin_clzll((uint64_t)avg);
    *ret = (cn_chunker){
        .kind = CN_CHUNK_RABIN,
        .min_bytes = (size_t)min,
        .max_bytes = (size_t)max,
        .mask = ((uint64_t)1 << power) - 1,
    };
    cn_chunk_rabin_init(ret);
    return CN_OK;
}

static cn_err parse_rabin_average(cn_slice text, cn_chunker *ret, cn_why *why)
{
    int64_t avg = 0;
    cn_err err = parse_number(text, &avg, why);
    if (err != CN_OK) {
        return err;
    }
    if (avg > CN_CHUNK_MAX_BYTES || avg + avg / 2 > CN_CHUNK_MAX_BYTES) {
        return refuse(why, too_large);
    }
    if (avg / 3 < RABIN_MIN_BYTES) { /* Kubo's arithmetic underflows here and cuts nothing */
        return refuse(why, "rabin min must be greater than 16");
    }
    return make_rabin(avg / 3, avg, avg + avg / 2, ret);
}

static cn_err parse_rabin_three(const cn_slice *parts, cn_chunker *ret, cn_why *why)
{
    int64_t min = 0;
    int64_t avg = 0;
    int64_t max = 0;
    cn_err err = parse_labelled(parts[1], "min", &min, why);
    if (err == CN_OK && min < RABIN_MIN_BYTES) {
        return refuse(why, "rabin min must be greater than 16");
    }
    if (err == CN_OK) {
        err = parse_labelled(parts[2], "avg", &avg, why);
    }
    if (err == CN_OK) {
        err = parse_labelled(parts[3], "max", &max, why);
    }
    if (err != CN_OK) {
        return err;
    }
    if (min >= avg) {
        return refuse(why, "incorrect format: rabin-min must be smaller than rabin-avg");
    }
    if (avg >= max) {
        return refuse(why, "incorrect format: rabin-avg must be smaller than rabin-max");
    }
    return max > CN_CHUNK_MAX_BYTES ? refuse(why, too_large) : make_rabin(min, avg, max, ret);
}

static cn_err parse_size(const cn_slice *parts, size_t parts_len, cn_chunker *ret, cn_why *why)
{
    int64_t size = 0;
    if (parts_len != 2) {
        return refuse(why, "incorrect chunker string format (expected size-{size})");
    }
    cn_err err = parse_number(parts[1], &size, why);
    if (err != CN_OK) {
        return err;
    }
    if (size <= 0) {
        return refuse(why, "chunker size must be greater than 0");
    }
    if (size > CN_CHUNK_MAX_BYTES) {
        return refuse(why, too_large);
    }
    *ret =
        (cn_chunker){.kind = CN_CHUNK_SIZE, .min_bytes = (size_t)size, .max_bytes = (size_t)size};
    return CN_OK;
}

/* Cut `text` at each '-'; beyond PARTS_MAX the count alone says that there are too many. */
static size_t split(cn_slice text, cn_slice parts[PARTS_MAX])
{
    size_t len = 0;
    for (;;) {
        size_t dash = cn_slice_find(text, '-');
        if (len < PARTS_MAX) {
            parts[len] = cn_slice_head(text, dash);
        }
        len++;
        if (dash == text.len) {
            return len;
        }
        text = cn_slice_skip(text, dash + 1);
    }
}

cn_err cn_chunker_parse(cn_slice text, cn_chunker *ret, cn_why *why)
{
    cn_slice parts[PARTS_MAX] = {{0}};
    if (text.len == 0 || cn_slice_is(text, "default")) {
        text = cn_str("size-262144");
    }
    size_t len = split(text, parts);
    if (cn_slice_is(parts[0], "size")) {
        return parse_size(parts, len, ret, why);
    }
    if (cn_slice_is(parts[0], "buzhash")) {
        *ret = (cn_chunker){
            .kind = CN_CHUNK_BUZHASH,
            .min_bytes = BUZHASH_MIN_BYTES,
            .max_bytes = BUZHASH_MAX_BYTES,
        };
        return CN_OK;
    }
    if (!cn_slice_is(parts[0], "rabin")) {
        return cn_why_set(
            why, CN_ERR_USAGE, "unrecognized chunker option: %.*s",
            (int)CN_MIN(text.len, (size_t)200), (const char *)text.data);
    }
    switch (len) {
    case 1:
        return parse_rabin_average(cn_str("262144"), ret, why);
    case 2:
        return parse_rabin_average(parts[1], ret, why);
    case 4:
        return parse_rabin_three(parts, ret, why);
    default:
        return refuse(
            why, "incorrect format (expected 'rabin' 'rabin-[avg]' or 'rabin-[min]-[avg]-[max]'");
    }
}

size_t cn_chunker_next(const cn_chunker *c, cn_slice window)
{
    cn_slice bounded = cn_slice_head(window, c->max_bytes);
    switch (c->kind) {
    case CN_CHUNK_RABIN:
        return cn_chunk_rabin(c, bounded);
    case CN_CHUNK_BUZHASH:
        return cn_chunk_buzhash(c, bounded);
    case CN_CHUNK_SIZE:
    default:
        return bounded.len;
    }
}
