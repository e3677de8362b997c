/*
 * What Kubo's structs would write: the fields of the table in their order, zero values for those
 * absent, some values in their usual form ("1h" as "1h0m0s"). Recursion follows the table.
 */
#include "node/config.h"
#include "node/schema.h"

#include <stdio.h>
#include <stdlib.h>

static cn_err shape(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret);

/* Would Go's omitempty leave this out? `j` is already in its usual form. */
static bool is_empty(const cn_schema_field *field, const cn_json *source, const cn_json *j)
{
    if (field->type->kind == CN_SCHEMA_STRUCT && !field->pointer) {
        return false;
    }
    if (field->pointer) {
        return source == NULL || source->kind == CN_JSON_NULL;
    }
    switch (j->kind) {
    case CN_JSON_NULL:
        return true;
    case CN_JSON_BOOL: /* false of a flag is a value; of a plain bool it is none */
        return !j->truth &&
               (field->type->kind == CN_SCHEMA_BOOL || field->type->kind == CN_SCHEMA_REMOVED);
    case CN_JSON_NUMBER:
        return cn_slice_is(j->text, "0");
    case CN_JSON_STRING:
        return j->text.len == 0;
    case CN_JSON_ARRAY:
    case CN_JSON_OBJECT:
        return j->len == 0;
    }
    return false;
}

static cn_err
shape_struct(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret)
{
    cn_json *object = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_json_new(d, CN_JSON_OBJECT, &object));
    for (size_t i = 0; i < schema->fields_len; i++) {
        const cn_schema_field *field = &schema->fields[i];
        const cn_json *source = cn_json_get_fold(value, cn_str(field->name));
        cn_json *made = NULL;
        if (field->pointer && (source == NULL || source->kind == CN_JSON_NULL)) {
            CN_TRY(cn_json_new(d, CN_JSON_NULL, &made));
        } else {
            CN_TRY(shape(d, field->type, source, &made));
        }
        if (!field->omit || !is_empty(field, source, made)) {
            CN_TRY(cn_json_set(d, object, cn_str(field->name), made));
        }
    }
    *ret = object;
out:
    return err;
}

static cn_err
shape_elements(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret)
{
    cn_json *holder = NULL;
    cn_err err = CN_OK;
    bool list = schema->kind == CN_SCHEMA_LIST;
    CN_TRY(cn_json_new(d, list ? CN_JSON_ARRAY : CN_JSON_OBJECT, &holder));
    for (const cn_json *m = value->first; m != NULL; m = m->next) {
        cn_json *made = NULL;
        if (schema->element_pointer && m->kind == CN_JSON_NULL) {
            CN_TRY(cn_json_new(d, CN_JSON_NULL, &made));
        } else {
            CN_TRY(shape(d, schema->element, m, &made));
        }
        made->key = m->key;
        cn_json_append(holder, made);
    }
    cn_json_sort(holder);
    *ret = holder;
out:
    return err;
}

/* Go keeps a list of strings and writes none as null, one as a string. */
static cn_err shape_strings(cn_json_doc *d, const cn_json *value, cn_json **ret)
{
    if (value->kind == CN_JSON_STRING || value->len > 1) {
        bool empty = value->kind == CN_JSON_STRING && value->text.len == 0;
        return empty ? cn_json_new(d, CN_JSON_NULL, ret) : cn_json_copy(d, value, ret);
    }
    return value->len == 0 ? cn_json_new(d, CN_JSON_NULL, ret) : cn_json_copy(d, value->first, ret);
}

static cn_err shape_number(cn_json_doc *d, const cn_json *value, cn_json **ret)
{
    int64_t number = 0;
    cn_err err = cn_json_i64(value, &number);
    return err != CN_OK ? err : cn_json_new_number(d, number, ret);
}

