"""Time, memory and disk of an ingest: on real SAEs against the bare forward pass, and on a large synthetic SAE.

The bare pass runs the same contexts in the same batches through TransformerLens and SAELens alone. The large SAE is a
random TopK-32 of 32,768 features on a random model of width 512; it is ingested in a process of its own under a
profiler that counts CPU time. Run: python bench/ingest.py [--tokens 1000000] [--skip-real | --skip-large]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # not the folder of this script, which has the name of a package

from bench.correlate import measured  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real models, SAEs and texts, beside a checkout."""

HOOK = "blocks.2.hook_resid_post"
REAL = ("stories260k_L2_topk1024_s0", "stories260k_L2_topk256k8_s0", "stories260k_L2_topk256k8_s1")
WIDTH, FEATURES, K, LAYERS = 512, 32_768, 32, 4


class Timed(NamedTuple):
    """Seconds of one ingest."""

    measuring: float
    """From the first forward pass to the last shard."""

    writing: float
    """From there to the end: statistics reduced, the database written."""


def ingest_once(
    db: Path,
    model: Path,
    saes: list[Path],
    text: Path,
    tokens: int,
    batch: int,
    begin: Callable[[], None] = lambda: None,
) -> Timed:
    """Ingest into a new atlas; `begin` is called when model and text are loaded."""
    from ingest.job import ingest
    from ingest.spec import IngestRequest

    clock: list[float] = []

    def tick(done: int, total: int) -> None:
        if not clock:
            begin()
        if done in (0, total):
            clock.append(time.perf_counter())

    request = IngestRequest(
        model=str(model),
        saes=tuple(map(str, saes)),
        corpus=str(text),
        hook=HOOK,
        tokens=tokens,
        context_length=128,
        batch_size=batch,
    )
    found = ingest(request, db=db, on_progress=tick)
    assert all(scan.measured for scan in found)
    return Timed(clock[-1] - clock[0], time.perf_counter() - clock[-1])


def bare_pass(model: Path, saes: list[Path], contexts: list[list[int]], batch: int) -> float:
    """Seconds to run the contexts through the model, as far as the hook, and through every SAE."""
    import torch
    from sae_lens import SAE
    from transformer_lens.model_bridge import TransformerBridge

    from ingest.sources.quiet import quietly

    bridge = TransformerBridge.boot_transformers(str(model), device="cpu", dtype=torch.float32)
    with quietly():
        modules = [SAE.load_from_disk(str(folder), device="cpu") for folder in saes]
    started = time.perf_counter()
    with torch.inference_mode():
        for begin in range(0, len(contexts), batch):
            ids = torch.tensor(contexts[begin : begin + batch])
            _, cache = bridge.run_with_cache(ids, names_filter=[HOOK], stop_at_layer=3, return_cache_object=False)
            x = cache[HOOK].flatten(0, 1)
            for module in modules:
                module(x)
    return time.perf_counter() - started


def against_the_bare_pass(data: Path, tokens: int, batch: int, rounds: int) -> None:
    """Real model and SAEs: ingest and bare pass in turns, medians of both."""
    from atlas.db import open_atlas

    model, saes = data / "models" / "stories260k", [data / "saes" / name for name in REAL]
    text = data / "text" / "tinystories.txt"
    bare, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds + 1):  # the first round warms up
            db = Path(folder) / f"{i}.duckdb"
            whole.append(ingest_once(db, model, saes, text, tokens, batch))
            with open_atlas(db) as atlas:
                rows = atlas.rows("select token_ids from context order by context_id").rows
                n_tokens = atlas.rows("select n_tokens from corpus").rows[0][0]
            bare.append(bare_pass(model, saes, [row[0] for row in rows if len(row[0]) == 128], batch))
    one = statistics.median(bare[1:])
    measuring = statistics.median(run.measuring for run in whole[1:])
    writing = statistics.median(run.writing for run in whole[1:])
    print(f"real: stories260k, 3 SAEs at {HOOK}, {n_tokens:,} tokens, batches of {batch} contexts of 128")
    for what, seconds in (("model + SAEs alone", one), ("ingest: measuring", measuring), ("ingest: writing", writing)):
        line(what, f"{seconds:.1f} s", f"{seconds / n_tokens * 1e6:.1f} us a token, {seconds / one:.2f}x the bare pass")
    print()


def build_large(folder: Path, data: Path, features: int) -> None:
    """A random model with the tokenizer of Pythia, and a random TopK SAE on it."""
    import torch
    from sae_lens import TopKSAE, TopKSAEConfig
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    mark = "<|endoftext|>"
    words = PreTrainedTokenizerFast(
        tokenizer_file=str(data / "tokenizers" / "pythia_tokenizer.json"),
        bos_token=mark,
        eos_token=mark,
        unk_token=mark,
    )
    words.save_pretrained(folder / "model")
    sizes: dict[str, Any] = {
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 8,
        "intermediate_size": 4 * WIDTH,
    }
    cfg = GPTNeoXConfig(vocab_size=50_304, max_position_embeddings=128, bos_token_id=0, eos_token_id=0, **sizes)
    GPTNeoXForCausalLM(cfg).save_pretrained(folder / "model")
    sae = TopKSAE(TopKSAEConfig(d_in=WIDTH, d_sae=features, k=K, apply_b_dec_to_input=False))
    with torch.no_grad():
        sae.W_dec.copy_(torch.nn.functional.normalize(torch.randn(features, WIDTH), dim=1))
        sae.W_enc.copy_(sae.W_dec.T)
    sae.save_model(folder / "sae")


