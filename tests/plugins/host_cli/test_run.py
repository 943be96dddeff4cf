"""``bot4 run`` and what can be asked of its audit log, on one session."""

import contextlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator
from tests.plugins.host_cli.conftest import Ran
from tests.plugins.host_cli.inputs import session_file
from tests.plugins.host_cli.shell import COMMAND, called, environment, spawned
from tests.plugins.host_cli.test_replay import closed

from bot4_core.audit import AuditQuery, search
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.session.report import BreakerReport
from bot4_plugins.host_cli.audit_reading import gist
from bot4_plugins.host_cli.json_schemas import SCHEMAS
from bot4_plugins.host_cli.run_command import trips


def order_of(ran: Ran, kind: str) -> str:
    """Return an order that has a record of a kind."""
    log = str(ran.config.with_name("audit.sqlite"))
    answer = called("audit", "list", log, "--kind", kind, "--last", "1", "--json")
    return str(json.loads(answer.out)["records"][0]["order"])


def test_the_object_is_what_its_schema_says(ran: Ran) -> None:
    schema = json.loads(called("run", "--schema").out)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(closed(schema)).validate(ran.report)
    assert schema == json.loads(json.dumps(SCHEMAS["run"]))
    assert ran.report["fills"] > 0
    assert sum(ran.report["orders"].values()) > 0
    assert ran.report["stopped"] == ""


def test_data_go_to_standard_output_and_talk_does_not(ran: Ran) -> None:
    assert ran.answer.out.count("\n") == 1
    assert all(line.startswith("bot4: ") for line in ran.answer.err.splitlines())


def test_the_report_stands_where_it_says_with_the_data_beside_it(ran: Ran) -> None:
    page = Path(ran.report["report"])
    assert page == ran.config.with_name("report") / "session.html"
    assert json.loads(page.with_suffix(".json").read_text()) == ran.report
    assert sorted(path.name for path in page.parent.iterdir()) == ["session.html", "session.json"]
    assert ran.report["digest"] in page.read_text()


def test_people_get_a_short_table(ran: Ran, tmp_path: Path) -> None:
    answer = called("run", str(session_file(tmp_path, seconds=1.0)))
    assert answer.code == 0
    for text in ("BTC-USD-PERP", "net ", "orders ", "audit ", "digest ", "report ", "session.html"):
        assert text in answer.out
    assert max(len(line) for line in answer.out.splitlines() if "/" not in line) <= 80


