/*
 * JSON as a tree: read, changed in places, written again. Made for configuration files that other
 * programs edit too: members keep their order, numbers keep their digits (of any size), unknown
 * members stay. What Go's decoder takes is taken: duplicate names (the last counts), bytes that
 * are not UTF-8 (read as U+FFFD), text behind the first value where the caller allows it.
 *
 * All nodes live in a cn_json_doc and go with it; nodes are never freed one by one. Nothing here
 * recurses, so depth costs no stack.
 *
 * spec: RFC 8259
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

enum { CN_JSON_MAX_DEPTH = 10000 };

typedef enum cn_json_kind {
    CN_JSON_NULL,
    CN_JSON_BOOL,
    CN_JSON_NUMBER,
    CN_JSON_STRING,
    CN_JSON_ARRAY,
    CN_JSON_OBJECT,
} cn_json_kind;

/* One value. Read the fields freely; change the tree through the functions only. */
typedef struct cn_json cn_json;
struct cn_json {
    cn_json_kind kind;
    bool truth;      /* of a BOOL */
    cn_slice text;   /* of a STRING (UTF-8, may hold NUL); of a NUMBER its digits as written */
    cn_slice key;    /* the name, where the parent is an object */
    cn_json *parent; /* NULL at the root */
    cn_json *next;   /* the following member or element */
    cn_json *first;  /* of an ARRAY or OBJECT */
    cn_json *last;   /* the same */
    size_t len;      /* members or elements */
};

typedef struct cn_json_chunk cn_json_chunk;

typedef struct cn_json_doc {
    cn_mem *mem;
    size_t max_bytes;  /* bound of what the nodes and their text take */
    size_t used_bytes; /* taken so far */
    cn_json_chunk *chunks;
} cn_json_doc;

/* An empty document of at most `max_bytes`. Takes no memory yet. */
void cn_json_doc_init(cn_json_doc *d, cn_mem *mem, size_t max_bytes);
/* Give back all nodes. Accepts a zeroed document. */
void cn_json_doc_release(cn_json_doc *d);

typedef enum cn_json_end {
    CN_JSON_WHOLE, /* only space may follow the value */
    CN_JSON_FIRST, /* read one value, whatever follows */
} cn_json_end;

/*
 * Read a value; `text` is not kept. `why` gets Go's sentence ("invalid character 'h' looking for
 * beginning of value"). Errors: MALFORMED, TRUNCATED ("unexpected end of JSON input"; for FIRST
 * "unexpected EOF", or "EOF" if there was nothing but space), TOO_DEEP, TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_json_parse(cn_json_doc *d, cn_slice text, cn_json_end end, cn_json **ret, cn_why *why);

/* The last member of that name, or NULL; also if `object` is NULL or no object. */
cn_json *cn_json_get(const cn_json *object, cn_slice key);
/* The same without regard to ASCII case; an exact name is preferred. */
cn_json *cn_json_get_fold(const cn_json *object, cn_slice key);

/* New values without a parent. Text is copied. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_json_new(cn_json_doc *d, cn_json_kind kind, cn_json **ret);
CN_MUST_USE cn_err cn_json_new_string(cn_json_doc *d, cn_slice text, cn_json **ret);
CN_MUST_USE cn_err cn_json_new_number(cn_json_doc *d, int64_t number, cn_json **ret);
CN_MUST_USE cn_err cn_json_new_bool(cn_json_doc *d, bool truth, cn_json **ret);
/* A deep copy, without a parent; `from` may be of another document. */
CN_MUST_USE cn_err cn_json_copy(cn_json_doc *d, const cn_json *from, cn_json **ret);

/* Put `value` (without a parent) at the end of an array. */
void cn_json_append(cn_json *array, cn_json *value);
/* Set a member: in the old one's place, else at the end. The key is copied. */
CN_MUST_USE cn_err cn_json_set(cn_json_doc *d, cn_json *object, cn_slice key, cn_json *value);
/* Take all members of that name out; says whether there was one. */
bool cn_json_remove(cn_json *object, cn_slice key);

/* Order the members of all objects below by name, as Go writes maps; of duplicates the last stays.
 */
void cn_json_sort(cn_json *root);

enum {
    CN_JSON_INDENT = 1,     /* two spaces a level, as Go's MarshalIndent; else no spaces at all */
    CN_JSON_GO_NUMBERS = 2, /* numbers with a point or exponent as Go writes a float64 */
};

/*
 * Append the text. <, > and & are written as \u003c, \u003e, \u0026 (and U+2028, U+2029 likewise),
 * as Go does. Errors: those of the buffer.
 */
CN_MUST_USE cn_err cn_json_dump(const cn_json *root, unsigned flags, cn_buf *out);

/* Append one string with its quotes and escapes. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_json_dump_string(cn_slice text, cn_buf *out);

/* The number as an integer: digits only. Errors: MALFORMED (point or exponent), TOO_LARGE. */
CN_MUST_USE cn_err cn_json_i64(const cn_json *number, int64_t *ret);
