/*
 * Tags: worths add up, protections count by reason, limits hold, and nothing is left behind.
 */
#include "p2p/host/tags.h"

#include "host_lib.h"

#include <limits.h>
#include <stdio.h>

static void worths_add_up(void)
{
    cn_tags t;
    cn_peer_id one = peer_of(1);
    cn_peer_id two = peer_of(2);
    cn_tags_init(&t, cn_mem_default(), 0, 1);
    CHECK_EQ(cn_tags_worth(&t, &one), 0);
    CHECK_OK(cn_tags_set(&t, &one, cn_str("kad"), 5));
    CHECK_OK(cn_tags_set(&t, &one, cn_str("bitswap"), 10));
    CHECK_OK(cn_tags_set(&t, &one, cn_str("bad"), -3));
    CHECK_OK(cn_tags_set(&t, &two, cn_str("kad"), 1));
    CHECK_EQ(cn_tags_worth(&t, &one), 12);
    CHECK_OK(cn_tags_set(&t, &one, cn_str("kad"), 1)); /* replaces */
    CHECK_EQ(cn_tags_worth(&t, &one), 8);
    CHECK_OK(cn_tags_set(&t, &one, cn_str("bitswap"), 0));
    CHECK_OK(cn_tags_set(&t, &one, cn_str("never set"), 0));
    CHECK_EQ(cn_tags_worth(&t, &one), -2);
    CHECK_OK(cn_tags_set(&t, &one, cn_str("kad"), 0));
    CHECK_OK(cn_tags_set(&t, &one, cn_str("bad"), 0));
    CHECK_EQ(t.peers.len, 1);
    CHECK_OK(cn_tags_set(&t, &two, cn_str("a"), INT_MAX));
    CHECK_OK(cn_tags_set(&t, &two, cn_str("b"), INT_MAX));
    CHECK_EQ(cn_tags_worth(&t, &two), 2ll * INT_MAX + 1);
    cn_tags_release(&t);
}

static void protections_count_by_reason(void)
{
    cn_tags t;
    cn_peer_id one = peer_of(1);
    cn_tags_init(&t, cn_mem_default(), 0, 1);
    CHECK(!cn_tags_is_protected(&t, &one, cn_str("")));
    CHECK_OK(cn_tags_protect(&t, &one, cn_str("bootstrap")));
    CHECK_OK(cn_tags_protect(&t, &one, cn_str("bootstrap")));
    CHECK_OK(cn_tags_protect(&t, &one, cn_str("kad")));
    CHECK_OK(cn_tags_set(&t, &one, cn_str("kad"), 7)); /* another kind of tag */
    CHECK(cn_tags_is_protected(&t, &one, cn_str("kad")));
    CHECK(!cn_tags_is_protected(&t, &one, cn_str("peering")));
    CHECK(cn_tags_unprotect(&t, &one, cn_str("bootstrap")));
    CHECK(cn_tags_unprotect(&t, &one, cn_str("bootstrap")));
    CHECK(!cn_tags_unprotect(&t, &one, cn_str("kad")));
    CHECK(!cn_tags_is_protected(&t, &one, cn_str("")));
    CHECK_EQ(cn_tags_worth(&t, &one), 7);
    cn_tags_release(&t);
}

static void limits_hold(void)
{
    static const char longest[CN_TAGS_NAME_MAX_BYTES + 1] = {0};
    cn_tags t;
    cn_peer_id one = peer_of(1);
    cn_peer_id two = peer_of(2);
    cn_peer_id three = peer_of(3);
    char name[16];
    cn_tags_init(&t, cn_mem_default(), 2, 1);
    CHECK_OK(cn_tags_set(&t, &one, cn_slice_of(longest, CN_TAGS_NAME_MAX_BYTES), 1));
    CHECK_ERR(cn_tags_set(&t, &one, cn_slice_of(longest, sizeof(longest)), 1), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_tags_set(&t, &two, cn_slice_of(longest, sizeof(longest)), 1), CN_ERR_TOO_LARGE);
    CHECK_EQ(t.peers.len, 1);
    for (int i = 1; i < CN_TAGS_PER_PEER_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        CHECK_OK(cn_tags_set(&t, &one, cn_str(name), 1));
    }
    CHECK_ERR(cn_tags_protect(&t, &one, cn_str("more")), CN_ERR_TOO_LARGE);
    CHECK_EQ(cn_tags_worth(&t, &one), CN_TAGS_PER_PEER_MAX);
    CHECK_OK(cn_tags_protect(&t, &two, cn_str("a")));
    CHECK_ERR(cn_tags_protect(&t, &three, cn_str("a")), CN_ERR_TOO_LARGE);
    CHECK(!cn_tags_unprotect(&t, &two, cn_str("a")));
    CHECK_OK(cn_tags_protect(&t, &three, cn_str("a")));
    cn_tags_release(&t);
}

static cn_err tag_with(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_tags t;
    cn_peer_id one = peer_of(1);
    cn_tags_init(&t, mem, 0, 1);
    err = cn_tags_set(&t, &one, cn_str("a"), 1);
    CHECK_EQ(t.peers.len, err == CN_OK);
    cn_tags_release(&t);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(tag_with);
}

int main(void)
{
    TEST(worths_add_up);
    TEST(protections_count_by_reason);
    TEST(limits_hold);
    TEST(running_out_of_memory_is_an_error);
    return host_lib_end();
}
