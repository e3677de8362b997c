/*
 * Names of the store's files, the lock file, the reserve file.
 */
#include "base/num.h"
#include "store/internal.h"

#include <stdio.h>

enum { NUMBER_DIGITS = 10, LOCK_TEXT_BYTES = 512 };

static const char *const endings[] = {
    [CN_STORE_SEGMENT] = ".car", [CN_STORE_SIDECAR] = ".map", [CN_STORE_TOMBS] = ".del"};

const char *cn_store_file(const cn_store *s, cn_store_path path, const char *name)
{
    int len = snprintf(path, CN_STORE_PATH_BYTES, "%s/%s", s->dir, name);
    CN_ASSERT(len > 0 && len < CN_STORE_PATH_BYTES);
    return path;
}

const char *
cn_segment_file(const cn_store *s, cn_store_path path, uint32_t segment, cn_file_kind kind)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%010u%s", (unsigned)segment, endings[kind]);
    return cn_store_file(s, path, name);
}

bool cn_segment_parse(const char *name, uint32_t *ret_segment, cn_file_kind *ret_kind)
{
    cn_slice text = cn_str(name);
    uint64_t number = 0;
    if (text.len != NUMBER_DIGITS + 4 ||
        cn_num_u64(cn_slice_head(text, NUMBER_DIGITS), &number) != CN_OK || number == 0 ||
        number > UINT32_MAX) {
        return false;
    }
    for (size_t i = 0; i < CN_LEN(endings); i++) {
        if (cn_slice_ends(text, cn_str(endings[i]))) {
            *ret_segment = (uint32_t)number;
            *ret_kind = (cn_file_kind)i;
            return true;
        }
    }
    return false;
}

/* Read what the holder wrote into the lock file, for the message to those who wait. */
static cn_err tell_holder(cn_store *s, cn_why *why)
{
    uint8_t text[LOCK_TEXT_BYTES];
    size_t len = 0;
    cn_err err = cn_file_read_at(s->rt, s->lock_file, 0, text, sizeof text, &len);
    if (err != CN_OK || len == 0) {
        return cn_why_set(why, CN_ERR_BUSY, "the store %s is in use by another process", s->dir);
    }
    len = cn_slice_find((cn_slice){text, len}, '\n');
    return cn_why_set(
        why, CN_ERR_BUSY, "the store %s is in use by %.*s", s->dir, (int)len, (const char *)text);
}

cn_err cn_store_take_lock(cn_store *s, cn_why *why)
{
    cn_store_path path;
    cn_err err = CN_OK;
    const char *holder = s->options.holder == NULL ? "" : s->options.holder;
    cn_slice text[] = {cn_slice_head(cn_str(holder), CN_STORE_HOLDER_MAX_BYTES), cn_str("\n")};
    unsigned flags = CN_FILE_READ | CN_FILE_WRITE | CN_FILE_CREATE;
    CN_TRY(cn_file_open(s->rt, cn_store_file(s, path, "lock"), flags, &s->lock_file, why));
    err = cn_file_lock(s->rt, s->lock_file);
    if (err == CN_ERR_BUSY) {
        return tell_holder(s, why);
    }
    CN_TRY(err);
    /* who holds it is a courtesy: on a full disk it stays unsaid */
    if (cn_file_truncate(s->rt, s->lock_file, 0) == CN_OK) {
        (void)!cn_file_write_at(s->rt, s->lock_file, 0, text, CN_LEN(text));
    }
out:
    return err;
}

/* Others may be asking for the figures: at open nobody is, after a collection they are. */
static void set_reserve(cn_store *s, uint64_t bytes)
{
    cn_lock_take(s->lock);
    s->reserve_bytes = bytes;
    cn_lock_give(s->lock);
}

/* How large it should be: on a small disk an eighth of what is ours or free, which is two segments.
 */
static uint64_t reserve_wanted(const cn_store *s, uint64_t room)
{
    uint64_t most = (room + s->segment_bytes) / 8;
    return s->options.reserve_bytes == UINT64_MAX ? 0 : CN_MIN(s->options.reserve_bytes, most);
}

void cn_store_make_reserve(cn_store *s)
{
    cn_store_path path;
    cn_file *f = NULL;
    uint64_t size = 0;
    uint64_t room = 0;
    cn_slice magic = cn_str("cairn-reserve 1\n");
    uint64_t want = 0;
    if (s->options.reserve_bytes == UINT64_MAX ||
        cn_path_free_bytes(s->rt, s->dir, &room) != CN_OK) {
        return;
    }
    want = reserve_wanted(s, room);
    (void)cn_store_file(s, path, "reserve");
    unsigned flags = CN_FILE_READ | CN_FILE_WRITE;
    if (cn_file_open(s->rt, path, flags, &f, NULL) == CN_OK &&
        cn_file_size(s->rt, f, &size) == CN_OK && size >= want) {
        set_reserve(s, size);
        cn_file_close(s->rt, f);
        return;
    }
    cn_file_close(s->rt, f);
    f = NULL;
    /* only where it does not take the last that is left */
    if (room / 2 < want || want == 0) {
        return;
    }
    if (cn_file_open(s->rt, path, flags | CN_FILE_CREATE, &f, NULL) == CN_OK) {
        if (cn_file_allocate(s->rt, f, want) == CN_OK &&
            cn_file_write_at(s->rt, f, 0, &magic, 1) == CN_OK) {
            set_reserve(s, want);
        } else {
            (void)!cn_path_unlink(s->rt, path);
        }
        cn_file_close(s->rt, f);
    }
}

cn_err cn_store_leave_reserve(cn_store *s, uint64_t more, cn_why *why)
{
    uint64_t room = 0;
    cn_lock_take(s->lock);
    bool held = s->reserve_bytes != 0 || s->options.reserve_bytes == UINT64_MAX;
    uint64_t want = reserve_wanted(s, 0);
    cn_lock_give(s->lock);
    if (held || cn_path_free_bytes(s->rt, s->dir, &room) != CN_OK) {
        return CN_OK;
    }
    want = CN_MIN(s->options.reserve_bytes, want + room / 8);
    if (room >= want + more) {
        return CN_OK;
    }
    return cn_why_set(
        why, CN_ERR_NO_SPACE,
        "no space left on the disk of %s but the %llu bytes that are kept for removing blocks: "
        "remove pins and run 'cairn repo gc', or make room on the disk",
        s->dir, (unsigned long long)want);
}

bool cn_store_relieve(cn_store *s)
{
    cn_store_path path;
    if (cn_path_unlink(s->rt, cn_store_file(s, path, "reserve")) != CN_OK) {
        return false;
    }
    set_reserve(s, 0);
    return true;
}
