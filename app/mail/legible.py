"""Finds light text whose dark background is gone because it was a picture, or a rule too complex to follow.

Without this step the text would be white on white. Text that the sender put on a light background keeps its colour.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.mail.colours import Colour, colour, contrast, first_of_gradient
from app.mail.css import LOST_BACKGROUND, computed, declarations, written

_PAPER: Colour = (255, 254, 252, 1)
#: The colour of text without one of its own (message/body.html).
_INK: Colour = (33, 30, 26, 1)
_MIN_ON_DARK = 3.0
#: Below this contrast, text is hardly visible. The light grey of small print is above it.
_MIN_CONTRAST = 1.55
_WITH_BACKGROUND = '[bgcolor],[style*="background"]'
#: The number of inner boxes checked in all. Otherwise the time would grow with boxes times text around them.
_MAX_BOXES = 2_000


def make_legible(tree: LexborHTMLParser) -> None:
    """Remove the colour of light text that has no background."""
    body = tree.body
    if body is None:
        return
    _give_page_a_text_colour(body)
    behind: dict[int, tuple[Colour, bool]] = {}
    room = _MAX_BOXES
    for node in body.css("[style],font[color]"):
        text = _text_colour(node)
        if text is None or text[3] < 0.5 or contrast(text, _PAPER) >= _MIN_CONTRAST:
            continue
        background, is_chosen = _background_behind(node, behind)
        if not is_chosen and contrast(text, background) < _MIN_CONTRAST:
            room -= _take_colour(node, room)


def _give_page_a_text_colour(body: LexborNode) -> None:
    """Give a dark page a text colour. Its sender may colour every text, but a footer that a list adds has no colour."""
    page, _ = _own_background(body)
    if page is None or _text_colour(body) is not None or contrast(_INK, page) >= _MIN_ON_DARK:
        return
    for box in body.css(_WITH_BACKGROUND)[:_MAX_BOXES]:
        own, _ = _own_background(box)
        if own and box.mem_id != body.mem_id and contrast(_INK, own) >= _MIN_ON_DARK and _inherits_from(box, body):
            box.attrs["style"] = f"color:#211e1a;{box.attrs.get('style') or ''}"
    body.attrs["style"] = f"color:#edeae4;{body.attrs.get('style') or ''}"


def _text_colour(node: LexborNode) -> Colour | None:
    style = node.attrs.get("style") or ""
    value = computed(style).get("color") if "color" in style else None
    return colour(value or (node.attrs.get("color") or "" if node.tag == "font" else ""))


def _background_behind(node: LexborNode, known: dict[int, tuple[Colour, bool]]) -> tuple[Colour, bool]:
    """(the background behind the text in this element, whether the sender chose it)."""
    path: list[int] = []
    is_chosen, found = True, None
    at: LexborNode | None = node
    while at is not None and at.tag != "html" and found is None:
        if at.mem_id in known:
            found = known[at.mem_id] if is_chosen else (known[at.mem_id][0], False)
            break
        own, is_lost = _own_background(at)
        is_chosen = is_chosen and not is_lost
        path += [at.mem_id] if is_chosen else []
        found = (own, is_chosen) if own else None
        at = at.parent
    found = found or (_PAPER, False)
    known.update(dict.fromkeys(path, found))
    return found


def _own_background(node: LexborNode) -> tuple[Colour | None, bool]:
    style = node.attrs.get("style") or ""
    values = computed(style) if "background" in style else {}
    written_as = f"{values.get('background-color', '')} {values.get('background', '')}"
    words = [*written_as.replace(", ", ",").split(), node.attrs.get("bgcolor") or ""]
    if "gradient(" in written_as:
        words.insert(0, first_of_gradient(written_as))
    colours = [found for word in words if (found := colour(word)) and found[3] >= 0.5]
    return (colours[0], False) if colours else (None, values.get(LOST_BACKGROUND[0]) == LOST_BACKGROUND[1])


def _take_colour(node: LexborNode, room: int) -> int:
    """Remove the colour of this element and, within the limit, of inner boxes; boxes with a background keep theirs.
    Returns how many boxes were checked."""
    value = computed(node.attrs.get("style") or "").get("color") or node.attrs.get("color") or ""
    inner = node.css(_WITH_BACKGROUND) if room > 0 else []
    boxes = {found.mem_id: found for found in inner[: 2 * room] if found.mem_id != node.mem_id}
    for box in boxes.values():
        if _own_background(box)[0] and _inherits_from(box, node):
            box.attrs["style"] = f"color:{value};{box.attrs.get('style') or ''}"
    style = node.attrs.get("style")
    if style is not None:
        node.attrs["style"] = written(pair for pair in declarations(style) if pair[0] != "color")
    if "color" in node.attrs:
        del node.attrs["color"]
    return len(boxes)


def _inherits_from(box: LexborNode, ancestor: LexborNode) -> bool:
    at: LexborNode | None = box
    while at is not None and at.mem_id != ancestor.mem_id:
        if _text_colour(at) is not None:
            return False
        at = at.parent
    return True
