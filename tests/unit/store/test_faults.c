/*
 * A script of puts, flushes, removals, pins and a collection runs with the n-th operation of a kind
 * failing, for n = 1, 2, 3, ... until none fails any more. Whatever happens, opening again works
 * and what was acknowledged is so. The same with the power cut at each operation.
 */
#include "lib/fault_rt.h"
#include "store/gc.h"
#include "store/pin.h"
#include "unit/store/store_lib.h"

#include <unistd.h>

enum { BLOCKS = 700, BLOCK = 4096, N_MAX = 3000, STEPS = 60 };

typedef enum state {
    NOT_PUT,
    UNKNOWN, /* begun, not acknowledged */
    PUT,     /* survives a kill */
    FLUSHED, /* survives a power cut */
    REMOVED,
} state;

static state states[BLOCKS];
static bool pinned;
static cn_rt *world;

/* One sentence, not empty, where something failed. */
static bool good(cn_err err, const cn_why *why)
{
    if (err != CN_OK && !CHECK(why->text[0] != '\0')) {
        printf("  %s without a sentence\n", cn_err_name(err));
    }
    return err == CN_OK;
}

static void put(cn_store *s, unsigned n)
{
    cn_why why = {0};
    cn_cid cid;
    cn_slice data = block_of(n, BLOCK, &cid);
    if (states[n] != FLUSHED) {
        states[n] = UNKNOWN;
    }
    if (good(cn_blocks_put(cn_store_blocks(s), &cid, data, &why), &why) && states[n] != FLUSHED) {
        states[n] = PUT;
    }
}

static void flush(cn_store *s)
{
    cn_why why = {0};
    if (good(cn_store_flush(s, &why), &why)) {
        for (unsigned n = 0; n < BLOCKS; n++) {
            states[n] = states[n] == PUT ? FLUSHED : states[n];
        }
    }
}

static void remove_one(cn_store *s, unsigned n)
{
    cn_why why = {0};
    cn_cid cid;
    (void)block_of(n, BLOCK, &cid);
    states[n] = UNKNOWN;
    cn_err err = cn_store_delete(s, &cid, &why);
    if (err == CN_ERR_NOT_FOUND || good(err, &why)) {
        states[n] = REMOVED;
    }
}

static void pin(cn_store *s)
{
    cn_pins *p = NULL;
    cn_cid cid;
    (void)block_of(0, BLOCK, &cid);
    cn_why why = {0};
    if (!good(cn_pins_open(s, &p, &why), &why)) {
        return;
    }
    pinned = good(cn_pins_set(p, &cid, CN_PIN_RECURSIVE, cn_str("n"), &why), &why) || pinned;
    cn_pins_close(p);
}

static void collect(cn_store *s)
{
    cn_gc *g = NULL;
    bool done = false;
    cn_cid cid;
    cn_why why = {0};
    if (!good(cn_gc_new(s, &g, &why), &why)) {
        return;
    }
    for (unsigned n = 0; n < BLOCKS; n++) {
        (void)block_of(n, BLOCK, &cid);
        if (n % 3 == 0 && cn_gc_mark(g, &cid, NULL) == CN_OK) {
            continue;
        }
        states[n] = states[n] == NOT_PUT || states[n] == REMOVED ? states[n] : UNKNOWN;
    }
    for (unsigned i = 0; i < STEPS && !done; i++) {
        if (!good(cn_gc_sweep(g, NULL, NULL, &done, &why), &why)) {
            break;
        }
    }
    cn_gc_free(g);
}

static void play(const char *dir)
{
    cn_store *s = NULL;
    cn_why why = {0};
    cn_store_options options = options_for(dir);
    options.group_bytes = 256 << 10;
    options.rt = world;
    for (unsigned round = 0; round < 2; round++) {
        if (!good(cn_store_open(&options, &s, &why), &why)) {
            continue;
        }
        for (unsigned n = round * 300; n < round * 300 + 400; n++) {
            put(s, n);
        }
        flush(s);
        for (unsigned n = round * 300; n < round * 300 + 20; n++) {
            remove_one(s, n + 30);
            put(s, n + 35); /* one that is there, and one that may just have gone */
        }
        pin(s);
        collect(s);
        put(s, BLOCKS - 1 - round);
        cn_store_close(s);
        s = NULL;
    }
}

/* `cut`: the power was gone, so only what was flushed counts. */
static bool check(const char *dir, bool cut)
{
    cn_store *s = open_store(dir);
    bool all = true;
    for (unsigned n = 0; n < BLOCKS && all; n++) {
        cn_err err = get_block(s, n, BLOCK);
        bool there = states[n] == FLUSHED || (states[n] == PUT && !cut);
        bool gone = states[n] == NOT_PUT || states[n] == REMOVED;
        all = CHECK(
            there  ? err == CN_OK
            : gone ? err == CN_ERR_NOT_FOUND
                   : err == CN_OK || err == CN_ERR_NOT_FOUND);
        if (!all) {
            printf("  block %u, state %d: %s\n", n, (int)states[n], cn_err_name(err));
        }
    }
    cn_pins *p = NULL;
    cn_pin found;
    cn_cid cid;
    (void)block_of(0, BLOCK, &cid);
    if (all && CHECK_OK(cn_pins_open(s, &p, NULL))) {
        all = !pinned || CHECK_OK(cn_pins_get(p, &cid, CN_PIN_RECURSIVE, &found, NULL));
        cn_pins_close(p);
    }
    all = CHECK_OK(cn_store_flush(s, NULL)) && CHECK_OK(put_block(s, 100000, BLOCK)) && all;
    cn_store_close(s);
    return all;
}

