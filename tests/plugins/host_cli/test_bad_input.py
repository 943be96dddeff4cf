"""What goes wrong ends in one line with what, where and what to do, and loses nothing."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.plugins.host_cli.conftest import Ran
from tests.plugins.host_cli.inputs import session_file, tape
from tests.plugins.host_cli.shell import COMMAND, Answer, called, environment, spawned

from bot4_core.audit import AuditLog
from bot4_core.jit import is_compiling

BROKEN = {
    "hooks.py": "raise ImportError('no module named tensorglow')",
    "bot4_broken-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: bot4-broken\nVersion: 1\n",
    "bot4_broken-1.dist-info/entry_points.txt": "[bot4]\nbroken = bot4_broken.hooks\n",
}


def edited(folder: Path, old: str, new: str) -> Path:
    """Write a configuration with a change."""
    path = session_file(folder)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def refused(path: Path, code: int, *told: str) -> Answer:
    """Run a configuration that is refused before anything happens."""
    answer = called("run", str(path), "--json")
    assert (answer.code, answer.out) == (code, "")
    for text in told:
        assert text in answer.complaint
    return answer


def test_a_missing_configuration(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    refused(path, 3, f"{path}: there is no such file", "examples/quickstart.toml")


def test_a_misspelt_key_with_the_nearest_and_all_faults_at_once(tmp_path: Path) -> None:
    path = edited(tmp_path, 'market = "sim"', 'markt = "sim"')
    path.write_text(path.read_text().replace('cash = "100000"', 'cash = "lots"'))
    refused(path, 3, str(path), "venue.markt", "market", "account.cash", "lots")


def test_a_value_of_another_type(tmp_path: Path) -> None:
    path = edited(tmp_path, 'symbols = ["BTC-USD-PERP"]', 'symbols = "BTC-USD-PERP"')
    path.write_text(path.read_text().replace("seconds = 12.0", 'seconds = "twelve"'))
    told = "source.seconds: 'twelve' is text, expected a number"
    refused(path, 3, f"{path}: ", "venue.symbols: 'BTC-USD-PERP' is text, expected a list", told)


def test_a_configuration_that_is_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(session_file(tmp_path).read_bytes() + b"# d\xe9j\xe0 vu\n")
    refused(path, 3, f"{path}: is no UTF-8 text (byte 0xe9 at ", "save it as UTF-8")


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for arguments in (
        ("run", str(folder)),
        ("replay", str(folder)),
        ("import", str(folder), "-o", str(tmp_path / "x.b4r")),
        ("audit", "verify", str(folder)),
    ):
        answer = called(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert f"'{folder}' is a directory" in answer.complaint
    config = edited(tmp_path, '"audit.sqlite"', '"folder"')
    refused(config, 1, f"{folder}: is a folder; name a file for the audit log")


def test_an_unknown_symbol_with_those_that_there_are(tmp_path: Path) -> None:
    path = edited(tmp_path, "BTC-USD-PERP", "BTC-PERP")
    refused(path, 3, f"{path}: venue.symbols[0]: 'BTC-PERP' is not one of BTC-USD, ETH-USD")


def test_text_that_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("mode = = 3")
    refused(path, 3, str(path), "line 1")


def test_a_misspelt_setting_of_a_part(tmp_path: Path) -> None:
    path = edited(tmp_path, "threshold = 90.0", "treshold = 90.0")
    refused(path, 3, f"bot4: {path}: breakers[0].settings.treshold", "did you mean 'threshold'?")
    answer = called("warmup", str(path))
    assert (answer.code, answer.out) == (3, "")
    assert f"{path}: breakers[0].settings.treshold" in answer.complaint


def test_a_setting_of_a_part_that_makes_no_sense(tmp_path: Path) -> None:
    path = edited(tmp_path, "threshold = 90.0", "threshold = -1.0")
    refused(path, 3, f"{path}: breakers[0].settings.threshold: -1.0 is not a number above 0")


def test_a_session_of_no_time(tmp_path: Path) -> None:
    path = edited(tmp_path, "seconds = 12.0", "seconds = 0.0")
    refused(path, 3, f"{path}: source.seconds: ", "above 0")
    assert not (tmp_path / "audit.sqlite").exists()


def test_an_audit_log_that_another_process_holds(tmp_path: Path) -> None:
    path, log = session_file(tmp_path), tmp_path / "audit.sqlite"
    with AuditLog.open(log, run="other", wall_time=1):
        answer = refused(path, 1, f"{log}: another process (id ", "choose another path")
    assert "compile" not in answer.err
    assert called("audit", "verify", str(log)).code == 0


def test_an_audit_log_that_was_changed(ran: Ran, tmp_path: Path) -> None:
    path, log = session_file(tmp_path), tmp_path / "audit.sqlite"
    content = bytearray(Path(ran.report["audit"]["path"]).read_bytes())
    content[content.rindex(b"reservation_price")] ^= 1
    log.write_bytes(content)
    answer = refused(path, 9, "audit record ", f"differ, so {log} was changed")
    assert "choose another path" in answer.complaint
    assert log.read_bytes() == content


def test_an_unknown_plugin_with_the_nearest(tmp_path: Path) -> None:
    path = edited(tmp_path, 'plugin = "kelly"', 'plugin = "kely"')
    refused(path, 4, "no plugin brings sizer 'kely', did you mean 'kelly'?")


def test_a_wrong_market(tmp_path: Path) -> None:
    path = edited(tmp_path, 'market = "sim"', 'market = "moon"')
    refused(path, 3, "venue.market", "'moon' is no market of sim; it serves sim")


def test_live_trading_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = edited(tmp_path, 'mode = "paper"', 'mode = "live"')
    refused(path, 3, "live trading sends real orders", "agree")
    answer = called("run", str(path), "--live")
    assert answer.code == 3
    assert "real orders need the venue's own data" in answer.complaint


def test_a_broken_plugin_is_named_and_the_others_work(tmp_path: Path) -> None:
    for name, text in BROKEN.items():
        path = tmp_path / (name if "dist-info" in name else f"bot4_broken/{name}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    listed = spawned("plugins", "list", "--json", PYTHONPATH=str(tmp_path))
    states = {each["plugin"]: each for each in json.loads(listed.out)["plugins"]}
    assert states["broken"]["state"] == "broken"
    assert "no module named tensorglow" in states["broken"]["reason"]
    assert states["sizer-kelly"]["state"] == "ok"
    config = edited(tmp_path, 'plugin = "kelly"', 'plugin = "glow"')
    answer = spawned("run", str(config), PYTHONPATH=str(tmp_path))
    assert answer.code == 4
    assert "no plugin brings sizer 'glow'" in answer.complaint
    assert "bot4-broken is broken: import of bot4_broken.hooks failed" in answer.complaint
    doctor = spawned("doctor", PYTHONPATH=str(tmp_path))
    assert doctor.code == 1
    assert "tensorglow" in doctor.out


def test_a_cut_recording_is_refused_by_a_run_too(tmp_path: Path) -> None:
    path = on_binance(tmp_path)
    cut = tape(tmp_path / "cut.gz")
    cut.write_bytes(cut.read_bytes()[:-40])
    answer = called("run", str(path), "--recording", str(cut))
    assert answer.code == 1
    assert f"{cut}: the gzip data ends early" in answer.complaint
    assert "bot4 import --salvage" in answer.complaint


def on_binance(folder: Path) -> Path:
    """Write a configuration that plays recordings of Binance."""
    path = edited(folder, 'plugin = "sim"\nmarket = "sim"', 'plugin = "binance"\nmarket = "spot"')
    text = path.read_text().replace("BTC-USD-PERP", "BTCUSDT")
    path.write_text(text.replace('asset = "USD"', 'asset = "USDT"'))
    return path


def foreign_tape(path: Path) -> Path:
    """Write timed lines of messages that Binance does not send."""
    line = '{{"channel":"books","data":[{{"bids":[["1","2"]],"n":{number}}}]}}'
    texts = (f"{1_700_000_000_000_000_000 + n} {line.format(number=n)}\n" for n in range(20))
    path.write_bytes(gzip.compress("".join(texts).encode()))
    return path


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    config, path = on_binance(tmp_path), tmp_path / "none.gz"
    for arguments in (
        ("run", str(config), "--recording", str(path)),
        ("replay", str(path)),
        ("import", str(path), "-o", str(tmp_path / "x.b4r")),
    ):
        answer = called(*arguments)
        assert (answer.code, answer.out) == (1, "")
        assert f"{path}: there is no such file; check the path" in answer.complaint


def test_an_empty_recording(tmp_path: Path) -> None:
    config, path = on_binance(tmp_path), tmp_path / "empty.gz"
    path.touch()
    for arguments in (("run", str(config), "--recording", str(path)), ("replay", str(path))):
        answer = called(*arguments)
        assert (answer.code, answer.out) == (1, "")
        assert f"{path}: the file is empty; known layouts: " in answer.complaint


def test_a_recording_of_our_own_tells_that_it_is_of_another_market(tmp_path: Path) -> None:
    config, path = on_binance(tmp_path), tmp_path / "own.b4r"
    source = str(tape(tmp_path / "btc.gz"))
    assert called("import", source, "-o", str(path), "--market", "spot").code == 0
    config.write_text(config.read_text().replace('"spot"', '"usdm"'))
    for arguments in (
        ("run", str(config), "--recording", str(path)),
        ("replay", str(path), "--market", "usdm"),
        ("import", str(path), "-o", str(tmp_path / "x.b4r"), "--market", "usdm"),
    ):
        answer = called(*arguments)
        assert (answer.code, answer.out) == (1, "")
        assert f"{path}: was recorded on binance spot, not on binance usdm" in answer.complaint
    assert not (tmp_path / "x.b4r").exists()


def test_a_recording_of_another_venue(tmp_path: Path) -> None:
    config, path = on_binance(tmp_path), foreign_tape(tmp_path / "okx.gz")
    told = "none of 20 messages is one of binance spot; is the recording of another venue"
    answer = called("run", str(config), "--recording", str(path))
    assert (answer.code, answer.out) == (1, "")
    assert f"{path}: no message tells of an instrument of binance spot" in answer.complaint
    listed = Path(__file__).parents[3] / "examples" / "binance_recording.toml"
    config.write_text(listed.read_text())
    answer = called("run", str(config), "--recording", str(path))
    assert (answer.code, answer.out) == (1, "")
    assert f"{path}: {told.replace('spot', 'usdm')}" in answer.complaint
    out = tmp_path / "x.b4r"
    answer = called("import", str(path), "-o", str(out))
    assert (answer.code, answer.out, out.exists()) == (1, "", False)
    assert f"{path}: {told}" in answer.complaint
    answer = called("replay", str(path), "--json")
    assert answer.code == 0
    assert answer.complaint == f"bot4: warning: {told} or market?"
    assert json.loads(answer.out)["quarantined"] == 20


def test_single_foreign_messages_are_a_warning(tmp_path: Path) -> None:
    path = tape(tmp_path / "btc.gz")
    lines = gzip.decompress(path.read_bytes()) + gzip.decompress(
        foreign_tape(tmp_path / "okx.gz").read_bytes()
    )
    path.write_bytes(gzip.compress(lines))
    config = on_binance(tmp_path)
    for arguments in (("replay", str(path)), ("run", str(config), "--recording", str(path))):
        answer = called(*arguments, "--json")
        assert answer.code == 0
        assert "20 messages are none of binance spot and were left out" in answer.err
    answer = called("import", str(path), "-o", str(tmp_path / "x.b4r"))
    assert (answer.code, (tmp_path / "x.b4r").exists()) == (0, True)
    assert "20 messages" in answer.err


def test_a_result_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "plugins", "list", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
            env=environment({}),
        )
    assert done.returncode == 1
    assert done.stderr == (
        "bot4: the result cannot be written (No space left on device); "
        "free space, or send it elsewhere\n"
    )


def test_a_reader_that_has_seen_enough_is_no_error(ran: Ran) -> None:
    log = str(ran.config.with_name("audit.sqlite"))
    with subprocess.Popen(
        [*COMMAND, "audit", "list", log, "--last", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({}),
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_report_folder_that_is_a_file_is_refused_before_the_session(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("precious")
    answer = refused(session_file(tmp_path), 1, str(tmp_path / "report"), "the report goes there")
    assert "name another place" in answer.complaint
    assert not (tmp_path / "audit.sqlite").exists()
    assert (tmp_path / "report").read_text() == "precious"


def test_an_audit_folder_below_a_file_is_refused_before_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = edited(tmp_path, '"audit.sqlite"', '"file/deep/audit.sqlite"')
    refused(path, 1, str(tmp_path / "file"), "the audit log goes there")


def test_a_full_disk_under_the_audit_log(ran: Ran, tmp_path: Path) -> None:
    config = session_file(tmp_path)
    answer = spawned("run", str(config), "--json", limit=60_000)
    assert answer.code == 1
    log = tmp_path / "audit.sqlite"
    told = answer.err.splitlines()[-1]
    assert told.startswith(f"bot4: {log}: ")
    assert "nothing committed before is lost" in told
    verified = json.loads(called("audit", "verify", str(log), "--json").out)
    assert verified["ok"], verified


def test_a_full_disk_under_the_report_keeps_the_earlier_one(ran: Ran, tmp_path: Path) -> None:
    config = session_file(tmp_path, seconds=1.0)
    page = tmp_path / "report" / "session.html"
    page.parent.mkdir()
    page.write_text("the earlier report")
    page.with_suffix(".json").write_text("its data")
    answer = spawned("run", str(config), "--json", limit=2_000_000)
    assert answer.code == 1
    assert f"{page}: the report cannot be written (File too large)" in answer.complaint
    report = json.loads(answer.out)
    assert report["report"] == ""
    assert page.read_text() == "the earlier report"
    assert page.with_suffix(".json").read_text() == "its data"
    assert not list(page.parent.glob("*.part"))
    assert called("audit", "verify", report["audit"]["path"]).code == 0


def test_a_full_disk_under_an_import_keeps_what_was_committed(tmp_path: Path) -> None:
    source, out = tape(tmp_path / "btc.gz"), tmp_path / "btc.b4r"
    assert called("import", str(source), "-o", str(out)).code == 0
    limit = out.stat().st_size // 2
    out.unlink()
    answer = spawned("import", str(source), "-o", str(out), limit=limit)
    assert answer.code == 1
    assert f"{out}.part" in answer.complaint
    assert "File too large" in answer.complaint
    assert not out.exists()


@pytest.mark.skipif(not is_compiling(), reason="nothing is compiled, so nothing is cached")
def test_a_kernel_cache_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    probe = (
        "from bot4_core.jit import kernel\n"
        "from bot4_plugins.host_cli import plugins_command\n"
        "from bot4_plugins.host_cli.main import main\n"
        "@kernel()\n"
        "def twice(number: int) -> int:\n"
        "    return 2 * number\n"
        "before = plugins_command.installed_host\n"
        "plugins_command.installed_host = lambda: (twice(3), before())[1]\n"
        "main(['plugins', 'list', '--json'])\n"
    )
    script = tmp_path / "probe.py"
    script.write_text(probe)
    answer = spawned_script(script, NUMBA_CACHE_DIR=str(file / "cache"))
    assert answer.code == 0
    assert answer.complaint.startswith("bot4: warning: kernel cache folder")
    assert "Point NUMBA_CACHE_DIR at a writable folder" in answer.complaint
    assert json.loads(answer.out)["plugins"]


def spawned_script(script: Path, **more: str) -> Answer:
    """Run a script in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(more),
    )
    return Answer(done.returncode, done.stdout, done.stderr)
