"""What tests/e2e/test_gateway.py asks a gateway: the content, always the same, and a table of requests."""

import os, random
from urllib.parse import quote, unquote_to_bytes

# name -> bytes, a text that a symlink holds, or None for an empty folder
WEIRD = ['we"ird é.txt', "a b", "a+b", "per%cent", "%41", "q?x", "h#x", "日本.txt", "<b>&.html", "'quote'", "x;y", "star*",
         "~", "a=b&c", "back\\slash", "..dots", "...", "colon:x", "[x]", "{y}", "|pipe", "^", "`", "tab\there", "ctl\x01"]
MARKS = {"png": b"\x89PNG\r\n\x1a\n0000", "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0", "gif87": b"GIF87a....", "gif89": b"GIF89a....",
         "webp": b"RIFF\x10\0\0\0WEBPVP8 ", "wav": b"RIFF\x10\0\0\0WAVEfmt ", "pdf": b"%PDF-1.7\n", "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\3",
         "xz": b"\xfd7zXZ\0\0\4", "bzip2": b"BZh91AY&SY", "7z": b"7z\xbc\xaf\x27\x1c\0\4", "zstd": b"\x28\xb5\x2f\xfd\4\0", "wasm": b"\0asm\1\0\0\0",
         "woff": b"wOFF\0\1\0\0", "woff2": b"wOF2\0\1\0\0", "otf": b"OTTO\0\x0b\0\x80\0\3\0\x30CFF " + bytes(64), "ttf": b"\0\1\0\0\0\x0f\0\x80\0\3\0\x70GDEF" + bytes(64),
         "bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0" + bytes(40), "vorbis": b"OggS\0\2" + bytes(22) + b"\1vorbis" + bytes(40), "opus": b"OggS\0\2" + bytes(22) + b"OpusHead" + bytes(40), "theora": b"OggS\0\2" + bytes(22) + b"\x80theora" + bytes(40),
         "ico": b"\0\0\1\0\1\0\x10\x10", "ogg": b"OggS\0\2\0\0", "flac": b"fLaC\0\0\0\x22", "mp3": b"ID3\3\0\0\0\0", "elf": b"\x7fELF\2\1\1\0" + bytes(8) + b"\2\0",
         "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "html": b"<!DOCTYPE html><html></html>", "html2": b"  \n<HTML><body>x", "head": b"<head><title>",
         "script": b"<script>x</script>", "div": b"<div>x</div>", "comment": b"<!-- x -->", "p": b"<p>x", "almost": b"<pre>x</pre>", "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
         "xml": b'<?xml version="1.0"?><a/>', "json": b'{"a": [1, 2, {"b": null}]}', "array": b"[1,2,3]", "notjson": b"{a: 1}", "cutjson": b'{"a": 1', "emptyobj": b"{}", "word": b"true",
         "text": b"just text\n", "utf8": "schöne Grüße\n".encode(), "latin1": "schöne Grüße\n".encode("latin-1"), "utf16": "text".encode("utf-16"), "bom": b"\xef\xbb\xbftext", "zero": b"a\0b",
         "escape": b"\x1b[1mbold", "shebang": b"#!/bin/sh\n", "python": b"#!/usr/bin/env python3\n", "nothing": b"", "space": b" \n", "random": bytes(range(256)), "longtext": b"word " * 2000,
         "latezero": b"a" * 4000 + b"\0", "php": b"<?php x", "rtf": b"{\\rtf1 x}", "csv": b"a,b,c\n1,2,3\n4,5,6\n", "tsv": b"a\tb\n1\t2\n", "ndjson": b'{"a":1}\n{"b":2}\n', "cututf8": "ä".encode()[:1]}
