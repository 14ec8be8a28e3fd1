"""Ways from view to view: to the front, back, to a scan, to a feature, to a pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.widgets import ContentSwitcher

from atlas.errors import AtlasError
from atlas.queries.browse import order_of
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.references import FeatureRef, PairRef
from tui.browse import BrowseView
from tui.catalogue import Catalogue
from tui.feature import FeatureView
from tui.pair import PairKey, PairView
from tui.start import located


class Navigator(Catalogue):
    """Remembers the way, so that esc goes back."""

    _trail: list[str]

    @property
    def browse_view(self) -> BrowseView:
        """The feature table."""
        return self.query_one(BrowseView)

    @property
    def feature_view(self) -> FeatureView:
        """One feature."""
        return self.query_one(FeatureView)

    def go(self, name: str) -> None:
        """Show a view; esc comes back."""
        current = self.query_one(ContentSwitcher).current
        if current != name:
            self._trail = [past for past in self._trail if past != name] + ([current] if current else [])
        self._bring(name)

    def _bring(self, name: str) -> None:
        """Put a view in front."""
        self.query_one(ContentSwitcher).current = name
        self._flash = ""
        self.front.enter()
        self.refresh_bars()

    def browse_scan(self, scan: Scan | None, *, feature_id: int | None = None) -> None:
        """Browse the features of one scan."""
        self.browse_view.show_scan(scan, feature_id=feature_id)
        self.go("browse")

    def browse_features(self, keys: Sequence[tuple[int, int]], about: str) -> None:
        """Browse a list of (scan, feature) that another view has made; esc there goes back to all features."""
        self.browse_view.show_list(order_of(keys), about)
        self.go("browse")

    def pair_of(self, detail: FeatureDetail) -> None:
        """A feature beside its best partners, one after the other."""
        keys = [
            (detail.scan, detail.feature.feature_id, other, partner.feature_id)
            for partner in detail.partners
            if (other := self.scan_of(partner.sae, detail.scan.corpus))
        ]
        if keys:
            self.open_pair(lambda row: keys[row], 0, len(keys))
        else:
            self.flash(f"{detail.reference} has no stored partner – featlas correlate {detail.scan.alias} OTHER")

    def open_pair(
        self, at: Callable[[int], PairKey | None], row: int, n_rows: int, *, measure: str = "activation"
    ) -> None:
        """Show one pair of a list, with candidates by a measure."""
        self.query_one(PairView).open(at, row, n_rows, measure=measure)
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
        self.browse_scan(scan, feature_id=feature_id)
        if len(places) == 1:
            self.go("feature")
        else:
            self.open_pair(lambda row: (*places[0], *places[1]), 0, 1)
