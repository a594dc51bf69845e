"""The adapters that polygrad ships, one module for each array library.

Each module holds one `polygrad.backend.Backend` under the name BACKEND. polygrad finds them through
the entry-point group `polygrad.backends` and imports a module only when its library is asked for or
its arrays are met, so importing this package imports no array library.
"""
