//! Checkpoints and erasures of an export.

use dispense_audit::export as layout;
use dispense_postgres::export as stored;
use sqlx::PgPool;

use super::Exported;
use super::folder::Folder;

/// How many are read at once.
const PAGE: u16 = 500;

/// Writes the checkpoints of a partition that cover at most so many rows. Of several of one size the
/// latest counts: it covers as many rows, and no fewer erasures.
pub(super) async fn export(
    pool: &PgPool,
    folder: &Folder,
    into: &mut Exported,
    most: u64,
) -> anyhow::Result<()> {
    let partition = into.partition;
    let name = layout::checkpoint(partition, 0);
    let (checkpoints, _) = name.rsplit_once('/').unwrap_or_default();
    let known = folder.numbers(checkpoints, ".txt")?;
    // They were written in order, so the largest one tells how far a run before has come.
    let least = known.last().copied().unwrap_or_default();
    let mut number = 0;
    loop {
        let page = stored::checkpoints_behind(pool, partition, number, least, PAGE).await?;
        let Some(newest) = page.last() else { return Ok(()) };
        number = newest.number;
        for checkpoint in page.iter().filter(|it| it.size <= most) {
            folder.write(&layout::checkpoint(partition, checkpoint.size), &checkpoint.note)?;
            into.checkpoints += u64::from(known.binary_search(&checkpoint.size).is_err());
        }
    }
}

/// Writes all erasures, and returns how many there are.
pub(super) async fn erasures(pool: &PgPool, folder: &Folder) -> anyhow::Result<u64> {
    let (mut number, mut count) = (0, 0);
    let mut file = folder.begin(layout::ERASURES)?;
    loop {
        let page = stored::erasures_behind(pool, number, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        number = *last;
        for (_, line) in &page {
            file.add(line)?;
            file.add("\n")?;
            count += 1;
        }
    }
    file.finish()?;
    Ok(count)
}
