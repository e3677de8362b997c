/*
 * The editor is started without a shell, so that nothing in the path of the file is expanded.
 */
#include "cli/editor.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX_BYTES = 1 << 16 };

/* Where we are in the text. */
typedef struct cutter {
    cn_slice rest;
    char quote; /* 0: outside */
    bool in_word;
} cutter;

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* A backslash and what it means: within "..." only before another one or the quote. */
static cn_err cut_escape(cutter *c, cn_buf *ret, cn_why *why)
{
    if (c->rest.len < 2) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "cannot parse $EDITOR value: No escaped character");
    }
    uint8_t next = c->rest.data[1];
    bool plain = c->quote == '"' && next != '"' && next != '\\';
    c->rest = cn_slice_skip(c->rest, plain ? 1 : 2);
    return cn_buf_byte(ret, plain ? '\\' : next);
}

static cn_err cut_byte(cutter *c, cn_buf *ret, size_t *words, cn_why *why)
{
    uint8_t byte = c->rest.data[0];
    if (byte == '\\' && c->quote != '\'') {
        c->in_word = true;
        return cut_escape(c, ret, why);
    }
    c->rest = cn_slice_skip(c->rest, 1);
    if (c->quote != 0) {
        if (byte == (uint8_t)c->quote) {
            c->quote = 0;
            return CN_OK;
        }
        return cn_buf_byte(ret, byte);
    }
    if (is_blank(byte)) {
        *words += c->in_word ? 1 : 0;
        cn_err err = c->in_word ? cn_buf_byte(ret, '\0') : CN_OK;
        c->in_word = false;
        return err;
    }
    c->in_word = true;
    if (byte == '"' || byte == '\'') {
        c->quote = (char)byte;
        return CN_OK;
    }
    return cn_buf_byte(ret, byte);
}

cn_err cn_words_cut(cn_slice text, cn_buf *ret, size_t *ret_len, cn_why *why)
{
    cutter c = {.rest = text};
    size_t words = 0;
    cn_err err = CN_OK;
    while (c.rest.len > 0) {
        CN_TRY(cut_byte(&c, ret, &words, why));
    }
    if (c.quote != 0) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "cannot parse $EDITOR value: No closing quotation");
    }
    if (c.in_word) {
        CN_TRY(cn_buf_byte(ret, '\0'));
        words++;
    }
    *ret_len = words;
out:
    return err;
}

static cn_err wait_for(pid_t child, cn_why *why)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return cn_why_set(why, CN_ERR_IO, "waiting for the editor: %s", strerror(errno));
        }
    }
    if (WIFSIGNALED(status)) {
        return cn_why_set(
            why, CN_ERR_IO, "the editor was ended by signal %d (%s)", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    }
    return WEXITSTATUS(status) == 0
               ? CN_OK
               : cn_why_set(
                     why, CN_ERR_IO, "the editor ended with exit status %d", WEXITSTATUS(status));
}

/* Our SIGPIPE is ignored; the editor shall have the usual. */
static cn_err start(char *const *words, pid_t *ret, cn_why *why)
{
    posix_spawnattr_t attributes;
    sigset_t usual;
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    if (posix_spawnattr_init(&attributes) != 0) {
        return CN_ERR_NO_MEMORY;
    }
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(ret, words[0], NULL, &attributes, words, environ);
    (void)posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        cn_err err = error == EACCES ? CN_ERR_PERMISSION : CN_ERR_NOT_FOUND;
        return cn_why_set(
            why, err, "the editor \"%s\" cannot be started: %s. Set $EDITOR to another", words[0],
            strerror(error));
    }
    return CN_OK;
}

cn_err cn_editor_run(cn_mem *mem, const char *editor, const char *path, cn_why *why)
{
    cn_buf text;
    size_t len = 0;
    pid_t child = 0;
    const char **words = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&text, mem, WORDS_MAX_BYTES);
    CN_TRY(cn_words_cut(cn_str(editor == NULL ? "" : editor), &text, &len, why));
    if (len == 0) {
        err = cn_why_set(why, CN_ERR_USAGE, "ENV variable $EDITOR not set");
        goto out;
    }
    words = cn_alloc_array(mem, len + 2, sizeof *words);
    if (words == NULL) {
        err = CN_ERR_NO_MEMORY;
        goto out;
    }
    words[0] = (const char *)text.data;
    for (size_t i = 1; i < len; i++) {
        words[i] = words[i - 1] + strlen(words[i - 1]) + 1;
    }
    words[len] = path;
    CN_TRY(start((char *const *)(uintptr_t)words, &child, why));
    CN_TRY(wait_for(child, why));
out:
    cn_free(mem, (void *)words);
    cn_buf_release(&text);
    return err;
}
