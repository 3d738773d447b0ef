"""XML by class: what each is about, and what is to come of it."""

from dataclasses import dataclass

BOMB = '<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass(frozen=True)
class Class:
    """Documents of one kind; `passes` None: that is up to the parser."""

    documents: tuple[str | bytes, ...]
    passes: bool | None = False


def wrapped(*contents: str) -> tuple[str, ...]:
    return tuple(f"<xml>{content}</xml>" for content in contents)


CLASSES = {
    "plain": Class(
        wrapped(
            "", "<a>1</a>", "<a/>", "<a></a>", "<a><b>1</b></a>", "<a>1</a><a>2</a>", "<a array='true'>1</a>"
        ),
        True,
    ),
    "texts": Class(
        wrapped(
            "<a>é😀</a>",
            "<a>&lt;&amp;&gt;&quot;&apos;</a>",
            "<a>&#65;&#x1F600;</a>",
            "<a> \t\r\n </a>",
            "<a><![CDATA[<b>&amp;]]></a>",
            "<a>1<!-- x -->2</a>",
            "<a>1<?p x?>2</a>",
            "<a>]]</a>",
            "<a>\u2028\x85</a>",
        ),
        True,
    ),
    "tokens hidden": Class(
        wrapped(
            "<token>x</token>",
            "<Token>x</Token>",
            "<token>x</token><token>y</token>",
            "<token><![CDATA[x]]></token>",
            "<token><!-- -->x</token>",
            "<entry key='token'>x</entry>",
            "<entry key='&#116;oken'>x</entry>",
            "<to\u212aen>x</to\u212aen>",
            "<token array='true'>x</token>",
            "<token><b>x</b></token>",
        ),
        None,  # some of the names are names only to some parsers
    ),
    "tokens in attributes and prefixes": Class(
        ("<xml token='x'/>", *wrapped("<a token='x'/>", "<x:token>x</x:token>", "<token xmlns='u'>x</token>"))
    ),
    "doctypes": Class(
        (
            "<!DOCTYPE xml><xml/>",
            '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml/>',
            '<!DOCTYPE xml PUBLIC "a" "b"><xml/>',
            "<!-- --><!DOCTYPE xml><xml/>",
            "<?p?><!DOCTYPE xml []><xml/>",
            '<!DOCTYPE xml [<!ATTLIST a array CDATA "true">]><xml><a>1</a></xml>',
        )
    ),
    "entities": Class(
        (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x><a>&e;</a></x>',
            '<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1/e">%e;]><x/>',
            '<!DOCTYPE x [<!ENTITY e "v">]><x><a>&e;</a></x>',
            f"<!DOCTYPE x [{BOMB}]><x><a>&i;</a></x>",
            f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]><x><a>{"&a;" * 1000}</a></x>',
            *wrapped(
                "<a>&e;</a>",
                "<a>&nbsp;</a>",
                "<a>&#0;</a>",
                "<a>&#xD800;</a>",
                "<a>&#x110000;</a>",
                "<a>&#1;</a>",
            ),
        )
    ),
    "encodings": Class(
        (
            '<?xml version="1.0" encoding="utf-7"?><xml>+ADw-token+AD4-x+ADw-/token+AD4-</xml>',
            '<?xml version="1.0" encoding="iso-8859-1"?><xml><a>1</a></xml>',
            '<?xml version="1.0" encoding="utf-16"?><xml/>',
            "<xml><a>1</a></xml>".encode("utf-16"),
            "<xml><a>1</a></xml>".encode("utf-16-le"),
            "<xml><a>1</a></xml>".encode("utf-32"),
            "<xml><a>1</a></xml>".encode("cp037"),
            b"<xml><a>\xff</a></xml>",
            b"<xml><a>\xc0\x80</a></xml>",
            b"<xml><a>\xed\xa0\x80</a></xml>",
            b"<xml><a>\xf5\x80\x80\x80</a></xml>",
            b"\xff\xfe<xml/>",
            b"<xml>\0</xml>",
        )
    ),
    "declarations": Class(
        (
            '<?xml version="1.1"?><xml/>',
            ' <?xml version="1.0"?><xml/>',
            "<?xml?><xml/>",
            '<?xml version="1.0" standalone="maybe"?><xml/>',
            '<?xml version="2.0"?><xml/>',
        )
    ),
    "namespaces": Class(
        (
            "<xml xmlns='u'/>",
            "<x:xml xmlns:x='u'/>",
            *wrapped("<a xmlns:x='u'/>", "<x:a/>", "<a x:array='true'/>", "<a xml:lang='e'/>"),
        )
    ),
    "mixed": Class(wrapped("text", "<a>1<b/></a>", "<a><b/>1</a>", "<b/>x<c/>", "<a>\u00a0<b/></a>")),
    "broken": Class(
        (
            "",
            " ",
            "x",
            "<",
            "<xml",
            "<xml>",
            "</xml>",
            "<xml/>x",
            "<xml/><xml/>",
            "<xml><a></xml></a>",
            "<xml><a>1</b></xml>",
            "<xml><1/></xml>",
            "<xml><a b/></xml>",
            "<xml><a b=1/></xml>",
            "<xml><a array='true' array='true'/></xml>",
            "<xml><a>]]></a></xml>",
            "<xml><!-- -- --></xml>",
            "<xml><![CDATA[</xml>",
            "<xml><?xml version='1.0'?></xml>",
            "<xml>&</xml>",
            "<xml>&amp</xml>",
            "<xml><a>\x01</a></xml>",
            "<xml><a>\uffff</a></xml>",
            "{}",
            "<XML></xml>",
        )
    ),
    "deep": Class(("<a>" * 65 + "</a>" * 65, "<a>" * 100_000 + "</a>" * 100_000, "<a>" * 100_000)),
    "wide": Class(
        (
            "<xml><a " + " ".join(f"b{number}='1'" for number in range(50_000)) + "/></xml>",
            "<xml>" + "".join(f"<a{number}/>" for number in range(10_001)) + "</xml>",
        )
    ),
    "long": Class(
        (
            f"<xml><{'a' * 100_000}/></xml>",
            f"<xml><a>{'x' * 1_000_000}</a></xml>",
            "<xml><a>" + "<!---->x" * 50_000 + "</a></xml>",
        ),
        True,
    ),
}
