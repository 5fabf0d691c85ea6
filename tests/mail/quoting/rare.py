"""Lines of rarer clients above quotes with marks."""

INTRODUCTIONS = {
    "Samsung, Danish": "-------- Oprindelig besked --------\nFra: A <a@x.example>\nDato: 04.07.2026  17.45  (GMT+01:00)\nTil: b@x.example",
    "Orange": "> Message du 02/11/26 10:00\n> De : Ana\n> A : e@x.example\n> Objet : Lamp\n>",
    "Zimbra": "----- Original Message -----\nFrom: a@x.example\nTo: b@x.example, c@x.example\nSent: Monday, April 2, 2026 5:44:22 PM",
    "mutt": "* Ana <a@x.example> [2026-11-03 10:00]:",
    "Claws": "On Mon, 2 Nov 2026 10:00:00 +0100\nAna Ruiz <ana@x.example> wrote:",
    "Horde": "Zitat von Ana Ruiz <ana@x.example>:",
    "Gnus": "Ana Ruiz <ana@x.example> writes:",
    "mail.ru": "Понедельник, 2 ноября 2026, 10:00 +03:00 от Ana Ruiz <ana@x.example>:",
    "T-Online": "-----Original-Nachricht-----\nBetreff: Lamp\nDatum: 2026-11-02T10:00:00+0100\nVon: Ana\nAn: Eva",
    "WEB.DE": 'Gesendet: Montag, 02. November 2026 um 10:00 Uhr\nVon: "Ana" <a@x.example>\nAn: e@x.example\nBetreff: Lamp',
    "eM Client": '------ Original Message ------\nFrom "Ana" <a@x.example>\nTo "Eva"\nDate 02.11.2026 10:00:00',
    "Tutanota": "2. Nov. 2026, 10:00 von ana@x.example:",
    "Proton": "Sent with Proton Mail secure email.\n\nOn Monday, November 2nd, 2026 at 10:00, Ana <a@x.example> wrote:",
    "K-9": "-- \nDiese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.\n\nAm 2. November 2026 10:00:00 MEZ schrieb "
    "Ana <a@x.example>:",
    "Gmail, Hebrew": "\u202bבתאריך יום ב׳, 2 בנוב׳ 2026 ב-10:00 מאת \u202aAna\u202c\u200f <\u202aana@x.example\u202c\u200f>:\u202c",
    "Gmail, Arabic": "في الاثنين، 2 نوفمبر 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Ana <ana@x.example>:",
    "Gmail, Vietnamese": "Vào Th 2, 2 thg 11, 2026 vào lúc 10:00 Ana <ana@x.example> đã viết:",
    "Gmail, Thai": "เมื่อ จ. 2 พ.ย. 2026 เวลา 10:00 Ana <ana@x.example> เขียนว่า:",
}  # fmt: skip
