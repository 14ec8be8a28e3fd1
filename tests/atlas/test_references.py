"""References read the same in commands, in the browser and in links."""

from __future__ import annotations

import pytest

from atlas.errors import UnknownName, UsageError
from atlas.references import FeatureRef, PairRef, parse_reference, resolve_feature, resolve_sae

KNOWN = [("pythia-70m/L3/topk32k", "A"), ("pythia-70m/L3/l1", "B"), ("gpt2:small/L6", "C"), ("toy/L3/L1", "D")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A:1081", FeatureRef("A", 1081)),
        (" pythia-70m/L3/topk32k:0 ", FeatureRef("pythia-70m/L3/topk32k", 0)),
        ("gpt2:small/L6:12", FeatureRef("gpt2:small/L6", 12)),
        ("A:1=B:2", PairRef(FeatureRef("A", 1), FeatureRef("B", 2))),
        ("x=y:1=gpt2:small/L6:2", PairRef(FeatureRef("x=y", 1), FeatureRef("gpt2:small/L6", 2))),
    ],
)
def test_a_reference_splits_at_the_last_colon(text, expected):
    assert parse_reference(text) == expected


@pytest.mark.parametrize("text", ["", "A", "A:", ":1", "A:x", "A:-1", "A:1=", "A:1=B"])
def test_what_is_no_reference_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="A:1081=B:3169"):
        parse_reference(text)


def test_a_reference_prints_as_it_is_typed():
    assert str(parse_reference("A:1=B:2")) == "A:1=B:2"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("A", "pythia-70m/L3/topk32k"),
        ("b", "pythia-70m/L3/l1"),
        ("PYTHIA-70M/l3/TOPK32K", "pythia-70m/L3/topk32k"),
        ("topk32k", "pythia-70m/L3/topk32k"),
        ("small/L6", None),
        ("L6", "gpt2:small/L6"),
    ],
)
def test_a_name_an_alias_or_an_ending_finds_the_sae(wanted, name):
    if name is None:
        with pytest.raises(UnknownName):
            resolve_sae(wanted, KNOWN)
    else:
        assert resolve_sae(wanted, KNOWN) == name


def test_an_exact_name_wins_over_another_alias():
    assert resolve_sae("B", [("B", "A"), ("A", "B")]) == "B"


def test_an_ending_that_fits_two_names_is_refused_and_both_are_named():
    with pytest.raises(UsageError, match="pythia-70m/L3/l1, toy/L3/L1"):
        resolve_sae("l1", KNOWN)


def test_an_unknown_sae_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'pythia-70m/L3/topk32k'"):
        resolve_sae("pythia70m/L3/topk32", KNOWN)


def test_an_unknown_letter_lists_the_aliases():
    with pytest.raises(UnknownName, match="B pythia-70m/L3/l1"):
        resolve_sae("Z", KNOWN)


def test_resolving_a_feature_keeps_its_number():
    assert resolve_feature(FeatureRef("C", 7), KNOWN) == FeatureRef("gpt2:small/L6", 7)
