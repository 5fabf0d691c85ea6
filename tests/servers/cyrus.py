"""A real Cyrus IMAP server: many keywords, rights per folder (RFC 4314), no NOTIFY."""

from __future__ import annotations

from collections.abc import Sequence

from imapclient import IMAPClient

from tests.servers.process import OtherServer

_ADMIN = "admin"
_PASSWORD = "of-the-administrator"


class Cyrus(OtherServer):
    part = "cyrus"

    def prepare(self) -> None:
        for folder in ("conf/socket", "conf/proc", "spool"):
            (self.base / folder).mkdir(parents=True)
        programs = self.unpacked.program("usr/lib/cyrus/bin")
        (self.base / "imapd.conf").write_text(_IMAPD.format(base=self.base, user=self.account.name, admin=_ADMIN))
        (self.base / "cyrus.conf").write_text(_CYRUS.format(base=self.base, port=self.port, programs=programs))

    def start(self) -> None:
        if not (self.base / "sasldb2").exists():
            self.add_user(_ADMIN, _PASSWORD)
        super().start()

    def command(self) -> Sequence[str]:
        master = self.unpacked.program("usr/lib/cyrus/bin/master")
        base = self.base
        return [master, "-D", "-C", f"{base}/imapd.conf", "-M", f"{base}/cyrus.conf", "-p", f"{base}/master.pid"]

    def environment(self) -> dict[str, str]:
        [plugins] = self.unpacked.root.glob("usr/lib/*-linux-gnu*/sasl2")
        return self.unpacked.environment(SASL_PATH=str(plugins))

    def add_user(self, name: str, password: str) -> None:
        program = self.unpacked.program("usr/sbin/saslpasswd2")
        self.run(program, "-p", "-c", "-f", f"{self.base}/sasldb2", "-u", "localhost", name, stdin=password)

    def administrator(self) -> IMAPClient:
        """Signed in as the administrator of rights and quotas. Folders of other users have the name
        `user/NAME/FOLDER`."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False)
        client.login(_ADMIN, _PASSWORD)
        return client

    def give_rights(self, user: str, folder: str, rights: str) -> None:
        """Exactly these rights, such as `lrs` (RFC 4314 section 2.1)."""
        with self.administrator() as client:
            client.setacl(f"user/{user}/{folder}", user, rights)


_IMAPD = """\
configdirectory: {base}/conf
partition-default: {base}/spool
defaultpartition: default
cyrus_user: {user}
admins: {admin}
servername: localhost
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {base}/sasldb2
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent|Drafts|Trash|Junk|Archive
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
xlist-archive: Archive
"""

_CYRUS = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {base}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {base}/imapd.conf" listen="127.0.0.1:{port}" prefork=1 maxchild=100
}}
DAEMON {{
  idled cmd="{programs}/idled -C {base}/imapd.conf"
}}
EVENTS {{
}}
"""
