/*
 * The published vectors of both UnixFS profiles, trickle and HAMT (fixtures cid-profiles).
 */
#include "import_source.h"

#include <jansson.h>
#include <stdio.h>

enum { FILES_MAX = 5000, NAME_BYTES = 40, LARGE_BYTES = 1 << 30 };

static void options_of(const char *profile, cn_import_options *o)
{
    cn_import_options_init(o);
    if (strstr(profile, "v1-2025") != NULL) {
        o->cid_version = 1;
        o->file_links_max = 1024;
        o->estimate = CN_ESTIMATE_BLOCK;
        CHECK_OK(cn_chunker_parse(cn_str("size-1048576"), &o->chunker, NULL));
    }
    if (strstr(profile, "trickle") != NULL) {
        o->layout = CN_LAYOUT_TRICKLE;
    }
}

static size_t number_of(const json_t *v, const char *key)
{
    return (size_t)json_integer_value(json_object_get(v, key));
}

static const char *text_of(const json_t *v, const char *key)
{
    return json_string_value(json_object_get(v, key));
}

static const char *import_file(const json_t *v, cn_import_options *o)
{
    step file = {CN_SOURCE_FILE, "f", text_of(v, "text"), number_of(v, "size")};
    memory_source s = source_of(&file, 1, text_of(v, "seed"));
    return import_root(&s.source, o, false);
}

/* Names are drawn from one stream by the vectors' recipe; each file holds "x". */
static const char *import_dir(const json_t *v, cn_import_options *o, const char *alphabet)
{
    static step steps[FILES_MAX + 2];
    static char names[FILES_MAX][NAME_BYTES];
    size_t files = number_of(v, "files");
    uint64_t offset = 0;
    if (!CHECK(files > 0 && files <= FILES_MAX)) {
        return "";
    }
    steps[0] = (step){CN_SOURCE_DIR_START, "d", NULL, 0};
    for (size_t i = 0; i < files; i++) {
        size_t len = number_of(v, i + 1 == files ? "last_name_len" : "name_len");
        uint8_t bytes[NAME_BYTES] = {0};
        stream_bytes(text_of(v, "seed"), offset, bytes, len);
        offset += len;
        for (size_t k = 0; k < len; k++) {
            names[i][k] = alphabet[bytes[k] % strlen(alphabet)];
        }
        names[i][len] = '\0';
        steps[i + 1] = (step){CN_SOURCE_FILE, names[i], "x", 0};
    }
    steps[files + 1] = (step){CN_SOURCE_DIR_END, "", NULL, 0};
    memory_source s = source_of(steps, files + 2, "");
    return import_root(&s.source, o, false);
}

static void check_vectors(bool large)
{
    cn_buf b;
    size_t checked = 0;
    if (!test_fixture("cid-profiles/vectors.json", &b)) {
        return;
    }
    json_t *root = json_loadb((const char *)b.data, b.len, 0, NULL);
    const char *alphabet = text_of(root, "alphabet");
    size_t i = 0;
    const json_t *v = NULL;
    json_array_foreach(json_object_get(root, "vectors"), i, v)
    {
        static cn_import_options o;
        if ((number_of(v, "size") >= LARGE_BYTES) != large) {
            continue;
        }
        options_of(text_of(v, "profile"), &o);
        bool is_dir = strcmp(text_of(v, "kind"), "dir") == 0;
        CHECK_STR(is_dir ? import_dir(v, &o, alphabet) : import_file(v, &o), text_of(v, "cid"));
        checked++;
    }
    CHECK_EQ(checked, large ? 2 : 13);
    json_decref(root);
    cn_buf_release(&b);
}

static void published_vectors(void)
{
    check_vectors(false);
}

static void published_vectors_of_one_gib(void)
{
    check_vectors(true);
}

int main(void)
{
    TEST(published_vectors);
    TEST(published_vectors_of_one_gib);
    return test_end();
}
