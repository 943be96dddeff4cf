"""Keys come from where they should, and are shown nowhere."""

import base64
import gzip
import pickle
import traceback
from pathlib import Path

import pytest

from bot4_core.errors import ConfigError
from bot4_core.market.recordings import RecordingHeader, RecordingWriter
from bot4_core.market.recordings.messages import Origin, block_from_messages
from bot4_plugins.venue_toolkit.canaries import forms, leaks, leaks_in, planted
from bot4_plugins.venue_toolkit.keys import read_credentials, variable

CANARY = planted()
KEY, SECRET, PHRASE = (each.reveal() for each in (CANARY.key, CANARY.secret, CANARY.passphrase))


def environment() -> dict[str, str]:
    return {
        "BOT4_OKX_KEY": KEY,
        "BOT4_OKX_SECRET": SECRET,
        "BOT4_OKX_PASSPHRASE": PHRASE,
        "HOME": "/nowhere",
    }


def secret_file(folder: Path, text: str, mode: int = 0o400) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_keys_are_taken_out_of_the_environment() -> None:
    environ = environment()
    assert read_credentials("okx", environ=environ) == CANARY
    assert environ == {"HOME": "/nowhere"}
    assert read_credentials("okx", environ=environ) is None


def test_keys_stay_where_they_are_told_to() -> None:
    environ = environment()
    assert read_credentials("okx", environ=environ, keep=True) == CANARY
    assert read_credentials("okx", environ=environ) == CANARY


def test_accounts_are_told_apart_by_the_end_of_the_name() -> None:
    environ = {"BOT4_BINANCE_KEY_SECOND": "k", "BOT4_BINANCE_SECRET_SECOND": "s"}
    assert read_credentials("binance", environ=environ, keep=True) is None
    found = read_credentials("binance", "second", environ=environ)
    assert found is not None
    assert (found.key.reveal(), found.secret.reveal()) == ("k", "s")
    assert not found.passphrase
    assert variable("venue-x", "KEY") == "BOT4_VENUE_X_KEY"


def test_a_file_holds_a_key_without_its_last_line_end(tmp_path: Path) -> None:
    environ = environment()
    del environ["BOT4_OKX_SECRET"]
    environ["BOT4_OKX_SECRET_FILE"] = secret_file(tmp_path, f"{SECRET}\n")
    assert read_credentials("okx", environ=environ) == CANARY


@pytest.mark.parametrize("mode", [0o404, 0o402, 0o420, 0o644, 0o666])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    environ = {"BOT4_OKX_KEY": KEY}
    environ["BOT4_OKX_SECRET_FILE"] = secret_file(tmp_path, SECRET, mode)
    with pytest.raises(ConfigError, match="open to others"):
        read_credentials("okx", environ=environ)


def test_a_file_that_its_group_reads_is_taken(tmp_path: Path) -> None:
    environ = {"BOT4_OKX_KEY": "k", "BOT4_OKX_SECRET_FILE": secret_file(tmp_path, "s", 0o440)}
    assert read_credentials("okx", environ=environ) is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"BOT4_OKX_KEY": None}, "BOT4_OKX_KEY: is not set"),
        ({"BOT4_OKX_SECRET": None}, "BOT4_OKX_SECRET: is not set"),
        ({"BOT4_OKX_SECRET": "  "}, "is empty"),
        ({"BOT4_OKX_SECRET_FILE": "/x"}, "choose one"),
        ({"BOT4_OKX_SECRET": None, "BOT4_OKX_SECRET_FILE": "/no/such/file"}, "cannot be read"),
    ],
)
def test_k04_faults_of_keys_are_told_without_their_text(
    changes: dict[str, str | None], fault: str
) -> None:
    environ = {name: text for name, text in (environment() | changes).items() if text is not None}
    with pytest.raises(ConfigError, match=fault) as caught:
        read_credentials("okx", environ=environ)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.faults)
    assert leaks_in(shown.encode(), CANARY, "error") == []


@pytest.mark.parametrize("content", [b"\xff" + SECRET.encode(), b"", SECRET.encode() * 2000])
def test_k04_a_file_that_is_no_key_is_told_without_its_content(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o400)
    environ = {"BOT4_OKX_KEY": "k", "BOT4_OKX_SECRET_FILE": str(path)}
    with pytest.raises(ConfigError, match="secret") as caught:
        read_credentials("okx", environ=environ)
    shown = "".join(traceback.format_exception(caught.value))
    assert leaks_in(shown.encode(), CANARY, "error") == []


class Ring:
    def get_password(self, service_name: str, username: str) -> str | None:
        known = {("bot4-okx", "key"): KEY, ("bot4-okx", "secret"): SECRET}
        return known.get((service_name, username), PHRASE if username == "passphrase" else None)


def test_the_keyring_is_asked_for_what_the_environment_lacks() -> None:
    assert read_credentials("okx", environ={}, keyring=Ring()) == CANARY


def test_k04_credentials_cannot_be_shown_or_pickled() -> None:
    shown = f"{CANARY} {CANARY!r} {CANARY.secret} {CANARY.secret:>40} {[CANARY.key]}"
    assert leaks_in(shown.encode(), CANARY, "text") == []
    with pytest.raises(TypeError):
        pickle.dumps(CANARY)


def test_a_canary_is_found_in_every_form(tmp_path: Path) -> None:
    for name, form in forms(SECRET).items():
        assert next(each.form for each in leaks_in(b"..." + form, CANARY, "x")) in {
            name,
            "plain",
            "quoted",
        }
    for shift in range(4):
        longer = base64.b64encode(b"x" * shift + b"key=" + SECRET.encode() + b"&more")
        assert leaks_in(longer, CANARY, "header")
    (tmp_path / "log.txt").write_text(f"signing with {PHRASE}")
    (tmp_path / "page.gz").write_bytes(gzip.compress(KEY.encode()))
    (tmp_path / "clean").write_text("nothing")
    header = RecordingHeader(venue="okx", market="spot")
    with RecordingWriter(tmp_path / "session.b4r", header) as writer:
        origin = writer.add_origin(Origin(source="feed"))
        writer.add_messages(block_from_messages([SECRET.encode() * 9], [1], [origin]))
        writer.finish()
    assert {each.place for each in leaks(tmp_path, CANARY)} == {"log.txt", "page.gz", "session.b4r"}
