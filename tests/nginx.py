"""A real nginx in front of the web, run from the documented configuration, and visitors who come through it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import trustme

from local.places import account, dies_with_parent, free_port
from tests.served import PROJECT, Answer
from tests.waiting import PATIENCE, eventually

DOCUMENTED = PROJECT / "docs" / "nginx.conf"
NAME = "inbox.example.com"

#: The surroundings of the documented file in Debian's own nginx.conf, with paths that need no root.
_MAIN = """\
daemon off;
pid {base}/pid;
error_log {base}/error.log;
events {{
    worker_connections 4096;
}}
http {{
    gzip on;
    default_type application/octet-stream;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    include {base}/signalbox.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    port: int  #: https
    plain_port: int
    trust: ssl.SSLContext
    log: Path

    def connect(self, address: str = "127.0.0.1", alpn: str = "http/1.1") -> ssl.SSLSocket:
        """A connection from this address of the machine's own network."""
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(address, 0))
        self.trust.set_alpn_protocols([alpn])
        return self.trust.wrap_socket(plain, server_hostname=NAME)


class _Connection(http.client.HTTPConnection):
    """http.client's own connects to the name; ours goes to 127.0.0.1."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        super().__init__(NAME, 80)  # so that Host has no port
        self.sock = sock


@dataclass
class Visitor:
    """A browser at an address. It keeps cookies, and sends the referring page as browsers do."""

    nginx: Nginx
    address: str = "127.0.0.1"
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def ask(self, path: str, form: dict[str, str] | bytes | None = None, **headers: str) -> Answer:
        body = urlencode(form).encode() if isinstance(form, dict) else form
        with closing(self.request(path, body, **headers)) as connection:
            got = connection.getresponse()
            return Answer(got.status, self._keep(got.headers), got.read())

    def request(self, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPConnection:
        """Send it; the caller reads the response."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        names["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        if body is not None:
            names |= {"Referer": f"https://{NAME}/", "Content-Type": "application/x-www-form-urlencoded"}
        connection = _Connection(self.nginx.connect(self.address))
        connection.request("GET" if body is None else "POST", path, body, names)
        return connection

    def sign_in(self, name: str, password: str, **headers: str) -> Answer:
        page = self.ask("/sign-in").body.decode()
        [token] = re.findall(r'name="csrf-token" content="([^"]+)"', page)
        return self.ask("/sign-in", {"name": name, "password": password, "csrf_token": token}, **headers)

    def _keep(self, headers: Message) -> Message:
        for line in headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        return headers


@contextmanager
def running_nginx(web_port: int) -> Iterator[Nginx]:
    """nginx in front of the web on `web_port`. Only places are changed in the documented file."""
    base = Path(tempfile.mkdtemp(prefix="signalbox-nginx-"))
    who = account("www-data")
    nginx = Nginx(free_port(), free_port(), _certificate(base), base / "access.log")
    (base / "signalbox.conf").write_text(_moved(DOCUMENTED.read_text(), base, nginx, web_port))
    (base / "nginx.conf").write_text(_MAIN.format(base=base))
    who.owns(base)
    process = subprocess.Popen(
        [_program(), "-p", str(base), "-c", str(base / "nginx.conf"), "-e", str(base / "error.log")],
        stderr=subprocess.DEVNULL, cwd="/", preexec_fn=dies_with_parent(signal.SIGTERM), **who.switch(),
    )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None, (base / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", nginx.port)) == 0

    try:
        eventually(answers)
        yield nginx
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(base, ignore_errors=True)


def _program() -> str:
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert program, "nginx is missing: apt-get install --no-install-recommends nginx"
    return program


def _certificate(base: Path) -> ssl.SSLContext:
    """Write `cert.pem` and `key.pem`. Returns a browser's trust in them."""
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(base / "cert.pem"), append=True)
    certificate.private_key_pem.write_to_path(str(base / "key.pem"))
    for file in ("cert.pem", "key.pem"):
        (base / file).chmod(0o644)  # only nginx can enter the folder
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


def _moved(words: str, base: Path, nginx: Nginx, web_port: int) -> str:
    """Other addresses, ports and paths. 127.0.0.2 replaces IPv6, which not every machine has."""
    places = (
        ("listen 80;", f"listen 127.0.0.1:{nginx.plain_port};"),
        ("listen [::]:80;", f"listen 127.0.0.2:{nginx.plain_port};"),
        ("listen 443 ", f"listen 127.0.0.1:{nginx.port} "),
        ("listen [::]:443 ", f"listen 127.0.0.2:{nginx.port} "),
        ("http://127.0.0.1:8000;", f"http://127.0.0.1:{web_port};"),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", f"{base}/cert.pem"),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", f"{base}/key.pem"),
        ("/var/log/nginx/signalbox.log", str(nginx.log)),
    )
    for documented, here in places:
        assert documented in words, f"{DOCUMENTED.name} does not say {documented}"
        words = words.replace(documented, here)
    return words
