/*
 * `config` reads or sets one key; `config show` shows all that is not secret.
 */
#include "cmd/commands.h"
#include "cmd/config_common.h"
#include "codec/quote.h"
#include "node/identity.h"

typedef struct field {
    cn_slice key;
    const cn_json *value;
    bool was_set;
} field;

static cn_err field_json(cn_call *call, cn_buf *out, const void *value)
{
    const field *f = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    CN_TRY(cn_buf_text(out, "{\"Key\":"));
    CN_TRY(cn_json_dump_string(f->key, out));
    CN_TRY(cn_buf_text(out, ",\"Value\":"));
    CN_TRY(cn_json_dump(f->value, CN_JSON_GO_NUMBERS, out));
    CN_TRY(cn_buf_byte(out, '}'));
out:
    return err;
}

static cn_err field_text(cn_call *call, cn_buf *out, const void *value)
{
    const field *f = value;
    cn_slice text = f->value->text;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    if (f->was_set) {
        return CN_OK;
    }
    if (f->value->kind == CN_JSON_STRING) {
        while (text.len > 0 && text.data[0] == '\n') {
            text = cn_slice_skip(text, 1);
        }
        while (text.len > 0 && text.data[text.len - 1] == '\n') {
            text.len--;
        }
        CN_TRY(cn_buf_append(out, text));
    } else {
        CN_TRY(cn_json_dump(f->value, CN_JSON_INDENT | CN_JSON_GO_NUMBERS, out));
    }
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

static const cn_output_type field_output = {"commands.ConfigField", field_json, field_text};

/* "auto" stands for what the network's own configuration service says; offline there is none. */
static cn_err expand_auto(cn_config_file *f, const cn_json **value)
{
    cn_json *copy = NULL;
    const cn_json *v = *value;
    cn_err err = CN_OK;
    if (v->kind != CN_JSON_ARRAY && v->kind != CN_JSON_OBJECT) {
        return CN_OK;
    }
    CN_TRY(cn_json_new(&f->doc, v->kind, &copy));
    for (const cn_json *m = v->first; m != NULL; m = m->next) {
        cn_json *kept = NULL;
        if (m->kind == CN_JSON_STRING && cn_slice_is(m->text, "auto")) {
            continue;
        }
        CN_TRY(cn_json_copy(&f->doc, m, &kept));
        kept->key = m->key;
        cn_json_append(copy, kept);
    }
    *value = copy;
out:
    return err;
}

static cn_err say_get(cn_call *call, cn_err err)
{
    char quoted[CN_QUOTE_TEXT_BYTES];
    cn_slice reason = cn_str(cn_why_text(cn_call_why(call), err));
    return cn_call_fail(call, err, "failed to get config value: %s", cn_quote_text(reason, quoted));
}

static cn_err get_value(cn_call *call, cn_slice key)
{
    cn_config_edit edit;
    const cn_json *value = NULL;
    field f = {.key = key};
    cn_err err = cn_config_edit_begin(call, false, &edit);
    CN_TRY(err);
    cn_json_sort(edit.file.root);
    err = cn_config_file_get(&edit.file, key, &value, cn_call_why(call));
    if (err != CN_OK) {
        err = say_get(call, err);
        goto out;
    }
    if (cn_call_flag(call, "expand-auto", NULL)) {
        CN_TRY(expand_auto(&edit.file, &value));
    }
    f.value = value;
    err = cn_call_emit_once(call, &field_output, &f);
out:
    cn_config_edit_end(&edit);
    return err;
}

/* The new value as the options say: JSON, a bool, or the text itself. */
static cn_err new_value(cn_call *call, cn_json_doc *d, cn_json **ret)
{
    cn_slice text = cn_call_arg(call, 1);
    cn_json *raw = NULL;
    cn_buf usual;
    cn_err err = CN_OK;
    if (!cn_call_flag(call, "json", NULL)) {
        return cn_call_flag(call, "bool", NULL)
                   ? cn_json_new_bool(d, cn_slice_is(text, "true"), ret)
                   : cn_json_new_string(d, text, ret);
    }
    cn_buf_init(&usual, cn_call_mem(call), CN_CONFIG_MAX_BYTES);
    err = cn_json_parse(d, text, CN_JSON_WHOLE, &raw, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail(
            call, err, "failed to unmarshal json. %s", cn_why_text(cn_call_why(call), err));
        goto out;
    }
    /* 1e2 becomes 100, as it must where a whole number is wanted. */
    CN_TRY(cn_json_dump(raw, CN_JSON_GO_NUMBERS, &usual));
    CN_TRY(cn_json_parse(d, cn_buf_slice(&usual), CN_JSON_WHOLE, ret, cn_call_why(call)));
out:
    cn_buf_release(&usual);
    return err;
}

static bool is_peer_id_key(cn_slice key)
{
    static const char name[] = "identity.peerid";
    bool same = key.len == sizeof name - 1;
    for (size_t i = 0; same && i < key.len; i++) {
        uint8_t c = key.data[i];
        same = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c) == name[i];
    }
    return same;
}

