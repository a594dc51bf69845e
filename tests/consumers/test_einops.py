"""einops and opt_einsum, unmodified: they know a Tensor by itself, and all their functions differentiate."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.consumers.call_outcomes import check

einops = pytest.importorskip("einops")

_rng = np.random.default_rng(4)
INPUTS: dict[str, Any] = {
    "x": _rng.normal(size=(2, 3, 4)),
    "y": _rng.normal(size=(2, 3, 5)),
    "w": _rng.normal(size=(4, 5)),
    "v": _rng.normal(size=(2, 6, 4)),
}
SCOPE: dict[str, Any] = {"einops": einops}
CALLS = """
einops.rearrange(x, "a b c -> c (b a)")
einops.rearrange(x, "a b (c d) -> d a b c", d=2)
einops.rearrange([x, x + 1], "n a b c -> a n b c")
einops.rearrange(x, "a b c -> a b c 1")
einops.reduce(x, "a b c -> b", "sum")
einops.reduce(x, "a b c -> a c", "mean")
einops.reduce(x, "a b c -> a 1 c", "max")
einops.reduce(x, "a b (c d) -> a b c", "min", d=2)
einops.reduce(x, "a b c -> c", "prod")
einops.repeat(x, "a b c -> a b c d", d=3)
einops.repeat(x, "a b c -> (a r) b c", r=2)
einops.einsum(x, w, "a b c, c d -> a b d")
einops.einsum(x, y, w, "a b c, a b d, c d -> a")
einops.einsum(x, "a b c -> c")
einops.pack([x, v], "a * c")[0]
einops.unpack(x, [(1,), (2,)], "a * c")
""".strip().splitlines()


@pytest.mark.parametrize("text", CALLS, ids=str)
def test_the_gradient_is_right(text: str) -> None:
    check("einops", "gradient", text, SCOPE, INPUTS)


@pytest.mark.parametrize("text", [call for call in CALLS if "[" not in call], ids=str)
def test_the_functions_for_the_standard(text: str) -> None:
    """``einops.array_api`` asks for nothing but the standard."""
    from einops import array_api

    if "einsum" in text:
        pytest.skip("einops.array_api has no einsum")
    check("einops", "gradient", text, {"einops": array_api}, INPUTS)


def test_shapes_and_hosts() -> None:
    x = pg.tensor(INPUTS["x"], requires_grad=True)
    assert einops.parse_shape(x, "a b _") == {"a": 2, "b": 3}
    np.testing.assert_array_equal(einops.asnumpy(x.detach()), INPUTS["x"])
    with pytest.raises(TypeError, match="the graph would be lost"):
        einops.asnumpy(x)


@pytest.mark.parametrize(
    "order", ["import einops, polygrad as pg", "import polygrad as pg; x = pg.ones(2, 3); import einops"]
)
def test_any_order_of_imports(order: str) -> None:
    code = f"{order}; print(einops.rearrange(pg.ones(2, 3), 'a b -> b a').shape)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "(3, 2)"


@pytest.mark.parametrize(
    "text",
    [
        'opt_einsum.contract("abc,cd->abd", x, w)',
        'opt_einsum.contract("abc,abd,cd->a", x, y, w)',
        'opt_einsum.contract("abc,adc,abe->de", x, v, y)',
        'opt_einsum.contract("abc->cab", x)',
        'opt_einsum.contract_expression("abc,abd,cd->a", (2, 3, 4), (2, 3, 5), (4, 5))(x, y, w)',
    ],
    ids=str,
)
def test_opt_einsum(text: str) -> None:
    opt_einsum = pytest.importorskip("opt_einsum")
    check("opt_einsum", "gradient", text, {"opt_einsum": opt_einsum}, INPUTS)
