"""What model libraries raise on bad files, and one line of it that tells a person why."""

from __future__ import annotations


def library_errors() -> tuple[type[Exception], ...]:
    """What loading or running somebody's model or SAE raises when its files are not valid; not OSError."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    # Configs reach arithmetic, lookups and attribute access unchecked: `num_attention_heads: 0` is a ZeroDivisionError.
    plain = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
    return (*plain, ImportError, SafetensorError, StrictDataclassError)


def reason(error: Exception) -> str:
    """Kind and first line of an error, with the second line where the first only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    return f"{type(error).__name__}: {said or 'no reason given'}"
