"""Answers of clients and providers beyond those of clients.py, each in its own language: text and HTML as they write
it.

`MARKED` and `UNMARKED`: the lines above a quote with `>` marks, or without. In `PAGES` `{own}` and `{asked}` are the
author's words and the quoted ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tests.mail.quoting.clients import Sample

OWN = ("Yes, the blue one please.", "Send it to Elm Street 5.")
ASKED = ("Which colour would you like?", "We ship on Friday.")
_ANA = "Ana Ruiz <ana@halden.example>"

MARKED = {
    "Horde, Dutch": f"Citeren {_ANA}:",
    "Horde, Dutch, name only": "Citeren Ana Ruiz:",
    "Horde, English": f"Quoting {_ANA}:",
    "Horde, English, address only": "Quoting ana@halden.example:",
    "Horde, German, name only": "Zitat von Ana Ruiz:",
    "Horde, French": f"En réponse à {_ANA} :",
    "Horde, French, citing": f"Citation de {_ANA} :",
    "Horde, Spanish": f"Mensaje citado por {_ANA}:",
    "Horde, Spanish, citing": f"Citando a {_ANA}:",
    "Horde, Italian": f"Citando {_ANA}:",
    "Horde, Portuguese": "Citando ana@halden.example:",
    "Horde, Swedish": f"Citerar {_ANA}:",
    "Horde, Danish": f"Citat {_ANA}:",
    "Horde, Norwegian": f"Siterer {_ANA}:",
    "Horde, Norwegian, noun": f"Sitat {_ANA}:",
    "Horde, Finnish": f"Lainaus {_ANA}:",
    "Horde, Polish": f"Cytowanie {_ANA}:",
    "Horde, Czech": f"Cituji {_ANA}:",
    "Horde, Slovak": f"Citujem {_ANA}:",
    "Horde, Slovenian": f"Navajam {_ANA}:",
    "Horde, Croatian": f"Citiram {_ANA}:",
    "Horde, Russian": f"Цитирую {_ANA}:",
    "Horde, Russian, noun": f"Цитирование {_ANA}:",
    "Horde, Ukrainian": f"Цитування {_ANA}:",
    "Horde, Bulgarian": f"Цитат от {_ANA}:",
    "Horde, Hungarian": f"Idézem {_ANA}:",
    "Horde, Hungarian, noun": f"Idézet ({_ANA}):",
    "Horde, Turkish": f"Alıntı {_ANA}:",
    "Horde, Catalan": f"Citant {_ANA}:",
    "Horde, Romanian": f"Citez {_ANA}:",
    "Horde, Greek": f"Παράθεση από {_ANA}:",
    "Horde, Lithuanian": f"Cituoju {_ANA}:",
    "Horde, Latvian": f"Citēju {_ANA}:",
    "Horde, Estonian": f"Tsiteerin {_ANA}:",
    "Horde, Japanese": f"{_ANA} さんからの引用:",
    "Horde, Chinese": f"引用 {_ANA}:",
    "Horde, Chinese, traditional": f"引述 {_ANA}：",
    "Horde, Korean": f"{_ANA} 님의 글을 인용:",
    "Roundcube, Dutch": "Ana Ruiz schreef op 2026-11-02 10:00:",
    "Roundcube, German": "Am 2026-11-02 10:00, schrieb Ana Ruiz:",
    "Roundcube, Polish": "W dniu 2026-11-02 10:00, Ana Ruiz napisał(a):",
    "Roundcube, Czech": "Dne 2026-11-02 10:00, Ana Ruiz napsal:",
    "Roundcube, Russian": "Ana Ruiz писал 2026-11-02 10:00:",
    "Roundcube, Hungarian": "2026-11-02 10:00 időpontban Ana Ruiz ezt írta:",
    "Roundcube, Romanian": "La 2026-11-02 10:00, Ana Ruiz a scris:",
    "Roundcube, Turkish": "2026-11-02 10:00, Ana Ruiz yazdı:",
    "Roundcube, Greek": "Στις 2026-11-02 10:00, Ana Ruiz έγραψε:",
    "Roundcube, Japanese": "2026-11-02 10:00 に Ana Ruiz さんは書きました:",
    "Roundcube, Chinese": "在 2026-11-02 10:00，Ana Ruiz 写道：",
    "Roundcube, Finnish": "Ana Ruiz kirjoitti 2026-11-02 10:00:",
    "Roundcube, Slovak": "Dňa 2026-11-02 10:00 Ana Ruiz napísal(a):",
    "Roundcube, Slovenian": "Dne 2026-11-02 10:00 je Ana Ruiz napisal(a):",
    "Roundcube, Croatian": "Dana 2026-11-02 10:00, Ana Ruiz je napisao/la:",
    "Roundcube, Serbian": "Дана 2026-11-02 10:00, Ana Ruiz је написао/ла:",
    "Roundcube, Bulgarian": "На 2026-11-02 10:00, Ana Ruiz написа:",
    "Roundcube, Macedonian": "На 2026-11-02 10:00, Ana Ruiz напиша:",
    "Roundcube, Lithuanian": "2026-11-02 10:00, Ana Ruiz rašė:",
    "Roundcube, Latvian": "2026-11-02 10:00, Ana Ruiz rakstīja:",
    "Roundcube, Estonian": "2026-11-02 10:00 kirjutas Ana Ruiz:",
    "Roundcube, Hebrew": "ב־2026-11-02 10:00, Ana Ruiz כתב:",
    "Roundcube, Persian": "در 2026-11-02 10:00، Ana Ruiz نوشت:",
    "Roundcube, Arabic": "في 2026-11-02 10:00، كتب Ana Ruiz:",
    "Roundcube, Vietnamese": "Vào 2026-11-02 10:00, Ana Ruiz đã viết:",
    "Roundcube, Indonesian": "Pada 2026-11-02 10:00, Ana Ruiz menulis:",
    "Roundcube, Basque": "2026-11-02 10:00(e)an, Ana Ruiz igorleak idatzi zuen:",
    "Roundcube, Galician": "O 2026-11-02 10:00, Ana Ruiz escribiu:",
    "Roundcube, Korean": "2026-11-02 10:00 에 Ana Ruiz 이(가) 쓴 글:",
    "Roundcube, Icelandic": "Þann 2026-11-02 10:00 skrifaði Ana Ruiz:",
    "Roundcube, Esperanto": "Je 2026-11-02 10:00, Ana Ruiz skribis:",
    "Roundcube, Welsh": "Ar 2026-11-02 10:00, ysgrifennodd Ana Ruiz:",
    "SOGo, English": f"On Monday, November 02, 2026 10:00 CET, {_ANA} wrote:",
    "SOGo, French": f"Le Lundi, Novembre 02, 2026 10:00 CET, {_ANA} a écrit:",
    "SOGo, German": f"Am Montag, November 02, 2026 10:00 CET, schrieb {_ANA}:",
    "Notes, English": f"{_ANA} wrote on 02.11.2026 10:00:00:",
    "Notes, its own name": "Ana Ruiz/Halden wrote on 11/02/2026 10:00:00 AM:",
    "Notes, German": f"{_ANA} schrieb am 02.11.2026 10:00:00:",
    "Notes, French": f"{_ANA} a écrit sur 02/11/2026 10:00:00 :",
    "Spark, English": f"On Nov 2, 2026, 10:00 AM +0100, {_ANA}, wrote:",
    "Spark, German": f"Am 2. Nov. 2026, 10:00 +0100 schrieb {_ANA}:",
    "Tutanota, English": "2 Nov 2026, 10:00 by ana@halden.example:",
    "Tutanota, French": "2 nov. 2026, 10:00 de ana@halden.example:",
    "Fastmail": "On Mon, 2 Nov 2026, at 10:00 AM, Ana Ruiz wrote:",
    "Proton, dashed": f"‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Monday, November 2, 2026 10:00 AM, {_ANA} wrote:",
    "Proton, mobile": f"-------- Original Message --------\nOn 02/11/2026 10:00, {_ANA} wrote:",
    "163": 'At 2026-11-02 10:00:00, "Ana Ruiz" <ana@halden.example> wrote:',
    "163, Chinese": '在 2026-11-02 10:00:00，"Ana Ruiz" <ana@halden.example> 写道：',
    "Yandex": '02.11.2026, 10:00, "Ana Ruiz" <ana@halden.example>:',
    "Yandex of today": '----------------\nКому: Eva (eva@roth.example);\nТема: Lamp;\n02.11.2026, 10:00, "Ana Ruiz" <ana@halden.example>:',
    "Mail.ru, English": f"Monday, November 2, 2026 10:00 AM +03:00 from {_ANA}:",
    "Mail.ru, short month": f">Понедельник, 2 ноября 2026, 10:00 +03:00 от {_ANA}:\n>",
    "Rambler": f"02.11.2026, 10:00, {_ANA} пишет:",
    "GroupWise": f">>> {_ANA} 02.11.2026 10:00 >>>",
    "GroupWise, in message": f">>> On 11/2/2026 at 10:00 AM, in message\n<5F9FD5B2.1@halden.example>, {_ANA} wrote:",
    "The Bat!": "Monday, November 2, 2026, 10:00:00 AM, you wrote:",
    "The Bat!, German": "Montag, 2. November 2026, 10:00:00, schrieben Sie:",
    "Pegasus": "On 2 Nov 2026 at 10:00, Ana Ruiz wrote:",
    "Eudora": "At 10:00 AM 11/2/2026, Ana Ruiz wrote:",
    "Evolution": "On Mon, 2026-11-02 at 10:00 +0100, Ana Ruiz wrote:",
    "Evolution, German": "Am Montag, dem 02.11.2026 um 10:00 +0100 schrieb Ana Ruiz:",
    "Evolution, French": "Le lundi 02 novembre 2026 à 10:00 +0100, Ana Ruiz a écrit :",
    "Evolution, Spanish": "El lun, 02-11-2026 a las 10:00 +0100, Ana Ruiz escribió:",
    "KMail": "On Monday, 2 November 2026 10:00:00 CET Ana Ruiz wrote:",
    "KMail, German": "Am Montag, 2. November 2026, 10:00:00 CET schrieb Ana Ruiz:",
    "Alpine": "On Mon, 2 Nov 2026, Ana Ruiz wrote:",
    "Mutt": "On Mon, Nov 02, 2026 at 10:00:00AM +0100, Ana Ruiz wrote:",
    "SquirrelMail": "On Mon, November 2, 2026 10:00 am, Ana Ruiz wrote:",
    "SquirrelMail, Spanish": "El Lun, 2 de Noviembre de 2026, 10:00 am, Ana Ruiz escribió:",
    "SnappyMail": 'November 2, 2026 10:00 AM, "Ana Ruiz" <ana@halden.example> wrote:',
    "SnappyMail, German": '2. November 2026 10:00, "Ana Ruiz" <ana@halden.example> schrieb:',
    "Airmail": "On 2 November 2026 at 10:00:00, Ana Ruiz (ana@halden.example) wrote:",
    "Airmail, German": "Am 2. November 2026 um 10:00:00, Ana Ruiz (ana@halden.example) schrieb:",
    "Newton": f"On Mon, Nov 2, 2026 at 10:00am, {_ANA} wrote:",
    "Front": "On Nov 2, 2026, 10:00 AM GMT+1 ana@halden.example wrote:",
    "HEY": f"On November 2, 2026, {_ANA} wrote:",
    "Mailbird": f"On 02/11/2026 10:00:00, {_ANA} wrote:",
    "Postbox": "Ana Ruiz wrote on 02/11/2026 10:00:",
    "Entourage": 'On 2/11/26 10:00, "Ana Ruiz" <ana@halden.example> wrote:',
    "Open-Xchange": f"On 11/02/2026 10:00 AM CET {_ANA} wrote:",
    "Open-Xchange, German": f"{_ANA} hat am 02.11.2026 10:00 CET geschrieben:",
    "Open-Xchange, Dutch": f"Op 02-11-2026 10:00 CET schreef {_ANA}:",
    "Open-Xchange, Italian": f"Il 02/11/2026 10:00 CET {_ANA} ha scritto:",
    "WP, Polish": f"Dnia 2 listopada 2026 10:00 {_ANA} napisał(a):",
    "Becky!": f"On Mon, 2 Nov 2026 10:00:00 +0900\n{_ANA} wrote:",
    "Japanese, by hand": f"{_ANA} さんは書きました：",
    "Gmail, Croatian": f"pon, 2. stu 2026. u 10:00 {_ANA} napisao je:",
    "Gmail, Serbian": f"пон, 2. нов 2026. у 10:00 {_ANA} је написао/ла:",
    "Gmail, Slovenian": f"V V pon., 2. nov. 2026 ob 10:00 je oseba {_ANA} napisala:",
    "Gmail, Bulgarian": f"На пн, 2.11.2026 г. в 10:00 {_ANA} написа:",
    "Gmail, Lithuanian": f"2026-11-02, pr, 10:00 {_ANA} rašė:",
    "Gmail, Latvian": f"pirmd., 2026. g. 2. nov., plkst. 10:00 — lietotājs {_ANA} rakstīja:",
    "Gmail, Estonian": f"Kontakt {_ANA} kirjutas kuupäeval E, 2. november 2026 kell 10:00:",
    "Gmail, Icelandic": f"mán., 2. nóv. 2026 kl. 10:00 skrifaði {_ANA}:",
    "Gmail, Indonesian": f"Pada tanggal Sen, 2 Nov 2026 pukul 10.00 {_ANA} menulis:",
    "Gmail, Hindi": f"सोम, 2 नव॰ 2026 को 10:00 बजे को {_ANA} ने लिखा:",
    "Gmail, Persian": f"در تاریخ دوشنبه ۲ نوامبر ۲۰۲۶،‏ ۱۰:۰۰ {_ANA} نوشت:",
    "Gmail, Malay": f"Pada Isn, 2 Nov 2026 10:00 {_ANA} menulis:",
    "Gmail, Galician": f"O luns, 2 de novembro de 2026 ás 10:00, {_ANA} escribiu:",
    "Thunderbird, Romanian": "Pe 02.11.2026 10:00, Ana Ruiz a scris:",
    "Thunderbird, Greek": "Στις 2/11/2026 10:00, ο/η Ana Ruiz έγραψε:",
    "Thunderbird, Slovak": "Dňa 2.11.2026 o 10:00 Ana Ruiz napísal(a):",
    "Thunderbird, Basque": "2026/11/2 10:00(e)an, Ana Ruiz igorleak idatzi zuen:",
    "Apple, Croatian": "Dana 02.11.2026., u 10:00, Ana Ruiz <ana@halden.example> napisao je:",
    "Apple, Romanian": f"Pe 2 nov. 2026, la 10:00, {_ANA} a scris:",
}

UNMARKED = {
    "Zimbra, German": f"----- Ursprüngliche Mail -----\nVon: {_ANA}\nAn: Eva <eva@roth.example>\nGesendet: Montag, 2. November 2026 10:00:00\nBetreff: Lamp",
    "Zimbra, French": '----- Mail original -----\nDe: "Ana Ruiz" <ana@halden.example>\nÀ: "Eva" <eva@roth.example>\nEnvoyé: Lundi 2 Novembre 2026 10:00:00\nObjet: Lamp',
    "Zimbra, bare": 'From: "Ana Ruiz" <ana@halden.example>\nTo: "Eva Roth" <eva@roth.example>\nSent: Monday, November 2, 2026 10:00:00 AM\nSubject: Lamp',
    "Notes, English": "From:        Ana Ruiz/Halden\nTo:        Eva Roth/Roth@ROTH\nDate:        11/02/2026 10:00 AM\nSubject:        Lamp",
    "Notes, German": "Von:        Ana Ruiz/Halden\nAn:        Eva Roth/Roth@ROTH\nKopie:        \nDatum:        02.11.2026 10:00\nBetreff:        Lamp",
    "Notes, sent by": f"From:   {_ANA}\nTo:     Eva Roth/Roth@ROTH,\nDate:   02.11.2026 10:00\nSubject:        Lamp\nSent by:        help@halden.example",
    "K-9, header": f"-------- Original Message --------\nFrom: {_ANA}\nSent: 2 November 2026 10:00:00 CET\nTo: Eva <eva@roth.example>\nSubject: Lamp",
    "Samsung, Korean": f"-------- 원본 이메일 --------\n발신: {_ANA}\n날짜: 2026/11/2 10:00 (GMT+09:00)\n받은 사람: eva@roth.example\n제목: Lamp",
    "Samsung, Turkish": f"-------- Orjinal mesaj --------\nKimden: {_ANA}\nTarih: 2.11.2026 10:00 (GMT+03:00)\nAlıcı: eva@roth.example\nKonu: Lamp",
    "Samsung, Chinese": f"-------- 原始邮件 --------\n发件人：{_ANA}\n日期：2026/11/2 10:00 (GMT+08:00)\n收件人：eva@roth.example\n主题：Lamp",
    "Samsung, Romanian": f"-------- Mesaj original --------\nDe la: {_ANA}\nData: 02.11.2026 10:00 (GMT+02:00)\nCătre: eva@roth.example\nSubiect: Lamp",
    "Samsung, Greek": f"-------- Αρχικό μήνυμα --------\nΑπό: {_ANA}\nΗμερομηνία: 2/11/26 10:00 (GMT+02:00)\nΠρος: eva@roth.example\nΘέμα: Lamp",
    "Naver": f"-----Original Message-----\nFrom: {_ANA}\nTo: <eva@roth.example>;\nCc:\nSent: 2026-11-02 (월) 10:00:00 (GMT+09:00)\nSubject: Lamp",
    "Naver, Korean": f"-----원본 메시지-----\n보낸사람: {_ANA}\n받는사람: <eva@roth.example>;\n보낸날짜: 2026-11-02 (월) 10:00:00\n제목: Lamp",
    "Daum": f"--------- 원본 메일 ---------\n보낸사람: {_ANA}\n받는사람: eva@roth.example\n날짜: 2026년 11월 2일 월요일, 10시 00분 00초 +0900\n제목: Lamp",
    "QQ": '------------------ 原始邮件 ------------------\n发件人: "Ana Ruiz" <ana@halden.example>;\n发送时间: 2026年11月2日(星期一) 上午10:00\n收件人: "Eva"<eva@roth.example>;\n主题: Lamp',
    "QQ, short": '---原始邮件---\n发件人: "Ana Ruiz"<ana@halden.example>\n发送时间: 2026年11月2日(周一) 上午10:00\n收件人: "Eva"<eva@roth.example>;\n主题: Lamp',
    "QQ, English": '------------------ Original ------------------\nFrom: "Ana Ruiz";<ana@halden.example>;\nDate: Mon, Nov 2, 2026 10:00 AM\nTo: "Eva"<eva@roth.example>;\nSubject: Lamp',
    "Mail Master": "---- 回复的原邮件 ----\n| 发件人 | Ana Ruiz<ana@halden.example> |\n| 发送日期 | 2026年11月02日 10:00 |\n| 收件人 | eva@roth.example |\n| 主题 | Lamp |",
    "Mail Master, English": "---- Replied Message ----\n| From | Ana Ruiz<ana@halden.example> |\n| Date | 11/02/2026 10:00 |\n| To | eva@roth.example |\n| Subject | Lamp |",
    "Sina": f"----- 原始邮件 -----\n发件人：{_ANA}\n收件人：eva@roth.example\n主题：Lamp\n日期：2026年11月02日 10点00分",
    "Foxmail": "ana@halden.example\n\n发件人： Ana Ruiz\n发送时间： 2026-11-02 10:00\n收件人： Eva\n主题： Lamp",
    "Aliyun": f"------------------------------------------------------------------\n发件人：{_ANA}\n发送时间：2026年11月2日(星期一) 10:00\n收件人：Eva <eva@roth.example>\n主　题：Lamp",
    "Seznam": f"---------- Původní e-mail ----------\nOd: {_ANA}\nKomu: eva@roth.example\nDatum: 2. 11. 2026 10:00:00\nPředmět: Lamp",
    "Interia": f"Od: {_ANA}\nDo: eva@roth.example;\nWysłane: 10:00 Poniedziałek 2026-11-02\nTemat: Lamp",
    "UOL": f"De: {_ANA}\nEnviada: 2026/11/02 10:00:00\nPara: eva@roth.example\nAssunto: Lamp",
    "IncrediMail": "-------Original Message-------\n\nFrom: Ana Ruiz\nDate: 02/11/2026 10:00:00\nTo: Eva\nSubject: Lamp",
    "AOL": "-----Original Message-----\nFrom: Ana Ruiz <ana@halden.example>\nTo: Eva <eva@roth.example>\nSent: Mon, Nov 2, 2026 10:00 am\nSubject: Lamp",
    "Yahoo, Japan": f"----- Original Message -----\nFrom: {_ANA}\nTo: eva@roth.example\nDate: 2026/11/02, Mon 10:00\nSubject: Lamp",
    "Yahoo, telephone": f"Sent from Yahoo Mail on Android\n\n  On Mon, 2 Nov 2026 at 10:00, {_ANA} wrote:   ",
    "Outlook for Mac": f"From: {_ANA}\nDate: Monday, 2 November 2026 at 10:00\nTo: Eva Roth <eva@roth.example>\nSubject: Lamp",
    "Outlook, Hebrew": f"מאת: {_ANA}\nנשלח: יום שני 02 נובמבר 2026 10:00\nאל: Eva Roth\nנושא: Lamp",
    "Outlook, Arabic": f"من: {_ANA}\nتاريخ الإرسال: الاثنين، 2 نوفمبر 2026 10:00\nإلى: Eva Roth\nالموضوع: Lamp",
    "Outlook, Persian": f"از: {_ANA}\nارسال شده: دوشنبه 2 نوامبر 2026 10:00\nبه: Eva Roth\nموضوع: Lamp",
    "Outlook, Vietnamese": f"Từ: {_ANA}\nĐã gửi: Thứ Hai, 2 Tháng Mười Một, 2026 10:00\nTới: Eva Roth\nChủ đề: Lamp",
    "Outlook, Thai": f"จาก: {_ANA}\nส่ง: วันจันทร์ที่ 2 พฤศจิกายน 2026 10:00\nถึง: Eva Roth\nเรื่อง: Lamp",
    "Outlook, Indonesian": f"Dari: {_ANA}\nDikirim: Senin, 02 November 2026 10:00\nKepada: Eva Roth\nSubjek: Lamp",
    "Outlook, Bulgarian": f"От: {_ANA}\nИзпратено: понеделник, 2 ноември 2026 10:00\nДо: Eva Roth\nОтносно: Lamp",
    "Outlook, Croatian": f"Šalje: {_ANA}\nPoslano: ponedjeljak, 2. studenoga 2026. 10:00\nPrima: Eva Roth\nPredmet: Lamp",
    "Outlook, Slovak": f"Od: {_ANA}\nOdoslané: pondelok 2. novembra 2026 10:00\nKomu: Eva Roth\nPredmet: Lamp",
    "Outlook, Slovenian": f"Od: {_ANA}\nPoslano: ponedeljek, 02. november 2026 10:00\nZa: Eva Roth\nZadeva: Lamp",
    "Outlook, Serbian": f"Od: {_ANA}\nPoslato: ponedeljak, 2. novembar 2026. 10:00\nZa: Eva Roth\nTema: Lamp",
    "Outlook, Lithuanian": f"Nuo: {_ANA}\nIšsiųsta: 2026 m. lapkričio 2 d., pirmadienis 10:00\nKam: Eva Roth\nTema: Lamp",
    "Outlook, Latvian": f"No: {_ANA}\nNosūtīts: pirmdiena, 2026. gada 2. novembris 10:00\nKam: Eva Roth\nTēma: Lamp",
    "Outlook, Estonian": f"Saatja: {_ANA}\nSaadetud: esmaspäev, 2. november 2026 10:00\nAdressaat: Eva Roth\nTeema: Lamp",
    "Outlook, Romanian": f"De la: {_ANA}\nTrimis: luni, 2 noiembrie 2026 10:00\nCătre: Eva Roth\nSubiect: Lamp",
    "Outlook, Greek": f"Από: {_ANA}\nΣτάλθηκε: Δευτέρα, 2 Νοεμβρίου 2026 10:00\nΠρος: Eva Roth\nΘέμα: Lamp",
    "GroupWise, unmarked": f">>> {_ANA} 02.11.2026 10:00 >>>",
    "GroupWise, American": '>>> "Ana Ruiz" <ana@halden.example> 11/2/2026 10:00 AM >>>',
    "163, unmarked": '在 2026-11-02 10:00:00，"Ana Ruiz" <ana@halden.example> 写道：',
}

_NAME, _MAIL = "Ana Ruiz", "&lt;ana@halden.example&gt;"
PAGES = {
    "Horde, Dutch": f'<p>{{own}}</p><p>Citeren {_NAME} {_MAIL}:</p><blockquote type="cite">{{asked}}</blockquote>',
    "Horde, Dutch, no type": f'<p>{{own}}</p><p>Citeren {_NAME} {_MAIL}:</p><blockquote style="border-left:2px solid blue">{{asked}}</blockquote>',
    "Roundcube, Polish": f'<p>{{own}}</p><p id="reply-intro">W dniu 2026-11-02 10:00, {_NAME} napisał(a):</p><blockquote type="cite" style="padding:0 0.4em">{{asked}}</blockquote>',
    "Roundcube, old": f'<p>{{own}}</p><p>On 2026-11-02 10:00, {_NAME} wrote:</p><blockquote type="cite" style="padding-left:5px; border-left:#1010ff 2px solid">{{asked}}</blockquote>',
    "SOGo": f'{{own}}<br /><br />On Monday, November 02, 2026 10:00 CET, {_NAME} {_MAIL} wrote:<br />&nbsp;<blockquote type="cite" cite="a@x.example">{{asked}}</blockquote>',
    "SOGo, French": f"{{own}}<br /><br />Le Lundi, Novembre 02, 2026 10:00 CET, {_NAME} {_MAIL} a écrit:<br />&nbsp;<blockquote>{{asked}}</blockquote>",
    "Zimbra": f'<div style="font-family: arial"><div>{{own}}</div><div><br></div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><blockquote style="border-left:2px solid #1010FF"><b>From: </b>"{_NAME}" {_MAIL}<br><b>To: </b>"Eva"<br><b>Sent: </b>Monday, November 2, 2026 10:00:00 AM<br><b>Subject: </b>Lamp<br></blockquote></div><div data-marker="__QUOTED_TEXT__"><blockquote style="border-left:2px solid #1010FF"><div>{{asked}}</div></blockquote></div></div>',
    "Zimbra, German": f'<div>{{own}}</div><br><hr id="zwchr"><b>Von: </b>"{_NAME}" {_MAIL}<br><b>An: </b>"Eva"<br><b>Gesendet: </b>Montag, 2. November 2026 10:00:00<br><b>Betreff: </b>Lamp<br><br><div>{{asked}}</div>',
    "Notes": '<font size=2 face="sans-serif">{own}</font><br><br><br><br><font size=1 color=#5f5f5f face="sans-serif">From: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1 face="sans-serif">Ana Ruiz/Halden</font><br><font size=1 color=#5f5f5f face="sans-serif">To: &nbsp; &nbsp;</font><font size=1 face="sans-serif">Eva Roth/Roth@ROTH</font><br><font size=1 color=#5f5f5f face="sans-serif">Date: &nbsp; &nbsp;</font><font size=1 face="sans-serif">11/02/2026 10:00 AM</font><br><font size=1 color=#5f5f5f face="sans-serif">Subject: &nbsp; &nbsp;</font><font size=1 face="sans-serif">Lamp</font><br><hr noshade><br><br><font size=3>{asked}</font>',
    "Notes, German": '<font size=2 face="sans-serif">{own}</font><br><br><font size=1 color=#5f5f5f face="sans-serif">Von: &nbsp; &nbsp;</font><font size=1 face="sans-serif">Ana Ruiz/Halden</font><br><font size=1 color=#5f5f5f face="sans-serif">An: &nbsp; &nbsp;</font><font size=1 face="sans-serif">Eva Roth</font><br><font size=1 color=#5f5f5f face="sans-serif">Datum: &nbsp; &nbsp;</font><font size=1 face="sans-serif">02.11.2026 10:00</font><br><font size=1 color=#5f5f5f face="sans-serif">Betreff: &nbsp; &nbsp;</font><font size=1 face="sans-serif">Lamp</font><br><hr noshade><br>{asked}',
    "Notes, as text": f"<tt><font size=2>{{own}}</font></tt><br><br><tt><font size=2>{_NAME} {_MAIL} wrote on 02.11.2026 10:00:00:<br><br>{{marked}}</font></tt>",
    "Notes, table": "<font size=2>{own}</font><br><br><table width=100%><tr valign=top><td width=40%><font size=1><b>Ana Ruiz/Halden</b> </font><p><font size=1>02.11.2026 10:00</font><td width=59%><table width=100%><tr><td><div align=right><font size=1>An</font></div><td><font size=1>Eva Roth/Roth@ROTH</font><tr><td><div align=right><font size=1>Kopie</font></div><td><tr><td><div align=right><font size=1>Thema</font></div><td><font size=1>Lamp</font></table></table><br><br>{asked}",
    "Mailspring": f'<div>{{own}}</div><br/><div class="gmail_quote_attribution">On Nov 2 2026, at 10:00 am, {_NAME} {_MAIL} wrote:</div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex"><div>{{asked}}</div></blockquote>',
    "Spark": f'<div name="messageBodySection"><div dir="auto">{{own}}</div></div><div name="messageSignatureSection"><br /></div><div name="messageReplySection">On 2 Nov 2026, 10:00 +0100, {_NAME} {_MAIL}, wrote:<br /><blockquote type="cite" class="spark_quote" style="margin: 5px 5px">{{asked}}</blockquote></div>',
    "Spark, no type": f'<div name="messageBodySection">{{own}}</div><div name="messageReplySection">Am 2. Nov. 2026, 10:00 +0100 schrieb {_NAME} {_MAIL}:<br /><blockquote class="spark_quote">{{asked}}</blockquote></div>',
    "K-9": f'<div dir="auto">{{own}}</div><br><br><div class="gmail_quote"><div dir="auto">Am 2. November 2026 10:00:00 MEZ schrieb {_NAME} {_MAIL}:</div><blockquote class="gmail_quote" style="margin: 0pt 0pt 0pt 0.8ex">{{asked}}</blockquote></div>',
    "K-9, header": f'<div>{{own}}</div><br><br><div style="font-size:10.0pt;font-family:Tahoma;padding:3.0pt 0in 0in 0in"><hr style="border:none;border-top:solid #E1E1E1 1.0pt"><b>From:</b> {_NAME} {_MAIL}<br><b>Sent:</b> 2 November 2026 10:00:00 CET<br><b>To:</b> Eva<br><b>Subject:</b> Lamp<br></div><br>{{asked}}',
    "Samsung": f'<div dir="auto">{{own}}</div><div dir="auto"><br></div><div style="font-size:100%;color:#000000"><!-- originalMessage --><div>-------- Original message --------</div><div>From: {_NAME} {_MAIL} </div><div>Date: 02/11/2026  10:00  (GMT+01:00) </div><div>To: eva@roth.example </div><div>Subject: Lamp </div><div><br></div></div>{{asked}}',
    "Samsung, German": f'<div dir="auto">{{own}}</div><div style="font-size:100%"><div>-------- Ursprüngliche Nachricht --------</div><div>Von: {_NAME} {_MAIL} </div><div>Datum: 02.11.26  10:00  (GMT+01:00) </div><div>An: eva@roth.example </div><div>Betreff: Lamp </div></div>{{asked}}',
    "Proton, mobile": f'{{own}}<br><br><br>-------- Original Message --------<br>On 02/11/2026 10:00, {_NAME} {_MAIL} wrote:<blockquote class="protonmail_quote"><br>{{asked}}</blockquote>',
    "Proton, signed": f'<div>{{own}}</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me/">Proton Mail</a> secure email.</div></div><div><br></div><div class="protonmail_quote">On Monday, November 2nd, 2026 at 10:00, {_NAME} {_MAIL} wrote:<br><blockquote class="protonmail_quote" type="cite">{{asked}}</blockquote></div>',
    "Tutanota": '<div>{own}<br></div><div><br></div><div>2 Nov 2026, 10:00 by ana@halden.example:<br></div><blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8">{asked}</blockquote>',
    "Tutanota, German": '<div dir="auto">{own}<br></div><div dir="auto">-- <br></div><div dir="auto">Sicher versendet mit Tuta Mail<br></div><div dir="auto"><br></div><div dir="auto">2. Nov. 2026, 10:00 von ana@halden.example:<br></div><blockquote class="tutanota_quote">{asked}</blockquote>',
    "Fastmail": f'<div>{{own}}<br></div><div><br></div><div>On Mon, 2 Nov 2026, at 10:00 AM, {_NAME} wrote:<br></div><blockquote type="cite" id="qt" style=""><div>{{asked}}</div></blockquote><div><br></div>',
    "Missive": f'<div>{{own}}</div><br><div class="missive_quote"><div>On November 2, 2026 at 10:00 AM, {_NAME} (<a href="mailto:ana@halden.example">ana@halden.example</a>) wrote:</div><blockquote type="cite" style="margin:0">{{asked}}</blockquote></div>',
    "Missive, no type": f'<div>{{own}}</div><div class="missive_quote">On Mon, Nov 2, 2026 at 10:00 AM, {_NAME} {_MAIL} wrote:<br><blockquote class="missive_quote">{{asked}}</blockquote></div>',
    "Superhuman": f'<div>{{own}}</div><br><div class="gmail_signature"><div>Sent via <a href="https://sprh.mn/?vip=ana">Superhuman</a></div></div><br><div class="gmail_quote">On Mon, Nov 02, 2026 at 10:00 AM, {_NAME} <span dir="ltr">&lt;<a href="mailto:ana@halden.example">ana@halden.example</a>&gt;</span> wrote:<br><blockquote class="gmail_quote sh-color-black sh-color" style="margin:0">{{asked}}</blockquote></div>',
    "Naver": f'<div style="font-size:10pt">{{own}}</div><p>&nbsp;</p><div class="gmail_quote_naver" style="font-size:10pt">-----Original Message-----<br><b>From:</b> "{_NAME}" {_MAIL}<br><b>To:</b> &lt;eva@roth.example&gt;;<br><b>Cc:</b> <br><b>Sent:</b> 2026-11-02 (월) 10:00:00 (GMT+09:00)<br><b>Subject:</b> Lamp<br>&nbsp;</div><div>{{asked}}</div>',
    "QQ": f'<div>{{own}}</div><div><includetail><div>&nbsp;</div><div style="font:Verdana normal 14px;color:#000;"><div style="FONT-SIZE: 12px;FONT-FAMILY: Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="FONT-SIZE: 12px;background:#efefef;padding:8px;"><div id="menu_sender"><b>发件人: </b>&nbsp;"{_NAME}" {_MAIL};</div><div><b>发送时间: </b>&nbsp;2026年11月2日(星期一) 上午10:00</div><div><b>收件人: </b>&nbsp;"Eva"&lt;eva@roth.example&gt;;</div><div></div><div><b>主题: </b>&nbsp;Lamp</div></div><div>&nbsp;</div>{{asked}}</div></includetail></div>',
    "QQ, English": f'<div>{{own}}</div><div><div>&nbsp;</div><div style="FONT-SIZE: 12px">------------------&nbsp;Original&nbsp;------------------</div><div style="background:#efefef"><div><b>From: </b>&nbsp;"{_NAME}";{_MAIL};</div><div><b>Date: </b>&nbsp;Mon, Nov 2, 2026 10:00 AM</div><div><b>To: </b>&nbsp;"Eva";</div><div><b>Subject: </b>&nbsp;Lamp</div></div><div>&nbsp;</div>{{asked}}</div>',
    "163": f'<div style="line-height:1.7">{{own}}</div><p style="margin: 0;"><br></p><div style="position:relative;zoom:1"></div><div id="divNeteaseMailCard"></div><p style="margin: 0;">At 2026-11-02 10:00:00, "{_NAME}" {_MAIL} wrote:</p><blockquote id="isReplyContent" style="PADDING-LEFT: 1ex">{{asked}}</blockquote>',
    "163, Chinese": f'<div>{{own}}</div><br>在 2026-11-02 10:00:00，"{_NAME}" {_MAIL} 写道：<br> <blockquote id="isReplyContent">{{asked}}</blockquote>',
    "Mail Master": '<div>{own}</div><div id="ntes-pcmac-signature"></div><div class="J-reply" style="background-color:#f2f2f2;"><div style="font-size:12px;line-height:1.5">---- 回复的原邮件 ----</div><table><tbody><tr><td>发件人</td><td>Ana Ruiz&lt;ana@halden.example&gt;</td></tr><tr><td>发送日期</td><td>2026年11月02日 10:00</td></tr><tr><td>收件人</td><td>eva@roth.example</td></tr><tr><td>主题</td><td>Lamp</td></tr></tbody></table></div><div>{asked}</div>',
    "Mail.ru": f'<div>{{own}}</div><div>&nbsp;</div><blockquote style="border-left:1px solid #0857A6;margin:10px;padding:0 0 0 10px;">Понедельник, 2 ноября 2026, 10:00 +03:00 от {_NAME} {_MAIL}:<br>&nbsp;<div><div>{{asked}}</div></div></blockquote>',
    "Mail.ru, of today": f'<div>{{own}}</div><div data-signature-widget="container">--<br>Eva</div><div>&nbsp;</div><blockquote style="border-left:1px solid #0857A6"><div>Понедельник, 2 ноября 2026, 10:00 +03:00 от {_NAME} {_MAIL}:</div><div>{{asked}}</div></blockquote>',
    "Yandex": f'<div>{{own}}</div><div> </div><div>02.11.2026, 10:00, "{_NAME}" {_MAIL}:</div><blockquote><p>{{asked}}</p></blockquote>',
    "Yandex, of today": f'<div>{{own}}</div><div>----------------</div><div>Кому: Eva (eva@roth.example);</div><div>Тема: Lamp;</div><div>02.11.2026, 10:00, "{_NAME}" {_MAIL}:</div><blockquote><div>{{asked}}</div></blockquote>',
    "Airmail": f'<div>{{own}}</div><br><p class="airmail_on">On 2 November 2026 at 10:00:00, {_NAME} (<a href="mailto:ana@halden.example">ana@halden.example</a>) wrote:</p> <blockquote type="cite" class="clean_bq"><span>{{asked}}</span></blockquote>',
    "BlueMail": f'<div>{{own}}</div><div class="gmail_quote" >On Nov 2, 2026, at 10:00, {_NAME} {_MAIL} wrote:<blockquote class="gmail_quote" style="margin: 0pt">{{asked}}</blockquote></div>',
    "Front": '<div>{own}</div><div class="front-signature"></div><br><blockquote type="cite" class="front-blockquote front-preserve-blockquote">On Nov 2, 2026, 10:00 AM GMT+1 ana@halden.example wrote:<br><br>{asked}</blockquote>',
    "HEY": f'<div class="trix-content"><div>{{own}}</div></div><br>On November 2, 2026, {_NAME} {_MAIL} wrote:<br><blockquote style="margin: 0 0 0 1em">{{asked}}</blockquote>',
    "Canary": f'<div id="CanaryBody"><div>{{own}}</div></div><div id="CanaryDropbox"></div><blockquote id="CanaryBlockquote"><div><div>On Monday, Nov 02, 2026 at 10:00 AM, {_NAME} {_MAIL} wrote:<br></div><div>{{asked}}</div></div></blockquote>',
    "Mailbird": f'<div>{{own}}</div><blockquote class="history_container" type="cite" style="border-left-style:solid"><p>On 02/11/2026 10:00:00, {_NAME} {_MAIL} wrote:</p><div>{{asked}}</div></blockquote>',
    "eM Client": f'<div>{{own}}</div><div><br></div><div>------ Original Message ------</div><div>From "{_NAME}" {_MAIL}</div><div>To "Eva"</div><div>Date 02/11/2026 10:00:00</div><div>Subject Lamp</div><div><br></div><blockquote type="cite" class="cite2">{{asked}}</blockquote>',
    "Postbox": f'<div>{{own}}</div><br><span>{_NAME} wrote on 02/11/2026 10:00:</span><br><blockquote type="cite" cite="mid:a@x.example">{{asked}}</blockquote>',
    "Outlook for Mac": f'<div class="WordSection1"><p class="MsoNormal">{{own}}</p><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>From: </b>{_NAME} {_MAIL}<br><b>Date: </b>Monday, 2 November 2026 at 10:00<br><b>To: </b>Eva<br><b>Subject: </b>Lamp</p></div><p class="MsoNormal">{{asked}}</p></div>',
    "Windows Live Mail": f'<div>{{own}}</div><div style="FONT: 10pt tahoma"><div>&nbsp;</div><div style="BACKGROUND: #f5f5f5"><div><b>From:</b> <a title="ana@halden.example">{_NAME}</a> </div><div><b>Sent:</b> Monday, November 2, 2026 10:00 AM</div><div><b>To:</b> <a>Eva</a> </div><div><b>Subject:</b> Lamp</div></div></div><div>&nbsp;</div><div>{{asked}}</div>',
    "Open-Xchange": f'<div>{{own}}</div><blockquote type="cite"><div>On 11/02/2026 10:00 AM CET {_NAME} {_MAIL} wrote:</div><div>&nbsp;</div><div>{{asked}}</div></blockquote>',
    "Seznam": f'<div>{{own}}</div><aside>---------- Původní e-mail ----------<br>Od: {_NAME} {_MAIL}<br>Komu: eva@roth.example<br>Datum: 2. 11. 2026 10:00:00<br>Předmět: Lamp</aside><br><blockquote data-email="ana@halden.example">{{asked}}</blockquote>',
    "WP": f'<div>{{own}}</div><div class="nh_extra"><p class="nh_quote_intro">Dnia 2 listopada 2026 10:00 {_NAME} {_MAIL} napisał(a):</p><blockquote class="nh_quote">{{asked}}</blockquote></div>',
    "Gmail, Serbian": f'<div dir="ltr">{{own}}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">пон, 2. нов 2026. у 10:00 {_NAME} {_MAIL} је написао/ла:<br></div><blockquote class="gmail_quote">{{asked}}</blockquote></div>',
    "Libero": f'<div>{{own}}</div><blockquote type="cite"><div>Il 02/11/2026 10:00 {_NAME} {_MAIL} ha scritto:</div><div>{{asked}}</div></blockquote>',
    "Apple, Croatian": f'<div>{{own}}</div><div><br><blockquote type="cite"><div>Dana 02.11.2026., u 10:00, {_NAME} {_MAIL} napisao je:</div><br><div>{{asked}}</div></blockquote></div>',
    "Yahoo, telephone": f'{{own}}<br><br><p>Sent from Yahoo Mail on Android</p> <br> <blockquote style="margin: 0 0 20px 0;"> <div style="font-family:Roboto">On Mon, 2 Nov 2026 at 10:00, {_NAME}</div><div style="font-family:Roboto">{_MAIL} wrote:</div> <div style="padding: 10px 0 0 20px;">{{asked}}</div></blockquote>',
}


def provider_replies() -> Iterator[Sample]:
    own, asked = "\n".join(OWN), "\n".join(ASKED)
    for name, above in MARKED.items():
        marked = "\n".join(f"> {line}" for line in ASKED)
        yield Sample(f"{name}, marked", f"{own}\n\n{above}\n\n{marked}\n", OWN, ASKED, "Re: Lamp")
        yield Sample(f"{name}, tight", f"{own}\n\n{above}\n{marked}\n", OWN, ASKED, "Re: Lamp")
    initials = "\n".join(f"AR> {line}" for line in ASKED)
    for name in ("The Bat!", "The Bat!, German"):
        yield Sample(f"{name}, initials", f"{own}\n\n{MARKED[name]}\n\n{initials}\n", OWN, ASKED, "Re: Lamp")
    for name, above in UNMARKED.items():
        yield Sample(f"{name}, unmarked", f"{own}\n\n{above}\n\n{asked}\n", OWN, ASKED, "Re: Lamp")
    for name, page in PAGES.items():
        body = page.format(own="<br>".join(OWN), asked="<br>".join(ASKED), marked="<br>&gt; ".join(("", *ASKED)))
        yield Sample(f"{name}, html", body, OWN, ASKED, "Re: Lamp", html=True)


def html_forms() -> Iterator[Sample]:
    """The same introductions in HTML: above a marked blockquote, above a plain one, and at the beginning of one."""
    own = "".join(f"<p>{line}</p>" for line in OWN)
    asked = "".join(f"<div>{line}</div>" for line in ASKED)
    for name, above in MARKED.items():
        lines = "<br>".join(map(escape, above.split("\n")))
        pages = {
            "cite": f'{own}<p>{lines}</p><blockquote type="cite">{asked}</blockquote>',
            "plain": f'{own}<div>{lines}</div><blockquote style="border-left:1px #ccc solid">{asked}</blockquote>',
            "inside": f'{own}<blockquote style="border-left:1px #ccc solid"><div>{lines}</div>{asked}</blockquote>',
        }
        for form, page in pages.items():
            yield Sample(f"{name}, {form}", page, OWN, ASKED, "Re: Lamp", html=True)
            below = page.replace(own, "<p>Hi,</p>") + own
            yield Sample(f"{name}, {form}, below", below, OWN, (), "Re: Lamp", html=True)
    for name, above in UNMARKED.items():
        lines = "<br>".join(map(escape, above.split("\n")))
        for form, rule in (("div", "<br>"), ("hr", "<hr>")):
            page = f"<div>{own}</div>{rule}<div>{lines}</div><br><div>{asked}</div>"
            yield Sample(f"{name}, {form}", page, OWN, ASKED, "Re: Lamp", html=True)


def provider_traps() -> Iterator[Sample]:
    """The author's words are below the quote, or between its lines, or there is no quote."""
    marked = "\n".join(f"> {line}" for line in ASKED)
    for name, above in MARKED.items():
        yield Sample(f"{name}, below", f"{above}\n{marked}\n\n{OWN[0]}\n{OWN[1]}\n", OWN, (), "Re: Lamp")
        between = f"Hi,\n\n{above}\n> {ASKED[0]}\n\n{OWN[0]}\n\n> {ASKED[1]}\n\n{OWN[1]}\n"
        yield Sample(f"{name}, between", between, OWN, (), "Re: Lamp")
    for name in ("The Bat!", "The Bat!, German"):
        lines = f"Hi,\n\n{MARKED[name]}\n\nAR> {ASKED[0]}\n{OWN[0]}\nAR> {ASKED[1]}\n{OWN[1]}\n"
        yield Sample(f"{name}, initials, between", lines, OWN, (), "Re: Lamp")
    for name, above in (MARKED | UNMARKED).items():
        yield Sample(f"{name}, alone", f"{above}\n\n{OWN[0]}\n{OWN[1]}\n", OWN, (), "Re: Lamp")
    for name, page in PAGES.items():
        body = page.format(own="Hi,", asked=ASKED[0], marked="") + f"<p>{OWN[0]}</p><p>{OWN[1]}</p>"
        if "block" in page:
            yield Sample(f"{name}, below, html", body, OWN, (), "Re: Lamp", html=True)
