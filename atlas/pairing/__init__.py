"""Similarities between the features of two SAEs."""

from atlas.pairing.assignment.assign import assign as assign
from atlas.pairing.measures.activation import correlate_sparse as correlate_sparse
from atlas.pairing.measures.attribution import attributions as attributions
from atlas.pairing.measures.attribution import correlate_attributions as correlate_attributions
from atlas.pairing.measures.coactivation import coactivation as coactivation
from atlas.pairing.measures.masked import masked_cosine as masked_cosine
from atlas.pairing.measures.measure import Measure as Measure
from atlas.pairing.measures.pooled import pool_documents as pool_documents
from atlas.pairing.measures.registry import MEASURES as MEASURES
from atlas.pairing.measures.weights import cosine as cosine
from atlas.pairing.measures.weights import cosine_chance as cosine_chance
from atlas.pairing.measures.weights import gram as gram
from atlas.pairing.measures.weights import logit as logit
from atlas.pairing.measures.weights import preactivation as preactivation
from atlas.pairing.search.chance import ShiftNull as ShiftNull
from atlas.pairing.search.chance import roll_tokens as roll_tokens
from atlas.pairing.search.chance import shift_null as shift_null
from atlas.pairing.search.streamed import correlate_blocks as correlate_blocks
from atlas.pairing.search.toppairs import BestPartners as BestPartners
from atlas.pairing.search.toppairs import TopPairs as TopPairs
from atlas.pairing.tokens.alignment import Alignment as Alignment
from atlas.pairing.tokens.alignment import align as align
from atlas.pairing.tokens.alignment import to_units as to_units
from atlas.pairing.tokens.cuts import Cut as Cut
