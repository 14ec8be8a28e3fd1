"""Similarities between the features of two SAEs."""

from atlas.pairing.chance import ShiftNull as ShiftNull
from atlas.pairing.chance import roll_tokens as roll_tokens
from atlas.pairing.chance import shift_null as shift_null
from atlas.pairing.correlate import TopPairs as TopPairs
from atlas.pairing.correlate import correlate_sparse as correlate_sparse
