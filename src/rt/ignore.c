/*
 * Ignore rules. A line is reduced to a pattern without slashes; '*' any bytes, "[...]" one of a
 * set, '\' takes the next byte as it is; all else, '?' too, stands for itself.
 */
#include "rt/ignore.h"

enum { RULES_MAX = 65536, TEXT_MAX_BYTES = 16 << 20 };

struct cn_ignore_rule {
    size_t start; /* of the pattern in `text` */
    size_t len;
    bool takes_back;
};

void cn_ignore_init(cn_ignore *g, cn_mem *mem)
{
    *g = (cn_ignore){.mem = mem};
    cn_buf_init(&g->text, mem, TEXT_MAX_BYTES);
}

void cn_ignore_release(cn_ignore *g)
{
    if (g->mem != NULL) {
        cn_free(g->mem, g->rules);
        cn_buf_release(&g->text);
    }
    *g = (cn_ignore){0};
}

static cn_slice without_last(cn_slice s, size_t n)
{
    return cn_slice_head(s, s.len - n);
}

static cn_slice trim(cn_slice line)
{
    while (line.len > 0 && line.data[line.len - 1] == '\r') {
        line = without_last(line, 1);
    }
    if (line.len > 0 && line.data[0] == '#') {
        return (cn_slice){0};
    }
    while (line.len > 0 && line.data[0] == ' ') {
        line = cn_slice_skip(line, 1);
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ') {
        line = without_last(line, 1);
    }
    return line;
}

/* Take off what may be there or not before and behind a bare name. */
static cn_slice strip_folders(cn_slice pattern)
{
    if (cn_slice_starts(pattern, cn_str("/"))) {
        pattern = cn_slice_skip(pattern, 1);
    }
    while (cn_slice_starts(pattern, cn_str("**/"))) {
        pattern = cn_slice_skip(pattern, 3);
    }
    while (cn_slice_ends(pattern, cn_str("/**"))) {
        pattern = without_last(pattern, 3);
    }
    return pattern;
}

cn_err cn_ignore_add(cn_ignore *g, cn_slice line)
{
    cn_slice pattern = trim(line);
    bool takes_back = cn_slice_starts(pattern, cn_str("!"));
    if (takes_back) {
        pattern = cn_slice_skip(pattern, 1);
    }
    if (cn_slice_starts(pattern, cn_str("#")) || cn_slice_starts(pattern, cn_str("!"))) {
        pattern = cn_slice_skip(pattern, 1);
    }
    pattern = strip_folders(pattern);
    if (pattern.len == 0 || cn_slice_find(pattern, '/') < pattern.len) {
        return CN_OK;
    }
    void *rules = g->rules;
    cn_err err =
        cn_array_grow(g->mem, &rules, &g->rules_cap, g->rules_len, RULES_MAX, sizeof *g->rules);
    g->rules = rules;
    size_t start = g->text.len;
    if (err == CN_OK) {
        err = cn_buf_append(&g->text, pattern);
    }
    if (err == CN_OK) {
        g->rules[g->rules_len++] = (cn_ignore_rule){start, pattern.len, takes_back};
    }
    return err;
}

cn_err cn_ignore_add_lines(cn_ignore *g, cn_slice text)
{
    while (text.len > 0) {
        size_t end = cn_slice_find(text, '\n');
        cn_err err = cn_ignore_add(g, cn_slice_head(text, end));
        if (err != CN_OK) {
            return err;
        }
        text = cn_slice_skip(text, end + 1);
    }
    return CN_OK;
}

/* Length of the set "[...]" that `pattern` begins with, or 0 if it is never closed. */
static size_t set_len(cn_slice pattern)
{
    size_t i = 1;
    if (i < pattern.len && pattern.data[i] == '^') {
        i++;
    }
    for (size_t first = i; i < pattern.len; i++) {
        if (pattern.data[i] == ']' && i > first) {
            return i + 1;
        }
    }
    return 0;
}

/* Is `byte` in the set, given with its brackets? */
static bool set_has(cn_slice set, uint8_t byte)
{
    size_t i = 1;
    bool turned = set.data[i] == '^';
    bool found = false;
    for (i += turned ? 1 : 0; i < set.len - 1; i++) {
        if (i + 2 < set.len - 1 && set.data[i + 1] == '-') {
            found = found || (byte >= set.data[i] && byte <= set.data[i + 2]);
            i += 2;
        } else {
            found = found || byte == set.data[i];
        }
    }
    return found != turned;
}

/* Does the first element of `pattern`, not a star, match `byte`? *ret_len is its length. */
static bool element_matches(cn_slice pattern, uint8_t byte, size_t *ret_len)
{
    *ret_len = 1;
    if (pattern.data[0] == '[') {
        size_t len = set_len(pattern);
        if (len > 0) {
            *ret_len = len;
            return set_has(cn_slice_head(pattern, len), byte);
        }
    }
    if (pattern.data[0] == '\\' && pattern.len > 1) {
        *ret_len = 2;
        return pattern.data[1] == byte;
    }
    return pattern.data[0] == byte;
}

/* Star matching without recursion: on a mismatch the last star takes one byte more. */
static bool pattern_matches(cn_slice pattern, cn_slice name)
{
    cn_slice star = {0};
    cn_slice star_name = {0};
    bool has_star = false;
    while (name.len > 0 || pattern.len > 0) {
        size_t len = 0;
        if (pattern.len > 0 && pattern.data[0] == '*') {
            pattern = cn_slice_skip(pattern, 1);
            star = pattern;
            star_name = name;
            has_star = true;
        } else if (
            pattern.len > 0 && name.len > 0 && element_matches(pattern, name.data[0], &len)) {
            pattern = cn_slice_skip(pattern, len);
            name = cn_slice_skip(name, 1);
        } else if (has_star && star_name.len > 0) {
            star_name = cn_slice_skip(star_name, 1);
            pattern = star;
            name = star_name;
        } else {
            return false;
        }
    }
    return true;
}

bool cn_ignore_matches(const cn_ignore *g, cn_slice name)
{
    for (size_t i = g->rules_len; i > 0; i--) {
        const cn_ignore_rule *rule = &g->rules[i - 1];
        cn_slice pattern =
            cn_slice_head(cn_slice_skip(cn_buf_slice(&g->text), rule->start), rule->len);
        if (pattern_matches(pattern, name)) {
            return !rule->takes_back;
        }
    }
    return false;
}
