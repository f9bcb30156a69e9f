"""The report of an evaluation: one HTML page, JSON and CSV, from outcomes alone."""

from indexer.evaluation.report.write import write_report

__all__ = ["write_report"]
