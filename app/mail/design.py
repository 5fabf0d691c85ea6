"""Puts the design of a mail into a form that survives cleaning. Style sheets move into `style` attributes, and the
colours of <body> to a substitute element. Hidden parts are removed.

nh3 removes <style>, <html> and <body> (safe_html.py). Without this step a dark background would be lost while its white
text stays. This module does not make HTML safe: its result is as hostile as its input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.mail.colours import colour
from app.mail.css import LOST_BACKGROUND, declarations, fetches, without_fetches, written
from app.mail.forms import has_fields, show_values
from app.mail.hidden import HIDING_PROPERTIES, lowered, may_hide, styles_in, without_hidden
from app.mail.inlining import with_rules_inline
from app.mail.legible import make_legible
from app.mail.links import base_address, link_address, picture_address
from app.mail.pictures import part_of

#: The class of the element that replaces a <body> with a background. It fills the frame (message/body.html).
PAGE_CLASS = "sb-page"

_SIGNS = ("color", "background", "<img", "<style")
#: A link whose address may be incomplete.
_HREF = re.compile(r"(?i:href)(?!=\"(?:https?://|mailto:))")
_PAGE_TAG = re.compile(r"<(?:body|html)\b((?:[^<>\"']|\"[^\"]{0,500}\"|'[^']{0,500}')*+)")
#: Unclosed formatting is opened again in each block (HTML 13.2.4.3). A mail that grows by more than this is not laid
#: out, because that would take too long.
_MOST_GROWTH = 100_000  # characters
_LOST = written([LOST_BACKGROUND])
_PAGE_PROPERTIES = frozenset(
    {"background", "background-color", "background-image", "color", "direction", "font", "font-family", "font-size",
     "font-style", "font-weight", "letter-spacing", "line-height", "text-align", "white-space", "word-break",
     "word-wrap"}
)  # fmt: skip
_PAGE_DESIGN = re.compile(rf"(?:bgcolor|text|link|dir)\s*+=|(?:{'|'.join(sorted(_PAGE_PROPERTIES))})\s*+:")


def laid_out(html: str, kept_properties: frozenset[str], pictures: Mapping[str, str]) -> str:
    """The content of <body> with its design in attributes. `kept_properties`: the properties that cleaning leaves in
    `style`. `pictures`: names → part numbers (pictures.py). A picture that is a part gets the address `cid:2.1`.

    The caller must limit the nesting of elements first, because css-inline recurses."""
    low = lowered(html)
    if not _has_design(html, low):
        return html
    tree = LexborHTMLParser(html)
    whole = tree.html or ""
    if len(whole) > _MOST_GROWTH + 10 * len(html):
        return html
    if "<style" in low:
        whole = with_rules_inline(tree, kept_properties | HIDING_PROPERTIES | {LOST_BACKGROUND[0]})
        tree = LexborHTMLParser(whole)
    if tree.body is None:
        return html
    if fetches(low) or "background=" in low:
        _remove_background_pictures(tree)
    if has_fields(low):
        show_values(tree)
        whole = tree.html or ""
    tree = without_hidden(tree, whole)
    _move_page_style(tree)
    if "color" in low or "<body" in low:
        make_legible(tree)
    if "<a" in low or "<img" in low:
        _complete_addresses(tree, pictures)
    return _page(tree)


def _has_design(html: str, low: str) -> bool:
    """Whether this HTML may need changes; most mails written by people need none. `low`: the HTML in lower case."""
    return (
        any(map(low.__contains__, _SIGNS))
        or ("href" in low and _HREF.search(html) is not None)
        or any(_PAGE_DESIGN.search(attributes) for attributes in _PAGE_TAG.findall(low))
        or may_hide(low)
        or has_fields(low)
        or fetches(styles_in(low))
    )


def _remove_background_pictures(tree: LexborHTMLParser) -> None:
    for node in tree.css("[style],[background]"):
        style = node.attrs.get("style") or ""
        if fetches(style.lower()):
            style = written(without_fetches(declarations(style)))
            node.attrs["style"] = style
        if "background" in node.attrs and not style.startswith(_LOST):
            node.attrs["style"] = f"{_LOST};{style}"


def _move_page_style(tree: LexborHTMLParser) -> None:
    """Give <body> the effective attributes of itself and <html>: `style`, `class` and `dir`."""
    root, body = tree.root, tree.body
    if body is None:
        return
    attributes = {**({} if root is None else root.attributes), **body.attributes}
    pairs = [*_page_style(root), *_page_style(body)]
    if link := _css_colour(body.attributes.get("link")):
        _colour_links(body, link)
    for name in body.attributes:
        del body.attrs[name]
    if pairs:
        body.attrs["style"] = written(pairs)
    if any(name.startswith("background-color") or name == "background" for name, _ in pairs):
        body.attrs["class"] = PAGE_CLASS
    if (direction := attributes.get("dir") or "").lower() in ("rtl", "ltr"):
        body.attrs["dir"] = direction


def _page_style(node: LexborNode | None) -> Iterator[tuple[str, str]]:
    if node is None:
        return
    for name, of_css in (("bgcolor", "background-color"), ("text", "color")):
        if value := _css_colour(node.attributes.get(name)):
            yield of_css, value
    for name, value in declarations(node.attributes.get("style") or ""):
        if name in _PAGE_PROPERTIES:
            yield name, value


def _css_colour(value: str | None) -> str | None:
    """A colour in CSS syntax; attributes may omit the #."""
    value = (value or "").strip()
    if colour(value) is None:
        return None
    return f"#{value}" if value[:1].isdigit() or (len(value) in (3, 6) and colour(f"#{value}")) else value


def _colour_links(body: LexborNode, value: str) -> None:
    for link in body.css("a[href]"):
        style = link.attrs.get("style") or ""
        if "color" not in style:
            link.attrs["style"] = f"color:{value};{style}"


def _complete_addresses(tree: LexborHTMLParser, pictures: Mapping[str, str]) -> None:
    """Links and pictures get addresses that work without <base>, or none."""
    first = tree.css_first("base[href]")
    base = base_address(first.attrs.get("href") or "") if first is not None else None
    for link in tree.css("a[href]"):
        href = link.attrs.get("href") or ""
        if not href.startswith(("https://", "http://", "mailto:")):
            _set(link, "href", link_address(href, base))
    for picture in tree.css("img[src]"):
        src = picture.attrs.get("src") or ""
        if src[:5].lower() != "data:":
            part = part_of(src, pictures)
            _set(picture, "src", f"cid:{part}" if part else picture_address(src, base))


def _set(node: LexborNode, name: str, value: str | None) -> None:
    if value is None:
        del node.attrs[name]
    else:
        node.attrs[name] = value


def _page(tree: LexborHTMLParser) -> str:
    """The content of <body>, in an element that stands for it if it has attributes."""
    body = tree.body
    html = (body.html if body is not None else None) or "<body></body>"
    if body is not None and body.attributes:
        return f"<div{html.removeprefix('<body').removesuffix('</body>')}</div>"
    return html.removeprefix("<body>").removesuffix("</body>")