EXTENSIONS = ["txt", "TXT", "html", "htm", "css", "js", "mjs", "json", "xml", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "bmp", "tiff", "pdf", "zip", "gz", "tar", "7z",
              "xz", "bz2", "zst", "mp3", "mp4", "webm", "ogg", "ogv", "wav", "flac", "m4a", "mov", "mkv", "woff", "woff2", "ttf", "otf", "wasm", "md", "csv", "c", "h", "py", "sh", "go",
              "rs", "log", "yaml", "toml", "epub", "doc", "docx", "xlsx", "bin", "rtf", "ics", "vcf", "jsonld", "nosuch", "tar.gz", "car"]


def tree():
    r = random.Random(3)
    big = r.randbytes(3 * 1048576 + 17)
    out = {"index.html": b"<h1>hi</h1>\n", "s.css": b"a{}\n", "ten": b"0123456789", "empty": b"", "big.bin": big, "mid": r.randbytes(200000),
           "d/f.txt": b"f\n", "d/e/g.txt": b"g\n", "d/link": "f.txt", "d/dirlink": "e", "d/none": "nowhere/ at all",
           "odd/index.html/x": b"x\n", "noindex/INDEX.HTML": b"upper\n", "hidden/a": b"a"}
    out.update({"names/" + name: name.encode() for name in WEIRD})
    out.update({"marks/" + name: data for name, data in MARKS.items()})
    out.update({"types/f." + e: b"0123456789" for e in EXTENSIONS})
    out.update({"many/%s-%03d" % ("x" * (i % 50), i): b"%d" % i for i in range(200)})
    out["many/index"] = b"in a HAMT\n"
    out["short/%s" % ("n" * 255)] = b"long name\n"
    return out


def write(folder):
    for name, data in tree().items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(data, str):
            os.symlink(data, path)
        else:
            with open(path, "wb") as f:
                f.write(data)
    os.makedirs(os.path.join(folder, "void"))


def as_url(path):
    """A path as cairn writes it into a URL."""
    return quote(unquote_to_bytes(path.encode("latin-1")), safe="$&+,/:;=@~")


def cbor_text(text):
    data = text.encode()
    return bytes([0x60 | len(data)]) + data if len(data) < 24 else b"\x78" + bytes([len(data)]) + data


def cbor_link(cid):
    return b"\xd8\x2a\x58" + bytes([len(cid) + 1]) + b"\0" + cid


RANGES = ["bytes=0-3", "bytes=3-", "bytes=-3", "bytes=-10", "bytes=-30", "bytes=-0", "bytes=5-100", "bytes=10-", "bytes=9-", "bytes=20-30", "bytes=5-2", "bytes=0-1,4-5", "bytes=0-9,0-9",
          "bytes=0-9", "bytes=0-", "lines=0-1", "bytes=x", "bytes=", "bytes", "bytes=-", "bytes=0-0", "bytes=1-1, 3-4", "bytes= 1-2", "bytes=1 - 2", "bytes=4-5,20-30", "bytes=20-30,4-5",
          "bytes=,", "bytes=0-3,", "bytes=,0-3", "Bytes=0-3", "bytes=18446744073709551616-", "bytes=9223372036854775807-", "bytes=0-9223372036854775807", "bytes=0-18446744073709551615", "bytes=+1-2", "bytes=0x1-2",
          "bytes=0--1", "bytes=--3", "bytes=1-2-3", "bytes=-9223372036854775808"]
ACCEPTS = ["*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/vnd.ipld.raw", "application/vnd.ipld.raw, */*", "application/vnd.ipld.raw;q=0.1,text/html", "text/html,application/vnd.ipld.raw",
           "APPLICATION/VND.IPLD.RAW", "application/vnd.ipld.raw; x=y", " application/vnd.ipld.raw ", "application/json", "application/cbor", "application/vnd.ipld.dag-json", "application/vnd.ipld.dag-cbor",
           "application/foo", "application/vnd.ipfs.ipns-record", "", "application/json, application/vnd.ipld.raw", "application/*", "application/vnd.ipld.raw;version=1"]
