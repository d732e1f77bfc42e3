//! Statements that are sent together and answered in one round trip.

use deadpool_postgres::Object;
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::failure::Work;

/// A parameter.
pub(super) type Parameter = Box<dyn ToSql + Send + Sync>;

/// Statements on their way.
#[derive(Default)]
pub(super) struct Pipeline(Vec<(Statement, Vec<Parameter>)>);

impl Pipeline {
    /// Adds a statement. The first time on a connection it is prepared, which is a round trip of its own.
    pub(super) async fn add(&mut self, client: &Object, sql: &str, parameters: Vec<Parameter>) -> Work<()> {
        let statement = client.prepare_cached(sql).await?;
        self.0.push((statement, parameters));
        Ok(())
    }

    /// Sends all, in order; gives back the rows of each. After one that fails the server does none of the rest.
    pub(super) async fn send(self, client: &Object) -> Work<Vec<Vec<Row>>> {
        // Futures are polled in their order, and each sends its statement when it is first polled.
        let sent = self.0.iter().map(async |(statement, parameters)| {
            let parameters: Vec<&(dyn ToSql + Sync)> =
                parameters.iter().map(|parameter| -> &(dyn ToSql + Sync) { parameter.as_ref() }).collect();
            client.query(statement, &parameters).await
        });
        let answers = join_all(sent).await.into_iter().collect::<Result<Vec<_>, _>>();
        Ok(answers?)
    }
}
