#!/usr/bin/env python3
"""An SFTP server that lies, on standard input and output. The first word of a path says how: see
LIES; before there is a path, its argument does: see BEGINNINGS.

usage: sftp_liar.py [BEGINNING] | --list
"""
# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys
import time

VERSION, OPEN, CLOSE, READ, LSTAT, FSTAT = 2, 3, 4, 5, 7, 8
OPENDIR, READDIR, STAT = 11, 12, 17
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
OK, EOF, FAILURE = 0, 1, 4
CONTENT = b"a file that is told of honestly\n" * 64
FILE, FOLDER, LINK, DEVICE, PIPE = 0o100644, 0o040755, 0o120777, 0o020644, 0o010644
DRIP_S = 0.1


def text(data):
    return struct.pack(">I", len(data)) + data


def attributes(size=len(CONTENT), mode=FILE):
    flags = (1 if size is not None else 0) | (4 if mode is not None else 0) | 8
    data = struct.pack(">I", flags)
    if size is not None:
        data += struct.pack(">Q", size)
    if mode is not None:
        data += struct.pack(">I", mode)
    return data + struct.pack(">II", 1700000000, 1700000000)


def write(data):
    while data:
        data = data[os.write(1, data):]


def send(kind, request, data):
    body = bytes([kind]) + struct.pack(">I", request) + data
    write(struct.pack(">I", len(body)) + body)


def status(request, code, message=b""):
    send(STATUS, request, struct.pack(">I", code) + text(message) + text(b""))


def names(request, entries, count=None):
    data = struct.pack(">I", len(entries) if count is None else count)
    for name, mode in entries:
        data += text(name) + text(b"long " + name[:100]) + attributes(mode=mode)
    send(NAME, request, data)


def mute():
    while os.read(0, 65536):
        pass
    os._exit(0)


def flood(data):
    while True:
        write(data)


def read_exactly(count):
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


# ---- lies: { word: { type of request: function(request, payload) } } ----

LIES = {}


def lie(word, kind, function):
    LIES.setdefault(word, {})[kind] = function


def says(word, kind, *arguments):
    lie(word, kind, lambda request, payload: send(*[arguments[0], request, *arguments[1:]]))


def raw(word, kind, data):
    lie(word, kind, lambda request, payload: (write(data), mute()))


STEPS = {"lstat": LSTAT, "open": OPEN, "fstat": FSTAT, "read": READ, "close": CLOSE,
         "opendir": OPENDIR, "readdir": READDIR}
for name, step in STEPS.items():
    lie(f"mute-{name}", step, lambda request, payload: mute())
    lie(f"gone-{name}", step, lambda request, payload: os._exit(0))
    raw(f"garbage-{name}", step, b"Welcome to the server!\r\n" * 1000)
    raw(f"length-of-4-gib-{name}", step, b"\xff\xff\xff\xff" + b"x" * 1000)
    raw(f"length-of-0-{name}", step, b"\0\0\0\0" * 1000)
    lie(f"other-id-{name}", step, lambda request, payload: (status(request + 7, FAILURE), mute()))
    lie(f"flood-{name}", step, lambda request, payload: flood(
        struct.pack(">IBI", 32773, DATA, request + 9) + b"x" * 32768))
    lie(f"ok-{name}", step, lambda request, payload: status(request, OK))
    lie(f"status-of-escapes-{name}", step, lambda request, payload: status(
        request, FAILURE, b"\x1b[2J\x1b]0;title\x07\xe2\x80\xae\napogee: error: forged"))
    lie(f"unknown-status-{name}", step, lambda request, payload: status(request, 0xffffffff))
    says(f"status-cut-{name}", step, STATUS, b"\0\0")
    says(f"unknown-type-{name}", step, 250, b"x" * 100)

for name, step in (("lstat", LSTAT), ("fstat", FSTAT)):
    says(f"attributes-cut-{name}", step, ATTRS, b"\xff\xff\xff\xff\0\0")
    says(f"attributes-none-{name}", step, ATTRS, b"\0\0\0\0")
    says(f"attributes-extended-{name}", step, ATTRS, b"\x80\0\0\0\xff\xff\xff\xff")
    says(f"folder-{name}", step, ATTRS, attributes(mode=FOLDER))
    says(f"link-{name}", step, ATTRS, attributes(mode=LINK))
    says(f"device-{name}", step, ATTRS, attributes(mode=DEVICE))
    says(f"pipe-{name}", step, ATTRS, attributes(mode=PIPE))
    says(f"untyped-{name}", step, ATTRS, attributes(mode=None))
says("sizeless", FSTAT, ATTRS, attributes(size=None))
for word, size in {"of-2-to-the-63": 1 << 63, "of-2-to-the-64": (1 << 64) - 1, "of-a-gib": 1 << 30,
                   "of-1-more": len(CONTENT) + 1, "of-1-less": len(CONTENT) - 1, "of-1": 1}.items():
    says(f"size-{word}", FSTAT, ATTRS, attributes(size=size))

says("handle-empty", OPEN, HANDLE, text(b""))
says("handle-huge", OPEN, HANDLE, text(b"h" * 200000))
says("handle-cut", OPEN, HANDLE, b"\xff\xff\xff\xffh")

