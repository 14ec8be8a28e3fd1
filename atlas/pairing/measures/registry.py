"""Every measure of similarity between features; to add one, write its file and list its record here."""

from __future__ import annotations

from atlas.pairing.measures.activation import ACTIVATION
from atlas.pairing.measures.attribution import ATTRIBUTION
from atlas.pairing.measures.coactivation import COACTIVATIONS
from atlas.pairing.measures.masked import MASKED
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.pooled import DOCUMENTS
from atlas.pairing.measures.weights import WEIGHTS

MEASURES: dict[str, Measure] = {
    measure.name: measure for measure in (ACTIVATION, *DOCUMENTS, *COACTIVATIONS, MASKED, ATTRIBUTION, *WEIGHTS)
}
"""Every measure by name."""
