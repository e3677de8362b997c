/*
 * Standard input, with a hint for who sits before a terminal and waits.
 */
#include "cli/cli.h"

#include "rt_os/rt_os.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void cn_stdin_tell(cn_stdin *in)
{
    static const char hint[] = "ipfs: Reading from /dev/stdin; send Ctrl-d to stop.\n";
    struct stat st;
    if (!in->told && fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode)) {
        (void)!write(STDERR_FILENO, hint, sizeof hint - 1);
    }
    in->told = true;
}

static cn_err read_stdin(cn_input *input, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    cn_stdin_tell((cn_stdin *)input);
    ssize_t n = -1;
    do {
        n = read(STDIN_FILENO, data, len);
    } while (n < 0 && errno == EINTR && !atomic_load(&cn_cli_cancelled));
    if (n < 0) {
        return errno == EINTR ? CN_ERR_CANCELLED
                              : cn_why_set(
                                    why, cn_rt_os_err(errno), "read /dev/stdin: %s",
                                    cn_err_sentence(cn_rt_os_err(errno)));
    }
    *ret_len = (size_t)n;
    return CN_OK;
}

static const cn_input_ops stdin_ops = {.read = read_stdin};

void cn_stdin_init(cn_stdin *in)
{
    *in = (cn_stdin){.input = {&stdin_ops}};
}
