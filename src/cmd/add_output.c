/*
 * What `add` prints. Over RPC a line is {Name, Hash, Bytes, Size, Mode, Mtime, MtimeNsecs}, absent
 * when zero; on the command line the client side makes "added CID name" of it, whatever --enc says,
 * as Kubo does. Mode is Go's: type bits above the permissions, in octal.
 */
#include "cmd/add_internal.h"

#include "base/num.h"
#include "cmd/request.h"
#include "cmd/call.h"
#include "codec/json.h"
#include "codec/json_write.h"
#include "codec/quote.h"

static const uint32_t GO_MODE_SYMLINK = 1u << 27;

static uint32_t go_mode(const cn_source_entry *top)
{
    uint32_t mode = top->has_mode ? top->mode : 0;
    if (top->kind == CN_SOURCE_SYMLINK) {
        mode = GO_MODE_SYMLINK | (top->has_mode ? top->mode : 0777);
    }
    return mode;
}

static void put_metadata(cn_json_writer *j, const cn_source_entry *top)
{
    char octal[16] = "0";
    uint32_t mode = go_mode(top);
    int digits = 0;
    for (uint32_t rest = mode; rest != 0; rest >>= 3) {
        digits++;
    }
    for (int i = digits; i > 0; i--) {
        octal[i] = (char)('0' + (mode & 7));
        mode >>= 3;
    }
    if (digits > 0) {
        cn_json_put_text(j, "Mode", octal);
    }
    if (top->has_mtime && top->mtime_s != 0) {
        cn_json_put_int(j, "Mtime", top->mtime_s);
        if (top->mtime_s > 0 && top->mtime_ns != 0) {
            cn_json_put_int(j, "MtimeNsecs", top->mtime_ns);
        }
    }
}

static cn_err line_json(cn_call *call, cn_buf *out, const void *value)
{
    const cn_add_line *line = value;
    const cn_add_event *event = line->event;
    cn_json_writer j;
    cn_err err = CN_OK;
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), 1024);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    if (event == NULL) {
        cn_json_put_string(&j, "Name", line->progress_path);
        if (line->progress_bytes != 0) {
            cn_json_put_uint(&j, "Bytes", line->progress_bytes);
        }
    } else {
        cn_json_put_string(&j, "Name", event->path);
        CN_TRY(cn_call_cid_text(call, event->cid, &text));
        cn_json_put_string(&j, "Hash", cn_buf_slice(&text));
        cn_buf_reset(&text);
        CN_TRY(cn_buf_printf(&text, "%llu", (unsigned long long)event->size_bytes));
        cn_json_put_string(&j, "Size", cn_buf_slice(&text));
        if (event->top != NULL) {
            put_metadata(&j, event->top);
        }
    }
    cn_json_object_end(&j);
    err = cn_json_finish(&j);
out:
    cn_buf_release(&text);
    return err;
}

/* What the command line keeps while lines come. */
typedef struct add_print {
    bool any;
    uint64_t done_bytes;  /* of the files before */
    uint64_t file_bytes;  /* of the one in hand */
    uint64_t total_bytes; /* UINT64_MAX: not known */
    cn_buf last_cid;      /* for --quieter */
} add_print;

uint64_t cn_add_total(cn_call *call)
{
    const cn_texts *files = &cn_call_request(call)->files;
    uint64_t total = 0;
    for (size_t i = 0; i < files->len; i++) {
        cn_path_stat st = {0};
        const char *path = (const char *)files->items[i].data;
        if (cn_path_stat_of(cn_call_rt(call), path, &st) != CN_OK || st.kind != CN_PATH_FILE) {
            return UINT64_MAX;
        }
        total += st.size_bytes;
    }
    return files->len > 0 ? total : UINT64_MAX;
}

