"""The charset of text with a missing or wrong label."""

from __future__ import annotations

import unicodedata

import pytest

from app.mail.charset import decoded
from app.mail.guess import better_than_western, guessed
from app.mail.parse import parse

#: A sentence as customers write it, and the charsets in which programs sent it without a label.
SENTENCES = {
    "cp1253 iso8859-7": "Πότε θα παραλάβω την παραγγελία μου;",
    "cp1255": "שלום, מתי תגיע ההזמנה שלי מספר 4711?",
    "cp1256": "مرحبا، متى سيصل طلبي رقم 4711؟",
    "iso8859-6": "السلام عليكم متى يصل الطلب الذي دفعت ثمنه يوم الاحد",
    "cp874": "สวัสดีครับ ขอสอบถามเรื่องใบแจ้งหนี้ครับ",
    "cp1250 iso8859-2": "Dzień dobry, chciałbym zapytać o przesyłkę, której jeszcze nie dostałem.",
    "iso8859-2 cp1250": "Dobrý den, prosím o zaslání faktury k poslední objednávce, děkuji.",
    "cp1250 iso8859-2 ": "Jó napot, a megrendelt lámpa még nem érkezett meg, kérem, segítsenek időben.",
    " cp1250 iso8859-2": "Dobrý deň, objednávka ešte neprišla, môžete mi prosím poslať číslo zásielky?",
    " cp1250": "Bună ziua, aş dori să ştiu când ajunge comanda mea, mulţumesc.",
    "cp1254": "Merhaba, siparişim hâlâ gelmedi, yardımcı olur musunuz? Teşekkürler",
    "cp1257 iso8859-13": "Laba diena, norėčiau sužinoti, kada bus pristatytas mano užsakymas.",
    "cp1257  iso8859-13": "Labdien, vēlos uzzināt, kad tiks piegādāts mans pasūtījums. Paldies!",
    "koi8-r cp1251 iso8859-5 cp866": "Здравствуйте! Когда придёт мой заказ?",
    "koi8-u cp1251 iso8859-5": "Добрий день, коли надійде моє замовлення?",
    "cp1251 iso8859-5": "Здравейте, кога ще пристигне моята поръчка?",
    "cp1258": "Xin chào, tôi muốn hỏi về đơn hàng của tôi.",
    "gb18030": "您好，请问我的订单什么时候发货？",
    "cp950": "您好，請問我的訂單什麼時候出貨？",
    "cp932 euc-jp": "お世話になっております。注文の件でご連絡いたします。",
    "cp949": "안녕하세요, 주문한 상품이 아직 도착하지 않았습니다.",
    "cp1252": "Sehr geehrte Damen und Herren, die Lampe für Köln ist größer als bestellt.",
    "cp1252 ": "Bonjour, j’ai passé une commande, où en est-elle ? Merci d’avance – Hélène",
    "cp1252  ": "¿Cuándo llegará mi pedido? Todavía no he recibido ningún correo. Señor Núñez",
    "cp1252   ": "Bom dia, não recebi a minha encomenda nem informações sobre a situação.",
    " cp1252": "Hei, tilaukseni ei ole vielä saapunut, voitteko lähettää lisätietoja?",
    "  cp1252": "Hej, när får jag min beställning? Vänliga hälsningar, Åsa Öberg",
    "   cp1252": "Kære kundeservice, hvornår får jeg min ordre? Mvh Søren Ærø",
    "cp1252    ": "Ciao, la mia ordinazione non è ancora arrivata: perché? Più di così non so.",
}
CASES = [(codec, text) for codecs, text in SENTENCES.items() for codec in codecs.split()]
WESTERN = [
    "Café",
    "Müller & Söhne GmbH",
    "Größe 42, 5 € – bitte",
    "“Señor” – 5 €",
    "À bientôt, Zoé",
    "C’est l’été",
    "Öffnungszeiten",
    "GRÜSSE AUS KÖLN",
    "Ça va ?",
    "naïve façade",
    "São Paulo – Japão",
    "È così",
    "Pão de Açúcar",
    "Ærø Færge",
    "Málaga/Córdoba",
    "Straße des 17. Juni",
    "Ångström",
    "1 500 m² à 20 °C",
    "Preis: 20 £ ± 5 %",
    "L'Hospitalet · Sant Martí",
    "¿Y qué largo? ¡Gracias!",
    "Hola, ¿me ayudan? Todavía espero",
]


def as_written(text: str, codec: str) -> bytes:
    """Vietnamese programs write the letter and its tone one after the other."""
    if codec != "cp1258":
        return text.encode(codec)
    tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
    pieces = []
    for char in unicodedata.normalize("NFC", text):
        apart = unicodedata.normalize("NFD", char)
        base = "".join(c for c in apart if c not in tones)
        pieces.append(unicodedata.normalize("NFC", base) + "".join(c for c in apart if c in tones))
    return "".join(pieces).encode("cp1258")


