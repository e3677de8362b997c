/* Command lines: words in, command with arguments and options or Kubo's sentence out. */
#include "cmd/request.h"
#include "cmd/table.h"
#include "lib/test.h"

enum { WORDS_MAX = 16 };

typedef struct expectation {
    const char *line;    /* words, split at spaces */
    const char *path;    /* NULL: it fails */
    const char *outcome; /* arguments with "|" between, or the sentence */
    const char *option;  /* one that is set, or NULL */
    const char *value;
} expectation;

static const expectation lines[] = {
    {"", "", "", NULL, NULL},
    {"version", "version", "", NULL, NULL},
    {"nosuch", NULL, "Unknown Command \"nosuch\"\n", NULL, NULL},
    {"nosuch --help", NULL, "Unknown Command \"nosuch\"\n", NULL, NULL},
    {"vesion", NULL, "Unknown Command \"vesion\"\n\nDid you mean this?\n\n\tversion", NULL, NULL},
    {"--nope", NULL, "unknown option \"nope\"", NULL, NULL},
    {"-Z", NULL, "unknown option \"Z\"", NULL, NULL},
    {"cat --nope x", NULL, "unknown option \"nope\"", NULL, NULL},
    {"cat -oz x", NULL, "strconv.ParseInt: parsing \"z\": invalid syntax", NULL, NULL},
    {"cat -o", NULL, "missing argument for option \"o\"", NULL, NULL},
    {"cat --offset", NULL, "missing argument for option \"offset\"", NULL, NULL},
    {"cat --offset=", NULL, "strconv.ParseInt: parsing \"\": invalid syntax", NULL, NULL},
    {"cat --offset=0x", NULL, "strconv.ParseInt: parsing \"0x\": invalid syntax", NULL, NULL},
    {"cat --offset=99999999999999999999 x", NULL,
     "strconv.ParseInt: parsing \"99999999999999999999\": value out of range", NULL, NULL},
    {"cat --offset 0x10 x", "cat", "x", "offset", "0x10"},
    {"cat x -o3 y", "cat", "x|y", "offset", "3"},
    {"add --cid-version=99999999999 x", NULL,
     "strconv.ParseInt: parsing \"99999999999\": value out of range", NULL, NULL},
    {"add --mode=0999 x", NULL, "strconv.ParseUint: parsing \"0999\": invalid syntax", NULL, NULL},
    {"add --mode=-1 x", NULL, "strconv.ParseUint: parsing \"-1\": invalid syntax", NULL, NULL},
    {"add -r=MAYBE x", NULL, "strconv.ParseBool: parsing \"maybe\": invalid syntax", NULL, NULL},
    {"add -rz x", NULL, "unknown option \"rz\"", NULL, NULL},
    {"add -recursive x", NULL, "unknown option \"recursive\"", NULL, NULL},
    {"add -recursive=1 x", "add", "x", "recursive", "1"},
    {"add -r -r x", NULL, "multiple values for option \"recursive\"", NULL, NULL},
    {"add -r --recursive x", NULL, "multiple values for option \"recursive\"", NULL, NULL},
    {"add -r --r -Q x", "add", "x", "quieter", "true"},
    {"add --quie x", NULL, "unknown option \"quie\"", NULL, NULL},
    {"cat -o 1 -o 2 x", NULL, "multiple values for option \"offset\"", NULL, NULL},
    {"add --ignore a --ignore=b x", "add", "x", "ignore", "a"},
    {"version x", NULL, "expected 0 argument(s), got 1", NULL, NULL},
    {"version -- x", NULL, "expected 0 argument(s), got 1", NULL, NULL},
    {"-- add x", NULL, "expected 0 argument(s), got 2", NULL, NULL},
    {"add -- -x", "add", "-x", NULL, NULL},
    {"pin nosuch", NULL, "expected 0 argument(s), got 1", NULL, NULL},
    {"refs local", "refs/local", "", NULL, NULL},
    {"refs -r local", "refs/local", "", "recursive", "true"},
    {"version --enc json --encoding json", NULL, "multiple values for option \"encoding\"", NULL,
     NULL},
    {"--enc json version", "version", "", "encoding", "json"},
    {"version --timeout=", "version", "", "timeout", ""},
    {"cat", "cat", "", NULL, NULL},
    {"dag get --whatever=1 x", "dag/get", "x", NULL, NULL},
    {"config profile apply", NULL, "argument \"profile\" is required", NULL, NULL},
};

