/*
 * Where a repo is, what it is, who holds it; making one.
 */
#include "lib/test.h"
#include "node/init.h"
#include "node/node.h"
#include "node/repo.h"
#include "rt_os/rt_os.h"
#include "store/pin.h"

#include <stdio.h>

static cn_rt *rt;
static char repo[256];

static const char *fresh(void)
{
    (void)snprintf(repo, sizeof repo, "%s/r", test_temp_dir());
    return repo;
}

static void put_file(const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", repo, name);
    CHECK_OK(cn_rt_write_file(rt, path, cn_str(text), NULL));
}

static void paths_are_taken_in_order(void)
{
    static const struct {
        cn_repo_env env;
        const char *path;
    } cases[] = {
        {{"o", "c", "i", "/h"}, "o"},    {{NULL, "c", "i", "/h"}, "c"},
        {{NULL, "", "i", "/h"}, "i"},    {{NULL, NULL, NULL, "/h"}, "/h/.cairn"},
        {{"", "", "~/x", "/h"}, "/h/x"}, {{NULL, NULL, "~x", "/h"}, "~x"},
    };
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_buf b;
        cn_buf_init(&b, cn_mem_default(), 100);
        CHECK_OK(cn_repo_path(&cases[i].env, &b, NULL));
        CHECK_BYTES(cn_buf_slice(&b), cn_str(cases[i].path));
        cn_buf_release(&b);
    }
    const cn_repo_env none = {.option = NULL};
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 100);
    CHECK_ERR(cn_repo_path(&none, &b, NULL), CN_ERR_USAGE);
    cn_buf_release(&b);
}

static void repos_of_others_are_told_apart(void)
{
    static const struct {
        const char *version;
        cn_repo_kind kind;
        cn_err err;
    } cases[] = {
        {"18\n", CN_REPO_KUBO, CN_ERR_UNSUPPORTED},
        {"7", CN_REPO_KUBO, CN_ERR_UNSUPPORTED},
        {"cairn 2\n", CN_REPO_LATER, CN_ERR_UNSUPPORTED},
        {"zz", CN_REPO_BROKEN, CN_ERR_UNSUPPORTED},
        {"cairn 1\n", CN_REPO_OURS, CN_ERR_NOT_FOUND}, /* no config yet */
    };
    CHECK_OK(cn_path_mkdir(rt, fresh(), 0755));
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_repo_kind kind = CN_REPO_NONE;
        put_file("version", cases[i].version);
        CHECK_OK(cn_repo_probe(rt, repo, &kind, NULL));
        CHECK_EQ(kind, cases[i].kind);
        CHECK_ERR(cn_repo_check(rt, repo, NULL), cases[i].err);
    }
}

static void kubo_without_a_version_file_is_known_by_its_folders(void)
{
    cn_repo_kind kind = CN_REPO_NONE;
    CHECK_OK(cn_path_mkdir(rt, fresh(), 0755));
    put_file("datastore_spec", "{}");
    CHECK_OK(cn_repo_probe(rt, repo, &kind, NULL));
    CHECK_EQ(kind, CN_REPO_KUBO);
    CHECK_ERR(cn_init_check(rt, repo, NULL), CN_ERR_UNSUPPORTED);
}

static void the_second_to_lock_hears_who_is_first(void)
{
    cn_file *a = NULL;
    cn_file *b = NULL;
    cn_why why = {0};
    bool locked = false;
    int64_t pid = 0;
    CHECK_OK(cn_path_mkdir(rt, fresh(), 0755));
    CHECK_OK(cn_repo_is_locked(rt, repo, &locked, NULL));
    CHECK(!locked);
    CHECK_OK(cn_repo_lock(rt, repo, 4711, "cairn daemon", 0, &a, &why));
    CHECK_ERR(cn_repo_lock(rt, repo, 1, "cairn add", 0, &b, &why), CN_ERR_BUSY);
    CHECK(strstr(why.text, "process 4711 (cairn daemon)") != NULL);
    cn_time before = cn_rt_now(rt);
    CHECK_ERR(cn_repo_lock(rt, repo, 1, "x", 60 * CN_NS_PER_MS, &b, NULL), CN_ERR_BUSY);
    CHECK(cn_rt_now(rt).ns - before.ns >= 60 * CN_NS_PER_MS);
    CHECK_OK(cn_repo_is_locked(rt, repo, &locked, &pid));
    CHECK(locked);
    CHECK_EQ(pid, 4711);
    cn_file_close(rt, a);
    CHECK_OK(cn_repo_lock(rt, repo, 1, "x", 0, &b, NULL));
    cn_file_close(rt, b);
}

