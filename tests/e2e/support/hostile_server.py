#!/usr/bin/env python3
"""A server that means harm, for tests of what talks to it.

usage: hostile_server.py FOLDER LOG [bad-tls]

Makes the new FOLDER with its certificates (root.pem is the one to trust), listens on ports of
loopback, and prints a line: {"ports": {NAME: PORT}, "pages": [NAME]}. The listener "good" does TLS
as it should and answers with the page that the first word of the path names, see hostile_pages.py;
"elsewhere" is where nothing should arrive; "http" has no TLS and the same pages, and as a proxy is
the page that its user names. With bad-tls there is a listener for each way to do TLS wrong too. LOG
gets a line of JSON for each request: {"listener", "text"}.
"""
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import re
import signal
import socket
import ssl
import sys
import threading
import warnings

import hostile_certs
import hostile_pages

LIMIT_S = 60
HEAD_MAX = 65536
LOCK = threading.Lock()
PORTS = {}

warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is wanted here


class Request:
    def __init__(self, text):
        self.text = text
        words = text.split(" ", 2)
        self.target = words[1] if len(words) > 2 else ""
        path, _, self.query = self.target.partition("?")
        if "://" in path:  # as a proxy is asked
            path = "/" + path.split("://", 1)[1].partition("/")[2]
        self.page = path.split("/")[1] if path.startswith("/") else ""
        self.elsewhere = f"https://127.0.0.1:{PORTS['elsewhere']}"


def read_request(client):
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_MAX:
        data = client.recv(4096)
        if not data:
            break
        head += data
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    rest = int(length[1]) - len(head.partition(b"\r\n\r\n")[2]) if length else 0
    return (head + client.recv(rest) if rest > 0 else head).decode("latin-1")


def note(log, listener, text):
    with LOCK:
        log.write(json.dumps({"listener": listener, "text": text}) + "\n")
        log.flush()


# ---- TLS that is wrong by its certificate, its version or its cipher ----


def context(chain=None, key=None, ciphers="ALL:@SECLEVEL=0", version=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = version or ssl.TLSVersion.TLSv1_2
    if version:
        made.maximum_version = version
    made.set_ciphers(ciphers)
    if chain:
        made.load_cert_chain(chain, key)
    return made


def contexts(folder, wants_bad):
    certificates = hostile_certs.make(folder, wants_bad)
    good = certificates["good"]
    made = {name: context(*files) for name, files in certificates.items()}
    made["elsewhere"] = context(*good)
    if not wants_bad:
        return made
    # Its digest would need more room than the key has, in the signatures of TLS 1.3.
    made["rsa-512"] = context(*certificates["rsa-512"], version=ssl.TLSVersion.TLSv1_2)
    made["tls-1.0"] = context(*good, version=ssl.TLSVersion.TLSv1)
    made["tls-1.1"] = context(*good, version=ssl.TLSVersion.TLSv1_1)
    made["null-cipher"] = context(*good, "NULL:eNULL:@SECLEVEL=0", ssl.TLSVersion.TLSv1_2)
    made["no-certificate"] = context(None, None, "aNULL:@SECLEVEL=0", ssl.TLSVersion.TLSv1_2)
    return made


# ---- what is no TLS at all ----


def raw_http(client):
    client.sendall(hostile_pages.whole(hostile_pages.HONEST))


def raw_mute(client):
    hostile_pages.wait_for_the_end(client)


def raw_alert(client):
    client.recv(4096)
    client.sendall(b"\x15\x03\x03\0\2\2\x28")


def raw_record_too_long(client):
    client.recv(4096)
    hostile_pages.until_it_hangs_up(client, b"\x16\x03\x03\xff\xff", hostile_pages.BLOCK)


def raw_handshake_without_end(client):
    """A certificate message of 16 MB, whose records are as they should be."""
    client.recv(4096)
    hello = bytes([3, 3]) + b"r" * 32 + b"\0\xc0\x2f\0" + b"\0\5\xff\1\0\1\0"
    hello = b"\2" + len(hello).to_bytes(3, "big") + hello
    start = hello + b"\x0b\xff\xff\xff"
    block = b"\x16\x03\x03\x40\0" + b"c" * 16384
    head = b"\x16\x03\x03" + len(start).to_bytes(2, "big") + start
    hostile_pages.until_it_hangs_up(client, head, block)


def raw_drip(client):
    client.recv(4096)
    hostile_pages.drip(client, b"\x16\x03\x03\x40\0", b"\2")


def raw_empty_records(client):
    client.recv(4096)
    hostile_pages.until_it_hangs_up(client, b"", b"\x16\x03\x03\0\0" * 1000)


def raw_ssh(client):
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    hostile_pages.wait_for_the_end(client)


def raw_hang_up(client):
    client.recv(4096)


RAW = {
    "plain-http": raw_http,
    "tls-mute": raw_mute,
    "tls-alert": raw_alert,
    "tls-record-too-long": raw_record_too_long,
    "tls-handshake-without-end": raw_handshake_without_end,
    "tls-drip": raw_drip,
    "tls-empty-records": raw_empty_records,
    "tls-ssh": raw_ssh,
    "tls-hang-up": raw_hang_up,
}

# ---- listening ----


def proxy_tunnel(client, request):
    """A proxy that is asked to connect: what it answers is the page that its user names."""
    word = request.text.partition("Proxy-Authorization: Basic ")[2].split("\r\n")[0]
    user = base64.b64decode(word).decode().partition(":")[0]
    hostile_pages.PAGES.get(user, hostile_pages.PAGES["honest"])(client, request)


def answer(client, listener, log):
    request = Request(read_request(client))
    if request.text:
        note(log, listener, request.text)
    if request.text.startswith("CONNECT "):
        proxy_tunnel(client, request)
    elif request.text:
        hostile_pages.PAGES.get(request.page, hostile_pages.PAGES["honest"])(client, request)


def serve_one(client, listener, tls, log):
    client.settimeout(LIMIT_S)
    try:
        if listener in RAW:
            RAW[listener](client)
        elif tls:
            with tls.wrap_socket(client, server_side=True) as wrapped:
                answer(wrapped, listener, log)
        else:
            answer(client, listener, log)
    except (OSError, ValueError):
        pass  # it hung up, which is as it should be
    finally:
        client.close()


def serve(server, listener, tls, log):
    while True:
        client, _ = server.accept()
        arguments = (client, listener, tls, log)
        threading.Thread(target=serve_one, args=arguments, daemon=True).start()


def main():
    folder, log_path, *wants_bad = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    listeners = {**contexts(folder, wants_bad), **dict.fromkeys(RAW), "http": None}
    with open(log_path, "a", encoding="utf-8") as log:
        for name, tls in listeners.items():
            server = socket.create_server(("127.0.0.1", 0), backlog=64)
            PORTS[name] = server.getsockname()[1]
            threading.Thread(target=serve, args=(server, name, tls, log), daemon=True).start()
        print(json.dumps({"ports": PORTS, "pages": list(hostile_pages.PAGES)}), flush=True)
        signal.pause()


main()