static size_t split(const char *line, char *held, const char **words)
{
    size_t len = 0;
    char *at = held;
    cn_copy(held, line, strlen(line) + 1);
    while (*at != '\0' && len < WORDS_MAX) {
        size_t n = strcspn(at, " ");
        words[len++] = at;
        at += n;
        if (*at == ' ') {
            *at++ = '\0';
        }
    }
    return len;
}

static void join(const cn_request *r, cn_buf *out)
{
    const cn_texts *lists[] = {&r->args, &r->files};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->len; i++) {
            CHECK_OK(cn_buf_text(out, out->len > 0 ? "|" : ""));
            CHECK_OK(cn_buf_append(out, lists[k]->items[i]));
        }
    }
}

static void check_line(const expectation *e)
{
    char held[256];
    const char *words[WORDS_MAX];
    const char *text = NULL;
    cn_why why = {{0}};
    cn_request r;
    cn_buf args;
    cn_request_init(&r, cn_mem_default());
    cn_buf_init(&args, cn_mem_default(), 1000);
    cn_err err = cn_request_from_words(&r, words, split(e->line, held, words), &why);
    if (err == CN_OK) {
        err = cn_request_bind(&r, &why);
    }
    CHECK_ERR(err, e->path == NULL ? CN_ERR_USAGE : CN_OK);
    if (err != CN_OK) {
        CHECK_STR(why.text, e->outcome);
    } else if (e->path != NULL) {
        CHECK_STR(r.command->path, e->path);
        join(&r, &args);
        CHECK_OK(cn_buf_cstr(&args, &text));
        CHECK_STR(text, e->outcome);
    }
    if (err == CN_OK && e->option != NULL) {
        const cn_given *g = cn_request_option(&r, e->option);
        CHECK(g != NULL);
        CHECK_STR(g == NULL ? "" : g->text, e->value);
    }
    cn_buf_release(&args);
    cn_request_release(&r);
}

static void lines_are_read_as_kubo_reads_them(void)
{
    for (size_t i = 0; i < CN_LEN(lines); i++) {
        check_line(&lines[i]);
    }
}

typedef struct query {
    const char *path;
    const char *query;
    bool files;
    cn_err err;
    const char *outcome;
} query;

static const query queries[] = {
    {"version", "", false, CN_OK, ""},
    {"version", "arg=x", false, CN_OK, "x"},
    {"nosuch", "", false, CN_ERR_NOT_FOUND, ""},
    {"pin", "", false, CN_ERR_NOT_FOUND, ""},
    {"pin/nosuch", "", false, CN_ERR_NOT_FOUND, ""},
    {"", "", false, CN_ERR_NOT_FOUND, ""},
    {"init", "", false, CN_ERR_NOT_FOUND, ""},
    {"cat", "arg=a%20b&arg=c+d&o=3", false, CN_OK, "a b|c d"},
    {"cat/Qm1", "", false, CN_OK, "Qm1"},
    {"cat", "", false, CN_ERR_USAGE, "argument \"ipfs-path\" is required"},
    {"cat", "", true, CN_OK, ""},
    {"cat", "arg=x&o=1&offset=2", false, CN_ERR_USAGE,
     "expected key offset to have only a single value, received [1 2]"},
    {"cat", "arg=x&offset=z", false, CN_ERR_USAGE,
     "could not convert value \"z\" to type \"int64\" (for option \"-offset\")"},
    {"cat", "arg=x&offset=", false, CN_ERR_USAGE,
     "could not convert empty value to type \"int64\" (for option \"-offset\")"},
    {"cat", "arg=x&unknown=1&%zz=2&a;b", false, CN_OK, "x"},
    {"add", "", false, CN_ERR_USAGE, "file argument 'path' is required"},
    {"add", "r=true", true, CN_OK, ""},
};

