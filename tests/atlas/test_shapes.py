"""Claims about the shapes in annotations: every call in these tests is checked, and users pay nothing for it."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from atlas.metrics.matched import unit_rows
from atlas.metrics.registry import METRICS
from atlas.metrics.svcca import Svcca, svcca


def test_a_wrong_shape_is_found_at_the_call():
    with pytest.raises(TypeCheckError):
        unit_rows(np.ones(3), "x")
    with pytest.raises(TypeCheckError):
        Svcca(np.ones((2, 2)), 5, 2, 2)
    with pytest.raises(TypeCheckError):
        svcca(np.eye(5), np.ones((4, 2)))


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_the_shapes_of_both_samples(name):
    parameters = inspect.signature(METRICS[name].function).parameters
    assert all(str(parameters[side].annotation).startswith("Given[ArrayLike, ") for side in "xy")


def test_users_do_not_load_jaxtyping():
    code = "import sys, atlas.metrics; print('jaxtyping' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
