from __future__ import annotations

from multiprocessing import Process
from typing import TYPE_CHECKING

import registry

if TYPE_CHECKING:
    # Importing it for real would have it register its file.
    from filesink import FileSink


def work(item: str, sink: FileSink | None = None) -> None:
    target = sink or registry.current
    target.write(item + "\n")
    print(len(item), flush=True)


if __name__ == "__main__":
    p = Process(target=work, args=("brick",))
    p.start()
    p.join()
