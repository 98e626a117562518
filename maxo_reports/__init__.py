"""Complete, provable reports of a MaxoTel account's calls: one workbook and one statement."""

__version__ = "0.1.0"
