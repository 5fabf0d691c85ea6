"""Which letters each language is written with, and the charsets its programs used before UTF-8.

The letters are ordered by how often they occur in running text, most frequent first. `guess.py` compares these rows
with bytes whose charset is not declared. A row of a script other than Latin has no ASCII letters. Chinese, Japanese and
Korean have only their most frequent characters here. Languages in Latin letters share most of them, so they also have a
row of short, frequent words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Script(Enum):
    """How a language forms words."""

    WESTERN = "Latin, in windows-1252"
    LATIN = "Latin, in another charset"
    OTHER = "an alphabet in which ASCII letters have no place"
    IDEOGRAMS = "signs of two bytes"


@dataclass(frozen=True)
class Alphabet:
    """The letters of a language in lower case, and the Python codecs that can encode them."""

    letters: str
    codecs: tuple[str, ...]
    script: Script
    words: frozenset[str] = frozenset()


def _rows(script: Script, codecs: str, rows: dict[str, str]) -> dict[str, Alphabet]:
    return {
        name: Alphabet(letters, tuple(codecs.split()), script, frozenset(WORDS.get(name, "").split()))
        for name, letters in rows.items()
    }


#: The most frequent words of languages in Latin letters, and the words that open and close mails.
WORDS = {
    "German": "der die und das ich nicht ist sie zu ein eine wir mit für auf den von im bitte ihre ihr"
    " hallo für über können grüße grüßen möchte würde wäre danke zum zur es an als aber haben"
    " wurde geehrte herr frau auch bei nach",
    "French": "le la les de des et un une est que vous je pas pour dans sur en du au à été nous votre"
    " mon ma bonjour merci ce ne se par avec qui où même très être déjà voilà après cette ai"
    " mais plus sont d l c n s qu j",
    "Spanish": "el la los las de que y en un una por con no es para se su me mi lo del más está qué cómo"
    " sí también gracias hola pedido muy pero este esta al le he día están ha como usted"
    " saludos",
    "Portuguese": "o a os as de que e em um uma por com não é para se seu sua da do dos das no na mais está"
    " você já são também olá obrigado até há ao às à como mas eu nós ou pelo pela meu minha"
    " foi este esta bom dia",
    "Italian": "il la le gli di che e un una per con non è si del della dei al alla sono ho mi da in più"
    " può perché già così però grazie buongiorno né ciò ma come questo questa lo i nel nella"
    " anche vostro vi ci sarà città",
    "Dutch": "de het een en van ik is niet te dat op voor met u uw in er zijn wij maar ook bij aan"
    " geachte mijn als heeft kan graag vriendelijke groet dit geen beste wordt één",
    "Swedish": "och att det som en är på av för jag inte med den har vi till om ett de från kan du när"
    " så hej tack er vår också får även nu skulle mycket men var eller vänliga hälsningar",
    "Danish and Norwegian": "og at det som en er på av af for jeg ikke med den har vi til om et de fra kan når så hej"
    " hei også få jeg mig din må være går år nå tak takk vil men var eller ikkje blir bliver"
    " været hilsen venlig vennlig",
    "Finnish": "ja on ei se että en hän ole oli mutta kun niin tai voi myös jos sitä tämä hei kiitos"
    " olen minä vielä olisi mitä nyt kuin ovat terveisin tilaus yhteyttä",
    "Catalan": "el la els les de que i en un una per amb no és es al del més però també gràcies bon dia"
    " aquesta aquest ha he com seva si està hola són meu teu què això",
    "Icelandic": "og að í er á sem ekki það við fyrir var með til hann en um ég hún þetta frá af eru eða"
    " þú hefur þegar góðan dag takk kveðja þá því verið okkur",
    "Polish": "i w nie na się z do to jest że o po za od jak ale co dla są przez mam czy dzień dobry"
    " proszę dziękuję być już może tylko oraz które który mój pan pani państwa ma będzie"
    " jeszcze bardzo więcej ze lub aby",
    "Czech": "a v se na je že to s z do o i k po pro ve ale jsem za od by jak si být dobrý den děkuji"
    " prosím není jsou vás která který také když už více nebo své bude tak může této aby musí"
    " má",
    "Slovak": "a v sa na je že to s z do o k po pre vo ale som za od by ako si byť dobrý deň ďakujem"
    " prosím nie sú vás ktorá ktorý tiež keď už viac alebo bude tak môže aby musí má",
    "Hungarian": "a az és hogy nem is egy van ez de meg csak volt kell már vagy mint még jó napot kérem"
    " köszönöm tisztelt önök mely amely lesz üdvözlettel között ha kérjük szeretném után fel"
    " el ki nincs több",
    "Romanian": "de şi în a la să nu cu pe o este un că din ce pentru mai care am au sau dar bună ziua"
    " mulţumesc vă rog acest aceasta ale al prin fi fără după aţi dvs sunt fost cel trebuie",
    "Croatian": "i u je se na da za su od s o ne kao što koji koja iz to bi ili nije sam će već dobar dan"
    " hvala molim vas te po do ali možete još više biti ovaj ova li ako svi sve",
    "Slovenian": "in je v se na za da so z pa ki od s o ne kot bi ali tudi po ni še sem če že dober dan"
    " hvala prosim vas več biti lahko ta to iz pri smo bo sta vse kako",
    "Turkish": "ve bir bu için ile da de çok daha ne var olarak gibi kadar sonra değil mi en merhaba"
    " teşekkürler teşekkür lütfen sayın ben siz ama veya olan ederim iyi günler hiç yok şu",
    "Estonian": "ja on ei et see ta ka kui oma mis ning aga või seda pole tere aitäh palun oli nii siis"
    " teie meie kas saab tuleb üle välja päeva olen",
    "Latvian": "un ir ar no par uz kas ka nav lai bet to tā vai kā arī ir pie pēc labdien paldies lūdzu"
    " jūsu mēs es šis šī tikai būt tika jau vēl tiek ja",
    "Lithuanian": "ir yra į kad su iš tai ar bet kaip už to apie nuo jūsų mes aš ši šis buvo ačiū prašome"
    " laba diena jau dar tik būti per nėra po savo jei turi visus",
    "Vietnamese": "và là của có không các được cho một trong những này với để khi người đã từ về đến tôi"
    " xin chào cảm ơn vui lòng quý khách đơn hàng anh chị bạn sẽ",
}


ALPHABETS = {
    **_rows(
        Script.WESTERN,
        "cp1252",
        {
            "German": "enitsradhulgcobmzwfkpüävöjyßxqé",
            "French": "esiatruonlcdmpvéfbghjzqèxàêykûçôwîùïâëœ",
            "Spanish": "eaornisctdlumpvbgfhóáyñqíújzéxükw",
            "Portuguese": "aeorisndtmuclpvgfãbhçzáqjxúêéíõóàykâwô",
            "Italian": "eiaontrslcudmpgvzfbhqèkyùjòìàéwx",
            "Dutch": "enatirodsgluwvmhcbjkzpfyxëïqéèöü",
            "Swedish": "tearnlisdogkämvfuböhpåcyjéwzx",
            "Danish and Norwegian": "etnrdiaslgkomuvfbhæpjåyøcwzéòx",
            "Finnish": "atiesnoläukmvryhpjdögbfcwåz",
            "Catalan": "earsitnoulcdmpvgbfhqàyxóéèjïíúçzòküw",
        },
    ),
    **_rows(Script.LATIN, "cp1252", {"Icelandic": "aienrtslðukgmfdvoyáhþíbúóöpjæéýcxzw"}),
    **_rows(
        Script.LATIN,
        "cp1250 iso8859-2",
        {
            "Polish": "aieonswtrzypkcudjmlbłżgęhąćśfóńźv",
            "Czech": "eonatsluprdkivmíybázhjžcěéščřýůfúgwxňďťó",
            "Slovak": "eaontsirlvpdkumábyzhcjížčťéšúýfľgôňďxóäĺŕw",
            "Hungarian": "eatlsnzrokmiégájbdvyhuóöpfőícüúűwx",
            "Romanian": "eairtuncolsădmpţgvfzbşîhjâxkyw",
            "Croatian": "iaeonrstjkuldpvmzbgcščhžćfđyw",
            "Slovenian": "eainotsrvljpkdmbzšučgchžfyw",
        },
    ),
    **_rows(Script.LATIN, "cp1254", {"Turkish": "aienrldsıtukmoybzgçğücşphfvöjâwîû"}),
    **_rows(
        Script.LATIN,
        "cp1257 iso8859-13",
        {
            "Estonian": "aeistulnkodrmvägpjõhbüfcöyžwšz",
            "Latvian": "aitserunolkāmvpdjīzbēšgūcfņļhyžķģčw",
            "Lithuanian": "iasternkuodlpmvgjšbųžyėįąūčfęczh",
        },
    ),
    **_rows(
        Script.LATIN,
        "cp1258",
        {"Vietnamese": "nhtcigađmulkpyáàbưậorsóạôợếedvxêảãẩộốểệớịờọqữổấửủặỉắềựâăùơứìụíúỗẽầằýỏèéẻẹòõồỡởùũừỳỵỷỹẳẵẫễĩ"},
    ),
    **_rows(
        Script.OTHER,
        "cp1251 koi8-r iso8859-5 cp866 mac_cyrillic",
        {"Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"},
    ),
    **_rows(Script.OTHER, "cp1251 koi8-u iso8859-5 mac_cyrillic", {"Ukrainian": "аноеитіврслкдмпуьзябйчгцжшєщфхюїґ"}),
    **_rows(
        Script.OTHER,
        "cp1251 iso8859-5",
        {
            "Belarusian": "анілекярсыптдцьовзмбуэўчгшйхжфюґё",
            "Bulgarian": "аеитонрсвлдпмкзбъяучгйжцфшщхюь",
            "Serbian": "аиеонртскмдвлујпзбшгцчњжљфћхђџ",
            "Macedonian": "аеионтрскдвлмпзјбугшцчњжфќхџѓљѕ",
        },
    ),
    **_rows(Script.OTHER, "cp1253 iso8859-7", {"Greek": "αοιετσνηυρπκμλςίάγόδέήωχθύφβώξζψϊΐϋΰ"}),
    **_rows(Script.OTHER, "cp1255", {"Hebrew": "יוהלאתרמשבנסחקדפםעכןטזצגךץףְִֶַָּ"}),
    **_rows(Script.OTHER, "cp1256 iso8859-6", {"Arabic": "اليمرتنوةحأبدعكقسفهخجصإذىطغًثشضءزئُآظِـؤَّ"}),
    **_rows(Script.OTHER, "cp1256", {"Persian": "ایردنتموهبکشلسفزعگخحقجذطصپژآغچضئظًثءأيك"}),
    **_rows(Script.OTHER, "cp874", {"Thai": "านรอก้เ่ลัมีงสบหยดวตไทปคูใจิ์ขืแุชผะ็พถำซณโฟธึญษฤศภฉฐฎฏๆฝฬฆฮๅ"}),
    **_rows(
        Script.IDEOGRAMS,
        "gb18030",
        {
            "Chinese, simplified": "的，。一是不了在有我人这们你他您大中来上请个为到和国地以说时要就出会可也对生"
            "能而子那得于着下自之年过发后作里用好谢电话订单客户邮件问题公司收款货时间方便"
            "？：！、如果已经没关于回复联系确认发票价格报需要服务产品付合同信息今天明日月"
            "号工本部门张经理先王李现成第新多小心样么些所行动开同学进事知道见给等从想看还"
            "很让去无法其但两次文系统使提交支持处重通注册密码登录尊敬期内更加高面请查收附"
            "件谢欢迎（）“”",
        },
    ),
    **_rows(
        Script.IDEOGRAMS,
        "cp950 gb18030",
        {
            "Chinese, traditional": "的，。一是不了在有我人這們你他您大中來上請個為到和國地以說時要就出會可也對生"
            "能而子那得於著下自之年過發後作裡用好謝電話訂單客戶郵件問題公司收款貨時間方便"
            "？：！、如果已經沒關於回覆聯繫絡確認發票價格報需要服務產品付合同信息今天明日"
            "月號工本部門張經理先王李現成第新多小心樣麼些所行動開同學進事知道見給等從想看"
            "還很讓去無法其但兩次文系統使提交支持處重通註冊密碼登錄尊敬期內更加高面請查收"
            "附件謝歡迎（）「」",
        },
    ),
    **_rows(
        Script.IDEOGRAMS,
        "cp932 euc-jp",
        {
            "Japanese": "のいしにるすてたでま、。はをとがなりかおきこれさせんあもよくうごらっどけみそ"
            "だえちめねつ送文ばじわろ願ーンスルトリイラクアドシジフメレッタテロコプサマパ"
            "デグムセブカバキニチエオウビャュョ注お様件日月世話会社御確認用品番号場合度下"
            "何問い返信頂申込上内容弊株式定通知本人名前見積書請求契約予年時分今後新連絡先"
            "変更商購入支払料金発株べむへゃゅょぎぐげぼびゆざずぜやひふほろ出来者大事中行"
            "利物（）「」・・〜！？製員登録担当店受付済方手続理由山田中鈴木佐藤",
        },
    ),
    **_rows(
        Script.IDEOGRAMS,
        "cp949",
        {
            "Korean": "이다니에는의을하가고지를기로습서은한사도리어요시대주자인해아입그나정보수부있"
            "안합제문일오드세으전니감과게여라신메스만장구용공비트상저계배송면원연호들님까"
            "너조화무경내되물유성확동금마발했우또바회소거재개실야결관번편중년월품문의메일"
            "견적가격환불취소변경녕안답변청빠른부탁택받싶어떻게없습네와생국간진모미래왔터"
            "데선것할려렸될된더적차단통남행방김박최출직위치설명달학교객현업약속질좋알잘많"
            "때출체크력식불",
        },
    ),
}
