"""Order, pages, counts, and the shape of an answer."""

import asyncio
import csv
import io

from cases import check, equal, reads, refused
from postgrest import AsyncPostgrestClient, CountMethod
from postgrest.exceptions import APIError
from shop import pick


def shapes(client, plain, url, shop):
    books = lambda *columns, **options: client.from_("books").select(*columns, **options)
    genres = lambda: client.from_("genres").select("*")
    numbers = lambda rows: [pick(row, "book") for row in rows]
    by = lambda key, **options: numbers(sorted(shop.books, key=key, **options))

    reads("order: ascending", books("book").order("price"), by(lambda row: row["price"]))
    reads("order: descending", books("book").order("price", desc=True), by(lambda row: row["price"], reverse=True))
    reads("order: by two columns", books("book").order("pages").order("book", desc=True), by(lambda row: (row["pages"], -row["book"])))
    reads("order: null first", books("book").order("author", nullsfirst=True).order("book"), by(lambda row: (row["author"] or "", row["book"])))
    reads("order: null last", books("book").order("author", nullsfirst=False).order("book"), by(lambda row: (row["author"] or "~", row["book"])))
    reads("limit", books("book").order("book").limit(2), [{"book": 1}, {"book": 2}])
    reads("limit: and offset", books("book").order("book").limit(2).offset(3), [{"book": 4}, {"book": 5}])
    reads("range", books("book").order("book").range(2, 3), [{"book": 3}, {"book": 4}])

    reads("single", books("book, title").eq("book", 3).single(), pick(shop.book(3), "book", "title"))
    refused("single: no row", books("*").eq("book", 99).single(), "PGRST116")
    refused("single: many rows", books("*").single(), "PGRST116")
    reads("maybe_single: a row", books("book").eq("book", 3).maybe_single(), {"book": 3})
    check("maybe_single: no row", books("book").eq("book", 99).maybe_single().execute, lambda answer: equal(answer, None))
    check("maybe_single: many rows", books("book").maybe_single().execute, lambda answer: equal((type(answer), answer.code), (APIError, "406")))

    shown = lambda value: {True: "t", False: "f", None: ""}.get(value) if value is None or isinstance(value, bool) else str(value)
    columns = ["book", "title", "blurb", "in_print", "added"]
    rows = [columns, *([shown(row[column]) for column in columns] for row in shop.books)]
    parsed = lambda answer: list(csv.reader(io.StringIO(answer.data)))
    check("csv", books(*columns).order("book").csv().execute, lambda answer: equal(parsed(answer), rows))
    check("csv: no row", books("book", "title").eq("book", 99).csv().execute, lambda answer: equal(parsed(answer), [["book", "title"]]))
    stripped = [{name: value for name, value in row.items() if value is not None} for row in shop.authors]
    reads("strip_nulls", client.from_("authors").select("*").strip_nulls(), stripped)
    reads("strip_nulls: a single row", client.from_("authors").select("*").eq("author", "dan").strip_nulls().single(), {"author": "dan", "name": "Dan", "mentor": "bea"})

    check("count: exact", books("book", count=CountMethod.exact).limit(1).execute, lambda answer: equal((answer.count, answer.data), (len(shop.books), [{"book": 1}])))
    for method in [CountMethod.planned, CountMethod.estimated]:
        check(f"count: {method}", books("book", count=method).limit(1).execute, lambda answer: equal((answer.data, answer.count >= 0), ([{"book": 1}], True)))
    check("count: and no rows", books("*", count="exact", head=True).execute, lambda answer: equal((answer.count, answer.data), (len(shop.books), [])))
    check("head: the code of an error is in a header", books("publisher", head=True).execute, lambda answer: equal((type(answer), answer.code), (APIError, "42703")))

    reads("schema: the projection", client.schema("bookshop").from_("genres").select("*"), shop.genres)
    reads("schema: public", client.schema("public").from_("genres").select("*"), shop.genres)
    refused("schema: another one", client.schema("other").from_("genres").select("*"), "PGRST106")
    refused("from_: a table that is not there", client.from_("bookz").select("*"), "PGRST205")
    reads("max_affected: a read affects nothing", genres().max_affected(1), shop.genres)
    reads("retry: off", genres().retry(False), shop.genres)

    check("explain: text", books("book").eq("book", 1).explain().execute, lambda answer: equal("cost=" in str(answer), True))
    everything = {"analyze": True, "verbose": True, "settings": True, "buffers": True, "wal": True}
    check("explain: json", books("book").explain(format="json", **everything).execute, lambda answer: equal(answer.data[0]["Plan"]["Actual Rows"] >= 0, True))
    refused("explain: where plans are off", plain.from_("books").select("book").explain(), "PGRST107")

    for name, query in [
        ("insert", client.from_("genres").insert({"genre": "x", "label": "X"})),
        ("upsert", client.from_("genres").upsert({"genre": "x", "label": "X"})),
        ("update", client.from_("genres").update({"label": "X"}).eq("genre", "novel")),
        ("delete", client.from_("genres").delete().eq("genre", "novel")),
    ]:
        refused(f"{name}: refused", query, "PGRST117")
    reads("nothing was written", genres(), shop.genres)

    async def concurrently():
        async with AsyncPostgrestClient(url) as other:
            answers = await asyncio.gather(*(other.from_("books").select("book").eq("book", key).execute() for key in range(1, 7)))
            return [answer.data for answer in answers]

    check("async: six reads at once", lambda: asyncio.run(concurrently()), lambda answers: equal(answers, [[{"book": key}] for key in range(1, 7)]))
