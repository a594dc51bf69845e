"""What people read of a run: one HTML page, Markdown for a repository, and the comparison of two runs.

All of it is made from the documents of ``polygrad_conformance.report.schema``, so it can be made again from a document that was kept.
"""

from __future__ import annotations

from .diff import Change, compare
from .markdown import markdown
from .page import page

__all__ = ["Change", "compare", "markdown", "page"]
