"""Recognize what follows the author's words: signatures, "Sent from my iPhone", footers of lists and scanners.

Plain text has no markup for them. So each check asks whether every line is of a kind that nobody writes to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.mail.quotes.languages import entries

_MOST_LINES = 14
_MOST_LETTERS = 120
_DELIMITER = re.compile(r"[ \t]*--[ \t]?\s*")
_CONTACT = re.compile(r"[\w.+-]@[\w-]|\bhttps?:|\bwww\.|\+?\d[\d ()/.-]{6,}\d|[|·•]")
_WORDS = re.compile(r"[^\W\d_]+")
_SENTENCE_ENDS = ("!", "?", ":", "…", "。", "！", "？", "：")
#: Words of a request, in a line that otherwise could be an address.
_REQUEST = re.compile(
    r"\b(?:please|pls|urgent|asap|call|order|invoice|refund|bitte|dringend|bestellung|rechnung|por favor"
    r"|urgente|pedido|factura"
    r"|llam\w+|svp|s['’]il vous|commande|facture|per favore|ordine|fattura|alstublieft|graag|proszę|snälla"
    r"|tack|prosím|kiitos"
    r"|пожалуйста|заказ|будь ласка|lütfen|si us plau|encomenda)\b|お願い|ください|请|請|부탁|주세요",
    re.IGNORECASE,
)
_PS = re.compile(r"\W{0,3}(?:p\.? ?s\b|p\.? ?d\b|n\.? ?b\b|ps|pd|ps2|edit|nachtrag|update)\W", re.IGNORECASE)
_LINK = re.compile(
    r"<[^<>\n]{0,300}>|\[[^\[\]\n]{0,300}\]|\(https?://[^()\s]{0,300}\)|https?://\S{1,300}|www\.\S{1,200}"
)
_LINK_SIGNS = ("<", "[", "://", "www.")
_SIGN_OFF_WORD = re.compile(r"[^\W\d_][\w.'’&-]*")
#: Markdown: [title](address)
_TITLED_LINK = re.compile(r"\[([^\[\]\n]{0,100})\]\([^()\s]{0,300}\)")
_SENT = entries(
    "versendet|secured|gesichert|sécurisé|protegido|protetto|beveiligd|sent|get|envoyé|envoye|enviado|enviada|inviato|inviata|gesendet|geschickt|verzonden|verstuurd|skickat"
    "|skickades|sendt|lähetetty|wysłane|wysłano|wysłana|odesláno|odoslané|отправлено|отправлена|надіслано"
    "|відправлено|gönderildi|enviat|obtén|obtener|téléchargez|hol|holen|downloaden|descargue|descarga|baixe"
    "|skaffa|hanki|pobierz|scarica|ottieni|obtenir|получить|letöltése|küldve|elküldve|trimis|σταλμένο|εστάλη"
    "|laden|obtenha|download|télécharger"
)
_DEVICES = re.compile(
    r"iphone|ipad|ipod|android|samsung|galaxy|huawei|xiaomi|redmi|oneplus|pixel\b|nokia|blackberry|outlook|yahoo"
    r"|gmail"
    r"|proton|gmx|web\.de|smartphone|mobile|phone|handy\b|tablet|телефон|смартфон|telefon|teléfono|móvil|celular"
    r"|windows"
    r"|\bspark\b|airmail|zoho|\baol\b|t-online|k-9|motorola|xperia|mail\.ru|почт|fairphone"
    r"|superhuman|\btuta\b|tutanota|mailspring|fastmail|bluemail"
    r"|aqua ?mail|shortwave|missive|canary|newton|手机|手機|スマ|hotmail|puhelim",
    re.IGNORECASE,
)
#: Words between "Sent" and the device, in the sixteen languages of the samples.
_BETWEEN = entries(
    "sicher|securely|sécurité|à|partir|from|my|the|via|using|with|on|for|de|mi|mon|ma|meu|minha|do|da|dal|dalla|mio|mia|desde|con|pour|para|per"
    "|von|meinem|meiner|mit|der|dem|diese|nachricht|wurde|wurden|app|aus|mein|vanaf|mijn|met|uit|mobiele|från"
    "|min|mitt|på|fra|i|ze|z|mojego|mojej|mého|moje|mojho|с|из|моего|моей|мого|з|el|la|le|il|lo|na|em|no"
    "|partir|ce|message|depuis|e-mail|email|mail|mailbox|devices|device|mobiltelefon|telefoon|den|dit|bericht"
    "|is|skickat|sendt|ios|mobil|móvil|aplicación|aplicativo|application|courrier|correo|mensaje|este|esta"
    "|fue|mensagem|foi|messaggio|questo|è|stato|tämä|viesti|minun|applikasjon|appen|appar|aplikacji|aplikace"
    "|приложения|мобильной|мобильного|iphone'umdan|iphone’umdan|android'den|telefonumdan|cihazımdan|üzerinden"
    "|gönderildi|dispositiu|des|del|secure|please|excuse|brevity|typos|any|pardon|errors|sorry|tele2|vodafone|orange"
    "|movistar|o2|telekom|free|wireless|4g|5g|lte|verizon|at&t|t-mobile|network|digitel|telefonen|telefonin"
    "|telefonu|iphonesta|ipadista|androidista|postfach|gesendet|mailer|klient|client|für|pro|plus|mac|os|x"
)
_UNSPACED_SENT = re.compile(
    r"から送信(?:しました|されました)?|에서 (?:보냄|전송)"
    r"|^(?:发自|發自|寄自|从|從|傳送自|由|나의)|(?:发送|傳送|發送)$|보냄$"
)
_CONFIDENTIAL = entries(
    "confident|confidenc|confidenz|vertraulich|riservat|vertrouwelijk|poufn|konfident|konfidens|konfidenti|fortrolig"
    "|luottamuksell|důvěrn|конфиден|конфіден|gizli|機密|保密|기밀|privileged|legalmente|privilegiad"
)
_RECIPIENT = entries(
    "recipient|addressee|intended|empfänger|adressat|destinat|ontvanger|bestemd|geadresseerde|adresat|odbiorc|mottagar"
    "|mottaker|modtager|vastaanottaja|příjemc|адресат|получател|одержувач|alıcı|受信者|收件|수신|erhalten haben"
)
_OPENING = re.compile(
    r"\W{0,4}(?:this|these|the (?:information|content|message|e-?mail)|any|confidential|disclaimer|legal"
    r"|diese[rs]?|der inhalt"
    r"|die(?:se)? information|die in dies|vertraulich|este|esta|estos|la información|aviso|ce |cet"
    r"|les? (?:contenu|information)"
    r"|avis|quest[oae]|il (?:presente|contenuto)|le informazioni|avviso|dit |deze|de (?:informatie|inhoud)"
    r"|ta wiadomość"
    r"|niniejsz|treść|det(?:ta|te)|denne|tämä|tento|tato|это|эта|данное|настоящ|цей|це |bu |本|이 |aquest|a informação"
    r"|as informações|information in)",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    r"\b(?:i|my|mine|ich|mein\w*|mi|mis|je|mon|mes|io|mio|mia|eu|meu|minha|ik|mijn|я|мой|мне|jag|jeg)\b", re.I
)
_FOOTER = re.compile(
    r"[\W_]{0,80}(?:you (?:received|are receiving) this (?:message|e-?mail) because you|to unsubscribe (?:from this"
    r"|send)"
    r"|this e-?mail has been (?:checked|scanned) (?:for viruses )?by|virus-free\b|virenfrei\.|libre de virus\."
    r"|sans virus\."
    r"|privo di virus\.|diese e-?mail wurde (?:von|mit) avast|este correo electrónico ha sido (?:comprobado"
    r"|analizado)"
    r"|[^\n]{0,80} mailing list\s*\n)",
    re.IGNORECASE,
)


def is_delimiter(line: str) -> bool:
    """The line above a signature (RFC 3676 4.3). Its last space is often lost."""
    return line.lstrip()[:2] == "--" and _DELIMITER.fullmatch(line) is not None


def is_sign_off(line: str) -> bool:
    """Whether a telephone or an app adds this line: "Sent from my iPhone"."""
    line = line.strip()
    return 8 <= len(line) <= 200 and _is_sign_off(line)


@lru_cache(maxsize=512)  # both forms of a mail are checked, and many mails end alike
def _is_sign_off(line: str) -> bool:
    bare = _without_links(line).replace("a partir", "partir")
    if len(bare) > 100:
        return False
    if len(bare) <= 40 and not bare.isascii() and _UNSPACED_SENT.search(bare.strip(" 。.")):
        return _DEVICES.search(bare) is not None
    found = [word.lower() for word in _SIGN_OFF_WORD.findall(bare)]
    if not any(word.strip(".") in _SENT for word in found) or not _DEVICES.search(bare):
        return False
    others = [word for word in found if not _is_of_sign_off(word.strip("."))]
    return not any(word in bare for word in others) and len(others) <= 2


def is_signature(lines: Sequence[str]) -> bool:
    """Whether the lines below a delimiter are a card: name, address, telephone, and no words to the reader."""
    if sum(bool(line.strip()) for line in lines) > _MOST_LINES:
        return False
    paragraphs = _paragraphs(lines)
    return bool(paragraphs) and all(
        is_footer(paragraph) or _is_card(paragraph, first=number == 0) for number, paragraph in enumerate(paragraphs)
    )


def is_footer(lines: Sequence[str]) -> bool:
    """Whether a paragraph is a legal disclaimer, or a footer that a list or a virus scanner adds."""
    text = "\n".join(lines)[:4000]
    if all(is_sign_off(line) for line in lines):
        return True
    return _FOOTER.match(text) is not None or _is_disclaimer(text)


def _is_disclaimer(text: str) -> bool:
    if len(text) < 140 or not _OPENING.match(text):
        return False
    low = text.lower()
    says = any(word in low for word in _CONFIDENTIAL) and any(word in low for word in _RECIPIENT)
    return says and _FIRST_PERSON.search(text) is None


def _without_links(line: str) -> str:
    if not any(sign in line for sign in _LINK_SIGNS):
        return line
    return _LINK.sub(" ", _TITLED_LINK.sub(r"\1 ", line))


def _is_of_sign_off(word: str) -> bool:
    return word in _SENT or word in _BETWEEN or _DEVICES.search(word) is not None


def _is_card(paragraph: Sequence[str], *, first: bool) -> bool:
    return all(_is_card_line(line) for line in paragraph) and (first or any(_CONTACT.search(x) for x in paragraph))


def _is_card_line(line: str) -> bool:
    line = line.strip()
    if len(line) > _MOST_LETTERS or line.endswith(_SENTENCE_ENDS) or _PS.match(line) or _REQUEST.search(line):
        return False
    found = _WORDS.findall(_LINK.sub(" ", line))
    lower = sum(word[0].islower() and len(word) > 1 for word in found)
    said = line.endswith(".") and len(found) > 3
    return is_sign_off(line) or (not said and lower < (4 if _CONTACT.search(line) else 2))


def _paragraphs(lines: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [paragraph for paragraph in found if paragraph]
