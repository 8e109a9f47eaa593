"""The labels by which pages declare encodings, as the Encoding Standard (WHATWG) reads them.

Only labels that Python does not know or reads as another encoding; see `python_encoding`.
"""

import codecs

_LABELS = """
utf-8: unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8
iso8859-2: iso88592
iso8859-3: iso88593
iso8859-4: iso88594
iso8859-5: iso88595
iso8859-6: iso88596 iso-8859-6-e iso-8859-6-i csiso88596e csiso88596i
iso8859-7: iso88597 sun_eu_greek
iso8859-8: iso88598 iso-8859-8-e iso-8859-8-i csiso88598e csiso88598i visual logical
iso8859-10: iso885910
iso8859-13: iso885913
iso8859-14: iso885914
iso8859-15: iso885915 csisolatin9
koi8-r: koi koi8
koi8-u: koi8-ru
mac-roman: mac macintosh x-mac-roman csmacintosh
mac-cyrillic: x-mac-cyrillic x-mac-ukrainian
cp874: dos-874 windows-874 tis-620 iso-8859-11 iso8859-11 iso885911
cp1250: x-cp1250
cp1251: x-cp1251
cp1252: ascii us-ascii ansi_x3.4-1968 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987
cp1252: iso-ir-100 l1 latin1 latin-1 csisolatin1 cp819 ibm819 x-cp1252 x-user-defined
cp1253: x-cp1253
cp1254: iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 iso-ir-148 l5 latin5 csisolatin5 x-cp1254
cp1255: x-cp1255
cp1256: x-cp1256
cp1257: x-cp1257
cp1258: x-cp1258
gb18030: gb2312 gb_2312 gb_2312-80 gbk x-gbk chinese csgb2312 csiso58gb231280 iso-ir-58
big5hkscs: big5 big5-hkscs cn-big5 x-x-big5 csbig5
euc-jp: x-euc-jp cseucpkdfmtjapanese
cp932: shift_jis shift-jis sjis x-sjis ms_kanji windows-31j csshiftjis
cp949: euc-kr cseuckr korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 csksc56011987 iso-ir-149
cp949: windows-949
utf-16-le: utf-16 unicode unicodefeff csunicode iso-10646-ucs-2 ucs-2
utf-16-be: unicodefffe
"""
_ENCODINGS = {
    label: line.partition(":")[0]
    for line in _LABELS.strip().splitlines()
    for label in line.partition(": ")[2].split()
}


def python_encoding(label: str) -> str | None:
    """Python's name of the text encoding that a label stands for; None if there is none."""
    given = label.strip().lower()
    try:
        name = codecs.lookup(_ENCODINGS.get(given, given)).name
        "".encode(name)  # some codecs are not text encodings
    except LookupError:
        return None
    return name
