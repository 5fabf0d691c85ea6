"""Subjects that mail systems and autoresponders write, in the languages that are met. Each is asked of a subject's
beginning: "Re: Automatic reply" is a person's. None costs more than the subject's length."""

from __future__ import annotations

import re

#: Subjects as mail systems write them, from their first letter on.
BOUNCE = re.compile(
    r"undeliverable\b|undelivered (?:mail|message)|delivery status notification|delivery (?:failure|delayed|has failed)"
    r"|mail (?:delivery (?:failed|failure|system|subsystem)|system error)|failure notice|returned mail\b"
    r"|message undeliverable|(?:warning: )?(?:message|could not send message).{0,40}\b(?:delayed|for past)\b"
    r"|unzustellbar|nachricht unzustellbar|non remis\b|non distribuable|échec de (?:la )?remise|no se puede entregar"
    r"|no se ha podido entregar|error de entrega|non recapitabile|mancato recapito|não é possível entregar"
    r"|não entregue|falha na entrega|onbestelbaar|niet bezorgd|kan inte levereras|olevererbart|kan ikke leveres"
    r"|niedostarczalne|не доставлено|недоставлен|未送信メール|配信不能|无法送达|未送达|無法傳遞|배달되지 않음",
    re.IGNORECASE,
)
#: What Exchange, Notes and Gmail put before the subject they answer, in their languages.
REPLY = re.compile(
    r"(?-i:AUTO)\s?:|\[?(?:auto(?:matic|mated|matisch|matische|mati[ck]a|matisk|matiskt|mática|maattinen|matyczna)?"
    r"[-_ ]?(?:reply|response|antwort(?:notiz)?|antwoord|svar|risposta|vastaus|odpowied[źz])"
    r"|r[ée]ponse automatique|respuesta autom[áa]tica|resposta autom[áa]tica|risposta automatica"
    r"|odpowied[źz] automatyczna|automatick[áa] odpov[ěe][ďd]|samodejni odgovor|otomatik yanıt"
    r"|automatikus válasz|răspuns automat|αυτόματη απάντηση|automatski odgovor|автоматичен отговор"
    r"|resposta automàtica|sjálfvirkt svar|رد تلقائي|תשובה אוטומטית|ตอบกลับอัตโนมัติ|trả lời tự động"
    r"|автоматический ответ|автоответ|автоматична відповідь|自動応答|自动答复|自動回覆|자동 회신"
    r"|out of (?:the )?office(?: auto[-_ ]?reply| notification)?|abwesenheits(?:notiz|nachricht|meldung)"
    r"|fuera de (?:la )?oficina|fora do escritório|message d['’]absence|absence du bureau|fuori (?:sede|ufficio)"
    r"|afwezigheids(?:bericht|melding)"
    # Of these a person writes, too: only what follows tells.
    r"|(?:abwesenheit|afwezig(?:heid)?|ausen(?:te|cia)|assente|frånvarande|fravær)(?=\]|\s?[:：]))"
    r"(?:\]|\s?[:：]|\s[-–]\s|\s*$)",
    re.IGNORECASE,
)
#: An absence in the words of people: a sign beside another one only.
ABSENCE = re.compile(
    r"(?:(?:i am|i'm|we are|ich bin|wir sind|je suis|estoy|estou|sono)\s)?(?:currently\s|derzeit\s|zurzeit\s)?"
    r"(?:out[- ]of[- ](?:the[- ])?office|ooo\b|away from|on (?:annual |maternity |parental |sick )?leave\b|on holiday"
    r"|vacation (?:reply|message|notice|response|auto)|abwesen|urlaubs(?:abwesen|notiz|meldung|vertretung)"
    r"|nicht (?:im haus|im büro|am platz)|au(?:ß|ss)er haus|fuera de (?:la )?oficina|ausen(?:te|cia)\b"
    r"|absen(?:t|te|ce)\b|hors du bureau|en cong[ée]s?\b|assen(?:te|za)\b|fuori (?:sede|ufficio)|aus[êe]n(?:te|cia)\b"
    r"|f[ée]rias\b|fora do escrit|afwezig|niet aanwezig|frånvar|fravær|poissa\b|nieobecn|nepřítomn|вне офиса"
    r"|отсутств|不在|休暇|外出|부재|ofis dışı)",
    re.IGNORECASE,
)
#: As Notes says it: "Eva Roth is out of the office".
SOMEBODY_AWAY = re.compile(
    r".{1,60}?\s(?:is|ist|est|está|è)\s(?:currently |derzeit )?"
    r"(?:out of (?:the )?office|away\b|abwesend|au(?:ß|ss)er haus|nicht im (?:haus|büro)|absente?\b|ausente|assente)",
    re.IGNORECASE,
)