static cn_err
shape_measure(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret)
{
    cn_buf text;
    char whole[400];
    int64_t ns = 0;
    cn_err err = CN_OK;
    cn_buf_init(&text, d->mem, 512);
    if (schema->kind == CN_SCHEMA_OPT_BYTES) {
        if (value->kind == CN_JSON_STRING) {
            err = cn_json_copy(d, value, ret);
            goto out;
        }
        CN_TRY(cn_buf_append(&text, cn_slice_head(value->text, 500)));
        const char *digits = NULL;
        CN_TRY(cn_buf_cstr(&text, &digits));
        (void)snprintf(whole, sizeof whole, "%.0f", strtod(digits, NULL));
        err = cn_json_new_string(d, cn_str(whole), ret);
        goto out;
    }
    if (cn_duration_parse(value->text, &ns, NULL) != CN_OK) {
        err = cn_json_new(d, CN_JSON_NULL, ret); /* "", "default" */
        goto out;
    }
    CN_TRY(cn_duration_text(ns, &text));
    CN_TRY(cn_json_new_string(d, cn_buf_slice(&text), ret));
out:
    cn_buf_release(&text);
    return err;
}

/* The zero value of a type, for a key that is absent or null. */
static cn_err shape_zero(cn_json_doc *d, const cn_schema *schema, cn_json **ret)
{
    switch (schema->kind) {
    case CN_SCHEMA_STRUCT:
        return shape_struct(d, schema, NULL, ret);
    case CN_SCHEMA_BOOL:
    case CN_SCHEMA_REMOVED:
        return cn_json_new_bool(d, false, ret);
    case CN_SCHEMA_INTEGER:
        return cn_json_new_number(d, 0, ret);
    case CN_SCHEMA_STRING:
    case CN_SCHEMA_SERVICE_MODE:
        return cn_json_new_string(d, cn_str(""), ret);
    case CN_SCHEMA_ANY:
    case CN_SCHEMA_FLAG:
    case CN_SCHEMA_PRIORITY:
    case CN_SCHEMA_STRINGS:
    case CN_SCHEMA_OPT_INTEGER:
    case CN_SCHEMA_OPT_STRING:
    case CN_SCHEMA_OPT_BYTES:
    case CN_SCHEMA_OPT_DURATION:
    case CN_SCHEMA_LIST:
    case CN_SCHEMA_MAP:
        break;
    }
    return cn_json_new(d, CN_JSON_NULL, ret);
}

static cn_err shape_any(cn_json_doc *d, const cn_json *value, cn_json **ret)
{
    cn_json *copy = NULL;
    cn_err err = cn_json_copy(d, value, &copy);
    if (err == CN_OK) {
        cn_json_sort(copy);
        *ret = copy;
    }
    return err;
}

static cn_err shape(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret)
{
    if (value == NULL || value->kind == CN_JSON_NULL) {
        return shape_zero(d, schema, ret);
    }
    switch (schema->kind) {
    case CN_SCHEMA_STRUCT:
        return shape_struct(d, schema, value, ret);
    case CN_SCHEMA_LIST:
    case CN_SCHEMA_MAP:
        return shape_elements(d, schema, value, ret);
    case CN_SCHEMA_STRINGS:
        return shape_strings(d, value, ret);
    case CN_SCHEMA_INTEGER:
    case CN_SCHEMA_OPT_INTEGER:
        return shape_number(d, value, ret);
    case CN_SCHEMA_PRIORITY:
        return value->kind == CN_JSON_NUMBER ? shape_number(d, value, ret)
                                             : cn_json_copy(d, value, ret);
    case CN_SCHEMA_OPT_BYTES:
    case CN_SCHEMA_OPT_DURATION:
        return shape_measure(d, schema, value, ret);
    case CN_SCHEMA_REMOVED:
        return cn_json_new_bool(d, false, ret);
    case CN_SCHEMA_ANY:
        return shape_any(d, value, ret);
    case CN_SCHEMA_STRING:
    case CN_SCHEMA_BOOL:
    case CN_SCHEMA_FLAG:
    case CN_SCHEMA_OPT_STRING:
    case CN_SCHEMA_SERVICE_MODE:
        break;
    }
    return cn_json_copy(d, value, ret);
}

cn_err cn_schema_shape(cn_json_doc *d, const cn_schema *schema, const cn_json *value, cn_json **ret)
{
    return shape(d, schema, value, ret);
}
