"""Similarities between the features of two SAEs."""

from atlas.pairing.alignment import Alignment as Alignment
from atlas.pairing.alignment import align as align
from atlas.pairing.alignment import to_units as to_units
from atlas.pairing.assign import assign as assign
from atlas.pairing.attribution import attributions as attributions
from atlas.pairing.attribution import correlate_attributions as correlate_attributions
from atlas.pairing.chance import ShiftNull as ShiftNull
from atlas.pairing.chance import cosine_chance as cosine_chance
from atlas.pairing.chance import roll_tokens as roll_tokens
from atlas.pairing.chance import shift_null as shift_null
from atlas.pairing.coactivation import coactivation as coactivation
from atlas.pairing.correlate import correlate_sparse as correlate_sparse
from atlas.pairing.cuts import Cut as Cut
from atlas.pairing.masked import masked_cosine as masked_cosine
from atlas.pairing.measures import MEASURES as MEASURES
from atlas.pairing.measures import Measure as Measure
from atlas.pairing.pooling import pool_documents as pool_documents
from atlas.pairing.streamed import correlate_blocks as correlate_blocks
from atlas.pairing.toppairs import BestPartners as BestPartners
from atlas.pairing.toppairs import TopPairs as TopPairs
from atlas.pairing.weights import cosine as cosine
from atlas.pairing.weights import gram as gram
from atlas.pairing.weights import logit as logit
from atlas.pairing.weights import preactivation as preactivation
