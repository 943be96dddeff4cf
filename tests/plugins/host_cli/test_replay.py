"""``bot4 replay`` and ``bot4 import``."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.plugins.host_cli.inputs import tape
from tests.plugins.host_cli.shell import Answer, called

from bot4_plugins.host_cli.json_schemas import SCHEMAS


def closed(schema: object) -> Any:
    """Return a schema that allows no field which it does not name."""
    if isinstance(schema, dict):
        inner = {name: closed(each) for name, each in schema.items()}
        if "properties" in schema:
            inner["additionalProperties"] = False
        return inner
    return [closed(each) for each in schema] if isinstance(schema, list | tuple) else schema


def replayed(*arguments: str) -> dict[str, Any]:
    answer = called("replay", *arguments, "--market", "spot", "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


@pytest.fixture
def btc(tmp_path: Path) -> Path:
    return tape(tmp_path / "btc.gz")


def test_the_object_is_what_its_schema_says(btc: Path) -> None:
    schema = json.loads(called("replay", "--schema").out)
    Draft202012Validator.check_schema(schema)
    report = replayed(str(btc))
    Draft202012Validator(closed(schema)).validate(report)
    assert schema == json.loads(json.dumps(SCHEMAS["replay"]))
    seen = report["instruments"]["BTCUSDT"]
    assert seen["state"] == "LIVE"
    assert (seen["gaps"], seen["crossed"], seen["levels"]) == (0, 0, [5, 5])
    assert seen["best_bid"] == ["60000", "200.0"] == seen["last_quote_bid"]
    assert seen["best_ask"] == ["60001", "2.5"] == seen["last_quote_ask"]
    assert (report["messages"], report["quarantined"]) == (103, 0)


def test_several_files_are_one_session_and_an_import_keeps_its_digest(
    tmp_path: Path, btc: Path
) -> None:
    eth = tape(tmp_path / "eth.gz", "ETHUSDT", 3_000)
    both = replayed(str(btc), str(eth))
    assert list(both["instruments"]) == ["BTCUSDT", "ETHUSDT"]
    out = tmp_path / "both.b4r"
    answer = called("import", str(btc), str(eth), "-o", str(out), "--json")
    assert answer.code == 0, answer.err
    imported = json.loads(answer.out)
    assert imported["schema"] == 1
    assert imported["path"] == str(out)
    again = replayed(str(out))
    assert again["digest"] == both["digest"]
    assert again["instruments"] == both["instruments"]


def test_people_are_told_the_same(btc: Path) -> None:
    answer = called("replay", str(btc))
    for text in ("BTCUSDT", "LIVE", "60000 x 200.0", "60001 x 2.5", "Decimals read off"):
        assert text in answer.out
    assert replayed(str(btc))["digest"] in answer.out


def test_a_book_without_a_snapshot_is_said_to_be_syncing(tmp_path: Path, btc: Path) -> None:
    lines = gzip.decompress(btc.read_bytes()).splitlines(keepends=True)
    bare = tmp_path / "bare.gz"
    bare.write_bytes(gzip.compress(lines[0] + b"".join(lines[2:])))
    answer = called("replay", str(bare), "--json")
    assert "the book of BTCUSDT is SYNCING: no snapshot was seen" in answer.complaint
    assert json.loads(answer.out)["instruments"]["BTCUSDT"]["state"] == "SYNCING"


def refused(*arguments: str) -> Answer:
    answer = called(*arguments)
    assert answer.out == ""
    return answer


def test_a_cut_gzip_is_refused_unless_salvaged(btc: Path) -> None:
    btc.write_bytes(btc.read_bytes()[:-40])
    answer = refused("replay", str(btc))
    assert answer.code == 1
    assert f"{btc}: the gzip data ends early" in answer.complaint
    assert answer.complaint.endswith("--salvage reads what comes before")
    salvaged = called("replay", str(btc), "--salvage", "--json")
    assert salvaged.code == 0
    assert f"warning: {btc}: the gzip data ends early" in salvaged.err
    assert json.loads(salvaged.out)["messages"] > 0


def test_a_cut_recording_of_ours_is_refused_unless_salvaged(tmp_path: Path, btc: Path) -> None:
    whole = tmp_path / "whole.b4r"
    assert called("import", str(btc), "-o", str(whole)).code == 0
    cut = tmp_path / "cut.b4r"
    cut.write_bytes(whole.read_bytes()[:-200])
    answer = refused("replay", str(cut))
    assert answer.code == 1
    assert f"{cut}: the recording ends early" in answer.complaint
    assert answer.complaint.endswith("--salvage reads what comes before")
    salvaged = called("replay", str(cut), "--salvage", "--json")
    assert salvaged.code == 0
    assert json.loads(salvaged.out)["instruments"]["BTCUSDT"]["state"] == "LIVE"


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    answer = refused("replay", str(tmp_path / "none.gz"))
    assert answer.code == 1
    assert f"{tmp_path / 'none.gz'}: there is no such file" in answer.complaint


def test_something_else_than_a_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    answer = refused("replay", str(path))
    assert answer.code == 1
    assert "notes.txt: starts with b'dear diary'; known layouts" in answer.complaint
    assert "salvage" not in answer.complaint


def test_a_wrong_market_is_wrong_use_with_the_nearest(btc: Path) -> None:
    answer = refused("replay", str(btc), "--market", "spto")
    assert answer.code == 2
    assert "binance has no market 'spto', did you mean 'spot'?" in answer.complaint
    assert "(it has spot, usdm, coinm)" in answer.complaint


def test_an_unknown_venue_is_a_missing_plugin_with_the_nearest(btc: Path) -> None:
    answer = refused("replay", str(btc), "--venue", "binanse")
    assert answer.code == 4
    assert "no plugin brings exchange 'binanse', did you mean 'binance'?" in answer.complaint


def test_an_import_never_overwrites(tmp_path: Path, btc: Path) -> None:
    out = tmp_path / "there.b4r"
    out.write_bytes(b"precious")
    answer = refused("import", str(btc), "-o", str(out))
    assert answer.code == 1
    assert f"{out}: exists already; delete it or choose another name" in answer.complaint
    assert out.read_bytes() == b"precious"


def test_an_import_into_no_folder_is_named(tmp_path: Path, btc: Path) -> None:
    out = btc / "out.b4r"
    answer = refused("import", str(btc), "-o", str(out))
    assert answer.code == 1
    assert f"cannot write {out}: Not a directory; choose another --out" in answer.complaint


def test_venue_and_market_are_those_of_a_recording_of_ours(tmp_path: Path, btc: Path) -> None:
    ours, again = tmp_path / "btc.b4r", tmp_path / "again.b4r"
    called("import", str(btc), "-o", str(ours), "--market", "usdm")
    answer = called("replay", str(ours), "--json")
    told = json.loads(answer.out)["digest"]
    assert (
        told == json.loads(called("replay", str(btc), "--market", "usdm", "--json").out)["digest"]
    )
    assert called("import", str(ours), "-o", str(again)).code == 0
    answer = refused("replay", str(again), "--market", "spot")
    assert "was recorded on binance usdm, not on binance spot" in answer.complaint
    answer = refused("replay", str(ours), "--venue", "sim")
    assert "sim has no market 'spot'" in answer.complaint
