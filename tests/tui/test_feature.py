"""One feature on the whole screen: its contexts by kind, all that is stored of it with its meaning, and its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.db import open_atlas
from atlas.references import parse_reference
from tests.support.tui_pilot import drive, dump, make_atlas, press, screen_after, styles_of
from tui.app.app import FeatlasApp

FEATURE = parse_reference("A:0")


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_atlas(tmp_path_factory.mktemp("feature") / "synthetic.duckdb")


@pytest.fixture
def kinds(tiny):
    """Contexts of every kind: the top ones again under other names."""
    with open_atlas(tiny, write=True) as atlas:
        for kind, group in (("quantile", 3), ("quantile", 9), ("interval", 9), ("random", 0), ("silent", 0)):
            atlas.rows(
                "insert into feature_context select f.* replace ($kind as kind, $bin as bin) from feature_context f where kind = 'top'",
                kind=kind,
                bin=group,
            )
    return tiny


@pytest.mark.parametrize(
    ("key", "heading"),
    [
        ("u", "contexts by quantile  4"),
        ("i", "contexts by interval  2"),
        ("r", "random contexts in which it fires  2"),
        ("s", "random contexts in which it is silent  2"),
    ],
)
def test_keys_choose_the_kind_of_context_and_t_goes_back(kinds, key, heading):
    assert heading in screen_after(kinds, key, start=FEATURE)
    assert "top contexts  2" in screen_after(kinds, key, "t", start=FEATURE)


def test_groups_of_contexts_are_named_strongest_first(kinds):
    shown = screen_after(kinds, "u", start=FEATURE)
    assert 0 < shown.index("activation quantile 90–100 %") < shown.index("activation quantile 30–40 %")
    assert "90–100 % of the maximum" in screen_after(kinds, "i", start=FEATURE)


def test_a_kind_that_is_not_stored_says_so(tiny):
    assert "featlas ingest" in screen_after(tiny, "r", start=FEATURE)


def test_the_next_feature_keeps_the_kind(kinds):
    assert "contexts by quantile  0" in screen_after(kinds, "u", "j", start=FEATURE)


def test_logit_tokens_and_neighbours_are_on_the_first_screen(tiny):
    shown = screen_after(tiny, start=FEATURE)
    assert "raises   ␣sad +1.50" in shown
    assert "lowers   . -0.50" in shown
    assert "near     A:3 .60" in shown


def test_an_sae_without_decoder_rows_says_how_to_store_them(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from feature_vector")
    assert "no decoder row with a direction stored – featlas ingest" in screen_after(tiny, start=FEATURE)


def test_d_tells_every_number_with_the_comment_of_its_column_and_esc_goes_back(full):
    async def script(app, pilot):
        await press(app, pilot, "d")
        shown = dump(app)
        assert "q75_active" in shown
        assert "largest activation; null if none fires" in shown
        await press(app, pilot, "G")
        shown = dump(app)
        assert "B   little/two               activation              B:1         .900  mutual" in shown
        assert "logit                   B:2         .950  mutual" in shown
        assert "␣sad              fires      30 of        50   60.0 %" in shown
        await press(app, pilot, "escape")
        assert "top contexts  2" in dump(app)

    drive(FeatlasApp(full, start=FEATURE), script, size=(120, 50))


def test_w_shows_whole_contexts(synthetic):
    cut = screen_after(synthetic, "enter", size=(80, 24))
    whole = screen_after(synthetic, "enter", "w", size=(80, 24))
    assert sum("⟦" in line for line in whole.splitlines()) < sum("⟦" in line for line in cut.splitlines())
    assert screen_after(synthetic, "enter", "w", "w", size=(80, 24)) == cut


def test_v_counts_linearly(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("insert into histogram values (1, 0, 2000, 4)")
    log, linear = screen_after(tiny, start=FEATURE), screen_after(tiny, "v", start=FEATURE)
    assert log != linear
    assert screen_after(tiny, "v", "v", start=FEATURE) == log


def test_z_shades_by_the_strongest_token_of_the_context(tiny):
    async def script(app, pilot):
        await press(app, pilot, "j", "k")
        levels = [style.bgcolor for style in styles_of(app, "sad") if style.bgcolor and style.underline]
        await press(app, pilot, "z")
        own = [style.bgcolor for style in styles_of(app, "sad") if style.bgcolor and style.underline]
        assert levels[-1] != own[-1]
        assert "share of the context's strongest" in dump(app)

    drive(FeatlasApp(tiny, start=FEATURE, colour=True), script)


def test_a_feature_without_partners_says_how_to_compare_and_p_says_it_too(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from pair")
    assert "matches   none stored   featlas correlate A OTHER" in screen_after(tiny, start=FEATURE)
    assert "featlas correlate A OTHER" in screen_after(tiny, "p", start=FEATURE)


def test_a_feature_without_contexts_says_so(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from feature_context")
    assert "featlas ingest again with --replace" in screen_after(tiny, start=FEATURE)
