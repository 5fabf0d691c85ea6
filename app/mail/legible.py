"""Light text whose dark background is gone: a picture that is not loaded, or a rule that was too intricate to follow.

It would be white on white. Text that its sender himself put on a light background stays as he wanted it.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.mail.colours import Colour, colour, contrast
from app.mail.css import LOST_BACKGROUND, computed, declarations, written

_PAPER: Colour = (255, 254, 252, 1)
#: Below it text can hardly be seen. The light grey of small print lies above.
_MIN_CONTRAST = 1.55
_WITH_BACKGROUND = '[bgcolor],[style*="background"]'
#: Beyond so many, text in inner boxes is not looked after: the time would grow with the square of their number.
_MAX_FIXES = 200


def make_legible(tree: LexborHTMLParser) -> None:
    """Take the colour from light text that has no background."""
    body = tree.body
    if body is None:
        return
    behind: dict[int, tuple[Colour, bool]] = {}
    fixes = 0
    for node in body.css("[style],font[color]"):
        text = _text_colour(node)
        if text is None or text[3] < 0.5 or contrast(text, _PAPER) >= _MIN_CONTRAST:
            continue
        background, is_chosen = _background_behind(node, behind)
        if not is_chosen and contrast(text, background) < _MIN_CONTRAST:
            fixes += 1
            _take_colour(node, keep_inside=fixes <= _MAX_FIXES)


def _text_colour(node: LexborNode) -> Colour | None:
    style = node.attrs.get("style") or ""
    value = computed(style).get("color") if "color" in style else None
    return colour(value or (node.attrs.get("color") or "" if node.tag == "font" else ""))


def _background_behind(node: LexborNode, known: dict[int, tuple[Colour, bool]]) -> tuple[Colour, bool]:
    """The colour that text in this element stands on, and whether its sender chose it."""
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
    words = f"{values.get('background-color', '')} {values.get('background', '')}".replace(", ", ",").split()
    colours = [
        found for word in [*words, node.attrs.get("bgcolor") or ""] if (found := colour(word)) and found[3] >= 0.5
    ]
    return (colours[0], False) if colours else (None, values.get(LOST_BACKGROUND[0]) == LOST_BACKGROUND[1])


def _take_colour(node: LexborNode, *, keep_inside: bool) -> None:
    value = computed(node.attrs.get("style") or "").get("color") or node.attrs.get("color") or ""
    inner = node.css(_WITH_BACKGROUND) if keep_inside else []
    for box in {found.mem_id: found for found in inner if found.mem_id != node.mem_id}.values():
        if _own_background(box)[0] and _inherits_from(box, node):
            box.attrs["style"] = f"color:{value};{box.attrs.get('style') or ''}"
    style = node.attrs.get("style")
    if style is not None:
        node.attrs["style"] = written(pair for pair in declarations(style) if pair[0] != "color")
    if "color" in node.attrs:
        del node.attrs["color"]


def _inherits_from(box: LexborNode, ancestor: LexborNode) -> bool:
    at: LexborNode | None = box
    while at is not None and at.mem_id != ancestor.mem_id:
        if _text_colour(at) is not None:
            return False
        at = at.parent
    return True