def profiled_ingest(folder: Path, text: Path, tokens: int, batch: int) -> tuple[Timed, dict[str, float], float]:
    """Ingest under a profiler: wall seconds, CPU seconds by part, peak memory in MB."""
    profile = cProfile.Profile(time.process_time)
    where = folder / "large.duckdb", folder / "model", [folder / "sae"], text
    wall = ingest_once(*where, tokens, batch, begin=profile.enable)
    profile.disable()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return wall, cpu_by_part(pstats.Stats(profile)), peak


def cpu_by_part(stats: pstats.Stats) -> dict[str, float]:
    """CPU seconds inside each part of ingest/, with all that it calls: what enters it from another part."""
    parts = {
        "model": ("/transformer_lens/",),
        "SAE": (f"{ROOT}/ingest/sources/saes", "/sae_lens/"),
        "loss": (f"{ROOT}/ingest/running/loss.py",),
        "accumulate": (f"{ROOT}/ingest/accumulate/",),
        "shards": (f"{ROOT}/ingest/shards/store.py",),
        "reduce": (f"{ROOT}/ingest/writing/finish.py",),
        "write": (f"{ROOT}/ingest/writing/writer.py",),
    }

    def part_of(file: str) -> str | None:
        return next((part for part, marks in parts.items() if any(mark in file for mark in marks)), None)

    seconds = dict.fromkeys(parts, 0.0)
    for (file, _, _), (*_, cumulative, callers) in stats.stats.items():  # type: ignore[attr-defined]
        if part := part_of(file):
            known = ((caller, spent) for (caller, _, _), (*_, spent) in callers.items())
            within = sum(spent for caller, spent in known if part_of(caller) or str(ROOT) not in caller)
            seconds[part] += cumulative - within
    return seconds


def large(data: Path, tokens: int, batch: int, features: int) -> None:
    """The large SAE: peak memory, disk, and where the time goes."""
    from atlas.db import open_atlas, store_of

    text = data / "text" / "openwebtext.jsonl"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured(build_large, folder, data, features)
        wall, cpu, peak = measured(profiled_ingest, folder, text, tokens, batch).answer
        db = folder / "large.duckdb"
        with open_atlas(db) as atlas:
            n_tokens, n_nonzero = atlas.rows("select n_tokens, n_nonzero from scan").rows[0]
        stored = sum(file.stat().st_size for file in store_of(db).rglob("*.parquet"))
        print(
            f"large: TopK-{K}, {features:,} features on width {WIDTH}, {LAYERS} layers; {n_tokens:,} tokens; ", end=""
        )
        print(f"{n_nonzero:,} non-zeros; batches of {batch} contexts of 128")
        line("peak memory", f"{peak:,.0f} MB", "of the whole process, libraries included")
        line("measuring", f"{wall.measuring:,.1f} s", f"{wall.measuring / n_tokens * 1e6:.1f} us a token, wall clock")
        line("reducing and writing", f"{wall.writing:,.1f} s", "wall clock")
        forward = cpu["model"] + cpu["SAE"]
        for part, seconds in cpu.items():
            share = f"{seconds / n_tokens * 1e6:.2f} us a token, {seconds / forward:.3f}x model and SAE"
            line(f"  CPU: {part}", f"{seconds:,.1f} s", share)
        line("store", f"{stored / 2**20:,.0f} MB", f"{stored / n_nonzero:.2f} bytes a non-zero")
        line("database", f"{db.stat().st_size / 2**20:,.0f} MB", f"{db.stat().st_size / features:,.0f} bytes a feature")


def line(what: str, value: str, remark: str = "") -> None:
    print(f"{what:28s}{value:>12s}   {remark}".rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1_000_000, help="of the large SAE; the real ones get a fifth")
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with models, SAEs and texts")
    parser.add_argument("--skip-real", action="store_true")
    parser.add_argument("--skip-large", action="store_true")
    options = parser.parse_args()
    if not options.data.is_dir():
        raise SystemExit(f"there is no folder {options.data} with real models, SAEs and texts; give --data")
    print(f"{os.cpu_count()} cores\n")
    if not options.skip_large:
        large(options.data, options.tokens, options.batch_size, options.features)
        print()
    if not options.skip_real:
        against_the_bare_pass(options.data, options.tokens // 5, options.batch_size, options.rounds)


if __name__ == "__main__":
    main()