static void queries_are_read_as_kubo_reads_them(void)
{
    for (size_t i = 0; i < CN_LEN(queries); i++) {
        const query *q = &queries[i];
        const char *text = NULL;
        cn_why why = {{0}};
        cn_request r;
        cn_buf args;
        cn_request_init(&r, cn_mem_default());
        cn_buf_init(&args, cn_mem_default(), 1000);
        cn_err err = cn_request_from_query(&r, cn_str(q->path), cn_str(q->query), q->files, &why);
        CHECK_ERR(err, q->err);
        join(&r, &args);
        CHECK_OK(cn_buf_cstr(&args, &text));
        if (q->err != CN_ERR_NOT_FOUND) {
            CHECK_STR(err == CN_OK ? text : why.text, q->outcome);
        }
        cn_buf_release(&args);
        cn_request_release(&r);
    }
}

static void a_request_survives_the_way_to_the_daemon(void)
{
    static const char *const words[] = {"cat", "a b&c=%\xff", "-o", "7", "--offline", "d"};
    cn_request r;
    cn_request back;
    cn_buf url;
    cn_request_init(&r, cn_mem_default());
    cn_request_init(&back, cn_mem_default());
    cn_buf_init(&url, cn_mem_default(), 1000);
    CHECK_OK(cn_request_from_words(&r, words, CN_LEN(words), NULL));
    CHECK_OK(cn_request_bind(&r, NULL));
    CHECK_OK(cn_request_to_query(&r, CN_ENC_TEXT, &url));
    cn_slice all = cn_buf_slice(&url);
    size_t mark = cn_slice_find(all, '?');
    CHECK_OK(cn_request_from_query(
        &back, cn_slice_head(all, mark), cn_slice_skip(all, mark + 1), false, NULL));
    CHECK(back.command == r.command);
    CHECK_EQ(back.args.len, 2);
    CHECK_BYTES(back.args.items[0], cn_str("a b&c=%\xff"));
    CHECK_STR(cn_request_option(&back, "offset")->text, "7");
    CHECK(cn_request_option(&back, "offline") != NULL);
    CHECK_STR(cn_request_option(&back, "encoding")->text, "text");
    cn_buf_release(&url);
    cn_request_release(&r);
    cn_request_release(&back);
}

static cn_err parse_all(cn_mem *mem)
{
    static const char *const words[] = {"add", "--ignore", "x", "-r", "--pin=false", "a", "b"};
    cn_request r;
    cn_request_init(&r, mem);
    cn_err err = cn_request_from_words(&r, words, CN_LEN(words), NULL);
    if (err == CN_OK) {
        err = cn_request_bind(&r, NULL);
    }
    cn_request_release(&r);
    if (err == CN_OK) {
        err = cn_request_from_query(&r, cn_str("cat"), cn_str("arg=x&o=1"), false, NULL);
    }
    cn_request_release(&r);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(parse_all);
}

static void every_command_is_found_by_its_path_once(void)
{
    size_t position = 0;
    size_t len = 0;
    const cn_command *c = NULL;
    while ((c = cn_command_next(&position)) != NULL) {
        CHECK(cn_command_find(cn_str(c->path)) == c);
        CHECK(cn_command_parent(c) != NULL);
        len++;
    }
    CHECK_EQ(len, 210); /* Kubo's 211 lines without the root */
}

int main(void)
{
    TEST(lines_are_read_as_kubo_reads_them);
    TEST(queries_are_read_as_kubo_reads_them);
    TEST(a_request_survives_the_way_to_the_daemon);
    TEST(out_of_memory_leaves_nothing);
    TEST(every_command_is_found_by_its_path_once);
    return test_end();
}
