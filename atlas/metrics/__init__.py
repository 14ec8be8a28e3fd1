"""Similarity of two feature spaces on matched rows: one file per metric, and one line per metric here.

Every metric is called `metric(x, y, *, options)` with x (n, p) and y (n, q), row i of both belonging together, and
returns a frozen result with `.score` and `.n`. `METRICS` maps each name to its function and what is known about it.
Beside them: `null` (permutation nulls), `resample` (intervals and halves), `dictionaries` (sets without a pairing).
"""

from atlas.metrics.cca import cca as cca
from atlas.metrics.cka import cka as cka
from atlas.metrics.matched_cosine import matched_cosine as matched_cosine
from atlas.metrics.mutual_knn import mutual_knn as mutual_knn
from atlas.metrics.procrustes import procrustes as procrustes
from atlas.metrics.pwcca import pwcca as pwcca
from atlas.metrics.registry import METRICS as METRICS
from atlas.metrics.rsa import rsa as rsa
from atlas.metrics.svcca import svcca as svcca
from atlas.metrics.svcca_pc1 import svcca_pc1 as svcca_pc1
