"""The differentiable Array API namespace and what a Tensor can do."""
