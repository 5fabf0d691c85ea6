"""Parts of a mail's HTML that its sender hides from readers: preheaders, copies for phones, tracking pixels.

Senders hide them with properties that cleaning removes (safe_html.py), so these parts would become visible. A mail in
which everything is hidden is shown in full, because too much text is better than an empty page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.mail.colours import colour
from app.mail.css import CACHED_STYLE, computed, declarations, pixels, written

#: Elements whose text mail clients do not show.
UNSEEN_TAGS = frozenset(
    {"datalist", "iframe", "noembed", "noframes", "noscript", "script", "select", "style", "svg", "template",
     "textarea", "title", "xml", "xmp"}
)  # fmt: skip
#: Properties that only matter here; cleaning removes them.
HIDING_PROPERTIES = frozenset(
    {"-webkit-background-clip", "background-clip", "clip", "clip-path", "left", "max-height", "mso-hide", "opacity",
     "overflow", "overflow-x", "overflow-y", "position", "right", "top", "transform", "visibility"}
)  # fmt: skip
#: Signs for a quick check of a whole mail or a style, in lower case. They match too much rather than too little. Most
#: mails have none of these signs, and a search for literal words is many times faster than a pattern with choices.
_STYLE_WORDS = (
    "hidden", "visibility", "mso-hide", "opacity", "max-height", "indent", "clip", "scale", "transparent", "rgba",
)  # fmt: skip
_STYLE_PATTERNS = (
    re.compile(r"display\s*:\s*none"),
    re.compile(r"font(?:-size)?\s*:[^;\"]{0,40}?(?<![\w.#])[.01](?!\d)"),
    re.compile(r":\s*-\d{3}"),
)
_UNSEEN = re.compile(rf"<({'|'.join(sorted(UNSEEN_TAGS, reverse=True))})")  # longer names before their prefixes
_STYLE = re.compile(r"style\s*+=\s*+(\"[^\"]*+|'[^']*+|[^\s>]*+)")
_NARROW = re.compile(r"width\s*[:=]\s*[\"']?[.012](?![\d.]*\d)")
_FILLER = re.compile(r"[\s\u00ad\u034f\u061c\u115f\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\ufeff]*")
_AWAY = -500  # pixels
#: Properties that would keep text hidden that we show after all.
_STILL_HIDING = frozenset({"color", "display", "font", "font-size", "line-height", "text-indent"})


def lowered(html: str) -> str:
    """HTML in lower case, with question marks for non-ASCII letters. Quick checks search only for ASCII words, and
    Python takes five times as long to lower other letters."""
    return html.lower() if html.isascii() else html.encode("ascii", "replace").lower().decode("ascii")


def may_hide(low: str) -> bool:
    """A quick check of HTML in lower case. It matches too much rather than too little."""
    return _selector(low, styles_in(low)) != ""


def styles_in(low: str) -> str:
    """The distinct `style` attributes of HTML in lower case, in any form of quoting."""
    return "\n".join(set(_STYLE.findall(low))) if "style" in low else ""


def without_hidden(tree: LexborHTMLParser, html: str) -> LexborHTMLParser:
    """The tree without the parts that the sender hides, or the whole tree if nothing else is there. `html`: the same
    tree as the parser serializes it."""
    low = lowered(html)
    selector = _selector(low, styles_in(low))
    if not selector:
        return tree
    for node in _candidates(tree, selector):
        _remove_if_hidden(node)
    if _has_content(tree):
        return tree
    tree = LexborHTMLParser(html)
    for node in _candidates(tree, selector):
        _reveal(node)
    return tree


def _selector(low: str, styles: str) -> str:
    """The elements to check; empty if there are none. `styles`: all styles of the mail."""
    found = sorted(set(_UNSEEN.findall(low)))
    found += ["[style]"] if _could_hide(styles) else []
    found += ["[hidden]"] if " hidden" in low else []
    found += ["img"] if "<img" in low and _NARROW.search(low) else []
    return ",".join(found)


def _could_hide(low: str) -> bool:
    return any(map(low.__contains__, _STYLE_WORDS)) or any(sign.search(low) for sign in _STYLE_PATTERNS)


@lru_cache(maxsize=2048)
def _seen_before(style: str) -> bool:
    return _could_hide(style.lower())


def _style_could_hide(style: str) -> bool:
    """Cached, because the styles of a mail repeat."""
    return _seen_before(style) if len(style) <= CACHED_STYLE else _could_hide(style.lower())


def _candidates(tree: LexborHTMLParser, selector: str) -> list[LexborNode]:
    """Inner elements come first, so that we never touch one after an outer one was removed."""
    body = tree.body
    found = {node.mem_id: node for node in body.css(selector)} if body is not None else {}
    return [node for node in reversed(found.values()) if node.tag != "body"]


def _has_content(tree: LexborHTMLParser) -> bool:
    body = tree.body
    if body is None:
        return False
    return body.css_first("img") is not None or not _is_filler(body.text_lexbor())


def _is_filler(text: str) -> bool:
    return _FILLER.fullmatch(text) is not None


def _remove_if_hidden(node: LexborNode) -> None:
    style = node.attrs.get("style") or ""
    if node.tag in UNSEEN_TAGS or _is_tracker(node) or ("hidden" in node.attrs and "display" not in style):
        node.decompose()
    elif style and _style_could_hide(style):
        values = computed(style)
        if any(hides(values, node) for hides in _WAYS_TO_HIDE):
            _remove(node, values)
        else:
            _remove_unreadable_text(node, values)


def _is_tracker(node: LexborNode) -> bool:
    if node.tag != "img":
        return False
    style = computed(node.attrs.get("style") or "")
    sizes = [pixels(style.get(side) or node.attrs.get(side) or "") for side in ("width", "height")]
    return all(size is not None and size <= 2 for size in sizes)


def _remove(node: LexborNode, values: Mapping[str, str]) -> None:
    """A table cell stays, empty, because the next cells would move without it."""
    if node.tag not in ("td", "th") or values.get("display") == "none":
        node.decompose()
        return
    for child in list(node.iter(include_text=True)):
        child.decompose()


def _is_not_displayed(values: Mapping[str, str], node: LexborNode) -> bool:
    if values.get("display", "").lower() == "none":
        return True
    hidden = values.get("visibility", "").lower() in ("hidden", "collapse")
    return hidden and not _inside(node, '[style*="visible"]')


def _is_transparent(values: Mapping[str, str], _: LexborNode) -> bool:
    opacity = pixels(values.get("opacity", ""))
    return opacity is not None and opacity < 0.05


def _is_collapsed(values: Mapping[str, str], node: LexborNode) -> bool:
    """Collapsed boxes without text are lines and gaps and stay."""
    if _is_filler(node.text_lexbor()):
        return False
    clipped = any(
        values.get(name, "").lower() in ("hidden", "clip") for name in ("overflow", "overflow-x", "overflow-y")
    )
    names = ("max-height", "max-width", "height", "width") if clipped else ("max-height",)
    return any((size := pixels(values.get(name, ""))) is not None and 0 <= size <= 1 for name in names)


def _is_elsewhere(values: Mapping[str, str], _: LexborNode) -> bool:
    """Outside the page, or cut to nothing, as texts for screen readers are."""
    if values.get("position", "").lower() not in ("absolute", "fixed"):
        return "scale(0" in values.get("transform", "").replace(" ", "")
    away = [pixels(values.get(side, "")) for side in ("left", "top", "right")]
    clip = values.get("clip", "") + values.get("clip-path", "")
    cut = clip.startswith("rect(") and not re.search(r"[2-9]|\d\d", clip)
    return cut or clip.startswith("inset(") or any(side is not None and side <= _AWAY for side in away)


def _is_hidden_in_word(values: Mapping[str, str], node: LexborNode) -> bool:
    """`mso-hide` hides only in Outlook. Buttons use it beside a second form for Outlook, so they must stay."""
    if values.get("mso-hide", "").lower() != "all" or node.tag in ("a", "img"):
        return False
    return not any("background" in name for name in values) and not _inside(node, "a,img")


_WAYS_TO_HIDE: tuple[Callable[[Mapping[str, str], LexborNode], bool], ...] = (
    _is_not_displayed, _is_transparent, _is_collapsed, _is_elsewhere, _is_hidden_in_word,
)  # fmt: skip


def _remove_unreadable_text(node: LexborNode, values: Mapping[str, str]) -> None:
    """Remove text without size or colour, or far outside its box. Elements inside may have their own size or colour."""
    if _is_tiny(values):
        overrides = '[style*="font"],font[size]'
    elif _is_colourless(values):
        overrides = '[style*="color"],font[color]'
    elif (pixels(values.get("text-indent", "")) or 0) <= _AWAY and "background-image" not in values:
        overrides = '[style*="text-indent"]'
    else:
        return
    if not _inside(node, f"img,{overrides}"):
        _remove(node, values)
        return
    for child in list(node.iter(include_text=True)):
        if child.tag == "-text":
            child.decompose()


def _is_tiny(values: Mapping[str, str]) -> bool:
    sizes = [values["font-size"]] if "font-size" in values else values.get("font", "").replace("/", " ").split()
    lengths = (pixels(word) for word in sizes if word == "0" or not word.isdigit())  # 400 is a font weight
    return next((size for size in lengths if size is not None), 16) <= 1


def _is_colourless(values: Mapping[str, str]) -> bool:
    found = colour(values.get("color", ""))
    return (
        found is not None
        and found[3] == 0
        and "text" not in values.get("background-clip", "") + values.get("-webkit-background-clip", "")
    )


def _inside(node: LexborNode, selector: str) -> bool:
    return any(found.mem_id != node.mem_id for found in node.css(selector))


def _reveal(node: LexborNode) -> None:
    if node.tag in UNSEEN_TAGS:
        node.decompose()
        return
    style = node.attrs.get("style")
    if style and _style_could_hide(style):
        node.attrs["style"] = written(pair for pair in declarations(style) if pair[0] not in _STILL_HIDING)
