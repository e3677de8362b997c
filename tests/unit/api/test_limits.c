/*
 * The public C API at its limits: cancelled, out of time, out of memory. Only the memory that fails
 * on purpose is reached past the API.
 */
#include "lib/api.h"
#include "rt_os/rt_os.h"

static void a_cancelled_handle_ends_every_call(void)
{
    cairn_repo *r = fresh_repo();
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    const cairn_result gone = CAIRN_ERROR_CANCELLED;
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(MIB + 5);
    cairn_reader *reader = NULL;
    cairn_repo *other = NULL;
    const void *lent = NULL;
    void *data = NULL;
    size_t len = 0;
    add(r, &g, cid);
    wait.cancel = cairn_cancel_new();
    CHECK_EQ(cairn_cat(r, cid, NULL, &wait, &reader, &said), CAIRN_OK);
    cairn_cancel_now(wait.cancel);
    CHECK_SAYS(cairn_reader_next(reader, &lent, &len, &said), gone, "cancelled");
    CHECK_SAYS(cairn_reader_next(reader, &lent, &len, &said), gone, "failed before");
    cairn_reader_close(reader);
    g.at = 0;
    g.calls = 0;
    CHECK_SAYS(cairn_add(r, NULL, give, &g, &wait, cid, &said), gone, "cancelled");
    CHECK_EQ(g.calls, 0);
    CHECK_SAYS(cairn_add_path(r, NULL, "/", &wait, cid, &said), gone, "cancelled");
    CHECK_SAYS(cairn_resolve(r, cid, &wait, cid, &said), gone, "cancelled");
    CHECK_SAYS(cairn_block_get(r, cid, &wait, &data, &len, &said), gone, "cancelled");
    CHECK_SAYS(cairn_cat(r, cid, NULL, &wait, &reader, &said), gone, "cancelled");
    CHECK_SAYS(cairn_repo_open(NULL, &wait, &other, &said), gone, "cancelled");
    cairn_cancel_free(wait.cancel);
    wait.cancel = cairn_cancel_new();
    g.at = 0;
    g.calls = 0;
    g.cancel = wait.cancel; /* in the middle */
    g.step = 1000;
    CHECK_SAYS(cairn_add(r, NULL, give, &g, &wait, cid, &said), gone, "cancelled");
    CHECK_EQ(g.calls, 2);
    cairn_cancel_free(wait.cancel);
    drop(&g);
    close_repo(r);
}

/* Another thread that cancels once `begun` is set. */
typedef struct canceller {
    cn_work work;
    cairn_cancel *cancel;
    atomic_bool begun;
} canceller;

static void cancel_soon(cn_work *w)
{
    canceller *c = (canceller *)w;
    while (!atomic_load(&c->begun)) {
    }
    cairn_cancel_now(c->cancel);
}

/* Never ends by itself. */
static cairn_result give_for_ever(void *ctx, void *data, size_t cap, size_t *ret_len)
{
    canceller *c = ctx;
    CN_UNUSED(cap);
    *(uint8_t *)data = 1;
    *ret_len = 1;
    atomic_store(&c->begun, true);
    return CAIRN_OK;
}

static void another_thread_cancels_an_add_and_a_wait_for_the_lock(void)
{
    char path[1024];
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    cairn_repo *twice = NULL;
    cn_rt *rt = NULL;
    canceller c = {.work = {.run = cancel_soon}};
    (void)snprintf(path, sizeof path, "%s", below(test_temp_dir(), "repo"));
    cairn_repo *r = open_repo(path);
    CHECK_OK(cn_rt_os_new(1, &rt));
    c.cancel = cairn_cancel_new();
    wait.cancel = c.cancel;
    cn_rt_work_submit(rt, &c.work);
    CHECK_SAYS(
        cairn_add(r, NULL, give_for_ever, &c, &wait, cid, &said), CAIRN_ERROR_CANCELLED,
        "cancelled");
    cn_rt_work_wait(rt, &c.work);
    cairn_cancel_free(c.cancel);
    c.cancel = cairn_cancel_new();
    wait.cancel = c.cancel;
    options.path = path;
    options.lock_wait_ns = INT64_MAX;
    cn_rt_work_submit(rt, &c.work); /* `begun` is set still: at once, or while we wait */
    CHECK_SAYS(cairn_repo_open(&options, &wait, &twice, &said), CAIRN_ERROR_CANCELLED, "cancelled");
    cn_rt_work_wait(rt, &c.work);
    cairn_cancel_free(c.cancel);
    cn_rt_os_free(rt);
    close_repo(r);
}

static void a_deadline_ends_what_waits(void)
{
    char path[1024];
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    cairn_repo *twice = NULL;
    canceller c = {.cancel = NULL};
    (void)snprintf(path, sizeof path, "%s", below(test_temp_dir(), "repo"));
    cairn_repo *r = open_repo(path);
    wait.timeout_ns = 100000000;
    CHECK_SAYS(
        cairn_add(r, NULL, give_for_ever, &c, &wait, cid, &said), CAIRN_ERROR_TIMEOUT, "limit");
    options.path = path;
    options.lock_wait_ns = INT64_MAX;
    CHECK_SAYS(cairn_repo_open(&options, &wait, &twice, &said), CAIRN_ERROR_TIMEOUT, "limit");
    options.lock_wait_ns = 60000000;
    CHECK_SAYS(cairn_repo_open(&options, NULL, &twice, &said), CAIRN_ERROR_BUSY, "in use");
    options.lock_wait_ns = -1;
    CHECK_SAYS(cairn_repo_open(&options, NULL, &twice, &said), CAIRN_ERROR_USE, "negative");
    close_repo(r);
}

