"""A Maildir on a person's own machine, and what they do there between two syncs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path


@dataclass(frozen=True)
class LocalMaildir:
    """Folders are next to each other in `path`. Mails are found by their subject."""

    path: Path

    def subjects(self, folder: str = "INBOX") -> list[str]:
        return sorted(subject_of(file) for file in self.files(folder))

    def flags(self, subject: str, folder: str = "INBOX") -> set[str]:
        """The letters in the name of the mail's file: F flagged, S seen, T deleted; lower case: keywords."""
        return set(self._file(subject, folder).name.partition(":2,")[2])

    def set_flags(self, subject: str, add: str = "", remove: str = "", folder: str = "INBOX") -> None:
        self.flag(self._file(subject, folder), add, remove)

    def move(self, subject: str, to: str, folder: str = "INBOX") -> None:
        """As mutt and scripts of notmuch do it: the file gets a name without its number in the old folder."""
        self.put(self._file(subject, folder), to)

    def move_all(self, to: str, folder: str = "INBOX", *, but: str = "") -> None:
        for file in self.files(folder):
            if subject_of(file) != but:
                self.put(file, to)

    def remove(self, subject: str, folder: str = "INBOX") -> None:
        self._file(subject, folder).unlink()

    def flag(self, file: Path, add: str = "", remove: str = "") -> None:
        unique, _, letters = file.name.partition(":2,")
        letters = "".join(sorted((set(letters) | set(add)) - set(remove)))
        file.rename(file.parents[1] / "cur" / f"{unique}:2,{letters}")

    def put(self, file: Path, to: str) -> None:
        name = re.sub(r",(U=\d+|FMD5=[0-9a-f]+)", "", file.name)
        file.rename(self.path / to / "cur" / (name if ":2," in name else f"{name}:2,"))

    def _file(self, subject: str, folder: str) -> Path:
        [file] = [file for file in self.files(folder) if subject_of(file) == subject]
        return file

    def files(self, folder: str) -> list[Path]:
        return [file for part in ("cur", "new") for file in (self.path / folder / part).glob("*")]


def subject_of(file: Path) -> str:
    return str(message_from_bytes(file.read_bytes(), policy=default)["Subject"])
