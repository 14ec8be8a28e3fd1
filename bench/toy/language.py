"""The tokenizer and the language models: learned from the generated text, saved as Hugging Face folders in fp16.

The bare Hugging Face module is trained: a TransformerBridge would train copies of its attention weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

from bench.toy.profile import CONTEXT_LENGTH, LM_TEXT_SEED, ModelSpec, Profile
from ingest.toy.corpus import SEPARATOR, Style, documents

BATCH = 16
PEAK_LEARNING_RATE = 3e-3
WARM_UP_STEPS = 50

Say = Callable[[str], None]


def train_tokenizer(profile: Profile) -> PreTrainedTokenizerFast:
    """A byte-level BPE; almost every word of the small world becomes one token with its leading blank."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=profile.vocabulary,
        special_tokens=[SEPARATOR],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents("mixed", LM_TEXT_SEED, profile.lm_documents // 2), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=SEPARATOR,
        eos_token=SEPARATOR,
        pad_token=SEPARATOR,
    )


def contexts(tokenizer: PreTrainedTokenizerFast, style: Style, seed: int, n_documents: int) -> torch.Tensor:
    """Generated text as rows of `CONTEXT_LENGTH` tokens, each begun by `<|endoftext|>`; what is over is dropped."""
    bos = int(tokenizer.bos_token_id)  # pyright: ignore[reportArgumentType]
    stream: list[int] = []
    for encoded in tokenizer.backend_tokenizer.encode_batch(list(documents(style, seed, n_documents))):
        stream.extend((*encoded.ids, bos))
    width = CONTEXT_LENGTH - 1
    rows = torch.tensor(stream[: len(stream) // width * width]).view(-1, width)
    return torch.cat([torch.full((len(rows), 1), bos), rows], dim=1)


def new_model(spec: ModelSpec, profile: Profile, bos: int) -> GPTNeoXForCausalLM:
    """The model with its random weights."""
    torch.manual_seed(spec.seed)
    config = GPTNeoXConfig(
        hidden_size=spec.d_model,
        num_hidden_layers=spec.n_layers,
        num_attention_heads=spec.n_heads,
        intermediate_size=4 * spec.d_model,
        vocab_size=profile.vocabulary,
        max_position_embeddings=CONTEXT_LENGTH,
        bos_token_id=bos,
        eos_token_id=bos,
        pad_token_id=bos,
    )
    return GPTNeoXForCausalLM(config)


def train_model(spec: ModelSpec, profile: Profile, tokenizer: PreTrainedTokenizerFast, say: Say) -> GPTNeoXForCausalLM:
    """Train one model: AdamW, cosine schedule, `spec.n_steps` batches of 16 contexts."""
    model = new_model(spec, profile, int(tokenizer.bos_token_id))  # pyright: ignore[reportArgumentType]
    if spec.n_steps == 0:
        return model
    rows = contexts(tokenizer, "mixed", LM_TEXT_SEED, profile.lm_documents)
    say(f"{spec.name}: {rows.numel():,} tokens of text, {sum(p.numel() for p in model.parameters()):,} weights")
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, spec.n_steps))
    batches = shuffled(rows, BATCH, spec.seed)
    for step in range(spec.n_steps):
        batch = next(batches)
        loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            say(f"{spec.name}: step {step + 1} of {spec.n_steps}, loss {loss.item():.3f}")
    return model


def save_model(model: GPTNeoXForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model and tokenizer as a Hugging Face folder, weights in fp16."""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def shuffled(rows: torch.Tensor, batch: int, seed: int) -> Iterator[torch.Tensor]:
    """Batches of rows without end: each pass in a new order that `seed` fixes."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(rows), generator=generator)
        for start in range(0, max(1, len(rows) - batch + 1), batch):
            yield rows[order[start : start + batch]]


def _rate(step: int, n_steps: int) -> float:
    warm = min(1.0, (step + 1) / min(WARM_UP_STEPS, n_steps))
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / n_steps)))
