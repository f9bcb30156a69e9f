"""Real Elasticsearch nodes for the tests, without Docker.

Tests take the fixtures of `tests.elasticsearch_fixtures`:

- `elasticsearch_url`: the base URL of one node that the whole session shares;
- `elasticsearch_node`: starts nodes of the test's own (`Node`): to kill, pause, restart;
- `elasticsearch_cluster`: three nodes that a module's tests share (`Cluster`).

The nodes are bare: no security, no `GET /`, no scripts, no `_delete_by_query`. They need a JDK of
version 21 or newer and, once, Maven, which downloads about 44 MB (`installation`).
"""
