//! The `SELECT` of a resource: of the table that is asked, or of an embedding.

use super::{
    output::{Origin, Output, cast},
    writer::Writer,
};
use crate::read_model::query::{
    cast::SqlType,
    order::{OrderBy, complete},
    resource::{Embedding, Resource, Selected},
};

/// For so many rows of a page, at most, the row that each references is looked up by its key. Postgres, which takes a look into an index for a read of
/// a disk, would read all of a table that has a thousand rows or some more for a page of a hundred.
const FEW_ROWS: u64 = 1_000;

/// The parts of a `SELECT`.
pub(super) struct Body {
    /// What it has in each row.
    pub(super) outputs: Vec<Output>,
    /// The table and what is joined to it.
    from: String,
    conditions: String,
    /// By what its rows are groups. `Some` of nothing is one group.
    groups: Option<Vec<String>>,
    /// The order and the rows of it.
    window: String,
    /// What is to be counted instead, if the parts above have the rows of the page only.
    counted: Option<String>,
}

impl Body {
    /// The statement, with the values as they are shown.
    pub(super) fn select(&self) -> String {
        self.select_items(self.outputs.iter().map(Output::shown).collect())
    }

    /// The statement with other items.
    pub(super) fn select_items(&self, items: Vec<String>) -> String {
        let Self { from, conditions, window, .. } = self;
        // A statement without items needs none, but a blank less.
        let items = if items.is_empty() { String::new() } else { format!("{} ", items.join(", ")) };
        format!("SELECT {items}FROM {from}{conditions}{}{window}", self.group_by())
    }

    /// What follows `FROM` to count all of its rows.
    pub(super) fn counted(&self) -> String {
        let Self { from, conditions, .. } = self;
        match (&self.groups, &self.counted) {
            (None, Some(counted)) => counted.clone(),
            (None, None) => format!("{from}{conditions}"),
            (Some(_), _) => format!("(SELECT count(*) FROM {from}{conditions}{}) AS \"all groups\"", self.group_by()),
        }
    }

    fn group_by(&self) -> String {
        match self.groups.as_deref() {
            None | Some([]) => String::new(),
            Some(groups) => format!(" GROUP BY {}", groups.join(", ")),
        }
    }
}

