"""The addresses of a mail: its HTML for the frame, its original, its attachments.

Attachments and originals lie on the mail server. A page only requests them (a row in `download`); the worker fetches
them, and the page follows. A stranger's content gets a safe name, and is sandboxed and never sniffed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from werkzeug.http import dump_options_header

from app import reports
from app.db import read_only, transaction
from app.inbox.actor import web
from app.inbox.arriving import thread as threads
from app.inbox.arriving.deferral import ask_again
from app.inbox.lists import find
from app.inbox.server import download
from app.inbox.server.download import Download
from app.web.access import me, myself
from app.web.conversation.thread import PREVIEWED, paragraphs
from app.web.headers import message_policy
from app.web.language import gettext
from app.web.pictures import permitted, with_alternatives, with_pictures
from app.web.render import wants_fragment

bp = Blueprint("message", __name__)

#: The fold in a mail's stored HTML, without words of any language (app/mail/quotes/html.py).
_FOLD = '<summary title="···">'
#: Even a previewed file may do nothing. A browser's PDF viewer is not part of the page and displays it all the same.
_FILE_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
#: A colour of text or background in an attribute, unless it is the theme's own colour.
_OWN_COLOURS = re.compile(
    r"""<[a-z][^<>]*?\ (?:bgcolor="|color="|style="(?:[^"]*?[;\s])?(?:background(?:-color)?|color)\s*:
    (?!\s*(?:inherit|initial|unset|none|transparent|windowtext|currentcolor)\b))""",
    re.IGNORECASE | re.VERBOSE,
)


@bp.get("/messages/<int:message_id>/body")
def body(message_id: int) -> ResponseReturnValue:
    """The cleaned HTML, for its sandboxed frame. `images`: a permission to show remote pictures (pictures.py)."""
    remote = permitted(request.args.get("images")) == message_id
    with read_only() as session:
        message = find.message(session, me(), message_id)
        html = message.body.shown_html if message.body else None
        text = message.body.text if message.body else ""
        parts = {a.part: url_for("message.attachment", attachment_id=a.id, inline=1) for a in message.attachments}
    shown = with_alternatives(with_pictures(html, parts, remote=remote)) if html is not None else None
    safe = shown if shown is not None else str(paragraphs(text))
    label = escape(gettext("Show quoted text"))
    safe = safe.replace(_FOLD, f'<summary aria-label="{label}" title="{label}">')
    look = "paper" if _has_own_colours(safe) else "dark" if request.args.get("dark") == "1" else "light"
    response = Response(render_template("message/body.html", html=safe, look=look))
    response.headers["Content-Security-Policy"] = message_policy(remote_images=remote)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/messages/<int:message_id>/original")
def original(message_id: int) -> ResponseReturnValue:
    """The mail as received, shown as text."""
    with transaction() as session:
        message = find.message(session, me(), message_id)
        if message.unreadable and message.body and message.body.source:
            return _file(iter([message.body.source]), "text/plain", f"mail-{message_id}.eml", inline=True)
        job = download.ask(session, message, "")
        return _answer(job, "text/plain", f"mail-{message_id}.eml", inline=True)


@bp.get("/attachments/<int:attachment_id>")
def attachment(attachment_id: int) -> ResponseReturnValue:
    with transaction() as session:
        attached = find.attachment(session, me(), attachment_id)
        job = download.ask(session, attached.message, attached.part)
        type_ = attached.type.lower()
        shown = type_ in PREVIEWED and "save" not in request.args
        shown_type = "text/plain" if type_ in reports.PARTS else type_
        return _answer(job, shown_type if shown else _saved_type(type_), attached.filename, inline=shown)


@bp.post("/messages/<int:message_id>/split")
def split(message_id: int) -> ResponseReturnValue:
    """Make the message its own conversation, and open that."""
    with transaction() as session:
        member = myself(session)
        new = threads.split(find.message_to_split(session, member, message_id), by=web(member))
        address = url_for("conversation.show", conversation_id=new.id, view="open")
    if wants_fragment():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


@bp.post("/messages/<int:message_id>/read-again")
def read_again(message_id: int) -> ResponseReturnValue:
    """Read an unreadable message from the mail server again, in the next round."""
    with transaction() as session:
        member = myself(session)
        message = find.message(session, member, message_id)
        ask_again(message.conversation.mailbox, message, by=web(member))
        address = url_for("conversation.show", conversation_id=message.conversation_id)
    flash(gettext("The message is being read again. This takes about a minute."))
    return redirect(address, 303)


def _answer(job: Download, type_: str, filename: str, *, inline: bool) -> ResponseReturnValue:
    if job.state == "ready":
        return _file(download.content(job.id), type_, filename, inline=inline, size=job.size)
    if job.state == "failed" and "inline" in request.args:
        return Response(status=404)
    if job.state == "failed":
        return render_template("message/fetching.html", failed=job.error or "refused", filename=filename), 502
    if "inline" in request.args or not request.accept_mimetypes.accept_html:
        return Response(status=202, headers={"Retry-After": "1"})
    return render_template("message/fetching.html", failed=None, filename=filename), 202


def _file(data: Iterator[bytes], type_: str, filename: str, *, inline: bool, size: int | None = None) -> Response:
    charset = "; charset=utf-8" if type_.startswith("text/") else ""
    response = Response(data, content_type=type_ + charset)
    response.headers["Content-Disposition"] = disposition("inline" if inline else "attachment", filename)
    response.headers["Content-Security-Policy"] = _FILE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"  # after signing out, nothing is left in the browser
    if size is not None:
        response.content_length = size
    return response


def disposition(kind: str, filename: str) -> str:
    """The header's value. A non-ASCII name is encoded as in RFC 6266, because a header can hold only ASCII."""
    name = safe_name(filename)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    names = {"filename": plain} if plain == name else {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
    return dump_options_header(kind, names)


def safe_name(filename: str) -> str:
    """A plain name: no path, no control or direction characters, no leading dot, at most 120 characters."""
    plain = "".join(c for c in unicodedata.normalize("NFC", filename) if unicodedata.category(c)[0] != "C")
    plain = re.sub(r"[/\\:*?\"<>|]+", "-", plain).strip(" .-")
    if len(plain) > 120:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 10 else plain[:120]
    return plain or "attachment"


def _saved_type(type_: str) -> str:
    """A file that is only saved gets a neutral type, because a browser does not need to know that it is HTML."""
    return (
        type_ if type_.startswith(("image/", "audio/", "video/")) and "svg" not in type_ else "application/octet-stream"
    )


def _has_own_colours(html: str) -> bool:
    return _OWN_COLOURS.search(html) is not None