/* Only the repo's own peer id may be set, in any of its forms; it is kept as it was. */
static cn_err check_peer_id(cn_call *call, cn_config_file *f, cn_json *value, cn_json **ret)
{
    const cn_json *own = NULL;
    cn_identity a = {0};
    cn_identity b = {0};
    cn_err err = cn_config_file_get(f, cn_str("Identity.PeerID"), &own, NULL);
    bool same = err == CN_OK && cn_identity_parse(own->text, &a, NULL) == CN_OK &&
                value->kind == CN_JSON_STRING &&
                cn_identity_parse(value->text, &b, NULL) == CN_OK && cn_peer_id_eq(&a.id, &b.id);
    if (!same) {
        return cn_call_fail(
            call, CN_ERR_USAGE,
            "cannot set Identity.PeerID to a value that does not match the node's private key; use "
            "'ipfs key rotate' to change the node identity");
    }
    return cn_json_copy(&f->doc, own, ret);
}

static cn_err set_value(cn_call *call, cn_slice key)
{
    cn_config_edit edit;
    cn_json *value = NULL;
    field f = {.key = key, .was_set = true};
    cn_err err = cn_config_edit_begin(call, true, &edit);
    CN_TRY(err);
    CN_TRY(new_value(call, &edit.file.doc, &value));
    if (is_peer_id_key(key)) {
        CN_TRY(check_peer_id(call, &edit.file, value, &value));
    }
    err = cn_config_file_set(&edit.file, key, value, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail(
            call, err, "failed to set config value: %s (maybe use --json?)",
            cn_why_text(cn_call_why(call), err));
        goto out;
    }
    err = cn_config_file_save(&edit.file, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    f.value = value;
    err = cn_call_emit_once(call, &field_output, &f);
out:
    cn_config_edit_end(&edit);
    return err;
}

static cn_err run_config(cn_call *call)
{
    cn_slice key = cn_call_arg(call, 0);
    cn_err err = cn_config_key_allowed(key, cn_call_why(call));
    if (err != CN_OK) {
        return cn_call_fail_why(call, err);
    }
    if (cn_call_args_len(call) < 2) {
        return get_value(call, key);
    }
    if (cn_call_flag(call, "expand-auto", NULL)) {
        return cn_call_fail(
            call, CN_ERR_USAGE,
            "--expand-auto can only be used for reading config values, not for setting them");
    }
    return set_value(call, key);
}

static const cn_arg config_args[] = {
    {"key", 0, "The key, such as \"Addresses.API\"."},
    {"value", CN_ARG_OPTIONAL, "The value to set it to."},
    {.name = NULL},
};

static const cn_opt config_opts[] = {
    {CN_OPT_BOOL, "bool", NULL, NULL, "The value is true or false."},
    {CN_OPT_BOOL, "json", NULL, NULL, "The value is JSON."},
    {CN_OPT_BOOL, "expand-auto", NULL, NULL, "Put what is in use in the place of \"auto\"."},
    {.name = NULL},
};

const cn_command cn_cmd_config = {
    .path = "config",
    .summary = "Get and set configuration",
    .about = "Without a value, shows the value of a key; with one, sets it. Objects and lists are\n"
             "given as JSON with --json. A running daemon sees changes when it starts again.",
    .args = config_args,
    .opts = config_opts,
    .output = &field_output,
    .run = run_config,
};

static cn_err show_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    return cn_json_dump(value, CN_JSON_GO_NUMBERS, out);
}

static cn_err show_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    cn_err err = cn_json_dump(value, CN_JSON_INDENT | CN_JSON_GO_NUMBERS, out);
    return err != CN_OK ? err : cn_buf_byte(out, '\n');
}

static const cn_output_type show_output = {"map[string]interface {}", show_json, show_text};

/* The places where Kubo expands "auto". */
static cn_err expand_all(cn_config_file *f)
{
    static const char *const keys[] = {
        "Bootstrap", "DNS.Resolvers", "Routing.DelegatedRouters", "Ipns.DelegatedPublishers"};
    cn_err err = CN_OK;
    for (size_t i = 0; i < CN_LEN(keys) && err == CN_OK; i++) {
        const cn_json *value = NULL;
        const cn_json *expanded = NULL;
        cn_json *copy = NULL;
        if (cn_config_file_get(f, cn_str(keys[i]), &value, NULL) != CN_OK) {
            continue;
        }
        expanded = value;
        CN_TRY(expand_auto(f, &expanded));
        CN_TRY(cn_json_copy(&f->doc, expanded, &copy));
        CN_TRY(cn_config_file_set(f, cn_str(keys[i]), copy, NULL));
    }
out:
    return err;
}

static cn_err run_show(cn_call *call)
{
    cn_config_edit edit;
    cn_err err = cn_config_edit_begin(call, false, &edit);
    CN_TRY(err);
    if (cn_call_flag(call, "expand-auto", NULL)) {
        CN_TRY(expand_all(&edit.file));
    }
    cn_json_sort(edit.file.root);
    cn_config_scrub(edit.file.root);
    err = cn_call_emit_once(call, &show_output, edit.file.root);
out:
    cn_config_edit_end(&edit);
    return err;
}

const cn_command cn_cmd_config_show = {
    .path = "config/show",
    .summary = "Show the configuration",
    .about = "Without the private key and other secrets: a backup needs the file itself.",
    .output = &show_output,
    .run = run_show,
};
