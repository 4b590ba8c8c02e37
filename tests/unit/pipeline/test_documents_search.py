import pytest

from pipeline import documents


def ids(words: str = "", country: str = "") -> list[str]:
    return [document.id for document in documents.search(words, country)]


@pytest.mark.parametrize("nothing", ["", " ", "\t\n"])
def test_nothing_asked_is_everything(nothing: str) -> None:
    assert documents.search(nothing, nothing) == documents.all_documents()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("us-ds160", ["us-ds160"]),
        ("china-visa", ["cn-visa"]),  # an alias
        ("CN-Cova", ["cn-visa-digital"]),
        ("finland passport", ["finland-passport"]),
        ("passport FINLAND", ["finland-passport"]),
        ("finl assport", ["finland-passport"]),  # parts of words
        ("芬兰护照", ["finland-passport"]),
        ("护照 芬兰", ["finland-passport"]),
        ("学信网", ["cn-chsi"]),
        ("中国一寸", ["cn-1-inch"]),  # the name itself does not say the country
        ("一寸 cn small", ["cn-small-1-inch"]),
        ("dowod", ["poland-id-card"]),
        ("DOWÓD", ["poland-id-card"]),
        ("Dowo\N{COMBINING ACUTE ACCENT}d", ["poland-id-card"]),
        ("ＤＳ－１６０", ["us-ds160"]),  # full width, as Chinese keyboards type
        ("emirates", ["uae-emirates-id"]),
        ("阿联酋 visa", ["uae-visa", "uae-visa-offline"]),
        ("申根", ["schengen-visa"]),
        ("moon passport", []),
        ("passportfinland", []),
        (".*", []),
    ],
)
def test_every_word_must_occur(words: str, found: list[str]) -> None:
    assert ids(words) == found


@pytest.mark.parametrize(
    "country", ["gb", "GB", "uk", "United Kingdom", " united kingdom ", "英国"]
)
def test_country_by_code_and_name(country: str) -> None:
    assert ids(country=country) == ["uk-passport", "uk-drivers-licence", "uk-id-card", "uk-visa"]


@pytest.mark.parametrize("country", ["kingdom", "u", "passport", "moon", "*"])
def test_country_is_a_whole_name(country: str) -> None:
    assert ids(country=country) == []


def test_words_and_country_together() -> None:
    assert ids("visa", "us") == ["us-visa", "us-ds160"]
    assert ids("签证", "中国") == ["cn-visa", "cn-visa-digital"]


def test_the_order_is_that_of_the_list() -> None:
    every = ids()
    found = ids("passport")
    assert len(found) > 90
    assert found == sorted(found, key=every.index)


def test_every_document_is_found_by_what_it_is_called() -> None:
    for document in documents.all_documents():
        for words in (document.id, document.name_en, document.name_zh, document.id.upper()):
            assert document in documents.search(words)
        if document.country:
            assert document in documents.search(country=document.country)
