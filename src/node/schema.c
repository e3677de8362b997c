/*
 * Checking and shaping by the table. Recursion follows the table, whose depth is fixed, never the
 * data. Where the table says ANY, the data is copied as it is.
 */
#include "node/schema.h"

#include "node/config.h"

#include <stdio.h>

enum { PATH_BYTES = 256 };

/* Where the check is: the innermost struct's name and the names of the fields down to it. */
typedef struct place {
    const char *name;
    char path[PATH_BYTES];
    cn_why *why;
} place;

static const char *kind_name(const cn_json *value)
{
    switch (value->kind) {
    case CN_JSON_NULL:
        return "null";
    case CN_JSON_BOOL:
        return "bool";
    case CN_JSON_NUMBER:
        return "number";
    case CN_JSON_STRING:
        return "string";
    case CN_JSON_ARRAY:
        return "array";
    case CN_JSON_OBJECT:
        return "object";
    }
    return "value";
}

static cn_err wrong_type(const place *p, const cn_schema *schema, const cn_json *value)
{
    /* Go shows a number's digits where a number was wanted. */
    bool digits = value->kind == CN_JSON_NUMBER &&
                  (schema->kind == CN_SCHEMA_INTEGER || schema->kind == CN_SCHEMA_OPT_INTEGER ||
                   schema->kind == CN_SCHEMA_PRIORITY);
    int len = digits ? (int)CN_MIN(value->text.len, (size_t)60) : 0;
    char what[96];
    (void)snprintf(
        what, sizeof what, "%s%s%.*s", kind_name(value), digits ? " " : "", len,
        len == 0 ? "" : (const char *)value->text.data);
    if (p->path[0] == '\0') {
        return cn_why_set(
            p->why, CN_ERR_WRONG_TYPE, "json: cannot unmarshal %s into Go value of type %s", what,
            schema->go_type);
    }
    return cn_why_set(
        p->why, CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal %s into Go struct field %s.%s of type %s", what, p->name, p->path,
        schema->go_type);
}

static const cn_schema_field *find_field(const cn_schema *schema, cn_slice key)
{
    const cn_schema_field *found = NULL;
    for (size_t i = 0; i < schema->fields_len; i++) {
        cn_slice name = cn_str(schema->fields[i].name);
        if (cn_slice_eq(name, key)) {
            return &schema->fields[i];
        }
        bool same = name.len == key.len;
        for (size_t k = 0; same && k < key.len; k++) {
            same = ((name.data[k] ^ key.data[k]) & ~0x20) == 0;
        }
        found = same ? &schema->fields[i] : found;
    }
    return found;
}

static cn_err check(const cn_schema *schema, const cn_json *value, place *p);

