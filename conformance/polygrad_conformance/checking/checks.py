"""The checks of one sample. Each is counted apart, and each says what it was compared with."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import polygrad
from polygrad.errors import ConversionError, NoDerivativeError, ShapeError, UnsupportedError

from ..cases.case import CHECKS_OF_KIND, Case, Sample
from .compare import Difference, difference, differences, epsilon, inner, size
from .evaluated import Evaluated, largest
from .oracles import scipy_values
from .outcome import CHECKS, Arrays, NotDifferentiable, NotRun, Outcome, first_line
from .polygrad_side import inexact
from .problem import SINGLE, Problem

TOLERANCE = 1e-12
"""For everything that is compared with a reference, in double precision; in single precision as many units in the last place."""
NUMERIC = 1e-6
"""For what is compared with finite differences in double precision."""
SINGLE_PRECISION = 1e-4
"""For what is computed in single precision, against the same in double precision."""
SETTLED = 1e-7
"""Finite differences of high order decide only if they are this certain themselves."""

NO_TORCH = "torch is not installed"
SECOND = ("reverse_over_reverse", "forward_over_reverse")


def tolerance(case: Case, check: str, dtype: str) -> float:
    """Return what the error may be."""
    default = NUMERIC if check == "numeric" else TOLERANCE
    allowed = case.tolerance_of(check, default)
    if dtype in SINGLE.values():
        allowed *= epsilon(np.dtype("float32")) / epsilon(np.dtype("float64"))
    return allowed


class Checker(Evaluated):
    """The checks of one sample of one case on one backend."""

    # -- the checks ----------------------------------------------------------------------------------------------
    def run(self, check: str) -> Outcome:
        """One check. What raises is a failure, unless the library is said not to support it."""
        if check in self.case.without:
            return Outcome("not_run", self.case.without[check])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return getattr(self, check)()  # type: ignore[no-any-return]
        except NotRun as reason:
            return Outcome("not_run", str(reason))
        except UnsupportedError as error:
            return Outcome("unsupported", first_line(error))
        except Exception as error:
            return Outcome("failed", f"raised {type(error).__name__}: {first_line(error)}")

    def judged(self, check: str, found: Difference, oracle: str, allowed: float | None = None) -> Outcome:
        """An outcome by the size of a difference."""
        limit = tolerance(self.case, check, self.dtype) if allowed is None else allowed
        passed = found.relative <= limit
        return Outcome(
            "passed" if passed else "failed", "" if passed else found.message, found.relative, found.ulps, oracle, limit
        )

    def value(self) -> Outcome:
        want, oracle = self._reference_values()
        floors = [0.0] * len(want)
        found = differences(self.values, want, floors, self.each, "output")
        outcome = self.judged("value", found, oracle)
        if outcome.status == "failed" and self.case.mpmath is not None and oracle != "mpmath":
            self._settle_exactly(outcome, self.values, want, "value", "values")
        return outcome

    def _reference_values(self) -> tuple[Arrays, str]:
        if self.reference is not None:
            try:
                return self.reference.values(self.problem), self.reference.name
            except NotImplementedError as error:
                if self.case.mpmath is None and self.case.scipy is None:
                    raise NotRun(f"torch: {first_line(error)}") from error
        if not self._replaceable:
            raise NotRun(NO_TORCH)
        if self.case.mpmath is not None:
            return self.exact.values(), "mpmath"
        if self.case.scipy is not None:
            return scipy_values(self.problem), "scipy"
        raise NotRun("no reference computes this function" if self.case.reference is None else NO_TORCH)

    @property
    def _replaceable(self) -> bool:
        """True if mpmath may stand in for the reference: at singular points it has conventions of its own, and far out too few digits."""
        return self.reference is not None or self.case.reference is None or self.sample.kind in ("regular", "first")

    @property
    def _steady(self) -> bool:
        """True if finite differences of this sample say something."""
        regular = (
            self.sample.kind == "regular" and self.dtype not in SINGLE.values() and "numeric" not in self.case.without
        )
        return regular and all(np.isfinite(y).all() for y in self.live)

    def _need_derivative(self) -> None:
        if not self.problem.which:
            raise NotRun("nothing is differentiated" if self.case.orders else "the function is constant")
        if not self.live:
            raise NotRun("no output can have a derivative")

    def _need_finite(self) -> None:
        self._need_derivative()
        if not all(np.isfinite(y).all() for y in self.live):
            raise NotRun("the value is infinite or nan here")

    def reverse(self) -> Outcome:
        self._need_derivative()
        floors = self.natural(self.live, self.inputs)
        return self._against("reverse", self.gradients, "gradients", (self.cotangents,), floors, "gradient")

    def forward(self) -> Outcome:
        self._need_derivative()
        us = self.problem.directions
        floors = [0.0 if self.each else largest(y) for y in self.live]
        return self._against("forward", self.tangents, "tangents", (us,), floors, "tangent")

    def _second(self, check: str) -> Outcome:
        self._need_derivative()
        if self.case.orders < 2:
            raise NotRun("there is no second derivative")
        arguments = (self.cotangents, self.problem.directions)
        floors = self.natural(self.live, self.inputs)
        return self._against(check, self.second(check), "second", arguments, floors, "second derivative")

    def reverse_over_reverse(self) -> Outcome:
        return self._second("reverse_over_reverse")

    def forward_over_reverse(self) -> Outcome:
        return self._second("forward_over_reverse")

    def _against(
        self, check: str, got: Arrays, question: str, arguments: tuple[Any, ...], floors: list[float], what: str
    ) -> Outcome:
        """Compared with torch, else with mpmath, else with finite differences."""
        why = "torch has no such function" if self.case.reference is None else NO_TORCH
        if self.reference is not None:
            try:
                want = getattr(self.reference, question)(self.problem, *arguments)
            except NotDifferentiable as error:
                why = str(error)
            else:
                found = differences(got, want, floors, self.each, what)
                outcome = self.judged(check, found, self.reference.name)
                if outcome.status == "failed":
                    self._decide(outcome, check, got, want, question, arguments)
                return outcome
        if self.case.mpmath is not None and self._replaceable and not (self.quick and self._steady):
            want = getattr(self.exact, question)(*arguments)
            return self.judged(check, differences(got, want, floors, self.each, what), "mpmath")
        if check == "reverse" or not self._steady:
            raise NotRun(f"{why}; see numeric" if check == "reverse" else why)
        want, certain = self.slopes(question)
        scale = max(largest(w) for w in want) if want else 0.0
        limit = max(NUMERIC, 10 * certain / scale if scale else 0.0)
        if limit > 1e-3:
            raise NotRun(f"{why}, and finite differences do not settle here")
        return self.judged(check, differences(got, want, floors, self.each, what), "finite differences", limit)

    def _decide(
        self, outcome: Outcome, check: str, got: Arrays, want: Arrays, question: str, arguments: tuple[Any, ...]
    ) -> None:
        """Ask the deciding oracle who is right."""
        if self.case.mpmath is not None:
            self._settle_exactly(outcome, got, want, check, question, *arguments)
            return
        if self.sample.kind != "regular" or self.dtype in SINGLE.values():
            return
        us = self.problem.directions
        if question == "gradients":
            slopes, certain = self.slopes("tangents")
            exact = [np.asarray(inner(self.cotangents, slopes))]
            got, want = [np.asarray(inner(got, us))], [np.asarray(inner(want, us))]
            certain *= max(sum(np.size(y) for y in slopes), 1)
        else:
            exact, certain = self.slopes(question)
        if certain <= SETTLED * max([1e-300, *(largest(e) for e in exact)]):
            self._settle(outcome, got, want, exact, "Richardson extrapolation", check, NUMERIC)

    def _settle_exactly(
        self, outcome: Outcome, got: Arrays, want: Arrays, check: str, question: str, *arguments: Any
    ) -> None:
        """By mpmath, unless it cannot compute that: its functions raise errors of any kind at infinities."""
        try:
            exact = getattr(self.exact, question)(*arguments)
        except Exception:
            return
        self._settle(outcome, got, want, exact, "mpmath", check)

    def _settle(
        self,
        outcome: Outcome,
        got: Arrays,
        want: Arrays,
        exact: Arrays,
        by: str,
        check: str,
        allowed: float | None = None,
    ) -> None:
        limit = tolerance(self.case, check, self.dtype) if allowed is None else allowed
        ours, theirs = differences(got, exact).relative <= limit, differences(want, exact).relative <= limit
        outcome.settled_by = by
        outcome.verdict = {
            (True, False): "polygrad is right",
            (False, True): "the reference is right",
            (False, False): "neither is right",
            (True, True): "both are right, as far as it can tell",
        }[ours, theirs]

    def numeric(self) -> Outcome:
        self._need_finite()
        if self.dtype in SINGLE.values():
            raise NotRun("finite differences need double precision")
        us, vs = self.problem.directions, self.cotangents
        slopes, certain = self.slopes("tangents")
        got, want = inner(self.gradients, us), inner(vs, slopes)
        scale = max(size(self.gradients, us), size(vs, slopes))
        limit = tolerance(self.case, "numeric", self.dtype)
        if scale and certain * sum(float(np.sum(np.abs(v))) for v in vs) > 100 * limit * scale:
            raise NotRun("finite differences do not settle here")
        found = difference(np.asarray(got), np.asarray(want), scale, where="<J'v, u> ")
        return self.judged("numeric", found, "finite differences")

    def adjoint(self) -> Outcome:
        self._need_finite()
        us, vs = self.problem.directions, self.cotangents
        got, want = inner(self.gradients, us), inner(vs, self.tangents)
        scale = max(size(self.gradients, us), size(vs, self.tangents))
        if not np.isfinite(scale):
            raise NotRun("a derivative is infinite or nan here")
        found = difference(np.asarray(got), np.asarray(want), scale, where="<J'v, u> against <v, J u> ")
        return self.judged("adjoint", found, "polygrad")

    def metadata(self) -> Outcome:
        """Check the shapes, dtypes and devices of gradients and tangents, whatever their numbers."""
        wrong = list(self._metadata())
        return Outcome("failed" if wrong else "passed", "; ".join(wrong), oracle="polygrad")

    def _metadata(self) -> Iterable[str]:
        problem, ours = self.problem, self.ours
        if self.case.orders == 0:
            tensors = ours.tensors(problem)
            for i, array in enumerate(problem.arrays):
                if array.dtype.kind in "fc" and problem.names[i] not in self.sample.constant:
                    tensors[i].requires_grad_()
            outputs = [y for y in ours.run(problem, tensors) if isinstance(y, polygrad.Tensor)]
        else:
            outputs = self.recorded.outputs
        live = ours.differentiable(outputs)
        for i, y in enumerate(outputs):
            tracked = y.requires_grad
            if self.case.orders == 0 and tracked:
                yield f"output {i} of a function without derivative requires grad"
            if tracked and y.dtype not in ours.backend.floating:
                yield f"output {i} requires grad and has dtype {y.dtype}"
        theirs: Arrays | None = None
        reference = self.reference
        if reference is not None:
            with contextlib.suppress(NotImplementedError):
                theirs = reference.values(problem)
        if reference is not None and theirs is not None and self.dtype in ("float64", "complex128"):
            pairs = zip(self.values, theirs, strict=False)
            kinds = [(str(a.dtype), str(b.dtype)) for a, b in pairs if inexact(a) and a.dtype != b.dtype]
            if kinds:
                yield f"the value has dtype {kinds[0][0]}, that of {reference.name} {kinds[0][1]}"
        yield from self._undefined()
        if not problem.which or not live:
            return
        if not any(y.requires_grad for y in live):
            yield "no output requires grad, though an input does"
            return
        wanted = [self.recorded.tensors[i] for i in problem.which]
        for i, (x, g) in enumerate(zip(wanted, self.recorded.gradients, strict=True)):
            facts = (
                ("shape", tuple(g.shape), tuple(x.shape)),
                ("dtype", g.dtype, x.dtype),
                ("device", g.device, x.device),
            )
            for name, has, should in facts:
                if has != should:
                    yield f"gradient {i} has {name} {has}, its input {should}"
        for i, (t, value) in enumerate(zip(self.tangents, self.live, strict=True)):
            if t.shape != value.shape or t.dtype != value.dtype:
                yield f"tangent {i} is {t.dtype}{list(t.shape)}, its output {value.dtype}{list(value.shape)}"

    def _undefined(self) -> Iterable[str]:
        """Where no derivative is known, asking for one raises."""
        problem, ours = self.problem, self.ours
        for i, (array, name) in enumerate(zip(problem.arrays, problem.names, strict=True)):
            if name not in self.case.undefined or array.dtype.kind not in "fc":
                continue
            tensors = ours.tensors(problem, track=False)
            tensors[i].requires_grad_()
            try:
                live = ours.differentiable(ours.run(problem, tensors))
                # like the outputs, which have no known length on a lazy library where it depends on values
                polygrad.autograd.backward(live, [ours.xp.ones_like(y) for y in live])
            except NoDerivativeError:
                continue
            yield f"asking for the derivative in {name}, of which none is known, does not raise"

    def mutation(self) -> Outcome:
        """A forward and a backward pass leave every input, and the cotangents, as they were."""
        problem, ours = self.problem, self.ours
        found = self.recorded
        kept = [v for y, v in zip(ours.differentiable(found.outputs), self.cotangents, strict=True) if y.requires_grad]
        for v, k in zip(ours.hosts(found.cotangents), kept, strict=True):
            if not np.array_equal(v, k, equal_nan=True):
                return Outcome("failed", "a cotangent has been changed", oracle="polygrad")
        for name, now, was in zip(problem.names, ours.hosts(found.tensors), problem.arrays, strict=True):
            if not np.array_equal(now, was, equal_nan=now.dtype.kind in "fc"):
                return Outcome("failed", f"the array {name} has been changed", oracle="polygrad")
        return Outcome("passed", oracle="polygrad")

    def single(self) -> Outcome:
        """Values, gradients and tangents in single precision, against those in double precision."""
        self._need_finite()
        if self.sample.kind not in ("regular", "first") or self.dtype in SINGLE.values():
            raise NotRun("only points in general position have their like in single precision")
        narrow = self.problem.narrowed()
        got = self._parts_of(narrow)
        for (what, i, g), (_, _, w) in zip(got, (double := list(self.parts())), strict=True):
            kept = what != "gradient" and (self.case.wide or "dtype" in narrow.bound.arguments)
            dtype = narrow.arrays[narrow.which[i]].dtype if what == "gradient" else SINGLE.get(str(w.dtype), w.dtype)
            if g.dtype != dtype and not (kept and g.dtype == w.dtype):
                return Outcome("failed", f"{what} {i} is {g.dtype} from single precision", oracle="polygrad")
        limit = self.case.tolerance_of("single", SINGLE_PRECISION)
        found = _apart(got, double, self.each)
        if found.relative > limit:  # what rounding the inputs has changed is no error
            found = _apart(got, self._parts_of(narrow.widened()), self.each)
        return self.judged("single", found, "polygrad", limit)

    def _parts_of(self, problem: Problem) -> list[tuple[str, int, np.ndarray]]:
        """The same of another problem, with the same cotangents."""
        other = Evaluated(self.ours, None, problem, self.dtype)
        other.cotangents = [v.astype(y.dtype) for v, y in zip(self.cotangents, other.live, strict=True)]
        return list(other.parts())

    def vmap(self) -> Outcome:
        """A batch of two: the sample, and the sample a little way along its directions."""
        moved = self.problem.step(1e-3 if self.sample.kind == "regular" else 0.0)
        which = self.problem.which
        if not which:  # a function without derivative, or of integers: a batch of the same sample twice
            which = [i for i, name in enumerate(self.problem.names) if name not in self.sample.constant]
        stacks = [np.stack([self.problem.arrays[i], moved[i]]) for i in which]
        loops = [self.values, self.ours.values(self.problem, moved)]
        want = [np.stack(rows) for rows in zip(*loops, strict=True)]
        try:
            got = self.ours.batched(self.problem, which, stacks)
        except (ConversionError, ShapeError) as error:
            if "differ from example to example" in str(error) or "depends on the values" in str(error):
                raise NotRun(
                    "its shape, or a branch in it, depends on the values, which a batch has several of"
                ) from error
            raise
        return self.judged("vmap", differences(got, want, None, self.each, "output"), "polygrad")


def _apart(
    got: Iterable[tuple[str, int, np.ndarray]], want: Iterable[tuple[str, int, np.ndarray]], each: bool
) -> Difference:
    """The worst difference between parts of two results."""
    worst = Difference()
    for (what, i, g), (_, _, w) in zip(got, want, strict=True):
        worst = worst.worse(difference(g, w, 1.0, each, f"{what} {i} "))
    return worst


DERIVATIVES = ("reverse", "forward", "numeric", "adjoint")


def applicable(case: Case, sample: Sample, wanted: Sequence[str]) -> list[str]:
    """The checks that mean something for a case, at a sample: none of the derivatives where they are zero by definition."""
    allowed = CHECKS_OF_KIND[sample.kind] or tuple(CHECKS)
    left_out = (*DERIVATIVES, *SECOND) if case.orders == 0 else SECOND if case.orders == 1 else ()
    return [check for check in CHECKS if check in wanted and check in allowed and check not in left_out]