static cn_err print_state(cn_call *call, add_print **ret)
{
    add_print *print = cn_call_state(call);
    if (print == NULL) {
        print = cn_alloc(cn_call_mem(call), sizeof *print);
        if (print == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        print->total_bytes = cn_add_total(call);
        cn_buf_init(&print->last_cid, cn_call_mem(call), CN_CID_TEXT_BYTES);
        cn_call_set_state(call, print);
    }
    *ret = print;
    return CN_OK;
}

/* How far it is: a file's bytes only grow, so fewer of them are another file's. */
static cn_err advance(cn_call *call, uint64_t file_bytes)
{
    add_print *print = NULL;
    cn_err err = print_state(call, &print);
    if (err != CN_OK) {
        return err;
    }
    print->done_bytes += file_bytes <= print->file_bytes ? print->file_bytes : 0;
    print->file_bytes = file_bytes;
    cn_call_progress(call, CN_PROGRESS_ADD, print->done_bytes + file_bytes, print->total_bytes);
    return CN_OK;
}

/* One thing was added: a line for people, or with --quieter nothing until the end. */
static cn_err print_added(cn_call *call, cn_slice cid, cn_slice name)
{
    add_print *print = NULL;
    cn_buf line;
    cn_err err = CN_OK;
    bool quiet = cn_call_flag(call, "quiet", NULL);
    cn_buf_init(&line, cn_call_mem(call), 1 << 20);
    CN_TRY(print_state(call, &print));
    if (cn_call_flag(call, "quieter", NULL)) {
        cn_buf_reset(&print->last_cid);
        CN_TRY(cn_buf_append(&print->last_cid, cid));
        goto out;
    }
    if (!quiet) {
        CN_TRY(cn_buf_text(&line, "added "));
    }
    CN_TRY(cn_buf_append(&line, cid));
    if (!quiet) {
        CN_TRY(cn_buf_byte(&line, ' '));
        CN_TRY(cn_quote_nonprint(name, &line));
    }
    CN_TRY(cn_buf_byte(&line, '\n'));
    CN_TRY(cn_call_write(call, cn_buf_slice(&line)));
    CN_TRY(cn_call_flush(call));
out:
    cn_buf_release(&line);
    return err;
}

/* After the last line, also if the add failed: --quieter prints what it has, if only a newline. */
static cn_err print_end(cn_call *call, cn_err result)
{
    add_print *print = NULL;
    cn_err err = CN_OK;
    CN_TRY(print_state(call, &print));
    if (cn_call_flag(call, "quieter", NULL)) {
        CN_TRY(cn_buf_byte(&print->last_cid, '\n'));
        CN_TRY(cn_call_write(call, cn_buf_slice(&print->last_cid)));
    }
out:
    if (print != NULL) {
        cn_buf_release(&print->last_cid);
    }
    return result != CN_OK ? result : err;
}

/* A line that a daemon sent. */
static cn_err client_line(cn_call *call, cn_slice json)
{
    enum { LINE_MAX_BYTES = 1 << 20 };
    cn_json_doc doc;
    cn_json *value = NULL;
    const cn_json *hash = NULL;
    const cn_json *name = NULL;
    const cn_json *bytes = NULL;
    uint64_t file_bytes = 0;
    cn_err err = CN_OK;
    cn_json_doc_init(&doc, cn_call_mem(call), LINE_MAX_BYTES);
    CN_TRY(cn_json_parse(&doc, json, CN_JSON_WHOLE, &value, cn_call_why(call)));
    hash = cn_json_get(value, cn_str("Hash"));
    name = cn_json_get(value, cn_str("Name"));
    bytes = cn_json_get(value, cn_str("Bytes"));
    if (hash != NULL && hash->text.len > 0) {
        CN_TRY(print_added(call, hash->text, name == NULL ? (cn_slice){0} : name->text));
    } else if (
        bytes != NULL && bytes->kind == CN_JSON_NUMBER &&
        cn_num_u64(bytes->text, &file_bytes) == CN_OK) {
        CN_TRY(advance(call, file_bytes));
    }
out:
    cn_json_doc_release(&doc);
    return err;
}

const cn_client_side cn_add_client = {.as_json = true, .line = client_line, .end = print_end};

cn_err cn_add_say(cn_call *call, const cn_add_line *line)
{
    if (!cn_call_is_cli(call)) {
        return cn_call_emit(call, &cn_add_output, line);
    }
    if (line->event == NULL) {
        return advance(call, line->progress_bytes);
    }
    cn_buf cid;
    cn_err err = CN_OK;
    cn_buf_init(&cid, cn_call_mem(call), CN_CID_TEXT_BYTES);
    CN_TRY(cn_call_cid_text(call, line->event->cid, &cid));
    CN_TRY(print_added(call, cn_buf_slice(&cid), line->event->path));
out:
    cn_buf_release(&cid);
    return err;
}

cn_err cn_add_said(cn_call *call, cn_err result)
{
    return cn_call_is_cli(call) ? print_end(call, result) : result;
}

const cn_output_type cn_add_output = {"AddEvent", line_json, NULL};
