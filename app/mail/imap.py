"""An open IMAP account: the only door to a mail server's folders.

One session is one connection is one thread. After Unreachable it is closed and useless, and after Broken it should be
closed. After any other error it still works. We use UIDs, never message numbers. We fetch with PEEK, so that reading
does not mark messages as read. wire.py explains why only the simple commands use IMAPClient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Self

from app.mail import answers, fetch, search
from app.mail.errors import FolderGone, MailError, Refused
from app.mail.folders import with_roles
from app.mail.names import MAX_UID, checked_flag, folder_in_utf8, folder_on_wire, uid_set
from app.mail.server import Server
from app.mail.values import Changes, FetchedMail, FlagRow, FolderInfo, Selected, SizeRow
from app.mail.wire import Answer, Wire

__all__ = ["ImapSession", "Server"]

#: UIDs in one command: a line of 500 scattered ones stays below the 8,000 bytes of RFC 7162 section 4.
BATCH = 500
#: Of a folder whose server may not be able to search so many are looked at one by one.
_NEWEST = 50


class ImapSession:
    """A signed-in connection. Use it as a context manager.

    It sees the open folder as of the last `select`: messages that arrive later are not visible yet.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.selected: str | None = None
        self._exists: int | None = None
        self._select_lacks_uidnext = False
        raw = wire.call("list its capabilities", lambda client: client.capabilities())
        self.capabilities = frozenset(name.decode("ascii", "replace").upper() for name in raw)
        self.qresync = self._enable("QRESYNC")
        self.condstore = self.qresync or self._enable("CONDSTORE") or "CONDSTORE" in self.capabilities
        self.program = self._introduce() if "ID" in self.capabilities else ""

    @classmethod
    def open(
        cls,
        server: Server,
        *,
        connect_timeout: float = 15.0,
        read_timeout: float = 60.0,
        guard: Callable[[], None] | None = None,
    ) -> Self:
        """Connect and sign in. `guard` is called before every command and may prevent it by raising."""
        wire = Wire(server, connect_timeout, read_timeout, guard)
        try:
            return cls(wire)
        except BaseException:
            wire.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def has_move(self) -> bool:
        return "MOVE" in self.capabilities

    @property
    def has_uidplus(self) -> bool:
        return "UIDPLUS" in self.capabilities

    @property
    def has_idle(self) -> bool:
        return "IDLE" in self.capabilities

    @property
    def has_notify(self) -> bool:
        return "NOTIFY" in self.capabilities

    @property
    def _has_esearch(self) -> bool:
        return "ESEARCH" in self.capabilities

    @property
    def closed(self) -> bool:
        return self._wire.closed

    @property
    def _is_empty(self) -> bool:
        """Whether the open folder was empty when it was selected. A closed connection answers nothing."""
        return self._exists == 0 and not self.closed

    def folders(self) -> list[FolderInfo]:
        """Every folder that we can name to the server, including shared ones, each with its role."""
        extended = {"LIST-EXTENDED", "SPECIAL-USE"} <= self.capabilities
        words = [b'LIST "" "*"'] + ([b"RETURN (SPECIAL-USE)"] if extended else [])
        answer = self._wire.command("list the folders", *words)
        return with_roles([info for parts in answer.untagged if (info := answers.folder_info(parts))])

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        """Open a folder. `known` = (uidvalidity, modseq) of the bookmark. With QRESYNC the server then reports the
        changes since. Repeat it in every round, because a session may keep showing a folder that was deleted.
        """
        uidnext = self._uidnext(name) if self._select_lacks_uidnext else 0
        selected = self._select(name, known, read_only=read_only)
        if not selected.uidnext and not self._select_lacks_uidnext:
            # Courier, 163 and Winmail. STATUS comes first: no later mail has a UID below its UIDNEXT.
            self._select_lacks_uidnext = True
            return self.select(name, known=known, read_only=read_only)
        return selected if selected.uidnext else replace(selected, uidnext=uidnext)

    def next_uid(self, selected: Selected) -> int:
        """UIDNEXT of the open folder. If the server does not send it, the UID after the newest message. That value
        falls when the newest message is expunged. It can serve as a start line, but not in a comparison."""
        return selected.uidnext or max(self.uids(), default=0) + 1

    def changes(self, modseq: int) -> Changes:
        """What changed in the open folder since `modseq` (RFC 7162). Needs `condstore`."""
        if self._is_empty and not self.qresync:
            return Changes([], [])
        since = b"(CHANGEDSINCE %d%s)" % (max(modseq, 1), b" VANISHED" if self.qresync else b"")
        answer = self._wire.command("report changes", b"UID FETCH 1:* (UID FLAGS)", since)
        return Changes(answers.flag_rows(answer.untagged), answers.vanished(answer.untagged))

    def flags(self, uids: str | Iterable[int]) -> list[FlagRow]:
        """Flags of these messages. UIDs that no longer exist are left out."""
        items = b"(UID FLAGS MODSEQ)" if self.condstore else b"(UID FLAGS)"
        found: list[FlagRow] = []
        for batch in self._batches(uids):
            answer = self._wire.command("show flags", b"UID FETCH", batch, items)
            found += answers.flag_rows(answer.untagged)
        return found

    def uids(self, low: int = 1, high: int | None = None) -> list[int]:
        """The UIDs of the open folder from `low` to `high` (None: to the end), ascending. Raises Broken if the server
        counts messages but lists none."""
        low, high = max(low, 1), MAX_UID if high is None else high
        if self._is_empty or high < low:  # some servers reject a search in an empty folder
            return []
        return search.uids(self._wire, low, high, exists=self._exists or 0, esearch=self._has_esearch)

    def has_message(self, message_id: str) -> bool:
        """Whether the open folder holds a mail with this Message-ID. Some servers cannot search headers, so the newest
        mails are read as well."""
        if self._is_empty:
            return False
        if search.by_message_id(self._wire, message_id, esearch=self._has_esearch):
            return True
        newest = self.uids()[-_NEWEST:]
        return any(message_id in value for values in self.fields(newest, "message-id") for value in values)

    def count_since(self, day: date) -> int:
        """The number of messages in the open folder that arrived on that day or later, by the server's clock."""
        return 0 if self._is_empty else search.count_since(self._wire, day, esearch=self._has_esearch)

    def sizes(self, uids: str | Iterable[int]) -> list[SizeRow]:
        """Size, flags and arrival time of messages, without their text."""
        return fetch.sizes(self._wire, self._batches(uids), modseq=self.condstore)

    def fetch(self, uids: str | Iterable[int], *, max_whole: int = 256 * 1024) -> Iterator[FetchedMail]:
        """Mails, ascending by UID. A mail larger than `max_whole` bytes comes as header block, outline and text
        parts."""
        for batch in _batches(uids):
            yield from fetch.mails(self._wire, batch, modseq=self.condstore, max_whole=max_whole)

    def fields(self, uids: Iterable[int], name: str) -> list[list[str]]:
        """All values of a header field for each of these messages. `name` in lower case."""
        return [values for batch in _batches(uids) for values in fetch.fields(self._wire, batch, name)]

    def fetch_part(self, uid: int, part: str) -> bytes:
        """One part of a mail (`2.1`), its transfer encoding undone. Raises Refused if it does not exist."""
        return fetch.part(self._wire, uid, part)

    def fetch_source(self, uid: int) -> Iterator[bytes]:
        """The bytes of a whole mail, in pieces of a megabyte. Raises Refused if it no longer exists."""
        return fetch.source(self._wire, uid)

    def add(self, uids: Iterable[int], names: Sequence[str]) -> None:
        """Set flags and keywords. Idempotent. UIDs that no longer exist are ignored. Raises ValueError if a name is not
        legal."""
        self._store(b"+FLAGS.SILENT", uids, names)

    def remove(self, uids: Iterable[int], names: Sequence[str]) -> None:
        """Remove flags and keywords, in any spelling of upper and lower case."""
        self._store(b"-FLAGS.SILENT", uids, names)

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        """Move messages. Returns old → new UID of the messages that existed, or None if the server does not report
        them.

        Without MOVE: COPY, then `delete`. If deleting is rejected, they are in both folders, and the answer is None.
        """
        moved: dict[int, int] = {}
        told = True
        for batch in _batches(uids):
            pairs = self._move(batch, folder)
            told = told and pairs is not None
            moved.update(pairs or {})
        return moved if told else None

    def delete(self, uids: Iterable[int]) -> None:
        """Mark as \\Deleted, and EXPUNGE only these messages if the server has UIDPLUS. Without UIDPLUS they stay in
        the folder, marked, because a plain EXPUNGE would also remove messages that others have marked. Idempotent."""
        for batch in _batches(uids):
            self._delete(batch)

    def append(
        self, folder: str, raw: bytes, flags: Sequence[str] = (), internaldate: datetime | None = None
    ) -> int | None:
        """Add a mail to a folder. Returns its UID if the server reports it (UIDPLUS). Not idempotent."""
        spelt = [checked_flag(flag).decode() for flag in flags]
        folder_on_wire(folder)
        try:
            answer = self._wire.call("store a message", lambda client: client.append(folder, raw, spelt, internaldate))
        except Refused as error:
            raise self._gone_or(error, folder) from error
        return answers.appended(answer)

    def create_folder(self, name: str) -> None:
        self._wire.command("create a folder", b"CREATE", folder_on_wire(name))

    def delete_folder(self, name: str) -> None:
        """Delete a folder and its messages."""
        if self.selected == name:
            self.unselect()
        self._in_folder(name, "delete a folder", b"DELETE", folder_on_wire(name))

    def unselect(self) -> None:
        """Leave the open folder without expunging it (CLOSE would)."""
        if self.selected is not None and "UNSELECT" in self.capabilities:
            self._wire.command("leave a folder", b"UNSELECT")
        self.selected = None

    def expunge_uids(self, uids: Iterable[int]) -> None:
        """Permanently remove those of these messages that carry \\Deleted. Needs UIDPLUS."""
        if not self.has_uidplus:
            raise Refused("permanently remove single messages", answer="it does not offer UIDPLUS")
        for batch in _batches(uids):
            self._wire.command("permanently remove messages", b"UID EXPUNGE", batch)

    def idle(self, seconds: float) -> bool:
        """Wait for changes in the open folder, for at most `seconds` (limit: 29 minutes, RFC 2177).

        True means that something happened, not what.
        """
        return self._wire.idle(seconds)

    def notify(self, names: Sequence[str]) -> None:
        """Ask the server to report events in all these folders (RFC 5465); `notified` waits for them."""
        spelt = [folder_on_wire(name) for name in names]
        # Here Dovecot 2.3 knows folders by their UTF-8 names, unlike in other commands, so we try both spellings.
        both = spelt + [folder_in_utf8(name) for name in names if not name.isascii()]
        try:
            self._notify(both)
        except Refused:
            if both == spelt:
                raise
            self._notify(spelt)

    def notified(self, seconds: float) -> bool:
        """Wait up to this many seconds for a change in the folders given to `notify`. Return whether one came."""
        if self.has_idle:
            return self._wire.idle(seconds)  # reports the same, and notices a dead connection
        return any(parts[0].upper().startswith(b"* STATUS") for parts in self._wire.unasked(seconds))

    def close(self) -> None:
        """Log out if the connection still works, and close it."""
        try:
            if not self._wire.closed:
                self._wire.say_goodbye()
        finally:
            self._wire.close()

    def _select(self, name: str, known: tuple[int, int] | None, *, read_only: bool) -> Selected:
        words = [b"EXAMINE" if read_only else b"SELECT", folder_on_wire(name)]
        asked = known if known and known[0] > 0 and known[1] > 0 and self.qresync else None
        if asked:
            words.append(b"(QRESYNC (%d %d))" % asked)
        elif self.condstore:
            words.append(b"(CONDSTORE)")
        selected = answers.selected(name, self._in_folder(name, "open a folder", *words), asked, examined=read_only)
        self.selected, self._exists = name, selected.exists
        return selected

    def _uidnext(self, name: str) -> int:
        """UIDNEXT from STATUS; 0 if the server does not send it there either."""
        try:
            answer = self._in_folder(name, "tell the next UID", b"STATUS", folder_on_wire(name), b"(UIDNEXT)")
        except Refused:
            return 0
        return answers.status_uidnext(answer)

    def _batches(self, uids: str | Iterable[int]) -> Iterator[bytes]:
        """Empty for an empty folder, because some servers reject commands about all its messages."""
        return iter(()) if isinstance(uids, str) and self._is_empty else _batches(uids)

    def _notify(self, folders: Sequence[bytes]) -> None:
        events = b"(MessageNew MessageExpunge FlagChange)"
        self._wire.command("report new mail", b"NOTIFY SET (mailboxes (%s) %s)" % (b" ".join(folders), events))

    def _enable(self, extension: str) -> bool:
        if extension not in self.capabilities or "ENABLE" not in self.capabilities:
            return False
        try:
            enabled = self._wire.call("switch on " + extension, lambda client: client.enable(extension))
        except Refused:
            return False
        return extension.encode() in (word.upper() for word in enabled)

    def _introduce(self) -> str:
        """Send our name; return the server's name (RFC 2971), or an empty text."""
        try:
            told = self._wire.call("accept our name", lambda client: client.id_({"name": "Signalbox"}))
        except Refused:
            return ""
        words = told[0] if told and isinstance(told[0], tuple) else ()
        pairs = zip(words[::2], words[1::2], strict=False)
        name = next((value for key, value in pairs if isinstance(key, bytes) and key.lower() == b"name"), None)
        return name.decode("utf-8", "replace") if isinstance(name, bytes) else ""

    def _in_folder(self, name: str, what: str, *words: bytes) -> Answer:
        try:
            return self._wire.command(what, *words)
        except Refused as error:
            raise self._gone_or(error, name) from error

    def _gone_or(self, error: Refused, name: str) -> MailError:
        """FolderGone if the folder does not exist. Servers word this differently, so LIST decides if the code does
        not."""
        if error.code in ("NONEXISTENT", "TRYCREATE"):
            return FolderGone(name, answer=error.answer)
        answer = self._wire.command("list a folder", b'LIST ""', folder_on_wire(name))
        listed = [parts for parts in answer.untagged if parts[0].upper().startswith(b"* LIST")]
        there = any(b"\\NONEXISTENT" not in parts[0].upper() for parts in listed)
        return error if there else FolderGone(name, answer=error.answer)

    def _store(self, how: bytes, uids: Iterable[int], names: Sequence[str]) -> None:
        flags = b"(" + b" ".join(checked_flag(name) for name in names) + b")"
        if names:
            for batch in _batches(uids):
                self._wire.command("change flags", b"UID STORE", batch, how, flags)

    def _move(self, batch: bytes, folder: str) -> dict[int, int] | None:
        command = b"UID MOVE" if self.has_move else b"UID COPY"
        answer = self._in_folder(folder, "move messages", command, batch, folder_on_wire(folder))
        if not self.has_move:
            try:
                self._delete(batch)
            except Refused:  # the move itself was not rejected: the messages are copied already
                return None
        return answers.copied(answer) if self.has_uidplus else None

    def _delete(self, batch: bytes) -> None:
        self._wire.command("mark messages as deleted", b"UID STORE", batch, b"+FLAGS.SILENT (\\Deleted)")
        if self.has_uidplus:
            self._wire.command("permanently remove messages", b"UID EXPUNGE", batch)


def _batches(uids: str | Iterable[int]) -> Iterator[bytes]:
    if isinstance(uids, str):
        yield uid_set(uids)
        return
    wanted = sorted(set(uids))
    for start in range(0, len(wanted), BATCH):
        yield uid_set(wanted[start : start + BATCH])
