"""Colours of activation: one hue whose luminance rises, so that it survives greyscale and colour blindness."""

from __future__ import annotations

DARK = ("", "#49341d", "#6c430e", "#975b0c", "#c67811", "#e9951d", "#f4b13b", "#ffcd5a")
"""Backgrounds of levels 0 to 7 on a dark screen: relative luminance 0.04 to 0.66."""

LIGHT = ("", "#fbe9c8", "#f8d798", "#f2bf62", "#e6a02f", "#c67811", "#975b0c", "#6c430e")
"""Backgrounds on a light screen: the ramp mirrored."""


def ramp(*, dark: bool) -> tuple[str, ...]:
    return DARK if dark else LIGHT


def ink(background: str) -> str:
    """Black or white, whichever stands out more on a background."""
    light = luminance(background)
    return "#000000" if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else "#ffffff"


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """WCAG relative luminance of `#rrggbb`, 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
