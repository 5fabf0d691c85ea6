"""The built front end: the files that `npm run build` made, in a folder named by the hash of their content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, url_for

DIST = Path(__file__).parent.parent / "static" / "dist"


@dataclass(frozen=True)
class Assets:
    folder: str
    modules: tuple[str, ...]

    def url(self, name: str) -> str:
        return url_for("static", filename=f"{self.folder}/{name}")


def init_app(app: Flask) -> None:
    assets = _read()
    app.jinja_env.globals["asset"] = assets.url
    app.jinja_env.globals["modules"] = assets.modules


def _read() -> Assets:
    """Without a built front end pages still work as plain HTML. The address of a missing file says what to do."""
    try:
        manifest = json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError:
        return Assets(folder="missing-run-make-setup", modules=())
    return Assets(folder=manifest["folder"], modules=tuple(manifest["modules"]))