static cn_err check_struct(const cn_schema *schema, const cn_json *value, place *p)
{
    if (value->kind != CN_JSON_OBJECT) {
        return wrong_type(p, schema, value);
    }
    const char *outer = p->name;
    size_t len = strlen(p->path);
    for (const cn_json *m = value->first; m != NULL; m = m->next) {
        const cn_schema_field *field = find_field(schema, m->key);
        if (field == NULL) {
            continue;
        }
        p->name = schema->name;
        (void)snprintf(
            p->path + len, sizeof p->path - len, "%s%s", len == 0 ? "" : ".", field->name);
        cn_err err = check(field->type, m, p);
        p->path[len] = '\0';
        p->name = outer;
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

static cn_err check_elements(const cn_schema *schema, const cn_json *value, place *p)
{
    cn_json_kind wanted = schema->kind == CN_SCHEMA_LIST ? CN_JSON_ARRAY : CN_JSON_OBJECT;
    if (value->kind != wanted) {
        return wrong_type(p, schema, value);
    }
    for (const cn_json *m = value->first; m != NULL; m = m->next) {
        cn_err err = check(schema->element, m, p);
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

static cn_err check_number(const cn_schema *schema, const cn_json *value, place *p)
{
    int64_t number = 0;
    bool good = value->kind == CN_JSON_NUMBER && cn_json_i64(value, &number) == CN_OK;
    if (good && schema->kind == CN_SCHEMA_PRIORITY && number <= 0) {
        return cn_why_set(
            p->why, CN_ERR_WRONG_TYPE, "priority must be positive: %lld <= 0", (long long)number);
    }
    return good ? CN_OK : wrong_type(p, schema, value);
}

static cn_err check_flag(const cn_schema *schema, const cn_json *value, place *p)
{
    if (value->kind == CN_JSON_BOOL) {
        bool wrong = schema->kind == CN_SCHEMA_PRIORITY && value->truth;
        return wrong ? cn_why_set(p->why, CN_ERR_WRONG_TYPE, "'true' is not a valid priority")
                     : CN_OK;
    }
    if (schema->kind == CN_SCHEMA_PRIORITY) {
        return check_number(schema, value, p);
    }
    bool text = value->kind == CN_JSON_STRING;
    return cn_why_set(
        p->why, CN_ERR_WRONG_TYPE,
        "failed to unmarshal \"%s%.*s%s\" into a flag: must be null/undefined, true, or false",
        text ? "\\\"" : "", (int)CN_MIN(value->text.len, (size_t)60),
        value->text.len == 0 ? "" : (const char *)value->text.data, text ? "\\\"" : "");
}

static bool is_default_duration(cn_slice text)
{
    return text.len == 0 || cn_slice_is(text, "null") || cn_slice_is(text, "default");
}

static cn_err check_measure(const cn_schema *schema, const cn_json *value, place *p)
{
    uint64_t bytes = 0;
    int64_t ns = 0;
    bool text = value->kind == CN_JSON_STRING;
    if (schema->kind == CN_SCHEMA_OPT_BYTES && value->kind == CN_JSON_NUMBER) {
        return CN_OK;
    }
    if (schema->kind == CN_SCHEMA_OPT_DURATION && value->kind == CN_JSON_NUMBER) {
        return cn_duration_parse(value->text, &ns, p->why);
    }
    if (!text) {
        return wrong_type(p, schema, value);
    }
    if (schema->kind == CN_SCHEMA_OPT_BYTES) {
        return cn_size_parse(value->text, &bytes, p->why);
    }
    return is_default_duration(value->text) ? CN_OK : cn_duration_parse(value->text, &ns, p->why);
}

static cn_err check_removed(const cn_schema *schema, const cn_json *value, place *p)
{
    bool good = (value->kind == CN_JSON_OBJECT && value->len == 0) ||
                (schema->allow_false && value->kind == CN_JSON_BOOL && !value->truth);
    return good ? CN_OK : cn_why_set(p->why, CN_ERR_WRONG_TYPE, "%s", schema->name);
}

static cn_err check_service_mode(const cn_schema *schema, const cn_json *value, place *p)
{
    static const char *const modes[] = {"", "enabled", "disabled", "legacy-v1"};
    if (value->kind != CN_JSON_STRING) {
        return wrong_type(p, schema, value);
    }
    for (size_t i = 0; i < CN_LEN(modes); i++) {
        if (cn_slice_is(value->text, modes[i])) {
            return CN_OK;
        }
    }
    return cn_why_set(
        p->why, CN_ERR_WRONG_TYPE, "unknown autonat mode: %.*s",
        (int)CN_MIN(value->text.len, (size_t)60), (const char *)value->text.data);
}

static cn_err check_strings(const cn_schema *schema, const cn_json *value, place *p)
{
    cn_err err = CN_OK;
    if (value->kind != CN_JSON_ARRAY) {
        return value->kind == CN_JSON_STRING ? CN_OK : wrong_type(p, schema, value);
    }
    for (const cn_json *m = value->first; err == CN_OK && m != NULL; m = m->next) {
        bool good = m->kind == CN_JSON_STRING || m->kind == CN_JSON_NULL;
        err = good ? CN_OK : wrong_type(p, schema, m);
    }
    return err;
}

static cn_err check(const cn_schema *schema, const cn_json *value, place *p)
{
    if (value->kind == CN_JSON_NULL) {
        return CN_OK;
    }
    switch (schema->kind) {
    case CN_SCHEMA_ANY:
        return CN_OK;
    case CN_SCHEMA_STRING:
    case CN_SCHEMA_OPT_STRING:
        return value->kind == CN_JSON_STRING ? CN_OK : wrong_type(p, schema, value);
    case CN_SCHEMA_BOOL:
        return value->kind == CN_JSON_BOOL ? CN_OK : wrong_type(p, schema, value);
    case CN_SCHEMA_INTEGER:
    case CN_SCHEMA_OPT_INTEGER:
        return check_number(schema, value, p);
    case CN_SCHEMA_FLAG:
    case CN_SCHEMA_PRIORITY:
        return check_flag(schema, value, p);
    case CN_SCHEMA_STRINGS:
        return check_strings(schema, value, p);
    case CN_SCHEMA_OPT_BYTES:
    case CN_SCHEMA_OPT_DURATION:
        return check_measure(schema, value, p);
    case CN_SCHEMA_SERVICE_MODE:
        return check_service_mode(schema, value, p);
    case CN_SCHEMA_REMOVED:
        return check_removed(schema, value, p);
    case CN_SCHEMA_LIST:
    case CN_SCHEMA_MAP:
        return check_elements(schema, value, p);
    case CN_SCHEMA_STRUCT:
        return check_struct(schema, value, p);
    }
    return CN_ERR_BUG;
}

cn_err cn_schema_check(const cn_schema *schema, const cn_json *value, cn_why *why)
{
    place p = {.name = "", .why = why};
    return value == NULL ? CN_OK : check(schema, value, &p);
}

/* Does a key go on below this type, and with which type? */
static cn_err step_into(const cn_schema **at, cn_slice part)
{
    const cn_schema *schema = *at;
    switch (schema->kind) {
    case CN_SCHEMA_ANY:
        return CN_OK;
    case CN_SCHEMA_MAP:
        *at = schema->element;
        return CN_OK;
    case CN_SCHEMA_STRUCT:
        for (size_t i = 0; i < schema->fields_len; i++) {
            if (cn_slice_is(part, schema->fields[i].name)) {
                *at = schema->fields[i].type;
                return CN_OK;
            }
        }
        return CN_ERR_NOT_FOUND;
    case CN_SCHEMA_OPT_INTEGER:
    case CN_SCHEMA_OPT_STRING:
    case CN_SCHEMA_OPT_BYTES:
    case CN_SCHEMA_OPT_DURATION:
        return CN_ERR_NOT_FOUND;
    case CN_SCHEMA_STRING:
    case CN_SCHEMA_BOOL:
    case CN_SCHEMA_INTEGER:
    case CN_SCHEMA_FLAG:
    case CN_SCHEMA_PRIORITY:
    case CN_SCHEMA_STRINGS:
    case CN_SCHEMA_SERVICE_MODE:
    case CN_SCHEMA_REMOVED:
    case CN_SCHEMA_LIST:
        break;
    }
    return CN_ERR_WRONG_TYPE;
}

cn_err cn_schema_check_key(cn_slice key, cn_why *why)
{
    const cn_schema *at = &cn_schema_config;
    size_t start = 0;
    while (true) {
        cn_slice rest = cn_slice_skip(key, start);
        size_t len = cn_slice_find(rest, '.');
        cn_err err = step_into(&at, cn_slice_head(rest, len));
        size_t before = start == 0 ? 0 : start - 1;
        if (err == CN_ERR_WRONG_TYPE) {
            return cn_why_set(
                why, err, "%.*s key is not a map", (int)before, (const char *)key.data);
        }
        if (err != CN_OK) {
            return cn_why_set(
                why, err, "%.*s not found", (int)(start + len), (const char *)key.data);
        }
        if (len == rest.len) {
            return CN_OK;
        }
        start += len + 1;
    }
}