@pytest.mark.parametrize(("codec", "text"), CASES)
def test_a_sentence_without_a_label_is_read_in_its_charset(codec: str, text: str) -> None:
    assert decoded(as_written(text, codec)) == text


@pytest.mark.parametrize("label", ["us-ascii", "utf-8", "unknown-8bit"])
@pytest.mark.parametrize(("codec", "text"), CASES)
def test_a_label_that_fits_no_sentence_does_not_spoil_it(codec: str, text: str, label: str) -> None:
    assert decoded(as_written(text, codec), label) == text


@pytest.mark.parametrize(("codec", "text"), [case for case in CASES if not case[1].startswith(("Jó", "Labdien"))])
def test_a_label_of_western_letters_does_not_spoil_a_sentence_of_others(codec: str, text: str) -> None:
    """Some Hungarian and Latvian sentences only have bytes of Western letters. Their label is believed."""
    assert decoded(as_written(text, codec), "iso-8859-1") == text


@pytest.mark.parametrize("label", ["us-ascii", "utf-8", "iso-8859-1", "windows-1252", None])
@pytest.mark.parametrize("text", WESTERN)
def test_western_words_stay_western(text: str, label: str | None) -> None:
    assert decoded(text.encode("cp1252"), label) == text


@pytest.mark.parametrize(("codec", "text"), [case for case in CASES if case[0] == "cp1252"])
def test_nothing_is_thought_better_than_windows_1252_for_western_text(codec: str, text: str) -> None:
    assert better_than_western(text.encode(codec)) is None


def test_letters_of_windows_under_a_label_of_iso_8859_are_read() -> None:
    text = "Proszę o „fakturę” – śpieszy mi się, że aż źle"
    assert decoded(text.encode("cp1250"), "iso-8859-2") == text


@pytest.mark.parametrize("label", ["windows-1258", None])
def test_vietnamese_letters_and_tones_become_one(label: str | None) -> None:
    text = "Xin chào, tôi muốn hỏi về đơn hàng của tôi."
    assert unicodedata.is_normalized("NFC", decoded(as_written(text, "cp1258"), label))


@pytest.mark.parametrize(
    ("codec", "name", "words"),
    [
        ("cp1251", "Иван", "Добрый день, я хотел бы узнать, когда придёт посылка."),
        ("koi8-r", "Щукин", "Добрый день, я хотел бы узнать, когда придёт посылка."),
        ("cp1250", "Łoś", "Dzień dobry, proszę o fakturę za ostatnie zamówienie."),
        ("cp1254", "Işık", "Merhaba, siparişim ne zaman gelecek? Teşekkür ederim, iyi günler"),
        ("gb18030", "王芳", "您好，请问我的订单什么时候可以发货？谢谢。"),
        ("cp1253", "Ζωή", "Καλημέρα σας, θα ήθελα να ρωτήσω για την παραγγελία μου."),
        ("cp1252", "Zoé", "Bonjour, où est ma commande ? Je l'ai passée il y a déjà un mois."),
    ],
)
def test_a_header_without_a_label_is_read_as_the_text_is(codec: str, name: str, words: str) -> None:
    mail = parse(f"From: {name} <a@x.example>\r\nSubject: {name} 7\r\n\r\n{words}\r\n".encode(codec))
    assert (mail.from_[0].name, mail.subject, mail.text.strip()) == (name, f"{name} 7", words)


def test_an_unlabelled_mail_in_utf_8_needs_no_guess() -> None:
    mail = parse("From: Zoé Щ <a@x.example>\r\nSubject: 王\r\n\r\nИ, é, 王\r\n".encode())
    assert (mail.from_[0].name, mail.subject, mail.text.strip()) == ("Zoé Щ", "王", "И, é, 王")


def test_a_thousand_damaged_words_are_guessed_a_hundred_times() -> None:
    words = "".join(f"=?us-ascii?Q?=E4{n}?= x =?utf-8?Q?=E4{n}?= " for n in range(20_000))
    assert parse(f"Subject: {words}\r\n\r\nx".encode()).subject.startswith("ä0 x ä0")


@pytest.mark.parametrize("raw", [b"", b"plain", b"\xff" * 100_000, b"\x81\x40" * 50_000, b"a\xe4" * 50_000, b"\xb0"])
def test_any_bytes_are_guessed(raw: bytes) -> None:
    codec = guessed(raw)
    assert raw.decode(codec or "ascii", "replace").encode("utf-8") or not raw
