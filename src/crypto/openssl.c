/*
 * One table of functions, filled once. It is never closed: libcrypto does not like to be.
 */
#include "crypto/openssl.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <threads.h>

#define SONAME "libcrypto.so.3"

static cn_openssl functions;
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
#define CN_OPENSSL_FIND(result, name, arguments)                                                   \
    found = dlsym(library, #name);                                                                 \
    if (found == NULL) {                                                                           \
        missing = #name;                                                                           \
        return;                                                                                    \
    }                                                                                              \
    cn_copy(&functions.name, &found, sizeof found);
    CN_OPENSSL_FUNCTIONS(CN_OPENSSL_FIND)
#undef CN_OPENSSL_FIND
    /* it readies itself at the first call else, and reads through null where that failed */
    ready = functions.OPENSSL_init_crypto(0, NULL) == 1 &&
            functions.OSSL_LIB_CTX_get0_global_default() != NULL;
    opened = true;
}

cn_err cn_openssl_open(const cn_openssl **ret, cn_why *why)
{
    call_once(&once, open_once);
    if (opened && ready) {
        *ret = &functions;
        return CN_OK;
    }
    if (opened) {
        return cn_why_set(
            why, CN_ERR_NO_MEMORY, "%s could not be readied: out of memory; start again", SONAME);
    }
    if (missing != NULL) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "%s lacks %s; OpenSSL 3.0 or later is needed", SONAME,
            missing);
    }
    return cn_why_set(
        why, CN_ERR_UNSUPPORTED, "%s (OpenSSL 3) is not installed; Debian's package is libssl3",
        SONAME);
}
