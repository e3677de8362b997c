/* Help and completion are made from the table for every command. */
#include "cmd/help.h"
#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>

static bool contains(cn_slice all, const char *part)
{
    for (size_t i = 0; i < all.len; i++) {
        if (cn_slice_starts(cn_slice_skip(all, i), cn_str(part))) {
            return true;
        }
    }
    return false;
}

static void each_command_has_a_page(void)
{
    size_t position = 0;
    for (const cn_command *c = &cn_command_root; c != NULL; c = cn_command_next(&position)) {
        cn_buf page;
        cn_buf_init(&page, cn_mem_default(), 1 << 20);
        CHECK_OK(cn_help(c, "cairn", true, &page));
        CHECK(cn_slice_starts(cn_buf_slice(&page), cn_str("USAGE\n  cairn")));
        for (const cn_opt *o = c->opts; o != NULL && o->name != NULL; o++) {
            CHECK(o->help == NULL || contains(cn_buf_slice(&page), o->name));
        }
        cn_buf_reset(&page);
        CHECK_OK(cn_help(c, "ipfs", false, &page));
        cn_buf_release(&page);
    }
}

static void the_bash_script_is_bash(void)
{
    const char *folder = test_temp_dir();
    char path[512];
    char command[1024];
    cn_buf script;
    cn_buf_init(&script, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_completion_bash("cairn", &script));
    CHECK(contains(cn_buf_slice(&script), "'pin/ls')"));
    (void)snprintf(path, sizeof path, "%s/c.bash", folder);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    if (f != NULL) {
        CHECK_EQ(fwrite(script.data, 1, script.len, f), script.len);
        CHECK_EQ(fclose(f), 0);
        (void)snprintf(command, sizeof command, "bash -n '%s'", path);
        CHECK_EQ(system(command), 0);
        (void)snprintf(
            command, sizeof command,
            "bash -c 'source %s; COMP_WORDS=(cairn pin \"\"); COMP_CWORD=2; _cairn; "
            "[[ \" ${COMPREPLY[*]} \" == *\" ls \"* ]]'",
            path);
        CHECK_EQ(system(command), 0);
    }
    cn_buf_release(&script);
}

static cn_err make_all(cn_mem *mem)
{
    cn_buf out;
    cn_buf_init(&out, mem, 1 << 20);
    cn_err err = cn_help(&cn_command_root, "cairn", true, &out);
    if (err == CN_OK) {
        err = cn_completion_fish("cairn", &out);
    }
    if (err == CN_OK) {
        err = cn_completion_zsh("cairn", &out);
    }
    cn_buf_release(&out);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(make_all);
}

int main(void)
{
    TEST(each_command_has_a_page);
    TEST(the_bash_script_is_bash);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
