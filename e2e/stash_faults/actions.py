"""What a rule of the fault proxy may do to a call. Each gives a coroutine that says whether the connection may go on."""
import asyncio
import email.utils
import json
from datetime import datetime, timezone

from .http_wire import Head, chunk


def reply(status, headers=(), body=None, reason="Fault", message="the fault proxy says so"):
    """Answers in the server's place; the call never reaches it. The body is a Status, as Kubernetes', unless given."""
    text = body if body is not None else json.dumps(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status, "message": message})

    async def act(exchange):
        await exchange.swallow_request()
        data = text.encode()
        head = Head(f"HTTP/1.1 {status} Fault", [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers])
        await exchange.write(head.encode() + (b"" if exchange.method == "HEAD" else data))
        return True
    return act


def lose_reply():
    """The server does the work, and nobody hears of it."""
    async def act(exchange):
        await exchange.send()
        head = await exchange.reply_head()
        async for _ in exchange.reply_pieces(head):
            pass
        exchange.reset()
        return False
    return act


def refuse():
    """RST before anything reaches the server."""
    async def act(exchange):
        exchange.reset()
        return False
    return act


def calling(hook):
    """Calls hook() before the call is passed on, if it still can be."""
    async def act(exchange):
        hook()
        await exchange.send()
        return await exchange.pass_reply()
    return act


def delay(seconds, then=None):
    async def act(exchange):
        await asyncio.sleep(seconds)
        if then is not None:
            return await then(exchange)
        await exchange.send()
        return await exchange.pass_reply()
    return act


def dated(ahead):
    """The Date of the reply is that of a clock which is so far ahead; a negative time is behind."""
    def change(head):
        head = head.without("Date")
        head.headers.append(("Date", email.utils.format_datetime(datetime.now(timezone.utc) + ahead, usegmt=True)))
        return head

    async def act(exchange):
        await exchange.send()
        return await exchange.pass_reply(change_head=change)
    return act


def hang():
    """The request is read and never answered; the connection stays."""
    async def act(exchange):
        await exchange.swallow_request()
        await exchange.client_reader.read(1)
        return False
    return act


def trickle(bytes_each_second):
    """The head comes at once, then so many bytes a second."""
    async def slowly(pieces):
        async for piece in pieces:
            for at in range(0, len(piece), bytes_each_second):
                yield piece[at:at + bytes_each_second]
                await asyncio.sleep(1)

    async def act(exchange):
        await exchange.send()
        return await exchange.pass_reply(slowly)
    return act


def cut_reply(after, reset=True):
    """The reply ends after so many bytes of its body."""
    async def act(exchange):
        await exchange.send()
        head = await exchange.reply_head()
        await exchange.write(head.encode())
        left = after
        async for piece in exchange.reply_pieces(head):
            part = piece[:left]
            await exchange.write(chunk(part) if head.is_chunked else part)
            left -= len(part)
            if left <= 0:
                break
        if reset:
            exchange.reset()
        else:
            exchange.client.close()
        return False
    return act


def with_query(old, new):
    """The server is asked something else, such as for smaller pages."""
    async def act(exchange):
        await exchange.send(exchange.target.replace(old, new))
        return await exchange.pass_reply()
    return act


def error_event(code, reason="Expired", after=0):
    """A watch goes on for `after` events; then an ERROR event ends it."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": "too old resource version"}

    async def spoilt(events):
        seen = 0
        if after:
            async for event in events:
                yield event
                seen += 1
                if seen == after:
                    break
            else:
                return  # it ended before
        yield json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
    return _on_events(spoilt)


def half_event(reset=True):
    """A watch is cut in the middle of its first line."""
    async def act(exchange):
        await exchange.send()
        head = await exchange.reply_head()
        await exchange.write(head.encode())
        async for line in lines(exchange.reply_pieces(head)):
            await exchange.write(chunk(line[:len(line) // 2]))
            break
        if reset:
            exchange.reset()
        else:
            exchange.client.close()
        return False
    return act


def silence(after=0):
    """A watch whose connection stays and says nothing more after so many events."""
    async def mute(events):
        seen = 0
        async for event in events:
            if seen < after:
                yield event
            seen += 1
    return _on_events(mute)


def twice():
    """A watch tells each event twice."""
    async def doubled(events):
        async for event in events:
            yield event
            yield event
    return _on_events(doubled)


def _on_events(change):
    async def act(exchange):
        await exchange.send()
        return await exchange.pass_reply(lambda pieces: change(lines(pieces)))
    return act


async def lines(pieces):
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest
