/* Who is let in: pages by their origin, clients by version and by secret. */
#include "lib/test.h"
#include "rpc/guard.h"

static cn_config *config;
static cn_guard *guard;

static void open_guard(const char *text)
{
    config = NULL;
    guard = NULL;
    CHECK_OK(cn_config_parse(cn_mem_default(), cn_str(text), &config, NULL));
    CHECK_OK(cn_guard_new(cn_mem_default(), config, &guard));
    CHECK_OK(cn_guard_allow_port(guard, 5001));
}

static void close_guard(void)
{
    cn_guard_free(guard);
    cn_config_free(config);
}

static cn_guard_ask from_origin(const char *origin)
{
    return (cn_guard_ask){.has_origin = true, .origin = cn_str(origin)};
}

static cn_guard_ask from_referer(const char *referer)
{
    return (cn_guard_ask){.has_referer = true, .referer = cn_str(referer)};
}

static cn_guard_ask from_agent(const char *agent)
{
    return (cn_guard_ask){.path = cn_str("/api/v0/id"), .user_agent = cn_str(agent)};
}

static void only_own_pages_are_let_in(void)
{
    static const char *const good[] = {
        "http://127.0.0.1:5001",
        "https://127.0.0.1:5001",
        "http://localhost:5001",
        "https://localhost:5001",
        "http://[::1]:5001",
        "https://[::1]:5001",
        "HTTP://LocalHost:5001",
        "chrome-extension://nibjojkomfdiaoajekhjakgkdhaomnch",
        ""};
    static const char *const bad[] = {
        "http://evil",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:50010",
        "http://127.0.0.1:5001/",
        "http://127.0.0.1:5001.evil",
        "http://evil/http://127.0.0.1:5001",
        "file://",
        " http://127.0.0.1:5001",
        "http://127.0.0.2:5001",
        "*"};
    open_guard("{}");
    for (size_t i = 0; i < CN_LEN(good); i++) {
        cn_guard_ask a = from_origin(good[i]);
        CHECK_OK(cn_guard_check(guard, &a));
    }
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        cn_guard_ask a = from_origin(bad[i]);
        CHECK_ERR(cn_guard_check(guard, &a), CN_ERR_PERMISSION);
    }
    close_guard();
}

static void referers_count_by_their_origin(void)
{
    open_guard("{}");
    cn_guard_ask a = from_referer("http://127.0.0.1:5001/webui?x#y");
    CHECK_OK(cn_guard_check(guard, &a));
    a = from_referer("http://127.0.0.1:5001");
    CHECK_OK(cn_guard_check(guard, &a));
    a = from_referer("http://evil/http://127.0.0.1:5001/");
    CHECK_ERR(cn_guard_check(guard, &a), CN_ERR_PERMISSION);
    a = from_referer("::");
    CHECK_ERR(cn_guard_check(guard, &a), CN_ERR_PERMISSION);
    a = from_referer("http://127.0.0.1:5001/"); /* an origin is worth more than a referer */
    a.has_origin = true;
    a.origin = cn_str("http://evil");
    CHECK_ERR(cn_guard_check(guard, &a), CN_ERR_PERMISSION);
    close_guard();
}

static void browsers_without_origin_are_refused(void)
{
    open_guard("{}");
    cn_guard_ask a = from_agent("Mozilla/5.0 (X11)");
    CHECK_ERR(cn_guard_check(guard, &a), CN_ERR_PERMISSION);
    a = from_agent("Mozilla/5.0 Electron/30");
    CHECK_OK(cn_guard_check(guard, &a));
    a = from_agent("curl/8 Mozilla");
    CHECK_OK(cn_guard_check(guard, &a));
    a = from_agent("");
    CHECK_OK(cn_guard_check(guard, &a));
    close_guard();
}

static void the_config_lets_others_in(void)
{
    bool any = true;
    open_guard("{\"API\":{\"HTTPHeaders\":{\"access-control-allow-origin\":[\"http://a.example\"],"
               "\"Access-Control-Allow-Methods\":[\"PUT\",\"get\"],"
               "\"Access-Control-Allow-Credentials\":[\"true\"]}}}");
    CHECK(cn_guard_allows_origin(guard, cn_str("http://a.example"), &any) && !any);
    CHECK(cn_guard_allows_origin(guard, cn_str("http://localhost:5001"), &any) && !any);
    CHECK(!cn_guard_allows_origin(guard, cn_str("http://b.example"), &any));
    CHECK(cn_guard_allows_method(guard, cn_str("PUT")));
    CHECK(cn_guard_allows_method(guard, cn_str("GET")));
    CHECK(!cn_guard_allows_method(guard, cn_str("POST")));
    CHECK(cn_guard_allows_credentials(guard));
    close_guard();
    open_guard("{\"API\":{\"HTTPHeaders\":{\"Access-Control-Allow-Origin\":[\"*\"]}}}");
    CHECK(cn_guard_allows_origin(guard, cn_str("http://b.example"), &any) && any);
    CHECK(cn_guard_allows_method(guard, cn_str("POST")));
    CHECK(!cn_guard_allows_method(guard, cn_str("GET")));
    CHECK(!cn_guard_allows_credentials(guard));
    close_guard();
}

static void clients_of_another_version_are_told(void)
{
    static const char *const good[] = {"", "curl/8", "/kubo/0.43.0/", "kubo", "x/kubo-1"};
    static const char *const bad[] = {
        "/kubo/0.42.0/", "/kubo/0.43.0", "x /kubo/0.43.0/", "/go-ipfs/0.4.0/"};
    cn_why why = {0};
    for (size_t i = 0; i < CN_LEN(good); i++) {
        cn_guard_ask a = from_agent(good[i]);
        CHECK_OK(cn_guard_version(&a, NULL));
    }
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        cn_guard_ask a = from_agent(bad[i]);
        CHECK_ERR(cn_guard_version(&a, &why), CN_ERR_USAGE);
        a.path = cn_str("/api/v0/version");
        CHECK_OK(cn_guard_version(&a, NULL));
    }
    CHECK_STR(why.text, "api version mismatch (/kubo/0.43.0/ != /go-ipfs/0.4.0/)");
}

static void asks(const char *path, const char *authorization, cn_err expected)
{
    cn_guard_ask a = {.path = cn_str(path), .authorization = cn_str(authorization)};
    CHECK_ERR(cn_guard_authorize(guard, &a), expected);
}

static void secrets_open_their_paths_alone(void)
{
    open_guard(
        "{\"API\":{\"Authorizations\":{"
        "\"a\":{\"AuthSecret\":\"bearer:token\",\"AllowedPaths\":[\"/api/v0/id\",\"/api/v0/pin\"]},"
        "\"b\":{\"AuthSecret\":\"basic:user:pass\",\"AllowedPaths\":[\"/api/v0\"]},"
        "\"c\":{\"AuthSecret\":\"basic:dTpw\",\"AllowedPaths\":[\"/api/v0/cat\"]},"
        "\"d\":{\"AuthSecret\":\"plain\",\"AllowedPaths\":[]}}}}");
    asks("/api/v0/id", "", CN_ERR_PERMISSION);
    asks("/api/v0/version", "", CN_ERR_PERMISSION);
    asks("/api/v0/id", "Bearer token", CN_OK);
    asks("/api/v0/pin/add", "Bearer token", CN_OK);
    asks("/api/v0/add", "Bearer token", CN_ERR_PERMISSION);
    asks("/api/v0/id", "Bearer toke", CN_ERR_PERMISSION);
    asks("/api/v0/id", "Bearer tokenn", CN_ERR_PERMISSION);
    asks("/api/v0/id", "bearer token", CN_ERR_PERMISSION);
    asks("/api/v0/add", "Basic dXNlcjpwYXNz", CN_OK); /* user:pass */
    asks("/api/v0/add", "Basic user:pass", CN_ERR_PERMISSION);
    asks("/api/v0/cat", "Basic dTpw", CN_OK);
    asks("/api/v0/version", "Bearer plain", CN_OK); /* the version is open to every secret */
    asks("/api/v0/id", "Bearer plain", CN_ERR_PERMISSION);
    asks("/x/api/v0/id", "Bearer token", CN_ERR_PERMISSION);
    close_guard();
    open_guard("{\"API\":{\"Authorizations\":{}}}");
    asks("/api/v0/id", "", CN_OK);
    close_guard();
}

static cn_err make_one(cn_mem *mem)
{
    cn_guard *g = NULL;
    cn_err err = cn_guard_new(mem, config, &g);
    if (err == CN_OK) {
        err = cn_guard_allow_port(g, 5001);
    }
    cn_guard_free(g);
    return err;
}

static void memory_may_run_out(void)
{
    config = NULL;
    CHECK_OK(cn_config_parse(
        cn_mem_default(),
        cn_str("{\"API\":{\"HTTPHeaders\":{\"Access-Control-Allow-Origin\":[\"a\",\"b\"]}}}"),
        &config, NULL));
    test_out_of_memory(make_one);
    cn_config_free(config);
}

int main(void)
{
    TEST(only_own_pages_are_let_in);
    TEST(referers_count_by_their_origin);
    TEST(browsers_without_origin_are_refused);
    TEST(the_config_lets_others_in);
    TEST(clients_of_another_version_are_told);
    TEST(secrets_open_their_paths_alone);
    TEST(memory_may_run_out);
    return test_end();
}
