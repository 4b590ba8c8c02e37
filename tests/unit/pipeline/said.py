"""How the tests look at what is said about a photo."""

from pipeline.values import Check


def one(checks: tuple[Check, ...]) -> Check:
    (check,) = checks
    return check


def results(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.code: check.result for check in checks}


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def assert_worded(check: Check) -> None:
    """In both languages, and with a hint where there is something to do."""
    assert check.title and is_chinese(check.title_zh)
    if check.result == "pass":
        assert check.hint == check.hint_zh == ""
    else:
        assert check.hint.endswith(".") and check.hint.isascii()
        assert check.hint_zh.endswith("。") and is_chinese(check.hint_zh)
