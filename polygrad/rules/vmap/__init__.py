"""How operations run on a batch."""
