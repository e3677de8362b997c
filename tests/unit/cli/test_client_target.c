#include "cli/client.h"
#include "lib/test.h"

static void addresses_are_read(void)
{
    cn_client_target t;
    cn_why why = {{0}};
    CHECK_OK(cn_client_target_parse("/ip4/127.0.0.1/tcp/5001", &t, &why));
    CHECK_EQ(t.kind, CN_CLIENT_TCP);
    CHECK_STR(t.host, "127.0.0.1");
    CHECK_EQ(t.port, 5001);
    CHECK_OK(cn_client_target_parse("/ip6/::1/tcp/1/http", &t, &why));
    CHECK_STR(t.host, "::1");
    CHECK_OK(cn_client_target_parse("/unix/run/x/api", &t, &why));
    CHECK_EQ(t.kind, CN_CLIENT_UNIX);
    CHECK_STR(t.host, "/run/x/api");
    CHECK_ERR(cn_client_target_parse("foo", &t, &why), CN_ERR_USAGE);
    CHECK_STR(why.text, "failed to parse multiaddr \"foo\": must begin with /");
    CHECK_ERR(cn_client_target_parse("", &t, &why), CN_ERR_USAGE);
    CHECK_STR(why.text, "failed to parse multiaddr \"\": empty multiaddr");
    CHECK_ERR(cn_client_target_parse("/ip4/1.2.3.4/tcp/65536", &t, &why), CN_ERR_USAGE);
    CHECK_ERR(cn_client_target_parse("/ip4", &t, &why), CN_ERR_USAGE);
    CHECK_ERR(cn_client_target_parse("/dns/x.org/tcp/443/https", &t, &why), CN_ERR_UNSUPPORTED);
}

int main(void)
{
    TEST(addresses_are_read);
    return test_end();
}
