/*
 * The tree: nodes in chunks of one document, linked to parent and next. Invariant: a node has a
 * parent exactly if it is in that parent's list; `last->next` is NULL.
 */
#include "codec/json.h"

#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>

enum { CHUNK_BYTES = 16 * 1024, ALIGN = 16 };

struct cn_json_chunk {
    cn_json_chunk *next;
    size_t cap;
    size_t used;
    size_t unused_; /* keeps what follows aligned */
};

void cn_json_doc_init(cn_json_doc *d, cn_mem *mem, size_t max_bytes)
{
    *d = (cn_json_doc){.mem = mem, .max_bytes = max_bytes};
}

void cn_json_doc_release(cn_json_doc *d)
{
    while (d->chunks != NULL) {
        cn_json_chunk *next = d->chunks->next;
        /* Configurations may hold a private key. */
        cn_wipe(d->chunks + 1, d->chunks->used);
        cn_free(d->mem, d->chunks);
        d->chunks = next;
    }
    *d = (cn_json_doc){0};
}

/* Zeroed room in the document. */
static cn_err room(cn_json_doc *d, size_t len, void **ret)
{
    len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (len > d->max_bytes - d->used_bytes) {
        return CN_ERR_TOO_LARGE;
    }
    cn_json_chunk *c = d->chunks;
    if (c == NULL || c->cap - c->used < len) {
        size_t cap = CN_MAX(len, (size_t)CHUNK_BYTES - sizeof *c);
        c = cn_alloc(d->mem, sizeof *c + cap);
        if (c == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        c->cap = cap;
        c->next = d->chunks;
        d->chunks = c;
    }
    *ret = (uint8_t *)(c + 1) + c->used;
    c->used += len;
    d->used_bytes += len;
    return CN_OK;
}

static cn_err keep_text(cn_json_doc *d, cn_slice text, cn_slice *ret)
{
    void *at = NULL;
    cn_err err = text.len == 0 ? CN_OK : room(d, text.len, &at);
    if (err == CN_OK) {
        cn_copy(at, text.data, text.len);
        *ret = cn_slice_of(at, text.len);
    }
    return err;
}

cn_err cn_json_new(cn_json_doc *d, cn_json_kind kind, cn_json **ret)
{
    void *at = NULL;
    cn_err err = room(d, sizeof(cn_json), &at);
    if (err == CN_OK) {
        cn_json *j = at;
        j->kind = kind;
        *ret = j;
    }
    return err;
}

static cn_err new_text(cn_json_doc *d, cn_json_kind kind, cn_slice text, cn_json **ret)
{
    cn_slice kept = {0};
    cn_err err = keep_text(d, text, &kept);
    if (err == CN_OK) {
        err = cn_json_new(d, kind, ret);
    }
    if (err == CN_OK) {
        (*ret)->text = kept;
    }
    return err;
}

cn_err cn_json_new_string(cn_json_doc *d, cn_slice text, cn_json **ret)
{
    return new_text(d, CN_JSON_STRING, text, ret);
}

cn_err cn_json_new_number(cn_json_doc *d, int64_t number, cn_json **ret)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRId64, number);
    return new_text(d, CN_JSON_NUMBER, cn_slice_of(digits, (size_t)len), ret);
}

cn_err cn_json_new_bool(cn_json_doc *d, bool truth, cn_json **ret)
{
    cn_err err = cn_json_new(d, CN_JSON_BOOL, ret);
    if (err == CN_OK) {
        (*ret)->truth = truth;
    }
    return err;
}

