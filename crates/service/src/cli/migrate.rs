//! `dispense migrate`

use dispense_postgres::migrate::{ServingRole, migrate};

use crate::config::{MigrateSettings, Reader};

/// Prepares the database and the role that serves.
pub(crate) async fn run(reader: Reader) -> anyhow::Result<()> {
    let settings = MigrateSettings::read(reader)?;
    let role = serving_role(&settings.serving_url)?;
    migrate(&settings.admin, Some(&role), settings.partitions).await?;
    println!("The database is prepared for version {}.", super::VERSION);
    Ok(())
}

/// The role in a database URL, with its password.
fn serving_role(url: &str) -> anyhow::Result<ServingRole> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let name = options.get_username().to_owned();
    Ok(ServingRole { name, password: password(url)? })
}

/// The password in a database URL, decoded.
fn password(url: &str) -> anyhow::Result<Option<String>> {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(None) };
    let Some((_, encoded)) = user.split_once(':') else { return Ok(None) };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut left = encoded.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [left.next(), left.next()].map(Option::unwrap_or_default);
        let digits = std::str::from_utf8(&digits)?;
        bytes.push(u8::from_str_radix(digits, 16)?);
    }
    Ok(Some(String::from_utf8(bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_decoded() {
        let of = |url: &str| password(url).unwrap();
        assert_eq!(of("postgres://u:p%40ss%2Fw@host/db"), Some("p@ss/w".to_owned()));
        assert_eq!(of("postgres://u@host/db"), None);
        assert_eq!(of("postgres://host/db"), None);
        assert_eq!(of("postgres://u:p@ss@host:5432/db?x=1"), Some("p@ss".to_owned()));
    }
}
