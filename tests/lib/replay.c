/*
 * Runs a fuzz target over each file of the folders given as arguments: one test a file. A folder
 * that is missing or empty is a failure, so that a target cannot lose its corpus unseen.
 */
#include "lib/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX_BYTES = 16 << 20, PATH_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char path[PATH_BYTES];

static void replay_one(void)
{
    FILE *f = fopen(path, "rb");
    if (!CHECK(f != NULL)) {
        return;
    }
    /* Exactly as many bytes as the file has, so that a read past the end is seen. */
    CHECK(fseek(f, 0, SEEK_END) == 0);
    long size = ftell(f);
    rewind(f);
    if (CHECK(size >= 0 && size <= INPUT_MAX_BYTES)) {
        uint8_t *data = cn_alloc(cn_mem_default(), (size_t)size);
        if (CHECK(data != NULL) && CHECK_EQ(fread(data, 1, (size_t)size, f), size)) {
            CHECK_EQ(LLVMFuzzerTestOneInput(data, (size_t)size), 0);
        }
        cn_free(cn_mem_default(), data);
    }
    (void)fclose(f);
}

static void folder_has_inputs(void)
{
    FAIL("the corpus folder is missing or empty");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int files = 0;
        DIR *dir = opendir(argv[i]);
        for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
            if (e->d_name[0] != '.') {
                (void)snprintf(path, sizeof path, "%.2000s/%.1000s", argv[i], e->d_name);
                test_run(path, replay_one);
                files++;
            }
        }
        if (dir != NULL) {
            (void)closedir(dir);
        }
        if (files == 0) {
            test_run(argv[i], folder_has_inputs);
        }
    }
    return test_end();
}
