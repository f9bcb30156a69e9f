"""A cluster of Elasticsearch nodes of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.elasticsearch.node import START_LIMIT_S, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from tests.elasticsearch.installation import Installation


class Cluster:
    """Nodes that find each other; each can be killed, paused and started again by itself.

    `settings` go to every node, as with `Node`. As a context manager it is started and closed.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        size: int = 3,
        settings: Mapping[str, str | None] | None = None,
        heap_mb: int = 512,
    ) -> None:
        self.nodes: list[Node] = []
        try:
            for i in range(size):
                self.nodes.append(Node(installation, name=f"node-{i}", heap_mb=heap_mb))
        except BaseException:
            self.close()
            raise
        common = {
            "cluster.name": self.nodes[0].settings["cluster.name"],
            # Each node of a cluster must see the same snapshots.
            "path.repo": str(self.nodes[0].snapshots),
            "discovery.type": None,
            "discovery.seed_hosts": ",".join(node.transport_address for node in self.nodes),
            "cluster.initial_master_nodes": ",".join(node.name for node in self.nodes),
        }
        for node in self.nodes:
            node.settings |= common | dict(settings or {})

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def urls(self) -> list[str]:
        """The base URLs of all nodes, those that are down included."""
        return [node.url for node in self.nodes]

    def start(self) -> None:
        """Start the nodes that are down and wait for all, and green; raises `NodeFailure`."""
        for node in self.nodes:
            node.launch()
        self.wait_until_green()
        for node in self.nodes:
            # A cluster that exists must never be founded again.
            node.settings["cluster.initial_master_nodes"] = None

    def wait_until_green(self, limit_s: float = START_LIMIT_S) -> None:
        """Wait until the nodes that run make up the cluster and every shard has its replicas.

        Raises `NodeFailure`, also while a replica has no node to be on.
        """
        answering = [node for node in self.nodes if node.is_running and not node.is_paused]
        conditions = {"wait_for_nodes": len(answering), "wait_for_status": "green"}
        # Each is asked, since all must have joined before a test may take any of them.
        for node in answering:
            node.wait_for(conditions, limit_s)

    def heal(self) -> None:
        """Resume what is paused, start what is down, and wait until green; raises `NodeFailure`."""
        for node in self.nodes:
            if node.is_paused:
                node.resume()
        self.start()

    def close(self) -> None:
        """End all nodes and remove their folders."""
        for node in self.nodes:
            node.close()
