"""Names from outside become names that every system takes."""

import pytest

from deployments.jobs.names import MAX_CHARACTERS, Unique, harmless, is_safe


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.jpg", "a.jpg"),
        ("class 2/张伟.jpg", "class 2/张伟.jpg"),
        (r"class\a.jpg", "class/a.jpg"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        (r"C:\a.jpg", "a.jpg"),
        ("C:a.jpg", "a.jpg"),
        ("./a//b/./c.jpg", "a/b/c.jpg"),
        ("a\0b\n.jpg", "a_b_.jpg"),
        ('<a>:"b"|?*.jpg', "_a___b____.jpg"),
        ("CON.jpg", "_CON.jpg"),
        ("nul", "_nul"),
        ("ends. ", "ends"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("...", "photo"),
        ("", "photo"),
        ("\ud800.jpg", "_.jpg"),
    ],
)
def test_harmless_names(name: str, made: str) -> None:
    assert harmless(name) == made
    assert is_safe(made)
    assert harmless(made) == made


@pytest.mark.parametrize("name", ["x" * 1000 + ".jpg", "/".join(["folder"] * 200) + "/a.jpg"])
def test_long_names_keep_their_end(name: str) -> None:
    made = harmless(name)
    assert len(made) <= MAX_CHARACTERS
    assert name.endswith(made)


@pytest.mark.parametrize(
    "name", ["..", "a/..", "../a", "/a", "a\\..\\b", "\\a", "c:", "a\0", "a\x1f", "", "x" * 301]
)
def test_unsafe_names(name: str) -> None:
    assert not is_safe(name)


@pytest.mark.parametrize("name", ["a..b", "...a", "a/...", ".hidden", "ünïcödé", "ab:c"])
def test_odd_but_safe_names(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["a.jpg", "a.jpg", "a.jpg"], ["a.jpg", "a (2).jpg", "a (3).jpg"]),
        (["a.jpg", "A.JPG"], ["a.jpg", "A (2).JPG"]),
        (["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"]),
        (["x/a.jpg", "y/a.jpg", "x/a.jpg"], ["x/a.jpg", "y/a.jpg", "x/a (2).jpg"]),
        (["a", "a"], ["a", "a (2)"]),
    ],
)
def test_each_name_is_given_once(wanted: list[str], given: list[str]) -> None:
    unique = Unique()
    assert [unique.name(name) for name in wanted] == given


def test_many_equal_names_are_numbered_in_turn() -> None:
    unique = Unique()
    assert [unique.name("a.jpg") for _ in range(5000)][-1] == "a (5000).jpg"
