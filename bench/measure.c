/*
 * Runs a command and prints what it took: wall seconds, seconds of CPU, peak resident KiB, exit
 * status. A program of its own, because a child counts the memory of the process it was forked
 * from, and this one has next to none.
 *
 *     measure FILE COMMAND [ARG ...]      writes the figures to FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int status = 0;
    struct rusage used;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: measure FILE COMMAND [ARG ...]\n");
        return 2;
    }
    double started = now();
    pid_t child = vfork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) < 0) {
        perror("measure");
        return 2;
    }
    double wall = now() - started;
    FILE *f = fopen(argv[1], "w");
    if (f == NULL) {
        perror(argv[1]);
        return 2;
    }
    (void)fprintf(
        f, "%.6f %.6f %ld\n", wall, seconds(used.ru_utime) + seconds(used.ru_stime),
        used.ru_maxrss);
    (void)fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
