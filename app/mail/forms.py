"""Shows what people filled into a form. Cleaning removes form fields, and would remove their values (a booking sent as
a page, a forwarded order)."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: Elements whose content browsers do not show.
_WORDLESS = frozenset({"color", "file", "hidden", "image", "password", "range"})
_CHOICES = {"checkbox": ("\u2611", "\u2610"), "radio": ("\u25c9", "\u25cb")}
_LINES = "white-space:pre-wrap"


def has_fields(low: str) -> bool:
    """A quick check of HTML in lower case."""
    return "<input" in low or "<textarea" in low or "selected" in low


def show_values(tree: LexborHTMLParser) -> None:
    """Replace each form field by its value. A field keeps its style, so a hidden one stays hidden. A list shows only
    the choice."""
    for field in tree.css("input,textarea,select"):
        if words := _value(field):
            shown = tree.create_node("span")
            for name in ("style", "class", "hidden"):
                if name in field.attrs:
                    shown.attrs[name] = field.attrs[name] or ""
            if field.tag == "textarea":
                shown.attrs["style"] = f"{shown.attrs.get('style') or ''};{_LINES}"
            shown.insert_child(f" {words} ")
            field.replace_with(shown)


def _value(field: LexborNode) -> str:
    if field.tag == "textarea":
        return field.text_lexbor().strip()
    if field.tag == "select":
        return ", ".join(filter(None, (option.text_lexbor().strip() for option in field.css("option[selected]"))))
    kind = (field.attrs.get("type") or "text").strip().lower()
    if kind in _CHOICES:
        return _CHOICES[kind]["checked" not in field.attrs]
    return "" if kind in _WORDLESS else (field.attrs.get("value") or "").strip()
