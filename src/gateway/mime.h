/*
 * Media types of files: by the extension of the name, else by looking at the first bytes.
 */
#pragma once

#include "base/slice.h"

enum { CN_MIME_SNIFF_BYTES = 3072 };

/* The type for a name's extension (any case of letters), static; NULL if it says nothing. */
const char *cn_mime_of_name(cn_slice name);
/* The type that the first (up to CN_MIME_SNIFF_BYTES) bytes suggest, static; never NULL. */
const char *cn_mime_of_bytes(cn_slice head);
