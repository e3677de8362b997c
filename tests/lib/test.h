/*
 * What a test program needs. A test file has static test functions, and a main that runs them:
 *
 *     int main(void)
 *     {
 *         TEST(empty_input_is_refused);
 *         return test_end();
 *     }
 *
 * Each TEST counts as one, passed if none of its checks failed. A failed check prints both sides
 * and goes on. The closing line is "N passed, N failed" (", N skipped" if any).
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

#define TEST(function) test_run(#function, function)

#define CHECK(condition) test_check((condition) ? true : false, __FILE__, __LINE__, #condition)
/* Fail the running test with a sentence. */
#define FAIL(sentence) test_check(false, __FILE__, __LINE__, sentence)
#define CHECK_EQ(a, b) test_check_eq((long long)(a), (long long)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_ERR(expression, expected)                                                            \
    test_check_err((expression), (expected), __FILE__, __LINE__, #expression)
#define CHECK_OK(expression) CHECK_ERR(expression, CN_OK)
#define CHECK_STR(a, b) test_check_str((a), (b), __FILE__, __LINE__, #a, #b)
#define CHECK_BYTES(a, b) test_check_bytes((a), (b), __FILE__, __LINE__, #a, #b)

void test_run(const char *name, void (*function)(void));
/* Mark the running test as skipped, with a sentence that says why. With CI=true it fails. */
void test_skip(const char *sentence);
/* Print the closing line; 0 if nothing failed. */
int test_end(void);

bool test_check(bool good, const char *file, int line, const char *text);
bool test_check_eq(
    long long a, long long b, const char *file, int line, const char *a_text, const char *b_text);
bool test_check_err(cn_err got, cn_err expected, const char *file, int line, const char *text);
bool test_check_str(
    const char *a,
    const char *b,
    const char *file,
    int line,
    const char *a_text,
    const char *b_text);
bool test_check_bytes(
    cn_slice a, cn_slice b, const char *file, int line, const char *a_text, const char *b_text);

/*
 * The bytes of a fixture, e.g. "cid-profiles/vectors.json", appended to `ret` (initialised here;
 * give back with cn_buf_release). Fixtures lie in the folder shared/fixtures beside the checkout,
 * or in $CAIRN_FIXTURES. False where that folder is missing: the running test is then marked
 * skipped and must return. A missing file in a folder that is there is a failure.
 */
bool test_fixture(const char *name, cn_buf *ret);
/* The folder itself (NUL-terminated, static), or NULL after marking the running test skipped. */
const char *test_fixture_dir(void);

/* A fresh empty folder for the running test (NUL-terminated, static until the next call), removed
 * with all it holds when the program ends. */
const char *test_temp_dir(void);

/* Bytes from text in hexadecimal, borrowed until the eighth next call. */
cn_slice test_hex(const char *hex);

/*
 * Run `attempt` with the default memory failing at allocation 1, 2, 3, ... until it succeeds
 * without a failure being used; each failed try must return CN_ERR_NO_MEMORY, and no try may leave
 * memory behind in `mem`.
 */
void test_out_of_memory(cn_err (*attempt)(cn_mem *mem));
