/*
 * Media types. By extension a table; by content marks at the front, then JSON, then text or not.
 * HTML is named without a charset: the page itself says it better.
 */
#include "gateway/mime.h"

static const struct {
    const char *extension;
    const char *type;
} by_name[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip"},
    {"c", "text/x-csrc; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"go", "text/x-go; charset=utf-8"},
    {"gz", "application/gzip"},
    {"h", "text/x-chdr; charset=utf-8"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"log", "text/x-log; charset=utf-8"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"py", "text/x-python; charset=utf-8"},
    {"rs", "text/rust; charset=utf-8"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", "application/x-shellscript"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vcf", "text/vcard; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "text/xml; charset=utf-8"},
    {"xz", "application/x-xz"},
    {"yaml", "application/x-yaml"},
    {"yml", "application/x-yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

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

const char *cn_mime_of_name(cn_slice name)
{
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.' && name.data[dot - 1] != '/') {
        dot--;
    }
    if (dot == 0 || name.data[dot - 1] != '.') {
        return NULL;
    }
    cn_slice extension = cn_slice_skip(name, dot);
    for (size_t i = 0; i < CN_LEN(by_name); i++) {
        if (same_letters(extension, by_name[i].extension)) {
            return by_name[i].type;
        }
    }
    return NULL;
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
    {0, 4, "OggS", "audio/ogg"},
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
    {0, 4,
     "\x7f"
     "ELF",
     "application/x-elf"},
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

/* Well-formed UTF-8, but for a character cut by the end. */
static bool is_utf8(cn_slice s)
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
    }
    return true;
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
    return is_utf8(head) ? "text/plain; charset=utf-8" : "text/plain; charset=iso-8859-1";
}
