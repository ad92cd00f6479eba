"""What a hostile HTTP server answers. A page takes a connection whose request was read, sends what
it likes and returns, whereupon the connection is closed; an endless one ends with the connection.
"""
# SPDX-License-Identifier: Apache-2.0
import gzip
import json
import socket
import struct
import time
import zlib

PAGES = {}
FOUND = {"response_code": 1, "resource": "44d88612fea8a8f36de82e1278abb02f", "positives": 0,
         "total": 1, "scan_date": "2026-01-02 03:04:05", "scans": {}, "verbose_msg": "found"}
HONEST = json.dumps(FOUND).encode()
DRIP_S = 0.1
BLOCK = b"x" * 65536
BOMB_BYTES = 1 << 28


def page(function):
    """Registers NAME_LIKE_THIS as the page name-like-this."""
    PAGES[function.__name__.replace("_", "-")] = function
    return function


def fixed(name, answer):
    PAGES[name] = lambda client, request: client.sendall(answer)


def head(*fields, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def whole(body, *fields, status="200 OK"):
    length = f"Content-Length: {len(body)}"
    return head(length, "Connection: close", *fields, status=status) + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = head("Transfer-Encoding: chunked")


def until_it_hangs_up(client, start, more):
    """Sends the same again and again; the connection's end raises."""
    client.sendall(start)
    while True:
        client.sendall(more)


def endless(name, start, more):
    PAGES[name] = lambda client, request: until_it_hangs_up(client, start, more)


def drip(client, data, then=b" "):
    """A byte at a time, and no end."""
    for byte in data:
        client.sendall(bytes([byte]))
        time.sleep(DRIP_S)
    while then:
        client.sendall(then)
        time.sleep(DRIP_S)


def wait_for_the_end(client):
    while client.recv(65536):
        pass


fixed("honest", whole(HONEST, "Content-Type: application/json"))

# ---- redirects ----

for status in (301, 302, 303, 307, 308):
    def elsewhere(client, request, status=status):
        client.sendall(whole(b"", f"Location: {request.elsewhere}/stolen", status=f"{status} X"))

    PAGES[f"redirect-{status}"] = elsewhere


def redirect(name, location):
    def send(client, request):
        to = location(request) if callable(location) else location
        client.sendall(whole(b"", f"Location: {to}", status="302 X"))

    PAGES[f"redirect-{name}"] = send


redirect("with-the-query", lambda request: f"{request.elsewhere}/stolen?{request.query}")
redirect("to-http", lambda request: request.elsewhere.replace("https:", "http:") + "/stolen")
redirect("to-file", "file:///etc/passwd")
redirect("to-gopher", "gopher://127.0.0.1:1/_x")
redirect("to-userinfo", lambda request: request.elsewhere.replace("//", "//user:word@") + "/stolen")
redirect("to-itself", lambda request: request.target)
redirect("to-nothing", "")
redirect("to-two-lines", "/a\r\nX-More: b")
redirect("without-end", "/" + "a" * 40000)


@page
def other_ways_elsewhere(client, request):
    client.sendall(whole(
        HONEST, f"Refresh: 0; url={request.elsewhere}/stolen", f"Link: <{request.elsewhere}>",
        f'Alt-Svc: h2="{request.elsewhere[8:]}"; ma=9999', "Set-Cookie: stolen=1; Path=/"))


fixed("wants-basic", whole(b"", 'WWW-Authenticate: Basic realm="a"', status="401 X"))
fixed("wants-ntlm", whole(b"", "WWW-Authenticate: NTLM", "WWW-Authenticate: Negotiate",
                          status="401 X"))
fixed("wants-proxy-password", whole(b"", 'Proxy-Authenticate: Basic realm="a"', status="407 X"))

# ---- bodies and heads without an end ----

endless("endless-body", head("Connection: close"), BLOCK)
endless("endless-chunks", CHUNKED, chunk(BLOCK))
endless("endless-tiny-chunks", CHUNKED, chunk(b"x") * 1000)
endless("endless-chunk-extension", CHUNKED + b"1;", BLOCK)
endless("endless-chunk-size", CHUNKED, b"0" * 65536)
endless("endless-trailers", CHUNKED + chunk(b"{}") + b"0\r\n", b"X-A: b\r\n" * 1000)
endless("endless-trailer", CHUNKED + chunk(b"{}") + b"0\r\nX-A: ", BLOCK)
endless("endless-headers", b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000)
endless("endless-header", b"HTTP/1.1 200 OK\r\nX-A: ", BLOCK)
endless("endless-folded-header", b"HTTP/1.1 200 OK\r\nX-A: b\r\n", b" c\r\n" * 1000)
endless("endless-status-line", b"HTTP/1.1 200 ", BLOCK)
endless("endless-continues", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
endless("endless-hints", b"", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 1000)
endless("endless-cookies", b"HTTP/1.1 200 OK\r\n",
        b"".join(b"Set-Cookie: c%d=%s\r\n" % (i, b"v" * 3000) for i in range(20)))
endless("endless-json", head("Connection: close") + b'{"response_code":1,"a":[', b'"",' * 16000)

# ---- lengths that lie ----


def answer(name, *fields, body=HONEST, status="200 OK"):
    fixed(name, head(*fields, "Connection: close", status=status) + body)


answer("length-too-long", f"Content-Length: {len(HONEST) + 1000}")
answer("length-too-short", "Content-Length: 10")
answer("length-negative", "Content-Length: -1")
answer("length-of-2-to-the-64", "Content-Length: 18446744073709551616")
answer("length-of-2-to-the-62", "Content-Length: 4611686018427387904")
answer("length-of-a-gigabyte", "Content-Length: 1073741824")
answer("length-is-no-number", "Content-Length: 0x10")
answer("length-twice", "Content-Length: 10", f"Content-Length: {len(HONEST)}")
answer("length-and-chunked", f"Content-Length: {len(HONEST)}", "Transfer-Encoding: chunked")
answer("status-204-with-body", f"Content-Length: {len(HONEST)}", status="204 X")
fixed("chunk-of-2-to-the-64", CHUNKED + b"10000000000000000\r\n" + HONEST)
fixed("chunk-of-2-to-the-63", CHUNKED + b"7fffffffffffffff\r\n" + HONEST)
fixed("chunk-negative", CHUNKED + b"-1\r\n" + HONEST)
fixed("chunk-too-short", CHUNKED + b"2\r\n" + HONEST + b"\r\n0\r\n\r\n")
fixed("chunk-of-garbage", CHUNKED + b"zz\r\n" + HONEST)


@page
def an_answer_too_many(client, request):
    """A second answer behind the first, for the next request on the connection to take."""
    planted = json.dumps({**FOUND, "verbose_msg": "planted"}).encode()
    client.sendall(whole(HONEST).replace(b"Connection: close\r\n", b"")
                   + whole(planted).replace(b"Connection: close\r\n", b""))
    wait_for_the_end(client)


# ---- what grows when it is unpacked ----


def bomb(levels, wbits):
    """BOMB_BYTES of spaces, packed so many times; one block again and again, and no end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    data = packer.compress(b" " * 1048576) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 1048576) + packer.flush(zlib.Z_FULL_FLUSH)
    data += block * ((BOMB_BYTES >> 20) - 1)
    for _ in range(levels - 1):
        data = gzip.compress(data)
    return data


def packed(name, field, encoding, levels=1, wbits=31):
    data = bomb(levels, wbits)
    if field == "Content-Encoding":
        fixed(name, whole(data, f"{field}: {encoding}"))
    else:
        fixed(name, head(f"{field}: {encoding}, chunked") + chunk(data) + b"0\r\n\r\n")


packed("bomb-of-gzip", "Content-Encoding", "gzip")
packed("bomb-of-deflate", "Content-Encoding", "deflate", wbits=15)
packed("bomb-of-gzip-twice", "Content-Encoding", "gzip, gzip", levels=2)
packed("bomb-in-transfer", "Transfer-Encoding", "gzip")
packed("bomb-in-transfer-twice", "Transfer-Encoding", "gzip, gzip", levels=2)
answer("encoding-unknown", "Content-Encoding: zz", body=HONEST)
answer("encodings-without-end", "Content-Encoding: " + ", ".join(["gzip"] * 2000))
answer("gzip-that-is-none", "Transfer-Encoding: gzip", body=HONEST)

# ---- slow, and silent ----


@page
def mute(client, request):
    wait_for_the_end(client)


PAGES["mute-after-the-head"] = lambda client, request: (
    client.sendall(head(f"Content-Length: {len(HONEST)}")), wait_for_the_end(client))
PAGES["mute-in-the-body"] = lambda client, request: (
    client.sendall(whole(HONEST)[:-10]), wait_for_the_end(client))
PAGES["drip-of-the-status"] = lambda client, request: drip(client, b"HTTP/1.1 200 " + b"O" * 999)
PAGES["drip-of-headers"] = lambda client, request: (
    client.sendall(b"HTTP/1.1 200 OK\r\n"), drip(client, b"X-A: b\r\n" * 999))
PAGES["drip-of-the-body"] = lambda client, request: (
    client.sendall(head(f"Content-Length: {len(HONEST)}")), drip(client, HONEST))
PAGES["drip-of-chunks"] = lambda client, request: (
    client.sendall(CHUNKED), drip(client, b"", chunk(b" ")))
PAGES["drip-of-continues"] = lambda client, request: drip(
    client, b"", b"HTTP/1.1 100 Continue\r\n\r\n")

# ---- cut off ----


def reset(client):
    linger = struct.pack("ii", 1, 0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


fixed("cut-before-the-status", b"")
fixed("cut-in-the-status", b"HTTP/1.1 20")
fixed("cut-in-the-head", b"HTTP/1.1 200 OK\r\nContent-Le")
fixed("cut-in-the-body", whole(HONEST)[:-10])
fixed("cut-in-a-chunk", CHUNKED + chunk(HONEST)[:-20])
fixed("cut-before-the-last-chunk", CHUNKED + chunk(HONEST))
# Without a length, only the end of TLS tells a whole body from one that was cut.
answer("cut-without-a-length", body=HONEST[:-10])
answer("ended-without-a-length", body=HONEST)
PAGES["reset-before-the-status"] = lambda client, request: reset(client)
PAGES["reset-in-the-body"] = lambda client, request: (
    client.sendall(whole(HONEST)[:-10]), reset(client))

# ---- no HTTP ----

for name, line in {
    "status-without-words": b"HTTP/1.1 ",
    "status-of-letters": b"HTTP/1.1 abc OK",
    "status-of-five-digits": b"HTTP/1.1 20000 OK",
    "status-negative": b"HTTP/1.1 -200 OK",
    "status-zero": b"HTTP/1.1 000 OK",
    "status-100-for-good": b"HTTP/1.1 100 Continue",
    "status-101": b"HTTP/1.1 101 Switching Protocols",
    "status-999": b"HTTP/1.1 999 \x1b[31mred\x1b[0m",
    "version-9": b"HTTP/9.9 200 OK",
    "version-of-letters": b"HTTP/x.y 200 OK",
    "version-2-at-once": b"HTTP/2 200",
    "icy": b"ICY 200 OK",
    "rtsp": b"RTSP/1.0 200 OK",
}.items():
    fixed(name, line + b"\r\nContent-Length: %d\r\n\r\n" % len(HONEST) + HONEST)
fixed("http-0.9", HONEST)
fixed("nul-in-the-head", b"HTTP/1.1 200 OK\r\nX-\0A: b\0c\r\n\r\n" + HONEST)
fixed("header-without-colon", b"HTTP/1.1 200 OK\r\nnothing\r\n\r\n" + HONEST)
fixed("header-of-escapes", whole(HONEST, "X-\x1b[2J: \x1b]0;title\x07"))
fixed("frames-of-http-2", b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\0\xff\xff\0\5\0\0\x40\0")
fixed("random-bytes", bytes((i * 7919 + 13) % 256 for i in range(4096)))
fixed("another-type", whole(b"\x7fELF" + b"\0" * 4000, "Content-Type: application/x-executable"))
fixed("retry-after-for-ever", whole(b"", "Retry-After: 99999999999999999999", status="503 X"))
fixed("page-of-escapes", whole(b"<h1>\x1b[2J\x1b]0;title\x07</h1>", status="500 \x1b[31mred"))
