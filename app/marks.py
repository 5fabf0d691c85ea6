"""Prefixes that mail programs and servers put before a subject: "Re:", "WG:", "Automatic reply:". The one list of each
kind, in lower case. The inbox removes them to find the topic; mail recognises answers, forwards and machines by
them."""

from __future__ import annotations


def _entries(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


ANSWERS = _entries(
    "re|aw|ant|antw|antwort|sv|vs|vá|res|resp|rép|rep|ref|rif|ris|r|odp|odpověď|svar|vast|ynt|yan|ats|atb|"
    "bls|ha|απ|σχετ|na|на|отв|ответ|відп|回复|回覆|答复|答覆|返信|답장|회신"
)
FORWARDS = _entries(
    "fw|fwd|forward|forwarded|wg|wtr|weitergeleitet|doorst|doorgestuurd|dg|vb|vl|lv|tr|transf|transféré|rv|"
    "renv|reenv|reenviado|reenvío|enc|res enc|encaminhado|encaminhada|i|inoltro|inolt|fs|továbbítás|tov|pd|"
    "odp pd|przekazane|ilt|prosl|videresendt|přeposl|předáno|προώθ|πρθ|переслано|пересл|перенапр|пер|转发|"
    "轉寄|轉發|转|転送|전달"
)
#: A Finnish "VS:" is an answer, a Danish or Norwegian one a forward. The subject alone does not decide.
ANSWER_OR_FORWARD = "vs"
#: Prefixes of calendars and of programs that confirm reading.
NOTICES = _entries(
    "accepted|declined|tentative|zugesagt|abgesagt|aceptado|rechazado|accepté|refusé|read|gelesen|lu|leído"
)
#: Prefixes that servers put before the subject of a mail they could not deliver.
UNDELIVERED = _entries(
    "undeliverable|undelivered|unzustellbar|nachricht unzustellbar|non remis|non distribuable|"
    "échec de remise|échec de la remise|no se puede entregar|no se ha podido entregar|error de entrega|"
    "non recapitabile|mancato recapito|não é possível entregar|não entregue|falha na entrega|onbestelbaar|"
    "niet bezorgd|kan inte levereras|olevererbart|kan ikke leveres|niedostarczalne|не доставлено|недоставлен|"
    "не удалось доставить|не вдалося доставити|ei toimitettavissa|toimittamaton|nelze doručit|nedoručiteľné|"
    "kézbesíthetetlen|teslim edilemedi|teslim edilemez|δεν είναι δυνατή η παράδοση|nelivrabil|nu poate fi livrat|"
    "未送信メール|配信不能|无法送达|无法投递|未送达|無法傳遞|無法投遞|未傳遞|배달되지 않음|전달되지 않음"
)
#: Prefixes that Exchange, Notes and Gmail put before the subject when somebody is away.
AUTOMATIC = _entries(
    "automatic reply|automatic response|automated reply|automated response|autoreply|auto reply|auto-reply|"
    "autoresponse|auto response|auto-response|auto|automatische antwort|automatische antwortnotiz|"
    "autoantwort|réponse automatique|reponse automatique|respuesta automática|respuesta automatica|"
    "resposta automática|resposta automatica|resposta automàtica|risposta automatica|automatisch antwoord|"
    "automatiskt svar|automatisk svar|autosvar|autosvarmelding|automaattinen vastaus|automatyczna odpowiedź|"
    "automatyczna odpowiedz|odpowiedź automatyczna|odpowiedz automatyczna|automatická odpověď|"
    "automaticka odpoved|automatická odpoveď|samodejni odgovor|otomatik yanıt|automatikus válasz|"
    "răspuns automat|αυτόματη απάντηση|автоматичен отговор|автоматический ответ|автоответ|"
    "автоматична відповідь|sjálfvirkt svar|رد تلقائي|תשובה אוטומטית|ตอบกลับอัตโนมัติ|trả lời tự động|"
    "automatski odgovor|аутоматски одговор|automatinis atsakymas|automātiska atbilde|automaatvastus|"
    "erantzun automatikoa|balasan otomatis|balasan automatik|автоматты жауап|awtomatikong tugon|"
    "स्वचालित उत्तर|स्वतः उत्तर|پاسخ خودکار|خودکار جواب|מענה אוטומטי|"
    "自動応答|自動返信|自动答复|自动回复|自動回覆|자동 회신|자동 응답|"
    "out of office|out of the office|out of office autoreply|"
    "out of office auto-reply|out of office notification|abwesenheitsnotiz|abwesenheitsnachricht|"
    "abwesenheitsmeldung|fuera de la oficina|fuera de oficina|fora do escritório|message d'absence|"
    "message d’absence|absence du bureau|fuori sede|fuori ufficio|afwezigheidsbericht|afwezigheidsmelding"
)
#: People use these words, too, so they mean an absence only before a colon.
ABSENT = _entries("abwesenheit|abwesend|afwezig|afwezigheid|ausente|ausencia|assente|frånvarande|fravær|absence|absent")
