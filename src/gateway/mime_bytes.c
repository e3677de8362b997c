/*
 * Media types by content: marks at the front, then HTML, JSON, then text or not. Nothing is
 * allocated, and only what is given is read.
 */
#include "gateway/mime.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_letters(cn_slice a, const char *b)
{
    size_t i = 0;
    for (; i < a.len && b[i] != '\0' && lower(a.data[i]) == lower((uint8_t)b[i]); i++) {
    }
    return i == a.len && b[i] == '\0';
}

static const struct {
    uint8_t at;
    uint8_t len;
    const char *mark;
    const char *type;
} by_mark[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
    {0, 3, "\xff\xd8\xff", "image/jpeg"},
    {0, 6, "GIF87a", "image/gif"},
    {0, 6, "GIF89a", "image/gif"},
    {8, 4, "WEBP", "image/webp"},
    {8, 4, "WAVE", "audio/wav"},
    {0, 5, "%PDF-", "application/pdf"},
    {0, 4, "\x1a\x45\xdf\xa3", "video/webm"},
    {4, 8, "ftypavif", "image/avif"},
    {4, 7, "ftypM4A", "audio/x-m4a"},
    {4, 6, "ftypqt", "video/quicktime"},
    {4, 4, "ftyp", "video/mp4"},
    {28, 5,
     "\x7f"
     "FLAC",
     "audio/ogg"},
    {28, 7, "\x01vorbis", "audio/ogg"},
    {28, 8, "OpusHead", "audio/ogg"},
    {28, 7, "\x80theora", "video/ogg"},
    {0, 4, "OggS", "application/ogg"},
    {0, 4, "fLaC", "audio/flac"},
    {0, 3, "ID3", "audio/mpeg"},
    {0, 2, "\xff\xfb", "audio/mpeg"},
    {0, 4, "PK\x03\x04", "application/zip"},
    {0, 2, "\x1f\x8b", "application/gzip"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "application/x-xz"},
    {0, 3, "BZh", "application/x-bzip2"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
    {0, 4, "\x28\xb5\x2f\xfd", "application/zstd"},
    {0, 4, "\0asm", "application/wasm"},
    {0, 4, "wOFF", "font/woff"},
    {0, 4, "wOF2", "font/woff2"},
    {0, 4, "OTTO", "font/otf"},
    {0, 5, "\0\x01\0\0\0", "font/ttf"},
    {0, 2, "BM", "image/bmp"},
    {0, 4, "\0\0\x01\0", "image/x-icon"},
    {0, 5, "{\\rtf", "text/rtf"},
    {0, 5, "<?php", "text/x-php"},
    {0, 3, "\xef\xbb\xbf", "text/plain; charset=utf-8"},
    {0, 2, "\xff\xfe", "text/plain; charset=utf-16le"},
    {0, 2, "\xfe\xff", "text/plain; charset=utf-16be"},
};

static cn_slice skip_space(cn_slice s)
{
    while (s.len > 0 && s.data[0] != '\0' && strchr(" \t\r\n\f", s.data[0]) != NULL) {
        s = cn_slice_skip(s, 1);
    }
    return s;
}

/* Does it begin with `mark` (letters in any case)? */
static bool begins(cn_slice s, const char *mark)
{
    return s.len >= strlen(mark) && same_letters(cn_slice_head(s, strlen(mark)), mark);
}

/*
 * One JSON text, or the beginning of one that is cut at the end: an object or array in which
 * brackets, strings and the characters between fit together.
 */
static bool is_json(cn_slice s, bool may_be_cut)
{
    enum { DEPTH_MAX = 64 };
    char open[DEPTH_MAX];
    size_t depth = 0;
    bool in_string = false;
    bool escaped = false;
    bool seen_quote = false;
    if (s.len == 0 || (s.data[0] != '{' && s.data[0] != '[')) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)s.data[i];
        if (in_string) {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            if ((uint8_t)c < 0x20) {
                return false;
            }
        } else if (c == '"') {
            in_string = true;
            seen_quote = true;
        } else if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX) {
                return false;
            }
            open[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (depth == 0 || open[--depth] != c) {
                return false;
            }
            if (depth == 0) {
                return skip_space(cn_slice_skip(s, i + 1)).len == 0;
            }
        } else if (c == '\0' || strchr(" \t\r\n:,-+.0123456789eEtrufalsn", c) == NULL) {
            return false;
        }
        if (i > 0 && s.data[0] == '{' && !seen_quote && c != '}' && strchr(" \t\r\n", c) == NULL) {
            return false; /* an object's first member begins with a quote */
        }
    }
    return may_be_cut;
}

