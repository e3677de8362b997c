/*
 * What each thread works on; one way to end for the program, set before threads start.
 */
#include "rt/trap.h"

#include "base/mem.h"
#include "base/slice.h"

#include <stdatomic.h>
#include <stddef.h>

static _Thread_local const cn_trap *volatile working_on;
static cn_trap_end end_by;
static cn_trap traps[CN_TRAPS_MAX];
static atomic_bool taken[CN_TRAPS_MAX];

static void keep(char *to, const char *text)
{
    size_t len = cn_str(text).len;
    cn_copy(to, text, len);
    to[len] = '\0';
}

cn_trap *cn_trap_new(const char *path, const char *aside)
{
    aside = aside == NULL ? "" : aside;
    if (cn_str(path).len >= CN_TRAP_PATH_BYTES || cn_str(aside).len >= CN_TRAP_PATH_BYTES) {
        return NULL;
    }
    for (size_t i = 0; i < CN_TRAPS_MAX; i++) {
        if (!atomic_exchange(&taken[i], true)) {
            keep(traps[i].path, path);
            keep(traps[i].aside, aside);
            return &traps[i];
        }
    }
    return NULL;
}

void cn_trap_free(cn_trap *trap)
{
    if (trap != NULL) {
        atomic_store(&taken[trap - traps], false);
    }
}

void cn_trap_set(const cn_trap *trap)
{
    working_on = trap;
}

const cn_trap *cn_trap_now(void)
{
    return working_on;
}

void cn_trap_set_end(cn_trap_end end)
{
    end_by = end;
}

void cn_trap_fault(void)
{
    if (end_by != NULL && working_on != NULL) {
        end_by(working_on);
    }
}
