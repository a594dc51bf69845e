"""The tutorials that the project started from: every code cell runs with polygrad in the place of torch and prints what torch prints.

The cells are those of the tutorials of ``torch.autograd``; addresses and random draws aside, the expected output is what torch 2.13
prints for them.
"""

from __future__ import annotations

import contextlib
import io
import re

import pytest

import polygrad


def run(cells: list[str]) -> list[str]:
    """What each cell prints, with the value of a last expression as a notebook shows it; an error as its type and text."""
    scope: dict[str, object] = {}
    printed = []
    for cell in cells:
        cell = cell.replace("import torch", "import polygrad as torch")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                *body, last = cell.strip("\n").split("\n")
                try:
                    code = compile(last, "cell", "eval")
                except SyntaxError:
                    exec(compile(cell, "cell", "exec"), scope)
                else:
                    exec(compile("\n".join(body), "cell", "exec"), scope)
                    value = eval(code, scope)
                    if value is not None:
                        print(repr(value))
            except RuntimeError as error:
                print(f"RuntimeError: {error}")
        printed.append(re.sub(r"0x[0-9a-fA-F]+", "0x...", out.getvalue()))
    return printed


pytestmark = pytest.mark.usefixtures("backend")


NETWORK = """
import torch

x = torch.ones(5)  # input tensor
y = torch.zeros(3)  # expected output
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w)+b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
"""


def test_one_layer_network() -> None:
    cells = [
        NETWORK,
        """
print(f"Gradient function for z = {z.grad_fn}")
print(f"Gradient function for loss = {loss.grad_fn}")
""",
        """
loss.backward()
print(w.grad)
print(b.grad)
""",
        """
loss.backward()
print(w.grad)
print(b.grad)
""",
        """
z = torch.matmul(x, w) + b
print(z.requires_grad)

with torch.no_grad():
     z = torch.matmul(x, w) + b
print(z.requires_grad)
""",
        """
z = torch.matmul(x, w) + b
z_det = z.detach()
print(z_det.requires_grad)
""",
    ]
    printed = run(cells)
    assert printed[1] == (
        "Gradient function for z = <AddBackward0 object at 0x...>\n"
        "Gradient function for loss = <BinaryCrossEntropyWithLogitsBackward0 object at 0x...>\n"
    )
    number = r" *-?\d\.\d{4}(?:e-\d\d)?"
    row = rf"\[{number}, {number}, {number}\]"
    assert re.fullmatch(rf"tensor\(\[{row}(,\n        {row}){{4}}\]\)\ntensor\({row}\)\n", printed[2])
    assert printed[3].startswith(
        "RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
        "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after "
        "calling backward."
    )
    assert "BinaryCrossEntropyWithLogitsBackward0" in printed[3]
    assert printed[4] == "True\nFalse\n"
    assert printed[5] == "False\n"


def test_gradients_of_the_network_are_those_of_the_formula() -> None:
    scope: dict[str, object] = {}
    exec(NETWORK.replace("import torch", "import polygrad as torch") + "loss.backward()", scope)
    z, w, b = scope["z"], scope["w"], scope["b"]
    expected = [s / 3 for s in polygrad.sigmoid(z.detach()).tolist()]  # type: ignore[attr-defined]
    assert b.grad.tolist() == pytest.approx(expected, rel=1e-5)  # type: ignore[attr-defined]
    for row in w.grad.tolist():  # type: ignore[attr-defined]
        assert row == pytest.approx(expected, rel=1e-5)


