/*
 * SIGINT and SIGTERM ask the command to end; a second one ends the process. A closed pipe is an
 * error of the write, not a signal.
 */
#include "cli/cli.h"

#include <signal.h>

atomic_bool cn_cli_cancelled;

static void on_signal(int number)
{
    CN_UNUSED(number);
    atomic_store(&cn_cli_cancelled, true);
}

void cn_cli_signals(void)
{
    struct sigaction cancel = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &cancel, NULL);
    (void)sigaction(SIGTERM, &cancel, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}