void cn_json_append(cn_json *array, cn_json *value)
{
    CN_ASSERT(value->parent == NULL && array->kind >= CN_JSON_ARRAY);
    value->parent = array;
    if (array->last == NULL) {
        array->first = value;
    } else {
        array->last->next = value;
    }
    array->last = value;
    array->len++;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool eq_fold(cn_slice a, cn_slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

cn_json *cn_json_get(const cn_json *object, cn_slice key)
{
    cn_json *found = NULL;
    if (object != NULL && object->kind == CN_JSON_OBJECT) {
        for (cn_json *m = object->first; m != NULL; m = m->next) {
            found = cn_slice_eq(m->key, key) ? m : found;
        }
    }
    return found;
}

cn_json *cn_json_get_fold(const cn_json *object, cn_slice key)
{
    cn_json *found = cn_json_get(object, key);
    if (found == NULL && object != NULL && object->kind == CN_JSON_OBJECT) {
        for (cn_json *m = object->first; m != NULL; m = m->next) {
            found = eq_fold(m->key, key) ? m : found;
        }
    }
    return found;
}

bool cn_json_remove(cn_json *object, cn_slice key)
{
    bool there = false;
    cn_json *before = NULL;
    for (cn_json *m = object->first, *next = NULL; m != NULL; m = next) {
        next = m->next;
        if (!cn_slice_eq(m->key, key)) {
            before = m;
            continue;
        }
        there = true;
        object->len--;
        object->last = object->last == m ? before : object->last;
        if (before == NULL) {
            object->first = next;
        } else {
            before->next = next;
        }
        m->next = NULL;
        m->parent = NULL;
    }
    return there;
}

cn_err cn_json_set(cn_json_doc *d, cn_json *object, cn_slice key, cn_json *value)
{
    CN_ASSERT(value->parent == NULL && object->kind == CN_JSON_OBJECT);
    cn_slice kept = {0};
    cn_err err = keep_text(d, key, &kept);
    if (err != CN_OK) {
        return err;
    }
    value->key = kept;
    cn_json *before = NULL;
    cn_json *old = object->first;
    while (old != NULL && !cn_slice_eq(old->key, key)) {
        before = old;
        old = old->next;
    }
    if (old == NULL) {
        cn_json_append(object, value);
        return CN_OK;
    }
    (void)cn_json_remove(object, key);
    value->parent = object;
    value->next = before == NULL ? object->first : before->next;
    if (before == NULL) {
        object->first = value;
    } else {
        before->next = value;
    }
    object->last = value->next == NULL ? value : object->last;
    object->len++;
    return CN_OK;
}

/* The node after `j` in a walk that gives parents before their children, within `root`. */
static const cn_json *walk_next(const cn_json *root, const cn_json *j)
{
    if (j->first != NULL) {
        return j->first;
    }
    while (j != root && j->next == NULL) {
        j = j->parent;
    }
    return j == root ? NULL : j->next;
}

static cn_err copy_one(cn_json_doc *d, const cn_json *from, cn_json **ret)
{
    cn_json *j = NULL;
    cn_err err = new_text(d, from->kind, from->text, &j);
    if (err == CN_OK) {
        j->truth = from->truth;
        err = keep_text(d, from->key, &j->key);
    }
    if (err == CN_OK) {
        *ret = j;
    }
    return err;
}

cn_err cn_json_copy(cn_json_doc *d, const cn_json *from, cn_json **ret)
{
    cn_json *root = NULL;
    cn_err err = copy_one(d, from, &root);
    if (err != CN_OK) {
        return err;
    }
    root->key = (cn_slice){0};
    const cn_json *at = from;
    cn_json *made = root; /* the copy of `at` */
    while (true) {
        cn_json *parent = made;
        if (at->first != NULL) {
            at = at->first;
        } else {
            for (; at != from && at->next == NULL; at = at->parent) {
                made = made->parent;
            }
            if (at == from) {
                *ret = root;
                return CN_OK;
            }
            at = at->next;
            parent = made->parent;
        }
        err = copy_one(d, at, &made);
        if (err != CN_OK) {
            return err;
        }
        cn_json_append(parent, made);
    }
}

/* Merge two ordered lists; of equal ones those of `a` come first. */
static cn_json *merge(cn_json *a, cn_json *b)
{
    cn_json head = {0};
    cn_json *tail = &head;
    while (a != NULL && b != NULL) {
        cn_json **from = cn_slice_cmp(b->key, a->key) < 0 ? &b : &a;
        tail->next = *from;
        tail = *from;
        *from = (*from)->next;
    }
    tail->next = a != NULL ? a : b;
    return head.next;
}

/* Order one object's list: runs of 2^i members wait in slot i, as in a binary counter. */
static void sort_members(cn_json *object)
{
    cn_json *slots[64] = {0};
    for (cn_json *m = object->first, *next = NULL; m != NULL; m = next) {
        next = m->next;
        m->next = NULL;
        cn_json *run = m;
        size_t i = 0;
        for (; slots[i] != NULL; i++) {
            run = merge(slots[i], run);
            slots[i] = NULL;
        }
        slots[i] = run;
    }
    cn_json *all = NULL;
    for (size_t i = 0; i < CN_LEN(slots); i++) {
        all = slots[i] == NULL ? all : merge(slots[i], all);
    }
    object->first = NULL;
    object->last = NULL;
    object->len = 0;
    for (cn_json *m = all, *next = NULL; m != NULL; m = next) {
        next = m->next;
        m->next = NULL;
        m->parent = NULL;
        if (next == NULL || !cn_slice_eq(next->key, m->key)) {
            cn_json_append(object, m);
        }
    }
}

void cn_json_sort(cn_json *root)
{
    for (const cn_json *at = root; at != NULL; at = walk_next(root, at)) {
        if (at->kind == CN_JSON_OBJECT && at->first != NULL) {
            sort_members(at->first->parent);
        }
    }
}

cn_err cn_json_i64(const cn_json *number, int64_t *ret)
{
    return cn_num_i64(number->text, ret);
}
