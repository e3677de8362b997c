/*
 * Multiaddrs: the vectors of go-multiaddr both ways, cuts at each byte, scopes and ranges.
 */
#include "lib/test.h"
#include "multiformats/multiaddr.h"

#include <jansson.h>

static json_t *vectors(void)
{
    cn_buf file = {0};
    if (!test_fixture("multiformats/multiaddr-vectors.json", &file)) {
        return NULL;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    cn_buf_release(&file);
    return root;
}

static cn_buf new_buf(void)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), 4096);
    return b;
}

static void text_and_bytes_agree(void)
{
    json_t *root = vectors();
    json_t *v = NULL;
    size_t i = 0;
    if (root == NULL) {
        return;
    }
    CHECK(json_array_size(json_object_get(root, "string_to_bytes")) > 5);
    json_array_foreach(json_object_get(root, "string_to_bytes"), i, v)
    {
        const char *text = json_string_value(json_object_get(v, "string"));
        cn_buf bytes = new_buf();
        cn_buf hex = new_buf();
        cn_buf back = new_buf();
        CHECK_OK(cn_multiaddr_parse(cn_str(text), &bytes, NULL));
        for (size_t k = 0; k < bytes.len; k++) {
            CHECK_OK(cn_buf_printf(&hex, "%02x", bytes.data[k]));
        }
        CHECK_BYTES(cn_buf_slice(&hex), cn_str(json_string_value(json_object_get(v, "hex"))));
        CHECK_OK(cn_multiaddr_check(cn_buf_slice(&bytes), NULL));
        CHECK_OK(cn_multiaddr_encode_text(cn_buf_slice(&bytes), &back));
        CHECK_BYTES(cn_buf_slice(&back), cn_str(text));
        cn_buf_release(&bytes);
        cn_buf_release(&hex);
        cn_buf_release(&back);
    }
    json_decref(root);
}

/* What is read is written as the same address again. */
static void valid_ones_come_back(void)
{
    json_t *root = vectors();
    json_t *v = NULL;
    size_t i = 0;
    if (root == NULL) {
        return;
    }
    json_array_foreach(json_object_get(root, "valid"), i, v)
    {
        cn_buf bytes = new_buf();
        cn_buf text = new_buf();
        cn_buf again = new_buf();
        if (!CHECK_OK(cn_multiaddr_parse(cn_str(json_string_value(v)), &bytes, NULL))) {
            (void)CHECK_STR(json_string_value(v), "to be read");
        }
        CHECK_OK(cn_multiaddr_check(cn_buf_slice(&bytes), NULL));
        CHECK_OK(cn_multiaddr_encode_text(cn_buf_slice(&bytes), &text));
        CHECK_OK(cn_multiaddr_parse(cn_buf_slice(&text), &again, NULL));
        CHECK_BYTES(cn_buf_slice(&again), cn_buf_slice(&bytes));
        for (size_t cut = 0; cut < bytes.len; cut++) {
            cn_why why = {{0}};
            cn_slice part = cn_slice_head(cn_buf_slice(&bytes), cut);
            CHECK(cn_multiaddr_check(part, &why) == CN_OK || why.text[0] != '\0');
        }
        cn_buf_release(&bytes);
        cn_buf_release(&text);
        cn_buf_release(&again);
    }
    json_decref(root);
}

static void invalid_ones_are_refused(void)
{
    json_t *root = vectors();
    json_t *v = NULL;
    size_t i = 0;
    if (root == NULL) {
        return;
    }
    json_array_foreach(json_object_get(root, "invalid"), i, v)
    {
        cn_buf bytes = new_buf();
        cn_why why = {{0}};
        if (!CHECK(cn_multiaddr_parse(cn_str(json_string_value(v)), &bytes, &why) != CN_OK)) {
            (void)CHECK_STR(json_string_value(v), "to be refused");
        }
        CHECK_EQ(bytes.len, 0);
        cn_buf_release(&bytes);
    }
    json_decref(root);
}

static cn_multiaddr_scope scope(const char *text)
{
    cn_buf bytes = new_buf();
    CHECK_OK(cn_multiaddr_parse(cn_str(text), &bytes, NULL));
    cn_multiaddr_scope s = cn_multiaddr_scope_of(cn_buf_slice(&bytes));
    cn_buf_release(&bytes);
    return s;
}

