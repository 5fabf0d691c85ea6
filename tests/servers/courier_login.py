"""The sign-in in front of Courier's `imapd`: greets, reads LOGIN, then becomes `imapd` on the same connection.

A separate program, started in a folder where `users/NAME/` has `password` and `Maildir`. Under root it serves every
connection as the given user: courier_login.py PORT UID GID IMAPD GAM_SERVER
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

_CAPABILITIES = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
_LOGIN = re.compile(rb'(\S+) LOGIN "?([a-z0-9@._-]+)"? "?([^"\s]*)"?', re.IGNORECASE)


def main(port: str, uid: str, gid: str, imapd: str, gam_server: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))  # sessions end with us
    # Courier asks it about changes by other sessions; without it each session waits for seconds.
    if os.fork() == 0:
        become_user(int(uid), int(gid))
        os.execv(gam_server, [gam_server, "--notimeout", os.environ["GAM_CLIENT_ID"]])
    with socket.create_server(("127.0.0.1", int(port)), backlog=100) as listener:
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                become_user(int(uid), int(gid))
                serve(connection, imapd)
            connection.close()
            while os.waitpid(-1, os.WNOHANG)[0]:  # gam_server is a child as well, so there is always one
                pass


def become_user(uid: int, gid: int) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def serve(connection: socket.socket, imapd: str) -> None:
    say(connection, f"* OK [CAPABILITY {_CAPABILITIES}] Courier-IMAP ready.")
    while line := read_line(connection):
        tag, command = [*line.split(maxsplit=2), b"", b""][:2]
        if login := _LOGIN.match(line):
            home = Path("users", login[2].decode())
            if (home / "password").exists() and json.loads((home / "password").read_text()) == login[3].decode():
                become_imapd(connection, imapd, home, tag.decode())
            say(connection, f"{tag.decode()} NO Login failed.")
        elif command.upper() == b"CAPABILITY":
            say(connection, f"* CAPABILITY {_CAPABILITIES}", f"{tag.decode()} OK CAPABILITY completed")
        elif command.upper() == b"LOGOUT":
            say(connection, "* BYE Courier-IMAP server shutting down", f"{tag.decode()} OK LOGOUT completed")
            break
        else:
            say(connection, f"{tag.decode()} BAD Error in IMAP command")
    os._exit(0)


def become_imapd(connection: socket.socket, imapd: str, home: Path, tag: str) -> None:
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
    os.chdir(home)
    os.execve(
        imapd,
        ["imapd", "./Maildir"],
        os.environ
        | {
            "AUTHENTICATED": home.name,
            "AUTHADDR": home.name,
            "HOME": str(Path.cwd()),
            "IMAPLOGINTAG": tag,
            "IMAP_CAPABILITY": _CAPABILITIES,
            "MAILDIR": "./Maildir",
            "TCPREMOTEIP": "127.0.0.1",
            "TCPREMOTEPORT": "1",
        },
    )


def read_line(connection: socket.socket) -> bytes:
    """Read only the line; the bytes after it are for `imapd`."""
    line = b""
    while not line.endswith(b"\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        line += byte
    return line


def say(connection: socket.socket, *lines: str) -> None:
    connection.sendall("".join(f"{line}\r\n" for line in lines).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
