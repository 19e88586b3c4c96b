//! Help as people read it. It is written as documentation of the code, whose marks a terminal does
//! not render.

use clap::Command;
use clap::builder::{Resettable, StyledStr};

/// That command, with no backtick in its help nor in that of the commands below it.
pub(super) fn plain(command: Command) -> Command {
    let (about, long_about) = (of(command.get_about()), of(command.get_long_about()));
    let (after, long_after) = (of(command.get_after_help()), of(command.get_after_long_help()));
    let mut command = command.mut_args(|argument| {
        let (help, long_help) = (of(argument.get_help()), of(argument.get_long_help()));
        argument.help(help).long_help(long_help)
    });
    command = command.about(about).long_about(long_about);
    command.after_help(after).after_long_help(long_after).mut_subcommands(plain)
}

fn of(text: Option<&StyledStr>) -> Resettable<StyledStr> {
    let plain = text.map(|text| text.to_string().replace('`', "").into());
    plain.map_or(Resettable::Reset, Resettable::Value)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    /// The help of that command and of all below it, short and long.
    fn helps_of(command: &mut Command) -> Vec<(String, String)> {
        let name = command.get_name().to_owned();
        let (short, long) = (command.render_help(), command.render_long_help());
        let mut helps = vec![(name.clone(), short.to_string()), (name, long.to_string())];
        for below in command.get_subcommands_mut() {
            helps.extend(helps_of(below));
        }
        helps
    }

    #[test]
    fn no_help_has_a_backtick() {
        let mut command = plain(Arguments::command());
        command.build();
        let helps = helps_of(&mut command);
        for expected in ["serve", "token", "explain", "import", "openapi"] {
            assert!(helps.iter().any(|(name, _)| name == expected), "{expected}");
        }
        for (name, help) in helps {
            assert!(!help.contains('`'), "{name}: {help}");
        }
    }
}