def test_tensor_and_linear_regression() -> None:
    printed = run(
        [
            "import torch",
            "x = torch.ones(2, 2, requires_grad=True)\nprint(x)",
            "y=x**2\nprint(y)\nprint(y.grad_fn)\ny.backward(torch.ones_like(x))\nprint(x.grad)\nx.grad.zero_()",
            """
# Step 0 - Initializes parameters "b" and "w" randomly
torch.manual_seed(42)
b = torch.randn(1, requires_grad=True, dtype=torch.float)
w = torch.randn(1, requires_grad=True, dtype=torch.float)
lr = 0.1
x_train_tensor=torch.randn(120,dtype=torch.float)
y_train_tensor=2*x_train_tensor+3
for epoch in range(200):
    # Step 1 - Computes our model's predicted output - forward pass
    yhat = b + w * x_train_tensor
    # Step 2 - Computes the loss
    error = (y_train_tensor - yhat)
    # It is a regression, so it computes mean squared error (MSE)
    loss = (error ** 2).mean()
    # Step 3 - Computes gradients for both "b" and "w" parameters
    # No more manual computation of gradients!
    loss.backward()
    # Step 4, for real
    with torch.no_grad():
        b -= lr * b.grad
        w -= lr * w.grad
    # This code will be placed after Step 4 (updating the parameters)
    b.grad.zero_(), w.grad.zero_()
print(w)
print(b)
""",
            """
a=torch.ones(1,requires_grad=True)
w1=torch.tensor(1)
w2=torch.tensor(2)
w3=torch.tensor(3)
w4=torch.tensor(4)
""",
            "b = w1 * a\nc = w2 * a \nd = (w3 * b) + (w4 * c)\nL = d**2",
            "L.backward()\na.grad",
        ]
    )
    assert printed[1] == "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)\n"
    assert printed[2] == (
        "tensor([[1., 1.],\n        [1., 1.]], grad_fn=<PowBackward0>)\n"
        "<PowBackward0 object at 0x...>\n"
        "tensor([[2., 2.],\n        [2., 2.]])\n"
        "tensor([[0., 0.],\n        [0., 0.]])\n"
    )
    assert printed[3] == "tensor([2.0000], requires_grad=True)\ntensor([3.0000], requires_grad=True)\n"
    assert printed[6] == "tensor([242.])\n"


def test_jacobian_product() -> None:
    printed = run(
        [
            """
import torch
inp = torch.eye(4, 5, requires_grad=True)
out = (inp+1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nSecond call\\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nCall after zeroing gradients\\n{inp.grad}")
"""
        ]
    )
    first = "tensor([[4., 2., 2., 2., 2.],\n        [2., 4., 2., 2., 2.],\n        [2., 2., 4., 2., 2.],\n        [2., 2., 2., 4., 2.]])"
    second = first.replace("4", "8").replace("2", "4")
    assert printed[0] == f"First call\n{first}\n\nSecond call\n{second}\n\nCall after zeroing gradients\n{first}\n"


def test_autograd_notebook() -> None:
    printed = run(
        [
            "from __future__ import print_function\nimport torch",
            """
x = torch.ones(1)  # create a tensor with requires_grad=False (default)
print(x.requires_grad)

y = torch.ones(1)  # another tensor with requires_grad=False
z = x + y

print(z.requires_grad)

# then autograd won't track this computation. let's verify!
# z.backward()

w = torch.ones(1, requires_grad=True)
print(w.requires_grad)

# add to the previous result that has require_grad=False
total = w + z
# the total sum now requires grad!
print(total.requires_grad)

# no computation is wasted to compute gradients for x, y and z, which don't require grad
print(z.grad == x.grad == y.grad == None)

# you can also manually enable gradients for a tensor, but use this with caution!
x = torch.ones(1)
print(x.requires_grad)
x.requires_grad_(True)
print(x.requires_grad)
""",
            """
# create graph

x = torch.tensor([3], dtype=torch.float, requires_grad=True)

y = 2*x +3

print(x, y)
print(x.requires_grad, y.requires_grad)
""",
            """
print(y.grad_fn, y.grad_fn.next_functions[0][0], y.grad_fn.next_functions[0][0].next_functions[0][0], sep='\\n')
print(y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions)
""",
            "y.backward()  # calculate dy / dx  == d(2*x + 3) / dx  == 2",
            'print(x, x.grad) # dy / dx is stored"',
            "z = x.detach()\nprint(z, z.requires_grad)\nprint(z.grad)",
            "x = torch.zeros(1, requires_grad=True)\nwith torch.no_grad():\n    y = x * 2\nprint(y.requires_grad)",
        ]
    )
    assert printed[1] == "False\nFalse\nTrue\nTrue\nTrue\nFalse\nTrue\n"
    assert printed[2] == "tensor([3.], requires_grad=True) tensor([9.], grad_fn=<AddBackward0>)\nTrue True\n"
    assert printed[3] == (
        "<AddBackward0 object at 0x...>\n<MulBackward0 object at 0x...>\n<AccumulateGrad object at 0x...>\n()\n"
    )
    assert printed[4] == ""
    assert printed[5] == "tensor([3.], requires_grad=True) tensor([2.])\n"
    assert printed[6] == "tensor([3.]) False\nNone\n"
    assert printed[7] == "False\n"
