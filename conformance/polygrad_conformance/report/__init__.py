"""The documents that runs leave behind, and what people read of them: an HTML page, Markdown, JUnit XML, the comparison of two runs.

Everything is made from the documents of ``schema``, so it can be made again from a document that was kept.
"""
