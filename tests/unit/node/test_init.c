/*
 * Making a repo while operations on files fail: whatever `cn_init_repo` says is so. After an error
 * it can be made again, after none it is there.
 */
#include "node/init.h"

#include "lib/fault_rt.h"
#include "lib/test.h"
#include "rt_os/rt_os.h"

#include <stdio.h>
#include <sys/stat.h>

static cn_rt *rt;

static cn_init_options
options_for(cn_rt *world, const char *dir, const cn_identity *self, const cn_key *key)
{
    return (cn_init_options){
        .rt = world,
        .mem = cn_mem_default(),
        .repo_path = dir,
        .profiles = "test",
        .peer_id = self->peer_id,
        .key = key,
        .pid = 1,
        .command = "test",
    };
}

static void says_what_is(void)
{
    enum { OPERATIONS_MAX = 400 };
    cn_rt *world = fault_rt_new(rt);
    cn_identity self = {0};
    cn_peer_id id = {0};
    cn_key *key = NULL;
    char dir[160];
    unsigned n = 1;
    bool fired = true;
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    CHECK_OK(cn_peer_id_of_key(key, &id));
    CHECK_OK(cn_identity_of(&id, &self));
    for (; fired && n < OPERATIONS_MAX; n++) {
        cn_why why = {0};
        struct stat st;
        char config[192];
        (void)snprintf(dir, sizeof dir, "%.140s/repo", test_temp_dir());
        (void)snprintf(config, sizeof config, "%s/config", dir);
        const cn_init_options o = options_for(world, dir, &self, key);
        fault_rt_set(world, FAULT_ANY, n, CN_ERR_IO, false);
        cn_err err = cn_init_repo(&o, &why);
        fired = fault_rt_fired(world);
        fault_rt_set(world, FAULT_ANY, 0, CN_OK, false);
        if (err != CN_OK) {
            CHECK(why.text[0] != '\0');
            CHECK(stat(config, &st) != 0);
            err = cn_init_repo(&o, &why);
        }
        if (!CHECK_OK(err) || !CHECK_EQ(stat(config, &st), 0)) {
            printf("  operation %u: %s\n", n, why.text);
            break;
        }
        CHECK_ERR(cn_init_repo(&o, &why), CN_ERR_EXISTS);
    }
    CHECK(n > 20 && n < OPERATIONS_MAX);
    cn_key_free(key);
    fault_rt_free(world);
}

int main(void)
{
    if (cn_rt_os_new(1, &rt) != CN_OK) {
        return 1;
    }
    TEST(says_what_is);
    cn_rt_os_free(rt);
    return test_end();
}
