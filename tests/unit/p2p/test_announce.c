/*
 * What is told to whom: the three settings of the config together, and scopes peer by peer.
 */
#include "p2p/host/announce.h"

#include "host_lib.h"

enum { LIST_MAX = 16 };

/* Texts ended by NULL. */
static size_t slices_of(const char *const *texts, cn_slice *ret)
{
    size_t len = 0;
    for (; texts != NULL && texts[len] != NULL; len++) {
        ret[len] = cn_str(texts[len]);
    }
    return len;
}

static cn_err init(
    cn_announce *a,
    cn_mem *mem,
    const char *const *announce,
    const char *const *append,
    const char *const *never,
    cn_why *why)
{
    cn_slice lists[3][LIST_MAX];
    cn_announce_config config = {.announce = lists[0], .append = lists[1], .never = lists[2]};
    config.announce_len = slices_of(announce, lists[0]);
    config.append_len = slices_of(append, lists[1]);
    config.never_len = slices_of(never, lists[2]);
    return cn_announce_init(a, mem, &config, why);
}

static const char *const OWN[] = {
    "/ip4/127.0.0.1/tcp/1",   "/ip6/::1/tcp/1",          "/ip6/fe80::1/tcp/1",
    "/ip4/192.168.1.5/tcp/1", "/ip6/fd00::1/tcp/1",      "/ip4/100.64.1.1/tcp/1",
    "/ip4/5.5.5.5/tcp/1",     "/dns4/example.com/tcp/1", NULL};

/* Of OWN and the config, the peer at `remote` (NULL: in all) is told just what `expected` names. */
static void check_told(const cn_announce *a, const char *remote, const char *const *expected)
{
    cn_slice own[LIST_MAX];
    cn_slice got[LIST_MAX];
    cn_slice names[LIST_MAX];
    size_t own_len = slices_of(OWN, names);
    size_t expected_len = slices_of(expected, names);
    size_t len = 0;
    for (size_t i = 0; i < own_len; i++) {
        own[i] = address_of(OWN[i]);
    }
    len = remote == NULL ? cn_announce_list(a, own, own_len, got, LIST_MAX)
                         : cn_announce_to(a, address_of(remote), own, own_len, got, LIST_MAX);
    CHECK_EQ(len, expected_len);
    for (size_t i = 0; i < len && i < expected_len; i++) {
        CHECK_BYTES(got[i], address_of(expected[i]));
    }
}

static void scopes_are_kept(void)
{
    cn_announce a;
    static const char *const to_link[] = {
        "/ip6/fe80::1/tcp/1",
        "/ip4/192.168.1.5/tcp/1",
        "/ip6/fd00::1/tcp/1",
        "/ip4/100.64.1.1/tcp/1",
        "/ip4/5.5.5.5/tcp/1",
        "/dns4/example.com/tcp/1",
        NULL};
    CHECK_OK(init(&a, cn_mem_default(), NULL, NULL, NULL, NULL));
    check_told(&a, NULL, OWN);
    check_told(&a, "/ip4/127.0.0.1/tcp/9", OWN);
    check_told(&a, "/ip6/::1/tcp/9", OWN);
    check_told(&a, "/ip6/fe80::9/tcp/9", to_link);
    check_told(&a, "/ip4/10.1.1.1/tcp/9", to_link + 1);
    check_told(&a, "/ip6/fd00::9/tcp/9", to_link + 1);
    check_told(&a, "/ip4/100.64.9.9/tcp/9", to_link + 3);
    check_told(&a, "/ip4/9.9.9.9/tcp/9", to_link + 4);
    check_told(&a, "/dns4/example.org/tcp/9", to_link + 4);
    check_told(
        &a,
        "/ip4/9.9.9.9/tcp/9/p2p/12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh/p2p-circuit",
        to_link + 4);
    cn_announce_release(&a);
    cn_announce_release(&a);
}

static void announce_replaces_ours(void)
{
    cn_announce a;
    static const char *const only[] = {
        "/ip4/10.9.9.9/tcp/1", "/ip4/127.0.0.1/tcp/2", "/dns4/me.example/tcp/1",
        "/ip4/10.9.9.9/tcp/1", NULL};
    static const char *const all[] = {
        "/ip4/10.9.9.9/tcp/1", "/ip4/127.0.0.1/tcp/2", "/dns4/me.example/tcp/1", NULL};
    static const char *const beyond[] = {"/ip4/10.9.9.9/tcp/1", "/dns4/me.example/tcp/1", NULL};
    CHECK_OK(init(&a, cn_mem_default(), only, NULL, NULL, NULL));
    check_told(&a, NULL, all);
    check_told(&a, "/ip4/127.0.0.1/tcp/9", all);
    check_told(&a, "/ip4/9.9.9.9/tcp/9", beyond); /* written down, so told though private */
    cn_announce_release(&a);
}

