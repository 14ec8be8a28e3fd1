"""Build the built-in models: `python -m bench.toy.build --profile full --out DIR`.

What is shipped was made with `--profile full --jobs 2 --out ingest/toy/artifacts`. A build that was stopped goes on:
what is there with the same spec and the same bytes is kept, and each artifact appears whole or not at all. On one
machine, equal specs give equal bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.toy.profile import LM_TEXT_SEED, PROFILES, ModelSpec, Profile, SaeSpec, spec_hash
from ingest.toy.corpus import documents

Entry = dict[str, Any]
Task = Callable[[], dict[str, Entry]]

SOFTWARE = ("torch", "transformers", "tokenizers", "transformer-lens", "sae-lens", "safetensors")


def say(line: str) -> None:
    """Progress, on stderr."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


def build(profile: Profile, out: Path, *, jobs: int = 1, minutes: float = 60.0) -> bool:
    """Make what is missing of `profile` under `out`; False when the time ended before the work did.

    Args:
        profile: What to make.
        out: Folder for `models/`, `saes/` and `manifest.json`.
        jobs: Processes, one thread each.
        minutes: After this time nothing new is begun.
    """
    deadline = time.monotonic() + 60 * minutes
    quiet()
    manifest = _Manifest.open(profile, out)
    for tasks in (_model_tasks, _sae_tasks):
        for made in _run(tasks(profile, out, manifest), jobs, deadline):
            manifest.add(made)
        if tasks(profile, out, manifest):
            return False
    return True


def quiet() -> None:
    """One thread, no progress bars, no deprecation warnings; call it before torch is imported."""
    for name, value in {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TQDM_DISABLE": "1"}.items():
        os.environ.setdefault(name, value)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)


@dataclass(frozen=True, slots=True)
class _Manifest:
    """`manifest.json`, written again after every artifact."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def open(cls, profile: Profile, out: Path) -> _Manifest:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "manifest.json"
        before = json.loads(path.read_text())["artifacts"] if path.exists() else {}
        names = {spec.name for spec in (*profile.models, *profile.saes)}
        kept = {name: entry for name, entry in before.items() if name in names}
        software = {package: version(package) for package in SOFTWARE}
        return cls(path, {"profile": profile.name, "text": text_hash(), "software": software, "artifacts": kept})

    def add(self, made: dict[str, Entry]) -> None:
        self.content["artifacts"].update(made)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.content, indent=2, sort_keys=True) + "\n")
        part.replace(self.path)

    def holds(self, name: str, folder: Path, wanted: str) -> bool:
        """Whether the artifact is there, with this spec and with the bytes that were recorded."""
        entry = self.content["artifacts"].get(name)
        return bool(entry) and entry["spec_hash"] == wanted and folder.is_dir() and sha256s(folder) == entry["files"]


def text_hash() -> str:
    """Changes when the generated text does."""
    return spec_hash(*documents("mixed", LM_TEXT_SEED, 2000))


def sha256s(folder: Path) -> dict[str, str]:
    """File name -> sha256 of its bytes."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _model_tasks(profile: Profile, out: Path, manifest: _Manifest) -> list[Task]:
    recipe = (profile.vocabulary, profile.lm_documents, profile.quality_contexts, manifest.content["text"])
    tasks: list[Task] = []
    for spec in profile.models:
        wanted = spec_hash(spec, json.dumps(recipe))
        if not manifest.holds(spec.name, out / "models" / spec.name, wanted):
            tasks.append(_ModelTask(spec, profile, out, wanted))
    return tasks


def _sae_tasks(profile: Profile, out: Path, manifest: _Manifest) -> list[Task]:
    """One task for the SAEs that learn from the same activations."""
    tasks: list[Task] = []
    for _, group in itertools.groupby(profile.saes, key=lambda spec: (spec.model, spec.hook_name, spec.style)):
        missing: dict[SaeSpec, str] = {}
        for spec in group:
            model = manifest.content["artifacts"][spec.model]["files"]["model.safetensors"]
            recipe = (model, profile.sae_tokens, profile.quality_contexts, manifest.content["text"])
            wanted = spec_hash(spec, json.dumps(recipe))
            if not manifest.holds(spec.name, out / "saes" / spec.name, wanted):
                missing[spec] = wanted
        if missing:
            tasks.append(_SaeTask(missing, profile, out))
    return tasks


@dataclass(frozen=True, slots=True)
class _ModelTask:
    spec: ModelSpec
    profile: Profile
    out: Path
    wanted: str

    def __call__(self) -> dict[str, Entry]:
        from bench.toy import language, quality

        quiet()
        tokenizer = language.train_tokenizer(self.profile)
        model = language.train_model(self.spec, self.profile, tokenizer, say)
        folder = self.out / "models" / self.spec.name
        _whole(folder, lambda part: language.save_model(model, tokenizer, part))
        return {self.spec.name: _entry(self.spec, self.wanted, folder, quality.model_quality(folder, self.profile))}


@dataclass(frozen=True, slots=True)
class _SaeTask:
    specs: dict[SaeSpec, str]
    profile: Profile
    out: Path

    def __call__(self) -> dict[str, Entry]:
        from bench.toy import dictionary, quality

        quiet()
        first = next(iter(self.specs))
        model = dictionary.load_model(self.out / "models" / first.model)
        activations = dictionary.training_activations(model, first, self.profile)
        made: dict[str, Entry] = {}
        for spec, wanted in self.specs.items():
            sae = dictionary.train_sae(spec, activations, say)
            folder = self.out / "saes" / spec.name
            _whole(folder, lambda part, sae=sae: dictionary.save_sae(sae, part))
            made[spec.name] = _entry(spec, wanted, folder, quality.sae_quality(folder, model, spec, self.profile))
        return made


def _whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary folder, then put it in place."""
    part = folder.parent / f".{folder.name}.part"
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    write(part)
    for path in part.iterdir():
        path.chmod(0o644)  # safetensors writes 0600, which an installed package must not have
    part.rename(folder)


def _entry(spec: ModelSpec | SaeSpec, wanted: str, folder: Path, measured: dict[str, Any]) -> Entry:
    say(f"{spec.name}: " + ", ".join(f"{key} {value}" for key, value in measured.items()))
    kind = "model" if isinstance(spec, ModelSpec) else "sae"
    plain = asdict(spec)
    return {"kind": kind, "seed": spec.seed, "spec": plain, "spec_hash": wanted, "files": sha256s(folder)} | {
        "quality": measured
    }


def _run(tasks: Sequence[Task], jobs: int, deadline: float) -> Iterator[dict[str, Entry]]:
    if jobs == 1:
        for task in tasks:
            if time.monotonic() < deadline:
                yield task()
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=quiet) as pool:
        for done in as_completed([pool.submit(task) for task in tasks]):
            yield done.result()
            if time.monotonic() > deadline:
                pool.shutdown(cancel_futures=True)
                return


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, build, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.toy.build", description="Build the built-in models.")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="smallest", help="what to make")
    parser.add_argument("--out", type=Path, required=True, help="folder for models/, saes/ and manifest.json")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin nothing new after this time")
    options = parser.parse_args(arguments)
    if build(PROFILES[options.profile], options.out, jobs=options.jobs, minutes=options.minutes):
        say(f"all there: {options.out}")
        return 0
    say("the time is over; the same command goes on where this one stopped")
    return 1


if __name__ == "__main__":
    sys.exit(main())
