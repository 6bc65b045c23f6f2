// What is selected of one table: columns, aliases, casts, paths into JSON, aggregates.
import { check, reads, refused } from "./cases.mjs";
import { pick } from "./shop.mjs";
import assert from "node:assert/strict";

export async function selects(client, shop) {
  const books = () => client.from("books");

  for (const table of Object.keys(shop)) {
    await reads(`select: all of ${table}`, () => client.from(table).select(), shop[table]);
  }
  await reads("select: columns", () => books().select("book, title"), shop.books.map((row) => pick(row, "book", "title")));
  await reads("select: quoted names", () => books().select('"book", "title"'), shop.books.map((row) => pick(row, "book", "title")));
  await reads("select: aliases", () => books().select("id:book, name:title"), shop.books.map((row) => ({ id: row.book, name: row.title })));
  await reads(
    "select: an alias with blanks",
    () => books().select('"The number":book'),
    shop.books.map((row) => ({ "The number": row.book })),
  );
  await reads(
    "select: casts",
    () => books().select("book::text, sum:price::text, pages::numeric"),
    shop.books.map((row) => ({ book: `${row.book}`, sum: `${row.price}`, pages: row.pages })),
  );
  await refused("select: a cast to a type that is not there", () => books().select("book::nonsense"), 400, "42704");
  await refused("select: a column that is not there", () => books().select("publisher"), 400, "42703");
  await refused("select: what is not in the grammar", () => books().select("book("), 400, "PGRST100");

  await reads(
    "json: an arrow",
    () => books().select("book, details->lang"),
    shop.books.map(({ book, details }) => ({ book, lang: details?.lang ?? null })),
  );
  await reads(
    "json: two arrows give text",
    () => books().select("book, width:details->size->>w"),
    shop.books.map(({ book, details }) => ({ book, width: details?.size === undefined ? null : `${details.size.w}` })),
  );
  await reads(
    "json: an element of an array",
    () => books().select("book, details->awards->>0"),
    shop.books.map(({ book, details }) => ({ book, awards: details?.awards?.[0] ?? null })),
  );
  await reads(
    "json: the last element of an array",
    () => books().select("book, last:details->pages->-1"),
    shop.books.map(({ book, details }) => ({ book, last: details?.pages?.at(-1) ?? null })),
  );
  await reads(
    "json: a quoted key",
    () => books().select('book, odd:details->"odd key"->>"a.b"'),
    shop.books.map(({ book, details }) => ({ book, odd: details?.["odd key"]?.["a.b"] ?? null })),
  );
  await reads(
    "json: an element of a column of arrays",
    () => books().select("book, first:ratings->0"),
    shop.books.map(({ book, ratings }) => ({ book, first: ratings[0] ?? null })),
  );
  await reads(
    "json: a path with a cast",
    () => books().select("book, w:details->size->>w::int"),
    shop.books.map(({ book, details }) => ({ book, w: details?.size?.w ?? null })),
  );

  const sum = (rows, column) => rows.reduce((total, row) => total + row[column], 0);
  const pages = sum(shop.books, "pages");
  await reads("aggregates: sum", () => books().select("pages.sum()"), [{ sum: pages }]);
  await reads("aggregates: an alias and casts", () => books().select("total:pages::numeric.sum()::text"), [{ total: `${pages}` }]);
  await reads("aggregates: count()", () => books().select("count()"), [{ count: shop.books.length }]);
  await reads("aggregates: count of a column passes over null", () => books().select("blurb.count()"), [
    { count: shop.books.filter((row) => row.blurb !== null).length },
  ]);
  await check(
    "aggregates: min, max and avg",
    () => books().select("least:pages.min(),most:pages.max(),mean:pages.avg()"),
    ({ data, error }) => {
      assert.equal(error, null, JSON.stringify(error));
      const all = shop.books.map((row) => row.pages);
      assert.equal(data.length, 1);
      const { least, most, mean } = data[0];
      assert.deepEqual({ least, most }, { least: Math.min(...all), most: Math.max(...all) });
      assert.ok(Math.abs(mean - pages / all.length) < 1e-9, `${mean}`);
    },
  );
  const groups = new Map();
  for (const { in_print, pages } of shop.books) groups.set(in_print, [...(groups.get(in_print) ?? []), pages]);
  await reads(
    "aggregates: groups by the other columns",
    () => books().select("in_print, pages.sum(), count()").order("in_print", { nullsFirst: true }),
    [null, false, true].map((in_print) => {
      const of = groups.get(in_print);
      return { in_print, sum: of.reduce((total, pages) => total + pages), count: of.length };
    }),
  );
  await reads("aggregates: with a filter that no row meets", () => books().select("pages.sum()").eq("book", 99), [{ sum: null }]);
}
