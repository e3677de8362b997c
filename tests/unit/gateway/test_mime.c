/* Types by name and by content; every cut of a content has a type. */
#include "gateway/mime.h"
#include "lib/test.h"

static void names_are_known_by_their_extension(void)
{
    CHECK_STR(cn_mime_of_name(cn_str("a.txt")), "text/plain; charset=utf-8");
    CHECK_STR(cn_mime_of_name(cn_str("A.HTML")), "text/html");
    CHECK_STR(cn_mime_of_name(cn_str("x.tar.gz")), "application/gzip");
    CHECK_STR(cn_mime_of_name(cn_str(".png")), "image/png");
    CHECK_STR(cn_mime_of_name(cn_str("d.x/a.7z")), "application/x-7z-compressed");
    CHECK(cn_mime_of_name(cn_str("txt")) == NULL);
    CHECK(cn_mime_of_name(cn_str("a.")) == NULL);
    CHECK(cn_mime_of_name(cn_str("a.tx")) == NULL);
    CHECK(cn_mime_of_name(cn_str("a.txtx")) == NULL);
    CHECK(cn_mime_of_name(cn_str("d.txt/a")) == NULL);
    CHECK(cn_mime_of_name((cn_slice){0}) == NULL);
    CHECK(cn_mime_of_name(cn_slice_of("a.txt\0", 6)) == NULL);
}

typedef struct sample {
    const char *bytes;
    size_t len;
    const char *type;
} sample;

#define SAMPLE(text, type)                                                                         \
    {                                                                                              \
        text, sizeof text - 1, type                                                                \
    }

static const sample samples[] = {
    SAMPLE("", "text/plain"),
    SAMPLE("words\n", "text/plain; charset=utf-8"),
    SAMPLE("gr\xc3\xbc\xc3\x9f", "text/plain; charset=utf-8"),
    SAMPLE("gr\xfc\xdf", "text/plain; charset=iso-8859-1"),
    SAMPLE("\xc3", "text/plain; charset=iso-8859-1"), /* a character that is cut, but no file is */
    SAMPLE("\xef\xbb\xbftext", "text/plain; charset=utf-8"),
    SAMPLE("\xff\xfet\0", "text/plain; charset=utf-16le"),
    SAMPLE("\xfe\xff\0t", "text/plain; charset=utf-16be"),
    SAMPLE("a\0b", "application/octet-stream"),
    SAMPLE("\x1b[1mbold", "text/plain; charset=utf-8"),
    SAMPLE("\x89PNG\r\n\x1a\n", "image/png"),
    SAMPLE("\xff\xd8\xff\xe0", "image/jpeg"),
    SAMPLE("RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    SAMPLE("RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    SAMPLE(
        "\0\0\0\x18"
        "ftypavif",
        "image/avif"),
    SAMPLE(
        "\0\0\0\x18"
        "ftypmp42",
        "video/mp4"),
    SAMPLE("OggS\0\2\0\0", "application/ogg"),
    SAMPLE("OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0OpusHead", "audio/ogg"),
    SAMPLE("OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80theora", "video/ogg"),
    SAMPLE(
        "\x7f"
        "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0",
        "application/x-executable"),
    SAMPLE(
        "\x7f"
        "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0",
        "application/x-sharedlib"),
    SAMPLE(
        "\x7f"
        "ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\1",
        "application/x-object"),
    SAMPLE(
        "\x7f"
        "ELF\2\1\1\0\0\0\0\0\0\0\0\0\x09\0",
        "application/x-elf"),
    SAMPLE("#!/bin/sh\n", "text/x-shellscript"),
    SAMPLE("#! /usr/bin/env python3\n", "text/x-python"),
    SAMPLE("#!/usr/bin/perl -w\n", "text/x-perl"),
    SAMPLE("#!/opt/nothing\npython", "text/plain; charset=utf-8"),
    SAMPLE("<?php x", "text/x-php"),
    SAMPLE("{\\rtf1 x}", "text/rtf"),
    SAMPLE(" \n<!DOCTYPE HTML>", "text/html"),
    SAMPLE("<svg/>", "image/svg+xml"),
    SAMPLE("<?xml version", "text/xml; charset=utf-8"),
    SAMPLE("{\"a\":[1,{\"b\":\"]}\\\"\"}]}\n", "application/json"),
    SAMPLE("[]", "application/json"),
    SAMPLE("{a:1}", "text/plain; charset=utf-8"),
    SAMPLE("{\"a\":1", "text/plain; charset=utf-8"),
    SAMPLE("{}{}", "text/plain; charset=utf-8"),
    SAMPLE("[}", "text/plain; charset=utf-8"),
    SAMPLE("[\"\n\"]", "text/plain; charset=utf-8"),
};

static void contents_are_known_by_their_marks(void)
{
    for (size_t i = 0; i < CN_LEN(samples); i++) {
        CHECK_STR(cn_mime_of_bytes(cn_slice_of(samples[i].bytes, samples[i].len)), samples[i].type);
    }
}

/* Each prefix lies in memory of its own size: the address sanitizer sees a read behind it. */
static void every_cut_has_a_type(void)
{
    for (size_t i = 0; i < CN_LEN(samples); i++) {
        for (size_t len = 0; len <= samples[i].len; len++) {
            uint8_t *copy = cn_alloc_dirty(cn_mem_default(), len);
            cn_copy(copy, samples[i].bytes, len);
            CHECK(cn_mime_of_bytes(cn_slice_of(copy, len)) != NULL);
            cn_free(cn_mem_default(), copy);
        }
    }
}

/* What lies behind the first bytes is not looked at, and may be cut anywhere. */
static void only_the_head_counts(void)
{
    uint8_t bytes[CN_MIME_SNIFF_BYTES + 1];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 'a';
    }
    bytes[CN_MIME_SNIFF_BYTES] = 0;
    CHECK_STR(cn_mime_of_bytes(cn_slice_of(bytes, sizeof bytes)), "text/plain; charset=utf-8");
    bytes[CN_MIME_SNIFF_BYTES - 1] = 0xc3; /* the first half of a character */
    CHECK_STR(cn_mime_of_bytes(cn_slice_of(bytes, sizeof bytes)), "text/plain; charset=utf-8");
    bytes[CN_MIME_SNIFF_BYTES - 1] = 0;
    CHECK_STR(cn_mime_of_bytes(cn_slice_of(bytes, sizeof bytes)), "application/octet-stream");
    cn_copy(bytes, "{\"a\":\"", 6);
    bytes[CN_MIME_SNIFF_BYTES - 1] = 'a';
    CHECK_STR(cn_mime_of_bytes(cn_slice_of(bytes, sizeof bytes)), "application/json");
}

int main(void)
{
    TEST(names_are_known_by_their_extension);
    TEST(contents_are_known_by_their_marks);
    TEST(every_cut_has_a_type);
    TEST(only_the_head_counts);
    return test_end();
}