impl<'q> Writer<'q> {
    /// Writes the resource. `embedded` says how it belongs to another: the embedding, and the other's name in the statement.
    pub(super) fn body(&mut self, embedded: Option<(&'q Embedding<'q>, &str)>) -> Body {
        let resource = self.resource;
        let hoisted = embedded.is_some_and(|(embedding, _)| embedding.is_hoisted());
        let (source, joined) = match embedded {
            None => (self.root(), Vec::new()),
            Some((embedding, other)) => self.source(embedding, other),
        };
        let conditions = self.conditions(joined);
        let after = match (embedded, self.last_row) {
            (None, Some(last)) => {
                let joined = if conditions.is_empty() { "WHERE" } else { "AND" };
                format!(" {joined} {}", self.after(&complete(resource.table, &resource.order), last))
            }
            _ => String::new(),
        };
        let to_one = embedded.is_some_and(|(embedding, _)| embedding.is_to_one());
        let grouped = !hoisted && resource.is_grouped();
        // One row at most has the key. With this limit, Postgres looks it up for each row that it is embedded into.
        let the_one = (to_one && self.few_rows && !grouped).then_some(1);
        let max_rows = self.max_rows.filter(|_| !to_one);
        let limit = resource.window.limit.into_iter().chain(max_rows).chain(the_one).min();
        let of_others = self.few_rows;
        self.few_rows = match embedded {
            None => limit.is_some_and(|limit| limit <= FEW_ROWS) && !grouped && !ordered_by_embedding(resource),
            Some(_) => of_others || !to_one,
        };
        let mut outputs: Vec<_> = resource
            .select
            .iter()
            .enumerate()
            .map(|(index, selected)| self.selected(index, selected, hoisted))
            .collect();
        let mut joins = String::new();
        for index in 0..resource.embeddings.len() {
            if let Some((join, joined)) = self.join(index) {
                joins.push_str(&join);
                outputs.extend(joined);
            }
        }
        self.few_rows = of_others;
        let groups = grouped.then(|| groups(&mut outputs));

        let cut = limit.is_some() || resource.window.offset > 0 || !after.is_empty();
        // One row has no order, and rows of an embedding have one always.
        let ordered = !to_one && (cut || !resource.order.is_empty() || embedded.is_some());
        let order = match &groups {
            _ if !ordered => Vec::new(),
            None => self.whole_order(),
            Some(groups) => self.order_of_groups(&outputs, groups),
        };
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        // A number and no placeholder: whether the rows of a page are few decides how they are found.
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let offset = match resource.window.offset {
            0 => String::new(),
            offset => format!(" OFFSET {}", self.bind(offset.to_string(), "bigint")),
        };
        let window = format!("{order}{limit}{offset}");

        // What is embedded is read for the rows of the page only, if it does not decide which these are.
        if cut && groups.is_none() && !joins.is_empty() && !ordered_by_embedding(resource) {
            let table = &self.table;
            let from = format!("(SELECT {table}.* FROM {source}{conditions}{after}{window}) AS {table}{joins}");
            let counted = Some(format!("{source}{conditions}"));
            return Body { outputs, from, conditions: String::new(), groups, window: order, counted };
        }
        let counted = groups.is_none().then(|| format!("{source}{conditions}"));
        let conditions = format!("{conditions}{after}");
        Body { outputs, from: format!("{source}{joins}"), conditions, groups, window, counted }
    }

    /// What a row shows that belongs to nothing else, and the conditions that it has to meet: an expression over the columns of its table.
    pub(super) fn single_row(&mut self) -> (Vec<Output>, String) {
        let resource = self.resource;
        let conditions = self.conditions(Vec::new());
        let selected = resource.select.iter().enumerate();
        (selected.map(|(index, selected)| self.selected(index, selected, false)).collect(), conditions)
    }

    pub(super) fn selected(&mut self, index: usize, selected: &Selected<'_>, hoisted: bool) -> Output {
        let (mut expression, mut sql_type, mut is_column) = match (&selected.field, &selected.snippet) {
            (_, Some(found)) => (self.snippet(found), SqlType::plain("text"), false),
            (Some(field), None) => {
                let named_so = field.path.is_empty() && selected.name() == field.column.name.as_str();
                (self.field(field), SqlType::of(field.column_type()), named_so)
            }
            // A row that is not there is not counted among those that it is spread into.
            (None, None) => ((if hoisted { "true" } else { "*" }).to_owned(), SqlType::plain("boolean"), false),
        };
        if let Some(to) = selected.cast {
            expression = cast(&expression, to);
            self.depends_on_clock |= to.is_of_time() && !sql_type.is_of_time();
            (sql_type, is_column) = (to, false);
        }
        if let Some(to) = selected.aggregate.and_then(|aggregate| aggregate.cast) {
            self.depends_on_clock |= to.is_of_time() && !sql_type.is_of_time();
        }
        let (name, aggregate) = (selected.name().to_owned(), selected.aggregate);
        Output { name, expression, sql_type, is_column, aggregate, origin: Origin::Selected(index) }
    }
}

/// Makes values those of groups, and returns what the groups are made by.
fn groups(outputs: &mut [Output]) -> Vec<String> {
    let mut groups = Vec::new();
    for output in outputs {
        let is_aggregate = output.aggregate.is_some();
        output.of_group();
        if !is_aggregate {
            groups.push(output.expression.clone());
        }
    }
    groups
}

fn ordered_by_embedding(resource: &Resource<'_>) -> bool {
    resource.order.iter().any(|term| matches!(term.by, OrderBy::Embedded(..)))
}