static void scopes_are_told_apart(void)
{
    CHECK_EQ(scope("/ip4/127.3.4.5/tcp/1"), CN_SCOPE_LOOPBACK);
    CHECK_EQ(scope("/ip6/::1/tcp/1"), CN_SCOPE_LOOPBACK);
    CHECK_EQ(scope("/ip4/172.31.255.255/tcp/1"), CN_SCOPE_PRIVATE);
    CHECK_EQ(scope("/ip4/172.32.0.0/tcp/1"), CN_SCOPE_PUBLIC);
    CHECK_EQ(scope("/ip4/100.127.0.1/tcp/1"), CN_SCOPE_CGNAT);
    CHECK_EQ(scope("/ip4/100.128.0.1/tcp/1"), CN_SCOPE_PUBLIC);
    CHECK_EQ(scope("/ip4/0.0.0.0/tcp/1"), CN_SCOPE_NONE);
    CHECK_EQ(scope("/ip4/239.0.0.1/tcp/1"), CN_SCOPE_NONE);
    CHECK_EQ(scope("/ip6/fd00::1/tcp/1"), CN_SCOPE_PRIVATE);
    CHECK_EQ(scope("/ip6zone/eth0/ip6/fe80::1/tcp/1"), CN_SCOPE_LINK);
    CHECK_EQ(scope("/ip6/2001:db8::1/tcp/1"), CN_SCOPE_PUBLIC);
    CHECK_EQ(scope("/dns4/localhost/tcp/1"), CN_SCOPE_LOOPBACK);
    CHECK_EQ(scope("/dns/box.local/tcp/1"), CN_SCOPE_PRIVATE);
    CHECK_EQ(scope("/dnsaddr/bootstrap.libp2p.io"), CN_SCOPE_PUBLIC);
}

static void ranges_hold_their_addresses(void)
{
    static const uint8_t in[4] = {10, 200, 3, 4};
    static const uint8_t out[4] = {11, 0, 0, 0};
    cn_ip_range r = {{0}, 0, false};
    cn_buf text = new_buf();
    CHECK_OK(cn_ip_range_parse(cn_str("/ip4/10.0.0.0/ipcidr/8"), &r, NULL));
    CHECK(cn_ip_range_has(&r, cn_slice_of(in, 4)));
    CHECK(!cn_ip_range_has(&r, cn_slice_of(out, 4)));
    CHECK_OK(cn_ip_range_encode_text(&r, &text));
    CHECK_BYTES(cn_buf_slice(&text), cn_str("/ip4/10.0.0.0/ipcidr/8"));
    CHECK_OK(cn_ip_range_parse(cn_str("fc00::/7"), &r, NULL));
    CHECK(r.is_ip6 && r.bits == 7);
    static const char *const wrong[] = {
        "", "10.0.0.0", "10.0.0.0/33", "/ip4/10.0.0.0", "/ip4/10.0.0.0/ipcidr/33", "x/8", "::/129"};
    for (size_t i = 0; i < CN_LEN(wrong); i++) {
        CHECK_ERR(cn_ip_range_parse(cn_str(wrong[i]), &r, NULL), CN_ERR_MALFORMED);
    }
    cn_buf_release(&text);
}

static void the_last_peer_is_split_off(void)
{
    static const char id_text[] = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
    cn_buf bytes = new_buf();
    cn_buf text = new_buf();
    cn_slice rest = {0};
    cn_peer_id id = {0};
    CHECK_OK(cn_buf_printf(&text, "/ip4/1.2.3.4/tcp/4001/ipfs/%s", id_text));
    CHECK_OK(cn_multiaddr_parse(cn_buf_slice(&text), &bytes, NULL));
    cn_multiaddr_split_peer(cn_buf_slice(&bytes), &rest, &id);
    cn_buf_reset(&text);
    CHECK_OK(cn_multiaddr_encode_text(rest, &text));
    CHECK_BYTES(cn_buf_slice(&text), cn_str("/ip4/1.2.3.4/tcp/4001"));
    cn_buf_reset(&text);
    CHECK_OK(cn_peer_id_encode_text(&id, 0, &text));
    CHECK_BYTES(cn_buf_slice(&text), cn_str(id_text));
    cn_multiaddr_split_peer(rest, &rest, &id);
    CHECK_EQ(id.len, 0);
    cn_buf_release(&bytes);
    cn_buf_release(&text);
}

static void the_first_ip_is_found(void)
{
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"/ip4/1.2.3.4/tcp/1", "01020304"},
        {"/ip6/::1/udp/1/quic-v1", "00000000000000000000000000000001"},
        {"/ip6zone/eth0/ip6/fe80::1/tcp/1", "fe800000000000000000000000000001"},
        {"/dns4/example.com/tcp/1", ""},
        {"/tcp/1/ip4/1.2.3.4", ""}};
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_buf address = new_buf();
        CHECK_OK(cn_multiaddr_parse(cn_str(cases[i].text), &address, NULL));
        CHECK_BYTES(cn_multiaddr_ip(cn_buf_slice(&address)), test_hex(cases[i].hex));
        cn_buf_release(&address);
    }
}

static cn_err parse_once(cn_mem *mem)
{
    cn_buf bytes = {0};
    cn_buf text = {0};
    cn_err err = CN_OK;
    cn_buf_init(&bytes, mem, 4096);
    cn_buf_init(&text, mem, 4096);
    CN_TRY(cn_multiaddr_parse(cn_str("/ip6/2001:db8::1/udp/1/quic-v1"), &bytes, NULL));
    CN_TRY(cn_multiaddr_encode_text(cn_buf_slice(&bytes), &text));
out:
    cn_buf_release(&bytes);
    cn_buf_release(&text);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(parse_once);
}

int main(void)
{
    TEST(text_and_bytes_agree);
    TEST(valid_ones_come_back);
    TEST(invalid_ones_are_refused);
    TEST(scopes_are_told_apart);
    TEST(ranges_hold_their_addresses);
    TEST(the_last_peer_is_split_off);
    TEST(the_first_ip_is_found);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
