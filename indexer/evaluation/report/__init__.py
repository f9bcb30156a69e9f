"""The report of an evaluation: one HTML page, JSON and CSV, from outcomes alone."""

from indexer.evaluation.report.flat import document
from indexer.evaluation.report.write import require_packages, write_report

__all__ = ["document", "require_packages", "write_report"]
