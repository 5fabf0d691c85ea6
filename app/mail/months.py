"""The names of months as programs write them into dates, in about 40 languages.

A month is recognised by the beginning of its name, without accents: `nov` matches Nov, Nov., Novembre, noviembre and
Novämber. If two languages use one name for different months, the larger language counts: Croatian `listopad` is read as
November.
"""

from __future__ import annotations

import unicodedata
from functools import cache

_BEGINNINGS = (
    "jan gen ene xan ian jaan oca sty led sij tammi saus urt янв яну јан січ студ ιαν ינו יינ يناير كانون ژانویه"
    " มกรา ม.ค",
    "feb fev fevr veebr helmi lut uno sub velj vas ots фев лют φεβ פבר فبراير شباط فوریه กมภา กุมภา ก.พ",
    "mar mrt maa marz bre ozu kov мар мар бер сак μαρ מרץ مارس اذار มีนา มีน มี.ค",
    "apr avr abr huhti kwi dub tra nis bal api апр квіт крас απρ אפר ابريل نيسان اوریل เมษา เม.ย",
    "may mai maj mag mei maig mayis touko kve svi geg maia май мая маи мај трав μαι מאי מאיי مايو ايار مه พฤษภา พ.ค",
    "jun juin juny juni giu iun juun xun kesa cze cerv cvn haz birz eka июн јун юни черв чэр ιουν יוני يونيو حزيران"
    " ژوين ژوئن มิถน มิถุน มิ.ย",
    "jul juil lug iul juul xul heina lip cervenec cervence cvc tem liep uzt июл јул юли лип ліп ιουλ יולי يوليو"
    " تموز ژويیه ژوئیه กรกฎา ก.ค",
    "aug ago aou elo sie srp agu avg rugp kol abu авг серп жні αυγ אוג اغسطس اب اوت สิงหา ส.ค",
    "sep set syys wrz zar eyl rugs ruj ira сен сеп вер ספט σεπ سبتمبر ايلول سپتامبر กนยา กันยา ก.ย",
    "oct okt out ott loka paz rij eki spal urr окт жовт кас οκτ אוק اكتوبر تشرين اکتبر ตลา ตุลา ต.ค",
    "nov noi marras lis kas lapkr stu aza ное ноя нояб нов лист ліс νοε נוב نوفمبر نوامبر พฤศจ พ.ย",
    "dec dez dic des dets joul gru pro ara gruod abe дек дец груд сне δεκ דצמ ديسمبر دسامبر ธนวา ธันวา ธ.ค",
)


def folded(text: str) -> str:
    """Lower case without accents; full-width digits as digits."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))


def month(word: str) -> int | None:
    """1 to 12; None if it is not a month. `word`: folded."""
    beginnings = _by_beginning()
    return next((beginnings[word[:end]] for end in range(8, 1, -1) if word[:end] in beginnings), None)


@cache
def _by_beginning() -> dict[str, int]:
    return {folded(name): number for number, row in enumerate(_BEGINNINGS, 1) for name in row.split()}
