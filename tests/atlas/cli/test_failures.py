"""What the last net of the command line catches: a failing disk or database, Ctrl-C, a reader that leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import duckdb
import pytest

from atlas.cli import run
from atlas.cli.kit.group import Session
from atlas.db import Atlas
from atlas.errors import AtlasError

FEATLAS = f'"{sys.executable}" -c "from atlas.cli import main; main()"'


@pytest.fixture
def failing(monkeypatch):
    """Makes every opening of an atlas raise an error."""

    def fail_with(error: Exception) -> None:
        def read(self: Session) -> None:
            raise error

        monkeypatch.setattr(Session, "read", read)

    return fail_with


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (duckdb.IOException("IO Error: could not read block 7"), 3),
        (duckdb.FatalException("FATAL Error: the file is damaged"), 3),
        (duckdb.OutOfMemoryException("Out of Memory Error: no"), 1),
        (OSError(5, "Input/output error"), 1),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), 130),
        (RuntimeError("Query interrupted"), 130),
    ],
)
def test_an_error_that_nothing_explained_is_one_message(failing, capsys, error, code):
    failing(error)
    assert run(["ls", "saes"]) == code
    err = capsys.readouterr().err
    assert err.startswith("interrupted" if code == 130 else f"error: {error}")
    assert "Traceback" not in err


FULL = 'Could not write file "a.duckdb.wal": No space left on device'


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), duckdb.IOException(f"IO Error: {FULL}")])
def test_a_full_disk_is_called_one(failing, capsys, error):
    failing(error)
    assert run(["ls", "saes"]) == 1
    assert capsys.readouterr().err == (
        f"error: the disk is full\n  why: {error}\n  try: make room and give the same command again\n"
    )


@pytest.mark.parametrize("at", ["insert", "commit"])
def test_a_disk_that_fills_up_in_a_transaction_is_called_full(tmp_path, at):
    class Full:
        """A connection that writes nothing any more, and has no transaction left to roll back."""

        def execute(self, statement: str) -> None:
            if statement == at:
                raise duckdb.TransactionException(f"TransactionContext Error: Failed to commit: {FULL}")
            if statement == "rollback":
                raise duckdb.TransactionException("cannot rollback - no transaction is active")

    atlas = Atlas(tmp_path / "a.duckdb", cast(duckdb.DuckDBPyConnection, Full()), writable=True)
    with pytest.raises(AtlasError, match="the disk is full") as caught, atlas.transaction():
        atlas.con.execute("insert")
    assert (caught.value.exit_code, FULL in str(caught.value.why)) == (1, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_reading_command_that_cannot_write_its_result_says_that_the_disk_is_full(tiny):
    done = shell(f'{FEATLAS} --db "{tiny}" sql "from range(100000)" --format csv > /dev/full')
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: the disk is full")


@pytest.mark.parametrize("arguments", [("--debug", "ls", "saes"), ("ls", "saes", "--debug")])
def test_debug_lets_the_traceback_through(failing, arguments):
    failing(OSError("disk"))
    with pytest.raises(OSError, match="disk"):
        run(list(arguments))


def test_an_error_of_the_program_itself_is_not_hidden(failing):
    failing(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        run(["ls", "saes"])


@pytest.mark.parametrize(
    ("value", "debug"), [("1", True), ("yes", True), ("0", False), ("", False), ("perhaps", False)]
)
def test_the_environment_may_ask_for_tracebacks(failing, monkeypatch, value, debug):
    monkeypatch.setenv("FEATLAS_DEBUG", value)
    failing(OSError("disk"))
    if debug:
        with pytest.raises(OSError, match="disk"):
            run(["ls", "saes"])
    else:
        assert run(["ls", "saes"]) == 1


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a pipeline; its exit code is that of the first part."""
    return subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments", ["show A:0", "ls features --limit -1", "sql 'from range(300000)' --format csv", "--help"]
)
def test_a_reader_that_leaves_is_no_failure(tiny: Path, arguments):
    done = shell(f'{FEATLAS} --db "{tiny}" {arguments} | true')
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_in_a_query_is_exit_code_130(tiny):
    query = "select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 7"
    command = [sys.executable, "-c", "from atlas.cli import main; main()", "--db", str(tiny), "sql", query]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, err.strip()) == (130, "interrupted")


def test_a_suggested_command_names_the_atlas(tiny, capsys):
    assert run(["--db", str(tiny), "metric", "rsa", "A", "A"]) == 2
    assert f"featlas --db {tiny} ls saes" in capsys.readouterr().err
