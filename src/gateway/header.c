/*
 * Readers of request headers. None takes memory.
 */
#include "gateway/header.h"

#include "base/num.h"

static cn_slice trim(cn_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/* One "a-b", "a-" or "-n". TOO_LARGE if it begins behind the end. */
static cn_err one_range(cn_slice s, uint64_t size, uint64_t *ret_from, uint64_t *ret_to)
{
    uint64_t first = 0;
    uint64_t last = 0;
    size_t dash = cn_slice_find(s, '-');
    if (dash == s.len) {
        return CN_ERR_MALFORMED;
    }
    cn_slice left = trim(cn_slice_head(s, dash));
    cn_slice right = trim(cn_slice_skip(s, dash + 1));
    if (left.len == 0) {
        if (cn_num_u64(right, &last) != CN_OK) {
            return CN_ERR_MALFORMED;
        }
        *ret_from = size - CN_MIN(last, size);
        *ret_to = size;
        return CN_OK;
    }
    if (cn_num_u64(left, &first) != CN_OK) {
        return CN_ERR_MALFORMED;
    }
    if (right.len > 0 && (cn_num_u64(right, &last) != CN_OK || last < first)) {
        return CN_ERR_MALFORMED;
    }
    if (first >= size) {
        return CN_ERR_TOO_LARGE;
    }
    *ret_from = first;
    *ret_to = right.len == 0 || last >= size ? size : last + 1;
    return CN_OK;
}

cn_err cn_range_parse(cn_slice header, uint64_t size_bytes, uint64_t *ret_from, uint64_t *ret_to)
{
    cn_slice rest = header;
    cn_err first = CN_ERR_NOT_FOUND;
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t room = size_bytes;
    bool is_too_much = false; /* all ranges together */
    if (header.len == 0) {
        return CN_ERR_NOT_FOUND;
    }
    if (!cn_slice_starts(header, cn_str("bytes="))) {
        return CN_ERR_MALFORMED;
    }
    rest = cn_slice_skip(header, 6);
    while (rest.len > 0) {
        size_t len = cn_slice_find(rest, ',');
        cn_slice part = trim(cn_slice_head(rest, len));
        rest = cn_slice_skip(rest, len + 1);
        if (part.len == 0) {
            continue;
        }
        uint64_t a = 0;
        uint64_t b = 0;
        cn_err err = one_range(part, size_bytes, &a, &b);
        if (err == CN_ERR_MALFORMED) {
            return err;
        }
        if (err == CN_OK && first != CN_OK) {
            from = a;
            to = b;
        }
        is_too_much = is_too_much || b - a > room;
        room -= CN_MIN(b - a, room);
        first = first == CN_OK ? CN_OK : err;
    }
    if (is_too_much || (first == CN_ERR_TOO_LARGE && size_bytes == 0)) {
        return CN_ERR_NOT_FOUND;
    }
    if (first == CN_OK) {
        *ret_from = from;
        *ret_to = to;
    }
    return first;
}

/* The tag at the front of `s` with its quotes, without "W/"; false if there is none. */
static bool take_tag(cn_slice *s, cn_slice *ret)
{
    cn_slice rest = cn_slice_starts(*s, cn_str("W/")) ? cn_slice_skip(*s, 2) : *s;
    if (rest.len < 2 || rest.data[0] != '"') {
        return false;
    }
    size_t len = cn_slice_find(cn_slice_skip(rest, 1), '"');
    if (len + 1 >= rest.len) {
        return false;
    }
    *ret = cn_slice_head(rest, len + 2);
    *s = cn_slice_skip(rest, len + 2);
    return true;
}

bool cn_etag_listed(cn_slice header, cn_slice etag)
{
    cn_slice wanted = cn_slice_starts(etag, cn_str("W/")) ? cn_slice_skip(etag, 2) : etag;
    cn_slice rest = trim(header);
    while (rest.len > 0) {
        cn_slice tag = {0};
        if (rest.data[0] == ',') {
            rest = trim(cn_slice_skip(rest, 1));
            continue;
        }
        if (rest.data[0] == '*') {
            return true;
        }
        if (!take_tag(&rest, &tag)) {
            return false;
        }
        if (cn_slice_eq(tag, wanted)) {
            return true;
        }
        rest = trim(rest);
    }
    return false;
}

static const struct {
    cn_form form;
    const char *name;
    const char *media_type;
} forms[] = {
    {CN_FORM_RAW, "raw", "application/vnd.ipld.raw"},
    {CN_FORM_CAR, "car", "application/vnd.ipld.car"},
    {CN_FORM_TAR, "tar", "application/x-tar"},
    {CN_FORM_JSON, "json", "application/json"},
    {CN_FORM_CBOR, "cbor", "application/cbor"},
    {CN_FORM_DAG_JSON, "dag-json", "application/vnd.ipld.dag-json"},
    {CN_FORM_DAG_CBOR, "dag-cbor", "application/vnd.ipld.dag-cbor"},
    {CN_FORM_IPNS_RECORD, "ipns-record", "application/vnd.ipfs.ipns-record"},
};

cn_form cn_form_of_param(cn_slice value)
{
    for (size_t i = 0; i < CN_LEN(forms); i++) {
        if (cn_slice_is(value, forms[i].name)) {
            return forms[i].form;
        }
    }
    return CN_FORM_DEFAULT;
}

/* The next media type of an Accept header, without parameters. */
static cn_slice next_type(cn_slice *rest)
{
    size_t len = cn_slice_find(*rest, ',');
    cn_slice part = cn_slice_head(*rest, len);
    *rest = cn_slice_skip(*rest, len + 1);
    return trim(cn_slice_head(part, cn_slice_find(part, ';')));
}

cn_form cn_form_of_accept(cn_slice header)
{
    while (header.len > 0) {
        cn_slice type = next_type(&header);
        for (size_t i = 0; i < CN_LEN(forms); i++) {
            if (cn_slice_is(type, forms[i].media_type)) {
                return forms[i].form;
            }
        }
    }
    return CN_FORM_DEFAULT;
}

const char *cn_form_media_type(cn_form form)
{
    return form == CN_FORM_DEFAULT ? NULL : forms[form - 1].media_type;
}

const char *cn_form_name(cn_form form)
{
    return form == CN_FORM_DEFAULT ? NULL : forms[form - 1].name;
}

bool cn_accepts_html(cn_slice header)
{
    while (header.len > 0) {
        if (cn_slice_is(next_type(&header), "text/html")) {
            return true;
        }
    }
    return false;
}
