"""The command line: verbs parse, call, print and exit; what they do is elsewhere."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from generator import __version__, cache, stages
from generator.cli.context import LOG_FORMATS, Context, LogFormat, ending_well, say
from generator.cli.verbs import Verbs

app = typer.Typer(
    name="crosskeys",
    cls=Verbs,
    help="One YAML manifest per client becomes the Terraform that lets that client, and nobody else, "
    "read its certificates from HCP Vault.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crosskeys {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    directory: Annotated[
        Path,
        typer.Option("-C", "--directory", metavar="DIR", envvar="CROSSKEYS_DIRECTORY", help="The fleet's folder."),
    ] = Path(),
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Log what is done on stderr; -vv also how.")
    ] = 0,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(envvar="CROSSKEYS_LOG_FORMAT", help="How the log is written. Default: text.", metavar=LOG_FORMATS),
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where what can be made again is kept; CROSSKEYS_CACHE_DIR says the same."),
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Read and parse everything anew, as always where CI is set, to the same end."),
    ] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Show at the end, on stderr, what took how long.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    folder = cache.chosen(cache_dir)
    # What other runs have left behind, on a machine that many share, is not to decide what may be merged.
    anew = no_cache or bool(os.environ.get("CI"))
    context.obj = Context.of(directory, verbose, log_format, None if anew else folder)
    if profile:
        context.call_on_close(lambda: say(stages.table()))


def main() -> None:
    """Run the command line and exit with the code that the contract names."""
    # A fleet of thousands makes millions of objects and hardly a cycle: looking for those took half of the time.
    gc.set_threshold(100_000, 20, 100)
    sys.exit(ending_well(app))
