"""What a subject is about, without the marks that mail programs put before it (RFC 5256 section 2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: Answers, forwards and automatic answers, as mail programs of many languages mark them.
_ANSWERS = (
    "re|aw|ant|antw|antwort|sv|vs|vá|res|resp|ref|rif|ris|r|odp|odpověď|svar|vast|ynt|yan|ats|atb|απ|σχετ|na|"
    "на|ответ|відп|回复|回覆|答复|返信|답장|accepted|declined|tentative|zugesagt|abgesagt|aceptado|rechazado|accepté|"
    "refusé|read|gelesen|lu|leído|undeliverable|unzustellbar|undelivered|non remis|no se puede entregar|"
    "automatic reply|automatische antwort|réponse automatique|respuesta automática|risposta automatica|"
    "resposta automática|automatisch antwoord|autoreply|auto|out of office|abwesend|abwesenheit|"
    "abwesenheitsnotiz|ausente|fuera de la oficina|absence|absent"
)
_FORWARDS = (
    "fw|fwd|wg|doorst|vb|vl|tr|rv|enc|i|fs|továbbítás|pd|ilt|prosl|προώθ|πρθ|переслано|пересл|转发|轉寄|転送|전달"
)
_ANY_MARK = "|".join(sorted(f"{_ANSWERS}|{_FORWARDS}".split("|"), key=len, reverse=True))
_MARK = re.compile(rf"({_ANY_MARK}) ?(?:[\[(]\d{{1,3}}[\])]|\*\d{{1,3}})? ?[:：]", re.IGNORECASE)
_LABEL = re.compile(r"\[[^\[\]]{1,80}\]")
_WAS = re.compile(r"\((?:was|war|era|était|ehemals)\b[ :]*([^()]{1,500})\)$", re.IGNORECASE)
_MOST_MARKS = 20


@dataclass(frozen=True, slots=True)
class Topic:
    """`names`: what it is about, in lower case; `new thing (was: old thing)` is about both, an empty subject about
    nothing. `is_answer`: it is marked as an answer or a forward."""

    names: frozenset[str]
    is_answer: bool
    is_forward: bool


@lru_cache(maxsize=1024)  # the mails of a conversation have the same
def topic(subject: str) -> Topic:
    """Labels of mailing lists are left out like marks."""
    plain, marks = _stripped(" ".join(subject[:2000].split()))
    was = _WAS.search(plain)
    names = {plain} if was is None else {plain[: was.start()].strip(), _stripped(was[1])[0]}
    return Topic(
        frozenset(name.casefold() for name in names if name), bool(marks), not marks.isdisjoint(_FORWARDS.split("|"))
    )


def _stripped(text: str) -> tuple[str, set[str]]:
    marks = set[str]()
    for _ in range(_MOST_MARKS):
        mark, label = _MARK.match(text), _LABEL.match(text)
        found = mark or label
        if found is None or (label and not text[label.end() :].strip()):
            break
        if mark is not None:
            marks.add(mark[1].casefold())
        text = text[found.end() :].strip()
    return text, marks
