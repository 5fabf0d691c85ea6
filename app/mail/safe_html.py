"""Makes a stranger's HTML safe to show.

There are two barriers, each sufficient alone. nh3 removes everything that could run, load or deceive. The frame that
shows the HTML (app/web/headers.py) runs and loads nothing. The rest can neither leave its frame nor look like a part of
Signalbox.

A picture has a placeholder here instead of `src`. `data-part="2.1"` names the part of the mail that holds it;
`data-remote="https://…"` is a picture on another server. app/web/pictures.py gives both their address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import nh3

from app.mail.css import CACHED_STYLE
from app.mail.design import laid_out
from app.mail.hidden import UNSEEN_TAGS
from app.mail.quotes import KEPT_IDS, KEPT_NAMES
from app.mail.tangle import is_tangled

_TAGS = nh3.ALLOWED_TAGS - {"article", "aside", "footer", "header", "nav", "section"} | {
    "big", "font", "hgroup", "main", "tfoot", "u",
}  # fmt: skip
_LAYOUT = {"align", "bgcolor", "class", "dir", "height", "id", "style", "valign", "width"}
_ATTRIBUTES = {
    **dict.fromkeys(_TAGS, _LAYOUT),
    "a": _LAYOUT | {"href", "title"},
    "blockquote": _LAYOUT | {"type"},
    "div": _LAYOUT | {"name"},
    "font": _LAYOUT | {"color", "face", "size"},
    "img": _LAYOUT | {"src", "alt", "title", "border"},
    "ol": _LAYOUT | {"start", "type"},
    "table": _LAYOUT | {"border", "cellpadding", "cellspacing"},
    "td": _LAYOUT | {"colspan", "rowspan", "nowrap"},
    "th": _LAYOUT | {"colspan", "rowspan", "nowrap"},
}
#: No position, no content, no animation: nothing that could cover or imitate the page.
_STYLES = frozenset({
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "color",
    "direction", "display", "font", "font-family", "font-size", "font-style", "font-variant", "font-weight",
    "height", "letter-spacing", "line-height", "list-style", "list-style-type", "margin", "margin-bottom",
    "margin-left", "margin-right", "margin-top", "max-width", "min-width", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-indent",
    "text-transform", "vertical-align", "white-space", "width", "word-break", "word-wrap",
})  # fmt: skip
_SAFE_LINK = re.compile(r"(?i)(https?://|mailto:|tel:)")
_SAFE_DATA_IMAGE = re.compile(r"(?i)data:image/(png|jpe?g|gif|webp);base64,")
#: nh3 writes every attribute in double quotes and escapes `<`, `>` and quotes in it, so text never looks like this.
_PICTURE = re.compile(r'(<img(?: [\w-]+="[^"]*")*?) src="(cid|remote):([^"]*)"')
#: A mail with such a height would hide what follows it in the conversation.
_HUGE = re.compile(r"(?<![\w#.])\d{5,}")
_FETCHES = re.compile(r"(?i)url\s*\(|image-set|\\|expression|@import")


class Tangled(Exception):
    """Cleaning this HTML would take too long. The mail is shown as text; the mail server keeps the original."""


def clean(html: str, pictures: Mapping[str, str]) -> str:
    """A safe fragment for the message's own frame, with placeholders for pictures. Raises Tangled.

    `pictures`: names → part numbers (pictures.py)."""
    if is_tangled(html):
        raise Tangled

    numbers = set(pictures.values())

    def place(match: re.Match[str]) -> str:
        before, scheme, value = match.groups()
        if scheme == "remote":
            return f'{before} data-remote="{value}"'
        return f'{before} data-part="{value}"' if value in numbers else before

    safe = _CLEANER.clean(laid_out(html, _STYLES, pictures))
    return _PICTURE.sub(place, safe) if "<img" in safe else safe


def _kept(tag: str, name: str, value: str) -> str | None:
    """The safe form of an attribute's value; None removes the attribute."""
    if name == "src":
        return _image(value.strip())
    if name == "href":
        return value if _SAFE_LINK.match(value.strip()) else None
    if name in ("id", "name"):
        return value if value in (KEPT_IDS if name == "id" else KEPT_NAMES) else None
    if name == "style":
        return _seen_style(value) if len(value) <= CACHED_STYLE else _style(value)
    if name == "height" and _HUGE.search(value):
        return None
    return value


def _style(value: str) -> str:
    if not (_FETCHES.search(value) or _HUGE.search(value)):
        return value
    return ";".join(part for part in value.split(";") if not (_FETCHES.search(part) or _HUGE.search(part)))


_seen_style = lru_cache(maxsize=2048)(_style)


def _image(src: str) -> str | None:
    """The placeholder for a picture from an allowed source; None leaves its alternative text."""
    if src[:4].lower() == "cid:":
        return f"cid:{src[4:]}"
    if src.lower().startswith("https://"):
        return f"remote:{src}"
    return src if _SAFE_DATA_IMAGE.match(src) else None


#: Created once, because that takes longer than cleaning an ordinary mail.
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(UNSEEN_TAGS),
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_kept,
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    filter_style_properties=set(_STYLES),
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer",
)
