"""The least that any generator does: read every manifest, write every file aside and rename it. Standard library only.

Run as a script: ``floor.py MANIFESTS LIST INTO``. LIST is a JSON object of paths and sizes in bytes. With no INTO
nothing is written, and the files are read where they are.
"""

import json
import os
import sys


def main() -> None:
    """Read the manifests, then write files of the listed sizes, or read the listed files."""
    manifests, listed, *into = sys.argv[1:]
    for folder, _, names in os.walk(manifests):
        for name in names:
            _read(os.path.join(folder, name))
    with open(listed, encoding="utf-8") as file:
        sizes = json.load(file)
    if not into:
        for path in sizes:
            _read(path)
        return
    for number, (path, size) in enumerate(sizes.items()):
        target = os.path.join(into[0], f"{path.lstrip('/')}")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        aside = os.path.join(into[0], f".{number}")
        with open(aside, "wb") as file:
            file.write(b"#" * size)
        os.replace(aside, target)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    main()
