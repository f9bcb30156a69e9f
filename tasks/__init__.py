"""Celery workers: thin tasks around `indexer.work` and `indexer.jobs`.

`celery -A tasks worker` takes its app from `tasks.celery`, by the settings of its environment.
"""
