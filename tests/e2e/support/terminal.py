#!/usr/bin/env python3
"""Runs a command of the shell with standard output and standard error on a terminal of its own, and prints
what it wrote there, as it came. Ends as the command did.

usage: terminal.py COLUMNS COMMAND
"""
# SPDX-License-Identifier: Apache-2.0
import fcntl
import os
import struct
import subprocess
import sys
import termios


def main(columns, command):
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(columns), 0, 0))
    process = subprocess.Popen(
        ["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            data = b""
        if not data:
            break
        sys.stdout.buffer.write(data)
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
