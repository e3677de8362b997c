/*
 * SIGINT and SIGTERM ask the command to end; a second one ends the process. A closed pipe is an
 * error of the write, not a signal. A fault while a library reads a damaged file of ours ends the
 * command with a sentence, see rt/trap.h; any other fault goes its usual way.
 */
#include "cli/cli.h"

#include "rt/trap.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

atomic_bool cn_cli_cancelled;

static void on_signal(int number)
{
    CN_UNUSED(number);
    atomic_store(&cn_cli_cancelled, true);
}

static struct sigaction before[2]; /* of SIGSEGV, SIGBUS */

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, cn_str(text).len);
}

/* Only what a signal handler may call. */
static void end_for_damage(const cn_trap *trap)
{
    bool moved = trap->aside[0] != '\0' && rename(trap->path, trap->aside) == 0;
    say("Error: ");
    say(trap->path);
    say(moved ? " is damaged; the next command makes it anew\n" : " is damaged\n");
    _exit(1);
}

static void on_fault(int number)
{
    const cn_trap *trap = cn_trap_now();
    if (trap != NULL) {
        end_for_damage(trap);
    }
    /* comes again at once, for whoever was there before us */
    (void)sigaction(number, &before[number == SIGBUS], NULL);
}

void cn_cli_signals(void)
{
    struct sigaction fault = {.sa_handler = on_fault};
    struct sigaction cancel = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &cancel, NULL);
    (void)sigaction(SIGTERM, &cancel, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGSEGV, &fault, &before[0]);
    (void)sigaction(SIGBUS, &fault, &before[1]);
    cn_trap_set_end(end_for_damage);
}