/* No bytes that only binary files have. */
static bool is_text(cn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c <= 0x08 || c == 0x0b || (c >= 0x0e && c <= 0x1a) || (c >= 0x1c && c <= 0x1f)) {
            return false;
        }
    }
    return true;
}

/* Well-formed UTF-8, but for a character cut by the end if that `may_be_cut`. */
static bool is_utf8(cn_slice s, bool may_be_cut)
{
    for (size_t i = 0; i < s.len;) {
        uint8_t c = s.data[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 3;
        if ((c >= 0x80 && c < 0xc2) || c > 0xf4) {
            return false;
        }
        for (size_t k = 1; k <= more && i + k < s.len; k++) {
            if ((s.data[i + k] & 0xc0) != 0x80) {
                return false;
            }
        }
        i += more + 1;
        if (i > s.len && !may_be_cut) {
            return false;
        }
    }
    return true;
}

/* What an ELF header says the file is; NULL if it is none. */
static const char *elf_type(cn_slice s)
{
    static const char *const types[] = {
        "application/x-object", "application/x-executable", "application/x-sharedlib",
        "application/x-coredump"};
    if (s.len < 18 || !cn_slice_starts(
                          s, cn_str("\x7f"
                                    "ELF"))) {
        return NULL;
    }
    unsigned kind = s.data[5] == 2 ? s.data[17] : s.data[16]; /* in the file's own byte order */
    return kind >= 1 && kind <= CN_LEN(types) ? types[kind - 1] : "application/x-elf";
}

/* The language of a script by its first line; NULL if that names none that is known. */
static const char *script_type(cn_slice s)
{
    static const struct {
        const char *name;
        const char *type;
    } languages[] = {
        {"python", "text/x-python"}, {"perl", "text/x-perl"},        {"lua", "text/x-lua"},
        {"tclsh", "text/x-tcl"},     {"ruby", "text/x-ruby"},        {"node", "text/javascript"},
        {"php", "text/x-php"},       {"bash", "text/x-shellscript"}, {"sh", "text/x-shellscript"},
    };
    if (!cn_slice_starts(s, cn_str("#!"))) {
        return NULL;
    }
    cn_slice line = cn_slice_head(s, cn_slice_find(s, '\n'));
    while (line.len > 0) { /* the words, cut at spaces and slashes */
        size_t end = CN_MIN(cn_slice_find(line, ' '), cn_slice_find(line, '/'));
        for (size_t i = 0; i < CN_LEN(languages); i++) {
            if (begins(cn_slice_head(line, end), languages[i].name)) {
                return languages[i].type;
            }
        }
        line = cn_slice_skip(line, end + 1);
    }
    return NULL;
}

/* Marks that are not at one place. */
static const char *by_look(cn_slice s)
{
    const char *type = elf_type(s);
    return type != NULL ? type : script_type(s);
}

const char *cn_mime_of_bytes(cn_slice head)
{
    static const char *const html[] = {"<!doctype html", "<html", "<head", "<script",
                                       "<body",          "<h1",   "<div",  "<table",
                                       "<!--",           "<p>"};
    bool cut = head.len >= CN_MIME_SNIFF_BYTES;
    head = cn_slice_head(head, CN_MIME_SNIFF_BYTES);
    if (head.len == 0) {
        return "text/plain";
    }
    for (size_t i = 0; i < CN_LEN(by_mark); i++) {
        cn_slice at = cn_slice_skip(head, by_mark[i].at);
        if (cn_slice_starts(at, cn_slice_of(by_mark[i].mark, by_mark[i].len))) {
            return by_mark[i].type;
        }
    }
    const char *looks = by_look(head);
    if (looks != NULL) {
        return looks;
    }
    cn_slice text = skip_space(head);
    for (size_t i = 0; i < CN_LEN(html); i++) {
        if (begins(text, html[i])) {
            return "text/html";
        }
    }
    if (begins(text, "<svg")) {
        return "image/svg+xml";
    }
    if (begins(text, "<?xml")) {
        return "text/xml; charset=utf-8";
    }
    if (is_json(text, cut)) {
        return "application/json";
    }
    if (!is_text(head)) {
        return "application/octet-stream";
    }
    return is_utf8(head, cut) ? "text/plain; charset=utf-8" : "text/plain; charset=iso-8859-1";
}
