from gateway.sandbox.tokens import Right, Token, TokenBook, sample_tokens


def test_the_value_of_a_token_is_not_in_its_repr() -> None:
    assert "secret-value" not in repr(Token("app", "secret-value"))


def test_given_values_replace_the_default_token() -> None:
    names = {token.value: token.name for token in sample_tokens("one", "two")}
    assert names == {
        "one": "full-1",
        "two": "full-2",
        "sandbox-reader": "reader",
        "sandbox-partner": "partner",
    }


def test_without_groups_a_token_sees_all_and_with_groups_only_those() -> None:
    assert Token("app", "T").sees(9)
    partner = Token("partner", "P", groups=frozenset({2}))
    assert (partner.sees(1), partner.sees(2)) == (False, True)


def test_full_rights_are_all_rights() -> None:
    assert all(right in Right.FULL for right in Right)


def test_a_rotation_adds_the_new_value_and_revokes_the_old() -> None:
    book = TokenBook([Token("app", "old")])
    book.add(Token("app", "new"))
    book.revoke("old")
    assert (book.find("old"), book.find("new")) == (None, Token("app", "new"))
