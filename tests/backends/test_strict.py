"""array-api-strict with everything optional switched off: what the engine and the rules need of a library is the core of the standard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.gradient_checks import only_on

only_on("array_api_strict")
pytest.importorskip("array_api_strict")

PROGRAM = """
import json, sys
import array_api_strict, numpy
array_api_strict.set_array_api_strict_flags(boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=())
import polygrad
from support import operation_samples

def make(array):
    array = numpy.asarray(array)
    return polygrad.tensor(array, backend="array_api_strict").requires_grad_(array.dtype.kind in "fc")

failed = {}
for name in operation_samples.names():
    try:
        operation_samples.run(name, make)
    except Exception as error:
        failed[name] = str(error)
json.dump([len(operation_samples.names()), failed], sys.stdout)
"""

SIZE_BY_VALUES = {
    "argwhere",
    "masked_select",
    "nonzero",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
}
"""What has a size that depends on values cannot do without."""


def test_nothing_optional_is_needed() -> None:
    """Without selection by masks, without shapes that depend on values and without extensions, every operation and its gradient work but
    those that are of the extensions, or made of theirs, and say so."""
    tests = str(Path(__file__).parent.parent)
    paths = [tests, *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    out = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    number, failed = json.loads(out.stdout)
    assert number > 400
    assert set(failed) >= SIZE_BY_VALUES
    for name in set(failed) - SIZE_BY_VALUES:
        assert "has no function 'linalg." in failed[name] or "has no function 'fft." in failed[name], (
            name,
            failed[name],
        )
    assert len(failed) < 0.2 * number


CREATED = {
    "zeros": lambda xp, d: xp.zeros(2, device=d),
    "empty": lambda xp, d: xp.empty((2, 3), device=d),
    "full": lambda xp, d: xp.full((2,), 1.5, device=d),
    "arange": lambda xp, d: xp.arange(0.0, 1.0, 0.25, device=d),
    "arange of integers": lambda xp, d: xp.arange(3, device=d),
    "linspace": lambda xp, d: xp.linspace(0.0, 1.0, 5, device=d),
    "eye": lambda xp, d: xp.eye(2, device=d),
    "asarray": lambda xp, d: xp.asarray([1.0, 2.0], device=d),
}


@pytest.mark.parametrize("name", CREATED)
def test_the_default_dtype_is_that_of_the_device(name: str) -> None:
    import array_api_strict

    import polygrad as pg

    for device in array_api_strict.__array_namespace_info__().devices():
        made = CREATED[name](pg.namespace("array_api_strict"), device)
        own = CREATED[name](array_api_strict, device)
        assert (made.dtype, made.device) == (own.dtype, own.device) == (own.dtype, device)


def test_the_default_dtypes_of_a_device() -> None:
    import array_api_strict

    import polygrad as pg

    own, info = array_api_strict.__array_namespace_info__(), pg.namespace("array_api_strict").__array_namespace_info__()
    for device in own.devices():
        assert info.default_dtypes(device=device) == own.default_dtypes(device=device)
    for make in (pg.rand, lambda n, **kw: pg.randint(0, 5, (n,), **kw)):
        made = make(2, backend="array_api_strict", device=own.devices()[-1])
        assert str(made.dtype)[-2:] == "32"
