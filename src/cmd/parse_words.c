/*
 * A command line read from left to right, as go-ipfs-cmds reads it: sub-commands, options and
 * positional words may be mixed; "--" ends the first two.
 */
#include "cmd/request.h"
#include "cmd/table.h"

typedef struct scan {
    cn_request *r;
    const cn_command *command;
    const char *const *words;
    size_t len;
    size_t at;
    cn_why *why;
} scan;

static cn_err unknown(scan *s, const char *name)
{
    char held[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(s->why, CN_ERR_USAGE, "unknown option %s", cn_quote_text(cn_str(name), held));
}

/* Keep a value, unless the option has one already. */
static cn_err keep(scan *s, const cn_opt *opt, bool by_alias, const char *text)
{
    cn_value value = {0};
    cn_err err = cn_value_parse(opt->kind, text, &value, s->why);
    if (err != CN_OK) {
        return err;
    }
    for (size_t i = 0; i < s->r->options_len && opt->kind != CN_OPT_STRINGS; i++) {
        const cn_given *g = &s->r->options[i];
        if (g->opt == opt && g->by_alias == by_alias) {
            return cn_why_set(
                s->why, CN_ERR_USAGE, "multiple values for option \"%s\"",
                by_alias ? opt->alias : opt->name);
        }
    }
    return cn_request_add_option(s->r, opt, by_alias, text, value);
}

/* The value of an option that takes one and has none in its own word: the next word. */
static cn_err take_next(scan *s, const char *named, const char **ret)
{
    if (s->at + 1 >= s->len) {
        char held[CN_QUOTE_TEXT_BYTES];
        return cn_why_set(
            s->why, CN_ERR_USAGE, "missing argument for option %s",
            cn_quote_text(cn_str(named), held));
    }
    *ret = s->words[++s->at];
    return CN_OK;
}

/* "name=value", the dashes removed. */
static cn_err take_assignment(scan *s, const char *word, const char *equals)
{
    cn_slice name = cn_slice_of(word, (size_t)(equals - word));
    const cn_opt *opt = cn_command_option(s->command, name);
    if (opt != NULL) {
        return keep(s, opt, false, equals + 1);
    }
    char *copy = cn_strdup(s->r->mem, word, name.len);
    cn_err err = copy == NULL ? CN_ERR_NO_MEMORY : unknown(s, copy);
    cn_free(s->r->mem, copy);
    return err;
}

static cn_err take_long(scan *s, const char *word)
{
    const char *equals = strchr(word, '=');
    if (equals != NULL) {
        return take_assignment(s, word, equals);
    }
    const cn_opt *opt = cn_command_option(s->command, cn_str(word));
    if (opt == NULL) {
        return unknown(s, word);
    }
    if (opt->kind == CN_OPT_BOOL) {
        return keep(s, opt, strcmp(word, opt->name) != 0, "true");
    }
    const char *text = NULL;
    cn_err err = take_next(s, word, &text);
    return err != CN_OK ? err : keep(s, opt, false, text);
}

static cn_err take_letters(scan *s, const char *word)
{
    const char *equals = strchr(word, '=');
    if (equals != NULL) {
        return take_assignment(s, word, equals);
    }
    for (const char *at = word; *at != '\0'; at++) {
        const cn_opt *opt = cn_command_option(s->command, cn_slice_of(at, 1));
        cn_err err = CN_OK;
        if (opt == NULL) {
            return unknown(s, word);
        }
        if (opt->kind == CN_OPT_BOOL) {
            err = keep(s, opt, false, "true");
        } else if (at[1] != '\0') {
            return keep(s, opt, false, at + 1);
        } else {
            const char *text = NULL;
            err = take_next(s, word, &text);
            return err != CN_OK ? err : keep(s, opt, false, text);
        }
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

static cn_err take_positional(scan *s, const char *word)
{
    const cn_command *child = cn_command_child(s->command, cn_str(word));
    if (child != NULL) {
        s->command = child;
        return CN_OK;
    }
    if (s->command != &cn_command_root) {
        return cn_request_add_arg(s->r, &s->r->args, cn_str(word));
    }
    cn_buf b;
    const char *text = NULL;
    cn_buf_init(&b, s->r->mem, CN_WHY_BYTES);
    cn_err err = cn_command_suggest(word, &b);
    if (err == CN_OK) {
        err = cn_buf_cstr(&b, &text);
    }
    if (err == CN_OK || err == CN_ERR_TOO_LARGE) {
        err = cn_why_set(s->why, CN_ERR_USAGE, "%s", text == NULL ? "Unknown Command" : text);
    }
    cn_buf_release(&b);
    return err;
}

/* A command that is not built takes whatever stands behind it. */
static bool is_past_reading(const scan *s, const char *word)
{
    return cn_command_is_unbuilt(s->command) && strcmp(word, "--help") != 0 &&
           strcmp(word, "-h") != 0;
}

static cn_err take_word(scan *s, const char *word)
{
    if (word[0] != '-' || word[1] == '\0') {
        return take_positional(s, word);
    }
    if (is_past_reading(s, word)) {
        return CN_OK;
    }
    return word[1] == '-' ? take_long(s, word + 2) : take_letters(s, word + 1);
}

cn_err cn_request_from_words(cn_request *r, const char *const *words, size_t words_len, cn_why *why)
{
    scan s = {.r = r, .command = &cn_command_root, .words = words, .len = words_len, .why = why};
    cn_err err = CN_OK;
    for (; s.at < s.len && strcmp(s.words[s.at], "--") != 0; s.at++) {
        CN_TRY(take_word(&s, s.words[s.at]));
    }
    for (s.at++; s.at < s.len; s.at++) {
        CN_TRY(cn_request_add_arg(r, &r->args, cn_str(s.words[s.at])));
    }
    r->command = s.command;
out:
    return err;
}
