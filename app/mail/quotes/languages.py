"""The words that mail clients write around quotes, one row per language.

Each field is a list of lower-case words or phrases separated by `|`. Recognition uses all languages at once, because a
mail does not name the language of its author's client.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    #: The word that makes a line an attribution: "Ana wrote:".
    wrote: str
    #: Other words of an attribution: prepositions, articles, words of the hour.
    small: str = ""
    weekdays: str = ""
    months: str = ""
    #: Names of the lines in the header block that Outlook writes above a quote.
    sender: str = ""
    sent: str = ""
    date: str = ""
    to: str = ""
    copy: str = ""
    subject: str = ""
    #: Between dashes above a quote.
    original: str = ""
    #: Above a forwarded message.
    forwarded: str = ""


LANGUAGES = {
    "en": Language(
        wrote="wrote|writes|quoting",
        small="on|at|am|pm|a.m|p.m|m|st|nd|rd|th|of|message|from|dated|in|article|you",
        weekdays="monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun",
        months="january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr"
        "|jun|jul|aug|sep|sept|oct|nov|dec",
        sender="from",
        sent="sent|sent at|sent on",
        date="date",
        to="to",
        copy="cc|bcc|reply-to|reply to|importance|attachments|attachment|organization|priority|resent-from|security",
        subject="subject",
        original="original message|original email|original mail|original e-mail|reply message|replied message|original",
        forwarded="forwarded message|begin forwarded message|forwarded mail|forwarded email|forwarded e-mail"
        "|start of forwarded message|forwarded conversation|forwarded letter|forward message"
        "|original message forwarded",
    ),
    "es": Language(
        wrote="escribió|escribio|escrito|escribe|citando|citado",
        small="el|a|las|la|de|del|día|dia|p|h|hs|hrs|ha|mensaje|por|usted|ud|vd",
        weekdays="lunes|martes|miércoles|jueves|viernes|sábado|domingo|lun|mar|mié|mie|jue|vie|sáb|sab|dom",
        months="enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
        "|ene|feb|mar|abr|may|jun|jul|ago|sep|sept|set|oct|nov|dic",
        sender="de",
        sent="enviado|enviado el|enviada el|enviado a las",
        date="fecha",
        to="para|a",
        copy="cc|cco|con copia|responder a|importancia|datos adjuntos|adjuntos",
        subject="asunto",
        original="mensaje original|correo original",
        forwarded="mensaje reenviado|inicio del mensaje reenviado|correo reenviado|mensaje enviado|mensaje remitido",
    ),
    "de": Language(
        wrote="schrieb|schreibt|geschrieben|schrieben|zitat",
        small="am|um|uhr|den|vom|von|der|dem|hat|folgendes|via|sie|du",
        weekdays="montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mo|di|mi|do|fr|sa|so",
        months="januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|jan|feb|mär"
        "|mrz|apr|jun|jul|aug|sep|sept|okt|nov|dez",
        sender="von",
        sent="gesendet|gesendet am|gesendet um",
        date="datum",
        to="an",
        copy="cc|kopie|bcc|blindkopie|antwort an|wichtigkeit|priorität|anlagen|anlage|anhang",
        subject="betreff|thema",
        original="ursprüngliche nachricht|originalnachricht|original-nachricht|ursprüngliche mail|originalmail"
        "|original nachricht|ursprüngl. nachricht",
        forwarded="weitergeleitete nachricht|anfang der weitergeleiteten nachricht|weitergeleitete mail"
        "|weitergeleitete e-mail|beginn der weitergeleiteten nachricht",
    ),
    "fr": Language(
        wrote="écrit|ecrit|citation|réponse|citant",
        small="le|à|de|du|heures|h|a|message|er|suivant|en|vous|tu",
        weekdays="lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lun|mar|mer|jeu|ven|sam|dim",
        months="janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|janv|févr|fév|avr"
        "|juil|sept|oct|nov|déc",
        sender="de|expéditeur|from",
        sent="envoyé|envoyé le|date d'envoi|envoyé à",
        date="date",
        to="à|a|pour|destinataire",
        copy="cc|cci|copie|copie à|répondre à|importance|pièces jointes|pièce jointe",
        subject="objet|sujet",
        original="message d'origine|message original|message d’origine|message initial|courriel original|mail original",
        forwarded="message transféré|message transmis|message réexpédié|début du message réexpédié"
        "|début du message transféré|courriel transféré|message transferé|début du message transmis",
    ),
    "it": Language(
        wrote="scritto|scrive|citando|quotando",
        small="il|giorno|alle|ore|del|di|ha|dalle|giorno|lei",
        weekdays="lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|lun|mar|mer|gio|ven|sab|dom",
        months="gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre|gen|feb"
        "|mar|apr|mag|giu|lug|ago|set|ott|nov|dic",
        sender="da|mittente",
        sent="inviato|inviata|inviato il|data invio",
        date="data",
        to="a|destinatario",
        copy="cc|ccn|copia|rispondi a|priorità|allegati|importanza",
        subject="oggetto",
        original="messaggio originale|messaggio originario|mail originale|messaggio di origine",
        forwarded="messaggio inoltrato|inizio messaggio inoltrato|messaggio girato|inizio del messaggio inoltrato",
    ),
    "pt": Language(
        wrote="escreveu|escreve|citando|citação",
        small="em|no|dia|às|as|à|de|do|da|h|º|ª",
        weekdays="segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|sábado|domingo|segunda|terça|quarta"
        "|quinta|sexta|seg|ter|qua|qui|sex|sáb|sab|dom",
        months="janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro|jan|fev|mar"
        "|abr|mai|jun|jul|ago|set|out|nov|dez",
        sender="de",
        sent="enviado|enviada|enviado em|enviada em|enviado a",
        date="data",
        to="para",
        copy="cc|cco|com cópia|responder para|importância|anexos|prioridade",
        subject="assunto",
        original="mensagem original|mensagem de origem|email original",
        forwarded="mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada|forwarded message"
        "|início da mensagem reencaminhada|mensagem enviada",
    ),
    "nl": Language(
        wrote="schreef|schrijft|geschreven|citeren|citaat|citeert",
        small="op|om|heeft|het|volgende|u|uur|van|de|der|den",
        weekdays="maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|ma|di|wo|do|vr|za|zo",
        months="januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december|jan|feb|mrt"
        "|mar|apr|jun|jul|aug|sep|okt|nov|dec",
        sender="van|afzender",
        sent="verzonden|verstuurd|verzonden op",
        date="datum",
        to="aan",
        copy="cc|kopie|bcc|antwoord aan|urgentie|bijlagen|bijlage",
        subject="onderwerp",
        original="oorspronkelijk bericht|origineel bericht|originele bericht|oorspronkelijke bericht"
        "|oorspronkelijk e-mailbericht|originele e-mail",
        forwarded="doorgestuurd bericht|begin doorgestuurd bericht|doorgestuurde bericht|doorgezonden bericht",
    ),
    "pl": Language(
        wrote="napisał|napisała|pisze|cytowanie",
        small="w|dniu|o|dnia|użytkownik|godz|godzinie|r",
        weekdays="poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela|pon|wt|śr|czw|pt|sob|niedz|nd",
        months="stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
        "|sty|lut|mar|kwi|maj|cze|lip|sie|wrz|paź|lis|gru",
        sender="od|nadawca",
        sent="wysłano|wysłane|wysłany",
        date="data",
        to="do|adresat",
        copy="dw|udw|cc|kopia|odpowiedź do|ważność|załączniki",
        subject="temat",
        original="wiadomość oryginalna|oryginalna wiadomość|pierwotna wiadomość|treść oryginalnej wiadomości",
        forwarded="przekazana wiadomość|treść przekazanej wiadomości|wiadomość przekazana dalej|wiadomość przekazana"
        "|początek przekazywanej wiadomości|przesłana wiadomość|początek przekazanej wiadomości",
    ),
    "sv": Language(
        wrote="skrev|skriver|skrivit|citerar|citat",
        small="den|kl|på|klockan|av|från|har|följande",
        weekdays="måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag|mån|tis|tors|ons|tor|fre|lör|sön",
        months="januari|februari|mars|april|maj|juni|juli|augusti|september|oktober|november|december|jan|feb|mars|apr"
        "|jun|jul|aug|sep|sept|okt|nov|dec",
        sender="från|avsändare",
        sent="skickat|skickat den",
        date="datum",
        to="till",
        copy="kopia|cc|hemlig kopia|svara till|prioritet|bifogade filer",
        subject="ämne",
        original="ursprungligt meddelande|originalmeddelande|originalmeddelandet|ursprungligt mail",
        forwarded="vidarebefordrat meddelande|vidarebefordrat brev|början på vidarebefordrat brev"
        "|början på vidarebefordrat meddelande|vidarebefordrat mail|vidarebefordrat mejl",
    ),
    "da": Language(
        wrote="skrev|skriver|skrevet|citerer",
        small="den|kl|d|på|klokken|af|har|følgende",
        weekdays="mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag|man|tir|tirs|ons|tor|tors|fre|lør|søn",
        months="januar|februar|marts|april|maj|juni|juli|august|september|oktober|november|december|jan|feb|mar|apr"
        "|jun|jul|aug|sep|okt|nov|dec",
        sender="fra|afsender",
        sent="sendt|sendt den",
        date="dato",
        to="til",
        copy="cc|kopi|svar til|prioritet|vedhæftede filer",
        subject="emne",
        original="oprindelig meddelelse|original meddelelse|oprindelig besked|original besked|oprindelig mail",
        forwarded="videresendt besked|videresendt meddelelse|start på videresendt besked|videresendt e-mail"
        "|start på videresendt meddelelse|videresendt mail",
    ),
    "no": Language(
        wrote="skrev|skriver|skrevet|siterer|sitat",
        small="den|kl|på|klokken|av|har|følgende",
        weekdays="mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag|man|tir|ons|tor|fre|lør|søn",
        months="januar|februar|mars|april|mai|juni|juli|august|september|oktober|november|desember|jan|feb|mar|apr|jun"
        "|jul|aug|sep|okt|nov|des",
        sender="fra|avsender",
        sent="sendt",
        date="dato",
        to="til",
        copy="kopi|cc|svar til|vedlegg",
        subject="emne",
        original="opprinnelig melding|original melding|opprinnelig e-post|opprinnelig epost",
        forwarded="videresendt melding|start på videresendt melding|videresendt e-post|videresendt epost"
        "|begynnelse på videresendt melding",
    ),
    "fi": Language(
        wrote="kirjoitti|kirjoittaa|lainaus",
        small="klo|seuraavasti|lainaus",
        weekdays="maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai|maanantaina|tiistaina"
        "|keskiviikkona|torstaina|perjantaina|lauantaina|sunnuntaina|ma|ti|ke|to|pe|la|su",
        months="tammikuuta|helmikuuta|maaliskuuta|huhtikuuta|toukokuuta|kesäkuuta|heinäkuuta|elokuuta|syyskuuta"
        "|lokakuuta|marraskuuta|joulukuuta|tammik|helmik|maalisk|huhtik|toukok|kesäk|heinäk|elok|syysk|lokak"
        "|marrask|jouluk",
        sender="lähettäjä",
        sent="lähetetty",
        date="päivä|päiväys|päivämäärä",
        to="vastaanottaja",
        copy="kopio|piilokopio|vastausosoite|tärkeys|liitteet",
        subject="aihe",
        original="alkuperäinen viesti",
        forwarded="välitetty viesti|edelleenlähetetty viesti|välitetty viesti alkaa|lähetetty edelleen",
    ),
    "cs": Language(
        wrote="napsal|napsala|píše|napsali|cituji|citujem|citace",
        small="dne|v|odesílatel|uživatel|hod",
        weekdays="pondělí|úterý|středa|čtvrtek|pátek|sobota|neděle|po|út|st|čt|pá|so|ne",
        months="ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince|led|úno|bře|dub"
        "|kvě|čvn|čvc|srp|zář|říj|lis|pro",
        sender="od|odesílatel",
        sent="odesláno|odoslané",
        date="datum|dátum",
        to="komu|pro|príjemca",
        copy="kopie|kopia|skrytá kopie|odpověď na|důležitost|přílohy",
        subject="předmět|predmet",
        original="původní zpráva|originální zpráva|původní e-mail|původní email|pôvodná správa",
        forwarded="přeposlaná zpráva|začátek přeposílané zprávy|předaná zpráva|přeposlaný e-mail|preposlaná správa",
    ),
    "ru": Language(
        wrote="написал|написала|пишет|писал|писала|цитирую|цитирование|цитата",
        small="в|от|года|г|вы|час|ч",
        weekdays="понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|пн|вт|ср|чт|пт|сб|вс",
        months="января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|янв|февр|фев|мар|апр"
        "|июн|июл|авг|сент|сен|окт|нояб|ноя|дек",
        sender="от|от кого|отправитель",
        sent="отправлено|послано|отправлена",
        date="дата",
        to="кому|получатель",
        copy="копия|копии|скрытая копия|важность|вложения",
        subject="тема",
        original="исходное сообщение|оригинальное сообщение|первоначальное сообщение|исходное письмо",
        forwarded="пересылаемое сообщение|пересланное сообщение|начало переадресованного сообщения"
        "|переадресованное сообщение|пересылаемое письмо|пересланное письмо|начало пересылаемого сообщения",
    ),
    "uk": Language(
        wrote="написав|написала|пише|писав|писала|цитування|цитую",
        small="в|о|від|року|р|об|год",
        weekdays="понеділок|вівторок|середа|четвер|п’ятниця|п'ятниця|субота|неділя|пн|вт|ср|чт|пт|сб|нд",
        months="січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня|січ|лют|бер|квіт"
        "|трав|черв|лип|серп|вер|жовт|лист|груд",
        sender="від|від кого|відправник",
        sent="надіслано|відправлено",
        date="дата",
        to="кому",
        copy="копія|прихована копія|важливість|вкладення",
        subject="тема",
        original="оригінальне повідомлення|вихідне повідомлення|початкове повідомлення|початковий лист",
        forwarded="переслане повідомлення|перенаправлене повідомлення|початок листа, що пересилається"
        "|пересланий лист|початок пересланого повідомлення",
    ),
    "tr": Language(
        wrote="yazdı|yazmış|alıntı",
        small="tarihinde|saat|şunu|şunları|günü|saatinde|tarihli|şöyle",
        weekdays="pazartesi|salı|çarşamba|perşembe|cuma|cumartesi|pazar|pzt|sal|çar|per|cum|cmt|paz",
        months="ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık|oca|şub|mar|nis|may|haz|tem"
        "|ağu|eyl|eki|kas|ara",
        sender="kimden|gönderen",
        sent="gönderildi|gönderilme tarihi|gönderme tarihi|gönderim tarihi",
        date="tarih",
        to="kime|alıcı",
        copy="bilgi|cc|gizli|önem|ekler",
        subject="konu",
        original="orijinal mesaj|özgün ileti|orijinal ileti|özgün mesaj|orjinal mesaj|orjinal ileti",
        forwarded="yönlendirilen ileti|iletilen ileti|iletilmiş mesaj|iletilen mesaj|iletilmiş ileti"
        "|iletilen iletinin başlangıcı|yönlendirilmiş mesaj|yönlendirilen mesaj",
    ),
    "ca": Language(
        wrote="escriure|escrit|escriu|missatge|citant",
        small="el|les|a|de|del|dia|va|ha",
        weekdays="dilluns|dimarts|dimecres|dijous|divendres|dissabte|diumenge|dl|dt|dc|dj|dv|ds|dg",
        months="gener|febrer|març|abril|maig|juny|juliol|agost|setembre|octubre|novembre|desembre|gen|febr|feb|abr|jul"
        "|ag|set|oct|nov|des",
        sender="de",
        sent="enviat|enviat el",
        date="data",
        to="per a|a",
        copy="a/c|cc|còpia|respon a|importància|fitxers adjunts",
        subject="assumpte|tema",
        original="missatge original",
        forwarded="missatge reenviat|missatge reexpedit|inici del missatge reenviat",
    ),
    "ja": Language(
        wrote="のメール|のメッセージ|書きました|作成|引用",
        small="午前|午後|に|さん|様|付|時|分|秒|は|が",
        weekdays="月曜日|火曜日|水曜日|木曜日|金曜日|土曜日|日曜日|月|火|水|木|金|土|日",
        months="",
        sender="差出人|送信者|送信元|発信者",
        sent="送信日時|送信日|送信",
        date="日時|日付",
        to="宛先|受信者",
        copy="cc|bcc|写し|返信先|重要度|添付ファイル",
        subject="件名|題名",
        original="元のメッセージ|元のメール|オリジナルメッセージ|original message",
        forwarded="転送メッセージ|転送されたメッセージ|転送されたメール|転送メール|転送元メッセージ",
    ),
    "zh": Language(
        wrote="写道|寫道|写到|引用|引述",
        small="于|於|在|上午|下午|中午|晚上|凌晨|年|月|日|週|周|星期|分",
        weekdays="周一|周二|周三|周四|周五|周六|周日|週一|週二|週三|週四|週五|週六|週日|星期一|星期二|星期三|星期四"
        "|星期五|星期六|星期日",
        months="",
        sender="发件人|寄件者|寄件人|寄信人|發件人",
        sent="发送时间|发送日期|寄件日期|傳送時間|發送時間|傳送日期|发送",
        date="日期|时间|時間",
        to="收件人|收件者|至",
        copy="抄送|副本|密送|密件副本|重要性|附件",
        subject="主题|主 题|主旨|主題",
        original="原始邮件|邮件原件|原始郵件|原邮件|原始信件|原始訊息|原始消息|回复的原邮件|回复邮件",
        forwarded="转发的邮件|转发邮件信息|已转发邮件|轉寄的郵件|轉寄郵件|转发邮件|下面是被转发的邮件|以下是轉寄的郵件"
        "|转发的消息|轉寄訊息|已轉寄的郵件|转发的邮件信息",
    ),
    "ko": Language(
        wrote="님이 작성|작성|님이 쓴 글|이(가) 쓴 글|쓴 글|님의 메일|인용",
        small="오전|오후|에|일|월|년|님이|시|분",
        weekdays="월요일|화요일|수요일|목요일|금요일|토요일|일요일|월|화|수|목|금|토|일",
        months="",
        sender="보낸 사람|보낸사람|발신인|발신자|보낸 이|발신",
        sent="보낸 날짜|보낸날짜|보낸 시간|발송일|전송됨",
        date="날짜",
        to="받는 사람|받는사람|수신인|수신자|받는 이",
        copy="참조|숨은 참조|중요도|첨부",
        subject="제목",
        original="원본 메시지|원본 메일|원래 메시지|원본 이메일|원본메시지|원본메일",
        forwarded="전달된 메일|전달된 메시지|전달된 메일의 시작|전달된 이메일|전달 메일|전달된 메세지",
    ),
    "hu": Language(
        wrote="írta|idézem|idézet|idézi",
        small="időpont|időpontban|keltezéssel|dátummal|ezt|a|következőt|ekkor",
        weekdays="hétfő|kedd|szerda|csütörtök|péntek|szombat|vasárnap",
        months="január|február|március|április|május|június|július|augusztus|szeptember|október|november|december|jan"
        "|febr|márc|ápr|máj|jún|júl|aug|szept|okt|nov|dec",
        sender="feladó",
        sent="elküldve|küldve",
        date="dátum",
        to="címzett",
        copy="másolatot kap|cc",
        subject="tárgy",
        original="eredeti üzenet",
        forwarded="továbbított üzenet|továbbított levél",
    ),
    "ro": Language(
        wrote="scris|scrie|citez",
        small="în|la|pe|data|a",
        weekdays="luni|marți|miercuri|joi|vineri|sâmbătă|duminică|lun|mar|mie|joi|vin|sâm|dum",
        months="ianuarie|februarie|martie|aprilie|mai|iunie|iulie|august|septembrie|octombrie|noiembrie|decembrie|ian"
        "|iun|iul|noi",
        sender="de la|de",
        sent="trimis|trimis la",
        date="data|dată",
        to="către|la",
        copy="cc",
        subject="subiect",
        original="mesaj original|mesajul original",
        forwarded="mesaj redirecționat|mesaj transmis mai departe",
    ),
    "el": Language(
        wrote="έγραψε|γράφει|παράθεση",
        small="στις|την|τις|πμ|μμ|ο|η|τα|εξής|χρήστης|από|ο/η",
        weekdays="δευτέρα|τρίτη|τετάρτη|πέμπτη|παρασκευή|σάββατο|κυριακή|δευ|τρι|τετ|πεμ|παρ|σαβ|κυρ",
        months="ιανουαρίου|φεβρουαρίου|μαρτίου|απριλίου|μαΐου|ιουνίου|ιουλίου|αυγούστου|σεπτεμβρίου|οκτωβρίου"
        "|νοεμβρίου|δεκεμβρίου|ιαν|φεβ|μαρ|απρ|μαΐ|ιουν|ιουλ|αυγ|σεπ|οκτ|νοε|δεκ",
        sender="από",
        sent="στάλθηκε|εστάλη",
        date="ημερομηνία",
        to="προς",
        copy="κοιν|κοινοποίηση",
        subject="θέμα",
        original="αρχικό μήνυμα",
        forwarded="προωθημένο μήνυμα",
    ),
    "sk hr sl": Language(
        wrote="napísal|napísala|napisao|napisala|napisal|pravi|napisao/la|napisal/a|citiram|navajam",
        small="dňa|dana|je|u|ob|ura|sati",
        weekdays="pondelok|utorok|streda|štvrtok|piatok|nedeľa|pon|uto|sri|čet|pet|sub|ned",
        months="január|február|marec|apríl|máj|jún|júl|siječnja|veljače|ožujka|travnja|svibnja|lipnja|srpnja|kolovoza"
        "|rujna|listopada|studenoga|prosinca|stu|pro",
        sender="šalje|pošiljatelj|od",
        sent="poslano|odoslané",
        date="datum",
        to="prima|za|komu",
        copy="kopija|cc",
        subject="predmet|zadeva",
        original="izvorna poruka|izvirno sporočilo|pôvodná správa",
        forwarded="proslijeđena poruka|posredovano sporočilo|preposlaná správa",
    ),
    "bg": Language(
        wrote="написа|цитат|цитирам",
        small="на|г|от|в",
        weekdays="пн|вт|ср|чт|пт|сб|нд|понеделник|вторник|сряда|четвъртък|петък|събота|неделя",
        months="януари|февруари|март|април|май|юни|юли|август|септември|октомври|ноември|декември",
        sender="от",
        sent="изпратено|изпратено на",
        date="дата",
        to="до",
        copy="копие",
        subject="относно|тема",
        original="оригинално съобщение|първоначално съобщение",
        forwarded="препратено съобщение|препратено писмо",
    ),
    "sr mk": Language(
        wrote="написао|написала|написао/ла|напиша|пише|piše",
        small="је|у|на|дана|je|u",
        weekdays="пон|уто|сре|чет|пет|суб|нед|ponedeljak|utorak|sreda|četvrtak|petak|subota|nedelja",
        months="јан|феб|мар|апр|мај|јун|јул|авг|сеп|окт|нов|дец|januar|februar|mart|april|maj|jun|jul|avgust|septembar"
        "|oktobar|novembar|decembar",
        sender="шаље|од",
        sent="poslato|послато|испратено",
        to="за|до",
        copy="копија",
        subject="tema|тема|naslov|наслов|предмет",
        original="оригинална порука|originalna poruka|првобитна порука",
        forwarded="прослеђена порука|prosleđena poruka|проследена порака",
    ),
    "lt": Language(
        wrote="rašė|parašė|cituoju",
        small="d|m|val|pr",
        weekdays="pirmadienis|antradienis|trečiadienis|ketvirtadienis|penktadienis|šeštadienis|sekmadienis",
        months="sausio|vasario|kovo|balandžio|gegužės|birželio|liepos|rugpjūčio|rugsėjo|spalio|lapkričio|gruodžio",
        sender="nuo|siuntėjas",
        sent="išsiųsta",
        date="data",
        to="kam|gavėjas",
        copy="kopija",
        subject="tema",
        original="pradinis laiškas|originalus laiškas",
        forwarded="persiųstas laiškas|persiųsta žinutė",
    ),
    "lv": Language(
        wrote="rakstīja|citēju",
        small="g|plkst|lietotājs|gada",
        weekdays="pirmd|otrd|trešd|ceturtd|piektd|sestd|svētd|pirmdiena|otrdiena|trešdiena|ceturtdiena|piektdiena"
        "|sestdiena|svētdiena",
        months="janvāris|februāris|marts|aprīlis|maijs|jūnijs|jūlijs|augusts|septembris|oktobris|novembris|decembris"
        "|janv|febr|jūn|jūl",
        sender="no|sūtītājs",
        sent="nosūtīts|nosūtīta",
        date="datums",
        to="kam|adresāts",
        copy="kopija",
        subject="tēma|temats",
        original="sākotnējais ziņojums|oriģinālais ziņojums",
        forwarded="pārsūtīts ziņojums|pārsūtītais ziņojums",
    ),
    "et": Language(
        wrote="kirjutas|kirjutab|tsiteerin",
        small="kuupäeval|kuupäev|kell|kontakt|e",
        weekdays="esmaspäev|teisipäev|kolmapäev|neljapäev|reede|laupäev|pühapäev",
        months="jaanuar|veebruar|märts|aprill|mai|juuni|juuli|august|september|oktoober|november|detsember",
        sender="saatja|kellelt",
        sent="saadetud",
        date="kuupäev",
        to="adressaat|saaja|kellele",
        copy="koopia",
        subject="teema",
        original="algne sõnum|algne kiri|originaalsõnum",
        forwarded="edastatud sõnum|edastatud kiri",
    ),
    "is": Language(
        wrote="skrifaði|skrifar",
        small="þann|kl|hinn",
        weekdays="mán|þri|mið|fim|fös|lau|sun",
        months="janúar|febrúar|mars|apríl|maí|júní|júlí|ágúst|september|október|nóvember|desember|jún|júl|ágú|nóv",
        sender="frá",
        sent="sent",
        date="dagsetning",
        to="til",
        copy="afrit",
        subject="efni",
        original="upprunaleg skilaboð|upphaflegt skeyti",
        forwarded="áframsend skilaboð|framsent skeyti",
    ),
    "he": Language(
        wrote="כתב|כתבה|כתב/ה",
        sender="מאת",
        sent="נשלח",
        date="תאריך",
        to="אל|עבור",
        copy="עותק|העתק",
        subject="נושא",
        original="הודעה מקורית",
        forwarded="הודעה שהועברה",
    ),
    "ar": Language(
        wrote="كتب|كتبت",
        small="في|بتاريخ|الساعة|ص|م",
        sender="من",
        sent="تاريخ الإرسال|أرسلت|تم الإرسال",
        date="التاريخ|تاريخ",
        to="إلى",
        copy="نسخة",
        subject="الموضوع|موضوع",
        original="الرسالة الأصلية|رسالة أصلية",
        forwarded="رسالة معاد توجيهها|الرسالة المعاد توجيهها",
    ),
    "fa": Language(
        wrote="نوشت|نوشته",
        small="در|تاریخ",
        sender="از|فرستنده",
        sent="ارسال شده|تاریخ ارسال",
        date="تاریخ",
        to="به|گیرنده",
        copy="رونوشت",
        subject="موضوع",
        original="پیام اصلی",
        forwarded="پیام هدایت‌شده|پیام ارسال‌شده",
    ),
    "vi": Language(
        wrote="viết",
        small="vào|lúc|đã|thg|th|tháng|thứ|ngày",
        sender="từ|người gửi",
        sent="đã gửi|ngày gửi",
        date="ngày",
        to="tới|đến|người nhận",
        subject="chủ đề|tiêu đề",
        original="thư gốc|tin nhắn gốc",
        forwarded="thư đã chuyển tiếp|tin nhắn chuyển tiếp",
    ),
    "th": Language(
        wrote="เขียนว่า|เขียน",
        sender="จาก",
        sent="ส่ง|ส่งเมื่อ",
        date="วันที่",
        to="ถึง",
        copy="สำเนา",
        subject="เรื่อง|หัวเรื่อง",
        original="ข้อความต้นฉบับ|ข้อความเดิม",
        forwarded="ข้อความที่ส่งต่อ",
    ),
    "id ms": Language(
        wrote="menulis",
        small="pada|tanggal|pukul|tarikh",
        weekdays="senin|selasa|rabu|kamis|jumat|sabtu|minggu|sen|sel|rab|kam|jum|isnin|isn",
        months="januari|februari|maret|mei|juni|juli|agustus|september|oktober|november|desember|agu|okt|des|ogos"
        "|disember",
        sender="dari",
        sent="dikirim|terkirim|dihantar",
        date="tanggal|tarikh",
        to="kepada|untuk",
        copy="salinan|tembusan",
        subject="subjek|perihal",
        original="pesan asli|mesej asal",
        forwarded="pesan terusan|pesan yang diteruskan|mesej dimajukan",
    ),
    "gl eu eo cy hi": Language(
        wrote="escribiu|idatzi|skribis|ysgrifennodd|लिखा",
        small="o|ás|hau|du|zuen|igorleak|erabiltzaileak|al|je|ar|को|बजे|ने",
        weekdays="luns|mércores|xoves|venres",
        months="aza|xaneiro|febreiro|xuño|xullo|setembro|outubro|novembro|decembro",
    ),
}


def entries(field: str) -> frozenset[str]:
    """The entries of a list written as one text: "on|at|am"."""
    return frozenset(entry for entry in field.split("|") if entry)


def lowered(text: str) -> str:
    """Lower case as in these lists: a Turkish İ becomes an i."""
    return text.lower().replace("\u0307", "")


def words(field: str) -> frozenset[str]:
    """All entries of one field, of all languages, in lower case."""
    return frozenset().union(*(entries(getattr(row, field)) for row in LANGUAGES.values()))