says("data-empty", READ, DATA, text(b""))
says("data-longer", READ, DATA, text(b"x" * 200000))
says("data-cut", READ, DATA, b"\x7f\xff\xff\xffx")
says("data-of-4-gib", READ, DATA, b"\xff\xff\xff\xff" + b"x" * 100)
lie("data-none", READ, lambda request, payload: status(request, EOF))


def drip(request, payload):
    time.sleep(DRIP_S)
    send(DATA, request, text(b"x"))


def endless(request, payload):
    length = struct.unpack(">I", payload[-4:])[0]
    send(DATA, request, text(b"x" * min(length, 32768)))


lie("data-drip", READ, drip)
lie("data-endless", READ, endless)
lie("data-endless", FSTAT, lambda request, payload: send(ATTRS, request, attributes(1 << 27)))
lie("data-drip", FSTAT, lambda request, payload: send(ATTRS, request, attributes(1 << 20)))

ODD = [b".", b"..", b"", b"../up", b"a/b", b"/etc/passwd", b"n" * 300, b"nul\0nul", b"new\nline",
       b"\x1b[2J\x1b]0;title\x07", b"\xe2\x80\xaegnp.exe", b"no utf-8 \xff\xfe", b"-rf", b"a,b",
       b"=1+1", b"<script>alert(1)</script>", b"`id`$(id)", b"good"]
told = []


def once(request, entries):
    if told:
        status(request, EOF)
    else:
        names(request, entries)
    told.append(True)


lie("list-odd", READDIR, lambda request, payload: once(request, [(name, FILE) for name in ODD]))
lie("list-twice", READDIR, lambda request, payload: once(request, [(b"same", FILE)] * 1000))
lie("list-endless", READDIR, lambda request, payload: names(
    request, [(b"f%d-%d" % (request, i), FILE) for i in range(500)]))
lie("list-endless-dots", READDIR, lambda request, payload: names(
    request, [(b".", FOLDER), (b"..", FOLDER)] * 200))
lie("list-endless-odd", READDIR, lambda request, payload: names(request, [(b"a/b", FILE)] * 200))
lie("list-of-nothing", READDIR, lambda request, payload: names(request, []))
lie("list-count", READDIR, lambda request, payload: names(
    request, [(b"good", FILE)], count=0xffffffff))
says("list-name-cut", READDIR, NAME, b"\0\0\0\1\xff\xff\xff\xffx")
says("list-attributes-cut", READDIR, NAME,
     b"\0\0\0\1" + text(b"a") + text(b"a") + b"\xff\xff\xff\xff")
lie("list-folders", READDIR, lambda request, payload: once(request, [(b"d", FOLDER)]))
lie("list-huge-name", READDIR, lambda request, payload: once(request, [(b"n" * 200000, FILE)]))

BEGINNINGS = {
    "init-mute": mute,
    "init-gone": lambda: os._exit(0),
    "init-garbage": lambda: (write(b"Welcome to the server!\r\n" * 1000), mute()),
    "init-flood": lambda: flood(b"x" * 65536),
    "init-length-of-4-gib": lambda: flood(b"\xff" * 65536),
    "init-length-of-0": lambda: flood(b"\0" * 65536),
    "init-version-0": lambda: (write(struct.pack(">IBI", 5, VERSION, 0))),
    "init-version-cut": lambda: (write(struct.pack(">IB", 1, VERSION)), mute()),
    "init-status": lambda: (status(0, FAILURE), mute()),
}

# ---- the honest part ----


def word_of(kind, payload):
    """How to lie about this: by the path, or by the handle that was opened for it."""
    length = struct.unpack(">I", payload[:4])[0] if len(payload) >= 4 else 0
    name = payload[4:4 + length]
    if kind in (OPEN, LSTAT, STAT, OPENDIR):
        path = name.decode("utf-8", "replace")
        return path.strip("/").split("/")[0]
    return name.decode("utf-8", "replace").strip("h") if name else ""


def honest(kind, request, payload, word):
    if kind in (LSTAT, STAT, FSTAT):
        send(ATTRS, request, attributes())
    elif kind in (OPEN, OPENDIR):
        send(HANDLE, request, text(word.encode()))
    elif kind == READ:
        offset, length = struct.unpack(">QI", payload[-12:])
        data = CONTENT[offset:offset + length]
        if data:
            send(DATA, request, text(data))
        else:
            status(request, EOF)
    elif kind == READDIR:
        once(request, [(b"file", FILE)])
    else:
        status(request, OK)


def main():
    beginning = sys.argv[1] if len(sys.argv) > 1 else ""
    if beginning == "--list":
        print("\n".join([*LIES, *BEGINNINGS]))
        return
    read_exactly(struct.unpack(">I", read_exactly(4))[0])
    if beginning:
        BEGINNINGS[beginning]()
    else:
        write(struct.pack(">IBI", 5, VERSION, 3))
    last = ""
    while True:
        data = read_exactly(struct.unpack(">I", read_exactly(4))[0])
        kind, request, payload = data[0], struct.unpack(">I", data[1:5])[0], data[5:]
        word = word_of(kind, payload)
        last = word if word in LIES or word == "honest" else last
        function = LIES.get(last, {}).get(kind)
        if function:
            function(request, payload)
        else:
            honest(kind, request, payload, last)


if __name__ == "__main__":
    main()
