"""Subjects that mail systems and autoresponders write, in the languages that occur. Each pattern matches at the
beginning, because a person wrote "Re: Automatic reply". All patterns are linear."""

from __future__ import annotations

import re

from app.marks import ABSENT, AUTOMATIC, UNDELIVERED

_UNDELIVERED = "|".join(map(re.escape, sorted(UNDELIVERED - {"undelivered"}, key=len, reverse=True)))
_AUTOMATIC = "|".join(map(re.escape, sorted(AUTOMATIC - {"auto"}, key=len, reverse=True)))
_ABSENT = "|".join(map(re.escape, sorted(ABSENT - {"absence", "absent", "abwesend"}, key=len, reverse=True)))
#: Subjects as mail systems write them, from the first letter.
BOUNCE = re.compile(
    rf"{_UNDELIVERED}|undelivered (?:mail|message)|delivery status notification"
    r"|delivery (?:failure|delayed|has failed)|mail (?:delivery (?:failed|failure|system|subsystem)|system error)"
    r"|failure notice|returned mail\b|message undeliverable"
    r"|(?:warning: )?(?:message|could not send message).{0,40}\b(?:delayed|for past)\b",
    re.IGNORECASE,
)
#: Automatic answers, which quote the subject after a colon or a dash.
REPLY = re.compile(
    rf"(?-i:AUTO)\s?:|\[?(?:{_AUTOMATIC}"
    r"|auto(?:matic|mated|matisch|matische|mati[ck]a|matisk|matiskt|mática|maattinen|matyczna)?[-_ ]?(?:reply|response"
    r"|antwort(?:notiz)?|antwoord|svar|risposta|vastaus|odpowied[źz])"
    # People write these words, too, so the text after them decides.
    rf"|(?:{_ABSENT})(?=\]|\s?[:：]))(?:\]|\s?[:：]|\s[-–]\s|\s*$)",
    re.IGNORECASE,
)
#: A word of time, by its first letters.
_TIME = (
    r"(?:\d|(?:the|den|dem|el|le|l'|il|a)\s?\d|mon|tue|wed|thu|fri|sat|sun|die|mit|don|sam|lun|mar|mer|mié|jue|jeu"
    r"|vie|ven|sáb|dom|dim|jan|ene|feb|fév|apr|abr|avr|may|mai|jun|jui|jul|lug|aug|ago|aoû|sep|oct|okt|nov|dec|dez|dic"
    r"|déc|today|tomorrow|heute|morgen|hoy|aujourd|oggi|hoje|next|this|(?:a|one|two|three) )"
)
#: The text after an absence. With other words it is a sentence: "Out of office furniture", "Absence de réponse".
_AFTER_ABSENCE = (
    r"(?:\s*(?:$|[^\w\s])|\s+(?:\d|re\b|auto|(?:my|the)\s(?:e-?mail|mail|desk|office|computer|inbox)"
    r"|на рабочем|на работе|(?:from|since|for|on|in|at|vom|von|im|am|del|de|por|en|du|pour|à|da|per|em|van|op|från|fra"
    rf"|od)\s{_TIME}"
    r"|(?:until|till|through|thru|back|today|tomorrow|now|again|this|next|all (?:day|week)|return\w{0,3}|as of|due to"
    r"|because|reply|response|notice|notification|message|alert|bis|ab|seit|heute|morgen|zurück|diese\w?|nächste\w?"
    r"|wegen|hasta|hoy|desde|jusqu['’]?|fino|oggi|dal|até|hoje|tot|vandaag|til|do|до|с|по)\b))"
)
#: An absence in a person's words. It counts only together with another sign.
ABSENCE = re.compile(
    r"(?:(?:i am|i'm|we are|ich bin|wir sind|je suis|estoy|estou|sono)\s)?(?:currently\s|derzeit\s|zurzeit\s)?"
    r"(?:out[- ]of[- ](?:the[- ])?office|ooo\b|away from|on (?:annual |maternity |parental |sick )?leave\b|on holiday"
    r"|vacation (?:reply|message|notice|response|auto)|abwesen|urlaubs(?:abwesen|notiz|meldung|vertretung)"
    r"|nicht (?:im haus|im büro|am platz)|au(?:ß|ss)er haus|fuera de (?:la )?oficina|ausen(?:te|cia)\b"
    r"|absen(?:t|te|ce)\b|hors du bureau|en cong[ée]s?\b|assen(?:te|za)\b|fuori (?:sede|ufficio)|aus[êe]n(?:te|cia)\b"
    r"|f[ée]rias\b|fora do escrit|afwezig|niet aanwezig|frånvar|fravær|poissa\b|nieobecn|nepřítomn|вне офиса"
    rf"|отсутств|ofis dışı)\w{{0,20}}{_AFTER_ABSENCE}|(?:不在|休暇|外出|부재)(?:[のに中중]|\s*(?:$|[^\w\s]))",
    re.IGNORECASE,
)
#: The form of Notes: "Eva Roth is out of the office".
SOMEBODY_AWAY = re.compile(
    r".{1,60}?\s(?:is|ist|est|está|è)\s(?:currently |derzeit )?"
    r"(?:out of (?:the )?office|away\b|abwesend|au(?:ß|ss)er haus|nicht im (?:haus|büro)|absente?\b|ausente|assente)"
    rf"{_AFTER_ABSENCE}",
    re.IGNORECASE,
)
