// Uses the types as an application does. A line after `@ts-expect-error` must be an error.
import type { EveryType, RowSelf } from "./rows.js";

export function total(rows: EveryType[]): number {
  return rows.reduce((sum, row) => sum + row.i64 + (row.i64_or_null ?? 0), 0);
}

export function share(row: EveryType): number {
  return typeof row.f64 === "number" ? row.f64 : Number(row.f64);
}

export function words(row: RowSelf): string[] {
  return [row.class, row.function, row.await, ...[row._]];
}

// @ts-expect-error: it may be null.
export const length = (row: EveryType): number => row.text_or_null.length;
// @ts-expect-error: any JSON is looked at before it is used.
export const name = (row: EveryType): string => row.json;
// @ts-expect-error: a float may be one that JSON has no number for.
export const double = (row: EveryType): number => row.f64 * 2;
