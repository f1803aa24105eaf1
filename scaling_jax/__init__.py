"""From a text file to a scaling law with error bars, in JAX."""

__version__ = '0.1.0'
