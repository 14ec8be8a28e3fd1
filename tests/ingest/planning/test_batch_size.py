"""Claims about `--batch-size auto`: it stops where doubling no longer pays, and never where memory ends."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.errors import AtlasError
from ingest.planning.batch_size import FIRST, RISE, best_batch_size, context_bytes
from ingest.sources.models.model import load_model
from tests.support.hub_cache import save_tiny


def machine(overhead: float, per_context: float, holds: int = 10**9, error: type[Exception] = RuntimeError):
    """Seconds of a batch on a machine with a fixed cost a call and a cost a context."""

    def try_batch(size: int) -> float:
        if size > holds:
            raise error("CUDA out of memory. Tried to allocate 2.00 GiB")
        return overhead + per_context * size

    return try_batch


@given(
    overhead=st.floats(0, 1),
    per_context=st.floats(1e-5, 1e-1),
    holds=st.integers(1, 5000),
    n_contexts=st.integers(1, 5000),
)
def test_the_choice_fits_and_neither_half_nor_double_would_be_better(overhead, per_context, holds, n_contexts):
    try_batch = machine(overhead, per_context, holds)
    size = best_batch_size(try_batch, n_contexts)
    assert 1 <= size <= min(holds, n_contexts)

    def rate(n: int) -> float:
        return n / try_batch(n)

    if size > FIRST:
        assert rate(size) >= RISE * rate(size // 2)
    if 2 * size <= min(holds, n_contexts) and size >= FIRST:
        assert rate(2 * size) < RISE * rate(size)


def test_a_machine_that_gains_nothing_keeps_the_first_size():
    assert best_batch_size(machine(0, 0.01), 10_000) == FIRST


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_memory_that_ends_is_no_failure(error):
    assert best_batch_size(machine(1, 1e-6, holds=100, error=error), 10_000) == 64
    assert best_batch_size(machine(1, 1e-6, holds=3, error=error), 10_000) == 2


def test_nothing_fits():
    with pytest.raises(AtlasError, match="too little memory"):
        best_batch_size(machine(1, 1e-6, holds=0), 10)


def test_another_error_is_not_swallowed():
    def broken(size: int) -> float:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        best_batch_size(broken, 10)


def test_the_estimate_keeps_the_batch_under_the_limit():
    fast = machine(1, 1e-6)
    assert best_batch_size(fast, 10_000, bytes_per_context=1000, limit_bytes=50_000) == 32
    assert best_batch_size(fast, 10_000, bytes_per_context=1000, limit_bytes=10) == 1


def test_it_says_what_it_chose():
    notes: list[str] = []
    best_batch_size(machine(0, 0.01), 100, on_note=notes.append)
    assert notes == ["reading 8 contexts at once: 100 a second"]


def test_the_estimate_counts_the_logits_only_where_the_whole_model_runs(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "model", "neox", vocab_size=5000)), "cpu")

    def at(hook: str) -> int:
        measurement: Any = SimpleNamespace(hook=hook, sae=SimpleNamespace(d_in=16))
        return context_bytes(model, [measurement], 20)

    assert at("blocks.2.hook_resid_post") - at("blocks.1.hook_resid_post") == 20 * 2 * 5000 * 4


@pytest.mark.parametrize(("said", "meant"), [("auto", None), ("16", 16)])
def test_auto_is_an_option_of_the_command(said, meant):
    from ingest.cli.ingest import ingest

    assert ingest.make_context("ingest", ["--batch-size", said]).params["batch_size"] == meant


def test_a_batch_size_that_is_no_number_is_refused():
    from ingest.cli.ingest import ingest

    with pytest.raises(click.BadParameter, match="many"):
        ingest.make_context("ingest", ["--batch-size", "many"])


def test_a_real_model_is_probed(tmp_path):
    model, hook = load_model(str(save_tiny(tmp_path / "model", "neox")), "cpu"), "blocks.1.hook_resid_post"

    def try_batch(size: int) -> float:
        begin = time.perf_counter()
        model.run(np.full((size, 16), 3), [hook])
        return time.perf_counter() - begin

    assert best_batch_size(try_batch, 64) in (8, 16, 32, 64)