static void empty_dir(const char *dir)
{
    static const char *const tails[] = {".car", ".map", ".del", ".map.new"};
    static const char *const others[] = {"index.mdb",     "index.mdb-lock", "pins.mdb",
                                         "pins.mdb-lock", "reserve",        "lock"};
    for (size_t i = 0; i < CN_LEN(others); i++) {
        (void)unlink(file_in(dir, others[i]));
    }
    for (unsigned n = 1; n < 40; n++) {
        for (size_t i = 0; i < CN_LEN(tails); i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%010u%s", n, tails[i]);
            (void)unlink(file_in(dir, name));
        }
    }
    for (unsigned n = 0; n < BLOCKS; n++) {
        states[n] = NOT_PUT;
    }
    pinned = false;
}

static void each_operation(fault_kind kind, cn_err err, unsigned step)
{
    const char *dir = fresh_dir();
    unsigned n = 1;
    for (; n < N_MAX; n += n < 40 ? 1 : step) {
        empty_dir(dir);
        fault_rt_set(world, kind, n, err, false);
        play(dir);
        bool fired = fault_rt_fired(world);
        fault_rt_set(world, kind, 0, CN_OK, false);
        if (!check(dir, false)) {
            printf("  %s number %u failing with %s\n", fault_name(kind), n, cn_err_name(err));
            return;
        }
        if (!fired) {
            return;
        }
    }
}

#define EACH(name, kind, err, step)                                                                \
    static void name(void)                                                                         \
    {                                                                                              \
        each_operation(kind, err, step);                                                           \
    }

EACH(a_read_fails, FAULT_READ, CN_ERR_IO, 61)
EACH(a_write_fails, FAULT_WRITE, CN_ERR_IO, 47)
EACH(a_write_finds_no_space, FAULT_WRITE, CN_ERR_NO_SPACE, 47)
EACH(a_sync_fails, FAULT_SYNC, CN_ERR_IO, 1)
EACH(a_sync_finds_no_space, FAULT_SYNC, CN_ERR_NO_SPACE, 1)
EACH(a_truncation_fails, FAULT_TRUNCATE, CN_ERR_IO, 1)
EACH(a_renaming_fails, FAULT_RENAME, CN_ERR_IO, 1)
EACH(an_unlinking_fails, FAULT_UNLINK, CN_ERR_IO, 1)
EACH(a_mkdir_fails, FAULT_MKDIR, CN_ERR_PERMISSION, 1)
EACH(a_folder_sync_fails, FAULT_DIR_SYNC, CN_ERR_IO, 1)
EACH(an_opening_fails, FAULT_OPEN, CN_ERR_IO, 1)
EACH(an_allocation_fails, FAULT_ALLOCATE, CN_ERR_NO_SPACE, 1)

/* Writing fails for good once so much room is used up; with room again all is well. */
static void the_disk_fills(void)
{
    const char *dir = fresh_dir();
    for (uint64_t room = 0; room < 6 << 20; room += 377 << 10) {
        empty_dir(dir);
        fault_rt_room(world, room);
        play(dir);
        fault_rt_room(world, UINT64_MAX);
        if (!check(dir, false)) {
            printf("  with room for %llu bytes\n", (unsigned long long)room);
            return;
        }
    }
}

static void the_power_is_cut(void)
{
    const char *dir = fresh_dir();
    for (unsigned n = 3; n < N_MAX; n += n < 20 ? 3 : 23) {
        empty_dir(dir);
        fault_rt_remember(world);
        fault_rt_set(world, FAULT_ANY, n, CN_ERR_IO, true);
        play(dir);
        bool fired = fault_rt_fired(world);
        fault_rt_power_cut(world, n);
        if (!check(dir, true)) {
            printf("  power cut at operation %u\n", n);
            return;
        }
        if (!fired) {
            return;
        }
    }
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    world = fault_rt_new(rt);
    TEST(a_read_fails);
    TEST(a_write_fails);
    TEST(a_write_finds_no_space);
    TEST(a_sync_fails);
    TEST(a_sync_finds_no_space);
    TEST(a_truncation_fails);
    TEST(a_renaming_fails);
    TEST(an_unlinking_fails);
    TEST(a_mkdir_fails);
    TEST(a_folder_sync_fails);
    TEST(an_opening_fails);
    TEST(an_allocation_fails);
    TEST(the_disk_fills);
    TEST(the_power_is_cut);
    fault_rt_free(world);
    cn_rt_os_free(rt);
    return test_end();
}
