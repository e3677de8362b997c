/*
 * One table of functions, filled once and never closed.
 */
#include "rt_os/net_cares.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <threads.h>

#define SONAME "libcares.so.2"

static cn_libcares functions;
static bool opened;
static bool ready;
static const char *missing; /* the function that was not found */
static once_flag once = ONCE_FLAG_INIT;

static void open_once(void)
{
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return;
    }
    void *found = NULL;
#define CN_CARES_FIND(result, name, arguments)                                                     \
    found = dlsym(library, #name);                                                                 \
    if (found == NULL) {                                                                           \
        missing = #name;                                                                           \
        return;                                                                                    \
    }                                                                                              \
    cn_copy(&functions.name, &found, sizeof found);
    CN_CARES_FUNCTIONS(CN_CARES_FIND)
#undef CN_CARES_FIND
    ready = functions.ares_library_init(0) == CN_CARES_OK;
    opened = true;
}

cn_err cn_libcares_open(const cn_libcares **ret, cn_why *why)
{
    call_once(&once, open_once);
    if (opened && ready) {
        *ret = &functions;
        return CN_OK;
    }
    if (opened) {
        return cn_why_set(why, CN_ERR_NO_MEMORY, "%s could not be readied; start again", SONAME);
    }
    if (missing != NULL) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "%s lacks %s; c-ares 1.16 or later is needed", SONAME,
            missing);
    }
    return cn_why_set(
        why, CN_ERR_UNSUPPORTED,
        "%s is not installed, so names cannot be resolved; Debian's package is libc-ares2", SONAME);
}
