"""gateway.settings.shown: the settings as they may be shown."""

from gateway.settings.model import Settings
from gateway.settings.shown import flat, shown


def test_it_is_spelt_as_in_the_file_and_can_be_read_again() -> None:
    settings = Settings.model_validate({"log": {"slow": "2s"}, "limits": {"body_bytes": "1MiB"}})
    content = shown(settings)
    assert (content["log"]["slow"], content["limits"]["body_bytes"]) == ("2s", "1MiB")
    assert Settings.model_validate(content) == settings


def test_an_address_is_shown_without_user_password_and_query() -> None:
    settings = Settings.model_validate({"redis": {"url": "rediss://user:s3cr3t@host:6379/0?password=s3cr3t"}})
    assert shown(settings)["redis"]["url"] == "rediss://***@host:6379/0?***"


def test_flat_rows_are_dotted_keys_with_text() -> None:
    content = {"a": {"b": True, "c": None, "d": {}}, "e": [1, "x"]}
    assert list(flat(content)) == [("a.b", "true"), ("a.c", "null"), ("a.d", "{}"), ("e", "[1, x]")]
