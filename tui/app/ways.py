"""Ways from view to view: to the front, back, to a scan, to a feature, to a pair, and through history."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.errors import AtlasError
from atlas.queries.browse import order_of
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.references import FeatureRef, PairRef, resolve_feature
from tui.app.views import BY_NAME, Stage
from tui.kit.browser import Browser, PairAt
from tui.kit.catalogue import Catalogue
from tui.views.base.view import View

Place = tuple[str, object]
"""Name of a view and its state."""


class Ways:
    """Navigation to what the user or a view names; esc goes back, `[` and `]` walk through all that was looked at."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self._browser, self._stage = browser, stage
        self._trail: list[str] = []
        self._past: list[Place] = []
        self._future: list[Place] = []
        self._coming = "browse"  # the view that is in front, or will be once it is made

    def go(self, name: str) -> None:
        if self._coming != name:
            self._remember_place()
        self._step(name)

    def back(self) -> None:
        """The view before; from the SQL view, where q is a letter, always to another one."""
        if self._trail or self._coming == "sql":
            self._bring(self._trail.pop() if self._trail else "browse")

    def past(self, step: int) -> None:
        """Back (-1) to what was looked at before, or forward (1) again."""
        source, target = (self._past, self._future) if step < 0 else (self._future, self._past)
        if not source:
            self._browser.flash("there is no earlier view" if step < 0 else "this is the latest view")
            return
        target.append(self._here())
        name, place = source.pop()
        if place is not None:
            self._stage.with_view("browse" if name == "feature" else name, lambda view: view.return_to(place))
        self._bring(name)

    def forget(self) -> None:
        """The history starts at the view in front; behind a feature or a pair is the list that it is from."""
        held = BY_NAME[self._coming].held
        self._trail = self._trail if held else []
        self._past, self._future = [("browse", self._stage.browse.place())] if held else [], []

    def _remember_place(self) -> None:
        """The next step leads elsewhere: `[` comes back here."""
        here = self._here()
        if not self._past or self._past[-1] != here:
            self._past = [*self._past[-99:], here]
        self._future = []

    def _here(self) -> Place:
        """The view in front and its state; the feature view shows what the table's cursor is on."""
        view = self._stage.front
        return str(view.id), (self._stage.browse if view.id == "feature" else view).place()

    def _step(self, name: str) -> None:
        """Show a view; the place before was remembered already."""
        if self._coming != name:
            self._trail = [past for past in self._trail if past != name] + [self._coming]
        self._bring(name)

    def _bring(self, name: str) -> None:
        self._coming = name
        self._browser.flash("")
        self._stage.with_view(name, self._put_front)

    def _put_front(self, view: View) -> None:
        """Show a view, unless another one was asked for while it was made."""
        if view.id == self._coming:
            self._stage.put_front(view)
            self._browser.refresh_bars()

    def browse_scan(self, scan: Scan | None, *, feature_id: int | None = None, line: str = "") -> None:
        self._remember_place()
        self._stage.browse.show_scan(scan, feature_id=feature_id, line=line)
        self._step("browse")

    def browse_features(self, keys: Sequence[tuple[int, int]], about: str) -> None:
        """Browse a list of (scan, feature) that another view has made; esc there goes back to all features."""
        self._remember_place()
        names = {scan.scan_id: scan.sae for scan in self._browser.catalogue.scans}
        self._browser.listed = frozenset((names[scan], feature) for scan, feature in keys if scan in names)
        self._stage.browse.show_list(order_of(keys), about)
        self._step("browse")

    def open_feature(self, scan: Scan, feature_id: int) -> None:
        self._remember_place()
        self._stage.browse.show_scan(scan, feature_id=feature_id)
        self._step("feature")

    def open_pairs(self, sae_a: str, sae_b: str, corpus: str, corpus_b: str) -> None:
        """The matched pairs of two SAEs, each on its corpus."""
        catalogue = self._browser.catalogue
        a, b = catalogue.scan_of(sae_a, corpus), catalogue.scan_of(sae_b, corpus_b)
        if a is None or b is None:
            self._browser.flash(f"{sae_a} or {sae_b} was not measured on {corpus}")
            return
        self._stage.with_view("pairs", lambda view: view.show_saes(a, b))
        self.go("pairs")

    def pair_of(self, detail: FeatureDetail) -> None:
        """A feature beside its best partners, one after the other."""
        keys = [
            (detail.scan, detail.feature.feature_id, other, partner.feature_id)
            for partner in detail.partners
            if (other := self._browser.catalogue.scan_of(partner.sae, partner.corpus))
        ]
        if keys:
            self.open_pair(lambda row: keys[row], 0, len(keys))
        else:
            hint = f"featlas correlate {detail.scan.alias} OTHER"
            self._browser.flash(f"{detail.reference} has no stored partner – {hint}")

    def open_pair(self, at: PairAt, row: int, n_rows: int, *, measure: str = "activation") -> None:
        self._stage.with_view("pair", lambda view: view.open(at, row, n_rows, measure=measure))
        self.go("pair")

    def open_reference(self, start: FeatureRef | PairRef) -> None:
        """Show the feature or the pair that a person named."""
        try:
            places = located(start, self._browser.catalogue)
        except AtlasError as error:
            self.browse_scan(None)
            self._browser.flash(error.what)
            return
        scan, feature_id = places[0]
        self.browse_scan(scan, feature_id=feature_id)
        if len(places) == 1:
            self._step("feature")
        else:
            self._step_pair(*places)

    def _step_pair(self, left: tuple[Scan, int], right: tuple[Scan, int]) -> None:
        """Show a pair; behind it are the pairs of the two SAEs, if they were compared."""
        if self._browser.catalogue.pairings_between(left[0], right[0]):
            self._stage.with_view("pairs", lambda view: view.show_saes(left[0], right[0]))
            self._step("pairs")
        self._stage.with_view("pair", lambda view: view.open(lambda row: (*left, *right), 0, 1))
        self._step("pair")


def located(start: FeatureRef | PairRef, catalogue: Catalogue) -> list[tuple[Scan, int]]:
    """Scan and number of one feature or of two; both on one corpus where they can be.

    Raises:
        AtlasError: An SAE or a feature does not exist.
    """
    references = [start] if isinstance(start, FeatureRef) else [start.a, start.b]
    places: list[tuple[Scan, int]] = []
    for reference in references:
        named = resolve_feature(reference, catalogue.names)
        newest_last = [scan for scan in catalogue.scans if scan.sae == named.sae]
        corpus = places[0][0].corpus if places else newest_last[-1].corpus
        scan = catalogue.scan_of(named.sae, corpus) or newest_last[-1]
        if named.feature_id >= scan.d_sae:
            raise AtlasError(f"{scan.sae} has no feature {named.feature_id}; its last is {scan.d_sae - 1:,}")
        places.append((scan, named.feature_id))
    return places
