/*
 * Keep a file in a repo and read it back, with nothing but the public C API.
 *
 *     keep REPO FILE      adds FILE, prints its CID, and checks that what comes back is the same
 */
#include "cairn/repo.h"

#include <stdio.h>
#include <string.h>

static cairn_result read_file(void *ctx, void *data, size_t cap, size_t *ret_len)
{
    FILE *f = ctx;
    *ret_len = fread(data, 1, cap, f);
    return ferror(f) ? CAIRN_ERROR_DISK : CAIRN_OK;
}

/* Does the content of `cid` equal the file? Prints what is wrong. */
static int same_as_file(cairn_repo *repo, const char *cid, FILE *f)
{
    cairn_message message = {""};
    cairn_reader *reader = NULL;
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    wait.timeout_ns = 30000000000;
    cairn_result result = cairn_cat(repo, cid, NULL, &wait, &reader, &message);
    int same = 1;
    rewind(f);
    while (result == CAIRN_OK && same) {
        static char piece[4096];
        const char *data = NULL;
        size_t len = 0;
        const void *given = NULL;
        result = cairn_reader_next(reader, &given, &len, &message);
        if (result != CAIRN_OK || len == 0) {
            same = same && (result != CAIRN_OK || fgetc(f) == EOF);
            break;
        }
        data = given;
        for (size_t done = 0; done < len && same;) {
            size_t want = len - done < sizeof piece ? len - done : sizeof piece;
            same = fread(piece, 1, want, f) == want && memcmp(piece, data + done, want) == 0;
            done += want;
        }
    }
    cairn_reader_close(reader);
    if (result != CAIRN_OK) {
        fprintf(stderr, "keep: %s\n", message.text);
    }
    return result == CAIRN_OK && same;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: keep REPO FILE\n");
        return 2;
    }
    cairn_message message = {""};
    cairn_repo *repo = NULL;
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    options.path = argv[1];
    options.create = 1;
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    int good = 0;
    FILE *f = fopen(argv[2], "rb");
    if (f == NULL) {
        fprintf(stderr, "keep: cannot open %s\n", argv[2]);
        return 1;
    }
    if (cairn_repo_open(&options, NULL, &repo, &message) != CAIRN_OK ||
        cairn_add(repo, NULL, read_file, f, NULL, cid, &message) != CAIRN_OK) {
        fprintf(stderr, "keep: %s\n", message.text);
    } else {
        good = same_as_file(repo, cid, f);
        printf("%s\n", cid);
    }
    if (cairn_repo_close(repo, &message) != CAIRN_OK) {
        fprintf(stderr, "keep: %s\n", message.text);
        good = 0;
    }
    fclose(f);
    return good ? 0 : 1;
}
