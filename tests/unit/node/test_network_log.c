/*
 * What people are told of peers that were cut off: the first few a line each, the rest counted.
 */
#include "node/network_log.h"

#include "lib/test.h"

typedef struct said {
    size_t lines;
    char last[2048];
} said;

static void say(void *ctx, const char *sentence)
{
    said *s = ctx;
    cn_slice text = cn_slice_head(cn_str(sentence), sizeof(s->last) - 1);
    cn_copy(s->last, text.data, text.len);
    s->last[text.len] = '\0';
    s->lines++;
}

static cn_buf address_of(const char *text)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), 256);
    CHECK_OK(cn_multiaddr_parse(cn_str(text), &b, NULL));
    return b;
}

static void whom_and_why(void)
{
    said s = {0};
    cn_network_log l;
    cn_peer_id peer = {0};
    cn_buf at = address_of("/ip4/9.1.2.3/tcp/4");
    cn_network_log_init(&l, say, &s);
    CHECK_OK(cn_peer_id_parse(
        cn_str("12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh"), &peer, NULL));
    cn_host_note note = {CN_HOST_NOTE_CUT, &peer, cn_buf_slice(&at), "it lied"};
    cn_network_log_note(&l, &note, (cn_time){1});
    CHECK_STR(
        s.last, "swarm: cut off 12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh at "
                "/ip4/9.1.2.3/tcp/4: it lied");
    note.kind = CN_HOST_NOTE_REFUSED;
    note.peer = NULL;
    cn_network_log_note(&l, &note, (cn_time){1});
    CHECK_STR(s.last, "swarm: turned away /ip4/9.1.2.3/tcp/4: it lied");
    for (int kind = CN_HOST_NOTE_UP; kind <= CN_HOST_NOTE_STREAM; kind++) {
        note.kind = (cn_host_note_kind)kind;
        cn_network_log_note(&l, &note, (cn_time){1});
    }
    CHECK_EQ(s.lines, 3); /* that of a stream is new, the others are not told, or counted */
    CHECK_EQ(l.cut + l.refused, 2);
    cn_buf_release(&at);
}

static void a_flood_is_counted(void)
{
    said s = {0};
    cn_network_log l;
    cn_buf at = address_of("/ip4/9.1.2.3/tcp/4");
    cn_host_note note = {CN_HOST_NOTE_CUT, NULL, cn_buf_slice(&at), "too much"};
    cn_network_log_init(&l, say, &s);
    CHECK_EQ(cn_network_log_deadline(&l).ns, INT64_MAX);
    for (size_t i = 0; i < CN_NETWORK_LOG_LINES; i++) {
        char why[] = "reason 00";
        why[7] = (char)('0' + i / 10);
        why[8] = (char)('0' + i % 10);
        note.sentence = why;
        for (int k = 0; k < 10; k++) {
            cn_network_log_note(&l, &note, (cn_time){0});
        }
    }
    note.sentence = "one reason too many";
    cn_network_log_note(&l, &note, (cn_time){0});
    CHECK_EQ(s.lines, CN_NETWORK_LOG_LINES);
    cn_network_log_turn(&l, (cn_time){10 * CN_NS_PER_S - 1});
    CHECK_EQ(s.lines, CN_NETWORK_LOG_LINES);
    CHECK_EQ(cn_network_log_deadline(&l).ns, 10 * CN_NS_PER_S);
    cn_network_log_turn(&l, (cn_time){10 * CN_NS_PER_S});
    CHECK_EQ(s.lines, CN_NETWORK_LOG_LINES + 1);
    CHECK(strstr(s.last, " 145 connections cut off") != NULL);
    CHECK_EQ(cn_network_log_deadline(&l).ns, INT64_MAX);
    cn_network_log_note(&l, &note, (cn_time){10 * CN_NS_PER_S}); /* a new time begins */
    CHECK_EQ(s.lines, CN_NETWORK_LOG_LINES + 2);
    cn_buf_release(&at);
}

static void nobody_listens(void)
{
    cn_network_log l;
    cn_host_note note = {CN_HOST_NOTE_CUT, NULL, {0}, "x"};
    cn_network_log_init(&l, NULL, NULL);
    cn_network_log_note(&l, &note, (cn_time){0});
    CHECK_EQ(l.lines + l.cut, 0);
}

int main(void)
{
    TEST(whom_and_why);
    TEST(a_flood_is_counted);
    TEST(nobody_listens);
    return test_end();
}
