// Rows of other tables, in the rows that reference them or are referenced by them.
import { check, reads, refused } from "./cases.mjs";
import { pick } from "./shop.mjs";
import assert from "node:assert/strict";

export async function embeddings(client, shop) {
  const from = (table) => client.from(table);
  const author = (key) => shop.authors.find((row) => row.author === key) ?? null;
  const address = (key) => shop.addresses.find((row) => row.address === key) ?? null;
  const written = (key) => shop.books.filter((row) => row.author === key);
  const genresOf = (book) => shop.book_genres.filter((row) => row.book === book).map((row) => shop.genres.find((genre) => genre.genre === row.genre));
  const booksOf = (genre) => shop.book_genres.filter((row) => row.genre === genre).map((row) => shop.books.find((book) => book.book === row.book));
  const some = (row, ...columns) => (row === null || row === undefined ? null : pick(row, ...columns));

  await reads(
    "embed: to one",
    () => from("books").select("title, authors(name)"),
    shop.books.map((row) => ({ title: row.title, authors: some(author(row.author), "name") })),
  );
  await reads(
    "embed: to one, with all columns",
    () => from("books").select("*, authors(*)"),
    shop.books.map((row) => ({ ...row, authors: author(row.author) })),
  );
  await reads(
    "embed: to many",
    () => from("authors").select("name, books(book, title)"),
    shop.authors.map((row) => ({ name: row.name, books: written(row.author).map((book) => pick(book, "book", "title")) })),
  );
  await reads(
    "embed: all types of columns look as they do at the top",
    () => from("lines").select("number, line, orders(*), books(*)"),
    shop.lines.map((row) => ({
      number: row.number,
      line: row.line,
      orders: shop.orders.find((order) => order.number === row.number),
      books: shop.books.find((book) => book.book === row.book),
    })),
  );
  await reads(
    "embed: to many through a junction",
    () => from("books").select("title, genres(label)"),
    shop.books.map((row) => ({ title: row.title, genres: genresOf(row.book).map((genre) => pick(genre, "label")) })),
  );
  await reads(
    "embed: to many through a junction, the other way",
    () => from("genres").select("genre, books(book)"),
    shop.genres.map((row) => ({ genre: row.genre, books: booksOf(row.genre).map((book) => pick(book, "book")) })),
  );
  await reads(
    "embed: the junction itself",
    () => from("genres").select("genre, book_genres(books(title))"),
    shop.genres.map((row) => ({ genre: row.genre, book_genres: booksOf(row.genre).map((book) => ({ books: pick(book, "title") })) })),
  );
  await reads(
    "embed: one to one",
    () => from("books").select("book, covers(colour, picture)"),
    shop.books.map((row) => ({
      book: row.book,
      covers: some(shop.covers.find((cover) => cover.book === row.book), "colour", "picture"),
    })),
  );
  await reads(
    "embed: the same table, by the column",
    () => from("authors").select("author, mentor(name)"),
    shop.authors.map((row) => ({ author: row.author, mentor: some(author(row.mentor), "name") })),
  );
  await reads(
    "embed: the same table, the other way",
    () => from("authors").select("author, pupils:authors!mentor(author)"),
    shop.authors.map((row) => ({
      author: row.author,
      pupils: shop.authors.filter((pupil) => pupil.mentor === row.author).map((pupil) => pick(pupil, "author")),
    })),
  );
  await reads(
    "embed: three levels",
    () => from("orders").select("number, lines(line, books(title, authors(name)))"),
    shop.orders.map((row) => ({
      number: row.number,
      lines: shop.lines
        .filter((line) => line.number === row.number)
        .map((line) => {
          const book = shop.books.find((other) => other.book === line.book);
          return { line: line.line, books: { title: book.title, authors: some(author(book.author), "name") } };
        }),
    })),
  );
  await reads(
    "embed: twice under two names, by hints",
    () => from("orders").select("number, bill:addresses!billing(city), parcel:addresses!shipping(city)"),
    shop.orders.map((row) => ({ number: row.number, bill: some(address(row.billing), "city"), parcel: some(address(row.shipping), "city") })),
  );
  await reads(
    "embed: by the name of the reference",
    () => from("orders").select("number, addresses!orders_billing_fkey(city)"),
    shop.orders.map((row) => ({ number: row.number, addresses: some(address(row.billing), "city") })),
  );
  await refused("embed: two references, and no hint", () => from("orders").select("number, addresses(city)"), 300, "PGRST201");
  await refused("embed: no reference", () => from("orders").select("number, genres(label)"), 400, "PGRST200");
  await check(
    "embed: what the candidates are is in the details",
    () => from("orders").select("addresses(city)"),
    ({ error }) => {
      assert.equal(error.details.length, 2);
      for (const candidate of error.details) assert.deepEqual(Object.keys(candidate).sort(), ["cardinality", "embedding", "relationship"]);
    },
  );

  await reads(
    "inner: rows with a row of the other table",
    () => from("authors").select("author, books!inner(book)"),
    shop.authors
      .filter((row) => written(row.author).length > 0)
      .map((row) => ({ author: row.author, books: written(row.author).map((book) => pick(book, "book")) })),
  );
  await reads(
    "inner: and a filter on it",
    () => from("authors").select("author, books!inner(book)").eq("books.pages", 350),
    shop.authors
      .map((row) => ({ author: row.author, books: written(row.author).filter((book) => book.pages === 350).map((book) => pick(book, "book")) }))
      .filter((row) => row.books.length > 0),
  );
  await check(
    "inner: exact counts are of what is left",
    () => from("authors").select("author, books!inner(book)", { count: "exact", head: true }).eq("books.pages", 350),
    ({ error, count }) => {
      assert.equal(error, null);
      assert.equal(count, new Set(shop.books.filter((row) => row.pages === 350).map((row) => row.author)).size);
    },
  );
  await reads(
    "left: a filter on the other table keeps the rows",
    () => from("authors").select("author, books!left(book)").gt("books.pages", 200),
    shop.authors.map((row) => ({
      author: row.author,
      books: written(row.author).filter((book) => book.pages > 200).map((book) => pick(book, "book")),
    })),
  );
  await reads(
    "empty: rows without one of the other table",
    () => from("authors").select("author, books()").is("books", null),
    shop.authors.filter((row) => written(row.author).length === 0).map((row) => pick(row, "author")),
  );
  await reads(
    "empty: rows with one, by a filter of it",
    () => from("authors").select("author, books()").eq("books.in_print", true).not("books", "is", null),
    shop.authors.filter((row) => written(row.author).some((book) => book.in_print)).map((row) => pick(row, "author")),
  );
  await reads(
    "empty: in a tree of conditions",
    () => from("authors").select("author, books()").or("books.is.null,country.eq.TR"),
    shop.authors.filter((row) => written(row.author).length === 0 || row.country === "TR").map((row) => pick(row, "author")),
  );
  await reads(
    "spread: to one",
    () => from("books").select("book, ...authors(name, from:country)"),
    shop.books.map((row) => ({ book: row.book, name: author(row.author)?.name ?? null, from: author(row.author)?.country ?? null })),
  );
  await reads(
    "spread: to many gives arrays",
    () => from("authors").select("author, ...books(numbers:book)"),
    shop.authors.map((row) => ({ author: row.author, numbers: written(row.author).map((book) => book.book) })),
  );
  await reads(
    "spread: within an embedding",
    () => from("orders").select("number, lines(line, ...books(title))"),
    shop.orders.map((row) => ({
      number: row.number,
      lines: shop.lines
        .filter((line) => line.number === row.number)
        .map((line) => ({ line: line.line, title: shop.books.find((book) => book.book === line.book).title })),
    })),
  );
  await reads(
    "count: of rows of the other table",
    () => from("authors").select("author, books(count)"),
    shop.authors.map((row) => ({ author: row.author, books: [{ count: written(row.author).length }] })),
  );
  await reads(
    "aggregates: of rows of the other table",
    () => from("orders").select("number, lines(quantity.sum())"),
    shop.orders.map((row) => {
      const lines = shop.lines.filter((line) => line.number === row.number);
      return { number: row.number, lines: [{ sum: lines.length === 0 ? null : lines.reduce((sum, line) => sum + line.quantity, 0) }] };
    }),
  );

  const byPages = (books) => [...books].sort((left, right) => right.pages - left.pages || left.book - right.book);
  await reads(
    "order: of the other table's rows",
    () => from("authors").select("author, books(book)").order("pages", { referencedTable: "books", ascending: false }).order("book", { referencedTable: "books" }),
    shop.authors.map((row) => ({ author: row.author, books: byPages(written(row.author)).map((book) => pick(book, "book")) })),
  );
  await reads(
    "limit: of the other table's rows",
    () => from("genres").select("genre, books(book)").limit(1, { referencedTable: "books" }),
    shop.genres.map((row) => ({ genre: row.genre, books: booksOf(row.genre).slice(0, 1).map((book) => pick(book, "book")) })),
  );
  await reads(
    "range: of the other table's rows",
    () => from("genres").select("genre, books(book)").order("book", { referencedTable: "books", ascending: false }).range(1, 2, { referencedTable: "books" }),
    shop.genres.map((row) => ({ genre: row.genre, books: booksOf(row.genre).reverse().slice(1, 3).map((book) => pick(book, "book")) })),
  );
  await reads(
    "or: on the other table",
    () => from("authors").select("author, books(book)").or("pages.lt.100,pages.gt.300", { referencedTable: "books" }),
    shop.authors.map((row) => ({
      author: row.author,
      books: written(row.author).filter((book) => book.pages < 100 || book.pages > 300).map((book) => pick(book, "book")),
    })),
  );
  await reads(
    "filter: under an alias",
    () => from("authors").select("author, works:books(book)").eq("works.in_print", true),
    shop.authors.map((row) => ({ author: row.author, works: written(row.author).filter((book) => book.in_print).map((book) => pick(book, "book")) })),
  );
  await reads(
    "filter: two levels down",
    () => from("orders").select("number, lines(line, books!inner(book))").eq("lines.books.author", "bea"),
    shop.orders.map((row) => ({
      number: row.number,
      lines: shop.lines
        .filter((line) => line.number === row.number && shop.books.find((book) => book.book === line.book).author === "bea")
        .map((line) => ({ line: line.line, books: { book: line.book } })),
    })),
  );
  const dated = shop.books.filter((row) => author(row.author)?.born);
  await reads(
    "order: by a column of the one row of another table",
    () => from("books").select("book, authors!inner(born)").not("authors.born", "is", null).order("authors(born)", { ascending: false }).order("book"),
    [...dated]
      .sort((left, right) => {
        const [one, other] = [author(left.author).born, author(right.author).born];
        return one === other ? left.book - right.book : one < other ? 1 : -1;
      })
      .map((row) => ({ book: row.book, authors: { born: author(row.author).born } })),
  );
  await refused("order: not by a column of many rows", () => from("authors").select("author, books(book)").order("books(book)"), 400, "PGRST118");
  await refused("filter: a path that is not selected", () => from("authors").select("author").eq("books.book", 1), 400, "PGRST108");
}
