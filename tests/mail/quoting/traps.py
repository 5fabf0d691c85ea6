"""Mails whose words look like quotes, forwards or signatures but are the author's own. Every line must stay visible."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

from tests.mail.quoting.clients import Sample

TEXTS = {
    "courier": "Hello,\nOn Monday the box came.\nIt was open and empty.\nThe courier wrote: nobody at home.\nRefund me.",
    "courier, line end": "Hello,\n\nOn Monday, 3 May 2026 at 10:15 the courier wrote:\n\nNobody at home.\n\nThat is a lie.",
    "a company wrote": "Hello,\nOn Monday, 3 May 2026 at 10:15 DHL wrote:\nNobody at home.\nThat is a lie.",
    "quotation marks": "Look what your shop says.\n\nThe manual says:\n\n> Never open the lamp.\n\nI opened it.",
    "a form with a subject": "New enquiry from the web site\n\nFrom: Eva <eva@roth.example>\nDate: 3 May 2026 10:15\n"
    "To: info@halden.example\nSubject: Lamp\n\nThe lamp burnt my table.",
    "a booking": "Please change my booking.\n\nFrom: Berlin\nTo: Hamburg\nDate: 3 May 2026 10:15\nSubject: group\n\nThree seats.",
    "a form without heading": "From: Eva Roth\nSent: 3 May 2026\nPhone: 030 1234567\nMessage: The lamp burnt my table.",
    "a form with a rule": "Contact form\n________________________________\nFrom: Eva\nDate: 3 May 2026\nMessage: Lamp broke.",
    "code": "Hello,\n\nthis is what I typed:\n\n> npm install lamp\n> npm start\n",
    "a prompt": "The program says\n\n>>> import lamp\n>>> lamp.on()\n",
    "shell": "It fails.\n\n> lamp --on\n> echo done;\n",
    "comparison": "My values:\n\n> 5 V at the plug\n> 3 V at the lamp\n",
    "postscript": "Thanks.\n\n-- \nEva Roth\n\nP.S. Please also send the invoice.",
    "postscript, German": "Danke.\n\n-- \nEva Roth\nNachtrag: Die Rechnung fehlt noch.",
    "a dash as a separator": "Order 17\n--\nThe lamp is broken, please replace it.",
    "dashes between orders": "Order 17: two blue lamps\n--\nOrder 18: one red lamp and a cable, please",
    "a question after the signature": "Hello.\n-- \nEva\n\nWhen will it come?",
    "an address after the signature": "Hello.\n-- \nEva\n\nNew address: Elm Street 5",
    "sent from somewhere": "It was sent from my iPhone because your shop does not work on the laptop.",
    "sent to": "Hola.\n\nEnviado a mi móvil por error",
    "sent, with more": "Thanks.\n\nSent from my iPhone, which is also broken, by the way.",
    "after a sign-off": "Thanks.\n\nSent from my iPhone\n\nAnd please call me today.",
    "confidential": "Hello,\n\nThis message was meant for the recipient of order 17. I sent you confidential documents by "
    "e-mail. Please delete them, they are not intended for you. I need your word on that today.",
    "secrecy": "Ich bitte um vertrauliche Behandlung.\n\nDiese Nachricht ist vertraulich und nur für den Empfänger bestimmt, "
    "denn mein Mann soll nichts davon wissen. Bitte rufen Sie mich morgen zwischen acht und neun Uhr auf meinem Telefon an.",
    "forwarded in prose": "I got your forwarded message: it was empty.\nPlease send it again.",
    "original in prose": "The original message:\nwe never got it.",
    "reply on behalf": "Ana wrote to me and said:\nyou pay the postage.",
    "dated list": "My readings:\n\n3 May 2026 10:15: 17 kWh\n4 May 2026 10:15: 18 kWh\n",
    "dated, ending in a colon": "Readings of 3 May 2026 10:15:\n17 kWh\n18 kWh\n",
    "only a greeting above Outlook": "Hello Ana,\n\nFrom: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\n"
    "To: Eva\nSubject: Lamp\n\nWhich colour?\nBlue, please.",
    "answers announced": "My answers are below in red.\n\nFrom: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\n"
    "To: Eva\nSubject: Lamp\n\nWhich colour?\nBlue, please.",
    "answers announced, German": "Hallo Ana, siehe unten.\n\nVon: Ana <ana@halden.example>\nGesendet: Montag, 2. November 2026 "
    "10:00\nAn: Eva\nBetreff: Lampe\n\nWelche Farbe?\nBlau, bitte.",
    "answers announced, Spanish": "Le contesto abajo, en rojo.\n\nDe: Ana <ana@halden.example>\nEnviado el: lunes, 2 de noviembre "
    "de 2026 10:00\nPara: Eva\nAsunto: Lámpara\n\n¿Qué color?\nAzul, por favor.",
    "digest": "Send Lamps mailing list submissions to\n\tlamps@lists.example\n\nToday's Topics:\n\n   1. Red lamps (Ana)\n\n"
    "----------------------------------------------------------------------\n\nMessage: 1\nDate: Mon, 2 Nov 2026 10:00:00 "
    "+0100\nFrom: Ana <ana@halden.example>\nTo: lamps@lists.example\nSubject: Red lamps\nMessage-ID: <a@x.example>\n\n"
    "They are red.\n\n------------------------------\n\nMessage: 2\nDate: Mon, 2 Nov 2026 11:00:00 +0100\nFrom: Ben "
    "<ben@halden.example>\nTo: lamps@lists.example\nSubject: Re: Red lamps\n\nAre they?",
    "digest of RFC 1153": "Lamps Digest\n\nDate: Mon, 2 Nov 2026 10:00:00 +0100\nFrom: Ana <ana@halden.example>\n"
    "To: lamps@lists.example\nSubject: Red lamps\n\nThey are red.\n\n------------------------------\n\nEnd of Lamps Digest",
    "only a quote": "On Mon, Nov 2, 2026 at 10:00 AM Ana <ana@halden.example> wrote:\n\n> Which colour?\n",
    "only an Outlook quote": "From: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\nTo: Eva\nSubject: Lamp\n\n"
    "Which colour?",
    "only a signature": "-- \nEva Roth",
    "only a sign-off": "Sent from my iPhone",
    "answer under a wrapped quote": "Eva\n\nOn Mon, Nov 2, 2026 at 10:00 AM Ana <ana@halden.example> wrote:\n> Which colour would "
    "you\nlike?\n\nBlue.",
    "answers between, no marks below": "On Mon, Nov 2, 2026 at 10:00 AM Ana <ana@halden.example> wrote:\n\n> Which?\n\nBlue.\n",
    "a list in a form": "Nueva consulta\n\nDe: Eva <eva@roth.example>\nEnviado: 3 de mayo de 2026 10:15\nPara: info@halden.example\n"
    "Asunto: lámpara\n\nMensaje:\nSe ha roto.",
    "an address in prose": "My colleague Tom Berg <tom@berg.example> told me on 3 May 2026 at 10:15 the following:\nIt is broken.",
    "markdown": "# Lamp\n\n> a citation of the manual\n\n## Fault\n\nIt burns.",
    "a table with bars": "Eva\n\n| lamp | 2 |\n| cable | 3 |\n",
    "answers after a rule": "See the list.\n\n____________________\n\nlamp: 2\ncable: 3\n",
    "a log": "It says\n\n[2026-11-02 10:00:00] Ana <ana@halden.example> wrote:\nerror 5\nerror 6\nWhat now?",
    "chat": "10:00 Ana: Which colour?\n10:01 Eva: Blue.\n10:02 Ana:\nThanks.",
    "poem": "From: the sea\nTo: the sky\nwe sail.",
    "quoting by name": "Ana wrote:\nyou pay nothing.\nI want that.",
    "a greeting without a comma": "Hi Ana\n\nFrom: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\nTo: Eva\n"
    "Subject: Lamp\n\nWhich colour?\nBlue, please.",
    "answers with arrows": "Thank you for asking.\n\nFrom: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\nTo: Eva\n"
    "Subject: Lamp\n\nWhich colour?\n==> Blue, please.",
    "a wish in a signature": "Thanks.\n--\nEva Roth\nPlease call 030 1234567",
    "an order in a signature": "Danke.\n-- \nEva Roth\nBestellung 17 fehlt",
    "Python": "It fails:\n\n> for lamp in lamps:\n>     lamp.on()\n",
    "a citation without a colon": "Your site says\n\n> Free returns within 30 days",
    "a pasted mail": "Here is the mail that I got:\n\nFrom: Ana <ana@halden.example>\nSent: Monday, 2 November 2026 10:00\nTo: Eva\n"
    "Subject: Lamp\n\nYou get 120 EUR back.\n\nWhere are they?",
    "a forward in an unknown language": "Bonan tagon.\n\n-------- Plusendita mesagho --------\nFrom: Ana <ana@halden.example>\nDate: "
    "Mon, 2 Nov 2026 10:00\nTo: Eva <eva@roth.example>\nSubject: Lamp\n\nYou get 120 EUR back.",
    "a citation in Dutch": "Kijk eens.\n\nMijn citaat:\n\n> Nooit openen.\n> Altijd uit.",
    "a citation in German": "Hallo,\n\nDas Zitat aus der Anleitung:\n\n> Nie öffnen.\n> Nie nass machen.",
    "a citation in French": "Bonjour,\n\nCitation de la notice :\n\n> Ne jamais ouvrir.\n> Ne pas mouiller.",
    "a citation in Japanese": "こんにちは\n\n説明書からの引用：\n\n> 開けないでください\n> 濡らさないでください",
    "a citation in Chinese": "您好\n\n以下引用说明书：\n\n> 请勿打开\n> 请勿弄湿",
    "an answer to a date": "Bonjour,\n\nVoici ma réponse à votre question du 2 novembre :\n\n> Bleue.\n> Rue de l'Orme 5.",
    "a rule above readings": "Values\n----------------\nTo: the lamp;\nSubject: plug;\n02.11.2026, 10:00:\n17 kWh\n18 kWh",
    "initials that are units": "Values on 3 May 2026 at 10:15:\n\nkW> 5\nkW> 7",
    "an address alone": "Please write to\n\neva@roth.example\n\nFrom: the sea\nTo: the sky\n",
    "numbers": "No: 17\nDate: 3 May 2026\nTo: Elm Street 5\nThe lamp burnt my table.",
    "Zendesk's line": "I agree.\n\nPlease add the invoice and send both to:\n\nEva Roth\nElm Street 5",
}

HTMLS = {
    "own blockquote": "<p>The manual says</p><blockquote>Never open the lamp.</blockquote>",
    "own blockquote in the middle": "<p>Hello</p><blockquote>Elm Street 5</blockquote><p>That is my address.</p>",
    "a pasted mail in a blockquote": "<p>Look what DHL wrote to me:</p><blockquote><div>On Monday, 3 May 2026 at 10:15, DHL &lt;a@dhl.example"
    "&gt; wrote:</div><div>Nobody at home.</div></blockquote>",
    "a form in a blockquote": "<p>New enquiry from the web site</p><blockquote>From: Eva &lt;eva@roth.example&gt;<br>Sent: 3 May 2026 10:15"
    "<br>To: info@halden.example<br>Subject: Lamp<br>The lamp burnt my table.</blockquote>",
    "a citation of a manual": "<p>Hello</p><blockquote>Manual, page 5:<br>Never open the lamp.</blockquote>",
    "own rule": "<p>Order 17</p><hr><p>Two blue lamps</p>",
    "own border": '<p>Order</p><div style="border-top:1px solid #ccc">Two blue lamps from: Berlin</div>',
    "form in a table": "<h2>Contact form</h2><table><tr><td>From:</td><td>Eva</td></tr><tr><td>Date:</td><td>3 May 2026</td></tr>"
    "<tr><td>Message:</td><td>The lamp burnt.</td></tr></table>",
    "form below a rule": "<h2>Enquiry</h2><hr><b>From:</b> Eva<br><b>Date:</b> 3 May 2026<br><b>Message:</b> The lamp burnt.",
    "text in Gmail's container": '<div dir="ltr">Hi</div><div class="gmail_quote"><div>Blue, please.</div></div>',
    "text below Gmail's quote": '<div>Hi</div><div class="gmail_quote"><div class="gmail_attr">On 3 May 2026 Ana wrote:</div>'
    '<blockquote class="gmail_quote">x</blockquote></div><div>Blue, please.</div>',
    "text below Gmail's signature": '<div>Hi</div><div class="gmail_signature">Eva</div><div>Please call me.</div>',
    "only a quote": '<blockquote type="cite">x</blockquote>',
    "only Outlook's quote": '<div id="divRplyFwdMsg"><b>From:</b> Ana<br><b>Sent:</b> Monday<br></div><div>Which?</div>',
    "a picture below": '<p>Hi</p><blockquote type="cite">x</blockquote><p><img src="https://x.example/a.png"> My lamp</p>',
    "answers announced in Outlook": '<p>See my answers in red below.</p><div style="border-top:solid #E1E1E1 1.0pt"><b>From:</b> Ana'
    "<br><b>Sent:</b> Monday, 2 November 2026<br><b>To:</b> Eva<br></div><p>Which?</p><p style='color:red'>Blue.</p>",
    "answers in Yahoo's quote": '<div>My answers are inline.</div><div class="yahoo_quoted"><div>On Monday Ana wrote:</div><div>Which?'
    "</div><div>Blue.</div></div>",
    "prose": "<p>Hello</p><p>On Monday the box came. The courier wrote:</p><p>nobody at home</p>",
    "form with Sent below a rule": "<h2>Message from our web site</h2><hr><b>From:</b> Eva<br><b>Sent:</b> 3 May 2026 10:15<br>"
    "<b>Subject:</b> Lamp<br><br>The lamp burnt.",
    "Gmail's introduction without a quote": '<div>Hi Ana</div><div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 2, 2026 at '
    "10:00 AM Ana &lt;ana@halden.example&gt; wrote:</div><div>Blue, please.</div></div>",
    "a greeting only": '<p>Hi Ana,</p><div id="divRplyFwdMsg"><b>From:</b> Ana<br><b>Sent:</b> Monday<br></div><div>Which?</div>'
    "<div>Blue.</div>",
}


def traps() -> Iterator[Sample]:
    for name, text in TEXTS.items():
        yield Sample(name, text, tuple(line for line in text.split("\n") if line.strip()))
    for name, html in HTMLS.items():
        yield Sample(f"{name} in HTML", html, _texts(html), html=True)


def _texts(html: str) -> tuple[str, ...]:
    parts = (part.partition(">")[2] for part in f">{html}".split("<"))
    return tuple(unescape(part.strip()) for part in parts if part.strip())
