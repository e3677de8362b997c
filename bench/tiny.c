/*
 * Makes a tree of tiny files, each with its own content (its number), so that each is a block of
 * its own. A program, because a million files take Python most of a minute.
 *
 *     tiny DIR FOLDERS FILES      FILES in each of FOLDERS; FOLDERS 0: FILES straight in DIR
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(2);
    }
}

/* FILES files in the folder `at`, numbered from `first`. */
static void fill(int at, unsigned long first, unsigned long files)
{
    char text[64];
    for (unsigned long i = first; i < first + files; i++) {
        int len = snprintf(text, sizeof text, "file-%08lu.txt", i);
        int file = openat(at, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        must(file, text);
        must((int)write(file, text, (size_t)len), text);
        must(close(file), text);
    }
}

int main(int argc, char **argv)
{
    char name[32];
    if (argc != 4) {
        (void)fprintf(stderr, "usage: tiny DIR FOLDERS FILES\n");
        return 2;
    }
    unsigned long folders = strtoul(argv[2], NULL, 10);
    unsigned long files = strtoul(argv[3], NULL, 10);
    must(mkdir(argv[1], 0755), argv[1]);
    int root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(root, argv[1]);
    if (folders == 0) {
        fill(root, 0, files);
    }
    for (unsigned long d = 0; d < folders; d++) {
        (void)snprintf(name, sizeof name, "folder-%06lu", d);
        must(mkdirat(root, name, 0755), name);
        int at = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(at, name);
        fill(at, d * files, files);
        must(close(at), name);
    }
    return 0;
}
