//! The media types of answers.

use crate::{
    http::columnar::media_type as columnar_type,
    queries::{Explain, PlanFormat},
    read_model::{columnar::Format, query::Shape},
};

/// What an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Media {
    /// The shape of its rows.
    pub(super) shape: Shape,
    /// Instead of them, how Postgres would read them.
    pub(super) plan: Option<Explain>,
    /// Instead of a page, all rows as columns.
    pub(super) columns: Option<Format>,
}

impl Media {
    /// The value of the header `Content-Type`, as PostgREST writes it.
    pub(super) fn content_type(self) -> String {
        if let Some(format) = self.columns {
            return columnar_type(format).to_owned();
        }
        let media_type = media_type(self.shape);
        let Some(explain) = self.plan else { return format!("{media_type}; charset=utf-8") };
        let format = match explain.format {
            PlanFormat::Text => "text",
            PlanFormat::Json => "json",
        };
        let options = match explain.options() {
            options if options.is_empty() => String::new(),
            options => format!("; options={}", options.join("|")),
        };
        format!("application/vnd.pgrst.plan+{format}; for=\"{media_type}\"{options}; charset=utf-8")
    }
}

fn media_type(shape: Shape) -> &'static str {
    match shape {
        Shape::List => "application/json",
        Shape::Object => "application/vnd.pgrst.object+json",
        Shape::StrippedList => "application/vnd.pgrst.array+json;nulls=stripped",
        Shape::StrippedObject => "application/vnd.pgrst.object+json;nulls=stripped",
        Shape::Csv => "text/csv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_written_as_postgrest_writes_them() {
        let rows = |shape| Media { shape, ..Media::default() };
        let plan = |shape, explain| Media { shape, plan: Some(explain), columns: None };
        let columns = |format| Media { columns: Some(format), ..Media::default() };
        let text = Explain::default();
        for (media, written) in [
            (rows(Shape::List), "application/json; charset=utf-8"),
            (rows(Shape::StrippedList), "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"),
            (rows(Shape::StrippedObject), "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"),
            (rows(Shape::Csv), "text/csv; charset=utf-8"),
            (columns(Format::Parquet), "application/vnd.apache.parquet"),
            (columns(Format::ArrowStream), "application/vnd.apache.arrow.stream"),
            (plan(Shape::List, text), "application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8"),
            (
                plan(Shape::Object, Explain { format: PlanFormat::Json, analyze: true, wal: true, ..text }),
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json\"; options=analyze|wal; charset=utf-8",
            ),
        ] {
            assert_eq!(media.content_type(), written);
        }
    }
}