def test_a_seed_makes_another_market_and_the_same_seed_the_same(ran: Ran, tmp_path: Path) -> None:
    config = str(session_file(tmp_path, seconds=1.0))
    digests = [
        json.loads(called("run", config, "--seed", seed, "--json").out)["digest"]
        for seed in ("8", "8", "9")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_tripped_breaker_is_reported_and_is_code_7(tmp_path: Path) -> None:
    config = session_file(tmp_path, seconds=4.0, threshold=0.5)
    answer = called("run", str(config), "--json")
    assert answer.code == 7, answer.err
    report = json.loads(answer.out)
    Draft202012Validator(closed(SCHEMAS["run"])).validate(report)
    trip, log = report["breakers"][0], report["audit"]["path"]
    assert trip["breaker"] == "statistical"
    assert re.fullmatch(
        r"z-score -?\d+\.\d\d, at or beyond ±0\.5: a move of [+-]0\.\d{4}% "
        r"after 60 returns of 0\.01 s",
        trip["reason"],
    )
    assert called("audit", "verify", log).code == 0
    listed = called("audit", "list", log, "--kind", "breaker_trip").out
    assert f"statistical cancel all on BTC-USD-PERP: {trip['reason']}; deviation " in listed
    assert "Each cross is a trip" in Path(report["report"]).read_text()


def test_an_order_that_was_kept_back_is_asked_for_by_its_record(tmp_path: Path) -> None:
    config = session_file(tmp_path)
    config.write_text(f"{config.read_text()}[limits]\nmax_orders_per_second = 1\n")
    report = json.loads(called("run", str(config), "--json").out)
    assert report["refusals"] > 0
    log = report["audit"]["path"]
    listed = called("audit", "list", log, "--kind", "refusal", "--last", "1").out
    assert "kept back: limit " in listed
    number = listed.split()[0]
    answer = called("audit", "why", log, number)
    assert answer.out.startswith(f"record {number} of run ")
    assert "gate      kept back: limit " in answer.out
    assert json.loads(called("audit", "why", log, number, "--json").out)["order"] == (
        f"record {number}"
    )


def test_the_trips_of_a_run_are_told_the_first_ones_with_their_numbers() -> None:
    def trip(number: int) -> BreakerReport:
        return BreakerReport(
            breaker=f"b{number}",
            effect="cancel_all",
            scope="instrument",
            symbol="X",
            time=0,
            reason="too much",
            values={"score": 3.4212345} if number == 0 else {},
        )

    lines = list(trips([trip(number) for number in range(7)]))
    assert lines[:3] == [
        ("breaker", "b0, cancel all on X: too much"),
        ("", "score 3.421"),
        ("breaker", "b1, cancel all on X: too much"),
    ]
    assert lines[-1] == ("", "and 2 more trips; the report lists them")
    assert len(lines) == 7


def test_the_log_verifies_and_the_head_is_the_reported_one(ran: Ran) -> None:
    audit: dict[str, Any] = ran.report["audit"]
    answer = called("audit", "verify", audit["path"], "--head", audit["head"], "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["ok"], found["head"]) == (0, True, audit["head"])
    assert found["records"] == found["expected_at"] == audit["records"]
    out = called("audit", "verify", audit["path"]).out
    assert f"head {audit['head']}" in out
    assert f"{audit['records']:,} records of 1 run verify" in out


def test_a_log_is_verified_against_checkpoints_kept_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    key, notes = tmp_path / "key", tmp_path / "elsewhere" / "notes.txt"
    key.write_text("a secret of many bytes")
    config = session_file(tmp_path, seconds=1.0)
    with config.open("a") as file:
        file.write(f'checkpoints = ["{notes}"]\ncheckpoint_key = "{key}"\n')
    report = json.loads(called("run", str(config), "--json", "--quarantine").out)
    log = report["audit"]["path"]
    options = ("--against", str(notes), "--key", str(key))
    answer = called("audit", "verify", log, *options)
    assert (answer.code, "checkpoints fit" in answer.out) == (0, True)
    assert f"root {report['audit']['root']}" in answer.out
    notes.write_text(notes.read_text().replace("audit.sqlite@", "other@"))
    answer = called("audit", "verify", log, *options)
    assert (answer.code, answer.out) == (1, "")
    assert "is not signed with this key" in answer.complaint
    answer = called("audit", "verify", log, *options[:2])
    assert (answer.code, answer.out) == (9, "")
    assert "the checkpoints are of other@" in answer.complaint


def test_another_account_signs_a_log_and_finds_what_was_cut_since(tmp_path: Path, ran: Ran) -> None:
    log, notes, key = tmp_path / "log", tmp_path / "notes", tmp_path / "key"
    shutil.copy(ran.report["audit"]["path"], log)
    key.write_text("a secret of many bytes")
    options = (str(log), "--key", str(key), "--to", str(notes))
    assert "signed" in called("audit", "sign", *options).out
    assert json.loads(called("audit", "sign", *options, "--json").out)["size"] > 0
    assert notes.read_text().count("— bot4-hmac-sha256") == 2
    missing = called("audit", "sign", str(tmp_path / "none"), *options[1:])
    assert "there is no such audit log" in missing.complaint
    with contextlib.closing(sqlite3.connect(log)) as database, database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM records WHERE sequence > 9")
    answer = called("audit", "sign", *options)
    assert answer.code != 0
    assert notes.read_text().count("— bot4-hmac-sha256") == 2


def test_i54_the_key_of_the_checkpoints_is_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    key = tmp_path / "key"
    key.write_text("canary-4711-of-many-bytes")
    config = session_file(tmp_path, seconds=1.0)
    with config.open("a") as file:
        file.write(f'checkpoints = ["elsewhere/notes", "-"]\ncheckpoint_key = "{key}"\n')
    answer = called("run", str(config), "--json")
    assert "bot4-checkpoint audit.sqlite@" in answer.err
    files = [each for each in tmp_path.rglob("*") if each.is_file() and each != key]
    assert len(files) > 4
    for said in [answer.out, answer.err, *(each.read_text("latin-1") for each in files)]:
        assert "canary-4711" not in said


def test_i51_every_order_that_was_sent_has_its_intent_before_it(ran: Ran) -> None:
    intents: set[str] = set()
    sent: list[str] = []
    for record in search(ran.report["audit"]["path"], AuditQuery()):
        if record.kind is AuditKind.INTENT:
            intents.add(record.correlation)
        elif record.kind is AuditKind.SEND and json.loads(record.payload)["what"] == "order":
            assert record.correlation in intents
            sent.append(record.correlation)
    assert len(sent) == len(set(sent)) > 2


def test_records_are_found_by_their_words(ran: Ran) -> None:
    log = ran.report["audit"]["path"]
    found = json.loads(called("audit", "search", log, "fill maker", "--last", "3", "--json").out)
    assert [each["kind"] for each in found["records"]] == ["fill"] * 3
    scanned = called("audit", "search", log, "fill maker", "--last", "3", "--scan")
    assert [line.split()[0] for line in scanned.out.splitlines()] == [
        str(each["sequence"]) for each in found["records"]
    ]
    answer = called("audit", "search", log, "?!")
    assert (answer.code, answer.out) == (1, "")
    assert "'?!' holds no word to search for" in answer.complaint


def test_an_order_is_handed_over_with_proofs(ran: Ran, tmp_path: Path) -> None:
    log = ran.report["audit"]["path"]
    order = json.loads(called("audit", "list", log, "--kind", "fill", "--json").out)
    order = order["records"][-1]["order"]
    place = tmp_path / "order.json"
    answer = called("audit", "export", log, "--order", order, "-o", str(place))
    assert answer.code == 0
    assert (
        f"proven against {ran.report['audit']['records']:,} records of audit.sqlite@" in answer.out
    )
    data = json.loads(called("audit", "export", log, "--order", order, "--json").out)
    assert data == json.loads(place.read_text())
    assert data["root"] == ran.report["audit"]["root"]
    assert any(line.startswith("gate ") for line in data["report"])
    checked = called("audit", "check", str(place))
    assert (checked.code, "which nothing here vouches for" in checked.out) == (0, True)
    found = json.loads(called("audit", "check", str(place), "--json").out)
    assert (found["ok"], found["records"]) == (True, len(data["records"]))


def test_an_export_that_is_not_proven_is_code_9(ran: Ran, tmp_path: Path) -> None:
    log = ran.report["audit"]["path"]
    order = json.loads(called("audit", "list", log, "--kind", "fill", "--json").out)
    data = called("audit", "export", log, "--order", order["records"][-1]["order"], "--json").out
    place = tmp_path / "order.json"
    place.write_text(data.replace('"actor": "', '"actor": "x', 1))
    answer = called("audit", "check", str(place))
    assert (answer.code, answer.out) == (9, "")
    assert f"{place} is not proven: audit record " in answer.complaint
    assert json.loads(called("audit", "check", str(place), "--json").out)["ok"] is False
    place.write_text("[]")
    assert called("audit", "check", str(place)).code == 1
    answer = called("audit", "check", str(tmp_path / "none.json"))
    assert (answer.code, "cannot read the export" in answer.complaint) == (1, True)
    answer = called("audit", "export", log, "--order", "nobody")
    assert (answer.code, "no record about order 'nobody'" in answer.complaint) == (1, True)
    order_id = order["records"][-1]["order"]
    answer = called("audit", "export", log, "--order", order_id, "-o", str(tmp_path / "no" / "x"))
    assert (answer.code, "the export cannot be written" in answer.complaint) == (1, True)


def test_only_a_log_that_does_not_verify_is_code_9(ran: Ran, tmp_path: Path) -> None:
    answer = called("audit", "verify", str(tmp_path / "none.sqlite"))
    assert (answer.code, answer.out) == (1, "")
    assert "none.sqlite: there is no such audit log; check the path" in answer.complaint
    answer = called("audit", "verify", ran.report["audit"]["path"], "--head", "abc")
    assert (answer.code, answer.out) == (2, "")
    assert "--head: 'abc' is not 64 lower-case hexadecimal digits" in answer.complaint
    other = tmp_path / "other.sqlite"
    other.write_text("no log")
    assert called("audit", "verify", str(other)).code == 9


def test_a_changed_log_is_code_9_and_names_the_record(ran: Ran, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    content = bytearray(Path(ran.report["audit"]["path"]).read_bytes())
    place = content.rindex(b"reservation_price")
    content[place] ^= 1
    copy.write_bytes(content)
    answer = called("audit", "verify", str(copy))
    assert (answer.code, answer.out) == (9, "")
    assert f"{copy} does not verify: audit record " in answer.complaint
    found = json.loads(called("audit", "verify", str(copy), "--json").out)
    assert found["ok"] is False
    assert found["sequence"] > 0


def test_why_tells_the_whole_story_with_numbers(ran: Ran) -> None:
    answer = called(
        "audit", "why", str(ran.config.with_name("audit.sqlite")), order_of(ran, "fill")
    )
    assert answer.code == 0
    labels = [line.split(" ")[0] for line in answer.out.splitlines()[1:]]
    told = [label for label in labels if label]
    assert told[:9] == [
        "order", "signal", "market", "size", "limits", "breaker", "route", "gate", "send",
    ]  # fmt: skip
    assert "fill" in told
    for text in (
        "BTC-USD-PERP",
        "reservation_price ",
        " by kelly; ",
        "order_notional ",
        " of 10000",
        "book live, must be live",
        "statistical armed; ",
        "best_price",
        "let out",
        "fee ",
        "maker",
    ):
        assert text in answer.out, text


def test_why_as_json_holds_the_records_whole(ran: Ran) -> None:
    log, order = str(ran.config.with_name("audit.sqlite")), order_of(ran, "fill")
    found = json.loads(called("audit", "why", log, order, "--json").out)
    kinds = [record["kind"] for record in found["records"]]
    assert kinds[:2] == ["intent", "send"]
    assert found["records"][0]["payload"]["signal"]["action"] == "quote"
    assert {record["order"] for record in found["records"]} == {order}


def test_an_unknown_order_is_named(ran: Ran) -> None:
    answer = called("audit", "why", str(ran.config.with_name("audit.sqlite")), "nope")
    assert answer.code == 1
    assert "no record about order 'nope'; check the id" in answer.complaint


def test_records_are_listed_for_people(ran: Ran) -> None:
    log = str(ran.config.with_name("audit.sqlite"))
    lines = called("audit", "list", log, "--last", "5").out.splitlines()
    assert len(lines) == 5
    assert "run_end" in lines[-1]
    (start,) = called("audit", "list", log, "--kind", "run_start").out.splitlines()
    assert " 1970-" not in start
    assert "at 6" in called("audit", "list", log, "--kind", "intent", "--last", "1").out
    assert ", 0 filled" in called("audit", "list", log, "--kind", "ack").out
    assert " left" in called("audit", "list", log, "--kind", "send").out


def test_a_part_that_raises_is_named(ran: Ran) -> None:
    payload = b'{"count":3,"disabled":true,"error":"ValueError: boom"}'
    (start,) = search(ran.report["audit"]["path"], AuditQuery(kinds=(AuditKind.RUN_START,)))
    strike = attrs.evolve(start, kind=AuditKind.PLUGIN_STRIKE, actor="raiser", payload=payload)
    assert gist(strike) == "raiser count 3, disabled True, error ValueError: boom"


def test_numbers_for_people_are_neither_scaled_nor_long(ran: Ran) -> None:
    log = str(ran.config.with_name("audit.sqlite"))
    out = called("audit", "why", log, order_of(ran, "fill")).out
    out += called("audit", "list", log, "--last", "200").out
    plain = re.sub(r"\b[0-9a-f]{32}\b|paper-\d+|, trade \d+|records [\d,]+", "", out)
    found = re.findall(r"\d+\.?\d*(?:e-?\d+)?", plain)
    assert [number for number in found if digits(number) > 15] == []
    least = re.search(r"min_notional +(\S+) of at least 5\n", out)
    assert least is not None
    assert float(least[1]) < 1e6


def digits(number: str) -> int:
    """Count the digits of a number's text without zeros around it."""
    return len(number.lstrip("-").partition("e")[0].replace(".", "").strip("0"))


def test_a_record_number_stands_for_its_order(ran: Ran) -> None:
    log, order = str(ran.config.with_name("audit.sqlite")), order_of(ran, "fill")
    listed = called("audit", "list", log, "--kind", "fill", "--last", "1", "--json")
    number = str(json.loads(listed.out)["records"][0]["sequence"])
    assert called("audit", "why", log, number).out == called("audit", "why", log, order).out
    missing = called("audit", "why", log, "999999999")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no record 999999999" in missing.complaint
    start = called("audit", "why", log, "1")
    assert "record 1 is about no order (run_start)" in start.complaint


def test_an_interrupt_stops_in_good_order(ran: Ran, tmp_path: Path) -> None:
    config = session_file(tmp_path, seconds=36_000.0)
    log = tmp_path / "audit.sqlite"
    with subprocess.Popen(
        [*COMMAND, "run", str(config), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({}),
    ) as process:
        while not (log.exists() and called("audit", "list", str(log), "--kind", "ack").out):
            assert process.poll() is None
            time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"stopping in good order" in err
    report = json.loads(out)
    assert report["stopped"] == "interrupted"
    assert Path(report["report"]).exists()
    verified = json.loads(called("audit", "verify", str(log), "--json").out)
    assert (verified["ok"], verified["head"]) == (True, report["audit"]["head"])
    assert "run_end" in called("audit", "list", str(log), "--last", "1").out


def test_an_impatient_interrupt_leaves_what_was_written(ran: Ran, tmp_path: Path) -> None:
    config = session_file(tmp_path, seconds=36_000.0)
    log = tmp_path / "audit.sqlite"
    with subprocess.Popen(
        [*COMMAND, "run", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not (log.exists() and called("audit", "list", str(log), "--kind", "ack").out):
            assert process.poll() is None
            time.sleep(0.5)
        process.kill()
        process.communicate(timeout=60)
    verified = json.loads(called("audit", "verify", str(log), "--json").out)
    assert verified["ok"]
    assert verified["records"] > 1


def test_warming_up_compiles_what_a_session_needs(ran: Ran) -> None:
    found = json.loads(called("warmup", str(ran.config), "--json").out)
    assert found["schema"] == 1
    assert found["sessions"] == [{"session": str(ran.config), "compiled": 0, "error": ""}]
    assert "0 kernels compiled" in called("warmup", str(ran.config)).out


@pytest.mark.parametrize("command", [("doctor",), ("doctor", "--json")])
def test_the_doctor_finds_this_installation_well(command: tuple[str, ...]) -> None:
    answer = called(*command)
    assert answer.code == 0, answer.out
    for text in ("python", "kernel cache", "sqlite", "plugins", "durable write"):
        assert text in answer.out


def test_the_doctor_warns_of_a_cache_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    answer = spawned("doctor", "--json", NUMBA_CACHE_DIR=str(file / "cache"))
    findings = {each["check"]: each for each in json.loads(answer.out)["findings"]}
    assert answer.code == 0
    assert findings["kernel cache"]["state"] == "warn"
    assert "point NUMBA_CACHE_DIR elsewhere" in findings["kernel cache"]["text"]
