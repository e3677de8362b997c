/*
 * What the tests of dag-cbor and dag-json share: the pairs of files of ipld/codec-fixtures.
 */
#pragma once

#include "ipld/links.h"
#include "lib/test.h"

#include <dirent.h>
#include <stdio.h>

enum { FIXTURE_NAME_BYTES = 512, FIXTURE_LINKS_MAX = 64 };

/* The file in the fixture folder `name` whose name ends with `ending`; false if there is none. */
static inline bool codec_file(const char *name, const char *ending, cn_buf *ret)
{
    char path[FIXTURE_NAME_BYTES];
    char found[FIXTURE_NAME_BYTES] = "";
    (void)snprintf(
        path, sizeof path, "%.200s/ipld-codec-fixtures/fixtures/%.200s", test_fixture_dir(), name);
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (cn_slice_ends(cn_str(e->d_name), cn_str(ending))) {
            (void)snprintf(
                found, sizeof found, "ipld-codec-fixtures/fixtures/%.200s/%.200s", name, e->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return found[0] != '\0' && test_fixture(found, ret);
}

/* All links of a block that must be good, in their order; returns how many. */
static inline size_t codec_links(uint64_t codec, cn_slice block, cn_cid ret[FIXTURE_LINKS_MAX])
{
    cn_links links = {0};
    cn_link link = {0};
    cn_why why = {0};
    size_t len = 0;
    bool have = true;
    if (!CHECK_OK(cn_links_open(codec, block, &links, &why))) {
        printf("  %s\n", why.text);
        return 0;
    }
    while (CHECK_OK(cn_links_next(&links, &link, &have)) && have && len < FIXTURE_LINKS_MAX) {
        ret[len++] = link.cid;
    }
    return len;
}

/* Run `check` for each folder of the fixtures; returns how many. */
static inline size_t codec_folders(void (*check)(const char *name))
{
    char path[FIXTURE_NAME_BYTES];
    size_t count = 0;
    const char *fixtures = test_fixture_dir();
    if (fixtures == NULL) {
        return SIZE_MAX;
    }
    (void)snprintf(path, sizeof path, "%.200s/ipld-codec-fixtures/fixtures", fixtures);
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] != '.') {
            check(e->d_name);
            count++;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return count;
}
