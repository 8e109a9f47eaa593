"""The subcommands: each adds its options to a parser and turns them into a call."""
