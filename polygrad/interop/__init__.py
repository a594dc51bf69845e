"""Bridges to array libraries. The one place under ``polygrad/`` that may import them."""