static void after_a_timeout_a_reader_goes_on(void)
{
    cairn_repo *r = fresh_repo();
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    cairn_reader *reader = NULL;
    given g = bytes_of(3 * MIB);
    cn_buf out;
    size_t late = 0;
    bool over = false;
    cn_buf_init(&out, cn_mem_default(), 4 * MIB);
    add(r, &g, cid);
    wait.timeout_ns = 1000000000;
    CHECK_EQ(cairn_cat(r, cid, NULL, &wait, &reader, &said), CAIRN_OK);
    cairn_reader_close(reader);
    reader = NULL;
    wait.timeout_ns = 1; /* nothing is so quick */
    CHECK_SAYS(cairn_cat(r, cid, NULL, &wait, &reader, &said), CAIRN_ERROR_TIMEOUT, "limit");
    wait.timeout_ns = 20000; /* sometimes enough, sometimes not */
    for (int i = 0; i < 100000 && reader == NULL; i++) {
        (void)cairn_cat(r, cid, NULL, &wait, &reader, NULL);
    }
    for (int i = 0; i < 100000 && reader != NULL && !over; i++) {
        const void *data = NULL;
        size_t len = 0;
        cairn_result result = cairn_reader_next(reader, &data, &len, NULL);
        late += result == CAIRN_ERROR_TIMEOUT;
        CHECK(result == CAIRN_OK || result == CAIRN_ERROR_TIMEOUT);
        CHECK_OK(cn_buf_append(&out, cn_slice_of(data, len)));
        over = result == CAIRN_OK && len == 0;
    }
    if (over) {
        CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(g.data, g.len));
    } else {
        CHECK(late > 0); /* a slow machine: but every answer was a timeout or right */
    }
    cairn_reader_close(reader);
    cn_buf_release(&out);
    drop(&g);
    close_repo(r);
}

/* Open or make a repo, add a file, resolve, get its block, read it back, close. */
static cairn_result whole_round(const char *path, given *g)
{
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    cairn_repo *r = NULL;
    cairn_reader *reader = NULL;
    void *block = NULL;
    const void *data = NULL;
    size_t len = 1;
    size_t total = 0;
    options.path = path;
    options.create = 1;
    g->at = 0;
    cairn_result result = cairn_repo_open(&options, NULL, &r, &said);
    if (result == CAIRN_OK) {
        result = cairn_add(r, NULL, give, g, NULL, cid, &said);
    }
    if (result == CAIRN_OK) {
        result = cairn_resolve(r, cid, NULL, cid, &said);
    }
    if (result == CAIRN_OK) {
        result = cairn_block_get(r, cid, NULL, &block, &len, &said);
    }
    cairn_free(block);
    if (result == CAIRN_OK) {
        result = cairn_cat(r, cid, NULL, NULL, &reader, &said);
    }
    while (result == CAIRN_OK && len > 0) {
        result = cairn_reader_next(reader, &data, &len, &said);
        total += result == CAIRN_OK ? len : 0;
    }
    if (result == CAIRN_OK) {
        CHECK_EQ(total, g->len);
    }
    cairn_reader_close(reader);
    cairn_result closed = cairn_repo_close(r, NULL);
    return result == CAIRN_OK ? closed : result;
}

/*
 * Each allocation fails in turn. A failure may be made good (a cache that is left out, a block read
 * again), so a round is whole or says MEMORY; what it leaves on the disk must not hinder the next.
 */
static void out_of_memory_at_any_allocation(bool anew)
{
    cn_mem *mem = cn_mem_default();
    char dir[900];
    char path[1024];
    given g = bytes_of(2 * MIB + 100);
    size_t failures = 0;
    bool used = true;
    (void)snprintf(dir, sizeof dir, "%s", test_temp_dir());
    (void)snprintf(path, sizeof path, "%s", below(dir, "repo"));
    CHECK_EQ(whole_round(path, &g), CAIRN_OK);
    size_t before = atomic_load(&mem->used_bytes);
    for (long long n = 1; n < 5000 && used; n++) {
        if (anew) {
            (void)snprintf(path, sizeof path, "%s/%lld", dir, n);
        }
        atomic_store(&mem->fail_after, n);
        cairn_result result = whole_round(path, &g);
        used = atomic_load(&mem->fail_after) == 0;
        atomic_store(&mem->fail_after, 0);
        failures += result != CAIRN_OK;
        if (result != CAIRN_OK && !CHECK_EQ(result, CAIRN_ERROR_MEMORY)) {
            printf("  at allocation %lld: %s\n", n, said.text);
        }
        if (!CHECK_EQ(atomic_load(&mem->used_bytes), before)) {
            printf("  at allocation %lld\n", n);
            break;
        }
    }
    CHECK(!used);
    CHECK(failures > 10);
    CHECK_EQ(whole_round(path, &g), CAIRN_OK);
    drop(&g);
}

static void out_of_memory_in_a_repo_that_is_there(void)
{
    out_of_memory_at_any_allocation(false);
}

static void out_of_memory_while_a_repo_is_made(void)
{
    out_of_memory_at_any_allocation(true);
}

int main(void)
{
    TEST(a_cancelled_handle_ends_every_call);
    TEST(another_thread_cancels_an_add_and_a_wait_for_the_lock);
    TEST(a_deadline_ends_what_waits);
    TEST(after_a_timeout_a_reader_goes_on);
    TEST(out_of_memory_in_a_repo_that_is_there);
    TEST(out_of_memory_while_a_repo_is_made);
    return test_end();
}
