/* The life of a call, over a double of its host and of its sink: what is written, said and told. */
#include "cmd/call.h"
#include "cmd/table.h"
#include "lib/test.h"
#include "rt_os/rt_os.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 8 };

/* A sink that keeps all it is given. */
typedef struct kept {
    cn_sink sink;
    cn_buf out;
    cn_err write_err; /* what a write answers */
    cn_sink_head head;
    cn_err end_err;
    char sentence[2048];
    int status;
    int begins;
    int ends;
} kept;

static cn_err keep_begin(cn_sink *s, const cn_sink_head *head)
{
    kept *k = (kept *)s;
    k->begins++;
    k->head = *head;
    return CN_OK;
}

static cn_err keep_write(cn_sink *s, cn_slice bytes)
{
    kept *k = (kept *)s;
    return k->write_err != CN_OK ? k->write_err : cn_buf_append(&k->out, bytes);
}

static cn_err keep_flush(cn_sink *s)
{
    CN_UNUSED(s);
    return CN_OK;
}

static void keep_end(cn_sink *s, const cn_sink_end *end, bool begun)
{
    kept *k = (kept *)s;
    k->ends++;
    k->end_err = end->err;
    k->status = end->status;
    CHECK_EQ(begun, k->begins == 1);
    (void)snprintf(
        k->sentence, sizeof k->sentence, "%s", end->sentence == NULL ? "" : end->sentence);
}

static const cn_sink_ops keep_ops = {
    .begin = keep_begin, .write = keep_write, .flush = keep_flush, .end = keep_end};

/* A host whose repo cannot be opened. */
static cn_err no_node(cn_call_host *h, struct cn_node **ret, cn_why *why)
{
    CN_UNUSED(h);
    CN_UNUSED(ret);
    return cn_why_set(why, CN_ERR_BUSY, "the double has no node");
}

static cn_err no_shutdown(cn_call_host *h, cn_why *why)
{
    CN_UNUSED(h);
    return cn_why_set(why, CN_ERR_USAGE, "daemon not running");
}

static const cn_call_host_ops host_ops = {.node = no_node, .shutdown = no_shutdown};

/* One line of words, from the words to the end of its call. */
typedef struct run {
    cn_call_host host;
    kept kept;
    cn_request request;
    atomic_bool cancel;
    cn_err err;
} run;

static void run_init(run *r)
{
    *r = (run){.host = {.ops = &host_ops, .mem = cn_mem_default(), .program = "ipfs", .pid = 7}};
    r->host.is_cli = true;
    r->kept.sink.ops = &keep_ops;
    cn_buf_init(&r->kept.out, r->host.mem, 1 << 20);
    CHECK_OK(cn_rt_os_new(1, &r->host.rt));
    cn_request_init(&r->request, r->host.mem);
}

static void run_release(run *r)
{
    cn_request_release(&r->request);
    cn_buf_release(&r->kept.out);
    cn_rt_os_free(r->host.rt);
}

/* `words`: NULL behind the last. Fills r->kept and r->err. */
static void run_words(run *r, const char *const *words)
{
    cn_why why = {{0}};
    cn_call *call = NULL;
    size_t len = 0;
    while (words[len] != NULL) {
        len++;
    }
    CHECK_OK(cn_request_from_words(&r->request, words, len, &why));
    CHECK_OK(cn_request_bind(&r->request, &why));
    const cn_call_parts parts = {
        .request = &r->request, .sink = &r->kept.sink, .cancel = &r->cancel};
    r->err = cn_call_new(&r->host, &parts, &call, &why);
    if (r->err != CN_OK) {
        (void)snprintf(r->kept.sentence, sizeof r->kept.sentence, "%s", why.text);
        return;
    }
    r->err = cn_call_prepare(call);
    r->err = r->err == CN_OK ? cn_call_run(call) : cn_call_end(call, r->err);
    CHECK_EQ(cn_call_pid(call), 7);
    CHECK_EQ(r->kept.ends, 1);
    cn_call_free(call);
}

typedef struct call_case {
    const char *words[WORDS_MAX];
    cn_err err;
    int status;
    const char *out;
    const char *sentence;
} call_case;

