/*
 * The difference of two configurations, in the form Kubo prints: equal members on one line, changed
 * ones in yellow (<> old, ** new), added green (<<), removed red (>>), objects and lists inside.
 */
#include "node/config_file.h"

enum { DEPTH_MAX = 64 }; /* below this, what differs is shown as a whole */

#define YELLOW "\x1b[33m"
#define GREEN "\x1b[32m"
#define RED "\x1b[31m"
#define PLAIN "\x1b[0m"

static bool same_front(const cn_json *a, const cn_json *b)
{
    return a->kind == b->kind && a->truth == b->truth && a->len == b->len &&
           cn_slice_eq(a->text, b->text);
}

/* Are two trees, both with ordered members, the same? Walks both in step. */
static bool same(const cn_json *a, const cn_json *b)
{
    const cn_json *x = a;
    const cn_json *y = b;
    while (true) {
        if (!same_front(x, y) || (x != a && !cn_slice_eq(x->key, y->key))) {
            return false;
        }
        if (x->first != NULL) {
            x = x->first;
            y = y->first;
            continue;
        }
        while (x != a && x->next == NULL) {
            x = x->parent;
            y = y->parent;
        }
        if (x == a) {
            return true;
        }
        x = x->next;
        y = y->next;
    }
}

static cn_err indent(size_t depth, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < depth; i++) {
        err = cn_buf_text(out, "    ");
    }
    return err;
}

static cn_err
item(size_t depth, const char *mark, cn_slice key, const cn_json *value, bool more, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(indent(depth, out));
    CN_TRY(cn_buf_text(out, mark));
    CN_TRY(cn_buf_byte(out, '"'));
    CN_TRY(cn_buf_append(out, key));
    CN_TRY(cn_buf_text(out, "\": "));
    CN_TRY(cn_json_dump(value, CN_JSON_GO_NUMBERS, out));
    CN_TRY(more ? cn_buf_byte(out, ',') : CN_OK);
out:
    return err;
}

static cn_err diff(const cn_json *a, const cn_json *b, size_t depth, cn_buf *out);

static cn_err changed(size_t depth, const cn_json *a, const cn_json *b, bool more, cn_buf *out)
{
    cn_slice key = a->parent->kind == CN_JSON_OBJECT ? a->key : (cn_slice){0};
    bool inside = a->kind == b->kind && a->kind >= CN_JSON_ARRAY && depth < DEPTH_MAX;
    cn_err err = CN_OK;
    if (same(a, b)) {
        return item(depth, "", key, a, more, out);
    }
    if (inside) {
        CN_TRY(indent(depth, out));
        CN_TRY(cn_buf_byte(out, '"'));
        CN_TRY(cn_buf_append(out, key));
        CN_TRY(cn_buf_text(out, "\": "));
        CN_TRY(diff(a, b, depth + 1, out));
        CN_TRY(more ? cn_buf_byte(out, ',') : CN_OK);
    } else {
        CN_TRY(cn_buf_text(out, YELLOW));
        CN_TRY(item(depth, "<> ", key, a, more, out));
        CN_TRY(cn_buf_byte(out, '\n'));
        CN_TRY(item(depth, "** ", key, b, more, out));
        CN_TRY(cn_buf_text(out, PLAIN));
    }
out:
    return err;
}

static cn_err only_one(size_t depth, const cn_json *value, bool added, bool more, cn_buf *out)
{
    cn_slice key = value->parent->kind == CN_JSON_OBJECT ? value->key : (cn_slice){0};
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, added ? GREEN : RED));
    CN_TRY(item(depth, added ? "<< " : ">> ", key, value, more, out));
    CN_TRY(cn_buf_text(out, PLAIN));
out:
    return err;
}

/* Step through both lists at once; members in the order of their names, elements by place. */
static cn_err diff(const cn_json *a, const cn_json *b, size_t depth, cn_buf *out)
{
    const cn_json *x = a->first;
    const cn_json *y = b->first;
    cn_err err = cn_buf_byte(out, '{');
    while (err == CN_OK && (x != NULL || y != NULL)) {
        int order = x == NULL ? 1 : y == NULL ? -1 : 0;
        if (order == 0 && a->kind == CN_JSON_OBJECT) {
            order = cn_slice_cmp(x->key, y->key);
        }
        const cn_json *was = x;
        const cn_json *is = y;
        x = order <= 0 ? x->next : x;
        y = order >= 0 ? y->next : y;
        bool more = x != NULL || y != NULL;
        CN_TRY(cn_buf_byte(out, '\n'));
        err = order == 0 ? changed(depth, was, is, more, out)
                         : only_one(depth, order < 0 ? was : is, order > 0, more, out);
    }
    CN_TRY(err);
    CN_TRY(cn_buf_byte(out, '\n'));
    CN_TRY(indent(depth, out));
    CN_TRY(cn_buf_byte(out, '}'));
out:
    return err;
}

cn_err cn_config_diff(const cn_json *a, const cn_json *b, cn_buf *out)
{
    return diff(a, b, 0, out);
}
