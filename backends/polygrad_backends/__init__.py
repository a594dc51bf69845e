"""Adapters of array libraries, one module each. polygrad imports a module only when its library is used."""