static void append_adds_and_never_takes_away(void)
{
    cn_announce a;
    static const char *const append[] = {
        "/ip4/5.5.5.5/tcp/1", "/ip4/6.6.6.6/tcp/1", "/ip4/10.7.7.7/tcp/1", NULL};
    static const char *const never[] = {"/ip4/192.168.0.0/ipcidr/16", "/ip6/fd00::/ipcidr/8",
                                        "/ip4/127.0.0.1/tcp/1",       "/ip4/10.7.0.0/ipcidr/16",
                                        "/ip4/5.5.5.5/tcp/2",         NULL};
    static const char *const all[] = {
        "/ip6/::1/tcp/1",
        "/ip6/fe80::1/tcp/1",
        "/ip4/100.64.1.1/tcp/1",
        "/ip4/5.5.5.5/tcp/1",
        "/dns4/example.com/tcp/1",
        "/ip4/6.6.6.6/tcp/1",
        NULL};
    CHECK_OK(init(&a, cn_mem_default(), NULL, append, never, NULL));
    check_told(&a, NULL, all);
    check_told(&a, "/ip4/9.9.9.9/tcp/9", all + 3);
    cn_slice got[1];
    cn_slice own = address_of("/ip4/5.5.5.5/tcp/1");
    CHECK_EQ(cn_announce_list(&a, &own, 1, got, 1), 1);
    CHECK_BYTES(got[0], own);
    CHECK_EQ(cn_announce_list(&a, &own, 1, got, 0), 0);
    cn_announce_release(&a);
}

static void a_bad_config_is_named(void)
{
    static const char *const good[] = {"/ip4/1.1.1.1/tcp/1", NULL};
    static const char *const bad[] = {"/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1/tcp/1", NULL};
    static const char *const no_range[] = {"10.0.0.0/8", NULL};
    static cn_slice many[CN_ANNOUNCE_MAX + 1];
    cn_announce a;
    cn_why why = {{0}};
    CHECK(init(&a, cn_mem_default(), bad, NULL, NULL, &why) != CN_OK);
    CHECK(strstr(why.text, "Addresses.Announce") != NULL && strstr(why.text, "1.1.1/") != NULL);
    CHECK(init(&a, cn_mem_default(), good, bad, NULL, &why) != CN_OK);
    CHECK(strstr(why.text, "Addresses.AppendAnnounce") != NULL);
    CHECK(init(&a, cn_mem_default(), good, good, bad, &why) != CN_OK);
    CHECK(strstr(why.text, "Addresses.NoAnnounce") != NULL);
    CHECK(init(&a, cn_mem_default(), NULL, NULL, no_range, &why) != CN_OK); /* not Kubo's form */
    for (size_t i = 0; i < CN_LEN(many); i++) {
        many[i] = cn_str("/ip4/1.1.1.1/tcp/1");
    }
    for (int which = 0; which < 3; which++) {
        for (size_t over = 0; over < 2; over++) {
            size_t len = CN_ANNOUNCE_MAX + over;
            const cn_announce_config config = {
                many, which == 0 ? len : 0, many, which == 1 ? len : 0, many, which == 2 ? len : 0};
            CHECK_ERR(
                cn_announce_init(&a, cn_mem_default(), &config, &why),
                over == 0 ? CN_OK : CN_ERR_TOO_LARGE);
            cn_announce_release(&a);
        }
    }
}

static cn_err init_with(cn_mem *mem)
{
    static const char *const list[] = {"/ip4/1.1.1.1/tcp/1", "/ip4/10.0.0.0/ipcidr/8", NULL};
    cn_announce a;
    cn_err err = init(&a, mem, list, list, list, NULL);
    cn_announce_release(&a);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(init_with);
}

int main(void)
{
    TEST(scopes_are_kept);
    TEST(announce_replaces_ours);
    TEST(append_adds_and_never_takes_away);
    TEST(a_bad_config_is_named);
    TEST(running_out_of_memory_is_an_error);
    return host_lib_end();
}
