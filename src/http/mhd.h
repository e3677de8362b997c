/*
 * libmicrohttpd, opened on first use: commands that serve nothing do not pay for loading it and
 * what it brings along.
 */
#pragma once

#include "base/why.h"

#include <microhttpd.h>

/* The functions used, by the names they have in microhttpd.h without the prefix. */
#define CN_MHD_LIST(X)                                                                             \
    X(add_response_footer)                                                                         \
    X(add_response_header)                                                                         \
    X(create_response_from_buffer)                                                                 \
    X(create_response_from_callback)                                                               \
    X(destroy_response)                                                                            \
    X(get_connection_info)                                                                         \
    X(get_connection_values)                                                                       \
    X(lookup_connection_value)                                                                     \
    X(queue_response)                                                                              \
    X(resume_connection)                                                                           \
    X(set_connection_option)                                                                       \
    X(start_daemon)                                                                                \
    X(stop_daemon)                                                                                 \
    X(suspend_connection)

typedef struct cn_mhd {
#define CN_MHD_FIELD(name) __typeof__(&MHD_##name) name;
    CN_MHD_LIST(CN_MHD_FIELD)
#undef CN_MHD_FIELD
} cn_mhd;

/*
 * Load the library (once; any thread). The table stays for the life of the process. Errors:
 * UNSUPPORTED with a sentence that names the package to install.
 */
CN_MUST_USE cn_err cn_mhd_load(const cn_mhd **ret, cn_why *why);
