"""The methods of Tensor that are operations under another spelling: torch's names, the standard's keywords."""
