/*
 * The table of libmicrohttpd's functions, filled by dlopen and dlsym once per process.
 */
#include "http/mhd.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <pthread.h>

static cn_mhd table;
static cn_why failure;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A function pointer from dlsym, by way of bytes: C has no cast between the two kinds. */
static bool find(void *library, const char *name, void *ret_function)
{
    void *symbol = dlsym(library, name);
    cn_copy(ret_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void)
{
    const char *soname = "libmicrohttpd.so.12";
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)cn_why_set(
            &failure, CN_ERR_UNSUPPORTED,
            "cannot load %s, which serves HTTP; install the package libmicrohttpd12", soname);
        return;
    }
    bool good = true;
#define FIND(name) good = good && find(library, "MHD_" #name, &table.name);
    CN_MHD_LIST(FIND)
#undef FIND
    if (!good) {
        (void)cn_why_set(
            &failure, CN_ERR_UNSUPPORTED, "%s is too old; version 0.9.75 is needed", soname);
        return;
    }
    loaded = true;
}

cn_err cn_mhd_load(const cn_mhd **ret, cn_why *why)
{
    CN_ASSERT(pthread_once(&once, load) == 0);
    if (!loaded) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "%s", failure.text);
    }
    *ret = &table;
    return CN_OK;
}
