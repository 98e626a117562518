"""The pure core: values and arithmetic. It touches no file, socket, clock or environment."""