static const call_case cases[] = {
    {{"version", "-n"}, CN_OK, 0, "0.43.0\n", ""},
    {{"multibase", "encode", "--enc=nosuch"}, CN_ERR_USAGE, 1, "", "invalid encoding: nosuch"},
    {{"version", "--enc=xml"},
     CN_ERR_UNSUPPORTED,
     1,
     "",
     "encoding xml is not supported: use --enc=json or --enc=text"},
    {{"cid", "base32", "QmPK1s3pNYLi9ERiq3BDxKa4XosgWwFRQUydHUtz4YgpqB"},
     CN_OK,
     0,
     "bafybeiaooby4lhptxfcu2hiyufjhbkrw2vhysydkk5w4milvpl6ujli5fy\n",
     ""},
    {{"pin", "ls"}, CN_ERR_BUSY, 1, "", "the double has no node"},
    {{"repo", "gc"}, CN_ERR_BUSY, 1, "", "the double has no node"},
    {{"repo", "stat"}, CN_ERR_BUSY, 1, "", "the double has no node"},
    {{"pin", "rm", "QmPK1s3pNYLi9ERiq3BDxKa4XosgWwFRQUydHUtz4YgpqB"},
     CN_ERR_BUSY,
     1,
     "",
     "the double has no node"},
    {{"config", "edit"}, CN_ERR_UNSUPPORTED, 1, "", "an editor cannot be started from here"},
    {{"files", "ls"}, CN_ERR_UNSUPPORTED, 1, "", "'files ls' is not built yet in cairn"},
    {{"pin", "ls", "--timeout=0s"}, CN_ERR_TIMEOUT, 1, "", "timed out"},
};

static void calls_end_as_they_should(void)
{
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        run r;
        run_init(&r);
        run_words(&r, cases[i].words);
        CHECK_ERR(r.err, cases[i].err);
        CHECK_ERR(r.kept.end_err, cases[i].err);
        CHECK_EQ(r.kept.status, cases[i].status);
        CHECK_STR(r.kept.sentence, cases[i].sentence);
        CHECK_BYTES(cn_buf_slice(&r.kept.out), cn_str(cases[i].out));
        run_release(&r);
    }
}

static void over_rpc_values_are_json(void)
{
    static const char *const words[] = {"cid", "codecs", NULL};
    run r;
    run_init(&r);
    r.host.is_cli = false;
    run_words(&r, words);
    CHECK_OK(r.err);
    CHECK_EQ(r.kept.head.encoding, CN_ENC_JSON);
    CHECK(r.kept.out.len > 2 && r.kept.out.data[0] == '[');
    CHECK_EQ(r.kept.out.data[r.kept.out.len - 1], '\n');
    run_release(&r);
}

static void a_call_that_is_cancelled_does_nothing(void)
{
    static const char *const words[] = {"repo", "gc", NULL};
    run r;
    run_init(&r);
    atomic_store(&r.cancel, true);
    run_words(&r, words);
    CHECK_ERR(r.err, CN_ERR_CANCELLED);
    CHECK_STR(r.kept.sentence, "canceled");
    CHECK_EQ(r.kept.begins, 0);
    run_release(&r);
}

static void a_reader_that_went_away_ends_it(void)
{
    static const char *const words[] = {"version", NULL};
    run r;
    run_init(&r);
    r.kept.write_err = CN_ERR_CLOSED;
    run_words(&r, words);
    CHECK_ERR(r.err, CN_ERR_CLOSED);
    CHECK_EQ(r.kept.status, 1);
    run_release(&r);
}

static void a_bad_timeout_makes_no_call(void)
{
    static const char *const words[] = {"version", "--timeout=x", NULL};
    run r;
    run_init(&r);
    run_words(&r, words);
    CHECK_ERR(r.err, CN_ERR_USAGE);
    CHECK(strstr(r.kept.sentence, "invalid duration \"x\"") != NULL);
    CHECK_EQ(r.kept.ends, 0);
    run_release(&r);
}

int main(void)
{
    TEST(calls_end_as_they_should);
    TEST(over_rpc_values_are_json);
    TEST(a_call_that_is_cancelled_does_nothing);
    TEST(a_reader_that_went_away_ends_it);
    TEST(a_bad_timeout_makes_no_call);
    return test_end();
}
