"""A tiny random model with SAEs and a text, in folders as a user has them, and what an atlas holds of them."""

from __future__ import annotations

from pathlib import Path

from atlas.db import open_atlas
from ingest.spec import IngestRequest

HOOK = "blocks.1.hook_resid_post"
STATISTICS = (
    "feature_stat",
    "histogram",
    "feature_context",
    "feature_position",
    "feature_token",
    "feature_pooling",
    "scan_position",
    "scan_pooling",
)


def build_tiny(folder: Path) -> Path:
    """Put into a folder a tiny model, three SAEs and a text of 40 documents."""
    import torch
    from sae_lens import StandardSAE, StandardSAEConfig
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    letters = {"<s>": 0, "<unk>": 1, **{letter: i for i, letter in enumerate("abcdefghijklmnop", start=2)}}
    backend = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="<s>", unk_token="<unk>"
    ).save_pretrained(folder / "model")
    size = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    cfg = GPTNeoXConfig(vocab_size=18, max_position_embeddings=32, bos_token_id=0, eos_token_id=0, **size)
    GPTNeoXForCausalLM(cfg).save_pretrained(folder / "model")
    for name, d_in in (("one", 16), ("two", 16), ("wide", 24)):
        sae = StandardSAE(StandardSAEConfig(d_in=d_in, d_sae=20, apply_b_dec_to_input=False))
        with torch.no_grad():
            sae.W_enc.normal_()
            sae.b_enc.fill_(-0.2)
        sae.save_model(folder / name)
    texts = [" ".join("abcdefghijklmnop"[(i * k + k * k) % 16] for k in range(5 + i % 30)) for i in range(40)]
    (folder / "text.txt").write_text("\n<|endoftext|>\n".join(texts))
    return folder


def tiny_request(tiny: Path) -> IngestRequest:
    """Both SAEs on the whole text, in several shards."""
    return IngestRequest(
        model=str(tiny / "model"),
        saes=(str(tiny / "one"), str(tiny / "two")),
        corpus=str(tiny / "text.txt"),
        hook=HOOK,
        context_length=12,
        batch_size=4,
        shard_tokens=150,
    )


def rows(db: Path, sae: str) -> dict[str, list]:
    """Every statistic of a scan, without its number."""
    with open_atlas(db) as atlas:
        of_scan = "from {} t join scan c using (scan_id) join sae s using (sae_id) where s.name = $sae order by all"
        return {
            table: [row[1:] for row in atlas.rows(f"select t.* {of_scan.format(table)}", sae=sae)]
            for table in STATISTICS
        }


def left_behind(folder: Path) -> list[str]:
    """Names of everything in a folder."""
    return sorted(path.name for path in folder.rglob("*"))
