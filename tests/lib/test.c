/*
 * Counting, printing and the helpers of test.h. Single-threaded.
 */
#include "lib/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIXTURE_MAX_BYTES = 64 << 20, HEX_MAX_BYTES = 4096, HEX_TURNS = 8, PATH_BYTES = 4096 };

static int passed, failed, skipped;
static bool running_failed, running_skipped;
static int running_prints; /* failed checks of the running test that were printed */
static char temp_dir[64];

void test_run(const char *name, void (*function)(void))
{
    running_failed = false;
    running_skipped = false;
    running_prints = 0;
    function();
    if (running_failed) {
        failed++;
        printf("FAILED %s\n", name);
    } else if (running_skipped) {
        skipped++;
    } else {
        passed++;
    }
    (void)fflush(stdout);
}

void test_skip(const char *sentence)
{
    const char *ci = getenv("CI");
    printf("skipped: %s\n", sentence);
    if (ci != NULL && strcmp(ci, "true") == 0) {
        running_failed = true;
    } else {
        running_skipped = true;
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    CN_UNUSED(st);
    CN_UNUSED(flag);
    CN_UNUSED(ftw);
    return remove(path);
}

static void remove_temp_dir(void)
{
    if (temp_dir[0] != '\0') {
        (void)nftw(temp_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        temp_dir[0] = '\0';
    }
}

int test_end(void)
{
    remove_temp_dir();
    if (skipped > 0) {
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    } else {
        printf("%d passed, %d failed\n", passed, failed);
    }
    return failed != 0;
}

/* A check has failed: is it among the first of its test, whose details are printed? */
static bool note_failure(void)
{
    enum { PRINTS_MAX = 10 };
    running_failed = true;
    if (running_prints++ == PRINTS_MAX) {
        printf("more checks failed\n");
    }
    return running_prints <= PRINTS_MAX;
}

bool test_check(bool good, const char *file, int line, const char *text)
{
    if (!good && note_failure()) {
        printf("%s:%d: not so: %s\n", file, line, text);
    }
    return good;
}

bool test_check_eq(
    long long a, long long b, const char *file, int line, const char *a_text, const char *b_text)
{
    if (a != b && note_failure()) {
        printf("%s:%d: %s is %lld, %s is %lld\n", file, line, a_text, a, b_text, b);
    }
    return a == b;
}

bool test_check_err(cn_err got, cn_err expected, const char *file, int line, const char *text)
{
    if (got != expected && note_failure()) {
        printf(
            "%s:%d: %s gives %s, expected %s\n", file, line, text, cn_err_name(got),
            cn_err_name(expected));
    }
    return got == expected;
}

bool test_check_str(
    const char *a,
    const char *b,
    const char *file,
    int line,
    const char *a_text,
    const char *b_text)
{
    bool same = a != NULL && b != NULL && strcmp(a, b) == 0;
    if (!same && note_failure()) {
        printf("%s:%d: %s is\n  \"%s\"\n", file, line, a_text, a == NULL ? "(null)" : a);
        printf("  %s is\n  \"%s\"\n", b_text, b == NULL ? "(null)" : b);
    }
    return same;
}

static void print_bytes(const char *text, cn_slice s)
{
    printf("  %s, %zu bytes: ", text, s.len);
    for (size_t i = 0; i < s.len && i < 64; i++) {
        printf("%02x", s.data[i]);
    }
    printf(s.len > 64 ? "...\n" : "\n");
}

bool test_check_bytes(
    cn_slice a, cn_slice b, const char *file, int line, const char *a_text, const char *b_text)
{
    bool same = cn_slice_eq(a, b);
    if (!same && note_failure()) {
        printf("%s:%d: bytes differ\n", file, line);
        print_bytes(a_text, a);
        print_bytes(b_text, b);
    }
    return same;
}

const char *test_fixture_dir(void)
{
    static char dir[PATH_BYTES];
    const char *given = getenv("CAIRN_FIXTURES");
    (void)snprintf(dir, sizeof dir, "%s", given != NULL ? given : CAIRN_FIXTURES_DEFAULT);
    if (access(dir, R_OK | X_OK) != 0) {
        test_skip("the folder shared/fixtures does not lie beside the checkout");
        return NULL;
    }
    return dir;
}

bool test_fixture(const char *name, cn_buf *ret)
{
    cn_buf_init(ret, cn_mem_default(), FIXTURE_MAX_BYTES);
    const char *dir = test_fixture_dir();
    if (dir == NULL) {
        return false;
    }
    static char path[2 * PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!test_check(f != NULL, path, 0, "the fixture can be opened")) {
        return false;
    }
    static uint8_t piece[65536];
    size_t n = 0;
    bool good = true;
    while (good && (n = fread(piece, 1, sizeof piece, f)) > 0) {
        good = cn_buf_append(ret, (cn_slice){piece, n}) == CN_OK;
    }
    (void)fclose(f);
    return test_check(good, path, 0, "the fixture fits into memory");
}

const char *test_temp_dir(void)
{
    static char sub[80];
    static int count;
    if (temp_dir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        (void)snprintf(
            temp_dir, sizeof temp_dir, "%.40s/cairn-test-XXXXXX", base == NULL ? "/tmp" : base);
        if (mkdtemp(temp_dir) == NULL) {
            perror("mkdtemp");
            exit(1);
        }
        (void)atexit(remove_temp_dir);
    }
    (void)snprintf(sub, sizeof sub, "%s/%d", temp_dir, count++);
    if (mkdir(sub, 0700) != 0) {
        perror("mkdir");
        exit(1);
    }
    return sub;
}

static uint8_t hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c | 0x20);
    CN_ASSERT(at != NULL && c != '\0');
    return (uint8_t)(at - digits);
}

cn_slice test_hex(const char *hex)
{
    static uint8_t turns[HEX_TURNS][HEX_MAX_BYTES];
    static size_t turn;
    uint8_t *bytes = turns[turn++ % HEX_TURNS];
    size_t len = strlen(hex) / 2;
    CN_ASSERT(len <= HEX_MAX_BYTES);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    }
    return (cn_slice){bytes, len};
}

void test_out_of_memory(cn_err (*attempt)(cn_mem *mem))
{
    enum { TRIES_MAX = 100000 };
    cn_mem mem;
    cn_mem_init(&mem, 0);
    for (long long n = 1; n <= TRIES_MAX; n++) {
        atomic_store(&mem.fail_after, n);
        cn_err err = attempt(&mem);
        bool used = atomic_load(&mem.fail_after) == 0;
        atomic_store(&mem.fail_after, 0);
        CHECK_EQ(atomic_load(&mem.used_bytes), 0);
        if (!used) {
            CHECK_OK(err);
            return;
        }
        if (!CHECK_ERR(err, CN_ERR_NO_MEMORY)) {
            printf("  at allocation %lld\n", n);
            return;
        }
    }
    FAIL("the attempt does not end within the bound of tries");
}
