"""The text that a member writes: a small set of HTML, and the same words as plain text. Pure.

Everything we send is made of these tags. They are what the editor offers, so a paste from elsewhere loses its design
here and keeps its words.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import nh3

TAGS = frozenset(
    {"p", "br", "hr", "b", "strong", "i", "em", "u", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img"}
    | {"table", "thead", "tbody", "tr", "td", "th", "div", "span"}
)
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start"}, "td": {"colspan", "rowspan"}}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_WORDLESS = frozenset({"script", "style", "title", "head", "template", "noscript"})
_BLOCKS = frozenset({"p", "div", "li", "tr", "blockquote", "pre", "ul", "ol", "table", "hr"})
#: Deeper quotes look like this one: a mark for each in each line would grow without end.
_DEEPEST_QUOTE = 20
_LINK = re.compile(r"\bhttps?://[^\s<>\"]{1,2000}[^\s<>\".,;:!?)\]}'’”]")


def cleaned(html: str, *, pictures: bool = True) -> str:
    """The HTML with nothing but our tags. Pictures that are not files of the reply, by `cid:`, have no address."""
    return nh3.clean(
        html,
        tags=set(TAGS) if pictures else set(TAGS) - {"img"},
        attribute_filter=_attribute,
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=_SCHEMES,
        clean_content_tags=set(_WORDLESS),
        link_rel=None,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    return None if (tag, name) == ("img", "src") and not value.startswith("cid:") else value


def html_of_text(text: str) -> str:
    """Plain text as HTML: paragraphs, lines, and links that can be followed."""
    paragraphs = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip("\n"))
    return "".join(f"<p>{'<br>'.join(map(_linked, paragraph.split(chr(10))))}</p>" for paragraph in paragraphs)


def text_of_html(html: str) -> str:
    """The words of our HTML as plain text: the same words and links in the same order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def _linked(line: str) -> str:
    parts, end = [], 0
    for link in _LINK.finditer(line):
        parts += [_escaped(line[end : link.start()]), f'<a href="{escape(link[0])}">{_escaped(link[0])}</a>']
        end = link.end()
    return "".join([*parts, _escaped(line[end:])])


def _escaped(text: str) -> str:
    """Blanks stay as many as they are."""
    return escape(text, quote=False).replace("  ", " &nbsp;")


class _Reader(HTMLParser):
    """Lines with their quote marks and list signs. Only fed with what `cleaned` gives."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._quotes = 0
        self._lists: list[int | None] = []  # the next number, None: bullets
        self._link: tuple[str, int] | None = None
        self._verbatim = 0

    def text(self) -> str:
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in self._lines)).strip("\n") + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _BLOCKS:
            self._end_line()
        match tag:
            case "br":
                self._break()
            case "hr":
                self._lines.append(self._mark() + "---")
            case "blockquote":
                self._quotes += 1
            case "pre":
                self._verbatim += 1
            case "ul" | "ol":
                self._lists.append(_number(values.get("start")) if tag == "ol" else None)
            case "a":
                self._link = (values.get("href") or "", len(self._line))
            case _:
                self._line += self._sign(tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._name_link(*self._link)
            self._link = None
        if tag in _BLOCKS:
            self._end_line()
        if tag == "blockquote":
            while self._lines and not self._lines[-1].strip("> "):
                self._lines.pop()
            self._quotes = max(0, self._quotes - 1)
        match tag:
            case "p" | "blockquote" | "table" | "pre":
                self._lines.append(self._mark().rstrip())
            case "ul" | "ol" if self._lists:
                self._lists.pop()
                if not self._lists:
                    self._lines.append(self._mark().rstrip())
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)

    def handle_data(self, data: str) -> None:
        if self._verbatim:
            first, *rest = data.split("\n")
            self._line += first
            for line in rest:
                self._break()
                self._line = line
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._line += words.lstrip(" ") if not self._line else words

    def _name_link(self, address: str, begin: int) -> None:
        words = self._line[begin:].strip()
        plain = address.removeprefix("mailto:").removeprefix("tel:")
        if address and plain.rstrip("/") != words.rstrip("/"):
            self._line += f" <{address}>"

    def _break(self) -> None:
        self._lines.append(self._mark() + self._line.replace("\xa0", " "))
        self._line = ""

    def _end_line(self) -> None:
        if self._line.strip():
            self._break()
        self._line = ""

    def _mark(self) -> str:
        return "> " * min(self._quotes, _DEEPEST_QUOTE)

    def _sign(self, tag: str, values: dict[str, str | None]) -> str:
        """What stands for a tag: the bullet or number of an item, a tab between cells, the name of a picture."""
        if tag == "li":
            return self._item()
        if tag in ("td", "th") and self._line:
            return "\t"
        return f"[{values['alt']}]" if tag == "img" and values.get("alt") else ""

    def _item(self) -> str:
        indent = "  " * max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "


def _number(start: str | None) -> int:
    return int(start) if start and start.isdecimal() and len(start) < 7 else 1
