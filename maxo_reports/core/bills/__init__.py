"""The carrier's bill against the calls: pure values and arithmetic."""