FORMATS = ["raw", "json", "cbor", "dag-json", "dag-cbor", "ipns-record", "foo", "", "RAW", "html"]
LATER = ["car", "tar"]


def cases(c):
    """(method, path, headers) of every request; `c` names CIDs."""
    S, V0, H = c["site"], c["site0"], c["hamt"]
    G = lambda path, **h: ("GET", path, {k.replace("_", "-"): v for k, v in h.items()})
    p = "/ipfs/" + S
    # files and folders, with and without the slash, GET and HEAD
    for root in (p, "/ipfs/" + V0):
        for path in ("", "/", "/index.html", "/index.html/", "/ten", "/ten/", "/ten/x", "/empty", "/mid", "/big.bin", "/d", "/d/", "/d/e", "/d/f.txt", "/d/link", "/d/dirlink", "/d/dirlink/",
                     "/d/dirlink/g.txt", "/d/none", "/odd", "/odd/", "/odd/index.html", "/odd/index.html/", "/noindex/", "/void", "/void/", "/marks/", "/names/", "/nope", "/nope/", "/d/nope/x", "/many/", "/many",
                     "/many/index", "/many/x-001", "/many/nope", "/short/", "/short/" + "n" * 255):
            for method in ("GET", "HEAD"):
                yield method, root + path, {}
        yield G(root + "/d?a=b&c=%20d")
        yield G(root + "/d?", Accept="text/html")
        yield G(root + "/nope", Accept="text/html")
    # the same thing under other names
    yield from (G(x) for x in ("/ipfs/" + c["ten1"], "/ipfs/%s/" % c["ten1"], "/ipfs/" + c["ten0"], "/ipfs/" + c["ten_b58"], "/ipfs/" + c["ten_b16"], "/ipfs/" + c["ten_b36"], "/ipfs/" + c["site_b36"],
                               "/ipfs/%s/d" % c["site_b36"], "/ipfs/" + c["site_b36"] + "/ten"))
    yield from (G("/ipfs/" + x) for x in ("bafkqaaa", "bafkqaaa/", "bafkqaaa/x", "bafkqablimvwgy3y", "bafkqablimvwgy3y?filename=a.html", "bafyaabakaieac", "bafyaabakaieac/", "bafyaabakaieac/x", "bafyaabykaqeab4id"))
    # what is wrong
    for text in ("", "x", "Qm", "bafy", "bafkqaa", S[:-1], S + "x", S.upper(), S + "%00", S + "%20", "%20" + S, "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5O", "z" + S, "zz", "ipfs", "ipfs/", "ipfs/" + S,
                 "ipfs/%s/d?x=y" % S, "ipfs/ipfs/" + S, "ipns/x", "bafkriqcaaaaa", "b" * 1000, "bafzqaaa", c["missing"], c["missing"] + "/", c["missing"] + "/x", c["missing0"]):
        for accept in ({}, {"Accept": "text/html"}):
            yield "GET", "/ipfs/" + text, accept
    yield from (G(x) for x in ("/", "/ipfs", "/ipns", "/ipfs?x=y", "/ipfs//", "//ipfs/" + S, "/ipfs//" + S, "/ipfs/%s//d" % S, "/ipfs/%s//" % S, "/ipfs/%s/d//f.txt" % S, "/ipfs/%s/./d/" % S, "/ipfs/%s/d/." % S, "/ipfs/%s/d/.." % S,
                               "/ipfs/%s/d/../ten" % S, "/ipfs/%s/d/../ten?x=%%20y" % S, "/ipfs/../ipfs/" + S, "/ipfs/%s/.." % S, "/../../ipfs/%s/ten" % S, "/ipfs/%s/d/%%2e%%2e/ten" % S, "/ipfs/%s/d%%2ff.txt" % S, "/ipfs/%s/d/%%2e/f.txt" % S,
                               "/ipfs/%s/%%" % S, "/ipfs/%s/%%4" % S, "/ipfs/%s/%%zz" % S, "/ipfs/%s/te%%6e" % S, "/ipfs/%s/te%%6E/" % S, "/%%69pfs/%s/ten" % S, "/ipfs/%s/ten;x" % S, "/ipfs/%s/ten%%3fx" % S, "/ipfs%%2f%s/ten" % S,
                               "/IPFS/" + S, "/nope", "/robots.txt", "/favicon.ico", "/api/v0/version", "/webui", "/ipfs/%s/ten?" % S, "/ipfs/%s/ten?x" % S, "/ipfs/%s/ten??" % S, "/ipfs/%s/ten#x" % S, "/ipfs/" + S + "/" + "a/" * 200,
                               "/ipfs/" + S + "/" * 50, "/ipfs/" + S + "/" + "n" * 6000, "/ipfs/%s/ten?x=%s" % (S, "y" * 8000), "/ipfs/%s/ten?x=1&x=2&%%=3&;=4" % S))
    # names of every kind
    for name in WEIRD:
        yield G(p + "/names/" + quote(name))
        yield G(p + "/names/" + quote(name), Accept="application/vnd.ipld.raw")
    yield G(p + "/names/日本.txt".encode().decode("latin-1"))
    yield G(p + "/names/a+b")
    yield G(p + "/names/%C3%28")
    # types
    yield from (G(p + "/marks/" + name) for name in MARKS)
    yield from (G(p + "/types/f." + e) for e in EXTENSIONS)
    # names of downloads
    for query in ("filename=abc.html", "download=true", "filename=x.txt&download=true", "filename=x.txt&download=false", "filename=x.txt&download=", "filename=x&download=TRUE", "filename=", "filename=a%22b%C3%A9.txt&download=true", "filename=a%2Fb.css",
                  "filename=a%5Cb", "filename=%E6%97%A5%E6%9C%AC.png", "filename=a;b", "filename=a+b.txt", "filename=a%20b%2Bc.txt", "filename=%0d%0aX:y", "filename=a%00b", "filename=%ff%fe", "filename=x.nosuch&filename=x.css", "Filename=x.css", "filename=~!*'()-_.", "filename=" + "n" * 300):
        yield G(p + "/ten?" + query)
        yield G(p + "/d/?" + query)
        yield G("%s/ten?format=raw&%s" % (p, query))
    # ranges
    for r in RANGES:
        for path in ("/ten", "/ten?format=raw", "/empty"):
            yield G(p + path, Range=r)
        yield "HEAD", p + "/ten", {"Range": r}
    for r in ("bytes=0-", "bytes=1048570-1048590", "bytes=3145720-", "bytes=-20", "bytes=1048576-2097151", "bytes=3145745-", "bytes=3145744-3145744", "bytes=100-250,300-400"):
        yield G(p + "/big.bin", Range=r)
        yield G("/ipfs/%s/big.bin" % V0, Range=r)
        yield "HEAD", p + "/big.bin", {"Range": r}
        yield G("/ipfs/%s/mid" % V0, Range=r)
    yield from (G(x, Range="bytes=1-2") for x in (p + "/d/", p + "/", p, p + "/d/link", p + "/nope", "/ipfs/bafkqablimvwgy3y", "/ipfs/" + c["dagcbor"], "/ipfs/" + c["dagjson"], p + "/many/index"))
    tag = '"%s"' % c["ten1"]
    for value in (tag, "W/" + tag, '"x"', tag.strip('"'), "Mon, 23 Nov 2015 00:00:00 GMT", "*", tag + ", " + tag):
        yield G(p + "/ten", Range="bytes=0-3", If_Range=value)
        yield G(p + "/ten", Range="bytes=20-", If_Range=value)
    # conditions
    for tag, path in ((c["ten1"], "/ten"), (c["ten1"] + ".raw", "/ten?format=raw"), (S, "/"), (c["index"], "/"), (c["index"], "/index.html"), (c["d"], "/d/"), ("DirIndex-x_CID-" + c["d"], "/d/"), (c["d"], "/d"), (c["link"], "/d/link"), (c["ten1"], "/ten?format=raw"),
                      (c["ten1"] + ".raw", "/ten"), (c["empty"], "/empty"), (c["big"], "/big.bin"), (c["missing"], "/nope")):
        for value in ('"%s"', 'W/"%s"', '"a", "%s"', '"a","%s","b"', ' , "%s"', "%s", '"%s', "'%s'", '"a" "%s"', 'w/"%s"', '"x%s"'):
            yield G(p + path, If_None_Match=value % tag)
        yield "HEAD", p + path, {"If-None-Match": '"%s"' % tag}
        yield G(p + path, If_None_Match='"%s"' % tag, Range="bytes=20-30")
    yield from (G(p + path, If_None_Match=v) for path in ("/ten", "/d/", "/", "/nope", "/d") for v in ("*", "", '"', ",", '""', '"*"', 'W/', '*, "x"'))
    yield from (G(p + path, If_Modified_Since=v) for path in ("/ten", "/d/", "/d/link") for v in ("Mon, 23 Nov 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:01 GMT", "x"))
    yield from (G(p + "/ten", **{k: v}) for k, v in (("If_Match", '"x"'), ("If_Match", "*"), ("If_Match", '"%s"' % c["ten1"]), ("If_Unmodified_Since", "Thu, 01 Jan 1970 00:00:01 GMT"), ("Cache_Control", "no-cache"), ("Cache_Control", "no-store"), ("Pragma", "no-cache")))
    for path in (p + "/ten", p + "/d/", p, "/ipfs/" + c["missing"], "/ipfs/" + c["missing"] + "/x", p + "/nope", "/ipfs/bafkqaaa", "/ipfs/" + c["holed"] + "/a"):
        for value in ("only-if-cached", "Only-If-Cached", "only-if-cached, no-store", " only-if-cached"):
            yield G(path, Cache_Control=value)
        yield "HEAD", path, {"Cache-Control": "only-if-cached"}
    yield from (G(x, Service_Worker="script") for x in (p, p + "/", p + "/ten", "/ipfs/" + c["ten1"]))
    yield G(p, Service_Worker="x")
    # forms
    targets = [p, p + "/", p + "/ten", p + "/d/", p + "/d", p + "/d/link", p + "/big.bin", p + "/many/", "/ipfs/" + c["ten0"], "/ipfs/bafkqablimvwgy3y", p + "/nope"]
    blocks = ["/ipfs/" + c[x] for x in ("dagcbor", "dagjson", "json", "cbor", "rawjson")]
    for path in targets + blocks:
        yield from (G("%s?format=%s" % (path, f)) for f in FORMATS)
        yield from (G(path, Accept=a) for a in ACCEPTS)
        yield "HEAD", path + "?format=raw", {}
        yield "HEAD", path, {"Accept": "application/vnd.ipld.raw"}
    yield from (G("%s?format=%s" % (path, f)) for path in targets + blocks if path != p + "/nope" for f in LATER)
    yield from (G(p + "/ten", Accept=a) for a in ("application/vnd.ipld.car", "application/vnd.ipld.car; version=1; order=dfs; dups=n", "application/x-tar"))
    yield G(p + "/d/?format=car&dag-scope=entity&entity-bytes=0:5&car-order=dfs&car-dups=y")
    yield from (G(p + "/ten?" + q, Accept=a) for q in ("format=raw", "format=foo", "format=", "format=json", "x=y&format=raw", "format=raw&format=json", "FORMAT=raw", "x=y") for a in ("application/vnd.ipld.raw", "application/json", "text/html"))
    # blocks that are not files
    for name in ("dagcbor", "dagjson", "json", "cbor", "rawjson"):
        root = "/ipfs/" + c[name]
        yield from (G(root + x) for x in ("", "/", "/link", "/link/", "/dir", "/dir/", "/dir/f.txt", "/name", "/name/x", "/list/0", "/list/9", "/list/x", "/nope", "/deep/link", "?filename=x.txt", "?filename=x.txt&download=true", "?download=true"))
        yield from (("HEAD", root + x, {}) for x in ("", "/name", "/link"))
        yield G(root, If_None_Match='"%s"' % c[name])
        yield G(root, If_None_Match='"%s.dag-cbor"' % c[name])
        yield G(root, If_None_Match='"%s.dag-json"' % c[name])
        yield G(root, Accept="text/html")
    # holes
    yield from (G("/ipfs/%s%s" % (c["holed"], x)) for x in ("", "/", "/a", "/a?format=raw", "/b", "/s", "/s/", "/s/x", "/nope"))
    yield from (("HEAD", "/ipfs/%s%s" % (c["holed"], x), {}) for x in ("/", "/a", "/b", "/s/"))
    yield G("/ipfs/%s/b" % c["holed"], Range="bytes=0-9")
    # other methods
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "get"):
        yield from ((method, x, {}) for x in (p + "/ten", p + "/", p, "/", "/ipfs/", "/nope", "/version", "/ipns/x"))
    yield "OPTIONS", p + "/ten", {"Origin": "http://a.example", "Access-Control-Request-Method": "GET"}
    yield "OPTIONS", p + "/ten", {"Origin": "http://a.example", "Access-Control-Request-Method": "PUT"}
    yield from (G(p + "/ten", Origin=o) for o in ("http://a.example", "null", ""))
    # hosts and what proxies say
    for name in ("localhost", "example.com", "[::1]", "", "%s.ipfs.example.com" % S, "127.0.0.1"):
        yield "GET", p + "/ten", {"Host": name}
    yield G(p + "/d", X_Forwarded_Host="example.com", X_Forwarded_Proto="https")
    yield G(p + "/d", X_Ipfs_Gateway_Prefix="/foo")
    yield G(p + "/d", X_Forwarded_Prefix="/foo")
    yield G("http://example.com" + p + "/ten")
    yield from (G(x) for x in (p + "/ten?uri=ipfs://x", "/ipfs/?uri=ipfs://%s/ten" % S, "/ipns/?uri=ipfs%3A%2F%2F" + S, "/ipfs/?uri=x", "/ipfs/?uri=", "/ipfs/?uri=http://x/", "/ipfs/?uri=IPNS://a.example/b%20c", "/ipfs/?uri=ipfs://x/y%3Fa=b%26c=d", "/ipfs/?uri=ipfs://x/%25zz", "/ipfs/?uri=ipfs://x/%2525", "/ipfs/?uri=ipns://x/é%23f".encode().decode("latin-1"), p + "/?go-get=1", p + "/d/?go-get=1"))
    yield from (G("/ipns/" + x) for x in ("", "x", "example.com", "12D3KooWSBStqHFB6bb689YYQeLxemxSDf5zHWe5trqRXMtHhdGW", S))
    # seeded mixes
    r = random.Random(7)
    paths = ["", "/", "/ten", "/d", "/d/", "/d/link", "/mid", "/nope", "/many/index", "/names/a%20b", "/marks/json", "/empty"]
    for _ in range(150):
        path = p + r.choice(paths)
        query = "&".join(r.sample(["format=raw", "filename=q.md", "download=true", "x=y", "format=json"], r.randrange(3)))
        headers = {k: r.choice(v) for k, v in r.sample([("Range", RANGES), ("Accept", ACCEPTS), ("If-None-Match", ['"%s"' % c["ten1"], "*", '"x"', '"%s.raw"' % c["ten1"]]), ("Cache-Control", ["only-if-cached"])], r.randrange(4))}
        yield r.choice(["GET", "GET", "HEAD"]), path + ("?" + query if query else ""), headers
