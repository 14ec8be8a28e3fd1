"""Similarities between the features of two SAEs."""

from atlas.pairing.assignment.assign import assign as assign
from atlas.pairing.measures.activation import correlate_sparse as correlate_sparse
from atlas.pairing.measures.registry import MEASURES as MEASURES
from atlas.pairing.search.topk import BestPartners as BestPartners
from atlas.pairing.search.topk import TopPairs as TopPairs
