//! One SQL statement with its values, and the rows that it gives.

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::rusqlite::types::Value;
use holdfast_sqlite::rusqlite::{Connection, Statement as Prepared};
use holdfast_sqlite::{Failure, Work};

/// A statement. Its n-th value (from 0) stands for the parameter `:n`.
#[derive(Clone, Debug)]
pub struct Statement {
    /// One SQL statement.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
}

/// What a statement gave. An empty result has its columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The columns' names, in order.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl Statement {
    /// Makes one.
    pub fn new(sql: impl Into<String>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }

    /// Runs it and reads all of its rows.
    pub(crate) fn run(&self, connection: &Connection) -> Work<Rows> {
        let mut prepared = connection.prepare_cached(&self.sql)?;
        self.run_prepared(&mut prepared)
    }

    pub(crate) fn run_prepared(&self, prepared: &mut Prepared<'_>) -> Work<Rows> {
        for index in 1..=prepared.parameter_count() {
            let name = prepared.parameter_name(index).unwrap_or("?").to_owned();
            let value = name.get(1..).and_then(|digits| digits.parse().ok()).and_then(|n: usize| self.values.get(n));
            prepared.raw_bind_parameter(index, value.ok_or_else(|| missing(&name))?)?;
        }
        let mut columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut cursor = prepared.raw_query();
        while let Some(row) = cursor.next()? {
            let names: &Prepared<'_> = row.as_ref();
            // A schema that changed since the statement was prepared shows in the first row.
            if rows.is_empty() && names.column_count() != columns.len() {
                columns = names.column_names().map(str::to_owned).collect();
            }
            rows.push((0..columns.len()).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()?);
        }
        Ok(Rows { columns, rows })
    }

    /// VACUUM begins and ends transactions of its own.
    pub(crate) fn is_vacuum(&self) -> bool {
        self.sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("vacuum"))
    }
}

fn missing(name: &str) -> Failure {
    let message = format!("the statement has the parameter {name} and no value for it; add values with param()");
    Error::new(ErrorKind::Validation, "MISSING_PARAMETER", message).into()
}
