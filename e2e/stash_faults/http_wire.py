"""HTTP/1.1 as bytes on an asyncio stream: no more of it than API servers, restic and their clients speak."""
import asyncio
from dataclasses import dataclass

HEAD_LIMIT = 1 << 20


@dataclass
class Head:
    """A request line or status line with its headers, in the order of the wire."""
    line: str
    headers: list[tuple[str, str]]

    @classmethod
    async def read(cls, reader: asyncio.StreamReader):
        """None at a clean end of the stream."""
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as ended:
            if ended.partial:
                raise ConnectionError("the stream ended in the middle of a head") from ended
            return None
        line, *rest = raw.decode("latin-1").split("\r\n")[:-2]
        return cls(line, [tuple(part.strip() for part in header.split(":", 1)) for header in rest])

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def without(self, *names: str):
        lower = {name.lower() for name in names}
        return Head(self.line, [(key, value) for key, value in self.headers if key.lower() not in lower])

    def encode(self) -> bytes:
        return "\r\n".join([self.line, *(f"{key}: {value}" for key, value in self.headers), "", ""]).encode("latin-1")

    @property
    def is_chunked(self) -> bool:
        return self.get("Transfer-Encoding").lower() == "chunked"


async def body(head: Head, reader: asyncio.StreamReader, *, of_reply: bool, may_have_one: bool = True):
    """The pieces of a body as they come, without their framing."""
    if not may_have_one:
        return
    if head.is_chunked:
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            if size:
                yield await reader.readexactly(size)
            if await reader.readexactly(2) != b"\r\n":
                raise ConnectionError("a chunk without its end")
            if not size:
                return
    length = head.get("Content-Length")
    if length or not of_reply:
        left = int(length or 0)
        while left:
            piece = await reader.read(min(left, 1 << 16))
            if not piece:
                raise ConnectionError("the body ended before its Content-Length")
            left -= len(piece)
            yield piece
        return
    while piece := await reader.read(1 << 16):
        yield piece


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


LAST_CHUNK = b"0\r\n\r\n"
