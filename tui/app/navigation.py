"""Ways from view to view: to the front, back, to a scan, to a feature, to a pair, and through history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from textual.widgets import ContentSwitcher

from atlas.errors import AtlasError
from atlas.queries.browse import order_of
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.references import FeatureRef, PairRef
from tui.app.catalogue import Catalogue
from tui.app.start import HELD, located
from tui.views.base.pairs_reading import pairings_between
from tui.views.base.view import View
from tui.views.browse import BrowseView

if TYPE_CHECKING:
    from tui.views.feature import FeatureView
    from tui.views.pair import PairKey

Place = tuple[str, object]
"""Name of a view and where it stood."""


class Navigator(Catalogue):
    """Remembers the way, so that esc goes back; `[` and `]` walk through all that was looked at."""

    _trail: list[str]
    _past: list[Place]
    _future: list[Place]
    _coming: str
    """The view that is in front, or will be once it is made."""

    @property
    def browse_view(self) -> BrowseView:
        """The feature table."""
        return self.query_one(BrowseView)

    @property
    def feature_view(self) -> FeatureView | None:
        """One feature; None while it was never looked at."""
        view = self.query_one_optional("#feature", View)
        return cast("FeatureView", view) if view and view.is_made else None

    def go(self, name: str) -> None:
        """Show a view; esc comes back."""
        if self._coming != name:
            self.remember_place()
        self._step(name)

    def _step(self, name: str) -> None:
        """Show a view; the place before was remembered already."""
        if self._coming != name:
            self._trail = [past for past in self._trail if past != name] + [self._coming]
        self._bring(name)

    def _bring(self, name: str) -> None:
        """Put a view in front."""
        self._coming, self._flash = name, ""
        self.with_view(name, self._put_front)

    def _put_front(self, view: View) -> None:
        """Show a view, unless another one was asked for while it was made."""
        if view.id == self._coming:
            self.query_one(ContentSwitcher).current = view.id
            view.enter()
            self.refresh_bars()

    # history ----------------------------------------------------------------------------------------------------

    def remember_place(self) -> None:
        """The next step leads elsewhere: `[` comes back here."""
        here = self._here()
        if not self._past or self._past[-1] != here:
            self._past = [*self._past[-99:], here]
        self._future = []

    def forget_way(self) -> None:
        """What is in front is where the way begins; behind a feature or a pair is the list that it is from."""
        held = self._coming in HELD
        self._trail = self._trail if held else []
        self._past, self._future = [("browse", self.browse_view.place())] if held else [], []

    def _here(self) -> Place:
        """The view in front and where it stands; the feature view shows what the table's cursor is on."""
        view = self.front
        return str(view.id), (self.browse_view if view.id == "feature" else view).place()

    def action_past(self, step: int) -> None:
        """Back (-1) to what was looked at before, or forward (1) again."""
        source, target = (self._past, self._future) if step < 0 else (self._future, self._past)
        if not source:
            self.flash("nothing was looked at before" if step < 0 else "this is the newest")
            return
        target.append(self._here())
        name, place = source.pop()
        if place is not None:
            self.with_view("browse" if name == "feature" else name, lambda view: view.return_to(place))
        self._bring(name)

    # ways -------------------------------------------------------------------------------------------------------

    def browse_scan(self, scan: Scan | None, *, feature_id: int | None = None, line: str = "") -> None:
        """Browse the features of one scan, or of all."""
        self.remember_place()
        self.browse_view.show_scan(scan, feature_id=feature_id, line=line)
        self._step("browse")

    def browse_features(self, keys: Sequence[tuple[int, int]], about: str) -> None:
        """Browse a list of (scan, feature) that another view has made; esc there goes back to all features."""
        self.remember_place()
        names = {scan.scan_id: scan.sae for scan in self.scans}
        self.listed = frozenset((names[scan], feature) for scan, feature in keys if scan in names)
        self.browse_view.show_list(order_of(keys), about)
        self._step("browse")

    def open_feature(self, scan: Scan, feature_id: int) -> None:
        """Show one feature; esc comes back to where it was asked for."""
        self.remember_place()
        self.browse_view.show_scan(scan, feature_id=feature_id)
        self._step("feature")

    def open_pairs(self, sae_a: str, sae_b: str, corpus: str, corpus_b: str) -> None:
        """The matched pairs of two SAEs, each on its corpus."""
        a, b = self.scan_of(sae_a, corpus), self.scan_of(sae_b, corpus_b)
        if a is None or b is None:
            self.flash(f"{sae_a} or {sae_b} was not measured on {corpus}")
            return
        self.with_view("pairs", lambda view: view.show_sides(a, b))
        self.go("pairs")

    def pair_of(self, detail: FeatureDetail) -> None:
        """A feature beside its best partners, one after the other."""
        keys = [
            (detail.scan, detail.feature.feature_id, other, partner.feature_id)
            for partner in detail.partners
            if (other := self.scan_of(partner.sae, partner.corpus))
        ]
        if keys:
            self.open_pair(lambda row: keys[row], 0, len(keys))
        else:
            self.flash(f"{detail.reference} has no stored partner – featlas correlate {detail.scan.alias} OTHER")

    def open_pair(
        self, at: Callable[[int], PairKey | None], row: int, n_rows: int, *, measure: str = "activation"
    ) -> None:
        """Show one pair of a list, with candidates by a measure."""
        self.with_view("pair", lambda view: view.open(at, row, n_rows, measure=measure))
        self.go("pair")

    def open_reference(self, start: FeatureRef | PairRef) -> None:
        """Show the feature or the pair that a person named."""
        try:
            places = located(start, self.scans)
        except AtlasError as error:
            self.browse_scan(None)
            self.flash(error.what)
            return
        scan, feature_id = places[0]
        self.remember_place()
        self.browse_view.show_scan(scan, feature_id=feature_id)
        self._step("browse")
        if len(places) == 1:
            self._step("feature")
        else:
            self._step_pair(*places)

    def _step_pair(self, left: tuple[Scan, int], right: tuple[Scan, int]) -> None:
        """Show a pair; behind it are the pairs of the two SAEs, if they were compared."""
        if pairings_between(left[0], right[0], self.pairings):
            self.with_view("pairs", lambda view: view.show_sides(left[0], right[0]))
            self._step("pairs")
        self.with_view("pair", lambda view: view.open(lambda row: (*left, *right), 0, 1))
        self._step("pair")
