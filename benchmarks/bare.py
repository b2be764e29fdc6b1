"""A command line of two commands that do nothing: what typer itself takes. Run as a script."""

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def one() -> None:
    """Do nothing."""


@app.command()
def two() -> None:
    """Do nothing either."""


if __name__ == "__main__":
    app()
