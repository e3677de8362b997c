/*
 * The types of the configuration's keys, as facts about Kubo 0.43: which sections there are, in
 * which order they are written, what may stand where, what an absent key is written as.
 */
#pragma once

#include "codec/json.h"

typedef enum cn_schema_kind {
    CN_SCHEMA_ANY,
    CN_SCHEMA_STRING,
    CN_SCHEMA_BOOL,
    CN_SCHEMA_INTEGER,
    CN_SCHEMA_FLAG,     /* null, true or false */
    CN_SCHEMA_PRIORITY, /* null, false or a number above 0 */
    CN_SCHEMA_STRINGS,  /* one string or a list */
    CN_SCHEMA_OPT_INTEGER,
    CN_SCHEMA_OPT_STRING,
    CN_SCHEMA_OPT_BYTES, /* a number or a size such as "256KiB" */
    CN_SCHEMA_OPT_DURATION,
    CN_SCHEMA_SERVICE_MODE, /* AutoNAT: "", enabled, disabled, legacy-v1 */
    CN_SCHEMA_REMOVED,      /* only {} may stand there (or false, where allow_false) */
    CN_SCHEMA_LIST,
    CN_SCHEMA_MAP,
    CN_SCHEMA_STRUCT,
} cn_schema_kind;

typedef struct cn_schema cn_schema;

typedef struct cn_schema_field {
    const char *name;
    const cn_schema *type;
    bool omit;    /* not written when it has its zero value */
    bool pointer; /* null is a value of its own */
} cn_schema_field;

struct cn_schema {
    cn_schema_kind kind;
    const char *go_type;      /* as Go's messages name it */
    const char *name;         /* of a STRUCT: its own name; of a REMOVED: what to do */
    const cn_schema *element; /* of a LIST or MAP */
    bool element_pointer;
    bool allow_false;
    const cn_schema_field *fields; /* of a STRUCT */
    size_t fields_len;
};

/* The whole configuration. */
extern const cn_schema cn_schema_config;

/*
 * Does `value` (NULL: absent) fit `schema`? If not, `why` gets Go's sentence about the first that
 * does not: "json: cannot unmarshal string into Go struct field Addresses.Addresses.API of type
 * int". Errors: WRONG_TYPE, MALFORMED (sizes, durations).
 */
CN_MUST_USE cn_err cn_schema_check(const cn_schema *schema, const cn_json *value, cn_why *why);

/*
 * What Kubo writes after reading `value` (NULL: absent) into its structs: known keys only, in
 * their order, with the zero values of those absent. `value` must have passed cn_schema_check.
 * Errors: TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_schema_shape(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret);

/*
 * May a dotted key be set? `why`: "Foo not found", "Addresses.API key is not a map".
 * Errors: NOT_FOUND, WRONG_TYPE.
 */
CN_MUST_USE cn_err cn_schema_check_key(cn_slice key, cn_why *why);
