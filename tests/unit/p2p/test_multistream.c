/*
 * multistream-select: both ends, bytes cut anywhere, refusals, and what is no multistream.
 */
#include "lib/test.h"
#include "p2p/stack/multistream.h"

#define HEADER "\x13/multistream/1.0.0\n"

static const char *speaks_b(void *ctx, cn_slice name)
{
    CN_UNUSED(ctx);
    return cn_slice_is(name, "/b/1") ? "/b/1" : NULL;
}

static cn_buf new_buf(void)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), 1 << 16);
    return b;
}

static const char *const AB[] = {"/a/1", "/b/1"};

static void the_second_choice_is_agreed_on_byte_by_byte(void)
{
    cn_multistream o;
    cn_multistream r;
    cn_buf wires[2] = {new_buf(), new_buf()};
    size_t at[2] = {0, 0};
    CHECK_OK(cn_multistream_open(&o, cn_mem_default(), AB, 2, &wires[1]));
    CHECK_BYTES(cn_buf_slice(&wires[1]), cn_str(HEADER "\x05/a/1\n"));
    cn_multistream_answer(&r, cn_mem_default(), speaks_b, NULL);
    while (!o.is_done || !r.is_done) {
        size_t before = at[0] + at[1];
        for (int i = 0; i < 2; i++) {
            if (at[i] < wires[i].len) {
                cn_slice one = cn_slice_of(wires[i].data + at[i]++, 1);
                CHECK_OK(cn_multistream_take(i == 0 ? &o : &r, &one, &wires[1 - i], NULL));
                CHECK_EQ(one.len, 0);
            }
        }
        if (!CHECK(at[0] + at[1] > before)) {
            break;
        }
    }
    CHECK_STR(o.chosen, "/b/1");
    CHECK_STR(r.chosen, "/b/1");
    CHECK_BYTES(cn_buf_slice(&wires[0]), cn_str(HEADER "\x03na\n\x05/b/1\n"));
    for (int i = 0; i < 2; i++) {
        cn_buf_release(&wires[i]);
    }
    cn_multistream_release(&o);
    cn_multistream_release(&r);
}

static void what_follows_is_left_alone(void)
{
    cn_multistream r;
    cn_buf out = new_buf();
    cn_slice in = cn_str(HEADER "\x05/b/1\nfirst bytes");
    cn_multistream_answer(&r, cn_mem_default(), speaks_b, NULL);
    CHECK_OK(cn_multistream_take(&r, &in, &out, NULL));
    CHECK(r.is_done);
    CHECK_BYTES(in, cn_str("first bytes"));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(HEADER "\x05/b/1\n"));
    cn_buf_release(&out);
    cn_multistream_release(&r);
}

/* Names, and one whose length takes two bytes, cut in two at every place. */
static void two_pieces_are_as_good_as_one(void)
{
    cn_buf all = new_buf();
    CHECK_OK(cn_buf_text(&all, HEADER "\xc8\x01"));
    for (int i = 0; i < 199; i++) {
        CHECK_OK(cn_buf_byte(&all, 'x'));
    }
    CHECK_OK(cn_buf_text(&all, "\n\x05/b/1\nfirst bytes"));
    for (size_t cut = 0; cut <= all.len; cut++) {
        cn_multistream r;
        cn_buf out = new_buf();
        cn_slice in = cn_slice_head(cn_buf_slice(&all), cut);
        cn_multistream_answer(&r, cn_mem_default(), speaks_b, NULL);
        CHECK_OK(cn_multistream_take(&r, &in, &out, NULL));
        size_t left = in.len;
        in = cn_slice_skip(cn_buf_slice(&all), cut - left);
        CHECK_OK(cn_multistream_take(&r, &in, &out, NULL));
        CHECK_STR(r.chosen, "/b/1");
        CHECK_BYTES(in, cn_str("first bytes"));
        CHECK_BYTES(cn_buf_slice(&out), cn_str(HEADER "\x03na\n\x05/b/1\n"));
        cn_buf_release(&out);
        cn_multistream_release(&r);
    }
    cn_buf_release(&all);
}

static cn_err answer(const char *bytes, size_t len)
{
    cn_multistream r;
    cn_buf out = new_buf();
    cn_slice in = cn_slice_of(bytes, len);
    cn_multistream_answer(&r, cn_mem_default(), speaks_b, NULL);
    cn_err err = cn_multistream_take(&r, &in, &out, NULL);
    cn_buf_release(&out);
    cn_multistream_release(&r);
    return err;
}

static void what_is_no_multistream_is_refused(void)
{
    CHECK_ERR(answer("GET / HTTP/1.1\r\n", 16), CN_OK); /* 71 bytes awaited: too few to tell */
    CHECK_ERR(answer("\0", 1), CN_ERR_MALFORMED);
    CHECK_ERR(answer("\x03no\n", 4), CN_ERR_MALFORMED);
    CHECK_ERR(answer("\x02no", 3), CN_ERR_MALFORMED);
    CHECK_ERR(answer("\x81\x00", 2), CN_ERR_MALFORMED);
    CHECK_ERR(answer("\x81\x08", 2), CN_ERR_TOO_LARGE);
    CHECK_ERR(answer("\xff\xff\xff", 3), CN_ERR_TOO_LARGE);
    cn_buf many = new_buf();
    CHECK_OK(cn_buf_text(&many, HEADER));
    for (int i = 0; i < CN_MULTISTREAM_ASKED_MAX; i++) {
        CHECK_OK(cn_buf_text(&many, "\x05/x/1\n"));
    }
    CHECK_ERR(answer((const char *)many.data, many.len), CN_ERR_TOO_LARGE);
    cn_buf_release(&many);
}

static cn_err open_and_hear(const char *bytes, cn_why *why)
{
    cn_multistream o;
    cn_buf out = new_buf();
    cn_slice in = cn_str(bytes);
    CHECK_OK(cn_multistream_open(&o, cn_mem_default(), AB, 2, &out));
    cn_err err = cn_multistream_take(&o, &in, &out, why);
    cn_buf_release(&out);
    cn_multistream_release(&o);
    return err;
}

static void an_opener_hears_refusals(void)
{
    cn_why why = {0};
    CHECK_ERR(open_and_hear(HEADER "\x03na\n\x03na\n", &why), CN_ERR_UNSUPPORTED);
    CHECK_STR(why.text, "the peer speaks none of: /a/1, /b/1");
    CHECK_ERR(open_and_hear(HEADER "\x05/c/1\n", &why), CN_ERR_MALFORMED);
    CHECK_OK(open_and_hear(HEADER "\x05/a/1\n", &why));
}

static cn_err once(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_multistream r;
    cn_buf out = {0};
    cn_slice in = cn_str(HEADER "\x05/b/1\n");
    cn_buf_init(&out, mem, 1024);
    cn_multistream_answer(&r, mem, speaks_b, NULL);
    CN_TRY(cn_multistream_take(&r, &in, &out, NULL));
out:
    cn_buf_release(&out);
    cn_multistream_release(&r);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(once);
}

int main(void)
{
    TEST(the_second_choice_is_agreed_on_byte_by_byte);
    TEST(what_follows_is_left_alone);
    TEST(two_pieces_are_as_good_as_one);
    TEST(what_is_no_multistream_is_refused);
    TEST(an_opener_hears_refusals);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
