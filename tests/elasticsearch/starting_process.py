"""A process that starts a node, tells the node's process id, and waits to be killed."""

from __future__ import annotations

import sys
import time

from tests.elasticsearch.archive import with_archive
from tests.elasticsearch.installation import install
from tests.elasticsearch.node import Node

if __name__ == "__main__":
    with Node(with_archive(install())) as node:
        if sys.argv[1] == "paused":
            node.pause()
        print(node.pid, flush=True)
        time.sleep(600)
