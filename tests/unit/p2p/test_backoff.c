/*
 * Back-off: the times of go-libp2p, per peer and address, forgotten when it works, and bounded.
 */
#include "p2p/host/backoff.h"

#include "host_lib.h"

static void it_grows_with_the_square(void)
{
    static const int waits_s[] = {5,   6,   9,   14,  21,  30,  41,  54,  69,  86,
                                  105, 126, 149, 174, 201, 230, 261, 294, 300, 300};
    cn_backoff b;
    cn_peer_id peer = peer_of(1);
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/1");
    int64_t now = 100;
    cn_backoff_init(&b, cn_mem_default(), 0, 1);
    CHECK(cn_backoff_may_dial(&b, &peer, address, at_s(now), NULL));
    for (size_t i = 0; i < CN_LEN(waits_s); i++) {
        cn_time until = {0};
        cn_backoff_failed(&b, &peer, address, at_s(now));
        CHECK(!cn_backoff_may_dial(&b, &peer, address, at_s(now), &until));
        CHECK_EQ(until.ns, at_s(now + waits_s[i]).ns);
        now += waits_s[i];
        CHECK(!cn_backoff_may_dial(&b, &peer, address, (cn_time){at_s(now).ns - 1}, NULL));
        CHECK(cn_backoff_may_dial(&b, &peer, address, at_s(now), NULL));
    }
    for (int i = 0; i < 2000; i++) { /* never more, nor less */
        cn_time until = {0};
        cn_backoff_failed(&b, &peer, address, at_s(now));
        CHECK(!cn_backoff_may_dial(&b, &peer, address, at_s(now), &until));
        CHECK_EQ(until.ns, at_s(now + 300).ns);
    }
    now += 300 + 301;
    cn_backoff_failed(&b, &peer, address, at_s(now)); /* long after: as the first */
    CHECK(cn_backoff_may_dial(&b, &peer, address, at_s(now + 5), NULL));
    cn_backoff_release(&b);
}

static void it_is_per_peer_and_address(void)
{
    cn_backoff b;
    cn_peer_id one = peer_of(1);
    cn_peer_id two = peer_of(2);
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/1");
    cn_slice other = address_of("/ip4/1.1.1.1/tcp/2");
    cn_backoff_init(&b, cn_mem_default(), 0, 1);
    cn_backoff_failed(&b, &one, address, at_s(0));
    CHECK(!cn_backoff_may_dial(&b, &one, address, at_s(0), NULL));
    CHECK(cn_backoff_may_dial(&b, &one, other, at_s(0), NULL));
    CHECK(cn_backoff_may_dial(&b, &two, address, at_s(0), NULL));
    cn_backoff_clear(&b, &two, address);
    CHECK(!cn_backoff_may_dial(&b, &one, address, at_s(0), NULL));
    cn_backoff_clear(&b, &one, address);
    CHECK(cn_backoff_may_dial(&b, &one, address, at_s(0), NULL));
    cn_backoff_failed(&b, &one, address, at_s(0));
    CHECK(cn_backoff_may_dial(&b, &one, address, at_s(5), NULL)); /* began anew */
    cn_backoff_release(&b);
}

static bool waits(const cn_backoff *b, unsigned number, int64_t now)
{
    cn_peer_id peer = peer_of(number);
    return !cn_backoff_may_dial(b, &peer, address_of("/ip4/1.1.1.1/tcp/1"), at_s(now), NULL);
}

static void a_full_table_forgets_the_oldest(void)
{
    cn_backoff b;
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/1");
    cn_backoff_init(&b, cn_mem_default(), 10, 1);
    for (unsigned i = 0; i < 10; i++) {
        cn_peer_id peer = peer_of(i);
        cn_backoff_failed(&b, &peer, address, at_s(i < 3 ? 0 : 4));
    }
    CHECK_EQ(b.entries.len, 10);
    cn_peer_id more = peer_of(10);
    cn_backoff_failed(&b, &more, address, at_s(6)); /* the first three have run out */
    CHECK_EQ(b.entries.len, 8);
    CHECK(waits(&b, 3, 6) && waits(&b, 10, 6));
    for (unsigned i = 11; i < 13; i++) {
        cn_peer_id peer = peer_of(i);
        cn_backoff_failed(&b, &peer, address, at_s(6));
    }
    CHECK_EQ(b.entries.len, 10);
    cn_peer_id last = peer_of(13);
    cn_backoff_failed(&b, &last, address, at_s(6)); /* none has run out: the older half */
    CHECK_EQ(b.entries.len, 6);
    CHECK(!waits(&b, 3, 6) && waits(&b, 12, 6) && waits(&b, 13, 6));
    for (unsigned i = 0; i < 1000; i++) {
        cn_peer_id peer = peer_of(100 + i);
        cn_backoff_failed(&b, &peer, address, at_s(6));
        CHECK(b.entries.len <= 10);
    }
    CHECK(waits(&b, 1099, 6));
    cn_backoff_release(&b);
}

static void without_memory_nothing_is_noted(void)
{
    cn_mem mem;
    cn_backoff b;
    cn_peer_id peer = peer_of(1);
    cn_mem_init(&mem, 1);
    cn_backoff_init(&b, &mem, 10, 1);
    cn_backoff_failed(&b, &peer, cn_str("x"), at_s(0));
    CHECK(cn_backoff_may_dial(&b, &peer, cn_str("x"), at_s(0), NULL));
    cn_backoff_release(&b);
}

int main(void)
{
    TEST(it_grows_with_the_square);
    TEST(it_is_per_peer_and_address);
    TEST(a_full_table_forgets_the_oldest);
    TEST(without_memory_nothing_is_noted);
    return host_lib_end();
}
