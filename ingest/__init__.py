"""The writers: models and SAEs are run over a corpus and reduced to rows of an atlas."""

import os

# Both must be in the environment before torch and tokenizers load: spinning OpenMP threads cost 4-10x on a shared
# machine, and forked tokenizer threads deadlock.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
