"""Quotes are folded for display and never cut. The samples are quotes as real clients write them."""

from __future__ import annotations

import pytest

from app.mail.quotes import fold_html, fold_text, own_words
from app.mail.safe_html import clean
from tests.mail.quoting.rare import INTRODUCTIONS

ANSWERED = "Yes, that is fine with me.\n"
ANSWER = "Hola, gracias por la respuesta.\n\nUn saludo,\nMar\n\n"
QUOTES = {
    "gmail en": "On Mon, Nov 3, 2026 at 10:00 AM Ana <ana@x.example> wrote:\n\n> one\n> two\n",
    "gmail es": "El lun, 3 nov 2026 a las 10:00, Ana (<ana@x.example>) escribió:\n\n> uno\n> dos\n",
    "gmail es, two lines": "El lun, 3 nov 2026 a las 10:00, Ana de la Cruz\n<ana@x.example> escribió:\n\n> uno\n",
    "apple es": "El 3 nov 2026, a las 10:00, Ana <ana@x.example> escribió:\n\n> uno\n",
    "outlook en": "From: Ana <ana@x.example>\nSent: Monday, 3 November 2026\nTo: Mar\nSubject: x\n\none\n",
    "outlook es": "De: Ana <ana@x.example>\nEnviado el: lunes, 3 de noviembre de 2026\nPara: Mar\nAsunto: x\n\nuno\n",
    "outlook es, old": "-----Mensaje original-----\nDe: Ana\nEnviado: lunes\n\nuno\n",
    "outlook, ruled": "________________________________\nDe: Ana <ana@x.example>\nEnviado: lunes\n\nuno\n",
    "gmail de": "Am Mo., 3. Nov. 2026 um 10:00 Uhr schrieb Ana <ana@x.example>:\n\n> eins\n",
    "bare": "> uno\n> dos\n",
}


@pytest.mark.parametrize("name", QUOTES)
def test_the_quote_at_the_end_is_folded_and_nothing_is_lost(name: str) -> None:
    head, tail = fold_text(ANSWER + QUOTES[name])
    assert head.strip() == ANSWER.strip()
    assert head + tail == ANSWER + QUOTES[name]


@pytest.mark.parametrize(
    "text",
    [
        "El domingo llega el paquete.\n",
        "On the whole I wrote: nothing.\n",
        "",
        "> only a quote\n",
        "El 3 nov 2026, a las 10:00, Ana escribió:\n\n> ¿una?\nsí\n> ¿dos?\nno\n",
    ],
)
def test_text_without_a_quote_or_with_answers_stays_open(text: str) -> None:
    assert fold_text(text) == (text, "")


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">Hétfőn:<br></div><blockquote>one</blockquote></div>',
        '<div class="gmail_quote">On Mon, Nov 3, 2026 at 10:00 AM Ana wrote:<br><blockquote>one</blockquote></div>',
        '<div class="yahoo_quoted"><div>one</div></div>',
        '<div class="moz-cite-prefix">On Monday:</div><blockquote type="cite">one</blockquote>',
        '<blockquote class="protonmail_quote" type="cite"><div>one</div></blockquote>',
        '<blockquote type="cite"><div>one</div></blockquote>',
        "<table><tbody><tr><td>On 3 Nov 2026 at 10:00, Ana &lt;ana@x.example&gt; wrote:</td></tr></tbody></table>"
        '<blockquote type="cite">one</blockquote>',
    ],
)
def test_a_quote_in_html_folds_without_a_script(quote: str) -> None:
    folded = fold_html(f"<p>Yes.</p>{quote}")
    assert folded.startswith('<p>Yes.</p><details class="sb-quote"><summary')
    assert folded.endswith(f"{quote}</details>")


@pytest.mark.parametrize(
    "html",
    [
        "<p>plain</p>",
        '<div class="gmail_quote">all is quoted</div>',
        '<p>a</p><blockquote type="cite">q</blockquote><p>an answer below</p>',
        "<p>a</p><blockquote>a citation of the writer's own</blockquote>",
    ],
)
def test_html_with_nothing_to_fold_stays_as_it_is(html: str) -> None:
    assert fold_html(html) == html


def test_a_fold_inside_nested_elements_parts_them() -> None:
    html = (
        '<div class="a"><div class="b">Yes.<br>On 3 Nov 2026 at 10:00, Ana &lt;ana@x.example&gt; wrote:<br></div>'
        '<blockquote type="cite">one</blockquote></div>'
    )
    assert fold_html(html) == (
        '<div class="a"><div class="b">Yes.<br></div><details class="sb-quote"><summary title="···">···</summary>'
        '<div class="b">On 3 Nov 2026 at 10:00, Ana &lt;ana@x.example&gt; wrote:<br></div>'
        '<blockquote type="cite">one</blockquote></details></div>'
    )


def test_the_cleaner_keeps_the_marks_of_clients_and_no_other_ids() -> None:
    html = '<p id="mine">Yes.</p><div id="divRplyFwdMsg">x</div><div name="quote">y</div><div name="other">z</div>'
    assert clean(html, {}) == '<p>Yes.</p><div id="divRplyFwdMsg">x</div><div name="quote">y</div><div>z</div>'


def test_own_words_leave_out_quotes_and_their_introductions() -> None:
    text = (
        "On Mon, Feb 14, 2026 at 3:42 AM, Catalin Marinas\n<c@x.example> wrote:\n> Is it?\n\nYes, it is.\n\n-- \nMar\n"
    )
    assert own_words(text).split() == ["Yes,", "it", "is."]


def test_lines_marked_without_introduction_fold_in_an_answer_only() -> None:
    text = "It says on your site\n\n> Free returns\n> within 30 days\n"
    assert fold_text(text, "Re: Lamp")[0] == "It says on your site\n\n"
    assert fold_text(text, "Lamp") == (text, "")


@pytest.mark.parametrize("client", INTRODUCTIONS)
def test_introductions_of_rarer_clients_fold(client: str) -> None:
    head, tail = fold_text(f"{ANSWERED}\n{INTRODUCTIONS[client]}\n\n> Which colour?\n", "Re: Lamp")
    assert head.strip() == ANSWERED.strip()
    assert "Which colour?" in tail


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy S23",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent from Mail for Windows",
        "Enviado desde mi Galaxy",
        "Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.",
        "Envoyé à partir de Outlook pour iOS",
        "发自我的小米手机",
    ],
)
def test_additions_of_telephones_fold(line: str) -> None:
    assert fold_text(f"Yes.\n\n{line}\n") == ("Yes.\n\n", f"{line}\n")


def test_a_disclaimer_below_a_signature_folds_with_it() -> None:
    disclaimer = (
        "This e-mail and its attachments are confidential and intended for the recipient only. If you are not the\n"
        "intended recipient, delete it and tell the sender."
    )
    text = f"Yes, please.\n\n-- \nEva Roth\nHalden GmbH\n+49 30 1234567\n\n{disclaimer}\n"
    assert fold_text(text)[0] == "Yes, please.\n\n"
