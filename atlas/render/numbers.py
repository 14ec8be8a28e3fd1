"""Numbers as tables and panes show them: short, and never rounded up to 1."""

from __future__ import annotations


def share(value: float) -> str:
    """A density: `0` or two digits with an exponent, always seven cells or fewer."""
    return "0" if value == 0 else f"{value:.1e}"


def correlation(value: float | None, *, digits: int = 2) -> str:
    """A value in [-1, 1] without its zero: `.94`, `-.05`; `1.0` only for exactly 1; `·` for None."""
    if value is None:
        return "·"
    if abs(value) >= 1:
        return "1.0" if value > 0 else "-1.0"
    most = 10**digits - 1
    scaled = min(round(abs(value) * 10**digits), most)
    return ("-" if value < 0 and scaled else "") + f".{scaled:0{digits}d}"


def strength(value: float | None) -> str:
    """An activation in six cells or fewer: three digits, `·` for None."""
    if value is None:
        return "·"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 9999.5 or size < 0.0001:
        return f"{value:.0e}"
    if size < 0.00995:
        return f"{value:.4f}".replace("0.", ".", 1)
    return f"{value:.0f}" if size >= 999.5 else f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def count(value: int) -> str:
    return f"{value:,}"


def percent(value: float) -> str:
    if 0 < value < 0.001:
        return f"{100 * value:.0e} %"
    return f"{100 * value:.1f} %"


def value_of(value: float | None) -> str:
    """A value of any measure; lift has no upper end."""
    return strength(value) if value is not None and abs(value) > 1.0000001 else correlation(value, digits=3)


def probability(value: float | None) -> str:
    """A p-value: two digits, `–` for None."""
    return "–" if value is None else f"{value:.2g}"
