"""A run as JUnit XML, which every CI server reads: a suite for each op, a test for each dtype and check."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from .schema import Cell, OpResult, Run


def junit(run: Run) -> str:
    """The document. A cell that failed is a failure; one that was not run, or is unsupported, is skipped."""
    root = ET.Element("testsuites", name=f"polygrad conformance: {run.info.backend.name}", time=str(run.info.duration))
    for result in run.ops:
        suite = ET.SubElement(root, "testsuite", name=result.op, time=str(result.duration))
        for cell in result.cells:
            _cell(suite, run, result, cell)
        _count(suite)
    if run.scenarios:
        suite = ET.SubElement(root, "testsuite", name="scenarios")
        for scenario in run.scenarios:
            test = ET.SubElement(suite, "testcase", classname=f"{run.info.backend.name}.scenarios", name=scenario.name)
            if scenario.status == "failed":
                ET.SubElement(test, "failure", message=_clean(scenario.message))
            elif scenario.status in ("not_run", "unsupported"):
                ET.SubElement(test, "skipped", message=_clean(scenario.message))
        _count(suite)
    if run.programs is not None:
        suite = ET.SubElement(root, "testsuite", name="random programs", time=str(run.programs.duration))
        test = ET.SubElement(suite, "testcase", classname=f"{run.info.backend.name}.programs", name="random programs")
        for program in run.programs.failures:
            ET.SubElement(test, "failure", message=_clean(program.message)).text = _clean(program.polygrad)
        if not run.programs.generated:
            ET.SubElement(test, "skipped", message=_clean(run.programs.reason))
        _count(suite)
    if run.stale:
        suite = ET.SubElement(root, "testsuite", name="ledger")
        for entry in run.stale:
            test = ET.SubElement(
                suite, "testcase", classname=f"{run.info.backend.name}.ledger", name=f"{entry.op} {entry.check}"
            )
            ET.SubElement(test, "failure", message=_clean(f"nothing that it covers fails any more: {entry.reason}"))
        _count(suite)
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cell(suite: ET.Element, run: Run, result: OpResult, cell: Cell) -> None:
    test = ET.SubElement(
        suite, "testcase", classname=f"{run.info.backend.name}.{result.op}", name=f"{cell.check}[{cell.dtype}]"
    )
    if cell.failed:
        failing = [failure for failure in cell.failures if failure.status == "failed"]
        message = f"{cell.failed} of {cell.total} samples failed"
        if failing:
            message += f"; {failing[0].sample}: {failing[0].message}"
        ET.SubElement(test, "failure", message=_clean(message)).text = _clean("\n".join(f.polygrad for f in failing))
    elif cell.status in ("not_run", "unsupported"):
        ET.SubElement(test, "skipped", message=_clean("; ".join(reason.text for reason in cell.reasons)))


def _count(suite: ET.Element) -> None:
    tests = list(suite)
    suite.set("tests", str(len(tests)))
    suite.set("failures", str(sum(test.find("failure") is not None for test in tests)))
    suite.set("skipped", str(sum(test.find("skipped") is not None for test in tests)))


def _clean(text: str) -> str:
    """Without characters that XML does not allow."""
    return "".join(c for c in text if c in "\t\n" or c >= " ")
