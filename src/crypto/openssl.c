/*
 * Two tables of functions, each filled once. They are never closed: libcrypto does not like to be.
 */
#include "crypto/openssl.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <threads.h>

#define SONAME "libcrypto.so.3"
#define SONAME_SSL "libssl.so.3"

/* What became of opening one of them. */
typedef struct library {
    const char *name;
    const char *missing; /* the function that was not found */
    bool opened;
    bool ready;
} library;

static cn_openssl functions;
static cn_libssl ssl_functions;
static library crypto = {.name = SONAME};
static library ssl = {.name = SONAME_SSL};
static once_flag once = ONCE_FLAG_INIT;
static once_flag ssl_once = ONCE_FLAG_INIT;

/* One function's place in `table` is filled; false: it is not there. */
static bool find(library *l, void *handle, const char *name, void *place)
{
    void *found = dlsym(handle, name);
    if (found == NULL) {
        l->missing = name;
        return false;
    }
    cn_copy(place, &found, sizeof found);
    return true;
}

static void open_once(void)
{
    void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        return;
    }
#define CN_OPENSSL_FIND(result, name, arguments)                                                   \
    if (!find(&crypto, handle, #name, &functions.name)) {                                          \
        return;                                                                                    \
    }
    CN_OPENSSL_FUNCTIONS(CN_OPENSSL_FIND)
#undef CN_OPENSSL_FIND
    /* it readies itself at the first call else, and reads through null where that failed */
    crypto.ready = functions.OPENSSL_init_crypto(0, NULL) == 1 &&
                   functions.OSSL_LIB_CTX_get0_global_default() != NULL;
    crypto.opened = true;
}

static void open_ssl_once(void)
{
    void *handle = dlopen(SONAME_SSL, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        return;
    }
#define CN_OPENSSL_FIND(result, name, arguments)                                                   \
    if (!find(&ssl, handle, #name, &ssl_functions.name)) {                                         \
        return;                                                                                    \
    }
    CN_LIBSSL_FUNCTIONS(CN_OPENSSL_FIND)
#undef CN_OPENSSL_FIND
    ssl.ready = ssl_functions.OPENSSL_init_ssl(0, NULL) == 1;
    ssl.opened = true;
}

/* OK, or what is wrong with it. */
static cn_err state_of(const library *l, cn_why *why)
{
    if (l->opened && l->ready) {
        return CN_OK;
    }
    if (l->opened) {
        return cn_why_set(
            why, CN_ERR_NO_MEMORY, "%s could not be readied: out of memory; start again", l->name);
    }
    if (l->missing != NULL) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "%s lacks %s; OpenSSL 3.0 or later is needed", l->name,
            l->missing);
    }
    return cn_why_set(
        why, CN_ERR_UNSUPPORTED, "%s (OpenSSL 3) is not installed; Debian's package is libssl3",
        l->name);
}

cn_err cn_openssl_open(const cn_openssl **ret, cn_why *why)
{
    call_once(&once, open_once);
    cn_err err = state_of(&crypto, why);
    if (err == CN_OK) {
        *ret = &functions;
    }
    return err;
}

cn_err cn_libssl_open(const cn_libssl **ret, cn_why *why)
{
    const cn_openssl *below = NULL;
    cn_err err = cn_openssl_open(&below, why);
    if (err == CN_OK) {
        call_once(&ssl_once, open_ssl_once);
        err = state_of(&ssl, why);
    }
    if (err == CN_OK) {
        *ret = &ssl_functions;
    }
    return err;
}
