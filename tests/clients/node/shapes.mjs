// Order, pages, counts, and the shape of an answer.
import { check, reads, refused } from "./cases.mjs";
import { pick, sort } from "./shop.mjs";
import assert from "node:assert/strict";

export async function shapes({ client, plain, PostgrestClient }, shop) {
  const books = (...options) => client.from("books").select(...options);
  const numbers = (rows) => rows.map((row) => pick(row, "book"));
  const copy = () => [...shop.books];

  await reads("order: ascending", () => books("book").order("price"), numbers(sort(copy(), "price")));
  await reads("order: descending", () => books("book").order("price", { ascending: false }), numbers(sort(copy(), "price").reverse()));
  await reads("order: by two columns", () => books("book").order("pages").order("book", { ascending: false }), numbers(copy().sort((left, right) => left.pages - right.pages || right.book - left.book)));
  const named = shop.books.filter((row) => row.author !== null);
  const unnamed = shop.books.filter((row) => row.author === null);
  await reads("order: null first", () => books("book").order("author", { nullsFirst: true }).order("book"), numbers([...unnamed, ...sort([...named], "author", "book")]));
  await reads("order: null last", () => books("book").order("author", { nullsFirst: false }).order("book"), numbers([...sort([...named], "author", "book"), ...unnamed]));
  await reads("order: by a path into json", () => books("book").not("details->size", "is", null).order("details->size->h", { ascending: false }).order("book"), [
    { book: 2 }, { book: 1 }, { book: 4 }, { book: 3 },
  ]);
  await reads("limit", () => books("book").order("book").limit(2), [{ book: 1 }, { book: 2 }]);
  await reads("limit: none", () => books("book").limit(0), []);
  await reads("range", () => books("book").order("book").range(2, 3), [{ book: 3 }, { book: 4 }]);
  await reads("range: beyond the end", () => books("book").order("book").range(5, 9), [{ book: 6 }]);

  await reads("single", () => books("book, title").eq("book", 3).single(), pick(shop.books[2], "book", "title"));
  await refused("single: no row", () => books().eq("book", 99).single(), 406, "PGRST116");
  await refused("single: many rows", () => books().single(), 406, "PGRST116");
  await reads("maybeSingle: a row", () => books("book").eq("book", 3).maybeSingle(), { book: 3 });
  await reads("maybeSingle: no row", () => books("book").eq("book", 99).maybeSingle(), null);
  await refused("maybeSingle: many rows", () => books("book").maybeSingle(), 406, "PGRST116");

  const columns = ["book", "title", "blurb", "price", "in_print", "added"];
  await check("csv", () => books(columns.join(",")).order("book").csv(), ({ error, data }) => {
    assert.equal(error, null, JSON.stringify(error));
    assert.deepEqual(cells(data), [columns, ...shop.books.map((row) => columns.map((column) => shown(row[column])))]);
  });
  await check("csv: no row", () => books("book,title").eq("book", 99).csv(), ({ error, data }) => {
    assert.equal(error, null, JSON.stringify(error));
    assert.deepEqual(cells(data), [["book", "title"]]);
  });
  await check("csv: an embedding is JSON", () => books("book,authors(name)").eq("book", 1).csv(), ({ error, data }) => {
    assert.equal(error, null, JSON.stringify(error));
    const [head, [book, author]] = cells(data);
    assert.deepEqual(head, ["book", "authors"]);
    assert.equal(book, "1");
    assert.deepEqual(JSON.parse(author), { name: "Ada Lovelace" });
  });
  await refused("geojson: there is no geometry", () => books().geojson(), 406, "PGRST107");
  const stripped = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  await reads("stripNulls", () => client.from("authors").select().stripNulls(), shop.authors.map(stripped));
  await reads("stripNulls: a single row", () => client.from("authors").select().eq("author", "dan").stripNulls().single(), { author: "dan", name: "Dan", mentor: "bea" });

  for (const count of ["exact", "planned", "estimated"]) {
    await check(`count: ${count}`, () => books("book", { count }).order("book").limit(2), ({ error, data, count: total }) => {
      assert.equal(error, null, JSON.stringify(error));
      assert.deepEqual(data, [{ book: 1 }, { book: 2 }]);
      assert.ok(Number.isInteger(total) && total >= 0, `${total}`);
      if (count === "exact") assert.equal(total, shop.books.length);
    });
  }
  await check("count: with a filter, and no rows", () => books("*", { count: "exact", head: true }).gt("pages", 200), (answer) => {
    assert.deepEqual(pick(answer, "error", "data", "count", "status"), {
      error: null, data: null, count: shop.books.filter((row) => row.pages > 200).length, status: 200,
    });
  });
  await check("count: a part of the rows is 206", () => books("book", { count: "exact" }).limit(1), ({ status }) => assert.equal(status, 206));
  await check("head", () => books("*", { head: true }), (answer) => assert.deepEqual(pick(answer, "error", "data", "count", "status"), { error: null, data: null, count: null, status: 200 }));

  await reads("schema: the projection", () => client.schema("bookshop").from("genres").select(), shop.genres);
  await reads("schema: public", () => client.schema("public").from("genres").select(), shop.genres);
  await refused("schema: another one", () => client.schema("other").from("genres").select(), 406, "PGRST106");
  await refused("from: a table that is not there", () => client.from("bookz").select(), 404, "PGRST205");
  await reads("abortSignal: in time", () => client.from("genres").select().abortSignal(AbortSignal.timeout(60_000)), shop.genres);
  await check("abortSignal: at once", () => client.from("genres").select().abortSignal(AbortSignal.abort()), ({ error, status }) => {
    assert.ok(error && /Abort/.test(error.message), JSON.stringify(error));
    assert.equal(status, 0);
  });
  await check("throwOnError", async () => {
    try {
      return await books("publisher").throwOnError();
    } catch (error) {
      return error;
    }
  }, (error) => assert.deepEqual({ name: error.name, code: error.code }, { name: "PostgrestError", code: "42703" }));
  await reads("throwOnError: nothing to throw", () => client.from("genres").select().throwOnError(), shop.genres);
  await reads("returns, overrideTypes", () => client.from("genres").select().returns().overrideTypes(), shop.genres);
  await reads("setHeader", () => client.from("genres").select().setHeader("Prefer", "handling=lenient"), shop.genres);
  await reads("retry: off", () => client.from("genres").select().retry(false), shop.genres);
  await reads("rollback: a read has nothing to undo", () => client.from("genres").select().rollback(), shop.genres);
  await reads("select: after select", () => client.from("genres").select("genre").select("label"), shop.genres.map((row) => pick(row, "label")));
  await reads("client: headers and a fetch of one's own", () => new PostgrestClient(client.url, { headers: { "X-Client-Info": "test" }, fetch: (...request) => fetch(...request) }).from("genres").select(), shop.genres);

  await check("explain: text", () => books("book").eq("book", 1).explain(), ({ error, data }) => {
    assert.equal(error, null, JSON.stringify(error));
    assert.match(data, /cost=/);
  });
  await check("explain: json, with all options", () => books("book").explain({ format: "json", analyze: true, verbose: true, settings: true, buffers: true, wal: true }), ({ error, data }) => {
    assert.equal(error, null, JSON.stringify(error));
    assert.ok(data[0].Plan["Actual Rows"] >= 0, JSON.stringify(data));
  });
  await refused("explain: where plans are off", () => plain.from("books").select("book").explain(), 406, "PGRST107");

  // Read models are written by events only.
  for (const [name, call] of [
    ["insert", (table) => table.insert({ genre: "x", label: "X" })],
    ["upsert", (table) => table.upsert({ genre: "x", label: "X" })],
    ["update", (table) => table.update({ label: "X" }).eq("genre", "novel")],
    ["delete", (table) => table.delete().eq("genre", "novel")],
  ]) {
    await refused(`${name}: refused`, () => call(client.from("genres")), 405, "PGRST117");
  }
  await reads("nothing was written", () => client.from("genres").select(), shop.genres);
  await check("rpc: refused", () => client.rpc("anything"), ({ error, status }) => {
    assert.ok(error && (status === 404 || status === 405), `${status} ${JSON.stringify(error)}`);
    assert.match(error.code, /^PGRST/);
  });
}

/** A value as a cell of CSV. */
function shown(value) {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "t" : "f";
  return String(value);
}

/** The cells of each line of CSV; a cell in quotes may have commas, line ends and doubled quotes. */
function cells(text) {
  const rows = [];
  let row = [];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (end === "") break;
  }
  return rows.filter((cells) => cells.length > 1 || cells[0] !== "");
}
