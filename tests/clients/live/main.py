"""Follows the books of the shop with httpx-sse of PyPI, and prints a line for each thing that holds:

    python main.py <URL of the read models>
"""

import json
import sys

import httpx
from httpx_sse import connect_sse

url = sys.argv[1]
host = url[: url.index("/v1/")]
query = f"{url}/books?select=title,pages,ratings&pages=lt.200"
client = httpx.Client(timeout=60)


class Copy:
    """The rows, by what the events say."""

    def __init__(self):
        self.rows = {}
        self.seen = []
        self.last_id = None

    def apply(self, event):
        self.seen.append(event.event)
        self.last_id = event.id or self.last_id
        data = json.loads(event.data)
        if event.event == "snapshot":
            self.rows.clear()
        elif event.event in ("insert", "update"):
            self.rows[json.dumps(data["key"])] = data["row"]
        elif event.event == "delete":
            self.rows.pop(json.dumps(data["key"]), None)


def append(book, kind, data):
    body = {"expected_version": "any", "events": [{"type": kind, "data": data}]}
    answer = client.post(f"{host}/v1/streams/book-{book}/events", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["last_position"]


def added(title, pages):
    return {
        "title": title, "blurb": None, "author": "ada", "isbn": f"0-306-{title}", "pages": pages, "price": 1.5,
        "in_print": True, "tags": [], "details": None, "genres": [], "cover": None,
    }  # fmt: skip


def page(position):
    headers = {"gnomon-min-position": str(position), "prefer": "wait=30"}
    return sorted(map(json.dumps, client.get(query, headers=headers).json()))


def until(name, events, copy, position):
    """Takes events until the copy is what a page answers. The client's timeout ends it otherwise."""
    wanted = page(position)
    while sorted(map(json.dumps, copy.rows.values())) != wanted:
        copy.apply(next(events))
    print(f"ok   {name}")


copy = Copy()
with connect_sse(client, "GET", query) as source:
    events = source.iter_sse()
    until("it begins with the rows that match", events, copy, 0)
    until("a row that matches is added", events, copy, append(100, "BookAdded", added("X", 7)))
    until("a row is changed", events, copy, append(100, "BookRated", {"stars": 3}))
    until("a row that does not match any more is removed", events, copy, append(100, "BookAdded", added("X", 900)))
    # Its id comes behind the changes.
    while copy.seen[-1] != "position":
        copy.apply(next(events))
assert copy.seen[0] == "snapshot" and {"insert", "update", "delete"} <= set(copy.seen), copy.seen

position = append(101, "BookAdded", added("Y", 9))
copy.seen.clear()
with connect_sse(client, "GET", query, headers={"last-event-id": copy.last_id}) as source:
    until("it goes on where it was", source.iter_sse(), copy, position)
assert "snapshot" not in copy.seen, copy.seen
print("ok   without the rows that it has")