static void waiting_times_are_durations(void)
{
    int64_t ns = -1;
    CHECK_OK(cn_repo_lock_wait(NULL, &ns, NULL));
    CHECK_EQ(ns, 0);
    CHECK_OK(cn_repo_lock_wait("1m30s", &ns, NULL));
    CHECK_EQ(ns, 90 * CN_NS_PER_S);
    CHECK_OK(cn_repo_lock_wait("0", &ns, NULL));
    CHECK_EQ(ns, INT64_MAX);
    CHECK_ERR(cn_repo_lock_wait("1", &ns, NULL), CN_ERR_USAGE);
}

static void check_made(const char *peer_id)
{
    char path[512];
    cn_path_stat st = {0};
    cn_node *node = NULL;
    cn_pins *pins = NULL;
    cn_key *key = NULL;
    const cn_identity *identity = NULL;
    uint64_t count = 0;
    const cn_node_options o = {.rt = rt, .repo_path = repo, .command = "test", .pid = 5};
    static const char *const files[] = {"config", "identity.key", "version"};
    for (size_t i = 0; i < CN_LEN(files); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", repo, files[i]);
        CHECK_OK(cn_path_stat_of(rt, path, &st));
        CHECK_EQ(st.mode, 0600);
    }
    if (!CHECK_OK(cn_node_open(&o, &node, NULL))) {
        return;
    }
    CHECK_OK(cn_node_identity(node, &identity, NULL));
    CHECK_STR(identity->peer_id, peer_id);
    CHECK(identity->public_len > 0);
    CHECK_OK(cn_identity_private(rt, repo, cn_node_config(node), &key, NULL));
    cn_key_free(key);
    CHECK(cn_config_get(cn_node_config(node), "Identity.PrivKey") == NULL);
    CHECK_OK(cn_node_pins(node, &pins, NULL));
    CHECK_OK(cn_pins_count(pins, CN_PIN_RECURSIVE, &count));
    CHECK_EQ(count, 1);
    cn_node *second = NULL;
    CHECK_ERR(cn_node_open(&o, &second, NULL), CN_ERR_BUSY);
    CHECK_OK(cn_node_close(node, NULL));
}

static void a_repo_is_made_once(void)
{
    cn_key *key = NULL;
    cn_peer_id id = {0};
    cn_identity who = {0};
    cn_why why = {0};
    cn_err err = cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, &why);
    if (err == CN_ERR_UNSUPPORTED) {
        test_skip("libcrypto is not here");
        return;
    }
    CHECK_OK(err);
    CHECK_OK(cn_peer_id_of_key(key, &id));
    CHECK_OK(cn_identity_of(&id, &who));
    cn_init_options o = {
        .rt = rt,
        .mem = cn_mem_default(),
        .repo_path = fresh(),
        .peer_id = who.peer_id,
        .key = key,
        .profiles = "test,nosuch",
        .command = "test"};
    CHECK_ERR(cn_init_repo(&o, &why), CN_ERR_NOT_FOUND);
    CHECK_STR(why.text, "invalid configuration profile: nosuch");
    o.profiles = "test,unixfs-v1-2025";
    CHECK_OK(cn_init_repo(&o, &why));
    CHECK_ERR(cn_init_repo(&o, &why), CN_ERR_EXISTS);
    check_made(who.peer_id);
    cn_key_free(key);
}

int main(void)
{
    if (cn_rt_os_new(1, &rt) != CN_OK) {
        return 1;
    }
    TEST(paths_are_taken_in_order);
    TEST(repos_of_others_are_told_apart);
    TEST(kubo_without_a_version_file_is_known_by_its_folders);
    TEST(the_second_to_lock_hears_who_is_first);
    TEST(waiting_times_are_durations);
    TEST(a_repo_is_made_once);
    cn_rt_os_free(rt);
    return test_end();
}
