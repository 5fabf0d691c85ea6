"""Recognises signs that the author's words continue inside what looks like a quote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.mail.quotes.header_block import MARKED
from app.mail.quotes.languages import lowered

#: "My answers are below", "in red", "between the lines". For text in lower case: matching both cases would take five
#: times as long.
_BELOW = re.compile(
    r"\b(?:below|in-?line|underneath|in (?:red|blue|green|bold|caps|capitals)|between the lines|interspersed"
    r"|within your"
    r"|unten|untenstehend|darunter|in (?:rot|blau|grün|fett)|rot markiert|zwischen den zeilen|im text|direkt im"
    r"|(?:más )?abajo|en (?:rojo|azul|verde|negrita|mayúsculas)|entre líneas|a continuación|debajo|sobre tu texto"
    r"|ci-dessous|plus bas|en (?:rouge|bleu|vert|gras)|dans le texte|entre les lignes|ci-après|in (?:rosso|blu"
    r"|verde|grassetto)"
    r"|(?:qui |qua )?sotto|di seguito|tra le righe|in calce|nel testo|abaixo|(?:em|a) (?:vermelho|negrito)"
    r"|em (?:azul|verde)"
    r"|entre as linhas|no texto|hieronder|onderstaand|in het (?:rood|blauw|groen)|in (?:rood|blauw)|tussen de regels"
    r"|poniżej|na (?:czerwono|niebiesko|zielono)|w treści|nedan(?:för)?|i (?:rött|blått|rødt|blåt)|nedenfor"
    r"|herunder|nedenunder"
    r"|mellem linjerne|mellan raderna|mellom linjene|alla|alempana|punaisella|sinisellä|rivien välissä|níže"
    r"|červeně|modře"
    r"|v textu|ниже|красным|синим|в тексте|между строк|нижче|червоним|синім|у тексті|aşağıda\w*"
    r"|(?:kırmızı|mavi) (?:ile|renkle|yazıyla)|kırmızıyla|maviyle|a sota"
    r"|en vermell|en blau|alább|pirossal|mai jos|cu roșu|παρακάτω)\b"
    r"|下記|以下|赤字|青字|文中|インライン|下面|红字|紅字|蓝字|藍字|[红紅蓝藍]色字"
    r"|如下|아래|(?:빨간|파란)색? 글씨|본문",
)
_FORM = re.compile(
    r"\b(?:form|enquiry|inquiry|website|web ?site|web page|submitted|submission|formular|kontaktformular|anfrage"
    r"|webseite|homepage"
    r"|formulario|consulta|sitio|página web|la web|formulaire|demande|site|modulo|richiesta|sito|formulário"
    r"|contato|contacto"
    r"|formulier|aanvraag|formularz|zapytanie|strony|formulär|förfrågan|formularen|forespørsel|henvendelse"
    r"|hjemmeside|lomake"
    r"|yhteydenotto|formulář|dotaz|poptávka|форм[аыу]|заявка|сайт\w*|запит|formu|talep|formulari"
    r"|today['’]s topics|digest"
    r"|booking|reservation|ticket|buchung|reserva|réservation|prenotazione)\b"
    r"|フォーム|お問い合わせ|表单|表單|留言|문의|양식",
)
#: How authors mark an answer inside somebody else's text.
_ANSWER = re.compile(
    r"\s{0,20}(?:={1,3}>|-{1,3}>|→|➔|►|\*{3}\s|\[[A-Z]{2,4}\]\s|##\s"
    r"|(?:(?:my |our )?(?:answer|reply)|a"
    r"ntwort|respuesta|réponse|risposta|resposta|antwoord|odpowiedź|svar|vastaus|odpověď"
    r"|ответ|відповідь|cevap|yanıt|válasz|回答|答|답변)\s?[:：])",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)"
    r"|sehr geehrte\w*|liebe\w?|moin"
    r"|servus|hola|buen[oa]s (?:días|tardes|noches)|buenas|estimad\w+|querid\w+|bonjour|bonsoir|salut|chère?|ciao"
    r"|buongiorno|buonasera|salve|gentile|olá|ola|oi|bom dia|boa (?:tarde|noite)|prezad\w+|car[oa]|goede\w*"
    r"|goedemorgen|beste"
    r"|geachte|dag|dzień dobry|cześć|witam|hej|hejsan|god (?:morgon|dag|kväll)|goddag|hei|heippa|moi|terve|hyvää|kjære"
    r"|dobrý den|ahoj|здравствуйте|привет|добрый день|вітаю|добрий день|привіт|merhaba|selam|sayın|iyi günler|bon dia"
    r"|bona tarda|benvolgu\w+|szia|tisztelt|jó napot|bună|γεια)\b|こんにちは|お世話に|您好|你好|안녕",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


def may_follow(own: Sequence[str], quoted: Sequence[str]) -> bool:
    """Whether answers may follow between quoted lines that have no marks.

    Either the author says so, or wrote only a greeting above them, or lines below begin as answers do."""
    text = lowered("\n".join(own))
    if len(text) > 3000:
        text = f"{text[:1500]}\n{text[-1500:]}"  # authors say such things at the start or the end
    return _BELOW.search(text) is not None or _is_greeting(own) or any(_ANSWER.match(line) for line in quoted)


def is_form(above: Sequence[str], place: int) -> bool:
    """Whether the text above says that lines with labels come from a form, not from a mail."""
    return place < MARKED and _FORM.search(lowered("\n".join(above)[:2000])) is not None


def _is_greeting(own: Sequence[str]) -> bool:
    line = own[0].strip()
    count = len(_WORD.findall(line[:200]))
    if len(own) > 1 or count > 5 or "." in line or "?" in line:
        return False
    return line.endswith((",", ":", "，", "、", "：")) or (count > 1 and _GREETING.match(line) is not None)
