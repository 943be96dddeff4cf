"""Write a foreign recording and read its messages."""

from pathlib import Path

from bot4_core.market.recordings import (
    MessageFile,
    open_messages,
)

Found = list[tuple[int, bytes]]


def read(file: MessageFile) -> Found:
    return [
        (int(block.received[i]), block.message(i))
        for block in file.blocks()
        for i in range(len(block))
    ]


def given_file(folder: Path, content: bytes, name: str = "x") -> MessageFile:
    path = folder / name
    path.write_bytes(content)
    return open_messages(path)
